// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

const (
	// maxToken is the longest token that is read or sent, in bytes.
	maxToken = 16 << 10

	// accessLife is how long the reference server lets an access token live. It
	// is used only where a token does not say.
	accessLife = 2 * time.Hour

	// maxAccessLife bounds what a token may claim: no session outlives the
	// refresh token.
	maxAccessLife = 90 * 24 * time.Hour

	// scopeAppPassword begins com.atproto.appPass and
	// com.atproto.appPassPrivileged; a session of the main password has
	// com.atproto.access.
	scopeAppPassword = "com.atproto.appPass"
)

// claims is what Rostra reads of an access token. The protocol calls tokens
// opaque, so every part may be missing, and what is read steers only which
// request comes next: the server alone judges the token.
type claims struct {
	// expiry is zero where the token does not say.
	expiry time.Time
	// life from issue to expiry; accessLife where the token does not say.
	life time.Duration
	// scope is empty where the token does not say.
	scope string
}

// readClaims reads the payload of a JWT (RFC 7519) without checking its
// signature. From anything else it reads nothing.
func readClaims(token string) claims {
	read := claims{life: accessLife}
	var payload struct {
		Expiry any `json:"exp"`
		Issued any `json:"iat"`
		Scope  any `json:"scope"`
	}
	if err := json.Unmarshal(payloadOf(token), &payload); err != nil {
		return read
	}
	read.scope, _ = payload.Scope.(string)
	expiry, ok := numericDate(payload.Expiry)
	if !ok {
		return read
	}
	read.expiry = expiry
	if issued, ok := numericDate(payload.Issued); ok {
		if life := expiry.Sub(issued); life > 0 && life <= maxAccessLife {
			read.life = life
		}
	}
	return read
}

// payloadOf gives the decoded middle part of a JWT, or nil.
func payloadOf(token string) []byte {
	if len(token) > maxToken {
		return nil
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil
	}
	return payload
}

// numericDate reads seconds since 1970, with or without a fraction (RFC 7519,
// section 2).
func numericDate(value any) (time.Time, bool) {
	const lastSecond = 253402300799 // 9999-12-31T23:59:59Z
	seconds, ok := value.(float64)
	if !ok || seconds <= 0 || seconds > lastSecond {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// canMint tells whether a session of this scope may create app passwords. A
// scope that cannot be read counts as able: the server refuses if it is not,
// whereas the other mistake would hand the main password to an owner.
func (c claims) canMint() bool {
	return !strings.HasPrefix(c.scope, scopeAppPassword)
}

// isToken tells whether a string can stand in an Authorization header (RFC
// 6750, section 2.1).
func isToken(token string) bool {
	return token != "" && len(token) <= maxToken && !strings.ContainsFunc(token, notOfToken)
}

func notOfToken(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~+/=", r)
}
