// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package notices tells managers what they should know of their accounts and
// what can wait: once, together, and in working hours unless the channel's
// route says otherwise.
package notices

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/notice"
	"github.com/rostra-dev/rostra/internal/notify"
)

// Directory tells how a person is told.
type Directory interface {
	// Ways in which somebody is told, in their order.
	Ways(ctx context.Context, who escalation.Person) ([]notify.Notifier, dispatch.Recipient, error)
}

// Reconciler tells the managers of teams.
type Reconciler struct {
	// Client reads this group's kinds from the cache.
	Client client.Reader
	// Duty gives the time zones of rotas.
	Duty *duty.Book
	// Directory tells how a manager is told.
	Directory Directory
	// Memory keeps what was told.
	Memory Memory
	// Clock for hours and records.
	Clock clock.PassiveClock
	// Told counts notices by kind and outcome. Optional.
	Told *prometheus.CounterVec
}

// pending is a notice, and what it is about. One that is Unknown only keeps what
// was told from being forgotten.
type pending struct {
	notice.Notice
	// subject is the channel as namespace/name, or the platform.
	subject string
	// at is when it may be told, and urgent tells that the route said so.
	at     time.Time
	urgent bool
}

// total is how many occurrences its subject has.
func (p *pending) total() int { return len(p.Items) + p.Unlisted }

// Reconcile implements reconcile.Reconciler: a request names a team.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	team := &v1alpha1.Team{}
	if err := r.Client.Get(ctx, request.NamespacedName, team); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	now := r.Clock.Now()
	all, err := r.gather(ctx, team.Name, now)
	if err != nil {
		return reconcile.Result{}, err
	}
	var next time.Time
	var failures []error
	for _, kind := range kinds() {
		again, err := r.serveKind(ctx, team, kind, ofKind(all, kind), now)
		failures = append(failures, err)
		next = earlier(next, again)
	}
	if err := errors.Join(failures...); err != nil {
		return reconcile.Result{}, err
	}
	if next.IsZero() {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{RequeueAfter: max(time.Second, next.Sub(now))}, nil
}

// gather finds all that there is to tell a team's manager.
func (r *Reconciler) gather(ctx context.Context, team string, now time.Time) ([]pending, error) {
	channels := &v1alpha1.SocialChannelList{}
	err := r.Client.List(ctx, channels, client.MatchingFields{socialchannel.OwnerIndex: team},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return nil, err
	}
	var all []pending
	for i := range channels.Items {
		channel := &channels.Items[i]
		for _, found := range notice.OfChannel(channel) {
			if found.Team != team {
				continue
			}
			one := pending{Notice: found, subject: channel.Namespace + "/" + channel.Name}
			if !found.Unknown {
				if one.at, one.urgent, err = r.hours(ctx, channel, now); err != nil {
					return nil, err
				}
			}
			all = append(all, one)
		}
	}
	more, err := r.ofPlatforms(ctx, team, now)
	return append(all, more...), err
}

func (r *Reconciler) ofPlatforms(ctx context.Context, team string, now time.Time) ([]pending, error) {
	platforms := &v1alpha1.SocialPlatformList{}
	if err := r.Client.List(ctx, platforms, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil, err
	}
	var all []pending
	for i := range platforms.Items {
		for _, found := range notice.OfPlatform(&platforms.Items[i]) {
			if found.Team == team {
				all = append(all, pending{Notice: found, subject: platforms.Items[i].Name, at: notice.NextWorking(now, time.UTC)})
			}
		}
	}
	return all, nil
}

// hours says when a channel's notices may be told.
func (r *Reconciler) hours(ctx context.Context, channel *v1alpha1.SocialChannel, now time.Time) (at time.Time, urgent bool, err error) {
	if ref := channel.Spec.EscalationRouteRef; ref != nil {
		route := &v1alpha1.EscalationRoute{}
		err := r.Client.Get(ctx, types.NamespacedName{Namespace: channel.Namespace, Name: ref.Name}, route, client.UnsafeDisableDeepCopy)
		if err != nil && !apierrors.IsNotFound(err) {
			return now, false, err
		}
		if route.Spec.Notices == v1alpha1.NoticesAnytime {
			return now, true, nil
		}
	}
	zone := time.UTC
	if ref := channel.Spec.ResponderRotaRef; ref != nil {
		page, err := r.Duty.Find(ctx, types.NamespacedName{Namespace: channel.Namespace, Name: ref.Name})
		if err != nil {
			return now, false, err
		}
		if page != nil {
			zone = page.Schedule.Location()
		}
	}
	return notice.NextWorking(now, zone), false, nil
}

// kinds are all that there are: of one of which nothing is left, something may
// still be to end.
func kinds() []notice.Kind {
	return []notice.Kind{
		notice.CredentialDue, notice.CredentialDead, notice.CoverageGap, notice.ConsentWanted, notice.HandleDrift, notice.AccountsUnclaimed,
	}
}

// earlier is the first of two instants, of which zero is none.
func earlier(one, other time.Time) time.Time {
	if one.IsZero() || !other.IsZero() && other.Before(one) {
		return other
	}
	return one
}

func ofKind(all []pending, kind notice.Kind) []pending {
	var found []pending
	for i := range all {
		if all[i].Kind == kind {
			found = append(found, all[i])
		}
	}
	return found
}

// serveKind forgets and ends what is over of one kind, tells of what is new, and
// gives when there is to be looked again.
func (r *Reconciler) serveKind(ctx context.Context, team *v1alpha1.Team, kind notice.Kind, all []pending, now time.Time) (time.Time, error) {
	record, err := r.recall(ctx, team, kind)
	if err != nil {
		return time.Time{}, err
	}
	ended, err := r.endOver(ctx, team, kind, record, record.settle(all), now)
	if err != nil || len(all) == 0 {
		return ended, err
	}
	told, err := r.tellKind(ctx, team, kind, record, all, now)
	return earlier(ended, told), err
}

// tellKind tells a team's manager of what is new of one kind, and gives when
// there is to be looked again.
func (r *Reconciler) tellKind(ctx context.Context, team *v1alpha1.Team, kind notice.Kind, record *record, all []pending, now time.Time) (time.Time, error) {
	if record.Until.After(now) {
		return record.Until, nil
	}
	due, next := record.fresh(all, now)
	if len(due) == 0 {
		return next, nil
	}
	// On record before anybody is told, so that a crash tells twice at most.
	if record.Tries == 0 {
		record.Began = now
	}
	record.Tries++
	record.Until = now.Add(pause(record.Tries))
	if err := r.keep(ctx, record); err != nil {
		return time.Time{}, err
	}
	speaksOf := keys(due)
	stands, err := r.tell(ctx, team, compose(team, kind, record.id(speaksOf), due, now), speaksOf)
	if err != nil {
		log.FromContext(ctx).Info("a manager could not be told of what concerns an account, and will be again",
			"team", team.Name, "manager", team.Spec.Manager, "kind", kind, "cause", err.Error(), "next", record.Until.UTC().Format(time.RFC3339))
		r.count(kind, "failed")
		return record.Until, nil
	}
	r.count(kind, "told")
	record.note(due)
	record.noteOpen(stands)
	if slices.ContainsFunc(record.Open, func(one opened) bool { return one.over() }) {
		next = earlier(next, now) // this one took its place
	}
	return next, r.keep(ctx, record)
}

// pause is when a notice is tried again.
func pause(tries int) time.Duration {
	const first, longest = time.Minute, time.Hour
	return min(longest, first<<min(tries-1, 10))
}

func (r *Reconciler) count(kind notice.Kind, outcome string) {
	if r.Told != nil {
		r.Told.WithLabelValues(string(kind), outcome).Inc()
	}
}

// errNoWay: there is nobody to tell, or no way.
var errNoWay = errors.New("the manager has no way to be told: give one in the Team's spec.members[].notify")

// tell tells the manager by the first way that works, and gives what stands there
// until what it speaks of is over; nil where nothing does.
func (r *Reconciler) tell(ctx context.Context, team *v1alpha1.Team, message notify.Message, speaksOf []string) (*opened, error) {
	ways, recipient, err := r.Directory.Ways(ctx, escalation.Person{Team: team.Name, Name: team.Spec.Manager})
	if err != nil {
		return nil, err
	}
	message.Email = recipient.Email
	failures := []error{errNoWay}
	for _, way := range ways {
		asking, cancel := context.WithTimeout(ctx, wayTimeout)
		err := way.Tell(asking, message)
		cancel()
		if _, closes := way.(notify.Closer); err == nil && closes {
			return openedBy(&message, way.Way(), speaksOf), nil
		}
		if err == nil {
			return nil, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", way.Way(), err))
	}
	if len(ways) > 0 {
		failures = failures[1:]
	}
	return nil, errors.Join(failures...)
}

const (
	// wayTimeout bounds one attempt to tell somebody.
	wayTimeout = 15 * time.Second
	// named is how many subjects a notice names.
	named = 10
	// openFor is how long an alert stands that nobody ends.
	openFor = 24 * time.Hour
)

// compose writes the message.
func compose(team *v1alpha1.Team, kind notice.Kind, id string, due []pending, now time.Time) notify.Message {
	message := notify.Message{
		ID: id, Incident: id, Kind: string(kind), Urgency: notify.Low, Title: due[0].Title, At: now, Until: now.Add(openFor),
		Team: team.Name, Member: team.Spec.Manager,
		Labels: labels(team.Name, kind),
	}
	if len(due) > 1 {
		message.Title = kind.Several(len(due))
	}
	for i := range due[:min(len(due), named)] {
		message.Facts = append(message.Facts, notify.Fact{Name: due[i].subject, Value: due[i].Detail})
	}
	if more := len(due) - named; more > 0 {
		message.Facts = append(message.Facts, notify.Fact{Name: "and", Value: fmt.Sprintf("%d more: %s", more, kind.Command())})
	}
	if slices.ContainsFunc(due, func(p pending) bool { return p.urgent }) {
		message.Urgency = notify.High
	}
	return message
}

func labels(team string, kind notice.Kind) map[string]string {
	return map[string]string{"team": team, "kind": string(kind)}
}
