// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	pathApps      = "/api/v1/apps"
	pathAuthorize = "/oauth/authorize"
	pathToken     = "/oauth/token"

	formType = "application/x-www-form-urlencoded"

	// applicationName and applicationWebsite are what a person sees on the
	// consent page.
	applicationName    = "Rostra"
	applicationWebsite = "https://github.com/rostra-dev/rostra"

	// maxTokenLife bounds what a server says of a token's life.
	maxTokenLife = 10 * 365 * 24 * time.Hour
)

// consentScopes are those that a person is asked for.
func consentScopes() []string {
	return []string{"read:accounts", "read:statuses", "read:notifications", "write:statuses", "push"}
}

var (
	_ platform.Authorizer           = (*Adapter)(nil)
	_ platform.ApplicationRegistrar = (*Adapter)(nil)
)

// RegisterApplication registers Rostra at the server
// (https://docs.joinmastodon.org/methods/apps/#create). Each call makes another
// application.
func (a *Adapter) RegisterApplication(ctx context.Context, redirectURL string) (credentials.Values, error) {
	var made struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	}
	failure := a.postForm(ctx, pathApps, url.Values{
		"client_name":   {applicationName},
		"redirect_uris": {redirectURL},
		"scopes":        {strings.Join(consentScopes(), " ")},
		"website":       {applicationWebsite},
	}, &made)
	switch {
	case failure != nil:
		return nil, failure
	case made.ClientID == "" || made.ClientSecret == "":
		return nil, unexpected("the server's answer is not an application as the Mastodon API documents")
	}
	return credentials.Values{
		platform.ApplicationID:     credentials.NewValue(made.ClientID),
		platform.ApplicationSecret: credentials.NewValue(made.ClientSecret),
	}, nil
}

// AuthorizationURL implements platform.Authorizer
// (https://docs.joinmastodon.org/methods/oauth/#authorize). The person signs in
// anew, because the browser may be signed in to another account of the server.
// Servers before Mastodon 4.3 do not know the code challenge and ignore it.
func (a *Adapter) AuthorizationURL(application credentials.Values, request platform.AuthorizationRequest) (string, error) {
	id := trimmed(application, platform.ApplicationID)
	if id == "" {
		return "", errors.New("the application has no " + platform.ApplicationID)
	}
	return a.server.URL(pathAuthorize, url.Values{
		"response_type":         {"code"},
		"client_id":             {id},
		"redirect_uri":          {request.RedirectURL},
		"scope":                 {strings.Join(consentScopes(), " ")},
		"state":                 {request.State},
		"code_challenge":        {request.Challenge},
		"code_challenge_method": {"S256"},
		"force_login":           {"true"},
	}), nil
}

// Redeem implements platform.Authorizer
// (https://docs.joinmastodon.org/methods/oauth/#token). What is missing is what
// the answer's scope does not cover; an answer without one has granted what was
// asked for (RFC 6749, section 5.1).
func (a *Adapter) Redeem(ctx context.Context, application credentials.Values, grant platform.Grant) (platform.Granted, error) {
	id, secret := trimmed(application, platform.ApplicationID), trimmed(application, platform.ApplicationSecret)
	if id == "" || secret == "" {
		return platform.Granted{}, &platform.Failure{
			Class: platform.Permanent, Message: "the application's " + platform.ApplicationID + " or " + platform.ApplicationSecret + " is missing",
		}
	}
	var given struct {
		AccessToken string  `json:"access_token"`
		TokenType   string  `json:"token_type"`
		Scope       string  `json:"scope"`
		ExpiresIn   float64 `json:"expires_in"` // seconds; Mastodon's do not expire
	}
	failure := a.postForm(ctx, pathToken, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {grant.Code},
		"client_id":     {id},
		"client_secret": {secret},
		"redirect_uri":  {grant.RedirectURL},
		"code_verifier": {grant.Verifier},
	}, &given)
	switch {
	case failure != nil:
		return platform.Granted{}, redeemFailure(failure)
	case !bearer.MatchString(given.AccessToken) || !strings.EqualFold(given.TokenType, "Bearer"):
		return platform.Granted{}, unexpected("the server's answer is not an access token as the Mastodon API documents")
	}
	granted := platform.Granted{
		Source: credentials.Values{
			keyAccessToken:  credentials.NewValue(given.AccessToken),
			keyClientID:     credentials.NewValue(id),
			keyClientSecret: credentials.NewValue(secret),
		},
		Missing: missingScopes(given.Scope),
	}
	if seconds := given.ExpiresIn; seconds > 0 {
		granted.ExpiresAt = a.clock.Now().Add(time.Duration(math.Min(seconds, maxTokenLife.Seconds()) * float64(time.Second)))
	}
	return granted, nil
}

// missingScopes are the wanted scopes that a grant does not cover.
func missingScopes(scope string) []string {
	granted := map[string]bool{}
	for name := range strings.FieldsSeq(scope) {
		granted[name] = true
	}
	if len(granted) == 0 {
		return nil
	}
	var missing []string
	for _, wanted := range consentScopes() {
		whole, _, _ := strings.Cut(wanted, ":")
		if !granted[wanted] && !granted[whole] && !(wanted == "read:accounts" && granted["profile"]) {
			missing = append(missing, wanted)
		}
	}
	return missing
}

// redeemFailure says what OAuth's error codes mean to the person who was just
// sent through the consent page (RFC 6749, section 5.2).
func redeemFailure(failure *platform.Failure) *platform.Failure {
	class, message := failure.Class, failure.Message
	switch failure.Code {
	case "invalid_grant":
		class, message = platform.Permanent, "the code was used already, has expired, or is another request's: start again"
	case "invalid_client", "unauthorized_client":
		class, message = platform.Permanent, "the server does not know the application any more: register it again, then start again"
	case "invalid_scope":
		class, message = platform.InsufficientScope, "the application may not ask for the scopes that are needed: register it again with "+strings.Join(consentScopes(), " ")
	case "invalid_request":
		class, message = platform.Permanent, "the server takes the code for incomplete: start again"
	}
	return &platform.Failure{Class: class, Code: failure.Code, Message: message, RetryAt: failure.RetryAt, HeldBack: failure.HeldBack, Cause: failure.Cause}
}

// postForm sends a form on behalf of the application and decodes the answer.
func (a *Adapter) postForm(ctx context.Context, path string, form url.Values, into any) *platform.Failure {
	header := caller{}.header()
	header.Set("Content-Type", formType)
	return a.do(ctx, httpx.Request{Method: http.MethodPost, URL: a.server.URL(path, nil), Header: header, Body: []byte(form.Encode())}, into)
}
