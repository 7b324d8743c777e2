// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// members gives a team these people; the first is its manager.
func members(people ...map[string]any) edit {
	list := make([]any, 0, len(people))
	for _, person := range people {
		list = append(list, person)
	}
	return set("spec.members", list)
}

// person has a name and an address, and what pairs of keys and values say.
func person(name string, pairs ...any) map[string]any {
	made := map[string]any{"name": name, "email": name + "@acme.example"}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i].(string)] = pairs[i+1]
	}
	return made
}

// crowd is so many people, the first of them called maria.
func crowd(size int) edit {
	people := []map[string]any{person("maria")}
	for i := 1; i < size; i++ {
		people = append(people, person(fmt.Sprint("member-", i)))
	}
	return members(people...)
}

// accepts lets the team accept channels of the namespace social.
func accepts(patterns ...any) edit {
	return set("spec.accepts", []any{map[string]any{"namespace": "social", "channels": append([]any{}, patterns...)}})
}

var _ = Describe("A Team", func() {
	DescribeTable("accepts",
		func(ctx SpecContext, edits ...edit) {
			Expect(tryCreate(ctx, manifest(goodTeam, edits...))).To(Succeed())
		},
		Entry("the least"),
		Entry("a name for people", set("spec.displayName", "Customer Care ☎")),
		Entry("a team above", set("spec.reportsToRef.name", "chief-executive")),
		Entry("one member", crowd(1)),
		Entry("as many as there may be", crowd(100)),
		Entry("somebody who comes", members(person("maria"), person("dana", "from", "2030-01-05T00:00:00Z"))),
		Entry("somebody who came and goes", members(person("maria"), person("dana", "from", "2026-01-05T00:00:00Z", "until", "2026-12-31T00:00:00Z"))),
		Entry("somebody who stays for a second", members(person("maria"), person("dana", "from", "2026-01-05T00:00:00Z", "until", "2026-01-05T00:00:01Z"))),
		Entry("times in other zones", members(person("maria"), person("dana", "from", "2026-01-05T00:00:00+11:00", "until", "2026-01-05T00:00:00+10:30"))),
		Entry("a manager who is gone, since that takes no edit to happen", members(person("maria", "until", "2020-01-01T00:00:00Z"))),
		Entry("an address with a plus", members(map[string]any{"name": "maria", "email": "maria+pager@acme.example"})),
		Entry("an address in another script", members(map[string]any{"name": "maria", "email": "мария@почта.example"})),
		Entry("an address in this house", members(map[string]any{"name": "maria", "email": "maria@localhost"})),
		Entry("consent to all", accepts("*")),
		Entry("consent by name", accepts("acme-help", "acme.news")),
		Entry("consent by the beginning, the end and the middle", accepts("help-*", "*-help", "*help*", "acme-*-de")),
		Entry("consent in many namespaces", set("spec.accepts", []any{
			map[string]any{"namespace": "social", "channels": []any{"*"}},
			map[string]any{"namespace": "press", "channels": []any{"news"}},
		})),
	)

	DescribeTable("refuses",
		func(ctx SpecContext, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(goodTeam, change))).To(refuse(words...))
		},
		Entry("no spec", unset("spec"), "spec: Required value"),
		Entry("no namespace", unset("spec.namespace"), "spec.namespace: Required value"),
		Entry("a namespace that cannot be one", Label("S25"), set("spec.namespace", "kube-system/secrets"), "spec.namespace", "must be the name of a namespace"),
		Entry("a namespace with dots", set("spec.namespace", "customer.care"), "spec.namespace", "must be the name of a namespace"),
		Entry("a namespace of a long name", set("spec.namespace", strings.Repeat("a", 64)), "spec.namespace", "may not be more than 63"),
		Entry("no manager", unset("spec.manager"), "spec.manager: Required value"),
		Entry("a manager who is no member", set("spec.manager", "nobody"), "spec.manager", "manager must be the name of one of the members"),
		Entry("a manager in another case", set("spec.manager", "Maria"), "manager must be the name of one of the members"),
		Entry("a manager of no name", set("spec.manager", ""), "spec.manager", "at least 1 chars long"),
		Entry("a name of nothing", set("spec.displayName", ""), "spec.displayName", "at least 1 chars long"),
		Entry("a name that is too long", set("spec.displayName", strings.Repeat("a", 129)), "spec.displayName", "may not be more than 128"),

		Entry("no members", unset("spec.members"), "spec.members: Required value"),
		Entry("a list of no members", set("spec.members", []any{}), "spec.members", "should have at least 1 items"),
		Entry("too many members", crowd(101), "spec.members: Too many: 101: must have at most 100 items"),
		Entry("the same member twice", members(person("maria"), person("dana"), person("dana")), `spec.members[2]: Duplicate value: {"name":"dana"}`),
		Entry("a member without a name", members(person("maria"), map[string]any{"email": "x@acme.example"}), "spec.members[1].name: Required value"),
		Entry("a member in capitals", members(person("maria"), person("Dana")), "spec.members[1].name", "must be lower-case letters, digits and -, for example maria"),
		Entry("a member with a slash", Label("S25"), members(person("maria"), person("care/dana")), "spec.members[1].name", "must be lower-case letters"),
		Entry("a member with a long name", members(person("maria"), person(strings.Repeat("a", 64))), "spec.members[1].name", "may not be more than 63"),
		Entry("a member without an address", members(map[string]any{"name": "maria"}), "spec.members[0].email: Required value"),
		Entry("until before from", members(person("maria"), person("dana", "from", "2026-12-31T00:00:00Z", "until", "2026-01-05T00:00:00Z")),
			"spec.members[1].until", "until must be later than from"),
		Entry("until at from", members(person("maria"), person("dana", "from", "2026-01-05T00:00:00Z", "until", "2026-01-05T01:00:00+01:00")),
			"spec.members[1].until", "until must be later than from"),
		Entry("a day without a time", members(person("maria", "until", "2026-12-31")), "spec.members[0].until", "must be of type date-time"),
		Entry("a time in words", members(person("maria", "from", "tomorrow")), "spec.members[0].from", "must be of type date-time"),
		Entry("a time without a zone", members(person("maria", "from", "2026-12-31T00:00:00")), "spec.members[0].from", "must be of type date-time"),
		Entry("a time that is a number", members(person("maria", "from", 1798675200)), "spec.members[0].from", "must be of type date-time"),

		Entry("itself above", set("spec.reportsToRef.name", "customer-care"), "spec.reportsToRef",
			"a team cannot report to itself: name another team in spec.reportsToRef, or leave it out at the top"),
		Entry("a team above of no name", set("spec.reportsToRef", map[string]any{}), "spec.reportsToRef.name: Required value"),
		Entry("a team above that cannot exist", set("spec.reportsToRef.name", "Chief Executive"), "spec.reportsToRef.name", "must be a lower-case DNS name"),

		Entry("consent to nothing", set("spec.accepts", []any{}), "spec.accepts", "should have at least 1 items"),
		Entry("consent twice for a namespace", set("spec.accepts", []any{
			map[string]any{"namespace": "social", "channels": []any{"a"}}, map[string]any{"namespace": "social", "channels": []any{"b"}},
		}), `spec.accepts[1]: Duplicate value: {"namespace":"social"}`),
		Entry("consent without a namespace", set("spec.accepts", []any{map[string]any{"channels": []any{"*"}}}), "spec.accepts[0].namespace: Required value"),
		Entry("consent for all namespaces", Label("S7"), set("spec.accepts", []any{map[string]any{"namespace": "*", "channels": []any{"*"}}}),
			"spec.accepts[0].namespace", "must be the name of a namespace"),
		Entry("consent without channels", set("spec.accepts", []any{map[string]any{"namespace": "social"}}), "spec.accepts[0].channels: Required value"),
		Entry("consent to a list of no channels", accepts(), "spec.accepts[0].channels", "should have at least 1 items"),
		Entry("consent to a channel of no name", accepts(""), "spec.accepts[0].channels[0]", "at least 1 chars long"),
		Entry("consent to the same twice", accepts("a", "a"), `spec.accepts[0].channels[1]: Duplicate value: "a"`),
		Entry("a pattern in capitals", accepts("Help*"), "spec.accepts[0].channels[0]", "a channel is named as it is, such as acme-help, with * for any run of characters"),
		Entry("a pattern with a slash", Label("S25"), accepts("other/*"), "spec.accepts[0].channels[0]", "a channel is named as it is, such as acme-help, with * for any run of characters"),
		Entry("a pattern with a space", accepts("help *"), "spec.accepts[0].channels[0]", "a channel is named as it is, such as acme-help, with * for any run of characters"),
		Entry("a pattern with a line break", Label("S25"), accepts("help\n*"), "spec.accepts[0].channels[0]", "a channel is named as it is, such as acme-help, with * for any run of characters"),
		Entry("a pattern with a line break behind", Label("S25"), accepts("help\n"), "spec.accepts[0].channels[0]", "a channel is named as it is, such as acme-help, with * for any run of characters"),
		Entry("a regular expression", accepts("help-[a-z]+"), "spec.accepts[0].channels[0]", "a channel is named as it is, such as acme-help, with * for any run of characters"),
		Entry("a pattern of one letter", accepts("help-?"), "spec.accepts[0].channels[0]", "a channel is named as it is, such as acme-help, with * for any run of characters"),
		Entry("a pattern that no name can match", accepts("-help"), "spec.accepts[0].channels[0]", "a channel is named as it is, such as acme-help, with * for any run of characters"),
		Entry("a pattern that is too long", accepts(strings.Repeat("a", 254)), "spec.accepts[0].channels[0]", "may not be more than 253"),
		Entry("a pattern that is a number", accepts(42), "spec.accepts[0].channels[0]", "must be of type string"),
	)

	It("refuses too much consent", Label("S25"), func(ctx SpecContext) {
		patterns := make([]any, 65)
		for i := range patterns {
			patterns[i] = fmt.Sprint("channel-", i)
		}
		Expect(tryCreate(ctx, manifest(goodTeam, accepts(patterns...)))).To(refuse("spec.accepts[0].channels: Too many: 65: must have at most 64 items"))
		namespaces := make([]any, 65)
		for i := range namespaces {
			namespaces[i] = map[string]any{"namespace": fmt.Sprint("namespace-", i), "channels": []any{"*"}}
		}
		Expect(tryCreate(ctx, manifest(goodTeam, set("spec.accepts", namespaces)))).To(refuse("spec.accepts: Too many: 65: must have at most 64 items"))
	})

	DescribeTable("refuses an address", Label("S25"),
		func(ctx SpecContext, email string) {
			change := members(map[string]any{"name": "maria", "email": email})
			Expect(tryCreate(ctx, manifest(goodTeam, change))).To(refuse("spec.members[0].email"))
		},
		Entry("of nothing", ""),
		Entry("without an @", "maria.acme.example"),
		Entry("of an @ alone", "@"),
		Entry("without a name", "@acme.example"),
		Entry("without a server", "maria@"),
		Entry("with two @", "maria@acme@example"),
		Entry("with a space", "maria @acme.example"),
		Entry("with a no-break space", "maria\u00a0@acme.example"),
		Entry("with a line break and more", "maria@acme.example\nBcc: all@acme.example"),
		Entry("with a line break behind", "maria@acme.example\n"),
		Entry("with a NUL", "maria\x00@acme.example"),
		Entry("with a zero-width space", "maria\u200b@acme.example"),
		Entry("written from right to left", "maria\u202e@acme.example"),
		Entry("that is too long", strings.Repeat("a", 250)+"@b.example"),
	)

	It("says what an address looks like", func(ctx SpecContext) {
		change := members(map[string]any{"name": "maria", "email": "maria at acme.example"})
		Expect(tryCreate(ctx, manifest(goodTeam, change))).To(refuse("email must be an address such as maria@acme.example"))
	})

	It("loses a member who is not its manager", func(ctx SpecContext) {
		team := manifest(goodTeam)
		created(ctx, team)
		Expect(tryUpdate(ctx, team, members(person("maria")))).To(Succeed())
		Expect(tryUpdate(ctx, team, members(person("dana")))).To(refuse("manager must be the name of one of the members"))
		Expect(tryUpdate(ctx, team, members(person("dana")), set("spec.manager", "dana"))).To(Succeed())
	})

	It("is edited by two at once, each with a member of their own", func(ctx SpecContext) {
		apply := func(by string, members string) {
			GinkgoHelper()
			out, err := kubectlRun(ctx, `
apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: shared-by-two}
spec:
  namespace: customer-care
  manager: maria
  members: [`+members+`]
`, "apply", "--server-side", "--field-manager="+by, "-f", "-")
			Expect(err).NotTo(HaveOccurred(), out)
		}
		team := &v1alpha1.Team{}
		team.Name = "shared-by-two"
		DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, team)).To(Succeed()) })
		apply("people", "{name: maria, email: maria@acme.example}, {name: dana, email: dana@acme.example}")
		apply("care", "{name: maria, email: maria@acme.example}, {name: zoe, email: zoe@acme.example}")
		apply("people", "{name: maria, email: maria@acme.example}")
		Expect(kube.Get(ctx, client.ObjectKeyFromObject(team), team)).To(Succeed())
		Expect(team.Spec.Members).To(ConsistOf(HaveField("Name", "maria"), HaveField("Name", "zoe")))
	})

	It("is written and read by the typed client", func(ctx SpecContext) {
		team := &v1alpha1.Team{Spec: v1alpha1.TeamSpec{
			Namespace: "customer-care", Manager: "maria", Members: []v1alpha1.TeamMember{{Name: "maria", Email: "maria@acme.example"}},
		}}
		team.Name = "typed"
		Expect(tryCreate(ctx, team)).To(Succeed())
		Expect(team.Spec.Members).To(HaveExactElements(v1alpha1.TeamMember{Name: "maria", Email: "maria@acme.example"}))
	})
})
