// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// graphVersion is the version of the Graph API that is spoken: v26.0 of 29
	// July 2026 (https://developers.facebook.com/docs/graph-api/changelog/versions/).
	graphVersion = "v26.0"

	// graphHost is Meta's own Graph API; the consent page is elsewhere then.
	graphHost    = "graph.facebook.com"
	dialogOrigin = "https://www.facebook.com"
)

const (
	// keyAccessToken is the key of a source Secret, and of an application's
	// Secret for discovery.
	keyAccessToken = "access-token"
	// keyVerifyToken is of an application's Secret, and of the hook keys.
	keyVerifyToken = "verify-token"
	// keyAppSecret is of the hook keys.
	keyAppSecret = "app-secret"

	// valuePageToken and valuePageID are the names under which publishing tools
	// find what they need.
	valuePageToken = "FACEBOOK_PAGE_ACCESS_TOKEN"
	valuePageID    = "FACEBOOK_PAGE_ID"
)

// Adapter speaks to one Graph API. It holds no state and is safe for concurrent
// use.
type Adapter struct {
	http   *httpx.Client
	clock  clock.PassiveClock
	server httpx.ServerURL
}

var (
	_ platform.Platform          = (*Adapter)(nil)
	_ platform.ApplicationUser   = (*Adapter)(nil)
	_ platform.ApplicationLister = (*Adapter)(nil)
	_ platform.Authorizer        = (*Adapter)(nil)
	_ platform.Subscriber        = (*Adapter)(nil)
	_ platform.Receiver          = (*Adapter)(nil)
	_ platform.Poller            = (*Adapter)(nil)
)

// NewFactory gives the factory of adapters, which send all their requests
// through one client.
func NewFactory(outbound *httpx.Client, passive clock.PassiveClock) platform.Factory {
	return func(serverURL string) (platform.Platform, error) {
		server, err := httpx.ParseServerURL(serverURL)
		if err != nil {
			return nil, err
		}
		return &Adapter{http: outbound, clock: passive, server: server}, nil
	}
}

// ClaimScope is empty for Meta's own Graph API: there the ID of a Page is unique
// in the world.
func (a *Adapter) ClaimScope() string {
	if a.server.Host() == graphHost {
		return ""
	}
	return a.server.Host()
}

// SourceKeys implements platform.Platform.
func (a *Adapter) SourceKeys() []platform.SourceKey {
	return []platform.SourceKey{{
		Name: keyAccessToken, Required: true,
		Purpose: "an access token of the app: of a person who manages the Page, of a system user, or of the Page itself",
	}}
}

// ApplicationKeys implements platform.ApplicationUser.
func (a *Adapter) ApplicationKeys() []platform.SourceKey {
	return []platform.SourceKey{
		{Name: platform.ApplicationID, Required: true, Purpose: "the app's ID, from its dashboard, under App settings, Basic"},
		{Name: platform.ApplicationSecret, Required: true, Purpose: "the app's secret, from the same place"},
		{Name: keyVerifyToken, Purpose: "what Meta repeats when it checks the webhook callback; default: derived from the app's secret"},
		{Name: keyAccessToken, Purpose: "a system user's or a person's token of the app, with pages_show_list; needed for discovery"},
	}
}

// application is what Rostra is at Meta.
type application struct {
	id     string
	secret credentials.Value
}

// token is the app access token, which needs no request
// (https://developers.facebook.com/docs/facebook-login/guides/access-tokens).
func (a application) token() credentials.Value {
	return credentials.NewValue(a.id + "|" + a.secret.Reveal())
}

// appSecretForm keeps out what would be mistaken for another part of a token.
var appSecretForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,256}$`)

func readApplication(values credentials.Values) (application, error) {
	id, secret := trimmed(values, platform.ApplicationID), trimmed(values, platform.ApplicationSecret)
	switch {
	case id == "" || secret == "":
		return application{}, permanent("the Meta app is not known: put its ID and its secret under " + platform.ApplicationID + " and " + platform.ApplicationSecret + " into the platform's application Secret")
	case !accountID.MatchString(id):
		return application{}, permanent("the value under " + platform.ApplicationID + " is not the ID of a Meta app, which is a number")
	case !appSecretForm.MatchString(secret):
		return application{}, permanent("the value under " + platform.ApplicationSecret + " is not the secret of a Meta app: it holds characters that none has")
	}
	return application{id: id, secret: credentials.NewValue(secret)}, nil
}

// maxToken bounds an access token, in bytes. Meta's grow over the years.
const maxToken = 4096

// tokenForm is what an access token is made of.
var tokenForm = regexp.MustCompile(`^[0-9A-Za-z._~+/|-]+=*$`)

// isToken tells whether a text can be an access token.
func isToken(text string) bool { return len(text) <= maxToken && tokenForm.MatchString(text) }

// readToken gives the token under a key of what, or says what is wrong with it.
func readToken(values credentials.Values, what string) (credentials.Value, error) {
	token := trimmed(values, keyAccessToken)
	switch {
	case token == "":
		return credentials.Value{}, permanent("there is no access token: add the key " + keyAccessToken + " to " + what)
	case !isToken(token):
		return credentials.Value{}, permanent("the value under " + keyAccessToken + " in " + what + " is not an access token: it holds characters that none has")
	}
	return credentials.NewValue(token), nil
}

// Deliverable is the Page's token as the session has it.
func (a *Adapter) Deliverable(ctx context.Context, account platform.Account) (credentials.Credential, error) {
	kept, err := load(ctx, account.Sessions)
	if err != nil {
		return credentials.Credential{}, err
	}
	if !kept.isOf(account) {
		return credentials.Credential{}, &platform.Failure{
			Class: platform.Transient, Message: "no token of the Page has been derived yet: that is done when the account is verified",
		}
	}
	return credentials.Credential{Values: credentials.Values{
		valuePageToken: kept.pageToken,
		valuePageID:    credentials.NewValue(kept.pageID),
	}}, nil
}

// limiterKey is whose rate a request counts against.
func limiterKey(account platform.Account) string {
	if account.ID != "" {
		return account.ID
	}
	return account.Handle
}

// trimmed gives a value without the line break that ends up in many a Secret.
func trimmed(values credentials.Values, key string) string {
	return strings.TrimSpace(values.Get(key))
}

func permanent(message string) *platform.Failure {
	return &platform.Failure{Class: platform.Permanent, Message: message}
}

// strange is the Failure for a success that lacks what the API promises.
func strange(what string) *platform.Failure {
	return &platform.Failure{Class: platform.Unknown, Message: "the server's answer is not one of the Graph API: " + what}
}

// dialogURL is the consent page's. A server that is not Meta's own has it at
// the same origin.
func (a *Adapter) dialogURL(query url.Values) string {
	path := "/" + graphVersion + "/dialog/oauth"
	if a.server.Host() == graphHost {
		return dialogOrigin + path + "?" + query.Encode()
	}
	return a.server.URL(path, query)
}
