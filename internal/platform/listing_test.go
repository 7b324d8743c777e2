// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rostra-dev/rostra/internal/platform"
)

// pages lists what a function gives for each cursor.
type pages func(cursor string) (platform.AccountPage, error)

func (p pages) ListAccounts(_ context.Context, cursor string) (platform.AccountPage, error) {
	return p(cursor)
}

func (p pages) Unlisted() string { return "" }

func listed(from, to int) []platform.ListedAccount {
	accounts := make([]platform.ListedAccount, 0, to-from)
	for i := from; i < to; i++ {
		accounts = append(accounts, platform.ListedAccount{ID: fmt.Sprintf("id-%05d", i)})
	}
	return accounts
}

// numbered gives pages of a size, until there are so many accounts. Each page
// repeats the last account of the one before.
func numbered(size, total int) pages {
	return func(cursor string) (platform.AccountPage, error) {
		from := 0
		if cursor != "" {
			if _, err := fmt.Sscanf(cursor, "%d", &from); err != nil {
				return platform.AccountPage{}, err
			}
		}
		to := min(from+size, total)
		page := platform.AccountPage{Accounts: listed(max(0, from-1), to)}
		if to < total {
			page.Next = fmt.Sprint(to)
		}
		return page, nil
	}
}

// gather reads a list to its end or failure, and gives the pages it took.
func gather(t *testing.T, lister platform.AccountLister) (*platform.Listing, int, error) {
	t.Helper()
	listing := &platform.Listing{}
	for asked := 1; asked < 20_000; asked++ {
		if err := listing.Advance(t.Context(), lister); err != nil || listing.Done() {
			return listing, asked, err
		}
	}
	t.Fatal("it never stops")
	return nil, 0, nil
}

func TestListing(t *testing.T) {
	for _, total := range []int{0, 1, 7, 178, platform.MaxListed} {
		listing, _, err := gather(t, numbered(500, total))
		if err != nil || len(listing.Accounts()) != total {
			t.Errorf("%d accounts: got %d, %v", total, len(listing.Accounts()), err)
		}
		if err := listing.Advance(t.Context(), nil); err != nil {
			t.Errorf("a listing that is done asks no more: %v", err)
		}
	}
}

func TestListingOfTooMany(t *testing.T) {
	_, asked, err := gather(t, numbered(1000, 1_000_000))
	if !errors.Is(err, platform.ErrTooManyAccounts) || platform.ClassOf(err) != platform.Permanent {
		t.Errorf("a shared server: %v", err)
	}
	if asked != 11 {
		t.Errorf("it asked for %d pages", asked)
	}
}

func TestListingThatDoesNotEnd(t *testing.T) {
	counter := 0
	next := func() string { counter++; return fmt.Sprint("cursor-", counter) }
	for name, endless := range map[string]pages{
		"the same cursor": func(string) (platform.AccountPage, error) {
			return platform.AccountPage{Accounts: listed(0, 1), Next: "again"}, nil
		},
		"the same page under new cursors": func(string) (platform.AccountPage, error) {
			return platform.AccountPage{Accounts: listed(0, 80), Next: next()}, nil
		},
		"empty pages": func(string) (platform.AccountPage, error) { return platform.AccountPage{Next: next()}, nil },
		"one account a page": func(string) (platform.AccountPage, error) {
			account := listed(counter, counter+1)
			return platform.AccountPage{Accounts: account, Next: next()}, nil
		},
	} {
		_, asked, err := gather(t, endless)
		if platform.ClassOf(err) != platform.Unknown || errors.Is(err, platform.ErrTooManyAccounts) {
			t.Errorf("%s: %v", name, err)
		}
		if asked > 1000 {
			t.Errorf("%s: it asked %d times", name, asked)
		}
	}
}

func TestListingGoesOnWhereItFailed(t *testing.T) {
	good, outage := numbered(10, 25), true
	flaky := pages(func(cursor string) (platform.AccountPage, error) {
		if cursor == "10" && outage {
			outage = false
			return platform.AccountPage{}, &platform.Failure{Class: platform.Transient, Message: "down"}
		}
		return good(cursor)
	})
	listing, asked, err := gather(t, flaky)
	if platform.ClassOf(err) != platform.Transient || asked != 2 {
		t.Fatalf("after %d pages: %v", asked, err)
	}
	for !listing.Done() {
		if err := listing.Advance(t.Context(), flaky); err != nil {
			t.Fatal(err)
		}
	}
	if len(listing.Accounts()) != 25 {
		t.Errorf("%d accounts", len(listing.Accounts()))
	}
}

func TestListingBearsAnEmptyPage(t *testing.T) {
	sparse := pages(func(cursor string) (platform.AccountPage, error) {
		switch cursor {
		case "":
			return platform.AccountPage{Next: "a"}, nil
		case "a":
			return platform.AccountPage{Next: "b"}, nil
		}
		return platform.AccountPage{Accounts: listed(0, 3)}, nil
	})
	listing, _, err := gather(t, sparse)
	if err != nil || len(listing.Accounts()) != 3 {
		t.Errorf("%d accounts, %v", len(listing.Accounts()), err)
	}
}
