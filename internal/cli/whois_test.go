// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/cli"
)

const (
	company = `apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: customer-care}
spec:
  displayName: Customer Care
  namespace: customer-care
  manager: maria
  reportsToRef: {name: marketing}
  members:
  - {name: maria, email: maria@acme.example}
  - {name: dana, email: dana@acme.example}
  - {name: robin, email: robin@acme.example, until: "2026-11-21T00:00:00Z"}
  accepts: [{namespace: social, channels: ["acme-*"]}]
---
apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: marketing}
spec:
  namespace: marketing
  manager: otto
  reportsToRef: {name: chief-executive}
  members: [{name: otto, email: otto@acme.example}]
---
apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: chief-executive}
spec:
  namespace: chief-executive
  manager: carla
  members: [{name: carla, email: carla@acme.example}]
`
	bluesky = `apiVersion: social.rostra.dev/v1alpha1
kind: SocialPlatform
metadata: {name: bluesky}
spec: {type: Bluesky, bluesky: {service: "https://pds.acme.example"}, allowedNamespaces: {}}
`
	mastodon = `apiVersion: social.rostra.dev/v1alpha1
kind: SocialPlatform
metadata: {name: mastodon}
spec: {type: Mastodon, mastodon: {server: "https://social.acme.example"}, allowedNamespaces: {}}
`
	// inOrder is the status of a channel of which there is nothing unusual to
	// tell, at noon.
	inOrder = `status:
  owner: customer-care
  observedGeneration: 1
  account: {id: "did:plc:ewvi7nxzyoun6zhxrhs64oiz", handle: acme-help.acme.example, displayName: Acme Help}
  credential:
    id: rostra-1
    serial: 2
    team: customer-care
    secret: {namespace: customer-care, name: delivered}
    issuedAt: "2026-11-20T09:00:00Z"
    dueAt: "2026-12-20T09:00:00Z"
    exposedTo: [customer-care/maria, customer-care/dana]
  handover: {from: marketing, to: customer-care, startedAt: "2026-11-20T08:59:58Z", completedAt: "2026-11-20T09:00:00Z"}
  history:
  - {from: marketing, to: customer-care, at: "2026-11-20T08:59:59Z", requestedBy: flux}
  - {to: marketing, at: "2026-10-01T07:00:00Z", requestedBy: kubectl}
  conditions:
  - {type: Ready, status: "True", reason: InOrder, message: everything is as declared, observedGeneration: 1, lastTransitionTime: "2026-11-20T09:00:00Z"}
  - {type: OwnerResolved, status: "True", reason: Accepted, message: accepted, observedGeneration: 1, lastTransitionTime: "2026-11-20T09:00:00Z"}
`
)

// help is the channel acme-help, watched in office hours.
func help() string {
	return channel("acme-help", `{mode: Windows, windows: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "18:00"}]}`, "care")
}

// whoisOf decodes the JSON output.
func whoisOf(text string) map[string]any {
	GinkgoHelper()
	answer := map[string]any{}
	Expect(json.Unmarshal([]byte(text), &answer)).To(Succeed())
	return answer
}

// plain is a text without its line breaks and columns.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

// condition writes a condition as the status of a channel has it.
func condition(kind, status, reason, message string) string {
	return fmt.Sprintf(`  - {type: %s, status: "%s", reason: %s, message: %q, observedGeneration: 1, lastTransitionTime: "2026-11-20T09:00:00Z"}`+"\n",
		kind, status, reason, message)
}

var _ = Describe("Whose an account is", func() {
	It("is one screen, of what is in force on the cluster", func() {
		_, config := serve(company, bluesky, careRota, help()+inOrder)
		out := succeed("whois", "acme-help", "--kubeconfig", config)
		Expect(out).To(Equal(`Channel     social/acme-help
Handle      acme-help.acme.example on bluesky
Account     did:plc:ewvi7nxzyoun6zhxrhs64oiz (Acme Help)
Owner       customer-care (Customer Care)
Manager     maria <maria@acme.example>
Chain       customer-care → marketing → chief-executive
On duty     nobody, by rota care
            until Mon 2026-11-23 09:00 GMT, then dana
Next gap    none in the next 14 days
Credential  issued 2026-11-20 09:00 UTC (2d3h ago), due 2026-12-20 09:00 UTC (in
            27d)
Secret      customer-care/delivered
Seen by     maria, dana
History     2026-11-20 08:59 UTC marketing → customer-care (by flux)
            2026-10-01 07:00 UTC nobody → marketing (by kubectl)
Ready       True, InOrder: everything is as declared
`))
		Expect(strings.Count(out, "\n")).To(BeNumerically("<=", 24))
		for line := range strings.Lines(out) {
			Expect(utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))).To(BeNumerically("<=", 80))
		}
	})

	It("reads this group's kinds alone, and no Secret", func() {
		a, config := serve(company, bluesky, careRota, help()+inOrder)
		succeed("whois", "acme-help", "--kubeconfig", config)
		Expect(a.asked).To(Equal([]string{
			"GET /socialchannels", "GET /teams", "GET /socialplatforms",
			"GET /namespaces/social/responderrotas/care", "GET /namespaces/social/rotaoverrides",
		}))
		a.asked = nil
		succeed("whois", "social/acme-help", "--kubeconfig", config)
		Expect(a.asked[0]).To(Equal("GET /namespaces/social/socialchannels"), "the right to one namespace is enough")
	})

	DescribeTable("is asked by", func(asked string) {
		_, config := serve(company, bluesky, mastodon, careRota, help()+inOrder,
			strings.NewReplacer("handle: acme-news.acme.example", `handle: "@news"`, "name: bluesky", "name: mastodon").Replace(channel("acme-news", "", "")))
		want := "social/acme-help"
		if strings.Contains(strings.ToLower(asked), "news") {
			want = "social/acme-news"
		}
		Expect(whoisOf(succeed("whois", asked, "--kubeconfig", config, "-o", "json"))).To(HaveKeyWithValue("channel", want))
	},
		Entry("handle", "acme-help.acme.example"),
		Entry("handle with @", "@acme-help.acme.example"),
		Entry("handle in capitals", "Acme-Help.ACME.example"),
		Entry("handle without the @ that is declared", "news"),
		Entry("handle with its server", "@News@social.acme.example"),
		Entry("handle with the server's domain", "news@acme.example"),
		Entry("account ID", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"),
		Entry("name", "acme-help"),
		Entry("name in a namespace", "social/acme-help"),
	)

	It("finds an account by the handle that it has now", func() {
		_, config := serve(company, bluesky, help()+strings.Replace(inOrder, "handle: acme-help.acme.example", "handle: acme-care.acme.example", 1))
		Expect(succeed("whois", "acme-care.acme.example", "--kubeconfig", config)).To(ContainSubstring(
			"Handle      acme-help.acme.example on bluesky, where it is now\n            acme-care.acme.example\n"))
	})

	It("says that it is not known, and what is near", func() {
		root := folder(company, mastodon, help(), channel("acme-helpers", "", ""), channel("press", "", ""))
		fails := func(asked string) string {
			GinkgoHelper()
			r := rostra("whois", "-f", root, asked)
			Expect(r.code).To(Equal(cli.ExitFailure))
			Expect(r.stdout).To(BeEmpty())
			return r.stderr
		}
		Expect(fails("acme")).To(Equal(`rostra: no SocialChannel has the name, the handle or the account ID "acme"; near it: ` +
			"social/acme-help (acme-help.acme.example), social/acme-helpers (acme-helpers.acme.example)" +
			", social/press (press.acme.example)\n"))
		Expect(fails("acme-helping")).To(ContainSubstring("near it: social/acme-help (acme-help.acme.example)\n"), "it begins as that does")
		Expect(fails("did:plc:none")).To(HaveSuffix(`"did:plc:none", nor one that is near, among 3` + "\n"))
		Expect(fails("social/acme-hel")).To(HavePrefix("rostra: there is no SocialChannel social/acme-hel; near it: social/acme-help "))
		Expect(fails("elsewhere/acme-help")).To(Equal("rostra: there is no SocialChannel elsewhere/acme-help: there are no channels at all in that namespace\n"))
		Expect(fails("@acme-help.acme.example@other.example")).To(ContainSubstring("near it: social/acme-help"), "that is another server's")
	})

	It("lists the five nearest at most", func() {
		var many []string
		for i := range 7 {
			many = append(many, channel(fmt.Sprintf("acme-%d", i), "", ""))
		}
		Expect(rostra("whois", "-f", folder(many...), "acme").stderr).To(HaveSuffix("social/acme-4 (acme-4.acme.example), and 2 more\n"))
	})

	It("says of several what to type", func() {
		root := folder(company, channel("news", "", ""), inNamespace(channel("news", "", ""), "press"))
		r := rostra("whois", "-f", root, "news")
		Expect(r).To(Equal(result{code: cli.ExitFailure, stderr: `rostra: "news" means 2 channels; name one of them:
  rostra whois press/news   # news.acme.example on bluesky, owner customer-care
  rostra whois social/news   # news.acme.example on bluesky, owner customer-care
`}))
		Expect(succeed("whois", "-f", root, "press/news")).To(HavePrefix("Channel     press/news\n"))
		Expect(succeed("whois", "-f", root, "news", "-n", "press")).To(HavePrefix("Channel     press/news\n"))
	})

	It("says of an account that no channel claims where it is", func() {
		_, config := serve(company, unclaimed(1, account("did:plc:a", "acme-deals.acme.example")), help())
		Expect(rostra("whois", "@acme-deals.acme.example", "--kubeconfig", config)).To(Equal(result{
			code: cli.ExitFailure,
			stderr: `rostra: no SocialChannel has the name, the handle or the account ID "@acme-deals.acme.example": it is an account on SocialPlatform bluesky ` +
				"that no channel claims; rostra adopt writes a manifest for it\n",
		}))
	})

	Describe("from manifests", func() {
		It("is what they declare, and says so", func() {
			root := folder(company, bluesky, careRota, help()+inOrder)
			out := succeed("whois", "-f", root, "acme-help")
			Expect(out).To(MatchRegexp(`(?s)Declared    in \S+/manifests.yaml \(document 6\);.*not\s+what\s+is\s+in\s+force\n`))
			Expect(out).To(ContainSubstring("Owner       customer-care (Customer Care), as declared; it accepts the channel\n"))
			Expect(out).To(ContainSubstring("Chain       customer-care → marketing → chief-executive\n"))
			Expect(out).NotTo(Or(ContainSubstring("Ready"), ContainSubstring("History"), ContainSubstring("Credential"), ContainSubstring("did:plc")),
				"a dump's status was so at some time")
		})

		DescribeTable("tells what stands against the owner", func(expected string, change ...string) {
			r := rostra("whois", "-f", folder(strings.NewReplacer(change...).Replace(company), careRota, help()), "acme-help")
			Expect(r.code).To(Equal(cli.ExitOK))
			Expect(plain(r.stdout)).To(ContainSubstring(expected))
		},
			Entry("consent", "but: Team customer-care does not accept the channel: add {namespace: social, channels: [acme-help]} to its spec.accepts", `"acme-*"`, `"other"`),
			Entry("no manager", "Manager maria, who is not in the team", "{name: maria, email", "{name: mary, email"),
			Entry("a manager who left", "Manager robin <robin@acme.example>, who is no active member", "manager: maria", "manager: robin"),
			Entry("a chain that is broken", "Chain customer-care → marketing, and Team gone, which does not exist", "reportsToRef: {name: chief-executive}", "reportsToRef: {name: gone}"),
			Entry("a circle", "Chain customer-care → marketing, and back to customer-care: the teams report in a circle", "reportsToRef: {name: chief-executive}", "reportsToRef: {name: customer-care}"),
		)

		It("tells that the team is not there", func() {
			Expect(plain(succeed("whois", "-f", folder(help()), "acme-help"))).To(ContainSubstring(
				"Owner customer-care, as declared, but: Team customer-care does not exist: create it, or name another in spec.ownerRef Manager nobody: Team customer-care does not exist " +
					"On duty nobody: the channel names ResponderRota social/care, which does not exist Next gap Mon 23 Nov 09:00 – 18:00 UTC"))
		})
	})

	It("says who is on duty at a time, by the rota's clock", func() {
		sydney := strings.NewReplacer("Europe/London", "Australia/Sydney").Replace(careRota)
		out := succeed("whois", "-f", folder(company, sydney, help()), "acme-help", "--at", "2026-11-24T10:00")
		Expect(out).To(ContainSubstring("As of       Tue 2026-11-24 10:00 AEDT"))
		Expect(out).To(ContainSubstring("On duty     dana (customer-care), layer weekdays of rota care\n            until Tue 2026-11-24 18:00 AEDT, then nobody\n"))
		answer := whoisOf(succeed("whois", "-f", folder(company, sydney, help()), "acme-help", "--at", "2026-11-24T10:00", "-o", "json"))
		Expect(answer).To(HaveKeyWithValue("at", "2026-11-24T10:00:00+11:00"))
		Expect(answer["onDuty"]).To(Equal(map[string]any{
			"member": "dana", "team": "customer-care", "layer": "weekdays", "since": "2026-11-24T09:00:00+11:00", "until": "2026-11-24T18:00:00+11:00",
		}))
	})

	It("tells of a gap, at hand and next", func() {
		always := channel("acme-help", "{mode: Always}", "care")
		root := folder(company, careRota, always)
		Expect(succeed("whois", "-f", root, "acme-help")).To(ContainSubstring("Gap now     Fri 20 Nov 18:00 – Mon 23 Nov 09:00 Europe/London\n"))
		Expect(succeed("whois", "-f", root, "acme-help", "--at", "2026-11-24T10:00")).To(ContainSubstring("Next gap    Tue 24 Nov 18:00 – Wed 25 Nov 09:00 Europe/London\n"))
		Expect(succeed("whois", "-f", folder(company, channel("acme-help", "", "")), "acme-help")).NotTo(ContainSubstring("gap"), "nothing is promised")
	})

	It("does without a rota that cannot be read", func() {
		r := rostra("whois", "-f", folder(company, strings.Replace(careRota, "Europe/London", "Europe/Londinium", 1), help()), "acme-help")
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(r.stdout).To(And(ContainSubstring("On duty     cannot be told from ResponderRota social/care: "), Not(ContainSubstring("gap"))))
	})

	Describe("on the cluster", func() {
		whoisWith := func(status string, more ...string) string {
			GinkgoHelper()
			_, config := serve(append([]string{company, bluesky, careRota, help() + status}, more...)...)
			return succeed("whois", "acme-help", "--kubeconfig", config)
		}

		It("marks those who left, also by a date that passed", func() {
			status := strings.Replace(inOrder, "[customer-care/maria, customer-care/dana]", "[customer-care/maria, customer-care/robin, marketing/otto]", 1)
			Expect(whoisWith(status)).To(ContainSubstring("Seen by     robin (left), marketing/otto (left), maria\n"))
		})

		It("names the first of many, and who left before all others", func() {
			people := make([]string, 0, 15)
			for i := range 14 {
				people = append(people, fmt.Sprintf("customer-care/p%d", i))
			}
			status := strings.Replace(inOrder, "[customer-care/maria, customer-care/dana]", "[customer-care/dana, "+strings.Join(people, ", ")+"]", 1)
			out := plain(whoisWith(status))
			Expect(out).To(ContainSubstring("Seen by p0 (left), p1 (left)"))
			Expect(out).To(ContainSubstring("p11 (left), and 3 more History"))
		})

		It("tells the declared owner from the one in force", func() {
			status := strings.NewReplacer("owner: customer-care\n", "owner: marketing\n", `status: "True", reason: Accepted, message: accepted`,
				`status: "False", reason: NotAccepted, message: Team customer-care does not accept the channel`).Replace(inOrder)
			out := whoisWith(status)
			Expect(out).To(ContainSubstring("Owner       marketing\nDeclared    customer-care, not in force: Team customer-care does not accept the\n            channel\nManager     otto <otto@acme.example>\nChain       marketing → chief-executive\n"))
		})

		It("tells of a hand-over under way, and of what still works meanwhile", func() {
			status := strings.Replace(inOrder, `completedAt: "2026-11-20T09:00:00Z"`, `steps: [{name: Accepted, time: "2026-11-20T09:00:00Z"}, {name: Minted, time: "2026-11-20T09:00:00Z"}]`, 1) +
				`  retiring: [{id: rostra-0, cause: Handover, revokeAt: "2026-11-22T13:00:00Z", secret: {namespace: marketing, name: delivered}}]
  lastRevoked: {id: rostra-x, cause: Rotation, revokedAt: "2026-11-22T11:00:00Z", effectiveBy: "2026-11-22T13:00:00Z"}
`
			out := plain(whoisWith(status))
			Expect(out).To(ContainSubstring("Hand-over marketing → customer-care since 2026-11-20 08:59 UTC, got as far as Minted; it can still be called off"))
			Expect(out).To(ContainSubstring("Also works a replaced credential (Handover), to be revoked 2026-11-22 13:00 UTC, in marketing/delivered"))
			Expect(out).To(ContainSubstring("Cut off what was opened with the credential revoked 2026-11-22 11:00 UTC (Rotation) ends by 2026-11-22 13:00 UTC"))
		})

		It("tells of five owners that were", func() {
			var history strings.Builder
			for i := range 8 {
				fmt.Fprintf(&history, "  - {from: t%d, to: t%d, at: \"2026-10-01T07:00:00Z\"}\n", i+1, i)
			}
			out := whoisWith(strings.Replace(inOrder, "  history:\n", "  history:\n"+history.String(), 1))
			Expect(out).To(ContainSubstring("t5 → t4\n            and 5 more: -o json lists all\n"))
		})

		It("tells what holds it, once", func() {
			frozen := "frozen by PublishingFreeze drill (account takeover) since 2026-11-22T11:00:00Z, until a person lifts it"
			status := strings.Replace(inOrder, `{type: Ready, status: "True", reason: InOrder, message: everything is as declared,`,
				`{type: Ready, status: "False", reason: Frozen, message: "`+frozen+`",`, 1) + condition("PublishingAllowed", "False", "Frozen", frozen) +
				"  freeze: {names: [drill], startedAt: \"2026-11-22T11:00:00Z\"}\n"
			status = strings.Replace(status, "    dueAt:", "    withdrawnAt: \"2026-11-22T11:00:00Z\"\n    revokedAt: \"2026-11-22T11:00:00Z\"\n    dueAt:", 1)
			out := plain(whoisWith(status))
			Expect(out).To(ContainSubstring("Frozen " + frozen + " Ready False, Frozen"))
			Expect(strings.Count(out, frozen)).To(Equal(1))
			Expect(out).To(ContainSubstring("Secret customer-care/delivered; emptied 2026-11-22 11:00 UTC; revoked 2026-11-22 11:00 UTC"))
		})

		It("tells that Rostra has not looked yet, or not again", func() {
			out := whoisWith("  suspend: true\n")
			Expect(plain(out)).To(And(
				ContainSubstring("Owner nobody yet Declared customer-care, not in force: Rostra has not looked at the channel yet Manager"),
				HaveSuffix("Credential none is delivered Suspended spec.suspend is true: Rostra does no work on the channel, but for freezes "+
					"Ready not known: Rostra has not looked at the channel yet")))
			_, config := serve(company, strings.Replace(help()+inOrder, "namespace: social}", "namespace: social, generation: 2}", 1))
			Expect(succeed("whois", "acme-help", "--kubeconfig", config)).To(HaveSuffix("            of an earlier manifest: Rostra has not looked at the change yet\n"))
			Expect(whoisOf(succeed("whois", "acme-help", "--kubeconfig", config, "-o", "json"))).To(HaveKeyWithValue("statusCurrent", false))
		})

		It("lets nothing of a platform's words command the terminal", func() {
			out := whoisWith(strings.Replace(inOrder, "displayName: Acme Help", `displayName: "Acme\e[2J\u202e\nReady Help"`, 1))
			Expect(out).To(ContainSubstring("(Acme[2J Ready Help)\n"))
			Expect(out).NotTo(ContainSubstring("\x1b"))
		})

		It("says what is due and what is overdue", func() {
			at := func(now time.Time) string {
				GinkgoHelper()
				_, config := serve(company, help()+inOrder)
				return plain(rostraAt(now, "", "whois", "acme-help", "--kubeconfig", config).stdout)
			}
			Expect(at(noon)).To(ContainSubstring("due 2026-12-20 09:00 UTC (in 27d)"))
			Expect(at(noon.AddDate(0, 1, 0))).To(ContainSubstring("overdue since 2026-12-20 09:00 UTC"))
		})
	})

	It("is JSON with keys that are always there", func() {
		_, config := serve(company, bluesky, careRota, help()+inOrder)
		onCluster := whoisOf(succeed("whois", "acme-help", "--kubeconfig", config, "-o", "json"))
		declared := whoisOf(succeed("whois", "-f", folder(company, bluesky, careRota, help()), "acme-help", "-o", "json"))
		keys := []string{
			"account", "at", "basis", "chain", "chainProblem", "channel", "credential", "declaredOwner", "file", "freeze", "handle", "handover", "history",
			"lastRevoked", "manager", "nextGap", "objection", "onDuty", "onDutyRemark", "owner", "platform", "purpose", "ready", "retiring", "rota", "route", "statusCurrent",
			"suspended", "timeZone",
		}
		for _, answer := range []map[string]any{onCluster, declared} {
			Expect(answer).To(HaveLen(len(keys)))
			for _, key := range keys {
				Expect(answer).To(HaveKey(key))
			}
		}
		Expect(onCluster).To(And(HaveKeyWithValue("basis", "Cluster"), HaveKeyWithValue("owner", "customer-care"), HaveKeyWithValue("statusCurrent", true),
			HaveKeyWithValue("objection", BeNil()), HaveKeyWithValue("chain", []any{"marketing", "chief-executive"})))
		Expect(onCluster["credential"]).To(Equal(map[string]any{
			"team": "customer-care", "secret": "customer-care/delivered", "issuedAt": "2026-11-20T09:00:00Z", "dueAt": "2026-12-20T09:00:00Z", "ready": nil,
			"seenBy": []any{map[string]any{"member": "customer-care/maria", "left": false}, map[string]any{"member": "customer-care/dana", "left": false}},
		}))
		Expect(onCluster["history"]).To(HaveLen(2))
		Expect(declared).To(And(HaveKeyWithValue("basis", "Manifests"), HaveKeyWithValue("owner", ""), HaveKeyWithValue("declaredOwner", "customer-care"),
			HaveKeyWithValue("credential", BeNil()), HaveKeyWithValue("ready", BeNil()), HaveKeyWithValue("history", BeEmpty()), HaveKeyWithValue("statusCurrent", false)))
	})
})
