// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// This is the sending side of Web Push, written from the specifications and
// not from the receiving side that it is to test.

const (
	sendTimeout = 5 * time.Second
	pushTTL     = 48 * time.Hour
	vapidLife   = 24 * time.Hour
	maxAnswer   = 64 << 10
)

// vapidKeys are a server's key pair, in base64url.
type vapidKeys struct{ public, private string }

func newVapidKeys() vapidKeys {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		panic("mastodonfake: " + err.Error())
	}
	return vapidKeys{public: encode64(key.PublicKey().Bytes()), private: encode64(key.Bytes())}
}

func encode64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// SendPush encrypts a push and sends it, with the headers that Mastodon gives.
func SendPush(ctx context.Context, push Push) (int, error) {
	header, body, err := EncryptPush(push)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, push.Endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("making a push: %w", err)
	}
	request.Header = header
	response, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(request)
	if err != nil {
		return 0, fmt.Errorf("sending a push: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, err
}

// EncryptPush gives the headers and the body of a push.
func EncryptPush(push Push) (http.Header, []byte, error) {
	receiver, err := base64.RawURLEncoding.DecodeString(push.P256dh)
	if err != nil {
		return nil, nil, fmt.Errorf("reading p256dh: %w", err)
	}
	auth, err := base64.RawURLEncoding.DecodeString(push.Auth)
	if err != nil {
		return nil, nil, fmt.Errorf("reading auth: %w", err)
	}
	peer, err := ecdh.P256().NewPublicKey(receiver)
	if err != nil {
		return nil, nil, fmt.Errorf("reading p256dh: %w", err)
	}
	sender, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	secret, err := sender.ECDH(peer)
	if err != nil {
		return nil, nil, fmt.Errorf("agreeing on a key: %w", err)
	}
	jwt, err := signVapid(push)
	if err != nil {
		return nil, nil, err
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return nil, nil, fmt.Errorf("making a salt: %w", err)
	}
	header := http.Header{
		"Content-Type": {"application/octet-stream"}, "Ttl": {strconv.Itoa(int(pushTTL.Seconds()))}, "Urgency": {"normal"},
	}
	own := sender.PublicKey().Bytes()
	if push.Standard {
		header.Set("Content-Encoding", "aes128gcm")
		header.Set("Authorization", "vapid t="+jwt+",k="+push.VapidPublic)
		body, err := sealStandard(secret, auth, salt, receiver, own, push.Payload)
		return header, body, err
	}
	header.Set("Content-Encoding", "aesgcm")
	header.Set("Encryption", "salt="+encode64(salt))
	header.Set("Crypto-Key", "dh="+encode64(own)+";p256ecdsa="+push.VapidPublic)
	header.Set("Authorization", "WebPush "+jwt)
	body, err := sealLegacy(secret, auth, salt, receiver, own, push.Payload)
	return header, body, err
}

// sealStandard follows RFC 8291, section 3.4, step by step, and RFC 8188. As
// Mastodon does, it makes the record size that of the one record.
func sealStandard(secret, auth, salt, receiver, sender, payload []byte) ([]byte, error) {
	prkKey := mac(auth, secret)
	keyInfo := concat([]byte("WebPush: info\x00"), receiver, sender)
	ikm := mac(prkKey, keyInfo, []byte{1})
	prk := mac(salt, ikm)
	cek := mac(prk, []byte("Content-Encoding: aes128gcm\x00\x01"))[:16]
	nonce := mac(prk, []byte("Content-Encoding: nonce\x00\x01"))[:12]
	record, err := sealGCM(cek, nonce, concat(payload, []byte{2}))
	if err != nil {
		return nil, err
	}
	head := binary.BigEndian.AppendUint32(bytes.Clone(salt), uint32(len(record)))
	head = append(head, byte(len(sender)))
	return concat(head, sender, record), nil
}

// sealLegacy follows draft-ietf-webpush-encryption-04, section 4, without
// padding.
func sealLegacy(secret, auth, salt, receiver, sender, payload []byte) ([]byte, error) {
	ikm := mac(mac(auth, secret), []byte("Content-Encoding: auth\x00\x01"))
	prk := mac(salt, ikm)
	context := concat([]byte("P-256\x00\x00\x41"), receiver, []byte{0, 65}, sender)
	cek := mac(prk, []byte("Content-Encoding: aesgcm\x00"), context, []byte{1})[:16]
	nonce := mac(prk, []byte("Content-Encoding: nonce\x00"), context, []byte{1})[:12]
	return sealGCM(cek, nonce, concat([]byte{0, 0}, payload))
}

func sealGCM(key, nonce, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing a push: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("sealing a push: %w", err)
	}
	return gcm.Seal(nil, nonce, plain, nil), nil
}

func mac(key []byte, parts ...[]byte) []byte {
	hash := hmac.New(sha256.New, key)
	for _, part := range parts {
		hash.Write(part)
	}
	return hash.Sum(nil)
}

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// signVapid makes the token of RFC 8292, section 2.
func signVapid(push Push) (string, error) {
	to, err := url.Parse(push.Endpoint)
	if err != nil {
		return "", fmt.Errorf("reading the endpoint: %w", err)
	}
	claims, err := json.Marshal(map[string]any{
		"aud": to.Scheme + "://" + to.Host, "exp": push.At.Add(vapidLife).Unix(), "sub": "mailto:admin@" + strangersServer,
	})
	if err != nil {
		return "", fmt.Errorf("signing a push: %w", err)
	}
	text := encode64([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + encode64(claims)
	key, err := vapidKey(push.VapidPrivate)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return "", fmt.Errorf("signing a push: %w", err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode64(signature), nil
}

func vapidKey(private string) (*ecdsa.PrivateKey, error) {
	scalar, err := base64.RawURLEncoding.DecodeString(private)
	if err != nil {
		return nil, fmt.Errorf("reading the VAPID key: %w", err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return nil, fmt.Errorf("reading the VAPID key: %w", err)
	}
	return key, nil
}
