// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
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
)

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
}

// poll is one look for events.
type poll struct {
	*Reconciler
	*scope

	name   types.NamespacedName
	inputs eventInputs
	state  pollState
	kinds  []event.Kind
	// found counts the events of this reconcile, and more tells that there are
	// others.
	found int
	more  bool
}

// bindPoll asks the platform for events, and stores them before it puts on
// record how far it came.
func (r *Reconciler) bindPoll(ctx context.Context, s *scope) error {
	p := &poll{
		Reconciler: r, scope: s, name: client.ObjectKeyFromObject(s.channel), inputs: s.eventInputs(""),
		kinds: subscription.Kinds(s.channel.Spec.Subscription.Events),
	}
	p.state = r.feeds.pollOf(p.name, s.channel.UID, s.now)
	if due, next := r.feeds.polls.Due(p.name, p.inputs, s.now); !due {
		p.judge()
		s.wakeAt(next)
		return nil
	}
	if r.Inbox == nil {
		s.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonInboxUnavailable, "events cannot be stored, so none are fetched: this Rostra has no inbox")
		return nil
	}
	err := p.fetch(ctx)
	r.feeds.keepPoll(p.name, p.state)
	return err
}

func (m *eventMemory) pollOf(channel types.NamespacedName, uid types.UID, now time.Time) pollState {
	m.mu.Lock()
	defer m.mu.Unlock()
	if state, ok := m.polled[channel]; ok && state.uid == uid {
		return state
	}
	return pollState{uid: uid, quietSince: now}
}

func (m *eventMemory) keepPoll(channel types.NamespacedName, state pollState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.polled[channel] = state
}

// judge says whether the last poll still speaks for the present, where the
// platform is not asked now.
func (p *poll) judge() {
	condition := p.status.Get(v1alpha1.ConditionSubscriptionReady)
	switch {
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
		return nil
	}
	if err := p.loadSource(ctx, p.scope); err != nil {
		return p.fails(err)
	}
	cursor := ""
	if recorded := p.channel.Status.Subscription; recorded != nil && recorded.Delivery == v1alpha1.DeliverPoll {
		cursor = recorded.Cursor
	}
	for range maxPages {
		page, err := poller.Poll(ctx, p.account(p.scope), cursor, p.kinds)
		if err != nil {
			return p.fails(err)
		}
		if len(page.Cursor) > maxCursor {
			return p.fails(&platform.Failure{Class: platform.Permanent, Message: fmt.Sprintf("its cursor has more than %d bytes", maxCursor)})
		}
		if err := p.store(ctx, page.Events); err != nil {
			p.cannotStore(err)
			return nil
		}
		cursor, p.more = page.Cursor, page.More
		p.advance(cursor)
		if !p.more {
			break
		}
	}
	p.answered()
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
		e.ReceivedAt = p.now
		stored = append(stored, e.Bounded())
		concerns = concerns || e.Kind.ConcernsOwnership()
	}
	if err := p.Inbox.Put(ctx, stored...); err != nil {
		return err
	}
	p.found += len(stored)
	if concerns {
		p.pace.Expire(p.name)
		p.wakeAt(p.now)
	}
	return nil
}

// advance puts on record how far the events are stored.
func (p *poll) advance(cursor string) {
	recorded := p.channel.Status.Subscription
	if recorded == nil || recorded.Delivery != v1alpha1.DeliverPoll {
		recorded = &v1alpha1.ChannelSubscriptionStatus{Delivery: v1alpha1.DeliverPoll}
		p.channel.Status.Subscription = recorded
	}
	recorded.Cursor, recorded.Events = cursor, subscription.Events(p.kinds)
}

// answered plans the next poll: soon where there is more, else the later the
// longer nothing has happened.
func (p *poll) answered() {
	if p.found > 0 {
		p.state.quietSince = p.now
		p.noteEvent(p.now)
	}
	wait := subscription.PollWait(p.interval(), p.now.Sub(p.state.quietSince))
	p.state.failed = nil
	p.state.current = subscription.PollCurrentUntil(p.now, wait)
	p.feeds.polls.Recovered(p.name)
	next := p.now
	if p.more {
		p.feeds.polls.Expire(p.name)
	} else {
		next = p.feeds.polls.Answered(p.name, p.inputs, p.now, wait)
	}
	p.wakeAt(next)
	p.noteVerified()
	p.say()
}

func (p *poll) interval() time.Duration {
	if interval := p.channel.Spec.Subscription.PollInterval; interval != nil {
		return interval.Duration
	}
	return defaultPollInterval
}

// cannotStore says that events are left at the platform until they can be
// stored.
func (p *poll) cannotStore(err error) {
	if p.status.Get(v1alpha1.ConditionSubscriptionReady).Reason != v1alpha1.ReasonInboxUnavailable {
		p.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonInboxUnavailable, "events cannot be stored, so they are left at the platform: "+err.Error())
	} else {
		p.status.Keep(v1alpha1.ConditionSubscriptionReady)
	}
	p.wakeAt(p.feeds.polls.Failed(p.name, p.inputs, p.now, time.Time{}))
}

// fails says what came of a poll in vain. While the last one that succeeded
// still speaks for the present, one that gave no answer changes nothing.
func (p *poll) fails(err error) error {
	p.state.failed = err
	class := platform.ClassOf(err)
	condition := p.status.Get(v1alpha1.ConditionSubscriptionReady)
	if _, ok := errors.AsType[*platform.Failure](err); ok && class.Passing() && condition.Reason == v1alpha1.ReasonPolled && p.now.Before(p.state.current) {
		if !platform.HeldBack(err) {
			p.count(p.scope, class)
		}
		p.status.Keep(v1alpha1.ConditionSubscriptionReady)
		p.wakeAt(p.state.current)
		p.wakeAt(p.feeds.polls.Failed(p.name, p.inputs, p.now, platform.RetryAt(err)))
		return nil
	}
	return p.subscriptionFails(p.scope, p.feeds.polls, p.inputs, "say what has happened", err)
}
