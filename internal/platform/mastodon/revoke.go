// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"net/http"
	"net/url"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const pathRevoke = "/oauth/revoke"

// byHand is what remains where the API does not help.
const byHand = "revoke it by hand in the account's settings, under authorised applications"

// Revoke takes an access token back (POST /oauth/revoke, RFC 7009) with the
// client credentials in the account's source. The token is dead at once; that
// is checked, because some servers answer 200 whatever they have done.
//
// Without client credentials, or with those of another application, a token
// that still works is an InsufficientScope failure: a person must add the right
// ones or revoke by hand.
func (a *Adapter) Revoke(ctx context.Context, account platform.Account, credential credentials.Credential) (platform.Revocation, error) {
	token, failure := accessToken(credential.Values, valueAccessToken)
	if failure != nil {
		return platform.Revocation{}, failure
	}
	from := callerOf(account, token)
	obstacle, failure := a.askToRevoke(ctx, from, account.Source)
	if failure != nil {
		return platform.Revocation{}, failure
	}
	works, failure := a.works(ctx, from)
	switch {
	case failure != nil:
		return platform.Revocation{}, failure
	case !works:
		return platform.Revocation{EffectiveBy: a.clock.Now()}, nil
	case obstacle != nil:
		return platform.Revocation{}, obstacle
	}
	return platform.Revocation{}, unexpected("the server says that it has revoked the access token, and still accepts it: " + byHand)
}

// askToRevoke asks the server to revoke the caller's token. An obstacle is why
// this cannot be had from the server; it matters only where the token still
// works.
func (a *Adapter) askToRevoke(ctx context.Context, from caller, source credentials.Values) (obstacle, failure *platform.Failure) {
	id, secret := trimmed(source, keyClientID), trimmed(source, keyClientSecret)
	if id == "" || secret == "" {
		return &platform.Failure{
			Class:   platform.InsufficientScope,
			Message: "the access token still works and cannot be revoked without its application: add " + keyClientID + " and " + keyClientSecret + " to the source Secret, or " + byHand,
		}, nil
	}
	form := url.Values{"client_id": {id}, "client_secret": {secret}, "token": {from.token}}
	response, err := a.http.Do(ctx, httpx.Request{
		Account: from.account,
		Method:  http.MethodPost,
		URL:     a.server.URL(pathRevoke, nil),
		Header:  http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}},
		Body:    []byte(form.Encode()),
	})
	switch {
	case err != nil:
		return nil, platform.FromTransport(err)
	case response.Status == http.StatusOK: // RFC 7009, section 2.2: the body says nothing
		return nil, nil
	}
	return obstacleOf(classify(response))
}

// obstacleOf parts refusals that will stay from those that may pass. The
// server refuses the client where it does not know it, where the secret is
// wrong, and where the token is another client's.
func obstacleOf(refusal *platform.Failure) (obstacle, failure *platform.Failure) {
	switch refusal.Class {
	case platform.Unauthorized, platform.InsufficientScope:
		return &platform.Failure{
			Class: platform.InsufficientScope,
			Code:  refusal.Code,
			Message: "the server does not let this application revoke the access token: put the " + keyClientID + " and " + keyClientSecret +
				" of the application that it was issued to into the source Secret, or " + byHand,
		}, nil
	case platform.NotFound:
		return &platform.Failure{Class: platform.Permanent, Message: "the server cannot revoke access tokens by API: " + byHand}, nil
	case platform.Revoked, platform.RateLimited, platform.PolicyBlocked, platform.Conflict, platform.Transient, platform.Permanent, platform.Unknown:
	}
	return nil, refusal
}

// works tells whether the server still knows the caller's token. Only a clear
// refusal of the token means that it does not.
func (a *Adapter) works(ctx context.Context, from caller) (bool, *platform.Failure) {
	_, failure := a.whoami(ctx, from)
	if failure == nil {
		return true, nil
	}
	switch failure.Class {
	case platform.Unauthorized, platform.Revoked:
		return false, nil
	case platform.InsufficientScope, platform.PolicyBlocked:
		return true, nil // the server knows the token, or it would not come to that
	case platform.RateLimited, platform.NotFound, platform.Conflict, platform.Transient, platform.Permanent, platform.Unknown:
	}
	return false, failure
}
