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
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/seal"
)

// Purposes keep the MACs of one use from being taken for those of another.
const (
	purposeLink    = "rostra connect link v1"
	purposeState   = "rostra connect state v1"
	purposeBrowser = "rostra connect browser v1"
	purposeCookie  = "rostra connect cookie v1"
)

// nonceSize is the size of random values in bytes, before they are encoded.
const nonceSize = 32

// PathPrefix begins the path of everything that the handler of this package
// serves.
const PathPrefix = "/connect/"

// callbackName is what follows PathPrefix where the platform sends people back.
const callbackName = "callback"

// StartURL is the link by which the owner of the channel with this UID begins,
// below the gateway's base. Whoever has the link can begin, and can connect
// nothing but the channel's own account.
func StartURL(base string, key []byte, uid string, expires time.Time) string {
	return strings.TrimRight(base, "/") + PathPrefix + link{uid: uid, expires: expires}.token(key)
}

// link is what the token of a StartURL says.
type link struct {
	uid     string
	expires time.Time
}

func (l link) token(key []byte) string {
	return seal.Seal(key, purposeLink, l.uid+seal.Separator+seal.WriteTime(l.expires))
}

// parseLink reads a token that was made with the key; also one that is over.
func parseLink(key []byte, token string) (link, bool) {
	body, ok := seal.Open(key, purposeLink, token)
	if !ok {
		return link{}, false
	}
	uid, rest, _ := strings.Cut(body, seal.Separator)
	expires, ok := seal.ReadTime(rest)
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
	return seal.Seal(key, purposeState, strings.Join([]string{s.uid, seal.WriteTime(s.expires), seal.WriteTime(s.begunBy), s.nonce}, seal.Separator))
}

// parseState reads a state that was made with the key; also one that is over.
func parseState(key []byte, token string) (state, bool) {
	body, ok := seal.Open(key, purposeState, token)
	if !ok {
		return state{}, false
	}
	parts := strings.Split(body, seal.Separator)
	if len(parts) != 4 || parts[0] == "" {
		return state{}, false
	}
	expires, ok := seal.ReadTime(parts[1])
	begunBy, valid := seal.ReadTime(parts[2])
	return state{uid: parts[0], expires: expires, begunBy: begunBy, nonce: parts[3]}, ok && valid
}

// newBrowser makes the value of the cookie that binds a state to the browser it
// was made for.
func newBrowser(key []byte, stateToken string) string {
	nonce := newNonce()
	return nonce + seal.Separator + seal.Sign(key, purposeBrowser, stateToken, nonce)
}

// ofBrowser tells whether a cookie was made for the state. That needs no
// lookup, so the state of another browser is not used up by trying it here.
func ofBrowser(key []byte, stateToken, cookie string) bool {
	nonce, mac, found := strings.Cut(cookie, seal.Separator)
	return found && len(cookie) <= seal.MaxToken && hmac.Equal([]byte(mac), []byte(seal.Sign(key, purposeBrowser, stateToken, nonce)))
}

// cookieName is that of the cookie for one channel: two channels can be
// connected side by side in one browser. Where the connection is secure, no
// other host can set it (RFC 6265bis, section 4.1.3.2).
func (h *handler) cookieName(uid string) string {
	name := "rostra-connect-" + hex.EncodeToString(seal.Sum(h.key, purposeCookie, uid)[:8])
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
