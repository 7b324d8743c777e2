// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar

import (
	"fmt"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/rostra-dev/rostra/internal/rota"
)

// The beginning of a zone's first period, which has none: before any duty, and
// where it can be, not before the years that calendar programs know.
const (
	dawn      = "19700101T000000"
	earlyDawn = "00010101T000000"
)

// timezone writes the periods of a zone that touch [from, until), each as an
// observance of its own that begins once (RFC 5545, 3.6.5): the real changes of
// the clock, not a rule that may not hold.
func timezone(zone *time.Location, from, until time.Time) *ics.VTimezone {
	written := ics.NewTimezone(zone.String())
	begins, at := began(zone, from), from.In(zone)
	for {
		written.Components = append(written.Components, observance(at, begins))
		next := changes(zone, at, until)
		if next.IsZero() {
			return written
		}
		begins, at = next, next
	}
}

// began is when the period began that an instant is in; zero where it has no
// beginning, or none within two years.
func began(zone *time.Location, at time.Time) time.Time {
	oldest, local := at.AddDate(-2, 0, 0), at.In(zone)
	for {
		begins := rota.Standing(zone, at).From
		if begins.IsZero() || !alike(begins.Add(-time.Second), local) {
			return begins
		}
		if at = begins.Add(-time.Second); at.Before(oldest) {
			return time.Time{}
		}
	}
}

// changes is when the period ends that an instant is in; zero if after until.
func changes(zone *time.Location, at, until time.Time) time.Time {
	for ends := rota.Standing(zone, at).Until; !ends.IsZero() && !ends.After(until); {
		if !alike(ends, at) {
			return ends
		}
		ends = rota.Standing(zone, ends).Until
	}
	return time.Time{}
}

// alike tells whether clocks stand in the same way at two times of a zone.
func alike(a, b time.Time) bool {
	name, offset := a.Zone()
	other, beside := b.Zone()
	return name == other && offset == beside && a.IsDST() == b.IsDST()
}

// observance writes the period of a zone that at is in.
func observance(at, begins time.Time) ics.Component {
	name, offset := at.Zone()
	before, start := offset, dawn
	if at.Year() < 1970 {
		start = earlyDawn
	}
	if !begins.IsZero() {
		_, before = begins.Add(-time.Second).Zone()
		// By the clock as it stood until then.
		start = begins.In(time.FixedZone("", before)).Format(localFormat)
	}
	var base ics.ComponentBase
	base.SetProperty(ics.ComponentPropertyDtStart, start)
	base.SetProperty(ics.ComponentProperty(ics.PropertyTzoffsetfrom), offsetText(before))
	base.SetProperty(ics.ComponentProperty(ics.PropertyTzoffsetto), offsetText(offset))
	base.SetProperty(ics.ComponentProperty(ics.PropertyTzname), name)
	if at.IsDST() {
		return &ics.Daylight{ComponentBase: base}
	}
	return &ics.Standard{ComponentBase: base}
}

// offsetText writes an offset from UTC, given in seconds (RFC 5545, 3.3.14).
func offsetText(offset int) string {
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	text := fmt.Sprintf("%c%02d%02d", sign, offset/3600, offset/60%60)
	if seconds := offset % 60; seconds != 0 {
		text += fmt.Sprintf("%02d", seconds)
	}
	return text
}
