// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/cli"
)

// account that no channel claims, as a status lists it.
func account(id, handle string) string {
	written := fmt.Sprintf(`{id: %q, state: Active, since: "2026-11-20T09:00:00Z"`, id)
	if handle != "" {
		written += fmt.Sprintf(", handle: %q", handle)
	}
	return written + "}"
}

// unclaimed is the platform bluesky with a count of accounts that no channel
// claims, of which some are listed.
func unclaimed(count int, accounts ...string) string {
	return bluesky + fmt.Sprintf("status:\n  unclaimed:\n    count: %d\n", count) + "    accounts: [" + strings.Join(accounts, ", ") + "]\n"
}

// adopting are the flags that every adoption needs.
func adopting(more ...string) []string {
	return append([]string{"adopt", "--namespace", "social", "--owner", "customer-care"}, more...)
}

var _ = Describe("Manifests for accounts that no channel claims", Label("S16"), func() {
	It("are ready for review, and readable by Rostra itself", func() {
		deals := strings.Replace(account("did:plc:deals", "acme-deals.acme.example"), "state", `displayName: "Deals\nkind: Secret", state`, 1)
		_, config := serve(company, unclaimed(1, deals), help())
		out := succeed(adopting("--kubeconfig", config)...)
		Expect(out).To(Equal(`# acme-deals.acme.example (Deals kind: Secret): an account at https://pds.acme.example that no channel claimed since 2026-11-20 09:00 UTC.
# Still to be done:
# - put the account's credential into Secret social/acme-deals-acme-example-source
# - say in one word what the account is for: spec.purpose
# - see whether Team customer-care is the one to own it
apiVersion: social.rostra.dev/v1alpha1
kind: SocialChannel
metadata:
  name: acme-deals-acme-example
  namespace: social
spec:
  accountID: did:plc:deals
  credentials:
    delivery:
      secretName: acme-deals-acme-example
    sourceSecretRef:
      name: acme-deals-acme-example-source
  handle: acme-deals.acme.example
  ownerRef:
    name: customer-care
  platformRef:
    name: bluesky
`))
		Expect(rostraAt(noon, out, "whois", "-f", "-", "-f", folder(company), "acme-deals.acme.example").stdout).To(ContainSubstring("it accepts the channel"))
	})

	It("say what the team must accept, and what is unusual about the account", func() {
		blocked := strings.Replace(account("did:plc:a", "other.acme.example"), "Active", "Blocked", 1)
		r := rostra(adopting("-f", folder(company, unclaimed(2, blocked, account("did:plc:b", "acme-b.example"))))...)
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(r.stderr).To(Equal("note: Team customer-care does not accept 1 of 2 channels yet: add {namespace: social, channels: [other-acme-example]} to its spec.accepts\n"))
		Expect(r.stdout).To(ContainSubstring("# It is blocked at the server: find out why before it is adopted.\n"))
		Expect(strings.Count(r.stdout, "# - let that team accept it: {namespace: social, channels: [other-acme-example]} in its spec.accepts\n")).To(Equal(1))
		Expect(strings.Count(r.stdout, "---\n")).To(Equal(1))
	})

	It("leave out what channels declare, on the cluster and in manifests", func() {
		platform := unclaimed(4, account("did:plc:a", "acme-help.acme.example"), account("did:plc:b", "acme-b.example"),
			account("did:plc:c", "acme-c.example"), account("did:plc:d", "acme-d.acme.example"))
		pinned := strings.Replace(channel("acme-b", "", ""), "  ownerRef:", "  accountID: \"did:plc:b\"\n  ownerRef:", 1)
		// Its account is another one, which had the handle before.
		former := strings.Replace(channel("acme-d", "", ""), "  ownerRef:", "  accountID: \"did:plc:former\"\n  ownerRef:", 1)
		_, config := serve(company, platform, help(), pinned, former)
		root := folder(company, platform, help(), pinned, former)
		for _, from := range [][]string{{"--kubeconfig", config}, {"-f", root}} {
			r := rostra(adopting(from...)...)
			Expect(r.code).To(Equal(cli.ExitOK))
			Expect(r.stdout).To(And(ContainSubstring("accountID: did:plc:c\n"), ContainSubstring("accountID: did:plc:d\n")))
			Expect(strings.Count(r.stdout, "kind: SocialChannel")).To(Equal(2))
			Expect(r.stderr).To(Equal("note: left out, because channels declare them already: 2\n"))
		}
	})

	It("take a platform's status from a dump and its manifest from a repository", func() {
		repository := folder(company, bluesky, help())
		dump := filepath.Join(GinkgoT().TempDir(), "dump.yaml")
		Expect(os.WriteFile(dump, []byte(unclaimed(1, account("did:plc:c", "acme-c.example"))), 0o600)).To(Succeed())
		for _, order := range [][]string{{"-f", repository, "-f", dump}, {"-f", dump, "-f", repository}} {
			Expect(succeed(adopting(order...)...)).To(ContainSubstring("accountID: did:plc:c\n"))
		}
		other := filepath.Join(GinkgoT().TempDir(), "other.yaml")
		Expect(os.WriteFile(other, []byte(unclaimed(0)), 0o600)).To(Succeed())
		Expect(rostra(adopting("-f", dump, "-f", other)...).stderr).To(Equal("rostra: SocialPlatform bluesky comes twice with a status: give -f one of them\n"))
	})

	It("never have the name of another channel", func() {
		elsewhere := strings.NewReplacer("name: bluesky", "name: mastodon", "type: Bluesky, bluesky: {service", "type: Mastodon, mastodon: {server",
			"pds.acme", "social.acme").Replace(unclaimed(1, account("1", "acme-c")))
		taken := strings.Replace(channel("acme-b", "", ""), "handle: acme-b.acme.example", "handle: old.example", 1)
		r := rostra(adopting("-f", folder(company, taken, unclaimed(2, account("did:plc:b", "acme-b"), account("did:plc:c", "acme-c")), elsewhere))...)
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(r.stdout).To(MatchRegexp(`  name: acme-b-[0-9a-f]{8}\n`))
		Expect(r.stdout).To(ContainSubstring("  name: acme-c\n"))
		Expect(r.stdout).To(MatchRegexp(`  name: acme-c-[0-9a-f]{8}\n`))
	})

	It("know an account that another SocialPlatform of the same server has, and a DID on any", func() {
		renamed := func(platform string) string { return strings.Replace(platform, "name: bluesky", "name: again", 1) }
		once := unclaimed(1, account("did:plc:a", "acme-a.example"))
		out := succeed(adopting("-f", folder(company, once, strings.Replace(renamed(once), "acme.example\"}", "acme.example/\"}", 1)))...)
		Expect(strings.Count(out, "accountID: did:plc:a\n")).To(Equal(1))

		elsewhere := strings.Replace(renamed(bluesky), "pds.acme.example", "bsky.social", 1)
		moved := strings.NewReplacer("name: bluesky", "name: again", "  ownerRef:", "  accountID: \"did:plc:a\"\n  ownerRef:").Replace(channel("moved", "", ""))
		Expect(rostra(adopting("-f", folder(company, once, elsewhere, moved))...).stdout).To(BeEmpty())
		// A number is another account on another server.
		number := strings.NewReplacer("did:plc:a", "1")
		Expect(rostra(adopting("-f", folder(company, number.Replace(once), elsewhere, number.Replace(moved)))...).stdout).To(ContainSubstring(`accountID: "1"`))
	})

	It("say how many accounts are missing from the list, or cannot be declared", func() {
		_, config := serve(company, unclaimed(178, account("did:plc:c", "acme-c.example"), account("did:plc:gone", "")))
		r := rostra(adopting("--kubeconfig", config)...)
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(strings.Count(r.stdout, "kind: SocialChannel")).To(Equal(1))
		Expect(r.stderr).To(Equal("note: SocialPlatform bluesky reports 178 unclaimed accounts and names 2 of them: 176 are missing here; ask again once channels claim these\n" +
			"note: SocialPlatform bluesky tells no handle of did:plc:gone, so that no channel can be declared for it yet\n"))
	})

	It("are of the accounts that are named, by any spelling", func() {
		root := folder(company, unclaimed(3, account("did:plc:a", "Acme-A.example"), account("did:plc:b", "acme-b.example"), account("did:plc:c", "acme-c.example")))
		out := succeed(adopting("-f", root, "@ACME-a.example", "did:plc:c", "--source-secret-suffix", "-given")...)
		Expect(strings.Count(out, "kind: SocialChannel")).To(Equal(2))
		Expect(out).To(And(ContainSubstring("handle: acme-a.example\n"), ContainSubstring("name: acme-c-example-given\n")))
	})

	DescribeTable("are not written for", func(expected string, documents []string, args ...string) {
		r := rostra(adopting(append(args, "-f", folder(documents...))...)...)
		Expect(r).To(Equal(result{code: cli.ExitFailure, stderr: "rostra: " + expected + "\n"}))
	},
		Entry("an account that is not there", `"acme-x.example" is not among the unclaimed accounts: check the spelling, or ask rostra whois whether a channel has it`,
			[]string{company, unclaimed(1, account("did:plc:a", "acme-a.example"))}, "acme-a.example", "acme-x.example"),
		Entry("an account that has a channel", "account did:plc:a is declared already, by SocialChannel social/acme-help",
			[]string{company, help(), unclaimed(1, account("did:plc:a", "acme-help.acme.example"))}, "did:plc:a"),
		Entry("a platform that is not there", "there is no SocialPlatform mastodon here", []string{company, unclaimed(0)}, "--platform", "mastodon"),
		Entry("platforms that list nothing", "no SocialPlatform reports accounts that no channel claims (status.unclaimed): set spec.discovery on one whose server is the company's own",
			[]string{company, bluesky}),
	)

	It("say that an account may be among those that are not named", func() {
		r := rostra(adopting("-f", folder(company, unclaimed(5, account("did:plc:a", "acme-a.example"))), "acme-x.example")...)
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(HaveSuffix("; it may also be one of the 4 that are not named\n"))
	})

	It("are none where nothing is unclaimed", func() {
		Expect(rostra(adopting("-f", folder(company, unclaimed(0)))...)).To(Equal(
			result{code: cli.ExitOK, stderr: "note: there is no account left that no channel claims\n"}))
	})

	It("come with a word on lists that are not current, or not there", func() {
		stale := unclaimed(1, account("did:plc:a", "acme-a.example")) + "  conditions:\n" + condition("AccountsDiscovered", "Unknown", "PlatformUnavailable", "the server does not answer")
		waiting := strings.Replace(mastodon, "allowedNamespaces: {}", "allowedNamespaces: {}, discovery: {interval: 1h}", 1)
		r := rostra("adopt", "-f", folder(stale, waiting), "--namespace", "social", "--owner", "nobody")
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(r.stdout).To(ContainSubstring("accountID: did:plc:a\n"))
		Expect(r.stderr).To(Equal("note: the accounts of SocialPlatform bluesky may not be those of now: the server does not answer\n" +
			"note: SocialPlatform mastodon has not reported its accounts: it has no status yet\n" +
			"note: Team nobody is not here: declare it, or name another with --owner\n"))
	})

	DescribeTable("need to be told", func(expected string, args ...string) {
		r := rostra(append([]string{"adopt"}, args...)...)
		Expect(r).To(Equal(result{code: cli.ExitUsage, stderr: "rostra: " + expected + "\nSee \"rostra adopt --help\".\n"}))
	},
		Entry("the namespace", "say in which namespace the channels are to be: --namespace social", "--owner", "marketing"),
		Entry("the owner", "say which Team is to own the channels: --owner marketing", "--namespace", "social"),
		Entry("a namespace that can be one", `--namespace "So cial" is not the name of a namespace: lower-case letters, digits and -`, "--namespace", "So cial", "--owner", "a"),
		Entry("an owner that can be one", `--owner "a/b" is not the name of a Team: lower-case letters, digits, - and .`, "--namespace", "social", "--owner", "a/b"),
		Entry("a suffix that can be one", `--source-secret-suffix "" does not make the name of a Secret: write for example -source`, "--namespace", "social", "--owner", "a", "--source-secret-suffix", ""),
		Entry("an account", `"@" names no account: write a handle or an account ID`, "--namespace", "social", "--owner", "a", "@"),
	)
})
