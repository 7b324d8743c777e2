// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rostra-dev/rostra/internal/event"
)

// header tells whether a text can be a webhook-id.
func header(text string) bool {
	return text != "" && len(text) <= maxIdentity && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

func identityOf(uid, id string) string {
	return (&Content{Event: event.Event{ChannelUID: uid, ID: id}}).identity()
}

// FuzzIdentity looks for two events of a channel that have the same identity,
// and for one that cannot be a header.
func FuzzIdentity(f *testing.F) {
	for _, seed := range [][2]string{
		{"1", "2"},
		{"a b", "a%20b"},
		{"%", "%25"},
		{"", "\x00"},
		{"ü", "\xfc"},
		{"at://did:plc:x/app.bsky.feed.post/3k", "a/b"},
		{strings.Repeat("x", 600), strings.Repeat("x", 601)},
		{"%sha256-00", "sha256-00"},
		{strings.Repeat("é", 200), "é"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		a, b := identityOf("uid-1", one), identityOf("uid-1", other)
		if (a == b) != (one == other) {
			t.Errorf("events %q and %q are %q and %q", one, other, a, b)
		}
		if !header(a) || !header(b) || !header(identityOf(one, other)) {
			t.Errorf("events %q and %q are no headers", one, other)
		}
	})
}

// FuzzOpen reads what may be in the outbox. Whatever is sent of it has to be
// what a sender takes: else it would be tried for ever.
func FuzzOpen(f *testing.F) {
	good, err := json.Marshal(Content{
		Event: event.Event{ID: "1", Kind: event.Mention, ChannelUID: "uid-1"}, Channel: Channel{Namespace: "social", Name: "acme-help"},
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(good), "", "null", "{}", "[]", `{"event":{"id":"1"},"channel":{"name":" ü/.."}}`, strings.Repeat("[", 20_000),
		`{"event":{"id":"1","occurredAt":"9999-12-31T23:59:59-23:59"},"channel":{"name":"x"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := open(Letter{ID: "x", Data: data})
		if err != nil {
			return
		}
		if _, err := json.Marshal(e.Data); err != nil || !header(e.ID) || e.Source == "" || e.Type == "" {
			t.Errorf("%q is sent as %+v (%v)", data, e, err)
		}
	})
}
