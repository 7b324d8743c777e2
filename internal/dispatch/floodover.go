// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/ledger"
)

const (
	// lookEvery is how often it is looked whether a flood is over, and lookPause
	// how soon again at the earliest.
	lookEvery = time.Minute
	lookPause = 10 * time.Second
)

// closeFloods begins to close what people were told of many conversations, where
// that is due, and gives when it is due next; zero for never.
func (d *Dispatcher) closeFloods(ctx context.Context, now time.Time) (next time.Time) {
	floods := d.ledger.Floods()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(floods) == 0 {
		clear(d.looked)
		return time.Time{}
	}
	for _, of := range floods {
		at := d.floodDue(&of)
		if !now.Before(at) {
			if !reserve(d.closers) {
				next = earliest(next, now.Add(soon))
				continue
			}
			d.looked[of.Key] = now
			d.spawn(d.closers, func() { d.closeFlood(ctx, of.Key) })
			at = d.floodDue(&of)
		}
		next = earliest(next, at)
	}
	return next
}

// floodDue is when it is looked at a gathering next.
func (d *Dispatcher) floodDue(of *ledger.Flooded) time.Time {
	var at time.Time
	looked := d.looked[of.Key]
	for i := range of.Floods {
		flood := &of.Floods[i]
		switch {
		case flood.Over.IsZero():
			at = earliest(at, latest(looked, flood.At).Add(lookEvery))
		default:
			at = earliest(at, flood.Again)
		}
	}
	if !looked.IsZero() {
		at = latest(at, looked.Add(lookPause))
	}
	return at
}

// closeFlood ends what people were told of many conversations, where none of
// them waits any more or it has ended by itself. The row says for the length of a
// claim that somebody is at it; that keeps nobody from telling.
func (d *Dispatcher) closeFlood(ctx context.Context, key string) {
	var of ledger.Flooded
	var over []ledger.Flood
	err := d.ledger.Gather(ctx, key, func(row ledger.Gathering) (*ledger.Gathering, error) {
		now := d.clock.Now()
		over, row.Floods = nil, slices.Clone(row.Floods)
		for i := range row.Floods {
			flood := &row.Floods[i]
			telling := row.Claim != nil && now.Before(row.Claim.Until)
			if flood.Over.IsZero() && !telling && d.through(&row, flood, now) {
				flood.Over, flood.Again = now, now
			}
			if !flood.Over.IsZero() && !now.Before(flood.Again) {
				flood.Again = now.Add(conversation.ClaimFor)
				over = append(over, *flood)
			}
		}
		of = ledger.Flooded{Key: key, Gathering: row}
		if len(over) == 0 {
			return nil, nil
		}
		return &row, nil
	})
	if err != nil {
		if ctx.Err() == nil {
			d.log.Error(err, "what people were told of many conversations could not be ended; it is tried again", "gathering", key)
		}
		return
	}
	ending, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	for i := range over {
		err := d.endFlood(ending, &of, &over[i])
		if ctx.Err() != nil {
			return // the process stops; another goes on when the row says
		}
		d.floodEnded(ctx, &of, &over[i], err)
	}
}

// through tells whether a flood is over: of what people were told, nothing waits
// any more, or their alert has ended by itself.
func (d *Dispatcher) through(row *ledger.Gathering, flood *ledger.Flood, now time.Time) bool {
	if !now.Before(flood.At.Add(gatheredFor)) {
		return true
	}
	waiting := d.ledger.List(ledger.Filter{Channel: row.Channel, Waiting: true})
	return !slices.ContainsFunc(waiting, func(s ledger.Summary) bool {
		return s.ChannelUID == row.ChannelUID && !s.OpenedAt.After(flood.At)
	})
}

func (d *Dispatcher) endFlood(ctx context.Context, of *ledger.Flooded, flood *ledger.Flood) error {
	var all []error
	for _, who := range of.People {
		// In which way they were told is not kept.
		all = append(all, d.end(ctx, &conversation.Telling{Team: who.Team, Member: who.Name}, floodOver(of, flood, who)))
	}
	return errors.Join(all...)
}

// floodEnded writes what became of it.
func (d *Dispatcher) floodEnded(ctx context.Context, of *ledger.Flooded, flood *ledger.Flood, failure error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	givenUp := false
	err := d.ledger.Gather(ctx, of.Key, func(row ledger.Gathering) (*ledger.Gathering, error) {
		row.Floods = slices.Clone(row.Floods)
		i := slices.IndexFunc(row.Floods, func(f ledger.Flood) bool { return f.Incident == flood.Incident })
		if i < 0 {
			return nil, nil
		}
		tries := row.Floods[i].Tries + 1
		if givenUp = failure != nil && tries >= conversation.MaxCloseTries; failure == nil || givenUp {
			row.Floods = slices.Delete(row.Floods, i, i+1)
			return &row, nil
		}
		row.Floods[i].Tries, row.Floods[i].Again = tries, d.clock.Now().Add(conversation.ClosePause(tries))
		return &row, nil
	})
	switch {
	case err != nil:
		d.log.Error(err, "that it is over for people who were told of many conversations could not be written; they may hear it again", "channel", of.Channel)
	case failure != nil:
		d.log.Info("people could not be told that it is over", "channel", of.Channel, "problem", short(failure.Error()))
	}
	if givenUp {
		for _, who := range of.People {
			d.sayGivenUp(of.Channel, conversation.Telling{Team: who.Team, Member: who.Name}, "conversations", "many")
		}
	}
}
