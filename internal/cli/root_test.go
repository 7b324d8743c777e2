// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"errors"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/cli"
)

var _ = Describe("The program", func() {
	It("prints its help where nothing is asked", func() {
		Expect(succeed()).To(And(ContainSubstring("Usage:"), ContainSubstring("manager"), ContainSubstring("oncall"), ContainSubstring("coverage"), ContainSubstring("whois"), ContainSubstring("adopt"), ContainSubstring("completion")))
	})

	It("prints its version", func() {
		Expect(succeed("version")).To(Equal("rostra v0.0.0-test\n"))
	})

	DescribeTable("does not understand",
		func(expected, help string, args ...string) {
			r := rostra(args...)
			Expect(r.code).To(Equal(cli.ExitUsage))
			Expect(r.stdout).To(BeEmpty())
			Expect(r.stderr).To(Equal("rostra: " + expected + "\nSee \"" + help + " --help\".\n"))
		},
		Entry("an unknown command", `there is no command "audit"`, "rostra", "audit"),
		Entry("a command that is almost one", `there is no command "manger"; did you mean manager?`, "rostra", "manger"),
		Entry("the operator's flags without its command", `unknown flag: --leader-elect`, "rostra", "--leader-elect"),
		Entry("an argument of the operator", `unexpected argument "now": rostra manager takes flags only`, "rostra manager", "manager", "now"),
		Entry("a range that is none", `invalid argument "10.0.0.0" for "--allow-egress-cidr" flag: write an address range such as 10.20.0.0/16`, "rostra manager", "manager", "--allow-egress-cidr=10.0.0.0"),
		Entry("no rota", "name a ResponderRota: rostra oncall [NAMESPACE/]ROTA [flags]", "rostra oncall", "oncall"),
		Entry("two rotas", `unexpected argument "b": give one ResponderRota`, "rostra oncall", "oncall", "a", "b"),
		Entry("a name in a name", `"a/b/c" does not name a ResponderRota: write NAME or NAMESPACE/NAME`, "rostra oncall", "oncall", "a/b/c"),
		Entry("no namespace", `"/care" does not name a ResponderRota: write NAME or NAMESPACE/NAME`, "rostra oncall", "oncall", "/care"),
		Entry("two namespaces", `"social/care" is in another namespace than --namespace other: leave one of them out`, "rostra oncall", "oncall", "social/care", "-n", "other"),
		Entry("a time and an interval", "--at asks about one time, --from and --for about an interval: leave one of them out", "rostra oncall", "oncall", "care", "--at", "now", "--for", "1d"),
		Entry("a format that is none", `invalid argument "xml" for "-o, --output" flag: write one of table, json, ics`, "rostra oncall", "oncall", "care", "-o", "xml"),
		Entry("manifests and a cluster", "--context is for a cluster, and -f for manifests: leave one of them out", "rostra oncall", "oncall", "care", "-f", ".", "--context", "x"),
		Entry("all and one", "--all-namespaces leaves no room for one namespace or one channel: leave one of them out", "rostra coverage", "coverage", "-A", "acme-help"),
		Entry("no account", "name a handle, account or SocialChannel: rostra whois HANDLE|ACCOUNT|[NAMESPACE/]CHANNEL [flags]", "rostra whois", "whois"),
		Entry("an account without a name", `"@" names no account: write a handle, an account ID, or a SocialChannel`, "rostra whois", "whois", "@"),
		Entry("a channel in two namespaces", `"social/acme-help" is in another namespace than --namespace press: leave one of them out`, "rostra whois", "whois", "social/acme-help", "-n", "press"),
		Entry("a time that is none", `--at "soon" is no time: write 2026-11-27T18:00:00Z, or 2026-11-27T18:00 or 2026-11-27 by the clock of UTC, or now`, "rostra whois", "whois", "acme-help", "--at", "soon"),
		Entry("a colour that is none", `invalid argument "red" for "--color" flag: write one of auto, always, never`, "rostra coverage", "coverage", "--color", "red"),
		Entry("a beginning that is none", `--from "soon" is no time: write 2026-11-27T18:00:00Z, or 2026-11-27T18:00 or 2026-11-27 by the clock of UTC, or now`, "rostra coverage", "coverage", "--from", "soon"),
		Entry("a length that is none", `--for "long" is no length of time: write 36h, 14d or 2w`, "rostra coverage", "coverage", "--for", "long"),
		Entry("no length", `--for "0s" is out of bounds: from 1s to 366d`, "rostra coverage", "coverage", "--for", "0s"),
		Entry("a length that goes back", `--for "-1d" is out of bounds: from 1s to 366d`, "rostra coverage", "coverage", "--for", "-1d"),
		Entry("a length over a year", `--for "367d" is out of bounds: from 1s to 366d`, "rostra coverage", "coverage", "--for", "367d"),
		Entry("a length without bounds", `--for "99999999999999999w" is no length of time: write 36h, 14d or 2w`, "rostra coverage", "coverage", "--for", "99999999999999999w"),
	)

	It("completes what a flag takes", func() {
		Expect(rostra("__complete", "oncall", "-o", "").stdout).To(HavePrefix("table\njson\nics\n"))
		Expect(succeed("completion", "bash")).To(ContainSubstring("complete"))
	})
})

var _ = Describe("The manager command", func() {
	operate := func(args ...string) (cli.ManagerOptions, result) {
		GinkgoHelper()
		var got cli.ManagerOptions
		r := execute(cli.Config{Clock: clocktesting.NewFakePassiveClock(noon), Operate: func(_ context.Context, options cli.ManagerOptions) error {
			got = options
			return errors.New("the cluster is gone")
		}}, "", append([]string{"manager"}, args...)...)
		return got, r
	}

	It("hands its flags to the operator", func() {
		got, _ := operate("--allow-egress-cidr=10.20.0.1/16", "--allow-egress-cidr", "fd00::/8", "--workers=3", "--leader-elect",
			"--leader-election-namespace=rostra-system", "--metrics-bind-address=0", "--health-probe-bind-address=:9", "--kubeconfig=", "--zap-log-level=error",
			"--removal-brake-percent=10", "--removal-brake-floor=2")
		Expect(got).To(Equal(cli.ManagerOptions{
			AllowedEgress:  []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd00::/8")},
			MetricsAddress: "0", ProbeAddress: ":9", LeaderElection: true, LeaderElectionNamespace: "rostra-system", Workers: 3,
			RemovalPercent: 10, RemovalFloor: 2, DeskAddress: "127.0.0.1:8083", Gateway: cli.GatewayOptions{Address: "0", NATSReplicas: 1},
		}))
	})

	It("has the defaults that the documentation names", func() {
		got, _ := operate("--zap-log-level=error")
		Expect(got).To(Equal(cli.ManagerOptions{MetricsAddress: ":8080", ProbeAddress: ":8081", RemovalPercent: 25, RemovalFloor: 5, DeskAddress: "127.0.0.1:8083", Gateway: cli.GatewayOptions{Address: "0", NATSReplicas: 1}}))
	})

	It("fails with the operator's words", func() {
		_, r := operate("--zap-log-level=error")
		Expect(r).To(Equal(result{cli.ExitFailure, "", "rostra: the cluster is gone\n"}))
	})
})
