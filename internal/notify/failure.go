// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
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

// Unwrap gives the *webhook.Failure of what was sent to a URL; nil for other ways.
func (f *Failure) Unwrap() error { return f.err }

// refused is a failure that stays one.
func refused(reason string) *Failure { return &Failure{Permanent: true, reason: reason} }

// fromTransport makes a Failure of what internal/httpx answered. Its errors hold
// neither path nor query nor body.
func fromTransport(err error, now time.Time) *Failure {
	return fromWebhook(webhook.Unanswered(err, now))
}

// fromStatus makes a Failure of an answer that is not what success looks like.
// The hint, where there is one, says what the status means at this service.
func fromStatus(host string, resp *httpx.Response, now time.Time, hint string) *Failure {
	return fromWebhook(webhook.Refused(host, resp, hint, now))
}

// fromWebhook makes a Failure of one of sending to a URL.
func fromWebhook(sent *webhook.Failure) *Failure {
	return &Failure{
		Permanent: sent.Permanent, RetryAfter: sent.RetryAfter, Status: sent.Status, MaybeTold: sent.MaybeSent,
		reason: sent.Error(), err: sent,
	}
}
