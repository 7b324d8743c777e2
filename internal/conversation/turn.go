// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"slices"
	"time"

	"github.com/rostra-dev/rostra/internal/escalation"
)

const (
	// ClaimFor is how long a process may take for a turn. After a crash the turn
	// is taken by another, or again, when it is over.
	ClaimFor = 45 * time.Second
	// maxTries is how often a turn is tried of which nobody could be told,
	// before it is the next one's turn.
	maxTries = 3
	// UnheardAgain is how soon it is tried again to tell somebody of whom nobody
	// could be told: somebody must hear.
	UnheardAgain = 5 * time.Minute
)

// Task is what is to be done about a conversation at an instant.
type Task int

const (
	// Rest: nothing.
	Rest Task = iota
	// TakeTurn: those whose turn it is are to be told.
	TakeTurn
	// TellLate: the owner's manager is to be told of the broken promise.
	TellLate
	// GiveUp: it expires.
	GiveUp
	// Close: those who were told are to hear that it is over, or that somebody
	// has it.
	Close
)

// Task says what is to be done now. Nothing is, while another process has the
// claim; a claim to close keeps from closing alone.
func (c *Conversation) Task(now time.Time) Task {
	reached := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	held := c.Claim.Keeps(now)
	if held && !c.Claim.Close {
		return Rest
	}
	waits := c.State.Waits()
	switch {
	case (waits || c.State == Acknowledged) && reached(c.ExpiresAt()):
		return GiveUp
	case waits && reached(c.Due):
		return TakeTurn
	case waits && reached(c.lateDue()):
		return TellLate
	case !held && reached(c.closeAt()):
		return Close
	}
	return Rest
}

// Take claims the task of the moment for a process, and says in the claim whom
// it tells. It tells whether there was one to claim; GiveUp needs no claim.
func (c *Conversation) Take(by string, turn escalation.Turn, now time.Time) (Task, bool) {
	task := c.Task(now)
	switch task {
	case TakeTurn, TellLate:
		c.unclaim() // of one that ended without a word
		c.Claim = &Claim{By: by, Until: now.Add(ClaimFor), Late: task == TellLate}
		for _, hearer := range turn.People {
			c.Claim.Tells = append(c.Claim.Tells, Telling{
				At: now, Position: turn.At, Late: task == TellLate, Team: hearer.Team, Member: hearer.Name,
			})
		}
		return task, true
	case Close:
		return task, c.TakeClose(by, now)
	case Rest, GiveUp:
	}
	return task, false
}

// Release takes away the claim of whoever ended without a word: the task is due
// as before, and those they were about to tell may have been told.
func (c *Conversation) Release() { c.unclaim() }

// Forgo gives a claim back that came to nothing: the task is due as before. Of
// those who were to be told, the ones whose telling is unsure may have been; the
// others were not.
func (c *Conversation) Forgo(tellings []Telling) {
	if c.Claim == nil {
		return
	}
	c.Claim.Tells = slices.DeleteFunc(slices.Clone(c.Claim.Tells), func(about Telling) bool {
		return !slices.ContainsFunc(tellings, func(t Telling) bool { return t.Unsure && t.place() == about.place() })
	})
	c.unclaim()
}

// Is tells whether two claims are the same one.
func (c *Claim) Is(other *Claim) bool {
	return c != nil && other != nil && c.By == other.By && c.Until.Equal(other.Until) && c.Late == other.Late && c.Close == other.Close
}

// Holds tells whether a claim still holds of an episode. What is to be closed
// may be of any.
func (c *Conversation) Holds(claim *Claim, episode int) bool {
	return c.Claim.Is(claim) && (c.Episode == episode || claim.Close)
}

// Finish notes what became of a turn, and when the next one is. Where nobody
// could be told, the turn is tried again where that may help, and then left out.
func (c *Conversation) Finish(turn escalation.Turn, tellings []Telling, now time.Time) {
	c.Claim = nil
	heard := c.note(tellings, now)
	if !c.State.Waits() {
		return // somebody was faster than the notification
	}
	if turn.At.StandIn {
		c.finishStandIn(heard, tellings, now)
		return
	}
	switch {
	case heard:
		c.State, c.Tries, c.Next, c.Due = Told, 0, turn.Next, now.Add(turn.Wait)
		c.StoodIn = false
		if turn.At.Fallback {
			c.Due = time.Time{}
		}
	case len(turn.People) > 0 && c.Tries+1 < maxTries && !Hopeless(tellings):
		c.Tries++
		c.Next, c.Due = turn.At, now.Add(Pause(c.Tries, tellings))
	case turn.At.Fallback:
		c.Tries, c.Next, c.Due = 0, turn.At, now.Add(UnheardAgain)
	default:
		c.Tries, c.Next, c.Due = 0, turn.Next, now
	}
}

// Pass is Finish for a turn of which nobody could be told, and that was tried
// often enough.
func (c *Conversation) Pass(turn escalation.Turn, tellings []Telling, now time.Time) {
	c.Tries = maxTries
	c.Finish(turn, tellings, now)
}

// FinishLate notes what became of telling of the broken promise. It is tried
// until somebody heard; without anybody to tell, it is done with.
func (c *Conversation) FinishLate(tellings []Telling, now time.Time) {
	c.Claim = nil
	heard := c.note(tellings, now)
	switch {
	case heard || len(tellings) == 0:
		c.LateTold, c.LateTries, c.LateAgain = true, 0, time.Time{}
		if heard && c.State == Open {
			c.State = Told
		}
	case c.LateTries+1 < maxTries && !Hopeless(tellings):
		c.LateTries++
		c.LateAgain = now.Add(Pause(c.LateTries, tellings))
	default:
		c.LateTries, c.LateAgain = 0, now.Add(UnheardAgain)
	}
}

// Unreached tells whether nobody at all was told of an episode that waits,
// although everybody's turn has been.
func (c *Conversation) Unreached() bool {
	return c.State == Open && c.Next.Fallback
}

// note keeps tellings, and tells whether anybody heard. Of what fails again and
// again, the last is kept, so that it does not crowd out who was told. Who hears
// of something that is over meanwhile, hears that too.
func (c *Conversation) note(tellings []Telling, now time.Time) bool {
	heard := false
	tellings = slices.Clone(tellings)
	for i := range tellings {
		c.keep(&tellings[i])
		heard = heard || tellings[i].Way != ""
	}
	if !c.State.Waits() {
		c.settle(tellings, Unclosed{
			Episode: c.Episode, Owner: c.Terms.Owner, Over: c.overAt(now), By: c.by(), Acknowledged: c.State == Acknowledged,
		}, now)
	}
	return heard
}

// keep keeps one, once. That an earlier try may have told them stays known.
func (c *Conversation) keep(telling *Telling) {
	c.Tellings = slices.DeleteFunc(c.Tellings, func(t Telling) bool {
		same := t.Way == telling.Way && t.At.Equal(telling.At) && t.place() == telling.place()
		if same && t.Way != "" {
			return true
		}
		if t.Way != "" || t.place() != telling.place() || t.Unsure && telling.Grouped {
			return false
		}
		telling.Unsure, telling.Lost = telling.Unsure || t.Unsure, max(telling.Lost, t.Lost)
		return true
	})
	c.Tellings = appendBounded(c.Tellings, *telling, maxTellings)
}

// Heard are the people who were told in this round, so that a later step of it
// tells others first.
func (c *Conversation) Heard(round int) []escalation.Person {
	var heard []escalation.Person
	for _, telling := range c.Tellings {
		at := telling.Position
		if telling.Way != "" && !telling.Late && !at.Fallback && !at.StandIn && at.Round == round && at.Anew == c.Next.Anew {
			heard = append(heard, escalation.Person{Team: telling.Team, Name: telling.Member})
		}
	}
	return heard
}

// maxPause bounds for how long a turn is not tried again because somebody asks
// to be left alone: somebody else waits for an answer.
const maxPause = 5 * time.Minute

// Pause is how long nothing is tried again after a number of tries in vain: as
// long as all ways ask to be left alone, within bounds.
func Pause(tries int, tellings []Telling) time.Duration {
	pause, asked := time.Duration(tries)*10*time.Second, time.Duration(0)
	first := true
	for i := range tellings {
		if t := &tellings[i]; t.Way == "" && !t.Permanent && (first || t.RetryAfter < asked) {
			asked, first = t.RetryAfter, false
		}
	}
	return max(pause, min(asked, maxPause))
}

// Hopeless tells of tellings in vain that none of them would go better another
// time.
func Hopeless(tellings []Telling) bool {
	return len(tellings) > 0 && !slices.ContainsFunc(tellings, func(t Telling) bool { return !t.Permanent })
}
