// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
)

func frozen(f *credentials.Facts)  { f.Frozen = true }
func emptied(f *credentials.Facts) { f.Secret = credentials.SecretEmptied }
func withdrawn(f *credentials.Facts) {
	f.Recorded.WithdrawnAt = new(metav1.NewTime(f.Now.Add(-time.Hour)))
}
func cut(f *credentials.Facts) { f.Recorded.RevokedAt = new(metav1.NewTime(f.Now.Add(-time.Hour))) }

var _ = Describe("While a freeze holds the channel", Label("S10"), func() {
	It("takes a minted credential back, and everything in its overlap", func() {
		decision := decide(minted(frozen, retiring(entry(prefix+"2", time.Hour), unrevoked(prefix+"1"))))
		Expect(decision.Cut).To(BeTrue())
		Expect(decision.Empty).To(BeTrue())
		Expect(ids(decision.Revoke)).To(ConsistOf(prefix+"2", prefix+"1"))
		Expect(decision.Verdict).To(And(HaveField("OK", false), HaveField("Reason", v1alpha1.ReasonFrozen)))
	})

	It("withdraws the company's own token and leaves it alone otherwise", func() {
		decision := decide(given(frozen))
		Expect(decision.Cut).To(BeFalse())
		Expect(decision.Empty).To(BeTrue())
	})

	It("revokes a token that was replaced, but not one that came back", func() {
		Expect(ids(decide(given(frozen, retiring(entry("source-bbbb", time.Hour)))).Revoke)).To(ConsistOf("source-bbbb"))
		came := given(frozen, retiring(entry("source-bbbb", time.Hour)), func(f *credentials.Facts) { f.SourceID = "source-bbbb" })
		Expect(decide(came).Revoke).To(BeEmpty())
		Expect(decide(given(frozen, retiring(entry("source-aaaa", time.Hour)))).Revoke).To(BeEmpty(), "it is on record")
	})

	It("finds what was minted and is nowhere on record", func() {
		Expect(decide(minted(frozen, func(f *credentials.Facts) { f.Issued = append(f.Issued, prefix+"4") })).Strays).To(ConsistOf(prefix + "4"))
	})

	DescribeTable("empties the Secret",
		func(wanted bool, changes ...change) {
			Expect(decide(minted(append(changes, frozen)...)).Empty).To(Equal(wanted))
		},
		Entry("once", false, change(withdrawn)),
		Entry("not when that is found done, and not recorded", false, change(emptied)),
		Entry("not when it is gone", false, change(secretGone)),
		Entry("again when somebody put something in", true, change(withdrawn), change(secretAltered)),
		Entry("also when it is ahead of the record", true, change(secretAhead)),
		Entry("also when it was revoked before", true, change(cut)),
	)

	It("has nothing to take back where nothing was delivered", func() {
		decision := decide(minted(frozen, nothingYet))
		Expect(decision.Cut).To(BeFalse())
		Expect(decision.Empty).To(BeFalse())
	})

	It("does nothing twice", func() {
		decision := decide(minted(frozen, cut, withdrawn))
		Expect(decision.Cut).To(BeFalse())
		Expect(decision.Empty).To(BeFalse())
		Expect(decision.Revoke).To(BeEmpty())
	})

	It("never delivers anything, whatever the facts", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			facts := anyFacts().Draw(t, "facts")
			facts.Frozen = true
			before := copyOf(facts)
			decision := decide(facts)
			g.Expect(facts).To(Equal(before))
			g.Expect(decision.Replace).To(BeEmpty())
			g.Expect(decision.Verdict.OK).To(BeFalse())
			g.Expect(decision.Cut && facts.Recorded == nil).To(BeFalse())
			for _, retiring := range decision.Revoke {
				g.Expect(facts.Retiring).To(ContainElement(retiring))
				g.Expect(!facts.Mintable && retiring.ID == facts.SourceID).To(BeFalse(), "the company's own, in use again")
			}
		})
	})
})

var _ = Describe("When a freeze is lifted", Label("S10"), func() {
	DescribeTable("the owner gets another credential",
		func(facts credentials.Facts) {
			decision := decide(facts)
			Expect(decision.Replace).To(Equal(v1alpha1.CauseFreeze))
			Expect(decision.Why).To(Equal("the freeze that withdrew it is lifted"))
		},
		Entry("as recorded", minted(withdrawn, cut)),
		Entry("where the Secret could not be emptied", minted(cut)),
		Entry("where it could not be revoked", minted(withdrawn)),
		Entry("where the record of it was lost", minted(emptied)),
		Entry("where the Secret is gone", minted(withdrawn, cut, secretGone)),
		Entry("where it is due, and somebody has left", minted(withdrawn, cut, danaLeft, intervalOver, rotateNow)),
		Entry("of a token", given(withdrawn)),
	)

	It("makes up for a hand-over first", Label("S6"), func() {
		Expect(decide(minted(withdrawn, cut, teamMoved)).Replace).To(Equal(v1alpha1.CauseHandover))
	})

	next := func(facts credentials.Facts) (*v1alpha1.DeliveredCredential, []v1alpha1.RetiringCredential) {
		return credentials.Succeed(facts, decide(facts).Replace, obtained(facts))
	}

	It("leaves nothing of what was revoked to revoke", func() {
		record, retired := next(minted(withdrawn, cut, emptied))
		Expect(record.ID).To(Equal(prefix + "4"))
		Expect(record.WithdrawnAt).To(BeNil())
		Expect(record.RevokedAt).To(BeNil())
		Expect(retired).To(BeEmpty())
	})

	It("revokes at once what could not be revoked before, and what was in its overlap", func() {
		_, retired := next(minted(withdrawn, retiring(entry(prefix+"2", time.Hour))))
		Expect(retired).To(HaveEach(HaveField("RevokeAt.Time", BeTemporally("<=", noon))))
		Expect(ids(retired)).To(ConsistOf(prefix+"2", prefix+"3"))
		Expect(retired[1].Cause).To(Equal(v1alpha1.CauseFreeze))
	})

	It("withdraws the emptied Secret of an owner that has moved", func() {
		_, retired := next(minted(withdrawn, cut, func(f *credentials.Facts) { f.Want.Team, f.Want.Namespace = "marketing", "marketing" }))
		Expect(retired).To(ConsistOf(And(HaveField("ID", prefix+"3"), HaveField("Secret.Namespace", "customer-care"))))
	})

	It("gives the same token back, which whoever saw it has seen", func() {
		record, retired := next(given(withdrawn, zoeJoined))
		Expect(record.ID).To(Equal("source-aaaa"))
		Expect(record.WithdrawnAt).To(BeNil())
		Expect(record.ExposedTo).To(ConsistOf("care/maria", "care/dana", "care/zoe"))
		Expect(retired).To(BeEmpty())
	})
})
