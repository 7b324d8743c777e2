// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import "time"

// Horizon is how far a change is looked for.
const Horizon = 366 * 24 * time.Hour

const horizon = int64(Horizon / time.Second)

// Segment is a stretch of time in which one duty holds.
type Segment struct {
	// From is in the segment, Until is not.
	From, Until time.Time
	Duty
}

// Segments gives who answers when, from one instant until another: without a
// hole, in the order of time, in the rota's zone. Two that follow each other
// differ. It is nil if the range is empty.
func (s *Schedule) Segments(from, until time.Time) []Segment {
	if !from.Before(until) {
		return nil
	}
	var segments []Segment
	k := clock{zone: s.zone}
	for begin := from.In(s.zone); begin.Before(until); {
		duty, hold := s.stretch(&k, seconds(begin))
		end := until.In(s.zone)
		if next := time.Unix(hold.until, 0); next.Before(until) {
			end = next.In(s.zone)
		}
		if last := len(segments) - 1; last >= 0 && segments[last].Duty == duty {
			segments[last].Until = end
		} else {
			segments = append(segments, Segment{From: begin, Until: end, Duty: duty})
		}
		begin = end
	}
	return segments
}

// Current gives the whole segment that holds an instant. A bound that is
// further away than Horizon is the zero time. The cost is bounded: a layer is
// looked at once for each hour at which it begins or ceases to answer, each
// absence, each change of membership and, where several take turns, once a
// turn, which before long changes the answer.
func (s *Schedule) Current(t time.Time) Segment {
	k := clock{zone: s.zone}
	at := seconds(t)
	duty, hold := s.stretch(&k, at)
	segment := Segment{Duty: duty, Until: s.ahead(&k, at, duty, hold)}
	for hold.from >= at-horizon {
		before, earlier := s.stretch(&k, hold.from-1)
		if before != duty {
			segment.From = time.Unix(hold.from, 0).In(s.zone)
			break
		}
		hold.from = earlier.from
	}
	return segment
}

// NextChange gives when somebody else answers, or nobody, or somebody again:
// the end of the segment that holds an instant, or zero if there is none
// within Horizon.
func (s *Schedule) NextChange(t time.Time) time.Time {
	k := clock{zone: s.zone}
	at := seconds(t)
	duty, hold := s.stretch(&k, at)
	return s.ahead(&k, at, duty, hold)
}

// ahead gives the instant at which a duty that holds ends, or zero.
func (s *Schedule) ahead(k *clock, at int64, duty Duty, hold span) time.Time {
	for hold.until <= at+horizon {
		next, later := s.stretch(k, hold.until)
		if next != duty {
			return time.Unix(hold.until, 0).In(s.zone)
		}
		hold.until = later.until
	}
	return time.Time{}
}

// stretch gives who answers at an instant, and a stretch around it in which
// that stays so.
func (s *Schedule) stretch(k *clock, at int64) (Duty, span) {
	hold := everything()
	duty := s.look(k, at, &hold)
	if hold.from < earliest {
		hold.from = always
	}
	if hold.until > latest {
		hold.until = forever
	}
	return duty, hold
}
