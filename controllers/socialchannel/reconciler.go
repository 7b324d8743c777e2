// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package socialchannel keeps a social-media account in the hands of the team
// that its SocialChannel declares: it resolves the owner, holds the claim,
// verifies the identity, and keeps a working credential with the owner and
// with nobody else.
package socialchannel

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/answers"
	"github.com/rostra-dev/rostra/controllers/arrivals"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

// errStale is what a conflict is about when the cache lags behind.
var errStale = errors.New("the cached copy is older than the stored one")

// Config is what a Reconciler works with.
type Config struct {
	// Client reads this group's kinds from the cache.
	Client client.Client
	// Secrets reads and writes Secrets live. It must have no cache at all: one
	// that waits for its own writes would watch every Secret with its content.
	Secrets client.Client
	// Live reads from the API server, past the cache.
	Live client.Reader
	// Metadata reads the metadata of Secrets and Namespaces from the cache.
	Metadata client.Reader
	// Platforms gives the adapter for a server.
	Platforms *platform.Directory
	// Duty tells who is on duty.
	Duty *duty.Book
	// Routes tells who hears of an event.
	Routes *routes.Book
	// Recorder of Events.
	Recorder events.EventRecorder
	// Clock for everything but deadlines.
	Clock clock.PassiveClock
	// Brake bounds how many channels may lose their owner at once.
	Brake ownership.Brake
	// Namespace is Rostra's own, where the Secrets of applications and the
	// records of callbacks are. Empty: there are none.
	Namespace string
	// Gateway is where platforms and people reach Rostra; nil where it was not
	// told.
	Gateway *Gateway
	// Inbox stores the events that were polled; nil where there is none.
	Inbox Inbox
	// Arrivals tells what came into the inbox; nil where nobody reads it.
	Arrivals *arrivals.Board
	// Answers tells how messages are answered; nil where nobody is told.
	Answers *answers.Board
	// Drifts counts subscriptions that were not as declared. Optional.
	Drifts DriftCounter
	// Failures counts the calls to platforms that failed, by class. Optional.
	Failures FailureCounter
}

// Gateway is where platforms and people reach Rostra.
type Gateway struct {
	// BaseURL at which it is reached from outside.
	BaseURL string
	// Key with which callbacks and links are made.
	Key []byte
	// Connects tells that people can connect accounts there: the process that
	// writes credentials serves.
	Connects bool
	// Check asks the gateway, by the way that a platform takes, whether it
	// answers at a callback and knows of a channel the keys with this digest.
	// The error says what it met instead.
	Check func(ctx context.Context, callback, channelUID, digest string) error
}

// Inbox stores events.
type Inbox interface {
	// Put stores events durably before it returns. One that is stored already
	// is a success.
	Put(ctx context.Context, events ...event.Event) error
}

// FailureCounter counts failed calls to platforms.
type FailureCounter interface {
	// Count one failure of a class on a platform type.
	Count(platformType string, class platform.Class)
}

// Reconciler keeps channels in line with their manifests.
type Reconciler struct {
	Config

	secrets *secretstore.Store
	claims  *reservations
	losses  *losses
	pace    *pacer
	feeds   *eventMemory
}

// New makes a reconciler.
func New(config Config) *Reconciler {
	return &Reconciler{
		Config:  config,
		secrets: &secretstore.Store{Client: config.Secrets},
		claims:  newReservations(),
		losses:  newLosses(),
		pace:    newPacer(),
		feeds:   newEventMemory(),
	}
}

// A binding brings one thing in line with the manifest and says so in its
// condition. An error is one of the API server's; what a platform refuses is a
// condition.
type binding func(ctx context.Context, s *scope) error

// bindings in their order: each builds on what those before it found.
func (r *Reconciler) bindings() []binding {
	return []binding{r.bindPlatform, r.bindOwner, r.bindClaim, r.bindIdentity, r.bindCredential, r.bindSubscription, r.bindAuthorization, r.bindCoverage, r.bindEscalation, r.bindInbox}
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	channel := &v1alpha1.SocialChannel{}
	if err := r.Client.Get(ctx, request.NamespacedName, channel); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(request.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	s := r.newScope(channel)
	if err := r.findHold(ctx, s); err != nil {
		return status.Quietly(err)
	}
	switch {
	case !channel.DeletionTimestamp.IsZero():
		return r.release(ctx, s)
	case s.suspended() && !s.hold.Frozen():
		if err := r.exposeSuspended(ctx, s); err != nil {
			return status.Quietly(err)
		}
		s.status.Pause(s.pauseMessage())
		s.putAside()
	default:
		if err := r.bind(ctx, s, r.bindings()); err != nil {
			r.unstored(s)
			if !apierrors.IsConflict(err) {
				err = errors.Join(err, r.dutyAlone(ctx, s))
			}
			return status.Quietly(err)
		}
		s.summarise()
	}
	return r.finish(ctx, s)
}

// unstored makes the platform be asked again about what was learnt in this
// reconcile and could not be stored: it is known to nobody.
func (r *Reconciler) unstored(s *scope) {
	name := client.ObjectKeyFromObject(s.channel)
	if s.asked {
		r.pace.Expire(name)
	}
	r.feeds.looks.Expire(name)
	r.feeds.polls.Expire(name)
}

// putAside says that nobody looks who is on duty, who would be told, and
// whether events come.
func (s *scope) putAside() {
	s.channel.Status.OnCall, s.channel.Status.Coverage, s.channel.Status.Escalation = nil, nil, nil
	s.channel.Status.Authorization = nil
	s.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonSuspended, "the channel is suspended, and nobody looks whether its events come")
	s.status.Unknown(v1alpha1.ConditionCovered, v1alpha1.ReasonSuspended, "the channel is suspended, and nobody looks at its rota")
	s.status.Unknown(v1alpha1.ConditionEscalationRouted, v1alpha1.ReasonSuspended, "the channel is suspended, and nobody looks at its route")
}

// dutyAlone says who is on duty, and who would be told, although something else could not be done:
// people look there first when something is wrong.
func (r *Reconciler) dutyAlone(ctx context.Context, s *scope) error {
	alone := r.newScope(s.before.DeepCopy())
	if err := r.bind(ctx, alone, []binding{r.bindCoverage, r.bindEscalation}); err != nil {
		return err
	}
	return status.Write(ctx, r.Client, alone.before, alone.channel)
}

func (r *Reconciler) bind(ctx context.Context, s *scope, bindings []binding) error {
	for _, bind := range bindings {
		if err := bind(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
