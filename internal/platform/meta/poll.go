// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// postsPage is how many posts are asked for at once; the API gives no more.
	postsPage = 100
	// postsLimit bounds an answer, in bytes. One over it is asked for in smaller
	// parts.
	postsLimit = 8 << 20
	// fieldsPost are what is asked of a post, and fieldsBare what is asked of one
	// that takes more than postsLimit alone.
	fieldsPost = "id,message,created_time,permalink_url,from"
	fieldsBare = "id,created_time"
	// maxSeen bounds how many posts of one second are remembered: a cursor is
	// kept in an object of the cluster.
	maxSeen = 30
	// seenSize is how much of a post's digest tells it from others of its second.
	seenSize = 8
	// maxAfter and maxPollCursor bound a cursor of Meta's, and one of the
	// adapter's own, in bytes.
	maxAfter      = 512
	maxPollCursor = 4096
)

// edges are where events are asked for, by what comes from there.
func edges() map[event.Kind]string {
	return map[event.Kind]string{event.OwnPost: "published_posts", event.Mention: "tagged"}
}

// Polls implements platform.Poller. Comments and messages are pushed alone.
func (a *Adapter) Polls() []event.Kind { return []event.Kind{event.Mention, event.OwnPost} }

// position is how far one edge was read. Edges give the newest posts first, so
// that a walk goes from the newest to those at Since, over as many polls as it
// takes; the next walk begins where this one's newest was.
type position struct {
	// Since is the time, in seconds since 1970, that was read up to, and Seen
	// are the posts of that second that were read.
	Since int64    `json:"s"`
	Seen  []string `json:"i,omitempty"`
	// After is where the walk goes on; empty between walks.
	After string `json:"a,omitempty"`
	// Newest and NewestSeen are what Since and Seen become after the walk.
	Newest     int64    `json:"n,omitempty"`
	NewestSeen []string `json:"j,omitempty"`
}

// positions of the edges, by kind. One that is not there begins now.
type positions map[event.Kind]position

func (p positions) cursor() (string, error) {
	written, err := json.Marshal(p)
	if err != nil {
		return "", &platform.Failure{Class: platform.Permanent, Message: "the cursor cannot be written", Cause: err}
	}
	return base64.RawURLEncoding.EncodeToString(written), nil
}

func readPositions(cursor string) (positions, error) {
	read := positions{}
	if cursor == "" {
		return read, nil
	}
	written, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(cursor) > maxPollCursor || json.Unmarshal(written, &read) != nil || read == nil {
		return nil, permanent("the cursor is none that this platform gave")
	}
	return read, nil
}

// Poll asks for the Page's own posts and for those in which it is tagged, one
// request for each.
func (a *Adapter) Poll(ctx context.Context, account platform.Account, cursor string, kinds []event.Kind) (platform.Page, error) {
	at, err := readPositions(cursor)
	if err != nil {
		return platform.Page{}, err
	}
	var page platform.Page
	var next positions
	err = a.withPage(ctx, account, func(app application, kept session) error {
		page, next = platform.Page{}, maps.Clone(at)
		for _, kind := range a.Polls() {
			if !slices.Contains(kinds, kind) {
				continue
			}
			request := call{account: limiterKey(account), path: kept.pageID + "/" + edges()[kind]}.as(app, kept.pageToken)
			moved, found, err := a.step(ctx, request, kind, kept.pageID, at)
			if err != nil {
				return err
			}
			next[kind] = moved
			page.Events = append(page.Events, found...)
			page.More = page.More || moved.After != ""
		}
		return nil
	})
	if err != nil {
		return platform.Page{}, err
	}
	slices.SortStableFunc(page.Events, func(one, other event.Event) int { return one.OccurredAt.Compare(other.OccurredAt) })
	page.Cursor, err = next.cursor()
	return page, err
}

// post is one post as the edges give it.
type post struct {
	ID        text   `json:"id"`
	Message   text   `json:"message"`
	Created   stamp  `json:"created_time"`
	Permalink text   `json:"permalink_url"`
	From      author `json:"from"`
}

// some is a list from which entries of another form than Meta documents are
// left out: strangers fill it, and an odd one must not cost the others.
type some[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (s *some[T]) UnmarshalJSON(data []byte) error {
	var entries []json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil || entries == nil {
		return err
	}
	*s = make(some[T], 0, len(entries))
	for _, entry := range entries {
		var one T
		if json.Unmarshal(entry, &one) == nil {
			*s = append(*s, one)
		}
	}
	return nil
}

// postsAnswer is a part of an edge.
type postsAnswer struct {
	Data   some[post] `json:"data"`
	Paging paging     `json:"paging"`
}

// posts asks for a part of an edge, for a smaller one where the posts in it are
// too large, and for the mere fact of a post that is so alone.
func (a *Adapter) posts(ctx context.Context, request call, limit int) (postsAnswer, error) {
	request.maxBody = postsLimit
	request.params.Set("fields", fieldsPost)
	for ; ; limit = max(limit/2, 1) {
		request.params.Set("limit", strconv.Itoa(limit))
		var answer postsAnswer
		err := a.ask(ctx, request, &answer)
		switch {
		case httpx.KindOf(err) != httpx.KindBodyTooLarge:
			return answer, err
		case limit > 1:
		case request.params.Get("fields") != fieldsBare:
			request.params.Set("fields", fieldsBare)
		default:
			return postsAnswer{}, &platform.Failure{
				Class: platform.Unknown, Cause: err,
				Message: "the Graph API's answer about a single post takes more than 8 MiB, even without its text: nothing is polled from there before that is mended",
			}
		}
	}
}

// step reads the next part of one edge. Where the edge has no position it begins
// at the newest post there is, by Meta's clock, and gives no event.
func (a *Adapter) step(ctx context.Context, request call, kind event.Kind, pageID string, all positions) (position, []event.Event, error) {
	at, known := all[kind]
	request.params = url.Values{}
	limit := 1
	if known {
		limit = postsPage
		if at.Since > 0 {
			// Whether since is among what is given is not documented; what was seen
			// is dropped here.
			request.params.Set("since", strconv.FormatInt(at.Since-1, 10))
		}
		if at.After != "" {
			request.params.Set("after", at.After)
		}
	}
	answer, err := a.posts(ctx, request, limit)
	if err != nil {
		if at.After != "" && codeOf(err) == codeParameter {
			// Its cursor is no longer good, as when the post there was deleted: the
			// walk begins anew, and gives some posts again.
			return position{Since: at.Since, Seen: at.Seen}, nil, nil
		}
		return position{}, nil, err
	}
	if answer.Data == nil {
		return position{}, nil, strange("it holds no list of posts")
	}
	after, err := answer.Paging.after()
	switch {
	case err != nil:
		return position{}, nil, err
	case len(after) > maxAfter:
		return position{}, nil, strange("where it goes on takes too much to write down")
	case !known:
		after = ""
	}
	next, fresh := at.advance(answer.Data, after)
	if !known {
		return next, nil, nil
	}
	return next, postEvents(fresh, kind, pageID), nil
}

// advance gives the position after a part of the edge, and which of its posts
// were not read before.
func (p position) advance(posts []post, after string) (position, []post) {
	next := p
	if p.After == "" { // a walk begins
		next.Newest, next.NewestSeen = p.Since, slices.Clone(p.Seen)
	}
	var fresh []post
	for _, one := range posts {
		if one.Created.IsZero() {
			continue
		}
		created := one.Created.Unix()
		if created < p.Since || created == p.Since && slices.Contains(p.Seen, seen(one)) {
			continue
		}
		fresh = append(fresh, one)
		next.note(created, seen(one))
	}
	next.After = after
	if after == "" {
		return position{Since: next.Newest, Seen: next.NewestSeen}, fresh
	}
	return next, fresh
}

// seen is by what a post is remembered.
func seen(one post) string { return digest(string(one.ID))[:seenSize] }

// note remembers a post where it is of the newest second.
func (p *position) note(created int64, id string) {
	switch {
	case created > p.Newest:
		p.Newest, p.NewestSeen = created, []string{id}
	case created == p.Newest && len(p.NewestSeen) < maxSeen && !slices.Contains(p.NewestSeen, id):
		p.NewestSeen = append(p.NewestSeen, id)
	}
}

func postEvents(posts []post, kind event.Kind, pageID string) []event.Event {
	found := make([]event.Event, 0, len(posts))
	for _, one := range slices.Backward(posts) { // the newest comes first
		id := string(one.ID)
		found = append(found, event.Event{
			ID: addedID(id, one.Created), Kind: kind, Type: edges()[kind], AccountID: pageID,
			Actor: event.Actor{ID: string(one.From.ID), DisplayName: string(one.From.Name)},
			Text:  string(one.Message), PostID: id, ThreadID: id,
			URL: postURL(string(one.Permalink), id), OccurredAt: one.Created.Time,
		}.Bounded())
	}
	return found
}
