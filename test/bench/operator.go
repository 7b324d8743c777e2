// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/simulated"
)

func password(i int) string { return fmt.Sprintf("source-secret-%d", i) }
func handle(i int) string   { return fmt.Sprintf("account-%d", i) }

// report is what the operator's process tells of itself.
type report struct {
	// Requests to the API server, by method and resource, without watches.
	Requests map[string]int
	// Reconciles of channels.
	Reconciles int
	// RSS is the resident memory, in bytes.
	RSS int64
}

func (r report) writesAndReads() int {
	sum := 0
	for what, n := range r.Requests {
		if !strings.HasPrefix(what, "LIST ") {
			sum += n
		}
	}
	return sum
}

func (r report) lines(before report) []string {
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(r.Requests)) {
		if n := r.Requests[what] - before.Requests[what]; n > 0 {
			lines = append(lines, fmt.Sprintf("%6d %s", n, what))
		}
	}
	return lines
}

// operate is the operator's process: it answers each line on its standard
// input with a report, and ends with it.
func operate(ctx context.Context, channels int) error {
	log.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(childVariable))
	if err != nil {
		return err
	}
	config.QPS = -1
	counter := &counter{requests: map[string]int{}}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counter.around(next) })
	server := simulated.New(clock.RealClock{}, true)
	for i := range channels {
		server.AddAccount(fmt.Sprintf("acct-%d", i), handle(i), password(i))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	mgr, err := controllers.NewManager(ctx, config, controllers.Options{
		Platforms:      platform.Registry{string(v1alpha1.PlatformBluesky): server.Factory},
		MetricsAddress: "0", ProbeAddress: "0",
	})
	if err != nil {
		return err
	}
	go func() {
		defer stop()
		answer(os.Stdin, os.Stdout, counter)
	}()
	return mgr.Start(ctx)
}

func answer(questions io.Reader, answers io.Writer, counter *counter) {
	encoder := json.NewEncoder(answers)
	for lines := bufio.NewScanner(questions); lines.Scan(); {
		if err := encoder.Encode(report{Requests: counter.snapshot(), Reconciles: reconciles(), RSS: resident()}); err != nil {
			return
		}
	}
}

// reconciles reads controller-runtime's own count.
func reconciles() int {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return 0
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "controller" && label.GetValue() == "socialchannel" {
					sum += metric.GetCounter().GetValue()
				}
			}
		}
	}
	return int(sum)
}

// resident is this process's resident memory, as Linux counts it.
func resident() int64 {
	content, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(content))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// counter counts requests on their way to the API server.
type counter struct {
	mu       sync.Mutex
	requests map[string]int
}

func (c *counter) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("watch") == "" {
			c.mu.Lock()
			c.requests[kindOf(r)]++
			c.mu.Unlock()
		}
		return next.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func (c *counter) snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.requests)
}

// kindOf names a request by its method and resource: "PATCH socialchannels/status".
func kindOf(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 1 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 2 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return "LIST discovery"
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	switch len(parts) {
	case 0:
		return "LIST discovery"
	case 1:
		if r.Method == http.MethodGet {
			return "LIST " + parts[0]
		}
		return r.Method + " " + parts[0]
	case 2:
		return r.Method + " " + parts[0]
	default:
		return r.Method + " " + parts[0] + "/" + parts[2]
	}
}

// process is the operator as its parent sees it.
type process struct {
	command   *exec.Cmd
	questions io.WriteCloser
	answers   *json.Decoder
}

func startOperator(ctx context.Context, kubeconfig string, channels int) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, self, "-channels", strconv.Itoa(channels))
	command.Env = append(os.Environ(), childVariable+"="+kubeconfig)
	command.Stderr = os.Stderr
	questions, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command: command, questions: questions, answers: json.NewDecoder(answers)}
	_, err = p.settled(ctx, 2*time.Second)
	return p, err
}

func (p *process) report() (report, error) {
	var r report
	if _, err := io.WriteString(p.questions, "?\n"); err != nil {
		return r, err
	}
	err := p.answers.Decode(&r)
	return r, err
}

// settled waits until the operator makes no request for a while.
func (p *process) settled(ctx context.Context, quiet time.Duration) (report, error) {
	last, err := p.report()
	since := time.Now()
	for err == nil && time.Since(since) < quiet+3*time.Second {
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		var next report
		next, err = p.report()
		if !maps.Equal(next.Requests, last.Requests) {
			since = time.Now()
		}
		last = next
	}
	return last, err
}

// settledAfter waits until the operator has done so many reconciles.
func (p *process) settledAfter(ctx context.Context, reconciles int) (report, error) {
	deadline := time.Now().Add(time.Minute)
	for {
		r, err := p.report()
		if err != nil || r.Reconciles >= reconciles {
			return r, err
		}
		if time.Now().After(deadline) {
			return r, fmt.Errorf("only %d of %d reconciles within a minute", r.Reconciles, reconciles)
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop ends the operator by closing its standard input.
func (p *process) stop() error {
	err := p.questions.Close()
	var exit *exec.ExitError
	if waitErr := p.command.Wait(); waitErr != nil && !errors.As(waitErr, &exit) {
		err = errors.Join(err, waitErr)
	}
	return err
}
