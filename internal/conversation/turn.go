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
// claim.
func (c *Conversation) Task(now time.Time) Task {
	reached := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	if c.Claim != nil && now.Before(c.Claim.Until) {
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
	case !waits && c.Closing && reached(c.CloseAgain):
		return Close
	}
	return Rest
}

// Take claims the task of the moment for a process. It tells whether there was
// one to claim; GiveUp needs no claim.
func (c *Conversation) Take(by string, now time.Time) (Task, bool) {
	task := c.Task(now)
	switch task {
	case TakeTurn, TellLate, Close:
		c.Claim = &Claim{By: by, Until: now.Add(ClaimFor), Late: task == TellLate, Close: task == Close}
		return task, true
	case Rest, GiveUp:
	}
	return task, false
}

// Release gives a claim back without an outcome: the task is due as before.
func (c *Conversation) Release() { c.Claim = nil }

// Holds tells whether a process has the claim of a task of an episode.
func (c *Conversation) Holds(by string, episode int, task Task) bool {
	return c.Claim != nil && c.Claim.By == by && c.Episode == episode &&
		c.Claim.Late == (task == TellLate) && c.Claim.Close == (task == Close)
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
	heard := c.note(tellings)
	switch {
	case heard || len(tellings) == 0:
		c.LateTold, c.LateTries, c.LateAgain = true, 0, time.Time{}
		if heard && c.State == Open {
			c.State = Told
		}
	case c.LateTries+1 < maxTries:
		c.LateTries++
		c.LateAgain = now.Add(retry(c.LateTries))
	default:
		c.LateTries, c.LateAgain = 0, now.Add(UnheardAgain)
	}
}

// Note keeps tellings whose claim has passed to another, who finishes the turn.
func (c *Conversation) Note(tellings []Telling) { c.note(tellings) }

// FinishClose notes that those who were told heard that it is over, or could not
// be told so. That is not tried for ever: an alert ends by itself.
func (c *Conversation) FinishClose(heard bool, now time.Time) {
	c.Claim = nil
	if heard || c.CloseTries+1 >= maxTries {
		c.closed()
		return
	}
	c.CloseTries++
	c.CloseAgain = now.Add(retry(c.CloseTries))
}

func (c *Conversation) closed() { c.Closing, c.CloseTries, c.CloseAgain = false, 0, time.Time{} }

// toClose makes those who were told hear that it is over, or that somebody has
// it.
func (c *Conversation) toClose() {
	c.closed()
	if len(c.Singly()) > 0 {
		c.Closing, c.CloseAgain = true, c.OpenedAt
	}
}

// Singly are the tellings that reached somebody and were of this conversation
// alone, each person and way once.
func (c *Conversation) Singly() []Telling {
	var singly []Telling
	for _, telling := range c.Tellings {
		same := func(t Telling) bool {
			return t.Team == telling.Team && t.Member == telling.Member && t.Way == telling.Way && t.Late == telling.Late
		}
		if telling.Way != "" && !telling.Grouped && !slices.ContainsFunc(singly, same) {
			singly = append(singly, telling)
		}
	}
	return singly
}

// Unreached tells whether nobody at all was told of an episode that waits,
// although everybody's turn has been.
func (c *Conversation) Unreached() bool {
	return c.State == Open && c.Next.Fallback
}

// note keeps tellings, and tells whether anybody heard. Of what fails again and
// again, the last is kept, so that it does not crowd out who was told. Who hears
// of something that is over meanwhile, hears that too.
func (c *Conversation) note(tellings []Telling) bool {
	heard := false
	for _, telling := range tellings {
		c.Tellings = slices.DeleteFunc(c.Tellings, func(t Telling) bool {
			return t.Way == "" && t.Team == telling.Team && t.Member == telling.Member && t.Position == telling.Position && t.Late == telling.Late
		})
		c.Tellings = appendBounded(c.Tellings, telling, maxTellings)
		heard = heard || telling.Way != ""
	}
	if heard && !c.State.Waits() {
		c.toClose()
		if c.Claim != nil && c.Claim.Close {
			c.Claim = nil // whoever closes does not know of these
		}
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
