// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
)

// Proxy is a reverse proxy with an Injector in it: it makes a real server
// misbehave. It listens on 127.0.0.1 alone.
type Proxy struct {
	Injector

	server *httptest.Server
}

// NewProxy starts a proxy in front of the server with that base URL.
func NewProxy(target string) (*Proxy, error) {
	base, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("the URL of the server behind the proxy: %w", err)
	}
	proxy := &Proxy{}
	proxy.server = httptest.NewServer(proxy.Wrap(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(base) },
	}))
	return proxy, nil
}

// URL is where the proxy listens.
func (p *Proxy) URL() string { return p.server.URL }

// Close stops the proxy, once no request is under way.
func (p *Proxy) Close() { p.server.Close() }
