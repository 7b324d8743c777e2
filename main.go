// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Command rostra is the operator: it keeps the ownership of a company's
// social-media accounts in line with manifests. This file is the one place
// that names concrete platforms.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
)

// version of this build; set by the linker where it is built without the
// module's own version, as in an image.
var version = ""

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "rostra:", err)
		os.Exit(1)
	}
}

// run starts the operator and works until it is told to stop.
func run(args []string) error {
	options := controllers.Options{}
	logging := zap.Options{}
	var egress prefixes
	flags := flag.NewFlagSet("rostra", flag.ContinueOnError)
	config.RegisterFlags(flags)
	logging.BindFlags(flags)
	flags.StringVar(&options.MetricsAddress, "metrics-bind-address", ":8080", "address that serves Prometheus metrics; 0 for none")
	flags.StringVar(&options.ProbeAddress, "health-probe-bind-address", ":8081", "address that serves /healthz and /readyz; 0 for none")
	flags.BoolVar(&options.LeaderElection, "leader-elect", false, "let one of several processes work at a time")
	flags.StringVar(&options.LeaderElectionNamespace, "leader-election-namespace", "", "namespace of the leader's Lease; default: the pod's own")
	flags.IntVar(&options.Workers, "workers", 0, "channels that are reconciled at once; default 16")
	flags.Var(&egress, "allow-egress-cidr", "address range that may be dialled although it is private, and without TLS; may be given several times")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: rostra takes flags only, see -help", flags.Arg(0))
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging)))

	outbound, err := httpx.New(httpx.Options{UserAgent: userAgent(), AllowedPrivate: egress, Metrics: metrics.Registry})
	if err != nil {
		return err
	}
	options.Platforms = platforms(outbound)
	restConfig, err := config.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	// The API server's own priority and fairness paces the client.
	restConfig.QPS = -1
	ctx := ctrl.SetupSignalHandler()
	mgr, err := controllers.NewManager(ctx, restConfig, options)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// platforms is the registry of every platform type that this binary speaks to.
func platforms(outbound *httpx.Client) platform.Registry {
	now := clock.RealClock{}
	return platform.Registry{
		string(v1alpha1.PlatformBluesky):  bluesky.NewFactory(outbound, now),
		string(v1alpha1.PlatformMastodon): mastodon.NewFactory(outbound, now),
	}
}

// userAgent names the program and its version to the platforms, as their terms
// ask for.
func userAgent() string {
	name := version
	if info, ok := debug.ReadBuildInfo(); name == "" && ok {
		name = info.Main.Version
	}
	if name == "" || name == "(devel)" {
		name = "devel"
	}
	return "rostra/" + name + " (+https://github.com/rostra-dev/rostra)"
}

// prefixes is a flag that may be given several times.
type prefixes []netip.Prefix

// String implements flag.Value.
func (p *prefixes) String() string { return fmt.Sprint([]netip.Prefix(*p)) }

// Set implements flag.Value.
func (p *prefixes) Set(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return errors.New("write an address range such as 10.20.0.0/16")
	}
	*p = append(*p, prefix.Masked())
	return nil
}
