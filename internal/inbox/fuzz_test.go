// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rostra-dev/rostra/internal/event"
)

// FuzzDecode feeds the decoder what others may have written to the stream. What
// it accepts must be bounded, and survive being stored again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","kind":"Mention","platform":"Mastodon","accountID":"7"}`,
		`{"id":"1","kind":"Other","platform":"X","channelUID":"u","actor":{"handle":"a"},"occurredAt":"2026-01-02T03:04:05Z"}`,
		`{"id":"1","kind":"Mention","platform":"a.>","accountID":"7"}`,
		`{"id":1}`, `{}`, `null`, `[[[[`, ``, "{\"id\":\"\xff\"}", strings.Repeat("[", 10_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decode(data)
		if err != nil {
			return
		}
		if len(e.ID) > event.MaxName || len(e.Text) > event.MaxText || len(e.URL) > event.MaxURL {
			t.Fatalf("unbounded: %d, %d, %d", len(e.ID), len(e.Text), len(e.URL))
		}
		m, err := encode(e)
		if err != nil {
			// Names that Bounded leaves alone may grow when JSON escapes them.
			if len(data) < maxEncoded/6 {
				t.Fatalf("cannot be stored again: %v", err)
			}
			return
		}
		again, err := decode(m.data)
		if err != nil || again != e {
			t.Fatalf("changed by being stored: %v", err)
		}
	})
}

// FuzzSubject tries to bring texts from outside into a subject.
func FuzzSubject(f *testing.F) {
	f.Add("Mastodon", "uid", "account", "id")
	f.Add("a.>", "*", ">", "\r\n")
	f.Add("x", "", "$JS.API.>", " ")
	form := regexp.MustCompile(`^rostra\.events\.[0-9]{2}\.[a-z0-9-]+\.[0-9a-f]{32}\.Mention$`)
	id := regexp.MustCompile(`^[A-Za-z0-9_-]{32}$`)
	f.Fuzz(func(t *testing.T, platform, uid, account, eventID string) {
		m, err := encode(event.Event{ID: eventID, Kind: event.Mention, Platform: platform, ChannelUID: uid, AccountID: account})
		if err != nil {
			return
		}
		if !form.MatchString(m.subject) || !server.IsValidPublishSubject(m.subject) || !id.MatchString(m.id) {
			t.Fatalf("subject %q, id %q", m.subject, m.id)
		}
		if !utf8.Valid(m.data) {
			t.Fatal("not UTF-8")
		}
	})
}
