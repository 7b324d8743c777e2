// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// MaxLifetime is how far ahead a signature may expire (RFC 8292, section 2).
	MaxLifetime = 24 * time.Hour
	// Leeway is by how much the two clocks may differ.
	Leeway = 5 * time.Minute

	schemeStandard = "vapid"
	schemeLegacy   = "webpush"

	// algorithm is the only one there is (RFC 8292, section 2).
	algorithm = "ES256"
	// halfSignature is the length of each of the two numbers in bytes (RFC
	// 7518, section 3.4).
	halfSignature = 32
)

var (
	// ErrUnsigned says that a request bears no signature, or more than one.
	ErrUnsigned = errors.New("the request bears no VAPID signature, or more than one")
	// ErrSignature says that the signature is not of the key, or not for this
	// receiver.
	ErrSignature = errors.New("the VAPID signature is not good")
	// ErrStale says that the signature is good and its time is not.
	ErrStale = errors.New("the VAPID signature has expired, or lasts longer than it may: compare the clocks of both sides")
)

// Vapid is who a request says it comes from, read but not trusted (RFC 8292).
type Vapid struct {
	key   []byte // an uncompressed point, not checked
	token string // a JSON Web Token
}

// ReadVapid reads the signature of a request in either form: "vapid t=…, k=…",
// or "WebPush …" with the key in Crypto-Key. An error is ErrUnsigned.
func ReadVapid(header http.Header) (Vapid, error) {
	scheme, rest, _ := strings.Cut(only(header, "Authorization"), " ")
	var token, text string
	switch strings.ToLower(scheme) {
	case schemeStandard:
		given := parameters(rest)
		token, text = given.one("t"), given.one("k")
	case schemeLegacy:
		token, text = strings.TrimSpace(rest), parameters(only(header, headerCryptoKey)).one("p256ecdsa")
	}
	key, err := decode(text)
	if err != nil || len(key) != pointSize || token == "" {
		return Vapid{}, ErrUnsigned
	}
	return Vapid{key: key, token: token}, nil
}

// Names tells, in constant time, whether the request names this key for its
// own. It proves nothing yet.
func (v Vapid) Names(key []byte) bool { return subtle.ConstantTimeCompare(v.key, key) == 1 }

// Verify checks that whoever holds the named key signed the request for the
// origin of the callback, and that it is of these days. An error is
// ErrSignature or ErrStale.
func (v Vapid) Verify(callback string, now time.Time) error {
	parts := strings.Split(v.token, ".")
	if len(parts) != 3 || !v.signed(parts[0]+"."+parts[1], parts[2]) {
		return ErrSignature
	}
	var head struct {
		Algorithm string `json:"alg"`
	}
	var claims claims
	if !decodePart(parts[0], &head) || head.Algorithm != algorithm || !decodePart(parts[1], &claims) {
		return ErrSignature
	}
	origin, ok := originOf(callback)
	if !ok || !slices.ContainsFunc(claims.Audience, func(audience string) bool {
		named, ok := originOf(audience)
		return ok && named == origin
	}) {
		return ErrSignature
	}
	return claims.checkTime(now)
}

// signed tells whether the signature is one of the key over the text.
func (v Vapid) signed(text, encoded string) bool {
	raw, err := decode(encoded)
	if err != nil || len(raw) != 2*halfSignature {
		return false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), v.key)
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(text))
	r, s := new(big.Int).SetBytes(raw[:halfSignature]), new(big.Int).SetBytes(raw[halfSignature:])
	return ecdsa.Verify(key, digest[:], r, s)
}

// claims are those of RFC 8292, section 2.
type claims struct {
	Audience audience `json:"aud"`
	Expires  *float64 `json:"exp"` // seconds since 1970; RFC 7519 allows fractions
}

func (c claims) checkTime(now time.Time) error {
	if c.Expires == nil {
		return ErrSignature
	}
	left := *c.Expires - float64(now.Unix())
	if math.IsNaN(left) || left <= -Leeway.Seconds() || left > (MaxLifetime+Leeway).Seconds() {
		return ErrStale
	}
	return nil
}

// audience is one text or several (RFC 7519, section 4.1.3).
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]string)(a))
	}
	var one string
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*a = audience{one}
	return nil
}

// decodePart reads a part of a JSON Web Token, which is short: the header that
// it came in is bounded.
func decodePart(part string, into any) bool {
	text, err := decode(part)
	return err == nil && json.Unmarshal(text, into) == nil
}

// originOf gives scheme, host and port in one form (RFC 6454, section 6.2).
func originOf(raw string) (string, bool) {
	parsed, err := url.Parse(raw)
	if err != nil || parsed.Host == "" || parsed.User != nil {
		return "", false
	}
	scheme, host := strings.ToLower(parsed.Scheme), strings.ToLower(parsed.Hostname())
	port := parsed.Port()
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return scheme + "://" + host, true
	}
	return scheme + "://" + host + ":" + port, true
}
