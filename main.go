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
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // zones exist where the system has none, as in an image that holds the program alone

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/cli"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
)

// version of this build; set by the linker where it is built without the
// module's own version, as in an image.
var version = ""

func main() {
	root := cli.New(cli.Config{Version: versionName(), Clock: clock.RealClock{}, Operate: operate})
	// The operator alone stops in good order at a signal: a question ends at once.
	os.Exit(cli.Run(context.Background(), root))
}

// operate starts the operator and works until ctx is done or a signal tells it
// to stop.
func operate(ctx context.Context, options cli.ManagerOptions) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	outbound, err := httpx.New(httpx.Options{UserAgent: userAgent(), AllowedPrivate: options.AllowedEgress, Metrics: metrics.Registry})
	if err != nil {
		return err
	}
	restConfig, err := config.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	// The API server's own priority and fairness paces the client.
	restConfig.QPS = -1
	mgr, err := controllers.NewManager(ctx, restConfig, controllers.Options{
		Platforms:               platforms(outbound),
		Workers:                 options.Workers,
		Brake:                   ownership.Brake{Percent: options.RemovalPercent, Floor: options.RemovalFloor},
		MetricsAddress:          options.MetricsAddress,
		ProbeAddress:            options.ProbeAddress,
		LeaderElection:          options.LeaderElection,
		LeaderElectionNamespace: options.LeaderElectionNamespace,
	})
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
