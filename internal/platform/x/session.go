// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"context"
	"crypto/subtle"
	"errors"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// expiryMargin is the least life that an access token must have left to be
	// used. It covers the request itself and clocks that differ a little.
	expiryMargin = 10 * time.Second

	// assumedLife is when a token is renewed whose life X did not say.
	assumedLife = time.Hour

	// longestLife bounds what an answer may claim of a token's life.
	longestLife = 10 * 365 * 24 * time.Hour

	// soonest is how long after a renewal that failed for now the next is due
	// at the earliest.
	soonest = time.Minute

	// settlesDead and settlesLive are how long a refresh token must have been
	// refused before the grant counts as gone: another process may have redeemed
	// it and not yet stored what came of it. While the access token lives there
	// is time to be sure.
	settlesDead = 10 * time.Second
	settlesLive = 30 * time.Second

	// saveLimit bounds the storing of tokens that X has already rotated, which
	// goes on when the caller gives up.
	saveLimit = 10 * time.Second
)

// Keys of a stored session. Times are seconds since 1970.
const (
	keyAccess  = "access-token"
	keyRefresh = "refresh-token"
	keyIssued  = "issued-at"
	keyExpires = "expires-at"
	keyScope   = "scope"
	keyWebhook = "webhook-id"
)

// session is what Rostra holds of a person's grant.
type session struct {
	access  credentials.Value
	refresh credentials.Value
	// issued and expires are zero where X did not say.
	issued, expires time.Time
	// scope as granted, parted by spaces; empty where X did not say.
	scope string
	// webhook to which Rostra subscribed the account last: of several that have
	// the account, it is Rostra's.
	webhook string

	// again is when to ask for a renewal that failed for now; not stored.
	again time.Time
}

// sessionFrom reads a stored session. What is malformed counts as absent.
func sessionFrom(values credentials.Values) session {
	var s session
	if isToken(values.Get(keyAccess)) {
		s.access = values[keyAccess]
	}
	if isToken(values.Get(keyRefresh)) {
		s.refresh = values[keyRefresh]
	}
	s.issued, s.expires = seconds(values.Get(keyIssued)), seconds(values.Get(keyExpires))
	s.scope = values.Get(keyScope)
	if accountID.MatchString(values.Get(keyWebhook)) {
		s.webhook = values.Get(keyWebhook)
	}
	return s
}

func seconds(text string) time.Time {
	const last = 253402300799 // 9999-12-31T23:59:59Z
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number <= 0 || number > last {
		return time.Time{}
	}
	return time.Unix(number, 0)
}

// same tells whether two tokens are one.
func same(one, other credentials.Value) bool {
	return subtle.ConstantTimeCompare([]byte(one.Reveal()), []byte(other.Reveal())) == 1
}

func (s session) values() credentials.Values {
	values := credentials.Values{}
	for key, text := range map[string]string{
		keyAccess: s.access.Reveal(), keyRefresh: s.refresh.Reveal(), keyScope: s.scope, keyWebhook: s.webhook,
	} {
		if text != "" {
			values[key] = credentials.NewValue(text)
		}
	}
	for key, at := range map[string]time.Time{keyIssued: s.issued, keyExpires: s.expires} {
		if !at.IsZero() {
			values[key] = credentials.NewValue(strconv.FormatInt(at.Unix(), 10))
		}
	}
	return values
}

// hasTokens tells whether the session holds tokens at all. One that does not
// begins with those of the source.
func (s session) hasTokens() bool { return !s.access.IsEmpty() || !s.refresh.IsEmpty() }

// live tells whether the access token can be used. One whose expiry is unknown
// is tried.
func (s session) live(now time.Time) bool {
	return !s.access.IsEmpty() && (s.expires.IsZero() || now.Add(expiryMargin).Before(s.expires))
}

// renewAt is when a third of the access token's life is left; zero where the
// session cannot be renewed.
func (s session) renewAt() time.Time {
	switch {
	case s.refresh.IsEmpty():
		return time.Time{}
	case !s.again.IsZero():
		return s.again
	case s.access.IsEmpty():
		return s.issued
	case s.expires.IsZero() || s.issued.IsZero():
		return s.issued.Add(assumedLife)
	}
	return s.expires.Add(-s.expires.Sub(s.issued) / 3)
}

func (s session) due(now time.Time) bool {
	return !s.refresh.IsEmpty() && !now.Before(s.renewAt())
}

// spoilt tells whether the access token is to be renewed because somebody has
// it who must not. One that was renewed a moment ago is not the one they have.
func (s session) spoilt(account platform.Account, now time.Time) bool {
	return account.Renew && !s.refresh.IsEmpty() && now.Sub(s.issued) > soonest
}

// load gives the account's session: the stored one, else the source
// credential as it was given.
func load(ctx context.Context, account platform.Account) (session, *platform.Failure) {
	var s session
	if account.Sessions != nil {
		values, err := account.Sessions.Load(ctx)
		if err != nil {
			return session{}, storeFailure("the stored session cannot be read", err)
		}
		s = sessionFrom(values)
	}
	if s.hasTokens() {
		return s, nil
	}
	return fromSource(account.Source, s.webhook)
}

// fromSource reads the source credential.
func fromSource(source credentials.Values, webhook string) (session, *platform.Failure) {
	s := session{webhook: webhook}
	for _, key := range []string{sourceRefresh, sourceAccess} {
		token := trimmed(source, key)
		if token != "" && !isToken(token) {
			return session{}, &platform.Failure{Class: platform.Permanent, Message: "the value under " + key + " is not a token of X: it holds spaces or other characters that none has"}
		}
		if token == "" {
			continue
		}
		if key == sourceRefresh {
			s.refresh = credentials.NewValue(token)
		} else {
			s.access = credentials.NewValue(token)
		}
	}
	if !s.hasTokens() {
		return session{}, &platform.Failure{
			Class:   platform.Permanent,
			Message: "the source Secret holds no token of X: connect the account with `rostra connect`, or add the key " + sourceRefresh + ", or " + sourceAccess + " for the two hours that one works",
		}
	}
	return s, nil
}

// withAccess runs use with a session whose access token can be used. Where X
// no longer takes that token, it is renewed and use runs once more.
func (a *Adapter) withAccess(ctx context.Context, account platform.Account, use func(session) *platform.Failure) *platform.Failure {
	current, failure := a.open(ctx, account)
	if failure != nil {
		return failure
	}
	failure = use(current)
	if !tokenRefused(failure) || current.refresh.IsEmpty() {
		return failure
	}
	current, failure = a.replace(ctx, account, current.access)
	if failure != nil {
		return failure
	}
	if failure = use(current); tokenRefused(failure) {
		return unexpected("X refuses the access token that it has just given")
	}
	return failure
}

func tokenRefused(failure *platform.Failure) bool {
	if failure == nil {
		return false
	}
	cause, ok := errors.AsType[*refusal](failure)
	return ok && cause.token
}

func grantRefused(failure *platform.Failure) bool {
	if failure == nil {
		return false
	}
	cause, ok := errors.AsType[*refusal](failure)
	return ok && cause.grant
}

// open gives the session, renewed where that is due. While the access token
// still lives, a renewal that fails for now is tried again later.
func (a *Adapter) open(ctx context.Context, account platform.Account) (session, *platform.Failure) {
	return a.inTurn(ctx, account, func() (session, *platform.Failure) {
		current, failure := load(ctx, account)
		if failure != nil {
			return session{}, failure
		}
		now := a.clock.Now()
		if !current.due(now) && !current.spoilt(account, now) {
			return current, nil
		}
		lives := !current.expires.IsZero() && current.live(now)
		patience := settlesDead
		if lives {
			patience = settlesLive
		}
		renewed, failure := a.renew(ctx, account, current, patience)
		if failure == nil || !lives || !failure.Class.Passing() {
			return renewed, failure
		}
		current.again = now.Add(soonest)
		if !grantRefused(failure) {
			current.again = now.Add(max(current.expires.Sub(now)/4, soonest))
		}
		return current, nil
	})
}

// replace gives another session than the one with the access token that X
// refuses.
func (a *Adapter) replace(ctx context.Context, account platform.Account, refusedToken credentials.Value) (session, *platform.Failure) {
	return a.inTurn(ctx, account, func() (session, *platform.Failure) {
		current, failure := load(ctx, account)
		if failure != nil {
			return session{}, failure
		}
		if current.live(a.clock.Now()) && !same(current.access, refusedToken) {
			return current, nil
		}
		return a.renew(ctx, account, current, settlesDead)
	})
}

// renew redeems the refresh token for a new pair, and stores that before it is
// used. A refresh token works once, so that a refusal may only mean that
// somebody else was first: then theirs is the session. A token that was refused
// is not sent again before patience has passed, since X may end a grant whose
// spent token comes back.
func (a *Adapter) renew(ctx context.Context, account platform.Account, old session, patience time.Duration) (session, *platform.Failure) {
	fresh, parked := a.parked.take(old.refresh)
	if parked {
		return a.keep(ctx, account, old, fresh)
	}
	if before := a.refusals.of(old.refresh); before.waits(a.clock.Now(), patience) {
		return session{}, before.failure(patience)
	}
	fresh, failure := a.refresh(ctx, account, old)
	switch {
	case grantRefused(failure):
		return a.afterRefusal(ctx, account, old, failure, patience)
	case failure != nil:
		return session{}, failure
	}
	return a.keep(ctx, account, old, fresh)
}

// afterRefusal gives the session that another process has made of the refresh
// token meanwhile. Where there is none yet, that process may still be storing
// it; only a refusal that lasts says that the grant is gone.
func (a *Adapter) afterRefusal(ctx context.Context, account platform.Account, old session, failure *platform.Failure, patience time.Duration) (session, *platform.Failure) {
	other, loadFailure := load(ctx, account)
	if loadFailure != nil {
		return session{}, loadFailure
	}
	now := a.clock.Now()
	if !same(other.refresh, old.refresh) {
		if other.live(now) {
			return other, nil
		}
		return session{}, storeFailure(wordsReplaced, platform.ErrSessionConflict)
	}
	first := a.refusals.note(old.refresh, failure, now)
	if first.waits(now, patience) {
		return session{}, first.failure(patience)
	}
	return session{}, &platform.Failure{
		Class:   platform.Revoked,
		Code:    failure.Code,
		Message: wordsGrant + "; connect the account again with `rostra connect`",
		Cause:   failure,
	}
}

const wordsReplaced = "the stored session was changed by another writer"

// keep stores a session durably, before anybody uses it. That goes on when ctx
// ends: X has rotated the tokens already. Where another writer has changed what
// is stored and not the tokens, its change is kept; where it has changed the
// tokens, its are used. What cannot be stored waits for the next call.
func (a *Adapter) keep(ctx context.Context, account platform.Account, old, fresh session) (session, *platform.Failure) {
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	err := save(saving, account, fresh)
	if errors.Is(err, platform.ErrSessionConflict) {
		other, failure := load(saving, account)
		if failure != nil {
			a.parked.put(old.refresh, fresh)
			return session{}, failure
		}
		if !same(other.refresh, old.refresh) {
			if other.live(a.clock.Now()) {
				return other, nil
			}
			return session{}, storeFailure(wordsReplaced, err)
		}
		fresh.webhook = other.webhook
		err = save(saving, account, fresh)
	}
	if err != nil {
		a.parked.put(old.refresh, fresh)
		return session{}, storeFailure("the renewed session cannot be stored, and is not used before it is", err)
	}
	return fresh, nil
}

func save(ctx context.Context, account platform.Account, s session) error {
	if account.Sessions == nil {
		return errors.New("there is no place for it")
	}
	return account.Sessions.Save(ctx, s.values())
}

// remember keeps the webhook to which the account is subscribed, so that it is
// known from the application's others. Where it cannot be kept it is looked for
// again.
func (a *Adapter) remember(ctx context.Context, account platform.Account, webhook string) *platform.Failure {
	_, failure := a.inTurn(ctx, account, func() (session, *platform.Failure) {
		current, failure := load(ctx, account)
		if failure != nil || current.webhook == webhook || account.Sessions == nil {
			return current, failure
		}
		current.webhook = webhook
		if err := save(ctx, account, current); err != nil && !errors.Is(err, platform.ErrSessionConflict) {
			return session{}, storeFailure("the subscription cannot be noted", err)
		}
		return current, nil
	})
	return failure
}

func storeFailure(message string, cause error) *platform.Failure {
	return &platform.Failure{Class: platform.Transient, Message: message, Cause: cause}
}
