// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

// Subject is an adapter with a server to speak to. Every rule gets a new one,
// and may wear its accounts out.
type Subject struct {
	// New makes an adapter for the server. It is called more than once: a new
	// adapter is what a restarted process has. Its HTTP client must give up on
	// a server within a few seconds, and must not hold the suite back by rate
	// limits of its own.
	New func() platform.Platform
	// Clock is the one that the adapter reads.
	Clock clock.PassiveClock
	// Server is what the suite can see and do on the other side.
	Server Server

	// Good is an account whose source credential works and may do whatever the
	// adapter can.
	Good Account
	// Other is another account of the same server, with a working source
	// credential.
	Other Account
	// Wrong is an account with a source credential of the right form that the
	// server never knew: another password, another token.
	Wrong Account
}

// Account is one account at the server under test.
type Account struct {
	// Declared is the account as an adapter gets it. Its Sessions are the
	// suite's.
	Declared platform.Account
	// Identity is what Verify must say of it; ExpiresAt is not looked at.
	Identity platform.Identity
	// Secrets are the texts that must show nowhere: the secret values of
	// Declared.Source. Others, such as minted credentials, the suite finds by
	// itself.
	Secrets []string
}

// Call is something that an adapter asks of a server.
type Call string

const (
	// CallOpenSession opens a session with the source credential.
	CallOpenSession Call = "open a session"
	// CallMint creates a credential.
	CallMint Call = "mint"
	// CallRevoke takes a credential back.
	CallRevoke Call = "revoke"
)

// Server is the server under test, as seen from behind.
type Server struct {
	// Faults stand in front of the server.
	Faults *faults.Injector
	// Paths are the URL paths of the calls that the adapter's ports need:
	// CallMint and CallRevoke for an Issuer, CallRevoke for a Revoker,
	// CallOpenSession for a SessionEnder.
	Paths map[Call]string
	// WithdrawSource makes the server refuse Good's source credential from now
	// on, as if somebody had revoked it or changed the password there.
	WithdrawSource func(ctx context.Context) error
	// Works asks the server, past the adapter, whether a credential still
	// opens Good. It is needed for a Revoker.
	Works func(ctx context.Context, credential credentials.Credential) (bool, error)
	// ProbeBudget is how many requests one Verify may take once the adapter
	// has warmed up; zero means 2.
	ProbeBudget int
	// Events is needed for a Subscriber, a Receiver and a Poller.
	Events *Events
	// Consent is needed for an Authorizer.
	Consent *Consent
}

// Events is what happens on accounts of the server under test.
type Events struct {
	// Callback that the server accepts for a subscription.
	Callback string
	// Happen makes something of the kind happen to Good at the server, now.
	Happen func(ctx context.Context, kind event.Kind) error
	// Delivered gives, and forgets, what the server has sent to Callback since
	// the last call, oldest first. Each has its URL set as it was registered.
	Delivered func(ctx context.Context) ([]platform.Delivery, error)
	// Forget removes Good's subscription at the server, past the adapter, as
	// somebody else would.
	Forget func(ctx context.Context) error
}

// Consent is how a person consents at the server under test.
type Consent struct {
	// RedirectURL that the server accepts for Good's application.
	RedirectURL string
	// Give follows an authorisation URL as a person who consents for Good, and
	// gives the URL to which the server sends that person back.
	Give func(ctx context.Context, authorizationURL string) (redirected string, err error)
}

const defaultProbeBudget = 2

func (s Server) probeBudget() int {
	if s.ProbeBudget == 0 {
		return defaultProbeBudget
	}
	return s.ProbeBudget
}
