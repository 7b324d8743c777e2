// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Mistakes are the problems of the rules, which no time and no other object
// mends.
func (r *Route) Mistakes() []Problem { return slices.Clone(r.mistakes) }

// Leaving says so of a route that is being deleted.
func Leaving(route *v1alpha1.EscalationRoute) []Problem {
	if route.DeletionTimestamp == nil {
		return nil
	}
	return []Problem{{Reason: v1alpha1.ReasonTargetDeleting, Message: fmt.Sprintf(
		"the route itself is being deleted, and then nobody is told: name another than %s in the channels' spec.escalationRouteRef", short(route.Name))}}
}

// Missing finds the rotas, teams and people that the route names and that are
// not there at an instant. Somebody who is to join later is a warning, but for
// the fallback, which somebody must be at all times.
func (r *Route) Missing(sources *Sources, at time.Time) []Problem {
	var problems []Problem
	r.each(func(of place, targets []target) {
		for _, t := range targets {
			if _, problem := t.resolve(sources, at); problem != nil {
				problem.Message = of.words + ": " + problem.Message
				problem.Warning = problem.Warning && !of.fallback
				problems = append(problems, *problem)
			}
		}
	})
	return problems
}

// Silent finds the steps that nobody hears at an instant. As warnings, it finds
// those beside which others are heard, since a rota may have nobody at night; the
// people who cannot be told; and the steps that one person hears alone.
func (r *Route) Silent(sources *Sources, at time.Time) []Problem {
	type looked struct {
		place
		Step
	}
	var all []looked
	heard := map[int]bool{}
	r.each(func(of place, targets []target) {
		step := gather(targets, sources, at)
		all = append(all, looked{of, step})
		if len(step.People) > 0 && !of.fallback {
			heard[of.rule] = true
		}
	})
	var problems []Problem
	for _, l := range all {
		// The route's own steps are heard beside those of a rule, and after those
		// of a rule that leaves them nothing else.
		others := heard[DefaultSteps] || heard[l.rule] || l.rule == DefaultSteps && heard[r.rest]
		if problem := silence(l.place, l.Step, others); problem != nil {
			problems = append(problems, *problem)
		}
	}
	for rule := DefaultSteps; rule < len(r.ruled); rule++ {
		if rule == DefaultSteps && r.rest != DefaultSteps {
			continue // no event is for these steps alone
		}
		if problem := r.alone(rule, sources, at); problem != nil {
			problems = append(problems, *problem)
		}
	}
	return problems
}

// place is where in a route somebody is named.
type place struct {
	words string
	// rule whose step it is, or DefaultSteps.
	rule     int
	fallback bool
}

// each visits every step, those of the route first, and the fallback.
func (r *Route) each(visit func(of place, targets []target)) {
	for i, s := range r.unruled {
		visit(place{words: fmt.Sprintf("step %d", i+1), rule: DefaultSteps}, s.targets)
	}
	visit(place{words: "fallback", rule: DefaultSteps, fallback: true}, []target{r.fallback})
	for rule, steps := range r.ruled {
		for i, s := range steps {
			visit(place{words: fmt.Sprintf("rule %s, step %d", short(r.rules[rule].name), i+1), rule: rule}, s.targets)
		}
	}
}

// silence says why nobody hears a step, or who does not. others: other steps are
// heard for the same events.
func silence(of place, s Step, others bool) *Problem {
	what := strings.Join(s.Targets, ", ")
	switch {
	case len(s.People) == 0 && len(s.Unreachable) == 0:
		return empty(of, what, others)
	case len(s.People) == 0:
		return &Problem{Reason: v1alpha1.ReasonNobodyReachable, Message: fmt.Sprintf(
			"%s (%s) is left out, since nobody of it can be told: %s; give each a spec.members[].notify in the Team, whose Secret exists in the team's namespace",
			of.words, what, people(s.Unreachable))}
	case len(s.Unreachable) > 0:
		return &Problem{Reason: v1alpha1.ReasonMemberUnreachable, Warning: true, Message: fmt.Sprintf(
			"%s (%s) is heard, but not by %s: give each a spec.members[].notify in the Team, whose Secret exists in the team's namespace",
			of.words, what, people(s.Unreachable))}
	}
	return nil
}

// empty says so of a step that is nobody.
func empty(of place, what string, others bool) *Problem {
	problem := &Problem{Reason: v1alpha1.ReasonStepEmpty}
	switch {
	case of.fallback:
		problem.Message = fmt.Sprintf("fallback is nobody now (%s), so that nobody hears when no step is answered: name somebody who is there", what)
	case others:
		problem.Warning = true
		problem.Message = fmt.Sprintf("%s is nobody now (%s) and is left out; other steps are heard", of.words, what)
	default:
		problem.Message = fmt.Sprintf("%s is nobody now (%s) and is left out, and no other step is heard: only the fallback is left; add a target or a layer of the rota for these hours",
			of.words, what)
	}
	return problem
}

// alone finds steps that one person hears alone.
func (r *Route) alone(rule int, sources *Sources, at time.Time) *Problem {
	var everybody []Person
	round := r.Now(rule, sources, at)
	for _, s := range append(round.Steps, round.Fallback) {
		for _, hearer := range s.People {
			everybody = append(everybody, hearer.Person)
		}
	}
	if len(everybody) < 2 {
		return nil
	}
	for _, person := range everybody {
		if person != everybody[0] {
			return nil
		}
	}
	whose := "the steps and the fallback"
	if rule != DefaultSteps {
		whose = fmt.Sprintf("the steps of rule %s, those of the route and the fallback", short(r.rules[rule].name))
	}
	return &Problem{Reason: v1alpha1.ReasonOnePerson, Warning: true, Message: fmt.Sprintf(
		"nobody but %s hears %s now: whoever is asleep is not woken by being told again; name somebody else in one of them", everybody[0], whose)}
}

func people(all []Person) string {
	names := make([]string, 0, len(all))
	for _, person := range all {
		names = append(names, person.String())
	}
	return strings.Join(names, ", ")
}
