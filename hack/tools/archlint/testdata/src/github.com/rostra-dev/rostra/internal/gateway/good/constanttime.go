// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package good

import (
	"crypto/hmac"
	"crypto/subtle"
)

func signed(signature, want []byte) bool { return hmac.Equal(signature, want) }

func known(token, want string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(want)) == 1
}

func missing(token string) bool { return token == "" }

func none(signature []byte) bool { return signature == nil }

func again(pageToken, last string) bool { return pageToken == last }

func renamed(secretName, want string) bool { return secretName != want }

func count(tokens, limit int) bool { return tokens == limit }
