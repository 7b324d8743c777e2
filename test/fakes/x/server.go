// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

const (
	// defaultLife is that of X's access tokens.
	defaultLife = 2 * time.Hour
	// defaultWebhooks is how many webhooks an application may have.
	defaultWebhooks = 5
	// patience is how long a callback has for a challenge or a delivery.
	patience = 5 * time.Second
	// firstID is that of the first thing made; IDs grow from there.
	firstID = 1_900_000_000_000_000_000
)

// TokenUser tells whose an access token is that another server has given.
type TokenUser func(ctx context.Context, accessToken string) (userID string, scopes []string, ok bool)

type options struct {
	clock     clock.PassiveClock
	life      time.Duration
	webhooks  int
	grace     bool
	oauth2    bool
	tokenUser TokenUser
}

// Option changes how the server is made.
type Option func(*options)

// WithClock is the clock of expiries; without it, the real one.
func WithClock(c clock.PassiveClock) Option { return func(o *options) { o.clock = c } }

// WithAccessLife is how long access tokens live; without it, two hours.
func WithAccessLife(life time.Duration) Option { return func(o *options) { o.life = life } }

// WithWebhookLimit is how many webhooks an application may have; without it, 5.
func WithWebhookLimit(limit int) Option { return func(o *options) { o.webhooks = limit } }

// WithGrace lets an old refresh token work until what came of it is used.
func WithGrace() Option { return func(o *options) { o.grace = true } }

// WithOAuth2Signatures signs deliveries with the application's client secret,
// in the newer header.
func WithOAuth2Signatures() Option { return func(o *options) { o.oauth2 = true } }

// WithTokenUser asks whose the access tokens are that the fake has not given.
func WithTokenUser(ask TokenUser) Option { return func(o *options) { o.tokenUser = ask } }

// Server is the fake. It is safe for concurrent use.
type Server struct {
	options options
	faults  faults.Injector
	http    *httptest.Server
	client  *http.Client

	mu        sync.Mutex
	serial    int
	accounts  map[string]*accountRecord // by ID
	apps      []*appRecord
	pending   map[string]*pending       // consents under way, by ticket
	codes     map[string]*codeRecord    // by authorization code
	accesses  map[string]*accessRecord  // by access token
	refreshes map[string]*refreshRecord // by refresh token
	hooks     []*hookRecord
	posts     []*Post // oldest first
}

// Account is an account at the fake.
type Account struct {
	ID, Username, Name string
}

type accountRecord struct {
	Account

	state State
}

// State of an account.
type State string

const (
	// Active accounts can be used.
	Active State = "active"
	// Suspended accounts were suspended by X.
	Suspended State = "suspended"
	// Locked accounts must be unlocked by their holder.
	Locked State = "locked"
)

// App is an application at the fake. A public client has no ClientSecret.
type App struct {
	ID, Name                     string
	ClientID, ClientSecret       string
	ConsumerSecret, BearerToken  string
	RedirectURLs                 []string
	WithoutWebhooks, NotEnrolled bool
}

type appRecord struct{ App }

// New starts a server. Close it.
func New(opts ...Option) *Server {
	o := options{clock: clock.RealClock{}, life: defaultLife, webhooks: defaultWebhooks}
	for _, apply := range opts {
		apply(&o)
	}
	s := &Server{
		options:  o,
		client:   &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		accounts: map[string]*accountRecord{}, pending: map[string]*pending{}, codes: map[string]*codeRecord{},
		accesses: map[string]*accessRecord{}, refreshes: map[string]*refreshRecord{},
	}
	s.http = httptest.NewServer(s.faults.Wrap(s.Handler()))
	return s
}

// URL is the server's root URL.
func (s *Server) URL() string { return s.http.URL }

// Close stops the server, once no request is under way.
func (s *Server) Close() {
	s.http.Close()
	s.client.CloseIdleConnections()
}

// Faults is what stands in front of the server.
func (s *Server) Faults() *faults.Injector { return &s.faults }

// Requests counts the requests so far by path.
func (s *Server) Requests() map[string]int { return s.faults.Requests() }

// id gives a new ID; the lock is held.
func (s *Server) id() string {
	s.serial++
	return strconv.FormatInt(firstID+int64(s.serial)*4096, 10)
}

// secret gives a new token that looks like one; the lock is held.
func (s *Server) secret(kind string) string {
	s.serial++
	return kind + "-" + strconv.FormatInt(firstID^int64(s.serial)*7919*104729, 36) + "-" + strconv.Itoa(s.serial)
}

// AddAccount makes an account.
func (s *Server) AddAccount(username string) Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	record := &accountRecord{Account: Account{ID: s.id(), Username: username, Name: "The " + username + " desk"}, state: Active}
	s.accounts[record.ID] = record
	return record.Account
}

// AddAccountAs makes an account with an ID of the caller's choice, such as one
// that another server's tokens name.
func (s *Server) AddAccountAs(id, username string) Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	record := &accountRecord{Account: Account{ID: id, Username: username, Name: "The " + username + " desk"}, state: Active}
	s.accounts[id] = record
	return record.Account
}

// SetState changes how an account stands with X.
func (s *Server) SetState(account Account, state State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[account.ID].state = state
}

// Rename gives an account another user name.
func (s *Server) Rename(account Account, username string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[account.ID].Username = username
}

// AddApp makes a confidential application that comes back to these URLs.
func (s *Server) AddApp(name string, redirectURLs ...string) App {
	s.mu.Lock()
	defer s.mu.Unlock()
	app := &appRecord{App{
		ID: s.id(), Name: name, RedirectURLs: redirectURLs,
		ClientID: s.secret("client"), ClientSecret: s.secret("client-secret"),
		ConsumerSecret: s.secret("consumer-secret"), BearerToken: s.secret("AAAA%2Fbearer"),
	}}
	s.apps = append(s.apps, app)
	return app.App
}

// ChangeApp alters an application; its ID stays.
func (s *Server) ChangeApp(app App, change func(*App)) App {
	s.mu.Lock()
	defer s.mu.Unlock()
	record := s.appBy(func(other *appRecord) bool { return other.ID == app.ID })
	change(&record.App)
	return record.App
}

// appBy finds an application; the lock is held.
func (s *Server) appBy(is func(*appRecord) bool) *appRecord {
	if i := slices.IndexFunc(s.apps, is); i >= 0 {
		return s.apps[i]
	}
	return nil
}
