// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/test/pds"
)

const appPassword = "BLUESKY_APP_PASSWORD"

var _ = Describe("An account on a real Bluesky server", func() {
	var (
		acme    *company
		account pds.Account
	)

	BeforeEach(func(ctx SpecContext) {
		acme = newCompany(ctx)
		var err error
		account, err = parts.pds.CreateAccount(ctx, acme.name+"-acme-help.test")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(parts.proxy.Reset)
	})

	settled := func(ctx context.Context) {
		GinkgoHelper()
		acme.source(ctx, map[string]string{"password": account.Password})
		Expect(parts.client.Create(ctx, acme.channel("bluesky", account.Handle))).To(Succeed())
		acme.ready(ctx)
	}

	It("is verified, and its owner gets a password that works", func(ctx SpecContext) {
		settled(ctx)
		channel := acme.get(ctx)
		Expect(channel.Status.Account.ID).To(Equal(account.DID))
		secret := &corev1.Secret{}
		Expect(parts.client.Get(ctx, client.ObjectKey{Namespace: acme.in("marketing"), Name: "help"}, secret)).To(Succeed())
		Expect(secret.Data).To(And(
			HaveKeyWithValue("SOCIAL_PLATFORM", []byte("Bluesky")), HaveKeyWithValue("SOCIAL_HANDLE", []byte(account.Handle)),
			HaveKeyWithValue("SOCIAL_ACCOUNT_ID", []byte(account.DID)), HaveKeyWithValue("BLUESKY_IDENTIFIER", []byte(account.DID)),
			HaveKey("SOCIAL_SERVER"), HaveKey("SOCIAL_CREDENTIAL_ID"), HaveKey(appPassword)))
		Expect(logsIn(ctx, account, string(secret.Data[appPassword]))).To(BeTrue())
		names, err := parts.pds.ListAppPasswords(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		Expect(names).To(ConsistOf(channel.Status.Credential.ID))
	})

	It("comes up at once when its source Secret appears", func(ctx SpecContext) {
		Expect(parts.client.Create(ctx, acme.channel("bluesky", account.Handle))).To(Succeed())
		acme.reports(ctx, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSourceSecretMissing)
		acme.source(ctx, map[string]string{"password": account.Password})
		acme.ready(ctx)
	})

	It("moves to another team, and the old owner is out", Label("S6"), func(ctx SpecContext) {
		settled(ctx)
		old := acme.delivered(ctx, "marketing", appPassword)
		Expect(logsIn(ctx, account, old)).To(BeTrue())
		began := time.Now()
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = acme.in("care") })
		Eventually(func(g Gomega) {
			channel := acme.get(ctx)
			g.Expect(channel.Status.Owner).To(Equal(acme.in("care")))
			g.Expect(channel.Status.Retiring).To(BeEmpty())
			g.Expect(channel.Status.LastRevoked).NotTo(BeNil())
		}).Should(Succeed())
		AddReportEntry("from the edit to the revocation on record", time.Since(began).String())
		acme.ready(ctx)
		Expect(logsIn(ctx, account, old)).To(BeFalse(), "the old owner's password is refused")
		Expect(logsIn(ctx, account, acme.delivered(ctx, "care", appPassword))).To(BeTrue())
		Expect(acme.delivered(ctx, "marketing", appPassword)).To(BeEmpty())
		status := acme.get(ctx).Status
		Expect(status.LastRevoked.EffectiveBy.Time).To(BeTemporally("~", time.Now().Add(2*time.Hour), time.Minute), "revoked is not dead")
		Expect(status.Handover.CompletedAt).NotTo(BeNil())
		Expect(status.Handover.EffectiveBy.Time).To(BeTemporally("==", status.LastRevoked.EffectiveBy.Time))
		Expect(status.History[0]).To(And(
			HaveField("From", acme.in("marketing")), HaveField("To", acme.in("care")), HaveField("RequestedBy", Not(BeEmpty()))))
	})

	It("stays where it is without consent", Label("S7"), func(ctx SpecContext) {
		settled(ctx)
		held := acme.delivered(ctx, "marketing", appPassword)
		acme.editTeam(ctx, "care", func(t *v1alpha1.Team) { t.Spec.Accepts = nil })
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = acme.in("care") })
		acme.reports(ctx, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotAccepted)
		Expect(acme.get(ctx).Status.Owner).To(Equal(acme.in("marketing")))
		Expect(logsIn(ctx, account, held)).To(BeTrue(), "nothing moves")
		names, err := parts.pds.ListAppPasswords(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		Expect(names).To(HaveLen(1), "nothing was minted")
		acme.editTeam(ctx, "care", func(t *v1alpha1.Team) {
			t.Spec.Accepts = []v1alpha1.AcceptedChannels{{Namespace: acme.in("social"), Channels: []string{"help"}}}
		})
		acme.ready(ctx)
		Eventually(func() bool { return logsIn(ctx, account, held) }).Should(BeFalse(), "consent comes, and it moves")
	})

	It("keeps its password when it is renamed at the platform, and says so", Label("S8"), func(ctx SpecContext) {
		settled(ctx)
		held := acme.delivered(ctx, "marketing", appPassword)
		renamed := acme.name + "-acme-new.test"
		Expect(parts.pds.ChangeHandle(ctx, account, renamed)).To(Succeed())
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.Purpose = "look" })
		acme.reports(ctx, v1alpha1.ConditionIdentityVerified, metav1.ConditionFalse, v1alpha1.ReasonHandleDrift)
		Expect(acme.get(ctx).Status.Account).To(And(HaveField("ID", account.DID), HaveField("Handle", renamed)))
		Expect(logsIn(ctx, account, held)).To(BeTrue())
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.Handle = renamed })
		acme.ready(ctx)
		Expect(acme.delivered(ctx, "marketing", appPassword)).To(Equal(held))
	})

	It("is held by the first of two that claim it, and untouched when the second goes", Label("S17"), func(ctx SpecContext) {
		settled(ctx)
		held := acme.delivered(ctx, "marketing", appPassword)
		second := acme.channel("bluesky", account.Handle)
		second.Name, second.Spec.DeletionPolicy = "usurper", v1alpha1.DeletionRevoke
		second.Spec.Credentials.Delivery.SecretName = "usurper"
		Expect(parts.client.Create(ctx, second)).To(Succeed())
		Eventually(func(g Gomega) {
			found := &v1alpha1.SocialChannel{}
			g.Expect(parts.client.Get(ctx, client.ObjectKeyFromObject(second), found)).To(Succeed())
			claimed := meta.FindStatusCondition(found.Status.Conditions, v1alpha1.ConditionClaimed)
			g.Expect(claimed).To(And(HaveField("Reason", v1alpha1.ReasonHeldByOther), HaveField("Message", ContainSubstring(acme.in("social")+"/help"))))
		}).Should(Succeed())
		Expect(parts.client.Delete(ctx, second)).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(parts.client.Get(ctx, client.ObjectKeyFromObject(second), &v1alpha1.SocialChannel{}))
		}).Should(BeTrue())
		names, err := parts.pds.ListAppPasswords(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		Expect(names).To(ConsistOf(acme.get(ctx).Status.Credential.ID))
		Expect(logsIn(ctx, account, held)).To(BeTrue())
	})

	It("shows who is on duty when the shift changes, and when somebody takes over", Label("S2"), func(ctx SpecContext) {
		handoff := time.Now().UTC().Add(6 * time.Second).Truncate(time.Second)
		Expect(parts.client.Create(ctx, &v1alpha1.ResponderRota{
			ObjectMeta: metav1.ObjectMeta{Namespace: acme.in("social"), Name: "watch"},
			Spec: v1alpha1.ResponderRotaSpec{TimeZone: "UTC", Layers: []v1alpha1.RotaLayer{{
				Name: "all", TeamRef: v1alpha1.ClusterReference{Name: acme.in("care")}, Members: []string{"maria", "dana"},
				Handoff: &v1alpha1.Handoff{Start: handoff.Add(-time.Hour).Format("2006-01-02T15:04:05"), Every: 1, Unit: v1alpha1.HandoffHour},
			}}},
		})).To(Succeed())
		acme.source(ctx, map[string]string{"password": account.Password})
		channel := acme.channel("bluesky", account.Handle)
		channel.Spec.ResponderRotaRef = &v1alpha1.LocalReference{Name: "watch"}
		Expect(parts.client.Create(ctx, channel)).To(Succeed())
		onDuty := func() *v1alpha1.OnCall { return acme.get(ctx).Status.OnCall }
		Eventually(onDuty).Should(And(HaveField("Member", "maria"), HaveField("Next", "dana")))
		Eventually(onDuty).Should(And(HaveField("Member", "dana"), HaveField("Since.Time", BeTemporally("==", handoff))))
		AddReportEntry("from the hand-off to the status", time.Since(handoff).String())
		Expect(parts.client.Create(ctx, &v1alpha1.RotaOverride{
			ObjectMeta: metav1.ObjectMeta{Namespace: acme.in("social"), Name: "swap"},
			Spec: v1alpha1.RotaOverrideSpec{
				ResponderRotaRef: v1alpha1.LocalReference{Name: "watch"}, TeamRef: v1alpha1.ClusterReference{Name: acme.in("marketing")}, Member: "bob",
				From: metav1.NewTime(handoff), Until: metav1.NewTime(handoff.Add(time.Hour)),
			},
		})).To(Succeed())
		Eventually(onDuty).Should(And(HaveField("Member", "bob"), HaveField("Layer", v1alpha1.LayerOverride)))
	})

	It("shuts out who leaves the team", Label("S4"), func(ctx SpecContext) {
		settled(ctx)
		old := acme.delivered(ctx, "marketing", appPassword)
		acme.editTeam(ctx, "marketing", func(t *v1alpha1.Team) { t.Spec.Members = t.Spec.Members[:1] })
		Eventually(func() bool { return logsIn(ctx, account, old) }).Should(BeFalse())
		acme.ready(ctx)
		Expect(logsIn(ctx, account, acme.delivered(ctx, "marketing", appPassword))).To(BeTrue())
	})

	It("is looked at with two requests and no new session", func(ctx SpecContext) {
		settled(ctx)
		before := map[string]int{}
		methods := []string{"createSession", "getSession", "refreshSession", "deleteSession", "listAppPasswords", "createAppPassword", "revokeAppPassword"}
		for _, method := range methods {
			before[method] = parts.proxy.Count("com.atproto.server." + method)
		}
		generation := acme.get(ctx).Generation
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.Purpose = "another" })
		Eventually(func() int64 { return acme.get(ctx).Status.ObservedGeneration }).Should(BeNumerically(">", generation))
		acme.ready(ctx)
		after := map[string]int{}
		for _, method := range methods {
			after[method] = parts.proxy.Count("com.atproto.server."+method) - before[method]
		}
		Expect(after).To(Equal(map[string]int{
			"createSession": 0, "getSession": 1, "refreshSession": 0, "deleteSession": 0,
			"listAppPasswords": 1, "createAppPassword": 0, "revokeAppPassword": 0,
		}))
	})

	It("gets another password when somebody revokes it at the platform", Label("S12"), func(ctx SpecContext) {
		settled(ctx)
		old := acme.get(ctx).Status.Credential.ID
		Expect(parts.pds.RevokeAppPassword(ctx, account, old)).To(Succeed())
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.Purpose = "look" })
		Eventually(func() string { return acme.get(ctx).Status.Credential.ID }).ShouldNot(Equal(old))
		acme.ready(ctx)
		Expect(logsIn(ctx, account, acme.delivered(ctx, "marketing", appPassword))).To(BeTrue())
	})

	It("refuses the credential of another account", Label("S9"), func(ctx SpecContext) {
		other, err := parts.pds.CreateAccount(ctx, acme.name+"-other.test")
		Expect(err).NotTo(HaveOccurred())
		acme.source(ctx, map[string]string{"password": other.Password, "identifier": other.Handle})
		channel := acme.channel("bluesky", account.Handle)
		channel.Spec.AccountID = account.DID
		Expect(parts.client.Create(ctx, channel)).To(Succeed())
		acme.reports(ctx, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonWrongAccount)
		names, err := parts.pds.ListAppPasswords(ctx, other)
		Expect(err).NotTo(HaveOccurred())
		Expect(names).To(BeEmpty())
		Expect(acme.delivered(ctx, "marketing", appPassword)).To(BeEmpty())
	})

	It("says that a password is refused, and is Unknown when nothing can be learnt", Label("S12"), func(ctx SpecContext) {
		acme.source(ctx, map[string]string{"password": "not-the-password"})
		Expect(parts.client.Create(ctx, acme.channel("bluesky", account.Handle))).To(Succeed())
		acme.reports(ctx, v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonRevoked)
	})

	DescribeTable("never calls a credential dead when the platform misbehaves", Label("S12", "S25"), func(ctx SpecContext, fault pds.Fault) {
		settled(ctx)
		held := acme.delivered(ctx, "marketing", appPassword)
		parts.proxy.On("com.atproto.server.getSession", fault)
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.Purpose = "look" })
		Eventually(func(g Gomega) {
			channel := acme.get(ctx)
			identity := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionIdentityVerified)
			g.Expect(identity.ObservedGeneration).To(Equal(channel.Generation))
			g.Expect(identity.Status).To(Equal(metav1.ConditionUnknown), identity.Message)
		}).Should(Succeed())
		credential := meta.FindStatusCondition(acme.get(ctx).Status.Conditions, v1alpha1.ConditionCredentialReady)
		Expect(credential.Status).To(Equal(metav1.ConditionUnknown), credential.Message)
		parts.proxy.Reset()
		acme.ready(ctx)
		Expect(acme.delivered(ctx, "marketing", appPassword)).To(Equal(held))
	},
		Entry("503", pds.Status(http.StatusServiceUnavailable)),
		Entry("an HTML page", pds.HTML(http.StatusOK)),
		Entry("10 MB", pds.Huge(http.StatusOK, 10<<20)),
		Entry("nothing", pds.Empty(http.StatusOK)),
		Entry("half a JSON", pds.Fault(pds.HalfAnswer)),
		Entry("no answer", pds.Fault(pds.LoseAnswer)),
	)

	It("is frozen, so that the password it had is refused, and works again when it is lifted", Label("S10"), func(ctx SpecContext) {
		settled(ctx)
		old := acme.delivered(ctx, "marketing", appPassword)
		Expect(logsIn(ctx, account, old)).To(BeTrue())
		freeze := &v1alpha1.PublishingFreeze{
			ObjectMeta: metav1.ObjectMeta{Name: acme.in("hijack")},
			Spec: v1alpha1.PublishingFreezeSpec{
				ChannelSelector:   &metav1.LabelSelector{},
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": acme.in("social")}},
				Reason:            "account takeover",
			},
		}
		Expect(parts.client.Create(ctx, freeze)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(parts.client.Delete(ctx, freeze)).To(Succeed()) })
		activate := func(active bool) {
			GinkgoHelper()
			before := freeze.DeepCopy()
			freeze.Spec.Active = &active
			Expect(parts.client.Patch(ctx, freeze, client.MergeFrom(before))).To(Succeed())
		}
		says := func(reason string) {
			GinkgoHelper()
			Eventually(func(g Gomega) {
				g.Expect(parts.client.Get(ctx, client.ObjectKeyFromObject(freeze), freeze)).To(Succeed())
				g.Expect(freeze.Status.Conditions).To(ContainElement(And(HaveField("Type", v1alpha1.ConditionReady), HaveField("Reason", reason))))
			}).Should(Succeed())
		}
		says(v1alpha1.ReasonPrepared)
		Expect(logsIn(ctx, account, old)).To(BeTrue(), "an inactive freeze does nothing")

		began := time.Now()
		activate(true)
		acme.reports(ctx, v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFrozen)
		AddReportEntry("from the edit to everything withdrawn", time.Since(began).String())
		Expect(logsIn(ctx, account, old)).To(BeFalse(), "the old password is refused")
		Expect(acme.delivered(ctx, "marketing", appPassword)).To(BeEmpty())
		Expect(acme.delivered(ctx, "marketing", "SOCIAL_FROZEN")).To(Equal(acme.in("hijack") + ": account takeover"))
		Expect(acme.get(ctx).Status.Freeze.EffectiveBy.Time).To(BeTemporally("~", time.Now().Add(2*time.Hour), 5*time.Minute), "revoked is not dead")
		says(v1alpha1.ReasonInForce)
		Expect(*freeze.Status.Affected).To(BeEquivalentTo(1))
		Expect(*freeze.Status.Withdrawn).To(BeEquivalentTo(1))

		activate(false)
		acme.ready(ctx)
		fresh := acme.delivered(ctx, "marketing", appPassword)
		Expect(fresh).NotTo(Equal(old))
		Expect(logsIn(ctx, account, fresh)).To(BeTrue())
		Expect(logsIn(ctx, account, old)).To(BeFalse())
	})

	It("finds by listing a mint whose answer was lost", Label("S22"), func(ctx SpecContext) {
		parts.proxy.On("com.atproto.server.createAppPassword", pds.LoseAnswer).Once()
		settled(ctx)
		names, err := parts.pds.ListAppPasswords(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		Expect(names).To(ConsistOf(acme.get(ctx).Status.Credential.ID))
		Expect(logsIn(ctx, account, acme.delivered(ctx, "marketing", appPassword))).To(BeTrue())
	})

	It("is left alone when pruned with Orphan", Label("S19"), func(ctx SpecContext) {
		settled(ctx)
		held := acme.delivered(ctx, "marketing", appPassword)
		Expect(parts.client.Delete(ctx, acme.get(ctx))).To(Succeed())
		gone(ctx, acme)
		Expect(logsIn(ctx, account, held)).To(BeTrue())
		Expect(acme.delivered(ctx, "marketing", appPassword)).To(Equal(held))
	})

	It("takes the password back with Revoke, also when its namespace goes as a whole", Label("S19"), func(ctx SpecContext) {
		settled(ctx)
		held := acme.delivered(ctx, "marketing", appPassword)
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
		acme.ready(ctx)
		Expect(parts.client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: acme.in("social")}})).To(Succeed())
		Eventually(func() bool {
			err := parts.client.Get(ctx, client.ObjectKey{Name: acme.in("social")}, &corev1.Namespace{})
			return apierrors.IsNotFound(err)
		}).Should(BeTrue())
		Expect(logsIn(ctx, account, held)).To(BeFalse())
		Expect(acme.delivered(ctx, "marketing", appPassword)).To(BeEmpty())
	})

	It("is kept without a Secret's content in any cache", Label("S25"), func(ctx SpecContext) {
		settled(ctx)
		Expect(parts.lists.all()).NotTo(BeEmpty())
		Expect(parts.lists.all()).To(HaveEach(HavePrefix("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata")))
	})

	It("shows no secret anywhere", Label("S25"), func(ctx SpecContext) {
		settled(ctx)
		secrets := []string{account.Password, acme.delivered(ctx, "marketing", appPassword)}
		acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = acme.in("care") })
		Eventually(func() string { return acme.delivered(ctx, "care", appPassword) }).ShouldNot(BeEmpty())
		acme.ready(ctx)
		secrets = append(secrets, acme.delivered(ctx, "care", appPassword))
		described, err := parts.cluster.Kubectl(ctx, "get", "socialchannels,teams,socialplatforms,events", "--all-namespaces", "-o", "yaml")
		Expect(err).NotTo(HaveOccurred())
		for _, secret := range secrets {
			Expect(described).NotTo(ContainSubstring(secret))
			Expect(parts.log.String()).NotTo(ContainSubstring(secret))
		}
	})
})

func gone(ctx context.Context, acme *company) {
	GinkgoHelper()
	Eventually(func() bool {
		err := parts.client.Get(ctx, client.ObjectKey{Namespace: acme.in("social"), Name: "help"}, &v1alpha1.SocialChannel{})
		return apierrors.IsNotFound(err)
	}).Should(BeTrue())
}

var _ = Describe("Two platforms, one of which is down", Serial, Label("S23"), func() {
	It("leaves the other's channels undisturbed, and all are verified soon after it is back", func(ctx SpecContext) {
		const channels = 5
		var blue, masto []*company
		for range channels {
			acme := newCompany(ctx)
			account, err := parts.pds.CreateAccount(ctx, acme.name+"-acme-help.test")
			Expect(err).NotTo(HaveOccurred())
			acme.source(ctx, map[string]string{"password": account.Password})
			Expect(parts.client.Create(ctx, acme.channel("bluesky", account.Handle))).To(Succeed())
			blue = append(blue, acme)
			other := newCompany(ctx)
			user := parts.mastodon.AddAccount(other.name + "_help")
			other.source(ctx, map[string]string{"access-token": parts.mastodon.IssueToken(user, "profile", "read", "write")})
			Expect(parts.client.Create(ctx, other.channel("mastodon", "@"+user.Username))).To(Succeed())
			masto = append(masto, other)
		}
		for _, acme := range append(blue, masto...) {
			acme.ready(ctx)
		}
		down := parts.proxy.On("*", pds.Status(http.StatusServiceUnavailable))
		for i, acme := range append(blue, masto...) {
			acme.edit(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.Purpose = fmt.Sprintf("look-%d", i) })
		}
		for _, acme := range blue {
			acme.reports(ctx, v1alpha1.ConditionCredentialReady, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
		}
		for _, acme := range masto {
			acme.ready(ctx)
		}
		down.Remove()
		for _, acme := range blue {
			Eventually(func(g Gomega) {
				g.Expect(meta.IsStatusConditionTrue(acme.get(ctx).Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
			}).WithTimeout(3 * time.Minute).Should(Succeed())
		}
	})
})
