// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// asker is with whose credential something is asked. It decides who is to
// blame where the credential is refused.
type asker int

const (
	byNobody      asker = iota
	byUser              // the account's access token
	byApplication       // the application's bearer token
	byClient            // the application's client ID and secret, for the account's refresh token
)

// limiterApplication is whose rate requests with the bearer token count
// against.
const limiterApplication = "application"

// maxToken is the longest token that is read or sent, in bytes.
const maxToken = 8 << 10

// isToken tells whether a text can stand in an Authorization header. It is wider
// than RFC 6750, section 2.1: X's app-only tokens hold percent signs.
func isToken(text string) bool {
	return text != "" && len(text) <= maxToken && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// call is one request to the API.
type call struct {
	by      asker
	account string // whose rate it counts against
	method  string // empty for GET
	path    string
	query   url.Values
	token   credentials.Value
	input   any // sent as JSON where it is not nil
	maxBody int64
}

// answer is the form of every good answer of API v2.
type answer[T any] struct {
	Data     *T                `json:"data"`
	Includes includes          `json:"includes"`
	Meta     *meta             `json:"meta"`
	Errors   []json.RawMessage `json:"errors"`
}

type includes struct {
	Users some[user] `json:"users"`
}

func (i includes) author(id string) user {
	if at := slices.IndexFunc(i.Users, func(one user) bool { return one.ID == id }); at >= 0 {
		return i.Users[at]
	}
	return user{}
}

// some is a list from which entries of another form than X documents are left
// out: strangers fill it, and an odd one must not cost the others.
type some[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (s *some[T]) UnmarshalJSON(data []byte) error {
	var entries []json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		return err
	}
	for _, entry := range entries {
		var one T
		if json.Unmarshal(entry, &one) == nil {
			*s = append(*s, one)
		}
	}
	return nil
}

type meta struct {
	NextToken   string `json:"next_token"`
	ResultCount *int   `json:"result_count"`
}

// ask sends a request and reads the answer. X answers 200 also where it has
// only errors to tell; errors beside data concern parts of the answer that
// nobody here asked for.
func ask[T any](ctx context.Context, a *Adapter, c call) (answer[T], *platform.Failure) {
	request, failure := a.build(c)
	if failure != nil {
		return answer[T]{}, failure
	}
	response, err := a.http.Do(ctx, request)
	if err != nil {
		return answer[T]{}, platform.FromTransport(err)
	}
	if response.Status < 200 || response.Status > 299 {
		return answer[T]{}, refused(c.by, response)
	}
	var read answer[T]
	if err := httpx.DecodeJSON(response, &read); err != nil {
		return answer[T]{}, platform.FromTransport(err)
	}
	if read.Data != nil || read.Meta != nil && read.Meta.ResultCount != nil && len(read.Errors) == 0 {
		return read, nil
	}
	if problems, ok := decodeProblems(response); ok {
		return answer[T]{}, classify(c.by, response.Status, response.RetryAt, problems)
	}
	return answer[T]{}, unexpected("X's answer holds neither data nor an error")
}

func (a *Adapter) build(c call) (httpx.Request, *platform.Failure) {
	request := httpx.Request{
		Account: c.account,
		MaxBody: c.maxBody,
		Method:  c.method,
		URL:     a.server.URL(c.path, c.query),
		Header:  http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + c.token.Reveal()}},
	}
	if c.input == nil {
		return request, nil
	}
	body, err := json.Marshal(c.input)
	if err != nil {
		return httpx.Request{}, &platform.Failure{Class: platform.Permanent, Message: "the request cannot be written as JSON", Cause: err}
	}
	request.Body = body
	request.Header.Set("Content-Type", "application/json")
	return request, nil
}

// post sends a form to one of the OAuth endpoints, as the application: a
// confidential client by Basic authentication (RFC 6749, section 2.3.1), a
// public one by its ID in the form.
func (a *Adapter) post(ctx context.Context, account string, application credentials.Values, path string, form url.Values) (*httpx.Response, *platform.Failure) {
	id, secret, failure := client(application)
	if failure != nil {
		return nil, failure
	}
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	if secret == "" {
		form.Set("client_id", id)
	} else {
		pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	response, err := a.http.Do(ctx, httpx.Request{
		Account: account, Method: http.MethodPost, URL: a.server.URL(path, nil), Header: header, Body: []byte(form.Encode()),
	})
	if err != nil {
		return nil, platform.FromTransport(err)
	}
	return response, nil
}

// client gives the application's ID and secret; the secret is empty for a
// public client.
func client(application credentials.Values) (id, secret string, failure *platform.Failure) {
	id, secret = trimmed(application, platform.ApplicationID), trimmed(application, platform.ApplicationSecret)
	if id == "" {
		return "", "", &platform.Failure{
			Class:   platform.Permanent,
			Message: "X wants to know which application asks: add the key " + platform.ApplicationID + " to the application's Secret, with the OAuth 2.0 client ID from X's developer console",
		}
	}
	return id, secret, nil
}
