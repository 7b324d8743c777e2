// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
)

// HookScope says to whom a callback URL belongs.
type HookScope string

const (
	// HookPerChannel: each account has a callback of its own.
	HookPerChannel HookScope = "Channel"
	// HookPerPlatform: the application has one callback for all its accounts;
	// an event names its account.
	HookPerPlatform HookScope = "Platform"
)

// SubscriptionRequest is what a subscription is to be.
type SubscriptionRequest struct {
	// Callback is the URL to which events are to be sent. It holds a token:
	// never show it whole.
	Callback string
	// Events wanted. Those that concern ownership are subscribed wherever the
	// platform has them, without being named.
	Events []event.Kind
	// Keys that the platform and the gateway share, as HookKeys gave them.
	Keys credentials.Values
}

// Subscription is a platform's promise to send events, as it stands there.
type Subscription struct {
	// ID at the platform.
	ID string
	// Callback as registered; empty where the platform does not tell.
	Callback string
	// Events that will be sent, of those that a SubscriptionRequest may name.
	Events []event.Kind
	// LeaseUntil is when the promise ends unless it is renewed; zero for never.
	LeaseUntil time.Time
	// Learnt are keys that the platform told when it was asked, such as the one
	// that it signs with: deliveries are verified with them too. They are added
	// to the request's keys.
	Learnt credentials.Values
	// Problem is what the platform says is wrong with the subscription, such as
	// a callback that failed its check; empty for nothing. Subscribe mends it.
	Problem string
}

// Subscriber is a Platform that pushes events to a callback.
type Subscriber interface {
	// HookScope says to whom the callback belongs.
	HookScope() HookScope
	// Pushes are the kinds of events that can be pushed, ownership events
	// included.
	Pushes() []event.Kind
	// HookKeys gives the keys by which deliveries are verified: those of the
	// application where the platform signs with them (fresh is false then, and
	// the same application gives the same keys), else new random ones of
	// Rostra's own (fresh is true), to be kept by the caller.
	HookKeys(account Account) (keys credentials.Values, fresh bool, err error)
	// Subscribed gives the account's subscription as the platform has it.
	// NotFound is the Failure where there is none.
	Subscribed(ctx context.Context, account Account) (Subscription, error)
	// Subscribe makes the account's subscription what is asked for, whether
	// there is one or not. It is idempotent, also when the answer was lost.
	Subscribe(ctx context.Context, account Account, request SubscriptionRequest) (Subscription, error)
	// Unsubscribe ends the account's subscription to this callback. None to end
	// is a success; those of other accounts of the same application stay, and so
	// do those to other callbacks, which are somebody else's.
	Unsubscribe(ctx context.Context, account Account, callback string) error
}

// Delivery is one request to a callback, read but not trusted.
type Delivery struct {
	// Method, Query and Header of the request.
	Method string
	Query  url.Values
	Header http.Header
	// Body, raw.
	Body []byte
	// URL is the callback as registered: scheme, host and path. Some signatures
	// cover the origin of it.
	URL string
	// ReceivedAt by Rostra's clock.
	ReceivedAt time.Time
}

// Answer is what the gateway answers a platform.
type Answer struct {
	// Status is the HTTP status.
	Status int
	// ContentType and Body; may be empty.
	ContentType string
	Body        []byte
}

// Receiver is a Subscriber that understands the deliveries it asked for. Its
// methods call no server and take no time: the gateway runs them for every
// stranger's request.
type Receiver interface {
	// Handshake answers a request by which the platform checks the callback.
	// asked is false where the request is none. keys are those in force, newest
	// first, never empty. An error is a *Rejection.
	Handshake(delivery Delivery, keys []credentials.Values) (answer Answer, asked bool, err error)
	// Receive verifies a delivery with any of the keys, in constant time over
	// the raw body and before it is parsed, and gives the events in it, with
	// ID, Kind, AccountID (where the scope is HookPerPlatform, always) and what
	// else it tells. What it has no name for is event.Other, never dropped.
	// Events hold no credential, even where the platform sends one along. An
	// error is a *Rejection.
	Receive(delivery Delivery, keys []credentials.Values) ([]event.Event, error)
	// Accepted is what this platform takes for "received".
	Accepted() Answer
}

// Completer is a Platform whose deliveries do not tell all that there is to an
// event: who did it, what it is about, and where to look.
type Completer interface {
	// Incomplete tells whether Complete would ask. It asks nobody itself.
	Incomplete(e event.Event) bool
	// Complete gives the event with what its delivery did not tell. It asks the
	// platform once, with the source credential, and changes nothing there, so
	// that it can be asked again. The event keeps its ID. One that needs nothing
	// is given back unasked, and one that the platform no longer has is given
	// back as it was, with no error; so is it beside every error, which is a
	// *Failure.
	Complete(ctx context.Context, account Account, e event.Event) (event.Event, error)
}

// RejectionReason says why a delivery was refused. The set is bounded: it is
// also a metric label.
type RejectionReason string

const (
	// RejectedUnsigned: there is no signature, or more than one.
	RejectedUnsigned RejectionReason = "Unsigned"
	// RejectedSignature: the signature is not of any key in force, or cannot be
	// one.
	RejectedSignature RejectionReason = "Signature"
	// RejectedStale: the signature is good, and its time is too far off.
	RejectedStale RejectionReason = "Stale"
	// RejectedForm: the request is not one that the platform makes: method,
	// content type or encoding.
	RejectedForm RejectionReason = "Form"
	// RejectedContent: the signature is good, and the content cannot be read.
	RejectedContent RejectionReason = "Content"
)

// Rejection is why a delivery is refused.
type Rejection struct {
	// Reason is what is wrong.
	Reason RejectionReason
	// Status that the platform is to be answered.
	Status int
	// Message for the log: no secret, and nothing of the request.
	Message string
}

// Error gives the message.
func (r *Rejection) Error() string { return r.Message }

// Page is what a poll found.
type Page struct {
	// Events, oldest first within the page, each with an ID that the same event has in every
	// poll.
	Events []event.Event
	// Cursor from which the next poll goes on, at most 4096 bytes. It is to be kept once the events
	// are stored; the same cursor asked again gives the same events, or those
	// and later ones.
	Cursor string
	// More tells that there is more now.
	More bool
}

// Poller is a Platform that can be asked for events.
type Poller interface {
	// Polls are the kinds of events that can be asked for.
	Polls() []event.Kind
	// Poll asks for what has happened since the cursor. An empty cursor begins
	// now: it gives a cursor and no events, so that adopting an account does
	// not raise its whole past.
	Poll(ctx context.Context, account Account, cursor string, events []event.Kind) (Page, error)
}
