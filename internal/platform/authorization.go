// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
)

// Keys of an application's Secret, the same for every platform.
const (
	// ApplicationID names the application at the platform: its client ID.
	ApplicationID = "client-id"
	// ApplicationSecret is the application's own secret.
	ApplicationSecret = "client-secret"
)

// ApplicationUser is a Platform at which Rostra acts as a registered
// application. An account gets its application's keys in Account.Application.
type ApplicationUser interface {
	// ApplicationKeys names the keys of the application's Secret.
	ApplicationKeys() []SourceKey
}

// ApplicationRegistrar is an Authorizer whose server registers an application
// for whoever asks: none need be made by hand.
type ApplicationRegistrar interface {
	// RegisterApplication registers one that comes back to this redirect URL,
	// and gives its keys.
	RegisterApplication(ctx context.Context, redirectURL string) (credentials.Values, error)
}

// AuthorizationRequest is one person's way through the platform's consent page
// (RFC 6749, section 4.1.1, with PKCE, RFC 7636).
type AuthorizationRequest struct {
	// RedirectURL to which the person comes back.
	RedirectURL string
	// State comes back with the person.
	State string
	// Challenge is the S256 code challenge.
	Challenge string
}

// Grant is what a person came back with.
type Grant struct {
	// Code to be redeemed, once.
	Code string
	// Verifier of the request's challenge.
	Verifier string
	// RedirectURL of the request, which must be the same.
	RedirectURL string
}

// Granted is what a code was redeemed for.
type Granted struct {
	// Source is the source credential, by the keys that SourceKeys names.
	Source credentials.Values
	// Missing are scopes that the channel needs and the person did not grant.
	Missing []string
	// ExpiresAt is when it ends unless it is renewed; zero where the platform
	// does not say.
	ExpiresAt time.Time
}

// Authorizer is a Platform that gives a source credential to a person who
// consents in a browser.
type Authorizer interface {
	// AuthorizationURL is where the person consents. The error says what is
	// wrong with the application.
	AuthorizationURL(application credentials.Values, request AuthorizationRequest) (string, error)
	// Redeem exchanges the code for a source credential.
	Redeem(ctx context.Context, application credentials.Values, grant Grant) (Granted, error)
}

// ApplicationLister is a Platform that lists accounts with the application's
// own credential.
type ApplicationLister interface {
	// Lister gives the lister for the application, or a Failure that says which
	// key is missing.
	Lister(application credentials.Values) (AccountLister, error)
}
