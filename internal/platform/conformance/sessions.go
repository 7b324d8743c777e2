// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"maps"
	"sync"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Crash is what a store panics with when it was told to: the process ends
// there, and what was not stored is lost. Whoever runs the adapter recovers
// it.
type Crash struct{}

// Mishap is something that goes wrong when a session is saved.
type Mishap int

const (
	// Conflict: another writer was there first.
	Conflict Mishap = iota + 1
	// CrashBefore: the process ends before the session is stored.
	CrashBefore
	// CrashAfter: the process ends when the session has just been stored.
	CrashAfter
)

// Sessions keeps the session of one account in memory, as durably as a Secret
// does in a cluster: with a version, and one writer at a time. It is safe for
// concurrent use.
type Sessions struct {
	mu      sync.Mutex
	stored  credentials.Values
	version int
	mishaps []Mishap
}

// Open gives a store for one writer. Writers do not know of each other: a Save
// fails with platform.ErrSessionConflict where another has saved since this
// one's Load.
func (s *Sessions) Open() platform.SessionStore { return &writer{sessions: s} }

// NextSave makes the next Saves go wrong, one mishap each.
func (s *Sessions) NextSave(mishaps ...Mishap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mishaps = append(s.mishaps, mishaps...)
}

// Stored gives what is stored now; nil where nothing is.
func (s *Sessions) Stored() credentials.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.stored)
}

// Put stores a session behind every writer's back.
func (s *Sessions) Put(session credentials.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(session)
}

func (s *Sessions) put(session credentials.Values) {
	s.stored = maps.Clone(session)
	s.version++
}

// writer is one writer's view of the store.
type writer struct {
	sessions *Sessions
	seen     int // version at the last Load or Save; guarded by sessions.mu
}

// Load implements platform.SessionStore.
func (w *writer) Load(ctx context.Context) (credentials.Values, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.sessions.mu.Lock()
	defer w.sessions.mu.Unlock()
	w.seen = w.sessions.version
	return maps.Clone(w.sessions.stored), nil
}

// Save implements platform.SessionStore.
func (w *writer) Save(ctx context.Context, session credentials.Values) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.sessions.mu.Lock()
	defer w.sessions.mu.Unlock()
	var mishap Mishap
	if pending := w.sessions.mishaps; len(pending) > 0 {
		mishap, w.sessions.mishaps = pending[0], pending[1:]
	}
	switch {
	case mishap == CrashBefore:
		panic(Crash{})
	case mishap == Conflict, w.seen != w.sessions.version:
		return platform.ErrSessionConflict
	}
	w.sessions.put(session)
	w.seen = w.sessions.version
	if mishap == CrashAfter {
		panic(Crash{})
	}
	return nil
}
