// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const goodRoute = `
apiVersion: social.rostra.dev/v1alpha1
kind: EscalationRoute
metadata: {name: care, namespace: social}
spec:
  rules:
  - name: refunds-to-billing
    when: event.text.matches('(?i)refund|chargeback')
    steps: [{targets: [{responderRotaRef: {name: billing}}], wait: 10m}]
  steps:
  - {targets: [{responderRotaRef: {name: care}}], wait: 15m}
  - {targets: [{teamRef: {name: customer-care}, role: Manager}], wait: 30m}
  repeat: 1
  fallback: {teamRef: {name: chief-executive}, role: Manager}
`

// The words in which the API server says what to do.
const (
	waitWords     = "wait must be a duration in hours, minutes and seconds such as 15m, from 1m to 24h"
	whoWords      = "who of the team? write exactly one of role: Manager and member"
	strayWords    = "role and member belong to a teamRef: a rota says itself who is on duty"
	oneOfWords    = "exactly one of the fields in [responderRotaRef teamRef] must be set"
	fallbackWords = "fallback must be a person, since a rota may have nobody on duty"
	ruleWords     = "name must be lower-case letters, digits and -, for example refunds-to-billing"
)

// toRota and toTeam are targets, with pairs of keys and values over them.
func toRota(pairs ...any) map[string]any {
	return overlaid(map[string]any{"responderRotaRef": map[string]any{"name": "care"}}, pairs...)
}

func toTeam(pairs ...any) map[string]any {
	return overlaid(map[string]any{"teamRef": map[string]any{"name": "customer-care"}, "role": "Manager"}, pairs...)
}

// stepTo is a step of these targets.
func stepTo(targets ...map[string]any) map[string]any {
	return map[string]any{"targets": asList(targets...), "wait": "15m"}
}

// routeSteps gives a route these steps, waitOf one step of this wait, and target
// one step of this target.
func routeSteps(all ...map[string]any) edit { return set("spec.steps", asList(all...)) }

func waitOf(wait any) edit { return routeSteps(overlaid(stepTo(toRota()), "wait", wait)) }

func target(of map[string]any) edit { return routeSteps(stepTo(of)) }

// routeRule is one rule, with pairs of keys and values over it.
func routeRule(pairs ...any) map[string]any {
	return overlaid(map[string]any{"name": "refunds", "when": "event.kind == 'Reply'", "steps": asList(stepTo(toRota()))}, pairs...)
}

func routeRules(all ...map[string]any) edit { return set("spec.rules", asList(all...)) }

// fullRoute is a route as long as it may be, with the longest names.
func fullRoute() edit {
	team := map[string]any{"teamRef": map[string]any{"name": strings.Repeat("t", 253)}, "member": strings.Repeat("m", 63)}
	step := map[string]any{"targets": copies(8, team), "wait": "23h59m59s"}
	var rules []map[string]any
	for i := range 32 {
		rules = append(rules, routeRule("name", fmt.Sprintf("%s-%02d", strings.Repeat("r", 60), i), "when", strings.Repeat("x", 1024), "steps", copies(8, step)))
	}
	return func(object map[string]any) {
		routeRules(rules...)(object)
		set("spec.steps", copies(8, step))(object)
	}
}

var _ = Describe("An EscalationRoute", func() {
	DescribeTable("accepts",
		func(ctx SpecContext, edits ...edit) {
			Expect(tryCreate(ctx, manifest(goodRoute, edits...))).To(Succeed())
		},
		Entry("the design's"),
		Entry("the least", unset("spec.rules"), unset("spec.repeat"), target(toRota())),
		Entry("all that it may hold", fullRoute()),
		Entry("a member", target(toTeam("role", nil, "member", "maria"))),
		Entry("several targets", routeSteps(stepTo(toRota(), toTeam(), toTeam("role", nil, "member", "maria")))),
		Entry("a member as the fallback", set("spec.fallback", toTeam("role", nil, "member", "maria"))),
		Entry("the shortest wait", waitOf("1m")),
		Entry("the shortest wait in seconds", waitOf("60s")),
		Entry("the longest wait", waitOf("24h")),
		Entry("a wait in hours and minutes", waitOf("1h30m")),
		Entry("no repeat", set("spec.repeat", int64(0))),
		Entry("ten repeats", set("spec.repeat", int64(10))),
		Entry("a rule that cannot be read, which is for its status to say", routeRules(routeRule("when", "event.txt =="))),
		Entry("a rule of several lines", routeRules(routeRule("when", "event.kind == 'Reply'\n  && event.text != ''"))),
	)

	DescribeTable("refuses", Label("S25"),
		func(ctx SpecContext, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(goodRoute, change))).To(refuse(words...))
		},
		Entry("no spec", unset("spec"), "spec: Required value"),
		Entry("no steps", unset("spec.steps"), "spec.steps: Required value"),
		Entry("an empty list of steps", set("spec.steps", []any{}), "spec.steps", "at least 1 items"),
		Entry("too many steps", set("spec.steps", copies(9, stepTo(toRota()))), "spec.steps", "must have at most 8 items"),
		Entry("no fallback", unset("spec.fallback"), "spec.fallback: Required value"),
		Entry("an empty fallback", set("spec.fallback", map[string]any{}), "spec.fallback", oneOfWords),
		Entry("a rota as the fallback", set("spec.fallback", toRota()), "spec.fallback", fallbackWords),
		Entry("a fallback without a role", set("spec.fallback", toTeam("role", nil)), "spec.fallback", whoWords),
		Entry("a negative repeat", set("spec.repeat", int64(-1)), "spec.repeat", "greater than or equal to 0"),
		Entry("eleven repeats", set("spec.repeat", int64(11)), "spec.repeat", "less than or equal to 10"),
		Entry("a repeat in words", set("spec.repeat", "forever"), "spec.repeat"),
		Entry("no wait", waitOf(nil), "spec.steps[0].wait: Required value"),
		Entry("too short a wait", waitOf("59s"), "spec.steps[0].wait", waitWords),
		Entry("too long a wait", waitOf("24h1s"), "spec.steps[0].wait", waitWords),
		Entry("a wait of nothing", waitOf(""), "spec.steps[0].wait", waitWords),
		Entry("a negative wait", waitOf("-15m"), "spec.steps[0].wait", waitWords),
		Entry("a wait in days", waitOf("1d"), "spec.steps[0].wait", waitWords),
		Entry("a wait without a unit", waitOf(int64(15)), "spec.steps[0].wait"),
		Entry("a wait with fractions", waitOf("1.5h"), "spec.steps[0].wait", waitWords),
		Entry("no targets", routeSteps(map[string]any{"wait": "15m"}), "spec.steps[0].targets: Required value"),
		Entry("too many targets", routeSteps(map[string]any{"wait": "15m", "targets": copies(9, toRota())}), "spec.steps[0].targets", "must have at most 8 items"),
		Entry("a target that is nobody", target(map[string]any{}), "spec.steps[0].targets[0]", oneOfWords),
		Entry("a target that is two", target(overlaid(toTeam(), "responderRotaRef", map[string]any{"name": "care"})), "spec.steps[0].targets[0]", oneOfWords),
		Entry("a rota's manager", target(toRota("role", "Manager")), "spec.steps[0].targets[0]", strayWords),
		Entry("a rota's member", target(toRota("member", "maria")), "spec.steps[0].targets[0]", strayWords),
		Entry("a whole team", target(toTeam("role", nil)), "spec.steps[0].targets[0]", whoWords),
		Entry("a member and a role", target(toTeam("member", "maria")), "spec.steps[0].targets[0]", whoWords),
		Entry("a role alone", target(map[string]any{"role": "Manager"}), "spec.steps[0].targets[0]", oneOfWords),
		Entry("an unknown role", target(toTeam("role", "Deputy")), "spec.steps[0].targets[0].role", `supported values: "Manager"`),
		Entry("a member's address", target(toTeam("role", nil, "member", "maria@acme.example")), "spec.steps[0].targets[0].member", memberWords),
		Entry("a rota in another namespace", target(toRota("responderRotaRef", map[string]any{"name": "other/care"})), "responderRotaRef.name", localWords),
		Entry("too many rules", routeRules(many(33)...), "spec.rules", "must have at most 32 items"),
		Entry("two rules of one name", routeRules(routeRule(), routeRule()), "spec.rules[1]", "Duplicate value"),
		Entry("a rule without a name", routeRules(routeRule("name", nil)), "spec.rules[0].name: Required value"),
		Entry("a rule of a bad name", routeRules(routeRule("name", "To Billing")), "spec.rules[0].name", ruleWords),
		Entry("a rule without a condition", routeRules(routeRule("when", nil)), "spec.rules[0].when: Required value"),
		Entry("an empty condition", routeRules(routeRule("when", "")), "spec.rules[0].when", "at least 1 chars long"),
		Entry("a condition that is no text", routeRules(routeRule("when", true)), "spec.rules[0].when"),
		Entry("too long a condition", routeRules(routeRule("when", strings.Repeat("x", 1025))), "spec.rules[0].when", "may not be more than 1024"),
		Entry("a rule without steps", routeRules(routeRule("steps", nil)), "spec.rules[0].steps: Required value"),
		Entry("too short a wait in a rule", routeRules(routeRule("steps", []any{overlaid(stepTo(toRota()), "wait", "1s")})), "spec.rules[0].steps[0].wait", waitWords),
	)

	It("is changed freely", func(ctx SpecContext) {
		route := manifest(goodRoute, set("metadata.name", "changes"))
		Expect(kube.Create(ctx, route)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, route)).To(Succeed()) })
		Expect(tryUpdate(ctx, route, unset("spec.rules"), waitOf("1h"), set("spec.repeat", int64(0)))).To(Succeed())
	})

	It("is repeated as often as it says, and else not at all", func(ctx SpecContext) {
		route := manifest(goodRoute, set("metadata.name", "defaults"), unset("spec.repeat"))
		Expect(tryCreate(ctx, route)).To(Succeed())
		Expect(route.Object).To(HaveKeyWithValue("spec", HaveKeyWithValue("repeat", BeEquivalentTo(0))))
	})
})

// many rules of different names.
func many(size int) []map[string]any {
	all := make([]map[string]any, 0, size)
	for i := range size {
		all = append(all, routeRule("name", fmt.Sprint("rule-", i)))
	}
	return all
}

var _ = Describe("A SocialChannel's route", func() {
	It("is named", func(ctx SpecContext) {
		Expect(tryCreate(ctx, manifest(goodChannel, set("spec.escalationRouteRef", map[string]any{"name": "care"})))).To(Succeed())
	})

	DescribeTable("is refused", Label("S25"),
		func(ctx SpecContext, ref map[string]any, words ...string) {
			Expect(tryCreate(ctx, manifest(goodChannel, set("spec.escalationRouteRef", ref)))).To(refuse(words...))
		},
		Entry("of no name", map[string]any{}, "spec.escalationRouteRef.name: Required value"),
		Entry("in another namespace", map[string]any{"name": "other/care"}, "spec.escalationRouteRef.name", localWords),
	)
})

var _ = Describe("The status of a route", Ordered, func() {
	var route *unstructured.Unstructured

	BeforeAll(func(ctx SpecContext) {
		route = manifest(goodRoute, set("metadata.name", "status"))
		Expect(kube.Create(ctx, route)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, route)).To(Succeed()) })
	})

	It("takes the longest that there can be", func(ctx SpecContext) {
		person := strings.Repeat("t", 253) + "/" + strings.Repeat("m", 63)
		step := map[string]any{
			"targets": repeated(8, "fallback: "+strings.Repeat("m", 63)+" of "+strings.Repeat("t", 253)), "after": "264h0m0s",
			"people": repeated(8, person), "unreachable": repeated(8, person),
		}
		changed := route.DeepCopy()
		Expect(unstructured.SetNestedMap(changed.Object, map[string]any{
			"compiledRules": int64(32), "first": strings.Repeat("x", 1006), "summary": strings.Repeat("x", 1006),
			"steps": copies(9, step), "problems": repeated(16, strings.Repeat("x", 1006)), "nextChange": "2026-11-23T09:00:00Z",
		}, "status")).To(Succeed())
		Expect(kube.Status().Update(ctx, changed)).To(Succeed())
		read := &v1alpha1.EscalationRoute{}
		Expect(kube.Get(ctx, client.ObjectKeyFromObject(route), read)).To(Succeed())
		Expect(read.Status.Steps).To(HaveLen(9))
	})
})

// repeated is a list of one text, so many times.
func repeated(size int, text string) []any {
	list := make([]any, 0, size)
	for range size {
		list = append(list, text)
	}
	return list
}
