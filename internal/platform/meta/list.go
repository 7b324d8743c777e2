// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"errors"
	"net/url"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// listPage is the most Pages that are asked for at once.
	listPage = "100"
	// maxCursor bounds a cursor of Meta's, in bytes.
	maxCursor = 1024
)

// lister lists the Pages that the holder of a token has a task on.
type lister struct {
	adapter *Adapter
	app     application
	token   credentials.Value
}

// Lister lists with the access token in the application's Secret.
func (a *Adapter) Lister(values credentials.Values) (platform.AccountLister, error) {
	app, err := readApplication(values)
	if err != nil {
		return nil, err
	}
	token, err := readToken(values, "the platform's application Secret")
	if err != nil {
		return nil, err
	}
	return &lister{adapter: a, app: app, token: token}, nil
}

// paging is how an edge says where it goes on
// (https://developers.facebook.com/docs/graph-api/results).
type paging struct {
	Cursors struct {
		After string `json:"after"`
	} `json:"cursors"`
	Next string `json:"next"`
}

// after gives the cursor of the next page; empty after the last, which is the
// one without a link to a next.
func (p paging) after() (string, error) {
	switch {
	case p.Next == "":
		return "", nil
	case p.Cursors.After == "" || len(p.Cursors.After) > maxCursor:
		return "", strange("it says that there is more, and not where")
	}
	return p.Cursors.After, nil
}

// ListAccounts lists the Pages of /me/accounts. A Page that its holder has not
// published is inactive.
func (l *lister) ListAccounts(ctx context.Context, cursor string) (platform.AccountPage, error) {
	params := url.Values{"fields": {fieldsIdentity + ",is_published"}, "limit": {listPage}}
	if cursor != "" {
		params.Set("after", cursor)
	}
	var answer struct {
		Data   []pageAnswer `json:"data"`
		Paging paging       `json:"paging"`
	}
	if err := l.adapter.ask(ctx, call{path: "me/accounts", params: params}.as(l.app, l.token), &answer); err != nil {
		return platform.AccountPage{}, ofList(err)
	}
	if answer.Data == nil {
		return platform.AccountPage{}, strange("it holds no list of Pages")
	}
	next, err := answer.Paging.after()
	if err != nil {
		return platform.AccountPage{}, err
	}
	page := platform.AccountPage{Next: next}
	for _, found := range answer.Data {
		handle, err := l.adapter.handleOf(found)
		if err != nil {
			return platform.AccountPage{}, err
		}
		state := platform.AccountActive
		if found.IsPublished != nil && !*found.IsPublished {
			state = platform.AccountInactive
		}
		page.Accounts = append(page.Accounts, platform.ListedAccount{
			ID: found.ID, Handle: handle, DisplayName: platform.OneLine(found.Name), State: state,
		})
	}
	return page, nil
}

// Unlisted says what /me/accounts leaves out.
func (l *lister) Unlisted() string {
	return "Pages on which the holder of the application's access token has no task"
}

// ofList makes of a refusal that would blame an account's credential what it is
// where the application's was sent.
func ofList(err error) error {
	failure, ok := errors.AsType[*platform.Failure](err)
	if !ok {
		return err
	}
	switch failure.Class {
	case platform.Unauthorized, platform.Revoked, platform.InsufficientScope, platform.PolicyBlocked:
		return &platform.Failure{
			Class: platform.Permanent, Code: failure.Code, RetryAt: failure.RetryAt, Cause: failure.Cause,
			Message: "Meta does not list Pages with the application's " + keyAccessToken + ": put a token with the permission pages_show_list into the platform's application Secret, or remove spec.discovery",
		}
	case platform.RateLimited, platform.NotFound, platform.Conflict, platform.Transient, platform.Permanent, platform.Unknown:
	}
	return err
}
