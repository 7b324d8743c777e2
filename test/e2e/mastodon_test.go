// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const accessToken = "MASTODON_ACCESS_TOKEN"

var _ = Describe("An account on a server that cannot mint", func() {
	It("has its token delivered, moved, and revoked once it is replaced", Label("S4", "S6"), func(ctx SpecContext) {
		acme := newCompany(ctx)
		user := parts.mastodon.AddAccount(acme.name + "_help")
		app := parts.mastodon.AddApp("rostra", "profile", "read", "write")
		first := parts.mastodon.IssueTokenOf(app, user, "profile", "read", "write")
		source := map[string]string{"access-token": first, "client-id": app.ClientID, "client-secret": app.ClientSecret}
		acme.source(ctx, source)
		Expect(parts.client.Create(ctx, acme.channel("mastodon", "@"+user.Username))).To(Succeed())
		acme.ready(ctx)
		Expect(acme.delivered(ctx, "marketing", accessToken)).To(Equal(first))

		By("moving it: the token is the same, so the old owner has seen it")
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = acme.in("care") })
		acme.reports(ctx, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSeenByLeaver)
		Eventually(func() string { return acme.delivered(ctx, "marketing", accessToken) }).Should(BeEmpty())
		Expect(acme.delivered(ctx, "care", accessToken)).To(Equal(first))

		By("replacing it: the old one is revoked at once, since people who are out have seen it")
		second := parts.mastodon.IssueTokenOf(app, user, "profile", "read", "write")
		secret := &corev1.Secret{}
		Expect(parts.client.Get(ctx, client.ObjectKey{Namespace: acme.in("social"), Name: "help-source"}, secret)).To(Succeed())
		secret.Data["access-token"] = []byte(second)
		Expect(parts.client.Update(ctx, secret)).To(Succeed())
		Eventually(func() bool { return parts.mastodon.TokenWorks(first) }).Should(BeFalse())
		acme.ready(ctx)
		Expect(acme.delivered(ctx, "care", accessToken)).To(Equal(second))
		Expect(parts.mastodon.TokenWorks(second)).To(BeTrue())
	})
})

var _ = Describe("What people look at beside channels", func() {
	It("shows platforms with what they can do, and teams with what they own", func(ctx SpecContext) {
		acme := newCompany(ctx)
		user := parts.mastodon.AddAccount(acme.name + "_help")
		acme.source(ctx, map[string]string{"access-token": parts.mastodon.IssueToken(user, "profile", "read", "write")})
		Expect(parts.client.Create(ctx, acme.channel("mastodon", user.Username))).To(Succeed())
		acme.ready(ctx)
		Eventually(func(g Gomega) {
			for name, capability := range map[string]string{"bluesky": "Mint", "mastodon": "Revoke"} {
				social := &v1alpha1.SocialPlatform{}
				g.Expect(parts.client.Get(ctx, client.ObjectKey{Name: name}, social)).To(Succeed())
				g.Expect(meta.IsStatusConditionTrue(social.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
				g.Expect(social.Status.Capabilities).To(ContainElement(capability))
			}
			team := &v1alpha1.Team{}
			g.Expect(parts.client.Get(ctx, client.ObjectKey{Name: acme.in("marketing")}, team)).To(Succeed())
			g.Expect(team.Status.Channels.Names).To(ConsistOf(acme.in("social") + "/help"))
			g.Expect(team.Status.ActiveMembers).To(Equal([]string{"bob", "eve"}))
		}).Should(Succeed())
	})

	DescribeTable("dials no address that a manifest should not lead to", Label("S25"), func(ctx SpecContext, address, words string) {
		acme := newCompany(ctx)
		Expect(parts.client.Create(ctx, &v1alpha1.SocialPlatform{
			ObjectMeta: metav1.ObjectMeta{Name: acme.in("inside")},
			Spec: v1alpha1.SocialPlatformSpec{
				Type: v1alpha1.PlatformMastodon, Mastodon: &v1alpha1.MastodonPlatform{Server: address}, AllowedNamespaces: &metav1.LabelSelector{},
			},
		})).To(Succeed())
		acme.source(ctx, map[string]string{"access-token": "a-token-that-must-not-leave"})
		Expect(parts.client.Create(ctx, acme.channel(acme.in("inside"), "news"))).To(Succeed())
		acme.reports(ctx, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPlatformRefused)
		Eventually(func(g Gomega) {
			social := &v1alpha1.SocialPlatform{}
			g.Expect(parts.client.Get(ctx, client.ObjectKey{Name: acme.in("inside")}, social)).To(Succeed())
			reachable := meta.FindStatusCondition(social.Status.Conditions, v1alpha1.ConditionReachable)
			g.Expect(reachable).NotTo(BeNil())
			g.Expect(reachable.Status).To(Equal(metav1.ConditionFalse))
			g.Expect(reachable.Message).To(ContainSubstring(words))
		}).Should(Succeed())
	},
		Entry("of a private network", "https://10.11.12.13", "allow"),
		Entry("of the cloud's metadata", "https://169.254.169.254", "metadata"),
	)

	It("follows the reports-to chain, and says where it is broken or goes round", func(ctx SpecContext) {
		acme := newCompany(ctx)
		report := func(from, to string) {
			team := &v1alpha1.Team{}
			Expect(parts.client.Get(ctx, client.ObjectKey{Name: acme.in(from)}, team)).To(Succeed())
			before := team.DeepCopy()
			team.Spec.ReportsToRef = &v1alpha1.ClusterReference{Name: acme.in(to)}
			Expect(parts.client.Patch(ctx, team, client.MergeFrom(before))).To(Succeed())
		}
		chain := func(name string) func() string {
			return func() string {
				team := &v1alpha1.Team{}
				Expect(parts.client.Get(ctx, client.ObjectKey{Name: acme.in(name)}, team)).To(Succeed())
				condition := meta.FindStatusCondition(team.Status.Conditions, v1alpha1.ConditionChainResolved)
				if condition == nil {
					return ""
				}
				return condition.Reason
			}
		}
		report("marketing", "nobody")
		Eventually(chain("marketing")).Should(Equal(v1alpha1.ReasonChainBroken))
		report("marketing", "care")
		Eventually(chain("marketing")).Should(Equal(v1alpha1.ReasonChainComplete))
		report("care", "marketing")
		Eventually(chain("marketing")).Should(Equal(v1alpha1.ReasonChainCycle))
		Eventually(chain("care")).Should(Equal(v1alpha1.ReasonChainCycle))
	})
})
