// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Account is an account at the fake.
type Account struct {
	// ID as the API gives it: a number as text at Mastodon, a ULID at
	// GoToSocial.
	ID string
	// Username at the time the account was made.
	Username string
}

// App is a registered application.
type App struct {
	// Name of the application.
	Name string
	// ClientID and ClientSecret are its credentials.
	ClientID, ClientSecret string
	// Scopes that its tokens may have.
	Scopes []string
	// RedirectURIs to which a person may be sent back with a code.
	RedirectURIs []string
}

// State is how an account stands with its server.
type State int

const (
	// Active is in good order.
	Active State = iota
	// Disabled may not log in; the moderators froze it.
	Disabled
	// Suspended is removed from public view by the moderators.
	Suspended
	// Unconfirmed has not confirmed its e-mail address.
	Unconfirmed
	// Pending waits for approval by the moderators.
	Pending
)

type accountRecord struct {
	id          string
	username    string
	displayName string
	state       State
	listed      bool // in the public directory
	created     time.Time
}

type tokenRecord struct {
	account *accountRecord // nil for an application's own token
	app     App
	scopes  []string
	revoked bool
}

// AddAccount makes an account in good order.
func (s *Server) AddAccount(username string) Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	made := &accountRecord{
		id:          s.dialect.accountID(s.serial),
		username:    username,
		displayName: "The " + username + " desk",
		created:     s.options.clock.Now().UTC(),
	}
	s.accounts[made.id] = made
	return Account{ID: made.id, Username: username}
}

// Rename gives an account another user name; its ID stays.
func (s *Server) Rename(account Account, username string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(account).username = username
}

// SetState changes how an account stands with the server.
func (s *Server) SetState(account Account, state State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(account).state = state
}

// SetDiscoverable puts an account into the public directory, or takes it out.
// A new account is not in it.
func (s *Server) SetDiscoverable(account Account, listed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(account).listed = listed
}

func (s *Server) known(account Account) *accountRecord {
	found, ok := s.accounts[account.ID]
	if !ok {
		panic("mastodonfake: the account is of another server")
	}
	return found
}

// AddApp registers an application.
func (s *Server) AddApp(name string, scopes ...string) App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addApp(name, scopes)
}

// AddAppFor registers an application that a person can consent to, coming back
// to the redirect URI.
func (s *Server) AddAppFor(redirectURI, name string, scopes ...string) App {
	if _, err := url.Parse(redirectURI); err != nil {
		panic("mastodonfake: the redirect URI cannot be read")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addApp(name, scopes, redirectURI)
}

func (s *Server) addApp(name string, scopes []string, redirectURIs ...string) App {
	app := App{
		Name: name, ClientID: s.secret("client"), ClientSecret: s.secret("clientsecret"),
		Scopes: slices.Clone(scopes), RedirectURIs: redirectURIs,
	}
	s.apps[app.ClientID] = app
	return app
}

// ForgetApp removes an application and leaves its tokens, as servers before
// Mastodon 4.3 did after a while.
func (s *Server) ForgetApp(app App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apps, app.ClientID)
}

// IssueToken gives a new access token for an account, of a new application
// with the same scopes. Without scopes it may read and write.
func (s *Server) IssueToken(account Account, scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(scopes) == 0 {
		scopes = []string{"read", "write"}
	}
	return s.issue(s.known(account), s.addApp("publisher", scopes), scopes)
}

// IssueTokenOf gives a new access token for an account, of an application that
// may have more scopes than the token.
func (s *Server) IssueTokenOf(app App, account Account, scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(s.known(account), app, scopes)
}

// IssueAppToken gives an application's own token, which is of no account.
func (s *Server) IssueAppToken(app App) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(nil, app, app.Scopes)
}

func (s *Server) issue(of *accountRecord, app App, scopes []string) string {
	for _, scope := range scopes {
		if !permits(app.Scopes, scope) {
			panic("mastodonfake: the application does not have the scope " + scope)
		}
	}
	access := s.secret("token")
	s.tokens[access] = &tokenRecord{account: of, app: app, scopes: slices.Clone(scopes)}
	return access
}

// AppOf gives the application that a token was issued to.
func (s *Server) AppOf(access string) App {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.tokens[access]; known != nil {
		return known.app
	}
	return App{}
}

// RevokeToken revokes a token, as its account's owner can in the settings.
func (s *Server) RevokeToken(access string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoke(access)
}

// ForgetToken removes a token without a trace, as Mastodon does some time
// after it was revoked.
func (s *Server) ForgetToken(access string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, access)
}

// revoke revokes as the flavour does: Mastodon remembers, GoToSocial forgets.
func (s *Server) revoke(access string) {
	delete(s.subscriptions, access)
	if s.dialect.forgetsRevoked {
		delete(s.tokens, access)
		return
	}
	if known := s.tokens[access]; known != nil {
		known.revoked = true
	}
}

// TokenWorks tells whether a token is known and not revoked.
func (s *Server) TokenWorks(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.tokens[access]
	return known != nil && !known.revoked
}

// secret gives a new one, in the alphabet of the real ones and never twice.
func (s *Server) secret(kind string) string {
	s.serial++
	return fmt.Sprintf("%s-5ecret_%06d-x7Qf2LwZ9", kind, s.serial)
}

// permits tells whether scopes include the wanted one: itself, or the one that
// it is part of, as "read" includes "read:accounts".
func permits(scopes []string, wanted string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool {
		return scope == wanted || strings.HasPrefix(wanted, scope+":")
	})
}
