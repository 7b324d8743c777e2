// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

var _ = Describe("A credential's life", func() {
	It("is minted, proven, delivered and recorded", func() {
		w := newWorld(true)
		w.create(w.channel())
		wait := w.settle()
		w.expectReady()
		channel := w.get()
		Expect(channel.Status.Owner).To(Equal(w.in("marketing")))
		Expect(channel.Status.Account.ID).To(Equal(w.account()))
		Expect(channel.Status.Credential.ExposedTo).To(ConsistOf(w.in("marketing")+"/bob", w.in("marketing")+"/eve"))
		Expect(channel.Status.Credential.Expires).To(Equal("30d"))
		Expect(w.server.Minted(w.account())).To(ConsistOf(channel.Status.Credential.ID))
		Expect(w.server.Works(w.account(), w.with("marketing"))).To(BeTrue())
		Expect(wait).To(BeNumerically("~", 63*time.Minute, 4*time.Minute), "the next look is the probe")
		Expect(w.recorder.notes).To(BeEmpty(), "a channel that comes up in order is no transition")
	})

	It("costs four requests to the API server, and then none while nothing changes", func() {
		w := newWorld(true)
		w.create(w.channel())
		w.killer.counting = true
		w.settle()
		Expect(w.killer.steps).To(HaveLen(7), "%v", w.killer.steps)
		Expect(w.killer.steps).To(ContainElements("patch *v1alpha1.SocialChannel", "create *v1.Secret", "patch status *v1alpha1.SocialChannel"))

		w.killer.steps = nil
		w.server.ResetCalls()
		for range 5 {
			w.settle()
		}
		Expect(w.killer.steps).To(BeEmpty())
	})

	It("is looked at twice an hour at most when healthy, and nothing is written", func() {
		w := newWorld(true)
		w.create(w.channel())
		w.settle()
		version := w.get().ResourceVersion
		w.server.ResetCalls()
		w.live(24 * time.Hour)
		calls := 0
		for _, n := range w.server.Calls() {
			calls += n
		}
		Expect(calls).To(BeNumerically("<=", 2*24))
		Expect(calls).To(BeNumerically(">", 24), "it is looked at")
		Expect(w.get().Status.Credential.Expires).To(Equal("29d"))
		Expect(w.get().ResourceVersion).NotTo(Equal(version), "the column EXPIRES moved by a day")
		version = w.get().ResourceVersion
		w.live(11 * time.Hour)
		Expect(w.get().ResourceVersion).To(Equal(version))
	})

	It("rotates on its interval, overlaps, and revokes the old one", func() {
		w := newWorld(true)
		w.create(w.channel())
		w.settle()
		old := w.with("marketing")
		w.pass(720*time.Hour - 5*time.Minute)
		w.reconcile(w.key())
		Expect(w.with("marketing")).To(Equal(old))
		w.live(5 * time.Minute)
		fresh := w.with("marketing")
		Expect(fresh).NotTo(Equal(old))
		Expect(w.server.Works(w.account(), fresh)).To(BeTrue())
		Expect(w.server.Works(w.account(), old)).To(BeTrue(), "the overlap")
		Expect(w.get().Status.Retiring).To(HaveLen(1))
		w.live(time.Hour)
		Expect(w.server.Works(w.account(), old)).To(BeFalse())
		channel := w.get()
		Expect(channel.Status.Retiring).To(BeEmpty())
		Expect(channel.Status.LastRevoked.EffectiveBy.Time).To(BeTemporally("==", channel.Status.LastRevoked.RevokedAt.Add(2*time.Hour)), "revoked is not dead")
		w.expectReady()
	})

	It("rotates on demand, once, and says what it cannot read", func() {
		w := newWorld(true)
		w.create(w.channel())
		w.settle()
		old := w.with("marketing")
		w.pass(time.Minute)
		w.editChannel(func(c *v1alpha1.SocialChannel) {
			c.Annotations = map[string]string{v1alpha1.AnnotationRotateAt: w.clock.Now().Format(time.RFC3339)}
		})
		w.settle()
		fresh := w.with("marketing")
		Expect(fresh).NotTo(Equal(old))
		w.live(3 * time.Hour)
		Expect(w.with("marketing")).To(Equal(fresh))
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Annotations[v1alpha1.AnnotationRotateAt] = "tomorrow" })
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidRotateAt)
		Expect(w.with("marketing")).To(Equal(fresh))
	})
})
