// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pace decides when a platform is asked again about an object: on an
// interval with jitter while it answers, by a back-off while it does not, never
// before it said to come back, and at once when what the answer depends on has
// changed.
package pace

import (
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"
)

const (
	// firstRetry and lastRetry bound the back-off to a platform that gives no
	// usable answer. The last is short enough that all objects are looked at
	// within minutes of its recovery.
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
	// retryJitter and probeJitter are the most that is added at random, as a
	// share, so that objects do not come at once.
	retryJitter = 0.5
	probeJitter = 0.1
	// startSpread is the time over which objects that were in order before a
	// restart are looked at again.
	startSpread = 5 * time.Minute
)

// Pacer keeps when each object is due. Inputs are what an observation depends
// on: another value is a reason to ask again. It is kept in memory; after a
// restart every object is due, but for Resume. It is safe for concurrent use.
type Pacer[Inputs comparable] struct {
	mu       sync.Mutex
	attempts map[types.NamespacedName]attempt[Inputs]
	backoff  *flowcontrol.Backoff
}

// attempt is the last time that a platform was asked, with what.
type attempt[Inputs comparable] struct {
	inputs Inputs
	next   time.Time
	// hold tells that next must be kept even if the inputs change: the
	// platform asked for it.
	hold bool
}

// New makes a pacer that knows no object.
func New[Inputs comparable]() *Pacer[Inputs] {
	return &Pacer[Inputs]{
		attempts: map[types.NamespacedName]attempt[Inputs]{},
		backoff:  flowcontrol.NewBackOffWithJitter(firstRetry, lastRetry, retryJitter),
	}
}

// Resume plans the next observation of an object that was observed, with the
// same inputs, before this process started. It does nothing for one that this
// process has observed itself.
func (p *Pacer[Inputs]) Resume(object types.NamespacedName, inputs Inputs, now time.Time, interval time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.attempts[object]; !known {
		p.attempts[object] = attempt[Inputs]{inputs: inputs, next: now.Add(rand.N(min(interval, startSpread)))}
	}
}

// Due tells whether the platform is to be asked now; if not, when.
func (p *Pacer[Inputs]) Due(object types.NamespacedName, inputs Inputs, now time.Time) (bool, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.attempts[object]
	if !known || !last.hold && last.inputs != inputs || !now.Before(last.next) {
		return true, time.Time{}
	}
	return false, last.next
}

// Expire makes an object due: what it was not asked about has changed. Where
// the platform asked to be left alone, it still is. Resume does not put it off.
func (p *Pacer[Inputs]) Expire(object types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.attempts[object].hold {
		p.attempts[object] = attempt[Inputs]{}
	}
}

// Answered plans the next observation after an answer that stands, and gives
// its time.
func (p *Pacer[Inputs]) Answered(object types.NamespacedName, inputs Inputs, now time.Time, interval time.Duration) time.Time {
	next := now.Add(interval + time.Duration(rand.Float64()*probeJitter*float64(interval)))
	p.plan(object, attempt[Inputs]{inputs: inputs, next: next})
	return next
}

// Recovered ends the back-off: everything that was asked was answered.
func (p *Pacer[Inputs]) Recovered(object types.NamespacedName) {
	p.backoff.DeleteEntry(object.String())
}

// Failed plans the next try after no usable answer, and gives its time: by the
// back-off, and not before the platform said to come back, where retryAt is
// not zero.
func (p *Pacer[Inputs]) Failed(object types.NamespacedName, inputs Inputs, now, retryAt time.Time) time.Time {
	id := object.String()
	p.backoff.Next(id, now)
	next := now.Add(p.backoff.Get(id))
	hold := retryAt.After(now)
	if retryAt.After(next) {
		next = retryAt.Add(rand.N(firstRetry))
	}
	p.plan(object, attempt[Inputs]{inputs: inputs, next: next, hold: hold})
	return next
}

// Forget drops what is known of an object.
func (p *Pacer[Inputs]) Forget(object types.NamespacedName) {
	p.backoff.DeleteEntry(object.String())
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.attempts, object)
}

func (p *Pacer[Inputs]) plan(object types.NamespacedName, next attempt[Inputs]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts[object] = next
}
