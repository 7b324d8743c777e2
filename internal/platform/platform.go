// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package platform holds the ports through which Rostra speaks to social
// platforms: what every adapter can do, what some can do, and how failures are
// told apart. An adapter lives in a package of its own below this one; a
// platform's quirks leave it only as a capability, a failure class or a value.
package platform

import (
	"context"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
)

// Account is one account as its channel declares it, with what is needed to
// act for it.
type Account struct {
	// Handle as declared, normalised by NormaliseHandle.
	Handle string
	// ID is the platform's identifier of the account, where it is known.
	ID string
	// Source is the source credential, by the keys that SourceKeys names.
	Source credentials.Values
	// Application is what Rostra is at the platform, by the keys that
	// ApplicationKeys names; nil where the platform has no use for one.
	Application credentials.Values
	// Renew asks Verify to renew what is delivered now, where the adapter can:
	// somebody has it who must not.
	Renew bool
	// Sessions keeps the session that was opened with the source credential.
	Sessions SessionStore
}

// SessionStore keeps one account's session where it survives a restart. One
// writer at a time: Save fails with ErrSessionConflict when somebody else has
// written since Load.
type SessionStore interface {
	// Load gives the session last saved for this source credential, or nil
	// where there is none.
	Load(ctx context.Context) (credentials.Values, error)
	// Save stores the session durably before it returns. A nil session removes
	// what is stored.
	Save(ctx context.Context, session credentials.Values) error
}

// SourceKey is a key that the source Secret may hold.
type SourceKey struct {
	// Name of the key in the Secret.
	Name string
	// Required tells whether nothing works without it.
	Required bool
	// OneOf tells that at least one of the keys that say so must be there.
	OneOf bool
	// Purpose says in a few words what it is, for messages and documentation.
	Purpose string
}

// Server is what a platform's server says of itself.
type Server struct {
	// Software and version, for example "mastodon 4.5.1"; empty where the
	// server does not say.
	Software string
	// Capabilities that were found at this server.
	Capabilities []Capability
}

// Capability names something that Rostra can do at a server.
type Capability string

const (
	// CapabilityMint: credentials can be minted, listed and revoked.
	CapabilityMint Capability = "Mint"
	// CapabilityRevoke: a credential at hand can be revoked.
	CapabilityRevoke Capability = "Revoke"
	// CapabilityScopes: the permissions of a credential can be read.
	CapabilityScopes Capability = "Scopes"
)

// Identity is whose account it is, as the platform says.
type Identity struct {
	// AccountID is the platform's lasting identifier of the account.
	AccountID string
	// Handle, normalised; it can change over time.
	Handle string
	// DisplayName that the account shows; may be empty.
	DisplayName string
	// CanMint tells whether this source credential may mint others.
	CanMint bool
	// ExpiresAt is when the credential asked with expires; zero where it does
	// not, or where the platform does not say. With Renews, it is when what is
	// delivered expires.
	ExpiresAt time.Time
	// Renews tells that the adapter itself renews what is delivered, ahead of
	// its expiry, as long as it is asked by RenewAt.
	Renews bool
	// RenewAt is when the adapter must be asked again at the latest, so that it
	// can renew; zero where Renews is false.
	RenewAt time.Time
}

// Revocation is what came of revoking a credential.
type Revocation struct {
	// EffectiveBy is when the last access opened with the credential ends. It
	// is the time of revocation where the platform cuts at once.
	EffectiveBy time.Time
}

// Platform is what every adapter can do. An adapter speaks to one server and
// is safe for concurrent use. Every method that asks the server returns a
// *Failure when it fails.
type Platform interface {
	// NormaliseHandle gives the form in which handles are compared, or an
	// error that says how to write it.
	NormaliseHandle(handle string) (string, error)
	// CheckAccountID returns an error that says what an account ID looks like
	// here when this cannot be one.
	CheckAccountID(id string) error
	// ClaimScope is the realm in which account IDs are unique: empty where
	// that is the world, else the server's host.
	ClaimScope() string
	// SourceKeys names the keys of a source Secret.
	SourceKeys() []SourceKey

	// Detect asks the server what it is. It needs no credential.
	Detect(ctx context.Context) (Server, error)
	// Verify asks the server, with the source credential, whose account it is.
	Verify(ctx context.Context, account Account) (Identity, error)
	// Deliverable is the source credential in the form in which it is
	// delivered where none can be minted. Where the adapter renews or derives
	// what is delivered, that is what its kept session holds after Verify; it
	// asks no server. An error is a *Failure, or the session store's.
	Deliverable(ctx context.Context, account Account) (credentials.Credential, error)
}

// Issuer is a Platform that can issue credentials: an account's owner can have
// one of its own, which is revoked without touching the source.
type Issuer interface {
	// Mint creates a credential named id. A name that exists already is a
	// Conflict; the answer is the only time that its secret is seen.
	Mint(ctx context.Context, account Account, id string) (credentials.Credential, error)
	// Prove opens access with a minted credential, asks whose it is, and
	// closes the access again.
	Prove(ctx context.Context, account Account, credential credentials.Credential) (Identity, error)
	// Issued lists the IDs of all credentials of the account, also of those
	// that are not Rostra's.
	Issued(ctx context.Context, account Account) ([]string, error)
	// RevokeIssued takes back the credential of that ID. One that is not there
	// is a success.
	RevokeIssued(ctx context.Context, account Account, id string) (Revocation, error)
}

// Revoker is a Platform that can take back a credential it did not issue, but
// has at hand.
type Revoker interface {
	// Revoke takes the credential back. One that works no more is a success.
	Revoke(ctx context.Context, account Account, credential credentials.Credential) (Revocation, error)
}

// SessionEnder is a Platform that keeps a session of Rostra's own.
type SessionEnder interface {
	// EndSession ends the kept session at the server and forgets it. None to
	// end is a success.
	EndSession(ctx context.Context, account Account) error
}

// Factory makes the adapter for one server, given its root URL as written in
// the manifest. The error says what is wrong with the URL.
type Factory func(serverURL string) (Platform, error)

// Registry holds the factory of each platform type, by the type's name in the
// SocialPlatform manifest.
type Registry map[string]Factory
