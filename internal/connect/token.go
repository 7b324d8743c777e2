// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Purposes keep the MACs of one use from being taken for those of another.
const (
	purposeLink    = "rostra connect link v1"
	purposeState   = "rostra connect state v1"
	purposeBrowser = "rostra connect browser v1"
	purposeCookie  = "rostra connect cookie v1"
)

const (
	// nonceSize is the size of random values in bytes, before they are encoded.
	nonceSize = 32
	// macSize is how much of a MAC is in a token: 128 bits cannot be guessed.
	macSize = 16
	// maxToken bounds what is taken for a token at all.
	maxToken = 256
	// timeBase is the base in which times are written in tokens.
	timeBase = 36

	separator = "."
)

// PathPrefix begins the path of everything that the handler of this package
// serves.
const PathPrefix = "/connect/"

// callbackName is what follows PathPrefix where the platform sends people back.
const callbackName = "callback"

// StartURL is the link by which the owner of the channel with this UID begins,
// below the gateway's base. Whoever has the link can begin, and can connect
// nothing but the channel's own account.
func StartURL(base string, key []byte, uid string, expires time.Time) string {
	return strings.TrimSuffix(base, "/") + PathPrefix + link{uid: uid, expires: expires}.token(key)
}

// link is what the token of a StartURL says.
type link struct {
	uid     string
	expires time.Time
}

func (l link) token(key []byte) string {
	return seal(key, purposeLink, l.uid+separator+writeTime(l.expires))
}

// parseLink reads a token that was made with the key; also one that is over.
func parseLink(key []byte, token string) (link, bool) {
	body, ok := unseal(key, purposeLink, token)
	if !ok {
		return link{}, false
	}
	uid, rest, _ := strings.Cut(body, separator)
	expires, ok := readTime(rest)
	return link{uid: uid, expires: expires}, ok && uid != ""
}

// state is what the OAuth state says. It is random, so that it serves once.
type state struct {
	uid string
	// expires ends the state; begunBy ends the link that began it.
	expires, begunBy time.Time
	nonce            string
}

func newState(begunBy link, expires time.Time) state {
	return state{uid: begunBy.uid, expires: expires, begunBy: begunBy.expires, nonce: newNonce()}
}

func (s state) token(key []byte) string {
	return seal(key, purposeState, strings.Join([]string{s.uid, writeTime(s.expires), writeTime(s.begunBy), s.nonce}, separator))
}

// parseState reads a state that was made with the key; also one that is over.
func parseState(key []byte, token string) (state, bool) {
	body, ok := unseal(key, purposeState, token)
	if !ok {
		return state{}, false
	}
	parts := strings.Split(body, separator)
	if len(parts) != 4 || parts[0] == "" {
		return state{}, false
	}
	expires, ok := readTime(parts[1])
	begunBy, valid := readTime(parts[2])
	return state{uid: parts[0], expires: expires, begunBy: begunBy, nonce: parts[3]}, ok && valid
}

// newBrowser makes the value of the cookie that binds a state to the browser it
// was made for.
func newBrowser(key []byte, stateToken string) string {
	nonce := newNonce()
	return nonce + separator + sign(key, purposeBrowser, stateToken, nonce)
}

// ofBrowser tells whether a cookie was made for the state. That needs no
// lookup, so the state of another browser is not used up by trying it here.
func ofBrowser(key []byte, stateToken, cookie string) bool {
	nonce, mac, found := strings.Cut(cookie, separator)
	return found && len(cookie) <= maxToken && hmac.Equal([]byte(mac), []byte(sign(key, purposeBrowser, stateToken, nonce)))
}

// cookieName is that of the cookie for one channel: two channels can be
// connected side by side in one browser. Where the connection is secure, no
// other host can set it (RFC 6265bis, section 4.1.3.2).
func (h *handler) cookieName(uid string) string {
	name := "rostra-connect-" + hex.EncodeToString(sum(h.key, purposeCookie, uid)[:8])
	if h.secure {
		return "__Host-" + name
	}
	return name
}

// cookie gives the channel's cookie with a value; an empty one removes it.
func (h *handler) cookie(uid, value string) *http.Cookie {
	cookie := &http.Cookie{ //nolint:gosec // insecure only where the gateway is one on this machine without TLS
		Name: h.cookieName(uid), Value: value, Path: "/", MaxAge: int(stateLife.Seconds()),
		Secure: h.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	return cookie
}

func newNonce() string {
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // it never fails
	return base64.RawURLEncoding.EncodeToString(nonce)
}

// digest stands for a random value where it is stored.
func digest(value string) string {
	hash := sha256.Sum256([]byte(value))
	return hex.EncodeToString(hash[:])
}

// seal makes a token of a body, and unseal gives the body of a token that was
// made with the same key and purpose.
func seal(key []byte, purpose, body string) string {
	return body + separator + sign(key, purpose, body)
}

func unseal(key []byte, purpose, token string) (body string, ok bool) {
	cut := strings.LastIndex(token, separator)
	if cut < 0 || len(token) > maxToken {
		return "", false
	}
	body = token[:cut]
	return body, hmac.Equal([]byte(token[cut+1:]), []byte(sign(key, purpose, body)))
}

func sign(key []byte, purpose string, parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(sum(key, purpose, parts...)[:macSize])
}

func sum(key []byte, purpose string, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range append([]string{purpose}, parts...) {
		_, _ = mac.Write([]byte(part))
		_, _ = mac.Write([]byte{0})
	}
	return mac.Sum(nil)
}

func writeTime(at time.Time) string { return strconv.FormatInt(at.Unix(), timeBase) }

func readTime(text string) (time.Time, bool) {
	seconds, err := strconv.ParseInt(text, timeBase, 64)
	return time.Unix(seconds, 0), err == nil
}
