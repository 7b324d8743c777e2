// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/throttle"
	"github.com/rostra-dev/rostra/internal/webpage"
)

// Errors of a Store. Any other says that the Store is out of order for now.
var (
	// ErrUnknown: there is no such channel.
	ErrUnknown = errors.New("there is no such channel")
	// ErrNotOffered: the channel's account cannot be connected by consent. An
	// error that wraps it says why, to the person who would connect it.
	ErrNotOffered = errors.New("this account cannot be connected by consent")
	// ErrNoPending: no consent is under way for the channel.
	ErrNoPending = errors.New("no consent is under way for this channel")
)

// Subject is a channel whose account is to be connected.
type Subject struct {
	// Channel as namespace/name, and its UID.
	Channel, UID string
	// Handle as declared.
	Handle string
	// AccountID that is pinned; empty where none is.
	AccountID string
	// Platform is the platform's type, and Server its root URL.
	Platform, Server string
	// PlatformName is the name of the SocialPlatform. The redirect URL ends with
	// it, so that what one server sends back is never taken for another's
	// (RFC 9700, section 4.4.2).
	PlatformName string
	// Offered tells that the channel shows where it is connected, now. Without,
	// nobody begins.
	Offered bool
	// Owner is the team that owns the channel.
	Owner string
	// Application is what Rostra is at the platform; nil where none is
	// registered, which an Authorizer can do with that is a
	// platform.ApplicationRegistrar.
	Application credentials.Values
	// Authorizer and Adapter of the platform's server.
	Authorizer platform.Authorizer
	Adapter    platform.Platform
}

// Pending is a consent under way, as it is kept until the person comes back.
type Pending struct {
	// StateHash and BrowserHash are digests of the state and of the cookie.
	StateHash, BrowserHash string
	// Server to which the person was sent.
	Server string
	// Verifier of the request's PKCE challenge.
	Verifier credentials.Value
	// Application that was registered for this consent; nil where the Subject
	// had one.
	Application credentials.Values
	// Expires is when the answer comes too late.
	Expires time.Time
}

// Store is what the handler reads of channels, and where it puts what was
// granted. It is safe for concurrent use. Its errors hold no secret.
type Store interface {
	// Subject gives the channel with this UID. ErrUnknown says that there is
	// none, ErrNotOffered that its account cannot be connected.
	Subject(ctx context.Context, uid string) (*Subject, error)
	// Begin keeps a consent under way, durably before it returns, beside a few
	// earlier ones of the channel.
	Begin(ctx context.Context, uid string, pending Pending) error
	// Take removes the channel's consent under way with that state, durably
	// before it returns, and gives it: of several callers one gets it.
	// ErrNoPending is for the others, and costs no write.
	Take(ctx context.Context, uid, stateHash string) (Pending, error)
	// Connected stores the source credential that the account's owner granted,
	// and the session that was opened with it already (nil where none was: none
	// that is stored from before may be used then). ErrNotOffered says that
	// nothing was stored, and why.
	Connected(ctx context.Context, uid string, source, session credentials.Values, identity platform.Identity) error
}

// Options of the handler. All but Logger and Metrics are required.
type Options struct {
	// Key of the gateway, at least hook.KeySize bytes.
	Key []byte
	// BaseURL under which people reach the gateway.
	BaseURL string
	// Store of the channels.
	Store Store
	// Clock to go by.
	Clock clock.PassiveClock
	// Logger of what came of each consent.
	Logger logr.Logger
	// Metrics is where rostra_connect_total is registered; nil for nowhere.
	Metrics prometheus.Registerer
}

const (
	// stateLife is how long a person may take at the platform.
	stateLife = 10 * time.Minute
	// workLimit bounds what is done at the platform and in the Store for one
	// request. It goes on when the person closes the browser: what was granted
	// must not be lost halfway.
	workLimit = 45 * time.Second
)

// handler leads people through a platform's consent.
type handler struct {
	key      []byte
	base     *url.URL
	secure   bool
	callback string
	store    Store
	clock    clock.PassiveClock
	logger   logr.Logger
	results  *prometheus.CounterVec
	limits   *throttle.Throttle
	pages    *webpage.Writer
}

// New makes the handler for everything below PathPrefix. Where BaseURL has a
// path, requests may come with or without it.
func New(options Options) (http.Handler, error) {
	if len(options.Key) < hook.KeySize {
		return nil, fmt.Errorf("the gateway's key has %d bytes and needs %d", len(options.Key), hook.KeySize)
	}
	base, err := hook.ParseBase(options.BaseURL)
	if err != nil {
		return nil, err
	}
	pages, err := webpage.NewWriter()
	if err != nil {
		return nil, err
	}
	results, err := newResults(options.Metrics)
	if err != nil {
		return nil, err
	}
	return &handler{
		key: options.Key, base: base, secure: base.Scheme == "https",
		callback: base.String() + PathPrefix + callbackName + "/",
		store:    options.Store, clock: options.Clock, logger: options.Logger,
		results: results, limits: throttle.New(options.Clock, paces()), pages: pages,
	}, nil
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(strings.TrimPrefix(r.URL.Path, h.base.Path), PathPrefix)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), workLimit)
	defer cancel()
	r = r.WithContext(ctx)
	switch {
	case !below:
		h.answer(w, r, outcome{result: resultBadLink, page: pageBadLink()})
	case strings.HasPrefix(name, callbackName+"/"):
		h.answer(w, r, h.comeBack(r, strings.TrimPrefix(name, callbackName+"/")))
	default:
		h.answer(w, r, h.start(r, name))
	}
}

// redirectURL is where a platform sends people back to.
func (h *handler) redirectURL(subject *Subject) string {
	return h.callback + url.PathEscape(subject.PlatformName)
}

// startURL is the link that begins again, as long as the first one lasts;
// empty where that is over.
func (h *handler) startURL(s state) string {
	if !h.clock.Now().Before(s.begunBy) {
		return ""
	}
	return StartURL(h.base.String(), h.key, s.uid, s.begunBy)
}
