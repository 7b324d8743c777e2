// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

// Version of the Graph API that the fake speaks.
const Version = "v26.0"

const (
	shortLife  = 2 * time.Hour
	longLife   = 60 * 24 * time.Hour
	dataAccess = 90 * 24 * time.Hour

	// callbackLimit is how long a callback may take.
	callbackLimit = 5 * time.Second
)

// Server is the fake. It is safe for concurrent use.
type Server struct {
	faults  faults.Injector
	options options
	http    *httptest.Server
	client  *http.Client

	mu       sync.Mutex
	down     *faults.Injection
	serial   int
	lastPost int64 // seconds since 1970; no two things happen in one second
	apps     map[string]*appRecord
	users    map[string]*userRecord
	pages    map[string]*pageRecord
	order    []string // IDs of Pages, as they were made
	tokens   map[string]*tokenRecord
	dialogs  map[string]*dialogRecord // by the key in the form
	codes    map[string]*codeRecord
	sent     []sentRecord
}

type options struct {
	clock        clock.PassiveClock
	longUntil    time.Time
	dataUntil    time.Time
	requireProof bool
	unextended   bool
	afterSince   bool
}

// Option changes how the server is made.
type Option func(*options)

// WithClock is the clock of expiries; without it, the real one.
func WithClock(c clock.PassiveClock) Option { return func(o *options) { o.clock = c } }

// WithLongLivedUntil is when long-lived user tokens end; without it, 60 days
// after they are issued.
func WithLongLivedUntil(at time.Time) Option { return func(o *options) { o.longUntil = at } }

// WithDataAccessUntil is when an app's access to a person's data ends; without
// it, 90 days after the consent.
func WithDataAccessUntil(at time.Time) Option { return func(o *options) { o.dataUntil = at } }

// WithProofRequired switches on "Require App Secret": calls without
// appsecret_proof are refused.
func WithProofRequired() Option { return func(o *options) { o.requireProof = true } }

// WithoutExtension gives for a long-lived token one that ends no later.
func WithoutExtension() Option { return func(o *options) { o.unextended = true } }

// WithExclusiveSince leaves posts of the very second that since names out of a
// list: what Meta does is not documented.
func WithExclusiveSince() Option { return func(o *options) { o.afterSince = true } }

// New starts a server. Close it.
func New(opts ...Option) *Server {
	o := options{clock: clock.RealClock{}}
	for _, apply := range opts {
		apply(&o)
	}
	s := &Server{
		options: o,
		client: &http.Client{
			Timeout:       callbackLimit,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		apps:    map[string]*appRecord{},
		users:   map[string]*userRecord{},
		pages:   map[string]*pageRecord{},
		tokens:  map[string]*tokenRecord{},
		dialogs: map[string]*dialogRecord{},
		codes:   map[string]*codeRecord{},
	}
	s.http = httptest.NewServer(s.faults.Wrap(s.handler()))
	return s
}

// URL is the server's root URL.
func (s *Server) URL() string { return s.http.URL }

// Close stops the server, once no request is under way.
func (s *Server) Close() {
	s.client.CloseIdleConnections()
	s.http.Close()
}

// Faults is what stands in front of the server, for the conformance suite.
func (s *Server) Faults() *faults.Injector { return &s.faults }

// Misbehave answers requests to a path below the version badly from now on, such
// as "debug_token"; an empty path means every request. Times on what it gives
// bounds it.
func (s *Server) Misbehave(path string, how faults.Fault) *faults.Injection {
	if path != "" {
		path = "/" + Version + "/" + path
	}
	return s.faults.Inject(path, how)
}

// GraphError is an error in the API's own form, with any status.
func GraphError(status, code, subcode int) faults.Fault {
	return faults.Answer(status, "application/json; charset=UTF-8", graphFailure{status: status, code: code, subcode: subcode, message: "on demand"}.body())
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

// number gives an identifier that looks like one of Meta's.
func (s *Server) number() string {
	s.serial++
	return fmt.Sprintf("10%013d", s.serial)
}

// secret gives a value that is found nowhere by chance.
func (s *Server) secret(kind string) string {
	s.serial++
	return fmt.Sprintf("EAA%s%06dZqWx7Kp3Lm9Rt2Vb8Nc", kind, s.serial)
}

// graphFailure is a refusal in the API's form.
type graphFailure struct {
	status, code, subcode int
	message               string
}

func (f graphFailure) body() string {
	inner := map[string]any{"message": f.message, "type": "OAuthException", "code": f.code, "fbtrace_id": "AbCdEfGhIjK"}
	if f.subcode != 0 {
		inner["error_subcode"] = f.subcode
	}
	written, err := json.Marshal(map[string]any{"error": inner})
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	return string(written)
}

// refuse is a refusal with status 400, which most have.
func refuse(code, subcode int, message string) *graphFailure {
	return &graphFailure{status: http.StatusBadRequest, code: code, subcode: subcode, message: message}
}

// strictly is a refusal of what Meta would ignore.
func strictly(what string) *graphFailure { return refuse(100, 0, "strict: "+what) }
