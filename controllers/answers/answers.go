// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package answers tells the channels' reconciler how their messages are
// answered: it brings a channel back when its conversations have changed, or
// time has changed what they come to, at most once a minute.
package answers

import (
	"context"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/rostra-dev/rostra/internal/ledger"
)

// Every is how often a channel's figures are taken at most.
const Every = time.Minute

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Conversations are what the board knows of; *ledger.Ledger is it.
type Conversations interface {
	// FiguresUntil gives a channel's figures, and when time alone changes them.
	FiguresUntil(channelUID string, now time.Time) (figures ledger.Figures, until time.Time)
	// InSync is closed when all that is stored has been read.
	InSync() <-chan struct{}
	// Synced tells whether InSync is closed.
	Synced() bool
}

// Board holds what the conversations come to. It is safe for concurrent use.
type Board struct {
	conversations Conversations
	clock         clock.PassiveClock

	mu    sync.Mutex
	queue queue
	// taken is what was last taken for the status of a channel.
	taken map[types.NamespacedName]taken
	// changed are the channels whose figures may be others than were taken. They
	// are in the queue, or come there with it.
	changed map[types.NamespacedName]bool
	// early are the channels that were asked for before all had been read.
	early map[types.NamespacedName]bool
}

type taken struct {
	uid     types.UID
	at      time.Time
	figures ledger.Figures
	until   time.Time
}

// next is when the figures may be taken again if nothing happens; zero for
// never.
func (t taken) next() time.Time {
	if earliest := t.at.Add(Every); !t.until.IsZero() && t.until.Before(earliest) {
		return earliest
	}
	return t.until
}

// NewBoard makes a board of conversations. Whoever keeps them calls Changed.
func NewBoard(conversations Conversations, now clock.PassiveClock) *Board {
	return &Board{
		conversations: conversations, clock: now,
		taken: map[types.NamespacedName]taken{}, changed: map[types.NamespacedName]bool{}, early: map[types.NamespacedName]bool{},
	}
}

// Source brings back the channels whose conversations have changed.
func (b *Board) Source() source.Source {
	return source.Func(func(ctx context.Context, q queue) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.queue = q
		for channel := range b.changed {
			b.add(channel)
		}
		go b.bringEarly(ctx)
		return nil
	})
}

// bringEarly brings back the channels that were asked for too early.
func (b *Board) bringEarly(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-b.conversations.InSync():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for channel := range b.early {
		b.queue.Add(reconcile.Request{NamespacedName: channel})
	}
	clear(b.early)
}

// add puts a channel into the queue for when its figures may be taken.
func (b *Board) add(channel types.NamespacedName) {
	b.queue.AddAfter(reconcile.Request{NamespacedName: channel}, max(0, Every-b.clock.Since(b.taken[channel].at)))
}

// Changed notes that the conversations of a channel, as namespace/name, have
// changed.
func (b *Board) Changed(channel string) {
	namespace, name, ok := strings.Cut(channel, "/")
	if !ok {
		return
	}
	key := types.NamespacedName{Namespace: namespace, Name: name}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed[key] {
		return
	}
	b.changed[key] = true
	if b.queue != nil {
		b.add(key)
	}
}

// Take gives a channel's figures for its status: those that it gave before,
// until a minute has passed. They are not known until all that is stored has
// been read, and the channel is brought back then. They are to be asked for
// again at next; zero is never.
func (b *Board) Take(channel types.NamespacedName, uid types.UID) (figures ledger.Figures, known bool, next time.Time) {
	now := b.clock.Now()
	if last, ok := b.fresh(channel, uid, now); ok {
		return last.figures, true, last.next()
	}
	if !b.begin(channel, now) {
		return ledger.Figures{}, false, time.Time{}
	}
	one := taken{uid: uid, at: now}
	one.figures, one.until = b.conversations.FiguresUntil(string(uid), now)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken[channel] = one
	return one.figures, true, one.next()
}

// fresh gives what was taken last, where that was less than a minute ago, or
// still holds.
func (b *Board) fresh(channel types.NamespacedName, uid types.UID, now time.Time) (taken, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	last, ok := b.taken[channel]
	if !ok || last.uid != uid {
		return taken{}, false
	}
	if now.Before(last.at.Add(Every)) {
		if b.changed[channel] {
			last.until = last.at
		}
		return last, true
	}
	return last, !b.changed[channel] && (last.until.IsZero() || now.Before(last.until))
}

// begin notes that the figures of a channel are taken: what changes from here on
// is new. Where not all that is stored has been read, it remembers the channel
// for then instead, and says no.
func (b *Board) begin(channel types.NamespacedName, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.conversations.Synced() {
		b.early[channel] = true
		return false
	}
	delete(b.changed, channel)
	b.taken[channel] = taken{at: now} // paces what changes at this moment
	return true
}

// Forget drops what is known of a channel that is gone.
func (b *Board) Forget(channel types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.taken, channel)
	delete(b.changed, channel)
	delete(b.early, channel)
}
