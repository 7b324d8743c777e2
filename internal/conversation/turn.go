// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
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
	// unheardAgain is how soon the fallback is tried again whom nobody could
	// tell: somebody must hear.
	unheardAgain = 5 * time.Minute
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
)

// Task says what is to be done now. Nothing is, while another process has the
// claim.
func (c *Conversation) Task(now time.Time) Task {
	if !c.State.Waits() {
		if c.State == Acknowledged && !now.Before(c.ExpiresAt()) {
			return GiveUp
		}
		return Rest
	}
	late := c.LateAt()
	switch {
	case c.Claim != nil && now.Before(c.Claim.Until):
		return Rest
	case !now.Before(c.ExpiresAt()):
		return GiveUp
	case !c.Due.IsZero() && !now.Before(c.Due):
		return TakeTurn
	case !c.LateTold && !late.IsZero() && !now.Before(late):
		return TellLate
	}
	return Rest
}

// Take claims the task of the moment for a process. It tells whether there was
// one to claim.
func (c *Conversation) Take(by string, now time.Time) (Task, bool) {
	task := c.Task(now)
	if task != TakeTurn && task != TellLate {
		return task, false
	}
	c.Claim = &Claim{By: by, Until: now.Add(ClaimFor), Late: task == TellLate}
	return task, true
}

// Holds tells whether a process has the claim of an episode.
func (c *Conversation) Holds(by string, episode int) bool {
	return c.Claim != nil && c.Claim.By == by && c.Episode == episode
}

// Finish notes what became of a turn, and when the next one is. Where nobody
// could be told, the turn is tried again, and then left out.
func (c *Conversation) Finish(turn escalation.Turn, tellings []Telling, now time.Time) {
	c.Claim = nil
	heard := c.note(tellings)
	if !c.State.Waits() {
		return // somebody was faster than the notification
	}
	switch {
	case heard:
		c.State, c.Tries, c.Next, c.Due = Told, 0, turn.Next, now.Add(turn.Wait)
		if turn.At.Fallback {
			c.Due = time.Time{}
		}
	case len(turn.People) > 0 && c.Tries+1 < maxTries:
		c.Tries++
		c.Next, c.Due = turn.At, now.Add(retry(c.Tries))
	case turn.At.Fallback:
		c.Tries, c.Next, c.Due = 0, turn.At, now.Add(unheardAgain)
	default:
		c.Tries, c.Next, c.Due = 0, turn.Next, now
	}
}

// FinishLate notes what became of telling of the broken promise.
func (c *Conversation) FinishLate(tellings []Telling, now time.Time) {
	c.Claim = nil
	heard := c.note(tellings)
	if heard {
		c.LateTold, c.LateTries = true, 0
		if c.State == Open {
			c.State = Told
		}
		return
	}
	if c.LateTries++; c.LateTries >= maxTries || len(tellings) == 0 {
		c.LateTold, c.LateTries = true, 0
		return
	}
	// The claim that nobody holds keeps the next try off for a while.
	c.Claim = &Claim{Until: now.Add(retry(c.LateTries)), Late: true}
}

// Unreached tells whether nobody at all was told of an episode that waits,
// although everybody's turn has been.
func (c *Conversation) Unreached() bool {
	return c.State == Open && c.Next.Fallback
}

// note keeps tellings, and tells whether anybody heard.
func (c *Conversation) note(tellings []Telling) bool {
	heard := false
	for _, telling := range tellings {
		c.Tellings = appendBounded(c.Tellings, telling, maxTellings)
		heard = heard || telling.Way != ""
	}
	return heard
}

// Heard are the people who were told in this round, so that a later step of it
// tells others first.
func (c *Conversation) Heard(round int) []escalation.Person {
	var heard []escalation.Person
	for _, telling := range c.Tellings {
		if telling.Way != "" && !telling.Late && !telling.Position.Fallback && telling.Position.Round == round {
			heard = append(heard, escalation.Person{Team: telling.Team, Name: telling.Member})
		}
	}
	return heard
}

// retry is the pause before a turn is tried again.
func retry(tries int) time.Duration { return time.Duration(tries) * 10 * time.Second }
