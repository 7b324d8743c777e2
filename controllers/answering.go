// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/answers"
	"github.com/rostra-dev/rostra/controllers/directory"
	"github.com/rostra-dev/rostra/controllers/notices"
	"github.com/rostra-dev/rostra/internal/ack"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/desk"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/forward"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
	"github.com/rostra-dev/rostra/internal/notify"
	"github.com/rostra-dev/rostra/internal/status"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// AnsweringOptions say how people are told, and how they look at what waits.
type AnsweringOptions struct {
	// Outbound is the way out, to those who are told and to teams' own tools.
	Outbound *httpx.Client
	// MailFrom is who mail is from; empty for what each address says.
	MailFrom string
	// DeskAddress, on this machine, serves `rostra inbox`; "" or "0" for not at
	// all.
	DeskAddress string
	// Process names this one among those that share the inbox.
	Process string
}

// Names of what is kept in the inbox.
const (
	conversationsTable = "conversations"
	noticesTable       = "notices"
	sinksOutbox        = "sinks"
)

// openLedger opens the conversations, for a process that shows or changes them.
func openLedger(ctx context.Context, options Options, changed func(channel string)) (*ledger.Ledger, error) {
	table, err := options.Inbox.Table(ctx, inbox.TableOptions{Name: conversationsTable, MaxBytes: conversationsBytes, MaxValue: conversationsValue})
	if err != nil {
		return nil, err
	}
	return ledger.New(ledger.Options{
		Table: table, Clock: ticking(options.Clock), Metrics: metrics.Registry, Logger: ctrllog.Log.WithName("conversations"), OnChange: changed,
	})
}

// ticking is the clock that a manager was given, where it can wake somebody,
// else the machine's.
func ticking(given clock.PassiveClock) clock.WithTicker {
	if able, ok := given.(clock.WithTicker); ok {
		return able
	}
	return clock.RealClock{}
}

// answering is what a manager needs so that somebody answers.
type answering struct {
	ledger *ledger.Ledger
	board  *answers.Board
	table  *inbox.Table
	outbox *inbox.Outbox
}

// openAnswering opens what is kept of conversations; nil where there is no
// inbox, or nobody to tell.
func openAnswering(ctx context.Context, options Options) (*answering, error) {
	if options.Inbox == nil || options.Answering == nil {
		return nil, nil
	}
	a := &answering{}
	var err error
	if a.ledger, err = openLedger(ctx, options, func(channel string) { a.board.Changed(channel) }); err != nil {
		return nil, err
	}
	a.board = answers.NewBoard(a.ledger, options.Clock)
	if a.table, err = options.Inbox.Table(ctx, inbox.TableOptions{Name: noticesTable, MaxBytes: noticesBytes, MaxValue: noticesValue}); err != nil {
		return nil, err
	}
	a.outbox, err = options.Inbox.Outbox(ctx, inbox.OutboxOptions{Name: sinksOutbox, MaxBytes: sinksBytes, LaneLimit: sinkLetters})
	return a, err
}

// answers is what the channels' reconciler shows of conversations; nil where
// there are none.
func (a *answering) answers() *answers.Board {
	if a == nil {
		return nil
	}
	return a.board
}

// pages are those on which people say that they have it; nil where there are
// none.
func (a *answering) pages(h *house) (http.Handler, error) {
	if a == nil {
		return nil, nil
	}
	return acknowledgePages(h.options, h.key, a.ledger, h.mgr.GetLogger())
}

func acknowledgePages(options Options, key []byte, conversations *ledger.Ledger, log logr.Logger) (http.Handler, error) {
	return ack.New(ack.Options{
		Key: key, BaseURL: options.Gateway.BaseURL, Ledger: conversations, Clock: options.Clock, Logger: log.WithName("acknowledge"),
	})
}

// Room for values: a conversation at its limits, and what the manager of a team
// with 5,000 channels was told.
const (
	// New ones have two thirds of it: some 400,000 conversations of one message
	// each. Beyond that those go early that are over.
	conversationsBytes = 1 << 30
	conversationsValue = 128 << 10
	noticesBytes       = 32 << 20
	noticesValue       = 256 << 10
	// What waits for the sinks of teams: one that is down does not take the room
	// of the others.
	sinksBytes  = 512 << 20
	sinkLetters = 20_000
)

// addAnswering lets the manager tell people and forward events. Every replica
// does.
func (h *house) addAnswering(ctx context.Context) error {
	a := h.answering
	if a == nil {
		return nil
	}
	notifiers, err := notify.New(notify.Options{HTTP: h.options.Answering.Outbound, Clock: h.options.Clock, From: h.options.Answering.MailFrom})
	if err != nil {
		return err
	}
	completed, err := registered(metrics.Registry, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rostra_events_completed_total",
		Help: "Events of which the delivery did not tell all and that the platform was to be asked for, by outcome.",
	}, []string{"outcome"}))
	if err != nil {
		return err
	}
	people := &directory.Directory{
		Client: h.mgr.GetClient(), Metadata: h.mgr.GetCache(), Routes: h.routes, Secrets: &secretstore.Store{Client: h.secrets}, Notifiers: notifiers,
		Platforms: h.directory, Namespace: h.options.Namespace, Clock: h.options.Clock, Completed: completed,
		Logger: h.mgr.GetLogger().WithName("directory"),
	}
	told, err := registered(metrics.Registry, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rostra_notices_total",
		Help: "Notices to managers about their accounts, by kind and outcome.",
	}, []string{"kind", "outcome"}))
	if err != nil {
		return err
	}
	return errors.Join(
		h.mgr.Add(a.ledger),
		h.addDispatcher(people),
		h.addForwarder(ctx, people),
		h.addDesk(),
		(&notices.Reconciler{
			Client: h.mgr.GetClient(), Duty: h.duty, Directory: people, Memory: a.table, Clock: h.options.Clock, Told: told,
		}).SetupWithManager(h.mgr, h.settings(1)),
	)
}

func (h *house) addDispatcher(people *directory.Directory) error {
	log := h.mgr.GetLogger().WithName("dispatch")
	dispatcher, err := dispatch.New(dispatch.Options{
		Events: h.options.Inbox, Ledger: h.answering.ledger, Directory: people, Links: h.links(), Tickets: h.tickets(),
		Complete: people.Complete, Clock: ticking(h.options.Clock), Name: h.options.Answering.Process,
		Metrics: metrics.Registry, Logger: log,
	})
	if err != nil {
		return err
	}
	return h.mgr.Add(&tireless{Dispatcher: dispatcher, log: log})
}

// tireless is a dispatcher that starts again when it fails: an inbox that cannot
// be read must not stop what else the operator does.
type tireless struct {
	*dispatch.Dispatcher

	log logr.Logger
}

// readAgain is how soon an inbox is read again that could not be.
const readAgain = 10 * time.Second

// Start implements manager.Runnable.
func (t *tireless) Start(ctx context.Context) error {
	wait.UntilWithContext(ctx, func(ctx context.Context) { //nolint:forbidigo // no work queue stands behind a Runnable
		if err := t.Dispatcher.Start(ctx); err != nil && ctx.Err() == nil {
			t.log.Error(err, "Nobody is told of what comes in until the inbox can be read again")
		}
	}, readAgain)
	return nil
}

// links makes the addresses at which people say that they have it; nil where
// nobody can reach the gateway.
func (h *house) links() dispatch.Links {
	if h.options.Gateway == nil {
		return nil
	}
	return func(id string, episode int, person escalation.Person, expires time.Time) string {
		return ack.URL(h.options.Gateway.BaseURL, h.key, ack.Claim{ID: id, Episode: episode, By: person.String(), Expires: expires})
	}
}

// tickets makes the names by which tools call back; nil where they cannot reach
// the gateway.
func (h *house) tickets() dispatch.Tickets {
	if h.options.Gateway == nil {
		return nil
	}
	return func(id string, episode int, person escalation.Person, turn string) string {
		return ack.Ticket(h.key, ack.Claim{ID: id, Episode: episode, By: person.String()}, turn)
	}
}

func (h *house) addForwarder(ctx context.Context, people *directory.Directory) error {
	recorder := h.mgr.GetEventRecorder("rostra")
	forwarder, err := forward.New(forward.Options{
		Events: h.options.Inbox, Outbox: h.answering.outbox, Directory: people, Clock: ticking(h.options.Clock),
		Sender:  &webhook.Sender{HTTP: h.options.Answering.Outbound, Clock: h.options.Clock},
		Metrics: metrics.Registry, Logger: h.mgr.GetLogger().WithName("forward"),
		OnTrouble: func(team, problem string, since time.Time) {
			sinkEvent(recorder, team, corev1.EventTypeWarning, "EventSinkFailing",
				fmt.Sprintf("since %s, events wait for the team's sink: %s", since.UTC().Format(time.RFC3339), problem))
		},
		OnRecovered: func(team string) {
			sinkEvent(recorder, team, corev1.EventTypeNormal, "EventSinkRecovered", "the team's sink takes events again")
		},
	})
	if err != nil {
		return err
	}
	teams, err := h.mgr.GetCache().GetInformer(ctx, &v1alpha1.Team{})
	if err != nil {
		return err
	}
	changed := func(any) { forwarder.Poke() }
	if _, err := teams.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: changed, DeleteFunc: changed, UpdateFunc: func(_, team any) { changed(team) },
	}); err != nil {
		return err
	}
	return h.mgr.Add(forwarder)
}

// sinkEvent says on a Team how its sink does.
func sinkEvent(recorder events.EventRecorder, team, kind, reason, note string) {
	object := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: team}}
	recorder.Eventf(object, nil, kind, reason, "Forward", "%s", status.Note(note))
}

func (h *house) addDesk() error {
	address := h.options.Answering.DeskAddress
	if address == "" || address == "0" {
		return nil
	}
	log := h.mgr.GetLogger().WithName("desk")
	handler, err := desk.New(desk.Options{Ledger: h.answering.ledger, Clock: h.options.Clock, Logger: log})
	if err != nil {
		return err
	}
	server, err := desk.NewServer(address, handler, log)
	if err != nil {
		return err
	}
	return h.mgr.Add(server)
}
