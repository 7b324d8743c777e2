// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

var _ = Describe("Connecting an account of Mastodon", func() {
	var g *gateway
	var server *mastodonfake.Server
	var somebody person
	BeforeEach(func(ctx context.Context) {
		g = newGateway()
		server = mastodonfake.New()
		DeferCleanup(server.Close)
		server.AddAccount("help")
		server.AddAccount("other")
		adapter, err := mastodon.NewFactory(parts.outbound, clock.RealClock{})(server.URL())
		Expect(err).NotTo(HaveOccurred())
		// No application: one is registered on the way.
		g.serve(connect.Subject{Handle: "@help", Platform: "Mastodon", Server: server.URL()}, adapter)
		somebody = newPerson(ctx)
	})

	goes := func(ctx context.Context) {
		GinkgoHelper()
		Expect(somebody.opens(ctx, g.link())).To(Equal(http.StatusOK))
		somebody.clicks(ctx, "button", "Continue to Mastodon")
		somebody.arrives(ctx, "Authorization required")
	}

	It("registers an application and stores what the owner grants", func(ctx context.Context) {
		goes(ctx)
		somebody.fills(ctx, "Username", "help")
		somebody.clicks(ctx, "button", "Authorize")
		text := somebody.arrives(ctx, "Connected: help")
		stored := g.stored()
		Expect(stored).NotTo(BeNil())
		access := stored.source.Get("access-token")
		Expect(server.TokenWorks(access)).To(BeTrue())
		Expect(server.AppOf(access).RedirectURIs).To(ConsistOf(g.callback()))
		Expect(text + g.logged()).NotTo(Or(ContainSubstring(access), ContainSubstring(server.AppOf(access).ClientSecret)))
	})

	It("takes a no", func(ctx context.Context) {
		goes(ctx)
		somebody.clicks(ctx, "button", "Deny")
		somebody.arrives(ctx, "You did not agree")
		Expect(g.stored()).To(BeNil())
	})

	It("refuses another account", func(ctx context.Context) {
		goes(ctx)
		somebody.fills(ctx, "Username", "other")
		somebody.clicks(ctx, "button", "Authorize")
		Expect(somebody.arrives(ctx, "This is another account")).To(And(
			ContainSubstring("This is other; the channel is for @help."), ContainSubstring("was ended at Mastodon")))
		Expect(g.stored()).To(BeNil())
	})

	It("refuses a consent without what the channel needs", func(ctx context.Context) {
		server.NarrowGrants("read:accounts", "read:statuses", "read:notifications", "push")
		goes(ctx)
		somebody.fills(ctx, "Username", "help")
		somebody.clicks(ctx, "button", "Authorize")
		Expect(somebody.arrives(ctx, "Not everything was granted")).To(ContainSubstring("write:statuses"))
		Expect(g.stored()).To(BeNil())
	})

	It("says that the server is down", func(ctx context.Context) {
		server.SetDown(true)
		Expect(somebody.opens(ctx, g.link())).To(Equal(http.StatusOK))
		somebody.clicks(ctx, "button", "Continue to Mastodon")
		Expect(somebody.arrives(ctx, "Mastodon did not go along")).To(ContainSubstring("Reference"))
		Expect(g.stored()).To(BeNil())
	})
})
