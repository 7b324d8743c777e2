// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import "time"

// settle is how long after a change of clocks an earlier reading could still
// be the highest. Offsets differ by less than 32 hours: the widest that the
// time zone database knows is a little over 15 hours, on either side of UTC.
const settle = 2 * secondsPerDay

// clock is the clock on a wall, made monotone: it shows the highest reading
// that the wall's has shown so far. When clocks go back it stands still until
// the wall's catches up, so that an hour which comes twice is passed the first
// time; when they go forward it leaps with them, so that an hour which does not
// come is passed at that instant.
//
// It remembers where in the zone's history it was asked last.
type clock struct {
	zone *time.Location
	pace
}

// pace is how the clock goes for a while: it shows the instant plus offset, but
// never less than floor.
type pace struct {
	span
	offset, floor int64
}

// read gives the clock's reading at an instant.
func (k *clock) read(at int64) int64 {
	k.seek(at)
	return k.reading(at)
}

// reach gives the first instant at which the clock shows a reading, or leaps
// over it.
func (k *clock) reach(reading int64) int64 {
	if reading <= always || reading >= forever {
		return reading
	}
	k.seek(reading - k.offset)
	for {
		switch {
		case k.from > always && k.reading(k.from) >= reading:
			from := k.from
			k.seek(from - 1)
			if k.reading(from-1) < reading {
				return from
			}
		case reading-k.offset < k.until:
			return reading - k.offset
		default:
			k.seek(k.until)
		}
	}
}

// period gives the instants in which the clock is within a range of readings.
func (k *clock) period(readings span) span {
	return span{from: k.reach(readings.from), until: k.reach(readings.until)}
}

func (p *pace) reading(at int64) int64 { return max(at+p.offset, p.floor) }

func (k *clock) seek(at int64) {
	if k.holds(at) {
		return
	}
	stay, offset := zoneAt(k.zone, at)
	k.pace = pace{span: stay, offset: offset, floor: always}
	if stay.from == always {
		return
	}
	settled := stay.from + settle
	if at >= settled {
		k.from = settled
		return
	}
	k.until = min(stay.until, settled)
	k.floor = highest(k.zone, stay.from)
}

// highest is the highest reading before a change of clocks.
func highest(zone *time.Location, change int64) int64 {
	reading := always
	for end := change; end > change-settle; {
		stay, offset := zoneAt(zone, end-1)
		reading = max(reading, end-1+offset)
		end = stay.from
	}
	return reading
}

// zoneAt gives a zone's offset from UTC at an instant, and for how long around
// it the offset surely stays.
func zoneAt(zone *time.Location, at int64) (stay span, offset int64) {
	local := time.Unix(at, 0).In(zone)
	_, east := local.Zone()
	stay = bounds(local)
	// From the end of its table on, package time goes by a rule for each year.
	// It then gives the first of January as a bound, though the table may say
	// otherwise of that part of its last year, and counts 365 days for every
	// year, so that 31 December of a leap year lies outside of its own bounds.
	if stay.from > always && stay.from%secondsPerDay == 0 {
		for earlier := bounds(time.Unix(stay.from, 0).In(zone)); earlier.until > stay.from && earlier.until <= at; {
			stay.from = earlier.until
			earlier = bounds(time.Unix(stay.from, 0).In(zone))
		}
	}
	if stay.until <= at {
		stay.until = at - floorMod(at, secondsPerDay) + secondsPerDay
	}
	return stay, int64(east)
}

// Instant is when the clock in a zone shows what wall shows in UTC, to the
// second: as docs/rotas.md has it, a time that comes twice means the first, and
// one that does not come the instant at which the clock goes forward over it.
func Instant(zone *time.Location, wall time.Time) time.Time {
	k := clock{zone: zone}
	return time.Unix(k.reach(seconds(wall)), 0).In(zone)
}

// Standing is a range of time around an instant, in the zone, in which the
// zone's offset from UTC surely stays: not necessarily the longest. A bound is
// zero where there is none. It is time.Time.ZoneBounds but for the end of a
// zone's table and what is after it, where that gives ranges which do not hold
// the instant.
func Standing(zone *time.Location, at time.Time) Range {
	stay, _ := zoneAt(zone, seconds(at))
	var r Range
	if stay.from > always {
		r.From = time.Unix(stay.from, 0).In(zone)
	}
	if stay.until < forever {
		r.Until = time.Unix(stay.until, 0).In(zone)
	}
	return r
}

func bounds(local time.Time) span {
	stay := everything()
	start, end := local.ZoneBounds()
	if !start.IsZero() {
		stay.from = start.Unix()
	}
	if !end.IsZero() {
		stay.until = end.Unix()
	}
	return stay
}

// knownZone loads a zone of the IANA database; it gives UTC where there is none
// of that name. Names that mean the machine's own zone are not among them.
func knownZone(name string) (zone *time.Location, ok bool) {
	switch name {
	case "", "Local", "localtime":
		return time.UTC, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC, false
	}
	return zone, true
}

func floorDiv(a, b int64) int64 { return (a - floorMod(a, b)) / b }

func floorMod(a, b int64) int64 {
	rest := a % b
	if rest < 0 {
		rest += b
	}
	return rest
}
