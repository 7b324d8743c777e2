// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
)

var _ = Describe("The shape of a route", func() {
	// shaped is a route with a rule, changed.
	shaped := func(change func(*v1alpha1.EscalationRouteSpec)) []string {
		w := newWorld().repeat(1).rule("refunds", "event.text.contains('refund')", step("10m", member("billing", "bea")))
		change(&w.route.Spec)
		return problems(escalation.Shape(&w.route.Spec))
	}
	// target gives the first step one target.
	target := func(of v1alpha1.EscalationTarget) func(*v1alpha1.EscalationRouteSpec) {
		return func(spec *v1alpha1.EscalationRouteSpec) { spec.Steps[0].Targets = []v1alpha1.EscalationTarget{of} }
	}
	wait := func(length string) func(*v1alpha1.EscalationRouteSpec) {
		return func(spec *v1alpha1.EscalationRouteSpec) { spec.Steps[1].Wait = step(length).Wait }
	}
	repeat := func(times int32) func(*v1alpha1.EscalationRouteSpec) {
		return func(spec *v1alpha1.EscalationRouteSpec) { spec.Repeat = &times }
	}

	DescribeTable("is what the API server takes",
		func(change func(*v1alpha1.EscalationRouteSpec)) { Expect(shaped(change)).To(BeEmpty()) },
		Entry("a rule, steps and a fallback", func(*v1alpha1.EscalationRouteSpec) {}),
		Entry("no rule and no repeat", func(spec *v1alpha1.EscalationRouteSpec) { spec.Rules, spec.Repeat = nil, nil }),
		Entry("the shortest wait", wait("1m")),
		Entry("the longest wait", wait("24h")),
		Entry("ten repeats", repeat(10)),
	)

	DescribeTable("says what the API server refuses, and where",
		func(change func(*v1alpha1.EscalationRouteSpec), words string) {
			Expect(shaped(change)).To(ConsistOf(HavePrefix("RouteInvalid: " + words)))
		},
		Entry("a target that is nobody", target(v1alpha1.EscalationTarget{}), "spec.steps[0].targets[0]: name exactly one of responderRotaRef and teamRef"),
		Entry("a role alone", target(v1alpha1.EscalationTarget{Role: v1alpha1.RoleManager}), "spec.steps[0].targets[0]: name exactly one of"),
		Entry("a target that is two", target(v1alpha1.EscalationTarget{
			ResponderRotaRef: &v1alpha1.LocalReference{Name: "care"}, TeamRef: &v1alpha1.ClusterReference{Name: "billing"}, Member: "bea",
		}), "spec.steps[0].targets[0]: name exactly one of"),
		Entry("a rota's member", target(v1alpha1.EscalationTarget{ResponderRotaRef: &v1alpha1.LocalReference{Name: "care"}, Member: "bea"}),
			"spec.steps[0].targets[0]: role and member belong to a teamRef"),
		Entry("a whole team", target(v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: "billing"}}),
			"spec.steps[0].targets[0]: who of the team? write exactly one of role: Manager and member"),
		Entry("a member and a role", target(v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: "billing"}, Role: v1alpha1.RoleManager, Member: "bea"}),
			"spec.steps[0].targets[0]: who of the team?"),
		Entry("another role", target(v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: "billing"}, Role: "Deputy"}),
			"spec.steps[0].targets[0].role: the only role is Manager"),
		Entry("a rota without a name", target(onDuty("")), "spec.steps[0].targets[0]: give the name"),
		Entry("no wait", func(spec *v1alpha1.EscalationRouteSpec) { spec.Steps[0].Wait = nil }, "spec.steps[0].wait: write a duration in hours, minutes and seconds such as 15m, from 1m to 24h"),
		Entry("too short a wait", wait("59s"), "spec.steps[1].wait: "),
		Entry("too long a wait", wait("24h1s"), "spec.steps[1].wait: "),
		Entry("a negative wait", wait("-15m"), "spec.steps[1].wait: "),
		Entry("a wait in a rule", func(spec *v1alpha1.EscalationRouteSpec) { spec.Rules[0].Steps[0].Wait = nil }, "spec.rules[0].steps[0].wait: "),
		Entry("eleven repeats", repeat(11), "spec.repeat: write a number from 0 to 10"),
		Entry("a negative repeat", repeat(-1), "spec.repeat: "),
		Entry("no fallback", func(spec *v1alpha1.EscalationRouteSpec) { spec.Fallback = v1alpha1.EscalationTarget{} }, "spec.fallback: name exactly one of"),
		Entry("a rota as the fallback", func(spec *v1alpha1.EscalationRouteSpec) { spec.Fallback = onDuty("care") }, "spec.fallback: it must be a person, since a rota may have nobody on duty"),
		Entry("no steps", func(spec *v1alpha1.EscalationRouteSpec) { spec.Steps = nil }, "spec.steps: name a step at least"),
		Entry("no steps in a rule", func(spec *v1alpha1.EscalationRouteSpec) { spec.Rules[0].Steps = nil }, "spec.rules[0].steps: name a step at least"),
		Entry("no targets", func(spec *v1alpha1.EscalationRouteSpec) { spec.Steps[0].Targets = nil }, "spec.steps[0].targets: name a target at least"),
		Entry("too many steps", func(spec *v1alpha1.EscalationRouteSpec) {
			for range 7 {
				spec.Steps = append(spec.Steps, spec.Steps[0])
			}
		}, "spec.steps: there may be 8 at most"),
		Entry("too many targets", func(spec *v1alpha1.EscalationRouteSpec) {
			for range 8 {
				spec.Steps[0].Targets = append(spec.Steps[0].Targets, onDuty("care"))
			}
		}, "spec.steps[0].targets: there may be 8 at most"),
		Entry("too many rules", func(spec *v1alpha1.EscalationRouteSpec) {
			for i := range 32 {
				again := spec.Rules[0]
				again.Name = fmt.Sprint("rule-", i)
				spec.Rules = append(spec.Rules, again)
			}
		}, "spec.rules: there may be 32 at most"),
		Entry("two rules of a name", func(spec *v1alpha1.EscalationRouteSpec) { spec.Rules = append(spec.Rules, spec.Rules[0]) }, "spec.rules[1].name: another rule has the name refunds"),
		Entry("a rule without a name", func(spec *v1alpha1.EscalationRouteSpec) { spec.Rules[0].Name = "" }, "spec.rules[0].name: give the rule a name"),
	)

	It("of nothing is one problem for each part that there must be", func() {
		Expect(problems(escalation.Shape(&v1alpha1.EscalationRouteSpec{}))).To(ConsistOf(HavePrefix("RouteInvalid: spec.steps: "), HavePrefix("RouteInvalid: spec.fallback: ")))
	})
})
