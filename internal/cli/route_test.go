// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/cli"
)

const (
	tellable = `apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: customer-care}
spec:
  namespace: customer-care
  manager: maria
  members:
  - {name: maria, email: maria@acme.example, notify: [{secretRef: {name: maria-pager, key: url}}]}
  - {name: dana, email: dana@acme.example, notify: [{secretRef: {name: dana-pager, key: url}}]}
---
apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: chief-executive}
spec:
  namespace: chief-executive
  manager: ines
  members: [{name: ines, email: ines@acme.example, notify: [{secretRef: {name: ines-pager, key: url}}]}]
`
	careRoute = `apiVersion: social.rostra.dev/v1alpha1
kind: EscalationRoute
metadata: {name: answer, namespace: social}
spec:
  rules:
  - name: refunds
    when: event.text.matches('(?i)refund') && event.kind == 'DirectMessage'
    steps: [{targets: [{teamRef: {name: customer-care}, member: dana}], wait: 10m}]
  - name: ours
    when: channel.name == 'acme-help' && event.kind == 'Reply'
    steps: [{targets: [{teamRef: {name: customer-care}, role: Manager}], wait: 5m}]
  steps:
  - {targets: [{responderRotaRef: {name: care}}], wait: 15m}
  - {targets: [{teamRef: {name: customer-care}, role: Manager}], wait: 30m}
  fallback: {teamRef: {name: chief-executive}, role: Manager}
`
	// byDay is a time at which dana is on duty.
	byDay = "2026-11-24T17:50"
)

// taking gives a channel a route.
func taking(channel, route string) string {
	return channel + "  escalationRouteRef: {name: " + route + "}\n"
}

// routeAnswer is the JSON output.
type routeAnswer struct {
	Route, Channel, Kind, At, Rule, Summary string
	Plan                                    []struct {
		After, At   string
		Step, Round int
		Fallback    bool
		Targets     []string
		People      []struct {
			Member, Team string
			Manager      bool
		}
	}
	Problems []struct {
		Reason, Message string
		Warning         bool
	}
}

func routeOf(text string) routeAnswer {
	GinkgoHelper()
	var answer routeAnswer
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	Expect(decoder.Decode(&answer)).To(Succeed())
	return answer
}

var _ = Describe("Who would be told", func() {
	It("is a table of who hears when, by the clock of the rota", func() {
		Expect(succeed("route", "-f", folder(tellable, careRota, careRoute), "answer", "--at", byDay)).To(Equal(
			`EscalationRoute social/answer
Mention: no rule matches: the route's own steps

AFTER   AT                         TOLD                     AS                           STEP
0s      Tue 2026-11-24 17:50 GMT   dana (customer-care)     rota care                    1
15m     Tue 2026-11-24 18:05 GMT   maria (customer-care)    manager of customer-care     2
45m     Tue 2026-11-24 18:35 GMT   ines (chief-executive)   manager of chief-executive   fallback
`))
	})

	It("is JSON, for an event of a kind and a text that a rule matches", Label("S21"), func() {
		answer := routeOf(succeed("route", "-f", folder(tellable, careRota, careRoute), "social/answer", "--at", byDay,
			"--kind", "DirectMessage", "--text", "Where is my REFUND?", "-o", "json"))
		Expect(answer.Rule).To(Equal("refunds"))
		Expect(answer.Summary).To(Equal("now: dana → (10m) dana → (15m) manager maria → (30m) at last manager ines"))
		Expect(answer.Channel).To(BeEmpty())
		Expect(answer.At).To(Equal("2026-11-24T17:50:00Z"))
		Expect(answer.Problems).To(BeEmpty())
		Expect(answer.Plan).To(HaveLen(3), "dana's hours end at six")
		Expect(answer.Plan[0]).To(And(HaveField("Step", 1), HaveField("Round", 1), HaveField("Targets", []string{"dana of customer-care"})))
		Expect(answer.Plan[1]).To(And(HaveField("Step", 3), HaveField("After", "10m"), HaveField("At", "2026-11-24T18:00:00Z"), HaveField("Targets", []string{"manager of customer-care"})))
		Expect(answer.Plan[2]).To(And(HaveField("Fallback", true), HaveField("After", "40m")))
		Expect(answer.Plan[2].People[0]).To(And(HaveField("Member", "ines"), HaveField("Team", "chief-executive"), HaveField("Manager", true)))
	})

	It("is that of a channel, of which rules know", func() {
		root := folder(tellable, careRota, careRoute, taking(channel("acme-help", "", "care"), "answer"))
		answer := routeOf(succeed("route", "-f", root, "social/acme-help", "--at", byDay, "--kind", "Reply", "-o", "json"))
		Expect(answer).To(And(HaveField("Channel", "social/acme-help"), HaveField("Route", "social/answer"), HaveField("Rule", "ours")))
		Expect(succeed("route", "-f", root, "acme-help", "--at", byDay, "--kind", "Reply")).To(HavePrefix(
			"EscalationRoute social/answer, as SocialChannel social/acme-help takes it\nReply: rule ours matches: its steps, then the route's own\n"))
		Expect(succeed("route", "-f", root, "acme-help", "--at", byDay, "--kind", "Reply")).To(And(
			MatchRegexp(`(?m)^0s .* maria \(customer-care\) +manager of customer-care +rule's 1$`),
			MatchRegexp(`(?m)^5m .* dana \(customer-care\) +rota care +route's 1$`), MatchRegexp(`(?m)^20m .* +route's 2$`)))
		Expect(routeOf(succeed("route", "-f", root, "answer", "--at", byDay, "--kind", "Reply", "-o", "json")).Rule).To(BeEmpty(), "a route has no channel")
	})

	It("leaves out a step that is nobody, and warns of it", Label("S3"), func() {
		r := rostra("route", "-f", folder(tellable, careRota, careRoute), "answer", "-o", "json")
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(r.stderr).To(HavePrefix("warning: EscalationRoute social/answer: step 1 is nobody now (rota care) and is left out"))
		Expect(routeOf(r.stdout).Summary).To(Equal("now: (rota care: nobody) manager maria → (30m) at last manager ines"), "it is Sunday")
		Expect(routeOf(r.stdout).Problems).To(ConsistOf(And(HaveField("Reason", "StepEmpty"), HaveField("Warning", true))))
		Expect(rostra("route", "-f", folder(tellable, careRota, careRoute), "answer", "--fail-on-problem").code).To(Equal(cli.ExitOK), "the next step is heard")
	})

	It("is a problem where nobody but the fallback would hear", Label("S3"), func() {
		alone := strings.Replace(careRoute, "  - {targets: [{teamRef: {name: customer-care}, role: Manager}], wait: 30m}\n  fallback", "  fallback", 1)
		r := rostra("route", "-f", folder(tellable, careRota, alone), "answer", "--fail-on-problem")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(HavePrefix("problem: EscalationRoute social/answer: step 1 is nobody now (rota care) and is left out, and no other step is heard: only the fallback is left"))
	})

	DescribeTable("says what the API server would refuse", Label("S25"),
		func(written, instead, words string) {
			Expect(careRoute).To(ContainSubstring(written))
			root := folder(tellable, careRota, strings.Replace(careRoute, written, instead, 1))
			r := rostra("route", "-f", root, "answer", "--at", byDay, "--fail-on-problem", "-o", "json")
			Expect(r.code).To(Equal(cli.ExitFailure))
			Expect(r.stderr).To(ContainSubstring("problem: EscalationRoute social/answer: " + words))
			Expect(routeOf(r.stdout).Problems).To(ContainElement(And(HaveField("Reason", "RouteInvalid"), HaveField("Warning", false), HaveField("Message", HavePrefix(words)))))
		},
		Entry("no wait", ", wait: 15m", "", "spec.steps[0].wait: "),
		Entry("too long a wait", "wait: 15m", "wait: 48h", "spec.steps[0].wait: "),
		Entry("no role", ", role: Manager}], wait: 30m", "}], wait: 30m", "spec.steps[1].targets[0]: who of the team?"),
		Entry("two targets in one", "{responderRotaRef: {name: care}}", "{responderRotaRef: {name: care}, teamRef: {name: customer-care}}", "spec.steps[0].targets[0]: name exactly one of"),
		Entry("no fallback", "  fallback: {teamRef: {name: chief-executive}, role: Manager}\n", "", "spec.fallback: name exactly one of"),
		Entry("a rota as the fallback", "fallback: {teamRef: {name: chief-executive}, role: Manager}", "fallback: {responderRotaRef: {name: care}}", "spec.fallback: it must be a person"),
		Entry("too many repeats", "  fallback:", "  repeat: 1000000000\n  fallback:", "spec.repeat: write a number from 0 to 10"),
	)

	It("is told without what a terminal would obey", func() {
		escape := func(name string) string { return strings.ReplaceAll(name, "!", `\e[31m`) }
		written := strings.NewReplacer("name: refunds", escape(`name: "ref!unds"`), "name: care}", escape(`name: "ca!re"}`), "member: dana", escape(`member: "da!na"`),
			"name: chief-executive", escape(`name: "chief!"`), "name: answer", escape(`name: "answer!"`)).Replace(careRoute)
		people := strings.NewReplacer("name: chief-executive", escape(`name: "chief!"`), "name: ines,", escape(`name: "in!es",`), "manager: ines", escape(`manager: "in!es"`)).Replace(tellable)
		for _, format := range []string{"table", "json"} {
			r := rostra("route", "-f", folder(people, careRota, written), "answer\x1b[31m", "--at", byDay, "--kind", "DirectMessage", "--text", "refund", "-o", format, "--fail-on-problem")
			Expect(r.stdout).To(ContainSubstring("ref"), r.stderr)
			Expect(r.stdout + r.stderr).NotTo(ContainSubstring("\x1b"))
		}
	})

	It("is a failure with --fail-on-problem where something is not in order, after the answer", func() {
		broken := strings.Replace(careRoute, "event.text.matches('(?i)refund')", "event.txt == ''", 1)
		root := folder(tellable, careRota, broken)
		Expect(rostra("route", "-f", root, "answer", "--at", byDay).code).To(Equal(cli.ExitOK))
		r := rostra("route", "-f", root, "answer", "--at", byDay, "--fail-on-problem")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stdout).To(ContainSubstring("dana (customer-care)"))
		Expect(r.stderr).To(And(
			ContainSubstring("rule refunds cannot be used and matches nothing: character 1: event.txt is not known"),
			HaveSuffix("rostra: EscalationRoute social/answer is not in order: see the problems above\n")))
		Expect(rostra("route", "-f", folder(tellable, careRota, careRoute), "answer", "--at", byDay, "--fail-on-problem").code).To(Equal(cli.ExitOK))
	})

	It("warns of who cannot be told, and of a rota that cannot be read", func() {
		r := rostra("route", "-f", folder(teams, strings.Replace(careRota, "Europe/London", "Europe/Londn", 1), careRoute), "answer", "--at", byDay)
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(r.stderr).To(And(
			ContainSubstring("nobody of it can be told: customer-care/maria"),
			ContainSubstring("fallback: Team chief-executive does not exist"),
			ContainSubstring("ResponderRota social/care: spec.timeZone \"Europe/Londn\" is no time zone")))
		Expect(r.stdout).To(MatchRegexp(`(?m)^0s .* nobody +manager of chief-executive +fallback$`))
	})

	DescribeTable("is an error that says what to type",
		func(words string, documents []string, args ...string) {
			r := rostra(append([]string{"route", "-f", folder(documents...)}, args...)...)
			Expect(r.code).To(Equal(cli.ExitFailure))
			Expect(r.stdout).To(BeEmpty())
			Expect(r.stderr).To(ContainSubstring(words))
		},
		Entry("no such route", "there is no EscalationRoute nowhere in the manifests; there is social/answer", []string{careRoute}, "nowhere"),
		Entry("no route at all", "the manifests declare none at all", []string{careRota}, "answer"),
		Entry("two of a name", "EscalationRoute answer is in several namespaces: name one of", []string{careRoute, inNamespace(careRoute, "other")}, "answer"),
		Entry("a channel without one", "SocialChannel social/acme-help takes no route, so nobody is told of its events: name one in spec.escalationRouteRef",
			[]string{careRoute, channel("acme-help", "", "")}, "acme-help"),
		Entry("a channel whose route is missing", "SocialChannel social/acme-help names EscalationRoute social/nowhere: there is no EscalationRoute social/nowhere",
			[]string{careRoute, taking(channel("acme-help", "", ""), "nowhere")}, "acme-help"),
	)

	DescribeTable("is refused where the question is none",
		func(words string, args ...string) {
			r := rostra(append([]string{"route", "-f", folder(careRoute)}, args...)...)
			Expect(r.code).To(Equal(cli.ExitUsage))
			Expect(r.stderr).To(ContainSubstring(words))
		},
		Entry("no name", "name a route or channel: rostra route [NAMESPACE/]ROUTE|CHANNEL"),
		Entry("a kind that is none", "write one of Mention, Reply", "answer", "--kind", "Shout"),
		Entry("a time that is none", "--at \"soon\" is no time", "answer", "--at", "soon"),
	)

	It("is read from a cluster too", func() {
		_, config := serve(tellable, careRota, careRoute, taking(channel("acme-help", "", "care"), "answer"))
		args := []string{"--at", byDay, "--kubeconfig", config}
		Expect(succeed(append([]string{"route", "social/answer"}, args...)...)).To(ContainSubstring("dana (customer-care)"))
		Expect(succeed(append([]string{"route", "social/acme-help"}, args...)...)).To(HavePrefix("EscalationRoute social/answer, as SocialChannel social/acme-help takes it\n"))
		r := rostra("route", "social/nowhere", "--kubeconfig", config)
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(ContainSubstring("there is neither an EscalationRoute nor a SocialChannel social/nowhere"))
	})

	It("is a line of whois, where the channel names a route", func() {
		documents := []string{tellable, careRota, careRoute, taking(channel("acme-help", "", "care"), "answer")}
		const line = "Route       answer: now: dana → (15m) manager maria → (30m) at last manager ines\n"
		Expect(rostra("whois", "-f", folder(documents...), "social/acme-help", "--at", byDay).stdout).To(ContainSubstring(line))
		_, config := serve(documents...)
		Expect(rostra("whois", "social/acme-help", "--at", byDay, "--kubeconfig", config).stdout).To(ContainSubstring(line))
		missing := folder(tellable, careRota, taking(channel("acme-help", "", "care"), "answer"))
		Expect(rostra("whois", "-f", missing, "social/acme-help").stdout).To(ContainSubstring("Route       nobody would be told: the channel names EscalationRoute\n            social/answer, which does not exist"))
		Expect(rostra("whois", "-f", folder(tellable, careRota, channel("acme-help", "", "care")), "social/acme-help").stdout).NotTo(ContainSubstring("Route"))
	})
})
