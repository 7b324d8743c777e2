// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"strconv"
)

// lengthOfPadding is the size of the field before the padding, in bytes.
const lengthOfPadding = 2

// readLegacy reads a body with the coding aesgcm, whose salt, record size and
// key are in headers (draft-ietf-httpbis-encryption-encoding-03, section 3, and
// draft-ietf-webpush-encryption-04, section 4).
func readLegacy(header http.Header, body []byte) (Message, error) {
	encryption := parameters(only(header, headerEncryption))
	salt, err := decode(encryption.one("salt"))
	if err != nil || len(salt) != saltSize {
		return Message{}, ErrForm
	}
	size, ok := recordSize(encryption)
	if !ok {
		return Message{}, ErrForm
	}
	point, err := decode(parameters(only(header, headerCryptoKey)).one("dh"))
	if err != nil {
		return Message{}, ErrForm
	}
	sender, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return Message{}, ErrForm
	}
	// A record as long as the record size says that another follows.
	if len(body) < tagSize+lengthOfPadding || uint64(len(body)) >= size+tagSize {
		return Message{}, ErrForm
	}
	return Message{salt: salt, senderKey: sender, ciphertext: body, derive: deriveLegacy, unpad: unpadLegacy}, nil
}

// recordSize reads the parameter rs: the plain length of a record, padding
// included.
func recordSize(encryption params) (uint64, bool) {
	if len(encryption["rs"]) == 0 {
		return defaultRecord, true
	}
	size, err := strconv.ParseUint(encryption.one("rs"), 10, 32)
	return size, err == nil && size > lengthOfPadding
}

// deriveLegacy follows draft-ietf-webpush-encryption-04, section 4.
func deriveLegacy(agreed []byte, keys Keys, message Message) (key, nonce []byte, err error) {
	input, err := hkdf.Key(sha256.New, agreed, keys.auth, "Content-Encoding: auth\x00", sha256.Size)
	if err != nil {
		return nil, nil, err
	}
	context := "P-256\x00" + withLength(keys.private.PublicKey().Bytes()) + withLength(message.senderKey.Bytes())
	return expand(input, message.salt, "Content-Encoding: aesgcm\x00"+context, "Content-Encoding: nonce\x00"+context)
}

func withLength(point []byte) string {
	return string(binary.BigEndian.AppendUint16(nil, pointSize)) + string(point)
}

// unpadLegacy takes the padding off the front: its length in two octets, and
// as many zeros.
func unpadLegacy(padded []byte) ([]byte, error) {
	if len(padded) < lengthOfPadding {
		return nil, ErrDecrypt
	}
	length := int(binary.BigEndian.Uint16(padded))
	rest := padded[lengthOfPadding:]
	if length > len(rest) {
		return nil, ErrDecrypt
	}
	for _, octet := range rest[:length] {
		if octet != 0 {
			return nil, ErrDecrypt
		}
	}
	return rest[length:], nil
}
