// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package seal makes short texts that only the holder of a key can make, for
// links and the like: what is in them can be read by whoever has them, and
// cannot be changed. Nothing needs to be looked up for one that is forged.
package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxToken bounds, in bytes, what is taken for a token at all.
	MaxToken = 512
	// Separator is between a body and its MAC. It may be in a body, too.
	Separator = "."

	// macSize is how much of a MAC is in a token: 128 bits cannot be guessed.
	macSize = 16
	// timeBase is the base in which times are written.
	timeBase = 36
)

// Seal makes the token of a body. The purpose keeps it from being taken for one
// of another use of the same key.
func Seal(key []byte, purpose, body string) string {
	return body + Separator + Sign(key, purpose, body)
}

// Open gives the body of a token that was made with the same key and purpose.
// How long it takes tells nothing of the MAC.
func Open(key []byte, purpose, token string) (body string, ok bool) {
	cut := strings.LastIndex(token, Separator)
	if cut < 0 || len(token) > MaxToken {
		return "", false
	}
	body = token[:cut]
	if !hmac.Equal([]byte(token[cut+len(Separator):]), []byte(Sign(key, purpose, body))) {
		return "", false
	}
	return body, true
}

// Sign is the MAC of some parts, as it is written in tokens. The parts hold no
// zero bytes.
func Sign(key []byte, purpose string, parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(Sum(key, purpose, parts...)[:macSize])
}

// Sum is the whole MAC of some parts.
func Sum(key []byte, purpose string, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range append([]string{purpose}, parts...) {
		_, _ = mac.Write([]byte(part))
		_, _ = mac.Write([]byte{0})
	}
	return mac.Sum(nil)
}

// WriteTime writes a time in a token, to the second.
func WriteTime(at time.Time) string { return strconv.FormatInt(at.Unix(), timeBase) }

// ReadTime reads what WriteTime wrote.
func ReadTime(text string) (time.Time, bool) {
	seconds, err := strconv.ParseInt(text, timeBase, 64)
	return time.Unix(seconds, 0), err == nil
}
