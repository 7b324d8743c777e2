// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"errors"
)

// MaxListed is how many accounts of one server are listed. A company's own
// server has fewer; one that has more is shared with others, and who owns its
// accounts cannot be told from a list.
const MaxListed = 10_000

const (
	// maxPages bounds the pages of one list; those that Mastodon gives at most
	// make up MaxListed accounts in 125.
	maxPages = 1_000
	// maxBarren is how many pages in a row may bring no new account.
	maxBarren = 3
)

// ErrTooManyAccounts is in the chain of the Failure for a server that has more
// than MaxListed accounts.
var ErrTooManyAccounts = errors.New("the server has more accounts than are listed")

// AccountState tells how a listed account stands with its server.
type AccountState string

const (
	// AccountActive: it can be seen and used.
	AccountActive AccountState = "Active"
	// AccountInactive: it is there, and cannot be used as it is: its holder has
	// deactivated it, and can have it back.
	AccountInactive AccountState = "Inactive"
	// AccountBlocked: the server has taken it down or suspended it.
	AccountBlocked AccountState = "Blocked"
)

// ListedAccount is an account as its server lists it.
type ListedAccount struct {
	// ID is the platform's lasting identifier of the account.
	ID string
	// Handle, normalised; empty where the list gives none, see AccountNamer.
	Handle string
	// DisplayName that the account shows; may be empty.
	DisplayName string
	// State of the account.
	State AccountState
}

// AccountPage is a part of a list of accounts.
type AccountPage struct {
	// Accounts of this page, in any order.
	Accounts []ListedAccount
	// Next is the cursor of the next page; empty after the last.
	Next string
}

// AccountLister is a Platform that can list the accounts of its server. It
// needs no credential, and sees what everybody can see: for a company's own
// server, the company's accounts; for a shared one, everybody's.
type AccountLister interface {
	// ListAccounts gives the first page for an empty cursor, else the page that
	// begins at the cursor. An account that is on two pages because the list
	// changed meanwhile is no fault. Failures never blame a credential, since
	// none is used.
	ListAccounts(ctx context.Context, cursor string) (AccountPage, error)
	// Unlisted says, as a noun phrase in the plural, which accounts the list
	// leaves out; empty where it leaves out none.
	Unlisted() string
}

// AccountNamer is an AccountLister whose list gives IDs alone. Handles are
// asked for one by one.
type AccountNamer interface {
	// HandleOf gives the handle of an account that was listed, normalised. It is
	// empty where the account has none that leads to it.
	HandleOf(ctx context.Context, id string) (string, error)
}

// Listing gathers the pages of a list, each account once. The zero value is
// one that has not begun.
type Listing struct {
	accounts []ListedAccount
	seen     map[string]struct{}
	cursor   string
	pages    int
	barren   int
	done     bool
}

// Done tells whether the last page was read.
func (l *Listing) Done() bool { return l.done }

// Accounts are those gathered so far.
func (l *Listing) Accounts() []ListedAccount { return l.accounts }

// Advance asks for the next page. After a failure the same page is asked for
// again. The Failure of a server with more than MaxListed accounts has
// ErrTooManyAccounts in its chain; a list that does not end is Unknown.
func (l *Listing) Advance(ctx context.Context, lister AccountLister) error {
	if l.done {
		return nil
	}
	page, err := lister.ListAccounts(ctx, l.cursor)
	if err != nil {
		return err
	}
	l.pages++
	l.barren++
	if l.add(page.Accounts) > 0 {
		l.barren = 0
	}
	switch {
	case len(l.accounts) > MaxListed:
		return &Failure{
			Class:   Permanent,
			Message: "the server has more than 10,000 accounts, so it is not the company's own, and whose they are cannot be told: remove spec.discovery, or point it at the company's own server",
			Cause:   ErrTooManyAccounts,
		}
	case page.Next == "":
		l.done = true
	case page.Next == l.cursor, l.barren >= maxBarren, l.pages >= maxPages:
		return &Failure{Class: Unknown, Message: "the server's list of accounts does not end: it gives the same again and again"}
	}
	l.cursor = page.Next
	return nil
}

// add keeps the accounts that are new, and gives how many those were.
func (l *Listing) add(page []ListedAccount) int {
	if l.seen == nil {
		l.seen = map[string]struct{}{}
	}
	before := len(l.accounts)
	for _, account := range page {
		if _, known := l.seen[account.ID]; !known {
			l.seen[account.ID] = struct{}{}
			l.accounts = append(l.accounts, account)
		}
	}
	return len(l.accounts) - before
}
