// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
)

// anyWorld is a route over three teams and three rotas, of which some are not
// there, some have nobody for hours, and some people cannot be told.
func anyWorld(t *rapid.T) *world {
	w := newWorld()
	people := []string{"customer-care/maria", "customer-care/dana", "customer-care/sam", "billing/bea", "chief-executive/ines"}
	hours := v1alpha1.WeeklyWindow{From: fmt.Sprintf("%02d:00", rapid.IntRange(0, 11).Draw(t, "opens")), To: fmt.Sprintf("%02d:30", rapid.IntRange(12, 23).Draw(t, "closes"))}
	w.rota("care", layer("customer-care", "dana", hours))
	w.rota("nights", layer("customer-care", "sam", v1alpha1.WeeklyWindow{From: hours.To, To: hours.From}), layer("nobody-knows", "x"))
	if rapid.Bool().Draw(t, "no nights") {
		delete(w.rotas, "nights")
	}
	if rapid.Bool().Draw(t, "no billing") {
		delete(w.teams, "billing")
	}
	for _, person := range people {
		if rapid.IntRange(0, 3).Draw(t, person) == 0 {
			w.silent = append(w.silent, person)
		}
	}
	target := rapid.SampledFrom([]v1alpha1.EscalationTarget{
		onDuty("care"), onDuty("nights"), onDuty("none"), manager("customer-care"), manager("billing"),
		member("customer-care", "sam"), member("customer-care", "ghost"), manager("chief-executive"),
	})
	var steps []v1alpha1.EscalationStep
	for range rapid.IntRange(1, 8).Draw(t, "steps") {
		wait := rapid.IntRange(1, 24*60).Draw(t, "wait")
		steps = append(steps, step(fmt.Sprintf("%dm", wait), rapid.SliceOfN(target, 1, 4).Draw(t, "targets")...))
	}
	w.steps(steps...).repeat(rapid.Int32Range(0, 10).Draw(t, "repeat"))
	return w
}

var _ = Describe("A plan", func() {
	It("ends with the fallback, is heard at every step, goes forward, and ends in time", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			w := anyWorld(t)
			at := noon.Add(time.Duration(rapid.IntRange(0, 7*24*60).Draw(t, "at")) * time.Minute)
			route := escalation.Compile(w.route)
			plan := route.Plan(escalation.DefaultSteps, w.sources(), at)

			g.Expect(plan).NotTo(BeEmpty())
			last := plan[len(plan)-1]
			g.Expect(last.Fallback).To(BeTrue())
			g.Expect(last.Targets).To(Equal([]string{"manager of chief-executive"}))
			silent := slices.Contains(w.silent, "chief-executive/ines")
			if silent {
				g.Expect(last.People).To(BeEmpty(), "nobody hears it only if nobody can")
				g.Expect(problems(route.Silent(w.sources(), at))).To(ContainElement(HavePrefix("NobodyReachable: fallback")), "and then the route says so")
			} else {
				g.Expect(last.People).To(HaveLen(1))
			}
			var longest time.Duration
			rounds := 1 + int(*w.route.Spec.Repeat)
			for range rounds {
				for _, s := range w.route.Spec.Steps {
					longest += s.Wait.Duration
				}
			}
			g.Expect(last.After).To(BeNumerically("<=", longest))
			g.Expect(len(plan)).To(BeNumerically("<=", len(w.route.Spec.Steps)*rounds+1))
			for i, telling := range plan[:len(plan)-1] {
				g.Expect(telling.Fallback).To(BeFalse())
				g.Expect(telling.People).NotTo(BeEmpty())
				g.Expect(plan[i+1].After).To(Equal(telling.After+w.route.Spec.Steps[telling.Step].Wait.Duration), "the next one comes when the wait is over")
				for _, hearer := range telling.People {
					g.Expect(w.silent).NotTo(ContainElement(hearer.String()))
				}
			}
			g.Expect(plan[0].After).To(BeZero(), "somebody hears at once")
		})
	})

	It("tells somebody again in a round only where nobody else would be told", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			w := anyWorld(t)
			round := -1
			var heard []escalation.Person
			for _, telling := range escalation.Compile(w.route).Plan(escalation.DefaultSteps, w.sources(), noon) {
				if telling.Fallback {
					continue
				}
				if telling.Round != round {
					round, heard = telling.Round, nil
				}
				again := 0
				for _, hearer := range telling.People {
					if slices.Contains(heard, hearer.Person) {
						again++
					}
				}
				g.Expect(again).To(BeElementOf(0, len(telling.People)))
				for _, hearer := range telling.People {
					heard = append(heard, hearer.Person)
				}
			}
		})
	})

	It("of an instant is the round of that instant as long as nobody hands over", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			w := anyWorld(t)
			// At all hours, so that time changes nothing.
			w.rota("care", layer("customer-care", "dana")).rota("nights", layer("customer-care", "sam"))
			route := escalation.Compile(w.route)
			now, plan := route.Now(escalation.DefaultSteps, w.sources(), noon), route.Plan(escalation.DefaultSteps, w.sources(), noon)
			for _, telling := range plan {
				if telling.Fallback {
					g.Expect(telling.After).To(Equal(now.Fallback.After))
					g.Expect(telling.People).To(Equal(now.Fallback.People))
				} else if telling.Round == 0 {
					g.Expect(telling.After).To(Equal(now.Steps[telling.Step].After))
					g.Expect(telling.People).To(Equal(now.Steps[telling.Step].People))
				}
			}
		})
	})
})
