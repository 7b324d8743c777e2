// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxBody bounds the request bodies that a Proxy takes, in bytes.
const maxBody = 8 << 20

// headerTimeout bounds how long a client may take to send its headers.
const headerTimeout = 10 * time.Second

// Proxy passes requests on to a server, except where a rule says otherwise:
//
//	proxy, err := pds.NewProxy(server.URL())
//	proxy.On("com.atproto.server.createAppPassword", pds.LoseAnswer).Once()
//	proxy.On("com.atproto.server.refreshSession", pds.RateLimited(reset)).After(2)
//	proxy.On(pds.AnyMethod, pds.HTML(503)).When(isWrite)
//
// Where several rules fit, the one that was added first and is not used up acts,
// so that rules for one method play in order. A server that is down looks as it
// would without the proxy in one respect: the connection breaks, there is no 502.
type Proxy struct {
	url    string
	server *http.Server
	next   *httputil.ReverseProxy
	closed context.CancelFunc

	mu       sync.Mutex
	rules    []*Rule
	requests []Request
}

// NewProxy starts a proxy on a free port of 127.0.0.1 in front of the base URL.
func NewProxy(target string) (*Proxy, error) {
	upstream, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("starting the proxy: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the proxy: %w", err)
	}
	base, cancel := context.WithCancel(context.Background())
	p := &Proxy{
		url:    "http://" + listener.Addr().String(),
		closed: cancel,
		next: &httputil.ReverseProxy{
			Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
			Transport:    &http.Transport{DisableCompression: true},
			ErrorHandler: func(http.ResponseWriter, *http.Request, error) { drop() },
			ErrorLog:     log.New(io.Discard, "", 0),
		},
	}
	p.server = &http.Server{
		Handler:           p,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { _ = p.server.Serve(listener) }() // ends with Close, which reports
	return p, nil
}

// URL is the base URL of the proxy.
func (p *Proxy) URL() string { return p.url }

// Close ends the proxy and every request that it holds.
func (p *Proxy) Close() error {
	p.closed()
	if err := p.server.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("closing the proxy: %w", err)
	}
	return nil
}

// On makes every request for the method meet the fault, until the rule says
// otherwise. AnyMethod stands for every method; a request outside /xrpc/ is named
// by its path.
func (p *Proxy) On(nsid string, fault Fault) *Rule {
	rule := &Rule{proxy: p, nsid: nsid, fault: fault, limit: unlimited}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, rule)
	return rule
}

// Reset removes every rule. Requests that are held stay held.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = nil
}

// Requests lists the requests seen in order of arrival. Status is 0 where the
// client got no answer.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.requests...)
}

// Count returns how many of Requests call the method. AnyMethod counts all.
func (p *Proxy) Count(nsid string) int { return count(p.Requests(), nsid) }

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A body that is read to its end lets the server notice a client that goes.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		drop()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	fault, index := p.arrive(r)
	answer := &statusWriter{ResponseWriter: w}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.requests[index].Status = answer.status
	}()
	if fault == nil {
		p.next.ServeHTTP(answer, r)
		return
	}
	fault(answer, r, p.next)
}

// arrive records the request and returns the fault it meets, nil if none.
func (p *Proxy) arrive(r *http.Request) (fault Fault, index int) {
	nsid := r.URL.Path
	if name, ok := strings.CutPrefix(nsid, "/xrpc/"); ok {
		nsid = name
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, Request{NSID: nsid, At: time.Now(), UserAgent: r.UserAgent()})
	index = len(p.requests) - 1
	for _, rule := range p.rules {
		if rule.takes(nsid, r) {
			return rule.fault, index
		}
	}
	return nil, index
}

// drop breaks the client's connection without an answer.
func drop() { panic(http.ErrAbortHandler) }

// statusWriter remembers the status that went to the client.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Rule says which requests meet a fault. Its methods may be chained and may be
// called while requests come in.
type Rule struct {
	proxy *Proxy
	nsid  string
	fault Fault

	// Under the proxy's lock:
	condition func(*http.Request) bool
	skip      int
	limit     int
	hits      int
	removed   bool
}

// unlimited is the limit of a rule that is never used up.
const unlimited = -1

// Times uses the rule up after n requests have met the fault.
func (r *Rule) Times(n int) *Rule {
	return r.set(func() { r.limit = n })
}

// Once is Times(1).
func (r *Rule) Once() *Rule { return r.Times(1) }

// After lets the first n fitting requests pass the rule by. After(2).Once() is
// the third request alone.
func (r *Rule) After(n int) *Rule {
	return r.set(func() { r.skip = n })
}

// When narrows the rule to requests that satisfy the condition. The condition
// must not read the body.
func (r *Rule) When(condition func(*http.Request) bool) *Rule {
	return r.set(func() { r.condition = condition })
}

// Remove ends the rule. Requests that it holds stay held.
func (r *Rule) Remove() {
	r.set(func() { r.removed = true })
}

// Hits returns how many requests have met the fault.
func (r *Rule) Hits() int {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	return r.hits
}

func (r *Rule) set(change func()) *Rule {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	change()
	return r
}

// takes reports whether the request meets the fault, and counts it. The caller
// holds the proxy's lock.
func (r *Rule) takes(nsid string, request *http.Request) bool {
	if r.removed || !matches(r.nsid, nsid) || r.condition != nil && !r.condition(request) {
		return false
	}
	if r.limit != unlimited && r.hits >= r.limit {
		return false
	}
	if r.skip > 0 {
		r.skip--
		return false
	}
	r.hits++
	return true
}
