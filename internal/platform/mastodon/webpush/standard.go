// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

const (
	// fixedHeader is the header of the content coding but for the key ID: salt,
	// record size and the key ID's length (RFC 8188, section 2.1).
	fixedHeader = saltSize + 4 + 1
	// smallestRecord that can be (RFC 8188, section 2.1): one delimiter, one
	// octet and a tag.
	smallestRecord = tagSize + 2
	// lastRecord is the delimiter of the last record of a message, of which
	// Web Push allows no other.
	lastRecord = 2
)

// readStandard reads a body with the coding aes128gcm.
func readStandard(body []byte) (Message, error) {
	salt, keyID, record, err := splitCoding(body)
	if err != nil {
		return Message{}, err
	}
	sender, err := ecdh.P256().NewPublicKey(keyID)
	if err != nil {
		return Message{}, ErrForm
	}
	return Message{salt: salt, senderKey: sender, ciphertext: record, derive: deriveStandard, unpad: unpadStandard}, nil
}

// splitCoding takes the header off a body with the coding aes128gcm. More than
// one record is none of Web Push (RFC 8291, section 4).
func splitCoding(body []byte) (salt, keyID, record []byte, err error) {
	if len(body) < fixedHeader {
		return nil, nil, nil, ErrForm
	}
	salt, size, idSize := body[:saltSize], binary.BigEndian.Uint32(body[saltSize:]), int(body[fixedHeader-1])
	rest := body[fixedHeader:]
	if len(rest) < idSize {
		return nil, nil, nil, ErrForm
	}
	keyID, record = rest[:idSize], rest[idSize:]
	if size < smallestRecord || len(record) < tagSize+1 || uint64(len(record)) > uint64(size) {
		return nil, nil, nil, ErrForm
	}
	return salt, keyID, record, nil
}

// deriveStandard follows RFC 8291, section 3.4.
func deriveStandard(agreed []byte, keys Keys, message Message) (key, nonce []byte, err error) {
	info := "WebPush: info\x00" + string(keys.private.PublicKey().Bytes()) + string(message.senderKey.Bytes())
	input, err := hkdf.Key(sha256.New, agreed, keys.auth, info, sha256.Size)
	if err != nil {
		return nil, nil, err
	}
	return deriveContent(input, message.salt)
}

// deriveContent follows RFC 8188, sections 2.2 and 2.3.
func deriveContent(input, salt []byte) (key, nonce []byte, err error) {
	return expand(input, salt, "Content-Encoding: aes128gcm\x00", "Content-Encoding: nonce\x00")
}

// expand makes a key and a nonce of the same input.
func expand(input, salt []byte, keyInfo, nonceInfo string) (key, nonce []byte, err error) {
	pseudorandom, err := hkdf.Extract(sha256.New, input, salt)
	if err != nil {
		return nil, nil, err
	}
	if key, err = hkdf.Expand(sha256.New, pseudorandom, keyInfo, keySize); err != nil {
		return nil, nil, err
	}
	nonce, err = hkdf.Expand(sha256.New, pseudorandom, nonceInfo, nonceSize)
	return key, nonce, err
}

// unpadStandard takes zeros and the delimiter off the end (RFC 8188, section
// 2). The record was authentic, so that there is no oracle in it.
func unpadStandard(padded []byte) ([]byte, error) {
	for end, octet := range slices.Backward(padded) {
		switch octet {
		case 0:
		case lastRecord:
			return padded[:end], nil
		default:
			return nil, ErrDecrypt
		}
	}
	return nil, ErrDecrypt
}
