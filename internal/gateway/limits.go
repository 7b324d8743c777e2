// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/lru"
)

// Limits bound what a callback may take. Each has a default for zero.
type Limits struct {
	// Body is the largest body, in bytes; default 1 MiB.
	Body int64
	// Bodies is how much all large bodies together may take at a time, in
	// bytes, and at least Body; default 64 MiB.
	Bodies int64
	// ReadBody is how long a body may take to arrive; default 2 s.
	ReadBody time.Duration
	// Deadline is how long a delivery may take in all, its body included. The
	// default, 2.5 s, is below the shortest that a platform waits for (3 s).
	Deadline time.Duration
	// EventsPerSecond and EventsBurst bound the verified events of a callback;
	// default 500 and 1,000.
	EventsPerSecond float64
	EventsBurst     int
	// UnverifiedPerSecond and UnverifiedBurst bound what one source may send to
	// one callback that proves nothing: bad signatures, and handshakes. They
	// take nothing from the bound above. Default 5 and 100.
	UnverifiedPerSecond float64
	UnverifiedBurst     int
	// Remembered is how many callbacks, and how many sources, are counted at a
	// time; default 8,192.
	Remembered int
	// Proxies are addresses of proxies in front of the gateway, besides private
	// ones: what they say in X-Forwarded-For is believed.
	Proxies []netip.Prefix
}

func (l Limits) withDefaults() Limits {
	l.Body = cmp.Or(l.Body, 1<<20)
	l.Bodies = max(cmp.Or(l.Bodies, 64<<20), l.Body)
	l.ReadBody = cmp.Or(l.ReadBody, 2*time.Second)
	l.Deadline = cmp.Or(l.Deadline, 2500*time.Millisecond)
	l.EventsPerSecond, l.EventsBurst = cmp.Or(l.EventsPerSecond, 500), cmp.Or(l.EventsBurst, 1000)
	l.UnverifiedPerSecond, l.UnverifiedBurst = cmp.Or(l.UnverifiedPerSecond, 5), cmp.Or(l.UnverifiedBurst, 100)
	l.Remembered = cmp.Or(l.Remembered, 8192)
	return l
}

// buckets are rate limits by key. Those that were not used for longest are
// forgotten, and begin full when they come again.
type buckets[K comparable] struct {
	limit rate.Limit
	burst int

	mu     sync.Mutex
	recent *lru.Cache
}

func newBuckets[K comparable](perSecond float64, burst, remembered int) *buckets[K] {
	return &buckets[K]{limit: rate.Limit(perSecond), burst: burst, recent: lru.New(remembered)}
}

// wait gives how long it takes until something may be taken from the key's
// bucket; zero for now.
func (b *buckets[K]) wait(key K, now time.Time) time.Duration {
	if known, ok := b.recent.Get(key); ok {
		if bucket, ok := known.(*rate.Limiter); ok {
			return b.until(bucket, 1, now)
		}
	}
	return 0
}

// take takes n from the key's bucket. What is more than a full bucket takes all
// of it. Where there is not enough nothing is taken, and wait is how long it
// takes until there is.
func (b *buckets[K]) take(key K, n int, now time.Time) (wait time.Duration) {
	bucket, n := b.bucket(key), min(n, b.burst)
	if bucket.AllowN(now, n) {
		return 0
	}
	return max(b.until(bucket, n, now), time.Second)
}

func (b *buckets[K]) until(bucket *rate.Limiter, n int, now time.Time) time.Duration {
	lacking := float64(n) - bucket.TokensAt(now)
	if lacking <= 0 {
		return 0
	}
	return time.Duration(lacking / float64(b.limit) * float64(time.Second))
}

func (b *buckets[K]) bucket(key K) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.recent.Get(key); ok {
		if bucket, ok := known.(*rate.Limiter); ok {
			return bucket
		}
	}
	bucket := rate.NewLimiter(b.limit, b.burst)
	b.recent.Add(key, bucket)
	return bucket
}

// sender is somebody who sends to a callback.
type sender struct {
	hookID string
	source netip.Addr
}

// proxies tell an address that stands for many senders from one that stands for
// one.
type proxies []netip.Prefix

// source gives the address that a request comes from. ok is false where only
// addresses of proxies are known: limiting those would let one bad sender keep
// the good ones out.
//
// X-Forwarded-For is read from its end, because each proxy adds what it has
// seen there, and a sender can put what it likes before that.
func (p proxies) source(r *http.Request) (source netip.Addr, ok bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	if !p.contain(peer.Addr()) {
		return network(peer.Addr()), true
	}
	for _, rest := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for rest != "" {
			var last string
			rest, last = cutLast(rest)
			address, err := netip.ParseAddr(strings.TrimSpace(last))
			if err != nil {
				return netip.Addr{}, false
			}
			if !p.contain(address) {
				return network(address), true
			}
		}
	}
	return netip.Addr{}, false
}

// cutLast cuts off what is after the last comma.
func cutLast(list string) (rest, last string) {
	comma := strings.LastIndexByte(list, ',')
	return list[:max(comma, 0)], list[comma+1:]
}

func (p proxies) contain(address netip.Addr) bool {
	address = address.Unmap()
	if address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast() || isShared(address) {
		return true
	}
	for _, prefix := range p {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// isShared tells whether an address is of 100.64.0.0/10 (RFC 6598), which
// clusters use among themselves.
func isShared(address netip.Addr) bool {
	if !address.Is4() {
		return false
	}
	bytes := address.As4()
	return bytes[0] == 100 && bytes[1]&0xc0 == 64
}

// network gives what one sender has of addresses: one of IPv4, a /64 of IPv6.
func network(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.Addr()
}
