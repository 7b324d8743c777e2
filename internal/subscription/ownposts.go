// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package subscription

import (
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
)

// Want is what a channel is to hear of.
type Want struct {
	// Events that it declares.
	Events []event.Kind
	// Delivery that it asks for.
	Delivery v1alpha1.SubscriptionDelivery
	// Answers tells that answers given at the platform are to be noticed, for
	// which the account's own posts are needed, declared or not.
	Answers bool
}

// Plan is how a channel's events come, and how its own posts do.
type Plan struct {
	// Choice of the way in which what is declared comes.
	Choice
	// Events that come that way, in the order of their names. Where nobody
	// declared OwnPost, it is among them if it can be pushed with the others.
	Events []event.Kind
	// Beyond are those of Events that nobody declared: a platform that does not
	// send them is in order.
	Beyond []event.Kind
	// Aside tells that own posts are polled on their own, so that trouble with
	// them is no trouble with what is declared.
	Aside bool
	// Unnoticed says why answers given at the platform are not noticed, although
	// they are to be; empty where they are.
	Unnoticed string

	// pollable tells that own posts can be polled.
	pollable bool
}

// Why answers are not noticed.
const (
	wordsNoOwnPosts       = "the platform neither pushes OwnPost nor can be asked for it"
	wordsOwnPostsPushed   = "the platform pushes OwnPost and cannot be asked for it, and the channel's events are polled"
	wordsOwnPostsWithheld = "the platform was asked to send OwnPost and does not, and it cannot be asked for it"
)

// Arrange plans how a channel's events come. The account's own posts are pushed
// together with the rest where that can be had, and else polled.
func Arrange(offer Offer, want Want) Plan {
	plan := Plan{Choice: Choose(offer, want.Events, want.Delivery), Events: want.Events, pollable: slices.Contains(offer.Polls, event.OwnPost)}
	if plan.Delivery == "" || !want.Answers || slices.Contains(want.Events, event.OwnPost) {
		return plan
	}
	pushed := slices.Contains(offer.Pushes, event.OwnPost)
	switch {
	case plan.Delivery == v1alpha1.DeliverPush && pushed:
		plan.Beyond = []event.Kind{event.OwnPost}
		plan.Events = append(slices.Clone(want.Events), event.OwnPost)
		slices.Sort(plan.Events)
	case plan.pollable:
		plan.Aside = true
	case pushed:
		plan.Unnoticed = wordsOwnPostsPushed
	default:
		plan.Unnoticed = wordsNoOwnPosts
	}
	return plan
}

// OwnPostsStep is what is to be done about own posts beside the events.
type OwnPostsStep int

const (
	// LeaveOwnPosts: nothing; they come with the events, or are about to.
	LeaveOwnPosts OwnPostsStep = iota
	// PollOwnPosts: they are polled.
	PollOwnPosts
	// FinishOwnPosts: they come with the events by now, and what was posted
	// before that is polled once more.
	FinishOwnPosts
	// DropOwnPosts: nobody needs them, or they can be had in no way.
	DropOwnPosts
)

// OwnPosts says what is to be done about own posts beside the events, given
// what is on record and whether somebody else keeps the subscription. unnoticed
// says why answers are not noticed; empty where they are.
func (p Plan) OwnPosts(recorded *v1alpha1.ChannelSubscriptionStatus, observes bool) (step OwnPostsStep, unnoticed string) {
	polled := recorded.OwnPosts != nil
	stands := recorded.Delivery == v1alpha1.DeliverPoll || recorded.Registration != "" || observes
	comes := stands && slices.Contains(recorded.Events, v1alpha1.SubscribedOwnPost)
	withheld := stands && !comes && len(p.Beyond) > 0 && recorded.Delivery == p.Delivery
	switch {
	case p.Aside, withheld && p.pollable:
		return PollOwnPosts, ""
	case withheld:
		return DropOwnPosts, wordsOwnPostsWithheld
	case !slices.Contains(p.Events, event.OwnPost):
		return DropOwnPosts, p.Unnoticed
	case polled && comes && recorded.Delivery == p.Delivery:
		return FinishOwnPosts, ""
	case polled && p.pollable:
		return PollOwnPosts, ""
	case polled:
		return DropOwnPosts, ""
	}
	return LeaveOwnPosts, ""
}

// Coming are the events that come of those that were asked for, where the
// platform sends some: what nobody declared need not.
func (p Plan) Coming(sent []event.Kind) []event.Kind {
	return lacking(p.Events, lacking(p.Beyond, sent))
}

// unnoticedIs stands between what a condition says and why answers are not
// noticed.
const unnoticedIs = "; but answers given at the platform are not noticed, so that acknowledgements alone count: "

// Remark adds to what a condition says why answers are not noticed, or takes
// that off where why is empty.
func Remark(message, why string) string {
	said, _, _ := strings.Cut(message, unnoticedIs)
	if why == "" {
		return said
	}
	return said + unnoticedIs + why
}

// Remarked gives why answers are not noticed, as a condition says it; empty for
// nothing.
func Remarked(message string) string {
	_, why, _ := strings.Cut(message, unnoticedIs)
	return why
}
