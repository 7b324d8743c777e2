// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
)

// Failure is every error of Send. It names the host at most: no path, no query,
// no secret and nothing of the answer.
type Failure struct {
	// Permanent tells that another try will not help before somebody changes the
	// address, the receiver or the event.
	Permanent bool
	// RetryAfter is how long the receiver, or a limit of our own, asks to be left
	// alone; zero where neither says.
	RetryAfter time.Duration
	// Status of the answer; zero where there was none.
	Status int
	// MaybeSent tells that the receiver may have the event although no answer
	// says so.
	MaybeSent bool

	reason string
	err    error
}

// Error says what happened, in words that do not change while the fault is the
// same.
func (f *Failure) Error() string { return f.reason }

// Unwrap gives the *httpx.Error, where there was no answer.
func (f *Failure) Unwrap() error { return f.err }

// Unanswered makes a Failure of why internal/httpx has no answer. Its errors hold
// neither path nor query nor body.
func Unanswered(err error, now time.Time) *Failure {
	failure := &Failure{reason: err.Error(), err: err}
	if sent, ok := errors.AsType[*httpx.Error](err); ok {
		failure.MaybeSent = sent.MaybeSent
		failure.RetryAfter = wait(sent.RetryAt, now)
	}
	switch httpx.KindOf(err) {
	case httpx.KindAddressRefused, httpx.KindRedirect, httpx.KindInvalidRequest:
		failure.Permanent = true
	case httpx.KindTimeout, httpx.KindCanceled, httpx.KindDNS, httpx.KindConnect, httpx.KindTLS, httpx.KindProtocol,
		httpx.KindTruncated, httpx.KindBodyTooLarge, httpx.KindBreakerOpen, httpx.KindBusy, httpx.KindRateLimited, httpx.KindNotJSON:
	}
	return failure
}

// Refused makes a Failure of an answer that is not what success looks like. The
// hint, where there is one, says what the status means there.
func Refused(host string, resp *httpx.Response, hint string, now time.Time) *Failure {
	reason := host + " answered " + strconv.Itoa(resp.Status)
	if hint != "" {
		reason += ": " + hint
	}
	return &Failure{
		Permanent:  PermanentStatus(resp.Status),
		RetryAfter: wait(resp.RetryAt, now),
		Status:     resp.Status,
		MaybeSent:  resp.Status >= http.StatusInternalServerError,
		reason:     reason,
	}
}

// PermanentStatus tells whether an HTTP status says that the same request will
// not do better later: 4xx but for 408 (too slow), 425 (too early) and 429 (too
// many).
func PermanentStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= http.StatusBadRequest && status < http.StatusInternalServerError
}

func explain(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "it does not accept the credential or the signature"
	case http.StatusNotFound:
		return "there is nothing at the path of the URL"
	case http.StatusGone:
		return "the receiver was removed and wants no more"
	case http.StatusTooManyRequests:
		return "too many requests"
	}
	return ""
}

func wait(until, now time.Time) time.Duration {
	if until.IsZero() {
		return 0
	}
	return max(0, until.Sub(now))
}
