// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// override is a RotaOverride of the rota.
type override struct {
	name   string
	duty   Duty
	during span
	// effective is when it is in force and its member is in the team.
	effective  []span
	membership membership
}

// overrides are those of a rota, in the order in which they answer, and which
// of them answers when.
type overrides struct {
	ranked []override
	// answers are in the order of time, the first from always on.
	answers []turnover
}

// turnover is the instant from which on the override of a rank answers, or none
// where it is -1.
type turnover struct {
	from int64
	rank int
}

// at gives the duty of the override that answers at an instant, or nil, and for
// how long around it that stays so.
func (o *overrides) at(at int64) (duty *Duty, stay span) {
	low, high := 0, len(o.answers)
	for low < high {
		if middle := (low + high) / 2; o.answers[middle].from > at {
			high = middle
		} else {
			low = middle + 1
		}
	}
	stay = everything()
	if low < len(o.answers) {
		stay.until = o.answers[low].from
	}
	if low == 0 {
		return nil, stay
	}
	current := o.answers[low-1]
	stay.from = current.from
	if current.rank < 0 {
		return nil, stay
	}
	return &o.ranked[current.rank].duty, stay
}

// rankOverrides finds which override answers when.
func rankOverrides(ranked []override) overrides {
	slices.SortStableFunc(ranked, func(a, b override) int {
		return cmp.Or(cmp.Compare(b.during.from, a.during.from), cmp.Compare(a.during.until, b.during.until),
			cmp.Compare(a.name, b.name))
	})
	var begins []claim
	var instants []int64
	for rank := range ranked {
		for _, s := range ranked[rank].effective {
			begins = append(begins, claim{span: s, rank: rank})
			instants = append(instants, s.from, s.until)
		}
	}
	slices.SortFunc(begins, func(a, b claim) int { return cmp.Compare(a.from, b.from) })
	slices.Sort(instants)
	o := overrides{ranked: ranked}
	var current claims
	for _, at := range slices.Compact(instants) {
		for len(begins) > 0 && begins[0].from <= at {
			heap.Push(&current, begins[0])
			begins = begins[1:]
		}
		for len(current) > 0 && current[0].until <= at {
			heap.Pop(&current)
		}
		rank := -1
		if len(current) > 0 {
			rank = current[0].rank
		}
		if last := len(o.answers) - 1; last < 0 || o.answers[last].rank != rank {
			o.answers = append(o.answers, turnover{from: at, rank: rank})
		}
	}
	return o
}

// claim is a stretch in which an override counts.
type claim struct {
	span
	rank int
}

// claims are a heap: the override that stands above the others comes first.
type claims []claim

func (c claims) Len() int           { return len(c) }
func (c claims) Less(i, j int) bool { return c[i].rank < c[j].rank }
func (c claims) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }

// Push is part of heap.Interface.
func (c *claims) Push(x any) {
	if claimed, ok := x.(claim); ok {
		*c = append(*c, claimed)
	}
}

// Pop is part of heap.Interface.
func (c *claims) Pop() any {
	last := len(*c) - 1
	claimed := (*c)[last]
	*c = (*c)[:last]
	return claimed
}

// prepareOverrides reads the overrides of a rota, and leaves out those of
// others.
func prepareOverrides(rota *v1alpha1.ResponderRota, all []v1alpha1.RotaOverride, rosters rosters) overrides {
	var ranked []override
	for i := range all {
		spec := &all[i].Spec
		if all[i].Namespace != rota.Namespace || spec.ResponderRotaRef.Name != rota.Name || spec.Member == "" {
			continue
		}
		o := override{
			name:   all[i].Name,
			duty:   Duty{Member: spec.Member, Team: spec.TeamRef.Name, Layer: v1alpha1.LayerOverride},
			during: span{from: seconds(spec.From.Time), until: seconds(spec.Until.Time)},
		}
		o.membership = rosters.of(spec.TeamRef.Name).member(spec.Member)
		for _, s := range o.membership.during {
			s.narrow(o.during)
			if s.from < s.until {
				o.effective = append(o.effective, s)
			}
		}
		ranked = append(ranked, o)
	}
	return rankOverrides(ranked)
}

// OverrideProblem says why an override does nothing, or will do nothing when it
// begins, seen from an instant: its range is empty, its team does not exist, or
// its member is not in the team then. It is nil for one that works, or is over.
// The reasons are those of a RotaOverride's condition Ready.
func OverrideProblem(object *v1alpha1.RotaOverride, teams Teams, now time.Time) *Problem {
	spec := &object.Spec
	during := span{from: seconds(spec.From.Time), until: seconds(spec.Until.Time)}
	if during.from >= during.until {
		return &Problem{Reason: v1alpha1.ReasonExpired, Message: fmt.Sprintf(
			"it ends at %s, which is not after it begins at %s, so it is in force at no time: correct spec.from or spec.until",
			instantWords(during.until), instantWords(during.from))}
	}
	at := max(seconds(now), during.from)
	if at >= during.until {
		return nil
	}
	known := rosters{teams: teams, read: map[string]*roster{}}
	team := known.of(spec.TeamRef.Name)
	if team == nil {
		return &Problem{Reason: v1alpha1.ReasonTeamNotFound, Message: fmt.Sprintf(
			"Team %s does not exist: correct spec.teamRef", short(spec.TeamRef.Name))}
	}
	if there, _ := locate(team.member(spec.Member).during, at); there {
		return nil
	}
	return &Problem{Reason: v1alpha1.ReasonMemberNotFound, Message: fmt.Sprintf(
		"%s is not a member of team %s at %s, so the rota answers as if this override were not there: name a member",
		short(spec.Member), short(spec.TeamRef.Name), instantWords(at))}
}

func instantWords(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }
