// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// columns splits a line of kubectl's table.
func columns(line string) []string {
	return regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1)
}

// routeInWords is what a status says of a route.
const routeInWords = "now: maria → (15m) manager maria → (30m) at last manager ines"

var _ = Describe("kubectl", Ordered, func() {
	BeforeAll(func(ctx SpecContext) {
		inOrder := []any{condition()}
		onDuty := map[string]any{"member": "maria", "team": "customer-care", "layer": "weekdays", "until": "2026-11-23T09:00:00Z", "next": "dana"}
		channel := manifest(goodChannel)
		created(ctx, channel)
		for path, value := range map[string]any{
			"status.conditions": inOrder, "status.owner": "customer-care", "status.account": map[string]any{"id": did},
			"status.credential": map[string]any{
				"id": "rostra-0123456789ab-1", "serial": int64(1), "team": "customer-care", "issuedAt": "2026-11-21T12:00:00Z", "expires": "27d",
				"secret": map[string]any{"namespace": "customer-care", "name": "acme-help"},
			},
			"status.onCall":     onDuty,
			"status.coverage":   map[string]any{"percent": int64(66), "uncoveredPerWeek": "56h0m0s"},
			"status.escalation": map[string]any{"route": "care", "summary": routeInWords},
		} {
			set(path, value)(channel.Object)
		}
		Expect(kube.Status().Update(ctx, channel)).To(Succeed())
		created(ctx, manifest(goodChannel, set("metadata.name", "acme-news"), set("spec.handle", "@news")))

		team := manifest(goodTeam, set("spec.reportsToRef.name", "chief-executive"))
		created(ctx, team)
		set("status.conditions", inOrder)(team.Object)
		set("status.channels", map[string]any{"count": int64(2)})(team.Object)
		set("status.chain", []any{"chief-executive"})(team.Object)
		Expect(kube.Status().Update(ctx, team)).To(Succeed())

		platform := manifest(goodBluesky)
		created(ctx, platform)
		set("status.conditions", inOrder)(platform.Object)
		set("status.channels", map[string]any{"count": int64(2), "ready": int64(1)})(platform.Object)
		set("status.unclaimed", map[string]any{"count": int64(3)})(platform.Object)
		set("status.software", "pds 0.4")(platform.Object)
		set("status.capabilities", []any{"Mint"})(platform.Object)
		Expect(kube.Status().Update(ctx, platform)).To(Succeed())

		rota := manifest(goodRota)
		created(ctx, rota)
		set("status.conditions", inOrder)(rota.Object)
		set("status.onCall", onDuty)(rota.Object)
		set("status.nextHandoff", "2026-11-23T09:00:00Z")(rota.Object)
		set("status.coverage", map[string]any{"percent": int64(100), "uncoveredPerWeek": "0s"})(rota.Object)
		Expect(kube.Status().Update(ctx, rota)).To(Succeed())

		route := manifest(goodRoute)
		created(ctx, route)
		set("status.conditions", inOrder)(route.Object)
		set("status.first", "maria")(route.Object)
		set("status.compiledRules", int64(1))(route.Object)
		set("status.summary", routeInWords)(route.Object)
		set("status.nextChange", "2026-11-23T09:00:00Z")(route.Object)
		Expect(kube.Status().Update(ctx, route)).To(Succeed())

		policy := manifest(goodPolicy)
		created(ctx, policy)
		set("status.conditions", []any{condition("reason", "InForce", "message", "it holds for the channels that it selects")})(policy.Object)
		set("status.channels", map[string]any{"count": int64(2), "names": []any{"social/acme-help", "social/acme-news"}})(policy.Object)
		Expect(kube.Status().Update(ctx, policy)).To(Succeed())

		override := manifest(goodOverride)
		created(ctx, override)
		set("status.conditions", []any{condition("reason", "Waiting", "message", "begins in six days")})(override.Object)
		Expect(kube.Status().Update(ctx, override)).To(Succeed())
	})

	get := func(ctx SpecContext, args ...string) []string {
		GinkgoHelper()
		out, err := api.Kubectl(ctx, append([]string{"get"}, args...)...)
		Expect(err).NotTo(HaveOccurred())
		return strings.Split(strings.TrimSpace(out), "\n")
	}

	It("says of channels whose they are and whether they are in order", func(ctx SpecContext) {
		lines := get(ctx, "socialchannels", "-A")
		Expect(lines).To(HaveLen(3))
		Expect(columns(lines[0])).To(Equal([]string{"NAMESPACE", "NAME", "PLATFORM", "HANDLE", "OWNER", "ON-CALL", "EXPIRES", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])).To(HaveExactElements("social", "acme-help", "bluesky", "help.acme.example", "customer-care", "maria", "27d", "True", "InOrder", Not(BeEmpty())))
		Expect(columns(lines[2])[:4]).To(Equal([]string{"social", "acme-news", "bluesky", "@news"}))
	})

	It("says more of channels when it is asked for", func(ctx SpecContext) {
		lines := get(ctx, "socialchannels", "-A", "-o", "wide")
		Expect(columns(lines[0])).To(Equal([]string{
			"NAMESPACE", "NAME", "PLATFORM", "HANDLE", "OWNER", "ON-CALL", "EXPIRES", "READY", "REASON",
			"UNTIL", "COVERAGE", "ESCALATION", "LAST-EVENT", "DECLARED-OWNER", "ACCOUNT", "SECRET-NAMESPACE", "SECRET", "MESSAGE", "AGE",
		}))
		Expect(columns(lines[1])[9:17]).To(Equal([]string{"2026-11-23T09:00:00Z", "66", routeInWords, "customer-care", did, "customer-care", "acme-help", "everything declared is in order"}))
	})

	It("says of teams who answers for them", func(ctx SpecContext) {
		lines := get(ctx, "teams")
		Expect(columns(lines[0])).To(Equal([]string{"NAME", "MANAGER", "NAMESPACE", "REPORTS-TO", "CHANNELS", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])[:7]).To(Equal([]string{"customer-care", "maria", "customer-care", "chief-executive", "2", "True", "InOrder"}))
		Expect(columns(get(ctx, "teams", "-o", "wide")[1])).To(ContainElement(`["chief-executive"]`))
	})

	It("says of platforms how many channels are in order", func(ctx SpecContext) {
		lines := get(ctx, "socialplatforms")
		Expect(columns(lines[0])).To(Equal([]string{"NAME", "TYPE", "POLICY", "CHANNELS", "IN-ORDER", "UNCLAIMED", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])[:8]).To(Equal([]string{"bluesky", "Bluesky", "Manage", "2", "1", "3", "True", "InOrder"}))
		Expect(columns(get(ctx, "socialplatforms", "-o", "wide")[1])).To(ContainElements("pds 0.4", `["Mint"]`))
	})

	It("says of rotas who is on duty, and who is next", func(ctx SpecContext) {
		lines := get(ctx, "responderrotas", "-A")
		Expect(columns(lines[0])).To(Equal([]string{"NAMESPACE", "NAME", "ON-CALL", "LAYER", "NEXT-HANDOFF", "NEXT", "COVERAGE", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])).To(HaveExactElements("social", "care", "maria", "weekdays", "2026-11-23T09:00:00Z", "dana", "100", "True", "InOrder", Not(BeEmpty())))
		lines = get(ctx, "responderrotas", "-A", "-o", "wide")
		Expect(columns(lines[0])[8:]).To(Equal([]string{"REASON", "TIME-ZONE", "MESSAGE", "AGE"}))
		Expect(columns(lines[1])[9:11]).To(Equal([]string{"Europe/London", "everything declared is in order"}))
	})

	It("says of routes who hears first, and the whole of it in words", func(ctx SpecContext) {
		lines := get(ctx, "escalationroutes", "-A")
		Expect(columns(lines[0])).To(Equal([]string{"NAMESPACE", "NAME", "FIRST", "RULES", "NEXT-CHANGE", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])).To(HaveExactElements("social", "care", "maria", "1", "2026-11-23T09:00:00Z", "True", "InOrder", Not(BeEmpty())))
		lines = get(ctx, "escalationroutes", "-A", "-o", "wide")
		Expect(columns(lines[0])[6:]).To(Equal([]string{"REASON", "ROUTE", "MESSAGE", "AGE"}))
		Expect(columns(lines[1])[7]).To(Equal(routeInWords))
	})

	It("says of policies what they ask for, and of how many channels", func(ctx SpecContext) {
		lines := get(ctx, "cp")
		Expect(columns(lines[0])).To(Equal([]string{"NAME", "TARGET", "CHANNELS", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])).To(HaveExactElements("brand", "1h", "2", "True", "InForce", Not(BeEmpty())))
		lines = get(ctx, "contentpolicies", "-o", "wide")
		Expect(columns(lines[0])[4:]).To(Equal([]string{"REASON", "MESSAGE", "AGE"}))
		Expect(columns(lines[1])[5]).To(Equal("it holds for the channels that it selects"))
	})

	It("says of overrides whom they put on duty, and why", func(ctx SpecContext) {
		lines := get(ctx, "rotaoverrides", "-A")
		Expect(columns(lines[0])).To(Equal([]string{"NAMESPACE", "NAME", "ROTA", "MEMBER", "FROM", "UNTIL", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])).To(HaveExactElements("social", "dana-covers-friday", "care", "dana", "2026-11-27T18:00:00Z", "2026-11-28T09:00:00Z",
			"True", "Waiting", Not(BeEmpty())))
		lines = get(ctx, "rotaoverrides", "-A", "-o", "wide")
		Expect(columns(lines[0])[7:]).To(Equal([]string{"REASON", "WHY", "MESSAGE", "AGE"}))
		Expect(columns(lines[1])[8:10]).To(Equal([]string{"swap with maria", "begins in six days"}))
	})

	DescribeTable("knows the kinds by their short names",
		func(ctx SpecContext, short, name string) {
			Expect(get(ctx, short, "-A", "-o", "name")).To(ContainElement(name))
		},
		Entry("channels", "sch", "socialchannel.social.rostra.dev/acme-help"),
		Entry("platforms", "sp", "socialplatform.social.rostra.dev/bluesky"),
		Entry("teams", "tm", "team.social.rostra.dev/customer-care"),
		Entry("rotas", "rota", "responderrota.social.rostra.dev/care"),
		Entry("overrides", "rotaov", "rotaoverride.social.rostra.dev/dana-covers-friday"),
		Entry("routes", "er", "escalationroute.social.rostra.dev/care"),
		Entry("policies", "cp", "contentpolicy.social.rostra.dev/brand"),
		Entry("one channel", "socialchannel", "socialchannel.social.rostra.dev/acme-news"),
	)

	It("gives all of them under one name", func(ctx SpecContext) {
		Expect(get(ctx, "social", "-A", "-o", "name")).To(ConsistOf(
			"socialchannel.social.rostra.dev/acme-help", "socialchannel.social.rostra.dev/acme-news",
			"socialplatform.social.rostra.dev/bluesky", "team.social.rostra.dev/customer-care",
			"contentpolicy.social.rostra.dev/brand", "escalationroute.social.rostra.dev/care", "responderrota.social.rostra.dev/care", "rotaoverride.social.rostra.dev/dana-covers-friday",
		))
	})

	It("waits for a channel to be ready", func(ctx SpecContext) {
		out, err := api.Kubectl(ctx, "wait", "-n", "social", "--for=condition=Ready", "--timeout=10s", "socialchannel/acme-help")
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(ContainSubstring("condition met"))
	})

	DescribeTable("explains every field with its default, unit or example",
		func(ctx SpecContext, field string, words ...string) {
			out, err := api.Kubectl(ctx, "explain", field)
			Expect(err).NotTo(HaveOccurred())
			text := strings.Join(strings.Fields(out), " ")
			for _, word := range words {
				Expect(text).To(ContainSubstring(word))
			}
		},
		Entry("a handle", "socialchannel.spec.handle", "help.acme.example", "@news"),
		Entry("an interval", "socialchannel.spec.credentials.rotation.interval", "720h", "From 1h to 8760h"),
		Entry("a renewBefore", "socialchannel.spec.credentials.renewBefore", "Default: 336h"),
		Entry("a deletion policy", "socialchannel.spec.deletionPolicy", "Default: Orphan", "ENUM: Orphan Revoke"),
		Entry("the consent of a team", "team.spec.accepts.channels", "help-*"),
		Entry("a promise", "socialchannel.spec.coverage", "Default: none is made"),
		Entry("a promise's mode", "socialchannel.spec.coverage.mode", "ENUM: Always Windows None"),
		Entry("a channel's rota", "socialchannel.spec.responderRotaRef", "Default: nobody does", "in the same namespace"),
		Entry("a way to be told", "team.spec.members.notify", "Default: none"),
		Entry("a zone", "responderrota.spec.timeZone", "Europe/London"),
		Entry("layers", "responderrota.spec.layers", "the first one with somebody on duty answers"),
		Entry("a layer's members", "responderrota.spec.layers.members", "Default: all of the team's"),
		Entry("a start", "responderrota.spec.layers.handoff.start", "2026-11-02T09:00:00", "in the rota's zone"),
		Entry("the length of a turn", "responderrota.spec.layers.handoff.every", "From 1 to 1000"),
		Entry("the unit of a turn", "responderrota.spec.layers.handoff.unit", "ENUM: Hour Day Week"),
		Entry("a window's days", "responderrota.spec.layers.windows.days", "Default: every day", "for example [Mon, Tue]"),
		Entry("a window's end", "responderrota.spec.layers.windows.to", "24:00"),
		Entry("a channel's route", "socialchannel.spec.escalationRouteRef", "in the same namespace", "Default: none"),
		Entry("a wait", "escalationroute.spec.steps.wait", "15m", "From 1m to 24h"),
		Entry("a fallback", "escalationroute.spec.fallback", "so that somebody always hears"),
		Entry("a rule", "escalationroute.spec.rules.when", "CEL", "event.text.matches"),
		Entry("overrides", "rotaoverride", "whatever the rota says", "the one that begins later answers"),
		Entry("an override's reason", "rotaoverride.spec.reason", "swap with maria"),
		Entry("a server", "socialplatform.spec.mastodon.server", "https://mastodon.social"),
	)
})
