// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/rota"
)

const (
	day = 24 * time.Hour
	// The bounds of an interval that is asked for.
	minSpan = time.Second
	maxSpan = 366 * day
	// The years of a time that is asked about. The longest interval from there,
	// and the whole of the duty at its end, are within the four digits that
	// RFC 3339 and iCalendar have for a year.
	minYear = 1000
	maxYear = 9996
)

// parseTime reads a time that a person typed: RFC 3339, a date and time or a
// date by the clock on the wall in zone, or "now". Fractions of a second are
// cut off. flag is named in errors.
func parseTime(text, flag string, zone *time.Location, now time.Time) (time.Time, error) {
	at, err := readTime(text, flag, zone, now)
	if err == nil && (at.Year() < minYear || at.Year() > maxYear) {
		return time.Time{}, usagef("--%s %q is out of bounds: from year %d to %d", flag, text, minYear, maxYear)
	}
	return at, err
}

func readTime(text, flag string, zone *time.Location, now time.Time) (time.Time, error) {
	if text == "now" {
		return now.Truncate(time.Second).In(zone), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.Truncate(time.Second).In(zone), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if wall, err := time.Parse(layout, text); err == nil {
			return rota.Instant(zone, wall), nil
		}
	}
	return time.Time{}, usagef("--%s %q is no time: write 2026-11-27T18:00:00Z, or 2026-11-27T18:00 or 2026-11-27 by the clock of %s, or now", flag, text, zone)
}

// parseSpan reads a length of time in Go's syntax, in which d stands for 24
// hours and w for 7 times that.
func parseSpan(text string) (time.Duration, error) {
	expanded, err := expandDays(text)
	var span time.Duration
	if err == nil {
		span, err = time.ParseDuration(expanded)
	}
	if err != nil {
		return 0, usagef("--for %q is no length of time: write 36h, 14d or 2w", text)
	}
	if span < minSpan || span > maxSpan {
		return 0, usagef("--for %q is out of bounds: from 1s to 366d", text)
	}
	return span.Truncate(time.Second), nil
}

// expandDays writes days and weeks as hours.
func expandDays(text string) (string, error) {
	var failure error
	expanded := regexp.MustCompile(`([0-9]*\.?[0-9]*)([dw])`).ReplaceAllStringFunc(text, func(part string) string {
		number, err := strconv.ParseFloat(part[:len(part)-1], 64)
		if err != nil {
			failure = err
			return part
		}
		hours := number * 24
		if part[len(part)-1] == 'w' {
			hours *= 7
		}
		return fmt.Sprintf("%fh", hours)
	})
	return expanded, failure
}
