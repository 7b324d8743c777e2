// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bluesky speaks to servers of the AT Protocol: bsky.social and
// self-hosted Personal Data Servers.
//
// Rostra logs in with the source credential once, keeps that session in the
// account's SessionStore and refreshes it. A refresh rotates both tokens: they
// are stored before the new access token is used, and where a crash comes
// between, the old refresh token still works for two hours. Where the source
// credential is the account's main password, owners get app passwords of their
// own.
//
// Servers of the protocol push no events: Rostra polls. Mentions and replies
// come from an AppView, by way of the account's server, which vouches for the
// account there; own posts come from the server itself.
//
// The AppView lists notifications by the time that it calls indexedAt, which is
// that of their arrival or, where it is earlier, the one that the post says of
// itself. A poll knows the newest 48 one by one, so that it finds among them
// what came in late (trail.go). A post that is dated before all of these is
// never told: whoever writes it can hide it in this way, as it is hidden from
// the account's own list of notifications too.
//
// Strangers write what is polled. A page that is too large is asked for again in
// smaller parts, down to one notification (part.go); what is malformed in one is
// left out of its event. What alone is larger than 32 MiB, which no server of
// the protocol takes for a record, stops the poll, with a message for a person.
//
// What the server says of an access token is read from the token, never
// verified: only which request comes next depends on it.
package bluesky

import (
	"context"
	"strings"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Keys of a source Secret.
const (
	sourcePassword   = "password"
	sourceIdentifier = "identifier"
	sourceName       = "app-password-name"
)

var (
	_ platform.Platform     = (*adapter)(nil)
	_ platform.Issuer       = (*adapter)(nil)
	_ platform.Revoker      = (*adapter)(nil)
	_ platform.SessionEnder = (*adapter)(nil)
)

// adapter implements the ports for one server. It holds no state.
type adapter struct {
	client *httpx.Client
	clock  clock.PassiveClock
	server httpx.ServerURL
}

// NewFactory gives the factory of adapters that send their requests with
// client. What they implement, beyond [platform.Platform], is [platform.Issuer],
// [platform.Revoker], [platform.SessionEnder], [platform.AccountLister],
// [platform.AccountNamer] and [platform.Poller].
func NewFactory(client *httpx.Client, clock clock.PassiveClock) platform.Factory {
	return func(serverURL string) (platform.Platform, error) {
		server, err := httpx.ParseServerURL(serverURL)
		if err != nil {
			return nil, err
		}
		return &adapter{client: client, clock: clock, server: server}, nil
	}
}

// NormaliseHandle gives the handle in lower case. Its syntax is that of
// https://atproto.com/specs/handle.
func (a *adapter) NormaliseHandle(handle string) (string, error) { return normaliseHandle(handle) }

// CheckAccountID accepts the DIDs of https://atproto.com/specs/did, did:plc and
// did:web, of at most 256 characters.
func (a *adapter) CheckAccountID(id string) error { return checkDID(id) }

// ClaimScope is empty: a DID is unique in the world.
func (a *adapter) ClaimScope() string { return "" }

// SourceKeys implements [platform.Platform].
func (a *adapter) SourceKeys() []platform.SourceKey {
	return []platform.SourceKey{
		{Name: sourcePassword, Required: true, Purpose: "the account's main password, from which Rostra mints app passwords; or an app password, which is delivered as it is"},
		{Name: sourceIdentifier, Purpose: "what to log in as: DID, handle or e-mail address; default: the account's DID, or its handle until that is known"},
		{Name: sourceName, Purpose: "the app password's name at Bluesky, where password is an app password: with it Rostra can revoke it"},
	}
}

// source is the source credential.
type source struct {
	identifier string
	password   credentials.Value
}

// readSource reads the source credential of an account whose DID, where
// account does not say, may be known from an earlier session. The line break
// that editors leave at a file's end is not part of a password.
func readSource(account platform.Account, did string) source {
	read := source{
		identifier: strings.TrimPrefix(strings.TrimSpace(account.Source.Get(sourceIdentifier)), "@"),
		password:   credentials.NewValue(strings.TrimRight(account.Source.Get(sourcePassword), "\r\n")),
	}
	for _, other := range []string{account.ID, did, account.Handle} {
		if read.identifier == "" {
			read.identifier = other
		}
	}
	return read
}

// limiterKey is whose rate a request counts against.
func limiterKey(account platform.Account) string {
	if account.ID != "" {
		return account.ID
	}
	return account.Handle
}

// Detect asks the server to describe itself, and which version it runs.
func (a *adapter) Detect(ctx context.Context) (platform.Server, error) {
	var answer struct {
		DID string `json:"did"`
	}
	if err := a.ask(ctx, call{method: methodDescribeServer}, &answer); err != nil {
		return platform.Server{}, err
	}
	if !strings.HasPrefix(answer.DID, "did:") {
		return platform.Server{}, strange("it does not name the server's DID: is the service URL right?")
	}
	return platform.Server{
		Software:     a.software(ctx),
		Capabilities: []platform.Capability{platform.CapabilityMint, platform.CapabilityRevoke},
	}, nil
}

// software and its version; empty where the server does not say, which is no
// fault: the protocol does not ask for it.
func (a *adapter) software(ctx context.Context) string {
	var answer struct {
		Version string `json:"version"`
	}
	if err := a.ask(ctx, call{method: methodHealth}, &answer); err != nil || !isVersion(answer.Version) {
		return ""
	}
	return "atproto-pds " + answer.Version
}

func isVersion(version string) bool {
	const longest = 64
	return version != "" && len(version) <= longest && !strings.ContainsFunc(version, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-+_", r)
	})
}

// Verify asks whose the session is. That is one request: where the session has
// to be opened or refreshed first, the answer to that says it. The display name
// stays empty, since it would cost another request.
func (a *adapter) Verify(ctx context.Context, account platform.Account) (platform.Identity, error) {
	current, err := load(ctx, account.Sessions)
	if err != nil {
		return platform.Identity{}, err
	}
	if current.live(a.clock.Now()) {
		answer, err := a.getSession(ctx, account, current.access)
		if err == nil {
			return answer.identity(current.access)
		}
		if !renewable(err) {
			return platform.Identity{}, err
		}
	}
	current, said, err := a.renew(ctx, account, current)
	if err != nil {
		return platform.Identity{}, err
	}
	if said != nil {
		return said.identity(current.access)
	}
	answer, err := a.getSession(ctx, account, current.access)
	if err != nil {
		return platform.Identity{}, afterRenewal(err)
	}
	return answer.identity(current.access)
}

// Deliverable gives the source credential with the keys of a minted one, and
// with the app password's name where the source says it.
func (a *adapter) Deliverable(_ context.Context, account platform.Account) (credentials.Credential, error) {
	read := readSource(account, "")
	if account.ID != "" {
		read.identifier = account.ID
	}
	values := deliveredValues(read.identifier, read.password)
	if name := strings.TrimSpace(account.Source.Get(sourceName)); name != "" {
		values[KeyAppPasswordName] = credentials.NewValue(name)
	}
	return credentials.Credential{Values: values}, nil
}

// EndSession ends the kept session with com.atproto.server.deleteSession, then
// forgets it. Its access token is not kept elsewhere.
func (a *adapter) EndSession(ctx context.Context, account platform.Account) error {
	values, err := account.Sessions.Load(ctx)
	if err != nil {
		return storeFailure("the stored session cannot be read", err)
	}
	if values == nil {
		return nil
	}
	if kept := sessionFrom(values); !kept.refresh.IsEmpty() {
		if err := a.deleteSession(ctx, account, kept.refresh); err != nil {
			return err
		}
	}
	if err := account.Sessions.Save(ctx, nil); err != nil {
		return storeFailure("the stored session cannot be removed", err)
	}
	return nil
}
