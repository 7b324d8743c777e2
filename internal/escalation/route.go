// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"slices"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// DefaultSteps stands for the steps of the route itself, where no rule matches.
const DefaultSteps = -1

// Route is a route made ready to be asked. It does not change, and may be used
// by many at once.
type Route struct {
	rules    []rule
	mistakes []Problem
	// ruled are the steps of each rule itself, unruled those of the route, and
	// branches what a rule comes to: its own steps and then the route's.
	ruled, branches [][]step
	unruled         []step
	fallback        target
	repeat          int
	// rest is the rule that takes what no rule before it does, or DefaultSteps.
	rest int
}

type step struct {
	targets []target
	wait    time.Duration
}

// Compile reads a route. What can be read of it can be asked, even beside
// problems.
func Compile(route *v1alpha1.EscalationRoute) *Route {
	spec := &route.Spec
	r := &Route{unruled: readSteps(spec.Steps), fallback: readTarget(&spec.Fallback)}
	if spec.Repeat != nil {
		r.repeat = int(min(max(0, *spec.Repeat), maxRepeat))
	}
	r.rules, r.rest, r.mistakes = compile(spec.Rules)
	for i := range spec.Rules {
		own := readSteps(spec.Rules[i].Steps)
		r.ruled = append(r.ruled, own)
		r.branches = append(r.branches, slices.Concat(own, r.unruled))
	}
	return r
}

func readSteps(specs []v1alpha1.EscalationStep) []step {
	steps := make([]step, 0, len(specs))
	for i := range specs {
		s := step{}
		if specs[i].Wait != nil {
			s.wait = max(0, specs[i].Wait.Duration)
		}
		for at := range specs[i].Targets {
			s.targets = append(s.targets, readTarget(&specs[i].Targets[at]))
		}
		steps = append(steps, s)
	}
	return steps
}

// Usable is how many rules can be used.
func (r *Route) Usable() int {
	usable := 0
	for i := range r.rules {
		if r.rules[i].program != nil {
			usable++
		}
	}
	return usable
}

// Rule names a rule by its place; empty for DefaultSteps.
func (r *Route) Rule(at int) string {
	if at < 0 || at >= len(r.rules) {
		return ""
	}
	return r.rules[at].name
}

// Rest is the rule that takes every event that no rule before it does, or
// DefaultSteps, where such an event is for the steps of the route alone.
func (r *Route) Rest() int { return r.rest }

// steps are those of a rule, followed by those of the route, or the route's
// alone.
func (r *Route) steps(rule int) []step {
	if rule < 0 || rule >= len(r.branches) {
		return r.unruled
	}
	return r.branches[rule]
}

// Own is how many of the steps for the events of a rule are the rule's own; the
// others, which follow, are the route's. With DefaultSteps none are.
func (r *Route) Own(rule int) int {
	if rule < 0 || rule >= len(r.ruled) {
		return 0
	}
	return len(r.ruled[rule])
}

// Step is a step of a route, and who it is.
type Step struct {
	// Targets as they are declared, in words.
	Targets []string
	// After is how long after the event it comes, unless it is Skipped.
	After time.Duration
	// Skipped: it is left out, with its wait, since nobody would hear.
	Skipped bool
	// People who are told. Who was told in an earlier step of the round is left
	// out, unless nobody else is there.
	People []Hearer
	// Unreachable are those whom it means and who cannot be told.
	Unreachable []Person
}

// Round is one time through the steps, at one instant.
type Round struct {
	Steps []Step
	// Length of the round: the waits of the steps that are not skipped.
	Length time.Duration
	// Repeat is how often the steps are gone through again.
	Repeat int
	// Fallback is who is told in the end. It is Skipped if nobody would hear.
	Fallback Step
}

// Now is who the steps are at one instant for the events of a rule: its own, and
// then the route's. With DefaultSteps it is the route's alone.
func (r *Route) Now(rule int, sources *Sources, at time.Time) Round {
	w := walk{sources: sources, at: at}
	round := Round{Repeat: r.repeat}
	for _, s := range r.steps(rule) {
		round.Steps = append(round.Steps, w.take(s))
	}
	round.Length = w.offset
	round.Fallback = w.last(r.fallback, w.offset*time.Duration(1+r.repeat))
	return round
}

// Telling is one time at which somebody is told.
type Telling struct {
	// After the event.
	After time.Duration
	// Round and Step, from 0; the route's steps are counted on from those of the
	// rule. Of the fallback, Fallback is true instead.
	Round, Step int
	Fallback    bool
	// Targets as they are declared, in words.
	Targets []string
	// People who are told. Only a fallback can be without any.
	People []Hearer
}

// Plan is who is told of an event of an instant, and when, if nobody ever
// answers. Each step is whoever is there when it comes. The last telling is the
// fallback.
func (r *Route) Plan(rule int, sources *Sources, at time.Time) []Telling {
	w := walk{sources: sources, at: at, moves: true}
	var plan []Telling
	for round := range 1 + r.repeat {
		w.told = nil
		for i, s := range r.steps(rule) {
			if taken := w.take(s); !taken.Skipped {
				plan = append(plan, Telling{After: taken.After, Round: round, Step: i, Targets: taken.Targets, People: taken.People})
			}
		}
	}
	last := w.last(r.fallback, w.offset)
	return append(plan, Telling{After: w.offset, Round: r.repeat, Fallback: true, Targets: last.Targets, People: last.People})
}

// walk goes through steps.
type walk struct {
	sources *Sources
	at      time.Time
	// moves: time goes by; else all steps are looked at from one instant.
	moves  bool
	offset time.Duration
	// told are those who heard in this round.
	told []Person
}

// take takes a step, and the time that it takes.
func (w *walk) take(s step) Step {
	at := w.at
	if w.moves {
		at = at.Add(w.offset)
	}
	taken := gather(s.targets, w.sources, at)
	taken.After = w.offset
	if taken.Skipped = len(taken.People) == 0; taken.Skipped {
		taken.After = 0
		return taken
	}
	fresh := slices.DeleteFunc(slices.Clone(taken.People), func(h Hearer) bool { return slices.Contains(w.told, h.Person) })
	if len(fresh) > 0 {
		taken.People = fresh
	}
	for _, hearer := range taken.People {
		w.told = append(w.told, hearer.Person)
	}
	w.offset += s.wait
	return taken
}

// last is the fallback's step.
func (w *walk) last(fallback target, after time.Duration) Step {
	at := w.at
	if w.moves {
		at = at.Add(after)
	}
	taken := gather([]target{fallback}, w.sources, at)
	taken.After, taken.Skipped = after, len(taken.People) == 0
	return taken
}

// gather finds who the targets are, each person once.
func gather(targets []target, sources *Sources, at time.Time) Step {
	var s Step
	var seen []Person
	for _, t := range targets {
		s.Targets = append(s.Targets, t.String())
		hearer, _ := t.resolve(sources, at)
		if hearer == nil || slices.Contains(seen, hearer.Person) {
			continue
		}
		seen = append(seen, hearer.Person)
		if sources.Reaches(hearer.Person) {
			s.People = append(s.People, *hearer)
		} else {
			s.Unreachable = append(s.Unreachable, hearer.Person)
		}
	}
	return s
}
