// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package faults makes HTTP servers answer badly on purpose, so that a test can
// see what an adapter makes of it: refusals, rate limits in every format,
// silence, HTML, far too much, half an answer, and answers that are lost after
// the server has acted. It knows no platform and is for tests only.
package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is one way to answer a request badly.
type Fault struct {
	name  string
	serve func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

// String names the fault, for the title of a test.
func (f Fault) String() string { return f.name }

// Serve answers r badly. next is the server behind; most faults do not ask it.
func (f Fault) Serve(w http.ResponseWriter, r *http.Request, next http.Handler) { f.serve(w, r, next) }

// Answer is any answer with a body: the platform's own form of a refusal, for
// example.
func Answer(status int, contentType, body string) Fault {
	return Fault{
		name: fmt.Sprintf("%d with %s", status, contentType),
		serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			drain(r)
			write(w, status, contentType, body)
		},
	}
}

// Status answers with a status and a JSON error of the common form.
func Status(status int) Fault {
	fault := Answer(status, "application/json; charset=utf-8", errorBody(http.StatusText(status)))
	fault.name = strconv.Itoa(status)
	return fault
}

// Unavailable is a 503 that says when to come back.
func Unavailable(wait time.Duration) Fault {
	fault := Status(http.StatusServiceUnavailable)
	return withHeader("503 with Retry-After", fault, "Retry-After", seconds(wait))
}

// HTML answers with a page, as a proxy, a firewall or a maintenance screen in
// front of the server does.
func HTML(status int) Fault {
	fault := Answer(status, "text/html; charset=utf-8", "<!DOCTYPE html><html><head><title>Please wait</title></head><body>One moment.</body></html>")
	fault.name = strconv.Itoa(status) + " with an HTML page"
	return fault
}

// Empty answers 200 with nothing in it.
func Empty() Fault {
	fault := Answer(http.StatusOK, "application/json", "")
	fault.name = "200 with an empty body"
	return fault
}

// Null answers 200 with the JSON value null.
func Null() Fault {
	fault := Answer(http.StatusOK, "application/json", "null")
	fault.name = "200 with null"
	return fault
}

// EmptyObject answers 200 with an object that has none of its fields.
func EmptyObject() Fault {
	fault := Answer(http.StatusOK, "application/json", "{}")
	fault.name = "200 with an empty object"
	return fault
}

// HalfJSON answers 200 with JSON that stops in the middle, and says that this
// was all.
func HalfJSON() Fault {
	fault := Answer(http.StatusOK, "application/json", `{"id":"1","username":"ne`)
	fault.name = "200 with half a JSON value"
	return fault
}

// Truncated breaks the connection in the middle of the body.
func Truncated() Fault {
	return Fault{
		name: "an answer cut short",
		serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			drain(r)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "4096")
			_, _ = io.WriteString(w, `{"id":"1","username":"ne`)
			panic(http.ErrAbortHandler)
		},
	}
}

// Huge answers 200 with valid JSON of about size bytes.
func Huge(size int) Fault {
	return Fault{
		name: fmt.Sprintf("200 with %d bytes", size),
		serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			drain(r)
			w.Header().Set("Content-Type", "application/json")
			if _, err := io.WriteString(w, `{"padding":"`); err != nil {
				return
			}
			chunk := strings.Repeat("x", 64<<10)
			for written := 0; written < size; written += len(chunk) {
				if _, err := io.WriteString(w, chunk); err != nil {
					return // the client has seen enough
				}
			}
			_, _ = io.WriteString(w, `"}`)
		},
	}
}

// Hang never answers; it ends when the client gives up.
func Hang() Fault {
	return Fault{
		name: "no answer at all",
		serve: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			drain(r) // else the server would not notice that the client has gone
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		},
	}
}

// Drop closes the connection before the server has seen the request.
func Drop() Fault {
	return Fault{
		name: "a connection closed before anything was done",
		serve: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			drain(r)
			panic(http.ErrAbortHandler)
		},
	}
}

// LostAnswer lets the server act and closes the connection instead of
// answering. Go's HTTP client by itself repeats a GET that met this on a
// connection used before.
func LostAnswer() Fault {
	return Fault{
		name: "an answer lost after the server has acted",
		serve: func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(&nowhere{header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		},
	}
}

// Echo refuses with an error that repeats the request's Authorization and body,
// as a debugging proxy might: what an adapter says of it must hold neither.
func Echo(status int) Fault {
	return Fault{
		name: strconv.Itoa(status) + " that repeats the request",
		serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			said := r.Header.Get("Authorization") + " " + string(body)
			write(w, status, "application/json", errorBody(said))
		},
	}
}

// Redirect sends the client elsewhere.
func Redirect(location string) Fault {
	fault := Answer(http.StatusFound, "text/plain", "elsewhere")
	return withHeader("a redirect", fault, "Location", location)
}

// ResetFormat is how a rate limit says when to come back.
type ResetFormat string

const (
	// ResetISO8601 is X-RateLimit-Reset with an ISO 8601 time (Mastodon).
	ResetISO8601 ResetFormat = "X-RateLimit-Reset in ISO 8601"
	// ResetEpoch is RateLimit-Reset with seconds since 1970 (Bluesky).
	ResetEpoch ResetFormat = "RateLimit-Reset in seconds since 1970"
	// ResetXEpoch is X-RateLimit-Reset with seconds since 1970 (GoToSocial, X).
	ResetXEpoch ResetFormat = "X-RateLimit-Reset in seconds since 1970"
	// ResetRemaining is X-RateLimit-Reset with the seconds that remain (Reddit).
	ResetRemaining ResetFormat = "X-RateLimit-Reset in seconds remaining"
	// RetryAfterSeconds is Retry-After in seconds.
	RetryAfterSeconds ResetFormat = "Retry-After in seconds"
	// RetryAfterDate is Retry-After with an HTTP date.
	RetryAfterDate ResetFormat = "Retry-After as a date"
)

// ResetFormats are all formats that name a time.
func ResetFormats() []ResetFormat {
	return []ResetFormat{ResetISO8601, ResetEpoch, ResetXEpoch, ResetRemaining, RetryAfterSeconds, RetryAfterDate}
}

// RateLimited is a 429 that asks to come back when wait has passed from now.
func RateLimited(format ResetFormat, now time.Time, wait time.Duration) Fault {
	at := now.Add(wait)
	epoch := strconv.FormatInt(at.Unix(), 10)
	headers := map[ResetFormat][2]string{
		ResetISO8601:      {"X-RateLimit-Reset", at.UTC().Format("2006-01-02T15:04:05.000000Z")},
		ResetEpoch:        {"RateLimit-Reset", epoch},
		ResetXEpoch:       {"X-RateLimit-Reset", epoch},
		ResetRemaining:    {"X-RateLimit-Reset", seconds(wait)},
		RetryAfterSeconds: {"Retry-After", seconds(wait)},
		RetryAfterDate:    {"Retry-After", at.UTC().Format(http.TimeFormat)},
	}
	header := headers[format]
	return withHeader("429 with "+string(format), Status(http.StatusTooManyRequests), header[0], header[1])
}

func withHeader(name string, fault Fault, key, value string) Fault {
	inner := fault.serve
	return Fault{name: name, serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		w.Header().Set(key, value)
		inner(w, r, next)
	}}
}

func errorBody(text string) string {
	body, err := json.Marshal(map[string]string{"error": text})
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return string(body)
}

func seconds(wait time.Duration) string { return strconv.Itoa(int(wait.Seconds())) }

// drain reads the request to its end, so that the connection can be used again
// and the server notices when the client goes away.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

func write(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// nowhere takes an answer that nobody gets.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(int)             {}
