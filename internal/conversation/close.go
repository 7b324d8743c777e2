// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"slices"
	"time"

	"github.com/rostra-dev/rostra/internal/escalation"
)

const (
	// MaxCloseTries is how often it is tried to close something: for about a day.
	MaxCloseTries = 55
	// closePause is how soon that is tried again, and maxClosePause how late.
	closePause    = 10 * time.Second
	maxClosePause = 30 * time.Minute
	// lost is the problem of those of whom nobody knows whether they were told.
	lost = "whoever told them stopped before the outcome was written"
)

// place is what a telling was of, whatever came of it.
type place struct {
	position escalation.Position
	late     bool
	who      escalation.Person
}

func (t *Telling) place() place {
	return place{t.Position, t.Late, escalation.Person{Team: t.Team, Name: t.Member}}
}

// Everywhere tells that the way alone does not say where something may be open.
func (t *Telling) Everywhere() bool { return t.Unsure || t.Way == "" }

// Singly are the tellings that reached somebody, or may have, and were of this
// conversation alone, each once.
func (c *Conversation) Singly() []Telling {
	var singly []Telling
	for i := range c.Tellings {
		telling := &c.Tellings[i]
		same := func(t Telling) bool { return t.Way == telling.Way && t.place() == telling.place() }
		if telling.reached() && !slices.ContainsFunc(singly, same) {
			singly = append(singly, *telling)
		}
	}
	return singly
}

func (t *Telling) reached() bool { return (t.Way != "" || t.Unsure) && !t.Grouped }

// unclaim takes the claim away. Whom it was about to tell may have been told.
func (c *Conversation) unclaim() {
	if c.Claim == nil {
		return
	}
	for i := range c.Claim.Tells {
		telling := c.Claim.Tells[i]
		telling.Way, telling.Unsure, telling.Problem = "", true, lost
		telling.Lost = c.lostAt(telling.place()) + 1
		c.keep(&telling)
	}
	c.Claim = nil
}

// maxLost is how often whoever tells somebody may stop before the outcome is
// written: they may have been told as often, and are not told a third time.
const maxLost = 2

// lostAt is how often nothing was heard of the outcome of a telling.
func (c *Conversation) lostAt(at place) int {
	times := 0
	for i := range c.Tellings {
		if t := &c.Tellings[i]; t.place() == at {
			times = max(times, t.Lost)
		}
	}
	return times
}

// Doubtful tells whether everybody of a turn, or all to whom a promise is
// reported as broken, may have been told of it as often as they may be, and
// nobody knows. Of the fallback nobody is: somebody must hear.
func (c *Conversation) Doubtful(turn escalation.Turn, late bool) bool {
	if !late && (turn.At.Fallback || turn.At.StandIn) || len(turn.People) == 0 {
		return false
	}
	for _, hearer := range turn.People {
		at := place{position: turn.At, late: late, who: hearer.Person}
		times := c.lostAt(at)
		if c.Claim != nil && slices.ContainsFunc(c.Claim.Tells, func(t Telling) bool { return t.place() == at }) {
			times++
		}
		if times < maxLost {
			return false
		}
	}
	return true
}

// Skip goes on from a turn that is Doubtful: the next one hears at once, and of
// the broken promise nobody any more.
func (c *Conversation) Skip(turn escalation.Turn, late bool, now time.Time) {
	c.unclaim()
	if late {
		c.FinishLate(nil, now)
		return
	}
	c.Tries, c.Next, c.Due = 0, turn.Next, now
}

// toClose makes those who were told of the episode hear that it is over, or that
// somebody has it.
func (c *Conversation) toClose(acknowledged bool, now time.Time) {
	over := Unclosed{Episode: c.Episode, Owner: c.Terms.Owner, Over: now, By: c.by(), Acknowledged: acknowledged}
	for _, telling := range c.Singly() {
		c.unclose(telling, over, now)
	}
}

// by is who answered or has it, where that is known.
func (c *Conversation) by() string {
	if c.Response == nil {
		return ""
	}
	return c.Response.By
}

// overAt is when the episode was over, or since when somebody has it.
func (c *Conversation) overAt(now time.Time) time.Time {
	switch {
	case c.State == Acknowledged && c.Response != nil:
		return c.Response.At
	case !c.ClosedAt.IsZero():
		return c.ClosedAt
	}
	return now
}

// unclose adds one who is to hear. That it is over stands for that somebody has
// it. Of whom it is not known whether they were told, the one that tells them is
// given its time.
func (c *Conversation) unclose(telling Telling, over Unclosed, now time.Time) {
	telling.Problem = ""
	over.Telling, over.Again = telling, now
	if done := telling.At.Add(ClaimFor); telling.Way == "" && done.After(now) {
		over.Again = done
	}
	c.Unclosed = slices.DeleteFunc(c.Unclosed, func(u Unclosed) bool {
		return u.Episode == over.Episode && u.Way == over.Way && u.place() == over.place()
	})
	c.Unclosed = appendBounded(c.Unclosed, over, maxUnclosed)
}

// settle replaces what was not known of tellings by what became of them.
func (c *Conversation) settle(tellings []Telling, over Unclosed, now time.Time) {
	for i := range tellings {
		telling := &tellings[i]
		c.Unclosed = slices.DeleteFunc(c.Unclosed, func(u Unclosed) bool {
			return u.Episode == over.Episode && u.Way == "" && u.place() == telling.place()
		})
		if telling.reached() {
			c.unclose(*telling, over, now)
		}
	}
}

// Note keeps tellings of an episode whose claim has passed to another, who
// finishes the turn. Where the episode is over, they are to hear that.
func (c *Conversation) Note(episode int, owner string, tellings []Telling, now time.Time) {
	if episode == c.Episode {
		c.note(tellings, now)
		return
	}
	c.settle(tellings, Unclosed{Episode: episode, Owner: owner, Over: now}, now)
}

// TakeClose claims for a process to close what is to be closed. It tells whether
// there is anything.
func (c *Conversation) TakeClose(by string, now time.Time) bool {
	if c.Claim.Keeps(now) || len(c.Closable(now)) == 0 {
		return false
	}
	c.unclaim()
	c.Claim = &Claim{By: by, Until: now.Add(ClaimFor), Close: true}
	return true
}

// Closable is what is to be closed now.
func (c *Conversation) Closable(now time.Time) []Unclosed {
	var closable []Unclosed
	for i := range c.Unclosed {
		if u := &c.Unclosed[i]; !u.Again.IsZero() && !now.Before(u.Again) {
			closable = append(closable, *u)
		}
	}
	return closable
}

// FinishClose notes what was closed under a claim, and what could not be. That
// is tried again for a day, ever more seldom. It gives what is given up.
func (c *Conversation) FinishClose(claim *Claim, closed, failed []Unclosed, now time.Time) (givenUp []Unclosed) {
	if c.Holds(claim, c.Episode) {
		c.Claim = nil
	}
	among := func(some []Unclosed, u *Unclosed) bool {
		return slices.ContainsFunc(some, func(s Unclosed) bool {
			return s.Episode == u.Episode && s.Way == u.Way && s.Acknowledged == u.Acknowledged && s.Over.Equal(u.Over) && s.place() == u.place()
		})
	}
	c.Unclosed = slices.DeleteFunc(c.Unclosed, func(u Unclosed) bool { return among(closed, &u) })
	c.Unclosed = slices.DeleteFunc(c.Unclosed, func(u Unclosed) bool {
		over := among(failed, &u) && u.Tries+1 >= MaxCloseTries
		if over {
			givenUp = append(givenUp, u)
		}
		return over
	})
	for i := range c.Unclosed {
		if u := &c.Unclosed[i]; among(failed, u) {
			u.Tries++
			u.Again = now.Add(ClosePause(u.Tries))
		}
	}
	return givenUp
}

// ClosePause is how long nothing is closed after a number of tries in vain.
func ClosePause(tries int) time.Duration {
	return min(maxClosePause, closePause<<min(max(0, tries-1), 10))
}
