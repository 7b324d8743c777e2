// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/ledger"
)

const (
	// renewEvery is after how many conversations the claim of a gathering is
	// renewed.
	renewEvery = 1000
	// gatherTries is how often people are tried to be told of many at once, and
	// gatherAgain after how long again.
	gatherTries = 3
	gatherAgain = 10 * time.Second
)

// gathered is what a crowd is told of.
type gathered struct {
	*crowd
	channel *Channel
	// waiting are those of the crowd that still do, the oldest first.
	waiting []ledger.Summary
	// rowKey is the key of the gathering's row, and row what it says.
	rowKey string
	row    ledger.Gathering
}

// gather tells the people of a crowd of all its conversations at once. The
// budgets of the people were charged.
func (d *Dispatcher) gather(ctx context.Context, c *crowd) {
	now := d.clock.Now()
	g := gathered{crowd: c, waiting: d.waiting(c, now)}
	g.rowKey = conversation.NewID(c.uid, "gather", c.key)
	switch len(g.waiting) {
	case 0:
		d.floods.refund(c)
		d.hurry()
		return
	case 1:
		d.attend(ctx, g.waiting[0].ID, true)
		return
	}
	until, err := d.claimGathering(ctx, &g)
	if err == nil && until.IsZero() {
		g.channel, err = d.directory.Channel(ctx, channelName(c.channel), c.uid)
	}
	switch {
	case err != nil:
		if ctx.Err() == nil {
			d.log.Error(err, "people could not be told of many conversations at once; it is tried again", "channel", c.channel, "after", again.String())
		}
		d.putBack(c, now.Add(again))
	case !until.IsZero():
		d.putBack(c, until)
	case g.channel == nil:
		d.scatter(g.waiting) // each is given up
	default:
		d.tellCrowd(ctx, &g)
	}
}

func (d *Dispatcher) putBack(c *crowd, notBefore time.Time) {
	d.floods.putBack(c, notBefore)
	d.hurry()
}

// scatter has conversations looked at one by one.
func (d *Dispatcher) scatter(waiting []ledger.Summary) {
	now := d.clock.Now()
	for _, summary := range waiting {
		d.ledger.Prompt(summary.ID, now)
	}
}

// waiting gives those of a crowd for which it is still time.
func (d *Dispatcher) waiting(c *crowd, now time.Time) []ledger.Summary {
	found := make([]ledger.Summary, 0, len(c.ids))
	for id := range maps.Keys(c.ids) {
		summary, ok := d.ledger.Summary(id)
		if ok && summary.State.Waits() && !summary.Due.IsZero() && !now.Before(summary.Due) {
			found = append(found, summary)
		}
	}
	slices.SortFunc(found, func(a, b ledger.Summary) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return found
}

// claimGathering claims to tell a crowd; an instant where it is to wait until
// then, since another process is at it, or was less than a minute ago.
func (d *Dispatcher) claimGathering(ctx context.Context, g *gathered) (until time.Time, err error) {
	err = d.ledger.Gather(ctx, g.rowKey, func(row ledger.Gathering) (*ledger.Gathering, error) {
		now := d.clock.Now()
		until = time.Time{}
		switch {
		case row.Claim != nil && now.Before(row.Claim.Until) && row.Claim.By != d.by && !d.former(row.Claim.By):
			until = row.Claim.Until
		case now.Before(row.At.Add(refill)):
			until = row.At.Add(refill)
		}
		if !until.IsZero() {
			return nil, nil
		}
		row.Claim = d.claim(now)
		g.row = row
		return &row, nil
	})
	return until, err
}

func (d *Dispatcher) claim(now time.Time) *conversation.Claim {
	return &conversation.Claim{By: d.by, Until: now.Add(conversation.ClaimFor)}
}

// tellCrowd tells people of many conversations, and then notes it in each. After
// a crash in between, those in which it is not noted are told of again, by a
// message with the same ID.
func (d *Dispatcher) tellCrowd(ctx context.Context, g *gathered) {
	count, oldest := len(g.waiting), g.waiting[0].OpenedAt
	turn := escalation.Turn{People: g.people}
	tellings := d.tellAll(ctx, g.task, turn, func(h escalation.Hearer) message {
		return d.many(g.crowd, g.channel, g.row.Count, count, oldest, h)
	})
	told := heard(tellings)
	row := g.row
	row.Claim = nil
	if !told {
		row.Tries++
		if row.Tries < gatherTries || ctx.Err() != nil {
			d.writeGathering(ctx, g, row)
			d.putBack(g.crowd, d.clock.Now().Add(time.Duration(row.Tries)*gatherAgain))
			return
		}
	} else {
		row.Count++
		row.At = d.clock.Now()
		d.metrics.gathered.Add(float64(count))
	}
	row.Tries = 0
	for n := range tellings {
		tellings[n].Grouped = true
	}
	for chunk := range slices.Chunk(g.waiting, renewEvery) {
		if ctx.Err() != nil {
			return // the claim stays, and with it the number of the message
		}
		d.noteAll(ctx, g, chunk, tellings)
		renewed := g.row
		renewed.Claim = d.claim(d.clock.Now())
		d.writeGathering(ctx, g, renewed)
	}
	d.writeGathering(ctx, g, row)
}

// writeGathering writes a gathering's row, if the claim is still there.
func (d *Dispatcher) writeGathering(ctx context.Context, g *gathered, after ledger.Gathering) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	err := d.ledger.Gather(ctx, g.rowKey, func(row ledger.Gathering) (*ledger.Gathering, error) {
		if row.Claim == nil || row.Claim.By != d.by {
			return nil, nil
		}
		return &after, nil
	})
	if err != nil {
		d.log.Error(err, "that people were told of many conversations could not be written; they may hear of some again", "channel", g.crowd.channel)
	}
}

// noteAll notes in many conversations that people were told of them.
func (d *Dispatcher) noteAll(ctx context.Context, g *gathered, some []ledger.Summary, tellings []conversation.Telling) {
	var group errgroup.Group
	group.SetLimit(workers)
	var failed atomic.Int64
	for _, summary := range some {
		group.Go(func() error {
			noted := false
			_, err := d.ledger.Update(ctx, summary.ID, func(c *conversation.Conversation) (*conversation.Conversation, error) {
				if noted = c != nil && d.noteOne(c, g, tellings); noted {
					return c, nil
				}
				return nil, nil
			})
			switch {
			case err != nil:
				failed.Add(1)
				d.ledger.Wake(summary.ID, d.clock.Now().Add(again))
			case !noted:
				d.ledger.Wake(summary.ID, d.clock.Now().Add(soon))
			}
			return nil
		})
	}
	_ = group.Wait()
	if count := failed.Load(); count > 0 && ctx.Err() == nil {
		d.log.Info("that people were told could not be written of some conversations; they hear of them again", "conversations", count, "channel", g.crowd.channel)
	}
}

// noteOne notes in a conversation that its people were told of it with others. It
// does not where something else is to be done by now, or other people to be told.
func (d *Dispatcher) noteOne(c *conversation.Conversation, g *gathered, tellings []conversation.Telling) bool {
	now := d.clock.Now()
	if c.Task(now) != g.task {
		return false
	}
	turn := turnOf(c, g.channel, g.task, now)
	if newCrowd(c.ChannelUID, c.Channel, g.task, turn.People, now).key != g.key {
		return false
	}
	mine := slices.Clone(tellings)
	for n := range mine {
		mine[n].Position = turn.At
	}
	switch {
	case g.task == conversation.TellLate:
		c.FinishLate(mine, now)
	case heard(mine):
		c.Finish(turn, mine, now)
	default:
		c.Pass(turn, mine, now)
	}
	return true
}
