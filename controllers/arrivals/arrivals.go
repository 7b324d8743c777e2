// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package arrivals tells the channels' reconciler what comes into the inbox:
// when a channel's last event came, and at once that an event concerns the
// account itself, such as a permission that was taken away.
package arrivals

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

const (
	// Names under which the inbox keeps how far it was read.
	ownershipConsumer = "channel-ownership"
	arrivalConsumer   = "channel-arrivals"
	// askEvery is how often a channel is brought back only for the time of its
	// last event.
	askEvery = time.Minute
	// patience is how long an event waits for its channel to be looked at before
	// it is handed out again. Work on other channels may come first.
	patience = 5 * time.Minute
)

// errNotLookedAt leaves an event in the inbox until its channel was looked at.
var errNotLookedAt = errors.New("the channel was not reconciled yet")

// Inbox hands out stored events; see inbox.Inbox.
type Inbox interface {
	// Consume hands events to handle until the context ends. One that was handed
	// out is done when handle gives nil, and comes again otherwise.
	Consume(ctx context.Context, name string, filter inbox.Filter, handle inbox.Handle) error
}

// Board holds what came in. It is safe for concurrent use.
type Board struct {
	requests chan ctrlevent.TypedGenericEvent[client.Object]

	mu sync.Mutex
	// known is what is known of each channel.
	known map[types.NamespacedName]arrival
	// waiting are the events that wait for their channel to be looked at.
	waiting map[types.NamespacedName][]chan struct{}
}

// arrival is what came in for a channel.
type arrival struct {
	// uid of the channel.
	uid string
	// last is when the last event came, and asked when the channel was last
	// brought back for that.
	last, asked time.Time
}

// NewBoard makes a board on which nothing has come in.
func NewBoard() *Board {
	return &Board{
		requests: make(chan ctrlevent.TypedGenericEvent[client.Object]),
		known:    map[types.NamespacedName]arrival{},
		waiting:  map[types.NamespacedName][]chan struct{}{},
	}
}

// Source brings back the channels for which something came in.
func (b *Board) Source() source.Source {
	return source.Channel(b.requests, &handler.EnqueueRequestForObject{})
}

// Last is when the last event of the channel of that name and UID came; zero
// where none came since the start.
func (b *Board) Last(channel types.NamespacedName, uid types.UID) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.known[channel]; known.uid == string(uid) {
		return known.last
	}
	return time.Time{}
}

// Forget drops what is known of a channel that is gone.
func (b *Board) Forget(channel types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.known, channel)
}

// Looker is the reconciler of channels.
type Looker interface {
	reconcile.Reconciler
	// LookNow makes the next reconcile of a channel ask the platform whose
	// account it is.
	LookNow(channel types.NamespacedName)
}

// Around is a reconciler of channels that takes note of what came in: what
// concerns the account makes it ask the platform, and is done with when it has
// tried. Where that failed, the reconciler asks again by itself, and after a
// restart every channel is asked about: one whose reconcile always fails must
// not hold up the events of others.
func (b *Board) Around(channels Looker) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		waiting := b.take(request.NamespacedName)
		if len(waiting) > 0 {
			channels.LookNow(request.NamespacedName)
		}
		result, err := channels.Reconcile(ctx, request)
		for _, done := range waiting {
			close(done)
		}
		return result, err
	})
}

// Consume notes what comes in until the context ends.
func (b *Board) Consume(ctx context.Context, box Inbox) error {
	var ownership, others []event.Kind
	for _, kind := range event.Kinds() {
		if kind.ConcernsOwnership() {
			ownership = append(ownership, kind)
		} else {
			others = append(others, kind)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		defer cancel()
		ended <- box.Consume(ctx, arrivalConsumer, inbox.Filter{Kinds: others}, b.arrived)
	}()
	err := box.Consume(ctx, ownershipConsumer, inbox.Filter{Kinds: ownership}, b.concerned)
	cancel()
	if err := errors.Join(err, <-ended); err != nil {
		return fmt.Errorf("reading what came in: %w", err)
	}
	return nil
}

// Runnable consumes an inbox as long as this process leads.
func (b *Board) Runnable(box Inbox) *Runnable { return &Runnable{board: b, inbox: box} }

// Runnable is a manager's Runnable that consumes an inbox. It runs where the
// reconcilers do: with the leader.
type Runnable struct {
	board *Board
	inbox Inbox
}

// consumeAgain is how soon an inbox is read again that could not be.
const consumeAgain = 10 * time.Second

// Start implements manager.Runnable. An inbox that cannot be read is tried again
// and again: it must not stop what else the operator does.
func (r *Runnable) Start(ctx context.Context) error {
	wait.UntilWithContext(ctx, func(ctx context.Context) { //nolint:forbidigo // no work queue stands behind a Runnable
		if err := r.board.Consume(ctx, r.inbox); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "Events cannot be read from the inbox; channels hear of them late until they can")
		}
	}, consumeAgain)
	return nil
}

// arrived notes an event, and brings its channel back if that was not done a
// moment ago.
func (b *Board) arrived(ctx context.Context, e event.Event) error {
	if b.note(e) {
		return b.request(ctx, e)
	}
	return nil
}

// concerned brings the channel back at once, and waits until it was looked at.
func (b *Board) concerned(ctx context.Context, e event.Event) error {
	b.note(e)
	channel, ok := channelOf(e)
	if !ok {
		return nil
	}
	done := make(chan struct{})
	b.wait(channel, done)
	defer b.waitNoMore(channel, done)
	if err := b.request(ctx, e); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errNotLookedAt
	}
}

// note keeps when an event came, and tells whether its channel is to be brought
// back for that.
func (b *Board) note(e event.Event) bool {
	channel, ok := channelOf(e)
	if !ok {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.known[channel]
	if known.uid != e.ChannelUID {
		known = arrival{uid: e.ChannelUID}
	}
	if !e.ReceivedAt.After(known.last) {
		return false
	}
	known.last = e.ReceivedAt
	due := e.ReceivedAt.Sub(known.asked) >= askEvery
	if due {
		known.asked = e.ReceivedAt
	}
	b.known[channel] = known
	return due
}

func (b *Board) request(ctx context.Context, e event.Event) error {
	channel, ok := channelOf(e)
	if !ok {
		return nil
	}
	object := &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: channel.Namespace, Name: channel.Name}}
	select {
	case b.requests <- ctrlevent.TypedGenericEvent[client.Object]{Object: object}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func channelOf(e event.Event) (types.NamespacedName, bool) {
	namespace, name, ok := strings.Cut(e.Channel, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}, ok
}

func (b *Board) wait(channel types.NamespacedName, done chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[channel] = append(b.waiting[channel], done)
}

// take gives what waits for a channel, once.
func (b *Board) take(channel types.NamespacedName) []chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	waiting := b.waiting[channel]
	delete(b.waiting, channel)
	return waiting
}

// waitNoMore takes one off that waits.
func (b *Board) waitNoMore(channel types.NamespacedName, done chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.waiting[channel][:0]
	for _, waiting := range b.waiting[channel] {
		if waiting != done {
			left = append(left, waiting)
		}
	}
	if len(left) == 0 {
		delete(b.waiting, channel)
		return
	}
	b.waiting[channel] = left
}
