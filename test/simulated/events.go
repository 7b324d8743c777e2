// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package simulated

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Keys that a subscription is verified with, and the header of a signature.
const (
	KeyHook         = "hook-secret"
	KeyServer       = "server-key"
	SignatureHeader = "Simulated-Signature"
)

// EventPageSize is how many events a poll gives at most.
const EventPageSize = 2

// Events is what a server does about events.
type Events struct {
	// Pushes and Polls are the kinds that are pushed, and that can be asked for.
	Pushes, Polls []event.Kind
	// Scope of callbacks. Default: HookPerChannel.
	Scope platform.HookScope
	// ApplicationKey signs deliveries where it is not empty; else every
	// subscription has a key of Rostra's.
	ApplicationKey string
	// Tells makes the server sign with a key of its own as well, a new one for
	// each subscription, which it tells when it is asked to subscribe and never
	// again.
	Tells bool
	// Lease is how long a subscription lives; zero for without end.
	Lease time.Duration
	// Withholds are kinds that the server takes a request for, and does not send.
	Withholds []event.Kind
}

// Registered is a subscription as the server has it.
type Registered struct {
	ID, Callback string
	Events       []event.Kind
	LeaseUntil   time.Time
	Problem      string

	keys credentials.Values
}

// Registered gives an account's subscription; nil where there is none. It is
// no call.
func (s *Server) Registered(id string) *Registered {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.accounts[id].subscription
	if found == nil {
		return nil
	}
	gift := *found
	return &gift
}

// Subscriptions counts the subscriptions of all accounts.
func (s *Server) Subscriptions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for _, account := range s.accounts {
		if account.subscription != nil {
			count++
		}
	}
	return count
}

// ChangeSubscription changes an account's subscription behind Rostra's back; to
// give nil removes it.
func (s *Server) ChangeSubscription(id string, change func(*Registered) *Registered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id].subscription = change(s.accounts[id].subscription)
}

// Happens makes something happen on an account: it is there to be asked for.
func (s *Server) Happens(id string, events ...event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id].events = append(s.accounts[id].events, events...)
}

// Delivery is the request by which the server delivers events to an account's
// callback, signed with the keys that are registered now.
func (s *Server) Delivery(id string, events ...event.Event) platform.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.accounts[id].subscription
	for i := range events {
		events[i].AccountID = id
	}
	body, _ := json.Marshal(events)
	return platform.Delivery{
		Method: http.MethodPost, Header: http.Header{SignatureHeader: {sign(found.keys, body)}}, Body: body,
		URL: found.Callback, ReceivedAt: s.Clock.Now(),
	}
}

func sign(keys credentials.Values, body []byte) string {
	mac := hmac.New(sha256.New, []byte(keys.Get(KeyHook)+"."+keys.Get(KeyServer)))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Deliveries judges what comes in, as the gateway does: it gives the port
// without a server behind it.
func Deliveries() platform.Receiver { return &receiver{} }

type receiver struct{}

// Handshake implements platform.Receiver.
func (r *receiver) Handshake(delivery platform.Delivery, _ []credentials.Values) (platform.Answer, bool, error) {
	challenge := delivery.Query.Get("challenge")
	if delivery.Method != http.MethodGet || challenge == "" {
		return platform.Answer{}, false, nil
	}
	return platform.Answer{Status: http.StatusOK, ContentType: "text/plain", Body: []byte(challenge)}, true, nil
}

// Receive implements platform.Receiver.
func (r *receiver) Receive(delivery platform.Delivery, keys []credentials.Values) ([]event.Event, error) {
	signatures := delivery.Header.Values(SignatureHeader)
	if len(signatures) != 1 {
		return nil, &platform.Rejection{Reason: platform.RejectedUnsigned, Status: http.StatusUnauthorized, Message: "there must be one signature"}
	}
	signed := false
	for _, values := range keys {
		signed = hmac.Equal([]byte(signatures[0]), []byte(sign(values, delivery.Body))) || signed
	}
	if !signed {
		return nil, &platform.Rejection{Reason: platform.RejectedSignature, Status: http.StatusUnauthorized, Message: "the signature is not of any key in force"}
	}
	var events []event.Event
	if err := json.Unmarshal(delivery.Body, &events); err != nil {
		return nil, &platform.Rejection{Reason: platform.RejectedContent, Status: http.StatusBadRequest, Message: "the content is no list of events"}
	}
	return events, nil
}

// Accepted implements platform.Receiver.
func (r *receiver) Accepted() platform.Answer { return platform.Answer{Status: http.StatusAccepted} }

// HookScope implements platform.Subscriber.
func (t *tokens) HookScope() platform.HookScope {
	if t.server.Events.Scope != "" {
		return t.server.Events.Scope
	}
	return platform.HookPerChannel
}

// Pushes implements platform.Subscriber.
func (t *tokens) Pushes() []event.Kind { return t.server.Events.Pushes }

// HookKeys implements platform.Subscriber.
func (t *tokens) HookKeys(platform.Account) (keys credentials.Values, fresh bool, err error) {
	if key := t.server.Events.ApplicationKey; key != "" {
		return credentials.Values{KeyHook: credentials.NewValue(key)}, false, nil
	}
	return credentials.Values{KeyHook: credentials.NewValue(rand.Text())}, true, nil
}

// Subscribed implements platform.Subscriber.
func (t *tokens) Subscribed(ctx context.Context, asked platform.Account) (platform.Subscription, error) {
	var found *Registered
	err := t.server.call(ctx, "Subscribed", func() error {
		account, err := t.server.byPassword(asked.Source.Get(KeyPassword))
		if err == nil {
			found = account.subscription
		}
		return err
	})
	switch {
	case err != nil:
		return platform.Subscription{}, err
	case found == nil:
		return platform.Subscription{}, &platform.Failure{Class: platform.NotFound, Message: "there is no subscription"}
	}
	return found.answer(), nil
}

// Subscribe implements platform.Subscriber.
func (t *tokens) Subscribe(ctx context.Context, asked platform.Account, request platform.SubscriptionRequest) (platform.Subscription, error) {
	var answer platform.Subscription
	err := t.server.call(ctx, "Subscribe", func() error {
		account, err := t.server.byPassword(asked.Source.Get(KeyPassword))
		if err != nil {
			return err
		}
		told := credentials.Values{}
		if account.subscription == nil {
			t.server.serial++
			account.subscription = &Registered{ID: fmt.Sprintf("sub-%d", t.server.serial)}
			if t.server.Events.Tells {
				account.subscription.keys = credentials.Values{KeyServer: credentials.NewValue(rand.Text())}
			}
		}
		found := account.subscription
		if key, ok := found.keys[KeyServer]; ok {
			told[KeyServer] = key
		}
		found.Callback, found.Problem = request.Callback, ""
		found.Events = slices.DeleteFunc(slices.Clone(request.Events), func(kind event.Kind) bool { return slices.Contains(t.server.Events.Withholds, kind) })
		found.keys = maps.Clone(request.Keys)
		maps.Copy(found.keys, told)
		if t.server.Events.Lease > 0 {
			found.LeaseUntil = t.server.Clock.Now().Add(t.server.Events.Lease)
		}
		answer = found.answer()
		answer.Learnt = told
		return nil
	})
	return answer, err
}

// Unsubscribe implements platform.Subscriber.
func (t *tokens) Unsubscribe(ctx context.Context, asked platform.Account, _ string) error {
	return t.server.call(ctx, "Unsubscribe", func() error {
		account, err := t.server.byPassword(asked.Source.Get(KeyPassword))
		if err == nil {
			account.subscription = nil
		}
		return err
	})
}

func (r *Registered) answer() platform.Subscription {
	return platform.Subscription{ID: r.ID, Callback: r.Callback, Events: slices.Clone(r.Events), LeaseUntil: r.LeaseUntil, Problem: r.Problem}
}

// Handshake implements platform.Receiver.
func (t *tokens) Handshake(delivery platform.Delivery, keys []credentials.Values) (platform.Answer, bool, error) {
	return (&receiver{}).Handshake(delivery, keys)
}

// Receive implements platform.Receiver.
func (t *tokens) Receive(delivery platform.Delivery, keys []credentials.Values) ([]event.Event, error) {
	return (&receiver{}).Receive(delivery, keys)
}

// Accepted implements platform.Receiver.
func (t *tokens) Accepted() platform.Answer { return (&receiver{}).Accepted() }

// Polls implements platform.Poller.
func (t *tokens) Polls() []event.Kind { return t.server.Events.Polls }

// Poll implements platform.Poller.
func (t *tokens) Poll(ctx context.Context, asked platform.Account, cursor string, events []event.Kind) (platform.Page, error) {
	var page platform.Page
	err := t.server.call(ctx, "Poll", func() error {
		account, err := t.server.byPassword(asked.Source.Get(KeyPassword))
		if err != nil {
			return err
		}
		from := len(account.events)
		if cursor != "" {
			if from, err = strconv.Atoi(cursor); err != nil {
				return &platform.Failure{Class: platform.Permanent, Message: "that is no cursor"}
			}
		}
		until := min(from+EventPageSize, len(account.events))
		for _, e := range account.events[from:until] {
			if e.Kind.ConcernsOwnership() || slices.Contains(events, e.Kind) {
				page.Events = append(page.Events, e)
			}
		}
		page.Cursor, page.More = strconv.Itoa(until), until < len(account.events)
		return nil
	})
	return page, err
}
