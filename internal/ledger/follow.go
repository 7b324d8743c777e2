// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nuid"

	"github.com/rostra-dev/rostra/internal/inbox"
)

// Keys of rows that are no conversations begin so.
const (
	aheadPrefix  = "ahead-"
	markPrefix   = "mark-"
	gatherPrefix = "gather-"
	// markKeep is how long a mark of CaughtUp stays.
	markKeep = time.Hour
)

// Follow keeps the index until the context ends, and returns nil then. It is a
// manager's Runnable of every replica.
func (l *Ledger) Follow(ctx context.Context) error {
	for ctx.Err() == nil {
		l.index.begin()
		if err := l.table.Follow(ctx, l.see, l.inStep); err != nil && ctx.Err() == nil {
			l.log.Error(err, "the table of conversations is followed anew")
			l.pause(ctx)
		}
	}
	return nil
}

// pause waits a while before the table is followed anew.
func (l *Ledger) pause(ctx context.Context) {
	timer := l.clock.NewTimer(followAgain)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C():
	}
}

// Start implements a manager's Runnable: it is Follow.
func (l *Ledger) Start(ctx context.Context) error { return l.Follow(ctx) }

// NeedLeaderElection tells a manager that every replica follows.
func (*Ledger) NeedLeaderElection() bool { return false }

// Synced tells whether the index has seen every row that there was when Follow
// began.
func (l *Ledger) Synced() bool {
	select {
	case <-l.synced:
		return true
	default:
		return false
	}
}

// InSync is closed when Synced becomes true.
func (l *Ledger) InSync() <-chan struct{} { return l.synced }

func (l *Ledger) inStep() {
	l.changed(l.index.sweep()...)
	l.once.Do(func() { close(l.synced) })
}

// see takes in a row that the table hands on.
func (l *Ledger) see(row inbox.Row) {
	switch {
	case strings.HasPrefix(row.Key, markPrefix):
		l.seeMark(row)
	case strings.HasPrefix(row.Key, aheadPrefix):
		l.index.putAhead(row.Key, row.Revision, row.Gone)
	case strings.HasPrefix(row.Key, gatherPrefix):
		l.seeGathering(row)
	case row.Gone:
		if channel, ok := l.index.drop(row.Key, row.Revision); ok {
			l.changed(channel)
		}
	case !isID(row.Key):
	default:
		if l.index.knows(row.Key, row.Revision) {
			return
		}
		c, err := decode(row)
		if err != nil {
			l.log.Error(err, "a stored conversation cannot be read; nobody is told of it", "revision", row.Revision)
			return
		}
		l.take(c, row.Revision)
	}
}

// marking is a mark that several wait for.
type marking struct {
	done chan struct{}
	err  error
}

func newMarker() string { return markPrefix + strings.ToLower(nuid.Next()) }

// CaughtUp waits until the index has seen all that was written, by whichever
// process, before the call. It writes a row, once for all who call meanwhile.
func (l *Ledger) CaughtUp(ctx context.Context) error {
	for late := false; ; late = true {
		l.mu.Lock()
		other := l.marking
		if other == nil {
			mine := &marking{done: make(chan struct{})}
			l.marking = mine
			l.mu.Unlock()
			mine.err = l.mark(ctx)
			l.mu.Lock()
			l.marking = nil
			l.mu.Unlock()
			close(mine.done)
			return mine.err
		}
		l.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		// The first that one finds may have been written too early.
		if late && other.err == nil {
			return nil
		}
	}
}

// mark writes a row, and waits until it is seen.
func (l *Ledger) mark(ctx context.Context) error {
	revision := uint64(0)
	row, err := l.table.Get(ctx, l.marker)
	switch {
	case err == nil:
		revision = row.Revision
	case !errors.Is(err, inbox.ErrNoRow):
		return err
	}
	if revision, err = l.put(ctx, l.marker, nil, revision, markKeep); err != nil {
		return fmt.Errorf("waiting for what others wrote: %w", err)
	}
	for {
		l.mu.Lock()
		seen, moved := l.marked >= revision, l.moved
		l.mu.Unlock()
		if seen {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// seeMark wakes whoever waits for a mark, also if it comes to wait later.
func (l *Ledger) seeMark(row inbox.Row) {
	if row.Key != l.marker || row.Gone {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if row.Revision > l.marked {
		l.marked = row.Revision
		close(l.moved)
		l.moved = make(chan struct{})
	}
}
