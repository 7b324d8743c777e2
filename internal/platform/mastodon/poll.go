// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	pathNotifications = "/api/v1/notifications"
	pathAccounts      = "/api/v1/accounts/"

	// pollPage is how many of a list are asked for at once, and pollBody how
	// many bytes they may be. Mastodon before 4.1 gives no more.
	pollPage = 30
	pollBody = 4 << 20

	// beforeAll is older than every identifier.
	beforeAll = identifier("0")
)

var _ platform.Poller = (*Adapter)(nil)

// Polls implements platform.Poller.
func (a *Adapter) Polls() []event.Kind {
	return []event.Kind{event.Mention, event.Reply, event.DirectMessage, event.OwnPost}
}

// place is how far each of the two lists has been read: the newest identifier
// that was seen. Empty means that the list is to be read from now on; so is one
// that nobody has asked for meanwhile, because its past is not wanted.
type place struct {
	Notifications identifier `json:"n,omitempty"`
	Statuses      identifier `json:"s,omitempty"`
}

func parsePlace(cursor string) (place, *platform.Failure) {
	var at place
	if cursor == "" {
		return at, nil
	}
	if err := json.Unmarshal([]byte(cursor), &at); err != nil {
		return place{}, &platform.Failure{
			Class: platform.Permanent, Message: "the place up to which events were read is damaged: remove it, and Rostra goes on from now",
		}
	}
	return at, nil
}

// Poll reads the mentions of the account and its own posts, one page of each
// at most. A boost is not a post of its own.
func (a *Adapter) Poll(ctx context.Context, account platform.Account, cursor string, events []event.Kind) (platform.Page, error) {
	at, failure := parsePlace(cursor)
	if failure != nil {
		return platform.Page{}, failure
	}
	poll, failure := a.startPoll(ctx, account, events)
	if failure != nil {
		return platform.Page{}, failure
	}
	if at.Notifications, failure = poll.mentions(ctx, at.Notifications); failure != nil {
		return platform.Page{}, failure
	}
	if at.Statuses, failure = poll.statuses(ctx, at.Statuses); failure != nil {
		return platform.Page{}, failure
	}
	encoded, err := json.Marshal(at)
	if err != nil {
		return platform.Page{}, &platform.Failure{Class: platform.Unknown, Message: "the place up to which events were read cannot be kept", Cause: err}
	}
	slices.SortStableFunc(poll.found, func(one, other event.Event) int { return one.OccurredAt.Compare(other.OccurredAt) })
	return platform.Page{Events: poll.found, Cursor: string(encoded), More: poll.more}, nil
}

// poll is one question for events.
type poll struct {
	adapter *Adapter
	from    caller
	account string // ID of the account
	wanted  []event.Kind
	found   []event.Event
	more    bool
}

func (a *Adapter) startPoll(ctx context.Context, account platform.Account, wanted []event.Kind) (*poll, *platform.Failure) {
	token, failure := accessToken(account.Source, keyAccessToken)
	if failure != nil {
		return nil, failure
	}
	started := &poll{adapter: a, from: callerOf(account, token), account: account.ID, wanted: wanted}
	if account.ID == "" {
		identity, failure := a.whoami(ctx, started.from)
		if failure != nil {
			return nil, failure
		}
		started.account = identity.AccountID
	}
	return started, nil
}

// mentions reads the list of notifications from a place on, and gives the next
// place.
func (p *poll) mentions(ctx context.Context, after identifier) (identifier, *platform.Failure) {
	if !slices.ContainsFunc(p.wanted, func(kind event.Kind) bool { return alertOf(kind) == alertMention }) {
		return "", nil
	}
	listed, next, failure := list[notification](ctx, p, pathNotifications, url.Values{"types[]": {typeMention}}, after)
	for _, found := range listed {
		p.add(found.event(p.account))
	}
	return next, failure
}

// statuses reads the list of the account's own posts in the same way.
func (p *poll) statuses(ctx context.Context, after identifier) (identifier, *platform.Failure) {
	if !slices.Contains(p.wanted, event.OwnPost) {
		return "", nil
	}
	path := pathAccounts + url.PathEscape(p.account) + "/statuses"
	listed, next, failure := list[status](ctx, p, path, url.Values{"exclude_reblogs": {"true"}}, after)
	for _, found := range listed {
		p.add(found.ownPost(p.account))
	}
	return next, failure
}

// add keeps an event of a kind that is wanted. A notification of another kind
// comes from a server that does not know how to leave it out.
func (p *poll) add(found event.Event) {
	if slices.Contains(p.wanted, found.Kind) {
		p.found = append(p.found, found.Bounded())
	}
}

// listed is an element of a list.
type listed interface {
	comparable
	identified() identifier
}

// list reads a page of what came right after a place, oldest first. Without a
// place it gives the place of the newest, and nothing else.
func list[T listed](ctx context.Context, p *poll, path string, query url.Values, after identifier) ([]T, identifier, *platform.Failure) {
	limit := pollPage
	if after == "" {
		limit = 1
	} else {
		query.Set("min_id", string(after))
	}
	query.Set("limit", strconv.Itoa(limit))
	var found []T
	request := httpx.Request{Account: p.from.account, URL: p.adapter.server.URL(path, query), Header: p.from.header(), MaxBody: pollBody}
	if failure := p.adapter.do(ctx, request, &found); failure != nil {
		return nil, "", failure
	}
	if found == nil || slices.ContainsFunc(found, func(one T) bool { return one.identified() == "" }) {
		return nil, "", unexpected("the server's answer is not a list as the Mastodon API documents")
	}
	next := after
	if next == "" {
		next = beforeAll
	}
	for _, one := range found {
		if one.identified().newer(next) {
			next = one.identified()
		}
	}
	if after == "" {
		return nil, next, nil
	}
	// What is not newer than the place was seen. A server that does not know
	// min_id would give it again and again.
	found = slices.DeleteFunc(found, func(one T) bool { return !one.identified().newer(after) })
	slices.SortFunc(found, func(one, other T) int { return one.identified().compare(other.identified()) })
	p.more = p.more || len(found) >= limit
	return found, next, nil
}
