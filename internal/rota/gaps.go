// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import "time"

// fortnight is how many days an assessment looks at.
const fortnight = 14

// Gaps gives the promised times from one instant until another in which nobody
// is on duty, in the order of time and in the promise's zone.
func Gaps(s *Schedule, p *Promise, from, until time.Time) []Range {
	return GapsIn(s.Segments(from, until), p)
}

// GapsIn is Gaps on segments that are known already, in the order of time.
func GapsIn(segments []Segment, p *Promise) []Range {
	var gaps []Range
	k := clock{zone: p.zone}
	for i := range segments {
		if segments[i].Nobody() {
			gaps = p.hours(gaps, &k, segments[i].From, segments[i].Until)
		}
	}
	return gaps
}

// Assessment is how far a rota keeps a promise, over fourteen days from the
// last midnight in the promise's zone. The figures are those of all fourteen
// days, so that they stand still while the day goes by; only where no gap lies
// ahead they are 100 and zero.
type Assessment struct {
	// Percent of the promised time that is covered, rounded down: 100 only if
	// there is no gap.
	Percent int32
	// UncoveredPerWeek is how much promised time is not covered, in whole
	// seconds: half of what the fourteen days have.
	UncoveredPerWeek time.Duration
	// Gaps are all that begin before the fourteen days end and are not over
	// yet. Each is whole: it may begin up to fourteen days before them, and
	// end as long after them.
	Gaps []Range
	// Until is when the assessment changes at the latest: at the end of the
	// first gap, or at the next midnight.
	Until time.Time
}

// Assess gives how far a rota keeps a promise, seen from now.
func Assess(s *Schedule, p *Promise, now time.Time) Assessment {
	k := clock{zone: p.zone}
	reading := k.read(seconds(now))
	today := reading - floorMod(reading, secondsPerDay)
	midnight := func(days int64) time.Time {
		return time.Unix(k.reach(today+days*secondsPerDay), 0).In(p.zone)
	}
	from, until := midnight(0), midnight(fortnight)
	assessment := Assessment{Percent: 100, Until: midnight(1)}
	var uncovered time.Duration
	for _, gap := range Gaps(s, p, midnight(-fortnight), midnight(2*fortnight)) {
		if !gap.From.Before(until) {
			break
		}
		uncovered += common(gap, from, until)
		if gap.Until.After(now) {
			assessment.Gaps = append(assessment.Gaps, gap)
		}
	}
	if len(assessment.Gaps) == 0 {
		return assessment
	}
	if first := assessment.Gaps[0].Until; first.Before(assessment.Until) {
		assessment.Until = first
	}
	var promised time.Duration
	for _, hours := range p.Hours(from, until) {
		promised += common(hours, from, until)
	}
	assessment.Percent = percentOf(promised-uncovered, promised)
	assessment.UncoveredPerWeek = (uncovered / 2).Truncate(time.Second)
	return assessment
}

// percentOf is a part of a whole, rounded down.
func percentOf(part, whole time.Duration) int32 {
	return int32(min(max(int64(part/time.Second)*100/int64(whole/time.Second), 0), 100))
}

// common is how long a range is within two instants.
func common(r Range, from, until time.Time) time.Duration {
	if r.From.After(from) {
		from = r.From
	}
	if r.Until.Before(until) {
		until = r.Until
	}
	return max(0, until.Sub(from))
}
