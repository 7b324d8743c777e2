// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"strings"
	"time"
)

// Words are a range as people read it, in a zone: "Sat 28 Nov 18:00 – Mon 30
// Nov 09:00 Europe/London", or "Sat 28 Nov 18:00 – 21:00 Europe/London" within
// a day. The year is added where it is not that of now, seconds where there are
// any, and what the zone is called at each end where its offset differs:
// "Sun 25 Oct 01:30 BST – 01:30 GMT Europe/London".
func Words(r Range, zone *time.Location, now time.Time) string {
	if zone == nil {
		zone = time.UTC
	}
	from, until, year := r.From.In(zone), r.Until.In(zone), now.In(zone).Year()
	begins, ends := hourWords(from), hourWords(until)
	before, offset := from.Zone()
	if after, other := until.Zone(); offset != other {
		begins, ends = begins+" "+before, ends+" "+after
	}
	var words strings.Builder
	words.WriteString(dayWords(from, year) + " " + begins + " – ")
	if from.Year() != until.Year() || from.YearDay() != until.YearDay() {
		words.WriteString(dayWords(until, year) + " ")
	}
	words.WriteString(ends + " " + zone.String())
	return words.String()
}

func dayWords(t time.Time, year int) string {
	if t.Year() == year {
		return t.Format("Mon 2 Jan")
	}
	return t.Format("Mon 2 Jan 2006")
}

func hourWords(t time.Time) string {
	if t.Second() == 0 {
		return t.Format("15:04")
	}
	return t.Format("15:04:05")
}
