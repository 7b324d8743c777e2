// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package forward lets the owner's own tools hear what happens on a channel: its
// events go to the sink of the team that effectively owns it, as CloudEvents
// over HTTP.
//
// # One of them
//
// The router reads the inbox under a name of its own and asks, for each event,
// who owns its channel. It puts the event as a letter into that team's lane of
// an outbox; from then on the event is that team's, also when the channel is
// handed over a moment later. The outbox takes a letter once, whatever the lane,
// so an event that comes again after a crash, when the owner may be another,
// stays where it is.
//
// # In order, at least once
//
// Letters of one conversation are delivered one after the other. One that was
// not accepted is tried again before the next of its conversation goes. A crash
// between the receiver's answer and the note of it makes a letter come again,
// with the same ID.
//
// # When a sink fails
//
// A sink that does not answer, or refuses whatever comes, is left alone for a
// while that grows to five minutes, and as long as it asks; one request at a
// time finds out whether it is back. Letters wait as long as the outbox keeps
// them. Where there is no room for more, those for whom many wait already hear
// nothing new, which is said aloud, so that the others do not wait with them. A
// letter that the sink refuses for what is in it, time
// and again, is set aside, counted and named in the log, so that the next of its
// conversation can go.
package forward

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/webhook"
)

const (
	// consumer is the name under which the router reads the inbox.
	consumer = "forward"
	// lookEvery is how often teams and their sinks are looked at when nothing
	// says that they changed.
	lookEvery = 30 * time.Second
	// lookTimeout bounds one look at one team.
	lookTimeout = 10 * time.Second
	// readAgain is how soon an inbox is read again that could not be.
	readAgain = 10 * time.Second
)

// Events are read from the inbox.
type Events interface {
	Consume(ctx context.Context, name string, filter inbox.Filter, handle inbox.Handle) error
}

// Directory knows who owns a channel, and the sinks of teams. Its methods may be
// called concurrently.
type Directory interface {
	// Owner gives the effective owner of a channel, or nil where there is no
	// channel of that name and UID, or nobody owns it.
	Owner(ctx context.Context, channel types.NamespacedName, uid string) (*Owner, error)
	// Sinks are the names of the teams that have a sink.
	Sinks(ctx context.Context) ([]string, error)
	// Sink reads the sink of a team, with what is in its Secret; nil where it
	// has none. An error that wraps ErrUnusable says what is wrong with it, in
	// words for the team and without anything secret; nothing is sent until that
	// has changed. After any other error things stay as they are.
	Sink(ctx context.Context, team string) (*webhook.Target, error)
}

// ErrUnusable means that a sink is declared and cannot be used as it is: its
// Secret is missing, or does not hold what it should.
var ErrUnusable = errors.New("the event sink cannot be used")

// Owner is who effectively owns a channel.
type Owner struct {
	// Team by its name.
	Team string
	// Sink tells whether it has one.
	Sink bool
	// Channel as it is now.
	Channel Channel
}

// Letter is an event on its way to a sink.
type Letter = inbox.Letter

// Outbox keeps letters durably until they are delivered.
type Outbox interface {
	// Add puts a letter into a lane, once: a letter whose id is there already, in
	// whichever lane, is left as it is. Letters of a lane with the same order are
	// delivered in the order in which they were added.
	Add(ctx context.Context, lane, order, id string, data []byte) error
	// Deliver hands the letters of a lane to handle, which is called for several
	// orders side by side, until the context ends. A letter is done with when
	// handle returns nil, and comes again after an error.
	Deliver(ctx context.Context, lane string, handle func(context.Context, Letter) error) error
	// Waiting tells how many letters of a lane are not done with, and since when
	// the oldest of them is there.
	Waiting(ctx context.Context, lane string) (count int64, oldest time.Time, err error)
	// Lanes are those with letters.
	Lanes(ctx context.Context) ([]string, error)
}

// Sender sends one event once; its errors are *webhook.Failure.
type Sender interface {
	Send(ctx context.Context, target webhook.Target, e webhook.Event) error
}

// Options of a Forwarder. All but Metrics, Logger and the two callbacks are
// required.
type Options struct {
	Events    Events
	Outbox    Outbox
	Directory Directory
	Sender    Sender
	Clock     clock.WithTicker
	Metrics   prometheus.Registerer
	Logger    logr.Logger
	// OnTrouble is called when events of a team cannot be delivered: at once for
	// what somebody has to mend, after a minute for what may pass. It is called
	// again when the problem becomes another, at most once in ten minutes, and
	// OnRecovered when the sink takes events again. Every process calls for
	// itself. Neither may block. The problem holds no secret.
	OnTrouble   func(team, problem string, since time.Time)
	OnRecovered func(team string)
}

// Forwarder routes events into lanes and delivers the letters there. Several
// processes may do so with one inbox.
type Forwarder struct {
	Options

	metrics *metrics
	poked   chan struct{}

	mu    sync.Mutex
	lanes map[string]*lane
	// delivering are the goroutines that deliver.
	delivering sync.WaitGroup
}

// New makes a Forwarder. Start starts it.
func New(o Options) (*Forwarder, error) {
	if o.Events == nil || o.Outbox == nil || o.Directory == nil || o.Sender == nil || o.Clock == nil {
		return nil, errors.New("forwarding events needs an inbox, an outbox, a directory, a sender and a clock")
	}
	if o.Logger.IsZero() {
		o.Logger = logr.Discard()
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(string, string, time.Time) {}
	}
	if o.OnRecovered == nil {
		o.OnRecovered = func(string) {}
	}
	f := &Forwarder{Options: o, metrics: newMetrics(), poked: make(chan struct{}, 1), lanes: map[string]*lane{}}
	if o.Metrics != nil {
		if err := f.metrics.register(o.Metrics); err != nil {
			return nil, fmt.Errorf("metrics of event sinks: %w", err)
		}
	}
	return f, nil
}

// NeedLeaderElection tells a manager that every replica forwards: the inbox
// hands each event, and the outbox each letter, to one of them.
func (*Forwarder) NeedLeaderElection() bool { return false }

// Poke says that a team, its sink or its Secret may have changed. It does not
// block.
func (f *Forwarder) Poke() {
	select {
	case f.poked <- struct{}{}:
	default: // it is about to look anyway
	}
}

// Start implements manager.Runnable: it forwards until the context ends. An
// inbox that cannot be read is tried again and again: it must not stop what
// else the process does.
func (f *Forwarder) Start(ctx context.Context) error {
	routed := make(chan struct{})
	go func() {
		defer close(routed)
		f.read(ctx)
	}()
	f.look(ctx)
	<-routed
	f.delivering.Wait()
	return nil
}

// read routes events until the context ends.
func (f *Forwarder) read(ctx context.Context) {
	for {
		err := f.Events.Consume(ctx, consumer, inbox.Filter{Kinds: kinds()}, f.route)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			f.Logger.Error(err, "events cannot be read from the inbox; teams' sinks hear of them late", "again", readAgain.String())
		}
		if !f.pause(ctx, readAgain) {
			return
		}
	}
}

// look keeps what is delivered in step with the teams until the context ends.
func (f *Forwarder) look(ctx context.Context) {
	ticker := f.Clock.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		f.arrange(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		case <-f.poked:
		}
	}
}

// pause waits, and tells whether the context goes on.
func (f *Forwarder) pause(ctx context.Context, pause time.Duration) bool {
	timer := f.Clock.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return true
	}
}
