// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"testing"
)

// A key and a signature of "rostra" made with @atproto/crypto.
const (
	sampleKey       = "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"
	sampleLegacy    = "zQBL1VZCdC6hs61fqgwdoNjwh93UBcTg7imvRF9qShKfHR4DQ4RjKyqupL4f2mKduhzF5SzWzDbxKgGwnTsN2zSkg"
	sampleSignature = "KliVlRKnaYr1mC8H-wgFsWFyy-yPnMWroRcZbukabQtO9QNwEzfSevpERT-dPyzoaDXwOLqD5_BRt3zho_NcTA"
)

func TestVerifies(t *testing.T) {
	key, err := readMultikey(sampleKey)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(sampleSignature)
	if err != nil {
		t.Fatal(err)
	}
	if !key.verifies(sha256.Sum256([]byte("rostra")), signature) {
		t.Error("a good signature is refused")
	}
	if key.verifies(sha256.Sum256([]byte("Rostra")), signature) {
		t.Error("a signature of something else is taken")
	}
	for i := range signature {
		altered := append([]byte{}, signature...)
		altered[i] ^= 1
		if key.verifies(sha256.Sum256([]byte("rostra")), altered) {
			t.Errorf("a signature with another byte %d is taken", i)
		}
	}
	high := append([]byte{}, signature...)
	s := new(big.Int).SetBytes(signature[scalarBytes:])
	s.Sub(key.curve.order, s).FillBytes(high[scalarBytes:])
	if key.verifies(sha256.Sum256([]byte("rostra")), high) {
		t.Error("the higher of two signatures is taken")
	}
	for _, bad := range [][]byte{nil, signature[1:], make([]byte, 2*scalarBytes)} {
		if key.verifies(sha256.Sum256([]byte("rostra")), bad) {
			t.Errorf("%x is taken", bad)
		}
	}
}

func TestReadLegacyKey(t *testing.T) {
	key, err := readLegacyKey(sampleLegacy)
	if err != nil {
		t.Fatal(err)
	}
	same, err := readMultikey(sampleKey)
	if err != nil || key.point.x.Cmp(same.point.x) != 0 || key.point.y.Cmp(same.point.y) != 0 {
		t.Errorf("the two forms of one key differ: %v", err)
	}
	for _, text := range []string{"", sampleKey, sampleLegacy[:len(sampleLegacy)-1] + "h"} {
		if _, err := readLegacyKey(text); err == nil {
			t.Errorf("%q is taken for a key", text)
		}
	}
}

func TestReadMultikey(t *testing.T) {
	for _, text := range []string{"", "z", sampleKey[1:], sampleKey + "1", sampleKey[:20], "z0OIl", "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"} {
		if _, err := readMultikey(text); err == nil {
			t.Errorf("%q is taken for a key", text)
		}
	}
}
