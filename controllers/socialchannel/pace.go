// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"
)

const (
	// firstRetry and lastRetry bound the back-off to a platform that gives no
	// usable answer. The last is short enough that all channels are verified
	// within minutes of its recovery.
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
	// retryJitter and probeJitter are the most that is added at random, as a
	// share, so that accounts do not come at once.
	retryJitter = 0.5
	probeJitter = 0.1
	// startSpread is the time over which channels that were in order before a
	// restart are verified again.
	startSpread = 5 * time.Minute
)

// pacer decides when a platform is asked again about a channel. It is kept in
// memory: after a restart all channels are asked again, spread out.
type pacer struct {
	mu       sync.Mutex
	attempts map[types.NamespacedName]attempt
	backoff  *flowcontrol.Backoff
}

// attempt is the last time that a platform was asked, with what.
type attempt struct {
	inputs probeInputs
	next   time.Time
	// hold tells that next must be kept even if the inputs change: the
	// platform asked for it.
	hold bool
}

// probeInputs are what an observation depends on. Another value of any is a
// reason to ask again.
type probeInputs struct {
	uid        types.UID
	generation int64
	server     string
	sourceSeen string
}

func newPacer() *pacer {
	return &pacer{
		attempts: map[types.NamespacedName]attempt{},
		backoff:  flowcontrol.NewBackOffWithJitter(firstRetry, lastRetry, retryJitter),
	}
}

// resume tells whether an observation made before this process started still
// counts, and if so plans the next one.
func (p *pacer) resume(channel types.NamespacedName, inputs probeInputs, now time.Time, interval time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.attempts[channel]; !known {
		p.attempts[channel] = attempt{inputs: inputs, next: now.Add(rand.N(min(interval, startSpread)))}
	}
}

// due tells whether the platform is to be asked now; if not, when.
func (p *pacer) due(channel types.NamespacedName, inputs probeInputs, now time.Time) (bool, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.attempts[channel]
	if !known || !last.hold && last.inputs != inputs || !now.Before(last.next) {
		return true, time.Time{}
	}
	return false, last.next
}

// answered plans the next probe after an answer that stands.
func (p *pacer) answered(channel types.NamespacedName, inputs probeInputs, now time.Time, interval time.Duration) time.Time {
	next := now.Add(interval + time.Duration(rand.Float64()*probeJitter*float64(interval)))
	p.plan(channel, attempt{inputs: inputs, next: next})
	return next
}

// recovered ends the back-off: everything that was asked was answered.
func (p *pacer) recovered(channel types.NamespacedName) { p.backoff.DeleteEntry(channel.String()) }

// failed plans the next try after no usable answer: by the back-off, and not
// before the platform said to come back.
func (p *pacer) failed(channel types.NamespacedName, inputs probeInputs, now, retryAt time.Time) time.Time {
	id := channel.String()
	p.backoff.Next(id, now)
	next := now.Add(p.backoff.Get(id))
	hold := retryAt.After(now)
	if retryAt.After(next) {
		next = retryAt.Add(rand.N(firstRetry))
	}
	p.plan(channel, attempt{inputs: inputs, next: next, hold: hold})
	return next
}

func (p *pacer) plan(channel types.NamespacedName, next attempt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts[channel] = next
}

func (p *pacer) forget(channel types.NamespacedName) {
	p.backoff.DeleteEntry(channel.String())
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.attempts, channel)
}
