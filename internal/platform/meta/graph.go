// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// call is one request to the Graph API.
type call struct {
	// account whose rate the request counts against; see limiterKey.
	account string
	// method is GET where it is empty.
	method string
	// path below the version, such as "me/accounts".
	path string
	// params go into the query, or the form of a POST.
	params url.Values
	// token as whom the request is made; empty for nobody.
	token credentials.Value
	// proofKey is the app's secret, with which the request proves that it comes
	// from the app; empty for tokens that hold the secret themselves.
	proofKey credentials.Value
	// maxBody bounds the answer, in bytes; the client's own bound where it is 0.
	maxBody int64
}

// asApp makes the call with the app's own token.
func (c call) asApp(app application) call {
	c.token = app.token()
	return c
}

// as makes the call with a token that was issued to the app.
func (c call) as(app application, token credentials.Value) call {
	c.token, c.proofKey = token, app.secret
	return c
}

// ask sends a request and reads the answer into output. Every error is a
// *platform.Failure.
func (a *Adapter) ask(ctx context.Context, c call, output any) error {
	response, err := a.http.Do(ctx, a.build(c))
	if err != nil {
		return platform.FromTransport(err)
	}
	if failure := a.refusal(response); failure != nil {
		return failure
	}
	if err := httpx.DecodeJSON(response, output); err != nil {
		return platform.FromTransport(err)
	}
	return nil
}

// askAsApp is ask with the app's own token, or its secret among the parameters:
// a refusal blames the application.
func (a *Adapter) askAsApp(ctx context.Context, c call, output any) error {
	return ofApplication(a.ask(ctx, c, output))
}

// build puts the token into a header, where no log of URLs finds it.
func (a *Adapter) build(c call) httpx.Request {
	params := url.Values{}
	maps.Copy(params, c.params)
	header := http.Header{"Accept": {"application/json"}}
	if !c.token.IsEmpty() {
		header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	if !c.proofKey.IsEmpty() {
		params.Set("appsecret_proof", proof(c.token, c.proofKey))
	}
	request := httpx.Request{Account: c.account, Method: c.method, Header: header, MaxBody: c.maxBody}
	path := "/" + graphVersion + "/" + c.path
	if c.method != http.MethodPost {
		request.URL = a.server.URL(path, params)
		return request
	}
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.URL, request.Body = a.server.URL(path, nil), []byte(params.Encode())
	return request
}

// proof shows that who uses a token has the app's secret
// (https://developers.facebook.com/docs/graph-api/guides/secure-requests/).
func proof(token, secret credentials.Value) string {
	return hex.EncodeToString(sum([]byte(secret.Reveal()), []byte(token.Reveal())))
}

// sum is the HMAC-SHA256 of content.
func sum(key, content []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(content)
	return mac.Sum(nil)
}

// success is the answer to what changes something. Meta writes it as a word as
// well.
type success struct {
	Success any `json:"success"`
}

func (s success) check() error {
	switch s.Success {
	case true, "true":
		return nil
	}
	return strange("it does not say that the change was made")
}

// change sends a request that changes something, and reads whether it did.
func (a *Adapter) change(ctx context.Context, c call) error {
	var done success
	if err := a.ask(ctx, c, &done); err != nil {
		return err
	}
	return done.check()
}
