// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rota decides who is on duty when, and in which promised hours nobody
// is. docs/rotas.md says how a rota is read; this package does as it says.
//
// Everything here is pure: the time is a parameter, and nothing is read but the
// time zone database. Instants are counted in whole seconds; fractions are cut
// off.
package rota

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// Instants and readings of a clock are seconds since 1970: instants as
// time.Time.Unix counts them, readings as if the clock stood in UTC.
const (
	secondsPerHour = 60 * 60
	secondsPerDay  = 24 * secondsPerHour
	secondsPerWeek = 7 * secondsPerDay

	// forever and always bound what has no bound of its own. Half of what an
	// int64 holds leaves room for sums.
	forever = int64(1) << 60
	always  = -forever

	// latest and earliest are the instants beyond which nothing changes any
	// more: some 34,000 years from now.
	latest   = int64(1) << 40
	earliest = -latest
)

// seconds cuts an instant to whole seconds.
func seconds(t time.Time) int64 { return min(max(t.Unix(), earliest), latest) }

// span is a range of seconds: from is in it, until is not.
type span struct{ from, until int64 }

func everything() span { return span{from: always, until: forever} }

func (s span) holds(at int64) bool { return s.from <= at && at < s.until }

// narrow keeps what s has in common with another.
func (s *span) narrow(other span) {
	s.from, s.until = max(s.from, other.from), min(s.until, other.until)
}

// merge sorts spans and joins those that overlap or touch. Empty ones are left
// out.
func merge(spans []span) []span {
	spans = slices.DeleteFunc(spans, func(s span) bool { return s.from >= s.until })
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var merged []span
	for _, s := range spans {
		if last := len(merged) - 1; last >= 0 && s.from <= merged[last].until {
			merged[last].until = max(merged[last].until, s.until)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// subtract takes spans out of others. Both are merged.
func subtract(spans, out []span) []span {
	if len(out) == 0 {
		return spans
	}
	var left []span
	for _, s := range spans {
		first := sort.Search(len(out), func(i int) bool { return out[i].until > s.from })
		for _, cut := range out[first:] {
			if cut.from >= s.until {
				break
			}
			if s.from < cut.from {
				left = append(left, span{from: s.from, until: cut.from})
			}
			s.from = cut.until
		}
		if s.from < s.until {
			left = append(left, s)
		}
	}
	return left
}

// locate tells whether an instant is in one of merged spans, and for how long
// around it that stays so.
func locate(spans []span, at int64) (inside bool, stay span) {
	low, high := 0, len(spans)
	for low < high {
		if middle := (low + high) / 2; spans[middle].until > at {
			high = middle
		} else {
			low = middle + 1
		}
	}
	if low < len(spans) && spans[low].from <= at {
		return true, spans[low]
	}
	stay = everything()
	if low > 0 {
		stay.from = spans[low-1].until
	}
	if low < len(spans) {
		stay.until = spans[low].from
	}
	return false, stay
}
