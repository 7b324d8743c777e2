// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	methodListNotifications = "app.bsky.notification.listNotifications"
	methodListRecords       = "com.atproto.repo.listRecords"

	// keyTime gives times a form whose order is theirs, and keyNone comes before
	// them all.
	keyTime = "2006-01-02T15:04:05.000000000Z"
	keyNone = "0"
)

// Reasons of notifications, as Bluesky calls them.
const (
	reasonMention = "mention"
	reasonReply   = "reply"
	reasonQuote   = "quote"
)

const wordsNoPosts = "the server shows the account's posts to nobody without a credential, and Rostra reads them without one: let it answer " + methodListRecords + ", or leave OwnPost out of the subscription"

var _ platform.Poller = (*adapter)(nil)

// Polls are mentions and replies, which an AppView tells, and the account's own
// posts, which any Personal Data Server tells. Direct messages are kept by
// another service. A change of handle is seen by Verify.
func (a *adapter) Polls() []event.Kind {
	return []event.Kind{event.Mention, event.Reply, event.OwnPost}
}

// Poll asks for notifications with app.bsky.notification.listNotifications,
// which the account's server passes on to its AppView, and for the account's own
// posts with com.atproto.repo.listRecords. Events are in order of their time
// within one page.
func (a *adapter) Poll(ctx context.Context, account platform.Account, cursor string, kinds []event.Kind) (platform.Page, error) {
	var page platform.Page
	err := a.withSession(ctx, account, func(current session) error {
		if checkDID(current.did) != nil {
			return strange("the session does not say whose it is")
		}
		round := poll{adapter: a, account: account, session: current, kinds: kinds}
		var err error
		page, err = round.run(ctx, readPlace(cursor, current.did))
		return err
	})
	if err != nil {
		return platform.Page{}, err
	}
	return page, nil
}

// poll is one question for an account's events.
type poll struct {
	adapter *adapter
	account platform.Account
	session session
	kinds   []event.Kind
}

func (p poll) run(ctx context.Context, from place) (platform.Page, error) {
	var entries []entry
	for _, list := range []struct {
		wanted bool
		trail  **trail
		read   partReader
	}{
		{p.wants(event.Mention) || p.wants(event.Reply), &from.Notifications, func(asked part) (leaf, error) { return p.notifications(ctx, asked) }},
		{p.wants(event.OwnPost), &from.Posts, func(asked part) (leaf, error) { return p.posts(ctx, asked) }},
	} {
		if !list.wanted {
			continue
		}
		found, after, err := advance(*list.trail, inParts(list.read))
		if err != nil {
			return platform.Page{}, err
		}
		slices.Reverse(found)
		entries, *list.trail = append(entries, found...), after
	}
	cursor, err := from.cursor()
	return platform.Page{Events: p.events(entries), Cursor: cursor, More: from.more()}, err
}

// advance reads on, or begins where there is no trail.
func advance(from *trail, read reader) ([]entry, *trail, error) {
	if from == nil {
		after, err := begin(read)
		return nil, after, err
	}
	return from.follow(read)
}

func (p poll) wants(kind event.Kind) bool { return slices.Contains(p.kinds, kind) }

// events gives those that were asked for, oldest first, and last those whose
// time is not known.
func (p poll) events(entries []entry) []event.Event {
	var events []event.Event
	for _, found := range entries {
		if p.wants(found.event.Kind) {
			events = append(events, found.event)
		}
	}
	slices.SortStableFunc(events, func(a, b event.Event) int {
		if a.OccurredAt.IsZero() != b.OccurredAt.IsZero() {
			return b.OccurredAt.Compare(a.OccurredAt)
		}
		return a.OccurredAt.Compare(b.OccurredAt)
	})
	return events
}

// notificationsAnswer is the answer of app.bsky.notification.listNotifications.
type notificationsAnswer struct {
	Notifications []notification `json:"notifications"`
	Cursor        string         `json:"cursor"`
}

type notification struct {
	URI    string `json:"uri"`
	Author struct {
		DID         string `json:"did"`
		Handle      string `json:"handle"`
		DisplayName string `json:"displayName"`
	} `json:"author"`
	Reason    string          `json:"reason"`
	Record    json.RawMessage `json:"record"`
	IndexedAt string          `json:"indexedAt"`
}

// notifications reads one page. The list is newest first, by a time that a post
// says of itself where that is earlier than its arrival.
func (p poll) notifications(ctx context.Context, asked part) (leaf, error) {
	var answer notificationsAnswer
	request := call{
		account: limiterKey(p.account), method: methodListNotifications, token: p.session.access,
		query: url.Values{"reasons": {reasonMention, reasonReply, reasonQuote}},
	}
	if err := p.adapter.ask(ctx, asked.of(request), &answer); err != nil {
		return leaf{}, err
	}
	return answer.leaf(p.session.did)
}

// leaf reads a page. Strangers have a hand in all of it: what cannot be read of
// a notification is left out of its event. One without a time has the place of
// the one before it.
func (n notificationsAnswer) leaf(account string) (leaf, error) {
	if n.Notifications == nil || len(n.Cursor) > maxNext {
		return leaf{}, strange("it holds no list of notifications")
	}
	read, key := leaf{next: n.Cursor}, keyNone
	for _, told := range n.Notifications {
		kind, ok := kindOf(told.Reason)
		if !ok {
			continue // an AppView that cannot choose by reason tells likes, too
		}
		if !strings.HasPrefix(told.URI, schemeAT) {
			return leaf{}, strange("it holds a notification of no record")
		}
		happened := event.Event{
			ID: eventID(told.URI + "#" + told.Reason), Kind: kind, Type: told.Reason, AccountID: account, OccurredAt: readTime(told.IndexedAt),
			Actor: event.Actor{ID: told.Author.DID, Handle: told.Author.Handle, DisplayName: told.Author.DisplayName},
		}
		readPost(told.Record).describe(&happened, told.URI)
		happened = happened.Bounded()
		if !happened.OccurredAt.IsZero() {
			key = happened.OccurredAt.Format(keyTime)
		}
		read.entries = append(read.entries, entry{key: key, event: happened})
	}
	return read, nil
}

// kindOf a notification; false for those that nobody asks for.
func kindOf(reason string) (event.Kind, bool) {
	switch reason {
	case reasonMention, reasonQuote:
		return event.Mention, true
	case reasonReply:
		return event.Reply, true
	}
	return "", false
}

// recordsAnswer is the answer of com.atproto.repo.listRecords.
type recordsAnswer struct {
	Records []struct {
		URI   string          `json:"uri"`
		Value json.RawMessage `json:"value"`
	} `json:"records"`
	Cursor string `json:"cursor"`
}

// posts reads one page of the account's own posts, which is public. The list is
// in descending order of their keys.
func (p poll) posts(ctx context.Context, asked part) (leaf, error) {
	var answer recordsAnswer
	request := call{
		account: limiterKey(p.account), method: methodListRecords,
		query: url.Values{"repo": {p.session.did}, "collection": {collectionPost}},
	}
	if err := p.adapter.ask(ctx, asked.of(request), &answer); err != nil {
		return leaf{}, withoutCredential(err, wordsNoPosts)
	}
	return answer.leaf(p.session.did)
}

func (r recordsAnswer) leaf(account string) (leaf, error) {
	if r.Records == nil || len(r.Cursor) > maxNext {
		return leaf{}, strange("it holds no list of posts")
	}
	read := leaf{next: r.Cursor}
	for _, record := range r.Records {
		written, ok := readURI(record.URI)
		if !ok || written.did != account || written.collection != collectionPost {
			return leaf{}, strange("it lists what is no post of the account")
		}
		content := readPost(record.Value)
		happened := event.Event{ID: eventID(record.URI), Kind: event.OwnPost, Type: collectionPost, AccountID: account, OccurredAt: content.createdAt}
		if at, ok := tidTime(written.key); ok {
			happened.OccurredAt = at
		}
		content.describe(&happened, record.URI)
		happened.Actor.ID = account
		read.entries = append(read.entries, entry{key: written.key[:min(len(written.key), maxKey)], event: happened.Bounded()})
	}
	return read, nil
}
