// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const messageNotAsked = "the server's answer is not the notification that was asked for"

var _ platform.Completer = (*Adapter)(nil)

// Incomplete implements platform.Completer. A push names a mention by its
// notification alone.
func (a *Adapter) Incomplete(e event.Event) bool {
	return e.Type == typeMention && e.PostID == "" && objectID.MatchString(e.ID)
}

// Complete reads the notification that was pushed
// (https://docs.joinmastodon.org/methods/notifications/#get-one), as a poll
// would. One whose post takes more bytes than a page of a poll stays as it was.
func (a *Adapter) Complete(ctx context.Context, account platform.Account, e event.Event) (event.Event, error) {
	if !a.Incomplete(e) {
		return e, nil
	}
	token, failure := accessToken(account.Source, keyAccessToken)
	if failure != nil {
		return e, failure
	}
	from := callerOf(account, token)
	request := httpx.Request{Account: from.account, URL: a.server.URL(pathNotifications+"/"+e.ID, nil), Header: from.header(), MaxBody: pollBody}
	var answer json.RawMessage
	failure = a.do(ctx, request, &answer)
	switch {
	case failure != nil && failure.Class == platform.NotFound:
		return e, nil
	case failure != nil:
		return e, failure
	}
	told := usable[notification]([]json.RawMessage{answer})
	if len(told) == 0 || told[0].ID != identifier(e.ID) || told[0].Type != e.Type {
		return e, unexpected(messageNotAsked)
	}
	return told[0].complete(e, cmp.Or(account.ID, e.AccountID)), nil
}

// complete adds to the event of a push what the notification tells. Once its
// post is known, the notification does not stand for the thread any more.
func (n notification) complete(e event.Event, account string) event.Event {
	found := n.event(account)
	e.Kind, e.Actor, e.PostID, e.InReplyTo, e.URL = found.Kind, found.Actor, found.PostID, found.InReplyTo, found.URL
	e.AccountID, e.Text = cmp.Or(e.AccountID, found.AccountID), cmp.Or(found.Text, e.Text)
	if !found.OccurredAt.IsZero() {
		e.OccurredAt = found.OccurredAt
	}
	if e.PostID != "" {
		e.ThreadID = ""
	}
	return e.Bounded()
}
