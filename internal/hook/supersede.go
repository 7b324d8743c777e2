// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook

import (
	"slices"
	"time"
)

// atOnce is how far apart two records are made, at the least, for the later one
// to be believed to be later: clocks differ, and a reconcile that began earlier
// may have read the application's Secret later.
const atOnce = 2 * time.Minute

// supersede gives the records of a callback with an end to the application's
// keys that others have seen replaced. The application has its keys once,
// whichever channel they are on record for: a channel that is suspended, or
// whose token is dead, must not keep a key in force that was replaced because it
// leaked. The records given stay as they are.
//
// Keys are current that a record has as its newest which was made last. The
// records that have these tell when others end, those first that were made
// first, since the overlap began with them. Records that do not say when they
// were made, or whose keys are not the application's alone, neither tell nor are
// told.
func supersede(records []Record) []Record {
	if len(records) < 2 {
		return records
	}
	var last time.Time
	for _, record := range records {
		if record.shares() && record.Made.After(last) {
			last = record.Made
		}
	}
	if last.IsZero() {
		return records
	}
	current := map[string]struct{}{}
	for _, record := range records {
		if record.shares() && last.Sub(record.Made) < atOnce {
			current[contentOf(record.Keys[0].Values)] = struct{}{}
		}
	}
	var witnesses []witness
	for _, record := range records {
		if !record.shares() {
			continue
		}
		if _, ok := current[contentOf(record.Keys[0].Values)]; ok {
			witnesses = append(witnesses, newWitness(record))
		}
	}
	slices.SortStableFunc(witnesses, func(a, b witness) int { return a.made.Compare(b.made) })
	return ended(records, current, witnesses)
}

// shares tells whether a record's keys are the application's and nothing else,
// and it is known since when.
func (r Record) shares() bool {
	return !r.Made.IsZero() && !r.Fresh && len(r.Learnt) == 0 && len(r.Keys) > 0
}

// witness is a record that has the current keys.
type witness struct {
	made time.Time
	// until holds when the keys of before end, by their content; zero where that
	// is not known yet, since the current ones are not registered.
	until map[string]time.Time
}

func newWitness(record Record) witness {
	w := witness{made: record.Made, until: map[string]time.Time{}}
	for _, set := range record.Keys[1:] {
		content := contentOf(set.Values)
		if _, had := w.until[content]; !had {
			w.until[content] = set.Until
		}
	}
	return w
}

// endOf gives when keys end of which the witnesses have newer ones; ok is false
// where none of them knows.
func endOf(witnesses []witness, content string) (end time.Time, ok bool) {
	for _, w := range witnesses {
		until, had := w.until[content]
		if !had {
			return w.made.Add(atOnce), true
		}
		if !until.IsZero() {
			return until, true
		}
	}
	return time.Time{}, false
}

// ended gives the records with no keys beyond the end that witnesses tell.
func ended(records []Record, current map[string]struct{}, witnesses []witness) []Record {
	ends := map[string]time.Time{} // zero for none
	bounded := slices.Clone(records)
	for i, record := range bounded {
		if !record.shares() {
			continue
		}
		bounded[i].Keys = slices.Clone(record.Keys)
		for j, set := range record.Keys {
			content := contentOf(set.Values)
			if _, is := current[content]; is {
				continue
			}
			end, asked := ends[content]
			if !asked {
				end, _ = endOf(witnesses, content)
				ends[content] = end
			}
			if !end.IsZero() && (set.Until.IsZero() || end.Before(set.Until)) {
				bounded[i].Keys[j].Until = end
			}
		}
	}
	return bounded
}
