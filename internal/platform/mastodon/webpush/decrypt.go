// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// MaxBody is the largest body that is looked at, in bytes. A push service must
// take 4,096 (RFC 8030, section 7.2), and Mastodon sends no more; the rest is
// for servers that do not count so exactly.
const MaxBody = 16 << 10

const (
	encodingStandard = "aes128gcm"
	encodingLegacy   = "aesgcm"

	headerContentEncoding = "Content-Encoding"
	headerContentType     = "Content-Type"
	headerEncryption      = "Encryption"
	headerCryptoKey       = "Crypto-Key"

	// octets is the one content type that a sender may name.
	octets = "application/octet-stream"

	saltSize  = 16
	tagSize   = 16
	keySize   = 16
	nonceSize = 12
	// defaultRecord is the record size where the legacy encoding names none.
	defaultRecord = 4096
)

var (
	// ErrForm says that a request is not one of Web Push.
	ErrForm = errors.New("the request is not one of Web Push")
	// ErrEncoding says that the content is encoded in another way than the two
	// of Web Push.
	ErrEncoding = errors.New("the content encoding is neither aes128gcm nor aesgcm")
	// ErrTooLarge says that the body is larger than MaxBody.
	ErrTooLarge = errors.New("the body is larger than a push message can be")
	// ErrDecrypt says that the content was not encrypted for these keys, or was
	// altered since.
	ErrDecrypt = errors.New("the content cannot be decrypted with this key")
)

// Message is a push message, read as far as it can be without keys.
type Message struct {
	salt       []byte
	senderKey  *ecdh.PublicKey
	ciphertext []byte // one record, with its tag
	derive     derivation
	unpad      func(padded []byte) ([]byte, error)
}

// derivation makes the content's key and nonce of what both sides know.
type derivation func(agreed []byte, keys Keys, message Message) (key, nonce []byte, err error)

// ReadMessage reads a request's headers and body. It costs next to nothing, so
// that whatever is not a push message can be turned away before any arithmetic
// on keys. An error is ErrForm, ErrEncoding or ErrTooLarge.
func ReadMessage(header http.Header, body []byte) (Message, error) {
	if len(body) > MaxBody {
		return Message{}, ErrTooLarge
	}
	if content := header.Values(headerContentType); len(content) > 0 && !slices.Equal(content, []string{octets}) {
		return Message{}, ErrForm
	}
	switch strings.ToLower(only(header, headerContentEncoding)) {
	case encodingStandard:
		return readStandard(body)
	case encodingLegacy:
		return readLegacy(header, body)
	}
	return Message{}, ErrEncoding
}

// Decrypt gives what was encrypted, where it was for these keys. An error is
// ErrDecrypt.
func (m Message) Decrypt(keys Keys) ([]byte, error) {
	agreed, err := keys.private.ECDH(m.senderKey)
	if err != nil {
		return nil, ErrDecrypt
	}
	key, nonce, err := m.derive(agreed, keys, m)
	if err != nil {
		return nil, ErrDecrypt
	}
	padded, err := open(key, nonce, m.ciphertext)
	if err != nil {
		return nil, err
	}
	return m.unpad(padded)
}

// open decrypts the one record of a message. The nonce of the first record is
// the base nonce itself (RFC 8188, section 2.3).
func open(key, nonce, ciphertext []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrDecrypt
	}
	sealed, err := cipher.NewGCM(block)
	if err != nil {
		return nil, ErrDecrypt
	}
	padded, err := sealed.Open(nil, nonce, ciphertext, nil)
	if err != nil {
		return nil, ErrDecrypt
	}
	return padded, nil
}
