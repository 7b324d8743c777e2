// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// monday is the reading at which a week began: 5 January 1970.
const monday = 4 * secondsPerDay

// overlapsNamed is how many pairs of windows a problem names.
const overlapsNamed = 4

// week is the hours of a week at which something holds, in seconds from its
// Monday. The last range may reach over the end of the week, into the first
// hours of the next.
type week struct {
	all   bool
	hours []span
}

// at tells whether the hours hold at a reading, and the range of readings
// around it in which that stays so.
func (w week) at(reading int64) (open bool, stay span) {
	if w.all || len(w.hours) == 0 {
		return w.all, everything()
	}
	into := floorMod(reading-monday, secondsPerWeek)
	begun := reading - into
	last := len(w.hours) - 1
	i := last
	for i >= 0 && w.hours[i].from > into {
		i--
	}
	var this, next span
	switch {
	case i < 0:
		this, next = w.hours[last].shift(begun-secondsPerWeek), w.hours[0].shift(begun)
	case i == last:
		this, next = w.hours[last].shift(begun), w.hours[0].shift(begun+secondsPerWeek)
	default:
		this, next = w.hours[i].shift(begun), w.hours[i+1].shift(begun)
	}
	if reading < this.until {
		return true, this
	}
	return false, span{from: this.until, until: next.from}
}

func (s span) shift(by int64) span { return span{from: s.from + by, until: s.until + by} }

// readWeek reads windows. No windows are all hours. A window that cannot be
// read, or ends when it begins, holds at no time, and is named, as are pairs of
// windows that overlap; owner begins each sentence.
func readWeek(owner string, windows []v1alpha1.WeeklyWindow) (week, []Problem) {
	if len(windows) == 0 {
		return week{all: true}, nil
	}
	var ranges []weekRange
	var problems []Problem
	for i, window := range windows {
		from, fromOK := timeOfDay(window.From)
		to, toOK := timeOfDay(window.To)
		days, daysOK := weekdays(window.Days)
		if !fromOK || !toOK || !daysOK || from == secondsPerDay {
			problems = append(problems, unreadProblem(owner, windowWords(window)))
			continue
		}
		if from == to {
			problems = append(problems, emptyProblem(owner, windowWords(window)))
			continue
		}
		if to <= from {
			to += secondsPerDay
		}
		for day := range int64(7) {
			if days[day] {
				begin := day * secondsPerDay
				ranges = append(ranges, weekRange{span: span{from: begin + from, until: begin + to}, window: i})
			}
		}
	}
	if overlaps := overlapWords(ranges, windows); len(overlaps) > 0 {
		problems = append(problems, overlapProblem(owner, overlaps))
	}
	return joinWeek(ranges), problems
}

// weekRange is a range of hours of the week and the window that it is of.
type weekRange struct {
	span
	window int
}

func joinWeek(ranges []weekRange) week {
	hours := make([]span, 0, len(ranges))
	for _, r := range ranges {
		hours = append(hours, r.span)
	}
	hours = merge(hours)
	for len(hours) > 1 && hours[len(hours)-1].until-secondsPerWeek >= hours[0].from {
		last := &hours[len(hours)-1]
		last.until = max(last.until, hours[0].until+secondsPerWeek)
		hours = hours[1:]
	}
	if len(hours) == 1 && hours[0].until-hours[0].from >= secondsPerWeek {
		return week{all: true}
	}
	return week{hours: hours}
}

// overlapWords names pairs of windows that have an hour in common.
func overlapWords(ranges []weekRange, windows []v1alpha1.WeeklyWindow) []string {
	round := slices.Clone(ranges)
	for _, r := range ranges {
		if r.until > secondsPerWeek {
			round = append(round, weekRange{span: r.shift(-secondsPerWeek), window: r.window})
		}
	}
	slices.SortFunc(round, func(a, b weekRange) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.window, b.window))
	})
	type pair struct{ a, b int }
	seen := map[pair]bool{}
	var words []string
	for i := 1; i < len(round); i++ {
		widest, r := round[i-1], round[i]
		if widest.until > r.from && widest.window != r.window {
			p := pair{a: min(widest.window, r.window), b: max(widest.window, r.window)}
			if !seen[p] {
				seen[p] = true
				words = append(words, windowWords(windows[p.a])+" and "+windowWords(windows[p.b]))
			}
		}
		if widest.until > r.until {
			round[i] = widest
		}
	}
	return words
}

// windowWords are a window as a manifest writes it: "Mon, Tue 09:00-18:00".
func windowWords(window v1alpha1.WeeklyWindow) string {
	hours := short(window.From) + "-" + short(window.To)
	if len(window.Days) == 0 {
		return hours
	}
	days := make([]string, 0, 7)
	for _, day := range window.Days[:min(len(window.Days), 7)] {
		days = append(days, short(string(day)))
	}
	return strings.Join(days, ", ") + " " + hours
}

// overlapProblem says which windows overlap; owner begins the sentence.
func overlapProblem(owner string, overlaps []string) Problem {
	more := ""
	if len(overlaps) > overlapsNamed {
		more = fmt.Sprintf(", and %d more", len(overlaps)-overlapsNamed)
		overlaps = overlaps[:overlapsNamed]
	}
	return Problem{Reason: v1alpha1.ReasonWindowsOverlap, Message: fmt.Sprintf(
		"%s has windows that overlap (%s%s): they are read as one; change the hours of one of them",
		owner, strings.Join(overlaps, "; "), more)}
}

// unreadProblem says which window cannot be read; owner begins the sentence.
func unreadProblem(owner, window string) Problem {
	return Problem{Reason: v1alpha1.ReasonWindowsOverlap, Message: fmt.Sprintf(
		"%s has a window that cannot be read and is left out (%s): write days as Mon to Sun, "+
			"and from and to as hours and minutes such as 09:00", owner, window)}
}

// emptyProblem says which window ends when it begins; owner begins the sentence.
func emptyProblem(owner, window string) Problem {
	return Problem{Reason: v1alpha1.ReasonWindowsOverlap, Message: fmt.Sprintf(
		"%s has a window that ends when it begins and is left out (%s): for a whole day write from 00:00 to 24:00",
		owner, window)}
}

// timeOfDay reads hours and minutes, from 00:00 to 24:00.
func timeOfDay(text string) (secondsIn int64, ok bool) {
	if len(text) != len("15:04") || text[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	hours := int64(text[0]-'0')*10 + int64(text[1]-'0')
	minutes := int64(text[3]-'0')*10 + int64(text[4]-'0')
	secondsIn = hours*secondsPerHour + minutes*60
	return secondsIn, minutes < 60 && secondsIn <= secondsPerDay
}

// weekdays reads days, Monday first. No days are all seven.
func weekdays(days []v1alpha1.Weekday) (on [7]bool, ok bool) {
	if len(days) == 0 {
		return [7]bool{true, true, true, true, true, true, true}, true
	}
	for _, day := range days {
		switch day {
		case v1alpha1.Monday:
			on[0] = true
		case v1alpha1.Tuesday:
			on[1] = true
		case v1alpha1.Wednesday:
			on[2] = true
		case v1alpha1.Thursday:
			on[3] = true
		case v1alpha1.Friday:
			on[4] = true
		case v1alpha1.Saturday:
			on[5] = true
		case v1alpha1.Sunday:
			on[6] = true
		default:
			return on, false
		}
	}
	return on, true
}

// short keeps what a message quotes within bounds.
func short(text string) string {
	const most = 64
	text = strings.ToValidUTF8(text, "?")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
