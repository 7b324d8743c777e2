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

// Missing finds the rotas, teams and people that the route names and that are
// not there at an instant.
func (r *Route) Missing(sources *Sources, at time.Time) []Problem {
	var problems []Problem
	r.each(func(place string, targets []target) {
		for _, t := range targets {
			if _, problem := t.resolve(sources, at); problem != nil {
				problem.Message = place + ": " + problem.Message
				problems = append(problems, *problem)
			}
		}
	})
	return problems
}

// Silent finds the steps that nobody hears at an instant and, as warnings, the
// people who cannot be told and the steps that one person hears alone.
func (r *Route) Silent(sources *Sources, at time.Time) []Problem {
	var problems []Problem
	r.each(func(place string, targets []target) {
		if problem := silence(place, gather(targets, sources, at)); problem != nil {
			problems = append(problems, *problem)
		}
	})
	for rule := DefaultSteps; rule < len(r.ruled); rule++ {
		if problem := r.alone(rule, sources, at); problem != nil {
			problems = append(problems, *problem)
		}
	}
	return problems
}

// each visits every step, those of the route first, and the fallback.
func (r *Route) each(visit func(place string, targets []target)) {
	for i, s := range r.unruled {
		visit(fmt.Sprintf("step %d", i+1), s.targets)
	}
	visit("fallback", []target{r.fallback})
	for rule, steps := range r.ruled {
		for i, s := range steps {
			visit(fmt.Sprintf("rule %s, step %d", short(r.rules[rule].name), i+1), s.targets)
		}
	}
}

// silence says why nobody hears a step, or who does not.
func silence(place string, s Step) *Problem {
	what := strings.Join(s.Targets, ", ")
	switch {
	case len(s.People) == 0 && len(s.Unreachable) == 0:
		return &Problem{Reason: v1alpha1.ReasonStepEmpty, Message: fmt.Sprintf(
			"%s is nobody now (%s) and is left out: add a target or a layer of the rota for these hours", place, what)}
	case len(s.People) == 0:
		return &Problem{Reason: v1alpha1.ReasonNobodyReachable, Message: fmt.Sprintf(
			"%s (%s) is left out, since nobody of it can be told: %s; give each a spec.members[].notify in the Team, whose Secret exists in the team's namespace",
			place, what, people(s.Unreachable))}
	case len(s.Unreachable) > 0:
		return &Problem{Reason: v1alpha1.ReasonMemberUnreachable, Warning: true, Message: fmt.Sprintf(
			"%s (%s) is heard, but not by %s: give each a spec.members[].notify in the Team, whose Secret exists in the team's namespace",
			place, what, people(s.Unreachable))}
	}
	return nil
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
		whose = fmt.Sprintf("the steps of rule %s and the fallback", short(r.rules[rule].name))
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
