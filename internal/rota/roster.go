// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"fmt"
	"slices"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// membership is when somebody is in a team. The zero value is a stranger's.
type membership struct {
	known bool
	// during is merged; as ownership.Active has it, the beginning is in it and
	// the end is not.
	during []span
	// ends is the instant from which on the membership is over for good.
	ends int64
}

// roster is who is in a team when. A nil roster is that of a team that does
// not exist.
type roster struct {
	// names as the team lists them.
	names   []string
	members map[string]membership
}

func (r *roster) member(name string) membership {
	if r == nil {
		return membership{}
	}
	return r.members[name]
}

func readRoster(team *v1alpha1.Team) *roster {
	if team == nil {
		return nil
	}
	r := &roster{members: make(map[string]membership, len(team.Spec.Members))}
	for i := range team.Spec.Members {
		listed := &team.Spec.Members[i]
		during := everything()
		if listed.From != nil {
			during.from = seconds(listed.From.Time)
		}
		if listed.Until != nil {
			during.until = seconds(listed.Until.Time)
		}
		r.names = append(r.names, listed.Name)
		before, twice := r.members[listed.Name]
		m := membership{known: true, during: []span{during}, ends: during.until}
		if twice {
			m.during, m.ends = append(m.during, before.during...), max(before.ends, during.until)
		}
		r.members[listed.Name] = m
	}
	for name, m := range r.members {
		m.during = merge(m.during)
		r.members[name] = m
	}
	return r
}

// rosters are the teams that a rota needs, each read once.
type rosters struct {
	teams Teams
	read  map[string]*roster
}

func (r rosters) of(team string) *roster {
	if known, ok := r.read[team]; ok {
		return known
	}
	var read *roster
	if r.teams != nil {
		read = readRoster(r.teams(team))
	}
	r.read[team] = read
	return read
}

// someone is a name, in a team or, where that is empty, in any.
type someone struct{ team, name string }

// unavailability is when people take no turns, merged.
type unavailability map[someone][]span

func readUnavailability(all []v1alpha1.Unavailability) unavailability {
	away := unavailability{}
	for i := range all {
		who := someone{name: all[i].Member}
		if ref := all[i].TeamRef; ref != nil {
			who.team = ref.Name
		}
		away[who] = append(away[who], span{from: seconds(all[i].From.Time), until: seconds(all[i].Until.Time)})
	}
	for who, spans := range away {
		away[who] = merge(spans)
	}
	return away
}

func (u unavailability) of(team, name string) []span {
	everywhere, here := u[someone{name: name}], u[someone{team: team, name: name}]
	switch {
	case len(here) == 0 || team == "":
		return everywhere
	case len(everywhere) == 0:
		return here
	}
	return merge(slices.Concat(everywhere, here))
}

// strayUnavailability finds names that nobody of the rota has. Where a team is
// missing that might know them, it keeps silent.
func strayUnavailability(spec *v1alpha1.ResponderRotaSpec, known rosters) []Problem {
	var problems []Problem
	for i := range spec.Unavailability {
		absent := &spec.Unavailability[i]
		if spoken(spec, absent, known) {
			continue
		}
		problems = append(problems, Problem{Reason: v1alpha1.ReasonMemberNotFound, Message: fmt.Sprintf(
			"spec.unavailability[%d] names %s, who is in no team of the rota's layers: correct the name or its teamRef, "+
				"or take the entry out", i, short(absent.Member))})
	}
	return problems
}

// spoken tells whether an unavailability may speak of somebody in the layers.
func spoken(spec *v1alpha1.ResponderRotaSpec, absent *v1alpha1.Unavailability, known rosters) bool {
	for i := range spec.Layers {
		team := spec.Layers[i].TeamRef.Name
		if absent.TeamRef != nil && absent.TeamRef.Name != team {
			continue
		}
		if r := known.of(team); r == nil || r.member(absent.Member).known {
			return true
		}
	}
	return len(spec.Layers) == 0
}
