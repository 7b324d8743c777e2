// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rostra-dev/rostra/internal/inbox"
)

const (
	// evictAtOnce is how many conversations make room at a time, and evictors how
	// many are deleted side by side: each is a write to the disk.
	evictAtOnce = 256
	evictors    = 16
	// maxVictims is how many are looked for at a time: for that, all are looked at.
	maxVictims = 16 * evictAtOnce
	// roomTries are how often something is put for which room is made.
	roomTries = 3
	// lookAgain is how soon they are looked for again where there were none.
	lookAgain = 5 * time.Second
)

// room is who is to make room in a full table.
type room struct {
	// turn is held by whoever makes room.
	turn chan struct{}

	// made counts how often room was made.
	made atomic.Uint64
	// victims are conversations that were over when they were looked for, in the
	// order in which they go. Who has the turn has them, and again.
	victims []victim
	// again is when they are looked for again.
	again time.Time
}

// victim is a conversation as it was when it was over.
type victim struct {
	id       string
	revision uint64
	busy     bool // somebody is still to hear that it is over
	ended    int64
}

func newRoom() *room { return &room{turn: make(chan struct{}, 1)} }

// put is the table's Put. Where the table is full, conversations that are over
// make room: who writes now matters more. Others may be faster to take it.
func (l *Ledger) put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	for try := 1; ; try++ {
		made := l.room.made.Load()
		stored, err := l.table.Put(ctx, key, value, revision, keep)
		if !errors.Is(err, inbox.ErrFull) || try == roomTries || !l.makeRoom(ctx, made) {
			return stored, err
		}
	}
}

// makeRoom forgets conversations that are over, unless another did since room
// was made so often. It tells whether there may be room now.
func (l *Ledger) makeRoom(ctx context.Context, made uint64) bool {
	select {
	case l.room.turn <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-l.room.turn }()
	if l.room.made.Load() != made {
		return true
	}
	if l.evict(ctx) == 0 {
		return false
	}
	l.room.made.Add(1)
	return true
}

// evict deletes conversations that have been over for longest, and gives how
// many.
func (l *Ledger) evict(ctx context.Context) int {
	for looked := false; ; {
		if len(l.room.victims) == 0 {
			if looked || !l.look() {
				return 0
			}
			looked = true
		}
		some := l.room.victims[:min(evictAtOnce, len(l.room.victims))]
		l.room.victims = l.room.victims[len(some):]
		count, err := l.forgetAll(ctx, some)
		l.evicted.Add(float64(count))
		if err != nil {
			l.log.Error(err, "The table of conversations is full, and those that are over cannot be deleted")
		}
		if count > 0 || err != nil {
			return count
		}
	}
}

// look looks for conversations that are over, now and then where there are none.
// It tells whether there are.
func (l *Ledger) look() bool {
	now := l.clock.Now()
	if now.Before(l.room.again) {
		return false
	}
	l.room.victims = l.index.over()
	if len(l.room.victims) > 0 {
		l.log.Info("The table of conversations is full. Those that are over go before their time, the oldest first", "over", len(l.room.victims))
		return true
	}
	l.room.again = now.Add(lookAgain)
	l.log.Info("The table of conversations is full of those that wait. What strangers write is refused until some are over")
	return false
}

// forgetAll deletes conversations that are as they were. It gives how many, and
// an error where the table would not.
func (l *Ledger) forgetAll(ctx context.Context, some []victim) (int, error) {
	var group errgroup.Group
	group.SetLimit(evictors)
	var count atomic.Int64
	for _, one := range some {
		group.Go(func() error {
			if s, ok := l.Summary(one.id); !ok || s.Revision != one.revision {
				return nil
			}
			err := l.table.Delete(ctx, one.id, one.revision)
			switch {
			case errors.Is(err, inbox.ErrConflict):
				return nil // it was opened again
			case err != nil:
				return err
			}
			l.dropped(one)
			count.Add(1)
			return nil
		})
	}
	err := group.Wait()
	return int(count.Load()), err
}

// dropped forgets a conversation that was deleted.
func (l *Ledger) dropped(v victim) {
	l.mu.Lock()
	delete(l.recent, v.id)
	l.mu.Unlock()
	if channel, ok := l.index.drop(v.id, v.revision); ok {
		l.changed(channel)
	}
}

// over gives conversations that are over, those of which nobody is to hear any
// more first, and then the oldest.
func (x *index) over() []victim {
	var all []victim
	x.walk(func(*channel) bool { return true }, func(e *entry) {
		if e.ended != 0 {
			all = append(all, victim{id: e.id, revision: e.revision, busy: e.rowAt != 0, ended: e.ended})
		}
	})
	slices.SortFunc(all, func(a, b victim) int {
		if a.busy != b.busy {
			if a.busy {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.ended, b.ended)
	})
	return slices.Clone(all[:min(len(all), maxVictims)])
}
