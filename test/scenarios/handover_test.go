// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/platform"
)

var _ = Describe("A hand-over", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld(true)
		w.create(w.channel())
		w.settle()
		w.expectReady()
	})

	// steps are those on record.
	steps := func() []v1alpha1.HandoverStepName {
		GinkgoHelper()
		Expect(w.get().Status.Handover).NotTo(BeNil())
		var names []v1alpha1.HandoverStepName
		for _, step := range w.get().Status.Handover.Steps {
			names = append(names, step.Name)
		}
		return names
	}
	// consents makes a team accept the channel, or not.
	consents := func(team string, accepts bool) {
		GinkgoHelper()
		w.editTeam(team, func(t *v1alpha1.Team) {
			t.Spec.Accepts = nil
			if accepts {
				t.Spec.Accepts = []v1alpha1.AcceptedChannels{{Namespace: w.in("social"), Channels: []string{"*"}}}
			}
		})
	}
	terms := func(effective, acceptBy time.Duration) *v1alpha1.HandoverTerms {
		at := func(d time.Duration) *metav1.Time {
			if d == 0 {
				return nil
			}
			return new(metav1.NewTime(w.clock.Now().Add(d)))
		}
		return &v1alpha1.HandoverTerms{EffectiveTime: at(effective), AcceptBy: at(acceptBy)}
	}
	moves := func(team string, within *v1alpha1.HandoverTerms) {
		GinkgoHelper()
		w.editChannel(func(c *v1alpha1.SocialChannel) {
			c.Spec.OwnerRef.Name, c.Spec.Handover = w.in(team), within
		})
	}

	It("is on record from its start to its end, with who asked for it", Label("S6"), func() {
		old := w.with("marketing")
		moves("care", nil)
		w.settle()
		w.expectReady()
		handover := w.get().Status.Handover
		Expect(handover.From).To(Equal(w.in("marketing")))
		Expect(handover.To).To(Equal(w.in("care")))
		Expect(handover.RequestedBy).To(Equal("scenarios.test"), "the field manager of this test")
		Expect(steps()).To(Equal([]v1alpha1.HandoverStepName{
			v1alpha1.HandoverAccepted, v1alpha1.HandoverMinted, v1alpha1.HandoverDelivered, v1alpha1.HandoverSwitched,
			v1alpha1.HandoverRevoked, v1alpha1.HandoverWithdrawn,
		}))
		Expect(handover.EffectiveBy.Time).To(BeTemporally("~", w.clock.Now().Add(w.server.Linger), time.Second))
		Expect(handover.CompletedAt).NotTo(BeNil())
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		Expect(w.get().Status.History).To(HaveExactElements(
			And(HaveField("From", w.in("marketing")), HaveField("To", w.in("care")), HaveField("RequestedBy", "scenarios.test")),
			And(HaveField("From", ""), HaveField("To", w.in("marketing"))),
		))
	})

	It("withdraws a token from the old owner where none can be minted", func() {
		w = newWorld(false)
		w.create(w.channel())
		w.settle()
		moves("care", nil)
		w.settle()
		Expect(w.with("marketing")).To(BeEmpty())
		Expect(w.with("care")).To(Equal("source-secret-1"))
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSeenByLeaver)
		Expect(steps()).To(Equal([]v1alpha1.HandoverStepName{
			v1alpha1.HandoverAccepted, v1alpha1.HandoverDelivered, v1alpha1.HandoverSwitched, v1alpha1.HandoverWithdrawn,
		}))
		Expect(w.get().Status.Handover.CompletedAt).NotTo(BeNil())
	})

	It("waits for its time, and not longer", func() {
		moves("care", terms(2*time.Hour, 0))
		w.live(2*time.Hour - time.Minute)
		Expect(w.get().Status.Owner).To(Equal(w.in("marketing")))
		w.expect(v1alpha1.ConditionOwnerResolved, metav1.ConditionUnknown, v1alpha1.ReasonHandoverScheduled)
		Expect(w.condition(v1alpha1.ConditionOwnerResolved).Message).To(ContainSubstring("2026-11-21T11:00:00Z"))
		Expect(w.get().Status.Handover).To(BeNil())
		w.clock.SetTime(start.Add(2 * time.Hour))
		w.settle()
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		w.expectReady()
	})

	It("is given up when consent does not come in time, for good", func() {
		consents("care", false)
		moves("care", terms(0, time.Hour))
		w.settle()
		w.expect(v1alpha1.ConditionOwnerResolved, metav1.ConditionFalse, v1alpha1.ReasonNotAccepted)
		w.live(time.Hour)
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonHandoverGivenUp)
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(And(ContainSubstring("set a later acceptBy"), ContainSubstring("spec.accepts")))
		consents("care", true)
		w.settle()
		w.live(3 * time.Hour)
		Expect(w.get().Status.Owner).To(Equal(w.in("marketing")), "no loop: it takes an edit to try again")
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonHandoverGivenUp)
		moves("care", terms(0, time.Hour))
		w.settle()
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		w.live(2 * time.Hour)
		w.expectReady()
	})

	It("goes on past the time of consent once it has begun, and can be called off until it switches", func() {
		w.killer.faults = map[string]error{"Mint": &platform.Failure{Class: platform.Transient, Message: "out of order"}}
		moves("care", terms(0, time.Hour))
		w.reconcile(w.key())
		Expect(steps()).To(Equal([]v1alpha1.HandoverStepName{v1alpha1.HandoverAccepted}))
		w.live(2 * time.Hour)
		w.expect(v1alpha1.ConditionOwnerResolved, metav1.ConditionUnknown, v1alpha1.ReasonHandoverPending)
		Expect(w.get().Status.Handover.StartedAt.Time).To(BeTemporally("==", start))

		moves("marketing", nil)
		w.killer.faults = nil
		w.settle()
		w.expectReady()
		Expect(w.get().Status.Handover).To(BeNil())
		Expect(w.get().Status.Owner).To(Equal(w.in("marketing")))
		Expect(w.recorder.notes).To(ContainElement(ContainSubstring("called off before the switch")))
		w.live(2 * time.Hour)
		Expect(w.server.Minted(w.account())).To(HaveLen(1), "no stray is left of it")
	})

	It("goes to a third team that is named midway", func() {
		w.createNamespace("press")
		w.create(w.team("press", "pierre"))
		w.killer.faults = map[string]error{"Prove": &platform.Failure{Class: platform.Transient, Message: "out of order"}}
		moves("care", nil)
		w.reconcile(w.key())
		w.killer.faults = nil
		moves("press", nil)
		w.settle()
		Expect(w.get().Status.Owner).To(Equal(w.in("press")))
		Expect(w.with("care")).To(BeEmpty())
		Expect(w.with("marketing")).To(BeEmpty())
		Expect(w.server.Works(w.account(), w.with("press"))).To(BeTrue())
		w.live(2 * time.Hour)
		Expect(w.server.Minted(w.account())).To(HaveLen(1))
		Expect(w.get().Status.History[0]).To(And(HaveField("From", w.in("marketing")), HaveField("To", w.in("press"))))
	})

	It("stops where it is when the receiving team goes away midway", func() {
		w.killer.faults = map[string]error{"Mint": &platform.Failure{Class: platform.Transient, Message: "out of order"}}
		moves("care", nil)
		w.reconcile(w.key())
		Expect(shared.client.Delete(w.ctx, w.team("care", "maria"))).To(Succeed())
		w.killer.faults = nil
		w.settle()
		w.expect(v1alpha1.ConditionOwnerResolved, metav1.ConditionFalse, v1alpha1.ReasonOwnerNotFound)
		Expect(w.get().Status.Owner).To(Equal(w.in("marketing")))
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		Expect(w.get().Status.Handover).To(BeNil())
	})

	It("waits for a namespace that is not there, and the owner that was keeps working", func() {
		Expect(shared.secrets.Delete(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.in("care")}})).To(Succeed())
		Eventually(func(g Gomega) {
			namespace := &metav1.PartialObjectMetadata{}
			namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
			g.Expect(shared.cached.GetCache().Get(w.ctx, client.ObjectKey{Name: w.in("care")}, namespace)).To(Succeed())
			g.Expect(namespace.DeletionTimestamp).NotTo(BeNil())
		}).Should(Succeed())
		moves("care", nil)
		w.settle()
		w.expect(v1alpha1.ConditionOwnerResolved, metav1.ConditionFalse, v1alpha1.ReasonNamespaceNotFound)
		Expect(w.get().Status.Owner).To(Equal(w.in("marketing")))
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		Expect(w.server.Minted(w.account())).To(HaveLen(1), "nothing is minted that could not be delivered")
	})

	It("comes to the last of two edits in a second", func() {
		moves("care", nil)
		moves("marketing", nil)
		w.settle()
		w.expectReady()
		Expect(w.get().Status.History).To(HaveLen(1), "nothing has moved")
		moves("marketing", nil)
		moves("care", nil)
		w.settle()
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
	})

	It("is done once, with the clock set back an hour in its middle", func() {
		moves("care", nil)
		w.reconcile(w.key())
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		w.clock.SetTime(w.clock.Now().Add(-time.Hour))
		w.settle()
		w.live(2 * time.Hour)
		w.expectReady()
		Expect(w.server.Minted(w.account())).To(HaveLen(1), "the old credential is revoked, whatever the clock says")
	})

	It("costs one rotation when many leave at once, also the manager", Label("S4"), func() {
		w.editTeam("marketing", func(t *v1alpha1.Team) {
			for _, name := range []string{"ann", "cid", "fay", "gus"} {
				t.Spec.Members = append(t.Spec.Members, v1alpha1.TeamMember{Name: name, Email: name + "@acme.example"})
			}
		})
		w.settle()
		serial := w.get().Status.Credential.Serial
		w.leave("marketing", "ann")
		w.leave("marketing", "cid")
		w.editTeam("marketing", func(t *v1alpha1.Team) {
			t.Spec.Manager = "fay"
			t.Spec.Members = t.Spec.Members[2:]
		})
		w.settle()
		w.expectReady()
		Expect(w.get().Status.Credential.Serial).To(Equal(serial + 1))
	})
})

var _ = Describe("What stands in the way", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld(true)
		w.create(w.channel())
		w.settle()
		w.expectReady()
	})
	works := func(secret string) bool { return w.server.Works(w.account(), secret) }

	It("is a Secret that cannot be deleted: what the old owner had is revoked all the same", Label("S6", "S25"), func() {
		old := w.with("marketing")
		w.killer.refuse, w.killer.refusal = "delete *v1.Secret", apierrors.NewForbidden(corev1.Resource("secrets"), "help-credential", nil)
		w.handOver("care")
		w.settle()
		Expect(works(old)).To(BeFalse())
		Expect(works(w.with("care"))).To(BeTrue())
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeliveryFailed)
		Expect(w.get().Status.Retiring).To(HaveExactElements(HaveField("RevokedAt", Not(BeNil()))))
		Expect(w.get().Status.Handover.CompletedAt).To(BeNil(), "its Secret is still there")
		revocations := w.server.Calls()["RevokeIssued"]
		w.live(3 * time.Hour)
		Expect(w.server.Calls()["RevokeIssued"]).To(Equal(revocations), "it is revoked once")
		w.killer.refuse = ""
		w.live(3 * time.Hour)
		w.expectReady()
		Expect(w.with("marketing")).To(BeEmpty())
		Expect(w.get().Status.Handover.CompletedAt).NotTo(BeNil())
	})

	It("is a Secret of that name at the receiver: the owner that is goes on like any other", Label("S4", "S25"), func() {
		w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.in("care"), Name: "help-credential"}})
		old := w.with("marketing")
		w.handOver("care")
		w.settle()
		w.expect(v1alpha1.ConditionOwnerResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNameTaken)
		Expect(works(old)).To(BeTrue())

		By("somebody leaving the owner that is")
		w.leave("marketing", "eve")
		w.settle()
		Expect(works(old)).To(BeFalse())
		fresh := w.with("marketing")
		Expect(works(fresh)).To(BeTrue())

		By("somebody deleting its Secret")
		w.killer.drift = true
		w.deleteSecret(w.in("marketing"), "help-credential")
		w.settle()
		Expect(works(w.with("marketing"))).To(BeTrue())

		By("the way being free")
		w.deleteSecret(w.in("care"), "help-credential")
		w.settle()
		w.live(2 * time.Hour)
		w.expectReady()
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		Expect(works(fresh)).To(BeFalse())
	})

	It("is a leaver who takes the Secret's place: what was in it is revoked", Label("S4", "S25"), func() {
		old := w.with("marketing")
		w.killer.drift = true
		w.deleteSecret(w.in("marketing"), "help-credential")
		w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.in("marketing"), Name: "help-credential"}})
		w.leave("marketing", "eve")
		w.settle()
		Expect(works(old)).To(BeFalse())
		w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNameTaken)
		w.deleteSecret(w.in("marketing"), "help-credential")
		w.settle()
		w.live(2 * time.Hour)
		w.expectReady()
		Expect(works(w.with("marketing"))).To(BeTrue())
	})

	It("is gone as soon as it is gone, and not at the next probe", func() {
		key := client.ObjectKey{Name: w.in("platform")}
		social := &v1alpha1.SocialPlatform{}
		Expect(shared.client.Get(w.ctx, key, social)).To(Succeed())
		Expect(shared.client.Delete(w.ctx, social)).To(Succeed())
		w.settle()
		w.expect(v1alpha1.ConditionIdentityVerified, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotFound)
		w.create(&v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: key.Name}, Spec: social.Spec})
		w.settle()
		w.expectReady()
	})

	It("is Observe: the owner changes, and what was delivered is left and told of", func() {
		old := w.with("marketing")
		w.editChannel(func(c *v1alpha1.SocialChannel) {
			c.Spec.ManagementPolicy, c.Spec.OwnerRef.Name = v1alpha1.ManagementObserve, w.in("care")
		})
		w.settle()
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		Expect(w.get().Status.Handover.CompletedAt).NotTo(BeNil())
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSeenByLeaver)
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(ContainSubstring("is left as it is"))
		Expect(works(old)).To(BeTrue(), "nothing is changed at the platform")

		By("managing it again")
		completed := w.get().Status.Handover.DeepCopy()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.ManagementPolicy = v1alpha1.ManagementManage })
		w.settle()
		w.expectReady()
		Expect(works(old)).To(BeFalse())
		Expect(works(w.with("care"))).To(BeTrue())
		Expect(w.get().Status.Handover.Steps).To(Equal(completed.Steps), "a hand-over that is complete is not added to")
	})

	It("is a suspension: who joins meanwhile has seen it", Label("S4"), func() {
		old := w.with("marketing")
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) })
		w.editTeam("marketing", func(t *v1alpha1.Team) {
			t.Spec.Members = append(t.Spec.Members, v1alpha1.TeamMember{Name: "zoe", Email: "zoe@acme.example"})
		})
		w.settle()
		Expect(w.get().Status.Credential.ExposedTo).To(ContainElement(w.in("marketing") + "/zoe"))
		w.leave("marketing", "zoe")
		w.settle()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = nil })
		w.settle()
		w.expectReady()
		Expect(works(old)).To(BeFalse())
	})

	It("is a deletion that waits for its platform: a freeze reaches it", Label("S10"), func() {
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
		w.settle()
		down := &platform.Failure{Class: platform.Transient, Message: "out of order"}
		w.killer.faults = map[string]error{"RevokeIssued": down, "Issued": down, "Verify": down}
		w.killer.drift = true
		w.delete()
		w.reconcile(w.key())
		Expect(w.with("marketing")).NotTo(BeEmpty())
		w.freeze("hijack")
		w.reconcile(w.key())
		Expect(w.with("marketing")).To(BeEmpty(), "the Secret is emptied although the channel cannot go yet")
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFreezing)
		w.killer.faults = nil
		w.live(time.Hour)
		Expect(w.server.Minted(w.account())).To(BeEmpty())
		Expect(apierrors.IsNotFound(shared.cached.GetAPIReader().Get(w.ctx, w.key(), &v1alpha1.SocialChannel{}))).To(BeTrue())
	})
})
