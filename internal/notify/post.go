// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
)

// maxAnswer is the largest answer that is read, in bytes. What services answer
// is a line.
const maxAnswer = 64 << 10

// endpoint is a URL to which JSON is posted.
type endpoint struct {
	http  *httpx.Client
	clock clock.PassiveClock
	url   credentials.Value
	// account by which the limits of internal/httpx tell addresses apart.
	account string
	// header, beside Content-Type.
	header http.Header
}

func (o *Opener) endpoint(target string) endpoint {
	return endpoint{http: o.options.HTTP, clock: o.options.Clock, url: credentials.NewValue(target), account: o.account}
}

// post sends body as JSON. An answer of any status is no failure.
func (e endpoint) post(ctx context.Context, body any) (*httpx.Response, *Failure) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, refused("the message cannot be written as JSON")
	}
	header := e.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	resp, err := e.http.Do(ctx, httpx.Request{
		Account: e.account,
		Method:  http.MethodPost,
		URL:     e.url.Reveal(),
		Header:  header,
		Body:    encoded,
		MaxBody: maxAnswer,
	})
	if err != nil {
		return nil, fromTransport(err, e.clock.Now())
	}
	return resp, nil
}

// failed makes a Failure of an answer.
func (e endpoint) failed(resp *httpx.Response, hint string) *Failure {
	return fromStatus(hostOf(e.url), resp, e.clock.Now(), hint)
}

// hostOf is the part of a URL that may be shown.
func hostOf(target credentials.Value) string {
	u, err := url.Parse(target.Reveal())
	if err != nil {
		return "the server"
	}
	return u.Host
}

// server gives the URL to call of an address that hides one behind a prefix,
// such as alertmanager+https.
func server(u *url.URL, scheme string) (*url.URL, error) {
	target := *u
	target.Scheme = scheme
	if _, err := httpx.ParseServerURL(scheme + "://" + u.Host); err != nil {
		return nil, err
	}
	return &target, nil
}
