// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rostra-dev/rostra/internal/event"
)

func TestBoundedKeepsWhatIsInOrder(t *testing.T) {
	in := event.Event{
		ID: "7", Kind: event.Mention, Type: "mention", Text: "where is\n\tmy suitcase? 🧳 größer", PostID: "9", URL: "https://social.example/@a/9",
		Actor: event.Actor{ID: "1", Handle: "pia@elsewhere.example", DisplayName: "Pia 💃"},
	}
	if out := in.Bounded(); out != in {
		t.Errorf("it became %+v", out)
	}
}

func TestBoundedDropsWhatDisturbs(t *testing.T) {
	for name, text := range map[string]string{
		"control characters": "a\x1b[31mb", "a direction override": "a\u202eb", "a zero-width joiner alone": "a\u200db", "bytes that are no text": "a\xffb", "a line break in a name": "a\nb",
	} {
		if got := (event.Event{Actor: event.Actor{DisplayName: text}}).Bounded().Actor.DisplayName; strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) || r == utf8.RuneError }) || !strings.HasPrefix(got, "a") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestBoundedCutsAtAWholeCharacter(t *testing.T) {
	out := event.Event{ID: strings.Repeat("ä", event.MaxName), Text: strings.Repeat("🧳", event.MaxText)}.Bounded()
	if len(out.ID) > event.MaxName || len(out.Text) > event.MaxText || !utf8.ValidString(out.ID) || !utf8.ValidString(out.Text) {
		t.Errorf("%d bytes of ID, %d of text", len(out.ID), len(out.Text))
	}
	if len(out.ID) < event.MaxName-1 || len(out.Text) < event.MaxText-3 {
		t.Error("more was cut than had to be")
	}
}

func TestBoundedLeadsNowhereElse(t *testing.T) {
	for _, address := range []string{"http://social.example/", "javascript:alert(1)", "//social.example", "https://a\n.example", "https://" + strings.Repeat("a", event.MaxURL)} {
		if got := (event.Event{URL: address}).Bounded().URL; got != "" {
			t.Errorf("%.30q stays", got)
		}
	}
}

func TestBoundedHasTimesThatCanBeWritten(t *testing.T) {
	east := time.FixedZone("", 60*60)
	for at, want := range map[time.Time]time.Time{
		time.Date(2026, 11, 22, 12, 0, 0, 0, east):                          time.Date(2026, 11, 22, 12, 0, 0, 0, east),
		time.Date(0, 1, 1, 0, 0, 0, 0, east):                                {},
		time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC):                       {},
		time.Date(1, 1, 1, 0, 30, 0, 0, east):                               {}, // in UTC it is still year 0
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC):                    time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -60*60)):  {},
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC):                        {},
		time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("", 25*60*60)):  time.Date(2026, 11, 21, 11, 0, 0, 0, time.UTC),
		time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("", -24*60*60)): time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	} {
		out := event.Event{OccurredAt: at, ReceivedAt: at}.Bounded()
		if !out.OccurredAt.Equal(want) || !out.ReceivedAt.Equal(want) {
			t.Errorf("%v became %v and %v", at, out.OccurredAt, out.ReceivedAt)
		}
		if _, err := json.Marshal(out); err != nil {
			t.Errorf("%v: %v", at, err)
		}
	}
}

func TestWhatIsStoredIsComplete(t *testing.T) {
	for _, kind := range event.Kinds() {
		if out := (event.Event{ID: "1", Kind: kind}).Completed(nil, 0); out.ID != "1" || out.Kind != kind {
			t.Errorf("%s became %v", kind, out)
		}
	}
	if out := (event.Event{ID: "1", Kind: "Dance"}).Completed(nil, 0); out.Kind != event.Other {
		t.Errorf("the kind is %s", out.Kind)
	}
	long := strings.Repeat("x", event.MaxName)
	ids := map[string]bool{}
	for _, id := range []string{
		event.Event{}.Completed([]byte("a"), 0).ID, event.Event{}.Completed([]byte("a"), 1).ID, event.Event{}.Completed([]byte("b"), 0).ID,
		event.Event{ID: long}.Completed(nil, 0).ID, event.Event{ID: long + "1"}.Completed(nil, 0).ID, event.Event{ID: long + "2"}.Completed(nil, 0).ID,
		event.Event{ID: "\x1b"}.Completed(nil, 0).ID,
	} {
		if id == "" || len(id) > event.MaxName || ids[id] {
			t.Errorf("%q is no ID of its own", id)
		}
		ids[id] = true
	}
}

func TestWhatConcernsOwnership(t *testing.T) {
	var concerning []event.Kind
	for _, kind := range event.Kinds() {
		if kind.ConcernsOwnership() {
			concerning = append(concerning, kind)
		}
	}
	if len(concerning) != 3 {
		t.Errorf("they are %v", concerning)
	}
}

func FuzzBounded(f *testing.F) {
	f.Add("id", "text\n", "https://social.example/", int64(0), 0)
	f.Add("\xff", "\x1b", "x", int64(-62167222800), 60*60)
	f.Fuzz(func(t *testing.T, id, text, address string, seconds int64, offset int) {
		at := time.Unix(seconds, 0).In(time.FixedZone("", offset))
		once := event.Event{ID: id, Text: text, URL: address, OccurredAt: at, ReceivedAt: at}.Bounded()
		if _, err := json.Marshal(once); err != nil {
			t.Fatal(err)
		}
		if len(once.ID) > event.MaxName || len(once.Text) > event.MaxText || len(once.URL) > event.MaxURL {
			t.Fatal("it is not bounded")
		}
		if once.Bounded() != once {
			t.Fatal("a second time it is another")
		}
	})
}
