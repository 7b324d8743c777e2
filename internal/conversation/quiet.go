// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"time"

	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// WantsTerms tells whether a message opens an episode, or waits in one that has
// no route: what holds of the channel now is to be given to Hear.
func (c *Conversation) WantsTerms(e *event.Event, now time.Time) bool {
	return !c.Took(e) && (c.opens(e, now) || c.State.Waits() && c.Terms.Route == "")
}

// opens tells whether a message opens an episode: the one before is over, or its
// Life is, or whoever has it does not look any more.
func (c *Conversation) opens(e *event.Event, now time.Time) bool {
	if c.NeedsTerms() || !now.Before(c.ExpiresAt()) {
		return true
	}
	return c.State == Acknowledged && c.Response != nil && received(e, now).After(c.Response.At.Add(Quiet))
}

// follow notes the last message of those that wait; they may come in another
// order than they were written in.
func (c *Conversation) follow(m Message) {
	if c.Latest == nil || m.Said.IsZero() || !m.Said.Before(c.Latest.Said) {
		c.Latest = &m
	}
}

// takeUp makes a message that joins others begin the route: for the first time
// where the channel had none until now, and anew where everybody's turn has been
// and nobody was told for a while. Whoever stands in for a route is told anew,
// too.
func (c *Conversation) takeUp(terms Terms, at, now time.Time) {
	quiet := at.After(c.lastTold().Add(Quiet))
	switch {
	case !c.State.Waits():
		return
	case c.StoodIn && quiet:
		c.Next.Anew++
	case !c.Due.IsZero():
		return
	case c.Terms.Route == "" && terms.Route != "":
		c.Terms.Route, c.Terms.Rule, c.Terms.RuleSteps = terms.Route, terms.Rule, terms.RuleSteps
	case c.Terms.Route != "" && quiet:
		c.Next = escalation.Position{Anew: c.Next.Anew + 1}
	default:
		return
	}
	c.Due, c.Tries, c.StoodIn = now, 0, false
}

// lastTold is when somebody was told last; zero for never.
func (c *Conversation) lastTold() time.Time {
	var last time.Time
	for i := range c.Tellings {
		if t := &c.Tellings[i]; t.Way != "" && t.At.After(last) {
			last = t.At
		}
	}
	return last
}

// precedes tells whether a post of the account's own was written before a
// message, so that it cannot answer it. What answers the very post does, whatever
// the clocks of two platforms say.
func precedes(own *event.Event, said time.Time, post string) bool {
	return !own.OccurredAt.IsZero() && own.OccurredAt.Before(said) && (own.InReplyTo == "" || own.InReplyTo != post)
}

// Overtaken takes in a message of which the answer was taken in before it came.
// It tells whether anything changed.
func (c *Conversation) Overtaken(e *event.Event) bool {
	if c.Took(e) {
		return false
	}
	c.Events = appendBounded(c.Events, Mark(e.ID), maxEvents)
	c.notePost(e.PostID)
	return true
}

// Postpone leaves a turn that nobody can be told of for a while. What else is to
// be done is done meanwhile.
func (c *Conversation) Postpone(now time.Time) {
	c.unclaim()
	c.Tries, c.Due = 0, now.Add(UnheardAgain)
}

// finishStandIn notes what became of telling the owner's manager in the stead of
// a route that is not there. The turn stays, for when it is.
func (c *Conversation) finishStandIn(heard bool, tellings []Telling, now time.Time) {
	if !heard && c.Tries+1 < maxTries && !Hopeless(tellings) {
		c.Tries++
		c.Due = now.Add(Pause(c.Tries, tellings))
		return
	}
	if heard {
		c.State, c.StoodIn = Told, true
	}
	c.Tries, c.Due = 0, now.Add(UnheardAgain)
}

// LeaveRule goes on by the steps of the route alone, for its rule is not there
// any more: with the first that the rule's own would have been followed by, or
// the same as far as those were through.
func (c *Conversation) LeaveRule() {
	step := max(0, c.Next.Step-c.Terms.RuleSteps)
	c.Terms.Rule, c.Terms.RuleSteps = "", 0
	if !c.Next.Fallback {
		c.Next = escalation.Position{Round: c.Next.Round, Step: step, Anew: c.Next.Anew + 1}
	}
}

// ahead tells whether a claim lasts for longer than any can: the clock was set
// back. The clocks of two processes may differ by ClaimFor.
func (c *Claim) ahead(now time.Time) bool { return c.Until.After(now.Add(2 * ClaimFor)) }

// Keeps tells whether others are to leave the task alone.
func (c *Claim) Keeps(now time.Time) bool {
	return c != nil && now.Before(c.Until) && !c.ahead(now)
}
