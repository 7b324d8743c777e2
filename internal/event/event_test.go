// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"strings"
	"testing"
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
	f.Add("id", "text\n", "https://social.example/")
	f.Add("\xff", "\x1b", "x")
	f.Fuzz(func(t *testing.T, id, text, address string) {
		once := event.Event{ID: id, Text: text, URL: address}.Bounded()
		if len(once.ID) > event.MaxName || len(once.Text) > event.MaxText || len(once.URL) > event.MaxURL {
			t.Fatal("it is not bounded")
		}
		if once.Bounded() != once {
			t.Fatal("a second time it is another")
		}
	})
}
