// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// ErrRefused says that the PDS knows nobody by the credential it was given: a
// wrong, revoked or expired password or token, or one that may not do this.
var ErrRefused = errors.New("the PDS refused the credential")

const (
	// ownAgent marks this package's own requests, which are not counted.
	ownAgent = "rostra-test-pds"
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 8 << 20
	// answerTimeout bounds one request of this package, should the caller's
	// context have no deadline.
	answerTimeout = 30 * time.Second
)

// Call is a request to the PDS, for facts that no method of Server covers.
type Call struct {
	// NSID names the method, such as com.atproto.server.getSession.
	NSID string
	// Query holds the parameters of a query (an XRPC method that only reads).
	Query url.Values
	// Token is sent as "Authorization: Bearer". Default: no such header.
	Token string
	// Procedure makes the request a POST. Default: a GET.
	Procedure bool
	// Body is sent as JSON, if not nil.
	Body any
}

// Answer is what the PDS said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Name and Message are the "error" and "message" of an error answer (the
	// XRPC error shape); empty otherwise.
	Name, Message string
}

// Error is an answer of the PDS that is not a success. ErrRefused tells the
// refused credentials apart.
type Error struct {
	NSID          string
	Status        int
	Name, Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: the PDS answered %d %s: %s", e.NSID, e.Status, e.Name, e.Message)
}

// Is reports whether the answer means ErrRefused.
func (e *Error) Is(target error) bool {
	if target != ErrRefused {
		return false
	}
	return e.Status == http.StatusUnauthorized || e.Name == "ExpiredToken" || e.Name == "InvalidToken"
}

func newClient() *http.Client {
	// Its own transport: neither the environment's proxies nor the connections
	// of the code under test.
	return &http.Client{Transport: &http.Transport{}, Timeout: answerTimeout}
}

// Do sends the call and returns the answer, whatever its status. The error is
// not nil only if there was no whole answer.
func (s *Server) Do(ctx context.Context, call Call) (Answer, error) {
	authorisation := ""
	if call.Token != "" {
		authorisation = "Bearer " + call.Token
	}
	return s.do(ctx, call, authorisation)
}

func (s *Server) do(ctx context.Context, call Call, authorisation string) (Answer, error) {
	request, err := s.request(ctx, call)
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w", call.NSID, err)
	}
	if authorisation != "" {
		request.Header.Set("Authorization", authorisation)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w", call.NSID, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("%s: reading the answer: %w", call.NSID, err)
	}
	answer := Answer{Status: response.StatusCode, Header: response.Header, Body: body}
	if response.StatusCode >= http.StatusBadRequest {
		var problem struct{ Error, Message string }
		// An error that is not JSON has no name; its status still counts.
		_ = json.Unmarshal(body, &problem)
		answer.Name, answer.Message = problem.Error, problem.Message
	}
	return answer, nil
}

func (s *Server) request(ctx context.Context, call Call) (*http.Request, error) {
	method, target := http.MethodGet, s.URL()+"/xrpc/"+call.NSID
	if call.Procedure {
		method = http.MethodPost
	}
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	var body io.Reader
	if call.Body != nil {
		encoded, err := json.Marshal(call.Body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", ownAgent)
	if call.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// send sends the call, wants a success and decodes the answer into out, if not
// nil.
func (s *Server) send(ctx context.Context, call Call, authorisation string, out any) error {
	answer, err := s.do(ctx, call, authorisation)
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return &Error{NSID: call.NSID, Status: answer.Status, Name: answer.Name, Message: answer.Message}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		return fmt.Errorf("%s: decoding the answer: %w", call.NSID, err)
	}
	return nil
}
