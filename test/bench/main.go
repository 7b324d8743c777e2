// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures how the operator brings up many channels, beside the
// speed of the API server itself, measured in the same run with the same
// requests. The platform is simulated in the operator's process, so that what
// is measured is the operator and the API server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/rostra-dev/rostra/test/cluster"
)

// childVariable makes this program be the operator under test.
const childVariable = "ROSTRA_BENCH_OPERATOR"

func main() {
	channels := flag.Int("channels", 1000, "channels to bring up")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := measure
	if os.Getenv(childVariable) != "" {
		run = operate
	}
	if err := run(ctx, *channels); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // the deferred call only restores the signal handler
	}
}

// measure runs the benchmark and prints its table.
func measure(ctx context.Context, channels int) (err error) {
	api, err := cluster.Start(ctx, cluster.Options{CRDPaths: []string{"config/crd/bases"}, MaxInflight: 1000, Log: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.Stop()) }()
	company, err := newCompany(api, channels)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "preparing %d source Secrets\n", channels)
	if err := company.prepare(ctx); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "measuring the floor: the same requests, without the operator")
	floor, err := company.floor(ctx)
	if err != nil {
		return err
	}
	operator, err := startOperator(ctx, api.Kubeconfig(), channels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, operator.stop()) }()
	idle, err := operator.report()
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "applying the channels")
	took, err := company.bringUp(ctx)
	if err != nil {
		return err
	}
	up, err := operator.settled(ctx, time.Second)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "reconciling every channel with nothing to do")
	if err := company.touchNamespace(ctx); err != nil {
		return err
	}
	quiet, err := operator.settledAfter(ctx, up.Reconciles+channels)
	if err != nil {
		return err
	}
	shift, err := company.changeShift(ctx, operator)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "half of them showed it after %s, the last after %s; bare, so many status patches took %s\n",
		shift.at(0.5), shift[len(shift)-1], floor.patches)
	changed, err := operator.settled(ctx, time.Second)
	if err != nil {
		return err
	}
	moved, err := company.moveMany(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "freezing every channel, and lifting the freeze")
	frozen, err := company.freezeAll(ctx, operator)
	if err != nil {
		return err
	}
	printTable(channels, floor, took, idle, up, quiet)
	printChanges(channels, floor, shift, moved, changed.Requests["PATCH socialchannels/status"]-quiet.Requests["PATCH socialchannels/status"]-2*channels)
	frozen.print()
	return nil
}

func printTable(channels int, floor floorTimes, took time.Duration, idle, up, quiet report) {
	n := float64(channels)
	rate := func(d time.Duration) string { return fmt.Sprintf("%.0f/s", n/d.Seconds()) }
	requests := up.writesAndReads() - idle.writesAndReads()
	rows := [][3]string{
		{"what", "figure", "aim"},
		{"floor: bare creates of Secrets", rate(floor.creates), ""},
		{"floor: bare status patches", rate(floor.patches), ""},
		{"floor: a channel's five requests, bare", fmt.Sprintf("%.1fs", floor.whole.Seconds()), ""},
		{fmt.Sprintf("%d channels applied to all Ready", channels), fmt.Sprintf("%.1fs", took.Seconds()), ""},
		{"ratio to the floor", fmt.Sprintf("%.2f", took.Seconds()/floor.whole.Seconds()), "≤ 1.5"},
		{"API requests of the operator a channel", fmt.Sprintf("%.2f", float64(requests)/n), "≤ 4"},
		{"  of them status writes of channels", fmt.Sprintf("%.2f", float64(up.Requests["PATCH socialchannels/status"])/n), "1"},
		{"requests of a reconcile with nothing to do", fmt.Sprintf("%d in %d", quiet.writesAndReads()-up.writesAndReads(), quiet.Reconciles-up.Reconciles), "0"},
		{"resident memory without channels", fmt.Sprintf("%.1f MiB", mib(idle.RSS)), "≤ 60 MiB"},
		{"resident memory with them", fmt.Sprintf("%.1f MiB", mib(up.RSS)), fmt.Sprintf("≤ %.1f MiB", 60+n*8/1024)},
		{"  more with them, a channel", fmt.Sprintf("%.1f KiB", float64(up.RSS-idle.RSS)/1024/n), ""},
	}
	for _, row := range rows {
		fmt.Printf("%-46s %14s   %s\n", row[0], row[1], row[2])
	}
	fmt.Println("\nrequests of the operator while the channels came up, by verb and resource:")
	for _, line := range up.lines(idle) {
		fmt.Println("  " + line)
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
