// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
	"github.com/rostra-dev/rostra/internal/subscription"
)

// gatewayDelay is how long the gateway is given to learn of new keys before it
// is asked for them.
const gatewayDelay = time.Second

// push is one look at a subscription whose events are pushed.
type push struct {
	*Reconciler
	*scope

	name       types.NamespacedName
	subscriber platform.Subscriber
	// about is what the record must say beside keys; callback is where events
	// are to be sent, and shown the same without its token.
	about           hook.Record
	callback, shown string
	plan            subscription.Plan
	facts           subscription.Facts
	view            hookView
	// keys of the subscription, where they were looked at, and whether they are
	// Rostra's own.
	keys  credentials.Values
	fresh bool
}

// bindPush keeps one subscription at the platform: it gathers, decides, and
// makes one step. Events are polled on until it is there.
func (r *Reconciler) bindPush(ctx context.Context, s *scope, plan subscription.Plan) error {
	p := r.newPush(s)
	p.plan = plan
	if err := p.bind(ctx); err != nil {
		if err := r.subscriptionFails(s, r.feeds.looks, p.inputs(), "subscribe to events", err); err != nil {
			return err
		}
	}
	return r.catchUp(ctx, s)
}

func (r *Reconciler) newPush(s *scope) *push {
	subscriber, _ := pushing(s.adapter)
	p := &push{Reconciler: r, scope: s, name: client.ObjectKeyFromObject(s.channel), subscriber: subscriber}
	p.about = hook.Record{
		Platform: string(s.social.Spec.Type), Server: s.social.Spec.ServerURL(),
		Channel: p.name.String(), ChannelUID: string(s.channel.UID),
		AccountID: s.channel.Status.Account.ID,
	}
	p.about.HookID = s.hookID(subscriber)
	p.callback = r.callback(s, subscriber)
	p.shown = hook.Shown(p.callback)
	return p
}

// hookID names the channel's callback: its own, or that of the application. What
// tells applications apart is the name of their Secret: it is known without a look
// into it, and all keys of one callback come from one Secret, so that the gateway
// can tell which of them are replaced.
func (s *scope) hookID(subscriber platform.Subscriber) string {
	if subscriber.HookScope() == platform.HookPerPlatform {
		return hook.ApplicationID(string(s.social.Spec.Type), s.social.Spec.ServerURL(), s.social.Spec.ApplicationSecretName())
	}
	return string(s.channel.UID)
}

// callback is where the channel's events are to be sent. There must be a
// gateway.
func (r *Reconciler) callback(s *scope, subscriber platform.Subscriber) string {
	return hook.URL(r.Gateway.BaseURL, string(s.social.Spec.Type), r.Gateway.Key, s.hookID(subscriber))
}

func (p *push) bind(ctx context.Context) error {
	if p.observed || p.wasKeptFromSubscribing() {
		p.feeds.looks.Expire(p.name)
	}
	if err := p.gather(ctx); err != nil {
		return err
	}
	decision := subscription.Decide(p.facts)
	if decision.Step == subscription.Rest {
		looked, err := p.look(ctx)
		if err != nil || !looked {
			return err
		}
		decision = subscription.Decide(p.facts)
	}
	switch decision.Step {
	case subscription.Intend:
		return p.intend(ctx, decision)
	case subscription.Register:
		return p.register(ctx)
	case subscription.Rest:
	}
	p.settle(decision)
	return nil
}

// wasKeptFromSubscribing tells whether the condition still says what was in the
// way before the platform could be asked.
func (p *push) wasKeptFromSubscribing() bool {
	switch p.status.Get(v1alpha1.ConditionSubscriptionReady).Reason {
	case "", v1alpha1.ReasonWaiting, v1alpha1.ReasonNothingSubscribed, v1alpha1.ReasonEventsUnsupported, v1alpha1.ReasonGatewayNotConfigured,
		v1alpha1.ReasonSecretNameTaken, v1alpha1.ReasonPolled, v1alpha1.ReasonInboxUnavailable, v1alpha1.ReasonSuspended:
		return true
	}
	return false
}

func (p *push) recorded() *v1alpha1.ChannelSubscriptionStatus { return p.channel.Status.Subscription }

// inputs are what the platform's answer depends on.
func (p *push) inputs() eventInputs {
	if recorded := p.recorded(); recorded != nil {
		return p.eventInputs(recorded.Registration)
	}
	return p.eventInputs("")
}

// gather collects the facts. It asks nobody, and reads the record only if it
// is not as it was seen last.
func (p *push) gather(ctx context.Context) error {
	p.facts = subscription.Facts{
		Now: p.now, Observes: p.observes(), Callback: p.callback,
		Events: p.plan.Events, Beyond: p.plan.Beyond, Recorded: p.recorded(),
	}
	if p.status.Get(v1alpha1.ConditionSubscriptionReady).Reason == v1alpha1.ReasonSubscriptionDrifted && p.recorded() != nil || p.repairing() {
		p.facts.Reported = p.recorded().DriftMessage
	}
	if p.facts.Observes {
		return nil
	}
	view, err := p.viewHook(ctx, p.scope)
	if err != nil {
		return err
	}
	if err := p.tidy(ctx, &view); err != nil {
		return err
	}
	p.view = view
	p.wakeAt(view.dropAt)
	p.facts.Keys = subscription.Keys{Missing: view.missing, Digest: view.digest, Since: view.made}
	if rotation := p.channel.Spec.Subscription.KeyRotation; rotation != nil && view.fresh {
		p.facts.RotateEvery = rotation.Interval.Duration
	}
	if p.observed && !view.missing {
		if err := p.takeKeys(ctx); err != nil {
			return err
		}
		p.facts.Keys.Replaced = !p.fresh && hook.Digest(p.Gateway.Key, p.keys) != view.digest
	}
	return nil
}

// repairing tells whether what is to be registered was found amiss.
func (p *push) repairing() bool {
	recorded := p.recorded()
	return recorded != nil && recorded.Registration == "" && recorded.LastDrift != nil &&
		(recorded.RegisteredAt == nil || recorded.LastDrift.After(recorded.RegisteredAt.Time))
}

// takeKeys gets keys for the subscription: those of the application, or new
// ones.
func (p *push) takeKeys(ctx context.Context) error {
	if p.keys != nil {
		return nil
	}
	if err := p.loadSource(ctx, p.scope); err != nil {
		return err
	}
	keys, fresh, err := p.subscriber.HookKeys(p.account(p.scope))
	if err != nil {
		return err
	}
	p.keys, p.fresh = keys, fresh
	return nil
}

// tidy lets the record say what it is about, and drops keys that are over.
func (p *push) tidy(ctx context.Context, view *hookView) error {
	over := !view.dropAt.IsZero() && !p.now.Before(view.dropAt)
	if view.missing || !over && view.sameAs(p.about) {
		return nil
	}
	record, err := p.readHook(ctx, p.scope)
	if err != nil {
		return err
	}
	if len(record.Keys) > 0 {
		record.drop(p.now)
		p.describe(record)
		if err := p.writeHook(ctx, p.scope, record); err != nil {
			return err
		}
	}
	*view = record.view(p.Gateway.Key)
	return nil
}

// describe makes the record say what it is about.
func (p *push) describe(record *hookRecord) {
	said := record.Record
	record.Record = p.about
	record.Keys, record.Made, record.Fresh, record.Learnt = said.Keys, said.Made, said.Fresh, said.Learnt
}

// look asks the platform what it has, if that is due: with each look at the
// identity, and on its own. It tells whether there is something to be said.
func (p *push) look(ctx context.Context) (bool, error) {
	inputs := p.inputs()
	condition := p.status.Get(v1alpha1.ConditionSubscriptionReady)
	if condition.Status == metav1.ConditionTrue && condition.ObservedGeneration == p.channel.Generation {
		p.feeds.looks.Resume(p.name, inputs, p.now, p.probeInterval())
	}
	if due, next := p.feeds.looks.Due(p.name, inputs, p.now); !due {
		p.status.Keep(v1alpha1.ConditionSubscriptionReady)
		p.wakeAt(next)
		p.wakeAt(subscription.Decide(p.facts).WakeAt)
		return false, nil
	}
	if err := p.loadSource(ctx, p.scope); err != nil {
		return false, err
	}
	found, err := p.subscriber.Subscribed(ctx, p.account(p.scope))
	switch {
	case err == nil:
		p.facts.Found = &subscription.Found{Callback: found.Callback, Events: found.Events, Problem: problemOf(found)}
		if err := p.saw(ctx, found); err != nil {
			return false, err
		}
	case platform.ClassOf(err) == platform.NotFound:
		p.facts.Found = &subscription.Found{Missing: true}
	default:
		return false, err
	}
	p.feeds.looks.Recovered(p.name)
	p.wakeAt(p.feeds.looks.Answered(p.name, inputs, p.now, p.lookInterval()))
	return true, nil
}

// lookInterval is when the platform is asked about the subscription although
// the look at the identity, which comes first, was not answered.
func (p *push) lookInterval() time.Duration { return p.probeInterval() * 6 / 5 }

// maxProblem bounds what a platform says of a subscription, in bytes.
const maxProblem = 512

func problemOf(found platform.Subscription) string {
	return strings.ToValidUTF8(found.Problem[:min(len(found.Problem), maxProblem)], "")
}

// saw puts on record what the platform says of the subscription: its ID, its
// lease, and a key of its own that is not known yet.
func (p *push) saw(ctx context.Context, found platform.Subscription) error {
	if recorded := p.recorded(); recorded != nil {
		recorded.ID, recorded.LeaseUntil = subscriptionID(found.ID), timeOrNil(found.LeaseUntil)
	}
	if p.facts.Observes || len(found.Learnt) == 0 || hook.Digest(p.Gateway.Key, found.Learnt) == p.view.learnt {
		return nil
	}
	record, err := p.readHook(ctx, p.scope)
	if err != nil || len(record.Keys) == 0 {
		return err
	}
	return p.complete(ctx, record, found.Learnt)
}

// maxSubscriptionID bounds the ID of a subscription; see the schema.
const maxSubscriptionID = 256

// subscriptionID is the platform's ID as a status takes it.
func subscriptionID(id string) string {
	if len(id) <= maxSubscriptionID {
		return id
	}
	return strings.ToValidUTF8(id[:maxSubscriptionID], "")
}

// complete adds to the record what the platform told, and lets the keys of
// before end after the overlap.
func (p *push) complete(ctx context.Context, record *hookRecord, learnt credentials.Values) error {
	before := record.seal(p.Gateway.Key)
	record.learn(learnt)
	record.end(p.now, p.overlap())
	record.drop(p.now)
	if record.seal(p.Gateway.Key) == before {
		return nil
	}
	if err := p.writeHook(ctx, p.scope, record); err != nil {
		return err
	}
	p.view = record.view(p.Gateway.Key)
	p.wakeAt(p.view.dropAt)
	return nil
}

// overlap is how long keys that were replaced are still in force.
func (p *push) overlap() time.Duration {
	if rotation := p.channel.Spec.Credentials.Rotation; rotation != nil && rotation.Overlap != nil {
		return rotation.Overlap.Duration
	}
	return defaultOverlap
}

// intend puts on record that the subscription is to be registered: first the
// keys, so that nothing arrives that cannot be verified, then the rest. The
// next reconcile registers it.
func (p *push) intend(ctx context.Context, decision subscription.Decision) error {
	wake := p.now
	if decision.NewKeys {
		if err := p.renewKeys(ctx); err != nil {
			return err
		}
		wake = p.now.Add(gatewayDelay)
	}
	// Whatever the last answer was, it was to another question.
	p.feeds.looks.Expire(p.name)
	recorded := p.recorded()
	switch {
	case recorded == nil:
		recorded = &v1alpha1.ChannelSubscriptionStatus{}
	case recorded.Delivery != v1alpha1.DeliverPush:
		// Polls go on from there until events are pushed.
		recorded = &v1alpha1.ChannelSubscriptionStatus{Cursor: recorded.Cursor, LastEvent: recorded.LastEvent, OwnPosts: recorded.OwnPosts}
	}
	p.channel.Status.Subscription = recorded
	recorded.Delivery, recorded.Callback, recorded.Registration = v1alpha1.DeliverPush, p.shown, ""
	recorded.KeysSince = timeOrNil(p.view.made)
	if decision.Count {
		p.noteDrift(decision.Drift)
	}
	p.sayIntended(decision)
	p.wakeAt(wake)
	return nil
}

// sayIntended says that events may not come for a moment, if that is so. While
// only keys, a lease or events change, what is registered goes on.
func (p *push) sayIntended(decision subscription.Decision) {
	condition := p.status.Get(v1alpha1.ConditionSubscriptionReady)
	goesOn := condition.Status == metav1.ConditionTrue && condition.Reason == v1alpha1.ReasonSubscribed && decision.Drift == ""
	if goesOn || condition.Reason == v1alpha1.ReasonSubscriptionDrifted && p.facts.Reported == decision.Drift {
		p.status.Keep(v1alpha1.ConditionSubscriptionReady)
		return
	}
	p.status.Unknown(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonProgressing, "the subscription is about to be registered: "+decision.Why)
}

// renewKeys puts keys into the record before those that are in it, durably.
func (p *push) renewKeys(ctx context.Context) error {
	if err := p.takeKeys(ctx); err != nil {
		return err
	}
	record, err := p.readHook(ctx, p.scope)
	if err != nil {
		return err
	}
	record.succeed(p.keys, p.fresh, p.now)
	record.drop(p.now)
	p.describe(record)
	if err := p.writeHook(ctx, p.scope, record); err != nil {
		return err
	}
	p.view = record.view(p.Gateway.Key)
	return nil
}

// register makes the subscription at the platform what it is to be, once the
// gateway answers where events will be sent.
func (p *push) register(ctx context.Context) error {
	inputs := p.inputs()
	if due, next := p.feeds.looks.Due(p.name, inputs, p.now); !due {
		p.status.Keep(v1alpha1.ConditionSubscriptionReady)
		p.wakeAt(next)
		return nil
	}
	record, err := p.readHook(ctx, p.scope)
	if err != nil {
		return err
	}
	if len(record.Keys) == 0 {
		p.feeds.forgetView(p.name)
		p.wakeAt(p.now)
		return nil
	}
	if err := p.Gateway.Check(ctx, p.callback, p.about.ChannelUID, record.Digest(p.Gateway.Key)); err != nil {
		p.status.False(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonCallbackUnreachable, fmt.Sprintf(
			"nothing is registered, since %s does not answer as Rostra's gateway: %s", p.shown, err))
		p.wakeAt(p.feeds.looks.Failed(p.name, inputs, p.now, time.Time{}))
		return nil
	}
	if err := p.loadSource(ctx, p.scope); err != nil {
		return err
	}
	own := record.own()
	made, err := p.subscribe(ctx, own)
	if err != nil {
		return err
	}
	if err := p.complete(ctx, record, made.Learnt); err != nil {
		return err
	}
	p.registered(made, hook.Digest(p.Gateway.Key, own))
	return nil
}

// subscribe asks the platform for the events. Where it refuses them, it is asked
// for those that are declared: nobody asked for the others.
func (p *push) subscribe(ctx context.Context, keys credentials.Values) (platform.Subscription, error) {
	request := platform.SubscriptionRequest{Callback: p.callback, Events: p.plan.Events, Keys: keys}
	made, err := p.subscriber.Subscribe(ctx, p.account(p.scope), request)
	if len(p.plan.Beyond) == 0 || !refusesEvents(err) {
		return made, err
	}
	request.Events = p.plan.Coming(nil)
	return p.subscriber.Subscribe(ctx, p.account(p.scope), request)
}

// refusesEvents tells whether a platform has refused a request for what it asks,
// not for who asks.
func refusesEvents(err error) bool {
	failure, ok := errors.AsType[*platform.Failure](err)
	return ok && (failure.Class == platform.InsufficientScope || failure.Class == platform.Permanent || failure.Class == platform.PolicyBlocked)
}

// registered puts on record what was registered.
func (p *push) registered(made platform.Subscription, keys string) {
	recorded, coming := p.recorded(), p.plan.Coming(made.Events)
	switch {
	case p.repairing():
		p.event("SubscriptionRepaired", "Subscribe", "the subscription is registered again: "+recorded.DriftMessage)
	case recorded.RegisteredAt == nil:
		p.event("SubscriptionRegistered", "Subscribe", subscription.Says(coming, p.shown))
	}
	recorded.ID, recorded.Callback, recorded.Events = subscriptionID(made.ID), p.shown, subscription.Events(coming)
	recorded.Registration = subscription.Digest(p.callback, p.facts.Events, keys)
	recorded.RegisteredAt, recorded.LastVerified = timeOrNil(p.now), timeOrNil(p.now)
	recorded.LeaseUntil, recorded.KeysSince = timeOrNil(made.LeaseUntil), timeOrNil(p.view.made)
	p.feeds.looks.Recovered(p.name)
	p.wakeAt(p.feeds.looks.Answered(p.name, p.inputs(), p.now, p.lookInterval()))
	p.facts.Keys.Digest = keys
	p.facts.Found = &subscription.Found{Callback: made.Callback, Events: made.Events, Problem: problemOf(made)}
	p.settle(subscription.Decide(p.facts))
}

// settle says how the subscription is, now that the platform was asked.
func (p *push) settle(decision subscription.Decision) {
	p.wakeAt(decision.WakeAt)
	if p.facts.Observes {
		p.settleObserved(decision)
		return
	}
	if decision.Drift != "" {
		// It was registered this very moment.
		if decision.Count {
			p.noteDrift(decision.Drift)
		}
		p.status.False(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonSubscriptionDrifted,
			"the platform was asked for the subscription, and still "+decision.Drift+"; it is asked again with the next look")
		return
	}
	coming := p.plan.Coming(p.facts.Found.Events)
	p.recorded().Events = subscription.Events(coming)
	p.noteVerified()
	p.status.True(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonSubscribed, subscription.Says(coming, p.shown))
}

// settleObserved says how the subscription is that somebody else keeps.
func (p *push) settleObserved(decision subscription.Decision) {
	if p.recorded() == nil {
		p.channel.Status.Subscription = &v1alpha1.ChannelSubscriptionStatus{Delivery: v1alpha1.DeliverPush}
	}
	if decision.Drift != "" {
		if decision.Count {
			p.noteDrift(decision.Drift)
		}
		p.status.False(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonSubscriptionDrifted,
			decision.Drift+": the management policy is Observe, so nothing is changed: set it to Manage, or mend the subscription at the platform")
		return
	}
	recorded := p.recorded()
	if p.facts.Found.Callback == p.callback {
		recorded.Callback = p.shown
	}
	coming := p.plan.Coming(p.facts.Found.Events)
	recorded.Events = subscription.Events(coming)
	p.noteVerified()
	p.status.True(v1alpha1.ConditionSubscriptionReady, v1alpha1.ReasonSubscribed,
		subscription.Says(coming, p.shown)+"; the management policy is Observe, so it is only looked at")
}

// noteDrift puts on record that the subscription was not as it should be.
func (p *push) noteDrift(drift string) {
	recorded := p.recorded()
	recorded.DriftCount++
	recorded.LastDrift, recorded.DriftMessage = timeOrNil(p.now), status.Note(drift)
	if p.Drifts != nil {
		p.Drifts.CountDrift(p.about.Platform)
	}
}
