// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
)

// plan is a task that this process has claimed.
type plan struct {
	task conversation.Task
	// claim under which it is carried out, and conversation as it was claimed.
	claim        *conversation.Claim
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
	// spent of a budget, and a slot to close, to be given back if it comes to
	// nothing.
	spent  *crowd
	closer bool
}

// attend does what is to be done about one conversation now. Paid tells that the
// budget of those who are told was charged already. What has begun is written
// also while the process stops: a claim of which nobody knows would count as one
// whose people may have been told.
func (d *Dispatcher) attend(ctx context.Context, id string, paid bool) {
	if ctx.Err() != nil {
		d.ledger.Wake(id, d.clock.Now())
		return
	}
	var next step
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	after, err := d.ledger.Update(writing, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		d.giveUp(&next) // of a try that others were faster than
		now := d.clock.Now()
		next = step{rest: now.Add(soon)}
		if c == nil {
			return nil, nil
		}
		d.doubts.settle(c)
		if c.Claim != nil && d.former(c.Claim.By) {
			c.Release()
		}
		if c.Task(now) == conversation.Rest {
			return nil, nil
		}
		channel, err := d.directory.Channel(writing, channelName(c.Channel), c.ChannelUID)
		if err != nil {
			return nil, err
		}
		next = d.consider(c, channel, now, paid)
		if !next.changed {
			return nil, nil
		}
		return c, nil
	})
	if err == nil && next.changed {
		d.doubts.forget(id)
	}
	switch {
	case err != nil:
		now := d.clock.Now()
		d.doubt(id, &next, now)
		d.giveUp(&next)
		if ctx.Err() == nil {
			d.away.note(err, now)
		}
		if ctx.Err() == nil && d.quiet.may(cause(err), now) {
			d.log.Error(err, "a conversation could not be read or written; it is looked at again", "conversation", id, "after", again.String())
		}
		d.ledger.Wake(id, now.Add(again))
	case next.plan != nil && after != nil:
		next.plan.conversation = after
		d.carryOut(ctx, next.plan)
	case !next.changed && !next.held:
		d.ledger.Wake(id, next.rest)
	}
}

// doubt remembers the claim of a step that could not be written, if there is one.
func (d *Dispatcher) doubt(id string, s *step, now time.Time) {
	if s.plan != nil {
		d.doubts.keep(id, s.plan.claim, now.Add(again))
		d.hurry()
	}
}

// giveUp gives back what a step that comes to nothing had spent.
func (d *Dispatcher) giveUp(s *step) {
	if s.spent != nil {
		d.floods.refund(s.spent)
	}
	if s.closer {
		<-d.closers
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
		return d.close(c, now)
	case conversation.TakeTurn, conversation.TellLate:
	}
	if channel == nil {
		d.expire(c, "its channel is gone")
		return step{changed: c.Abandon(now)}
	}
	turn := turnOf(c, channel, task, now)
	if turn.At.StandIn && c.StoodIn {
		c.Postpone(now)
		return step{changed: true}
	}
	if len(turn.People) == 0 {
		if next := d.close(c, now); next.changed {
			return next
		}
		return d.nobody(c, task, turn, now)
	}
	if late := task == conversation.TellLate; c.Doubtful(turn, late) {
		if d.quiet.may("doubtful", now) {
			d.log.Error(nil, "whoever told people of a conversation stopped twice before the outcome was written; the next in its route are told",
				"conversation", c.ID, "channel", c.Channel, "brokenPromise", late)
		}
		c.Skip(turn, late, now)
		return step{changed: true}
	}
	next := step{changed: true, plan: &plan{task: task, channel: channel, turn: turn, due: due}}
	if !paid {
		next.spent = newCrowd(c, task, turn, now)
		if !d.floods.admit(next.spent, c.ID, now) {
			d.hurry()
			if next := d.close(c, now); next.changed {
				return next
			}
			return step{held: true}
		}
	}
	c.Take(d.by, turn, now)
	next.plan.claim = c.Claim
	return next
}

// close claims to close what is to be closed, if there is somebody to do it.
func (d *Dispatcher) close(c *conversation.Conversation, now time.Time) step {
	next := step{rest: now.Add(again)}
	if at := c.TurnAt(); !at.IsZero() && at.Before(next.rest) {
		next.rest = latest(at, now.Add(soon))
	}
	if len(c.Closable(now)) == 0 || !reserve(d.closers) {
		return next
	}
	if !c.TakeClose(d.by, now) {
		<-d.closers
		return next
	}
	return step{changed: true, closer: true, plan: &plan{task: conversation.Close, claim: c.Claim}}
}

// nobody is what becomes of a turn that nobody can be told of.
func (d *Dispatcher) nobody(c *conversation.Conversation, task conversation.Task, turn escalation.Turn, now time.Time) step {
	if task == conversation.TellLate {
		c.FinishLate(nil, now)
		return step{changed: true}
	}
	d.sayUnreached(c, turn.Skipped, now)
	c.Postpone(now)
	return step{changed: true}
}

// turnOf is whose turn it is now, by what holds of the channel now: an owner, a
// route or a rota may be another than when the conversation began. The owner's
// manager hears where there is no route any more, where it is not there for now,
// and where nobody of the fallback can be told.
func turnOf(c *conversation.Conversation, channel *Channel, task conversation.Task, now time.Time) escalation.Turn {
	if task == conversation.TakeTurn && channel.Route != nil {
		rule := channel.Route.RuleNamed(c.Terms.Rule)
		if rule == escalation.DefaultSteps && c.Terms.Rule != "" {
			c.LeaveRule()
		}
		turn := channel.Route.Turn(rule, c.Next, c.Heard(c.Next.Round), channel.Sources, now)
		if len(turn.People) == 0 && channel.Manager != (escalation.Person{}) && channel.Sources.Reaches(channel.Manager) {
			turn.Targets = append(turn.Targets, "manager of "+channel.Escalation.Owner)
			turn.People = []escalation.Hearer{{Person: channel.Manager, Manager: true}}
		}
		return turn
	}
	turn := escalation.Turn{Targets: []string{"manager of " + channel.Escalation.Owner}}
	turn.At = escalation.Position{Round: c.Next.Round, Fallback: true, Anew: c.Next.Anew}
	turn.Next = turn.At
	if task == conversation.TakeTurn && channel.RouteName != "" {
		turn.At = escalation.Position{Round: c.Next.Round, Step: c.Next.Step, Anew: c.Next.Anew, StandIn: true}
		turn.Next = c.Next
	}
	if channel.Manager != (escalation.Person{}) {
		turn.People = []escalation.Hearer{{Person: channel.Manager, Manager: true}}
	}
	return turn
}

func (d *Dispatcher) expire(c *conversation.Conversation, why string) {
	d.metrics.expired.Inc()
	if !d.quiet.may("expired "+c.Channel, d.clock.Now()) {
		return
	}
	d.log.Info("a conversation was given up", "conversation", c.ID, "channel", c.Channel, "state", c.State, "cause", why)
}

// sayUnreached says that somebody waits of whom nobody can be told; of each
// channel not more often than that is tried.
func (d *Dispatcher) sayUnreached(c *conversation.Conversation, skipped []string, now time.Time) {
	d.metrics.unreached.Inc()
	if !d.quiet.mayEvery(conversation.UnheardAgain, "unreached "+c.Channel, now) {
		return
	}
	d.log.Error(nil, "nobody at all can be told of a conversation: look at the route, and at how its people are told",
		"conversation", c.ID, "channel", c.Channel, "since", c.OpenedAt, "skipped", skipped)
}

// carryOut does what was claimed, and writes what became of it.
func (d *Dispatcher) carryOut(ctx context.Context, p *plan) {
	if p.task == conversation.Close {
		d.spawn(d.closers, func() { d.closeAll(ctx, p) })
		return
	}
	d.metrics.lateness.Observe(max(0, d.clock.Now().Sub(p.due)).Seconds())
	tellings := d.tellAll(ctx, p.claim.Until, p.task, p.turn, func(h escalation.Hearer) message { return d.words(p, h) })
	if ctx.Err() != nil && !heard(tellings) {
		d.finish(ctx, p, func(c *conversation.Conversation) bool { // the process stops; another takes the turn
			if !c.Holds(p.claim, p.conversation.Episode) {
				return false
			}
			c.Forgo(tellings)
			return true
		})
		return
	}
	after := d.finish(ctx, p, func(c *conversation.Conversation) bool { return d.note(c, p, tellings) })
	if after == nil && !reached(tellings) {
		d.doubts.keep(p.conversation.ID, p.claim, d.clock.Now().Add(again))
		d.hurry()
	}
	if after != nil && after.Unreached() && p.turn.At.Fallback {
		d.sayUnreached(after, p.turn.Skipped, d.clock.Now())
	}
}

// note notes what became of a turn. Where its claim has passed to another,
// because it took too long or because somebody answered, tellings are kept all
// the same: who was told is to hear that it is over.
func (d *Dispatcher) note(c *conversation.Conversation, p *plan, tellings []conversation.Telling) bool {
	now, before := d.clock.Now(), p.conversation
	switch {
	case !c.Holds(p.claim, before.Episode):
		c.Note(before.Episode, before.Terms.Owner, tellings, now)
	case p.task == conversation.TellLate:
		c.FinishLate(tellings, now)
	default:
		c.Finish(p.turn, tellings, now)
	}
	return true
}

// finish writes what became of a task, where note says that there is anything. A
// store that is away, as a cluster is while it elects a leader, is tried again
// for as long as the claim is good: what became of it is known here alone.
func (d *Dispatcher) finish(ctx context.Context, p *plan, note func(*conversation.Conversation) bool) *conversation.Conversation {
	for {
		after, err := d.write(ctx, p, note)
		if err == nil {
			return after
		}
		now := d.clock.Now()
		d.away.note(err, now)
		mends := errors.Is(err, inbox.ErrUnavailable) || errors.Is(err, inbox.ErrFull) || errors.Is(err, ledger.ErrBusy)
		if !mends || p.claim.Until.Sub(now) < writeTimeout || !d.pause(ctx, soon) {
			// The claim ends, and the turn is taken again with the same message IDs.
			if d.quiet.may("finish "+cause(err), now) {
				d.log.Error(err, "what became of a notification could not be written; it may be sent again", "conversation", p.conversation.ID)
			}
			return nil
		}
	}
}

// lasting gives a context that lasts longer than another, by the time of a write.
func (d *Dispatcher) lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		d.pause(lasting, writeTimeout)
		cancel()
	})
	return lasting, func() {
		stop()
		cancel()
	}
}

// pause waits, and tells whether the context lasts.
func (d *Dispatcher) pause(ctx context.Context, wait time.Duration) bool {
	timer := d.clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

// write is one try of finish.
func (d *Dispatcher) write(
	ctx context.Context, p *plan, note func(*conversation.Conversation) bool,
) (*conversation.Conversation, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return d.ledger.Update(ctx, p.conversation.ID, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		if c == nil || !note(c) {
			return nil, nil
		}
		return c, nil
	})
}
