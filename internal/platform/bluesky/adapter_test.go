// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
)

// ports are all that the adapter implements.
type ports interface {
	platform.Platform
	platform.Issuer
	platform.Revoker
	platform.SessionEnder
}

func newAdapter(url string, clock *clocktesting.FakePassiveClock) ports {
	GinkgoHelper()
	client, err := httpx.New(httpx.Options{
		UserAgent:      "rostra-test",
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AccountRate:    1000, AccountBurst: 1000, BreakerAfter: 1000,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	made, err := bluesky.NewFactory(client, clock)(url)
	Expect(err).NotTo(HaveOccurred())
	return made.(ports)
}

func beClass(class platform.Class) OmegaMatcher {
	return WithTransform(func(err error) platform.Class {
		Expect(errors.As(err, new(*platform.Failure))).To(BeTrue(), "%v is no *platform.Failure", err)
		return platform.ClassOf(err)
	}, Equal(class))
}

var _ = Describe("The adapter", func() {
	var (
		ctx     context.Context
		clock   *clocktesting.FakePassiveClock
		log     *journal
		server  *pds
		shared  *store
		mine    *seat
		account platform.Account
		adapter ports
	)

	BeforeEach(func() {
		ctx = context.Background()
		clock = clocktesting.NewFakePassiveClock(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
		log = &journal{}
		server = newPDS(log, clock)
		DeferCleanup(server.Close)
		shared = &store{journal: log}
		mine = &seat{store: shared}
		account = platform.Account{
			Handle:   handle,
			Source:   credentials.Values{"password": credentials.NewValue(mainPassword)},
			Sessions: mine,
		}
		adapter = newAdapter(server.URL, clock)
	})

	AfterEach(func() {
		server.set(func(p *pds) {
			Expect(p.violations).To(BeEmpty(), "what a server must not be sent")
		})
	})

	pass := func(d time.Duration) { clock.SetTime(clock.Now().Add(d)) }
	verified := platform.Identity{AccountID: did, Handle: handle, CanMint: true}
	verify := func() platform.Identity {
		GinkgoHelper()
		identity, err := adapter.Verify(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		return identity
	}
	opened := func() {
		GinkgoHelper()
		verify()
		log.take()
	}
	withAppPassword := func() {
		GinkgoHelper()
		server.set(func(p *pds) { p.apps["laptop"] = "aaaa-bbbb-cccc-dddd" })
		account.Source = credentials.Values{"password": credentials.NewValue("aaaa-bbbb-cccc-dddd")}
	}

	Describe("verifying", func() {
		It("takes one request when a session is opened, refreshed or used, and stores tokens first", func() {
			Expect(verify()).To(Equal(verified))
			Expect(log.take()).To(Equal([]string{"load", "server.createSession", "save"}))

			pass(time.Hour)
			Expect(verify()).To(Equal(verified))
			Expect(log.take()).To(Equal([]string{"load", "server.getSession"}))

			pass(time.Hour)
			Expect(verify()).To(Equal(verified))
			Expect(log.take()).To(Equal([]string{"load", "server.refreshSession", "save"}))
		})

		It("logs in once and then only refreshes, for 100 days of hourly probes", func() {
			for range 100 * 24 {
				Expect(verify()).To(Equal(verified))
				pass(time.Hour)
			}
			count := map[string]int{}
			for _, method := range log.requests() {
				count[method]++
			}
			Expect(count).To(HaveKeyWithValue("server.createSession", 1))
			Expect(count["server.refreshSession"] + count["server.getSession"]).To(Equal(100*24 - 1))
			Expect(server.openLogins()).To(Equal(1))
		})

		It("refreshes an access token that is about to expire", func() {
			opened()
			pass(accessLife - 2*time.Minute)
			verify()
			Expect(log.requests()).To(Equal([]string{"server.refreshSession"}))
		})

		It("refreshes when the server's clock is ahead of Rostra's", func() {
			opened()
			behind := clocktesting.NewFakePassiveClock(clock.Now())
			adapter = newAdapter(server.URL, behind)
			pass(accessLife + time.Minute)
			Expect(verify()).To(Equal(verified))
			Expect(log.take()).To(Equal([]string{"load", "server.getSession", "server.refreshSession", "save"}))
		})

		It("works with tokens that tell nothing", func() {
			server.set(func(p *pds) { p.opaque = true })
			Expect(verify()).To(Equal(verified))
			pass(3 * time.Hour)
			Expect(verify()).To(Equal(verified))
			Expect(log.requests()).To(Equal([]string{"server.createSession", "server.getSession", "server.refreshSession"}))
		})

		It("logs in by what the source says, else the DID, else the handle", func() {
			server.set(func(p *pds) { p.handle = "renamed.acme.test" })
			account.ID = did
			Expect(verify().Handle).To(Equal("renamed.acme.test"))

			account.ID = ""
			*shared = store{journal: log}
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(platform.Unauthorized))

			account.Source["identifier"] = credentials.NewValue("@renamed.acme.test\n")
			account.Source["password"] = credentials.NewValue(mainPassword + "\n")
			Expect(verify().AccountID).To(Equal(did))
		})

		It("logs in by the DID of the last session where the handle has changed", func() {
			opened()
			server.set(func(p *pds) { p.handle = "renamed.acme.test" })
			pass(100 * 24 * time.Hour)
			Expect(verify().Handle).To(Equal("renamed.acme.test"))
			Expect(log.requests()).To(Equal([]string{"server.refreshSession", "server.createSession"}))
		})

		It("tells that an app password cannot mint", func() {
			withAppPassword()
			Expect(verify()).To(Equal(platform.Identity{AccountID: did, Handle: handle}))
		})

		It("gives the handle of an account whose handle does not resolve", func() {
			server.set(func(p *pds) { p.handle = "handle.invalid" })
			account.ID = did
			Expect(verify().Handle).To(Equal("handle.invalid"))
		})

		It("asks no server without a password", func() {
			account.Source = credentials.Values{"passwort": credentials.NewValue(mainPassword)}
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(platform.Permanent))
			Expect(err).To(MatchError(ContainSubstring("password")))
			Expect(log.requests()).To(BeEmpty())
		})

		DescribeTable("a stored session that somebody damaged is replaced", func(stored credentials.Values, requests ...string) {
			shared.values, shared.version = stored, 7
			Expect(verify()).To(Equal(verified))
			Expect(log.requests()).To(Equal(requests))
		},
			Entry("empty", credentials.Values{}, "server.createSession"),
			Entry("unusable in a header", credentials.Values{"access-jwt": credentials.NewValue("a\r\nb"), "refresh-jwt": credentials.NewValue("c d")}, "server.createSession"),
			Entry("tokens of nobody", credentials.Values{"access-jwt": credentials.NewValue("x"), "refresh-jwt": credentials.NewValue("y")},
				"server.getSession", "server.refreshSession", "server.createSession"),
		)
	})

	Describe("refreshing", func() {
		BeforeEach(func() {
			opened()
			pass(accessLife)
		})

		DescribeTable("a failure that may pass never leads to a new login", func(class platform.Class, spoil func()) {
			spoil()
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(class))
			Expect(log.take()).To(Equal([]string{"load", "server.refreshSession"}))
			Expect(verify()).To(Equal(verified))
			Expect(log.requests()).To(Equal([]string{"server.refreshSession"}))
			Expect(server.openLogins()).To(Equal(1))
		},
			Entry("an error of the server's own", platform.Transient, func() {
				server.fail("server.refreshSession", 500, "InternalServerError", "Internal Server Error")
			}),
			Entry("a lost answer", platform.Transient, func() { server.lose("server.refreshSession") }),
			Entry("half an answer", platform.Unknown, func() {
				server.answer("server.refreshSession", true, page(200, "application/json", `{"did":"did:plc:ewvi7nx`))
			}),
			Entry("HTML", platform.Unknown, func() {
				server.answer("server.refreshSession", true, page(200, "text/html", "<html>Welcome</html>"))
			}),
			Entry("a proxy's 401", platform.Unknown, func() {
				server.answer("server.refreshSession", false, page(401, "text/html", "<html>Log in</html>"))
			}),
			Entry("10 MB", platform.Unknown, func() {
				server.answer("server.refreshSession", true, page(200, "application/json", strings.Repeat(" ", 10<<20)))
			}),
			Entry("an empty answer", platform.Unknown, func() {
				server.answer("server.refreshSession", true, page(200, "application/json", ""))
			}),
			Entry("an answer without tokens", platform.Unknown, func() {
				server.answer("server.refreshSession", true, page(200, "application/json", `{"did":"`+did+`","handle":"`+handle+`"}`))
			}),
			Entry("too many requests", platform.RateLimited, func() {
				server.fail("server.refreshSession", 429, "RateLimitExceeded", "Rate Limit Exceeded")
			}),
		)

		It("says when a limited server takes requests again", func() {
			reset := time.Now().Add(3 * time.Minute).Truncate(time.Second)
			server.answer("server.refreshSession", false, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("RateLimit-Reset", fmt.Sprint(reset.Unix()))
				refuse(w, 429, "RateLimitExceeded", "Rate Limit Exceeded")
			})
			_, err := adapter.Verify(ctx, account)
			Expect(platform.RetryAt(err)).To(BeTemporally("==", reset))
		})

		DescribeTable("a refused refresh leads to one login", func(status int, name string) {
			server.fail("server.refreshSession", status, name, "Token has been revoked")
			Expect(verify()).To(Equal(verified))
			Expect(log.take()).To(Equal([]string{"load", "server.refreshSession", "server.createSession", "save"}))
		},
			Entry(nil, 400, "ExpiredToken"),
			Entry(nil, 400, "InvalidToken"),
			Entry(nil, 401, "AuthMissing"),
		)

		It("leaves a refresh token that works when the process dies before storing", func() {
			mine.beforeSave = func() error { panic("the process dies here") }
			Expect(func() { _, _ = adapter.Verify(ctx, account) }).To(Panic())

			log.take()
			account.Sessions = &seat{store: shared}
			adapter = newAdapter(server.URL, clock)
			Expect(verify()).To(Equal(verified))
			Expect(log.requests()).To(Equal([]string{"server.refreshSession"}))
			Expect(server.openLogins()).To(Equal(1))
		})

		It("uses no token that could not be stored", func() {
			mine.beforeSave = func() error { return errors.New("the API server is away") }
			_, err := adapter.Issued(ctx, account)
			Expect(err).To(beClass(platform.Transient))
			Expect(log.take()).To(Equal([]string{"load", "server.refreshSession", "save"}))
		})

		It("stores what was rotated even if the caller gives up", func() {
			cancelled, cancel := context.WithCancel(ctx)
			mine.beforeSave = func() error { cancel(); return nil }
			_, err := adapter.Verify(cancelled, account)
			Expect(err).NotTo(HaveOccurred())
			Expect(shared.version).To(Equal(2))
		})

		It("uses the session of a writer that was first", func() {
			other := account
			other.Sessions = &seat{store: shared}
			mine.beforeSave = func() error {
				mine.beforeSave = nil
				_, err := adapter.Verify(ctx, other)
				Expect(err).NotTo(HaveOccurred())
				return nil
			}
			Expect(verify()).To(Equal(verified))
			Expect(log.take()).To(Equal([]string{
				"load", "server.refreshSession", "save",
				"load", "server.refreshSession", "save",
				"load", "server.getSession",
			}))
			Expect(server.openLogins()).To(Equal(1))
		})

		It("does not guess when a writer was first and left nothing", func() {
			mine.beforeSave = func() error {
				shared.version, shared.values = shared.version+1, nil
				return nil
			}
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(platform.Transient))
			Expect(err).To(MatchError(platform.ErrSessionConflict))
		})

		It("ends a login of its own that another writer made useless", func() {
			server.changePassword("new")
			account.Source["password"] = credentials.NewValue("new")
			other := account
			other.Sessions = &seat{store: shared}
			mine.beforeSave = func() error {
				mine.beforeSave = nil
				_, err := adapter.Verify(ctx, other)
				Expect(err).NotTo(HaveOccurred())
				return nil
			}
			Expect(verify()).To(Equal(verified))
			Expect(server.openLogins()).To(Equal(1))
			Expect(log.requests()).To(HaveExactElements(
				"server.refreshSession", "server.createSession",
				"server.refreshSession", "server.createSession",
				"server.deleteSession", "server.getSession",
			))
		})
	})

	Describe("a login that is refused", func() {
		It("is tried once in a call, and is Unauthorized where the password never worked", func() {
			account.Source["password"] = credentials.NewValue("wrong")
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(platform.Unauthorized))
			Expect(log.take()).To(Equal([]string{"load", "server.createSession"}))
		})

		It("is Revoked where the password worked before", Label("S12"), func() {
			opened()
			server.changePassword("new")
			pass(accessLife)
			for range 2 {
				_, err := adapter.Verify(ctx, account)
				Expect(err).To(beClass(platform.Revoked))
				Expect(err).To(MatchError("the server accepted this password before and does so no more: it was changed or revoked"))
			}
		})

		It("is PolicyBlocked where an app password is refused because the account is taken down", func() {
			withAppPassword()
			account.ID = did
			server.set(func(p *pds) { p.state = "takendown" })
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(platform.PolicyBlocked))
			Expect(log.requests()).To(Equal([]string{"server.createSession", "sync.getRepoStatus"}))
		})

		It("stays refused where the state of the account cannot be learned", func() {
			account.ID = did
			account.Source["password"] = credentials.NewValue("wrong")
			server.fail("sync.getRepoStatus", 503, "NotEnoughResources", "Busy")
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(platform.Unauthorized))
		})

		It("says what to do about codes by e-mail, and asks for no second one", func() {
			server.fail("server.createSession", 401, "AuthFactorTokenRequired", "A sign in code has been sent to your email address")
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(platform.InsufficientScope))
			Expect(err).To(MatchError(ContainSubstring("app password")))
			Expect(log.requests()).To(HaveLen(1))
		})
	})

	Describe("an account in trouble", func() {
		DescribeTable("with a live session", func(state string, class platform.Class) {
			opened()
			server.set(func(p *pds) { p.state = state })
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(class))
			Expect(log.requests()).NotTo(ContainElement("server.createSession"))
		},
			Entry(nil, "deactivated", platform.PolicyBlocked),
			Entry(nil, "suspended", platform.PolicyBlocked),
			Entry(nil, "takendown", platform.PolicyBlocked),
			Entry(nil, "deleted", platform.NotFound),
		)

		DescribeTable("with a session that must be refreshed", func(state string, class platform.Class) {
			opened()
			pass(accessLife)
			server.set(func(p *pds) { p.state = state })
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(class))
			Expect(log.requests()).To(Equal([]string{"server.refreshSession"}))
		},
			Entry(nil, "deactivated", platform.PolicyBlocked),
			Entry(nil, "suspended", platform.PolicyBlocked),
			Entry(nil, "takendown", platform.PolicyBlocked),
			Entry(nil, "deleted", platform.NotFound),
		)

		DescribeTable("without a session", func(state string, class platform.Class) {
			server.set(func(p *pds) { p.state = state })
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(class))
			Expect(log.requests()).To(Equal([]string{"server.createSession"}))
		},
			Entry(nil, "deactivated", platform.PolicyBlocked),
			Entry(nil, "suspended", platform.PolicyBlocked),
			Entry(nil, "takendown", platform.PolicyBlocked),
			Entry(nil, "deleted", platform.Unauthorized), // the server says no more than that
		)

		It("keeps the session of a deactivated account, which may come back", func() {
			server.set(func(p *pds) { p.state = "deactivated" })
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(beClass(platform.PolicyBlocked))
			server.set(func(p *pds) { p.state = "" })
			log.take()
			Expect(verify()).To(Equal(verified))
			Expect(log.requests()).To(Equal([]string{"server.getSession"}))
		})
	})

	Describe("issuing", func() {
		BeforeEach(func() {
			account.ID = did
			opened()
		})

		It("mints, proves, lists and revokes", func() {
			credential, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).NotTo(HaveOccurred())
			Expect(credential.ID).To(Equal("rostra-1"))
			Expect(credential.Values).To(HaveLen(2))
			Expect(credential.Values.Get("BLUESKY_IDENTIFIER")).To(Equal(did))
			Expect(credential.Values.Get("BLUESKY_APP_PASSWORD")).To(Equal(server.apps["rostra-1"]))
			Expect(log.requests()).To(Equal([]string{"server.createAppPassword"}))

			identity, err := adapter.Prove(ctx, account, credential)
			Expect(err).NotTo(HaveOccurred())
			Expect(identity).To(Equal(platform.Identity{AccountID: did, Handle: handle}))
			Expect(log.requests()).To(Equal([]string{"server.createSession", "server.deleteSession"}))
			Expect(server.openLogins()).To(Equal(1))

			Expect(adapter.Issued(ctx, account)).To(Equal([]string{"rostra-1"}))
			Expect(log.requests()).To(Equal([]string{"server.listAppPasswords"}))

			for range 2 { // absent is a success
				revocation, err := adapter.RevokeIssued(ctx, account, "rostra-1")
				Expect(err).NotTo(HaveOccurred())
				Expect(revocation.EffectiveBy).To(Equal(clock.Now().Add(accessLife)))
				Expect(log.requests()).To(Equal([]string{"server.revokeAppPassword"}))
			}
			Expect(adapter.Issued(ctx, account)).To(BeEmpty())

			_, err = adapter.Prove(ctx, account, credential)
			Expect(err).To(beClass(platform.Unauthorized))
		})

		It("stores rotated tokens before it mints with them", func() {
			pass(accessLife)
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).NotTo(HaveOccurred())
			Expect(log.take()).To(Equal([]string{"load", "server.refreshSession", "save", "server.createAppPassword"}))
		})

		It("renews a session that the server has ended, and tries once more", func() {
			server.fail("server.createAppPassword", 400, "ExpiredToken", "Token has expired")
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).NotTo(HaveOccurred())
			Expect(log.requests()).To(Equal([]string{"server.createAppPassword", "server.refreshSession", "server.createAppPassword"}))
		})

		It("does not take the refusal of a new token for that of the password", func() {
			for range 2 {
				server.fail("server.listAppPasswords", 400, "ExpiredToken", "Token has expired")
			}
			_, err := adapter.Issued(ctx, account)
			Expect(err).To(beClass(platform.Unknown))
			Expect(log.requests()).To(Equal([]string{"server.listAppPasswords", "server.refreshSession", "server.listAppPasswords"}))
		})

		It("finds the Conflict behind the server's error 500", func() {
			server.set(func(p *pds) { p.apps["rostra-1"] = "somebody's" })
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Conflict))
			Expect(log.requests()).To(Equal([]string{"server.createAppPassword", "server.listAppPasswords"}))
		})

		It("leaves an error 500 alone where the name is free", func() {
			server.fail("server.createAppPassword", 500, "InternalServerError", "Internal Server Error")
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Transient))
			_, err = adapter.Mint(ctx, account, "rostra-1")
			Expect(err).NotTo(HaveOccurred())
		})

		It("finds the app password whose answer was lost", Label("S22"), func() {
			server.lose("server.createAppPassword")
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Conflict))
			Expect(server.apps).To(HaveLen(1))
		})

		It("does not take a lost answer for a Conflict where it cannot look", func() {
			server.lose("server.createAppPassword")
			server.lose("server.listAppPasswords")
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Transient))
			_, err = adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Conflict))
		})

		It("delivers no secret that an unreadable answer held", func() {
			server.answer("server.createAppPassword", true, page(200, "application/json", `{"name":"rostra-1","password":"hunter2-hun`))
			credential, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Conflict))
			Expect(credential).To(Equal(credentials.Credential{}))
		})

		It("delivers no app password that has another name than it asked for", func() {
			server.answer("server.createAppPassword", false, page(200, "application/json", `{"name":"rostra","password":"aaaa-bbbb-cccc-dddd"}`))
			credential, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Unknown))
			Expect(credential).To(Equal(credentials.Credential{}))
		})

		It("does not ask for an app password with an app password", func() {
			*shared = store{journal: log}
			withAppPassword()
			opened()
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.InsufficientScope))
			Expect(log.requests()).To(BeEmpty())
		})

		It("hears from the server that it cannot mint where the token does not say", func() {
			*shared = store{journal: log}
			server.set(func(p *pds) { p.opaque = true })
			withAppPassword()
			opened()
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.InsufficientScope))
			Expect(log.requests()).To(Equal([]string{"server.createAppPassword"}))
		})

		It("touches no other account than the channel's", Label("S9"), func() {
			account.ID = otherDID
			account.Source["identifier"] = credentials.NewValue(handle)
			_, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Permanent))
			_, err = adapter.RevokeIssued(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Permanent))
			pass(accessLife)
			_, err = adapter.Issued(ctx, account)
			Expect(err).To(beClass(platform.Permanent))
			Expect(log.requests()).To(Equal([]string{"server.refreshSession"}))

			credential := credentials.Credential{Values: credentials.Values{
				"BLUESKY_IDENTIFIER": credentials.NewValue(did), "BLUESKY_APP_PASSWORD": credentials.NewValue(mainPassword),
			}}
			_, err = adapter.Prove(ctx, account, credential)
			Expect(err).To(beClass(platform.Permanent))
			Expect(server.openLogins()).To(Equal(1))
		})

		It("proves a credential even if the server keeps the login", func() {
			credential, err := adapter.Mint(ctx, account, "rostra-1")
			Expect(err).NotTo(HaveOccurred())
			server.fail("server.deleteSession", 500, "InternalServerError", "Internal Server Error")
			Expect(adapter.Prove(ctx, account, credential)).To(HaveField("AccountID", did))
		})

		It("takes no page of a proxy for a revocation", func() {
			server.answer("server.revokeAppPassword", false, page(200, "text/html", "<html>Welcome</html>"))
			_, err := adapter.RevokeIssued(ctx, account, "rostra-1")
			Expect(err).To(beClass(platform.Unknown))
		})

		It("has nothing to revoke where the account is deleted", Label("S19"), func() {
			server.set(func(p *pds) { p.state = "deleted" })
			pass(accessLife)
			revocation, err := adapter.RevokeIssued(ctx, account, "rostra-1")
			Expect(err).NotTo(HaveOccurred())
			Expect(revocation.EffectiveBy).To(Equal(clock.Now().Add(accessLife)))
		})
	})

	Describe("revoking a credential at hand", func() {
		BeforeEach(func() {
			withAppPassword()
			account.ID = did
		})

		It("lets an app password take itself back by its name", func() {
			server.set(func(p *pds) { p.apps["phone"] = "eeee-ffff-gggg-hhhh" })
			account.Source["app-password-name"] = credentials.NewValue("laptop\n")
			credential := deliverable(adapter, account)
			Expect(credential.Values.Get("BLUESKY_APP_PASSWORD_NAME")).To(Equal("laptop"))
			revocation, err := adapter.Revoke(ctx, account, credential)
			Expect(err).NotTo(HaveOccurred())
			Expect(revocation.EffectiveBy).To(Equal(clock.Now().Add(accessLife)))
			Expect(log.requests()).To(Equal([]string{"server.createSession", "server.listAppPasswords", "server.revokeAppPassword"}))
			Expect(server.apps).To(And(HaveLen(1), HaveKey("phone")))
			Expect(server.openLogins()).To(BeZero())

			_, err = adapter.Revoke(ctx, account, credential) // works no more: a success
			Expect(err).NotTo(HaveOccurred())
		})

		It("knows by its ID one that Rostra minted", func() {
			server.set(func(p *pds) { p.apps["phone"] = "eeee-ffff-gggg-hhhh" })
			credential := deliverable(adapter, account)
			credential.ID = "laptop"
			_, err := adapter.Revoke(ctx, account, credential)
			Expect(err).NotTo(HaveOccurred())
			Expect(server.apps).To(And(HaveLen(1), HaveKey("phone")))
		})

		It("needs no name where there is only one", func() {
			_, err := adapter.Revoke(ctx, account, deliverable(adapter, account))
			Expect(err).NotTo(HaveOccurred())
			Expect(server.apps).To(BeEmpty())
		})

		It("never guesses among several", func() {
			server.set(func(p *pds) { p.apps["phone"] = "eeee-ffff-gggg-hhhh" })
			_, err := adapter.Revoke(ctx, account, deliverable(adapter, account))
			Expect(err).To(beClass(platform.Permanent))
			Expect(server.apps).To(HaveLen(2))
			Expect(server.openLogins()).To(BeZero())

			account.Source["app-password-name"] = credentials.NewValue("tablet") // not one of them
			_, err = adapter.Revoke(ctx, account, deliverable(adapter, account))
			Expect(err).To(beClass(platform.Permanent))
			Expect(server.apps).To(HaveLen(2))
		})

		It("says that a main password cannot be revoked", func() {
			account.Source["password"] = credentials.NewValue(mainPassword)
			_, err := adapter.Revoke(ctx, account, deliverable(adapter, account))
			Expect(err).To(beClass(platform.Permanent))
			Expect(server.openLogins()).To(BeZero())
		})

		It("does not call an outage a success", func() {
			server.fail("server.createSession", 502, "UpstreamFailure", "Upstream Failure")
			_, err := adapter.Revoke(ctx, account, deliverable(adapter, account))
			Expect(err).To(beClass(platform.Transient))
		})

		It("asks for what a credential lacks", func() {
			_, err := adapter.Revoke(ctx, account, credentials.Credential{})
			Expect(err).To(beClass(platform.Permanent))
			Expect(log.requests()).To(BeEmpty())
		})
	})

	Describe("delivering the source itself", func() {
		It("uses the keys of a minted credential", func() {
			account.Source = credentials.Values{
				"identifier": credentials.NewValue("help@acme.example"), "password": credentials.NewValue("aaaa-bbbb-cccc-dddd\n"),
			}
			credential := deliverable(adapter, account)
			Expect(credential.Values.Get("BLUESKY_IDENTIFIER")).To(Equal("help@acme.example"))
			Expect(credential.Values.Get("BLUESKY_APP_PASSWORD")).To(Equal("aaaa-bbbb-cccc-dddd"))
			Expect(credential.Values).To(HaveLen(2))
			account.ID = did
			Expect(deliverable(adapter, account).Values.Get("BLUESKY_IDENTIFIER")).To(Equal(did))
		})
	})

	Describe("ending the session", func() {
		It("ends it at the server and forgets it", func() {
			opened()
			Expect(adapter.EndSession(ctx, account)).To(Succeed())
			Expect(log.take()).To(Equal([]string{"load", "server.deleteSession", "save"}))
			Expect(server.openLogins()).To(BeZero())
			Expect(adapter.EndSession(ctx, account)).To(Succeed())
			Expect(log.take()).To(Equal([]string{"load"}))
		})

		It("forgets one that the server has forgotten", func() {
			opened()
			server.fail("server.deleteSession", 400, "InvalidToken", "Token could not be verified")
			Expect(adapter.EndSession(ctx, account)).To(Succeed())
			Expect(shared.values).To(BeNil())
		})

		It("keeps one while the server does not answer", func() {
			opened()
			server.fail("server.deleteSession", 503, "NotEnoughResources", "Busy")
			Expect(adapter.EndSession(ctx, account)).To(beClass(platform.Transient))
			Expect(shared.values).NotTo(BeNil())
		})
	})

	Describe("detecting", func() {
		It("names the software and what can be done", func() {
			Expect(adapter.Detect(ctx)).To(Equal(platform.Server{
				Software:     "atproto-pds 0.4.217",
				Capabilities: []platform.Capability{platform.CapabilityMint, platform.CapabilityRevoke},
			}))
			Expect(log.requests()).To(Equal([]string{"server.describeServer", "_health"}))
		})

		DescribeTable("does without a version", func(status int, body string) {
			server.answer("_health", false, page(status, "application/json", body))
			Expect(adapter.Detect(ctx)).To(HaveField("Software", BeEmpty()))
		},
			Entry("none", 200, `{}`),
			Entry("an odd one", 200, `{"version":"1\n2"}`),
			Entry("not found", 404, ``),
			Entry("out of order", 503, `{"version":"1","error":"Service Unavailable"}`),
		)

		DescribeTable("is not fooled by other servers", func(status int, contentType, body string, class platform.Class) {
			server.answer("server.describeServer", false, page(status, contentType, body))
			_, err := adapter.Detect(ctx)
			Expect(err).To(beClass(class))
			Expect(err).To(MatchError(ContainSubstring("URL right")))
		},
			Entry("a website", 200, "text/html", "<html>", platform.Unknown),
			Entry("a website without such a page", 404, "text/html", "<html>", platform.Unknown),
			Entry("some other API", 200, "application/json", `{}`, platform.Unknown),
			Entry("an AppView", 501, "application/json", `{"error":"MethodNotImplemented","message":"Method Not Implemented"}`, platform.Permanent),
		)

		It("follows no redirect", func() {
			server.answer("server.describeServer", false, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://www.acme.example/", http.StatusFound)
			})
			_, err := adapter.Detect(ctx)
			Expect(err).To(beClass(platform.Permanent))
		})
	})

	Describe("secrets", func() {
		It("show in no error", func() {
			secret := "hunter2-hunter2"
			server.answer("server.createSession", false, page(400, "application/json", `{"error":"hunter2-hunter2 ","message":"hunter2-hunter2"}`))
			account.Source["password"] = credentials.NewValue(secret)
			for range 3 {
				_, err := adapter.Verify(ctx, account)
				for ; err != nil; err = errors.Unwrap(err) {
					Expect(fmt.Sprintf("%v %+v %#v %s", err, err, err, err)).NotTo(ContainSubstring(secret))
				}
			}
		})
	})
})

var _ = Describe("A factory", func() {
	It("refuses what is no server", func() {
		client, err := httpx.New(httpx.Options{UserAgent: "rostra-test"})
		Expect(err).NotTo(HaveOccurred())
		_, err = bluesky.NewFactory(client, clocktesting.NewFakePassiveClock(time.Time{}))("https://user@bsky.social/xrpc")
		Expect(err).To(HaveOccurred())
	})

	It("dials no private address", func() {
		client, err := httpx.New(httpx.Options{UserAgent: "rostra-test"})
		Expect(err).NotTo(HaveOccurred())
		adapter, err := bluesky.NewFactory(client, clocktesting.NewFakePassiveClock(time.Time{}))("https://127.0.0.1")
		Expect(err).NotTo(HaveOccurred())
		_, err = adapter.Detect(context.Background())
		Expect(err).To(beClass(platform.Permanent))
	})

	It("knows the world's accounts by DID", func() {
		adapter := newAdapter("https://bsky.social", clocktesting.NewFakePassiveClock(time.Time{}))
		Expect(adapter.ClaimScope()).To(BeEmpty())
		Expect(adapter.CheckAccountID(did)).To(Succeed())
		Expect(adapter.NormaliseHandle("Help.Acme.example")).To(Equal("help.acme.example"))
		Expect(adapter.SourceKeys()).To(ContainElement(And(HaveField("Name", "password"), HaveField("Required", true))))
	})
})

// page answers with whatever a server should not.
func page(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func deliverable(adapter platform.Platform, account platform.Account) credentials.Credential {
	GinkgoHelper()
	credential, err := adapter.Deliverable(context.Background(), account)
	Expect(err).NotTo(HaveOccurred())
	return credential
}
