// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

// visibilityDirect is that of a status that only those named in it see.
const visibilityDirect = "direct"

// ownPostPrefix keeps the identifiers of own posts apart from those of
// notifications.
const ownPostPrefix = "status:"

// notification is the part of the API's Notification that matters here
// (https://docs.joinmastodon.org/entities/Notification/).
type notification struct {
	ID        identifier        `json:"id"`
	Type      string            `json:"type"`
	CreatedAt moment            `json:"created_at"`
	Account   credentialAccount `json:"account"`
	Status    status            `json:"status"`
}

func (n notification) identified() identifier { return n.ID }
func (n notification) created() time.Time     { return n.CreatedAt.Time }

// event reads a notification of the account. It has the same ID as the push of
// the same notification.
func (n notification) event(account string) event.Event {
	found := n.Status.event(account, n.Account)
	found.ID, found.Kind, found.Type = string(n.ID), n.kind(account), n.Type
	found.OccurredAt = n.CreatedAt.Time
	return found
}

func (n notification) kind(account string) event.Kind {
	switch {
	case n.Type != typeMention:
		return event.Other
	case n.Status.Visibility == visibilityDirect:
		return event.DirectMessage
	case account != "" && n.Status.InReplyToAccount == identifier(account):
		return event.Reply
	}
	return event.Mention
}

// status is the part of the API's Status that matters here
// (https://docs.joinmastodon.org/entities/Status/).
type status struct {
	ID               identifier        `json:"id"`
	CreatedAt        moment            `json:"created_at"`
	Account          credentialAccount `json:"account"`
	Visibility       string            `json:"visibility"`
	Spoiler          string            `json:"spoiler_text"`
	Content          string            `json:"content"` // HTML
	URL              string            `json:"url"`
	InReplyTo        identifier        `json:"in_reply_to_id"`
	InReplyToAccount identifier        `json:"in_reply_to_account_id"`
}

func (s status) identified() identifier { return s.ID }
func (s status) created() time.Time     { return s.CreatedAt.Time }

// ownPost is the event of the account's posting the status.
func (s status) ownPost(account string) event.Event {
	found := s.event(account, s.Account)
	found.ID, found.Kind, found.Type = ownPostPrefix+string(s.ID), event.OwnPost, "status"
	return found
}

// event is what a status and whoever did something with it tell.
func (s status) event(account string, by credentialAccount) event.Event {
	return event.Event{
		AccountID:  account,
		Actor:      event.Actor{ID: by.ID, Handle: by.Acct, DisplayName: platform.OneLine(by.DisplayName)},
		Text:       s.text(),
		PostID:     string(s.ID),
		InReplyTo:  string(s.InReplyTo),
		URL:        secureURL(s.URL),
		OccurredAt: s.CreatedAt.Time,
	}
}

// text is the status as a person would read it, below its warning.
func (s status) text() string {
	return strings.TrimSpace(strings.TrimSpace(s.Spoiler) + "\n\n" + plain(s.Content))
}

// secureURL gives the URL where it is one of https.
func secureURL(raw string) string {
	parsed, err := url.Parse(raw)
	if err != nil || parsed.Scheme != "https" || parsed.Host == "" || parsed.User != nil {
		return ""
	}
	return raw
}

// plain makes text of HTML: a line break for each that is there, an empty line
// between paragraphs, and nothing of scripts and styles. Text is read until
// there is more than an event keeps.
func plain(content string) string {
	var text strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(content))
	hidden := 0
	for text.Len() <= event.MaxText {
		switch tokens.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(text.String())
		case html.TextToken:
			if hidden == 0 {
				text.Write(tokens.Text())
			}
		case html.StartTagToken:
			name, _ := tokens.TagName()
			hidden += unread(name)
			text.WriteString(opening(name))
		case html.SelfClosingTagToken:
			name, _ := tokens.TagName()
			text.WriteString(opening(name))
		case html.EndTagToken:
			name, _ := tokens.TagName()
			hidden = max(0, hidden-unread(name))
			text.WriteString(closing(name))
		case html.CommentToken, html.DoctypeToken:
		}
	}
	return strings.TrimSpace(text.String())
}

// unread is 1 for an element whose text is not for people.
func unread(name []byte) int {
	switch atom.Lookup(name) {
	case atom.Script, atom.Style:
		return 1
	}
	return 0
}

// opening is what the beginning of an element is in plain text.
func opening(name []byte) string {
	switch atom.Lookup(name) {
	case atom.Br:
		return "\n"
	case atom.Li:
		return "\n- "
	}
	return ""
}

// closing is what the end of an element is in plain text.
func closing(name []byte) string {
	switch atom.Lookup(name) {
	case atom.P, atom.Blockquote, atom.Pre, atom.Ul, atom.Ol, atom.H1, atom.H2, atom.H3, atom.H4:
		return "\n\n"
	}
	return ""
}

// moment is a time as the API writes it. One that cannot be read is zero: an
// event is not lost over it.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(data []byte) error {
	if read, err := time.Parse(time.RFC3339, strings.Trim(string(data), `"`)); err == nil {
		m.Time = read.UTC()
	}
	return nil
}
