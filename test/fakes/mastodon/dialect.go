// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// dialect is in what the flavours differ.
type dialect struct {
	version        string
	software       string // as NodeInfo names it
	sourceURL      string
	accountID      func(serial int) string
	identityScopes []string // any of them opens verify_credentials
	readsAppScopes bool     // apps/verify_credentials tells scopes, to any token
	asksAboutApps  bool     // apps/verify_credentials exists
	hasDirectory   bool     // /api/v1/directory exists
	forgetsRevoked bool
	wantsUserAgent bool
	negotiates     bool // answers 406 where JSON is not accepted
	limitsOAuth    bool // rate limits also for /oauth
	formatReset    func(time.Time) string
	refuse         func(reason) refusal
	stateRefusals  map[State]reason
	revokeNeedsAll bool // every parameter of /oauth/revoke is asked for with 400
	pushes         encryption
	numbersIDs     bool // IDs of subscriptions, and of notifications in a push, are numbers
	tellsPolicy    bool // a subscription shows its policy and whether it is standard
	asksChallenge  bool // PKCE is known, and S256 alone is taken
	notificationID func(serial int) string
	statusID       func(serial int) string
}

// encryption is how a flavour encrypts its pushes.
type encryption int

const (
	pushLegacy     encryption = iota // as the draft has it
	pushAsAsked                      // as RFC 8291 has it where the subscription asks for that
	pushAsStandard                   // as RFC 8291 has it
)

// reason is why a request is refused.
type reason int

const (
	reasonUnknownToken reason = iota
	reasonRevokedToken
	reasonNoUser
	reasonScope
	reasonDisabled
	reasonUnconfirmed
	reasonPending
	reasonSuspended
	reasonNotFound
	reasonRateLimited
)

// refusal is an answer that refuses.
type refusal struct {
	status int
	text   string
}

func dialectOf(flavour Flavour) dialect {
	switch flavour {
	case GoToSocial019:
		return goToSocial()
	case Mastodon42:
		older := mastodon()
		older.version = "4.2.17"
		older.identityScopes = []string{"read:accounts"}
		older.readsAppScopes = false
		older.asksChallenge = false
		return older
	case Mastodon43:
		return mastodon()
	case Mastodon44:
		newer := mastodon()
		newer.version = "4.4.3"
		newer.pushes = pushAsAsked
		newer.tellsPolicy = true
		return newer
	}
	panic("mastodonfake: no such flavour: " + string(flavour))
}

func mastodon() dialect {
	return dialect{
		version:        "4.3.4",
		software:       "mastodon",
		sourceURL:      "https://github.com/mastodon/mastodon",
		accountID:      func(serial int) string { return fmt.Sprintf("1132%014d", serial) },
		identityScopes: []string{"profile", "read:accounts"},
		readsAppScopes: true,
		asksAboutApps:  true,
		hasDirectory:   true,
		numbersIDs:     true,
		asksChallenge:  true,
		notificationID: func(serial int) string { return strconv.Itoa(9_990 + serial) },
		statusID:       func(serial int) string { return fmt.Sprintf("1131%014d", serial) },
		formatReset:    func(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z") },
		refuse:         refuseAsMastodon,
		stateRefusals: map[State]reason{
			Disabled: reasonDisabled, Suspended: reasonDisabled, Unconfirmed: reasonUnconfirmed, Pending: reasonPending,
		},
	}
}

func refuseAsMastodon(why reason) refusal {
	switch why {
	case reasonUnknownToken:
		return refusal{http.StatusUnauthorized, "The access token is invalid"}
	case reasonRevokedToken:
		return refusal{http.StatusUnauthorized, "The access token was revoked"}
	case reasonNoUser:
		return refusal{http.StatusUnprocessableEntity, "This method requires an authenticated user"}
	case reasonScope:
		return refusal{http.StatusForbidden, "This action is outside the authorized scopes"}
	case reasonDisabled, reasonSuspended:
		return refusal{http.StatusForbidden, "Your login is currently disabled"}
	case reasonUnconfirmed:
		return refusal{http.StatusForbidden, "Your login is missing a confirmed e-mail address"}
	case reasonPending:
		return refusal{http.StatusForbidden, "Your login is currently pending approval"}
	case reasonRateLimited:
		return refusal{http.StatusTooManyRequests, "Too many requests"}
	case reasonNotFound:
	}
	return refusal{http.StatusNotFound, "Not Found"}
}

func goToSocial() dialect {
	return dialect{
		version:        "0.19.1+git-9d65fd8",
		software:       "gotosocial",
		sourceURL:      "https://codeberg.org/superseriousbusiness/gotosocial",
		accountID:      ulid,
		identityScopes: []string{"profile", "read:accounts"},
		forgetsRevoked: true,
		wantsUserAgent: true,
		negotiates:     true,
		limitsOAuth:    true,
		pushes:         pushAsStandard,
		tellsPolicy:    true,
		notificationID: ulid,
		statusID:       ulid,
		formatReset:    func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) },
		refuse:         refuseAsGoToSocial,
		stateRefusals: map[State]reason{
			Disabled: reasonNoUser, Unconfirmed: reasonNoUser, Pending: reasonNoUser, Suspended: reasonSuspended,
		},
		revokeNeedsAll: true,
	}
}

func refuseAsGoToSocial(why reason) refusal {
	switch why {
	case reasonUnknownToken, reasonRevokedToken:
		return refusal{http.StatusUnauthorized, "Unauthorized: token not supplied"}
	case reasonNoUser, reasonDisabled, reasonUnconfirmed, reasonPending:
		return refusal{http.StatusUnauthorized, "Unauthorized: user not supplied or not authorized"}
	case reasonSuspended:
		return refusal{http.StatusUnauthorized, "Unauthorized: account not supplied or not authorized"}
	case reasonScope:
		return refusal{http.StatusForbidden, "Forbidden: token has insufficient scope permission"}
	case reasonRateLimited:
		return refusal{http.StatusTooManyRequests, "rate limit reached"}
	case reasonNotFound:
	}
	return refusal{http.StatusNotFound, "Not Found"}
}

// ulid gives a ULID of a fixed time and a number: 26 characters of Crockford's
// Base32.
func ulid(serial int) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	id := []byte("01JCZQ8MS00000000000000000")
	for i := len(id) - 1; serial > 0; i-- {
		id[i] = alphabet[serial%len(alphabet)]
		serial /= len(alphabet)
	}
	return string(id)
}
