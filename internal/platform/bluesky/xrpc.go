// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Methods of the protocol, by their NSID; each is documented at
// https://docs.bsky.app/docs/api/ under this name.
const (
	methodDescribeServer    = "com.atproto.server.describeServer"
	methodCreateSession     = "com.atproto.server.createSession"
	methodGetSession        = "com.atproto.server.getSession"
	methodRefreshSession    = "com.atproto.server.refreshSession"
	methodDeleteSession     = "com.atproto.server.deleteSession"
	methodCreateAppPassword = "com.atproto.server.createAppPassword"
	methodListAppPasswords  = "com.atproto.server.listAppPasswords"
	methodRevokeAppPassword = "com.atproto.server.revokeAppPassword"
	methodGetRepoStatus     = "com.atproto.sync.getRepoStatus"
	methodHealth            = "_health" // of the server's software, not of the protocol
)

// call is one request to the server.
type call struct {
	// account whose rate the request counts against; see limiterKey.
	account string
	method  string
	query   url.Values
	token   credentials.Value
	// input is sent as JSON; a procedure without one sends no body.
	input any
	// procedure is true for POST, false for GET.
	procedure bool
	// maxBody is the largest answer in bytes; zero for the client's own bound.
	maxBody int64
	// foreign tells that the answer holds what strangers wrote, nested as they
	// like.
	foreign bool
}

// ask sends a request and reads the answer into output, or, where that is nil,
// expects an answer without content. Every error is a *platform.Failure.
func (a *adapter) ask(ctx context.Context, c call, output any) error {
	request, err := a.build(c)
	if err != nil {
		return err
	}
	resp, err := a.client.Do(ctx, request)
	if err != nil {
		return platform.FromTransport(err)
	}
	if resp.Status < 200 || resp.Status > 299 {
		return classify(c.method, resp)
	}
	if output == nil {
		return checkNoContent(resp)
	}
	// encoding/json has a bound of its own for depth, and reads records raw.
	if c.foreign && json.Unmarshal(resp.Body, output) == nil {
		return nil
	}
	if err := httpx.DecodeJSON(resp, output); err != nil {
		return platform.FromTransport(err)
	}
	return nil
}

func (a *adapter) build(c call) (httpx.Request, error) {
	request := httpx.Request{
		Account: c.account,
		Method:  http.MethodGet,
		URL:     a.server.URL("/xrpc/"+c.method, c.query),
		Header:  http.Header{"Accept": {"application/json"}},
		MaxBody: c.maxBody,
	}
	if c.procedure {
		request.Method = http.MethodPost
	}
	if !c.token.IsEmpty() {
		request.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	if c.input != nil {
		body, err := json.Marshal(c.input)
		if err != nil {
			return httpx.Request{}, &platform.Failure{Class: platform.Permanent, Message: "the request cannot be written as JSON", Cause: err}
		}
		request.Body = body
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// checkNoContent accepts an empty answer and JSON. Anything else, such as the
// page of a proxy, is no proof that the server did what it was asked to do.
func checkNoContent(resp *httpx.Response) error {
	if len(bytes.TrimSpace(resp.Body)) == 0 {
		return nil
	}
	var ignored map[string]any
	if err := httpx.DecodeJSON(resp, &ignored); err != nil {
		return platform.FromTransport(err)
	}
	return nil
}

// accountAnswer is what getSession says of an account, and with tokens what
// createSession and refreshSession say.
type accountAnswer struct {
	DID    string `json:"did"`
	Handle string `json:"handle"`
	Active *bool  `json:"active"`
	Status string `json:"status"`
}

// check gives an Unknown where the answer cannot be one of this protocol.
func (a accountAnswer) check() error {
	if checkDID(a.DID) != nil || (a.Handle != unresolvedHandle && checkHostname(a.Handle) != nil) {
		return strange("the account's DID or handle is missing or malformed")
	}
	return nil
}

// identity of the account, or why it is blocked.
func (a accountAnswer) identity(access credentials.Value) (platform.Identity, error) {
	if a.Active != nil && !*a.Active {
		return platform.Identity{}, inactive(a.Status)
	}
	return platform.Identity{
		AccountID: a.DID,
		Handle:    strings.ToLower(a.Handle),
		CanMint:   readClaims(access.Reveal()).canMint(),
	}, nil
}

type sessionAnswer struct {
	accountAnswer
	AccessJWT  string `json:"accessJwt"`
	RefreshJWT string `json:"refreshJwt"`
}

func (s sessionAnswer) check() error {
	if !isToken(s.AccessJWT) || !isToken(s.RefreshJWT) {
		return strange("a token is missing or malformed")
	}
	return s.accountAnswer.check()
}

func (s sessionAnswer) session() session {
	return session{
		did:     s.DID,
		access:  credentials.NewValue(s.AccessJWT),
		refresh: credentials.NewValue(s.RefreshJWT),
	}
}

// strange is the Failure for a success that lacks what the protocol promises.
func strange(what string) *platform.Failure {
	return &platform.Failure{Class: platform.Unknown, Message: "the server's answer is not one of the AT Protocol: " + what}
}
