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
	// gatherLost how often they may have been told the same without that anybody
	// knows.
	gatherTries = 3
	gatherLost  = 2
	// floodQuiet is after how long without a message the next is of another flood,
	// and wakes whoever is told anew.
	floodQuiet = 10 * time.Minute
	// maxFloods bounds how many of the same people can be open.
	maxFloods = 8
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
	if !d.takeGathering(g.rowKey) {
		d.putBack(c, now.Add(again)) // one message at a time, or receivers fold them
		return
	}
	defer d.leaveGathering(g.rowKey)
	var until time.Time
	var err error
	if g.channel, err = d.directory.Channel(ctx, channelName(c.channel), c.uid); err == nil && g.channel != nil {
		until, err = d.claimGathering(ctx, &g)
	}
	switch {
	case err != nil:
		if ctx.Err() == nil {
			d.away.note(err, now)
		}
		if ctx.Err() == nil && d.quiet.may("gather "+cause(err), now) {
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

// waiting gives those of a crowd for which it is still time, and lets go of the
// others.
func (d *Dispatcher) waiting(c *crowd, now time.Time) []ledger.Summary {
	found := make([]ledger.Summary, 0, len(c.ids))
	for id := range maps.Keys(c.ids) {
		summary, ok := d.ledger.Summary(id)
		if ok && summary.State.Waits() && !summary.Due.IsZero() && !now.Before(summary.Due) {
			found = append(found, summary)
		} else {
			d.ledger.Wake(id, now) // when its row says
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
		case row.Claim.Keeps(now) && row.Claim.By != d.by && !d.former(row.Claim.By):
			until = row.Claim.Until
		case !row.At.After(now) && now.Before(row.At.Add(refill)): // else the clock was set back
			until = row.At.Add(refill)
		}
		if !until.IsZero() {
			return nil, nil
		}
		g.join(&row, now)
		if row.Claim != nil && !d.doubts.has(g.rowKey, row.Claim) {
			row.Lost++
		}
		row.Claim = d.claim(now)
		g.row = row
		return &row, nil
	})
	switch {
	case err != nil:
		d.doubts.keep(g.rowKey, g.row.Claim, time.Time{})
	case until.IsZero():
		d.doubts.forget(g.rowKey)
	}
	return until, err
}

// takeGathering tells whether this process may be at a gathering; it is, then,
// until leaveGathering.
func (d *Dispatcher) takeGathering(key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, taken := d.gathering[key]
	d.gathering[key] = struct{}{}
	return !taken
}

func (d *Dispatcher) leaveGathering(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.gathering, key)
}

// join makes what is about to be told a part of the flood that goes on, or of a
// new one. It is written before anybody is told, so that what a process tells
// that dies is closed as well.
func (g *gathered) join(row *ledger.Gathering, now time.Time) {
	row.Channel, row.ChannelUID, row.Late, row.People = g.crowd.channel, g.uid, g.task == conversation.TellLate, nil
	for _, hearer := range g.people {
		row.People = append(row.People, hearer.Person)
	}
	row.Floods = slices.Clone(row.Floods)
	if last := len(row.Floods) - 1; last >= 0 && row.Floods[last].Over.IsZero() {
		flood := &row.Floods[last]
		if row.Claim != nil || now.Before(flood.At.Add(floodQuiet)) && now.Before(flood.Since.Add(gatheredFor)) {
			flood.At = now
			return
		}
		flood.Over, flood.Again = now, now
	}
	row.Floods = append(row.Floods, ledger.Flood{
		Incident: digest("many", g.key, now.UTC().Format(time.RFC3339Nano)), Since: now, At: now,
		Platform: g.channel.Platform, Owner: g.channel.Escalation.Owner,
	})
	if over := len(row.Floods) - maxFloods; over > 0 {
		row.Floods = slices.Delete(row.Floods, 0, over)
	}
}

// flood is the one that is told of.
func (g *gathered) flood() *ledger.Flood { return &g.row.Floods[len(g.row.Floods)-1] }

func (d *Dispatcher) claim(now time.Time) *conversation.Claim {
	return &conversation.Claim{By: d.by, Until: now.Add(conversation.ClaimFor)}
}

// tellCrowd tells people of many conversations, and then notes it in each. After
// a crash in between, those in which it is not noted are told of again, by a
// message with the same ID; after a second one, whose turn is next.
func (d *Dispatcher) tellCrowd(ctx context.Context, g *gathered) {
	row := g.row
	row.Claim = nil
	var tellings []conversation.Telling
	if g.doubtful() {
		tellings = d.doubted(g)
	} else {
		turn := escalation.Turn{People: g.people}
		tellings = d.tellAll(ctx, g.row.Claim.Until, g.task, turn, func(h escalation.Hearer) message { return d.many(g, h) })
		row.Tries++
		switch retry := row.Tries < gatherTries && !conversation.Hopeless(tellings) || ctx.Err() != nil; {
		case heard(tellings):
			row.Count++
			row.At = d.clock.Now()
			d.metrics.gathered.Add(float64(len(g.waiting)))
		case retry:
			if !d.writeGathering(ctx, g, row) && !reached(tellings) {
				d.doubts.keep(g.rowKey, g.row.Claim, time.Time{})
			}
			d.putBack(g.crowd, d.clock.Now().Add(conversation.Pause(row.Tries, tellings)))
			return
		}
	}
	row.Tries, row.Lost = 0, 0
	for n := range tellings {
		tellings[n].Grouped = true
	}
	noting, cancel := d.lasting(ctx)
	defer cancel()
	if d.noteCrowd(noting, g, tellings) {
		d.writeGathering(ctx, g, row)
	} // else the claim stays, and with it the number of the message
}

// doubtful tells whether the people may have been told the same as often as they
// may be, and nobody knows. Where somebody must hear, they are told all the same.
func (g *gathered) doubtful() bool { return g.row.Lost >= gatherLost && !g.must }

// doubted is what is known of people who may have been told.
func (d *Dispatcher) doubted(g *gathered) []conversation.Telling {
	if d.quiet.may("doubtful", d.clock.Now()) {
		d.log.Error(nil, "whoever told people of many conversations stopped twice before the outcome was written; the next in their route are told",
			"conversations", len(g.waiting), "channel", g.crowd.channel)
	}
	tellings := make([]conversation.Telling, len(g.people))
	for n, hearer := range g.people {
		tellings[n] = conversation.Telling{
			At: d.clock.Now(), Late: g.task == conversation.TellLate, Team: hearer.Team, Member: hearer.Name,
			Problem: "they may have been told of many conversations at once", Unsure: true,
		}
	}
	return tellings
}

// noteCrowd notes in all conversations of a crowd that its people were told, and
// tells whether it came to the end.
func (d *Dispatcher) noteCrowd(ctx context.Context, g *gathered, tellings []conversation.Telling) bool {
	for first := 0; first < len(g.waiting); first += renewEvery {
		if ctx.Err() != nil {
			d.scatter(g.waiting[first:])
			return false
		}
		d.noteAll(ctx, g, g.waiting[first:min(first+renewEvery, len(g.waiting))], tellings)
		renewed := g.row
		renewed.Claim = d.claim(d.clock.Now())
		d.writeGathering(ctx, g, renewed)
	}
	return true
}

// writeGathering writes a gathering's row, if the claim is still there. It tells
// whether what is in the row is known then.
func (d *Dispatcher) writeGathering(ctx context.Context, g *gathered, after ledger.Gathering) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	err := d.ledger.Gather(ctx, g.rowKey, func(row ledger.Gathering) (*ledger.Gathering, error) {
		if row.Claim == nil || row.Claim.By != d.by {
			return nil, nil
		}
		after.Floods = row.Floods // whoever closes them needs no claim
		return &after, nil
	})
	if err != nil && d.quiet.may("gathered "+cause(err), d.clock.Now()) {
		d.log.Error(err, "that people were told of many conversations could not be written; they may hear of some again", "channel", g.crowd.channel)
	}
	return err == nil
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
	if count := failed.Load(); count > 0 && ctx.Err() == nil && d.quiet.may("note "+g.crowd.channel, d.clock.Now()) {
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
	if newCrowd(c, g.task, turn, now).key != g.key {
		return false
	}
	c.Release() // of one that ended without a word
	mine := slices.Clone(tellings)
	for n := range mine {
		mine[n].Position = turn.At
	}
	switch {
	case g.task == conversation.TellLate && g.doubtful():
		c.FinishLate(nil, now)
	case g.task == conversation.TellLate:
		c.FinishLate(mine, now)
	case heard(mine):
		c.Finish(turn, mine, now)
	default:
		c.Pass(turn, mine, now)
	}
	return true
}
