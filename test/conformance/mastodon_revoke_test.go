// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

var _ = Describe("Mastodon: Revoke", Label("mastodon"), func() {
	var (
		fake    *mastodonfake.Server
		account mastodonfake.Account
		token   string
		adapter *mastodon.Adapter
	)

	setUp := func(flavour mastodonfake.Flavour) {
		fake = newMastodonFake(flavour)
		account = fake.AddAccount("news")
		token = fake.IssueToken(account)
		adapter = newMastodonAdapter(fake.URL(), clock.RealClock{})
	}
	// revoke revokes the token with what the source Secret holds of an
	// application.
	revoke := func(ctx context.Context, app mastodonfake.App) (platform.Revocation, error) {
		declared := mastodonSource("access-token", token, "client-id", app.ClientID, "client-secret", app.ClientSecret)
		return adapter.Revoke(ctx, declared, deliverable(adapter, declared))
	}

	flavours := []TableEntry{
		Entry(nil, mastodonfake.Mastodon43), Entry(nil, mastodonfake.Mastodon42), Entry(nil, mastodonfake.GoToSocial019),
	}

	It("cuts at once", func(ctx SpecContext) {
		setUp(mastodonfake.Mastodon43)
		now := clocktesting.NewFakeClock(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
		adapter = newMastodonAdapter(fake.URL(), now)
		revocation, err := revoke(ctx, fake.AppOf(token))
		Expect(err).NotTo(HaveOccurred())
		Expect(revocation.EffectiveBy).To(Equal(now.Now()))
		Expect(fake.TokenWorks(token)).To(BeFalse())
	})

	DescribeTable("needs the application, as long as the token works", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		setUp(flavour)
		for _, app := range []mastodonfake.App{{}, {ClientID: fake.AppOf(token).ClientID}, {ClientSecret: fake.AppOf(token).ClientSecret}} {
			_, err := revoke(ctx, app)
			Expect(err).To(failWith(platform.InsufficientScope, "add client-id and client-secret to the source Secret, or revoke it by hand"))
		}
		Expect(fake.TokenWorks(token)).To(BeTrue())
		Expect(fake.Requests()[mastodonPathRevoke]).To(BeZero())
		fake.RevokeToken(token)
		Expect(revoke(ctx, mastodonfake.App{})).To(HaveField("EffectiveBy", Not(BeZero())))
	}, flavours)

	DescribeTable("needs the right application, as long as the token works", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		setUp(flavour)
		wrongSecret := fake.AppOf(token)
		wrongSecret.ClientSecret = "anything-else"
		for _, app := range []mastodonfake.App{fake.AddApp("another", "read"), wrongSecret, {ClientID: "none", ClientSecret: "none"}} {
			_, err := revoke(ctx, app)
			Expect(err).To(failWith(platform.InsufficientScope, "that it was issued to"))
			Expect(fake.TokenWorks(token)).To(BeTrue())
		}
		fake.RevokeToken(token)
		fake.ForgetToken(token)
		Expect(revoke(ctx, wrongSecret)).To(HaveField("EffectiveBy", Not(BeZero())))
	}, flavours)

	DescribeTable("does without an application that the server has forgotten, once the token is gone", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		setUp(flavour)
		app := fake.AppOf(token)
		fake.ForgetApp(app)
		_, err := revoke(ctx, app)
		Expect(platform.ClassOf(err)).To(Equal(platform.InsufficientScope))
		fake.RevokeToken(token)
		Expect(revoke(ctx, app)).To(HaveField("EffectiveBy", Not(BeZero())))
	}, flavours)

	DescribeTable("revokes the token of an account that is blocked", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		setUp(flavour)
		fake.SetState(account, mastodonfake.Suspended)
		_, err := revoke(ctx, mastodonfake.App{})
		Expect(platform.ClassOf(err)).To(Equal(platform.InsufficientScope), "a blocked account's token is not dead")
		Expect(revoke(ctx, fake.AppOf(token))).To(HaveField("EffectiveBy", Not(BeZero())))
		Expect(fake.TokenWorks(token)).To(BeFalse())
	}, flavours)

	It("does not believe a server that says it has revoked and has not", func(ctx SpecContext) {
		setUp(mastodonfake.Mastodon43)
		fake.Misbehave(mastodonPathRevoke, faults.EmptyObject())
		_, err := revoke(ctx, fake.AppOf(token))
		Expect(err).To(failWith(platform.Unknown, "still accepts it"))
	})

	It("takes any body of a 200, as RFC 7009 says", func(ctx SpecContext) {
		setUp(mastodonfake.Mastodon43)
		fake.RevokeToken(token)
		fake.Misbehave(mastodonPathRevoke, faults.Empty())
		Expect(revoke(ctx, fake.AppOf(token))).To(HaveField("EffectiveBy", Not(BeZero())))
	})

	DescribeTable("tells what stays from what passes", func(ctx SpecContext, path string, fault faults.Fault, class platform.Class, message string) {
		setUp(mastodonfake.Mastodon43)
		fake.Misbehave(path, fault)
		_, err := revoke(ctx, fake.AppOf(token))
		Expect(err).To(failWith(class, message))
	},
		Entry("a server that cannot revoke", mastodonPathRevoke, faults.Status(http.StatusNotFound), platform.Permanent, "revoke it by hand"),
		Entry("a client that is refused by RFC 7009", mastodonPathRevoke, faults.Answer(http.StatusUnauthorized, "application/json", `{"error":"invalid_client"}`),
			platform.InsufficientScope, "invalid_client"),
		Entry("an outage", mastodonPathRevoke, faults.Status(http.StatusBadGateway), platform.Transient, "out of order"),
		Entry("a firewall", mastodonPathRevoke, faults.HTML(http.StatusForbidden), platform.Unknown, "in front of it"),
		Entry("an outage when the token is looked at", mastodonPathAccount, faults.Status(http.StatusBadGateway), platform.Transient, "out of order"),
		Entry("a page when the token is looked at", mastodonPathAccount, faults.HTML(http.StatusUnauthorized), platform.Unknown, "in front of it"),
	)

	It("refuses a credential without a token, without asking", func(ctx SpecContext) {
		setUp(mastodonfake.Mastodon43)
		_, err := adapter.Revoke(ctx, mastodonToken(token), credentials.Credential{})
		Expect(err).To(failWith(platform.Permanent, "MASTODON_ACCESS_TOKEN"))
		Expect(fake.Requests()).To(BeEmpty())
	})
})
