// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	blueskyfake "github.com/rostra-dev/rostra/test/fakes/bluesky"
	"github.com/rostra-dev/rostra/test/pds"
)

const (
	// pdsStart is enough for a first install on a slow machine.
	pdsStart = 9 * time.Minute
	// atproto is what the names of the methods used here begin with.
	atproto = "com.atproto."
	// accessLife is how long an access token of the PDS lives.
	accessLife = 2 * time.Hour
)

// withMainPassword and withAppPassword are what an adapter can do with such a
// source credential: only one of them can mint, and only the other can be
// revoked.
type (
	withMainPassword struct {
		platform.Platform
		platform.Issuer
		platform.SessionEnder
		platform.AccountLister
		platform.AccountNamer
		platform.Poller
	}
	withAppPassword struct {
		platform.Platform
		platform.Revoker
		platform.SessionEnder
		platform.Poller
	}
	blueskyPorts interface {
		platform.Platform
		platform.Issuer
		platform.Revoker
		platform.SessionEnder
		platform.AccountLister
		platform.AccountNamer
		platform.Poller
	}
)

// Detect leaves out what needs the port that is hidden.
func (w withAppPassword) Detect(ctx context.Context) (platform.Server, error) {
	server, err := w.Platform.Detect(ctx)
	server.Capabilities = slices.DeleteFunc(server.Capabilities, func(c platform.Capability) bool { return c == platform.CapabilityMint })
	return server, err
}

var _ = Describe("Bluesky", Ordered, ContinueOnFailure, Label("bluesky", "pds"), func() {
	server := &blueskyServer{}

	BeforeAll(func(ctx SpecContext) { server.start(ctx) }, NodeTimeout(pdsStart))

	conformance.Describe("the adapter with a main password", func(ctx SpecContext) conformance.Subject {
		subject := server.subject()
		good, other := server.newAccount(ctx), server.newAccount(ctx)
		subject.New = func() platform.Platform {
			made := newBlueskyAdapter(subject.url, clock.RealClock{})
			return withMainPassword{made, made, made, made, made, made}
		}
		subject.Good = blueskyAccount(good, good.Password, true)
		subject.Other = blueskyAccount(other, other.Password, true)
		subject.Other.Declared.ID = other.DID
		subject.Wrong = blueskyAccount(good, "never-the-password", true)
		subject.Server.Events = server.events(good)
		subject.Server.WithdrawSource = func(ctx context.Context) error {
			return server.ChangePassword(ctx, good, "the new password")
		}
		return subject.Subject
	})

	conformance.Describe("the adapter with an app password", func(ctx SpecContext) conformance.Subject {
		subject := server.subject()
		good, other := server.newAccount(ctx), server.newAccount(ctx)
		subject.New = func() platform.Platform {
			made := newBlueskyAdapter(subject.url, clock.RealClock{})
			return withAppPassword{made, made, made, made}
		}
		subject.Good = blueskyAccount(good, server.newAppPassword(ctx, good, "laptop"), false)
		subject.Other = blueskyAccount(other, server.newAppPassword(ctx, other, "laptop"), false)
		subject.Wrong = blueskyAccount(good, "aaaa-bbbb-cccc-dddd", false)
		subject.Wrong.Declared.ID = good.DID
		subject.Server.Events = server.events(good)
		subject.Server.WithdrawSource = func(ctx context.Context) error {
			return server.RevokeAppPassword(ctx, good, "laptop")
		}
		return subject.Subject
	})

	Describe("the adapter and a real server", func() {
		var (
			now      *clocktesting.FakePassiveClock
			adapter  blueskyPorts
			owner    pds.Account
			sessions *conformance.Sessions
			account  platform.Account
			identity platform.Identity
		)

		BeforeEach(func(ctx SpecContext) {
			now = clocktesting.NewFakePassiveClock(time.Now())
			adapter = newBlueskyAdapter(server.URL(), now)
			owner = server.newAccount(ctx)
			sessions = &conformance.Sessions{}
			declared := blueskyAccount(owner, owner.Password, true)
			account, identity = declared.Declared, declared.Identity
			account.Sessions = sessions.Open()
			server.asked()
		})

		later := func(d time.Duration) { now.SetTime(now.Now().Add(d)) }
		useAppPassword := func(ctx context.Context) {
			GinkgoHelper()
			account.Source = credentials.Values{"password": credentials.NewValue(server.newAppPassword(ctx, owner, "laptop"))}
			identity.CanMint = false
			account.ID = owner.DID
		}
		verify := func(ctx context.Context) {
			GinkgoHelper()
			Expect(adapter.Verify(ctx, account)).To(Equal(identity))
		}
		verifyFails := func(ctx context.Context, class platform.Class) {
			GinkgoHelper()
			_, err := adapter.Verify(ctx, account)
			Expect(err).To(HaveOccurred())
			Expect(platform.ClassOf(err)).To(Equal(class), "%v", err)
		}

		It("keeps to its budget of requests", func(ctx SpecContext) {
			_, err := adapter.Detect(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(server.asked()).To(Equal([]string{"server.describeServer", "_health"}))

			verify(ctx)
			Expect(server.asked()).To(Equal([]string{"server.createSession"}), "the first probe")
			account.ID = owner.DID

			later(time.Hour)
			verify(ctx)
			Expect(adapter.Issued(ctx, account)).To(BeEmpty())
			Expect(server.asked()).To(Equal([]string{"server.getSession", "server.listAppPasswords"}), "an hourly probe")

			later(time.Hour)
			verify(ctx)
			now.SetTime(time.Now()) // the server's clock: its new token lives
			Expect(adapter.Issued(ctx, account)).To(BeEmpty())
			Expect(server.asked()).To(Equal([]string{"server.refreshSession", "server.listAppPasswords"}), "every other hourly probe")

			credential, err := adapter.Mint(ctx, account, "rostra-acme-help-1")
			Expect(err).NotTo(HaveOccurred())
			_, err = adapter.Prove(ctx, account, credential)
			Expect(err).NotTo(HaveOccurred())
			Expect(server.asked()).To(Equal([]string{"server.createAppPassword", "server.createSession", "server.deleteSession"}))

			_, err = adapter.RevokeIssued(ctx, account, credential.ID)
			Expect(err).NotTo(HaveOccurred())
			Expect(server.asked()).To(Equal([]string{"server.revokeAppPassword"}))

			Expect(adapter.EndSession(ctx, account)).To(Succeed())
			Expect(server.asked()).To(Equal([]string{"server.deleteSession"}))

			useAppPassword(ctx)
			_, err = adapter.Revoke(ctx, account, deliverable(adapter, account))
			Expect(err).NotTo(HaveOccurred())
			Expect(server.asked()).To(Equal([]string{"server.createSession", "server.listAppPasswords", "server.revokeAppPassword"}))
		})

		It("needs no new login when it dies between a refresh and its storing", Label("S22"), func(ctx SpecContext) {
			verify(ctx)
			for range 3 {
				later(accessLife)
				sessions.NextSave(conformance.CrashBefore)
				Expect(func() { _, _ = adapter.Verify(ctx, account) }).To(PanicWith(conformance.Crash{}))
				adapter, account.Sessions = newBlueskyAdapter(server.URL(), now), sessions.Open()
				verify(ctx)
			}
			Expect(server.asked()).To(HaveExactElements("server.createSession",
				"server.refreshSession", "server.refreshSession", "server.refreshSession",
				"server.refreshSession", "server.refreshSession", "server.refreshSession"))
		})

		It("refreshes an access token that the server finds expired", func(ctx SpecContext) {
			verify(ctx)
			stored := sessions.Stored()
			expired, err := server.ExpiredToken(stored.Get("access-jwt"))
			Expect(err).NotTo(HaveOccurred())
			stored["access-jwt"] = credentials.NewValue(expired)
			sessions.Put(stored)
			now.SetTime(now.Now().Add(-time.Hour)) // Rostra's clock is behind
			verify(ctx)
			Expect(server.asked()).To(Equal([]string{"server.createSession", "server.getSession", "server.refreshSession"}))
		})

		It("logs in anew when both tokens have expired", func(ctx SpecContext) {
			verify(ctx)
			stored := sessions.Stored()
			for _, key := range []string{"access-jwt", "refresh-jwt"} {
				expired, err := server.ExpiredToken(stored.Get(key))
				Expect(err).NotTo(HaveOccurred())
				stored[key] = credentials.NewValue(expired)
			}
			sessions.Put(stored)
			verify(ctx)
			Expect(server.asked()).To(Equal([]string{"server.createSession", "server.refreshSession", "server.createSession"}))
		})

		It("tells a changed main password from a wrong one", Label("S12"), func(ctx SpecContext) {
			verify(ctx)
			Expect(server.ChangePassword(ctx, owner, "the new password")).To(Succeed())
			later(accessLife)
			verifyFails(ctx, platform.Revoked)

			account.Sessions = new(conformance.Sessions).Open()
			verifyFails(ctx, platform.Unauthorized)
		})

		It("keeps an app password's channel through a change of the main password", func(ctx SpecContext) {
			useAppPassword(ctx)
			verify(ctx)
			Expect(server.ChangePassword(ctx, owner, "the new password")).To(Succeed())
			later(accessLife)
			verify(ctx)
		})

		It("finds a revoked app password when its last access token ends", Label("S12"), func(ctx SpecContext) {
			useAppPassword(ctx)
			verify(ctx)
			Expect(server.RevokeAppPassword(ctx, owner, "laptop")).To(Succeed())
			verify(ctx) // the server still takes the access token
			later(accessLife)
			verifyFails(ctx, platform.Revoked)
		})

		It("says when the last access of a revoked credential ends", func(ctx SpecContext) {
			credential, err := adapter.Mint(ctx, account, "rostra-acme-help-1")
			Expect(err).NotTo(HaveOccurred())
			tool, err := server.CreateSession(ctx, owner.DID, credential.Values.Get(bluesky.KeyAppPassword))
			Expect(err).NotTo(HaveOccurred())
			now.SetTime(time.Now())
			revocation, err := adapter.RevokeIssued(ctx, account, credential.ID)
			Expect(err).NotTo(HaveOccurred())

			answer, err := server.Do(ctx, pds.Call{NSID: "com.atproto.server.getSession", Token: tool.AccessJWT})
			Expect(err).NotTo(HaveOccurred())
			Expect(answer.Status).To(Equal(200), "revoked is not dead")
			_, err = server.RefreshSession(ctx, tool.RefreshJWT)
			Expect(err).To(MatchError(pds.ErrRefused))
			Expect(revocation.EffectiveBy).To(BeTemporally("~", time.Now().Add(accessLife), time.Minute))
		})

		It("gives the new handle of a renamed account", Label("S8"), func(ctx SpecContext) {
			verify(ctx)
			identity.Handle = "new-" + owner.Handle
			Expect(server.ChangeHandle(ctx, owner, identity.Handle)).To(Succeed())
			verify(ctx)
			account.ID, account.Sessions = owner.DID, new(conformance.Sessions).Open()
			verify(ctx) // by the DID, since the old handle logs nobody in
		})

		DescribeTable("tells a blocked account from a dead credential", func(ctx SpecContext, block func(context.Context, pds.Account) error, class platform.Class, setUp ...func(context.Context)) {
			for _, step := range append(setUp, func(ctx context.Context) { Expect(block(ctx, owner)).To(Succeed()) }) {
				step(ctx)
			}
			verifyFails(ctx, class)
			later(accessLife)
			verifyFails(ctx, class)
		},
			Entry("taken down, a main password", server.takeDown, platform.PolicyBlocked),
			Entry("taken down, a main password in use", server.takeDown, platform.PolicyBlocked, verify),
			Entry("taken down, an app password", server.takeDown, platform.PolicyBlocked, useAppPassword),
			Entry("taken down, an app password in use", server.takeDown, platform.PolicyBlocked, useAppPassword, verify),
			Entry("deactivated, a main password", server.deactivate, platform.PolicyBlocked),
			Entry("deactivated, a main password in use", server.deactivate, platform.PolicyBlocked, verify),
			Entry("deactivated, an app password", server.deactivate, platform.PolicyBlocked, useAppPassword),
			Entry("deleted, a main password in use", server.delete, platform.NotFound, verify),
			Entry("deleted, an app password in use", server.delete, platform.NotFound, useAppPassword, verify),
		)

		It("does not mint with an app password", func(ctx SpecContext) {
			useAppPassword(ctx)
			_, err := adapter.Mint(ctx, account, "rostra-acme-help-1")
			Expect(platform.ClassOf(err)).To(Equal(platform.InsufficientScope), "%v", err)
			Expect(server.asked()).To(Equal([]string{"server.createSession"}))
		})

		It("takes no other account's session for the channel's", Label("S9"), func(ctx SpecContext) {
			other := server.newAccount(ctx)
			account.ID = other.DID
			account.Source["identifier"] = credentials.NewValue(owner.Handle)
			Expect(adapter.Verify(ctx, account)).To(HaveField("AccountID", owner.DID))
			_, err := adapter.Mint(ctx, account, "rostra-acme-help-1")
			Expect(platform.ClassOf(err)).To(Equal(platform.Permanent), "%v", err)
			Expect(server.ListAppPasswords(ctx, owner)).To(BeEmpty())
		})
	})

	It("says when the limit on logins ends", func(ctx SpecContext) {
		limited := &blueskyServer{Server: startPDS(ctx, pds.Options{RateLimits: true})}
		owner := limited.newAccount(ctx)
		adapter := newBlueskyAdapter(limited.URL(), clock.RealClock{})
		const logins = 30 // in five minutes
		for range logins {
			account := blueskyAccount(owner, owner.Password, true).Declared
			account.Sessions = new(conformance.Sessions).Open()
			_, err := adapter.Verify(ctx, account)
			Expect(err).NotTo(HaveOccurred())
		}
		account := blueskyAccount(owner, owner.Password, true).Declared
		account.Sessions = new(conformance.Sessions).Open()
		_, err := adapter.Verify(ctx, account)
		Expect(platform.ClassOf(err)).To(Equal(platform.RateLimited), "%v", err)
		Expect(platform.RetryAt(err)).To(And(
			BeTemporally(">", time.Now()), BeTemporally("<=", time.Now().Add(5*time.Minute+time.Second))))
	}, SpecTimeout(pdsStart))
})

// startPDS starts a server that ends with the spec or container. On a machine
// without the tools the specs are skipped, except in CI, where that would hide
// a broken set-up.
func startPDS(ctx context.Context, options pds.Options) *pds.Server {
	GinkgoHelper()
	options.Log = GinkgoWriter
	server, err := pds.Start(ctx, options)
	if errors.Is(err, pds.ErrUnavailable) && os.Getenv("CI") == "" {
		Skip(err.Error())
	}
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(server.Stop()).To(Succeed()) })
	return server
}

// blueskyServer is a PDS and what the specs know of it.
type blueskyServer struct {
	*pds.Server
	view     *blueskyfake.AppView // nil for none
	accounts atomic.Int64
	seen     int
}

// blueskySubject is a subject whose adapter speaks to the proxy at url.
type blueskySubject struct {
	conformance.Subject
	url string
}

// subject gives one without accounts.
func (s *blueskyServer) subject() *blueskySubject {
	GinkgoHelper()
	proxy, err := faults.NewProxy(s.URL())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(proxy.Close)
	return &blueskySubject{url: proxy.URL(), Subject: conformance.Subject{
		Clock: clock.RealClock{},
		Server: conformance.Server{
			Faults: &proxy.Injector,
			Paths: map[conformance.Call]string{
				conformance.CallOpenSession: "/xrpc/com.atproto.server.createSession",
				conformance.CallMint:        "/xrpc/com.atproto.server.createAppPassword",
				conformance.CallRevoke:      "/xrpc/com.atproto.server.revokeAppPassword",
			},
			Works: func(ctx context.Context, credential credentials.Credential) (bool, error) {
				_, err := s.CreateSession(ctx, credential.Values.Get(bluesky.KeyIdentifier), credential.Values.Get(bluesky.KeyAppPassword))
				if errors.Is(err, pds.ErrRefused) {
					return false, nil
				}
				return err == nil, err
			},
			ProbeBudget: 1,
		},
	}}
}

func (s *blueskyServer) newAccount(ctx context.Context) pds.Account {
	GinkgoHelper()
	account, err := s.CreateAccount(ctx, fmt.Sprintf("conform-%d.test", s.accounts.Add(1)))
	Expect(err).NotTo(HaveOccurred())
	return account
}

func (s *blueskyServer) newAppPassword(ctx context.Context, account pds.Account, name string) string {
	GinkgoHelper()
	password, err := s.CreateAppPassword(ctx, account, name)
	Expect(err).NotTo(HaveOccurred())
	return password
}

// asked gives the methods that the adapter called since it was last asked.
func (s *blueskyServer) asked() []string {
	GinkgoHelper()
	requests, err := s.Requests()
	Expect(err).NotTo(HaveOccurred())
	var methods []string
	for _, request := range requests[s.seen:] {
		methods = append(methods, strings.TrimPrefix(request.NSID, atproto))
	}
	s.seen = len(requests)
	return methods
}

// These stand in tables, which are made before the server runs.
func (s *blueskyServer) takeDown(ctx context.Context, account pds.Account) error {
	return s.TakeDown(ctx, account)
}

func (s *blueskyServer) deactivate(ctx context.Context, account pds.Account) error {
	return s.Deactivate(ctx, account)
}

func (s *blueskyServer) delete(ctx context.Context, account pds.Account) error {
	return s.DeleteAccount(ctx, account)
}

func newBlueskyAdapter(server string, clock clock.PassiveClock) blueskyPorts {
	GinkgoHelper()
	client, err := httpx.New(httpx.Options{
		UserAgent:      "rostra-test",
		Timeout:        8 * time.Second, // a login costs the server a good deal
		AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AccountRate:    1000,
		AccountBurst:   1000,
		BreakerAfter:   1000,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.CloseIdleConnections)
	made, err := bluesky.NewFactory(client, clock)(server)
	Expect(err).NotTo(HaveOccurred())
	adapter, ok := made.(blueskyPorts)
	Expect(ok).To(BeTrue())
	return adapter
}

// blueskyAccount declares an account with a source credential and no ID.
func blueskyAccount(account pds.Account, password string, canMint bool) conformance.Account {
	return conformance.Account{
		Declared: platform.Account{
			Handle: account.Handle,
			Source: credentials.Values{"password": credentials.NewValue(password)},
		},
		Identity: platform.Identity{AccountID: account.DID, Handle: account.Handle, CanMint: canMint},
		Secrets:  []string{password},
	}
}
