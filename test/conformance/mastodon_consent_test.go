// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

const (
	redirectURL = "https://rostra.example/connect/callback"
	codeVerify  = "a-verifier-of-43-characters-or-more-0123456789"
)

// connection is one person's way to connect an account.
type connection struct {
	fake        *mastodonfake.Server
	adapter     *mastodon.Adapter
	account     mastodonfake.Account
	application credentials.Values
}

func connect(ctx context.Context, options ...mastodonfake.Option) *connection {
	GinkgoHelper()
	fake := mastodonfake.New(options...)
	DeferCleanup(fake.Close)
	c := &connection{fake: fake, adapter: newMastodonAdapter(fake.URL(), clock.RealClock{}), account: fake.AddAccount("news")}
	var err error
	c.application, err = c.adapter.RegisterApplication(ctx, redirectURL)
	Expect(err).NotTo(HaveOccurred())
	return c
}

func (c *connection) page() string {
	GinkgoHelper()
	challenge := sha256.Sum256([]byte(codeVerify))
	page, err := c.adapter.AuthorizationURL(c.application, platform.AuthorizationRequest{
		RedirectURL: redirectURL, State: "st4te", Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]),
	})
	Expect(err).NotTo(HaveOccurred())
	return page
}

func (c *connection) grant(ctx context.Context) platform.Grant {
	GinkgoHelper()
	back, err := mastodonfake.Consent(ctx, c.page(), c.account.Username)
	Expect(err).NotTo(HaveOccurred())
	Expect(back).To(HavePrefix(redirectURL + "?"))
	Expect(queryOf(back).Get("state")).To(Equal("st4te"))
	return platform.Grant{Code: queryOf(back).Get("code"), Verifier: codeVerify, RedirectURL: redirectURL}
}

var _ = Describe("Connecting a Mastodon account", Label("mastodon"), func() {
	DescribeTable("gives a token that does all there is to do, and can be revoked", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		c := connect(ctx, mastodonfake.WithFlavour(flavour))
		granted, err := c.adapter.Redeem(ctx, c.application, c.grant(ctx))
		Expect(err).NotTo(HaveOccurred())
		Expect(granted.Missing).To(BeEmpty())
		Expect(granted.ExpiresAt).To(BeZero())

		account := platform.Account{Handle: "news", ID: c.account.ID, Source: granted.Source}
		Expect(c.adapter.Verify(ctx, account)).To(HaveField("AccountID", c.account.ID))
		Expect(c.adapter.Poll(ctx, account, "", c.adapter.Polls())).To(HaveField("Cursor", Not(BeEmpty())))
		_, err = c.adapter.Subscribed(ctx, account)
		Expect(platform.ClassOf(err)).To(Equal(platform.NotFound))
		Expect(c.adapter.Revoke(ctx, account, deliverable(c.adapter, account))).To(HaveField("EffectiveBy", Not(BeZero())))
	},
		Entry(nil, mastodonfake.Mastodon42), Entry(nil, mastodonfake.Mastodon43),
		Entry(nil, mastodonfake.Mastodon44), Entry(nil, mastodonfake.GoToSocial019),
	)

	It("asks the person to sign in anew, and for no more than is needed", func(ctx SpecContext) {
		query := queryOf(connect(ctx).page())
		Expect(query.Get("force_login")).To(Equal("true"))
		Expect(query.Get("scope")).To(Equal("read:accounts read:statuses read:notifications write:statuses push"))
	})

	It("tells a refusal", func(ctx SpecContext) {
		back, err := mastodonfake.Deny(ctx, connect(ctx).page())
		Expect(err).NotTo(HaveOccurred())
		Expect(queryOf(back)).To(And(HaveKeyWithValue("error", ConsistOf("access_denied")), HaveKeyWithValue("state", ConsistOf("st4te"))))
	})

	It("says what was not granted", func(ctx SpecContext) {
		c := connect(ctx)
		c.fake.NarrowGrants("read:accounts", "read:statuses", "read:notifications", "write:statuses")
		granted, err := c.adapter.Redeem(ctx, c.application, c.grant(ctx))
		Expect(err).NotTo(HaveOccurred())
		Expect(granted.Missing).To(ConsistOf("push"))
		Expect(granted.Source).To(HaveKey("access-token"))
	})

	It("is over when the code has expired", func(ctx SpecContext) {
		passing := clocktesting.NewFakeClock(time.Now())
		c := connect(ctx, mastodonfake.WithClock(passing))
		grant := c.grant(ctx)
		passing.Step(10 * time.Minute)
		_, err := c.adapter.Redeem(ctx, c.application, grant)
		Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
		Expect(err).To(MatchError(ContainSubstring("start again")))
	})

	It("tells why the application cannot be used", func(ctx SpecContext) {
		c := connect(ctx)
		_, err := c.adapter.AuthorizationURL(nil, platform.AuthorizationRequest{})
		Expect(err).To(MatchError(ContainSubstring("client-id")))
		_, err = c.adapter.Redeem(ctx, nil, platform.Grant{})
		Expect(err).To(MatchError(ContainSubstring("client-secret")))

		grant := c.grant(ctx)
		wrong := credentials.Values{"client-id": c.application["client-id"], "client-secret": credentials.NewValue("guess")}
		_, err = c.adapter.Redeem(ctx, wrong, grant)
		Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
		Expect(err).To(MatchError(ContainSubstring("register it again")))
	})

	It("goes nowhere with an application of fewer scopes", func(ctx SpecContext) {
		c := connect(ctx)
		c.application = applicationOf(c.fake.AddAppFor(redirectURL, "Rostra", "read"))
		back, err := mastodonfake.Consent(ctx, c.page(), "news")
		Expect(err).To(HaveOccurred(), "there is no page to consent on")
		Expect(back).To(BeEmpty())
	})

	It("registers no application with a redirect URL that is none", func(ctx SpecContext) {
		_, err := connect(ctx).adapter.RegisterApplication(ctx, "connect/callback")
		Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
	})

	It("takes no token of a kind that it cannot use", func(ctx SpecContext) {
		for _, answer := range []string{
			`{}`, `{"access_token":"abc"}`, `{"access_token":"abc","token_type":"mac"}`, `{"access_token":"a b","token_type":"Bearer"}`,
		} {
			adapter := answeringAll(http.StatusOK, answer)
			_, err := adapter.Redeem(ctx, credentials.Values{"client-id": credentials.NewValue("a"), "client-secret": credentials.NewValue("b")}, platform.Grant{Code: "c"})
			Expect(platform.ClassOf(err)).To(Equal(platform.Unknown), answer)
		}
	})

	It("knows when a token ends, where the server says so", func(ctx SpecContext) {
		adapter := answeringAll(http.StatusOK, `{"access_token":"abc","token_type":"bearer","expires_in":3600}`)
		granted, err := adapter.Redeem(ctx, credentials.Values{"client-id": credentials.NewValue("a"), "client-secret": credentials.NewValue("b")}, platform.Grant{Code: "c"})
		Expect(err).NotTo(HaveOccurred())
		Expect(granted.ExpiresAt).To(BeTemporally("~", time.Now().Add(time.Hour), time.Minute))
		Expect(granted.Missing).To(BeEmpty())
	})
})
