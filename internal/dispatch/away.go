// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"errors"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/inbox"
)

const (
	// quietFor is how long nothing is said of a cause of which it was said.
	quietFor = time.Minute
	// maxCauses bounds of how many causes it is remembered.
	maxCauses = 1024
)

// quiet keeps what is the same from being said again and again.
type quiet struct {
	mu   sync.Mutex
	said map[string]time.Time
}

func newQuiet() *quiet { return &quiet{said: map[string]time.Time{}} }

// may tells whether it may be said of a cause now.
func (q *quiet) may(cause string, now time.Time) bool { return q.mayEvery(quietFor, cause, now) }

// mayEvery is may for what is said as seldom as that.
func (q *quiet) mayEvery(pause time.Duration, cause string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if last, ok := q.said[cause]; ok && !last.After(now) && now.Before(last.Add(pause)) {
		return false
	}
	if len(q.said) >= maxCauses {
		clear(q.said)
	}
	q.said[cause] = now
	return true
}

// away is until when the store is left alone, since it could not be asked.
type away struct {
	mu sync.Mutex
	at time.Time
}

// until is when the store may be asked again; zero for now.
func (a *away) until(now time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !now.Before(a.at) || a.at.After(now.Add(again)) {
		return time.Time{}
	}
	return a.at
}

// note takes in an error of asking it.
func (a *away) note(err error, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if errors.Is(err, inbox.ErrUnavailable) || errors.Is(err, inbox.ErrFull) {
		a.at = now.Add(again)
	}
}

// cause is what an error of the store is about, without what it is about.
func cause(err error) string {
	for _, known := range []error{inbox.ErrUnavailable, inbox.ErrFull} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return short(err.Error())
}

// leave has conversations that were taken from the index given again.
func (d *Dispatcher) leave(ids []string, now time.Time) {
	for _, id := range ids {
		d.ledger.Wake(id, now)
	}
}
