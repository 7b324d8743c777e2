// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/rostra-dev/rostra/internal/hook"
)

// GatewayOptions are the settings of the gateway, and of the inbox in which it
// stores events.
type GatewayOptions struct {
	// Address to listen on; "0" for not at all.
	Address string
	// BaseURL at which the gateway is reached from outside; empty for not.
	BaseURL string
	// InboxDir is where the embedded inbox keeps its files; NATS is an existing
	// cluster in its stead, and NATSCredentials the file that opens it.
	InboxDir, NATS, NATSCredentials string
	// NATSReplicas is on how many servers of the cluster each event is kept.
	NATSReplicas int
}

func (o *GatewayOptions) add(flags *pflag.FlagSet) {
	flags.StringVar(&o.Address, "gateway-bind-address", "0", "address that serves callbacks of platforms and the pages that connect accounts; 0 for none")
	flags.StringVar(&o.BaseURL, "gateway-url", "", "URL at which platforms and people reach the gateway from outside, such as https://hooks.acme.example")
	flags.StringVar(&o.InboxDir, "inbox-dir", "", "directory in which events are kept, on a disk that outlives the process")
	flags.StringVar(&o.NATS, "nats-url", "", "NATS cluster with JetStream in which events are kept, instead of --inbox-dir")
	flags.StringVar(&o.NATSCredentials, "nats-credentials", "", "file with the credentials for the NATS cluster")
	flags.IntVar(&o.NATSReplicas, "nats-replicas", 1, "servers of the NATS cluster on which each event is kept")
}

// Serves tells whether this process serves callbacks.
func (o *GatewayOptions) Serves() bool { return o.Address != "" && o.Address != "0" }

// Stores tells whether there is an inbox.
func (o *GatewayOptions) Stores() bool { return o.InboxDir != "" || o.NATS != "" }

func (o *GatewayOptions) check() error {
	switch {
	case o.InboxDir != "" && o.NATS != "":
		return usagef("give either --inbox-dir or --nats-url: events are kept in one place")
	case o.Serves() && o.BaseURL == "":
		return usagef("give --gateway-url with --gateway-bind-address: callbacks are registered under it")
	case o.Serves() && !o.Stores():
		return usagef("give --inbox-dir or --nats-url with --gateway-bind-address: no event is accepted that is not stored")
	case o.BaseURL != "" && !o.Serves() && o.NATS == "":
		return usagef("with --gateway-url and no --gateway-bind-address another process serves the callbacks: give --nats-url, where both keep events")
	case o.BaseURL != "":
		if _, err := hook.ParseBase(o.BaseURL); err != nil {
			return usagef("--gateway-url: %w", err)
		}
	}
	return nil
}

// StandaloneOptions are the settings of a gateway without the operator.
type StandaloneOptions struct {
	// Gateway as in the operator.
	Gateway GatewayOptions
	// Namespace is the operator's own; empty for that of this pod.
	Namespace string
	// MetricsAddress and ProbeAddress to listen on; "0" for not at all.
	MetricsAddress, ProbeAddress string
}

// newGatewayCommand makes the command that serves callbacks alone.
func newGatewayCommand(serve func(context.Context, StandaloneOptions) error) *cobra.Command {
	options := StandaloneOptions{}
	logging := zap.Options{}
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Serve the callbacks of platforms, without the operator, until told to stop",
		Long: "Serve the callbacks of platforms, without the operator, until told to stop.\n\n" +
			"Several gateways can run beside each other and beside the operator. They keep events in a NATS cluster, read the\n" +
			"records of callbacks in the operator's namespace, and have no right to anything else. Accounts are connected at\n" +
			"the operator itself, which is the one that writes credentials.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.Gateway.check(); err != nil {
				return err
			}
			if !options.Gateway.Serves() || options.Gateway.NATS == "" {
				return usagef("a gateway by itself needs --gateway-bind-address, --gateway-url and --nats-url")
			}
			ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging)))
			return serve(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	addServing(flags, &logging, &options.MetricsAddress, &options.ProbeAddress)
	options.Gateway.add(flags)
	flags.StringVar(&options.Namespace, "namespace", "", "the operator's own namespace, where the records of callbacks are; default: the pod's own")
	return cmd
}
