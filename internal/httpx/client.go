// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

const (
	maxResponseHeader = 128 << 10 // bytes; the standard library's 10 MiB is more than any body here
	idleTimeout       = 90 * time.Second
	pingAfter         = 15 * time.Second // silence on HTTP/2 before the connection is checked
	maxIdle           = 128
	bodyCeiling       = 64 << 20 // bytes; what MaxBody may be set to
)

// Options configure a Client. Only UserAgent is required.
type Options struct {
	// UserAgent names Rostra to the platforms; several refuse requests without
	// a telling one.
	UserAgent string
	// Timeout bounds a whole request: waits, look-up, connection, and the
	// answer to its last byte. Default 10 s.
	Timeout time.Duration
	// MaxBody is the largest answer in bytes, after decompression. Default
	// 1 MiB, at most 64 MiB.
	MaxBody int64
	// AllowedPrivate are ranges that may be dialled in spite of being loopback,
	// private, link-local or otherwise special, and the only ones that plain
	// http may reach. A cloud metadata address is refused even inside such a
	// range, unless it is named by itself as a /32 or /128. Where IPv4 is
	// reached through NAT64 (64:ff9b::/96), allow that range; the IPv4 address
	// inside is then judged as any other. A NAT64 prefix of the network's own
	// looks like public IPv6 and is for its gateway to guard.
	AllowedPrivate []netip.Prefix
	// AccountRate is how many requests a second one account may send to one
	// origin. Default 5.
	AccountRate float64
	// AccountBurst is how many requests it may send at once. Default 10.
	AccountBurst int
	// MaxAccounts bounds the accounts kept, each at one origin; the least
	// recently used goes first. Default 10,000.
	MaxAccounts int
	// OriginLimit is how many requests to one origin may be in flight. Default
	// 8.
	OriginLimit int
	// MaxOrigins bounds the origins kept; the least recently used goes first.
	// Default 1,000.
	MaxOrigins int
	// MaxWait is the longest that Do waits for an account's rate, and again for
	// a place at the origin, before it answers KindRateLimited or KindBusy.
	// Default 1 s.
	MaxWait time.Duration
	// BreakerAfter is how many failures in a row make an origin be left alone.
	// Default 5.
	BreakerAfter int
	// BreakerOpenFor is for how long. Default 30 s.
	BreakerOpenFor time.Duration
	// BreakerPerAccount is for servers that hold many parties' endpoints: what
	// fails once there is a connection (5xx, no answer in time, no HTTP) leaves
	// the account alone at that origin, and no other. The origin is left alone
	// for failures to connect. Without it every failure is the origin's.
	BreakerPerAccount bool
	// RootCAs verify servers' certificates. Default: the system's.
	RootCAs *x509.CertPool
	// Resolver looks names up. Default: net.DefaultResolver.
	Resolver *net.Resolver
	// Clock times the limits, not the network. Default: the real one.
	Clock clock.Clock
	// Metrics, where given, gets the client's metrics.
	Metrics prometheus.Registerer
}

// Client sends requests. It is safe for use by many goroutines; make one for
// the process, so that its limits hold for the process.
type Client struct {
	options   Options
	dialers   *dialers
	transport *http.Transport
	accounts  *lru[accountKey, *account]
	origins   *lru[ServerURL, *origin]
	metrics   *metrics
}

type accountKey struct {
	origin  ServerURL
	account string
}

// account is what is remembered of one account at one server.
type account struct {
	limiter *rate.Limiter
	breaker *breaker // nil unless they are per account
}

// origin is what is remembered of one server.
type origin struct {
	breaker *breaker
	places  places
}

// New makes a Client, or says which option is wrong.
func New(o Options) (*Client, error) {
	o = withDefaults(o)
	if err := validate(o); err != nil {
		return nil, err
	}
	judge, err := newEgress(o.AllowedPrivate)
	if err != nil {
		return nil, err
	}
	var m *metrics
	if o.Metrics != nil {
		if m, err = newMetrics(o.Metrics); err != nil {
			return nil, fmt.Errorf("metrics of the HTTP client: %w", err)
		}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs, NextProtos: []string{"h2", "http/1.1"}}
	dial := newDialers(judge, o.Resolver, config, o.Timeout)
	c := &Client{options: o, dialers: dial, transport: newTransport(o, dial), metrics: m}
	c.accounts = newLRU(o.MaxAccounts, func(accountKey) *account {
		made := &account{limiter: rate.NewLimiter(rate.Limit(o.AccountRate), o.AccountBurst)}
		if o.BreakerPerAccount {
			made.breaker = newBreaker(o, func(breakerState) {}) // the metric is of hosts
		}
		return made
	})
	c.origins = newLRU(o.MaxOrigins, func(server ServerURL) *origin {
		return &origin{
			places:  make(places, o.OriginLimit),
			breaker: newBreaker(o, func(state breakerState) { m.breakerChanged(server, state) }),
		}
	})
	return c, nil
}

func withDefaults(o Options) Options {
	orDefault(&o.Timeout, 10*time.Second)
	orDefault(&o.MaxBody, 1<<20)
	orDefault(&o.AccountRate, 5)
	orDefault(&o.AccountBurst, 10)
	orDefault(&o.MaxAccounts, 10_000)
	orDefault(&o.OriginLimit, 8)
	orDefault(&o.MaxOrigins, 1_000)
	orDefault(&o.MaxWait, min(time.Second, o.Timeout))
	orDefault(&o.BreakerAfter, 5)
	orDefault(&o.BreakerOpenFor, 30*time.Second)
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

func orDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

func validate(o Options) error {
	switch {
	case o.UserAgent == "" || !httpguts.ValidHeaderFieldValue(o.UserAgent):
		return errors.New("the HTTP client needs a User-Agent without control characters")
	case o.Timeout < 0, o.MaxWait < 0, o.BreakerOpenFor < 0, o.MaxBody < 0, o.AccountBurst < 0,
		o.MaxAccounts < 0, o.OriginLimit < 0, o.MaxOrigins < 0, o.BreakerAfter < 0:
		return errors.New("an option of the HTTP client is negative")
	case !(o.AccountRate > 0), math.IsInf(o.AccountRate, 1): // the negation catches NaN too
		return errors.New("the account rate of the HTTP client must be a number above zero")
	case o.MaxBody > bodyCeiling:
		return fmt.Errorf("the body limit of the HTTP client must not be over %d bytes", bodyCeiling)
	case o.MaxWait > o.Timeout:
		return errors.New("the wait of the HTTP client must not be longer than its time-out")
	}
	return nil
}

func newTransport(o Options, dial *dialers) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		Proxy:                  nil, // not from the environment: see the package comment
		DialContext:            dial.dialPlain,
		DialTLSContext:         dial.dialTLS,
		Protocols:              protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter},
		MaxResponseHeaderBytes: maxResponseHeader,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    o.OriginLimit,
		IdleConnTimeout:        idleTimeout,
	}
}

// CloseIdleConnections closes connections that no request uses.
func (c *Client) CloseIdleConnections() { c.transport.CloseIdleConnections() }

// Do sends one request and reads the whole answer. Any status but a redirect
// is an answer and no error: what a 401 or a 429 means is for the platform's
// adapter to say. Every error is an *Error.
func (c *Client) Do(ctx context.Context, req Request) (*Response, error) {
	start := c.options.Clock.Now()
	limited, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, errTimeLimit)
	defer cancel()
	current := &call{client: c, caller: ctx, ctx: limited}
	resp, failure := current.run(req) //nolint:contextcheck // the context is in the call
	if failure == nil {
		c.metrics.observe(current.server, resp, nil, c.options.Clock.Since(start))
		return resp, nil
	}
	failure.Origin = current.server.String()
	failure.MaybeSent = current.sent.Load()
	c.metrics.observe(current.server, nil, failure, c.options.Clock.Since(start))
	return nil, failure
}
