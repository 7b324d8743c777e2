// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/webpage"
)

// maxForm is how much of a form is read, in bytes. Ours has no fields.
const maxForm = 4 << 10

var errConsentURL = errors.New("the platform's adapter gave a consent URL that is neither https nor of a loopback address")

// start serves a link: what it is for, and, where the button was pressed, the
// way to the platform.
func (h *handler) start(r *http.Request, token string) outcome {
	begunBy, ok := parseLink(h.key, token)
	switch {
	case !ok:
		return outcome{result: resultBadLink, page: pageBadLink()}
	case !h.clock.Now().Before(begunBy.expires):
		return outcome{result: resultExpired, page: pageExpiredLink()}
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return h.offer(r.Context(), begunBy)
	case http.MethodPost:
		return h.begin(r, begunBy)
	}
	return outcome{page: pageMethod("GET, HEAD, POST")}
}

// offer shows what will be connected. It starts nothing: links are opened by
// previews and scanners too.
func (h *handler) offer(ctx context.Context, begunBy link) outcome {
	subject, err := h.store.Subject(ctx, begunBy.uid)
	if err != nil {
		return subjectOutcome(err)
	}
	return outcome{page: pageOffer(subject, begunBy.expires)}
}

// begin sends a person to the platform. What is needed when they come back is
// stored first.
func (h *handler) begin(r *http.Request, begunBy link) outcome {
	if !webpage.SameOrigin(r, h.base) {
		return outcome{result: resultCrossSite, page: pageCrossSite()}
	}
	if form, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1)); err != nil || len(form) > maxForm {
		return outcome{result: resultMalformed, page: pageForm()}
	}
	if !h.limits.Allow(r, begunBy.uid) {
		return outcome{result: resultRateLimited, page: pageRateLimited()}
	}
	subject, err := h.store.Subject(r.Context(), begunBy.uid)
	if err != nil {
		return subjectOutcome(err)
	}
	if !subject.Offered {
		return outcome{result: resultNotOffered, page: pageNotOffered("it is in order, or was connected meanwhile")}
	}
	registered, err := h.register(r.Context(), subject)
	if err != nil {
		return platformOutcome(subject, err, pageNotBegun)
	}
	return h.lead(r.Context(), begunBy, subject, registered).of(subject)
}

// register registers an application where the channel has none and the
// platform registers them for whoever asks; nil where there is nothing to do.
func (h *handler) register(ctx context.Context, subject *Subject) (credentials.Values, error) {
	registrar, can := subject.Authorizer.(platform.ApplicationRegistrar)
	if subject.Application != nil || !can {
		return nil, nil
	}
	return registrar.RegisterApplication(ctx, h.redirectURL(subject))
}

// lead makes the state, the verifier and the cookie, and keeps them.
func (h *handler) lead(ctx context.Context, begunBy link, subject *Subject, registered credentials.Values) outcome {
	expires := h.clock.Now().Add(stateLife)
	token := newState(begunBy, expires).token(h.key)
	browser := newBrowser(h.key, token)
	verifier := oauth2.GenerateVerifier()

	consent, err := subject.Authorizer.AuthorizationURL(applicationOf(subject, registered), platform.AuthorizationRequest{
		RedirectURL: h.redirectURL(subject), State: token, Challenge: oauth2.S256ChallengeFromVerifier(verifier),
	})
	if err != nil {
		return outcome{result: resultNotOffered, page: pageNotOffered(err.Error())}
	}
	if !leadsSomewhereSafe(consent) {
		return platformOutcome(subject, errConsentURL, pageNotBegun)
	}
	err = h.store.Begin(ctx, begunBy.uid, Pending{
		StateHash: digest(token), BrowserHash: digest(browser), Verifier: credentials.NewValue(verifier),
		Application: registered, Server: subject.Server, Expires: expires,
	})
	if err != nil {
		return storeOutcome(err)
	}
	return outcome{result: resultBegun, redirect: consent, cookie: h.cookie(begunBy.uid, browser)}
}

// applicationOf is the one that a consent is asked for with.
func applicationOf(subject *Subject, registered credentials.Values) credentials.Values {
	if registered != nil {
		return registered
	}
	return subject.Application
}

// leadsSomewhereSafe tells whether people may be sent to a URL.
func leadsSomewhereSafe(consent string) bool {
	target, err := url.Parse(consent)
	if err != nil || target.Host == "" || target.User != nil {
		return false
	}
	return target.Scheme == "https" || target.Scheme == "http" && hook.IsLoopback(target.Hostname())
}
