// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// Failure is every error of Tell and Close: the person counts as not told. It
// names the way and the host at most, and its text does not change while the
// fault is the same.
type Failure struct {
	// Way is the Notifier's.
	Way string
	// Permanent tells that another try will not help before somebody changes the
	// address or the other side.
	Permanent bool
	// RetryAfter is how long the other side, or a limit of our own, asks to be
	// left alone; zero where neither says.
	RetryAfter time.Duration
	// Status is the other side's code, of HTTP or SMTP; zero where there was
	// none.
	Status int
	// MaybeTold tells that the message may have arrived although nothing says so.
	MaybeTold bool

	reason string
	err    error
}

// Error says how the telling failed.
func (f *Failure) Error() string {
	if f.Way == "" {
		return f.reason
	}
	return f.Way + ": " + f.reason
}

// Unwrap gives the *httpx.Error, where there is one.
func (f *Failure) Unwrap() error { return f.err }

// refused is a failure that stays one.
func refused(reason string) *Failure { return &Failure{Permanent: true, reason: reason} }

// fromTransport makes a Failure of what internal/httpx answered. Its errors hold
// neither path nor query nor body.
func fromTransport(err error, now time.Time) *Failure {
	failure := &Failure{reason: err.Error(), err: err}
	if sent, ok := errors.AsType[*httpx.Error](err); ok {
		failure.MaybeTold = sent.MaybeSent
		failure.RetryAfter = until(sent.RetryAt, now)
	}
	switch httpx.KindOf(err) {
	case httpx.KindAddressRefused, httpx.KindRedirect, httpx.KindInvalidRequest:
		failure.Permanent = true
	case httpx.KindTimeout, httpx.KindCanceled, httpx.KindDNS, httpx.KindConnect, httpx.KindTLS, httpx.KindProtocol,
		httpx.KindTruncated, httpx.KindBodyTooLarge, httpx.KindBreakerOpen, httpx.KindBusy, httpx.KindRateLimited, httpx.KindNotJSON:
	}
	return failure
}

// fromStatus makes a Failure of an answer that is not what success looks like.
// The hint, where there is one, says what the status means at this service.
func fromStatus(host string, resp *httpx.Response, now time.Time, hint string) *Failure {
	reason := host + " answered " + strconv.Itoa(resp.Status)
	if hint != "" {
		reason += ": " + hint
	}
	return &Failure{
		Permanent:  webhook.PermanentStatus(resp.Status),
		RetryAfter: until(resp.RetryAt, now),
		Status:     resp.Status,
		MaybeTold:  resp.Status >= http.StatusInternalServerError,
		reason:     reason,
	}
}

func until(at, now time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return max(0, at.Sub(now))
}
