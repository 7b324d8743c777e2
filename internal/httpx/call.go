// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// call is one request on its way. It lives as long as one Do, so it may hold the
// contexts of that Do.
type call struct {
	client *Client
	caller context.Context //nolint:containedctx // as given to Do, with which this value ends
	ctx    context.Context //nolint:containedctx // the caller's, bounded by the time limit; see above

	server  ServerURL // zero until the URL has been read
	request *http.Request
	maxBody int64
	discard bool        // the body is not wanted
	sent    atomic.Bool // a connection was had: the server may have the request
}

// run checks the request, passes the breaker, the account's rate and the
// origin's places, in this order, and sends it: an origin that is down costs no
// rate, and an account that waits for its rate takes no place.
func (c *call) run(req Request) (*Response, *Error) {
	if invalid := c.prepare(req); invalid != nil {
		return nil, invalid
	}
	if ended := c.ended(); ended != nil {
		return nil, ended
	}
	o := c.client.options
	at := c.client.origins.get(c.server)
	of := c.client.accounts.get(accountKey{c.server, req.Account})
	passage := guard{origin: at.breaker, account: of.breaker}
	if refused := passage.enter(o.Clock.Now()); refused != nil {
		return nil, refused
	}
	var health verdict
	defer func() { passage.leave(o.Clock.Now(), health, c.sent.Load()) }()

	if limited := takeToken(c.caller, o.Clock, of.limiter, o.MaxWait); limited != nil {
		return nil, c.orEnded(limited)
	}
	if busy := at.places.take(c.ctx, o.Clock, o.MaxWait); busy != nil {
		return nil, c.orEnded(busy)
	}
	defer at.places.give()
	resp, failure := c.send()
	health = c.judgeHealth(resp, failure)
	return resp, failure
}

func (c *call) prepare(req Request) *Error {
	server, target, err := parseTarget(req.URL)
	if err != nil {
		return invalidRequest("the request's URL " + err.Error())
	}
	c.server = server
	c.discard = req.DiscardBody
	c.maxBody = c.client.options.MaxBody
	if req.MaxBody > 0 {
		c.maxBody = req.MaxBody
	}
	traced := httptrace.WithClientTrace(c.ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { c.sent.Store(true) },
	})
	var invalid *Error
	c.request, invalid = req.outgoing(traced, target, c.client.options.UserAgent)
	return invalid
}

// send makes the round trip. It uses the transport directly: http.Client would
// add only redirects, cookies and errors that quote the URL.
func (c *call) send() (*Response, *Error) {
	answer, err := c.client.transport.RoundTrip(c.request)
	if err != nil {
		if ended := c.ended(); ended != nil {
			return nil, ended
		}
		return nil, classifyTransport(err, c.client.options.Timeout)
	}
	defer func() { _ = answer.Body.Close() }() // what matters of the body has been read, or was an error already
	switch {
	case answer.StatusCode < http.StatusOK: // 101: nobody asked for another protocol
		return nil, &Error{Kind: KindProtocol, detail: detailProtocol}
	case isRedirect(answer.StatusCode):
		return nil, c.redirected(answer.Header.Get("Location"))
	}
	body, failure := c.readBody(answer)
	if failure != nil {
		return nil, failure
	}
	return &Response{
		Status:  answer.StatusCode,
		Header:  answer.Header,
		Body:    body,
		RetryAt: retryTime(answer, c.client.options.Clock.Now()),
		origin:  c.server.String(),
	}, nil
}

func (c *call) readBody(answer *http.Response) ([]byte, *Error) {
	if c.discard {
		// Read as far as it goes, which lets the connection be used again.
		_, _ = io.CopyN(io.Discard, answer.Body, c.maxBody)
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, c.maxBody+1))
	switch {
	case int64(len(body)) > c.maxBody:
		return nil, &Error{Kind: KindBodyTooLarge, Err: ErrBodyTooLarge, detail: fmt.Sprintf("the answer is larger than %d bytes", c.maxBody)}
	case err == nil:
		return body, nil
	}
	if ended := c.ended(); ended != nil {
		return nil, ended
	}
	return nil, &Error{Kind: KindTruncated, Err: io.ErrUnexpectedEOF, detail: "the answer was cut short or damaged"}
}

// redirected names where a redirect points, as far as a person needs it: the
// path may hold a secret.
func (c *call) redirected(location string) *Error {
	failure := &Error{Kind: KindRedirect, detail: "answered with a redirect to an unusable address; redirects are not followed"}
	target, err := c.request.URL.Parse(location)
	if err != nil || location == "" {
		return failure
	}
	server, err := serverOf(target)
	switch {
	case err != nil:
	case server == c.server:
		failure.detail = "answered with a redirect to another path of its own; redirects are not followed (is this the right kind of server?)"
	default:
		failure.detail = "answered with a redirect to " + server.String() + "; redirects are not followed: set the server URL to " + server.String()
	}
	return failure
}

// ended tells why the call's time is over; nil while it is not.
func (c *call) ended() *Error {
	return classifyEnded(c.caller, c.ctx, c.client.options.Timeout)
}

func (c *call) orEnded(failure *Error) *Error {
	if failure.Kind != KindCanceled {
		return failure
	}
	if ended := c.ended(); ended != nil {
		return ended
	}
	return failure
}

// judgeHealth says what the outcome tells of the server's health; see the
// package comment for the rule.
func (c *call) judgeHealth(resp *Response, failure *Error) verdict {
	if failure == nil {
		if resp.Status >= 500 && resp.Status != http.StatusNotImplemented {
			return verdict{known: true, failure: "a server error, 5xx"}
		}
		return verdict{known: true}
	}
	switch failure.Kind {
	case KindDNS, KindConnect, KindTLS, KindProtocol, KindTruncated:
		return verdict{known: true, failure: failure.detail}
	case KindTimeout:
		callers := c.ctx.Err() != nil && !errors.Is(context.Cause(c.ctx), errTimeLimit)
		return verdict{known: !callers, failure: failure.detail}
	case KindRedirect:
		return verdict{known: true}
	case KindCanceled, KindAddressRefused, KindBodyTooLarge, KindBreakerOpen, KindBusy, KindRateLimited, KindInvalidRequest, KindNotJSON:
	}
	return verdict{}
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// retryTime reads the retry time of an answer that is a refusal. Reset headers
// come with good answers too, where they ask for nothing.
func retryTime(answer *http.Response, now time.Time) time.Time {
	var at time.Time
	switch {
	case answer.StatusCode == http.StatusTooManyRequests, answer.StatusCode == http.StatusServiceUnavailable:
		at, _ = RetryAt(answer.Header, now)
	case answer.StatusCode >= http.StatusBadRequest:
		at, _ = retryAfter(answer.Header, now)
	}
	return at
}
