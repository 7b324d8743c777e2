// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/cli"
)

var _ = Describe("The gateway's flags", func() {
	const url, address, dir, nats = "--gateway-url=https://hooks.acme.example", "--gateway-bind-address=:8443", "--inbox-dir=/var/lib/rostra", "--nats-url=nats://nats:4222"

	manage := func(args ...string) (cli.GatewayOptions, result) {
		GinkgoHelper()
		var got cli.GatewayOptions
		r := execute(cli.Config{Operate: func(_ context.Context, options cli.ManagerOptions) error {
			got = options.Gateway
			return errors.New("the cluster is gone")
		}}, "", append([]string{"manager", "--zap-log-level=error"}, args...)...)
		return got, r
	}

	It("let the operator serve callbacks and keep events", func() {
		got, r := manage(url, address, dir)
		Expect(r.stderr).To(Equal("rostra: the cluster is gone\n"))
		Expect(got).To(Equal(cli.GatewayOptions{Address: ":8443", BaseURL: "https://hooks.acme.example", InboxDir: "/var/lib/rostra", NATSReplicas: 1}))
		Expect(got.Serves()).To(BeTrue())
		Expect(got.Stores()).To(BeTrue())
	})

	It("let it keep events that it polls, and serve nothing", func() {
		got, r := manage(dir)
		Expect(r.stderr).To(Equal("rostra: the cluster is gone\n"))
		Expect(got.Serves()).To(BeFalse())
		Expect(got.Stores()).To(BeTrue())
	})

	It("let another process serve", func() {
		got, _ := manage(url, nats, "--nats-credentials=creds", "--nats-replicas=3")
		Expect(got).To(Equal(cli.GatewayOptions{Address: "0", BaseURL: "https://hooks.acme.example", NATS: "nats://nats:4222", NATSCredentials: "creds", NATSReplicas: 3}))
	})

	DescribeTable("are refused where they make no sense", func(why string, args ...string) {
		_, r := manage(args...)
		Expect(r.code).To(Equal(cli.ExitUsage))
		Expect(r.stderr).To(ContainSubstring(why))
	},
		Entry("two places for events", "give either --inbox-dir or --nats-url", dir, nats),
		Entry("no way in from outside", "give --gateway-url with --gateway-bind-address", address, dir),
		Entry("no place for events", "no event is accepted that is not stored", url, address),
		Entry("an inbox that nobody else reaches", "another process serves the callbacks", url, dir),
		Entry("a URL without TLS", "must be https://", "--gateway-url=http://hooks.acme.example", address, dir),
		Entry("a URL with a query", "must be https://", "--gateway-url=https://hooks.acme.example/?a=b", address, dir),
	)

	It("make a gateway by itself", func() {
		var got cli.StandaloneOptions
		serve := func(_ context.Context, options cli.StandaloneOptions) error {
			got = options
			return errors.New("the cluster is gone")
		}
		r := execute(cli.Config{Serve: serve}, "", "gateway", "--zap-log-level=error", url, address, nats, "--namespace=rostra-system", "--metrics-bind-address=0")
		Expect(r.stderr).To(Equal("rostra: the cluster is gone\n"))
		Expect(got).To(Equal(cli.StandaloneOptions{
			Gateway:   cli.GatewayOptions{Address: ":8443", BaseURL: "https://hooks.acme.example", NATS: "nats://nats:4222", NATSReplicas: 1},
			Namespace: "rostra-system", MetricsAddress: "0", ProbeAddress: ":8081",
		}))
		r = execute(cli.Config{Serve: serve}, "", "gateway", url, address, dir)
		Expect(r.code).To(Equal(cli.ExitUsage))
		Expect(r.stderr).To(ContainSubstring("needs --gateway-bind-address, --gateway-url and --nats-url"))
	})
})
