// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/meta"
	metafake "github.com/rostra-dev/rostra/test/fakes/meta"
)

const (
	metaDay      = 24 * time.Hour
	metaExchange = "/v26.0/oauth/access_token"
)

// metaClock is an adapter and a fake at one clock.
type metaClock struct {
	*metaWorld

	now      *clocktesting.FakePassiveClock
	adapter  *meta.Adapter
	sessions *conformance.Sessions
	token    string
	account  platform.Account
}

func newMetaClock(options ...metafake.Option) *metaClock {
	GinkgoHelper()
	m := &metaClock{now: clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second)), sessions: &conformance.Sessions{}}
	m.metaWorld = &metaWorld{fake: metafake.New(append([]metafake.Option{metafake.WithClock(m.now), metafake.WithProofRequired()}, options...)...)}
	DeferCleanup(m.fake.Close)
	m.app = m.fake.AddApp("Acme Rostra", metaRedirect)
	m.maria, m.robot, m.stranger = m.fake.AddUser("Maria"), m.fake.AddSystemUser("rostra"), m.fake.AddUser("Anna Customer")
	m.help = m.fake.AddPage("Acme.Help", "Acme Help", m.maria, m.robot)
	m.adapter = newMetaAdapter(m.fake.URL(), m.now)
	m.use(m.fake.IssueUserToken(m.app, m.maria))
	return m
}

func (m *metaClock) use(token string) {
	m.token, m.account = token, m.declared(m.help, "acmehelp", token)
	m.account.Sessions = m.sessions.Open()
}

func (m *metaClock) later(d time.Duration) { m.now.SetTime(m.now.Now().Add(d)) }

func (m *metaClock) verify(ctx context.Context) (platform.Identity, error) {
	return m.adapter.Verify(ctx, m.account)
}

func (m *metaClock) verified(ctx context.Context) platform.Identity {
	GinkgoHelper()
	identity, err := m.verify(ctx)
	Expect(err).NotTo(HaveOccurred())
	return identity
}

func (m *metaClock) exchanges() int { return m.fake.Requests()[metaExchange] }

// pageToken is what is delivered.
func (m *metaClock) pageToken() string {
	GinkgoHelper()
	credential, err := m.adapter.Deliverable(context.Background(), m.account)
	Expect(err).NotTo(HaveOccurred())
	Expect(credential.Values.Get("FACEBOOK_PAGE_ID")).To(Equal(m.help.ID))
	return credential.Values.Get("FACEBOOK_PAGE_ACCESS_TOKEN")
}

var _ = Describe("Meta: Verify", Label("meta"), func() {
	var m *metaClock

	BeforeEach(func() { m = newMetaClock() })

	It("outlives the token that it was given", func(ctx SpecContext) {
		Expect(m.verified(ctx)).To(And(HaveField("Renews", true), HaveField("ExpiresAt", BeZero()),
			HaveField("RenewAt", BeTemporally("==", m.now.Now().Add(46*metaDay)))))
		Expect(m.fake.Works(m.token)).To(BeTrue())
		m.later(3 * time.Hour)
		Expect(m.fake.Works(m.token)).To(BeFalse())
		m.verified(ctx)
		Expect(m.fake.Works(m.pageToken())).To(BeTrue())
		Expect(m.exchanges()).To(Equal(1))
	})

	It("exchanges the person's token again, a fortnight before it ends", func(ctx SpecContext) {
		m = newMetaClock(metafake.WithDataAccessUntil(time.Now().Add(400 * metaDay)))
		first := m.verified(ctx)
		before := m.pageToken()
		m.later(46*metaDay - time.Second)
		m.verified(ctx)
		Expect(m.exchanges()).To(Equal(1))
		m.later(time.Second)
		second := m.verified(ctx)
		Expect(m.exchanges()).To(Equal(2))
		Expect(second.RenewAt).To(BeTemporally("==", first.RenewAt.Add(46*metaDay)))
		Expect(m.pageToken()).NotTo(Equal(before))
		m.later(46 * metaDay)
		m.verified(ctx)
		Expect(m.exchanges()).To(Equal(3))
	})

	It("does without where Meta does not extend the person's token, and asks once a day", func(ctx SpecContext) {
		m = newMetaClock(metafake.WithoutExtension(), metafake.WithDataAccessUntil(time.Now().Add(400*metaDay)))
		m.verified(ctx)
		m.later(47 * metaDay)
		Expect(m.verified(ctx)).To(HaveField("RenewAt", BeTemporally("==", m.now.Now().Add(metaDay))))
		m.verified(ctx)
		Expect(m.exchanges()).To(Equal(2))
		m.later(20 * metaDay)
		Expect(m.verified(ctx)).To(And(HaveField("Renews", false), HaveField("RenewAt", BeZero()), HaveField("ExpiresAt", BeZero())),
			"the Page's token has no end")
	})

	It("stays in order while an exchange fails for now", func(ctx SpecContext) {
		m = newMetaClock(metafake.WithDataAccessUntil(time.Now().Add(400 * metaDay)))
		m.verified(ctx)
		before := m.pageToken()
		m.later(50 * metaDay)
		m.fake.Misbehave("oauth/access_token", metafake.GraphError(400, 2, 0)).Times(1)
		m.verified(ctx)
		Expect(m.pageToken()).To(Equal(before))
		m.verified(ctx)
		Expect(m.pageToken()).NotTo(Equal(before))
	})

	It("stores a renewed token before it is used, and loses nothing in a crash", func(ctx SpecContext) {
		m = newMetaClock(metafake.WithDataAccessUntil(time.Now().Add(400 * metaDay)))
		m.verified(ctx)
		for _, when := range []conformance.Mishap{conformance.CrashBefore, conformance.CrashAfter, conformance.Conflict} {
			m.later(50 * metaDay)
			m.sessions.NextSave(when)
			func() {
				defer func() { _ = recover() }()
				_, _ = m.verify(ctx)
			}()
			m.account.Sessions = m.sessions.Open()
			m.verified(ctx)
			Expect(m.fake.Works(m.pageToken())).To(BeTrue())
		}
	})

	It("asks for a person within thirty days of the end of access to their data", func(ctx SpecContext) {
		consent := m.now.Now().Add(90 * metaDay)
		m.verified(ctx)
		m.later(59 * metaDay)
		Expect(m.verified(ctx)).To(HaveField("Renews", true))
		m.later(metaDay)
		Expect(m.verified(ctx)).To(And(HaveField("Renews", false), HaveField("RenewAt", BeZero()), HaveField("ExpiresAt", BeTemporally("==", consent))))
	})

	It("derives another token where the Page's is no longer good", func(ctx SpecContext) {
		m.verified(ctx)
		before := m.pageToken()
		m.fake.KillToken(before, metafake.LoggedOut)
		m.later(3 * time.Hour)
		m.verified(ctx)
		Expect(m.pageToken()).NotTo(Equal(before))
		Expect(m.fake.Works(m.pageToken())).To(BeTrue())
	})

	DescribeTable("says why a person's authorisation is gone", func(ctx SpecContext, reason int, class platform.Class, message string) {
		m.verified(ctx)
		m.later(3 * time.Hour)
		m.fake.Kill(m.maria, reason)
		_, err := m.verify(ctx)
		Expect(err).To(failWith(class, message))
		m.fake.Kill(m.maria, 0)
		m.verified(ctx)
	},
		Entry("app removed", metafake.AppRemoved, platform.Revoked, "removed the app"),
		Entry("password", metafake.PasswordChanged, platform.Revoked, "changed their password"),
		Entry("checkpoint", metafake.Checkpoint, platform.PolicyBlocked, "confirm who they are"),
		Entry("logged out", metafake.LoggedOut, platform.Revoked, "invalidated"),
	)

	It("says that the person has lost the task on the Page", func(ctx SpecContext) {
		m.verified(ctx)
		m.fake.TakeTask(m.maria, m.help)
		_, err := m.verify(ctx)
		Expect(err).To(failWith(platform.InsufficientScope, "has no task on the Page"))
	})

	It("says that a token has expired", func(ctx SpecContext) {
		m.later(3 * time.Hour)
		_, err := m.verify(ctx)
		Expect(err).To(failWith(platform.Revoked, "has expired"))
	})

	It("names the permissions that are missing", func(ctx SpecContext) {
		m.use(m.fake.IssueUserToken(m.app, m.maria, "pages_show_list", "pages_read_engagement", "pages_manage_metadata", "pages_read_user_content"))
		for range 2 {
			_, err := m.verify(ctx)
			Expect(err).To(failWith(platform.InsufficientScope, "lacks the permissions pages_manage_posts for this Page"))
		}
	})

	It("does without the permission to read messages", func(ctx SpecContext) {
		m.use(m.fake.IssueUserToken(m.app, m.maria, "pages_show_list", "pages_read_engagement", "pages_manage_posts", "pages_manage_metadata", "pages_read_user_content"))
		m.verified(ctx)
	})

	It("finds a Page by its username alone, and another when the handle is changed", func(ctx SpecContext) {
		news := m.fake.AddPage("acme.news", "Acme News", m.maria)
		m.account.ID = ""
		Expect(m.verified(ctx)).To(HaveField("AccountID", m.help.ID))
		m.account.Handle = "acmenews"
		Expect(m.verified(ctx)).To(HaveField("AccountID", news.ID))
		m.account.Handle = "acmehelp"
		Expect(m.verified(ctx)).To(HaveField("AccountID", m.help.ID))
	})

	It("goes by the ID of a Page, declared for its handle or not", func(ctx SpecContext) {
		bare := m.fake.AddPage("", "Acme Bare", m.maria)
		m.account.ID, m.account.Handle = "", bare.ID
		Expect(m.verified(ctx)).To(And(HaveField("AccountID", bare.ID), HaveField("Handle", bare.ID)))
		m.account.ID, m.account.Handle = m.help.ID, m.help.ID
		Expect(m.verified(ctx)).To(HaveField("Handle", m.help.ID))
		m.account.Handle = "acmehelp"
		m.fake.Rename(m.help, "acme.support")
		Expect(m.verified(ctx)).To(HaveField("Handle", "acmesupport"))
	})

	DescribeTable("says that there is no such Page", func(ctx SpecContext, id, handle string) {
		m.account.ID, m.account.Handle = id, handle
		_, err := m.verify(ctx)
		Expect(platform.ClassOf(err)).To(Equal(platform.NotFound), "%v", err)
	},
		Entry("by ID", "4711", "acmehelp"),
		Entry("by username", "", "nobody"),
	)

	DescribeTable("says what is wrong with the token or the app", func(ctx SpecContext, spoil func(), class platform.Class, message string) {
		spoil()
		_, err := m.verify(ctx)
		Expect(err).To(failWith(class, message))
	},
		Entry("another app's token", func() {
			m.use(m.fake.IssueUserToken(m.fake.AddApp("another"), m.maria))
		}, platform.Permanent, "issued to another Meta app"),
		Entry("a wrong secret", func() {
			m.account.Application["client-secret"] = credentials.NewValue("wrong")
		}, platform.Permanent, "the app's ID and secret"),
		Entry("a wrong secret, at the exchange", func() {
			m.fake.Misbehave("oauth/access_token", metafake.GraphError(400, 1, 0))
		}, platform.Permanent, "the app's ID and secret"),
		Entry("an app that is gone, at the exchange", func() {
			m.fake.Misbehave("oauth/access_token", metafake.GraphError(400, 101, 0))
		}, platform.Permanent, "the app's ID and secret"),
		Entry("an exchange that is out of order", func() {
			m.fake.Misbehave("oauth/access_token", metafake.GraphError(500, 1, 0))
		}, platform.Transient, "out of order"),
		Entry("no app", func() { m.account.Application = nil }, platform.Permanent, "client-id and client-secret"),
		Entry("a token with a space", func() {
			m.account.Source = credentials.Values{"access-token": credentials.NewValue("EAA one")}
		}, platform.Permanent, "is not an access token"),
		Entry("a Page's token that ends", func() {
			m.use(m.fake.IssuePageToken(m.app, m.maria, m.help))
			m.fake.KillToken(m.token, metafake.PasswordChanged)
		}, platform.Revoked, "changed their password"),
		Entry("a limit that says when", func() {
			m.fake.Misbehave("debug_token", metafake.GraphError(403, 80001, 0))
		}, platform.RateLimited, "no more requests"),
	)

	It("delivers nothing before the account was verified", func(ctx SpecContext) {
		_, err := m.adapter.Deliverable(ctx, m.account)
		Expect(err).To(failWith(platform.Transient, "no token of the Page"))
	})

	It("takes no Page for another that its session is of", func(ctx SpecContext) {
		m.verified(ctx)
		m.account.ID = "4711"
		_, err := m.adapter.Deliverable(ctx, m.account)
		Expect(platform.ClassOf(err)).To(Equal(platform.Transient))
	})
})

var _ = Describe("Meta: ListAccounts", Label("meta"), func() {
	It("lists the Pages that the application's token leads to", func(ctx SpecContext) {
		m := newMetaClock()
		for range 120 {
			m.fake.AddPage("", "A Page", m.robot)
		}
		hidden := m.fake.AddPage("acme.hidden", "Hidden", m.robot)
		m.fake.Unpublish(hidden)
		foreign := m.fake.AddPage("elsewhere", "Elsewhere", m.maria)
		lister, err := m.adapter.Lister(m.account.Application)
		Expect(err).NotTo(HaveOccurred())
		listing := &platform.Listing{}
		for !listing.Done() {
			Expect(listing.Advance(ctx, lister)).To(Succeed())
		}
		Expect(listing.Accounts()).To(HaveLen(122))
		Expect(listing.Accounts()).To(ContainElements(
			platform.ListedAccount{ID: m.help.ID, Handle: "acmehelp", DisplayName: "Acme Help", State: platform.AccountActive},
			platform.ListedAccount{ID: hidden.ID, Handle: "acmehidden", DisplayName: "Hidden", State: platform.AccountInactive},
		))
		Expect(listing.Accounts()).NotTo(ContainElement(HaveField("ID", foreign.ID)))
		Expect(m.fake.Requests()["/v26.0/me/accounts"]).To(Equal(2))
	})

	It("says which key of the application is missing", func() {
		m := newMetaClock()
		delete(m.account.Application, "access-token")
		_, err := m.adapter.Lister(m.account.Application)
		Expect(err).To(failWith(platform.Permanent, "access-token"))
	})

	It("blames the application where its token is dead", func(ctx SpecContext) {
		m := newMetaClock()
		m.fake.Kill(m.robot, metafake.AppRemoved)
		lister, err := m.adapter.Lister(m.account.Application)
		Expect(err).NotTo(HaveOccurred())
		m.fake.Kill(m.robot, metafake.AppRemoved)
		_, err = lister.ListAccounts(ctx, "")
		Expect(err).To(failWith(platform.Permanent, "application's access-token"))
	})
})

var _ = Describe("Meta: Detect", Label("meta"), func() {
	It("knows a Graph API by its refusal", func(ctx SpecContext) {
		m := newMetaClock()
		Expect(m.adapter.Detect(ctx)).To(Equal(platform.Server{Software: "graph-api v26.0", Capabilities: []platform.Capability{platform.CapabilityScopes}}))
	})

	It("takes nothing else for one", func(ctx SpecContext) {
		server := newMastodonFake("Mastodon 4.3")
		_, err := newMetaAdapter(server.URL(), clock.RealClock{}).Detect(ctx)
		Expect(err).To(failWith(platform.Unknown, "is the server URL right"))
	})
})
