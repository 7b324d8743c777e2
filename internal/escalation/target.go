// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"fmt"
	"slices"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/rota"
)

// Sources answer who is there. They are asked again for each question, and must
// give the same answers while it lasts.
type Sources struct {
	// Rota gives the rota of that name in the route's namespace, or nil.
	Rota func(name string) *Rota
	// Team gives the team of that name, or nil.
	Team func(name string) *v1alpha1.Team
	// Reachable tells whether there is a way to tell a member of a team.
	Reachable func(team *v1alpha1.Team, member string) bool
}

// Rota is a rota that a route names.
type Rota struct {
	Schedule *rota.Schedule
	// Deleting: it is being deleted.
	Deleting bool
}

// Person is somebody of a team.
type Person struct{ Team, Name string }

// String writes team/name.
func (p Person) String() string { return p.Team + "/" + p.Name }

// Hearer is somebody who is told, and as what.
type Hearer struct {
	Person
	// Manager: as the manager of the team.
	Manager bool
}

// Rotas are the names of the rotas that a route names, in its order, each once.
func Rotas(route *v1alpha1.EscalationRoute) []string {
	return named(route, func(t target) string { return t.rota })
}

// Teams are the names of the teams that a route names itself, in its order, each
// once.
func Teams(route *v1alpha1.EscalationRoute) []string {
	return named(route, func(t target) string { return t.team })
}

func named(route *v1alpha1.EscalationRoute, name func(target) string) []string {
	var names []string
	add := func(t target) {
		if found := name(t); found != "" && !slices.Contains(names, found) {
			names = append(names, found)
		}
	}
	all := readSteps(route.Spec.Steps)
	for i := range route.Spec.Rules {
		all = append(all, readSteps(route.Spec.Rules[i].Steps)...)
	}
	for _, s := range all {
		for _, t := range s.targets {
			add(t)
		}
	}
	add(readTarget(&route.Spec.Fallback))
	return names
}

// target is one of those that a step names.
type target struct {
	rota, team, member string
}

func readTarget(spec *v1alpha1.EscalationTarget) target {
	switch {
	case spec.ResponderRotaRef != nil:
		return target{rota: spec.ResponderRotaRef.Name}
	case spec.TeamRef != nil:
		return target{team: spec.TeamRef.Name, member: spec.Member}
	}
	return target{}
}

// String names the target as a person would.
func (t target) String() string {
	switch {
	case t.rota != "":
		return "rota " + t.rota
	case t.member != "":
		return t.member + " of " + t.team
	}
	return "manager of " + t.team
}

// resolve finds who a target is at an instant; nil for nobody. A problem does
// not mean that there is nobody.
func (t target) resolve(sources *Sources, at time.Time) (*Hearer, *Problem) {
	if t.rota != "" {
		return t.resolveRota(sources, at)
	}
	team := sources.Team(t.team)
	if team == nil {
		return nil, &Problem{Reason: v1alpha1.ReasonTeamNotFound, Message: fmt.Sprintf(
			"Team %s does not exist: create it, or name another", short(t.team))}
	}
	name, manager := t.member, t.member == ""
	if manager {
		name = team.Spec.Manager
	}
	if !isMember(team, name, at) {
		return nil, missing(t, name, joins(team, name, at))
	}
	hearer := &Hearer{Person{t.team, name}, manager}
	if team.DeletionTimestamp != nil {
		return hearer, &Problem{Reason: v1alpha1.ReasonTargetDeleting, Message: fmt.Sprintf(
			"Team %s is being deleted: name another", short(t.team))}
	}
	return hearer, nil
}

func (t target) resolveRota(sources *Sources, at time.Time) (*Hearer, *Problem) {
	found := sources.Rota(t.rota)
	if found == nil {
		return nil, &Problem{Reason: v1alpha1.ReasonRotaNotFound, Message: fmt.Sprintf(
			"ResponderRota %s does not exist in the route's namespace: create it, or name another", short(t.rota))}
	}
	var problem *Problem
	if found.Deleting {
		problem = &Problem{Reason: v1alpha1.ReasonTargetDeleting, Message: fmt.Sprintf(
			"ResponderRota %s is being deleted: name another", short(t.rota))}
	}
	duty := found.Schedule.At(at)
	if duty.Nobody() {
		return nil, problem
	}
	return &Hearer{Person: Person{duty.Team, duty.Member}}, problem
}

// missing says that somebody is no member, and until when; zero for ever.
func missing(t target, name string, joins time.Time) *Problem {
	problem := &Problem{Reason: v1alpha1.ReasonMemberNotFound, Warning: !joins.IsZero()}
	who, instead := short(name)+" is not a member of team "+short(t.team), "name somebody who is"
	if t.member == "" {
		problem.Reason = v1alpha1.ReasonManagerNotMember
		who, instead = short(name)+", the manager of team "+short(t.team)+", is not a member", "name another manager in the Team"
	}
	if problem.Warning {
		problem.Message = fmt.Sprintf("%s before %s, and is left out until then: if that is too late, %s", who, joins.UTC().Format("2006-01-02 15:04 MST"), instead)
	} else {
		problem.Message = fmt.Sprintf("%s now: %s", who, instead)
	}
	return problem
}

// joins is when somebody is a member next; zero for never.
func joins(team *v1alpha1.Team, name string, at time.Time) time.Time {
	var next time.Time
	for i := range team.Spec.Members {
		member := &team.Spec.Members[i]
		if member.Name != name || member.From == nil || !member.From.After(at) || !ownership.Active(*member, member.From.Time) {
			continue
		}
		if next.IsZero() || member.From.Time.Before(next) {
			next = member.From.Time
		}
	}
	return next
}

func isMember(team *v1alpha1.Team, name string, at time.Time) bool {
	for i := range team.Spec.Members {
		if team.Spec.Members[i].Name == name && ownership.Active(team.Spec.Members[i], at) {
			return true
		}
	}
	return false
}

// Reaches tells whether somebody can be told.
func (s *Sources) Reaches(who Person) bool {
	team := s.Team(who.Team)
	return team != nil && s.Reachable(team, who.Name)
}
