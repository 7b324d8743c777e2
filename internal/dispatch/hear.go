// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// catchUpTimeout bounds how long an event waits for the index.
const catchUpTimeout = 5 * time.Second

// What became of an event; values of a metric's label.
const (
	eventHeard    = "heard"
	eventAnswer   = "answer"
	eventAhead    = "ahead"
	eventIgnored  = "ignored"
	eventKnown    = "known"
	eventGone     = "channel-gone"
	eventOverflow = "overflow"
	eventNoTarget = "no-channel"
)

// handle deals with one event. An error means that it is to come again: the
// store or the cluster's cache could not be asked.
func (d *Dispatcher) handle(ctx context.Context, e event.Event) error {
	outcome, err := d.deal(ctx, &e)
	if err == nil {
		d.metrics.events.WithLabelValues(outcome).Inc()
	}
	return err
}

func (d *Dispatcher) deal(ctx context.Context, e *event.Event) (outcome string, err error) {
	if e.ChannelUID == "" || e.Channel == "" {
		return eventNoTarget, nil
	}
	if d.complete != nil && isMessage(e) {
		e = new(d.complete(ctx, *e))
	}
	byAccount := e.Actor.ID != "" && e.Actor.ID == e.AccountID
	switch {
	case e.Kind == event.OwnPost || byAccount:
		return d.ownPost(ctx, e)
	case isMessage(e):
		return d.message(ctx, e)
	}
	return eventIgnored, nil
}

func isMessage(e *event.Event) bool {
	return e.Kind == event.Mention || e.Kind == event.Reply || e.Kind == event.DirectMessage
}

// ownPost takes in a post of the account's own: it may be an answer.
func (d *Dispatcher) ownPost(ctx context.Context, e *event.Event) (string, error) {
	ids, sure, err := d.answeredBy(ctx, e)
	if err != nil {
		return "", err
	}
	now := d.clock.Now()
	for _, id := range ids {
		_, err := d.ledger.Update(ctx, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
			if c == nil || !c.Answer(e, now) {
				return nil, nil
			}
			return c, nil
		})
		if err != nil {
			return "", err
		}
	}
	if !sure && e.InReplyTo != "" {
		if err := d.ledger.PutAhead(ctx, e.ChannelUID, e.InReplyTo, e); err != nil {
			return "", err
		}
	}
	switch {
	case len(ids) > 0:
		return eventAnswer, nil
	case e.InReplyTo == "":
		return eventIgnored, nil
	}
	return eventAhead, nil
}

// answeredBy finds the conversations that a post of the account's own answers,
// and tells whether it is sure. The index may be behind what another process
// wrote, so it is asked twice.
func (d *Dispatcher) answeredBy(ctx context.Context, e *event.Event) (ids []string, sure bool, err error) {
	find := func() []string {
		switch {
		case e.InReplyTo != "":
			if id, ok := d.ledger.OfPost(e.ChannelUID, e.InReplyTo); ok {
				return []string{id}
			}
			// A thread can be many people's, as below a post of the account's own, so
			// it says nothing where posts can be told apart.
			return d.ledger.Postless(e.ChannelUID, e.ThreadID)
		case e.ThreadID != "" && e.ThreadID != e.PostID: // else it begins a thread
			return d.ledger.OfThread(e.ChannelUID, e.ThreadID)
		}
		return nil
	}
	if ids := find(); len(ids) > 0 || e.InReplyTo == "" && e.ThreadID == "" {
		return ids, true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, catchUpTimeout)
	defer cancel()
	if err := d.ledger.CaughtUp(ctx); err != nil {
		return nil, false, err
	}
	if ids := find(); len(ids) > 0 {
		return ids, true, nil
	}
	return d.begunBy(e), false, nil
}

// begunBy finds the conversation whose author began the thread in which a post of
// the account's own is: it answers a part of theirs that has not come. Where
// others wait in the thread as well, it may be theirs.
func (d *Dispatcher) begunBy(e *event.Event) []string {
	id, ok := d.ledger.OfPost(e.ChannelUID, e.ThreadID)
	if !ok || e.InReplyTo == "" || e.ThreadID == e.PostID {
		return nil
	}
	for _, other := range d.ledger.OfThread(e.ChannelUID, e.ThreadID) {
		if other != id {
			return nil
		}
	}
	return []string{id}
}

// message takes in what a stranger wrote. Where it opens an episode and a worker
// is free, the first turn is claimed in the same write.
func (d *Dispatcher) message(ctx context.Context, e *event.Event) (string, error) {
	channel, err := d.directory.Channel(ctx, channelName(e.Channel), e.ChannelUID)
	switch {
	case err != nil:
		return "", err
	case channel == nil:
		return eventGone, nil
	}
	answer, err := d.ledger.Ahead(ctx, e.ChannelUID, e.PostID)
	if err != nil {
		return "", err
	}
	thread := d.threadOf(e)
	id := conversation.NewID(e.ChannelUID, thread, conversation.AuthorOf(e))
	free := reserve(d.slots)
	var next step
	var outcome string
	var written bool
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	after, err := d.ledger.Update(writing, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		d.giveUp(&next) // of a try that others were faster than
		outcome, written = eventKnown, false
		now := d.clock.Now()
		if c == nil {
			if d.ledger.Waiting(e.ChannelUID) >= d.limit {
				outcome = eventOverflow
				return nil, nil
			}
			c = conversation.Begin(e, thread)
		}
		settled := d.doubts.settle(c)
		if d.hear(c, e, answer, channel, now) {
			outcome = eventHeard
		} else if !settled {
			return nil, nil
		}
		if answer == nil && free {
			next = d.consider(c, channel, now, false)
		}
		written = true
		return c, nil
	})
	if err == nil && written {
		d.doubts.forget(id)
	}
	if outcome == eventOverflow && err == nil {
		d.sayFull(e)
	}
	switch {
	case err != nil:
		d.doubt(id, &next, d.clock.Now())
		d.giveUp(&next)
		outcome = ""
	case next.plan != nil:
		next.plan.conversation = after
		// The context lasts as long as the consumer does.
		d.spawn(d.slots, func() { d.carryOut(ctx, next.plan) })
		return outcome, nil
	}
	if free {
		<-d.slots
	}
	return outcome, err
}

// hear takes in a message, and the answer to it that came ahead. It tells whether
// anything changed.
func (d *Dispatcher) hear(c *conversation.Conversation, e, answer *event.Event, channel *Channel, now time.Time) bool {
	if answer != nil && c.Took(answer) {
		return c.Overtaken(e)
	}
	var terms conversation.Terms
	if c.WantsTerms(e, now) {
		terms = d.terms(e, channel)
	}
	if !c.Hear(e, terms, now) {
		return false
	}
	if answer != nil {
		answer.InReplyTo = e.PostID
		c.Answer(answer, now)
	}
	return true
}

// sayFull says of a channel that so many conversations wait that none is begun.
func (d *Dispatcher) sayFull(e *event.Event) {
	d.metrics.overflow.Inc()
	if d.quiet.may("overflow "+e.Channel, d.clock.Now()) {
		d.log.Error(nil, "so many conversations of a channel wait that no new one is begun: nobody is told of what others write; answer those that wait, or end the attack",
			"channel", e.Channel, "waiting", d.ledger.Waiting(e.ChannelUID))
	}
}

// threadOf finds the thread of a message: that of the conversation which knows
// the post, or, where the platform names no thread, the post that it answers.
// Where it names no author either, that post may be anybody's.
func (d *Dispatcher) threadOf(e *event.Event) string {
	known, ok := d.ledger.OfPost(e.ChannelUID, e.PostID)
	if !ok && e.ThreadID == "" && conversation.AuthorOf(e) != "" {
		known, ok = d.ledger.OfPost(e.ChannelUID, e.InReplyTo)
	}
	if ok {
		if thread, ok := d.ledger.ThreadOf(known); ok {
			return thread
		}
	}
	return conversation.ThreadOf(e)
}

// terms are what holds of a channel for an episode that a message opens.
func (d *Dispatcher) terms(e *event.Event, channel *Channel) conversation.Terms {
	terms := conversation.Terms{Owner: channel.Escalation.Owner, Target: channel.Target, Excerpt: channel.Excerpt}
	if channel.Route == nil {
		terms.Route = channel.RouteName // of one that is not there, and may come back
		return terms
	}
	rule, problems := channel.Route.Match(&escalation.Subject{Event: e, Channel: channel.Escalation})
	for _, problem := range problems {
		d.metrics.rules.Inc()
		d.log.V(1).Info("a rule of an escalation route failed on an event", "channel", e.Channel, "route", channel.RouteName, "problem", problem.Message)
	}
	terms.Route, terms.Rule, terms.RuleSteps = channel.RouteName, channel.Route.Rule(rule), channel.Route.Own(rule)
	return terms
}
