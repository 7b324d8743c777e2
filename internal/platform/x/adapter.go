// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// platformName is the platform's type in events.
const platformName = "X"

// Keys of a source Secret.
const (
	sourceRefresh = "refresh-token"
	sourceAccess  = "access-token"
)

// Keys of an application's Secret, beside platform.ApplicationID and
// platform.ApplicationSecret.
const (
	applicationConsumerSecret = "consumer-secret"
	applicationBearer         = "bearer-token"
)

// Names under which publishing tools find what is delivered.
const (
	valueAccessToken = "X_ACCESS_TOKEN"
	valueUserID      = "X_USER_ID"
)

// hostAPI is where X serves its API.
const hostAPI = "api.x.com"

// Adapter speaks to one server with the API of X. It is safe for concurrent
// use.
type Adapter struct {
	http   *httpx.Client
	clock  clock.PassiveClock
	server httpx.ServerURL

	turns    turns
	parked   parked
	refusals refusals
}

var (
	_ platform.Platform        = (*Adapter)(nil)
	_ platform.Revoker         = (*Adapter)(nil)
	_ platform.ApplicationUser = (*Adapter)(nil)
	_ platform.Authorizer      = (*Adapter)(nil)
	_ platform.Subscriber      = (*Adapter)(nil)
	_ platform.Receiver        = (*Adapter)(nil)
	_ platform.Poller          = (*Adapter)(nil)
)

// NewFactory gives the factory of adapters, which send all their requests
// through one client.
func NewFactory(outbound *httpx.Client, passive clock.PassiveClock) platform.Factory {
	return func(serverURL string) (platform.Platform, error) {
		server, err := httpx.ParseServerURL(serverURL)
		if err != nil {
			return nil, err
		}
		return &Adapter{http: outbound, clock: passive, server: server, turns: newTurns()}, nil
	}
}

var (
	// username follows https://help.x.com/en/managing-your-account/x-username-rules.
	username = regexp.MustCompile(`^[a-z0-9_]{1,15}$`)
	// accountID is the form of a user ID in X's OpenAPI document.
	accountID = regexp.MustCompile(`^[0-9]{1,19}$`)
)

var (
	errHandle    = errors.New("a handle is written as acme_help or @acme_help: 1 to 15 letters, digits and underscores")
	errAccountID = errors.New("an account ID is a number of up to 19 digits, such as 2244994945; the API call /2/users/me shows it as \"id\"")
)

// NormaliseHandle gives the user name in lower case, without an at sign before
// it.
func (a *Adapter) NormaliseHandle(handle string) (string, error) {
	name := strings.ToLower(strings.TrimPrefix(handle, "@"))
	if !username.MatchString(name) {
		return "", errHandle
	}
	return name, nil
}

// CheckAccountID implements platform.Platform.
func (a *Adapter) CheckAccountID(id string) error {
	if !accountID.MatchString(id) {
		return errAccountID
	}
	return nil
}

// ClaimScope is empty for X itself, of which there is one.
func (a *Adapter) ClaimScope() string {
	if a.server.Host() == hostAPI {
		return ""
	}
	return a.server.Host()
}

// SourceKeys implements platform.Platform. One of the two must be there; Verify
// says so where neither is.
func (a *Adapter) SourceKeys() []platform.SourceKey {
	return []platform.SourceKey{
		{Name: sourceRefresh, OneOf: true, Purpose: "the refresh token of a consent with the scope offline.access, from which Rostra renews the access token"},
		{Name: sourceAccess, OneOf: true, Purpose: "an access token of the account, which alone works for about two hours"},
	}
}

// ApplicationKeys implements platform.ApplicationUser.
func (a *Adapter) ApplicationKeys() []platform.SourceKey {
	return []platform.SourceKey{
		{Name: platform.ApplicationID, Required: true, Purpose: "the OAuth 2.0 client ID of the application in X's developer console"},
		{Name: platform.ApplicationSecret, Purpose: "the OAuth 2.0 client secret, where the application is a confidential client"},
		{Name: applicationConsumerSecret, Purpose: "the application's API key secret, with which X signs what it sends to a webhook; for pushed events, unless X signs with the client secret"},
		{Name: applicationBearer, Purpose: "the application's app-only bearer token, with which webhooks are managed; for pushed events"},
	}
}

// trimmed gives a value without the line break that ends up in many a Secret.
func trimmed(values credentials.Values, key string) string {
	return strings.TrimSpace(values.Get(key))
}

// Detect asks whose token a request without one is of: X's API refuses that in
// a form of its own. X does not say which software it runs.
func (a *Adapter) Detect(ctx context.Context) (platform.Server, error) {
	response, err := a.http.Do(ctx, httpx.Request{URL: a.server.URL(pathMe, nil), Header: http.Header{"Accept": {"application/json"}}})
	if err != nil {
		return platform.Server{}, platform.FromTransport(err)
	}
	problems, ok := decodeProblems(response)
	if response.Status != http.StatusUnauthorized || !ok {
		return platform.Server{}, undetected(response, problems, ok)
	}
	return platform.Server{Capabilities: []platform.Capability{platform.CapabilityRevoke, platform.CapabilityScopes}}, nil
}

// undetected says what another answer than the expected one means. It blames
// no credential, since none was used.
func undetected(response *httpx.Response, problems []problem, ok bool) *platform.Failure {
	failure := outsider(response)
	if ok {
		failure = classify(byNobody, response.Status, response.RetryAt, problems)
	}
	switch failure.Class {
	case platform.Transient, platform.RateLimited:
		return failure
	case platform.Unauthorized, platform.Revoked, platform.InsufficientScope, platform.PolicyBlocked, platform.NotFound,
		platform.Conflict, platform.Permanent, platform.Unknown:
	}
	return unexpected("the server does not answer as X's API does: is its URL " + "https://" + hostAPI + ", and is nothing before it that turns Rostra away?")
}

// limiterKey is whose rate a request counts against.
func limiterKey(account platform.Account) string {
	if account.ID != "" {
		return account.ID
	}
	return account.Handle
}

// unexpected is the Failure for an answer that is not one of this API.
func unexpected(message string) *platform.Failure {
	return &platform.Failure{Class: platform.Unknown, Message: message}
}
