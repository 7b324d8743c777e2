// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

// hookPath is where the callback of a test is; its last part is the token.
const hookPath = "/hooks/mastodon/pU5h-c4llb4ck-t0ken-9Zx"

// maxDelivered bounds what a callback of a test reads.
const maxDelivered = 1 << 20

// hook is a callback that keeps what it is sent.
type hook struct {
	server *httptest.Server

	mu     sync.Mutex
	status int // 0 for 201
	kept   []platform.Delivery
}

func newHook() *hook {
	h := &hook{}
	h.server = httptest.NewServer(http.HandlerFunc(h.keep))
	DeferCleanup(h.server.Close)
	return h
}

func (h *hook) url() string { return h.server.URL + hookPath }

func (h *hook) keep(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivered))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, platform.Delivery{
		Method: r.Method, Query: r.URL.Query(), Header: r.Header, Body: body, URL: h.server.URL + r.URL.Path, ReceivedAt: time.Now(),
	})
	if h.status != 0 {
		w.WriteHeader(h.status)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// answer is what is answered from now on; 0 for success.
func (h *hook) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// delivered gives and forgets what was sent.
func (h *hook) delivered(context.Context) ([]platform.Delivery, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.kept
	h.kept = nil
	return kept, nil
}

func mastodonEvents(fake *mastodonfake.Server, account mastodonfake.Account, token string) *conformance.Events {
	callback := newHook()
	earlier := fake.Publish(account, mastodonfake.Post{Text: "Our office is open."})
	return &conformance.Events{
		Callback: callback.url(),
		Happen: func(ctx context.Context, kind event.Kind) error {
			switch kind {
			case event.Mention:
				fake.Mention(ctx, account, mastodonfake.Post{Text: "@news is anybody there?"})
			case event.Reply:
				fake.Mention(ctx, account, mastodonfake.Post{Text: "@news until when?", InReplyTo: earlier})
			case event.DirectMessage:
				fake.Mention(ctx, account, mastodonfake.Post{Text: "@news between us", Visibility: "direct"})
			case event.OwnPost:
				fake.Publish(account, mastodonfake.Post{Text: "Our office is closed."})
			default:
				return errors.ErrUnsupported
			}
			return nil
		},
		Delivered: callback.delivered,
		Forget:    func(context.Context) error { fake.ForgetSubscription(token); return nil },
	}
}

// consenting is how a person consents at a server, and to what.
type consenting struct {
	*conformance.Consent
	application credentials.Values
}

// mastodonConsent knows no way at servers that do not look at the code
// challenge: the rule that nobody can redeem another's code is theirs to break.
func mastodonConsent(fake *mastodonfake.Server, flavour mastodonfake.Flavour, account mastodonfake.Account) consenting {
	if flavour == mastodonfake.Mastodon42 || flavour == mastodonfake.GoToSocial019 {
		return consenting{}
	}
	const redirect = "https://rostra.example/connect/callback"
	app := fake.AddAppFor(redirect, "Rostra", mastodonScopes...)
	return consenting{
		Consent: &conformance.Consent{
			RedirectURL: redirect,
			Give: func(ctx context.Context, authorizationURL string) (string, error) {
				return mastodonfake.Consent(ctx, authorizationURL, account.Username)
			},
		},
		application: applicationOf(app),
	}
}

func applicationOf(app mastodonfake.App) credentials.Values {
	return credentials.Values{
		platform.ApplicationID:     credentials.NewValue(app.ClientID),
		platform.ApplicationSecret: credentials.NewValue(app.ClientSecret),
	}
}

func queryOf(raw string) url.Values {
	GinkgoHelper()
	parsed, err := url.Parse(raw)
	Expect(err).NotTo(HaveOccurred())
	return parsed.Query()
}

// answeringAll is the adapter at a server that answers everything in one way.
func answeringAll(status int, body string) *mastodon.Adapter {
	GinkgoHelper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	DeferCleanup(server.Close)
	return newMastodonAdapter(server.URL, clock.RealClock{})
}
