// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/test/pds"
)

var _ = Describe("Accounts on the company's own server", Serial, Label("S16"), func() {
	// patience covers the delay for which changes of channels are gathered, and
	// the pause between two turns at the server.
	const patience = 90 * time.Second

	It("are reported until a channel claims them", func(ctx SpecContext) {
		acme := newCompany(ctx)
		// A server of its own, so that the list is known to the last account.
		own, err := pds.Start(ctx, pds.Options{Log: GinkgoWriter})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(own.Stop)
		var accounts []pds.Account
		for n := range 4 {
			account, err := own.CreateAccount(ctx, fmt.Sprintf("%s-desk-%d.test", acme.name, n))
			Expect(err).NotTo(HaveOccurred())
			accounts = append(accounts, account)
		}
		Expect(own.Deactivate(ctx, accounts[3])).To(Succeed())
		social := &v1alpha1.SocialPlatform{
			ObjectMeta: metav1.ObjectMeta{Name: acme.in("own")},
			Spec: v1alpha1.SocialPlatformSpec{
				Type: v1alpha1.PlatformBluesky, Bluesky: &v1alpha1.BlueskyPlatform{Service: own.URL()}, AllowedNamespaces: &metav1.LabelSelector{},
				Discovery: &v1alpha1.AccountDiscovery{},
			},
		}
		Expect(parts.client.Create(ctx, social)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(parts.client.Delete(ctx, social)).To(Succeed()) })
		reports := func(ctx context.Context, want map[string]v1alpha1.UnclaimedAccountState) {
			GinkgoHelper()
			Eventually(func(g Gomega) {
				g.Expect(parts.client.Get(ctx, client.ObjectKeyFromObject(social), social)).To(Succeed())
				g.Expect(meta.IsStatusConditionTrue(social.Status.Conditions, v1alpha1.ConditionAccountsDiscovered)).To(BeTrue())
				g.Expect(social.Status.Unclaimed).NotTo(BeNil())
				g.Expect(*social.Status.Unclaimed.Count).To(BeEquivalentTo(len(want)))
				got := map[string]v1alpha1.UnclaimedAccountState{}
				for _, account := range social.Status.Unclaimed.Accounts {
					got[account.ID+" "+account.Handle] = account.State
				}
				g.Expect(got).To(Equal(want))
			}).WithTimeout(patience).Should(Succeed())
		}
		const active, inactive = v1alpha1.UnclaimedActive, v1alpha1.UnclaimedInactive
		name := func(n int) string { return accounts[n].DID + " " + accounts[n].Handle }
		away := accounts[3].DID + " "
		reports(ctx, map[string]v1alpha1.UnclaimedAccountState{name(0): active, name(1): active, name(2): active, away: inactive})
		Expect(meta.IsStatusConditionTrue(social.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), "unclaimed accounts are no fault")

		lists, err := own.RequestCount("com.atproto.sync.listRepos")
		Expect(err).NotTo(HaveOccurred())
		logins, err := own.RequestCount("com.atproto.server.createSession")
		Expect(err).NotTo(HaveOccurred())
		Expect(logins).To(BeZero(), "nobody logs in to look")

		byHandle := acme.channel(social.Name, accounts[0].Handle)
		Expect(parts.client.Create(ctx, byHandle)).To(Succeed())
		reports(ctx, map[string]v1alpha1.UnclaimedAccountState{name(1): active, name(2): active, away: inactive})
		acme.source(ctx, map[string]string{"password": accounts[0].Password})
		acme.ready(ctx)
		pinned := acme.channel(social.Name, accounts[3].Handle)
		pinned.Name, pinned.Spec.AccountID, pinned.Spec.Credentials.Delivery.SecretName = "away", accounts[3].DID, "away"
		Expect(parts.client.Create(ctx, pinned)).To(Succeed())
		reports(ctx, map[string]v1alpha1.UnclaimedAccountState{name(1): active, name(2): active})

		Expect(parts.client.Delete(ctx, pinned)).To(Succeed())
		reports(ctx, map[string]v1alpha1.UnclaimedAccountState{name(1): active, name(2): active, away: inactive})
		Expect(own.RequestCount("com.atproto.sync.listRepos")).To(Equal(lists), "channels that come and go cost no list")
	})
})
