// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package event holds the one form into which every platform's events are
// brought: what happened on an account, who did it, and where to look.
package event

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Kind says what happened. The set is bounded: it is also a metric label.
type Kind string

const (
	// Mention: somebody named the account in a post.
	Mention Kind = "Mention"
	// Reply: somebody answered or commented on a post of the account.
	Reply Kind = "Reply"
	// DirectMessage: somebody wrote to the account in private.
	DirectMessage Kind = "DirectMessage"
	// OwnPost: the account itself posted.
	OwnPost Kind = "OwnPost"

	// AuthorizationLost: the account, or the platform, took Rostra's permission
	// away.
	AuthorizationLost Kind = "AuthorizationLost"
	// HandleChanged: the account is called otherwise now.
	HandleChanged Kind = "HandleChanged"
	// TokenExpiring: the platform says that the credential ends soon.
	TokenExpiring Kind = "TokenExpiring"

	// Other: something that Rostra has no name for. It is kept, with the
	// platform's own name for it in Event.Type.
	Other Kind = "Other"
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{Mention, Reply, DirectMessage, OwnPost, AuthorizationLost, HandleChanged, TokenExpiring, Other}
}

// ConcernsOwnership tells whether an event of this kind may change whether the
// account is in order, so that its channel is to be looked at now.
func (k Kind) ConcernsOwnership() bool {
	return k == AuthorizationLost || k == HandleChanged || k == TokenExpiring
}

// Bounds of what is kept of a stranger's text, in bytes.
const (
	// MaxText bounds Event.Text.
	MaxText = 16 << 10
	// MaxName bounds names, handles, identifiers and types.
	MaxName = 512
	// MaxURL bounds Event.URL.
	MaxURL = 2 << 10
)

// Actor is who did it, as far as the platform tells.
type Actor struct {
	// ID is the platform's lasting identifier of the actor's account.
	ID string `json:"id,omitempty"`
	// Handle and DisplayName at the time.
	Handle      string `json:"handle,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// Event is one thing that happened on one account. It holds no credential.
type Event struct {
	// ID is the platform's own identifier of the event, unique within the
	// account: the same event delivered twice has the same.
	ID string `json:"id"`
	// Kind of the event.
	Kind Kind `json:"kind"`
	// Type is the platform's own name for the kind, for example
	// "post.mention.create".
	Type string `json:"type,omitempty"`
	// Platform is the platform's type, for example "Mastodon".
	Platform string `json:"platform"`
	// AccountID of the account it happened on. Empty where the platform does
	// not repeat it in a delivery to the account's own callback.
	AccountID string `json:"accountID,omitempty"`
	// Channel that held the account when the event was received, as
	// namespace/name, and ChannelUID its UID.
	Channel    string `json:"channel,omitempty"`
	ChannelUID string `json:"channelUID,omitempty"`
	// Actor who did it.
	Actor Actor `json:"actor,omitzero"`
	// Text of the post or message; may be cut.
	Text string `json:"text,omitempty"`
	// PostID is the platform's identifier of the post or message.
	PostID string `json:"postID,omitempty"`
	// ThreadID is the identifier of the first post of the thread, or of the
	// conversation; empty where the platform does not tell.
	ThreadID string `json:"threadID,omitempty"`
	// InReplyTo is the identifier of the post that this one answers.
	InReplyTo string `json:"inReplyTo,omitempty"`
	// URL at which a person sees it; https alone.
	URL string `json:"url,omitempty"`
	// OccurredAt by the platform's clock; zero where it does not tell.
	OccurredAt time.Time `json:"occurredAt,omitzero"`
	// ReceivedAt by Rostra's clock.
	ReceivedAt time.Time `json:"receivedAt,omitzero"`
}

// Bounded gives the event with every text cut to its bound, without characters
// that would disturb a terminal or a log, without a URL that is not https, and
// with no time that cannot be written as JSON.
func (e Event) Bounded() Event {
	for _, name := range []*string{
		&e.ID, &e.Type, &e.AccountID, &e.Actor.ID, &e.Actor.Handle, &e.Actor.DisplayName, &e.PostID, &e.ThreadID, &e.InReplyTo,
	} {
		*name = clean(*name, MaxName, false)
	}
	e.Text = clean(e.Text, MaxText, true)
	if len(e.URL) > MaxURL || !strings.HasPrefix(e.URL, "https://") || clean(e.URL, MaxURL, false) != e.URL {
		e.URL = ""
	}
	e.OccurredAt, e.ReceivedAt = writable(e.OccurredAt), writable(e.ReceivedAt)
	return e
}

// Completed gives the event bounded, and with what every event that is stored
// has: a kind that there is, and an ID. Where the platform gave no ID, it stands
// for the content that the event came in and its place there, so that the same
// content again gives the same. Where the ID had to be cut, it stands for the
// whole of it: two that are alike where they are cut are still two.
func (e Event) Completed(content []byte, place int) Event {
	if !e.Kind.known() {
		e.Kind = Other
	}
	if e.ID == "" {
		e.ID = digest(content, place)
	}
	bounded := e.Bounded()
	if bounded.ID != e.ID {
		bounded.ID = digest([]byte(e.ID), 0)
	}
	return bounded
}

// known tells whether the kind is one of Kinds.
func (k Kind) known() bool {
	switch k {
	case Mention, Reply, DirectMessage, OwnPost, AuthorizationLost, HandleChanged, TokenExpiring, Other:
		return true
	}
	return false
}

// digest stands for what cannot be an event's ID itself.
func digest(content []byte, place int) string {
	sum := sha256.Sum256(content)
	return "sha256-" + hex.EncodeToString(sum[:]) + "-" + strconv.Itoa(place)
}

// writable gives a time that RFC 3339, and so JSON, has a form for: zero in
// place of one outside the years 1 to 9999, and UTC in place of an offset of a
// day or more.
func writable(at time.Time) time.Time {
	const firstYear, lastYear, day = 1, 9999, 24 * 60 * 60
	if _, offset := at.Zone(); offset <= -day || offset >= day {
		at = at.UTC()
	}
	for _, year := range []int{at.Year(), at.UTC().Year()} {
		if year < firstYear || year > lastYear {
			return time.Time{}
		}
	}
	return at
}

// clean drops what cannot be shown, and cuts a text at a whole character.
func clean(text string, limit int, lines bool) string {
	if len(text) <= limit && isClean(text, lines) {
		return text
	}
	kept := make([]rune, 0, min(len(text), limit))
	size := 0
	for _, r := range text {
		if !shown(r, lines) {
			continue
		}
		if size += utf8.RuneLen(r); size > limit {
			break
		}
		kept = append(kept, r)
	}
	return string(kept)
}

// isClean tells, without a copy, whether a text can be shown as it is.
func isClean(text string, lines bool) bool {
	for _, r := range text {
		if !shown(r, lines) {
			return false
		}
	}
	return true
}

func shown(r rune, lines bool) bool {
	if r >= ' ' && r <= '~' {
		return true
	}
	return r != utf8.RuneError && unicode.IsGraphic(r) || lines && (r == '\n' || r == '\t')
}
