// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/platform"
)

// braked is how many channels the worlds below have: more than may go at once,
// and more than a message names.
const braked = 20

var _ = Describe("The brake on removals", func() {
	var w *world
	var keys []client.ObjectKey
	var limit int

	channel := func(key client.ObjectKey) *v1alpha1.SocialChannel {
		GinkgoHelper()
		found := &v1alpha1.SocialChannel{}
		Expect(shared.cached.GetAPIReader().Get(w.ctx, key, found)).To(Succeed())
		return found
	}
	each := func(change func(*v1alpha1.SocialChannel)) {
		GinkgoHelper()
		for _, key := range keys {
			edit(w, key, &v1alpha1.SocialChannel{}, change)
		}
	}
	work := func() {
		GinkgoHelper()
		for _, key := range keys {
			w.settleOnce(key)
		}
	}
	confirm := func(at time.Time) {
		GinkgoHelper()
		each(func(c *v1alpha1.SocialChannel) {
			c.Annotations = map[string]string{v1alpha1.AnnotationConfirmRemoval: at.Format(time.RFC3339)}
		})
	}

	BeforeEach(func() {
		w = newWorld(true)
		w.brake = ownership.Brake{Percent: 1, Floor: 5}
		w.startOperator()
		keys = nil
		for i := range braked {
			object := w.channel()
			object.Name = fmt.Sprintf("help-%d", i)
			object.Spec.Handle = fmt.Sprintf("%s-%d", w.handle(), i)
			object.Spec.Credentials.Delivery.SecretName = object.Name
			object.Spec.Credentials.SourceSecretRef.Name = object.Name + "-source"
			w.server.AddAccount(fmt.Sprintf("%s-%d", w.account(), i), object.Spec.Handle, object.Name+"-secret")
			source := w.source(object.Name + "-secret")
			source.Name = object.Name + "-source"
			w.create(source)
			w.create(object)
			keys = append(keys, client.ObjectKeyFromObject(object))
		}
		work()
		all := &v1alpha1.SocialChannelList{}
		Expect(shared.client.List(w.ctx, all)).To(Succeed())
		limit = w.brake.Limit(len(all.Items))
		Expect(limit).To(BeNumerically("<", braked))
		for _, key := range keys {
			ready := meta.FindStatusCondition(channel(key).Status.Conditions, v1alpha1.ConditionReady)
			Expect(ready.Status).To(Equal(metav1.ConditionTrue), ready.Message)
		}
	})

	It("stops a diff that would take most accounts from their owner, until a person confirms it", func() {
		each(func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = w.in("care") })
		work()
		for _, key := range keys {
			found := channel(key)
			Expect(found.Status.Owner).To(Equal(w.in("marketing")))
			resolved := meta.FindStatusCondition(found.Status.Conditions, v1alpha1.ConditionOwnerResolved)
			Expect(resolved.Reason).To(Equal(v1alpha1.ReasonRemovalHalted))
			Expect(resolved.Message).To(And(HavePrefix("if it is meant, annotate"), ContainSubstring("20 of "), ContainSubstring(fmt.Sprintf("no more than %d ", limit)),
				ContainSubstring(w.in("social")+"/help-0, "), ContainSubstring("and 10 more"), ContainSubstring(v1alpha1.AnnotationConfirmRemoval)))
			Expect(meta.IsStatusConditionTrue(found.Status.Conditions, v1alpha1.ConditionCredentialReady)).To(BeTrue(), "what was delivered keeps working")
		}
		By("waiting, which confirms nothing, also after a restart")
		w.pass(time.Hour)
		w.startOperator()
		work()
		Expect(channel(keys[0]).Status.Owner).To(Equal(w.in("marketing")))

		By("taking most of it back, which does not let the rest through")
		for _, key := range keys[1:] {
			edit(w, key, &v1alpha1.SocialChannel{}, func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = w.in("marketing") })
		}
		work()
		Expect(channel(keys[0]).Status.Owner).To(Equal(w.in("marketing")))
		Expect(meta.IsStatusConditionTrue(channel(keys[1]).Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())

		By("an old confirmation, which does not count")
		each(func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = w.in("care") })
		confirm(w.clock.Now().Add(-2 * time.Hour))
		work()
		Expect(channel(keys[braked-1]).Status.Owner).To(Equal(w.in("marketing")))

		By("a confirmation")
		confirm(w.clock.Now())
		work()
		for _, key := range keys {
			Expect(channel(key).Status.Owner).To(Equal(w.in("care")))
		}
	})

	It("lets as many go as may, and then stops", func() {
		for i, key := range keys {
			edit(w, key, &v1alpha1.SocialChannel{}, func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = w.in("care") })
			w.settleOnce(key)
			want := "care"
			if i >= limit {
				want = "marketing"
			}
			Expect(channel(key).Status.Owner).To(Equal(w.in(want)), "number %d", i)
		}
		confirm(w.clock.Now())
		work()
	})

	It("keeps what a repository that lost a folder would revoke", func() {
		each(func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
		work()
		for _, key := range keys {
			Expect(shared.client.Delete(w.ctx, channel(key))).To(Succeed())
		}
		work()
		all := &v1alpha1.SocialChannelList{}
		Expect(shared.client.List(w.ctx, all)).To(Succeed())
		limit = w.brake.Limit(len(all.Items))
		Expect(limit).To(BeNumerically("<", braked))
		for _, key := range keys {
			ready := meta.FindStatusCondition(channel(key).Status.Conditions, v1alpha1.ConditionReady)
			Expect(ready).To(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", v1alpha1.ReasonRemovalHalted)))
			Expect(w.delivered(w.in("marketing"), key.Name)).NotTo(BeEmpty())
		}
		confirm(w.clock.Now())
		work()
		for _, key := range keys {
			err := shared.cached.GetAPIReader().Get(w.ctx, key, &v1alpha1.SocialChannel{})
			Expect(apierrors.IsNotFound(err)).To(BeTrue())
			Expect(w.delivered(w.in("marketing"), key.Name)).To(BeEmpty())
		}
	})

	// moves names another owner for some channels, and works on them.
	moves := func(team string, some ...client.ObjectKey) {
		GinkgoHelper()
		for _, key := range some {
			edit(w, key, &v1alpha1.SocialChannel{}, func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = w.in(team) })
		}
		for _, key := range some {
			w.settleOnce(key)
		}
	}
	owned := func(team string, some ...client.ObjectKey) {
		GinkgoHelper()
		for _, key := range some {
			Expect(channel(key).Status.Owner).To(Equal(w.in(team)), key.Name)
		}
	}

	It("lets a normal move go on beside what cannot: suspended, taken back, or confirmed", func() {
		moves("care", keys[:braked-2]...)
		owned("marketing", keys[0], keys[braked-3])
		By("counting once for all that are stopped")
		counted := &countingClient{Client: w.reconciler.Client}
		config := w.reconciler.Config
		config.Client = counted
		w.reconciler = socialchannel.New(config)
		work()
		Expect(counted.lists).To(BeNumerically("<=", 2), "of all channels, for %d", braked)
		Expect(counted.teams).To(BeNumerically("<=", 4*braked), "lookups of a team")

		By("halting one more, which nobody takes back")
		moves("care", keys[braked-2])
		owned("marketing", keys[braked-2])
		By("suspending the others, and taking that one back")
		for _, key := range keys[:braked-2] {
			edit(w, key, &v1alpha1.SocialChannel{}, func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) })
		}
		work()
		moves("marketing", keys[braked-2])
		moves("care", keys[braked-1])
		owned("care", keys[braked-1])

		By("confirming the others, which count for nobody")
		confirm(w.clock.Now())
		for _, key := range keys[:braked-2] {
			edit(w, key, &v1alpha1.SocialChannel{}, func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = nil })
		}
		work()
		owned("care", keys[:braked-2]...)
		edit(w, keys[braked-2], &v1alpha1.SocialChannel{}, func(c *v1alpha1.SocialChannel) { c.Annotations = nil })
		moves("care", keys[braked-2])
		owned("care", keys[braked-2])
	})

	It("counts what was let through also after a restart, and finishes what has begun", func() {
		By("a platform that is down, while one hand-over begins and the hour of its confirmation passes")
		w.killer.faults = map[string]error{"Mint": &platform.Failure{Class: platform.Transient, Message: "down"}}
		edit(w, keys[0], &v1alpha1.SocialChannel{}, func(c *v1alpha1.SocialChannel) {
			c.Annotations = map[string]string{v1alpha1.AnnotationConfirmRemoval: w.clock.Now().Format(time.RFC3339)}
		})
		moves("care", keys[0])
		Expect(channel(keys[0]).Status.Handover).NotTo(BeNil())
		w.pass(61 * time.Minute)
		moves("care", keys[2:]...)
		Expect(meta.FindStatusCondition(channel(keys[2]).Status.Conditions, v1alpha1.ConditionOwnerResolved).Reason).To(Equal(v1alpha1.ReasonRemovalHalted))
		w.killer.faults = nil
		w.settleOnce(keys[0])
		owned("care", keys[0])
		moves("marketing", keys[2:]...)

		By("one at a time, with a restart before each")
		Expect(limit).To(BeNumerically("<", braked-2))
		for _, key := range keys[1 : 1+limit] {
			w.startOperator()
			moves("care", key)
			owned("care", key)
		}
		w.startOperator()
		moves("care", keys[1+limit])
		owned("marketing", keys[1+limit])
		moves("marketing", keys[1+limit])
		w.pass(ownership.RemovalWindow)
		moves("care", keys[1+limit])
		owned("care", keys[1+limit])
	})

	It("stops the move of a whole team's Secrets", func() {
		w.createNamespace("elsewhere")
		w.editTeam("marketing", func(t *v1alpha1.Team) { t.Spec.Namespace = w.in("elsewhere") })
		work()
		for _, key := range keys {
			ready := meta.FindStatusCondition(channel(key).Status.Conditions, v1alpha1.ConditionCredentialReady)
			Expect(ready).To(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", v1alpha1.ReasonRemovalHalted),
				HaveField("Message", HavePrefix("if it is meant, annotate"))))
			Expect(w.delivered(w.in("marketing"), key.Name)).NotTo(BeEmpty())
			Expect(w.delivered(w.in("elsewhere"), key.Name)).To(BeEmpty())
		}
		By("rotating where it is")
		before := w.delivered(w.in("marketing"), keys[0].Name)
		w.editTeam("marketing", func(t *v1alpha1.Team) { t.Spec.Members = t.Spec.Members[:1] })
		w.settleOnce(keys[0])
		Expect(w.delivered(w.in("marketing"), keys[0].Name)).NotTo(Or(BeEmpty(), Equal(before)))
		confirm(w.clock.Now())
		work()
		for _, key := range keys {
			Expect(w.delivered(w.in("marketing"), key.Name)).To(BeEmpty())
			Expect(w.delivered(w.in("elsewhere"), key.Name)).NotTo(BeEmpty())
		}
	})

	It("does not count what loses nothing: no credential, deletion with Orphan, and a first owner", func() {
		By("deleting, with Revoke, channels that never got a credential")
		for i := range limit + 1 {
			object := w.channel()
			object.Name = fmt.Sprintf("bare-%d", i)
			object.Spec.Handle = fmt.Sprintf("%s-bare-%d", w.handle(), i)
			object.Spec.Credentials.SourceSecretRef.Name = "nowhere"
			object.Spec.Credentials.Delivery.SecretName = object.Name
			object.Spec.DeletionPolicy = v1alpha1.DeletionRevoke
			w.create(object)
			key := client.ObjectKeyFromObject(object)
			w.settleOnce(key)
			moves("care", key)
			owned("care", key)
			Expect(shared.client.Delete(w.ctx, channel(key))).To(Succeed())
			w.settleOnce(key)
			Expect(apierrors.IsNotFound(shared.cached.GetAPIReader().Get(w.ctx, key, object))).To(BeTrue())
		}
		moves("care", keys[0])
		owned("care", keys[0])
		By("deleting with Orphan")
		for _, key := range keys {
			Expect(shared.client.Delete(w.ctx, channel(key))).To(Succeed())
		}
		work()
		for _, key := range keys {
			err := shared.cached.GetAPIReader().Get(w.ctx, key, &v1alpha1.SocialChannel{})
			Expect(apierrors.IsNotFound(err)).To(BeTrue())
		}
	})
})

// settleOnce reconciles until nothing is under way, and lets no time go by.
func (w *world) settleOnce(key client.ObjectKey) {
	GinkgoHelper()
	for range 20 {
		result, _ := w.reconcile(key)
		if result.RequeueAfter == 0 || result.RequeueAfter > time.Second {
			return
		}
	}
	Fail("the channel does not settle")
}

// countingClient counts what the brake may look up.
type countingClient struct {
	client.Client
	lists, teams int
}

func (c *countingClient) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	asked := &client.ListOptions{}
	asked.ApplyOptions(options)
	if _, ok := list.(*v1alpha1.SocialChannelList); ok && asked.FieldSelector == nil {
		c.lists++
	}
	return c.Client.List(ctx, list, options...)
}

func (c *countingClient) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if _, ok := object.(*v1alpha1.Team); ok {
		c.teams++
	}
	return c.Client.Get(ctx, key, object, options...)
}
