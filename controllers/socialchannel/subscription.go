// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/pace"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/subscription"
)

// lastEventEvery is how often the time of the last event is noted.
const lastEventEvery = time.Minute

// DriftCounter counts subscriptions that were not as declared.
type DriftCounter interface {
	// CountDrift counts one on a platform type.
	CountDrift(platformType string)
}

// eventMemory is what this process knows of how events come. It survives no
// restart; what must is on record.
type eventMemory struct {
	// looks decides when a platform is asked about a subscription.
	looks *pace.Pacer[eventInputs]
	// polls are those of a channel's events, and ownPosts those of the account's
	// own posts beside them.
	polls, ownPosts *pollMemory

	mu    sync.Mutex
	hooks map[types.NamespacedName]hookView
}

// eventInputs are what an answer about events depends on.
type eventInputs struct {
	uid        types.UID
	generation int64
	// registration on record; empty while one is under way.
	registration string
}

func newEventMemory() *eventMemory {
	return &eventMemory{
		looks: pace.New[eventInputs](), polls: newPollMemory(), ownPosts: newPollMemory(),
		hooks: map[types.NamespacedName]hookView{},
	}
}

func (m *eventMemory) view(channel types.NamespacedName) (hookView, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	view, ok := m.hooks[channel]
	return view, ok
}

func (m *eventMemory) remember(channel types.NamespacedName, view hookView) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hooks[channel] = view
}

func (m *eventMemory) forgetView(channel types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.hooks, channel)
}

// forget drops what is known of a channel.
func (m *eventMemory) forget(channel types.NamespacedName) {
	m.looks.Forget(channel)
	m.polls.drop(channel)
	m.ownPosts.drop(channel)
	m.forgetView(channel)
}

// forgetEvents drops what is known of how a channel's events come.
func (r *Reconciler) forgetEvents(channel types.NamespacedName) {
	r.feeds.forget(channel)
	if r.Arrivals != nil {
		r.Arrivals.Forget(channel)
	}
}

// LookNow makes a channel's next reconcile ask the platform whose account it
// is: something came in that may have changed it. Where the platform asked to
// be left alone, it still is.
func (r *Reconciler) LookNow(channel types.NamespacedName) { r.pace.Expire(channel) }

// bindSubscription makes the events that the channel subscribes to reach
// Rostra. Whose channel it is does not matter, and no freeze stops them.
func (r *Reconciler) bindSubscription(ctx context.Context, s *scope) error {
	declared := s.channel.Spec.Subscription
	if r.Arrivals != nil {
		s.noteEvent(r.Arrivals.Last(client.ObjectKeyFromObject(s.channel), s.channel.UID))
	}
	switch {
	case s.suspended():
		s.status.Keep(v1alpha1.ConditionSubscriptionReady)
		return nil
	case declared == nil:
		return r.subscribeNothing(ctx, s)
	case !s.canSubscribe():
		s.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonWaiting, "waits for IdentityVerified")
		return nil
	}
	plan := subscription.Arrange(r.offer(s), subscription.Want{
		Events: subscription.Kinds(declared.Events), Delivery: declared.Delivery, Answers: s.channel.Spec.EscalationRouteRef != nil,
	})
	if plan.Delivery == "" {
		s.status.False(v1alpha1.ConditionSubscriptionReady, plan.Reason, plan.Message)
		return nil
	}
	if plan.Aside {
		s.partOwnPosts()
	}
	if err := r.bindDelivery(ctx, s, plan); err != nil {
		return err
	}
	return r.bindOwnPosts(ctx, s, plan)
}

// bindDelivery makes the events reach Rostra in the way that is planned.
func (r *Reconciler) bindDelivery(ctx context.Context, s *scope, plan subscription.Plan) error {
	if plan.Delivery == v1alpha1.DeliverPush {
		return r.bindPush(ctx, s, plan)
	}
	return r.pollInstead(ctx, s)
}

// pollInstead polls, and ends a subscription by which events were pushed before
// as soon as it is on record from where the polls go on. With Observe it is left
// as it is.
func (r *Reconciler) pollInstead(ctx context.Context, s *scope) error {
	if !s.pushed() || s.observes() {
		return r.bindPoll(ctx, s)
	}
	if s.before.Status.Subscription.Cursor == "" {
		err := r.bindPoll(ctx, s)
		if s.channel.Status.Subscription.Cursor != "" {
			s.wakeAt(s.now)
		}
		return err
	}
	ended, err := r.endPushed(ctx, s)
	switch {
	case err != nil:
		return err
	case !ended:
		_, err := r.newPoll(s, "", s.pollable()).aside(ctx)
		return err
	}
	recorded := s.channel.Status.Subscription
	s.channel.Status.Subscription = &v1alpha1.ChannelSubscriptionStatus{
		Delivery: v1alpha1.DeliverPoll, Cursor: recorded.Cursor, LastEvent: recorded.LastEvent, LastVerified: recorded.LastVerified,
		Events: subscription.Events(s.pollable()), OwnPosts: recorded.OwnPosts,
	}
	r.feeds.looks.Forget(client.ObjectKeyFromObject(s.channel))
	return r.bindPoll(ctx, s)
}

// canSubscribe tells whether it is certain whose account it is, and that it is
// this channel's.
func (s *scope) canSubscribe() bool { return s.adapter != nil && s.claimed && s.verified() }

// pushed tells whether there may be a subscription of Rostra's at the platform.
// One that was only observed has no callback on record, unless it is Rostra's.
func (s *scope) pushed() bool {
	recorded := s.channel.Status.Subscription
	return recorded != nil && recorded.Delivery == v1alpha1.DeliverPush && recorded.Callback != ""
}

// offer is what can be had of the channel's platform.
func (r *Reconciler) offer(s *scope) subscription.Offer {
	offer := subscription.Offer{Gateway: r.Gateway != nil && r.Namespace != ""}
	if subscriber, ok := pushing(s.adapter); ok {
		offer.Pushes = subscriber.Pushes()
	}
	if poller, ok := s.adapter.(platform.Poller); ok {
		offer.Polls = poller.Polls()
	}
	return offer
}

// pushing gives the port of a platform that pushes events, and whose deliveries
// the gateway understands.
func pushing(adapter platform.Platform) (platform.Subscriber, bool) {
	subscriber, subscribes := adapter.(platform.Subscriber)
	_, receives := adapter.(platform.Receiver)
	return subscriber, subscribes && receives
}

// subscribeNothing ends what there is of a subscription that was taken out of
// the manifest.
func (r *Reconciler) subscribeNothing(ctx context.Context, s *scope) error {
	recorded := s.channel.Status.Subscription
	switch {
	case recorded == nil:
		if err := r.dropHook(ctx, s); err != nil {
			return err
		}
	case s.observes():
		s.status.True(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonNothingSubscribed,
			"the channel asks for no events; the subscription on record is left as it is, since the management policy is Observe")
		return nil
	case s.pushed() && !s.canSubscribe() && r.Gateway != nil:
		s.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonWaiting, "waits for IdentityVerified, and then ends the subscription")
		return nil
	default:
		if s.pushed() {
			if ended, err := r.endPushed(ctx, s); err != nil || !ended {
				return err
			}
		}
		r.feeds.forget(client.ObjectKeyFromObject(s.channel))
		s.channel.Status.Subscription = nil
	}
	s.status.True(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonNothingSubscribed, "the channel asks for no events (spec.subscription)")
	return nil
}

// dropHook removes a record of which nothing else is left, if the cache shows
// one.
func (r *Reconciler) dropHook(ctx context.Context, s *scope) error {
	if r.Namespace == "" {
		return nil
	}
	key := r.hookKey(s)
	cached, err := r.secret(ctx, key.Namespace, key.Name)
	if err != nil || cached == nil || !isHookRecord(cached, s.channel) {
		return err
	}
	return r.removeHook(ctx, s)
}

// endPushed ends the subscription on record, first at the platform, and removes
// its record. It tells whether it is over; if not, the condition says why.
func (r *Reconciler) endPushed(ctx context.Context, s *scope) (ended bool, err error) {
	if r.Gateway == nil {
		return r.leaveBehind(ctx, s)
	}
	name, inputs := client.ObjectKeyFromObject(s.channel), s.eventInputs("")
	if due, next := r.feeds.looks.Due(name, inputs, s.now); !due {
		s.status.Keep(v1alpha1.ConditionSubscriptionReady)
		s.wakeAt(next)
		return false, nil
	}
	if err := r.unsubscribe(ctx, s); err != nil {
		return false, r.subscriptionFails(s, r.feeds.looks, inputs, "end the subscription", err)
	}
	if err := r.removeHook(ctx, s); err != nil {
		return false, err
	}
	s.event("SubscriptionEnded", "Subscribe", "the subscription at the platform is ended: nothing asks for it any more")
	return true, nil
}

// leaveBehind gives up a subscription that cannot be told from others, since
// there is no gateway any more by whose URL it is known.
func (r *Reconciler) leaveBehind(ctx context.Context, s *scope) (ended bool, err error) {
	if err := r.removeHook(ctx, s); err != nil {
		return false, err
	}
	recorded := s.channel.Status.Subscription
	s.warn("LeftBehind", "Subscribe", fmt.Sprintf(
		"the subscription %s to %s is left at the platform: the operator was not told its --gateway-url any more, by which it would know it; end it by hand there",
		cmp.Or(recorded.ID, "(without an ID)"), recorded.Callback))
	return true, nil
}

// unsubscribe ends the subscription at the platform. A platform that pushes
// nothing has none.
func (r *Reconciler) unsubscribe(ctx context.Context, s *scope) error {
	subscriber, ok := s.adapter.(platform.Subscriber)
	if !ok {
		return nil
	}
	if r.Gateway == nil {
		return &platform.Failure{Class: platform.Permanent, Message: "the operator was not told its --gateway-url any more, by which it would know its subscription: end it by hand at the platform"}
	}
	if err := r.loadSource(ctx, s); err != nil {
		return err
	}
	return subscriber.Unsubscribe(ctx, r.account(s), r.callback(s, subscriber))
}

// releaseSubscription ends what a channel that goes has of subscriptions: at
// the platform with Revoke, and its record in any case. It says what could not
// be ended for good.
func (r *Reconciler) releaseSubscription(ctx context.Context, s *scope) (left []string, err error) {
	if s.pushed() && s.channel.Spec.DeletionPolicy == v1alpha1.DeletionRevoke && !s.observes() {
		err := r.unsubscribe(ctx, s)
		if s.adapter == nil {
			err = &platform.Failure{Class: platform.Permanent, Message: s.status.Get(v1alpha1.ConditionIdentityVerified).Message}
		}
		switch {
		case err == nil:
			s.event("SubscriptionEnded", "Release", "the subscription at the platform is ended")
		case lastWord(err), sourceReason(err) != "":
			left = append(left, "the subscription of events: "+err.Error())
		default:
			return nil, err
		}
	}
	if s.channel.Status.Subscription == nil {
		return left, r.dropHook(ctx, s)
	}
	return left, r.removeHook(ctx, s)
}

func (s *scope) eventInputs(registration string) eventInputs {
	return eventInputs{uid: s.channel.UID, generation: s.channel.Generation, registration: registration}
}

// subscriptionFails turns what went wrong with a subscription into the
// condition: a platform's refusal, or a doubt. Trouble with the API server is
// given back.
func (r *Reconciler) subscriptionFails(s *scope, pacer *pace.Pacer[eventInputs], inputs eventInputs, doing string, err error) error {
	name := client.ObjectKeyFromObject(s.channel)
	failure, ok := errors.AsType[*platform.Failure](err)
	switch {
	case errors.Is(err, platform.ErrSessionConflict):
		s.status.Keep(v1alpha1.ConditionSubscriptionReady)
		s.wakeAt(s.now.Add(sessionRetry))
		return nil
	case errors.Is(err, errHookTaken):
		s.status.False(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonSecretNameTaken, err.Error())
		s.wakeAt(s.now.Add(s.probeInterval()))
		return nil
	case sourceReason(err) != "":
		// The identity says what is wrong with it, at its next look.
		s.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonWaiting, "waits for IdentityVerified")
		return nil
	case !ok:
		return err
	case failure.HeldBack:
		s.status.Keep(v1alpha1.ConditionSubscriptionReady)
		s.wakeAt(pacer.Failed(name, inputs, s.now, failure.RetryAt))
		return nil
	}
	r.count(s, failure.Class)
	if failure.Class.Passing() {
		s.doubt(v1alpha1.ConditionSubscriptionReady, failure)
		s.wakeAt(pacer.Failed(name, inputs, s.now, failure.RetryAt))
		return nil
	}
	s.status.False(v1alpha1.ConditionSubscriptionReady, refusalReason(failure.Class), fmt.Sprintf("the platform refuses to %s: %s", doing, failure))
	s.wakeAt(pacer.Answered(name, inputs, s.now, s.probeInterval()))
	r.suspect(s, failure.Class)
	return nil
}

// suspect lets the identity be looked at in the next reconcile, since the
// platform has refused the credential.
func (r *Reconciler) suspect(s *scope, class platform.Class) {
	if refusalReason(class) != v1alpha1.ReasonPlatformRefused && !s.observed {
		r.pace.Expire(client.ObjectKeyFromObject(s.channel))
		s.wakeAt(s.now)
	}
}

// noteEvent puts on record when the last event came, once a minute.
func (s *scope) noteEvent(at time.Time) {
	recorded := s.channel.Status.Subscription
	if recorded == nil || at.IsZero() || recorded.LastEvent != nil && at.Sub(recorded.LastEvent.Time) < lastEventEvery {
		return
	}
	recorded.LastEvent = timeOrNil(at)
}

// noteVerified puts on record that the platform was seen to be in order, twice
// a probe interval at the most.
func (s *scope) noteVerified() {
	recorded := s.channel.Status.Subscription
	if recorded.LastVerified == nil || s.now.Sub(recorded.LastVerified.Time) > s.probeInterval()/2 {
		recorded.LastVerified = new(metav1.NewTime(s.now.Truncate(time.Second)))
	}
}
