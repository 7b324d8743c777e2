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

var _ = Describe("kubectl", Ordered, func() {
	BeforeAll(func(ctx SpecContext) {
		inOrder := []any{condition()}
		channel := manifest(goodChannel)
		created(ctx, channel)
		for path, value := range map[string]any{
			"status.conditions": inOrder, "status.owner": "customer-care", "status.account": map[string]any{"id": did},
			"status.credential": map[string]any{
				"id": "rostra-0123456789ab-1", "serial": int64(1), "team": "customer-care", "issuedAt": "2026-11-21T12:00:00Z", "expires": "27d",
				"secret": map[string]any{"namespace": "customer-care", "name": "acme-help"},
			},
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
		set("status.software", "pds 0.4")(platform.Object)
		set("status.capabilities", []any{"Mint"})(platform.Object)
		Expect(kube.Status().Update(ctx, platform)).To(Succeed())
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
		Expect(columns(lines[0])).To(Equal([]string{"NAMESPACE", "NAME", "PLATFORM", "HANDLE", "OWNER", "EXPIRES", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])).To(HaveExactElements("social", "acme-help", "bluesky", "help.acme.example", "customer-care", "27d", "True", "InOrder", Not(BeEmpty())))
		Expect(columns(lines[2])[:4]).To(Equal([]string{"social", "acme-news", "bluesky", "@news"}))
	})

	It("says more of channels when it is asked for", func(ctx SpecContext) {
		lines := get(ctx, "socialchannels", "-A", "-o", "wide")
		Expect(columns(lines[0])).To(Equal([]string{
			"NAMESPACE", "NAME", "PLATFORM", "HANDLE", "OWNER", "EXPIRES", "READY", "REASON",
			"DECLARED-OWNER", "ACCOUNT", "SECRET-NAMESPACE", "SECRET", "MESSAGE", "AGE",
		}))
		Expect(columns(lines[1])[8:13]).To(Equal([]string{"customer-care", did, "customer-care", "acme-help", "everything declared is in order"}))
	})

	It("says of teams who answers for them", func(ctx SpecContext) {
		lines := get(ctx, "teams")
		Expect(columns(lines[0])).To(Equal([]string{"NAME", "MANAGER", "NAMESPACE", "REPORTS-TO", "CHANNELS", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])[:7]).To(Equal([]string{"customer-care", "maria", "customer-care", "chief-executive", "2", "True", "InOrder"}))
		Expect(columns(get(ctx, "teams", "-o", "wide")[1])).To(ContainElement(`["chief-executive"]`))
	})

	It("says of platforms how many channels are in order", func(ctx SpecContext) {
		lines := get(ctx, "socialplatforms")
		Expect(columns(lines[0])).To(Equal([]string{"NAME", "TYPE", "POLICY", "CHANNELS", "IN-ORDER", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])[:7]).To(Equal([]string{"bluesky", "Bluesky", "Manage", "2", "1", "True", "InOrder"}))
		Expect(columns(get(ctx, "socialplatforms", "-o", "wide")[1])).To(ContainElements("pds 0.4", `["Mint"]`))
	})

	DescribeTable("knows the kinds by their short names",
		func(ctx SpecContext, short, name string) {
			Expect(get(ctx, short, "-A", "-o", "name")).To(ContainElement(name))
		},
		Entry("channels", "sch", "socialchannel.social.rostra.dev/acme-help"),
		Entry("platforms", "sp", "socialplatform.social.rostra.dev/bluesky"),
		Entry("teams", "tm", "team.social.rostra.dev/customer-care"),
		Entry("one channel", "socialchannel", "socialchannel.social.rostra.dev/acme-news"),
	)

	It("gives all of them under one name", func(ctx SpecContext) {
		Expect(get(ctx, "social", "-A", "-o", "name")).To(ConsistOf(
			"socialchannel.social.rostra.dev/acme-help", "socialchannel.social.rostra.dev/acme-news",
			"socialplatform.social.rostra.dev/bluesky", "team.social.rostra.dev/customer-care",
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
		Entry("a server", "socialplatform.spec.mastodon.server", "https://mastodon.social"),
	)
})
