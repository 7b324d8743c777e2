// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ownership decides who may hold what: who is in a team now, what a
// team consents to own, to whom it reports, and which of two channels holds an
// account. Everything here is pure: the time is a parameter, and nothing is
// read or written.
package ownership

import (
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// maxChain is how many teams a reports-to chain may have; status.chain holds
// no more.
const maxChain = 32

// Active tells whether somebody is a member at an instant: from is inside the
// membership, until is not.
func Active(member v1alpha1.TeamMember, at time.Time) bool {
	if member.From != nil && at.Before(member.From.Time) {
		return false
	}
	return member.Until == nil || at.Before(member.Until.Time)
}

// ActiveMembers are the names of those who are members at an instant, as
// listed.
func ActiveMembers(team *v1alpha1.Team, at time.Time) []string {
	var names []string
	for _, member := range team.Spec.Members {
		if Active(member, at) {
			names = append(names, member.Name)
		}
	}
	return names
}

// HasManager tells whether the team's manager is a member at an instant.
func HasManager(team *v1alpha1.Team, at time.Time) bool {
	return slices.Contains(ActiveMembers(team, at), team.Spec.Manager)
}

// NextChange is the first instant after the given one at which somebody joins
// or leaves the team, or zero if nobody will.
func NextChange(team *v1alpha1.Team, after time.Time) time.Time {
	var next time.Time
	consider := func(at time.Time) {
		if at.After(after) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, member := range team.Spec.Members {
		if member.From != nil {
			consider(member.From.Time)
		}
		if member.Until != nil {
			consider(member.Until.Time)
		}
	}
	return next
}

// People are the team's active members as team/member, the form in which
// exposure is recorded.
func People(team *v1alpha1.Team, at time.Time) []string {
	members := ActiveMembers(team, at)
	people := make([]string, 0, len(members))
	for _, name := range members {
		people = append(people, team.Name+"/"+name)
	}
	return people
}

// Leavers are those among the exposed who are not among the present.
func Leavers(exposed, present []string) []string {
	var gone []string
	for _, person := range exposed {
		if !slices.Contains(present, person) {
			gone = append(gone, person)
		}
	}
	return gone
}

// Accepts tells whether the team consents to own a channel.
func Accepts(team *v1alpha1.Team, namespace, name string) bool {
	for _, accepted := range team.Spec.Accepts {
		if accepted.Namespace != namespace {
			continue
		}
		if slices.ContainsFunc(accepted.Channels, func(pattern string) bool { return matches(pattern, name) }) {
			return true
		}
	}
	return false
}

// matches compares a name with a pattern in which * stands for any run of
// characters. It never goes back further than the last *, so that no pattern
// is slow.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	middle := name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(middle, part)
		if at < 0 {
			return false
		}
		middle = middle[at+len(part):]
	}
	return true
}

// ChainOutcome says how a reports-to chain ends.
type ChainOutcome int

const (
	// ChainComplete: it ends at a team that reports to nobody.
	ChainComplete ChainOutcome = iota
	// ChainCycle: it comes back to a team in it.
	ChainCycle
	// ChainBroken: it names a team that does not exist.
	ChainBroken
	// ChainTooLong: it has more teams than Rostra follows.
	ChainTooLong
)

// Chain follows the reports-to references upwards from a team. It gives the
// teams above it, nearest first, how the chain ends, and the name at which it
// fails. lookup gives a team by its name, or nil.
func Chain(team *v1alpha1.Team, lookup func(name string) *v1alpha1.Team) (above []string, outcome ChainOutcome, at string) {
	seen := map[string]bool{team.Name: true}
	for current := team; current.Spec.ReportsToRef != nil; {
		name := current.Spec.ReportsToRef.Name
		if seen[name] {
			return above, ChainCycle, name
		}
		next := lookup(name)
		if next == nil {
			return above, ChainBroken, name
		}
		if len(above) == maxChain {
			return above, ChainTooLong, name
		}
		above = append(above, name)
		seen[name] = true
		current = next
	}
	return above, ChainComplete, ""
}
