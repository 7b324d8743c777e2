// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
)

// renewing is a channel in order whose platform gives tokens of two hours, which
// Rostra renews.
func renewing(changes ...change) credentials.Facts {
	return with(given(), append([]change{
		func(f *credentials.Facts) {
			f.Renews, f.SourceExpiresAt = true, f.Now.Add(time.Hour)
			f.Recorded.ExpiresAt = new(metav1.NewTime(f.SourceExpiresAt))
		},
	}, changes...)...)
}

func renewed(f *credentials.Facts)       { f.SourceID = "source-bbbb" }
func anotherSource(f *credentials.Facts) { f.SourceID, f.SourceChanged = "source-bbbb", true }
func notRenewed(f *credentials.Facts)    { f.SourceExpiresAt = f.Now }
func seenByALeaver(f *credentials.Facts) { danaLeft(f) }
func delivers(id string, at time.Time) v1alpha1.DeliveredCredential {
	record := given().Recorded.DeepCopy()
	record.ID, record.IssuedAt = id, metav1.NewTime(at)
	return *record
}

var _ = Describe("A credential that Rostra renews", func() {
	It("is not due by being short-lived", func() {
		decision := decide(renewing())
		Expect(decision.Replace).To(BeEmpty())
		Expect(decision.DueAt).To(BeZero())
		Expect(decision.Verdict.OK).To(BeTrue())
		Expect(decision.WakeAt).To(Equal(noon.Add(time.Hour)), "it is looked at when it expires")
	})

	It("is delivered again when it was renewed, and the one before is let expire", func() {
		facts := renewing(renewed)
		decision := decide(facts)
		Expect(decision.Replace).To(Equal(v1alpha1.CauseRenewed))
		_, retiring := credentials.Succeed(facts, decision.Replace, delivers("source-bbbb", noon))
		Expect(retiring).To(HaveLen(1))
		Expect(retiring[0].RevokeAt.Time).To(Equal(noon.Add(time.Hour)), "to revoke it could end the grant that the new one lives by")
		Expect(credentials.Ended(retiring[0], noon)).To(BeFalse())
		Expect(credentials.Ended(retiring[0], noon.Add(time.Hour))).To(BeTrue())
	})

	It("is revoked, although it was renewed already, when somebody leaves who saw it before", Label("S4"), func() {
		facts := renewing(renewed)
		record, retiring := credentials.Succeed(facts, v1alpha1.CauseRenewed, delivers("source-bbbb", noon))
		later := renewing(danaLeft, func(f *credentials.Facts) {
			f.Recorded, f.Retiring, f.SourceID, f.Now = record, retiring, "source-bbbb", noon.Add(time.Minute)
		})
		Expect(decide(later).Revoke).To(HaveLen(1))
	})

	It("is not delivered to another team while it is the same", Label("S6"), func() {
		facts := renewing(func(f *credentials.Facts) { f.Want.Team, f.Present = "marketing", []string{"marketing/sam"} })
		Expect(decide(facts).Replace).To(Equal(v1alpha1.CauseHandover))
		Expect(credentials.SameAgain(facts, "source-aaaa")).To(BeTrue())
		Expect(credentials.SameAgain(facts, "source-bbbb")).To(BeFalse())
		Expect(credentials.SameAgain(with(given(teamMoved), danaLeft), "source-aaaa")).To(BeFalse(), "what nobody renews must move as it is")
	})

	It("is cut by a freeze, and another is delivered when that is lifted", Label("S10"), func() {
		frozen := renewing(func(f *credentials.Facts) { f.Frozen = true })
		Expect(decide(frozen).Cut).To(BeTrue())
		Expect(decide(given(func(f *credentials.Facts) { f.Frozen = true })).Cut).To(BeFalse(), "a person would have to connect the account again")
		lifted := renewing(func(f *credentials.Facts) { f.Recorded.RevokedAt = new(metav1.NewTime(noon)) })
		Expect(decide(lifted).Replace).To(Equal(v1alpha1.CauseFreeze))
		Expect(credentials.SameAgain(lifted, "source-aaaa")).To(BeTrue(), "what was revoked is not delivered again")
	})

	It("keeps in mind who saw it where it never ends", Label("S4"), func() {
		facts := with(given(renewed, danaLeft))
		decision := decide(facts)
		Expect(decision.Replace).To(Equal(v1alpha1.CauseRenewed))
		record, retiring := credentials.Succeed(facts, decision.Replace, delivers("source-bbbb", noon))
		Expect(retiring).To(BeEmpty())
		Expect(record.ExposedTo).To(ContainElement("care/dana"), "what she has still works")
	})

	It("is revoked when it was renewed because somebody left", Label("S4"), func() {
		facts := renewing(renewed, seenByALeaver)
		decision := decide(facts)
		Expect(decision.Replace).To(Equal(v1alpha1.CauseLeaver))
		record, retiring := credentials.Succeed(facts, decision.Replace, delivers("source-bbbb", noon))
		Expect(retiring).To(HaveLen(1))
		Expect(retiring[0].RevokeAt.Time).To(Equal(noon))
		Expect(record.ExposedTo).To(Equal([]string{"care/maria"}))
	})

	It("says that somebody who left has it, until it is renewed", Label("S4"), func() {
		verdict := decide(renewing(seenByALeaver)).Verdict
		Expect(verdict.Reason).To(Equal(v1alpha1.ReasonSeenByLeaver))
		Expect(verdict.Message).To(ContainSubstring("ends by itself at 2026-11-21T13:00:00Z"))
	})

	It("is replaced as any other when a person gave another source credential", func() {
		decision := decide(renewing(anotherSource))
		Expect(decision.Replace).To(Equal(v1alpha1.CauseSourceReplaced))
	})

	It("has expired when it was not renewed in time", Label("S11"), func() {
		verdict := decide(renewing(notRenewed)).Verdict
		Expect(verdict.Reason).To(Equal(v1alpha1.ReasonExpired))
		Expect(verdict.Message).To(ContainSubstring("connect the account again"))
	})
})
