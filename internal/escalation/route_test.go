// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
)

var _ = Describe("A route", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("tells whoever is on duty, then the manager, and the fallback at last", func() {
		Expect(w.plan()).To(Equal([]string{"0s dana", "15m manager maria", "45m manager ines"}))
		Expect(w.now().Words()).To(Equal("now: dana → (15m) manager maria → (30m) at last manager ines"))
	})

	It("goes through the steps again as often as it says, and tells the fallback once", func() {
		w.repeat(2)
		Expect(w.plan()).To(Equal([]string{
			"0s dana", "15m manager maria", "45m dana", "1h manager maria", "1h30m dana", "1h45m manager maria", "2h15m manager ines",
		}))
		Expect(w.now().Words()).To(Equal("now: dana → (15m) manager maria → (30m) all again, 2 times → (1h30m) at last manager ines"))
		Expect(w.repeat(1).now().Words()).To(Equal("now: dana → (15m) manager maria → (30m) all again → (45m) at last manager ines"))
	})

	It("leaves out at once a step that is nobody", Label("S3"), func() {
		w.rota("care", layer("customer-care", "dana", v1alpha1.WeeklyWindow{Days: []v1alpha1.Weekday{v1alpha1.Monday}, From: "09:00", To: "17:00"}))
		Expect(w.plan()).To(Equal([]string{"0s manager maria", "30m manager ines"}))
		round := w.now()
		Expect(round.Steps[0].Skipped).To(BeTrue())
		Expect(round.Words()).To(Equal("now: (rota care: nobody) manager maria → (30m) at last manager ines"))
	})

	It("leaves out at once a step of which nobody can be told", func() {
		w.silent = []string{"customer-care/dana"}
		Expect(w.plan()).To(Equal([]string{"0s manager maria", "30m manager ines"}))
		Expect(w.now().Words()).To(Equal("now: (rota care: nobody who can be told) manager maria → (30m) at last manager ines"))
	})

	It("tells the fallback at once when every step is nobody", Label("S3"), func() {
		w.repeat(3).silent = []string{"customer-care/dana", "customer-care/maria"}
		Expect(w.plan()).To(Equal([]string{"0s manager ines"}))
		Expect(w.now().Words()).To(Equal("now: (rota care: nobody who can be told) (manager of customer-care: nobody who can be told) at last manager ines"))
	})

	It("follows the hand-offs on its way", func() {
		w.rota("care",
			layer("customer-care", "dana", v1alpha1.WeeklyWindow{From: "08:00", To: "12:20"}),
			layer("customer-care", "sam"))
		w.steps(step("15m", onDuty("care")), step("15m", onDuty("care")), step("15m", onDuty("care")))
		Expect(w.plan()).To(Equal([]string{"0s dana", "15m dana", "30m sam", "45m manager ines"}))
		for _, s := range w.now().Steps {
			Expect(s.Heard()).To(Equal("dana"), "now is one instant")
		}
	})

	It("reaches a step that fills while the steps before it wait", func() {
		w.rota("night", layer("customer-care", "sam", v1alpha1.WeeklyWindow{From: "12:10", To: "13:00"}))
		w.steps(step("15m", onDuty("care")), step("15m", onDuty("night")))
		Expect(w.plan()).To(Equal([]string{"0s dana", "15m sam", "30m manager ines"}))
	})

	Describe("tells nobody twice in a round", func() {
		It("who is told with others", func() {
			w.steps(step("15m", onDuty("care")), step("30m", onDuty("care"), manager("customer-care")))
			Expect(w.plan()).To(Equal([]string{"0s dana", "15m manager maria", "45m manager ines"}))
		})

		It("but who would be told alone is told again, so that no step is silent", func() {
			w.rota("care", layer("customer-care", "maria"))
			Expect(w.plan()).To(Equal([]string{"0s maria", "15m manager maria", "45m manager ines"}))
		})

		It("and in the next round everybody is", func() {
			w.steps(step("15m", onDuty("care")), step("30m", onDuty("care"), manager("customer-care"))).repeat(1)
			Expect(w.plan()).To(Equal([]string{"0s dana", "15m manager maria", "45m dana", "1h manager maria", "1h30m manager ines"}))
		})

		It("nor in one step", func() {
			w.steps(step("15m", member("customer-care", "dana"), onDuty("care"), member("customer-care", "sam")))
			Expect(w.plan()).To(Equal([]string{"0s dana, sam", "15m manager ines"}))
		})
	})

	It("takes the steps of the rule that matches", Label("S21"), func() {
		w.rule("refunds-to-billing", "event.text.matches('(?i)refund')", step("10m", member("billing", "bea")))
		route := escalation.Compile(w.route)
		at, _ := route.Match(mention())
		Expect(told(route.Plan(at, w.sources(), noon))).To(Equal([]string{"0s bea", "10m dana", "25m manager maria", "55m manager ines"}))
		Expect(route.Now(at, w.sources(), noon).Words()).To(Equal("now: bea → (10m) dana → (15m) manager maria → (30m) at last manager ines"))
		Expect(route.Own(at)).To(Equal(1))
		Expect(route.Own(escalation.DefaultSteps)).To(BeZero())
	})

	It("goes on with its own steps where those of a rule are used up, and then again through both", Label("S21"), func() {
		w.rule("refunds", "true", step("10m", member("billing", "bea"))).steps(step("15m", onDuty("care"))).repeat(1)
		Expect(told(escalation.Compile(w.route).Plan(0, w.sources(), noon))).To(Equal([]string{"0s bea", "10m dana", "25m bea", "35m dana", "50m manager ines"}))
	})

	It("takes its own steps at once where those of a rule are nobody", Label("S3", "S21"), func() {
		w.rule("refunds", "true", step("10m", onDuty("billing")), step("10m", member("billing", "bea")))
		w.silent = []string{"billing/bea"}
		route := escalation.Compile(w.route)
		Expect(told(route.Plan(0, w.sources(), noon))).To(Equal([]string{"0s dana", "15m manager maria", "45m manager ines"}))
		Expect(route.Now(0, w.sources(), noon).Words()).To(Equal(
			"now: (rota billing: nobody) (bea of billing: nobody who can be told) dana → (15m) manager maria → (30m) at last manager ines"))
	})

	It("reminds in its own steps who heard as an expert, only where nobody else would be told", func() {
		w.rule("refunds", "true", step("10m", onDuty("care"), member("billing", "bea")))
		Expect(told(escalation.Compile(w.route).Plan(0, w.sources(), noon))).To(Equal([]string{"0s dana, bea", "10m dana", "25m manager maria", "55m manager ines"}))
	})

	It("says whose turn it is as the plan does", func() {
		w.rule("refunds", "true", step("10m", member("billing", "bea")), step("5m", onDuty("nowhere"))).repeat(2)
		route := escalation.Compile(w.route)
		var turns []string
		offset, position, hearers := time.Duration(0), escalation.Position{}, []escalation.Person(nil)
		for range 20 {
			turn := route.Turn(0, position, hearers, w.sources(), noon)
			turns = append(turns, escalation.LengthWords(offset)+" "+escalation.HearersWords(turn.People))
			if turn.At.Fallback {
				break
			}
			for _, hearer := range turn.People {
				hearers = append(hearers, hearer.Person)
			}
			if turn.Next.Round != turn.At.Round {
				hearers = nil
			}
			offset, position = offset+turn.Wait, turn.Next
		}
		Expect(turns).To(Equal(told(route.Plan(0, w.sources(), noon))))
	})

	It("knows which rule takes what is left", func() {
		Expect(escalation.Compile(w.route).Rest()).To(Equal(escalation.DefaultSteps))
		w.rule("refunds", "event.text.contains('refund')", step("5m", member("billing", "bea")))
		Expect(escalation.Compile(w.route).Rest()).To(Equal(escalation.DefaultSteps))
		w.rule("others", "true", step("5m", onDuty("care")))
		Expect(escalation.Compile(w.route).Rest()).To(Equal(1))
		w.rule("late", "true", step("5m", onDuty("care")))
		Expect(escalation.Compile(w.route).Rest()).To(Equal(1))
	})

	It("says where each telling comes from", func() {
		plan := escalation.Compile(w.repeat(1).route).Plan(escalation.DefaultSteps, w.sources(), noon)
		Expect(plan[1]).To(And(HaveField("Step", 1), HaveField("Round", 0), HaveField("Fallback", false), HaveField("Targets", []string{"manager of customer-care"})))
		Expect(plan[2]).To(And(HaveField("Step", 0), HaveField("Round", 1)))
		Expect(plan[4]).To(And(HaveField("Fallback", true), HaveField("Targets", []string{"manager of chief-executive"})))
	})

	Describe("says what is not in order", func() {
		var missing, silent []string
		look := func() {
			route := escalation.Compile(w.route)
			missing = problems(route.Missing(w.sources(), noon))
			silent = problems(route.Silent(w.sources(), noon))
		}

		It("when all is", func() {
			look()
			Expect(missing).To(BeEmpty())
			Expect(silent).To(BeEmpty())
		})

		It("a rota that is not there", func() {
			delete(w.rotas, "care")
			look()
			Expect(missing).To(ConsistOf("RotaNotFound: step 1: ResponderRota care does not exist in the route's namespace: create it, or name another"))
			Expect(silent).To(ConsistOf("?StepEmpty: step 1 is nobody now (rota care) and is left out; other steps are heard"))
			Expect(w.plan()).To(Equal([]string{"0s manager maria", "30m manager ines"}))
		})

		It("a rota that is going", func() {
			w.rotas["care"].Deleting = true
			look()
			Expect(missing).To(ConsistOf("TargetDeleting: step 1: ResponderRota care is being deleted: name another"))
			Expect(w.plan()[0]).To(Equal("0s dana"), "it answers while it is there")
		})

		It("a team that is not there, and one that is going", func() {
			delete(w.teams, "chief-executive")
			w.teams["customer-care"].DeletionTimestamp = new(metav1.NewTime(noon))
			look()
			Expect(missing).To(ConsistOf(
				"TargetDeleting: step 2: Team customer-care is being deleted: name another",
				"TeamNotFound: fallback: Team chief-executive does not exist: create it, or name another"))
			Expect(silent).To(ConsistOf(HavePrefix("StepEmpty: fallback is nobody now")))
			Expect(w.plan()).To(HaveExactElements("0s dana", "15m manager maria", "45m "))
			Expect(w.now().Words()).To(HaveSuffix("(30m) at last (manager of chief-executive: nobody)"))
		})

		It("a manager who has left, and a member whom the team does not know", func() {
			w.teams["customer-care"].Spec.Members[0].Until = new(metav1.NewTime(noon))
			w.steps(step("15m", onDuty("care")), step("15m", manager("customer-care")), step("15m", member("billing", "ghost")))
			look()
			Expect(missing).To(ConsistOf(
				"ManagerNotMember: step 2: maria, the manager of team customer-care, is not a member now: name another manager in the Team",
				"MemberNotFound: step 3: ghost is not a member of team billing now: name somebody who is"))
		})

		It("people who join later, as a warning", func() {
			w.teams["customer-care"].Spec.Members[0].From = new(metav1.NewTime(noon.Add(44 * time.Hour)))
			w.steps(step("15m", onDuty("care")), step("15m", manager("customer-care")), step("15m", member("customer-care", "maria")))
			look()
			Expect(missing).To(ConsistOf(
				"?ManagerNotMember: step 2: maria, the manager of team customer-care, is not a member before 2026-11-23 08:00 UTC, and is left out until then: if that is too late, name another manager in the Team",
				"?MemberNotFound: step 3: maria is not a member of team customer-care before 2026-11-23 08:00 UTC, and is left out until then: if that is too late, name somebody who is"))
			Expect(silent).To(ConsistOf(HavePrefix("?StepEmpty: step 2 "), HavePrefix("?StepEmpty: step 3 ")))
		})

		It("a fallback who joins later, which is more than a warning", func() {
			w.teams["chief-executive"].Spec.Members[0].From = new(metav1.NewTime(noon.Add(time.Hour)))
			look()
			Expect(missing).To(ConsistOf(HavePrefix("ManagerNotMember: fallback: ines, the manager of team chief-executive, is not a member before ")))
			Expect(silent).To(ConsistOf(HavePrefix("StepEmpty: fallback is nobody now (manager of chief-executive), so that nobody hears when no step is answered")))
		})

		It("somebody who would join after having left, as one who is not there", func() {
			listed := &w.teams["customer-care"].Spec.Members[0]
			listed.From, listed.Until = new(metav1.NewTime(noon.Add(2*time.Hour))), new(metav1.NewTime(noon.Add(time.Hour)))
			look()
			Expect(missing).To(ConsistOf(HavePrefix("ManagerNotMember: step 2: maria, the manager of team customer-care, is not a member now")))
		})

		It("steps of which nobody but the fallback is left", func() {
			w.steps(step("15m", onDuty("nights")), step("15m", onDuty("weekends")))
			w.rule("refunds", "event.text.contains('refund')", step("5m", member("billing", "bea")), step("5m", onDuty("nights")))
			w.rule("lost", "event.text.contains('lost')", step("5m", onDuty("nights")))
			look()
			Expect(silent).To(ConsistOf(
				HavePrefix("StepEmpty: step 1 is nobody now (rota nights) and is left out, and no other step is heard: only the fallback is left; add a target"),
				HavePrefix("StepEmpty: step 2 is nobody now (rota weekends)"),
				HavePrefix("?StepEmpty: rule refunds, step 2 is nobody now (rota nights) and is left out; other steps are heard"),
				HavePrefix("StepEmpty: rule lost, step 1 is nobody now (rota nights) and is left out, and no other step is heard")))
		})

		It("steps that are heard after a rule that takes what is left", func() {
			w.steps(step("15m", onDuty("nights"))).rule("all", "true", step("5m", member("billing", "bea")))
			look()
			Expect(silent).To(ConsistOf(HavePrefix("?StepEmpty: step 1 is nobody now (rota nights)")))
		})

		It("nothing but warnings, at any hour, of a rota by day and then its manager", Label("S3"), func() {
			w.rota("care", layer("customer-care", "dana", v1alpha1.WeeklyWindow{From: "09:00", To: "17:00"}))
			w.rule("refunds", "event.text.contains('refund')", step("5m", onDuty("care")))
			route, warned := escalation.Compile(w.route), 0
			for minute := range 24 * 60 {
				at := noon.Add(time.Duration(minute) * time.Minute)
				found := problems(append(route.Missing(w.sources(), at), route.Silent(w.sources(), at)...))
				for _, problem := range found {
					Expect(problem).To(HavePrefix("?StepEmpty: "), at.String())
				}
				warned += len(found)
			}
			Expect(warned).To(Equal(2*16*60), "of the step and of the rule's, when nobody is on duty")
		})

		It("a route that is going", func() {
			Expect(escalation.Leaving(w.route)).To(BeEmpty())
			w.route.DeletionTimestamp = new(metav1.NewTime(noon))
			Expect(problems(escalation.Leaving(w.route))).To(ConsistOf(
				"TargetDeleting: the route itself is being deleted, and then nobody is told: name another than care in the channels' spec.escalationRouteRef"))
		})

		It("people who cannot be told, where nobody else is", func() {
			w.silent = []string{"customer-care/dana"}
			look()
			Expect(silent).To(ConsistOf(HavePrefix("NobodyReachable: step 1 (rota care) is left out, since nobody of it can be told: customer-care/dana;")))
		})

		It("people who cannot be told beside others, as a warning", func() {
			w.silent = []string{"customer-care/dana"}
			w.steps(step("15m", onDuty("care"), manager("customer-care")))
			look()
			Expect(silent).To(ConsistOf(HavePrefix("?MemberUnreachable: step 1 (rota care, manager of customer-care) is heard, but not by customer-care/dana:")))
		})

		It("steps that are all one person, as a warning", func() {
			w.rota("care", layer("customer-care", "maria"))
			w.route.Spec.Fallback = manager("customer-care")
			w.rule("refunds", "event.text.contains('refund')", step("5m", member("billing", "bea")))
			look()
			Expect(silent).To(ConsistOf(HavePrefix("?OnePerson: nobody but customer-care/maria hears the steps and the fallback now")))
			w.route.Spec.Rules[0].Steps[0] = step("5m", member("customer-care", "maria"))
			look()
			Expect(silent).To(ContainElement(HavePrefix("?OnePerson: nobody but customer-care/maria hears the steps and the fallback now")))
			Expect(silent).To(ContainElement(HavePrefix("?OnePerson: nobody but customer-care/maria hears the steps of rule refunds, those of the route and the fallback now")))
		})

		It("in the steps of rules too", func() {
			w.rule("refunds", "event.text.contains('refund')", step("5m", member("billing", "bea")), step("5m", onDuty("billing")))
			look()
			Expect(missing).To(ConsistOf(HavePrefix("RotaNotFound: rule refunds, step 2: ")))
		})
	})

	It("bears what no API server would let through", func() {
		empty := escalation.Compile(&v1alpha1.EscalationRoute{})
		Expect(told(empty.Plan(7, w.sources(), noon))).To(Equal([]string{"0s "}))
		Expect(empty.Now(escalation.DefaultSteps, w.sources(), noon).Words()).To(Equal("now: at last (manager of : nobody)"))
		odd := newWorld().steps(v1alpha1.EscalationStep{}, v1alpha1.EscalationStep{Targets: []v1alpha1.EscalationTarget{onDuty("care")}, Wait: &metav1.Duration{Duration: -time.Hour}})
		odd.repeat(-3)
		Expect(odd.plan()).To(Equal([]string{"0s dana", "0s manager ines"}))
		Expect(newWorld().repeat(1_000_000_000).plan()).To(HaveLen(2*11+1), "ten repeats are the most there can be")
	})
})

var _ = DescribeTable("A length of time in words",
	func(length time.Duration, words string) { Expect(escalation.LengthWords(length)).To(Equal(words)) },
	Entry(nil, 15*time.Minute, "15m"), Entry(nil, time.Hour, "1h"), Entry(nil, 90*time.Minute, "1h30m"), Entry(nil, 24*time.Hour, "24h"),
	Entry(nil, 90*time.Second, "1m30s"), Entry(nil, time.Duration(0), "0s"), Entry(nil, time.Hour+time.Second, "1h0m1s"), Entry(nil, 10*time.Minute, "10m"),
)
