// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/x"
	xfake "github.com/rostra-dev/rostra/test/fakes/x"
)

const xRedirect = "https://rostra.example/connect/callback"

// A source holds a refresh token, an access token, or both. The port has no way
// to say "one of them", so that each subject says which one it is about.
var _ = Describe("X", func() {
	conformance.Describe("the adapter with an access token", func(SpecContext) conformance.Subject {
		return newXWorld().subject(func(w *xWorld) platform.Platform { return xOfAccessTokens{w.adapter()} }, false)
	}, "x")
	conformance.Describe("the adapter with a refresh token", func(SpecContext) conformance.Subject {
		return newXWorld().subject(func(w *xWorld) platform.Platform {
			adapter := w.adapter()
			return xOfRefreshTokens{adapter, adapter, adapter, adapter, adapter, adapter, w}
		}, true)
	}, "x")
	conformance.Describe("the adapter with signatures of the client secret", func(SpecContext) conformance.Subject {
		return newXWorld(xfake.WithOAuth2Signatures()).subject(func(w *xWorld) platform.Platform { return xOfAccessTokens{w.adapter()} }, false)
	}, "x")
})

// xOfAccessTokens is the adapter where sources hold access tokens.
type xOfAccessTokens struct{ *x.Adapter }

func (a xOfAccessTokens) SourceKeys() []platform.SourceKey {
	return requiring(a.Adapter, "access-token")
}

// xOfRefreshTokens is the adapter where sources hold refresh tokens. It revokes
// nothing: to revoke an access token leaves the grant, which is all that such a
// source is.
type xOfRefreshTokens struct {
	platform.Platform
	platform.ApplicationUser
	platform.Authorizer
	platform.Subscriber
	platform.Receiver
	platform.Poller

	world *xWorld
}

// Verify asks again when the adapter says, as Rostra does: the first refusal of
// a refresh token may be another process's work. The rules take every 401 for
// one of the account's credential; that of the token endpoint is of the
// application's (RFC 6749, section 5.2), as the adapter's own tests have it.
func (a xOfRefreshTokens) Verify(ctx context.Context, account platform.Account) (platform.Identity, error) {
	identity, err := xAgain(a.world, func() (platform.Identity, error) { return a.Platform.Verify(ctx, account) })
	failure, failed := errors.AsType[*platform.Failure](err)
	if failed && failure.Class == platform.Permanent && failure.Code == "" && strings.Contains(failure.Message, platform.ApplicationSecret) {
		failure.Class = platform.Unauthorized
	}
	return identity, err
}

// Poll is as Verify.
func (a xOfRefreshTokens) Poll(ctx context.Context, account platform.Account, cursor string, events []event.Kind) (platform.Page, error) {
	return xAgain(a.world, func() (platform.Page, error) { return a.Poller.Poll(ctx, account, cursor, events) })
}

// xAgain puts the clock forward for the second try, and back after it.
func xAgain[T any](w *xWorld, ask func() (T, error)) (T, error) {
	given, err := ask()
	failure, failed := errors.AsType[*platform.Failure](err)
	if !failed || failure.Class != platform.Transient || !slices.Contains([]string{"invalid_grant", "invalid_request"}, failure.Code) {
		return given, err
	}
	wait := failure.RetryAt.Sub(w.clock.Now())
	w.step(wait)
	defer w.step(-wait)
	return ask()
}

func (a xOfRefreshTokens) SourceKeys() []platform.SourceKey {
	return requiring(a.Platform, "refresh-token")
}

func (a xOfRefreshTokens) Detect(ctx context.Context) (platform.Server, error) {
	server, err := a.Platform.Detect(ctx)
	server.Capabilities = slices.DeleteFunc(server.Capabilities, func(c platform.Capability) bool { return c == platform.CapabilityRevoke })
	return server, err
}

func requiring(adapter platform.Platform, name string) []platform.SourceKey {
	keys := adapter.SourceKeys()
	for i := range keys {
		keys[i].Required = keys[i].Name == name
	}
	return keys
}

// xWorld is the fake with two accounts of a company's, a stranger, and a place
// to which events are sent.
type xWorld struct {
	fake                 *xfake.Server
	clock                clock.PassiveClock
	app                  xfake.App
	help, news, stranger xfake.Account
	root                 xfake.Post
	callback             *xCallback
}

func newXWorld(options ...xfake.Option) *xWorld {
	GinkgoHelper()
	// The clock stands: when a session is renewed does not hang on how long a
	// rule takes.
	standing := clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second))
	w := &xWorld{clock: standing, fake: xfake.New(append(options, xfake.WithClock(standing))...)}
	DeferCleanup(w.fake.Close)
	w.app = w.fake.AddApp("Rostra of Acme", xRedirect)
	w.help, w.news, w.stranger = w.fake.AddAccount("Acme_Help"), w.fake.AddAccount("acme_news"), w.fake.AddAccount("passer_by")
	w.root = w.fake.Post(w.help, "We are here to help.", nil)
	w.callback = newXCallback(w.adapter(), w.keys())
	return w
}

func (w *xWorld) adapter() *x.Adapter {
	GinkgoHelper()
	client, err := httpx.New(httpx.Options{
		UserAgent:      "rostra-test",
		Timeout:        time.Second,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AccountRate:    1000,
		AccountBurst:   10_000,
		BreakerAfter:   1000,
		Clock:          clocktesting.NewFakeClock(w.clock.Now()),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	made, err := x.NewFactory(client, w.clock)(w.fake.URL())
	Expect(err).NotTo(HaveOccurred())
	adapter, ok := made.(*x.Adapter)
	Expect(ok).To(BeTrue())
	return adapter
}

func (w *xWorld) application() credentials.Values {
	return credentials.Values{
		"client-id": credentials.NewValue(w.app.ClientID), "client-secret": credentials.NewValue(w.app.ClientSecret),
		"consumer-secret": credentials.NewValue(w.app.ConsumerSecret), "bearer-token": credentials.NewValue(w.app.BearerToken),
	}
}

func (w *xWorld) keys() credentials.Values {
	return credentials.Values{
		"consumer-secret": credentials.NewValue(w.app.ConsumerSecret), "client-secret": credentials.NewValue(w.app.ClientSecret),
	}
}

func (w *xWorld) keySets() []credentials.Values { return []credentials.Values{w.keys()} }

func (w *xWorld) subject(adapter func(*xWorld) platform.Platform, refresh bool) conformance.Subject {
	return conformance.Subject{
		New:   func() platform.Platform { return adapter(w) },
		Clock: w.clock,
		Server: conformance.Server{
			Faults:         w.fake.Faults(),
			Paths:          map[conformance.Call]string{conformance.CallRevoke: "/2/oauth2/revoke"},
			WithdrawSource: func(context.Context) error { w.fake.Withdraw(w.help, w.app); return nil },
			Works: func(_ context.Context, credential credentials.Credential) (bool, error) {
				return w.fake.TokenWorks(credential.Values.Get("X_ACCESS_TOKEN")), nil
			},
			ProbeBudget: 1,
			Events: &conformance.Events{
				Callback: w.callback.url, Happen: w.happen, Delivered: w.callback.take,
				Forget: func(context.Context) error { w.fake.Unsubscribe(w.help); return nil },
			},
			Consent: &conformance.Consent{
				RedirectURL: xRedirect,
				Give:        func(ctx context.Context, page string) (string, error) { return xConsent(ctx, page, w.help.Username) },
			},
		},
		Good:  w.account(w.help, w.fake.Grant(w.help, w.app, xfake.Scopes()...), refresh),
		Other: w.account(w.news, w.fake.Grant(w.news, w.app, xfake.Scopes()...), refresh),
		Wrong: w.account(w.help, xfake.Tokens{Access: "access-of-another-server-Xy12", Refresh: "refresh-of-another-server-Xy12"}, refresh),
	}
}

func (w *xWorld) account(account xfake.Account, tokens xfake.Tokens, refresh bool) conformance.Account {
	declared := conformance.Account{
		Declared: platform.Account{
			Handle: account.Username, ID: account.ID, Application: w.application(),
			Source: credentials.Values{"access-token": credentials.NewValue(tokens.Access + "\n")},
		},
		Identity: platform.Identity{AccountID: account.ID, Handle: strings.ToLower(account.Username), DisplayName: account.Name},
		Secrets:  []string{tokens.Access},
	}
	if refresh {
		declared.Declared.Source = credentials.Values{"refresh-token": credentials.NewValue(tokens.Refresh + "\n")}
		declared.Secrets = []string{tokens.Refresh}
		declared.Identity.Renews = true
		declared.Identity.RenewAt = w.clock.Now().Add(2 * time.Hour * 2 / 3)
	}
	return declared
}

// happen makes something happen to the help desk.
func (w *xWorld) happen(_ context.Context, kind event.Kind) error {
	switch kind {
	case event.Mention:
		w.fake.Post(w.stranger, "Hello @acme_help, are you there?", nil)
	case event.Reply:
		w.fake.Post(w.stranger, "Good to know.", &w.root)
	case event.OwnPost:
		w.fake.Post(w.help, "The line is open again.", nil)
	case event.DirectMessage:
		w.fake.DirectMessage(w.stranger, w.help, "My order has not come.")
	case event.AuthorizationLost:
		w.fake.Withdraw(w.help, w.app)
	case event.Other:
		w.fake.Like(w.stranger, w.root)
	case event.HandleChanged, event.TokenExpiring:
		return errors.ErrUnsupported
	}
	return nil
}

// xCallback takes what X sends, and answers its challenges.
type xCallback struct {
	url  string
	keys credentials.Values

	mu   sync.Mutex
	sent []platform.Delivery
}

func newXCallback(receiver platform.Receiver, keys credentials.Values) *xCallback {
	c := &xCallback{keys: keys}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		delivery := platform.Delivery{Method: r.Method, Query: r.URL.Query(), Header: r.Header, Body: body, URL: c.url, ReceivedAt: time.Now()}
		answer, asked, err := receiver.Handshake(delivery, []credentials.Values{keys})
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case asked:
			w.Header().Set("Content-Type", answer.ContentType)
			w.WriteHeader(answer.Status)
			_, _ = w.Write(answer.Body)
		default:
			c.mu.Lock()
			c.sent = append(c.sent, delivery)
			c.mu.Unlock()
		}
	}))
	DeferCleanup(server.Close)
	c.url = server.URL + "/hooks/x/t0ken-of-the-callback"
	return c
}

func (c *xCallback) take(context.Context) ([]platform.Delivery, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.sent
	c.sent = nil
	return sent, nil
}

var xTicket = regexp.MustCompile(`name="ticket" value="([^"]*)"`)

// xConsent does what a person does on the consent page.
func xConsent(ctx context.Context, page, username string) (string, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
	if err != nil {
		return "", err
	}
	shown, err := xRead(client, request)
	if err != nil {
		return "", err
	}
	ticket := xTicket.FindStringSubmatch(shown.body)
	if ticket == nil {
		return "", fmt.Errorf("no consent page but %s", shown.body)
	}
	form := url.Values{"ticket": {html.UnescapeString(ticket[1])}, "username": {username}, "decision": {"authorize"}}
	target := *request.URL
	target.RawQuery = ""
	request, err = http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	decided, err := xRead(client, request)
	if err != nil {
		return "", err
	}
	return decided.location, nil
}

type xPage struct{ body, location string }

func xRead(client *http.Client, request *http.Request) (xPage, error) {
	response, err := client.Do(request)
	if err != nil {
		return xPage{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return xPage{body: string(body), location: response.Header.Get("Location")}, err
}
