// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	pathNotifications = "/api/v1/notifications"
	pathAccounts      = "/api/v1/accounts/"
)

var _ platform.Poller = (*Adapter)(nil)

// Polls implements platform.Poller.
func (a *Adapter) Polls() []event.Kind {
	return []event.Kind{event.Mention, event.Reply, event.DirectMessage, event.OwnPost}
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

// mentions reads the list of notifications from a mark on, and gives the next
// mark.
func (p *poll) mentions(ctx context.Context, from mark) (mark, *platform.Failure) {
	if !slices.ContainsFunc(p.wanted, func(kind event.Kind) bool { return alertOf(kind) == alertMention }) {
		return mark{}, nil
	}
	fresh, next, failure := list[notification](ctx, p, pathNotifications, url.Values{"types[]": {typeMention}}, from)
	for _, found := range fresh {
		p.add(found.event(p.account))
	}
	return next, failure
}

// statuses reads the list of the account's own posts in the same way.
func (p *poll) statuses(ctx context.Context, from mark) (mark, *platform.Failure) {
	if !slices.Contains(p.wanted, event.OwnPost) {
		return mark{}, nil
	}
	path := pathAccounts + url.PathEscape(p.account) + "/statuses"
	fresh, next, failure := list[status](ctx, p, path, url.Values{"exclude_reblogs": {"true"}}, from)
	if failure != nil {
		return next, failure
	}
	answered, failure := p.answered(ctx, fresh)
	for _, found := range fresh {
		own := found.ownPost(p.account)
		own.ThreadID = string(answered[found.InReplyTo])
		p.add(own)
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
