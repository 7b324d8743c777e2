// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gateway is the way in: it takes what platforms send to callbacks,
// verifies it, and answers success only after the events are stored. It reads
// nothing from anywhere for a request: what it must know is in a hook.Book,
// which a Keyring keeps current. There is no client in it that could ask.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/throttle"
)

const (
	healthPath        = "/healthz"
	connectPrefix     = "/connect/"
	acknowledgePrefix = "/ack/"
)

// Sink stores events.
type Sink interface {
	// Put stores events. They are durable when it returns nil. It gives up when
	// ctx is done. An event whose ID is stored already is a success.
	Put(ctx context.Context, events ...event.Event) error
}

// Options of a Gateway.
type Options struct {
	// Key that tokens are made with, of hook.KeySize bytes.
	Key []byte
	// BaseURL is the public URL below which the gateway is reached. A path in
	// it may or may not be in the requests that arrive.
	BaseURL string
	// Hooks are the callbacks that are known.
	Hooks *hook.Book
	// Synced tells whether Hooks is complete. Until then nobody is told that a
	// callback is gone. Nil for always.
	Synced func() bool
	// Receiver gives the adapter that reads a server's deliveries.
	Receiver func(platformType, server string) (platform.Receiver, bool)
	// Sink gets the events.
	Sink Sink
	// Clock by which keys are in force, events are received and rates are
	// limited; nil for the machine's.
	Clock clock.PassiveClock
	// Logger; the zero value logs nothing.
	Logger logr.Logger
	// Metrics registers the gateway's metrics; nil for none.
	Metrics prometheus.Registerer
	// Limits; the zero value is the default of each.
	Limits Limits
	// Connect serves what is below /connect/; nil for nothing.
	Connect http.Handler
	// Acknowledge serves what is below /ack/; nil for nothing.
	Acknowledge http.Handler
}

// Gateway answers platforms. Make one with New.
type Gateway struct {
	options  Options
	base     string // without a slash at its end
	basePath string // likewise; empty for none
	clock    clock.PassiveClock
	log      logr.Logger
	metrics  *metrics
	limits   Limits
	bodies   *semaphore.Weighted
	// verified holds what may come from each callback; unverified what each
	// source may send there that proves nothing.
	verified   *buckets[string]
	unverified *buckets[sender]
	proxies    proxies
	lines      lines
}

// lines keep a condition that holds for every delivery from filling the log.
type lines struct{ unrouted, sink, setup *rate.Limiter }

// New makes a gateway. It fails for a key or a URL that cannot be right, and
// where the metrics are registered already.
func New(options Options) (*Gateway, error) {
	if len(options.Key) != hook.KeySize {
		return nil, fmt.Errorf("the gateway's key must have %d bytes, and has %d: delete its Secret to have a new one made; every callback is registered again then", hook.KeySize, len(options.Key))
	}
	base, err := hook.ParseBase(options.BaseURL)
	if err != nil {
		return nil, err
	}
	if options.Hooks == nil || options.Receiver == nil || options.Sink == nil {
		return nil, errors.New("the gateway needs its callbacks, its adapters and a place for events")
	}
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	limits := options.Limits.withDefaults()
	g := &Gateway{
		options: options, base: strings.TrimRight(options.BaseURL, "/"), basePath: base.Path,
		clock: options.Clock, log: options.Logger, metrics: newMetrics(), limits: limits,
		bodies:     semaphore.NewWeighted(limits.Bodies),
		verified:   newBuckets[string](limits.EventsPerSecond, limits.EventsBurst, limits.Remembered),
		unverified: newBuckets[sender](limits.UnverifiedPerSecond, limits.UnverifiedBurst, limits.Remembered),
		proxies:    limits.Proxies,
		lines:      lines{unrouted: seldom(), sink: seldom(), setup: seldom()},
	}
	if options.Metrics != nil {
		if err := g.metrics.register(options.Metrics); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// seldom lets one line a minute through.
func seldom() *rate.Limiter { return rate.NewLimiter(rate.Every(time.Minute), 1) }

// Handler serves /hooks/, /connect/, /ack/ and /healthz.
func (g *Gateway) Handler() http.Handler { return http.HandlerFunc(g.serve) }

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	g.metrics.inFlight.Inc()
	defer g.metrics.inFlight.Dec()
	protect(w.Header())
	path, ok := g.local(r.URL)
	if pages := g.pages(path); ok && pages != nil {
		g.servePages(w, r, path, pages)
		return
	}
	begun := clock.RealClock{}.Now() // sockets go by the machine's clock
	if r.ContentLength != 0 {
		// Also where the body is not wanted: the server waits for it before it
		// answers. A ResponseWriter without deadlines is not one of a server.
		_ = http.NewResponseController(w).SetReadDeadline(begun.Add(g.limits.ReadBody))
	}
	switch {
	case ok && strings.HasPrefix(path, hook.PathPrefix):
		g.serveHook(w, r, path, begun)
	case ok && path == healthPath && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		write(w, plain(http.StatusOK, "ok"))
	default:
		write(w, fixed(http.StatusNotFound))
	}
}

// local gives the path below the base URL. Nothing that Rostra gives out needs
// an escape, so a path that is written with one is not ours.
func (g *Gateway) local(u *url.URL) (path string, ok bool) {
	if u.RawPath != "" {
		return "", false
	}
	if g.basePath != "" {
		if rest, found := strings.CutPrefix(u.Path, g.basePath); found && strings.HasPrefix(rest, "/") {
			return rest, true
		}
	}
	return u.Path, true
}

// pages gives what serves people below a path; nil for nothing.
func (g *Gateway) pages(path string) http.Handler {
	switch {
	case strings.HasPrefix(path, connectPrefix):
		return g.options.Connect
	case strings.HasPrefix(path, acknowledgePrefix):
		return g.options.Acknowledge
	}
	return nil
}

func (g *Gateway) servePages(w http.ResponseWriter, r *http.Request, path string, pages http.Handler) {
	defer func() {
		if cause := recover(); cause != nil {
			g.logPanic(cause)
			write(w, fixed(http.StatusInternalServerError))
		}
	}()
	// Private addresses alone tell nobody from another: the pages limit none then.
	from := ""
	if source, ok := g.proxies.source(r); ok {
		from = source.String()
	}
	local := r.WithContext(throttle.WithSource(r.Context(), from))
	local.URL = new(*r.URL)
	local.URL.Path = path
	pages.ServeHTTP(w, local)
}
