// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// happening is something in a list, which a server shows some time after it
// has given it an identifier.
type happening struct {
	at, shown time.Time
}

// timeline is a list of a server: identifiers are places in it, from 1 on.
type timeline struct {
	happenings []happening
	now        time.Time
}

func (l *timeline) page(from mark, limit int) (page []status, full bool) {
	for i, one := range l.happenings {
		id := identifier(strconv.Itoa(i + 1))
		if id.newer(from.after) && !one.shown.After(l.now) && len(page) < limit {
			page = append(page, status{ID: id, CreatedAt: moment{one.at}})
		}
	}
	return page, len(page) == limit
}

// read reads a page, by way of the mark's stored form.
func (l *timeline) read(t *rapid.T, from mark, limit int) (told []identifier, next mark, more bool) {
	text, err := json.Marshal(place{Statuses: from})
	if err != nil || len(text) > 2048 {
		t.Fatalf("%d bytes: %v", len(text), err)
	}
	at, failure := parsePlace(string(text))
	if failure != nil {
		t.Fatal(failure)
	}
	found, full := l.page(at.Statuses, limit)
	if len(found) == 0 {
		return nil, at.Statuses, false
	}
	for _, one := range found {
		if !slices.Contains(at.Statuses.told, one.ID) {
			told = append(told, one.ID)
		}
	}
	return told, following(at.Statuses, found, full, l.now.Add(-settled)), full
}

// TestMark lets things happen between polls, and reads them in pages of any
// size, or some show late: each is told once, and every poll comes to an end.
// In pages that had to be made small, what shows late may be missed: a mark
// must go on, whatever is young.
func TestMark(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes, delays := []int{30, 15, 7, 3, 1}, []time.Duration{0}
		if rapid.Bool().Draw(t, "some show late") {
			sizes, delays = []int{pollPage}, []time.Duration{0, 0, 0, 2 * time.Second, settled - time.Millisecond}
		}
		l := &timeline{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
		current, told := mark{after: beforeAll}, map[identifier]bool{}
		poll := func() {
			for more, pages := true, 0; more; pages++ {
				if pages > 2*len(l.happenings)+2 {
					t.Fatalf("no end at %v", current)
				}
				var found []identifier
				found, current, more = l.read(t, current, rapid.SampledFrom(sizes).Draw(t, "page"))
				for _, id := range found {
					if told[id] {
						t.Fatalf("%s was told twice", id)
					}
					told[id] = true
				}
			}
		}
		for range rapid.IntRange(1, 6).Draw(t, "polls") {
			for range rapid.SampledFrom([]int{0, 1, 3, 70}).Draw(t, "happened") {
				l.now = l.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 3 * time.Second, time.Minute}).Draw(t, "later"))
				late := rapid.SampledFrom(delays).Draw(t, "late")
				l.happenings = append(l.happenings, happening{at: l.now, shown: l.now.Add(late)})
			}
			poll()
		}
		l.now = l.now.Add(settled)
		poll()
		if len(told) != len(l.happenings) {
			t.Fatalf("%d of %d were told", len(told), len(l.happenings))
		}
		if found, _ := l.page(current, pollPage); len(found) > 0 {
			t.Fatalf("nothing is young any more, and the mark stays at %v", current)
		}
	})
}

// A clock that is ahead at the server does not hold the mark back for ever.
func TestMarkIsNotHeldByTheFuture(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	l := &timeline{now: now}
	for range 25 {
		l.happenings = append(l.happenings, happening{at: now.Add(time.Hour), shown: now})
	}
	found, full := l.page(mark{after: beforeAll}, pollPage)
	next := following(mark{after: beforeAll}, found, full, now.Add(-settled))
	if next.after != "10" || len(next.told) != mostTold {
		t.Errorf("the mark is %v", next)
	}
}
