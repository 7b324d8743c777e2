// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"fmt"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Problem is something in a manifest that cannot be read as it stands.
type Problem struct {
	// Reason for a condition: one of v1alpha1's ReasonUnknownTimeZone,
	// ReasonInvalidStart, ReasonWindowsOverlap, ReasonTeamNotFound,
	// ReasonMemberNotFound, ReasonInvalidPromise and ReasonExpired.
	Reason string
	// Message says where it is and what to do.
	Message string
}

// Teams gives a Team by its name, or nil.
type Teams func(name string) *v1alpha1.Team

// Prepare reads a rota as docs/rotas.md says. What can be read answers, even
// beside problems. An unknown zone leaves the layers without anybody; overrides,
// which are instants, answer. The Schedule is never nil. Overrides of other rotas
// and namespaces are left out.
func Prepare(rota *v1alpha1.ResponderRota, overrides []v1alpha1.RotaOverride, teams Teams) (*Schedule, []Problem) {
	var problems []Problem
	known := rosters{teams: teams, read: map[string]*roster{}}
	zone, ok := knownZone(rota.Spec.TimeZone)
	if !ok {
		problems = append(problems, unknownZone("spec.timeZone", rota.Spec.TimeZone))
	}
	s := &Schedule{zone: zone, layers: make([]layer, 0, len(rota.Spec.Layers))}
	away := readUnavailability(rota.Spec.Unavailability)
	k := &clock{zone: zone}
	for i := range rota.Spec.Layers {
		l, found := prepareLayer(k, &rota.Spec.Layers[i], known, away)
		l.idle = l.idle || !ok
		s.layers = append(s.layers, l)
		problems = append(problems, found...)
	}
	problems = append(problems, strayUnavailability(&rota.Spec, known)...)
	s.overrides = prepareOverrides(rota, overrides, known)
	return s, problems
}

func unknownZone(field, name string) Problem {
	return Problem{Reason: v1alpha1.ReasonUnknownTimeZone, Message: fmt.Sprintf(
		"%s %q is no time zone that Rostra knows: write a name of the IANA database such as Europe/London, or UTC",
		field, short(name))}
}

func prepareLayer(k *clock, spec *v1alpha1.RotaLayer, known rosters, away unavailability) (layer, []Problem) {
	l := layer{name: spec.Name, team: spec.TeamRef.Name}
	owner := "layer " + short(spec.Name)
	var problems []Problem
	l.week, problems = readWeek(owner, spec.Windows)
	team := known.of(l.team)
	if team == nil {
		return l, append(problems, Problem{Reason: v1alpha1.ReasonTeamNotFound, Message: fmt.Sprintf(
			"%s is answered by team %s, which does not exist: create the Team or correct the layer's teamRef",
			owner, short(l.team))})
	}
	var strangers []string
	l.places, strangers = seat(spec, team, away)
	for _, p := range l.places {
		l.attended = append(l.attended, p.there...)
	}
	l.attended = merge(l.attended)
	for _, name := range strangers {
		problems = append(problems, Problem{Reason: v1alpha1.ReasonMemberNotFound, Message: fmt.Sprintf(
			"%s lists %s, who is not in team %s: take the name off spec.layers or correct it",
			owner, short(name), short(l.team))})
	}
	if spec.Handoff != nil {
		if problem := l.handOver(k, spec.Handoff); problem != "" {
			problems = append(problems, Problem{Reason: v1alpha1.ReasonInvalidStart, Message: owner + problem})
		}
	}
	return l, problems
}

// handOver reads when turns change. A problem leaves the layer idle.
func (l *layer) handOver(k *clock, handoff *v1alpha1.Handoff) (problem string) {
	l.idle = true
	start, err := time.Parse("2006-01-02T15:04:05", handoff.Start)
	if err != nil || len(handoff.Start) != len("2006-01-02T15:04:05") {
		return fmt.Sprintf(" begins at %q, which is no date and time that exists: write handoff.start as 2026-11-02T09:00:00; "+
			"until then nobody of the layer is on duty", short(handoff.Start))
	}
	length := int64(handoff.Every)
	switch handoff.Unit {
	case v1alpha1.HandoffHour:
		length *= secondsPerHour
	case v1alpha1.HandoffDay:
		length *= secondsPerDay
	case v1alpha1.HandoffWeek:
		length *= secondsPerWeek
	default:
		length = 0
	}
	if length <= 0 {
		return fmt.Sprintf(" hands over every %d %q, which is no length of time: write handoff.every as 1 or more, and unit as "+
			"Hour, Day or Week; until then nobody of the layer is on duty", handoff.Every, short(string(handoff.Unit)))
	}
	l.idle = false
	l.turns = &turns{start: start.Unix(), length: length}
	l.divide(k)
	return ""
}

// seat puts the layer's people in a row. strangers are those on the list whom
// the team does not know.
func seat(spec *v1alpha1.RotaLayer, team *roster, away unavailability) (places []place, strangers []string) {
	names := spec.Members
	if len(names) == 0 {
		names = team.names
	}
	places = make([]place, 0, len(names))
	for _, name := range names {
		p := place{name: name, membership: team.member(name)}
		p.open = p.membership.during
		if !p.membership.known {
			strangers = append(strangers, name)
			p.open = []span{everything()}
		} else if name != "" {
			p.there = subtract(p.membership.during, away.of(spec.TeamRef.Name, name))
		}
		places = append(places, p)
	}
	return places, strangers
}
