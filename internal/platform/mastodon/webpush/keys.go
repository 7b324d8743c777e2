// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	// authSize is the length of the authentication secret in bytes (RFC 8291,
	// section 3.2).
	authSize = 16
	// pointSize is the length of an uncompressed point of P-256 in bytes.
	pointSize = 65
)

// errNoKeys says that a key set cannot be one. It tells nothing of its content.
var errNoKeys = errors.New("the push keys on record are damaged")

// Keys are what a receiver decrypts with.
type Keys struct {
	private *ecdh.PrivateKey
	auth    []byte
}

// NewKeys makes a key pair and an authentication secret, at random.
func NewKeys() (Keys, error) {
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return Keys{}, fmt.Errorf("making push keys: %w", err)
	}
	auth := make([]byte, authSize)
	if _, err := rand.Read(auth); err != nil {
		return Keys{}, fmt.Errorf("making push keys: %w", err)
	}
	return Keys{private: private, auth: auth}, nil
}

// ParseKeys reads the private key and the authentication secret as Private and
// Auth gave them.
func ParseKeys(private, auth string) (Keys, error) {
	scalar, err := decode(private)
	if err != nil {
		return Keys{}, errNoKeys
	}
	key, err := ecdh.P256().NewPrivateKey(scalar)
	if err != nil {
		return Keys{}, errNoKeys
	}
	secret, err := decode(auth)
	if err != nil || len(secret) != authSize {
		return Keys{}, errNoKeys
	}
	return Keys{private: key, auth: secret}, nil
}

// Private is the private key in base64url. It is a secret.
func (k Keys) Private() string { return base64.RawURLEncoding.EncodeToString(k.private.Bytes()) }

// Public is the public key, uncompressed, in base64url: "p256dh" of a
// subscription.
func (k Keys) Public() string {
	return base64.RawURLEncoding.EncodeToString(k.private.PublicKey().Bytes())
}

// Auth is the authentication secret in base64url. It is shared with the sender.
func (k Keys) Auth() string { return base64.RawURLEncoding.EncodeToString(k.auth) }

// ParsePublicKey reads a point of P-256 in base64url, with or without padding,
// as a server names the key that it signs with.
func ParsePublicKey(text string) ([]byte, error) {
	point, err := decode(text)
	if err != nil {
		return nil, errors.New("the key is not written in base64url")
	}
	if _, err := ecdh.P256().NewPublicKey(point); err != nil {
		return nil, errors.New("the key is not a point of the curve P-256")
	}
	return point, nil
}

// decode reads base64url. Padding may be there: some senders leave it on.
func decode(text string) ([]byte, error) {
	return base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
}
