// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package throttle holds back what is done too often: from one source, about
// one subject, and in all. It serves the pages for people, whose links are
// secrets; what costs nothing without one needs no limit.
package throttle

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
)

const (
	// maxTracked bounds the sources and subjects that are remembered, each.
	maxTracked = 4096
	// sourceBits is how much of an IPv6 address stands for one source.
	sourceBits = 64
)

// Pace is how often something may be done: once Every so long, and Burst times
// at once.
type Pace struct {
	Every time.Duration
	Burst int
}

func (p Pace) limiter() *rate.Limiter { return rate.NewLimiter(rate.Every(p.Every), p.Burst) }

// Paces are those of a Throttle. A source is often an office that many share.
type Paces struct{ Overall, Source, Subject Pace }

// Throttle keeps one source, one subject and all together to their paces. It is
// safe for concurrent use. Make one with New.
type Throttle struct {
	clock   clock.PassiveClock
	paces   Paces
	overall *rate.Limiter

	mu       sync.Mutex
	sources  *lru.Cache
	subjects *lru.Cache
}

// New makes a Throttle.
func New(passive clock.PassiveClock, paces Paces) *Throttle {
	return &Throttle{
		clock: passive, paces: paces, overall: paces.Overall.limiter(),
		sources: lru.New(maxTracked), subjects: lru.New(maxTracked),
	}
}

// Allow tells whether a request may do it once more. What is held back by a
// narrow limit costs nothing of a wider one.
func (t *Throttle) Allow(r *http.Request, subject string) bool {
	now := t.clock.Now()
	if !t.limiter(t.subjects, subject, t.paces.Subject).AllowN(now, 1) {
		return false
	}
	if source := sourceOf(r); source != "" && !t.limiter(t.sources, source, t.paces.Source).AllowN(now, 1) {
		return false
	}
	return t.overall.AllowN(now, 1)
}

// sourceKey is the context's key of a source.
type sourceKey struct{}

// WithSource tells Allow from where a request comes, which else is the other end
// of its connection. Whoever knows the proxies in front says it: behind one of
// them everybody has the same other end. Empty is for a source that cannot be
// told from others, and is not limited.
func WithSource(ctx context.Context, source string) context.Context {
	return context.WithValue(ctx, sourceKey{}, source)
}

func (t *Throttle) limiter(tracked *lru.Cache, key string, pace Pace) *rate.Limiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	if found, ok := tracked.Get(key); ok {
		if limiter, ok := found.(*rate.Limiter); ok {
			return limiter
		}
	}
	limiter := pace.limiter()
	tracked.Add(key, limiter)
	return limiter
}

// sourceOf gives the network that a request came from; empty where it cannot be
// told from others.
func sourceOf(r *http.Request) string {
	if source, ok := r.Context().Value(sourceKey{}).(string); ok {
		return source
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if address = address.Unmap().WithZone(""); address.Is6() {
		network, err := address.Prefix(sourceBits)
		if err == nil {
			return network.String()
		}
	}
	return address.String()
}
