// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/nats-io/nuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
	"github.com/rostra-dev/rostra/internal/notify"
)

const (
	// Consumer is the name under which events are consumed.
	Consumer = "conversations"
	// LinkFor is how long a link to acknowledge is good.
	LinkFor = 24 * time.Hour

	// workers tell side by side, and gatherers tell of many at once.
	workers   = 32
	gatherers = 4
	// wayTimeout bounds one try of one way, and turnTimeout all that is closed at
	// once, so that it ends before the claim does.
	wayTimeout  = 15 * time.Second
	turnTimeout = conversation.ClaimFor - writeTimeout
	// writeTimeout bounds the write of an outcome, also while the process stops.
	writeTimeout = 10 * time.Second
	// again is how soon a conversation is looked at again that could not be read
	// or written, and soon the same where another process was faster.
	again = 5 * time.Second
	soon  = 250 * time.Millisecond
	// atOnce is how many conversations are taken from the index at once.
	atOnce = 64
	// maxWaiting is how many conversations of a channel may wait.
	maxWaiting = 50_000
)

// Events hands out events; *inbox.Inbox does.
type Events interface {
	Consume(ctx context.Context, name string, filter inbox.Filter, handle inbox.Handle) error
}

// Directory knows what is declared. It is asked again for every turn.
type Directory interface {
	// Channel gives a channel; nil where it is gone, or is another of that name.
	// An error is one that may mend itself.
	Channel(ctx context.Context, name types.NamespacedName, uid string) (*Channel, error)
	// Ways gives how a person can be told, in the order in which it is to be
	// tried; none where they cannot be. An error is one that may mend itself.
	Ways(ctx context.Context, who escalation.Person) ([]notify.Notifier, Recipient, error)
}

// Recipient is what is known of a person who is told.
type Recipient struct {
	// Email is their address; may be empty.
	Email string
}

// Channel is what holds of a channel now.
type Channel struct {
	// Escalation is what rules know of it.
	Escalation escalation.Channel
	// UID of the SocialChannel, the platform's type, and the handle.
	UID, Platform, Handle string
	// Manager of the effective owner; zero where there is none.
	Manager escalation.Person
	// Target within which a first response is promised; zero for none.
	Target time.Duration
	// RouteName and Route by which people are told; empty and nil for none. A name
	// without a route is of one that is not there.
	RouteName string
	Route     *escalation.Route
	// Sources tell who is there.
	Sources *escalation.Sources
	// Excerpt tells that the beginning of a public post may be sent along.
	Excerpt bool
}

// Links makes the URL at which a person acknowledges an episode of a
// conversation; empty where there is none.
type Links = func(id string, episode int, person escalation.Person, expires time.Time) string

// Tickets names what a person is told in a turn of an episode of a conversation
// for a tool that calls back when they acknowledge there; always the same, and
// empty where there is none.
type Tickets = func(id string, episode int, person escalation.Person, turn string) string

// Options of a Dispatcher.
type Options struct {
	Events    Events
	Ledger    *ledger.Ledger
	Directory Directory
	// Links and Tickets are optional.
	Links   Links
	Tickets Tickets
	// Complete asks the platform for what the delivery of a message did not tell,
	// such as where to see it; and gives the event as it was where it cannot.
	// Optional.
	Complete func(ctx context.Context, e event.Event) event.Event
	// Clock. Default: the machine's.
	Clock clock.WithTicker
	// Name of the process, the same after a restart where possible, and unlike
	// that of every other that runs. Default: a random one.
	Name string
	// Metrics takes the metrics. Optional.
	Metrics prometheus.Registerer
	// Logger for what a person should know of. The zero Logger discards.
	Logger logr.Logger
}

// Dispatcher finds somebody who answers. It is a manager's Runnable of every
// replica.
type Dispatcher struct {
	events    Events
	ledger    *ledger.Ledger
	directory Directory
	links     Links
	tickets   Tickets
	complete  func(context.Context, event.Event) event.Event
	clock     clock.WithTicker
	log       logr.Logger
	metrics   *metrics
	// name of the process, and by that of this run of it, in claims.
	name, by string

	floods *floods
	slots  chan struct{}
	crowds chan struct{}
	// ready are crowds that wait for one of those slots. Only begin uses it.
	ready []*crowd
	// closers are slots of those who close.
	closers chan struct{}
	tasks   sync.WaitGroup
	// nudge has room for one: something is due earlier than it was.
	nudge chan struct{}

	// limit is maxWaiting.
	limit  int
	quiet  *quiet
	away   *away
	doubts *doubts

	mu sync.Mutex
	// looked is when it was last looked whether a flood is over, by the key of its
	// row.
	looked map[string]time.Time
	// gathering are the rows of the gatherings that this process is at.
	gathering map[string]struct{}
}

// New makes a Dispatcher.
func New(o Options) (*Dispatcher, error) {
	switch {
	case o.Events == nil || o.Ledger == nil || o.Directory == nil:
		return nil, errors.New("a dispatcher needs events, a ledger and a directory")
	case strings.Contains(o.Name, "/"):
		return nil, errors.New("the name of a process has no slash")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Name == "" {
		o.Name = nuid.Next()
	}
	if o.Logger.IsZero() {
		o.Logger = logr.Discard()
	}
	if o.Links == nil {
		o.Links = func(string, int, escalation.Person, time.Time) string { return "" }
	}
	if o.Tickets == nil {
		o.Tickets = func(string, int, escalation.Person, string) string { return "" }
	}
	d := &Dispatcher{
		events: o.Events, ledger: o.Ledger, directory: o.Directory, links: o.Links, tickets: o.Tickets, complete: o.Complete, clock: o.Clock, log: o.Logger,
		metrics: newMetrics(), name: o.Name, by: o.Name + "/" + nuid.Next(),
		floods: newFloods(), slots: make(chan struct{}, workers), crowds: make(chan struct{}, gatherers), closers: make(chan struct{}, closers),
		nudge: make(chan struct{}, 1), looked: map[string]time.Time{}, gathering: map[string]struct{}{}, limit: maxWaiting, quiet: newQuiet(), away: &away{}, doubts: newDoubts(),
	}
	if o.Metrics != nil {
		if err := d.metrics.register(o.Metrics); err != nil {
			return nil, fmt.Errorf("registering the dispatcher's metrics: %w", err)
		}
	}
	return d, nil
}

// NeedLeaderElection tells a manager that every replica dispatches.
func (*Dispatcher) NeedLeaderElection() bool { return false }

// Start handles events and takes turns until the context ends. The ledger must be
// followed meanwhile.
func (d *Dispatcher) Start(ctx context.Context) error {
	select {
	case <-d.ledger.InSync():
	case <-ctx.Done():
		return nil
	}
	d.resume()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		// Of all kinds: the few that are not for conversations cost less than the
		// search of a filter by kinds, which was measured to take a third of all.
		return d.events.Consume(ctx, Consumer, inbox.Filter{}, d.handle)
	})
	group.Go(func() error {
		d.run(ctx)
		return nil
	})
	err := group.Wait()
	d.tasks.Wait()
	return err
}

// resume takes over what this process had begun when it ended.
func (d *Dispatcher) resume() {
	now := d.clock.Now()
	for _, id := range d.ledger.Claimed(d.former) {
		d.ledger.Prompt(id, now)
	}
}

// former tells whether a claim is of an earlier run of this process.
func (d *Dispatcher) former(by string) bool {
	return by != d.by && strings.HasPrefix(by, d.name+"/")
}

// run takes turns when they are due.
func (d *Dispatcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		next := d.begin(ctx)
		var due <-chan time.Time
		var timer clock.Timer
		if !next.IsZero() {
			wait := next.Sub(d.clock.Now())
			if wait <= 0 {
				continue
			}
			timer = d.clock.NewTimer(wait)
			due = timer.C()
		}
		select {
		case <-ctx.Done():
		case <-due:
		case <-d.ledger.Woken():
		case <-d.nudge:
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// begin begins everything that is due, and gives when the next is; zero for
// never. It waits where all workers are busy.
func (d *Dispatcher) begin(ctx context.Context) time.Time {
	for {
		now := d.clock.Now()
		if until := d.away.until(now); !until.IsZero() {
			return until
		}
		crowds, gather := d.floods.ready(now)
		d.ready = append(d.ready, crowds...)
		d.startGathering(ctx)
		ids, next := d.ledger.TakeDue(now, atOnce)
		full := len(ids) == atOnce
		doubtful, look := d.doubts.ready(now)
		ids = append(ids, doubtful...)
		for n, id := range ids {
			if !d.away.until(d.clock.Now()).IsZero() || !d.start(ctx, func() { d.attend(ctx, id, false) }) {
				d.leave(ids[n:], now)
				break
			}
		}
		if ctx.Err() != nil {
			return time.Time{}
		}
		if full || len(crowds) > 0 {
			continue
		}
		return earliest(earliest(next, gather), earliest(look, d.closeFloods(ctx, now)))
	}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// start runs a task when a worker is free; false where the context ended first.
func (d *Dispatcher) start(ctx context.Context, task func()) bool {
	if ctx.Err() != nil {
		return false // also where there is a slot
	}
	select {
	case d.slots <- struct{}{}:
		d.spawn(d.slots, task)
		return true
	case <-ctx.Done():
		return false
	}
}

// startGathering gathers the crowds that are ready, as far as there are slots. It
// waits for none: whoever gathers behind a receiver that hangs would keep
// everybody else's turn from being taken.
func (d *Dispatcher) startGathering(ctx context.Context) {
	for len(d.ready) > 0 && reserve(d.crowds) {
		c := d.ready[0]
		d.ready = d.ready[1:]
		d.tasks.Go(func() {
			defer d.hurry() // the next may begin
			defer func() { <-d.crowds }()
			d.gather(ctx, c)
		})
	}
}

// reserve takes a slot if there is one.
func reserve(slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// spawn runs a task that has a slot, and frees it.
func (d *Dispatcher) spawn(slots chan struct{}, task func()) {
	d.tasks.Go(func() {
		defer func() { <-slots }()
		task()
	})
}

// hurry makes run look again.
func (d *Dispatcher) hurry() {
	select {
	case d.nudge <- struct{}{}:
	default:
	}
}

// channelName reads namespace/name.
func channelName(name string) types.NamespacedName {
	namespace, name, _ := strings.Cut(name, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}
