// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Command rostra is the operator that keeps the ownership of a company's
// social-media accounts in line with manifests, and the command line that
// answers questions about them. This file is the one place that names concrete
// platforms.
package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // zones exist where the system has none, as in an image that holds the program alone

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/cli"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	"github.com/rostra-dev/rostra/internal/platform/meta"
	"github.com/rostra-dev/rostra/internal/platform/x"
)

// version of this build; set by the linker where it is built without the
// module's own version, as in an image.
var version = ""

func main() {
	root := cli.New(cli.Config{
		Version: versionName(), Clock: clock.RealClock{}, Operate: operate, Serve: serve,
		Platforms: func() (platform.Registry, error) {
			outbound, err := newOutbound(nil)
			return platforms(outbound), err
		},
	})
	// The operator alone stops in good order at a signal: a question ends at once.
	os.Exit(cli.Run(context.Background(), root))
}

// operate starts the operator and works until ctx is done or a signal tells it
// to stop.
func operate(ctx context.Context, options cli.ManagerOptions) error {
	return run(ctx, options.Gateway, func(ctx context.Context, restConfig *rest.Config, kept *inbox.Inbox) (manager.Manager, error) {
		outbound, err := newOutbound(metrics.Registry, options.AllowedEgress...)
		if err != nil {
			return nil, err
		}
		telling, err := newTelling(options.AllowedEgress...)
		if err != nil {
			return nil, err
		}
		reach, err := gatewayOptions(options.Gateway)
		if err != nil {
			return nil, err
		}
		return controllers.NewManager(ctx, restConfig, controllers.Options{
			Platforms:               platforms(outbound),
			Namespace:               ownNamespace(options.Namespace),
			Gateway:                 reach,
			Inbox:                   kept,
			Answering:               &controllers.AnsweringOptions{Outbound: telling, MailFrom: options.MailFrom, DeskAddress: options.DeskAddress, Process: processName(options.Gateway)},
			Workers:                 options.Workers,
			Brake:                   ownership.Brake{Percent: options.RemovalPercent, Floor: options.RemovalFloor},
			MetricsAddress:          options.MetricsAddress,
			ProbeAddress:            options.ProbeAddress,
			LeaderElection:          options.LeaderElection,
			LeaderElectionNamespace: options.LeaderElectionNamespace,
		})
	})
}

// serve starts a gateway without the operator.
func serve(ctx context.Context, options cli.StandaloneOptions) error {
	return run(ctx, options.Gateway, func(ctx context.Context, restConfig *rest.Config, kept *inbox.Inbox) (manager.Manager, error) {
		outbound, err := newOutbound(metrics.Registry)
		if err != nil {
			return nil, err
		}
		reach, err := gatewayOptions(options.Gateway)
		if err != nil {
			return nil, err
		}
		return controllers.NewGateway(ctx, restConfig, controllers.Options{
			Platforms:      platforms(outbound),
			Namespace:      ownNamespace(options.Namespace),
			Gateway:        reach,
			Inbox:          kept,
			MetricsAddress: options.MetricsAddress,
			ProbeAddress:   options.ProbeAddress,
		})
	})
}

// run opens the inbox where there is one, and starts the manager that is made
// with it.
func run(ctx context.Context, options cli.GatewayOptions, build func(context.Context, *rest.Config, *inbox.Inbox) (manager.Manager, error)) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	restConfig, err := config.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	// The API server's own priority and fairness paces the client.
	restConfig.QPS = -1
	var kept *inbox.Inbox
	if options.Stores() {
		kept, err = inbox.Open(ctx, inbox.Options{
			Dir: options.InboxDir, URL: options.NATS, CredentialsFile: options.NATSCredentials, Replicas: options.NATSReplicas,
			Logger: ctrl.Log.WithName("inbox"), Registerer: metrics.Registry,
		})
		if err != nil {
			return fmt.Errorf("open the inbox: %w", err)
		}
		defer func() { _ = kept.Close() }() // what it holds is on disk already
	}
	mgr, err := build(ctx, restConfig, kept)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// gatewayOptions gives the client with which the way to the gateway is tried.
// Where that leads is the administrator's word, so it may be a private address.
func gatewayOptions(options cli.GatewayOptions) (*controllers.GatewayOptions, error) {
	if options.BaseURL == "" {
		return nil, nil
	}
	own, err := newOutbound(nil, innerRanges()...)
	if err != nil {
		return nil, err
	}
	reach := &controllers.GatewayOptions{BaseURL: options.BaseURL, Client: own}
	if options.Serves() {
		reach.Address = options.Address
	}
	return reach, nil
}

// innerRanges are the networks of companies' own (RFC 1918, RFC 4193, RFC 6598)
// and this machine.
func innerRanges() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	}
}

func newOutbound(registerer prometheus.Registerer, allowed ...netip.Prefix) (*httpx.Client, error) {
	return httpx.New(httpx.Options{UserAgent: userAgent(), AllowedPrivate: allowed, Metrics: registerer})
}

// newTelling makes the way out to those who are told. It is apart from the one to
// the platforms, whose pace is that of one account: a company's Alertmanager
// hears for all of them.
func newTelling(allowed ...netip.Prefix) (*httpx.Client, error) {
	const rate, burst, inFlight = 100, 200, 32
	return httpx.New(httpx.Options{
		UserAgent: userAgent(), AllowedPrivate: allowed, AccountRate: rate, AccountBurst: burst, OriginLimit: inFlight,
		BreakerPerAccount: true, // one team's broken webhook is not another's, though both are at one host
	})
}

// podNamespace is where Kubernetes tells a pod its namespace.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// ownNamespace is the namespace that was given, else the pod's own; empty where
// there is none.
func ownNamespace(given string) string {
	if given != "" {
		return given
	}
	content, err := os.ReadFile(podNamespace)
	if err != nil {
		return "" // not in a pod
	}
	return strings.TrimSpace(string(content))
}

// processName tells this process from others that share an inbox. A folder
// belongs to one process at a time, which so takes up at once what the one
// before it was about to do.
func processName(options cli.GatewayOptions) string {
	if options.InboxDir != "" {
		return "rostra"
	}
	name, err := os.Hostname()
	if err != nil {
		return "rostra"
	}
	return name
}

// platforms is the registry of every platform type that this binary speaks to.
func platforms(outbound *httpx.Client) platform.Registry {
	now := clock.RealClock{}
	return platform.Registry{
		string(v1alpha1.PlatformBluesky):  bluesky.NewFactory(outbound, now),
		string(v1alpha1.PlatformMastodon): mastodon.NewFactory(outbound, now),
		string(v1alpha1.PlatformMeta):     meta.NewFactory(outbound, now),
		string(v1alpha1.PlatformX):        x.NewFactory(outbound, now),
	}
}

// userAgent names the program and its version to the platforms, as their terms
// ask for.
func userAgent() string {
	return "rostra/" + versionName() + " (+https://github.com/rostra-dev/rostra)"
}

// versionName is the version of this build, or "devel".
func versionName() string {
	name := version
	if info, ok := debug.ReadBuildInfo(); name == "" && ok {
		name = info.Main.Version
	}
	if name == "" || name == "(devel)" {
		return "devel"
	}
	return name
}
