// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"errors"
	"sync"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// grant is what a person granted, until it is stored or given back.
type grant struct {
	subject *Subject
	granted platform.Granted
	account platform.Account
	session *session
}

// connect redeems the code, and stores what it was redeemed for if that is the
// channel's account with all that the channel needs.
func (h *handler) connect(ctx context.Context, subject *Subject, pending Pending, code, again string) outcome {
	handle, err := subject.Adapter.NormaliseHandle(subject.Handle)
	if err != nil {
		return outcome{result: resultNotOffered, page: pageNotOffered("the handle in the manifest cannot be one: " + err.Error())}
	}
	application := applicationOf(subject, pending.Application)
	granted, err := subject.Authorizer.Redeem(ctx, application, platform.Grant{
		Code: code, Verifier: pending.Verifier.Reveal(), RedirectURL: h.redirectURL(subject),
	})
	if err != nil {
		o := platformOutcome(subject, err, pageNotFinished)
		o.page = o.page.StartAgain(again)
		return o
	}
	opened := &session{}
	g := grant{
		subject: subject, granted: granted, session: opened,
		// The ID is for an adapter that must choose among several accounts of one
		// person; whose it is, is judged by what it answers.
		account: platform.Account{Handle: handle, ID: subject.AccountID, Source: granted.Source, Application: application, Sessions: opened},
	}
	if len(granted.Missing) > 0 {
		return outcome{result: resultMissingScopes, page: pageMissingScopes(subject, granted.Missing, g.giveBack(ctx), again)}
	}
	identity, err := subject.Adapter.Verify(ctx, g.account)
	if err != nil {
		o := platformOutcome(subject, err, pageNotFinished)
		o.page = o.page.Noted(backNote(subject, g.giveBack(ctx))).StartAgain(again)
		return o
	}
	if !isSubject(subject, handle, identity) {
		return outcome{result: resultWrongAccount, page: pageWrongAccount(subject, identity, g.giveBack(ctx), again)}
	}
	err = h.store.Connected(ctx, subject.UID, granted.Source, opened.stored(), identity)
	if errors.Is(err, ErrNotOffered) || errors.Is(err, ErrUnknown) {
		o := subjectOutcome(err)
		o.page = o.page.Noted(backNote(subject, g.giveBack(ctx)))
		return o
	}
	if err != nil {
		// Nothing is given back: the Store may have it, with its answer lost,
		// and a credential that is stored must work.
		o := storeOutcome(err)
		o.page = o.page.Noted(noteUnstored).StartAgain(again)
		return o
	}
	return outcome{result: resultConnected, page: pageConnected(subject, identity, granted)}
}

// isSubject tells whether the account is the channel's: the pinned one, or,
// where none is pinned, the one with the declared handle.
func isSubject(subject *Subject, handle string, identity platform.Identity) bool {
	if subject.AccountID != "" {
		return identity.AccountID == subject.AccountID
	}
	return identity.AccountID != "" && identity.Handle == handle
}

// giveBack ends at the platform the access that was granted and will not be
// kept. It tells whether that was done: where the adapter cannot, or the
// platform does not, the person can.
func (g grant) giveBack(ctx context.Context) bool {
	revoker, can := g.subject.Adapter.(platform.Revoker)
	if !can {
		return false
	}
	credential, err := g.subject.Adapter.Deliverable(ctx, g.account)
	if err != nil {
		return false
	}
	_, err = revoker.Revoke(ctx, g.account, credential)
	return err == nil
}

// session keeps the session of an account that is being connected. A refresh
// token that was rotated on the way is not lost: the last one is stored with
// the source.
type session struct {
	mu    sync.Mutex
	saved credentials.Values
}

var _ platform.SessionStore = (*session)(nil)

// Load implements platform.SessionStore.
func (s *session) Load(context.Context) (credentials.Values, error) { return s.stored(), nil }

// Save implements platform.SessionStore.
func (s *session) Save(_ context.Context, values credentials.Values) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = values
	return nil
}

func (s *session) stored() credentials.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved
}
