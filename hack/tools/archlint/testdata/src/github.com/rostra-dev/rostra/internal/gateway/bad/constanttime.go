// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bad

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

type value struct{ content string }

func (v value) Reveal() string { return v.content }

func header(request *http.Request, want string) bool {
	signature := request.Header.Get("X-Signature")
	return signature == want // want `signature is compared byte by byte`
}

func sum(key, body, got []byte) bool {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return bytes.Equal(mac.Sum(nil), got) // want `mac is compared byte by byte`
}

func encoded(expectedMAC []byte, got string) bool {
	return strings.EqualFold(hex.EncodeToString(expectedMAC), got) // want `expectedMAC is compared byte by byte`
}

func revealed(verifyToken value, got string) bool {
	return got != verifyToken.Reveal() // want `verifyToken is compared byte by byte`
}
