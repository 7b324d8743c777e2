// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// largestPage is the most that X gives at once, and leastPage the least that
	// it can be asked for.
	largestPage = 100
	leastPage   = 5
	// pageLimit bounds an answer, in bytes. One over it is asked for in smaller
	// parts; leastLimit has room for the least part of the longest posts that X
	// lets anybody write.
	pageLimit  = 8 << 20
	leastLimit = 16 << 20
	// reach is how many posts X keeps at hand of the mentions, and how many are
	// read of either timeline in one poll; mostRequests bounds what that takes.
	reach        = 800
	mostRequests = 40
	// settles is how long a post may take to show in a timeline beside newer
	// ones.
	settles = 10 * time.Second
	// mostSeen bounds how many posts are remembered one by one, for each
	// timeline.
	mostSeen = 60
	// longestCursor is more than a cursor has.
	longestCursor = 4096
)

// typeGap is the type of an event of Rostra's own: posts were lost.
const typeGap = "rostra.gap"

// timeline is one of the lists of posts that are polled.
type timeline struct {
	name  string // in the cursor, and the end of the path
	kinds []event.Kind
}

func timelines() []timeline {
	return []timeline{
		{name: "mentions", kinds: []event.Kind{event.Mention, event.Reply}},
		{name: "tweets", kinds: []event.Kind{event.OwnPost}},
	}
}

// Polls implements platform.Poller.
func (a *Adapter) Polls() []event.Kind {
	var kinds []event.Kind
	for _, t := range timelines() {
		kinds = append(kinds, t.kinds...)
	}
	return kinds
}

// mark is how far a timeline was read: up to one post, and beyond it those that
// were seen. It does not go past a post that X has only just shown, because an
// older one may yet come in before it.
type mark struct {
	through string // empty where there was no post
	seen    []string
}

// String writes the mark into a cursor.
func (m mark) String() string { return strings.Join(append([]string{m.through}, m.seen...), ",") }

func readMark(text string) (mark, bool) {
	parts := strings.Split(text, ",")
	m := mark{through: parts[0], seen: parts[1:]}
	isID := func(id string) bool { return accountID.MatchString(id) }
	if m.through != "" && !isID(m.through) || len(m.seen) > mostSeen || slices.ContainsFunc(m.seen, func(id string) bool { return !isID(id) }) {
		return mark{}, false
	}
	return m, true
}

// after is the mark once these posts were read as well.
func (m mark) after(posts []post, now time.Time) mark {
	next := mark{through: m.through}
	ids := slices.Clone(m.seen)
	for _, p := range posts {
		ids = append(ids, p.ID)
		if settled := now.Sub(p.at()) >= settles; settled && newer(p.ID, next.through) {
			next.through = p.ID
		}
	}
	slices.SortFunc(ids, compareIDs)
	next.seen = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return !newer(id, next.through) })
	if beyond := len(next.seen) - mostSeen; beyond > 0 {
		next.through, next.seen = next.seen[beyond-1], next.seen[beyond:]
	}
	return next
}

// begin is the mark of a timeline that begins after these posts.
func begin(posts []post, now time.Time) mark {
	first := mark{}.after(posts, now)
	if first.through == "" && len(first.seen) > 0 {
		first.through, first.seen = first.seen[0], first.seen[1:]
	}
	return first
}

// cursor holds the mark of each timeline, by its name. A timeline that is not in
// it begins now.
type cursor map[string]mark

// readCursor reads a cursor of Rostra's own. One that is damaged is empty: to
// begin anew loses less than to stand still.
func readCursor(text string) cursor {
	kept := cursor{}
	var read map[string]string
	if len(text) > longestCursor || json.Unmarshal([]byte(text), &read) != nil {
		return kept
	}
	for _, t := range timelines() {
		written, there := read[t.name]
		if m, ok := readMark(written); there && ok {
			kept[t.name] = m
		}
	}
	return kept
}

func (c cursor) String() string {
	written := map[string]string{}
	for name, m := range c {
		written[name] = m.String()
	}
	text, err := json.Marshal(written)
	if err != nil {
		return ""
	}
	return string(text)
}

// post is a post of API v2.
type post struct {
	ID             string `json:"id"`
	Text           string `json:"text"`
	AuthorID       string `json:"author_id"`
	ConversationID string `json:"conversation_id"`
	CreatedAt      string `json:"created_at"`
	ReplyUser      string `json:"in_reply_to_user_id"`
	Referenced     []struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"referenced_tweets"`
	Note struct {
		Text string `json:"text"`
	} `json:"note_tweet"`
}

// at is when the post was made; the zero time where X does not tell.
func (p post) at() time.Time { return parseTime(time.RFC3339, p.CreatedAt) }

// Poll asks for mentions, replies and own posts. All that X has since the
// cursor comes in one page, because X gives the newest first. Where that is more
// than can be read, an event of the type rostra.gap says so, whatever was asked
// for.
func (a *Adapter) Poll(ctx context.Context, account platform.Account, from string, events []event.Kind) (platform.Page, error) {
	position := readCursor(from)
	var found []event.Event
	failure := a.withAccess(ctx, account, func(s session) *platform.Failure {
		id, failure := a.idOf(ctx, account, s.access)
		if failure != nil {
			return failure
		}
		found, position = nil, readCursor(from)
		for _, t := range timelines() {
			if !slices.ContainsFunc(t.kinds, func(kind event.Kind) bool { return slices.Contains(events, kind) }) {
				continue
			}
			from, begun := position[t.name]
			walk := a.walk(account, s.access, id, t, from, begun)
			if failure := walk.read(ctx); failure != nil {
				return failure
			}
			found, position[t.name] = append(found, walk.found...), walk.mark()
		}
		return nil
	})
	if failure != nil {
		return platform.Page{}, failure
	}
	return platform.Page{Events: inOrder(found, events), Cursor: position.String()}, nil
}

// inOrder gives the events of the kinds, each once, oldest first.
func inOrder(found []event.Event, kinds []event.Kind) []event.Event {
	found = slices.DeleteFunc(found, func(e event.Event) bool { return e.Type != typeGap && !slices.Contains(kinds, e.Kind) })
	slices.SortStableFunc(found, func(one, other event.Event) int {
		return compareIDs(one.PostID, other.PostID)
	})
	return slices.CompactFunc(found, func(one, other event.Event) bool { return one.ID == other.ID })
}

// idOf gives the account's ID, which X is asked for where it is not known yet.
func (a *Adapter) idOf(ctx context.Context, account platform.Account, token credentials.Value) (string, *platform.Failure) {
	if account.ID != "" {
		return account.ID, nil
	}
	identity, failure := a.whoami(ctx, limiterKey(account), token)
	return identity.AccountID, failure
}

func (p post) event(account string, author user) event.Event {
	e := event.Event{
		ID: postEventID(p.ID), Kind: kindOfPost(account, p.AuthorID, p.ReplyUser), Type: "post",
		Platform: platformName, AccountID: account,
		Actor: event.Actor{ID: p.AuthorID, Handle: author.Username, DisplayName: platform.OneLine(author.Name)},
		Text:  cmp.Or(p.Note.Text, p.Text), PostID: p.ID, ThreadID: p.ConversationID,
		URL: link(author.Username, p.ID), OccurredAt: p.at(),
	}
	for _, other := range p.Referenced {
		if other.Type == "replied_to" {
			e.InReplyTo = other.ID
		}
	}
	return e.Bounded()
}
