// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/internal/escalation"
)

var _ = Describe("A turn", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	turn := func(from escalation.Position, told ...escalation.Person) escalation.Turn {
		return escalation.Compile(w.route).Turn(escalation.DefaultSteps, from, told, w.sources(), noon)
	}
	at := func(round, step int) escalation.Position { return escalation.Position{Round: round, Step: step} }
	last := func(round int) escalation.Position { return escalation.Position{Round: round, Fallback: true} }
	person := func(team, name string) escalation.Person { return escalation.Person{Team: team, Name: name} }

	It("is the step's, and then the next one's", func() {
		first := turn(at(0, 0))
		Expect(escalation.HearersWords(first.People)).To(Equal("dana"))
		Expect(first.Wait).To(Equal(15 * time.Minute))
		Expect(first.Targets).To(Equal([]string{"rota care"}))
		Expect(first.Next).To(Equal(at(0, 1)))
		second := turn(first.Next)
		Expect(escalation.HearersWords(second.People)).To(Equal("manager maria"))
		Expect(second.Next).To(Equal(last(0)))
		end := turn(second.Next)
		Expect(end.At).To(Equal(last(0)))
		Expect(end.Next).To(Equal(last(0)), "nobody comes after it")
		Expect(escalation.HearersWords(end.People)).To(Equal("manager ines"))
	})

	It("leaves out at once what nobody hears, and says so", Label("S3"), func() {
		delete(w.rotas, "care")
		skipped := turn(at(0, 0))
		Expect(skipped.At).To(Equal(at(0, 1)))
		Expect(skipped.Skipped).To(Equal([]string{"(rota care: nobody)"}))
		w.silent = []string{"customer-care/maria"}
		skipped = turn(at(0, 0))
		Expect(skipped.At).To(Equal(last(0)))
		Expect(skipped.Skipped).To(Equal([]string{"(rota care: nobody)", "(manager of customer-care: nobody who can be told)"}))
		w.silent = append(w.silent, "chief-executive/ines")
		Expect(turn(at(0, 0)).People).To(BeEmpty())
	})

	It("is the next round's after the last step, and then the fallback's", func() {
		w.repeat(1)
		Expect(turn(at(0, 1)).Next).To(Equal(at(1, 0)))
		Expect(turn(at(1, 1)).Next).To(Equal(last(1)))
	})

	It("goes on where an edit of the route took the position away", func() {
		w.repeat(1)
		Expect(turn(at(0, 7)).At).To(Equal(at(1, 0)))
		Expect(turn(at(1, 7)).At).To(Equal(last(1)))
		Expect(turn(at(9, 0)).At).To(Equal(last(1)))
		Expect(turn(at(-1, -1)).At).To(Equal(at(0, 0)))
	})

	It("leaves out who was told in the round, unless nobody else is there", func() {
		w.steps(step("1m", onDuty("care")), step("1m", onDuty("care"), manager("customer-care")), step("1m", onDuty("care"))).repeat(1)
		dana := person("customer-care", "dana")
		Expect(escalation.HearersWords(turn(at(0, 1), dana).People)).To(Equal("manager maria"))
		Expect(escalation.HearersWords(turn(at(0, 2), dana).People)).To(Equal("dana"))
		w.steps(step("1m", onDuty("gone"))).repeat(1)
		w.route.Spec.Steps = append(w.route.Spec.Steps, step("1m", onDuty("care"), manager("customer-care")))
		Expect(escalation.HearersWords(turn(at(0, 2), dana).People)).To(Equal("dana, manager maria"), "the next round begins anew")
	})

	It("is by the rule of a name, or by the route's own steps where it is gone", func() {
		w.rule("refunds", "event.kind == 'Reply'", step("5m", manager("billing")))
		route := escalation.Compile(w.route)
		Expect(route.RuleNamed("refunds")).To(Equal(0))
		Expect(route.RuleNamed("gone")).To(Equal(escalation.DefaultSteps))
		Expect(route.RuleNamed("")).To(Equal(escalation.DefaultSteps))
		Expect(route.Turn(0, at(0, 0), nil, w.sources(), noon).Wait).To(Equal(5 * time.Minute))
		Expect(route.Steps(escalation.DefaultSteps)).To(Equal(2))
		Expect(route.Steps(0)).To(BeNumerically(">=", 1))
	})

	It("after turn is what the plan foretold", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			w := anyWorld(t)
			route, sources := escalation.Compile(w.route), w.sources()
			now := noon.Add(time.Duration(rapid.IntRange(0, 7*24*60).Draw(t, "at")) * time.Minute)
			begin, position := now, escalation.Position{}
			told, round := []escalation.Person{}, 0
			for _, telling := range route.Plan(escalation.DefaultSteps, sources, begin) {
				turn := route.Turn(escalation.DefaultSteps, position, told, sources, now)
				g.Expect(turn.At).To(Equal(escalation.Position{Round: telling.Round, Step: telling.Step, Fallback: telling.Fallback}))
				g.Expect(turn.People).To(Equal(telling.People))
				g.Expect(turn.Targets).To(Equal(telling.Targets))
				g.Expect(now.Sub(begin)).To(Equal(telling.After))
				if turn.At.Round != round {
					told, round = nil, turn.At.Round
				}
				for _, hearer := range turn.People {
					if !slices.Contains(told, hearer.Person) {
						told = append(told, hearer.Person)
					}
				}
				// As the ledger gives them: who was told in the round that comes next.
				if turn.Next.Round != round {
					told, round = nil, turn.Next.Round
				}
				position, now = turn.Next, now.Add(turn.Wait)
			}
			g.Expect(position.Fallback).To(BeTrue())
			g.Expect(position.Round).To(Equal(int(*w.route.Spec.Repeat)))
		})
	})

	It("from any position gives somebody who hears, or the fallback", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			w := anyWorld(t)
			from := escalation.Position{
				Round: rapid.IntRange(-2, 12).Draw(t, "round"), Step: rapid.IntRange(-2, 12).Draw(t, "step"), Fallback: rapid.Bool().Draw(t, "fallback"),
			}
			turn := escalation.Compile(w.route).Turn(escalation.DefaultSteps, from, nil, w.sources(), noon)
			if turn.At.Fallback {
				g.Expect(turn.Next).To(Equal(turn.At))
				return
			}
			g.Expect(from.Fallback).To(BeFalse())
			g.Expect(turn.People).NotTo(BeEmpty())
			g.Expect(turn.Wait).To(BeNumerically(">", 0))
			g.Expect(later(turn.Next, turn.At)).To(BeTrue())
		})
	})
})

// later tells whether a position comes after another.
func later(a, b escalation.Position) bool {
	switch {
	case a.Fallback || b.Fallback:
		return a.Fallback && !b.Fallback
	case a.Round != b.Round:
		return a.Round > b.Round
	}
	return a.Step > b.Step
}
