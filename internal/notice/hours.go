// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notice

import "time"

// Working hours, wall clock: Monday to Friday from 09:00 to 17:00.
const (
	opens  = 9
	closes = 17
)

// NextWorking is when, from an instant on, people are at work in a zone: the
// instant itself where they are.
func NextWorking(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	year, month, day := local.Date()
	for ahead := range 4 {
		begin := time.Date(year, month, day+ahead, opens, 0, 0, 0, zone)
		end := time.Date(year, month, day+ahead, closes, 0, 0, 0, zone)
		switch weekday := begin.Weekday(); {
		case weekday == time.Saturday, weekday == time.Sunday, !at.Before(end):
			continue
		case at.Before(begin):
			return begin
		}
		return at
	}
	return at // four days in a row hold a working one: this is not reached
}
