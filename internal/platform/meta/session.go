// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Keys of a kept session.
const (
	sessionUserToken   = "user-token"
	sessionUserExpires = "user-expires-at"
	sessionExchanged   = "exchanged-at"
	sessionPageToken   = "page-token"
	sessionPageID      = "page-id"
)

const (
	// renewAhead is how long before its end a user token is exchanged again. It
	// leaves a fortnight for an outage, or for a person.
	renewAhead = 14 * 24 * time.Hour
	// renewPause is between two exchanges: Meta extends a token once a day at
	// most.
	renewPause = 24 * time.Hour
	// consentNotice is how long before the end of the app's access to a person's
	// data that end counts as the credential's.
	consentNotice = 30 * 24 * time.Hour
)

// session is what is kept of an account.
type session struct {
	userToken   credentials.Value // empty where the source is a Page's token
	userExpires time.Time         // zero for never
	exchanged   time.Time         // when the user token was last exchanged
	pageToken   credentials.Value
	pageID      string
}

// sessionFrom reads a stored session. What is malformed counts as absent.
func sessionFrom(values credentials.Values) session {
	read := session{userExpires: unixOf(values.Get(sessionUserExpires)), exchanged: unixOf(values.Get(sessionExchanged))}
	if isToken(values.Get(sessionUserToken)) {
		read.userToken = values[sessionUserToken]
	}
	if id := values.Get(sessionPageID); accountID.MatchString(id) && isToken(values.Get(sessionPageToken)) {
		read.pageToken, read.pageID = values[sessionPageToken], id
	}
	return read
}

// epoch begins a time that is kept, in seconds since 1970.
const epoch = "epoch "

func unixOf(text string) time.Time {
	seconds, err := strconv.ParseInt(strings.TrimPrefix(text, epoch), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return timeOf(seconds)
}

// timeOf gives the time of seconds since 1970; zero for what is none. Meta
// writes 0 for never.
func timeOf(seconds int64) time.Time {
	const lastSecond = 253402300799 // 9999-12-31T23:59:59Z
	if seconds <= 0 || seconds > lastSecond {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func (s session) values() credentials.Values {
	values := credentials.Values{}
	for key, token := range map[string]credentials.Value{sessionUserToken: s.userToken, sessionPageToken: s.pageToken} {
		if !token.IsEmpty() {
			values[key] = token
		}
	}
	for key, at := range map[string]time.Time{sessionUserExpires: s.userExpires, sessionExchanged: s.exchanged} {
		if !at.IsZero() {
			values[key] = credentials.NewValue(epoch + strconv.FormatInt(at.Unix(), 10))
		}
	}
	if s.pageID != "" {
		values[sessionPageID] = credentials.NewValue(s.pageID)
	}
	return values
}

// isOf tells whether the session holds a token of the account's Page. Where the
// account is known by its username alone, that shows only at Meta.
func (s session) isOf(account platform.Account) bool {
	switch {
	case s.pageToken.IsEmpty():
		return false
	case account.ID != "":
		return account.ID == s.pageID
	case accountID.MatchString(account.Handle):
		return account.Handle == s.pageID
	}
	return true
}

// renewable tells whether the user token can be exchanged again.
func (s session) renewable(now time.Time) bool {
	return !s.userToken.IsEmpty() && !s.userExpires.IsZero() && now.Before(s.userExpires)
}

// renewAt is when the user token is to be exchanged again.
func (s session) renewAt() time.Time {
	at := s.userExpires.Add(-renewAhead)
	if next := s.exchanged.Add(renewPause); !s.exchanged.IsZero() && next.After(at) {
		return next
	}
	return at
}

func (s session) due(now time.Time) bool { return s.renewable(now) && !now.Before(s.renewAt()) }

// lapses fills in when what is delivered ends, and who renews it; the package
// comment says what that means here.
func (s session) lapses(identity platform.Identity, info tokenInfo, now time.Time) platform.Identity {
	identity.ExpiresAt = timeOf(info.ExpiresAt)
	if consent := timeOf(info.DataAccessExpiresAt); !consent.IsZero() && !now.Add(consentNotice).Before(consent) {
		if identity.ExpiresAt.IsZero() || consent.Before(identity.ExpiresAt) {
			identity.ExpiresAt = consent
		}
		return identity
	}
	if s.renewable(now) {
		identity.Renews, identity.RenewAt = true, s.renewAt()
	}
	return identity
}

// load gives the stored session; an empty one where there is none.
func load(ctx context.Context, store platform.SessionStore) (session, error) {
	values, err := store.Load(ctx)
	if err != nil {
		return session{}, storeFailure("the stored session cannot be read", err)
	}
	return sessionFrom(values), nil
}

// keep stores a session durably, before anybody uses it. Where another writer
// was first, that one's session is given in its place, if it is of the account.
func keep(ctx context.Context, account platform.Account, fresh session) (session, error) {
	err := account.Sessions.Save(ctx, fresh.values())
	switch {
	case err == nil:
		return fresh, nil
	case !errors.Is(err, platform.ErrSessionConflict):
		return session{}, storeFailure("the session cannot be stored", err)
	}
	other, loadErr := load(ctx, account.Sessions)
	if loadErr != nil {
		return session{}, loadErr
	}
	if !other.isOf(account) {
		return session{}, storeFailure("the stored session was changed by another writer", err)
	}
	return other, nil
}

func storeFailure(message string, cause error) *platform.Failure {
	return &platform.Failure{Class: platform.Transient, Message: message, Cause: cause}
}
