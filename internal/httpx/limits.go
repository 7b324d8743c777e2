// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"container/list"
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

// lru keeps the most recently used values, at most max of them. A value that
// fell out is made anew when asked for: a limiter then starts with its burst, an
// origin with a closed breaker. That is the price of bounded memory, and falls
// due only when there are more accounts or origins than the bound.
type lru[K comparable, V any] struct {
	max  int
	make func(K) V

	mu    sync.Mutex
	order *list.List // of *lruEntry, most recent first
	items map[K]*list.Element
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](size int, makeValue func(K) V) *lru[K, V] {
	return &lru[K, V]{max: size, make: makeValue, order: list.New(), items: make(map[K]*list.Element)}
}

func (l *lru[K, V]) get(key K) V {
	l.mu.Lock()
	defer l.mu.Unlock()
	if item, ok := l.items[key]; ok {
		l.order.MoveToFront(item)
		return item.Value.(*lruEntry[K, V]).value //nolint:forcetypeassert // the list holds nothing else
	}
	for l.order.Len() >= l.max {
		oldest := l.order.Remove(l.order.Back()).(*lruEntry[K, V]) //nolint:forcetypeassert // see above
		delete(l.items, oldest.key)
	}
	value := l.make(key)
	l.items[key] = l.order.PushFront(&lruEntry[K, V]{key, value})
	return value
}

// takeToken takes one request's worth from limiter. It waits at most maxWait,
// and not at all where the caller's deadline comes first: then the answer is
// when there will be room.
func takeToken(ctx context.Context, clk clock.Clock, limiter *rate.Limiter, maxWait time.Duration) *Error {
	now := clk.Now()
	reservation := limiter.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay == 0 {
		return nil
	}
	at := now.Add(delay)
	deadline, bounded := ctx.Deadline()
	if delay > maxWait || bounded && at.After(deadline) {
		reservation.CancelAt(now)
		return &Error{Kind: KindRateLimited, RetryAt: at, detail: "this account has used up its local request rate"}
	}
	timer := clk.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		reservation.CancelAt(clk.Now())
		return errWaitEnded()
	}
}

// places bounds the requests in flight to one origin, so that a slow server
// holds up no more workers than that.
type places chan struct{}

// take gets a place, waiting at most maxWait for one.
func (p places) take(ctx context.Context, clk clock.Clock, maxWait time.Duration) *Error {
	select {
	case p <- struct{}{}:
		return nil
	default:
	}
	timer := clk.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case p <- struct{}{}:
		return nil
	case <-timer.C():
		return &Error{Kind: KindBusy, RetryAt: clk.Now().Add(maxWait), detail: "too many requests to this server are in flight"}
	case <-ctx.Done():
		return errWaitEnded()
	}
}

func (p places) give() { <-p }

// errWaitEnded stands in until Client.Do, which knows whose context ended, puts
// the true reason in its place.
func errWaitEnded() *Error { return &Error{Kind: KindCanceled, Err: context.Canceled} }

type breakerState int

const (
	breakerClosed breakerState = iota
	breakerHalfOpen
	breakerOpen
)

// breaker leaves an origin alone once it has failed so many times in a row.
// After a while it lets one request through: if that one succeeds all may pass,
// else the wait starts again.
//
// It is written here because it must be able to take back a permit without a
// verdict (a cancelled probe says nothing about the server) and to run on a
// given clock.
type breaker struct {
	after   int           // failures in a row
	openFor time.Duration // until a probe
	changed func(breakerState)

	mu       sync.Mutex
	state    breakerState
	failures int
	openedAt time.Time
	last     string // the last failure, in stable words
	epoch    uint64 // counts changes of state; tells late verdicts from current ones
}

func newBreaker(o Options, changed func(breakerState)) *breaker {
	return &breaker{after: o.BreakerAfter, openFor: o.BreakerOpenFor, changed: changed}
}

// verdict is what one request says about the server's health.
type verdict struct {
	known   bool
	failure string // empty for a healthy server
}

// enter asks to send a request. Where it may, leave must be called with the
// epoch.
func (b *breaker) enter(now time.Time) (epoch uint64, refused *Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.state {
	case breakerOpen:
		if probeAt := b.openedAt.Add(b.openFor); now.Before(probeAt) {
			return 0, b.refuse(probeAt)
		}
		b.become(breakerHalfOpen)
	case breakerHalfOpen:
		return 0, b.refuse(now.Add(b.openFor))
	case breakerClosed:
	}
	return b.epoch, nil
}

func (b *breaker) refuse(at time.Time) *Error {
	return &Error{Kind: KindBreakerOpen, RetryAt: at, detail: "not called after repeated failures (the last: " + b.last + "); it is tried again by itself"}
}

// guard is passage through the breakers of an origin and, where there is one, of
// an account there.
type guard struct {
	origin, account           *breaker
	originEpoch, accountEpoch uint64
}

// enter passes both breakers, or none.
func (g *guard) enter(now time.Time) *Error {
	epoch, refused := g.origin.enter(now)
	if refused != nil {
		return refused
	}
	g.originEpoch = epoch
	if g.account == nil {
		return nil
	}
	if g.accountEpoch, refused = g.account.enter(now); refused != nil {
		g.origin.leave(g.originEpoch, now, verdict{})
		return refused
	}
	return nil
}

// leave gives the verdict to whom it concerns. With a connection an origin does
// what all accounts there need of it; without one, nothing is known of the
// account.
func (g *guard) leave(now time.Time, v verdict, connected bool) {
	if g.account == nil {
		g.origin.leave(g.originEpoch, now, v)
		return
	}
	ofOrigin, ofAccount := v, verdict{}
	if connected {
		ofOrigin, ofAccount = verdict{known: true}, v
	}
	g.account.leave(g.accountEpoch, now, ofAccount)
	g.origin.leave(g.originEpoch, now, ofOrigin)
}

// leave reports on a request that entered. A verdict from before the last
// change of state is stale and counts for nothing.
func (b *breaker) leave(epoch uint64, now time.Time, v verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch != b.epoch {
		return
	}
	switch {
	case !v.known:
		if b.state == breakerHalfOpen {
			b.become(breakerOpen) // still due: the next request is the probe
		}
	case v.failure == "":
		b.failures = 0
		if b.state == breakerHalfOpen {
			b.become(breakerClosed)
		}
	default:
		b.last = v.failure
		b.failures++
		if b.state == breakerHalfOpen || b.failures >= b.after {
			b.failures = 0
			b.openedAt = now
			b.become(breakerOpen)
		}
	}
}

func (b *breaker) become(state breakerState) {
	b.state = state
	b.epoch++
	b.changed(state)
}
