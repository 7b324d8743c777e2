// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package simulated is a social platform in memory, for tests and benchmarks
// of what lies above the ports. It keeps accounts, and knows at every instant
// which credentials work. A hook sees every call before and after it takes
// effect, so that a test can refuse it, lose its answer, or end the caller.
package simulated

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Keys of source Secrets and of what is delivered.
const (
	KeyPassword = "password"
	KeyToken    = "SIMULATED_TOKEN"
)

// Phase tells when a hook is called.
type Phase string

// A hook is called before a call takes effect, and after it did.
const (
	Before Phase = "before"
	After  Phase = "after"
)

// Hook sees every call. An error before a call refuses it; an error after it
// loses its answer.
type Hook func(call string, phase Phase) error

// Server is one simulated platform.
type Server struct {
	// Clock gives the time of revocations.
	Clock clock.PassiveClock
	// CanMint tells whether credentials can be minted; if not, the source
	// credential is a token that is delivered itself.
	CanMint bool
	// NamesApart tells whether handles are asked for one by one, since a list of
	// accounts gives IDs alone.
	NamesApart bool
	// TakesOwn tells whether a minted credential can be revoked by itself, as on
	// Bluesky, and not only with the source credential.
	TakesOwn bool
	// Events is what it does about events: nothing, unless told.
	Events Events
	// Linger is how long access lives on after its credential was revoked.
	Linger time.Duration

	mu       sync.Mutex
	accounts map[string]*account
	hook     Hook
	calls    map[string]int
	serial   int
}

type account struct {
	id, handle string
	passwords  map[string]bool
	minted     map[string]string
	// subscription of Rostra's application, and what happened on the account.
	subscription *Registered
	events       []event.Event
}

// New makes a server without accounts.
func New(now clock.PassiveClock, canMint bool) *Server {
	return &Server{Clock: now, CanMint: canMint, accounts: map[string]*account{}, calls: map[string]int{}}
}

// SetHook sets what sees every call; nil for nothing.
func (s *Server) SetHook(hook Hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// AddAccount makes an account with one source credential.
func (s *Server) AddAccount(id, handle, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id] = &account{id: id, handle: handle, passwords: map[string]bool{password: true}, minted: map[string]string{}}
}

// AddPassword gives an account another source credential.
func (s *Server) AddPassword(id, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id].passwords[password] = true
}

// RemoveAccount deletes an account.
func (s *Server) RemoveAccount(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, id)
}

// RemovePassword takes a source credential back, behind Rostra's back.
func (s *Server) RemovePassword(id, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts[id].passwords, password)
}

// Rename changes an account's handle.
func (s *Server) Rename(id, handle string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id].handle = handle
}

// Works tells whether a credential opens an account now. It is no call, and no
// hook sees it.
func (s *Server) Works(id, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	account, ok := s.accounts[id]
	return ok && secret != "" && (account.passwords[secret] || slices.Contains(slices.Collect(maps.Values(account.minted)), secret))
}

// Minted are the IDs of an account's minted credentials, in order.
func (s *Server) Minted(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.accounts[id].minted))
}

// RevokeMinted takes a minted credential back, behind Rostra's back.
func (s *Server) RevokeMinted(id, credential string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts[id].minted, credential)
}

// MintForeign makes a credential that is not Rostra's.
func (s *Server) MintForeign(id, credential string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id].minted[credential] = "foreign-" + credential
}

// Calls counts the calls since the last ResetCalls, by name.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// ResetCalls starts the count again.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
}

// Factory gives the port to this server, whatever the URL.
func (s *Server) Factory(string) (platform.Platform, error) {
	switch {
	case s.CanMint && s.NamesApart:
		return &naming{minting{tokens{s}}}, nil
	case s.CanMint && s.TakesOwn:
		return &mintingAndRevoking{minting{tokens{s}}}, nil
	case s.CanMint:
		return &minting{tokens{s}}, nil
	}
	return &revoking{tokens{s}}, nil
}

// call runs one call with the hook around it.
func (s *Server) call(ctx context.Context, name string, do func() error) error {
	s.mu.Lock()
	hook := s.hook
	s.calls[name]++
	s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return &platform.Failure{Class: platform.Transient, Message: "the call was cancelled", Cause: err}
	}
	if hook != nil {
		if err := hook(name, Before); err != nil {
			return err
		}
	}
	s.mu.Lock()
	err := do()
	s.mu.Unlock()
	if hook != nil && err == nil {
		return hook(name, After)
	}
	return err
}

// byPassword finds the account that a source credential opens.
func (s *Server) byPassword(password string) (*account, error) {
	for _, account := range s.accounts {
		if account.passwords[password] {
			return account, nil
		}
	}
	return nil, &platform.Failure{Class: platform.Unauthorized, Code: "InvalidPassword", Message: "the platform does not know this credential"}
}

type tokens struct{ server *Server }

// NormaliseHandle implements platform.Platform.
func (t *tokens) NormaliseHandle(handle string) (string, error) {
	if strings.Contains(handle, "!") {
		return "", errors.New("a handle has no exclamation mark")
	}
	return strings.TrimPrefix(handle, "@"), nil
}

// CheckAccountID implements platform.Platform.
func (t *tokens) CheckAccountID(id string) error {
	if !strings.HasPrefix(id, "acct-") {
		return errors.New("an account ID begins with acct-")
	}
	return nil
}

// ClaimScope implements platform.Platform.
func (t *tokens) ClaimScope() string { return "" }

// SourceKeys implements platform.Platform.
func (t *tokens) SourceKeys() []platform.SourceKey {
	return []platform.SourceKey{{Name: KeyPassword, Required: true, Purpose: "the account's password"}}
}

// Detect implements platform.Platform.
func (t *tokens) Detect(ctx context.Context) (platform.Server, error) {
	server := platform.Server{Software: "simulated 1.0"}
	if t.server.CanMint {
		server.Capabilities = []platform.Capability{platform.CapabilityMint}
	}
	return server, t.server.call(ctx, "Detect", func() error { return nil })
}

// Verify implements platform.Platform.
func (t *tokens) Verify(ctx context.Context, asked platform.Account) (platform.Identity, error) {
	var identity platform.Identity
	err := t.server.call(ctx, "Verify", func() error {
		account, err := t.server.byPassword(asked.Source.Get(KeyPassword))
		if err == nil {
			identity = platform.Identity{AccountID: account.id, Handle: account.handle, DisplayName: "Simulated " + account.handle, CanMint: t.server.CanMint}
		}
		return err
	})
	return identity, err
}

// Deliverable implements platform.Platform.
func (t *tokens) Deliverable(_ context.Context, asked platform.Account) (credentials.Credential, error) {
	return credentials.Credential{Values: credentials.Values{KeyToken: asked.Source[KeyPassword]}}, nil
}

// PageSize is how many accounts a page of the list has.
const PageSize = 50

// ListAccounts implements platform.AccountLister.
func (t *tokens) ListAccounts(ctx context.Context, cursor string) (platform.AccountPage, error) {
	var page platform.AccountPage
	err := t.server.call(ctx, "ListAccounts", func() error {
		for _, id := range slices.Sorted(maps.Keys(t.server.accounts)) {
			if id <= cursor {
				continue
			}
			if len(page.Accounts) == PageSize {
				page.Next = page.Accounts[PageSize-1].ID
				break
			}
			listed := platform.ListedAccount{ID: id, Handle: t.server.accounts[id].handle, State: platform.AccountActive}
			if t.server.NamesApart {
				listed.Handle = ""
			}
			page.Accounts = append(page.Accounts, listed)
		}
		return nil
	})
	if err != nil {
		return platform.AccountPage{}, err
	}
	return page, nil
}

// Unlisted implements platform.AccountLister.
func (t *tokens) Unlisted() string { return "" }

// naming is the port to a server whose list gives IDs alone.
type naming struct{ minting }

// HandleOf implements platform.AccountNamer.
func (n *naming) HandleOf(ctx context.Context, id string) (string, error) {
	var handle string
	err := n.server.call(ctx, "HandleOf", func() error {
		account, ok := n.server.accounts[id]
		if !ok {
			return &platform.Failure{Class: platform.NotFound, Message: "there is no such account"}
		}
		handle = account.handle
		return nil
	})
	return handle, err
}

// revoking is the port to a server that cannot mint.
type revoking struct{ tokens }

// Revoke implements platform.Revoker.
func (r *revoking) Revoke(ctx context.Context, _ platform.Account, credential credentials.Credential) (platform.Revocation, error) {
	err := r.server.call(ctx, "Revoke", func() error {
		for _, account := range r.server.accounts {
			delete(account.passwords, credential.Values.Get(KeyToken))
		}
		return nil
	})
	return platform.Revocation{EffectiveBy: r.server.Clock.Now().Add(r.server.Linger)}, err
}

// mintingAndRevoking is the port to a server that mints, and where a credential
// can revoke itself.
type mintingAndRevoking struct{ minting }

// Revoke implements platform.Revoker.
func (m *mintingAndRevoking) Revoke(ctx context.Context, _ platform.Account, credential credentials.Credential) (platform.Revocation, error) {
	err := m.server.call(ctx, "Revoke", func() error {
		for _, account := range m.server.accounts {
			maps.DeleteFunc(account.minted, func(_, secret string) bool { return secret == credential.Values.Get(KeyToken) })
		}
		return nil
	})
	return platform.Revocation{EffectiveBy: m.server.Clock.Now().Add(m.server.Linger)}, err
}

// minting is the port to a server that mints.
type minting struct{ tokens }

// Mint implements platform.Issuer.
func (m *minting) Mint(ctx context.Context, asked platform.Account, id string) (credentials.Credential, error) {
	credential := credentials.Credential{ID: id}
	err := m.server.call(ctx, "Mint", func() error {
		account, err := m.server.byPassword(asked.Source.Get(KeyPassword))
		if err != nil {
			return err
		}
		if _, exists := account.minted[id]; exists {
			return &platform.Failure{Class: platform.Conflict, Message: "a credential of that name exists"}
		}
		m.server.serial++
		secret := fmt.Sprintf("minted-secret-%d", m.server.serial)
		account.minted[id] = secret
		credential.Values = credentials.Values{KeyToken: credentials.NewValue(secret)}
		return nil
	})
	return credential, err
}

// Prove implements platform.Issuer.
func (m *minting) Prove(ctx context.Context, _ platform.Account, credential credentials.Credential) (platform.Identity, error) {
	var identity platform.Identity
	err := m.server.call(ctx, "Prove", func() error {
		for _, account := range m.server.accounts {
			if secret, ok := account.minted[credential.ID]; ok && secret == credential.Values.Get(KeyToken) {
				identity = platform.Identity{AccountID: account.id, Handle: account.handle}
				return nil
			}
		}
		return &platform.Failure{Class: platform.Revoked, Message: "the credential does not work"}
	})
	return identity, err
}

// Issued implements platform.Issuer.
func (m *minting) Issued(ctx context.Context, asked platform.Account) ([]string, error) {
	var ids []string
	err := m.server.call(ctx, "Issued", func() error {
		account, err := m.server.byPassword(asked.Source.Get(KeyPassword))
		if err == nil {
			ids = slices.Sorted(maps.Keys(account.minted))
		}
		return err
	})
	return ids, err
}

// RevokeIssued implements platform.Issuer.
func (m *minting) RevokeIssued(ctx context.Context, asked platform.Account, id string) (platform.Revocation, error) {
	err := m.server.call(ctx, "RevokeIssued", func() error {
		account, err := m.server.byPassword(asked.Source.Get(KeyPassword))
		if err == nil {
			delete(account.minted, id)
		}
		return err
	})
	return platform.Revocation{EffectiveBy: m.server.Clock.Now().Add(m.server.Linger)}, err
}
