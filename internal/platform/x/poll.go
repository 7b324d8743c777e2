// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// pageSize is the most that X gives at once.
	pageSize = "100"
	// firstPage is the least that X can be asked for.
	firstPage = "5"
	// mostPages make up the 800 mentions that X keeps at hand. Of more own
	// posts between two polls than that, the oldest are not found.
	mostPages = 8
	// longestCursor is more than a cursor has.
	longestCursor = 512
)

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

// cursor is the newest post seen of each timeline, by its name; an empty ID
// where there was none yet. A timeline that is not in it begins now.
type cursor map[string]string

// readCursor reads a cursor of Rostra's own. One that is damaged is empty: to
// begin anew loses less than to stand still.
func readCursor(text string) cursor {
	kept := cursor{}
	var read map[string]string
	if len(text) > longestCursor || json.Unmarshal([]byte(text), &read) != nil {
		return kept
	}
	for _, t := range timelines() {
		if id, ok := read[t.name]; ok && (id == "" || accountID.MatchString(id)) {
			kept[t.name] = id
		}
	}
	return kept
}

func (c cursor) String() string {
	text, err := json.Marshal(map[string]string(c))
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

// Poll asks for mentions, replies and own posts. All that X has since the
// cursor comes in one page, because X gives the newest first.
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
			more, newest, failure := a.follow(ctx, limiterKey(account), s.access, id, t, position)
			if failure != nil {
				return failure
			}
			found, position[t.name] = append(found, more...), newest
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
	found = slices.DeleteFunc(found, func(e event.Event) bool { return !slices.Contains(kinds, e.Kind) })
	slices.SortStableFunc(found, func(one, other event.Event) int {
		return cmp.Or(cmp.Compare(len(one.PostID), len(other.PostID)), strings.Compare(one.PostID, other.PostID))
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

// follow reads a timeline from where it was left, or finds where it stands. The
// newest ID is where to go on.
func (a *Adapter) follow(ctx context.Context, limiter string, token credentials.Value, id string, t timeline, position cursor) (found []event.Event, newest string, failure *platform.Failure) {
	since, begun := position[t.name]
	newest = since
	query := pageQuery(since, begun)
	for range mostPages {
		said, failure := ask[[]post](ctx, a, call{
			by: byUser, account: limiter, path: "/2/users/" + url.PathEscape(id) + "/" + t.name, query: query, token: token,
		})
		if failure != nil {
			return nil, "", failure
		}
		if said.Meta == nil || said.Meta.ResultCount == nil {
			return nil, "", unexpected("X's answer does not say how many posts it holds")
		}
		more, latest, failure := eventsOf(id, t, said)
		if failure != nil {
			return nil, "", failure
		}
		if newer(latest, newest) {
			newest = latest
		}
		if !begun {
			return nil, newest, nil
		}
		found = append(found, more...)
		if said.Meta.NextToken == "" {
			break
		}
		query.Set("pagination_token", said.Meta.NextToken)
	}
	return found, newest, nil
}

// pageQuery asks for no referenced posts: X bills each that it sends along.
func pageQuery(since string, begun bool) url.Values {
	query := url.Values{
		"max_results":  {pageSize},
		"tweet.fields": {"author_id,conversation_id,created_at,in_reply_to_user_id,note_tweet,referenced_tweets"},
		"expansions":   {"author_id"},
		"user.fields":  {"name,username"},
	}
	if !begun {
		query.Set("max_results", firstPage)
	}
	if since != "" {
		query.Set("since_id", since)
	}
	return query
}

// eventsOf reads a page of a timeline, and the newest ID in it.
func eventsOf(account string, t timeline, said answer[[]post]) (found []event.Event, newest string, failure *platform.Failure) {
	if said.Data == nil {
		return nil, "", nil
	}
	authors := map[string]user{}
	for _, author := range said.Includes.Users {
		authors[author.ID] = author
	}
	for _, p := range *said.Data {
		if !accountID.MatchString(p.ID) || !accountID.MatchString(p.AuthorID) {
			return nil, "", unexpected("X's list of posts is not as it documents it")
		}
		if newer(p.ID, newest) {
			newest = p.ID
		}
		e := p.event(account, authors[p.AuthorID])
		if slices.Contains(t.kinds, e.Kind) { // an account that mentions itself is in both
			found = append(found, e)
		}
	}
	return found, newest, nil
}

func (p post) event(account string, author user) event.Event {
	e := event.Event{
		ID: postEventID(p.ID), Kind: kindOfPost(account, p.AuthorID, p.ReplyUser), Type: "post",
		Platform: platformName, AccountID: account,
		Actor: event.Actor{ID: p.AuthorID, Handle: author.Username, DisplayName: oneLine(author.Name)},
		Text:  cmp.Or(p.Note.Text, p.Text), PostID: p.ID, ThreadID: p.ConversationID,
		URL: link(author.Username, p.ID), OccurredAt: parseTime(time.RFC3339, p.CreatedAt),
	}
	for _, other := range p.Referenced {
		if other.Type == "replied_to" {
			e.InReplyTo = other.ID
		}
	}
	return e.Bounded()
}
