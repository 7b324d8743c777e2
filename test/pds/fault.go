// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Fault answers a request in the server's place. It may pass the request on to
// next, the real server, first, last or never. http.ErrAbortHandler, thrown as a
// panic, breaks the client's connection.
//
// Go's own HTTP client sends a GET again by itself if a kept-alive connection
// breaks before an answer; a test of a lost answer to a GET sees two requests.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Respond answers with the status, content type and body.
func Respond(status int, contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		write(w, status, contentType, []byte(body))
	}
}

// XRPCError answers as the PDS does when it refuses: with the status, the error's
// name and a message.
func XRPCError(status int, name, message string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		writeError(w, status, name, message)
	}
}

// Status answers with the status and the XRPC error that usually comes with it.
func Status(status int) Fault {
	names := map[int]string{
		http.StatusBadRequest:          "InvalidRequest",
		http.StatusUnauthorized:        "AuthenticationRequired",
		http.StatusForbidden:           "Forbidden",
		http.StatusNotFound:            "XRPCNotSupported",
		http.StatusTooManyRequests:     "RateLimitExceeded",
		http.StatusInternalServerError: "InternalServerError",
		http.StatusNotImplemented:      "MethodNotImplemented",
		http.StatusBadGateway:          "UpstreamFailure",
		http.StatusServiceUnavailable:  "NotEnoughResources",
		http.StatusGatewayTimeout:      "UpstreamTimeout",
	}
	return XRPCError(status, names[status], http.StatusText(status))
}

// RateLimited answers 429 with the headers of the public service: RateLimit-Reset
// in whole seconds since 1970, and no Retry-After.
func RateLimited(reset time.Time) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("RateLimit-Limit", "30")
		w.Header().Set("RateLimit-Remaining", "0")
		w.Header().Set("RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
		w.Header().Set("RateLimit-Policy", "30;w=300")
		writeError(w, http.StatusTooManyRequests, "RateLimitExceeded", "Rate Limit Exceeded")
	}
}

// HTML answers with the status and a page, as load balancers do.
func HTML(status int) Fault {
	return Respond(status, "text/html", "<!DOCTYPE html><html><body><h1>"+http.StatusText(status)+"</h1></body></html>")
}

// Empty answers with the status and no body.
func Empty(status int) Fault { return Respond(status, "application/json", "") }

// Huge answers with the status and a JSON string of so many bytes, without
// telling its length first.
func Huge(status, size int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, err := io.WriteString(w, `{"message":"`)
		chunk := make([]byte, 64<<10)
		for i := range chunk {
			chunk[i] = 'x'
		}
		for left := size; left > 0 && err == nil; left -= len(chunk) {
			_, err = w.Write(chunk[:min(left, len(chunk))])
		}
		if err == nil {
			_, _ = io.WriteString(w, `"}`) // the client may be gone: its right
		}
	}
}

// Redirect answers 302 to the URL.
func Redirect(target string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, target, http.StatusFound)
	}
}

// Hang never answers: it waits until the client gives up or the proxy closes.
func Hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	<-r.Context().Done()
	drop()
}

// LoseRequest breaks the connection before the server hears of the request.
func LoseRequest(http.ResponseWriter, *http.Request, http.Handler) { drop() }

// LoseAnswer lets the server carry the request out and breaks the connection
// instead of answering.
func LoseAnswer(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	carryOut(r, next)
	drop()
}

// HangAnswer lets the server carry the request out and then hangs.
func HangAnswer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	carryOut(r, next)
	Hang(w, r, next)
}

// HalfAnswer lets the server carry the request out and passes on the first half
// of its answer as if it were whole: a JSON text cut in two.
func HalfAnswer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := carryOut(r, next)
	write(w, answer.status, answer.header.Get("Content-Type"), answer.body.Bytes()[:answer.body.Len()/2])
}

// AnswerInstead lets the server carry the request out and then plays the other
// fault to the client: done, and reported as failed.
func AnswerInstead(fault Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		carryOut(r, next)
		fault(w, r, next)
	}
}

// Gate holds requests until it is opened, so that a test can act between two
// steps of the code under test. Make one with NewGate.
type Gate struct {
	arrived, opened chan struct{}
	arrive, open    sync.Once
}

// NewGate returns a closed gate.
func NewGate() *Gate {
	return &Gate{arrived: make(chan struct{}), opened: make(chan struct{})}
}

// Arrived is closed when the first request is held; with HoldAnswer, the server
// has then carried it out.
func (g *Gate) Arrived() <-chan struct{} { return g.arrived }

// Open lets held requests and those to come pass.
func (g *Gate) Open() { g.open.Do(func() { close(g.opened) }) }

// HoldRequest is a Fault that holds requests before the server hears of them. A
// request whose client gives up is never carried out.
func (g *Gate) HoldRequest(w http.ResponseWriter, r *http.Request, next http.Handler) {
	g.hold(r)
	next.ServeHTTP(w, r)
}

// HoldAnswer is a Fault that lets the server carry requests out and holds the
// answers.
func (g *Gate) HoldAnswer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := carryOut(r, next)
	g.hold(r)
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes()) // the client may be gone: its right
}

func (g *Gate) hold(r *http.Request) {
	g.arrive.Do(func() { close(g.arrived) })
	select {
	case <-g.opened:
	case <-r.Context().Done():
		drop()
	}
}

// carryOut passes the request on to its end, even if the client gives up.
func carryOut(r *http.Request, next http.Handler) *heldAnswer {
	answer := &heldAnswer{header: http.Header{}, status: http.StatusOK}
	request := r.Clone(context.WithoutCancel(r.Context()))
	request.Header.Del("Accept-Encoding") // so that the answer can be cut as text
	next.ServeHTTP(answer, request)
	return answer
}

// heldAnswer is an http.ResponseWriter that keeps the answer.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) Header() http.Header { return a.header }

func (a *heldAnswer) Write(data []byte) (int, error) { return a.body.Write(data) }

func (a *heldAnswer) WriteHeader(status int) {
	if status >= http.StatusOK { // not an interim answer
		a.status = status
	}
}

func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone: its right
}

func writeError(w http.ResponseWriter, status int, name, message string) {
	// Two strings always encode.
	body, _ := json.Marshal(map[string]string{"error": name, "message": message})
	write(w, status, "application/json; charset=utf-8", body)
}
