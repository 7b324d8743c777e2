// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"context"
	"errors"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// expiryMargin is the least life that an access token must have left to be
	// used. It covers the request itself and clocks that differ a little; where
	// they differ more, the server's ExpiredToken leads to a refresh as well.
	expiryMargin = 2 * time.Minute

	// saveLimit bounds the storing of tokens that the server has already
	// rotated, which goes on when the caller gives up.
	saveLimit = 10 * time.Second

	keyDID     = "did"
	keyAccess  = "access-jwt"
	keyRefresh = "refresh-jwt"
)

// session is a login at the server.
type session struct {
	did     string
	access  credentials.Value
	refresh credentials.Value
}

// sessionFrom reads a stored session. What is malformed counts as absent: the
// way back is to log in anew.
func sessionFrom(values credentials.Values) session {
	var s session
	if did := values.Get(keyDID); checkDID(did) == nil {
		s.did = did
	}
	if isToken(values.Get(keyAccess)) {
		s.access = values[keyAccess]
	}
	if isToken(values.Get(keyRefresh)) {
		s.refresh = values[keyRefresh]
	}
	return s
}

func (s session) values() credentials.Values {
	return credentials.Values{
		keyDID:     credentials.NewValue(s.did),
		keyAccess:  s.access,
		keyRefresh: s.refresh,
	}
}

// live tells whether the access token can be used. One that does not say when
// it expires is tried.
func (s session) live(now time.Time) bool {
	if s.access.IsEmpty() {
		return false
	}
	expiry := readClaims(s.access.Reveal()).expiry
	return expiry.IsZero() || now.Add(expiryMargin).Before(expiry)
}

// renewable tells whether an error says that another access token may help.
func renewable(err error) bool {
	answer, ok := errors.AsType[*refusal](err)
	return ok && answer.renew
}

// load gives the stored session; an empty one where there is none.
func load(ctx context.Context, store platform.SessionStore) (session, error) {
	values, err := store.Load(ctx)
	if err != nil {
		return session{}, storeFailure("the stored session cannot be read", err)
	}
	return sessionFrom(values), nil
}

// withSession runs use with a session for the account: the stored one while it
// lives, else a renewed one. Where the server no longer takes the stored
// session, it is renewed and use runs once more.
func (a *adapter) withSession(ctx context.Context, account platform.Account, use func(session) error) error {
	current, err := load(ctx, account.Sessions)
	if err != nil {
		return err
	}
	if current.live(a.clock.Now()) {
		if err := sameAccount(account, current.did); err != nil {
			return err
		}
		if err := use(current); !renewable(err) {
			return err
		}
	}
	current, _, err = a.renew(ctx, account, current)
	if err != nil {
		return err
	}
	if err := sameAccount(account, current.did); err != nil {
		return err
	}
	return afterRenewal(use(current))
}

// afterRenewal keeps the refusal of a token that the server has only just
// given from being taken for a refusal of the source credential.
func afterRenewal(err error) error {
	if !renewable(err) {
		return err
	}
	return strange("it refuses the access token that it has just given")
}

// renew replaces a session that is used up, and stores the new one before it
// is used. The answer is what the server said of the account; it is nil where
// another writer was first and its session is given. Only where the server
// refuses the refresh token is a new session opened, since logins are few: 30
// in five minutes and 300 a day.
func (a *adapter) renew(ctx context.Context, account platform.Account, old session) (session, *accountAnswer, error) {
	if !old.refresh.IsEmpty() {
		answer, err := a.refreshSession(ctx, account, old.refresh)
		if err == nil {
			return a.keep(ctx, account, answer)
		}
		if !renewable(err) {
			return session{}, nil, err
		}
	}
	answer, err := a.logIn(ctx, account, old)
	if err != nil {
		return session{}, nil, err
	}
	kept, said, err := a.keep(ctx, account, answer)
	if errors.Is(err, platform.ErrSessionConflict) || (err == nil && said == nil) {
		// Nobody will use this login; where it cannot be ended it expires.
		_ = a.deleteSession(ctx, account, credentials.NewValue(answer.RefreshJWT))
	}
	return kept, said, err
}

// keep stores a session durably, before anybody uses it. That goes on when ctx
// ends: the server has rotated the tokens already.
func (a *adapter) keep(ctx context.Context, account platform.Account, answer sessionAnswer) (session, *accountAnswer, error) {
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	fresh := answer.session()
	err := account.Sessions.Save(saving, fresh.values())
	switch {
	case err == nil:
		return fresh, &answer.accountAnswer, nil
	case !errors.Is(err, platform.ErrSessionConflict):
		return session{}, nil, storeFailure("the session cannot be stored", err)
	}
	other, loadErr := load(ctx, account.Sessions)
	if loadErr != nil {
		return session{}, nil, storeFailure("the stored session was changed by another writer and cannot be read", errors.Join(err, loadErr))
	}
	if !other.live(a.clock.Now()) {
		return session{}, nil, storeFailure("the stored session was changed by another writer", err)
	}
	return other, nil, nil
}

// logIn opens a session with the source credential. It is asked once: a
// password that is refused stays refused.
func (a *adapter) logIn(ctx context.Context, account platform.Account, old session) (sessionAnswer, error) {
	source := readSource(account, old.did)
	if source.password.IsEmpty() {
		return sessionAnswer{}, &platform.Failure{Class: platform.Permanent, Message: "the source credential has no " + sourcePassword + ": put the account's password there"}
	}
	answer, err := a.createSession(ctx, limiterKey(account), source.identifier, source.password)
	if platform.ClassOf(err) != platform.Unauthorized {
		return answer, err
	}
	return sessionAnswer{}, a.explainRefusedLogin(ctx, account, old, err)
}

// explainRefusedLogin tells the reasons apart for which a server says that a
// password is wrong: it says so of an app password while the account is taken
// down, too. The state of an account is public.
func (a *adapter) explainRefusedLogin(ctx context.Context, account platform.Account, old session, refused error) error {
	did := account.ID
	if did == "" {
		did = old.did
	}
	if did != "" {
		var state struct {
			Active *bool  `json:"active"`
			Status string `json:"status"`
		}
		request := call{account: limiterKey(account), method: methodGetRepoStatus, query: map[string][]string{"did": {did}}}
		// An error here leaves the answer to the login as it was.
		if err := a.ask(ctx, request, &state); err == nil && state.Active != nil && !*state.Active {
			return inactive(state.Status)
		}
	}
	if old.refresh.IsEmpty() {
		return refused
	}
	return &platform.Failure{
		Class:   platform.Revoked,
		Message: "the server accepted this password before and does so no more: it was changed or revoked",
		Cause:   refused,
	}
}

func (a *adapter) createSession(ctx context.Context, key, identifier string, password credentials.Value) (sessionAnswer, error) {
	input := struct {
		Identifier string `json:"identifier"`
		Password   string `json:"password"`
	}{identifier, password.Reveal()}
	return a.askSession(ctx, call{account: key, method: methodCreateSession, procedure: true, input: input})
}

func (a *adapter) refreshSession(ctx context.Context, account platform.Account, refresh credentials.Value) (sessionAnswer, error) {
	return a.askSession(ctx, call{account: limiterKey(account), method: methodRefreshSession, procedure: true, token: refresh})
}

func (a *adapter) askSession(ctx context.Context, c call) (sessionAnswer, error) {
	var answer sessionAnswer
	if err := a.ask(ctx, c, &answer); err != nil {
		return sessionAnswer{}, err
	}
	if err := answer.check(); err != nil {
		return sessionAnswer{}, err
	}
	return answer, nil
}

func (a *adapter) getSession(ctx context.Context, account platform.Account, access credentials.Value) (accountAnswer, error) {
	var answer accountAnswer
	if err := a.ask(ctx, call{account: limiterKey(account), method: methodGetSession, token: access}, &answer); err != nil {
		return accountAnswer{}, err
	}
	if err := answer.check(); err != nil {
		return accountAnswer{}, err
	}
	return answer, nil
}

// deleteSession ends the login that a refresh token belongs to. One that the
// server knows no more is a success.
func (a *adapter) deleteSession(ctx context.Context, account platform.Account, refresh credentials.Value) error {
	err := a.ask(ctx, call{account: limiterKey(account), method: methodDeleteSession, procedure: true, token: refresh}, nil)
	if renewable(err) {
		return nil
	}
	return err
}

// sameAccount refuses to act for another account than the channel's.
func sameAccount(account platform.Account, did string) error {
	if account.ID == "" || did == "" || account.ID == did {
		return nil
	}
	return &platform.Failure{
		Class:   platform.Permanent,
		Message: "the source credential is for another account (" + did + ") than the channel's: give that of " + account.ID,
	}
}

func storeFailure(message string, cause error) *platform.Failure {
	return &platform.Failure{Class: platform.Transient, Message: message, Cause: cause}
}
