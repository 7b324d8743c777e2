// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	"github.com/rostra-dev/rostra/internal/platform/x"
	xfake "github.com/rostra-dev/rostra/test/fakes/x"
)

const (
	xPathToken = "/2/oauth2/token"
	xPathMe    = "/2/users/me"
)

// xStore is a session store in which things happen at the worst moment.
type xStore struct {
	platform.SessionStore

	beforeSave func() error
	afterLoad  func()
}

func (s *xStore) Load(ctx context.Context) (credentials.Values, error) {
	values, err := s.SessionStore.Load(ctx)
	if then := s.afterLoad; then != nil {
		s.afterLoad = nil
		then()
	}
	return values, err
}

func (s *xStore) Save(ctx context.Context, session credentials.Values) error {
	if s.beforeSave != nil {
		if err := s.beforeSave(); err != nil {
			return err
		}
	}
	return s.SessionStore.Save(ctx, session)
}

// refreshing is the help desk as declared with a refresh token, and what is
// kept of its session.
func (w *xWorld) refreshing(scopes ...string) (platform.Account, *conformance.Sessions) {
	if scopes == nil {
		scopes = xfake.Scopes()
	}
	declared := w.account(w.help, w.fake.Grant(w.help, w.app, scopes...), true).Declared
	kept := &conformance.Sessions{}
	declared.Sessions = kept.Open()
	return declared, kept
}

func (w *xWorld) count(path string) int { return w.fake.Requests()[path] }

func (w *xWorld) step(by time.Duration) {
	standing, ok := w.clock.(*clocktesting.FakePassiveClock)
	Expect(ok).To(BeTrue())
	standing.SetTime(w.clock.Now().Add(by))
}

// isRevokedNextTime expects that a first refusal of the refresh token is taken
// for another process's work, and the next for what it is.
func (w *xWorld) isRevokedNextTime(ctx context.Context, adapter *x.Adapter, account platform.Account, first error) {
	GinkgoHelper()
	Expect(first).To(failWith(platform.Transient, "another process"))
	Expect(platform.RetryAt(first)).To(BeTemporally("==", w.clock.Now().Add(10*time.Second)))
	w.step(10 * time.Second)
	_, err := adapter.Verify(ctx, account)
	Expect(err).To(failWith(platform.Revoked, "rostra connect"))
}

// crashing runs do, in which the process ends.
func crashing(do func()) {
	GinkgoHelper()
	defer func() { Expect(recover()).To(Equal(conformance.Crash{})) }()
	do()
}

var _ = Describe("X's session", Label("x"), func() {
	It("is renewed when less than a third of the token's life is left", func(ctx SpecContext) {
		w := newXWorld(xfake.WithAccessLife(30 * time.Minute))
		adapter := w.adapter()
		account, _ := w.refreshing()
		identity, err := adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		Expect(identity.Renews).To(BeTrue())
		Expect(identity.ExpiresAt).To(BeTemporally("==", w.clock.Now().Add(30*time.Minute)))
		Expect(identity.RenewAt).To(BeTemporally("==", w.clock.Now().Add(20*time.Minute)))
		first := deliverable(adapter, account)
		Expect(first.ExpiresAt).To(BeTemporally("==", identity.ExpiresAt))
		Expect(first.Values.Get("X_USER_ID")).To(Equal(w.help.ID))

		w.step(20*time.Minute - time.Second)
		Expect(adapter.Verify(ctx, account)).To(HaveField("RenewAt", BeTemporally("==", identity.RenewAt)))
		Expect(w.count(xPathToken)).To(Equal(1))
		w.step(time.Second)
		Expect(adapter.Verify(ctx, account)).To(HaveField("RenewAt", BeTemporally("==", w.clock.Now().Add(20*time.Minute))))
		Expect(w.count(xPathToken)).To(Equal(2))
		Expect(deliverable(adapter, account).Values.Get("X_ACCESS_TOKEN")).NotTo(Equal(first.Values.Get("X_ACCESS_TOKEN")))
	})

	It("is stored before it is used, and is not lost where it cannot be stored", func(ctx SpecContext) {
		w := newXWorld()
		adapter := w.adapter()
		account, kept := w.refreshing()
		broken := &xStore{SessionStore: account.Sessions, beforeSave: func() error { return errors.New("the cluster is away") }}
		account.Sessions = broken
		for range 3 {
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(failWith(platform.Transient, "cannot be stored"))
		}
		Expect(w.count(xPathMe)).To(BeZero(), "an access token that is not stored must not be used")
		Expect(kept.Stored()).To(BeEmpty())
		broken.beforeSave = nil
		Expect(adapter.Verify(ctx, account)).To(HaveField("AccountID", w.help.ID))
		Expect(w.count(xPathToken)).To(Equal(1), "the refresh token works once")
		Expect(kept.Stored()).NotTo(BeEmpty())
	})

	It("is stored when another writer has changed something else", func(ctx SpecContext) {
		w := newXWorld()
		account, kept := w.refreshing()
		kept.NextSave(conformance.Conflict)
		Expect(w.adapter().Verify(ctx, account)).To(HaveField("AccountID", w.help.ID))
		Expect(w.count(xPathToken)).To(Equal(1))
		Expect(kept.Stored()).NotTo(BeEmpty())
	})

	It("is another writer's where that has renewed it meanwhile", func(ctx SpecContext) {
		w := newXWorld()
		account, kept := w.refreshing()
		other := account
		other.Sessions = kept.Open()
		account.Sessions = &xStore{SessionStore: account.Sessions, afterLoad: func() {
			// It has renewed, and not used what came of it: X would end the grant
			// where a spent token is used after that.
			w.fake.Faults().Inject(xPathMe, faults.Status(http.StatusServiceUnavailable)).Times(1)
			_, err := w.adapter().Verify(ctx, other)
			Expect(err).To(failWith(platform.Transient, "out of order"))
		}}
		Expect(w.adapter().Verify(ctx, account)).To(HaveField("AccountID", w.help.ID), "another process was first, and X has refused the spent token")
		Expect(w.adapter().Verify(ctx, other)).To(HaveField("AccountID", w.help.ID), "the grant is alive")
	})

	It("survives the end of the process after it was stored", func(ctx SpecContext) {
		w := newXWorld()
		account, kept := w.refreshing()
		kept.NextSave(conformance.CrashAfter)
		crashing(func() { _, _ = w.adapter().Verify(ctx, account) })
		account.Sessions = kept.Open()
		Expect(w.adapter().Verify(ctx, account)).To(HaveField("AccountID", w.help.ID))
		Expect(w.count(xPathToken)).To(Equal(1))
	})

	DescribeTable("that was lost is asked for once more", func(ctx SpecContext, lose func(SpecContext, *xWorld, platform.Account, *conformance.Sessions)) {
		for _, graceful := range []bool{false, true} {
			var options []xfake.Option
			if graceful {
				options = append(options, xfake.WithGrace())
			}
			w := newXWorld(options...)
			account, kept := w.refreshing()
			lose(ctx, w, account, kept)
			account.Sessions = kept.Open()
			adapter := w.adapter()
			identity, err := adapter.Verify(ctx, account)
			if graceful {
				Expect(err).NotTo(HaveOccurred())
				Expect(identity.AccountID).To(Equal(w.help.ID))
				continue
			}
			w.isRevokedNextTime(ctx, adapter, account, err)
		}
	},
		Entry("with the process, before it was stored", func(ctx SpecContext, w *xWorld, account platform.Account, kept *conformance.Sessions) {
			kept.NextSave(conformance.CrashBefore)
			crashing(func() { _, _ = w.adapter().Verify(ctx, account) })
		}),
		Entry("on the way", func(ctx SpecContext, w *xWorld, account platform.Account, _ *conformance.Sessions) {
			w.fake.Faults().Inject(xPathToken, faults.LostAnswer()).Times(1)
			_, err := w.adapter().Verify(ctx, account)
			Expect(platform.ClassOf(err).Passing()).To(BeTrue(), "%v", err)
		}),
	)

	It("goes on with the old access token while a renewal fails for now", func(ctx SpecContext) {
		w := newXWorld()
		adapter := w.adapter()
		account, _ := w.refreshing()
		_, err := adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		w.step(100 * time.Minute)
		w.fake.Faults().Inject(xPathToken, faults.Status(http.StatusServiceUnavailable))
		identity, err := adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		Expect(identity.RenewAt).To(BeTemporally("==", w.clock.Now().Add(5*time.Minute)), "a quarter of what is left")
		w.step(20 * time.Minute)
		_, err = adapter.Verify(ctx, account)
		Expect(err).To(failWith(platform.Transient, "out of order"))
		w.fake.Faults().Heal()
		Expect(adapter.Verify(ctx, account)).To(HaveField("AccountID", w.help.ID))
	})

	It("is renewed ahead of time where X refuses the access token alone", func(ctx SpecContext) {
		w := newXWorld()
		adapter := w.adapter()
		account, _ := w.refreshing()
		_, err := adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		_, err = adapter.Revoke(ctx, account, deliverable(adapter, account))
		Expect(err).NotTo(HaveOccurred())
		Expect(adapter.Verify(ctx, account)).To(HaveField("AccountID", w.help.ID), "the grant stays")
		w.fake.Withdraw(w.help, w.app)
		_, err = adapter.Verify(ctx, account)
		w.isRevokedNextTime(ctx, adapter, account, err)
	})

	It("is not called revoked while another process stores what it has renewed", func(ctx SpecContext) {
		w := newXWorld()
		account, kept := w.refreshing()
		adapter := w.adapter()
		before, err := adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		w.step(before.RenewAt.Sub(w.clock.Now()))
		other := account
		other.Sessions = kept.Open()
		saving := &xStore{SessionStore: other.Sessions}
		other.Sessions = saving
		saving.beforeSave = func() error {
			meanwhile, err := adapter.Verify(ctx, account)
			Expect(err).NotTo(HaveOccurred(), "the access token lives")
			Expect(meanwhile.RenewAt).To(BeTemporally("==", w.clock.Now().Add(time.Minute)))
			asked := w.count(xPathToken)
			w.step(20 * time.Second)
			_, err = adapter.Verify(ctx, account)
			Expect(err).NotTo(HaveOccurred())
			Expect(w.count(xPathToken)).To(Equal(asked), "X may end the grant where a spent token comes again")
			return nil
		}
		_, err = w.adapter().Verify(ctx, other)
		Expect(err).NotTo(HaveOccurred())
		w.step(time.Minute)
		Expect(adapter.Verify(ctx, account)).To(HaveField("AccountID", w.help.ID))
		Expect(deliverable(adapter, account).Values).To(Equal(deliverable(adapter, other).Values))
	})

	It("is called revoked while the access token lives, once the refresh token is refused for long", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		before, err := adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		w.step(before.RenewAt.Sub(w.clock.Now()))
		refusal := faults.Answer(http.StatusBadRequest, "application/json", `{"error":"invalid_grant"}`)
		w.fake.Faults().Inject(xPathToken, refusal)
		for range 2 {
			_, err = adapter.Verify(ctx, account)
			Expect(err).NotTo(HaveOccurred())
		}
		w.step(30 * time.Second)
		for range 2 {
			_, err = adapter.Verify(ctx, account)
			Expect(err).To(failWith(platform.Revoked, "rostra connect"))
		}
	})

	It("is not called revoked by many calls at once", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		w.fake.Withdraw(w.help, w.app)
		adapter := w.adapter()
		for range 3 {
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(failWith(platform.Transient, "another process"))
			Expect(platform.RetryAt(err)).To(BeTemporally("==", w.clock.Now().Add(10*time.Second)))
		}
		Expect(w.count(xPathToken)).To(Equal(1))
	})

	It("names the scopes that the consent lacks", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing("tweet.read", "users.read", "offline.access")
		_, err := w.adapter().Verify(ctx, account)
		Expect(err).To(failWith(platform.InsufficientScope, "the scope tweet.write:"))
		account, _ = w.refreshing("tweet.read", "tweet.write", "users.read", "offline.access")
		adapter := w.adapter()
		_, err = adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		_, err = adapter.Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url})
		Expect(err).To(failWith(platform.InsufficientScope, "dm.read, dm.write"))
	})

	DescribeTable("blames the application where that is at fault", func(ctx SpecContext, change func(*xfake.App), words string) {
		w := newXWorld()
		account, _ := w.refreshing()
		w.fake.ChangeApp(w.app, change)
		_, err := w.adapter().Verify(ctx, account)
		Expect(platform.ClassOf(err)).To(BeElementOf(platform.Permanent, platform.PolicyBlocked))
		Expect(err).To(MatchError(ContainSubstring(words)))
	},
		Entry("another secret", func(app *xfake.App) { app.ClientSecret = "another" }, "client-secret"),
		Entry("no enrolment", func(app *xfake.App) { app.NotEnrolled = true }, "enrol"),
	)

	It("is one of a public client, without a secret", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		w.fake.ChangeApp(w.app, func(app *xfake.App) { app.ClientSecret = "" })
		delete(account.Application, "client-secret")
		Expect(w.adapter().Verify(ctx, account)).To(HaveField("AccountID", w.help.ID))
	})

	DescribeTable("says whose fault it is", func(ctx SpecContext, prepare func(*xWorld), class platform.Class, words string) {
		w := newXWorld()
		adapter := w.adapter()
		account, _ := w.refreshing()
		_, err := adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		prepare(w)
		_, err = adapter.Verify(ctx, account)
		Expect(err).To(failWith(class, words))
	},
		Entry("credits", func(w *xWorld) { w.fake.Faults().Inject(xPathMe, xfake.CreditsDepleted()) }, platform.PolicyBlocked, "billing"),
		Entry("the monthly cap", func(w *xWorld) { w.fake.Faults().Inject(xPathMe, xfake.UsageCapped()) }, platform.RateLimited, "billing"),
		Entry("a suspended account", func(w *xWorld) { w.fake.SetState(w.help, xfake.Suspended) }, platform.PolicyBlocked, "suspended"),
		Entry("a locked account", func(w *xWorld) { w.fake.SetState(w.help, xfake.Locked) }, platform.PolicyBlocked, "locked"),
		Entry("errors in a success", func(w *xWorld) {
			w.fake.Faults().Inject(xPathMe, xfake.PartialError("client-forbidden", "Client Forbidden", "x"))
		}, platform.PolicyBlocked, "developer console"),
	)

	DescribeTable("needs a token", func(ctx SpecContext, source credentials.Values, words string) {
		w := newXWorld()
		account, _ := w.refreshing()
		account.Source = source
		before := w.fake.Faults().Total()
		_, err := w.adapter().Verify(ctx, account)
		Expect(err).To(failWith(platform.Permanent, words))
		Expect(w.fake.Faults().Total()).To(Equal(before))
	},
		Entry("of either kind", credentials.Values{}, "refresh-token, or access-token"),
		Entry("that is one", credentials.Values{"access-token": credentials.NewValue("two words")}, "access-token"),
	)
})

var _ = Describe("X's consent", Label("x"), func() {
	It("is asked for on X's own page", func() {
		w := newXWorld()
		request := platform.AuthorizationRequest{RedirectURL: xRedirect, State: "s", Challenge: "c"}
		page, err := w.adapterAt("https://api.x.com").AuthorizationURL(w.application(), request)
		Expect(err).NotTo(HaveOccurred())
		Expect(page).To(HavePrefix("https://x.com/i/oauth2/authorize?"))
		Expect(page).To(ContainSubstring("scope=tweet.read%20tweet.write%20users.read%20offline.access%20dm.read%20dm.write"))
		page, err = w.adapter().AuthorizationURL(w.application(), request)
		Expect(err).NotTo(HaveOccurred())
		Expect(page).To(HavePrefix(w.fake.URL() + "/i/oauth2/authorize?"))
		for _, incomplete := range []platform.AuthorizationRequest{{}, {RedirectURL: xRedirect, State: "s"}, {State: "s", Challenge: "c"}} {
			_, err = w.adapter().AuthorizationURL(w.application(), incomplete)
			Expect(err).To(HaveOccurred())
		}
	})

	It("of less than is needed says what is missing", func(ctx SpecContext) {
		w := newXWorld()
		w.fake.Faults().Inject(xPathToken, faults.Answer(http.StatusOK, "application/json",
			`{"token_type":"bearer","access_token":"access-of-less","expires_in":900,"scope":"tweet.read users.read"}`))
		granted, err := w.adapter().Redeem(ctx, w.application(), platform.Grant{Code: "c", Verifier: "v", RedirectURL: xRedirect})
		Expect(err).NotTo(HaveOccurred())
		Expect(granted.Missing).To(ConsistOf("tweet.write", "offline.access"))
		Expect(granted.Source).To(HaveLen(1))
		Expect(granted.ExpiresAt).To(BeTemporally("==", w.clock.Now().Add(15*time.Minute)))
	})

	It("is known from tokens of another server where the fake is told of them", func(ctx SpecContext) {
		w := newXWorld(xfake.WithTokenUser(func(_ context.Context, token string) (string, []string, bool) {
			return "4242", xfake.Scopes(), token == "given-elsewhere"
		}))
		w.fake.AddAccountAs("4242", "elsewhere")
		account := platform.Account{Handle: "elsewhere", Source: credentials.Values{"access-token": credentials.NewValue("given-elsewhere")}}
		account.Sessions = (&conformance.Sessions{}).Open()
		Expect(w.adapter().Verify(ctx, account)).To(HaveField("AccountID", "4242"))
		account.Source["access-token"] = credentials.NewValue("given-by-nobody")
		_, err := w.adapter().Verify(ctx, account)
		Expect(err).To(failWith(platform.Unauthorized, "access token"))
	})
})

// adapterAt is an adapter for another server.
func (w *xWorld) adapterAt(server string) *x.Adapter {
	GinkgoHelper()
	made, err := x.NewFactory(nil, w.clock)(server)
	Expect(err).NotTo(HaveOccurred())
	adapter, ok := made.(*x.Adapter)
	Expect(ok).To(BeTrue())
	return adapter
}
