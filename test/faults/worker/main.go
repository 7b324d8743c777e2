// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Command worker is what of Rostra stands between a platform and the person who
// answers, without Kubernetes: gateway, inbox, conversations, dispatcher. It is
// made to be killed; whoever starts it counts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/rostra-dev/rostra/internal/inbox"
)

// settings are what the flags say.
type settings struct {
	name, dir, url string
	replicas       int
	gateway        string
	status         string
	notify         string
	pages          int
	waits          durations
	audit          bool
}

// durations is a flag that may be given several times.
type durations []time.Duration

// String implements flag.Value.
func (d *durations) String() string { return fmt.Sprint(*d) }

// Set implements flag.Value.
func (d *durations) Set(text string) error {
	one, err := time.ParseDuration(text)
	*d = append(*d, one)
	return err
}

func readSettings() settings {
	var s settings
	flag.StringVar(&s.name, "name", "worker", "name of this process; the same after a restart")
	flag.StringVar(&s.dir, "dir", "", "folder of the embedded inbox")
	flag.StringVar(&s.url, "nats", "", "URLs of a NATS cluster, in place of a folder")
	flag.IntVar(&s.replicas, "replicas", 0, "replicas in the cluster")
	flag.StringVar(&s.gateway, "gateway", "127.0.0.1:0", "address of the gateway")
	flag.StringVar(&s.status, "status", "127.0.0.1:0", "address at which the worker says how it is")
	flag.StringVar(&s.notify, "notify", "", "URL to which notifications are posted")
	flag.IntVar(&s.pages, "pages", 1, "number of Pages")
	flag.Var(&s.waits, "wait", "how long a step's people have to answer; once for each step")
	flag.BoolVar(&s.audit, "audit", false, "print the ID of every event that is stored, and end")
	flag.Parse()
	return s
}

func main() {
	if err := start(readSettings()); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

// start runs until a signal, or until whoever started it is gone.
func start(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, end := context.WithCancel(ctx)
	defer end()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	return run(ctx, s)
}

func run(ctx context.Context, s settings) (err error) {
	log := funcr.New(func(prefix, args string) { fmt.Fprintln(os.Stderr, prefix, args) }, funcr.Options{LogTimestamp: true}).WithName(s.name)
	events, err := inbox.Open(ctx, inbox.Options{Dir: s.dir, URL: s.url, Replicas: s.replicas, Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, events.Close()) }()
	if s.audit {
		return audit(ctx, events, s.pages, os.Stdout)
	}
	return serve(ctx, s, events, log)
}

// serve runs everything until the context ends or something cannot go on.
func serve(ctx context.Context, s settings, events *inbox.Inbox, log logr.Logger) error {
	w, err := newWorker(ctx, s, events, log)
	if err != nil {
		return err
	}
	return w.run(ctx)
}
