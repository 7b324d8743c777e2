// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/pace"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/subscription"
)

const (
	// maxPages bounds what is fetched in one reconcile; the next goes on.
	maxPages = 5
	// maxCursor bounds a cursor in bytes; see the schema.
	maxCursor = 4096
	// defaultPollInterval stands where a channel was made without its default.
	defaultPollInterval = time.Minute
	// emptyPageWait is how long a platform is left alone that had none of the
	// events and says that there is more.
	emptyPageWait = time.Second
)

var (
	errNoInbox = errors.New("this Rostra has no inbox")
	errMore    = errors.New("there is more of it than one look gives")
)

// storeError is why the inbox did not take events.
type storeError struct{ error }

func (e storeError) Unwrap() error { return e.error }

// errNotAnswered is what is known where no poll was answered for a while.
var errNotAnswered = errors.New("no poll was answered for three intervals")

// pollState is what this process knows of an account's polls.
type pollState struct {
	uid types.UID
	// quietSince is since when nothing has happened, as far as this process
	// knows.
	quietSince time.Time
	// current is until when the last poll that succeeded speaks for the present.
	current time.Time
	// failed is why the polls since then were in vain; nil for nothing.
	failed error
	// began is the cursor of a first poll until it is seen on record; empty for
	// none.
	began string
	// asked is when the platform was asked last; zero for never.
	asked time.Time
}

// pollMemory is what this process knows of the polls of one sort: when each
// channel is due, and how its polls went.
type pollMemory struct {
	*pace.Pacer[eventInputs]

	mu     sync.Mutex
	states map[types.NamespacedName]pollState
}

func newPollMemory() *pollMemory {
	return &pollMemory{Pacer: pace.New[eventInputs](), states: map[types.NamespacedName]pollState{}}
}

func (m *pollMemory) of(channel types.NamespacedName, uid types.UID, now time.Time) pollState {
	m.mu.Lock()
	defer m.mu.Unlock()
	if state, ok := m.states[channel]; ok && state.uid == uid {
		return state
	}
	return pollState{uid: uid, quietSince: now}
}

func (m *pollMemory) keep(channel types.NamespacedName, state pollState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states[channel] = state
}

// drop forgets the polls of a channel that is polled no more.
func (m *pollMemory) drop(channel types.NamespacedName) {
	m.Forget(channel)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.states, channel)
}

// poll is one look for events.
type poll struct {
	*Reconciler
	*scope

	name   types.NamespacedName
	inputs eventInputs
	// memory that the poll is kept in; that of own posts where it is beside the
	// events.
	memory *pollMemory
	state  pollState
	kinds  []event.Kind
	// found counts the events of this reconcile, and more tells that there are
	// others.
	found int
	more  bool
}

func (r *Reconciler) newPoll(s *scope, registration string, kinds []event.Kind) *poll {
	return r.newPollIn(r.feeds.polls, s, registration, kinds)
}

func (r *Reconciler) newPollIn(memory *pollMemory, s *scope, registration string, kinds []event.Kind) *poll {
	name := client.ObjectKeyFromObject(s.channel)
	return &poll{
		Reconciler: r, scope: s, name: name, inputs: s.eventInputs(registration), kinds: kinds,
		memory: memory, state: memory.of(name, s.channel.UID, s.now),
	}
}

// besides tells whether the poll is for own posts beside the events.
func (p *poll) besides() bool { return p.memory == p.feeds.ownPosts }

// bindPoll asks the platform for events, and stores them before it puts on
// record how far it came.
func (r *Reconciler) bindPoll(ctx context.Context, s *scope) error {
	p := r.newPoll(s, "", subscription.Kinds(s.channel.Spec.Subscription.Events))
	p.rememberBeginning()
	defer func() { p.memory.keep(p.name, p.state) }()
	if due, next := p.memory.Due(p.name, p.inputs, s.now); !due {
		p.judge()
		s.wakeAt(next)
		return nil
	}
	if r.Inbox == nil {
		s.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonInboxUnavailable, "events cannot be stored, so none are fetched: "+errNoInbox.Error())
		return nil
	}
	err := p.fetch(ctx)
	if err == nil {
		p.answered()
		return nil
	}
	p.state.failed = err
	if refused, ok := errors.AsType[storeError](err); ok {
		p.cannotStore(refused)
		return nil
	}
	return p.fails(err)
}

// rememberBeginning puts on record where the first poll began, if that could
// not be done then.
func (p *poll) rememberBeginning() {
	switch {
	case p.state.began == "":
	case p.cursor() != "":
		p.state.began = ""
	default:
		p.advance(p.state.began)
	}
}

// aside asks the platform for events that are to come another way, or are to
// come this way alone when that other way is ended. What the condition says is
// not its business. It tells whether everything until now is stored.
func (p *poll) aside(ctx context.Context) (complete bool, err error) {
	if due, next := p.memory.Due(p.name, p.inputs, p.now); !due {
		p.wakeAt(next)
		return false, nil
	}
	failure := p.fetch(ctx)
	p.state.failed = failure
	if failure == nil {
		p.plan()
	} else {
		err = p.putOff(failure)
	}
	p.memory.keep(p.name, p.state)
	return failure == nil && !p.more, err
}

// putOff plans the next try after a poll in vain of which the condition says
// nothing. Trouble with the API server is given back.
func (p *poll) putOff(err error) error {
	failure, ok := errors.AsType[*platform.Failure](err)
	_, unstored := errors.AsType[storeError](err)
	switch {
	case errors.Is(err, platform.ErrSessionConflict):
		p.wakeAt(p.now.Add(sessionRetry))
	case unstored:
		p.wakeAt(p.memory.Failed(p.name, p.inputs, p.now, time.Time{}))
	case sourceReason(err) != "":
		// The identity says what is wrong with it, and is looked at again.
	case !ok:
		return err
	case failure.HeldBack:
		p.wakeAt(p.memory.Failed(p.name, p.inputs, p.now, failure.RetryAt))
	case failure.Class.Passing():
		p.count(p.scope, failure.Class)
		p.wakeAt(p.memory.Failed(p.name, p.inputs, p.now, failure.RetryAt))
	default:
		p.count(p.scope, failure.Class)
		p.wakeAt(p.memory.Answered(p.name, p.inputs, p.now, p.probeInterval()))
		p.suspect(p.scope, failure.Class)
	}
	return nil
}

// catchUp goes on with the polls of a channel whose events are to be pushed
// from now on, until they are: the cursor stays on record until the
// subscription is registered and everything from before is stored.
func (r *Reconciler) catchUp(ctx context.Context, s *scope) error {
	recorded, name := s.channel.Status.Subscription, client.ObjectKeyFromObject(s.channel)
	if recorded == nil || recorded.Cursor == "" {
		r.feeds.polls.drop(name)
		return nil
	}
	p := r.newPoll(s, recorded.Registration, s.pollable())
	complete := len(p.kinds) == 0
	if !complete {
		var err error
		if complete, err = p.aside(ctx); err != nil {
			return err
		}
	}
	switch {
	case !s.arrives():
		return nil
	case !complete:
		p.sayBehind()
		return nil
	}
	recorded.Delivery, recorded.Cursor = v1alpha1.DeliverPush, ""
	r.feeds.polls.drop(name)
	if s.status.Get(v1alpha1.ConditionSubscriptionReady).Reason == v1alpha1.ReasonProgressing {
		r.feeds.looks.Expire(name)
		s.wakeAt(s.now)
	}
	return nil
}

// pollable are the kinds of the channel's events that the platform can be asked
// for.
func (s *scope) pollable() []event.Kind {
	poller, ok := s.adapter.(platform.Poller)
	if !ok {
		return nil
	}
	polls := poller.Polls()
	return slices.DeleteFunc(subscription.Kinds(s.channel.Spec.Subscription.Events), func(kind event.Kind) bool { return !slices.Contains(polls, kind) })
}

// arrives tells whether events are pushed: the subscription is registered or,
// where somebody else keeps it, was found in order.
func (s *scope) arrives() bool {
	if !s.observes() {
		return s.channel.Status.Subscription.Registration != ""
	}
	condition := s.status.Get(v1alpha1.ConditionSubscriptionReady)
	return condition.Status == metav1.ConditionTrue || condition.Reason == v1alpha1.ReasonProgressing
}

// sayBehind says that what happened before the subscription was registered is
// not stored yet, unless there is worse to be said.
func (p *poll) sayBehind() {
	condition := p.status.Get(v1alpha1.ConditionSubscriptionReady)
	why := p.state.failed
	if why == nil && p.more {
		why = errMore
	}
	if condition.Status == metav1.ConditionTrue || condition.Reason == v1alpha1.ReasonProgressing && why != nil {
		p.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonProgressing,
			fmt.Sprintf("events are sent to Rostra, and what happened before is still to be fetched: %s", cmp.Or(why, errNotAnswered)))
	}
}

// judge says whether the last poll still speaks for the present, where the
// platform is not asked now.
func (p *poll) judge() {
	condition := p.status.Get(v1alpha1.ConditionSubscriptionReady)
	switch {
	case p.state.failed == nil && p.now.Before(p.state.current):
		p.wakeAt(p.state.current)
		p.say()
		return
	case condition.Status == metav1.ConditionTrue && condition.Reason == v1alpha1.ReasonPolled && p.now.Before(p.state.current):
		p.wakeAt(p.state.current)
	case condition.Status == metav1.ConditionTrue:
		p.doubt(v1alpha1.ConditionSubscriptionReady, cmp.Or(p.state.failed, errNotAnswered))
		return
	case condition.Reason == v1alpha1.ReasonWaiting || condition.Reason == v1alpha1.ReasonSuspended:
		// The account is verified again, and the last poll may still count.
		if p.now.Before(p.state.current) {
			p.say()
			return
		}
	}
	p.status.Keep(v1alpha1.ConditionSubscriptionReady)
}

func (p *poll) say() {
	p.status.True(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonPolled, subscription.SaysPolled(p.kinds))
}

// fetch asks for what has happened since the cursor, page by page.
func (p *poll) fetch(ctx context.Context) error {
	poller, ok := p.adapter.(platform.Poller)
	if !ok {
		return &platform.Failure{Class: platform.Permanent, Message: "this platform cannot be asked for events"}
	}
	if p.Inbox == nil {
		return storeError{errNoInbox}
	}
	if err := p.loadSource(ctx, p.scope); err != nil {
		return err
	}
	cursor := p.cursor()
	begins := cursor == ""
	p.state.asked = p.now
	for range maxPages {
		page, err := poller.Poll(ctx, p.account(p.scope), cursor, p.kinds)
		if err != nil {
			return err
		}
		if len(page.Cursor) > maxCursor {
			return &platform.Failure{Class: platform.Permanent, Message: fmt.Sprintf("its cursor has more than %d bytes", maxCursor)}
		}
		if err := p.store(ctx, page.Events); err != nil {
			return err
		}
		cursor, p.more = page.Cursor, page.More
		p.advance(cursor)
		if begins {
			p.state.began = cursor
		}
		if !p.more {
			break
		}
	}
	return nil
}

// store puts events into the inbox, durably. What concerns the account itself
// is looked into at once.
func (p *poll) store(ctx context.Context, events []event.Event) error {
	if len(events) == 0 {
		return nil
	}
	stored := make([]event.Event, 0, len(events))
	concerns := false
	for _, e := range events {
		e.Platform, e.AccountID = string(p.social.Spec.Type), p.channel.Status.Account.ID
		e.Channel, e.ChannelUID = p.name.String(), string(p.channel.UID)
		// What it came in stands for an event without an ID; its place on a page
		// does not, which is another with the next cursor.
		content, err := json.Marshal(e.Bounded())
		if err != nil {
			return storeError{err}
		}
		e.ReceivedAt = p.now
		stored = append(stored, e.Completed(content, 0))
		concerns = concerns || e.Kind.ConcernsOwnership()
	}
	if err := p.Inbox.Put(ctx, stored...); err != nil {
		return storeError{err}
	}
	p.found += len(stored)
	if concerns {
		p.pace.Expire(p.name)
		p.wakeAt(p.now)
	}
	return nil
}

// cursor is how far the events are stored; empty where none is on record.
func (p *poll) cursor() string {
	recorded := p.channel.Status.Subscription
	switch {
	case recorded == nil:
		return ""
	case !p.besides():
		return recorded.Cursor
	case recorded.OwnPosts != nil:
		return recorded.OwnPosts.Cursor
	}
	return ""
}

// advance puts on record how far the events are stored. A subscription that is
// on record stays there until it is ended.
func (p *poll) advance(cursor string) {
	recorded := p.channel.Status.Subscription
	if p.besides() {
		p.advanceOwnPosts(cursor)
		return
	}
	if recorded == nil || recorded.Delivery != v1alpha1.DeliverPoll && !p.pushed() {
		fresh := &v1alpha1.ChannelSubscriptionStatus{Delivery: v1alpha1.DeliverPoll}
		if recorded != nil {
			fresh.OwnPosts = recorded.OwnPosts
		}
		recorded = fresh
		p.channel.Status.Subscription = recorded
	}
	recorded.Cursor = cursor
	if recorded.Delivery == v1alpha1.DeliverPoll {
		recorded.Events = subscription.Events(p.kinds)
	}
}

// advanceOwnPosts puts on record how far own posts are stored.
func (p *poll) advanceOwnPosts(cursor string) {
	recorded := p.channel.Status.Subscription
	switch {
	case cursor == "": // the next poll begins anew
	case recorded.OwnPosts == nil:
		recorded.OwnPosts = &v1alpha1.ChannelOwnPosts{Cursor: cursor}
	default:
		recorded.OwnPosts.Cursor = cursor
	}
}

// answered plans the next poll, and says that events come.
func (p *poll) answered() {
	p.state.failed = nil
	p.plan()
	p.noteVerified()
	p.say()
}

// plan sets the next poll: soon where there is more, else the later the longer
// nothing has happened.
func (p *poll) plan() {
	if p.found > 0 {
		p.state.quietSince = p.now
		p.noteEvent(p.now)
	}
	wait := subscription.PollWait(p.interval(), p.now.Sub(p.livelyAt()))
	p.state.current = subscription.PollCurrentUntil(p.now, wait)
	p.memory.Recovered(p.name)
	switch {
	case !p.more:
		p.wakeAt(p.memory.Answered(p.name, p.inputs, p.now, wait))
	case p.found == 0:
		p.wakeAt(p.memory.Answered(p.name, p.inputs, p.now, emptyPageWait))
	default:
		p.memory.Expire(p.name)
		p.wakeAt(p.now)
	}
}

// livelyAt is when something happened last that makes more likely. Own posts
// answer what others write, so that they are asked for the more often the
// fresher that is.
func (p *poll) livelyAt() time.Time {
	if arrived := p.arrivedAt(); p.besides() && arrived.After(p.state.quietSince) {
		return arrived
	}
	return p.state.quietSince
}

// arrivedAt is when the channel's last event came; zero where none is known.
func (p *poll) arrivedAt() time.Time {
	if p.Arrivals == nil {
		return time.Time{}
	}
	return p.Arrivals.Last(p.name, p.channel.UID)
}

func (p *poll) interval() time.Duration {
	if interval := p.channel.Spec.Subscription.PollInterval; interval != nil {
		return interval.Duration
	}
	return defaultPollInterval
}

// cannotStore says that events are left at the platform until they can be
// stored.
func (p *poll) cannotStore(err storeError) {
	if p.status.Get(v1alpha1.ConditionSubscriptionReady).Reason != v1alpha1.ReasonInboxUnavailable {
		p.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonInboxUnavailable, "events cannot be stored, so they are left at the platform: "+err.Error())
	} else {
		p.status.Keep(v1alpha1.ConditionSubscriptionReady)
	}
	p.wakeAt(p.memory.Failed(p.name, p.inputs, p.now, time.Time{}))
}

// fails says what came of a poll in vain. While the last one that succeeded
// still speaks for the present, one that gave no answer changes nothing.
func (p *poll) fails(err error) error {
	class := platform.ClassOf(err)
	condition := p.status.Get(v1alpha1.ConditionSubscriptionReady)
	if _, ok := errors.AsType[*platform.Failure](err); ok && class.Passing() && condition.Reason == v1alpha1.ReasonPolled && p.now.Before(p.state.current) {
		if !platform.HeldBack(err) {
			p.count(p.scope, class)
		}
		p.status.Keep(v1alpha1.ConditionSubscriptionReady)
		p.wakeAt(p.state.current)
		p.wakeAt(p.memory.Failed(p.name, p.inputs, p.now, platform.RetryAt(err)))
		return nil
	}
	return p.subscriptionFails(p.scope, p.memory.Pacer, p.inputs, "say what has happened", err)
}
