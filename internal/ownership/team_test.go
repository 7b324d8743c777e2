// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

const instant = time.Nanosecond

var _ = Describe("Membership", Label("S4"), func() {
	DescribeTable("counts from from, and no more at until",
		func(dana v1alpha1.TeamMember, active bool) {
			Expect(ownership.Active(dana, noon)).To(Equal(active))
		},
		Entry("with neither", member("dana"), true),
		Entry("long since", member("dana", from(noon.AddDate(-9, 0, 0))), true),
		Entry("a moment ago", member("dana", from(noon.Add(-instant))), true),
		Entry("from now", member("dana", from(noon)), true),
		Entry("in a moment", member("dana", from(noon.Add(instant))), false),
		Entry("until long ago", member("dana", until(noon.AddDate(-9, 0, 0))), false),
		Entry("until a moment ago", member("dana", until(noon.Add(-instant))), false),
		Entry("until now", member("dana", until(noon)), false),
		Entry("until in a moment", member("dana", until(noon.Add(instant))), true),
		Entry("between", member("dana", from(noon.Add(-time.Hour)), until(noon.Add(time.Hour))), true),
		Entry("before both", member("dana", from(noon.Add(time.Hour)), until(noon.Add(2*time.Hour))), false),
		Entry("after both", member("dana", from(noon.Add(-2*time.Hour)), until(noon.Add(-time.Hour))), false),
		Entry("from now until now, which is nobody", member("dana", from(noon), until(noon)), false),
		Entry("in another zone", member("dana", until(noon.In(time.FixedZone("Lord Howe", 11*3600)))), false),
	)

	It("keeps the order of the list", func() {
		care := team("care", member("zoe"), member("dana", until(noon)), member("maria"), member("adam"))
		Expect(ownership.ActiveMembers(care, noon)).To(Equal([]string{"zoe", "maria", "adam"}))
		Expect(ownership.ActiveMembers(care, noon.Add(-instant))).To(Equal([]string{"zoe", "dana", "maria", "adam"}))
		Expect(ownership.People(care, noon)).To(Equal([]string{"care/zoe", "care/maria", "care/adam"}))
	})

	It("can leave nobody", func() {
		care := team("care", member("maria", until(noon)))
		Expect(ownership.ActiveMembers(care, noon)).To(BeEmpty())
		Expect(ownership.People(care, noon)).To(BeEmpty())
		Expect(ownership.HasManager(care, noon)).To(BeFalse())
	})

	DescribeTable("lets a manager answer for the team while a member",
		func(found bool, members ...v1alpha1.TeamMember) {
			Expect(ownership.HasManager(team("care", members...), noon)).To(Equal(found))
		},
		Entry("a member", true, member("dana"), member("maria")),
		Entry("one to come", false, member("dana"), member("maria", from(noon.Add(instant)))),
		Entry("one who left", false, member("dana"), member("maria", until(noon))),
		Entry("no member at all", false, member("dana"), member("mari"), member("mariax")),
		Entry("in a team of nobody", false),
	)

	Describe("the next change", func() {
		DescribeTable("is the first join or leave to come",
			func(wanted time.Time, members ...v1alpha1.TeamMember) {
				Expect(ownership.NextChange(team("care", members...), noon)).To(BeTemporally("==", wanted))
			},
			Entry("of nobody", time.Time{}),
			Entry("of people who stay", time.Time{}, member("maria"), member("dana")),
			Entry("of people long gone", time.Time{}, member("dana", from(noon.Add(-2*time.Hour)), until(noon.Add(-time.Hour)))),
			Entry("is not the one that is now", time.Time{}, member("maria", from(noon)), member("dana", until(noon))),
			Entry("a join", noon.Add(time.Hour), member("maria"), member("dana", from(noon.Add(time.Hour)))),
			Entry("a leave", noon.Add(time.Hour), member("maria"), member("dana", until(noon.Add(time.Hour)))),
			Entry("a join before a leave", noon.Add(time.Minute),
				member("maria", until(noon.Add(time.Hour))), member("dana", from(noon.Add(time.Minute)))),
			Entry("a leave before a join", noon.Add(time.Minute),
				member("dana", from(noon.Add(time.Hour))), member("maria", until(noon.Add(time.Minute)))),
			Entry("the join of somebody who will leave", noon.Add(time.Minute),
				member("dana", from(noon.Add(time.Minute)), until(noon.Add(time.Hour)))),
			Entry("in a moment", noon.Add(instant), member("dana", until(noon.Add(instant)))),
		)

		It("is exactly when the members change", func() {
			rapid.Check(GinkgoT(), func(t *rapid.T) {
				g := NewWithT(t)
				care := team("care", rapid.SliceOfN(anyMember(), 0, 6).Draw(t, "members")...)
				at := anyTime().Draw(t, "at")
				now := ownership.ActiveMembers(care, at)
				next := ownership.NextChange(care, at)
				if next.IsZero() {
					g.Expect(ownership.ActiveMembers(care, at.AddDate(1, 0, 0))).To(Equal(now))
					return
				}
				g.Expect(next).To(BeTemporally(">", at))
				g.Expect(ownership.ActiveMembers(care, next.Add(-instant))).To(Equal(now), "nothing moves before it")
			})
		})
	})

	Describe("leavers", func() {
		DescribeTable("are the exposed who are not present",
			func(exposed, present, wanted []string) {
				Expect(ownership.Leavers(exposed, present)).To(Equal(wanted))
			},
			Entry("nobody of nobody", nil, []string{"care/maria"}, nil),
			Entry("nobody", []string{"care/maria"}, []string{"care/dana", "care/maria"}, nil),
			Entry("one", []string{"care/maria", "care/dana"}, []string{"care/maria"}, []string{"care/dana"}),
			Entry("all", []string{"care/maria", "care/dana"}, nil, []string{"care/maria", "care/dana"}),
			Entry("the same name in another team", []string{"marketing/dana"}, []string{"care/dana"}, []string{"marketing/dana"}),
		)
	})
})

func anyTime() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.IntRange(-20, 20), func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) })
}

func anyMember() *rapid.Generator[v1alpha1.TeamMember] {
	maybe := rapid.OneOf(
		rapid.Just[*metav1.Time](nil),
		rapid.Map(anyTime(), timeAt),
	)
	return rapid.Custom(func(t *rapid.T) v1alpha1.TeamMember {
		return v1alpha1.TeamMember{
			Name: rapid.SampledFrom([]string{"maria", "dana", "zoe", "adam"}).Draw(t, "name"),
			From: maybe.Draw(t, "from"), Until: maybe.Draw(t, "until"),
		}
	})
}

var _ = Describe("Chain", func() {
	// company gives a lookup in a company where each team reports to the next.
	company := func(pairs ...string) (lookup func(string) *v1alpha1.Team, asked *[]string) {
		teams := map[string]*v1alpha1.Team{}
		for i := 0; i < len(pairs); i += 2 {
			made := team(pairs[i], member("maria"))
			if above := pairs[i+1]; above != "" {
				made.Spec.ReportsToRef = &v1alpha1.ClusterReference{Name: above}
			}
			teams[pairs[i]] = made
		}
		asked = &[]string{}
		return func(name string) *v1alpha1.Team {
			*asked = append(*asked, name)
			return teams[name]
		}, asked
	}

	DescribeTable("follows the references upwards",
		func(outcome ownership.ChainOutcome, at string, above []string, pairs ...string) {
			lookup, _ := company(pairs...)
			gotAbove, gotOutcome, gotAt := ownership.Chain(lookup(pairs[0]), lookup)
			Expect(gotOutcome).To(Equal(outcome))
			Expect(gotAt).To(Equal(at))
			Expect(gotAbove).To(Equal(above))
		},
		Entry("at the top", ownership.ChainComplete, "", nil, "board", ""),
		Entry("one above", ownership.ChainComplete, "", []string{"board"}, "care", "board", "board", ""),
		Entry("several above, nearest first", ownership.ChainComplete, "", []string{"service", "coo", "board"},
			"care", "service", "service", "coo", "coo", "board", "board", ""),
		Entry("to itself", ownership.ChainCycle, "care", nil, "care", "care"),
		Entry("round to where it began", ownership.ChainCycle, "care", []string{"service", "coo"},
			"care", "service", "service", "coo", "coo", "care"),
		Entry("into a circle that it is not in", ownership.ChainCycle, "service", []string{"service", "coo"},
			"care", "service", "service", "coo", "coo", "service"),
		Entry("to a team that does not exist", ownership.ChainBroken, "nobody", nil, "care", "nobody"),
		Entry("to one further up that does not exist", ownership.ChainBroken, "nobody", []string{"service"},
			"care", "service", "service", "nobody"),
	)

	DescribeTable("follows as many teams as status.chain can hold",
		func(teams int, outcome ownership.ChainOutcome, at string) {
			pairs := make([]string, 0, 2*teams)
			for i := range teams {
				above := ""
				if i+1 < teams {
					above = name(i + 1)
				}
				pairs = append(pairs, name(i), above)
			}
			lookup, asked := company(pairs...)
			above, gotOutcome, gotAt := ownership.Chain(lookup(name(0)), lookup)
			Expect(gotOutcome).To(Equal(outcome))
			Expect(gotAt).To(Equal(at))
			Expect(above).To(HaveLen(min(teams-1, 32)))
			Expect(len(*asked)).To(BeNumerically("<=", 34), "it stops asking")
		},
		Entry("31 above", 32, ownership.ChainComplete, ""),
		Entry("32 above", 33, ownership.ChainComplete, ""),
		Entry("33 above", 34, ownership.ChainTooLong, name(33)),
		Entry("thousands above", 5000, ownership.ChainTooLong, name(33)),
	)

	It("always ends, and lists nobody twice", func() {
		names := []string{"a", "b", "c", "d", "e"}
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			var pairs []string
			for _, name := range names {
				pairs = append(pairs, name, rapid.SampledFrom(append(names, "", "nobody")).Draw(t, name))
			}
			lookup, _ := company(pairs...)
			above, outcome, at := ownership.Chain(lookup("a"), lookup)
			g.Expect(slices.Compact(slices.Sorted(slices.Values(above)))).To(HaveLen(len(above)))
			g.Expect(above).NotTo(ContainElement("a"))
			switch outcome {
			case ownership.ChainComplete:
				g.Expect(at).To(BeEmpty())
			case ownership.ChainCycle:
				g.Expect(append([]string{"a"}, above...)).To(ContainElement(at))
			case ownership.ChainBroken:
				g.Expect(lookup(at)).To(BeNil())
			default:
				t.Fatalf("five teams are not too long: %v", outcome)
			}
		})
	})
})

func name(i int) string { return "team-" + time.Duration(i).String() }
