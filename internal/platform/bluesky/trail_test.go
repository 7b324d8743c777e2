// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// list is one of a server, newest first, in pages.
type list struct {
	entries []entry
	size    int  // of a page
	reads   int  // pages that were read
	eager   bool // gives a cursor whenever a page holds something
	away    bool // does not answer
}

var errAway = errors.New("the server is away")

func (l *list) add(key string) {
	l.entries = append(l.entries, entry{key: key, event: event.Event{ID: fmt.Sprintf("%s/%d", key, len(l.entries))}})
}

func (l *list) read(cursor string) (leaf, error) {
	if l.away {
		return leaf{}, errAway
	}
	l.reads++
	sorted := slices.Clone(l.entries)
	slices.Reverse(sorted)
	slices.SortStableFunc(sorted, func(a, b entry) int { return strings.Compare(b.key, a.key) })
	if i := slices.IndexFunc(sorted, func(e entry) bool { return e.event.ID == cursor }); cursor != "" {
		sorted = sorted[i+1:]
	}
	page := leaf{entries: sorted[:min(len(sorted), l.size)]}
	if len(page.entries) > 0 && (l.eager || len(sorted) > l.size) {
		page.next = page.entries[len(page.entries)-1].event.ID
	}
	return page, nil
}

// pollOnce advances a trail as one poll does, by way of its stored form.
func pollOnce(t rapid.TB, l *list, from *trail) ([]string, *trail) {
	t.Helper()
	cursor, err := place{Version: placeVersion, DID: testDID, Posts: from}.cursor()
	if err != nil || len(cursor) > maxPlace {
		t.Fatalf("a cursor of %d bytes: %v", len(cursor), err)
	}
	found, after, err := advance(readPlace(cursor, testDID).Posts, l.read)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, 0, len(found))
	for _, e := range found {
		ids = append(ids, e.event.ID)
	}
	return ids, after
}

const testDID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"

func at(n int) string { return fmt.Sprintf("%06d", n) }

// TestTrail lets any number of things happen between polls, several at the same
// time: each is found once.
func TestTrail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &list{size: rapid.IntRange(maxRemembered, 100).Draw(t, "page"), eager: rapid.Bool().Draw(t, "eager")}
		now, past := 0, rapid.IntRange(0, 300).Draw(t, "past")
		happen := func(times int) {
			for range times {
				now += rapid.SampledFrom([]int{0, 1, 1, 1}).Draw(t, "later")
				l.add(at(now))
			}
		}
		happen(past)
		now++
		found, current := pollOnce(t, l, nil)
		if len(found) > 0 {
			t.Fatalf("the past was raised: %v", found)
		}
		told := map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(t, "polls") {
			happen(rapid.SampledFrom([]int{0, 1, 3, 20, 150, 1500}).Draw(t, "happened"))
			now++
			for more := true; more; more = current.Rest != nil {
				found, current = pollOnce(t, l, current)
				for _, id := range found {
					if told[id] {
						t.Fatalf("%s was told twice", id)
					}
					told[id] = true
				}
			}
		}
		for _, e := range l.entries[past:] {
			if !told[e.event.ID] {
				t.Fatalf("%s was not told", e.event.ID)
			}
		}
		if len(told) != len(l.entries)-past {
			t.Fatalf("%d of %d were told", len(told), len(l.entries)-past)
		}
	})
}

// What a clock that is behind has dated earlier than what was read before is
// new all the same.
func TestTrailFindsWhatCameLate(t *testing.T) {
	l := &list{size: 50}
	for n := range 30 {
		l.add(at(n * 10))
	}
	_, current := pollOnce(t, l, nil)
	l.add(at(285))
	l.add(at(281))
	found, current := pollOnce(t, l, current)
	if len(found) != 2 {
		t.Fatalf("found %v", found)
	}
	if found, _ = pollOnce(t, l, current); len(found) != 0 {
		t.Fatalf("found again: %v", found)
	}
}

// What comes in the same second as the only thing before is new.
func TestTrailTellsTheSameTimeApart(t *testing.T) {
	for _, eager := range []bool{false, true} {
		l := &list{size: 50, eager: eager}
		l.add(at(1))
		_, current := pollOnce(t, l, nil)
		for range 5 {
			l.add(at(1))
			var found []string
			if found, current = pollOnce(t, l, current); len(found) != 1 {
				t.Fatalf("found %v", found)
			}
		}
	}
}

// A post whose key is far in the future does not hide those after it.
func TestTrailIsNotHeldByTheFuture(t *testing.T) {
	l := &list{size: 50, eager: true}
	l.add(at(1))
	_, current := pollOnce(t, l, nil)
	l.add("999999")
	_, current = pollOnce(t, l, current)
	l.add(at(2))
	if found, _ := pollOnce(t, l, current); len(found) != 1 {
		t.Fatalf("found %v", found)
	}
}

func TestTrailReadsOnePageWhenNothingHappened(t *testing.T) {
	for _, past := range []int{0, 2, 3, 50, 51, 500} {
		for _, eager := range []bool{false, true} {
			l := &list{size: 50, eager: eager}
			for n := range past {
				l.add(at(n))
			}
			_, current := pollOnce(t, l, nil)
			l.reads = 0
			pollOnce(t, l, current)
			if l.reads != 1 {
				t.Errorf("%d entries, eager %t: %d pages", past, eager, l.reads)
			}
		}
	}
}

// A poll reads ten pages and leaves the rest for the next.
func TestTrailLeavesARest(t *testing.T) {
	l := &list{size: 50, eager: true}
	l.add(at(0))
	_, current := pollOnce(t, l, nil)
	for n := range 700 {
		l.add(at(n + 1))
	}
	l.reads = 0
	first, current := pollOnce(t, l, current)
	if len(first) != 500 || l.reads != maxPages || current.Rest == nil {
		t.Fatalf("%d in %d pages, rest %+v", len(first), l.reads, current.Rest)
	}
	l.add(at(1000))
	second, current := pollOnce(t, l, current)
	if len(second) != 200 || current.Rest != nil {
		t.Fatalf("%d, rest %+v", len(second), current.Rest)
	}
	if third, _ := pollOnce(t, l, current); len(third) != 1 {
		t.Fatalf("%v", third)
	}
}

func TestTrailDoesNotMoveInAnOutage(t *testing.T) {
	l := &list{size: 50, away: true}
	for _, from := range []*trail{nil, {}, {Rest: &rest{Next: "x"}}} {
		if found, after, err := advance(from, l.read); !errors.Is(err, errAway) || found != nil || after != nil {
			t.Errorf("%v, %v, %v", found, after, err)
		}
	}
}

// A cursor that the server has forgotten costs nothing but time.
func TestTrailReadsARestAnew(t *testing.T) {
	for _, class := range []platform.Class{platform.Permanent, platform.NotFound} {
		l := &list{size: 50, eager: true}
		l.add(at(0))
		_, current := pollOnce(t, l, nil)
		for n := range 520 {
			l.add(at(n + 1))
		}
		_, current = pollOnce(t, l, current)
		l.add(at(1000))
		stale := func(cursor string) (leaf, error) {
			if cursor != "" && cursor == current.Rest.Next {
				return leaf{}, &platform.Failure{Class: class}
			}
			return l.read(cursor)
		}
		found, after, err := advance(current, stale)
		if err != nil || len(found) != 500 || found[0].event.ID != l.entries[521].event.ID {
			t.Fatalf("%d, %v", len(found), err)
		}
		if rest, done := pollOnce(t, l, after); len(rest) != 21 || done.Rest != nil {
			t.Fatalf("%d, %+v", len(rest), done.Rest)
		}
		if _, _, err := advance(current, func(string) (leaf, error) { return leaf{}, &platform.Failure{Class: class} }); platform.ClassOf(err) != class {
			t.Fatal(err)
		}
	}
}

// Parts of a page are a page.
func TestInParts(t *testing.T) {
	for bound, requests := range map[int]int{eventsAtOnce: 1, 25: 3, 30: 3, 12: 7, 6: 3 + 9, 1: maxParts} {
		l, asked := &list{size: eventsAtOnce, eager: true}, 0
		for n := range 200 {
			l.add(at(n))
		}
		read := inParts(func(p part) (leaf, error) {
			asked++
			if p.limit > bound {
				return leaf{}, platform.FromTransport(&httpx.Error{Kind: httpx.KindBodyTooLarge})
			}
			l.size = p.limit
			return l.read(p.cursor)
		})
		page, err := read("")
		if err != nil || asked != requests || len(page.entries) < min(eventsAtOnce, maxParts-5) {
			t.Errorf("up to %d: %d entries in %d requests, %v", bound, len(page.entries), asked, err)
		}
		next, err := read(page.next)
		if err != nil || next.entries[0].event.ID != l.entries[199-len(page.entries)].event.ID {
			t.Errorf("up to %d: it goes on with %v, %v", bound, next.entries[0], err)
		}
	}
}

// Servers leave out what the account may not see, so that pages can be empty
// although the list goes on.
func TestTrailGoesOnAfterAnEmptyPage(t *testing.T) {
	full := &list{size: 1}
	full.add(at(1))
	hole := func(cursor string) (leaf, error) {
		if cursor == "" {
			return leaf{next: "2"}, nil
		}
		return full.read("")
	}
	_, current, err := advance(nil, hole)
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := advance(current, hole)
	if err != nil || len(found) != 0 {
		t.Fatalf("%v, %v", found, err)
	}
	if found, _, err = advance(&trail{}, hole); err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	endless := func(cursor string) (leaf, error) {
		n, _ := strconv.Atoi(cursor)
		return leaf{next: strconv.Itoa(n + 1)}, nil
	}
	if _, current, err = advance(nil, endless); err != nil || current.Rest != nil {
		t.Fatalf("%+v, %v", current, err)
	}
}

func TestReadPlace(t *testing.T) {
	good, err := place{Version: placeVersion, DID: testDID, Posts: &trail{mark: mark{Floor: "3l"}}}.cursor()
	if err != nil {
		t.Fatal(err)
	}
	if readPlace(good, testDID).Posts == nil {
		t.Errorf("%s was not read", good)
	}
	for name, cursor := range map[string]string{
		"nothing":         "",
		"no JSON":         good[:len(good)-1],
		"another version": strings.Replace(good, `"v":1`, `"v":2`, 1),
		"another account": strings.Replace(good, testDID, "did:plc:44ybard66vv44zksje25o7dz", 1),
		"no hashes":       strings.Replace(good, `{"floor":"3l"}`, `{"seen":"AA"}`, 1),
		"no base64":       strings.Replace(good, `{"floor":"3l"}`, `{"seen":"="}`, 1),
		"a long floor":    strings.Replace(good, `"3l"`, `"`+strings.Repeat("3", maxKey+1)+`"`, 1),
		"a rest of none":  strings.Replace(good, `{"floor":"3l"}`, `{"rest":{"next":""}}`, 1),
		"too much":        good + strings.Repeat(" ", maxPlace),
	} {
		if read := readPlace(cursor, testDID); read != (place{Version: placeVersion, DID: testDID}) {
			t.Errorf("%s: %+v", name, read)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", "[]", `{"v":1,"did":"` + testDID + `"}`, `{"v":1,"did":"` + testDID + `","posts":{"floor":"3l","seen":"AAAAAAAAAAA"}}`,
		`{"v":1,"did":"` + testDID + `","notifications":{"rest":{"floor":"2026","next":"1::2"}}}`, strings.Repeat("[", 9000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		read := readPlace(cursor, testDID)
		if read.Version != placeVersion || read.DID != testDID || !read.Posts.valid() || !read.Notifications.valid() {
			t.Fatalf("%+v", read)
		}
		written, err := read.cursor()
		if err != nil {
			t.Fatal(err)
		}
		again, err := readPlace(written, testDID).cursor()
		if err != nil || again != written && len(written) <= maxPlace {
			t.Fatalf("%q became %q: %v", written, again, err)
		}
		l := &list{size: 50}
		l.add(at(1))
		for _, from := range []*trail{read.Posts, read.Notifications} {
			if _, after, err := advance(from, l.read); err != nil || !after.valid() {
				t.Fatalf("%+v, %v", after, err)
			}
		}
	})
}

// FuzzNotifications feeds the decoders of both lists.
func FuzzNotifications(f *testing.F) {
	const record = `{"$type":"app.bsky.feed.post","text":"hi","createdAt":"2026-11-21T12:00:00Z","reply":{"root":{"uri":"at://` + testDID + `/app.bsky.feed.post/3a"},"parent":{"uri":"x"}}}`
	for _, seed := range []string{
		`{"notifications":[{"uri":"at://` + testDID + `/app.bsky.feed.post/3l","reason":"mention","indexedAt":"2026-11-21T12:00:00.000Z","author":{"did":"d","handle":"a.test"},"record":` + record + `}],"cursor":"1"}`,
		`{"notifications":[{"uri":"at://x","reason":"reply","indexedAt":"yesterday"}]}`, `{"notifications":[{"uri":"at://did:web:Evil.example.com/app.bsky.feed.post/3a","reason":"reply","indexedAt":"0000-01-01T00:00:00+01:00"}]}`, `{"notifications":[{"reason":"like"}]}`, `{"notifications":[null]}`,
		`{"records":[{"uri":"at://` + testDID + `/app.bsky.feed.post/3jzfcijpj2z2a","cid":"b","value":` + record + `}],"cursor":"3jzfcijpj2z2a"}`,
		`{"records":[{"uri":"at://` + testDID + `/app.bsky.feed.like/3l","value":{"text":7,"reply":[]}}]}`, `{"records":null}`, `{}`, `[]`, ``, `<html>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var told notificationsAnswer
		if err := httpx.DecodeJSON(answer(200, body), &told); err == nil {
			checkLeaf(t, func() (leaf, error) { return told.leaf(testDID) })
		}
		var records recordsAnswer
		if err := httpx.DecodeJSON(answer(200, body), &records); err == nil {
			checkLeaf(t, func() (leaf, error) { return records.leaf(testDID) })
		}
	})
}

func checkLeaf(t *testing.T, read func() (leaf, error)) {
	t.Helper()
	page, err := read()
	if err != nil && (len(page.entries) > 0 || page.next != "") {
		t.Fatalf("a refused list gives %+v and %v", page, err)
	}
	for _, e := range page.entries {
		happened := e.event
		if e.key == "" || len(e.key) > maxKey || happened.ID == "" || happened.AccountID != testDID || happened.Bounded() != happened {
			t.Fatalf("%+v", e)
		}
		if happened.URL != "" && !strings.HasPrefix(happened.URL, "https://bsky.app/profile/did:") {
			t.Fatalf("%q", happened.URL)
		}
		for _, uri := range []string{happened.PostID, happened.ThreadID, happened.InReplyTo} {
			if _, ok := readURI(uri); uri != "" && !ok {
				t.Fatalf("%q", uri)
			}
		}
	}
}

func TestReadPost(t *testing.T) {
	root, parent := "at://"+testDID+"/app.bsky.feed.post/3a", "at://"+testDID+"/app.bsky.feed.post/3b"
	for record, want := range map[string]post{
		`{"text":"hi","createdAt":"2026-11-21T12:00:00Z"}`:                                        {text: "hi", createdAt: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)},
		`{"text":"hi","reply":{"root":{"uri":"` + root + `"},"parent":{"uri":"` + parent + `"}}}`: {text: "hi", root: root, parent: parent},
		`{"text":["hi"],"createdAt":7,"reply":"no"}`:                                              {},
		`{"reply":{"root":"no","parent":{"uri":"https://elsewhere.example/"}}}`:                   {},
		`{"reply":{"parent":{"uri":"at://` + testDID + `/x/` + strings.Repeat("a", 511) + `"}}}`:  {},
		`null`:        {},
		`{"text":"hi`: {},
		``:            {},
	} {
		if got := readPost(json.RawMessage(record)); got != want {
			t.Errorf("%s: %+v", record, got)
		}
	}
}

func TestTIDTime(t *testing.T) {
	// The example of https://atproto.com/specs/tid.
	if got, ok := tidTime("3jzfcijpj2z2a"); !ok || got.Year() != 2023 {
		t.Errorf("%v %t", got, ok)
	}
	for _, key := range []string{"", "self", "3jzfcijpj2z21", "zzzzzzzzzzzzz", "3jzfcijpj2z2aa", "3JZFCIJPJ2Z2A"} {
		if got, ok := tidTime(key); ok {
			t.Errorf("%s: %v", key, got)
		}
	}
}

func TestEventIDKeepsWhatCannotBeCut(t *testing.T) {
	long := "at://" + testDID + "/app.bsky.feed.post/" + strings.Repeat("a", 500)
	one, other := eventID(long+"a"), eventID(long+"b")
	if one == other || len(one) > event.MaxName || eventID("at://x") != "at://x" {
		t.Errorf("%s %s", one, other)
	}
}
