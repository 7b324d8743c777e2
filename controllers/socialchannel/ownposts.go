// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/subscription"
)

// What a poll of own posts is for is among its inputs, so that another purpose
// makes it due.
const (
	forAnswers = "answers"
	forTheRest = "the rest"
)

// bindOwnPosts polls the account's own posts beside the channel's events, where
// answers given at the platform would not be noticed otherwise. Trouble with it
// is none of the events: the condition says so beside what it says of them.
func (r *Reconciler) bindOwnPosts(ctx context.Context, s *scope, plan subscription.Plan) error {
	recorded := s.channel.Status.Subscription
	if recorded == nil {
		return nil // there is nothing yet that it could be beside
	}
	step, unnoticed := plan.OwnPosts(recorded, s.observes())
	switch step {
	case subscription.PollOwnPosts:
		p := r.newOwnPosts(s, forAnswers)
		if _, err := p.look(ctx); err != nil {
			return err
		}
		unnoticed = p.missing()
	case subscription.FinishOwnPosts:
		p := r.newOwnPosts(s, forTheRest)
		complete, err := p.look(ctx)
		if err != nil {
			return err
		}
		if complete || p.refused() {
			r.dropOwnPosts(s)
		}
	case subscription.DropOwnPosts:
		r.dropOwnPosts(s)
	case subscription.LeaveOwnPosts:
	}
	s.remark(unnoticed)
	return nil
}

// partOwnPosts lets the polls of own posts go on alone from where they came to
// together with the other events.
func (s *scope) partOwnPosts() {
	recorded := s.channel.Status.Subscription
	if recorded == nil || recorded.OwnPosts != nil || recorded.Delivery != v1alpha1.DeliverPoll || recorded.Cursor == "" ||
		!slices.Contains(recorded.Events, v1alpha1.SubscribedOwnPost) {
		return
	}
	recorded.OwnPosts = &v1alpha1.ChannelOwnPosts{Cursor: recorded.Cursor}
}

func (r *Reconciler) dropOwnPosts(s *scope) {
	s.channel.Status.Subscription.OwnPosts = nil
	r.feeds.ownPosts.drop(client.ObjectKeyFromObject(s.channel))
}

// remark says beside that events come whether answers are noticed.
func (s *scope) remark(unnoticed string) {
	condition := s.status.Get(v1alpha1.ConditionSubscriptionReady)
	if condition.Status == metav1.ConditionTrue {
		s.status.True(condition.Type, condition.Reason, subscription.Remark(condition.Message, unnoticed))
	}
}

// ownPosts is one look for the account's own posts alone.
type ownPosts struct{ *poll }

func (r *Reconciler) newOwnPosts(s *scope, purpose string) ownPosts {
	return ownPosts{r.newPollIn(r.feeds.ownPosts, s, purpose, []event.Kind{event.OwnPost})}
}

// look asks for own posts if that is due. It tells whether all until now are
// stored.
func (p ownPosts) look(ctx context.Context) (complete bool, err error) {
	p.rememberBeginning()
	p.hurry()
	complete, err = p.aside(ctx)
	if p.state.asked.Equal(p.now) && p.state.failed == nil {
		p.noteOwnPosts()
	}
	return complete, err
}

// hurry makes own posts be asked for an interval after they were asked for last,
// where something came in since then: an answer to it may be next.
func (p ownPosts) hurry() {
	if p.state.failed != nil || p.state.asked.IsZero() || !p.arrivedAt().After(p.state.asked) {
		return
	}
	soon := p.state.asked.Add(p.interval())
	if p.now.Before(soon) {
		p.wakeAt(soon)
		return
	}
	p.memory.Expire(p.name)
}

// missing says why answers are not noticed; empty where they are. One poll in
// vain is not told while the last that succeeded still speaks for the present.
func (p ownPosts) missing() string {
	switch failed := p.state.failed; {
	case failed == nil:
		return ""
	case p.now.Before(p.state.current) && !p.refused():
		p.wakeAt(p.state.current)
		return ""
	case p.refused():
		return failed.Error()
	default:
		return cmp.Or(p.remarked(), failed.Error())
	}
}

// remarked is what was said before. The words stay while the doubt does, so that
// an outage costs one write.
func (p ownPosts) remarked() string {
	if before := meta.FindStatusCondition(p.before.Status.Conditions, v1alpha1.ConditionSubscriptionReady); before != nil {
		return subscription.Remarked(before.Message)
	}
	return ""
}

// refused tells whether the platform has refused to tell own posts.
func (p ownPosts) refused() bool {
	failure, ok := errors.AsType[*platform.Failure](p.state.failed)
	return ok && !failure.HeldBack && !failure.Class.Passing()
}

// noteOwnPosts puts on record that own posts were asked for, twice a probe
// interval at the most.
func (p ownPosts) noteOwnPosts() {
	recorded := p.channel.Status.Subscription.OwnPosts
	if recorded == nil {
		return
	}
	if recorded.LastPolled == nil || p.now.Sub(recorded.LastPolled.Time) > p.probeInterval()/2 {
		recorded.LastPolled = new(metav1.NewTime(p.now.Truncate(time.Second)))
	}
}
