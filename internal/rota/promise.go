// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"fmt"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Promise is the hours at which a channel promises to be watched. It does not
// change, and may be used by many at once.
type Promise struct {
	zone *time.Location
	week week
}

// Range is a range of time: From is in it, Until is not.
type Range struct{ From, Until time.Time }

// NewPromise reads what a channel promises. zone is used where the coverage
// names none, or one that is unknown; without it, UTC is. Problems have the
// reasons ReasonUnknownTimeZone, ReasonWindowsOverlap and ReasonInvalidPromise.
func NewPromise(coverage v1alpha1.ChannelCoverage, zone *time.Location) (*Promise, []Problem) {
	const owner = "spec.coverage"
	p := Always(zone)
	var problems []Problem
	if coverage.TimeZone != "" {
		if named, ok := knownZone(coverage.TimeZone); ok {
			p.zone = named
		} else {
			problems = append(problems, unknownZone(owner+".timeZone", coverage.TimeZone))
		}
	}
	switch coverage.Mode {
	case v1alpha1.CoverageAlways:
	case v1alpha1.CoverageWindows:
		var unread []Problem
		p.week, unread = readWeek(owner, coverage.Windows)
		p.week.all = p.week.all && len(coverage.Windows) > 0
		problems = append(problems, unread...)
	case v1alpha1.CoverageNone:
		p.week = week{}
	default:
		p.week = week{}
	}
	if message := misplaced(coverage); message != "" {
		problems = append(problems, Problem{Reason: v1alpha1.ReasonInvalidPromise, Message: owner + message})
	}
	return p, problems
}

// misplaced says what is wrong with a mode, or with the windows beside it.
func misplaced(coverage v1alpha1.ChannelCoverage) string {
	switch coverage.Mode {
	case v1alpha1.CoverageWindows:
		if len(coverage.Windows) == 0 {
			return ` has the mode "Windows" and no windows, so nothing is promised: name them, as ` +
				`[{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "18:00"}]`
		}
	case v1alpha1.CoverageAlways, v1alpha1.CoverageNone:
		if len(coverage.Windows) > 0 {
			return fmt.Sprintf(" has windows, which the mode %q does not look at: take them out, or write the mode as Windows", coverage.Mode)
		}
	default:
		return fmt.Sprintf(" has the mode %q, which is none, so nothing is promised: write Always, Windows or None", short(string(coverage.Mode)))
	}
	return ""
}

// Always is the promise of all hours. zone is where a day begins; UTC if nil.
func Always(zone *time.Location) *Promise {
	if zone == nil {
		zone = time.UTC
	}
	return &Promise{zone: zone, week: week{all: true}}
}

// Location is the zone in which the promise is read and its gaps are told.
func (p *Promise) Location() *time.Location { return p.zone }

// Empty tells whether nothing is promised.
func (p *Promise) Empty() bool { return !p.week.all && len(p.week.hours) == 0 }

// Hours gives what is promised from one instant until another, in the order of
// time, in the promise's zone. Two that follow each other do not touch.
func (p *Promise) Hours(from, until time.Time) []Range {
	k := clock{zone: p.zone}
	return p.hours(nil, &k, from, until)
}

// hours adds the promised hours from one instant until another to ranges that
// came before.
func (p *Promise) hours(ranges []Range, k *clock, from, until time.Time) []Range {
	if p.Empty() {
		return ranges
	}
	for begin := from.In(p.zone); begin.Before(until); {
		open, stay := p.week.at(k.read(seconds(begin)))
		end := until.In(p.zone)
		if next := k.reach(stay.until); next < latest && time.Unix(next, 0).Before(until) {
			end = time.Unix(next, 0).In(p.zone)
		}
		if open {
			ranges = join(ranges, Range{From: begin, Until: end})
		}
		begin = end
	}
	return ranges
}

// join adds a range to those before it, and makes one of two that touch.
func join(ranges []Range, next Range) []Range {
	if last := len(ranges) - 1; last >= 0 && ranges[last].Until.Equal(next.From) {
		ranges[last].Until = next.Until
		return ranges
	}
	return append(ranges, next)
}
