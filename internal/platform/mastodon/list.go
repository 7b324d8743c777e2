// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	pathDirectory = "/api/v1/directory"
	// directoryPage is the most accounts that a server gives at once
	// (https://docs.joinmastodon.org/methods/directory/).
	directoryPage = 80
	// directoryBody bounds a page in bytes: 80 accounts with all that they say
	// of themselves.
	directoryBody = 4 << 20
)

const (
	messageNoDirectory     = "the server has no public directory of its accounts: switch on its profile directory where it has one, or remove spec.discovery"
	messageHiddenDirectory = "the server shows its directory to nobody without a token, and Rostra lists without one: declare its accounts by hand, and remove spec.discovery"
)

var _ platform.AccountLister = (*Adapter)(nil)

// ListAccounts lists the server's own accounts from its public directory, the
// newest first. A cursor is how many to pass over.
//
// The administrators' list of accounts would be whole, and takes a token that
// may read every user's e-mail address: that is too much to hold for a list.
func (a *Adapter) ListAccounts(ctx context.Context, cursor string) (platform.AccountPage, error) {
	offset, err := strconv.Atoi(cmp.Or(cursor, "0"))
	if err != nil || offset < 0 {
		return platform.AccountPage{}, &platform.Failure{Class: platform.Permanent, Message: "the cursor is none that the directory gave"}
	}
	query := url.Values{"local": {"true"}, "order": {"new"}, "limit": {strconv.Itoa(directoryPage)}, "offset": {strconv.Itoa(offset)}}
	var found []credentialAccount
	request := httpx.Request{URL: a.server.URL(pathDirectory, query), Header: caller{}.header(), MaxBody: directoryBody}
	if failure := a.do(ctx, request, &found); failure != nil {
		return platform.AccountPage{}, notShown(failure)
	}
	page, failure := a.page(found, offset)
	if failure != nil {
		return platform.AccountPage{}, failure
	}
	return page, nil
}

// Unlisted says what the directory leaves out.
func (a *Adapter) Unlisted() string {
	return "accounts that did not choose to be in the server's public directory"
}

// page reads a part of the directory. Accounts of other servers, which some
// give although they were not asked for, are passed over.
func (a *Adapter) page(found []credentialAccount, offset int) (platform.AccountPage, *platform.Failure) {
	if found == nil {
		return platform.AccountPage{}, unexpected("the server's answer is not a directory as the Mastodon API documents")
	}
	page := platform.AccountPage{}
	for _, account := range found {
		if strings.Contains(account.Acct, "@") {
			continue
		}
		identity, failure := a.identity(account)
		if failure != nil {
			return platform.AccountPage{}, failure
		}
		page.Accounts = append(page.Accounts, platform.ListedAccount{
			ID: identity.AccountID, Handle: identity.Handle, DisplayName: identity.DisplayName, State: platform.AccountActive,
		})
	}
	if len(found) > 0 {
		page.Next = strconv.Itoa(offset + len(found))
	}
	return page, nil
}

// notShown says of a refusal what it is where no token was sent: the directory
// is switched off, not there, or not public.
func notShown(failure *platform.Failure) *platform.Failure {
	switch failure.Class {
	case platform.NotFound:
		return &platform.Failure{Class: platform.NotFound, Code: failure.Code, Message: messageNoDirectory, RetryAt: failure.RetryAt}
	case platform.Unauthorized, platform.Revoked, platform.InsufficientScope, platform.PolicyBlocked:
		return &platform.Failure{Class: platform.Permanent, Code: failure.Code, Message: messageHiddenDirectory, RetryAt: failure.RetryAt}
	case platform.RateLimited, platform.Conflict, platform.Transient, platform.Permanent, platform.Unknown:
	}
	return failure
}
