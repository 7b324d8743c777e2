// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/internal/ownership"
)

var _ = Describe("Holder", Label("S17"), func() {
	claim := func(name string, since time.Time, incumbent bool) ownership.Claim {
		return ownership.Claim{Namespace: "social", Name: name, Since: since, Incumbent: incumbent}
	}

	DescribeTable("is the claim that comes first",
		func(wanted string, claims ...ownership.Claim) {
			Expect(ownership.Holder(claims).Name).To(Equal(wanted))
			slices.Reverse(claims)
			Expect(ownership.Holder(claims).Name).To(Equal(wanted), "in any order")
		},
		Entry("the only one", "a", claim("a", noon, false)),
		Entry("the one that holds it already", "b", claim("a", noon.Add(-time.Hour), false), claim("b", noon, true)),
		Entry("the older of two that hold it", "b", claim("a", noon, true), claim("b", noon.Add(-time.Second), true)),
		Entry("the older", "b", claim("a", noon, false), claim("b", noon.Add(-time.Second), false)),
		Entry("the first by name", "a", claim("b", noon, false), claim("a", noon, false)),
		Entry("the first by namespace", "z",
			ownership.Claim{Namespace: "b", Name: "a", Since: noon}, ownership.Claim{Namespace: "a", Name: "z", Since: noon}),
		Entry("the same instant in two zones", "a",
			claim("b", noon.In(time.FixedZone("", 3600)), false), claim("a", noon, false)),
	)

	It("does not depend on the order, nor on the claims that lose", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			claims := rapid.SliceOfNDistinct(anyClaim(), 1, 6, func(c ownership.Claim) string { return c.Namespace + "/" + c.Name }).Draw(t, "claims")
			holder := ownership.Holder(claims)
			g.Expect(claims).To(ContainElement(holder))
			g.Expect(ownership.Holder(rapid.Permutation(claims).Draw(t, "order"))).To(Equal(holder))
			for i := range claims {
				rest := slices.Delete(slices.Clone(claims), i, i+1)
				if claims[i] != holder {
					g.Expect(ownership.Holder(rest)).To(Equal(holder), "a loser that goes changes nothing")
				}
			}
			for _, other := range claims {
				g.Expect(other.Incumbent && !holder.Incumbent).To(BeFalse(), "nobody is put out")
				if other.Incumbent == holder.Incumbent {
					g.Expect(other.Since.Before(holder.Since)).To(BeFalse(), "nobody who came later goes first")
				}
			}
		})
	})

	It("leaves the claims as they were", func() {
		claims := []ownership.Claim{claim("b", noon, false), claim("a", noon, true)}
		before := slices.Clone(claims)
		ownership.Holder(claims)
		Expect(claims).To(Equal(before))
	})
})

func anyClaim() *rapid.Generator[ownership.Claim] {
	letter := rapid.SampledFrom([]string{"a", "b", "c"})
	return rapid.Custom(func(t *rapid.T) ownership.Claim {
		return ownership.Claim{
			Namespace: letter.Draw(t, "namespace"), Name: letter.Draw(t, "name"),
			Since:     noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "since")) * time.Second),
			Incumbent: rapid.Bool().Draw(t, "incumbent"),
		}
	})
}
