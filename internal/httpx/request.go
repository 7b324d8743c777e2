// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Request is one request. Printed, it shows method and origin alone.
type Request struct {
	// Account is whose rate the request counts against, at the URL's origin:
	// an account ID, for example, and never a secret. Requests without one
	// share the origin's.
	Account string
	// Method is the HTTP method; empty means GET.
	Method string
	// URL is absolute, http or https, without user name or fragment.
	URL string `json:"-"`
	// Header is sent as it is; a User-Agent in it replaces the client's.
	Header http.Header `json:"-"`
	// Body is sent whole; nil means none.
	Body []byte `json:"-"`
	// MaxBody, where above zero, replaces Options.MaxBody; at most 64 MiB.
	MaxBody int64
	// DiscardBody is for whom the status tells all: the answer is good once its
	// header is there, whatever becomes of the body. No more of that is read
	// than the limit, and Response.Body is nil.
	DiscardBody bool
}

// Response is an answer, read to its end. Printed, it shows status and size
// alone.
type Response struct {
	// Status is the HTTP status code, never one of a redirect.
	Status int
	// Header is the answer's.
	Header http.Header `json:"-"`
	// Body is the whole body, decompressed.
	Body []byte `json:"-"`
	// RetryAt is when the server said to come back: from Retry-After on any
	// status from 400, from rate-limit reset headers on 429 and 503. Zero where
	// it did not say. It is bounded as RetryAt (the function) says.
	RetryAt time.Time

	origin string
}

// String gives method and origin: the rest of a request may be secret.
func (r Request) String() string {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	server, _, err := parseTarget(r.URL)
	if err != nil {
		return method + " (no usable URL)"
	}
	return method + " " + server.String()
}

// GoString is String, so that %#v shows no more.
func (r Request) GoString() string { return r.String() }

// String gives status and size: the rest of a response may be secret.
func (r Response) String() string { return fmt.Sprintf("%d (%d bytes)", r.Status, len(r.Body)) }

// GoString is String, so that %#v shows no more.
func (r Response) GoString() string { return r.String() }

// outgoing checks the request and makes it ready to send to target, which
// parseTarget gave.
func (r Request) outgoing(ctx context.Context, target *url.URL, userAgent string) (*http.Request, *Error) {
	if r.MaxBody < 0 || r.MaxBody > bodyCeiling {
		return nil, invalidRequest(fmt.Sprintf("the request's body limit is not between 0 and %d bytes", bodyCeiling))
	}
	if detail := checkHeader(r.Header); detail != "" {
		return nil, invalidRequest(detail)
	}
	outgoing, err := http.NewRequestWithContext(ctx, r.Method, target.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, invalidRequest("the request's method is not valid")
	}
	if r.Header != nil {
		outgoing.Header = r.Header.Clone()
	}
	if outgoing.Header.Get("User-Agent") == "" {
		outgoing.Header.Set("User-Agent", userAgent)
	}
	return outgoing, nil
}

func invalidRequest(detail string) *Error {
	return &Error{Kind: KindInvalidRequest, detail: detail}
}

// checkHeader says what is wrong with a header; empty where nothing is. Of
// several wrong fields it names the first by name, to say the same every time.
func checkHeader(h http.Header) string {
	wrong := ""
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return "a header of the request has a name that HTTP does not allow"
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) && (wrong == "" || name < wrong) {
				wrong = name
			}
		}
	}
	if wrong == "" {
		return ""
	}
	return "the header " + wrong + " holds a character that HTTP does not allow (a line break at the end of a credential?)"
}

// parseTarget parses a request's URL and puts its host into canonical form. Its
// errors go after "the URL" and do not repeat it.
func parseTarget(raw string) (ServerURL, *url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return ServerURL{}, nil, errors.New("cannot be parsed")
	}
	server, err := serverOf(u)
	if err != nil {
		return ServerURL{}, nil, err
	}
	if u.Fragment != "" {
		return ServerURL{}, nil, errors.New("has a fragment")
	}
	u.Host = server.Host()
	return server, u, nil
}
