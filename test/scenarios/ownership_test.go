// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"errors"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/simulated"
)

var _ = Describe("Ownership", func() {
	var w *world
	BeforeEach(func() { w = newWorld(true) })

	settled := func() {
		GinkgoHelper()
		w.create(w.channel())
		w.settle()
		w.expectReady()
	}

	It("rotates by itself when somebody leaves, and at once", Label("S4"), func() {
		settled()
		old := w.with("marketing")
		w.leave("marketing", "eve")
		w.settle()
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		Expect(w.get().Status.Credential.ExposedTo).To(ConsistOf(w.in("marketing") + "/bob"))
		Expect(w.get().Status.LastRevoked.Cause).To(Equal(v1alpha1.CauseLeaver))
	})

	It("rotates when a membership ends with no edit", Label("S4"), func() {
		until := metav1.NewTime(w.clock.Now().Add(30 * time.Minute))
		w.editTeam("marketing", func(t *v1alpha1.Team) { t.Spec.Members[1].Until = &until })
		settled()
		old := w.with("marketing")
		w.live(29 * time.Minute)
		Expect(w.with("marketing")).To(Equal(old))
		w.live(time.Minute)
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		w.expectReady()
	})

	It("says what to do when a leaver has seen what cannot be minted anew", Label("S4"), func() {
		w = newWorld(false)
		settled()
		w.leave("marketing", "eve")
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSeenByLeaver)
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(ContainSubstring("eve"))
		w.server.AddPassword(w.account(), "source-secret-2")
		w.replaceSource("source-secret-2")
		w.settle()
		w.expectReady()
		Expect(w.with("marketing")).To(Equal("source-secret-2"))
		w.live(2 * time.Hour)
		Expect(w.server.Works(w.account(), "source-secret-1")).To(BeFalse(), "the replaced token is revoked after the overlap")
	})

	It("adds who joins to those who have seen it", func() {
		settled()
		w.editTeam("marketing", func(t *v1alpha1.Team) {
			t.Spec.Members = append(t.Spec.Members, v1alpha1.TeamMember{Name: "zoe", Email: "zoe@acme.example"})
		})
		w.settle()
		Expect(w.get().Status.Credential.ExposedTo).To(ContainElement(w.in("marketing") + "/zoe"))
	})

	It("moves with everything when the new owner accepts", Label("S6"), func() {
		settled()
		old := w.with("marketing")
		w.handOver("care")
		w.settle()
		w.expectReady()
		channel := w.get()
		Expect(channel.Status.Owner).To(Equal(w.in("care")))
		Expect(w.with("marketing")).To(BeEmpty())
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		Expect(w.server.Works(w.account(), w.with("care"))).To(BeTrue())
		Expect(channel.Status.LastRevoked.Cause).To(Equal(v1alpha1.CauseHandover))
		Expect(w.recorder.notes).To(ContainElement(ContainSubstring("moved from team " + w.in("marketing") + " to team " + w.in("care"))))
	})

	It("stays where it is without consent", Label("S7"), func() {
		settled()
		old := w.with("marketing")
		w.editTeam("care", func(t *v1alpha1.Team) { t.Spec.Accepts = nil })
		w.handOver("care")
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotAccepted)
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(ContainSubstring("add {namespace: " + w.in("social") + ", channels: [help]} to its spec.accepts"))
		Expect(w.get().Status.Owner).To(Equal(w.in("marketing")))
		Expect(w.with("marketing")).To(Equal(old))
		Expect(w.with("care")).To(BeEmpty())
	})

	It("reports a renamed handle and keeps the account", Label("S8"), func() {
		settled()
		old := w.with("marketing")
		w.server.Rename(w.account(), w.name+"-renamed")
		w.live(2 * time.Hour)
		w.expect(v1alpha1.ConditionIdentityVerified, metav1.ConditionFalse, v1alpha1.ReasonHandleDrift)
		Expect(w.with("marketing")).To(Equal(old))
		drift := 0
		for _, note := range w.recorder.notes {
			if strings.Contains(note, v1alpha1.ReasonHandleDrift) {
				drift++
			}
		}
		Expect(drift).To(Equal(1), "told once")
	})

	It("refuses the credential of another account, and mints nothing", Label("S9"), func() {
		w.server.AddAccount("acct-other", w.name+"-other", "other-secret")
		w.replaceSource("other-secret")
		channel := w.channel()
		channel.Spec.AccountID = w.account()
		w.create(channel)
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonWrongAccount)
		Expect(w.server.Calls()).NotTo(HaveKey("Mint"))
		Expect(w.with("marketing")).To(BeEmpty())
	})

	It("holds an account once it was confirmed, pinned or not", Label("S9"), func() {
		settled()
		old := w.with("marketing")
		w.server.AddAccount("acct-other", w.handle(), "other-secret")
		w.replaceSource("other-secret")
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonWrongAccount)
		Expect(w.with("marketing")).To(Equal(old))
		Expect(w.server.Works(w.account(), old)).To(BeTrue())
	})

	It("lets one channel hold an account, by handle and by ID", Label("S17"), func() {
		settled()
		second := w.channel()
		second.Name, second.Spec.Credentials.Delivery.SecretName = "second", "second-credential"
		w.create(second)
		key := client.ObjectKeyFromObject(second)
		w.settleKey(key)
		loser := &v1alpha1.SocialChannel{}
		Expect(shared.cached.GetAPIReader().Get(w.ctx, key, loser)).To(Succeed())
		Expect(loser.Status.Conditions).To(ContainElement(And(
			HaveField("Type", v1alpha1.ConditionReady), HaveField("Reason", v1alpha1.ReasonHeldByOther),
			HaveField("Message", ContainSubstring(w.in("social")+"/help")))))
		Expect(loser.Finalizers).To(BeEmpty())
		w.server.ResetCalls()
		Expect(shared.client.Delete(w.ctx, loser)).To(Succeed())
		w.settleKey(key)
		Expect(w.server.Calls()).To(BeEmpty())
		w.settle()
		w.expectReady()
	})

	It("finds by the account's ID that another handle is the same account", Label("S17"), func() {
		settled()
		w.server.Rename(w.account(), w.name+"-renamed")
		second := w.channel()
		second.Name, second.Spec.Handle = "second", w.name+"-renamed"
		w.create(second)
		w.settleKey(client.ObjectKeyFromObject(second))
		loser := &v1alpha1.SocialChannel{}
		Expect(shared.cached.GetAPIReader().Get(w.ctx, client.ObjectKeyFromObject(second), loser)).To(Succeed())
		Expect(loser.Status.Conditions).To(ContainElement(And(
			HaveField("Type", v1alpha1.ConditionReady), HaveField("Reason", v1alpha1.ReasonHeldByOther))))
		Expect(w.server.Minted(w.account())).To(HaveLen(1))
	})

	It("leaves account and credential alone when pruned with Orphan", Label("S19"), func() {
		settled()
		held := w.with("marketing")
		w.delete()
		w.settle()
		Expect(w.with("marketing")).To(Equal(held))
		Expect(w.server.Works(w.account(), held)).To(BeTrue())
		expectGone(w)
	})

	It("mints anew when it is declared again after Orphan, and tells of the one before", Label("S19"), func() {
		settled()
		held, before := w.with("marketing"), w.get().Status.Credential.ID
		w.delete()
		w.settle()
		w.create(w.channel())
		w.settle()
		w.expectReady()
		Expect(w.with("marketing")).NotTo(Equal(held))
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		Expect(w.server.Works(w.account(), held)).To(BeTrue(), "another cluster may use it")
		Expect(w.recorder.notes).To(ContainElement(And(ContainSubstring("LeftBehind"), ContainSubstring(before))))
	})

	It("takes the credential back with Revoke, also one that is gone already", Label("S19"), func() {
		settled()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
		w.settle()
		w.server.RevokeMinted(w.account(), w.get().Status.Credential.ID)
		w.delete()
		w.settle()
		Expect(w.with("marketing")).To(BeEmpty())
		expectGone(w)
	})

	DescribeTable("goes even when what it would need is gone, and says what is left", Label("S19"), func(breakIt func()) {
		settled()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
		w.settle()
		breakIt()
		w.delete()
		w.settle()
		expectGone(w)
		Expect(w.recorder.notes).To(ContainElement(ContainSubstring("LeftBehind")))
	},
		Entry("the source Secret", func() { w.deleteSecret(w.in("social"), "help-source") }),
		Entry("the source credential", func() { w.server.RemovePassword(w.account(), "source-secret-1") }),
		Entry("the platform", func() {
			Expect(shared.client.Delete(w.ctx, &v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: w.in("platform")}})).To(Succeed())
		}),
	)

	It("does nothing while suspended, and says so", func() {
		settled()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) })
		w.server.ResetCalls()
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonSuspended)
		Expect(w.server.Calls()).To(BeEmpty())
	})

	It("changes nothing at the platform with Observe", func() {
		channel := w.channel()
		channel.Spec.ManagementPolicy = v1alpha1.ManagementObserve
		w.create(channel)
		w.settle()
		w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionTrue, v1alpha1.ReasonObserveOnly)
		w.expectReady()
		Expect(w.server.Calls()).NotTo(HaveKey("Mint"))
		Expect(w.with("marketing")).To(BeEmpty())
	})
})

func expectGone(w *world) {
	GinkgoHelper()
	err := shared.cached.GetAPIReader().Get(w.ctx, w.key(), &v1alpha1.SocialChannel{})
	Expect(client.IgnoreNotFound(err)).To(Succeed())
	Expect(err).To(HaveOccurred())
}

var _ = Describe("A platform that fails", func() {
	var w *world
	BeforeEach(func() { w = newWorld(true) })

	failing := func(class platform.Class) error {
		return &platform.Failure{Class: class, Message: "the platform says " + string(class)}
	}

	It("is Unknown while down, never called dead, and comes back", Label("S12", "S23"), func() {
		w.create(w.channel())
		w.settle()
		old := w.with("marketing")
		w.killer.faults = map[string]error{"Verify": failing(platform.Transient)}
		w.pass(2 * time.Hour)
		w.server.ResetCalls()
		w.reconcile(w.key())
		w.expect(v1alpha1.ConditionIdentityVerified, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
		w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
		version := w.get().ResourceVersion
		end := w.clock.Now().Add(time.Hour)
		for w.clock.Now().Before(end) {
			result, _ := w.reconcile(w.key())
			Expect(result.RequeueAfter).To(BeNumerically("<=", 8*time.Minute))
			w.pass(result.RequeueAfter)
		}
		Expect(w.get().ResourceVersion).To(Equal(version), "an outage costs one write")
		Expect(w.server.Calls()["Verify"]).To(BeNumerically("<", 30), "calls back off")
		w.killer.faults = nil
		w.live(8 * time.Minute)
		w.expectReady()
		Expect(w.with("marketing")).To(Equal(old))
	})

	It("keeps to the time that it named", func() {
		retry := w.clock.Now().Add(40 * time.Minute)
		w.killer.faults = map[string]error{"Verify": &platform.Failure{Class: platform.RateLimited, Message: "too many", RetryAt: retry}}
		w.create(w.channel())
		result, _ := w.reconcile(w.key())
		Expect(result.RequeueAfter).To(BeNumerically("~", 40*time.Minute, 2*time.Second))
		w.expect(v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonRateLimited)
		w.server.ResetCalls()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Purpose = "another" })
		w.reconcile(w.key())
		Expect(w.server.Calls()).To(BeEmpty(), "an edit does not hurry a platform that asked to wait")
	})

	It("is told apart from a refused credential", Label("S12"), func() {
		w.create(w.channel())
		w.settle()
		w.server.RemovePassword(w.account(), "source-secret-1")
		w.pass(2 * time.Hour)
		w.settle()
		w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonRevoked)
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRevoked)
	})

	It("backs off from a mint that keeps failing, and leaves no stray", func() {
		w.killer.faults = map[string]error{"Prove": failing(platform.Transient)}
		w.create(w.channel())
		for range 12 {
			result, _ := w.reconcile(w.key())
			w.pass(result.RequeueAfter)
		}
		Expect(w.clock.Since(start)).To(BeNumerically(">", 10*time.Minute))
		Expect(w.server.Minted(w.account())).To(HaveLen(1), "each try takes the one before it back")
		w.killer.faults = nil
		w.settle()
		w.expectReady()
		Expect(w.server.Minted(w.account())).To(HaveLen(1))
	})

	It("finds a mint whose answer was lost, and leaves what is not Rostra's", Label("S22"), func() {
		w.server.MintForeign(w.account(), "phone-of-bob")
		lost := errors.New("the connection broke")
		w.server.SetHook(func(call string, phase simulated.Phase) error {
			if call == "Mint" && phase == "after" {
				return &platform.Failure{Class: platform.Transient, Message: lost.Error()}
			}
			return nil
		})
		w.create(w.channel())
		w.reconcile(w.key())
		Expect(w.server.Minted(w.account())).To(HaveLen(2))
		w.server.SetHook(nil)
		w.pass(time.Minute)
		w.settle()
		w.expectReady()
		Expect(w.server.Minted(w.account())).To(ConsistOf("phone-of-bob", w.get().Status.Credential.ID))
	})
})

var _ = Describe("Bad input", Label("S25"), func() {
	var w *world
	BeforeEach(func() { w = newWorld(true) })

	It("never overwrites a Secret that is not ours, and mints nothing", func() {
		w.create(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.in("marketing"), Name: "help-credential"},
			StringData: map[string]string{"theirs": "untouched"},
		})
		w.create(w.channel())
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNameTaken)
		Expect(w.server.Calls()).NotTo(HaveKey("Mint"))
		stored := &corev1.Secret{}
		Expect(shared.secrets.Get(w.ctx, client.ObjectKey{Namespace: w.in("marketing"), Name: "help-credential"}, stored)).To(Succeed())
		Expect(stored.Data).To(Equal(map[string][]byte{"theirs": []byte("untouched")}))
		w.deleteSecret(w.in("marketing"), "help-credential")
		w.settle()
		w.expectReady()
	})

	DescribeTable("says what is wrong with the source Secret", func(data map[string]string, reason, words string) {
		w.deleteSecret(w.in("social"), "help-source")
		if data != nil {
			w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "help-source"}, StringData: data})
		}
		w.create(w.channel())
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, reason)
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(ContainSubstring(words))
		if data == nil {
			w.create(w.source("source-secret-1"))
		} else {
			w.replaceSource("source-secret-1")
		}
		w.settle()
		w.expectReady()
	},
		Entry("missing", nil, v1alpha1.ReasonSourceSecretMissing, "create Secret"),
		Entry("empty", map[string]string{}, v1alpha1.ReasonSourceSecretInvalid, "no keys at all"),
		Entry("an empty key", map[string]string{"password": " \n"}, v1alpha1.ReasonSourceSecretInvalid, "is empty"),
		Entry("a wrong key", map[string]string{"passwrd": "source-secret-1"}, v1alpha1.ReasonSourceSecretInvalid, `it has passwrd`),
	)

	It("says that a team, a platform or a namespace is gone, and keeps what was delivered", func() {
		w.create(w.channel())
		w.settle()
		held := w.with("marketing")
		Expect(shared.client.Delete(w.ctx, &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: w.in("marketing")}})).To(Succeed())
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonOwnerNotFound)
		Expect(shared.client.Delete(w.ctx, &v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: w.in("platform")}})).To(Succeed())
		w.settle()
		w.expect(v1alpha1.ConditionIdentityVerified, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotFound)
		Expect(w.with("marketing")).To(Equal(held))
		Expect(w.server.Works(w.account(), held)).To(BeTrue())
	})

	It("reaches no namespace that is not there", func() {
		w.editTeam("marketing", func(t *v1alpha1.Team) { t.Spec.Namespace = w.in("nowhere") })
		w.create(w.channel())
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNamespaceNotFound)
		Expect(w.server.Calls()).NotTo(HaveKey("Mint"))
	})

	It("refuses a namespace that the platform does not allow", func() {
		edit(w, client.ObjectKey{Name: w.in("platform")}, &v1alpha1.SocialPlatform{}, func(p *v1alpha1.SocialPlatform) {
			p.Spec.AllowedNamespaces = &metav1.LabelSelector{MatchLabels: map[string]string{"world": "another"}}
		})
		w.create(w.channel())
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNamespaceNotAllowed)
		Expect(w.server.Calls()).To(BeEmpty())
	})

	It("says what a handle and an account ID look like", func() {
		channel := w.channel()
		channel.Spec.Handle = "no!handle"
		w.create(channel)
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidHandle)
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Handle, c.Spec.AccountID = w.handle(), "12345" })
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidAccountID)
		Expect(w.server.Calls()).To(BeEmpty())
	})

	It("repairs a delivered Secret that somebody changed", func() {
		w.create(w.channel())
		w.settle()
		old := w.with("marketing")
		secret := &corev1.Secret{}
		key := client.ObjectKey{Namespace: w.in("marketing"), Name: "help-credential"}
		Expect(shared.secrets.Get(w.ctx, key, secret)).To(Succeed())
		secret.Labels["theirs"] = "kept"
		Expect(shared.secrets.Update(w.ctx, secret)).To(Succeed())
		w.settle()
		Expect(w.with("marketing")).To(Equal(old), "a label more is no drift")
		Expect(shared.secrets.Get(w.ctx, key, secret)).To(Succeed())
		w.killer.drift = true
		secret.Data["SIMULATED_TOKEN"] = []byte("tampered")
		Expect(shared.secrets.Update(w.ctx, secret)).To(Succeed())
		w.settle()
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		Expect(shared.secrets.Get(w.ctx, key, secret)).To(Succeed())
		Expect(secret.Labels).To(HaveKeyWithValue("theirs", "kept"))
	})
})
