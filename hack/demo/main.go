// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo plays Rostra's main job on real parts: a Kubernetes API, a Bluesky server, and the operator as a process of
// its own with the rights that config/rbac gives it. It applies config/samples, hands an account from one team to another by
// changing one line, lets somebody leave a team, and checks everything it says.
//
//	go run ./hack/demo          stays until Ctrl-C, so that one can look around
//	go run ./hack/demo --once   stops after the last check; so does ONCE=1 in the environment
//
// The exit code is 0 only if every expectation held. Nothing is left running, and nothing on disk but the caches of what was
// built: Kubernetes, the Bluesky server, and Go's own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // what a shell says of a program that Ctrl-C ended
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	once, err := readSettings(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := endWithParent(ctx)
	defer cancel()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the demo at once

	log.SetLogger(logr.Discard()) // client libraries have nothing to say here that is not in their errors
	d := newDemo(newConsole(os.Stdout))
	return d.perform(ctx, once)
}

// readSettings tells whether the demo stops after its last check.
func readSettings(args []string) (once bool, err error) {
	if value := os.Getenv("ONCE"); value != "" {
		if once, err = strconv.ParseBool(value); err != nil {
			return false, fmt.Errorf("ONCE is %q: set it to 1, or leave it out", value)
		}
	}
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.BoolVar(&once, "once", once, "stop after the last check; the exit code tells whether all held")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	if flags.NArg() > 0 {
		return false, fmt.Errorf("unexpected argument %q: see -help", flags.Arg(0))
	}
	return once, nil
}

// endWithParent ends the context when the program that started this one is gone: `go run` passes Ctrl-C on, but dies of
// other signals without a word to its child.
func endWithParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if os.Getppid() != parent {
					cancel()
				}
			}
		}
	}()
	return ctx, cancel
}
