// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

var _ = Describe("Mastodon", func() {
	// A probe asks whose account it is, and where the server tells, what the
	// token's application may do.
	for _, server := range []struct {
		flavour mastodonfake.Flavour
		budget  int
	}{
		{mastodonfake.Mastodon43, 2},
		{mastodonfake.Mastodon42, 1},
		{mastodonfake.GoToSocial019, 1},
		{mastodonfake.Mastodon44, 2},
	} {
		conformance.Describe("the adapter with "+string(server.flavour), func(SpecContext) conformance.Subject {
			return mastodonSubject(server.flavour, server.budget)
		}, "mastodon")
	}
})

// withoutDirectory is the adapter at a server that has no directory, which
// cannot be listed.
type withoutDirectory struct {
	platform.Platform
	platform.Revoker
	platform.Subscriber
	platform.Receiver
	platform.Poller
	platform.Authorizer
	platform.ApplicationRegistrar
}

// mastodonScopes are those that the adapter asks a person for.
var mastodonScopes = []string{"read:accounts", "read:statuses", "read:notifications", "write:statuses", "push"}

func mastodonSubject(flavour mastodonfake.Flavour, budget int) conformance.Subject {
	GinkgoHelper()
	fake := newMastodonFake(flavour)
	news, help := fake.AddAccount("news"), fake.AddAccount("help_desk")
	for _, account := range []mastodonfake.Account{news, help} {
		fake.SetDiscoverable(account, true)
	}
	newsToken := fake.IssueToken(news, "read", "write:statuses", "push")
	consent := mastodonConsent(fake, flavour, news)
	good := mastodonAccount(fake, news, "@News", newsToken)
	good.Declared.Application = consent.application
	return conformance.Subject{
		New: func() platform.Platform {
			adapter := newMastodonAdapter(fake.URL(), clock.RealClock{})
			if flavour == mastodonfake.GoToSocial019 {
				return withoutDirectory{adapter, adapter, adapter, adapter, adapter, adapter, adapter}
			}
			return adapter
		},
		Clock: clock.RealClock{},
		Server: conformance.Server{
			Faults:         fake.Faults(),
			Paths:          map[conformance.Call]string{conformance.CallRevoke: "/oauth/revoke"},
			WithdrawSource: func(context.Context) error { fake.RevokeToken(newsToken); return nil },
			Works: func(_ context.Context, credential credentials.Credential) (bool, error) {
				return fake.TokenWorks(credential.Values.Get("MASTODON_ACCESS_TOKEN")), nil
			},
			ProbeBudget: budget,
			Events:      mastodonEvents(fake, news, newsToken),
			Consent:     consent.Consent,
		},
		Good:  good,
		Other: mastodonAccount(fake, help, "help_desk", fake.IssueToken(help, "read", "write", "push")),
		Wrong: mastodonAccount(fake, news, "news", "a-token-of-another-server-Xy12"),
	}
}

func newMastodonAdapter(server string, at clock.Clock) *mastodon.Adapter {
	GinkgoHelper()
	client, err := httpx.New(httpx.Options{
		UserAgent:      "rostra-test",
		Timeout:        time.Second,
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AccountRate:    1000,
		AccountBurst:   1000,
		Clock:          at,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	made, err := mastodon.NewFactory(client, at)(server)
	Expect(err).NotTo(HaveOccurred())
	adapter, ok := made.(*mastodon.Adapter)
	Expect(ok).To(BeTrue())
	return adapter
}

// mastodonAccount declares an account with a token and the credentials of the
// application that the token is of; those of the first at hand where there is
// none.
func mastodonAccount(fake *mastodonfake.Server, account mastodonfake.Account, handle, token string) conformance.Account {
	app := fake.AppOf(token)
	if app.ClientID == "" {
		app = fake.AddApp("another", "read")
	}
	return conformance.Account{
		Declared: platform.Account{
			Handle: handle,
			ID:     account.ID,
			Source: credentials.Values{
				"access-token":  credentials.NewValue(token + "\n"),
				"client-id":     credentials.NewValue(app.ClientID),
				"client-secret": credentials.NewValue(app.ClientSecret),
			},
		},
		Identity: platform.Identity{
			AccountID: account.ID, Handle: account.Username, DisplayName: "The " + account.Username + " desk",
		},
		Secrets: []string{token, app.ClientSecret},
	}
}
