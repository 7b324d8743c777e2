// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"fmt"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// What a route may hold; see the schema.
const (
	maxRules   = 32
	maxSteps   = 8
	maxTargets = 8
	maxRepeat  = 10
	minWait    = time.Minute
	maxWait    = 24 * time.Hour
)

// Shape finds what the API server refuses in a route, so that a manifest says so
// before it is applied.
func Shape(spec *v1alpha1.EscalationRouteSpec) []Problem {
	var s shape
	if len(spec.Rules) > maxRules {
		s.add("spec.rules", fmt.Sprintf("there may be %d at most", maxRules))
	}
	names := map[string]bool{}
	for i := range spec.Rules {
		rule, where := &spec.Rules[i], fmt.Sprintf("spec.rules[%d]", i)
		switch {
		case rule.Name == "":
			s.add(where+".name", "give the rule a name")
		case names[rule.Name]:
			s.add(where+".name", fmt.Sprintf("another rule has the name %s: each has its own", printable(rule.Name)))
		}
		names[rule.Name] = true
		s.steps(where+".steps", rule.Steps)
	}
	s.steps("spec.steps", spec.Steps)
	if spec.Repeat != nil && (*spec.Repeat < 0 || *spec.Repeat > maxRepeat) {
		s.add("spec.repeat", fmt.Sprintf("write a number from 0 to %d", maxRepeat))
	}
	if spec.Fallback.ResponderRotaRef != nil {
		s.add("spec.fallback", "it must be a person, since a rota may have nobody on duty: name a teamRef with role Manager or with a member")
	} else {
		s.target("spec.fallback", &spec.Fallback)
	}
	return s.problems
}

// shape gathers what the API server refuses.
type shape struct{ problems []Problem }

func (s *shape) add(where, what string) {
	s.problems = append(s.problems, Problem{Reason: v1alpha1.ReasonRouteInvalid, Message: where + ": " + what})
}

func (s *shape) steps(where string, steps []v1alpha1.EscalationStep) {
	switch {
	case len(steps) == 0:
		s.add(where, "name a step at least")
	case len(steps) > maxSteps:
		s.add(where, fmt.Sprintf("there may be %d at most", maxSteps))
	}
	for i := range steps {
		at, step := fmt.Sprintf("%s[%d]", where, i), &steps[i]
		if step.Wait == nil || step.Wait.Duration < minWait || step.Wait.Duration > maxWait {
			s.add(at+".wait", "write a duration in hours, minutes and seconds such as 15m, from 1m to 24h")
		}
		switch {
		case len(step.Targets) == 0:
			s.add(at+".targets", "name a target at least")
		case len(step.Targets) > maxTargets:
			s.add(at+".targets", fmt.Sprintf("there may be %d at most", maxTargets))
		}
		for j := range step.Targets {
			s.target(fmt.Sprintf("%s.targets[%d]", at, j), &step.Targets[j])
		}
	}
}

func (s *shape) target(where string, target *v1alpha1.EscalationTarget) {
	rota, team := target.ResponderRotaRef != nil, target.TeamRef != nil
	role, member := target.Role != "", target.Member != ""
	switch {
	case rota == team:
		s.add(where, "name exactly one of responderRotaRef and teamRef")
	case rota && (role || member):
		s.add(where, "role and member belong to a teamRef: a rota says itself who is on duty")
	case team && role == member:
		s.add(where, "who of the team? write exactly one of role: Manager and member")
	case role && target.Role != v1alpha1.RoleManager:
		s.add(where+".role", "the only role is Manager")
	case rota && target.ResponderRotaRef.Name == "", team && target.TeamRef.Name == "":
		s.add(where, "give the name of what it refers to")
	}
}
