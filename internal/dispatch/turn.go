// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
)

// plan is a task that this process has claimed.
type plan struct {
	task conversation.Task
	// conversation as it was claimed.
	conversation *conversation.Conversation
	channel      *Channel
	turn         escalation.Turn
	due          time.Time
}

// step is what is decided about a conversation.
type step struct {
	// plan to be carried out once the conversation is written.
	plan *plan
	// changed tells that the conversation is to be written.
	changed bool
	// held: it waits for others of its kind.
	held bool
	// rest until then at the least, without a write.
	rest time.Time
	// spent of a budget, to be given back if it comes to nothing.
	spent *crowd
}

// attend does what is to be done about one conversation now. Paid tells that the
// budget of those who are told was charged already.
func (d *Dispatcher) attend(ctx context.Context, id string, paid bool) {
	var next step
	after, err := d.ledger.Update(ctx, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		d.giveUp(&next) // of a try that others were faster than
		now := d.clock.Now()
		next = step{rest: now.Add(soon)}
		if c == nil {
			return nil, nil
		}
		if c.Claim != nil && d.former(c.Claim.By) {
			c.Release()
		}
		if c.Task(now) == conversation.Rest {
			return nil, nil
		}
		channel, err := d.directory.Channel(ctx, channelName(c.Channel), c.ChannelUID)
		if err != nil {
			return nil, err
		}
		next = d.consider(c, channel, now, paid)
		if !next.changed {
			return nil, nil
		}
		return c, nil
	})
	switch {
	case err != nil:
		d.giveUp(&next)
		if ctx.Err() == nil {
			d.log.Error(err, "a conversation could not be read or written; it is looked at again", "conversation", id, "after", again.String())
		}
		d.ledger.Wake(id, d.clock.Now().Add(again))
	case next.plan != nil && after != nil:
		next.plan.conversation = after
		d.carryOut(ctx, next.plan)
	case !next.changed && !next.held:
		d.ledger.Wake(id, next.rest)
	}
}

// giveUp gives back what a step that comes to nothing had spent.
func (d *Dispatcher) giveUp(s *step) {
	if s.spent != nil {
		d.floods.refund(s.spent)
	}
	*s = step{}
}

// consider decides what is to be done about a conversation, and changes it so.
func (d *Dispatcher) consider(c *conversation.Conversation, channel *Channel, now time.Time, paid bool) step {
	due := c.WakeAt()
	task := c.Task(now)
	switch task {
	case conversation.Rest:
		return step{rest: now.Add(soon)}
	case conversation.GiveUp:
		d.expire(c, "nobody did anything about it for a week")
		return step{changed: c.Expire(now)}
	case conversation.Close:
		c.Take(d.by, now)
		return step{changed: true, plan: &plan{task: task, channel: channel, due: due}}
	case conversation.TakeTurn, conversation.TellLate:
	}
	if channel == nil {
		d.expire(c, "its channel is gone")
		return step{changed: c.Abandon(now)}
	}
	turn := turnOf(c, channel, task, now)
	if len(turn.People) == 0 {
		return d.nobody(c, task, turn, now)
	}
	next := step{changed: true, plan: &plan{task: task, channel: channel, turn: turn, due: due}}
	if !paid {
		next.spent = newCrowd(c.ChannelUID, c.Channel, task, turn.People, now)
		if !d.floods.admit(next.spent, c.ID, now) {
			d.hurry()
			return step{held: true}
		}
	}
	c.Take(d.by, now)
	return next
}

// nobody is what becomes of a turn that nobody can be told of.
func (d *Dispatcher) nobody(c *conversation.Conversation, task conversation.Task, turn escalation.Turn, now time.Time) step {
	if task == conversation.TellLate {
		c.FinishLate(nil, now)
		return step{changed: true}
	}
	d.sayUnreached(c, turn.Skipped, now)
	return step{rest: now.Add(conversation.UnheardAgain)}
}

// turnOf is whose turn it is now, by what holds of the channel now: an owner, a
// route or a rota may be another than when the conversation began. Where there
// is no route any more, the owner's manager hears.
func turnOf(c *conversation.Conversation, channel *Channel, task conversation.Task, now time.Time) escalation.Turn {
	if task == conversation.TakeTurn && channel.Route != nil {
		return channel.Route.Turn(channel.Route.RuleNamed(c.Terms.Rule), c.Next, c.Heard(c.Next.Round), channel.Sources, now)
	}
	turn := escalation.Turn{Targets: []string{"manager of " + channel.Escalation.Owner}}
	turn.At = escalation.Position{Round: c.Next.Round, Fallback: true}
	turn.Next = turn.At
	if channel.Manager != (escalation.Person{}) {
		turn.People = []escalation.Hearer{{Person: channel.Manager, Manager: true}}
	}
	return turn
}

func (d *Dispatcher) expire(c *conversation.Conversation, why string) {
	d.metrics.expired.Inc()
	d.log.Info("a conversation was given up", "conversation", c.ID, "channel", c.Channel, "state", c.State, "cause", why)
}

// sayUnreached says that somebody waits of whom nobody can be told; of each
// channel not more often than that is tried.
func (d *Dispatcher) sayUnreached(c *conversation.Conversation, skipped []string, now time.Time) {
	d.metrics.unreached.Inc()
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Before(d.unreached[c.Channel].Add(conversation.UnheardAgain)) {
		return
	}
	if len(d.unreached) >= maxUnreached {
		clear(d.unreached)
	}
	d.unreached[c.Channel] = now
	d.log.Error(nil, "nobody at all can be told of a conversation: look at the route, and at how its people are told",
		"conversation", c.ID, "channel", c.Channel, "since", c.OpenedAt, "skipped", skipped)
}

// maxUnreached bounds of how many channels it is remembered.
const maxUnreached = 1024

// carryOut does what was claimed, and writes what became of it.
func (d *Dispatcher) carryOut(ctx context.Context, p *plan) {
	c := p.conversation
	if p.task == conversation.Close {
		heard := d.closeWays(ctx, c)
		if heard || ctx.Err() == nil {
			d.finish(ctx, p, func(c *conversation.Conversation, now time.Time) { c.FinishClose(heard, now) }, nil)
			return
		}
		d.release(ctx, p)
		return
	}
	d.metrics.lateness.Observe(max(0, d.clock.Now().Sub(p.due)).Seconds())
	tellings := d.tellAll(ctx, p.task, p.turn, func(h escalation.Hearer) message { return d.words(p, h) })
	if ctx.Err() != nil && !heard(tellings) {
		d.release(ctx, p) // the process stops; another takes the turn
		return
	}
	after := d.finish(ctx, p, func(c *conversation.Conversation, now time.Time) {
		if p.task == conversation.TellLate {
			c.FinishLate(tellings, now)
		} else {
			c.Finish(p.turn, tellings, now)
		}
	}, tellings)
	if after != nil && after.Unreached() && p.turn.At.Fallback {
		d.sayUnreached(after, p.turn.Skipped, d.clock.Now())
	}
}

// finish writes what became of a task. Where its claim has passed to another
// meanwhile, because it took too long or because somebody answered, tellings are
// kept all the same: who was told is to hear that it is over.
func (d *Dispatcher) finish(
	ctx context.Context, p *plan, note func(c *conversation.Conversation, now time.Time), tellings []conversation.Telling,
) *conversation.Conversation {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	id, episode := p.conversation.ID, p.conversation.Episode
	after, err := d.ledger.Update(ctx, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		switch {
		case c == nil || c.Episode != episode:
			return nil, nil
		case c.Holds(d.by, episode, p.task):
			note(c, d.clock.Now())
		case len(tellings) == 0:
			return nil, nil
		default:
			c.Note(tellings)
		}
		return c, nil
	})
	if err != nil {
		// The claim ends, and the turn is taken again with the same message IDs.
		d.log.Error(err, "what became of a notification could not be written; it may be sent again", "conversation", id)
		return nil
	}
	return after
}

// release gives a claim back.
func (d *Dispatcher) release(ctx context.Context, p *plan) {
	d.finish(ctx, p, func(c *conversation.Conversation, _ time.Time) { c.Release() }, nil)
}
