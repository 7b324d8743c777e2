// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"slices"
	"time"
)

// Position is a place in a route: a step of a round, both from 0, or the
// fallback.
type Position struct {
	Round    int  `json:"round"`
	Step     int  `json:"step"`
	Fallback bool `json:"fallback,omitempty"`
	// Anew counts how often the route was begun anew.
	Anew int `json:"anew,omitempty"`
	// StandIn is of whoever is told since the route is not there: it says nothing
	// of whose turn it is.
	StandIn bool `json:"standIn,omitempty"`
}

// Turn is whose turn it is.
type Turn struct {
	// At is where in the route.
	At Position
	// Targets as they are declared, in words.
	Targets []string
	// People who are to be told. Only a fallback can be without any.
	People []Hearer
	// Wait is how long they have to answer, and Next whose turn it is then. The
	// fallback is the last.
	Wait time.Duration
	Next Position
	// Skipped are the steps that were left out on the way, since nobody would
	// have heard, in words.
	Skipped []string
}

// RuleNamed gives the place of a rule, or DefaultSteps where there is none of
// that name.
func (r *Route) RuleNamed(name string) int {
	for i := range r.rules {
		if name != "" && r.rules[i].name == name {
			return i
		}
	}
	return DefaultSteps
}

// Turn finds whose turn it is from a position on, at an instant. Steps that
// nobody hears are left out, with their wait. Who is in told heard in this
// round, and is left out unless nobody else is there. A position behind the
// last step, as after an edit of the route, is the next round or the fallback.
func (r *Route) Turn(rule int, from Position, told []Person, sources *Sources, at time.Time) Turn {
	steps := r.steps(rule)
	var skipped []string
	for round := max(0, from.Round); round <= r.repeat && !from.Fallback; round++ {
		first := 0
		if round == from.Round {
			first = max(0, from.Step)
		} else {
			told = nil
		}
		for place := first; place < len(steps); place++ {
			taken := gather(steps[place].targets, sources, at)
			if len(taken.People) == 0 {
				skipped = append(skipped, taken.leftOut())
				continue
			}
			fresh := slices.DeleteFunc(slices.Clone(taken.People), func(h Hearer) bool { return slices.Contains(told, h.Person) })
			if len(fresh) > 0 {
				taken.People = fresh
			}
			return Turn{
				At: Position{Round: round, Step: place, Anew: from.Anew}, Targets: taken.Targets, People: taken.People,
				Wait: steps[place].wait, Next: r.after(Position{Round: round, Step: place, Anew: from.Anew}, len(steps)), Skipped: skipped,
			}
		}
	}
	last := gather([]target{r.fallback}, sources, at)
	end := Position{Round: r.repeat, Fallback: true, Anew: from.Anew}
	return Turn{At: end, Targets: last.Targets, People: last.People, Next: end, Skipped: skipped}
}

// after is the position that follows a step.
func (r *Route) after(at Position, steps int) Position {
	switch {
	case at.Step+1 < steps:
		return Position{Round: at.Round, Step: at.Step + 1, Anew: at.Anew}
	case at.Round < r.repeat:
		return Position{Round: at.Round + 1, Anew: at.Anew}
	}
	return Position{Round: r.repeat, Fallback: true, Anew: at.Anew}
}

// Steps is how many steps a rule has, or with DefaultSteps the route.
func (r *Route) Steps(rule int) int { return len(r.steps(rule)) }
