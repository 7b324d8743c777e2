// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
)

// Limits of how often a consent can be begun. One costs a write, a record kept
// for ten minutes and, at some platforms, the registration of an application.
const (
	overallEvery, overallBurst = time.Second, 60
	// A source is often a proxy that many share.
	sourceEvery, sourceBurst   = 3 * time.Second, 20
	channelEvery, channelBurst = 30 * time.Second, 6

	// maxTracked bounds the sources and channels that are remembered, each.
	maxTracked = 4096
	// sourceBits is how much of an IPv6 address stands for one source.
	sourceBits = 64
)

// limits keeps one source, one channel and all together from beginning too
// often. It is safe for concurrent use.
type limits struct {
	clock   clock.PassiveClock
	overall *rate.Limiter

	mu       sync.Mutex
	sources  *lru.Cache
	channels *lru.Cache
}

func newLimits(passive clock.PassiveClock) *limits {
	return &limits{
		clock:   passive,
		overall: rate.NewLimiter(rate.Every(overallEvery), overallBurst),
		sources: lru.New(maxTracked), channels: lru.New(maxTracked),
	}
}

// allow tells whether one more may begin. What is held back by a narrow limit
// costs nothing of a wider one.
func (l *limits) allow(remoteAddress, uid string) bool {
	now := l.clock.Now()
	source := l.limiter(l.sources, sourceOf(remoteAddress), sourceEvery, sourceBurst)
	channel := l.limiter(l.channels, uid, channelEvery, channelBurst)
	return channel.AllowN(now, 1) && source.AllowN(now, 1) && l.overall.AllowN(now, 1)
}

func (l *limits) limiter(tracked *lru.Cache, key string, every time.Duration, burst int) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found, ok := tracked.Get(key); ok {
		if limiter, ok := found.(*rate.Limiter); ok {
			return limiter
		}
	}
	limiter := rate.NewLimiter(rate.Every(every), burst)
	tracked.Add(key, limiter)
	return limiter
}

// sourceOf gives the network that a request came from.
func sourceOf(remoteAddress string) string {
	host, _, err := net.SplitHostPort(remoteAddress)
	if err != nil {
		return remoteAddress
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
