// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

// Flavour is the kind of server that the fake is.
type Flavour string

const (
	// Mastodon43 is Mastodon 4.3 and later.
	Mastodon43 Flavour = "Mastodon 4.3"
	// Mastodon42 is Mastodon 4.2.
	Mastodon42 Flavour = "Mastodon 4.2"
	// Mastodon44 is Mastodon 4.4 and later.
	Mastodon44 Flavour = "Mastodon 4.4"
	// GoToSocial019 is GoToSocial 0.19.
	GoToSocial019 Flavour = "GoToSocial 0.19"
)

const (
	defaultRateLimit = 300
	ratePeriod       = 5 * time.Minute
)

// Server is the fake. It is safe for concurrent use.
type Server struct {
	faults  faults.Injector
	dialect dialect
	options options
	http    *httptest.Server

	mu       sync.Mutex
	down     *faults.Injection
	serial   int
	accounts map[string]*accountRecord // by ID
	apps     map[string]App            // by client ID
	tokens   map[string]*tokenRecord   // by access token
	windows  map[string]*window        // by who is limited

	vapid         vapidKeys
	subscriptions map[string]*subscription // by access token
	unsent        []*delivery
	pushed        []Pushed
	activity      int // serial of what happens
	latest        time.Time
	statuses      map[string]*statusRecord // by ID
	notifications []*notificationRecord
	grants        map[string]*grantRecord // by code
	narrowed      []string
}

type options struct {
	flavour        Flavour
	version        string
	clock          clock.PassiveClock
	rateLimit      int
	withoutV2      bool
	authenticated  bool // limited federation: also the instance wants a token
	withoutSources bool // the instance names no source_url
	withoutList    bool // the administrator has switched the directory off
	sender         Sender
}

// Option changes how the server is made.
type Option func(*options)

// WithFlavour makes it a server of that kind; without it, it is Mastodon43.
func WithFlavour(flavour Flavour) Option { return func(o *options) { o.flavour = flavour } }

// WithVersion is the version that the server says it has.
func WithVersion(version string) Option { return func(o *options) { o.version = version } }

// WithClock is the clock of rate limits; without it, the real one.
func WithClock(c clock.PassiveClock) Option { return func(o *options) { o.clock = c } }

// WithRateLimit is how many requests one token, or one nameless client, has in
// five minutes; without it, 300.
func WithRateLimit(requests int) Option { return func(o *options) { o.rateLimit = requests } }

// WithoutInstanceV2 leaves out /api/v2/instance, as servers with an older API
// do.
func WithoutInstanceV2() Option { return func(o *options) { o.withoutV2 = true } }

// WithLimitedFederation asks for a token also where the instance describes
// itself.
func WithLimitedFederation() Option { return func(o *options) { o.authenticated = true } }

// WithoutSourceURL leaves out where the server's source code is.
func WithoutSourceURL() Option { return func(o *options) { o.withoutSources = true } }

// WithoutDirectory switches the profile directory off, as an administrator can.
func WithoutDirectory() Option { return func(o *options) { o.withoutList = true } }

// WithSender encrypts and sends what is pushed; without it, SendPush does.
func WithSender(sender Sender) Option { return func(o *options) { o.sender = sender } }

// New starts a server. Close it.
func New(opts ...Option) *Server {
	o := options{flavour: Mastodon43, clock: clock.RealClock{}, rateLimit: defaultRateLimit, sender: SendPush}
	for _, apply := range opts {
		apply(&o)
	}
	s := &Server{
		options:  o,
		dialect:  dialectOf(o.flavour),
		accounts: map[string]*accountRecord{},
		apps:     map[string]App{},
		tokens:   map[string]*tokenRecord{},
		windows:  map[string]*window{},

		vapid:         newVapidKeys(),
		subscriptions: map[string]*subscription{},
		statuses:      map[string]*statusRecord{},
		grants:        map[string]*grantRecord{},
	}
	if o.version == "" {
		s.options.version = s.dialect.version
	}
	s.http = httptest.NewServer(s.faults.Wrap(s.handler()))
	return s
}

// URL is the server's root URL.
func (s *Server) URL() string { return s.http.URL }

// Close stops the server, once no request is under way.
func (s *Server) Close() { s.http.Close() }

// Faults is what stands in front of the server, for the conformance suite.
func (s *Server) Faults() *faults.Injector { return &s.faults }

// Misbehave answers requests to a path badly from now on; an empty path means
// every request. Times on what it gives bounds it.
func (s *Server) Misbehave(path string, how faults.Fault) *faults.Injection {
	return s.faults.Inject(path, how)
}

// SetDown makes the whole server answer 503, or ends that.
func (s *Server) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case down && s.down == nil:
		s.down = s.faults.Inject("", faults.Status(http.StatusServiceUnavailable))
	case !down && s.down != nil:
		s.down.Stop()
		s.down = nil
	}
}

// Requests counts the requests so far by path.
func (s *Server) Requests() map[string]int { return s.faults.Requests() }
