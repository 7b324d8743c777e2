// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

const pathMe = "/2/users/me"

// user is the part of the API's user that matters here.
type user struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

// Verify renews the session where that is due, and asks whose it is.
func (a *Adapter) Verify(ctx context.Context, account platform.Account) (platform.Identity, error) {
	var identity platform.Identity
	failure := a.withAccess(ctx, account, func(s session) *platform.Failure {
		if lacking := missing(s.scope, needed()); len(lacking) > 0 {
			return lacks(lacking)
		}
		var failure *platform.Failure
		if identity, failure = a.whoami(ctx, limiterKey(account), s.access); failure != nil {
			return failure
		}
		identity.ExpiresAt = s.expires
		identity.Renews = !s.refresh.IsEmpty()
		identity.RenewAt = s.renewAt()
		return nil
	})
	if failure != nil {
		return platform.Identity{}, failure
	}
	return identity, nil
}

// whoami asks whose an access token is.
func (a *Adapter) whoami(ctx context.Context, account string, token credentials.Value) (platform.Identity, *platform.Failure) {
	said, failure := ask[user](ctx, a, call{
		by: byUser, account: account, path: pathMe, query: url.Values{"user.fields": {"name,username"}}, token: token,
	})
	if failure != nil {
		return platform.Identity{}, failure
	}
	if said.Data == nil || !accountID.MatchString(said.Data.ID) {
		return platform.Identity{}, unexpected("X's answer does not name an account")
	}
	handle, err := a.NormaliseHandle(said.Data.Username)
	if err != nil {
		return platform.Identity{}, unexpected("X's answer does not name an account")
	}
	return platform.Identity{AccountID: said.Data.ID, Handle: handle, DisplayName: platform.OneLine(said.Data.Name)}, nil
}

// Deliverable is the access token of the kept session, else that of the source.
func (a *Adapter) Deliverable(ctx context.Context, account platform.Account) (credentials.Credential, error) {
	current, failure := load(ctx, account)
	if failure != nil {
		return credentials.Credential{}, failure
	}
	if current.access.IsEmpty() {
		return credentials.Credential{}, &platform.Failure{Class: platform.Transient, Message: "there is no access token yet: it comes with the first probe of the account"}
	}
	values := credentials.Values{valueAccessToken: current.access}
	if account.ID != "" {
		values[valueUserID] = credentials.NewValue(account.ID)
	}
	return credentials.Credential{Values: values, ExpiresAt: current.expires}, nil
}

// Revoke takes an access token back (POST /2/oauth2/revoke, RFC 7009), and no
// more than that: the grant that it came of stays; see the package comment.
// That the token is dead is checked, because RFC 7009 has a server answer 200
// whether it knew the token or not.
func (a *Adapter) Revoke(ctx context.Context, account platform.Account, credential credentials.Credential) (platform.Revocation, error) {
	token := strings.TrimSpace(credential.Values.Get(valueAccessToken))
	if !isToken(token) {
		return platform.Revocation{}, &platform.Failure{Class: platform.Permanent, Message: "the credential holds no access token of X under " + valueAccessToken}
	}
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	response, failure := a.post(ctx, limiterKey(account), account.Application, pathRevoke, form)
	if failure != nil {
		return platform.Revocation{}, failure
	}
	if response.Status != http.StatusOK {
		if failure = refused(byClient, response); failure.Class != platform.Revoked { // one that X does not know any more is gone
			return platform.Revocation{}, failure
		}
	}
	_, failure = a.whoami(ctx, limiterKey(account), credentials.NewValue(token))
	switch {
	case tokenRefused(failure):
		return platform.Revocation{EffectiveBy: a.clock.Now()}, nil
	case failure == nil:
		return platform.Revocation{}, unexpected("X says that it has revoked the access token, and still accepts it: revoke the application by hand in the account's settings, under connected apps")
	}
	return platform.Revocation{}, failure
}

// link is where a person sees a post.
func link(author, post string) string {
	if !accountID.MatchString(post) {
		return ""
	}
	if !username.MatchString(strings.ToLower(author)) {
		author = "i/web"
	}
	return "https://x.com/" + cmp.Or(author, "i/web") + "/status/" + post
}
