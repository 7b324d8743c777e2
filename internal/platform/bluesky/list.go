// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	methodListRepos    = "com.atproto.sync.listRepos"
	methodDescribeRepo = "com.atproto.repo.describeRepo"

	// pageSize is the most that com.atproto.sync.listRepos gives at once.
	pageSize = 1000
	// maxCursor bounds a cursor, in bytes.
	maxCursor = 1024
)

const wordsNotListed = "the server tells its accounts to nobody without a credential, and Rostra lists without one: let it answer " + methodListRepos + ", or remove spec.discovery"

var (
	_ platform.AccountLister = (*adapter)(nil)
	_ platform.AccountNamer  = (*adapter)(nil)
)

// repoAnswer is one repository of com.atproto.sync.listRepos. Every account of
// a Personal Data Server has one.
type repoAnswer struct {
	DID    string `json:"did"`
	Active *bool  `json:"active"`
	Status string `json:"status"`
}

type reposAnswer struct {
	Repos  []repoAnswer `json:"repos"`
	Cursor string       `json:"cursor"`
}

// ListAccounts lists the repositories of the server, which is public. It gives
// DIDs alone; HandleOf gives the handles.
func (a *adapter) ListAccounts(ctx context.Context, cursor string) (platform.AccountPage, error) {
	query := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var answer reposAnswer
	if err := a.ask(ctx, call{method: methodListRepos, query: query}, &answer); err != nil {
		return platform.AccountPage{}, withoutCredential(err, wordsNotListed)
	}
	return answer.page()
}

// Unlisted is nothing: a server lists all its repositories.
func (a *adapter) Unlisted() string { return "" }

func (r reposAnswer) page() (platform.AccountPage, error) {
	if r.Repos == nil || len(r.Cursor) > maxCursor {
		return platform.AccountPage{}, strange("it holds no list of repositories")
	}
	page := platform.AccountPage{Next: r.Cursor}
	for _, repo := range r.Repos {
		if checkDID(repo.DID) != nil {
			return platform.AccountPage{}, strange("it lists an account whose DID is malformed")
		}
		if state, exists := repo.state(); exists {
			page.Accounts = append(page.Accounts, platform.ListedAccount{ID: repo.DID, State: state})
		}
	}
	return page, nil
}

// state reads active and status. An account that was deleted is none any more.
func (r repoAnswer) state() (state platform.AccountState, exists bool) {
	if r.Active == nil || *r.Active {
		return platform.AccountActive, true
	}
	switch r.Status {
	case "deleted":
		return "", false
	case "takendown", "suspended":
		return platform.AccountBlocked, true
	}
	return platform.AccountInactive, true
}

// HandleOf asks for the handle with com.atproto.repo.describeRepo, which
// answers for active accounts alone.
func (a *adapter) HandleOf(ctx context.Context, id string) (string, error) {
	var answer accountAnswer
	if err := a.ask(ctx, call{method: methodDescribeRepo, query: url.Values{"repo": {id}}}, &answer); err != nil {
		return "", withoutCredential(err, wordsNotListed)
	}
	return answer.handleOf(id)
}

// handleOf gives the handle, where the answer is of that account.
func (a accountAnswer) handleOf(id string) (string, error) {
	if a.DID != id {
		return "", strange("it is of another account than was asked for")
	}
	if a.Handle == unresolvedHandle {
		return "", nil
	}
	handle, err := normaliseHandle(a.Handle)
	if err != nil {
		return "", strange("the account's handle is missing or malformed")
	}
	return handle, nil
}

// withoutCredential makes of a refusal that would blame a credential what it is
// where none was sent: the server does not tell the public, in words that say
// what to do. Of an account it says that the account cannot be seen.
func withoutCredential(err error, words string) error {
	failure, ok := errors.AsType[*platform.Failure](err)
	if !ok {
		return err
	}
	if failure.Class == platform.PolicyBlocked || strings.HasPrefix(failure.Code, "Repo") {
		return &platform.Failure{Class: platform.NotFound, Code: failure.Code, Message: "the server does not show the account", Cause: failure.Cause}
	}
	switch failure.Class {
	case platform.Unauthorized, platform.Revoked, platform.InsufficientScope:
		return &platform.Failure{Class: platform.Permanent, Code: failure.Code, Message: words, RetryAt: failure.RetryAt, Cause: failure.Cause}
	case platform.PolicyBlocked, platform.RateLimited, platform.NotFound, platform.Conflict, platform.Transient, platform.Permanent, platform.Unknown:
	}
	return err
}
