// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

const (
	mastodonPathAccount = "/api/v1/accounts/verify_credentials"
	mastodonPathApp     = "/api/v1/apps/verify_credentials"
	mastodonPathRevoke  = "/oauth/revoke"
)

func newMastodonFake(flavour mastodonfake.Flavour, options ...mastodonfake.Option) *mastodonfake.Server {
	fake := mastodonfake.New(append([]mastodonfake.Option{mastodonfake.WithFlavour(flavour)}, options...)...)
	DeferCleanup(fake.Close)
	return fake
}

// mastodonSource declares an account with a source of keys and values.
func mastodonSource(pairs ...string) platform.Account {
	values := credentials.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = credentials.NewValue(pairs[i+1])
	}
	return platform.Account{Handle: "news", Source: values}
}

func mastodonToken(token string) platform.Account { return mastodonSource("access-token", token) }

// failWith expects a failure of a class, with something in its message.
func failWith(class platform.Class, message string) OmegaMatcher {
	return And(
		WithTransform(platform.ClassOf, Equal(class)),
		MatchError(ContainSubstring(message)),
	)
}

var _ = Describe("the Mastodon factory", Label("mastodon"), func() {
	It("makes an adapter whose claims are the server's", func() {
		adapter := newMastodonAdapter("https://Mastodon.Example/", clock.RealClock{})
		Expect(adapter.ClaimScope()).To(Equal("mastodon.example"))
	})

	DescribeTable("refuses a URL that is no server's root", func(server string) {
		client, err := httpx.New(httpx.Options{UserAgent: "rostra-test"})
		Expect(err).NotTo(HaveOccurred())
		_, err = mastodon.NewFactory(client, clock.RealClock{})(server)
		Expect(err).To(HaveOccurred())
	},
		Entry("empty", ""),
		Entry("no scheme", "mastodon.example"),
		Entry("a path", "https://mastodon.example/@news"),
		Entry("a password", "https://news:secret@mastodon.example"),
		Entry("another scheme", "ftp://mastodon.example"),
	)
})

var _ = Describe("Mastodon: Verify", Label("mastodon"), func() {
	It("sees a renamed account as the same one", Label("S8"), func(ctx SpecContext) {
		fake := newMastodonFake(mastodonfake.Mastodon43)
		account := fake.AddAccount("news")
		adapter := newMastodonAdapter(fake.URL(), clock.RealClock{})
		declared := mastodonToken(fake.IssueToken(account))
		before, err := adapter.Verify(ctx, declared)
		Expect(err).NotTo(HaveOccurred())
		fake.Rename(account, "Newsroom")
		after, err := adapter.Verify(ctx, declared)
		Expect(err).NotTo(HaveOccurred())
		Expect(after.AccountID).To(Equal(before.AccountID))
		Expect(before.Handle).To(Equal("news"))
		Expect(after.Handle).To(Equal("newsroom"))
		Expect(after.CanMint).To(BeFalse())
		Expect(after.ExpiresAt).To(BeZero())
	})

	DescribeTable("asks no more than it has to", func(ctx SpecContext, flavour mastodonfake.Flavour, first, later int) {
		fake := newMastodonFake(flavour)
		adapter := newMastodonAdapter(fake.URL(), clock.RealClock{})
		declared := mastodonToken(fake.IssueToken(fake.AddAccount("news")))
		for _, want := range []int{first, later, later} {
			before := fake.Faults().Total()
			_, err := adapter.Verify(ctx, declared)
			Expect(err).NotTo(HaveOccurred())
			Expect(fake.Faults().Total() - before).To(Equal(want))
		}
		_, err := adapter.Detect(ctx)
		Expect(err).NotTo(HaveOccurred())
		before := fake.Faults().Total()
		_, err = adapter.Verify(ctx, declared)
		Expect(err).NotTo(HaveOccurred())
		Expect(fake.Faults().Total() - before).To(Equal(later))
	},
		Entry(nil, mastodonfake.Mastodon43, 2, 2),
		Entry(nil, mastodonfake.Mastodon42, 2, 1),
		Entry(nil, mastodonfake.GoToSocial019, 2, 1),
	)

	DescribeTable("knows a dead token", func(ctx SpecContext, flavour mastodonfake.Flavour, revoked platform.Class) {
		fake := newMastodonFake(flavour)
		token := fake.IssueToken(fake.AddAccount("news"))
		adapter := newMastodonAdapter(fake.URL(), clock.RealClock{})
		fake.RevokeToken(token)
		_, err := adapter.Verify(ctx, mastodonToken(token))
		Expect(platform.ClassOf(err)).To(Equal(revoked))
		fake.ForgetToken(token)
		_, err = adapter.Verify(ctx, mastodonToken(token))
		Expect(err).To(failWith(platform.Unauthorized, "does not know the access token"))
	},
		Entry(nil, Label("S12"), mastodonfake.Mastodon43, platform.Revoked),
		Entry(nil, Label("S12"), mastodonfake.Mastodon42, platform.Revoked),
		Entry("GoToSocial forgets revoked tokens", Label("S12"), mastodonfake.GoToSocial019, platform.Unauthorized),
	)

	DescribeTable("knows a blocked account", func(ctx SpecContext, flavour mastodonfake.Flavour, state mastodonfake.State, message string) {
		fake := newMastodonFake(flavour)
		account := fake.AddAccount("news")
		fake.SetState(account, state)
		_, err := newMastodonAdapter(fake.URL(), clock.RealClock{}).Verify(ctx, mastodonToken(fake.IssueToken(account)))
		Expect(err).To(failWith(platform.PolicyBlocked, message))
	},
		Entry(nil, mastodonfake.Mastodon43, mastodonfake.Disabled, "disabled the account"),
		Entry(nil, mastodonfake.Mastodon43, mastodonfake.Suspended, "disabled the account"),
		Entry(nil, mastodonfake.Mastodon43, mastodonfake.Unconfirmed, "e-mail address is not confirmed"),
		Entry(nil, mastodonfake.Mastodon43, mastodonfake.Pending, "waits for approval"),
		Entry(nil, mastodonfake.GoToSocial019, mastodonfake.Disabled, "refuses who is behind it"),
		Entry(nil, mastodonfake.GoToSocial019, mastodonfake.Suspended, "disabled the account"),
		Entry(nil, mastodonfake.GoToSocial019, mastodonfake.Unconfirmed, "refuses who is behind it"),
	)

	DescribeTable("looks at scopes as far as the server tells them",
		func(ctx SpecContext, flavour mastodonfake.Flavour, ofApp, ofToken []string, want platform.Class) {
			fake := newMastodonFake(flavour)
			token := fake.IssueTokenOf(fake.AddApp("publisher", ofApp...), fake.AddAccount("news"), ofToken...)
			_, err := newMastodonAdapter(fake.URL(), clock.RealClock{}).Verify(ctx, mastodonToken(token))
			if want == "" {
				Expect(err).NotTo(HaveOccurred())
				return
			}
			Expect(err).To(failWith(want, "write:statuses"))
		},
		Entry("all that is needed", mastodonfake.Mastodon43, []string{"profile", "write:statuses"}, []string{"profile", "write:statuses"}, platform.Class("")),
		Entry("an application that cannot post", mastodonfake.Mastodon43, []string{"read"}, []string{"read"}, platform.InsufficientScope),
		Entry("a token that cannot post, which nobody tells", mastodonfake.Mastodon43, []string{"read", "write"}, []string{"read"}, platform.Class("")),
		Entry("a token that cannot say whose it is", mastodonfake.Mastodon43, []string{"read", "write"}, []string{"write"}, platform.InsufficientScope),
		Entry("an application that cannot post, untold", mastodonfake.Mastodon42, []string{"read"}, []string{"read"}, platform.Class("")),
		Entry("a token that may not even ask about its application", mastodonfake.Mastodon42, []string{"read", "write"}, []string{"read:accounts"}, platform.Class("")),
		Entry("an application that cannot post, untold", mastodonfake.GoToSocial019, []string{"read"}, []string{"read"}, platform.Class("")),
		Entry("a token that cannot say whose it is", mastodonfake.GoToSocial019, []string{"read", "write"}, []string{"write"}, platform.InsufficientScope),
	)

	DescribeTable("refuses an application's own token", func(ctx SpecContext, flavour mastodonfake.Flavour, class platform.Class) {
		fake := newMastodonFake(flavour)
		token := fake.IssueAppToken(fake.AddApp("publisher", "read", "write"))
		_, err := newMastodonAdapter(fake.URL(), clock.RealClock{}).Verify(ctx, mastodonToken(token))
		Expect(err).To(failWith(class, "application's own"))
	},
		Entry(nil, mastodonfake.Mastodon43, platform.Permanent),
		Entry(nil, mastodonfake.GoToSocial019, platform.PolicyBlocked),
	)

	DescribeTable("refuses what is no token, without asking", func(ctx SpecContext, account platform.Account, message string) {
		fake := newMastodonFake(mastodonfake.Mastodon43)
		_, err := newMastodonAdapter(fake.URL(), clock.RealClock{}).Verify(ctx, account)
		Expect(err).To(failWith(platform.Permanent, message))
		Expect(fake.Requests()).To(BeEmpty())
	},
		Entry("nothing", mastodonSource(), "add the key access-token"),
		Entry("spaces", mastodonToken(" \n"), "add the key access-token"),
		Entry("two words", mastodonToken("abc def"), "not an access token"),
		Entry("two lines", mastodonToken("abc\ndef"), "not an access token"),
	)

	DescribeTable("comes back when the server's own rate limit ends", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		now := clocktesting.NewFakeClock(time.Date(2026, 11, 21, 8, 3, 20, 0, time.UTC))
		fake := newMastodonFake(flavour, mastodonfake.WithClock(now), mastodonfake.WithRateLimit(4))
		adapter := newMastodonAdapter(fake.URL(), now)
		declared := mastodonToken(fake.IssueToken(fake.AddAccount("news")))
		var err error
		for range 4 { // with one or two requests each
			_, err = adapter.Verify(ctx, declared)
		}
		Expect(platform.ClassOf(err)).To(Equal(platform.RateLimited))
		Expect(platform.RetryAt(err)).To(BeTemporally("==", time.Date(2026, 11, 21, 8, 5, 0, 0, time.UTC)))
		now.SetTime(platform.RetryAt(err))
		_, err = adapter.Verify(ctx, declared)
		Expect(err).NotTo(HaveOccurred())
	},
		Entry(nil, mastodonfake.Mastodon43),
		Entry(nil, mastodonfake.GoToSocial019),
	)

	DescribeTable("says nothing of an account while the scopes are not answered", func(ctx SpecContext, fault faults.Fault, class platform.Class) {
		fake := newMastodonFake(mastodonfake.Mastodon43)
		adapter := newMastodonAdapter(fake.URL(), clock.RealClock{})
		declared := mastodonToken(fake.IssueToken(fake.AddAccount("news")))
		fake.Misbehave(mastodonPathApp, fault).Times(1)
		identity, err := adapter.Verify(ctx, declared)
		Expect(platform.ClassOf(err)).To(Equal(class))
		Expect(identity).To(BeZero())
		_, err = adapter.Verify(ctx, declared)
		Expect(err).NotTo(HaveOccurred())
		Expect(fake.Requests()[mastodonPathApp]).To(Equal(2))
	},
		Entry("an outage", faults.Status(http.StatusServiceUnavailable), platform.Transient),
		Entry("a page", faults.HTML(http.StatusOK), platform.Unknown),
		Entry("a token that was just revoked", faults.Answer(http.StatusUnauthorized, "application/json", `{"error":"The access token was revoked"}`), platform.Revoked),
	)

	It("leaves a healthy account alone while the server is down", Label("S23"), func(ctx SpecContext) {
		fake := newMastodonFake(mastodonfake.Mastodon43)
		adapter := newMastodonAdapter(fake.URL(), clock.RealClock{})
		declared := mastodonToken(fake.IssueToken(fake.AddAccount("news")))
		fake.SetDown(true)
		_, err := adapter.Verify(ctx, declared)
		Expect(platform.ClassOf(err)).To(Equal(platform.Transient))
		fake.SetDown(false)
		_, err = adapter.Verify(ctx, declared)
		Expect(err).NotTo(HaveOccurred())
	})
})

var _ = Describe("Mastodon: the delivered credential", Label("mastodon"), func() {
	It("is the token, without the line break of the Secret", func() {
		adapter := newMastodonAdapter("https://mastodon.example", clock.RealClock{})
		delivered := deliverable(adapter, mastodonSource("access-token", "abc123\n", "client-id", "id", "client-secret", "secret"))
		Expect(delivered.ID).To(BeEmpty())
		Expect(delivered.Values).To(HaveLen(1))
		Expect(delivered.Values.Get("MASTODON_ACCESS_TOKEN")).To(Equal("abc123"))
	})
})
