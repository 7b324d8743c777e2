// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialplatform

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// nameLife is how long the handle of an account counts where it has to be
	// asked for by itself.
	nameLife = 24 * time.Hour
	// maxNameTries is how often the handle of one account is asked for, before
	// it counts as having none: one account does not keep the others back.
	maxNameTries = 3
)

// surveys keep what is known of each platform's accounts. A survey is used by
// one reconcile at a time.
type surveys struct {
	mu     sync.Mutex
	byName map[string]*survey
}

func newSurveys() *surveys { return &surveys{byName: map[string]*survey{}} }

// of gives the survey of a platform's server: an empty one where there is none
// yet. It tells whether the platform was of another server before.
func (s *surveys) of(social *v1alpha1.SocialPlatform) (found *survey, moved bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, known := s.byName[social.Name]
	if known && found.uid == social.UID && found.server == social.Spec.ServerURL() {
		return found, false
	}
	made := &survey{uid: social.UID, server: social.Spec.ServerURL(), names: map[string]name{}}
	s.byName[social.Name] = made
	return made, known
}

func (s *surveys) forget(platformName string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byName, platformName)
}

// survey is what is known of the accounts at one server. It is in memory alone:
// after a restart the server is asked again.
type survey struct {
	uid    types.UID
	server string

	// listing is the list that is being gathered; nil if none is.
	listing *platform.Listing
	// accounts are those of the last whole list, those that can be used first,
	// then by ID; nil before there is one.
	accounts []platform.ListedAccount
	// names are the handles that were asked for one by one, by ID.
	names map[string]name
	// failing tells that the last turn failed: what is known may be old.
	failing bool
	// resumeAt is when the next turn may be taken.
	resumeAt time.Time
}

// name is the handle of an account; empty where the server tells none.
type name struct {
	handle string
	asked  time.Time
	tries  int
}

func (n name) known(now time.Time) bool {
	return !n.asked.IsZero() && now.Before(n.asked.Add(nameLife))
}

type step int

const (
	stepNone   step = iota // there is nothing to ask
	stepAsked              // something was asked
	stepListed             // the last page of a list was read
)

// step asks the server one thing: the next page of a list that is under way,
// else the handle of an account.
func (s *survey) step(ctx context.Context, lister platform.AccountLister, held holds, now time.Time) (step, error) {
	if s.listing != nil {
		if err := s.listing.Advance(ctx, lister); err != nil || !s.listing.Done() {
			return stepAsked, err
		}
		s.take(s.listing.Accounts())
		return stepListed, nil
	}
	id := s.unnamed(lister, held, now)
	if id == "" {
		return stepNone, nil
	}
	return stepAsked, s.ask(ctx, lister, id, now)
}

// take makes a list that was gathered the one that counts.
func (s *survey) take(accounts []platform.ListedAccount) {
	rank := map[platform.AccountState]int{platform.AccountActive: 0, platform.AccountInactive: 1, platform.AccountBlocked: 2}
	s.accounts = slices.SortedFunc(slices.Values(accounts), func(a, b platform.ListedAccount) int {
		return cmp.Or(cmp.Compare(rank[a.State], rank[b.State]), cmp.Compare(a.ID, b.ID))
	})
	if s.accounts == nil {
		s.accounts = []platform.ListedAccount{}
	}
	s.listing = nil
	listed := sets.New[string]()
	for _, account := range s.accounts {
		listed.Insert(account.ID)
	}
	for id := range s.names {
		if !listed.Has(id) {
			delete(s.names, id)
		}
	}
}

// ask asks for the handle of one account. What the server does not tell of it
// is no failure of the list.
func (s *survey) ask(ctx context.Context, lister platform.AccountLister, id string, now time.Time) error {
	namer, ok := lister.(platform.AccountNamer)
	if !ok {
		return nil
	}
	handle, err := namer.HandleOf(ctx, id)
	class := platform.ClassOf(err)
	if err != nil && class.Passing() {
		tried := s.names[id]
		if class != platform.RateLimited && !platform.HeldBack(err) {
			tried.tries++
		}
		if tried.tries < maxNameTries {
			s.names[id] = tried
			return err
		}
	}
	s.names[id] = name{handle: handle, asked: now}
	return nil
}

// busy tells whether there is something to ask.
func (s *survey) busy(lister platform.AccountLister, held holds, now time.Time) bool {
	return s.listing != nil || s.unnamed(lister, held, now) != ""
}

// unnamed gives the ID of an account whose handle must be asked for, or
// nothing. Needed are the handles of the accounts that are reported, and while a
// channel is known by its handle alone, any that might be its.
func (s *survey) unnamed(lister platform.AccountLister, held holds, now time.Time) string {
	if _, ok := lister.(platform.AccountNamer); !ok {
		return ""
	}
	unclaimed := s.unclaimed(held)
	if s.handlesAreFound(held) {
		unclaimed = unclaimed[:min(len(unclaimed), maxReported)]
	}
	for _, account := range unclaimed {
		asked, apart := s.names[account.ID]
		fromList := account.Handle != "" && !apart
		if account.State == platform.AccountActive && !fromList && !asked.known(now) {
			return account.ID
		}
	}
	return ""
}

// handlesAreFound tells whether every handle that a channel claims by itself is
// that of a known account.
func (s *survey) handlesAreFound(held holds) bool {
	found := sets.New[string]()
	for _, account := range s.accounts {
		if handle := s.handle(account); handle != "" {
			found.Insert(handle)
		}
	}
	return found.IsSuperset(held.handles)
}

func (s *survey) handle(account platform.ListedAccount) string {
	return cmp.Or(account.Handle, s.names[account.ID].handle)
}

// unclaimed are the accounts that nobody holds, with their handles as far as
// they are known.
func (s *survey) unclaimed(held holds) []platform.ListedAccount {
	var found []platform.ListedAccount
	for _, account := range s.accounts {
		account.Handle = s.handle(account)
		if !held.has(account) {
			found = append(found, account)
		}
	}
	return found
}
