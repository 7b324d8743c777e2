// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// shiftedClock is the machine's, and can be put forward: what waits for an
// instant that has come by then is woken. Its zero value is right.
type shiftedClock struct {
	mu    sync.Mutex
	ahead time.Duration
	// moved is closed, and replaced, when the clock is put forward.
	moved chan struct{}
}

var _ clock.WithTicker = (*shiftedClock)(nil)

// Now implements clock.PassiveClock.
func (c *shiftedClock) Now() time.Time {
	now, _ := c.look()
	return now
}

// Since implements clock.PassiveClock.
func (c *shiftedClock) Since(at time.Time) time.Duration { return c.Now().Sub(at) }

func (c *shiftedClock) look() (now time.Time, moved <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved == nil {
		c.moved = make(chan struct{})
	}
	return time.Now().Add(c.ahead), c.moved
}

func (c *shiftedClock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
}

// sleep waits until an instant; false where it was stopped.
func (c *shiftedClock) sleep(until time.Time, stop <-chan struct{}) bool {
	for {
		now, moved := c.look()
		if !now.Before(until) {
			return true
		}
		timer := time.NewTimer(until.Sub(now))
		select {
		case <-timer.C:
		case <-moved:
			timer.Stop()
		case <-stop:
			timer.Stop()
			return false
		}
	}
}

// NewTimer implements clock.Clock.
func (c *shiftedClock) NewTimer(d time.Duration) clock.Timer {
	t := &shiftedTimer{clock: c, fired: make(chan time.Time, 1)}
	t.begin(d, false)
	return t
}

// NewTicker implements clock.WithTicker.
func (c *shiftedClock) NewTicker(d time.Duration) clock.Ticker {
	t := &shiftedTimer{clock: c, fired: make(chan time.Time, 1)}
	t.begin(d, true)
	return shiftedTicker{t}
}

// After implements clock.Clock.
func (c *shiftedClock) After(d time.Duration) <-chan time.Time { return c.NewTimer(d).C() }

// Tick implements clock.Clock.
func (c *shiftedClock) Tick(d time.Duration) <-chan time.Time { return c.NewTicker(d).C() }

// Sleep implements clock.Clock.
func (c *shiftedClock) Sleep(d time.Duration) { c.sleep(c.Now().Add(d), nil) }

// shiftedTimer goes off once, or again and again.
type shiftedTimer struct {
	clock *shiftedClock
	fired chan time.Time

	mu sync.Mutex
	// stop is nil where it is not under way.
	stop chan struct{}
}

func (t *shiftedTimer) begin(d time.Duration, again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	stop := make(chan struct{})
	t.stop = stop
	due := t.clock.Now().Add(d)
	go func() {
		for t.clock.sleep(due, stop) && t.fire(stop, again) {
			due = due.Add(d)
		}
	}()
}

// fire goes off, and tells whether it is to go on.
func (t *shiftedTimer) fire(of chan struct{}, again bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop != of {
		return false
	}
	select {
	case t.fired <- t.clock.Now():
	default:
	}
	if !again {
		t.stop = nil
	}
	return again
}

// C implements clock.Timer.
func (t *shiftedTimer) C() <-chan time.Time { return t.fired }

// Stop implements clock.Timer.
func (t *shiftedTimer) Stop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	running := t.stop != nil
	if running {
		close(t.stop)
		t.stop = nil
	}
	select {
	case <-t.fired:
	default:
	}
	return running
}

// Reset implements clock.Timer.
func (t *shiftedTimer) Reset(d time.Duration) bool {
	running := t.Stop()
	t.begin(d, false)
	return running
}

// shiftedTicker is a timer that goes off again and again.
type shiftedTicker struct{ timer *shiftedTimer }

// C implements clock.Ticker.
func (t shiftedTicker) C() <-chan time.Time { return t.timer.C() }

// Stop implements clock.Ticker.
func (t shiftedTicker) Stop() { t.timer.Stop() }
