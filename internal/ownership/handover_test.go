// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

var _ = Describe("A hand-over", func() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	at := func(hours int) *metav1.Time { return new(metav1.NewTime(now.Add(time.Duration(hours) * time.Hour))) }
	begun := &v1alpha1.ChannelHandover{From: "marketing", To: "care", Steps: []v1alpha1.HandoverStep{{Name: v1alpha1.HandoverAccepted}}}

	DescribeTable("is judged by who holds, who is named, consent and time",
		func(c ownership.Claimants, stage ownership.Stage, wakeAt time.Time) {
			c.Now = now
			got, wake := ownership.Judge(c)
			Expect(got).To(Equal(stage))
			Expect(wake).To(Equal(wakeAt))
		},
		Entry("the first owner", ownership.Claimants{Declared: "care"}, ownership.InForce, time.Time{}),
		Entry("a first owner that does not accept", ownership.Claimants{Declared: "care", Objected: true}, ownership.Refused, time.Time{}),
		Entry("a first owner, with terms of a hand-over that long is", ownership.Claimants{
			Declared: "care", Terms: &v1alpha1.HandoverTerms{AcceptBy: at(-1)},
		}, ownership.InForce, time.Time{}),
		Entry("the owner itself", ownership.Claimants{Held: "care", Declared: "care"}, ownership.InForce, time.Time{}),
		Entry("an owner that accepts no longer", ownership.Claimants{Held: "care", Declared: "care", Objected: true}, ownership.Refused, time.Time{}),
		Entry("another that accepts", ownership.Claimants{Held: "marketing", Declared: "care"}, ownership.Moving, time.Time{}),
		Entry("another that does not", ownership.Claimants{Held: "marketing", Declared: "care", Objected: true}, ownership.Refused, time.Time{}),
		Entry("one that may yet accept", ownership.Claimants{
			Held: "marketing", Declared: "care", Objected: true, Terms: &v1alpha1.HandoverTerms{AcceptBy: at(1)},
		}, ownership.Refused, at(1).Time),
		Entry("one that did not accept in time", ownership.Claimants{
			Held: "marketing", Declared: "care", Objected: true, Terms: &v1alpha1.HandoverTerms{AcceptBy: at(0)},
		}, ownership.GivenUp, time.Time{}),
		Entry("one that accepted too late", ownership.Claimants{
			Held: "marketing", Declared: "care", Terms: &v1alpha1.HandoverTerms{AcceptBy: at(-1)},
		}, ownership.GivenUp, time.Time{}),
		Entry("one whose hand-over has begun in time", ownership.Claimants{
			Held: "marketing", Declared: "care", Terms: &v1alpha1.HandoverTerms{AcceptBy: at(-1)}, Handover: begun,
		}, ownership.Moving, time.Time{}),
		Entry("one whose consent was taken back midway, too late", ownership.Claimants{
			Held: "marketing", Declared: "care", Objected: true, Terms: &v1alpha1.HandoverTerms{AcceptBy: at(-1)}, Handover: begun,
		}, ownership.GivenUp, time.Time{}),
		Entry("one whose time has not come", ownership.Claimants{
			Held: "marketing", Declared: "care", Terms: &v1alpha1.HandoverTerms{EffectiveTime: at(2), AcceptBy: at(3)},
		}, ownership.Scheduled, at(2).Time),
		Entry("one whose time has come", ownership.Claimants{
			Held: "marketing", Declared: "care", Terms: &v1alpha1.HandoverTerms{EffectiveTime: at(0)},
		}, ownership.Moving, time.Time{}),
		Entry("one that has begun, with the clock set back", ownership.Claimants{
			Held: "marketing", Declared: "care", Terms: &v1alpha1.HandoverTerms{EffectiveTime: at(1)}, Handover: begun,
		}, ownership.Moving, time.Time{}),
		Entry("a third team", ownership.Claimants{
			Held: "marketing", Declared: "press", Terms: &v1alpha1.HandoverTerms{EffectiveTime: at(1)}, Handover: begun,
		}, ownership.Scheduled, at(1).Time),
	)

	It("keeps its steps once each, with the time of the first", func() {
		handover := &v1alpha1.ChannelHandover{From: "marketing", To: "care"}
		ownership.Step(handover, v1alpha1.HandoverAccepted, now)
		ownership.Step(handover, v1alpha1.HandoverAccepted, now.Add(time.Hour))
		ownership.Step(handover, v1alpha1.HandoverSwitched, now.Add(time.Hour))
		Expect(handover.Steps).To(HaveExactElements(
			v1alpha1.HandoverStep{Name: v1alpha1.HandoverAccepted, Time: metav1.NewTime(now)},
			v1alpha1.HandoverStep{Name: v1alpha1.HandoverSwitched, Time: metav1.NewTime(now.Add(time.Hour))},
		))
		Expect(ownership.Begun(handover, "marketing", "care")).To(BeFalse(), "it has switched")
	})

	It("is remembered, the last sixteen, newest first", func() {
		var history []v1alpha1.OwnershipChange
		for i := range 20 {
			history = ownership.Record(history, v1alpha1.OwnershipChange{To: fmt.Sprintf("team-%d", i)})
		}
		Expect(history).To(HaveLen(16))
		Expect(history[0].To).To(Equal("team-19"))
		Expect(history[15].To).To(Equal("team-4"))
	})
})

var _ = Describe("Who asked for a hand-over", func() {
	entry := func(manager, subresource, fields string, minute int) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{
			Manager: manager, Subresource: subresource, FieldsV1: metav1.NewFieldsV1(fields),
			Time: new(metav1.NewTime(time.Date(2026, 11, 22, 9, minute, 0, 0, time.UTC))),
		}
	}
	const owner = `{"f:spec":{"f:ownerRef":{"f:name":{}}}}`

	It("is the field manager that set the owner last", func() {
		Expect(ownership.Requester([]metav1.ManagedFieldsEntry{
			entry("kubectl", "", owner, 1), entry("flux", "", owner, 3), entry("argocd", "", owner, 2),
			entry("someone", "", `{"f:spec":{"f:handle":{}}}`, 9), entry("rostra", "status", owner, 9),
		})).To(Equal("flux"))
	})

	It("is nobody where the record does not say", func() {
		Expect(ownership.Requester(nil)).To(BeEmpty())
		Expect(ownership.Requester([]metav1.ManagedFieldsEntry{entry("x", "", `not json`, 1), {Manager: "y"}})).To(BeEmpty())
	})
})
