// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/simulated"
)

var _ = Describe("A freeze", Label("S10"), func() {
	var w *world
	BeforeEach(func() { w = newWorld(true) })

	settled := func() {
		GinkgoHelper()
		w.create(w.channel())
		w.settle()
		w.expectReady()
	}
	allowed := func() metav1.Condition {
		GinkgoHelper()
		return w.condition(v1alpha1.ConditionPublishingAllowed)
	}
	frozen := func() {
		GinkgoHelper()
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFrozen)
		w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonFrozen)
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFrozen)
		Expect(w.server.Minted(w.account())).To(BeEmpty())
		Expect(w.with("marketing")).To(BeEmpty())
	}
	delivered := func() *corev1.Secret {
		GinkgoHelper()
		secret := &corev1.Secret{}
		Expect(shared.secrets.Get(w.ctx, client.ObjectKey{Namespace: w.in("marketing"), Name: "help-credential"}, secret)).To(Succeed())
		return secret
	}
	failing := func(class platform.Class) error {
		return &platform.Failure{Class: class, Message: "the platform says " + string(class)}
	}

	It("costs nothing while it is inactive", func() {
		settled()
		version := w.get().ResourceVersion
		w.prepare(w.prepared("hijack"))
		w.server.ResetCalls()
		w.settle()
		Expect(w.get().ResourceVersion).To(Equal(version))
		Expect(w.server.Calls()).To(BeEmpty())
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionTrue, v1alpha1.ReasonNotFrozen)
		object := w.freezeSays("hijack", metav1.ConditionTrue, v1alpha1.ReasonPrepared)
		Expect(object.Status.Affected).To(BeNil())
	})

	It("takes the credential back within one reconcile, and says until when access lives on", func() {
		settled()
		old := w.with("marketing")
		w.freeze("hijack")
		began := w.clock.Now()
		w.reconcile(w.key())
		frozen()
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		ends := began.Add(2 * time.Hour)
		channel := w.get()
		Expect(channel.Status.Freeze.Names).To(ConsistOf(w.in("hijack")))
		Expect(channel.Status.Freeze.EffectiveBy.Time).To(BeTemporally("==", ends))
		Expect(channel.Status.Freeze.CompletedAt.Time).To(BeTemporally("==", began))
		Expect(channel.Status.LastRevoked.Cause).To(Equal(v1alpha1.CauseFreeze))
		Expect(allowed().Message).To(And(
			ContainSubstring(w.in("hijack")), ContainSubstring("account takeover"), ContainSubstring("until a person lifts it"),
			ContainSubstring("since "+began.Format(time.RFC3339)), ContainSubstring("ends by "+ends.Format(time.RFC3339))))
		secret := delivered()
		Expect(secret.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationFrozen, w.in("hijack")+": account takeover"))
		Expect(secret.Data).To(HaveKeyWithValue("SOCIAL_FROZEN", []byte(w.in("hijack")+": account takeover")))
		Expect(secret.Data).To(And(HaveKey("SOCIAL_ACCOUNT_ID"), Not(HaveKey(simulated.KeyToken)), Not(HaveKey("SOCIAL_CREDENTIAL_ID"))))
		object := w.freezeSays("hijack", metav1.ConditionTrue, v1alpha1.ReasonInForce)
		Expect(*object.Status.Affected).To(BeEquivalentTo(1))
		Expect(*object.Status.Withdrawn).To(BeEquivalentTo(1))
		Expect(*object.Status.Failed).To(BeEquivalentTo(0))
		Expect(object.Status.LastAccessEndsAt.Time).To(BeTemporally("==", ends))
	})

	It("is quiet once everything is withdrawn", func() {
		settled()
		w.freeze("hijack")
		w.settle()
		version := w.get().ResourceVersion
		w.server.ResetCalls()
		w.killer.counting = true
		for range 3 {
			w.settle()
		}
		Expect(w.killer.steps).To(BeEmpty())
		w.live(5 * time.Hour)
		Expect(w.get().ResourceVersion).To(Equal(version))
		Expect(w.server.Calls()).NotTo(HaveKey("Mint"))
	})

	It("lifts by itself, and the new credential works", func() {
		settled()
		object := w.prepared("hijack")
		object.Spec.Active = new(true)
		object.Spec.ExpiresAt = new(metav1.NewTime(w.clock.Now().Add(90 * time.Minute)))
		w.prepare(object)
		w.settle()
		frozen()
		Expect(allowed().Message).To(ContainSubstring("until " + object.Spec.ExpiresAt.UTC().Format(time.RFC3339)))
		_, result := w.lookAtFreeze("hijack")
		Expect(result.RequeueAfter).To(Equal(90 * time.Minute))
		w.live(89 * time.Minute)
		frozen()
		w.live(time.Minute)
		w.expectReady()
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionTrue, v1alpha1.ReasonNotFrozen)
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		Expect(w.get().Status.Freeze).To(BeNil())
		Expect(delivered().Annotations).NotTo(HaveKey(v1alpha1.AnnotationFrozen))
		Expect(delivered().Data).NotTo(HaveKey("SOCIAL_FROZEN"))
		w.freezeSays("hijack", metav1.ConditionTrue, v1alpha1.ReasonExpired)
	})

	DescribeTable("lifts when", func(lift func()) {
		settled()
		old := w.get().Status.Credential
		w.freeze("hijack")
		w.settle()
		frozen()
		lift()
		w.settle()
		w.expectReady()
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		fresh := w.get().Status.Credential
		Expect(fresh.Serial).To(Equal(old.Serial + 1))
		Expect(fresh.Secret.Name).To(Equal(old.Secret.Name))
		Expect(fresh.WithdrawnAt).To(BeNil())
		Expect(fresh.RevokedAt).To(BeNil())
		Expect(w.get().Status.Retiring).To(BeEmpty(), "what is revoked is not revoked again")
		Expect(w.server.Minted(w.account())).To(ConsistOf(fresh.ID))
	},
		Entry("a person lifts it", func() { w.lift("hijack") }),
		Entry("it is deleted", func() {
			Expect(shared.client.Delete(w.ctx, &v1alpha1.PublishingFreeze{ObjectMeta: metav1.ObjectMeta{Name: w.in("hijack")}})).To(Succeed())
		}),
		Entry("its selector does not match any more", func() {
			w.editFreeze("hijack", func(f *v1alpha1.PublishingFreeze) {
				f.Spec.ChannelSelector.MatchLabels = map[string]string{"purpose": "customer-care"}
			})
		}),
		Entry("its end is set to now", func() {
			w.editFreeze("hijack", func(f *v1alpha1.PublishingFreeze) { f.Spec.ExpiresAt = new(metav1.NewTime(w.clock.Now())) })
		}),
	)

	It("follows the channel's labels and its namespace's", func() {
		settled()
		object := w.prepared("hijack")
		object.Spec.Active, object.Spec.ChannelSelector.MatchLabels = new(true), map[string]string{"purpose": "customer-care"}
		w.prepare(object)
		w.settle()
		w.expectReady()
		w.freezeSays("hijack", metav1.ConditionFalse, v1alpha1.ReasonSelectsNothing)
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Labels = map[string]string{"purpose": "customer-care"} })
		w.settle()
		frozen()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Labels = nil })
		w.settle()
		w.expectReady()
		w.editFreeze("hijack", func(f *v1alpha1.PublishingFreeze) {
			f.Spec.ChannelSelector.MatchLabels = nil
			f.Spec.NamespaceSelector.MatchLabels["desk"] = "care"
		})
		w.settle()
		w.expectReady()
		namespace := &metav1.PartialObjectMetadata{}
		namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
		edit(w, client.ObjectKey{Name: w.in("social")}, &corev1.Namespace{}, func(n *corev1.Namespace) { n.Labels["desk"] = "care" })
		Eventually(func() map[string]string {
			Expect(shared.cached.GetCache().Get(w.ctx, client.ObjectKey{Name: w.in("social")}, namespace)).To(Succeed())
			return namespace.Labels
		}).Should(HaveKey("desk"))
		w.settle()
		frozen()
	})

	It("of everything freezes everything", func() {
		settled()
		object := w.prepared("hijack")
		object.Spec.Active, object.Spec.NamespaceSelector = new(true), nil
		w.prepare(object)
		w.settle()
		frozen()
		Expect(shared.client.Delete(w.ctx, object)).To(Succeed())
	})

	DescribeTable("with a selector that cannot be read freezes nothing, and says so loudly", Label("S25"), func(active bool, selector metav1.LabelSelector, words string) {
		settled()
		object := w.prepared("hijack")
		object.Spec.Active, object.Spec.ChannelSelector = &active, &selector
		w.prepare(object)
		w.settle()
		w.expectReady()
		said := w.freezeSays("hijack", metav1.ConditionFalse, v1alpha1.ReasonInvalidSelector)
		Expect(said.Status.Conditions).To(ContainElement(And(
			HaveField("Type", v1alpha1.ConditionStalled), HaveField("Message", And(ContainSubstring("THIS FREEZES NOTHING"), ContainSubstring(words))))))
		Expect(w.recorder.notes).To(ContainElement(HavePrefix("Warning InvalidSelector")))
	},
		Entry("an operator that is none", true, metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "purpose", Operator: "Equals", Values: []string{"x"}}}}, "Equals"),
		Entry("no values", true, metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "purpose", Operator: metav1.LabelSelectorOpIn}}}, "spec.channelSelector"),
		Entry("a value that is none", true, metav1.LabelSelector{MatchLabels: map[string]string{"purpose": "no value!"}}, "no value!"),
		Entry("also while it is inactive", false, metav1.LabelSelector{MatchLabels: map[string]string{"purpose": "no value!"}}, "no value!"),
	)

	It("tells what is wrong with a long selector in a note that the API server takes", func() {
		settled()
		object := w.prepared("hijack")
		object.Spec.ChannelSelector.MatchLabels = map[string]string{"purpose": strings.Repeat("ä", 2000)}
		w.prepare(object)
		w.freezeSays("hijack", metav1.ConditionFalse, v1alpha1.ReasonInvalidSelector)
		Expect(w.recorder.notes).To(ContainElement(HavePrefix("Warning InvalidSelector THIS FREEZES NOTHING")))
		for _, note := range w.recorder.notes {
			Expect(len(strings.TrimPrefix(note, "Warning InvalidSelector "))).To(BeNumerically("<=", 1024))
			Expect(utf8.ValidString(note)).To(BeTrue())
		}
	})

	It("empties the Secret while the platform is down, tries again, and says so", func() {
		settled()
		old := w.with("marketing")
		w.killer.faults = map[string]error{"RevokeIssued": failing(platform.Transient), "Verify": failing(platform.Transient)}
		w.freeze("hijack")
		result, _ := w.reconcile(w.key())
		Expect(result.RequeueAfter).To(BeNumerically("<", 5*time.Second))
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFreezing)
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFreezing)
		Expect(allowed().Message).To(And(ContainSubstring("tried again"), ContainSubstring("the platform says Transient")))
		Expect(w.with("marketing")).To(BeEmpty(), "the tools are stopped in any case")
		Expect(w.server.Works(w.account(), old)).To(BeTrue())
		w.freezeSays("hijack", metav1.ConditionFalse, v1alpha1.ReasonFreezing)
		w.live(2 * time.Hour) // over a probe, which fails too
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFreezing)
		w.killer.faults = nil
		w.live(8 * time.Minute)
		frozen()
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		w.freezeSays("hijack", metav1.ConditionTrue, v1alpha1.ReasonInForce)
	})

	It("keeps to the time that the platform named", func() {
		settled()
		w.killer.faults = map[string]error{"RevokeIssued": &platform.Failure{Class: platform.RateLimited, Message: "too many", RetryAt: w.clock.Now().Add(40 * time.Minute)}}
		w.freeze("hijack")
		w.reconcile(w.key())
		w.server.ResetCalls()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Purpose = "another" })
		w.reconcile(w.key())
		Expect(w.server.Calls()).To(BeEmpty())
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFreezing)
		w.killer.faults = nil
		w.live(41 * time.Minute)
		frozen()
	})

	It("says what a person must do where the platform refuses, and asks again at the probe", func() {
		settled()
		w.killer.faults = map[string]error{"RevokeIssued": failing(platform.PolicyBlocked)}
		w.freeze("hijack")
		w.settle()
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonNotCutOff)
		Expect(allowed().Message).To(ContainSubstring("the platform says PolicyBlocked"))
		Expect(w.with("marketing")).To(BeEmpty())
		object := w.freezeSays("hijack", metav1.ConditionFalse, v1alpha1.ReasonIncomplete)
		Expect(object.Status.Failures).To(ConsistOf(w.in("social") + "/help"))
		w.server.ResetCalls()
		w.settle()
		Expect(w.server.Calls()).To(BeEmpty())
		w.killer.faults = nil
		w.live(2 * time.Hour)
		frozen()
	})

	It("is made up for when it is lifted while the platform is down", func() {
		settled()
		w.freeze("hijack")
		w.settle()
		w.killer.faults = map[string]error{"Mint": failing(platform.Transient)}
		w.lift("hijack")
		w.reconcile(w.key())
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionTrue, v1alpha1.ReasonNotFrozen)
		w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
		w.killer.faults = nil
		w.live(8 * time.Minute)
		w.expectReady()
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
	})

	It("lets a hand-over wait, and makes up for it", func() {
		settled()
		w.freeze("hijack")
		w.settle()
		w.handOver("care")
		w.live(2 * time.Hour)
		Expect(w.get().Status.Owner).To(Equal(w.in("marketing")))
		frozen()
		Expect(w.with("care")).To(BeEmpty())
		w.lift("hijack")
		w.settle()
		w.expectReady()
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		Expect(w.server.Works(w.account(), w.with("care"))).To(BeTrue())
		Expect(w.mark("marketing")).To(BeEmpty(), "the emptied Secret of the old owner is gone")
		Expect(w.server.Minted(w.account())).To(HaveLen(1))
	})

	It("delivers nothing for a leaver, a rotation or a Secret that is removed, before it is lifted", func() {
		settled()
		w.freeze("hijack")
		w.settle()
		w.leave("marketing", "eve")
		w.deleteSecret(w.in("marketing"), "help-credential")
		w.editChannel(func(c *v1alpha1.SocialChannel) {
			c.Annotations = map[string]string{v1alpha1.AnnotationRotateAt: w.clock.Now().Add(time.Minute).Format(time.RFC3339)}
		})
		w.live(2 * time.Hour)
		w.pass(720 * time.Hour)
		w.live(2 * time.Hour)
		frozen()
		Expect(w.mark("marketing")).To(BeEmpty())
		w.lift("hijack")
		w.settle()
		w.expectReady()
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		Expect(w.get().Status.Credential.ExposedTo).To(ConsistOf(w.in("marketing") + "/bob"))
	})

	It("empties the Secret again when somebody puts a credential back", func() {
		settled()
		w.freeze("hijack")
		w.settle()
		secret := delivered()
		secret.Data[simulated.KeyToken] = []byte("from a backup")
		Expect(shared.secrets.Update(w.ctx, secret)).To(Succeed())
		w.settle()
		frozen()
	})

	It("is not fooled by an owner that writes the mark itself", Label("S25"), func() {
		settled()
		secret := delivered()
		secret.Annotations[v1alpha1.AnnotationFrozen] = w.in("hijack") + ": account takeover"
		Expect(shared.secrets.Update(w.ctx, secret)).To(Succeed())
		w.freeze("hijack")
		w.settle()
		frozen()
		Expect(delivered().Data).NotTo(HaveKey(simulated.KeyToken))
	})

	It("empties what is not on record though its owner wrote the mark on it", Label("S25"), func() {
		settled()
		w.handOver("care")
		w.settle()
		stray := &corev1.Secret{}
		Expect(shared.secrets.Get(w.ctx, client.ObjectKey{Namespace: w.in("care"), Name: "help-credential"}, stray)).To(Succeed())
		stray.ObjectMeta = metav1.ObjectMeta{Namespace: w.in("marketing"), Name: "help-credential", Labels: stray.Labels, Annotations: stray.Annotations}
		stray.Annotations[v1alpha1.AnnotationFrozen] = w.in("hijack") + ": account takeover"
		Expect(shared.secrets.Create(w.ctx, stray)).To(Succeed())
		w.freeze("hijack")
		w.settle()
		Expect(w.with("marketing")).To(BeEmpty())
		Expect(w.with("care")).To(BeEmpty())
	})

	It("can be activated twice, and again after it was lifted", func() {
		settled()
		w.freeze("hijack")
		w.settle()
		w.editFreeze("hijack", func(f *v1alpha1.PublishingFreeze) { f.Spec.Active = new(true) })
		w.settle()
		frozen()
		w.lift("hijack")
		w.settle()
		w.expectReady()
		second := w.with("marketing")
		w.editFreeze("hijack", func(f *v1alpha1.PublishingFreeze) { f.Spec.Active = new(true) })
		w.settle()
		frozen()
		Expect(w.server.Works(w.account(), second)).To(BeFalse())
	})

	It("holds while any of several holds", func() {
		settled()
		w.freeze("hijack")
		w.freeze("audit")
		w.settle()
		frozen()
		Expect(w.get().Status.Freeze.Names).To(Equal([]string{w.in("audit"), w.in("hijack")}))
		w.lift("audit")
		w.settle()
		frozen()
		Expect(w.mark("marketing")).To(Equal(w.in("hijack")+": account takeover"), "the mark names what holds")
		w.lift("hijack")
		w.settle()
		w.expectReady()
	})

	It("cuts what is in its overlap as well", func() {
		settled()
		first := w.with("marketing")
		w.pass(720 * time.Hour)
		w.settle()
		Expect(w.server.Works(w.account(), first)).To(BeTrue())
		w.freeze("hijack")
		w.reconcile(w.key())
		frozen()
		Expect(w.get().Status.Retiring).To(BeEmpty())
	})

	It("outranks suspend, which keeps the new credential back", func() {
		settled()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) })
		w.settle()
		w.freeze("hijack")
		w.settle()
		frozen()
		w.lift("hijack")
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonSuspended)
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(ContainSubstring("a freeze has withdrawn the credential"))
		Expect(w.server.Minted(w.account())).To(BeEmpty())
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = nil })
		w.settle()
		w.expectReady()
	})

	It("says that it cannot be enforced with Observe", func() {
		channel := w.channel()
		channel.Spec.ManagementPolicy = v1alpha1.ManagementObserve
		w.create(channel)
		w.settle()
		w.freeze("hijack")
		w.settle()
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonNotEnforced)
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotEnforced)
		object := w.freezeSays("hijack", metav1.ConditionFalse, v1alpha1.ReasonIncomplete)
		Expect(*object.Status.Failed).To(BeEquivalentTo(1))
		w.lift("hijack")
		w.settle()
		w.expectReady()
		Expect(w.recorder.notes).To(ContainElement(HavePrefix("Normal FreezeLifted")))
		Expect(w.recorder.notes).NotTo(ContainElement(ContainSubstring("its owner gets another credential")), "nothing was taken")
	})

	It("says first what a person must do, however many freezes there are", func() {
		settled()
		w.killer.faults = map[string]error{"RevokeIssued": failing(platform.PolicyBlocked)}
		for i := range 66 {
			w.freeze(fmt.Sprintf("hijack-%02d-%s", i, strings.Repeat("x", 200)))
		}
		w.settle()
		Expect(allowed().Message[:200]).To(ContainSubstring("the platform says PolicyBlocked"))
		Expect(allowed().Message).To(ContainSubstring(" and others "))
		last := "hijack-65-" + strings.Repeat("x", 200)
		Expect(w.get().Status.Freeze.Names).NotTo(ContainElement(w.in(last)), "more than a status can name")
		object := w.freezeSays(last, metav1.ConditionFalse, v1alpha1.ReasonIncomplete)
		Expect(*object.Status.Failed).To(BeEquivalentTo(1), "it is counted all the same")
	})

	DescribeTable("cuts with the credential's own value where the company's password was changed", func(down bool) {
		w.server.TakesOwn = true
		w.startOperator()
		settled()
		old := w.with("marketing")
		w.server.RemovePassword(w.account(), "source-secret-1")
		w.pass(2 * time.Hour)
		w.settle()
		if down {
			w.killer.faults = map[string]error{"Revoke": failing(platform.Transient)}
		}
		w.freeze("hijack")
		w.reconcile(w.key())
		if down {
			Expect(w.with("marketing")).To(BeEmpty())
			w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFreezing)
			Expect(w.server.Works(w.account(), old)).To(BeTrue())
			w.killer.faults = nil
			w.live(8 * time.Minute)
		}
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		w.settle()
		frozen()
		Expect(w.get().Status.Freeze.EffectiveBy).NotTo(BeNil())
	},
		Entry("at once", false),
		Entry("and the platform was down, so that the value is in no Secret of the owner's any more", true),
	)

	// kept are the keys in the channel's vault that hold a credential's value.
	kept := func() []string {
		GinkgoHelper()
		vault := &corev1.Secret{}
		err := shared.secrets.Get(w.ctx, client.ObjectKey{Namespace: w.in("social"), Name: "rostra-" + string(w.get().UID)}, vault)
		Expect(client.IgnoreNotFound(err)).To(Succeed())
		return slices.DeleteFunc(slices.Collect(maps.Keys(vault.Data)), func(key string) bool { return !strings.HasPrefix(key, "retired.") })
	}

	It("forgets the value that it kept in an outage, when it is lifted and the credential revoked", func() {
		w.server.TakesOwn = true
		w.startOperator()
		settled()
		old := w.with("marketing")
		w.killer.faults = map[string]error{"RevokeIssued": failing(platform.Transient)}
		w.freeze("hijack")
		w.reconcile(w.key())
		Expect(kept()).NotTo(BeEmpty())
		w.lift("hijack")
		w.reconcile(w.key())
		w.killer.faults = nil
		w.live(20 * time.Minute)
		w.expectReady()
		Expect(w.get().Status.Retiring).To(BeEmpty())
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		Expect(kept()).To(BeEmpty())
	})

	It("empties the Secret though the value cannot be kept, and says what is lost", func() {
		w.server.TakesOwn = true
		w.startOperator()
		settled()
		old := w.with("marketing")
		w.server.RemovePassword(w.account(), "source-secret-1")
		w.pass(2 * time.Hour)
		w.settle()
		vault := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "rostra-" + string(w.get().UID)}}
		Expect(client.IgnoreNotFound(shared.secrets.Delete(w.ctx, vault))).To(Succeed())
		vault.ResourceVersion = ""
		Expect(shared.secrets.Create(w.ctx, vault)).To(Succeed())
		w.killer.faults = map[string]error{"Revoke": failing(platform.Transient)}
		w.freeze("hijack")
		w.reconcile(w.key())
		Expect(w.with("marketing")).To(BeEmpty(), "whatever else fails")
		Expect(w.recorder.notes).To(ContainElement(And(HavePrefix("Warning ValueLost"), ContainSubstring("by hand at the platform"), Not(ContainSubstring(old)))))
	})

	It("empties the Secret though the vault refuses for a while", func() {
		w.server.TakesOwn = true
		w.startOperator()
		settled()
		w.killer.faults = map[string]error{"RevokeIssued": failing(platform.Transient)}
		w.killer.refuse = "create *v1.Secret" // the vault's
		w.freeze("hijack")
		w.reconcile(w.key())
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFreezing)
		Expect(w.with("marketing")).NotTo(BeEmpty(), "the vault may be back in a moment")
		w.live(40 * time.Second)
		Expect(w.with("marketing")).To(BeEmpty(), "it was not")
	})

	It("does not lose the value of an old owner's credential before it is revoked", func() {
		w.server.TakesOwn = true
		w.startOperator()
		settled()
		old := w.with("marketing")
		w.killer.faults = map[string]error{"RevokeIssued": failing(platform.PolicyBlocked)}
		w.handOver("care")
		for range 10 {
			if w.with("care") != "" && len(w.get().Status.Retiring) > 0 {
				break
			}
			w.reconcile(w.key())
		}
		Expect(w.get().Status.Retiring).To(ContainElement(HaveField("Secret", Not(BeNil()))))
		Expect(w.with("marketing")).To(Equal(old))
		w.server.RemovePassword(w.account(), "source-secret-1")
		w.killer.faults = map[string]error{"RevokeIssued": failing(platform.PolicyBlocked), "Revoke": failing(platform.Transient)}
		w.freeze("hijack")
		w.reconcile(w.key())
		Expect(w.with("marketing")).To(BeEmpty())
		Expect(w.server.Works(w.account(), old)).To(BeTrue())
		w.killer.faults = nil
		w.live(20 * time.Minute)
		Expect(w.server.Works(w.account(), old)).To(BeFalse(), "revoked with its own value")
		Expect(w.get().Status.Retiring).To(BeEmpty())
		Expect(kept()).To(BeEmpty())
	})

	It("lifts though a person has removed every app password and changed the account's own", func() {
		w.server.TakesOwn = true
		w.startOperator()
		settled()
		w.killer.faults = map[string]error{"RevokeIssued": failing(platform.Transient)}
		w.freeze("hijack")
		w.reconcile(w.key())
		for _, id := range w.server.Minted(w.account()) {
			w.server.RevokeMinted(w.account(), id)
		}
		w.server.RemovePassword(w.account(), "source-secret-1")
		w.server.AddPassword(w.account(), "source-secret-2")
		w.replaceSource("source-secret-2")
		w.killer.faults = nil
		w.live(20 * time.Minute)
		frozen()
		w.lift("hijack")
		w.settle()
		w.expectReady()
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
	})

	It("says that it cannot where the company's password was changed and the platform wants that", func() {
		settled()
		old := w.with("marketing")
		w.server.RemovePassword(w.account(), "source-secret-1")
		w.pass(2 * time.Hour)
		w.settle()
		w.freeze("hijack")
		w.settle()
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonNotCutOff)
		Expect(allowed().Message).To(ContainSubstring("revoke it by hand"), "this platform takes back minted credentials only with the source")
		Expect(w.with("marketing")).To(BeEmpty())
		Expect(w.server.Works(w.account(), old)).To(BeTrue())
		w.server.AddPassword(w.account(), "source-secret-2")
		w.replaceSource("source-secret-2")
		w.settle()
		frozen()
	})

	It("does not wait for a namespace that refuses", func() {
		settled()
		old := w.with("marketing")
		w.killer.refuse = "update *v1.Secret"
		w.freeze("hijack")
		result, _ := w.reconcile(w.key())
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		Expect(result.RequeueAfter).To(BeNumerically("<", 10*time.Second))
		w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonFreezing)
		Expect(w.get().Status.Freeze.EffectiveBy).NotTo(BeNil())
		w.killer.refuse = ""
		w.settle()
		frozen()
	})

	It("is not escaped by deleting the channel", Label("S19"), func() {
		settled()
		old := w.with("marketing")
		w.freeze("hijack")
		w.delete()
		w.settle()
		expectGone(w)
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
	})

	Context("of a token of the company's own", func() {
		BeforeEach(func() { w = newWorld(false) })

		It("empties the Secret, leaves the token alone, and says what to do", func() {
			settled()
			w.freeze("hijack")
			w.reconcile(w.key())
			w.expect(v1alpha1.ConditionPublishingAllowed, metav1.ConditionFalse, v1alpha1.ReasonNotCutOff)
			Expect(allowed().Message).To(And(ContainSubstring("can still publish"), ContainSubstring("revoke it at the platform"), ContainSubstring("help-source")))
			w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonFrozen)
			Expect(w.with("marketing")).To(BeEmpty())
			Expect(w.server.Works(w.account(), "source-secret-1")).To(BeTrue())
			Expect(w.server.Calls()).NotTo(HaveKey("Revoke"))
			w.lift("hijack")
			w.settle()
			w.expectReady()
			Expect(w.with("marketing")).To(Equal("source-secret-1"))
		})

		It("delivers at the lift what was put in meanwhile, and revokes the other", func() {
			settled()
			w.freeze("hijack")
			w.settle()
			w.server.AddPassword(w.account(), "source-secret-2")
			w.replaceSource("source-secret-2")
			w.settle()
			Expect(w.with("marketing")).To(BeEmpty())
			w.lift("hijack")
			w.settle()
			w.expectReady()
			Expect(w.with("marketing")).To(Equal("source-secret-2"))
			Expect(w.server.Works(w.account(), "source-secret-1")).To(BeFalse(), "no tool was using it, so there is no overlap")
		})

		It("can take the token back when the channel is deleted with Revoke", Label("S19"), func() {
			settled()
			w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
			w.freeze("hijack")
			w.settle()
			w.delete()
			w.settle()
			expectGone(w)
			Expect(w.server.Works(w.account(), "source-secret-1")).To(BeFalse())
		})
	})
})
