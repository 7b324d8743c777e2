// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
)

const (
	// maxQuery bounds what a platform sends back, in bytes.
	maxQuery = 8 << 10
	// maxCode bounds a code, in bytes. Platforms' are far shorter.
	maxCode = 4 << 10
)

// returned is what a person comes back with (RFC 6749, sections 4.1.2 and
// 4.1.2.1).
type returned struct {
	state, code, problem string
}

// readReturned reads the query of the callback. ok is false for what no
// authorisation server sends: a parameter twice (RFC 6749, section 3.1), or
// what cannot be read.
func readReturned(query string) (returned, bool) {
	if len(query) > maxQuery {
		return returned{}, false
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return returned{}, false
	}
	for _, name := range []string{"state", "code", "error", "error_description", "error_uri", "iss", "scope"} {
		if len(values[name]) > 1 {
			return returned{}, false
		}
	}
	r := returned{state: values.Get("state"), code: values.Get("code"), problem: values.Get("error")}
	return r, len(r.code) <= maxCode && printable(r.code) && printable(r.problem)
}

// printable tells whether a text is what RFC 6749, appendix A, lets a code be
// made of.
func printable(text string) bool {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// comeBack serves the callback. Nothing is looked up for a state that was not
// made here or that another browser brings, and nothing is used up.
func (h *handler) comeBack(r *http.Request, from string) outcome {
	if r.Method != http.MethodGet { // a HEAD must not use the code up
		return outcome{page: pageMethod("GET")}
	}
	back, readable := readReturned(r.URL.RawQuery)
	if !readable {
		return outcome{result: resultMalformed, page: pageMalformed("")}
	}
	begun, ok := parseState(h.key, back.state)
	if !ok {
		return outcome{result: resultForged, page: pageForged()}
	}
	cookies := r.CookiesNamed(h.cookieName(begun.uid))
	switch {
	case !h.clock.Now().Before(begun.expires):
		return outcome{result: resultExpired, page: pageTooLate("")}
	case len(cookies) != 1 || !ofBrowser(h.key, back.state, cookies[0].Value):
		return outcome{result: resultForeign, page: pageForeign()}
	}
	if !h.limits.Allow(r, begun.uid) {
		return outcome{result: resultRateLimited, page: pageRateLimited()}
	}
	return h.take(r.Context(), begun, back, cookies[0].Value, from)
}

// take uses the consent under way up, and goes on with it.
func (h *handler) take(ctx context.Context, begun state, back returned, browser, from string) outcome {
	subject, err := h.store.Subject(ctx, begun.uid)
	if err != nil {
		return subjectOutcome(err)
	}
	if from != subject.PlatformName {
		return outcome{result: resultForged, page: pageForged()}.of(subject)
	}
	again := h.startURL(begun)
	pending, err := h.store.Take(ctx, begun.uid, digest(back.state))
	switch {
	case errors.Is(err, ErrNoPending):
		return outcome{result: resultUsed, page: pageUsed(again)}.of(subject)
	case err != nil:
		return storeOutcome(err).of(subject)
	}
	switch {
	case pending.Server != subject.Server:
		// The manifest names another server now: what the one before sent is not
		// shown to it.
		return outcome{result: resultForged, page: pageForged()}.of(subject)
	case !same(pending.BrowserHash, digest(browser)):
		return outcome{result: resultForeign, page: pageForeign()}.of(subject)
	case !h.clock.Now().Before(pending.Expires):
		return outcome{result: resultExpired, page: pageTooLate(again)}.of(subject)
	}
	return h.judge(ctx, subject, pending, back, again).of(subject).without(h.cookie(begun.uid, ""))
}

// judge tells a grant from a refusal.
func (h *handler) judge(ctx context.Context, subject *Subject, pending Pending, back returned, again string) outcome {
	switch {
	case back.problem != "" && back.code != "", back.problem == "" && back.code == "":
		return outcome{result: resultMalformed, page: pageMalformed(again)}
	case back.problem == "access_denied":
		return outcome{result: resultDeclined, page: pageDeclined(subject, again)}
	case back.problem != "":
		kind := providerErrorOf(back.problem)
		return outcome{result: resultProviderError, page: pageProviderError(subject, kind, again), detail: string(kind)}
	}
	return h.connect(ctx, subject, pending, back.code, again)
}

// providerError is an error code of RFC 6749, section 4.1.2.1. Texts of others
// are neither shown nor logged: anybody could have written them.
type providerError string

const (
	providerBusy        providerError = "temporarily_unavailable"
	providerFailed      providerError = "server_error"
	providerScope       providerError = "invalid_scope"
	providerApplication providerError = "unauthorized_client"
	providerRequest     providerError = "invalid_request"
	providerType        providerError = "unsupported_response_type"
	providerOther       providerError = "another error"
)

func providerErrorOf(code string) providerError {
	switch known := providerError(code); known {
	case providerBusy, providerFailed, providerScope, providerApplication, providerRequest, providerType:
		return known
	case providerOther:
	}
	return providerOther
}

// same compares two digests in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
