// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"cmp"
	"context"
	"regexp"
	"slices"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	pathVerifyAccount = "/api/v1/accounts/verify_credentials"
	pathVerifyApp     = "/api/v1/apps/verify_credentials"
)

// bearer is what an access token is made of (RFC 6750, section 2.1).
var bearer = regexp.MustCompile(`^[0-9A-Za-z._~+/-]{1,512}=*$`)

// Verify asks whose account the access token is of, and, where the server
// tells, whether the token's application may post. That is two requests with
// Mastodon from 4.3 on, else one.
func (a *Adapter) Verify(ctx context.Context, account platform.Account) (platform.Identity, error) {
	token, failure := accessToken(account.Source, keyAccessToken)
	if failure != nil {
		return platform.Identity{}, failure
	}
	from := callerOf(account, token)
	identity, failure := a.whoami(ctx, from)
	if failure != nil {
		return platform.Identity{}, failure
	}
	if failure := a.checkAppScopes(ctx, from); failure != nil {
		return platform.Identity{}, failure
	}
	return identity, nil
}

// accessToken gives the token under a key, or says what is wrong with it.
func accessToken(values credentials.Values, key string) (string, *platform.Failure) {
	token := trimmed(values, key)
	switch {
	case token == "":
		return "", &platform.Failure{Class: platform.Permanent, Message: "there is no access token: add the key " + key + " to the Secret"}
	case !bearer.MatchString(token):
		return "", &platform.Failure{Class: platform.Permanent, Message: "the value under " + key + " is not an access token: it holds spaces or other characters that none has"}
	}
	return token, nil
}

// credentialAccount is the part of the API's CredentialAccount that matters
// here (https://docs.joinmastodon.org/entities/Account/).
type credentialAccount struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	Acct        string `json:"acct"`
	DisplayName string `json:"display_name"`
}

func (a *Adapter) whoami(ctx context.Context, from caller) (platform.Identity, *platform.Failure) {
	var me credentialAccount
	if failure := a.get(ctx, pathVerifyAccount, from, &me); failure != nil {
		return platform.Identity{}, failure
	}
	return a.identity(me)
}

// identity reads what the server says of an account. What does not look like
// one is no answer.
func (a *Adapter) identity(me credentialAccount) (platform.Identity, *platform.Failure) {
	handle, err := a.NormaliseHandle(cmp.Or(me.Username, me.Acct))
	if err != nil || a.CheckAccountID(me.ID) != nil {
		return platform.Identity{}, unexpected("the server's answer does not name an account as the Mastodon API documents")
	}
	return platform.Identity{AccountID: me.ID, Handle: handle, DisplayName: platform.OneLine(me.DisplayName)}, nil
}

// checkAppScopes fails where the token's application may not post; see the
// package comment for what that tells.
func (a *Adapter) checkAppScopes(ctx context.Context, from caller) *platform.Failure {
	if a.hidesAppScopes.Load() {
		return nil
	}
	var app struct {
		Scopes []string `json:"scopes"`
	}
	if failure := a.get(ctx, pathVerifyApp, from, &app); failure != nil && !tellsNoScopes(failure) {
		return failure
	}
	if app.Scopes == nil {
		a.hidesAppScopes.Store(true)
		return nil
	}
	if slices.Contains(app.Scopes, "write") || slices.Contains(app.Scopes, "write:statuses") {
		return nil
	}
	return &platform.Failure{
		Class:   platform.InsufficientScope,
		Message: "the access token cannot post, because its application lacks the scope write:statuses: issue a token of an application with the scopes " + wantedScopes,
	}
}

// tellsNoScopes: before 4.3 the question needs the scope read, and other
// servers do not know it.
func tellsNoScopes(failure *platform.Failure) bool {
	return failure.Class == platform.InsufficientScope || failure.Class == platform.NotFound
}
