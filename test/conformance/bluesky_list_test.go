// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/pds"
)

var _ = Describe("Bluesky: the accounts of a company's own server", Ordered, Label("bluesky", "pds", "S16"), func() {
	server := &blueskyServer{}
	var adapter blueskyPorts

	BeforeAll(func(ctx SpecContext) {
		server.Server = startPDS(ctx, pds.Options{})
	}, NodeTimeout(pdsStart))

	BeforeEach(func() { adapter = newBlueskyAdapter(server.URL(), clock.RealClock{}) })

	states := func(ctx context.Context) map[string]platform.AccountState {
		GinkgoHelper()
		listing := &platform.Listing{}
		for !listing.Done() {
			Expect(listing.Advance(ctx, adapter)).To(Succeed())
		}
		found := map[string]platform.AccountState{}
		for _, account := range listing.Accounts() {
			found[account.ID] = account.State
		}
		return found
	}

	It("are none at first", func(ctx SpecContext) {
		Expect(states(ctx)).To(BeEmpty())
	})

	It("are told apart by how they stand", func(ctx SpecContext) {
		active, away, blocked, gone := server.newAccount(ctx), server.newAccount(ctx), server.newAccount(ctx), server.newAccount(ctx)
		Expect(server.Deactivate(ctx, away)).To(Succeed())
		Expect(server.TakeDown(ctx, blocked)).To(Succeed())
		Expect(server.DeleteAccount(ctx, gone)).To(Succeed())
		Expect(states(ctx)).To(Equal(map[string]platform.AccountState{
			active.DID: platform.AccountActive, away.DID: platform.AccountInactive, blocked.DID: platform.AccountBlocked,
		}))
		Expect(server.Activate(ctx, away)).To(Succeed())
		Expect(states(ctx)).To(HaveKeyWithValue(away.DID, platform.AccountActive))

		Expect(adapter.HandleOf(ctx, active.DID)).To(Equal(active.Handle))
		for _, account := range []pds.Account{blocked, gone} {
			_, err := adapter.HandleOf(ctx, account.DID)
			Expect(err).To(failWith(platform.NotFound, "does not show the account"))
		}
		Expect(server.Deactivate(ctx, away)).To(Succeed())
		_, err := adapter.HandleOf(ctx, away.DID)
		Expect(err).To(failWith(platform.NotFound, "does not show the account"))
	})

	It("keep their place when they are renamed", func(ctx SpecContext) {
		account := server.newAccount(ctx)
		Expect(server.ChangeHandle(ctx, account, "new-"+account.Handle)).To(Succeed())
		Expect(states(ctx)).To(HaveKey(account.DID))
		Expect(adapter.HandleOf(ctx, account.DID)).To(Equal("new-" + account.Handle))
	})

	It("come in pages, each of them once", func(ctx SpecContext) {
		for range 3 {
			server.newAccount(ctx)
		}
		all, server := states(ctx), server
		server.asked()
		Expect(states(ctx)).To(Equal(all))
		Expect(server.asked()).To(HaveEach("sync.listRepos"), "nothing else, and no login")
		answer, err := server.Do(ctx, pds.Call{NSID: "com.atproto.sync.listRepos", Query: map[string][]string{"limit": {"1"}}})
		Expect(err).NotTo(HaveOccurred())
		Expect(strings.Count(string(answer.Body), `"did"`)).To(Equal(1), "the server gives pages: %s", answer.Body)
		Expect(string(answer.Body)).To(ContainSubstring(`"cursor"`))
	})

	It("are not listed from a cursor of somebody's own", func(ctx SpecContext) {
		_, err := adapter.ListAccounts(ctx, "nonsense")
		Expect(platform.ClassOf(err)).To(Equal(platform.Permanent), "%v", err)
	})
})
