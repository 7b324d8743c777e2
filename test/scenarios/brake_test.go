// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

// braked is how many channels the worlds below have: more than the bound, which
// depends on how many channels other worlds have left in the API server.
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
			Expect(resolved.Message).To(And(ContainSubstring("20 of "), ContainSubstring(fmt.Sprintf("no more than %d ", limit)),
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

	It("does not count what loses nothing: deletion with Orphan, and a first owner", func() {
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
