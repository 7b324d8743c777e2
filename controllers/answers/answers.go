// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package answers tells the channels' reconciler how their messages are
// answered: it brings a channel back when its conversations have changed, at
// most once a minute.
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

// Every is how often a channel's figures are written at most.
const Every = time.Minute

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Board holds what the conversations come to. It is safe for concurrent use.
type Board struct {
	ledger *ledger.Ledger
	clock  clock.PassiveClock

	mu    sync.Mutex
	queue queue
	// shown is when the figures of a channel were last taken for its status.
	shown map[types.NamespacedName]shown
	// early are the channels that changed before there was a queue.
	early map[types.NamespacedName]bool
}

type shown struct {
	uid types.UID
	at  time.Time
}

// NewBoard makes a board of a ledger's conversations. Whoever made the ledger
// calls Changed.
func NewBoard(conversations *ledger.Ledger, now clock.PassiveClock) *Board {
	return &Board{ledger: conversations, clock: now, shown: map[types.NamespacedName]shown{}, early: map[types.NamespacedName]bool{}}
}

// Source brings back the channels whose conversations have changed.
func (b *Board) Source() source.Source {
	return source.Func(func(_ context.Context, q queue) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.queue = q
		for channel := range b.early {
			q.Add(reconcile.Request{NamespacedName: channel})
		}
		b.early = nil
		return nil
	})
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
	if b.queue == nil {
		if b.early != nil {
			b.early[key] = true
		}
		return
	}
	b.queue.AddAfter(reconcile.Request{NamespacedName: key}, max(0, Every-b.clock.Since(b.shown[key].at)))
}

// Take gives a channel's figures for its status. They are not given again
// before next, and not known until all that is stored has been read.
func (b *Board) Take(channel types.NamespacedName, uid types.UID) (figures ledger.Figures, known bool, next time.Time) {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.shown[channel]; last.uid == uid && now.Before(last.at.Add(Every)) {
		return ledger.Figures{}, false, last.at.Add(Every)
	}
	if !b.ledger.Synced() {
		return ledger.Figures{}, false, time.Time{}
	}
	return b.ledger.Figures(string(uid), now), true, time.Time{}
}

// Shown notes that a channel's figures were put into its status.
func (b *Board) Shown(channel types.NamespacedName, uid types.UID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shown[channel] = shown{uid: uid, at: b.clock.Now()}
}

// Forget drops what is known of a channel that is gone.
func (b *Board) Forget(channel types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.shown, channel)
}
