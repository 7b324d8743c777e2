// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// walk goes through one timeline, from the newest post back to where it was left.
type walk struct {
	adapter *Adapter
	account string // its ID
	line    timeline
	from    mark
	begun   bool
	call    call
	size    int // of the next part
	started time.Time

	posts []post // all that were read, without their texts
	found []event.Event
}

func (a *Adapter) walk(account platform.Account, token credentials.Value, id string, t timeline, from mark, begun bool) *walk {
	w := &walk{adapter: a, account: id, line: t, from: from, begun: begun, size: largestPage, started: a.clock.Now()}
	if !begun {
		w.size = leastPage
	}
	w.call = call{
		by: byUser, account: limiterKey(account), path: "/2/users/" + url.PathEscape(id) + "/" + t.name, token: token,
		// No referenced posts: X bills each that it sends along.
		query: url.Values{
			"tweet.fields": {"author_id,conversation_id,created_at,in_reply_to_user_id,note_tweet,referenced_tweets"},
			"expansions":   {"author_id"},
			"user.fields":  {"name,username"},
		},
	}
	if from.through != "" {
		w.call.query.Set("since_id", from.through)
	}
	return w
}

// read walks to the end, or as far as it may. A timeline that begins now is only
// looked at.
func (w *walk) read(ctx context.Context) *platform.Failure {
	for range mostRequests {
		said, failure := w.part(ctx)
		if failure != nil {
			return failure
		}
		w.take(said)
		switch next := said.Meta.NextToken; {
		case !w.begun || next == "" && len(w.posts) < reach:
			return nil
		case len(w.posts) >= reach:
			w.found = append(w.found, w.gap())
			return nil
		default:
			w.call.query.Set("pagination_token", next)
		}
	}
	w.found = append(w.found, w.gap())
	return nil
}

// part asks for the next part of the timeline, for a smaller one where its
// posts are too large.
func (w *walk) part(ctx context.Context) (answer[some[post]], *platform.Failure) {
	for {
		w.call.query.Set("max_results", strconv.Itoa(w.size))
		w.call.maxBody = pageLimit
		if w.size == leastPage {
			w.call.maxBody = leastLimit
		}
		said, failure := ask[some[post]](ctx, w.adapter, w.call)
		switch {
		case isTooLarge(failure) && w.size > leastPage:
			w.size = max(w.size/2, leastPage)
			continue
		case isTooLarge(failure):
			return said, &platform.Failure{
				Class: platform.Unknown, Cause: failure,
				Message: "five posts of the account's " + w.line.name + " take more than 16 MiB, which no posts that X allows do; X has no way to skip them, so that nothing is polled from there before newer ones have come or they are gone",
			}
		case failure != nil:
			return said, failure
		case said.Meta == nil || said.Meta.ResultCount == nil:
			return said, unexpected("X's answer does not say how many posts it holds")
		}
		return said, nil
	}
}

func isTooLarge(failure *platform.Failure) bool {
	return failure != nil && httpx.KindOf(failure) == httpx.KindBodyTooLarge
}

// take reads a part. A post without an ID that can be one is left out: it could
// not be told from others.
func (w *walk) take(said answer[some[post]]) {
	if said.Data == nil {
		return
	}
	for _, p := range *said.Data {
		if !accountID.MatchString(p.ID) {
			continue
		}
		w.posts = append(w.posts, post{ID: p.ID, CreatedAt: p.CreatedAt})
		if w.begun && !slices.Contains(w.from.seen, p.ID) {
			w.tell(p, said.Includes)
		}
	}
}

// tell makes a post an event. An account that mentions itself is in both
// timelines, and told in one.
func (w *walk) tell(p post, beside includes) {
	switch {
	case slices.Contains(w.line.kinds, event.OwnPost):
		p.AuthorID = w.account
	case !accountID.MatchString(p.AuthorID):
		p.AuthorID = ""
	}
	if e := p.event(w.account, beside.author(p.AuthorID)); slices.Contains(w.line.kinds, e.Kind) {
		w.found = append(w.found, e)
	}
}

// mark is where the next walk ends.
func (w *walk) mark() mark {
	if !w.begun {
		return begin(w.posts, w.started)
	}
	return w.from.after(w.posts, w.started)
}

// gap says which posts are beyond reach. It has one ID for all polls from the
// same mark.
func (w *walk) gap() event.Event {
	oldest := slices.MinFunc(w.posts, func(one, other post) int { return compareIDs(one.ID, other.ID) })
	since := "the first"
	if w.from.through != "" {
		since = "post " + w.from.through
	}
	return event.Event{
		ID: "gap/" + w.line.name + "/" + w.from.through, Kind: event.Other, Type: typeGap, Platform: platformName, AccountID: w.account,
		Text: "More came between two polls than Rostra can read: the newest " + strconv.Itoa(len(w.posts)) + " posts of the account's " + w.line.name +
			" are here; older ones, since " + since + " and before post " + oldest.ID + ", are missing.",
		OccurredAt: oldest.at(),
	}.Bounded()
}
