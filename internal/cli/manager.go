// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/rostra-dev/rostra/internal/desk"
)

// ManagerOptions are the settings of the operator.
type ManagerOptions struct {
	// AllowedEgress are address ranges that may be dialled although they are
	// private, and without TLS.
	AllowedEgress []netip.Prefix
	// MetricsAddress and ProbeAddress to listen on; "0" for not at all.
	MetricsAddress, ProbeAddress string
	// LeaderElection lets one of several processes work at a time, by a Lease
	// in LeaderElectionNamespace; empty for the pod's own.
	LeaderElection          bool
	LeaderElectionNamespace string
	// Namespace is the operator's own; empty for that of its pod.
	Namespace string
	// Gateway says how platforms and people reach the operator.
	Gateway GatewayOptions
	// DeskAddress, of this machine alone, is where the command line is answered
	// about conversations; "0" for nowhere.
	DeskAddress string
	// MailFrom is who mail to responders is from; empty for what each address
	// says.
	MailFrom string
	// Workers is how many channels are reconciled at once; 0 for the default.
	Workers int
	// RemovalPercent and RemovalFloor bound how many channels may lose their
	// owner or their credential at once, without a person.
	RemovalPercent, RemovalFloor int
}

// addServing adds the flags of a command that serves until it is told to stop:
// where it finds the cluster, what it logs, and how it is watched.
func addServing(flags *pflag.FlagSet, logging *zap.Options, metricsAddress, probeAddress *string) {
	borrowed := flag.NewFlagSet("", flag.ContinueOnError)
	config.RegisterFlags(borrowed)
	logging.BindFlags(borrowed)
	flags.AddGoFlagSet(borrowed)
	flags.StringVar(metricsAddress, "metrics-bind-address", ":8080", "address that serves Prometheus metrics; 0 for none")
	flags.StringVar(probeAddress, "health-probe-bind-address", ":8081", "address that serves /healthz and /readyz; 0 for none")
}

// newManagerCommand makes the command that runs the operator. The flag
// --kubeconfig is read by controller-runtime's config.GetConfig.
func newManagerCommand(operate func(context.Context, ManagerOptions) error) *cobra.Command {
	options := ManagerOptions{}
	logging := zap.Options{}
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run the operator, until it is told to stop",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.Gateway.check(); err != nil {
				return err
			}
			if err := checkDesk(options.DeskAddress); err != nil {
				return err
			}
			ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging)))
			return operate(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	addServing(flags, &logging, &options.MetricsAddress, &options.ProbeAddress)
	flags.Var((*prefixes)(&options.AllowedEgress), "allow-egress-cidr", "address range that may be dialled although it is private, and without TLS; may be given several times")
	flags.BoolVar(&options.LeaderElection, "leader-elect", false, "let one of several processes work at a time")
	flags.StringVar(&options.LeaderElectionNamespace, "leader-election-namespace", "", "namespace of the leader's Lease; default: the pod's own")
	flags.StringVar(&options.Namespace, "namespace", "", "the operator's own namespace, where applications' Secrets and the records of callbacks are; default: the pod's own")
	options.Gateway.add(flags)
	flags.StringVar(&options.DeskAddress, "inbox-bind-address", "127.0.0.1:8083", "loopback address that answers rostra inbox and rostra ack, through a forwarded port; 0 for none")
	flags.StringVar(&options.MailFrom, "mail-from", "", "who mail to responders is from, such as Rostra <rostra@acme.example>, where an address does not say so")
	flags.IntVar(&options.Workers, "workers", 0, "channels that are reconciled at once; default 16")
	flags.IntVar(&options.RemovalPercent, "removal-brake-percent", 25, "share of all channels that may lose their owner or their credential within ten minutes without a person's confirmation; 100 for any")
	flags.IntVar(&options.RemovalFloor, "removal-brake-floor", 5, "number of channels that may lose theirs in any case")
	return cmd
}

// checkDesk refuses to answer whoever reaches the pod: nobody is asked who they
// are.
func checkDesk(address string) error {
	if address == "" || address == "0" {
		return nil
	}
	if err := desk.CheckAddress(address); err != nil {
		return usagef("--inbox-bind-address: %w", err)
	}
	return nil
}

// prefixes is a flag that may be given several times.
type prefixes []netip.Prefix

// String implements pflag.Value.
func (p *prefixes) String() string {
	if len(*p) == 0 {
		return ""
	}
	return fmt.Sprint([]netip.Prefix(*p))
}

// Set implements pflag.Value.
func (p *prefixes) Set(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return errors.New("write an address range such as 10.20.0.0/16")
	}
	*p = append(*p, prefix.Masked())
	return nil
}

// Type implements pflag.Value.
func (p *prefixes) Type() string { return "range" }
