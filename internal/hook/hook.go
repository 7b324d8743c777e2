// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package hook holds what the reconcilers and the gateway share about callback
// URLs: how a URL is made and known again without asking anybody, and the
// record by which the gateway verifies what comes in. The reconcilers write
// records; the gateway only reads them.
package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
)

const (
	// PathPrefix begins the path of every callback.
	PathPrefix = "/hooks/"
	// KeySize is the size in bytes of the key that tokens are made with.
	KeySize = 32
	// macSize is how much of the MAC is in a token: 128 bits cannot be guessed.
	macSize = 16
	// uidSize is the length of a Kubernetes UID as text.
	uidSize = 36
	// tokenSize is the length of a token.
	tokenSize = uidSize + 1 + (macSize*8+5)/6
)

// Purposes keep the MACs of one use from being taken for those of another.
const (
	purposeToken  = "rostra hook token v1"
	purposeProof  = "rostra hook proof v1"
	purposeDigest = "rostra hook keys v1"
	purposeID     = "rostra hook application v1"
)

var errMisplaced = errors.New("the gateway's URL must be https://, a host, and perhaps a path, without user, query or fragment; http only for a loopback address")

// Token is the last part of a callback's path: the UID of the channel that the
// callback belongs to, or the ApplicationID, and a MAC that only the holder of the key can make. It
// stays the same whoever owns the channel and whatever its secret is.
func Token(key []byte, id string) string {
	return id + "." + base64.RawURLEncoding.EncodeToString(sum(key, purposeToken, id)[:macSize])
}

// ParseToken gives the UID in a token. ok is false for one that was not made
// with the key: nothing needs to be looked up for it. How long it takes tells
// nothing about the MAC. There is one way to write a token: what differs in a
// single byte is another.
func ParseToken(key []byte, token string) (id string, ok bool) {
	if len(token) != tokenSize || !isUID(token[:uidSize]) {
		return "", false
	}
	id = token[:uidSize]
	if !hmac.Equal([]byte(token), []byte(Token(key, id))) {
		return "", false
	}
	return id, true
}

// ApplicationID names the callback of an application that has one for all its
// accounts. It has the form of a UID, and can be none that the API server gives:
// those are of version 4, and this is of version 8 (RFC 9562, section 5.8).
// Whoever uses the same application, by whichever object and however the server
// is written, has the same.
func ApplicationID(platformType, server, application string) string {
	if canonical, err := httpx.ParseServerURL(server); err == nil {
		server = canonical.String()
	}
	digest := sha256.Sum256(listed([]string{purposeID, platformType, server, application}))
	digest[6] = digest[6]&0x0f | 0x80
	digest[8] = digest[8]&0x3f | 0x80
	text := hex.EncodeToString(digest[:16])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// isUID tells whether a text is a UID as the API server writes them: groups of
// 8, 4, 4, 4 and 12 hexadecimal digits in lower case.
func isUID(text string) bool {
	if len(text) != uidSize {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// URL is the callback of an object on a platform, below the gateway's base.
func URL(base, platformType string, key []byte, id string) string {
	return strings.TrimRight(base, "/") + PathPrefix + segment(platformType) + "/" + Token(key, id)
}

func segment(platformType string) string { return strings.ToLower(platformType) }

// Shown is a callback as it may be shown: without its token.
func Shown(callback string) string {
	cut := strings.LastIndex(callback, "/")
	if cut < 0 {
		return ""
	}
	return callback[:cut+1] + "…"
}

// ParseBase reads the gateway's base URL. What it gives has no slash at the end
// of its path; the error says what is wrong with the base.
func ParseBase(base string) (*url.URL, error) {
	// An empty query or fragment leaves no trace in what Parse gives, and would
	// still swallow the path that follows.
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsAny(base, "?#") {
		return nil, errMisplaced
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())) {
		return nil, errMisplaced
	}
	return u, nil
}

// IsLoopback tells whether a URL's host is this machine.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// ProbeHeader asks the gateway, in a GET of a callback, whether it knows a
// channel's keys: the channel's UID, a dot, and a nonce. Its answer's body is
// the Proof.
const ProbeHeader = "Rostra-Probe"

// Proof shows that whoever answers holds the key, and knows of the channel the
// keys with this digest.
func Proof(key []byte, channelUID, nonce, digest string) string {
	return hex.EncodeToString(sum(key, purposeProof, channelUID, nonce, digest))
}

func sum(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write(listed(parts))
	return mac.Sum(nil)
}

// listed joins texts, each after its length, so that no two lists give the
// same.
func listed(parts []string) []byte {
	var text []byte
	for _, part := range parts {
		text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
		text = append(text, part...)
	}
	return text
}

// KeySet are keys that deliveries may be verified with.
type KeySet struct {
	// Values of the keys.
	Values credentials.Values
	// Until they are in force; zero for without end. A record keeps it to the
	// second.
	Until time.Time
}

// Record is what the gateway must know of one channel.
type Record struct {
	// Platform is the platform's type, and Server its root URL.
	Platform, Server string
	// HookID is the channel's UID, or the ApplicationID where the application has
	// one callback for all its accounts.
	HookID string
	// Channel as namespace/name, and its UID.
	Channel, ChannelUID string
	// AccountID of the channel's account.
	AccountID string
	// Keys, newest first: at least one.
	Keys []KeySet
	// Made is when the newest keys were made, or first seen; zero where that is
	// not known. A record keeps it to the second.
	Made time.Time
	// Fresh tells that the newest keys are Rostra's own, made for this channel
	// alone, and not the application's.
	Fresh bool
	// Learnt names those of the newest keys that the platform told.
	Learnt []string
}

// InForce gives the keys in force at an instant, newest first.
func (r Record) InForce(now time.Time) []credentials.Values { return inForce(r.Keys, now) }

func inForce(sets []KeySet, now time.Time) []credentials.Values {
	keys := make([]credentials.Values, 0, len(sets))
	for _, set := range sets {
		if set.Until.IsZero() || now.Before(set.Until) {
			keys = append(keys, set.Values)
		}
	}
	return keys
}

// Digest stands for the newest keys of a record. It is made with the gateway's
// key, so that it may be shown.
func (r Record) Digest(key []byte) string {
	if len(r.Keys) == 0 {
		return ""
	}
	return Digest(key, r.Keys[0].Values)
}

// Digest stands for keys that cannot be read back where they are registered,
// so that a change is seen.
func Digest(key []byte, values credentials.Values) string {
	return hex.EncodeToString(sum(key, purposeDigest, contentOf(values))[:macSize])
}
