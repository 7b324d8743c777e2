// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/rota"
)

// heatCell is an hour of a day by the clock on the wall. An hour that comes
// twice is one cell with both in it; one that does not come has no time at all.
type heatCell struct {
	// asked is how much of the hour was asked about; promised and uncovered are
	// parts of it.
	asked, promised, uncovered time.Duration
}

// heatDay is one row of a heat map.
type heatDay struct {
	name  string
	hours [24]heatCell
}

// heatDays divides an interval into days and hours by the clock on the wall.
func heatDays(zone *time.Location, from, until time.Time, promised, gaps []rota.Range) []heatDay {
	var days []heatDay
	for at := from.In(zone); at.Before(until); {
		next := nextHour(at)
		if next.After(until) {
			next = until.In(zone)
		}
		name := at.Format("Mon 02 Jan")
		if len(days) == 0 || days[len(days)-1].name != name {
			days = append(days, heatDay{name: name})
		}
		cell := &days[len(days)-1].hours[at.Hour()]
		cell.asked += next.Sub(at)
		cell.promised += overlap(promised, at, next)
		cell.uncovered += overlap(gaps, at, next)
		at = next
	}
	return days
}

// nextHour is when the clock on the wall shows another hour, or is changed.
func nextHour(at time.Time) time.Time {
	rest := time.Hour - time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond())
	next := at.Add(rest)
	if changes := rota.Standing(at.Location(), at).Until; !changes.IsZero() && changes.Before(next) {
		return changes
	}
	return next
}

// overlap is how much of [from, until) is in ranges that are in the order of
// time.
func overlap(ranges []rota.Range, from, until time.Time) time.Duration {
	first, _ := slices.BinarySearchFunc(ranges, from, func(r rota.Range, t time.Time) int {
		if r.Until.After(t) {
			return 1
		}
		return -1
	})
	var sum time.Duration
	for _, r := range ranges[first:] {
		if !r.From.Before(until) {
			break
		}
		begins, ends := r.From, r.Until
		if begins.Before(from) {
			begins = from
		}
		if ends.After(until) {
			ends = until
		}
		sum += ends.Sub(begins)
	}
	return sum
}

// heatLook is how a cell is drawn: two ASCII characters, which say everything
// without a colour, and the parameters of an ANSI sequence.
type heatLook struct{ glyph, colour, meaning string }

// heatLegend has every look, in the order of the legend.
func heatLegend() []heatLook {
	return []heatLook{
		{"==", "30;42", "covered"},
		{"=!", "30;43", "partly"},
		{"!!", "97;41", "nobody on duty"},
		{"..", "2", "not promised"},
	}
}

// look of a cell; nothing at all for an hour that does not come, or that was
// not asked about.
func (c heatCell) look() heatLook {
	legend := heatLegend()
	switch {
	case c.asked == 0:
		return heatLook{glyph: "  "}
	case c.promised == 0:
		return legend[3]
	case c.uncovered == 0:
		return legend[0]
	case c.uncovered < c.promised:
		return legend[1]
	}
	return legend[2]
}

// drawHeat draws the days below each other, with a legend.
func drawHeat(out *strings.Builder, days []heatDay, colour bool) {
	out.WriteString(strings.Repeat(" ", len("Mon 02 Jan")))
	for hour := range 24 {
		fmt.Fprintf(out, " %02d", hour)
	}
	out.WriteByte('\n')
	for i := range days {
		var line strings.Builder
		line.WriteString(days[i].name)
		for hour := range days[i].hours {
			line.WriteString(days[i].hours[hour].look().draw(" ", colour))
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	out.WriteByte('\n')
	for i, look := range heatLegend() {
		if i > 0 {
			out.WriteString("   ")
		}
		out.WriteString(look.draw("", colour) + " " + look.meaning)
	}
	out.WriteByte('\n')
}

// draw writes a look; the space before it is part of the coloured field, so
// that neighbours join.
func (l heatLook) draw(before string, colour bool) string {
	if !colour || l.colour == "" {
		return before + l.glyph
	}
	return "\x1b[" + l.colour + "m" + before + l.glyph + "\x1b[0m"
}
