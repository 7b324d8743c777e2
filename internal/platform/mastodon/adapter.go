// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"strings"
	"sync/atomic"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// keyAccessToken, keyClientID and keyClientSecret are the keys of a source
	// Secret.
	keyAccessToken  = "access-token"
	keyClientID     = "client-id"
	keyClientSecret = "client-secret"

	// valueAccessToken is the name under which publishing tools find the token.
	valueAccessToken = "MASTODON_ACCESS_TOKEN"
)

// Adapter speaks to one server with the Mastodon API. It is safe for
// concurrent use.
type Adapter struct {
	http   *httpx.Client
	clock  clock.PassiveClock
	server httpx.ServerURL

	// hidesAppScopes remembers that the server does not tell an application's
	// scopes, so that not every probe asks in vain. Detect looks anew.
	hidesAppScopes atomic.Bool
}

var (
	_ platform.Platform = (*Adapter)(nil)
	_ platform.Revoker  = (*Adapter)(nil)
)

// NewFactory gives the factory of adapters, which send all their requests
// through one client.
func NewFactory(client *httpx.Client, passive clock.PassiveClock) platform.Factory {
	return func(serverURL string) (platform.Platform, error) {
		server, err := httpx.ParseServerURL(serverURL)
		if err != nil {
			return nil, err
		}
		return &Adapter{http: client, clock: passive, server: server}, nil
	}
}

// ClaimScope is the server's host: each server gives account IDs of its own.
func (a *Adapter) ClaimScope() string { return a.server.Host() }

// SourceKeys implements platform.Platform.
func (a *Adapter) SourceKeys() []platform.SourceKey {
	return []platform.SourceKey{
		{Name: keyAccessToken, Required: true, Purpose: "the account's access token, from Settings, Development or from an OAuth authorisation"},
		{Name: keyClientID, Purpose: "the ID of the application that the token was issued to; needed to revoke it"},
		{Name: keyClientSecret, Purpose: "the secret of that application; needed to revoke the token"},
	}
}

// Deliverable is the access token itself.
func (a *Adapter) Deliverable(_ context.Context, account platform.Account) (credentials.Credential, error) {
	return credentials.Credential{Values: credentials.Values{
		valueAccessToken: credentials.NewValue(trimmed(account.Source, keyAccessToken)),
	}}, nil
}

// trimmed gives a value without the line break that ends up in many a Secret.
func trimmed(values credentials.Values, key string) string {
	return strings.TrimSpace(values.Get(key))
}
