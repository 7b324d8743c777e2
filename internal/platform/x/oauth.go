// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	pathAuthorize = "/i/oauth2/authorize"
	pathToken     = "/2/oauth2/token"
	pathRevoke    = "/2/oauth2/revoke"
)

// needed are the scopes without which a channel is not in order.
func needed() []string {
	return []string{"tweet.read", "tweet.write", "users.read", "offline.access"}
}

// neededToSubscribe are those that X wants of an account that is subscribed to
// the Account Activity API, also where nobody asks for its direct messages.
func neededToSubscribe() []string { return []string{"tweet.read", "users.read", "dm.read", "dm.write"} }

// asked are the scopes that a person is asked to consent to.
func asked() []string { return append(needed(), "dm.read", "dm.write") }

// missing gives the scopes that a grant lacks; none where it is not known what
// was granted.
func missing(granted string, wanted []string) []string {
	if granted == "" {
		return nil
	}
	has := strings.Fields(granted)
	return slices.DeleteFunc(slices.Clone(wanted), func(scope string) bool { return slices.Contains(has, scope) })
}

// lacks is the Failure for a grant without the scopes.
func lacks(scopes []string) *platform.Failure {
	return &platform.Failure{
		Class:   platform.InsufficientScope,
		Message: "the consent lacks the scope " + strings.Join(scopes, ", ") + ": connect the account again with `rostra connect`",
	}
}

// tokenAnswer is a successful answer of the token endpoint (RFC 6749, section
// 5.1).
type tokenAnswer struct {
	AccessToken  string  `json:"access_token"`
	RefreshToken string  `json:"refresh_token"`
	TokenType    string  `json:"token_type"`
	ExpiresIn    float64 `json:"expires_in"`
	Scope        string  `json:"scope"`
}

// askToken asks the token endpoint. The session is what came of it; parts that
// X did not send are empty.
func (a *Adapter) askToken(ctx context.Context, account string, application credentials.Values, form url.Values) (session, *platform.Failure) {
	now := a.clock.Now()
	response, failure := a.post(ctx, account, application, pathToken, form)
	if failure != nil {
		return session{}, failure
	}
	if response.Status != http.StatusOK {
		return session{}, refused(byClient, response)
	}
	var said tokenAnswer
	if err := httpx.DecodeJSON(response, &said); err != nil {
		return session{}, platform.FromTransport(err)
	}
	if !isToken(said.AccessToken) || said.RefreshToken != "" && !isToken(said.RefreshToken) ||
		!strings.EqualFold(cmp.Or(said.TokenType, "bearer"), "bearer") {
		return session{}, unexpected("X's answer holds no access token as RFC 6749 documents it")
	}
	fresh := session{access: credentials.NewValue(said.AccessToken), issued: now, scope: strings.Join(strings.Fields(said.Scope), " ")}
	if said.RefreshToken != "" {
		fresh.refresh = credentials.NewValue(said.RefreshToken)
	}
	if said.ExpiresIn > 0 && said.ExpiresIn <= longestLife.Seconds() {
		fresh.expires = now.Add(time.Duration(said.ExpiresIn * float64(time.Second)))
	}
	return fresh, nil
}

// refresh redeems the refresh token of a session, once. What X does not send
// anew stays as it was.
func (a *Adapter) refresh(ctx context.Context, account platform.Account, old session) (session, *platform.Failure) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.refresh.Reveal()}}
	fresh, failure := a.askToken(ctx, limiterKey(account), account.Application, form)
	if failure != nil {
		return session{}, failure
	}
	if fresh.refresh.IsEmpty() {
		fresh.refresh = old.refresh
	}
	fresh.scope = cmp.Or(fresh.scope, old.scope)
	fresh.webhook = old.webhook
	return fresh, nil
}

// AuthorizationURL is X's consent page, or that of the server where it is not
// X.
func (a *Adapter) AuthorizationURL(application credentials.Values, request platform.AuthorizationRequest) (string, error) {
	id, _, failure := client(application)
	if failure != nil {
		return "", failure
	}
	if request.State == "" || request.Challenge == "" || request.RedirectURL == "" {
		return "", errors.New("a consent needs a redirect URL, a state and a challenge")
	}
	query := url.Values{
		"response_type":         {"code"},
		"client_id":             {id},
		"redirect_uri":          {request.RedirectURL},
		"scope":                 {strings.Join(asked(), " ")},
		"state":                 {request.State},
		"code_challenge":        {request.Challenge},
		"code_challenge_method": {"S256"},
	}
	page := a.server.URL(pathAuthorize, nil)
	if a.server.Host() == hostAPI {
		page = "https://x.com" + pathAuthorize
	}
	return page + "?" + strings.ReplaceAll(query.Encode(), "+", "%20"), nil
}

// Redeem exchanges a code. Without the scope offline.access there is no refresh
// token in what comes of it, and the account works until the access token ends.
func (a *Adapter) Redeem(ctx context.Context, application credentials.Values, grant platform.Grant) (platform.Granted, error) {
	fresh, failure := a.askToken(ctx, "", application, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {grant.Code},
		"code_verifier": {grant.Verifier},
		"redirect_uri":  {grant.RedirectURL},
	})
	switch {
	case grantRefused(failure):
		return platform.Granted{}, &platform.Failure{
			Class: platform.Permanent, Code: failure.Code,
			Message: "X does not accept the code: it was used, has expired, or is of another consent; begin again with `rostra connect`",
			Cause:   failure,
		}
	case failure != nil:
		return platform.Granted{}, failure
	}
	granted := platform.Granted{
		Source:    credentials.Values{sourceAccess: fresh.access},
		Missing:   missing(fresh.scope, needed()),
		ExpiresAt: fresh.expires,
	}
	if !fresh.refresh.IsEmpty() {
		granted.Source[sourceRefresh] = fresh.refresh
	}
	return granted, nil
}
