// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
)

const (
	toyCallback  = "https://gateway.example/hooks/toy/t0ken-of-the-callback"
	toySignature = "Toy-Signature"
)

// toyHook is one subscription. A user may have several.
type toyHook struct {
	ID, User, Callback string
	Kinds              []event.Kind
	key                string
}

type toyEvent struct {
	ID   int
	User string
	Kind event.Kind
}

func (s *toyServer) hooksOf(user string) []toyHook {
	hooks := []toyHook{}
	for _, hook := range s.hooks {
		if hook.User == user {
			hooks = append(hooks, hook)
		}
	}
	return hooks
}

// subscribe checks the callback, as platforms do, and then adds a hook.
func (s *toyServer) subscribe(w http.ResponseWriter, user string, request toyRequest) {
	s.serial++
	hook := toyHook{ID: strconv.Itoa(s.serial), User: user, Callback: request.Callback, Kinds: request.Kinds, key: request.Key}
	s.sent = append(s.sent, platform.Delivery{
		Method: http.MethodGet, URL: request.Callback, Query: url.Values{"challenge": {hook.ID}}, Header: http.Header{},
	})
	s.hooks = append(s.hooks, hook)
	answer(w, http.StatusOK, hook)
}

// unsubscribe removes the hook of that ID; all hooks where there is no ID.
func (s *toyServer) unsubscribe(user, id string) {
	s.hooks = slices.DeleteFunc(s.hooks, func(hook toyHook) bool { return id == "" || hook.ID == id && hook.User == user })
}

func (s *toyServer) eventsSince(w http.ResponseWriter, user, after string) {
	since, err := strconv.Atoi(after)
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "after must be a number"})
		return
	}
	found := []toyEvent{}
	for _, happened := range s.events {
		if happened.User == user && happened.ID > since && len(found) < 3 {
			found = append(found, happened)
		}
	}
	answer(w, http.StatusOK, map[string]any{"events": found, "last": s.serial})
}

// happen tells every hook of the user that wants to know.
func (s *toyServer) happen(user string, kind event.Kind) error {
	if kind == event.DirectMessage || kind == event.OwnPost {
		return errors.ErrUnsupported
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	happened := toyEvent{ID: s.serial, User: user, Kind: kind}
	s.events = append(s.events, happened)
	body, err := json.Marshal(map[string]any{"account": "id-" + user, "events": []toyEvent{happened}})
	if err != nil {
		return err
	}
	for _, hook := range s.hooksOf(user) {
		if !kind.ConcernsOwnership() && !slices.Contains(hook.Kinds, kind) {
			continue
		}
		s.sent = append(s.sent, platform.Delivery{
			Method: http.MethodPost, URL: hook.Callback, Body: body, ReceivedAt: time.Now(),
			Header: http.Header{
				"Content-Type": {"application/json"}, "User-Agent": {"toy/1.0"}, toySignature: {toyMAC(hook.key, body)},
			},
		})
	}
	return nil
}

func toyMAC(key string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *toyServer) asEvents(user string) *conformance.Events {
	return &conformance.Events{
		Callback: toyCallback,
		Happen:   func(_ context.Context, kind event.Kind) error { return s.happen(user, kind) },
		Delivered: func(context.Context) ([]platform.Delivery, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			sent := s.sent
			s.sent = nil
			return sent, nil
		},
		Forget: func(context.Context) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.hooks = slices.DeleteFunc(s.hooks, func(hook toyHook) bool { return hook.User == user })
			return nil
		},
	}
}

var (
	_ platform.Subscriber = (*toyAdapter)(nil)
	_ platform.Receiver   = (*toyAdapter)(nil)
	_ platform.Poller     = (*toyAdapter)(nil)
)

func (a *toyAdapter) HookScope() platform.HookScope { return a.scope }

func (a *toyAdapter) Pushes() []event.Kind {
	return []event.Kind{event.Mention, event.Reply, event.DirectMessage, event.AuthorizationLost}
}

func (a *toyAdapter) HookKeys(account platform.Account) (credentials.Values, bool, error) {
	switch {
	case a.scope == platform.HookPerPlatform:
		return credentials.Values{"key": account.Application[platform.ApplicationSecret]}, false, nil
	case a.flaw == sharesKeys:
		return credentials.Values{"key": credentials.NewValue("everybody's")}, true, nil
	}
	return credentials.Values{"key": credentials.NewValue(rand.Text())}, true, nil
}

func (a *toyAdapter) Subscribed(ctx context.Context, account platform.Account) (platform.Subscription, error) {
	hooks, err := a.hooks(ctx, account)
	switch {
	case err != nil:
		return platform.Subscription{}, err
	case len(hooks) == 0:
		return platform.Subscription{}, &platform.Failure{Class: platform.NotFound, Message: "there is no subscription"}
	}
	return hooks[0].subscription(), nil
}

func (h toyHook) subscription() platform.Subscription {
	return platform.Subscription{ID: h.ID, Callback: h.Callback, Events: h.Kinds}
}

func (a *toyAdapter) hooks(ctx context.Context, account platform.Account) ([]toyHook, error) {
	var listed struct{ Hooks []toyHook }
	err := a.inSession(ctx, account, func(token string) error {
		return a.ask(ctx, http.MethodGet, "/subscriptions", token, toyRequest{}, &listed)
	})
	if err == nil && listed.Hooks == nil {
		err = &platform.Failure{Class: platform.Unknown, Message: "the answer holds no list"}
	}
	if err != nil && a.flaw == missesInOutage {
		return nil, nil
	}
	return listed.Hooks, a.spoil(err, account)
}

// Subscribe adds a hook and removes those that were there.
func (a *toyAdapter) Subscribe(ctx context.Context, account platform.Account, request platform.SubscriptionRequest) (platform.Subscription, error) {
	old, err := a.hooks(ctx, account)
	if err != nil {
		return platform.Subscription{}, err
	}
	kinds := request.Events
	if a.flaw == forgetsKinds {
		kinds = kinds[:1]
	}
	var made toyHook
	err = a.inSession(ctx, account, func(token string) error {
		wish := toyRequest{Callback: request.Callback, Kinds: kinds, Key: request.Keys.Get("key")}
		return a.ask(ctx, http.MethodPost, "/subscribe", token, wish, &made)
	})
	if err == nil && a.flaw != hooksBeside {
		err = a.unhook(ctx, account, old)
	}
	return made.subscription(), a.spoil(err, account)
}

func (a *toyAdapter) Unsubscribe(ctx context.Context, account platform.Account, callback string) error {
	hooks, err := a.hooks(ctx, account)
	switch {
	case err != nil:
		return err
	case len(hooks) == 0 && a.flaw == missesAbsent:
		return &platform.Failure{Class: platform.NotFound, Message: "there is no subscription"}
	case a.flaw == endsOthers:
		hooks = []toyHook{{}}
	case a.flaw == hooksBeside:
		hooks = hooks[:min(len(hooks), 1)]
	case a.flaw != endsAny:
		hooks = slices.DeleteFunc(hooks, func(hook toyHook) bool { return hook.Callback != callback })
	}
	return a.spoil(a.unhook(ctx, account, hooks), account)
}

func (a *toyAdapter) unhook(ctx context.Context, account platform.Account, hooks []toyHook) error {
	for _, hook := range hooks {
		err := a.inSession(ctx, account, func(token string) error {
			return a.ask(ctx, http.MethodPost, "/unsubscribe", token, toyRequest{Name: hook.ID}, &struct{}{})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *toyAdapter) Handshake(delivery platform.Delivery, _ []credentials.Values) (platform.Answer, bool, error) {
	challenge := delivery.Query.Get("challenge")
	return platform.Answer{Status: http.StatusOK, Body: []byte(challenge)}, challenge != "", nil
}

func (a *toyAdapter) Accepted() platform.Answer {
	if a.flaw == refusesThanks {
		return platform.Answer{Status: http.StatusNotFound}
	}
	return platform.Answer{Status: http.StatusNoContent}
}

func (a *toyAdapter) Receive(delivery platform.Delivery, keys []credentials.Values) ([]event.Event, error) {
	if rejection := a.judge(delivery, keys); rejection != nil {
		switch a.flaw {
		case plainErrors:
			return nil, errors.New(rejection.Message)
		case blamesItself:
			rejection.Status = http.StatusInternalServerError
		case repeatsHeader:
			rejection.Message += fmt.Sprint(delivery.Header[toySignature])
		}
		return nil, rejection
	}
	var sent struct {
		Account string
		Events  []toyEvent
	}
	if err := json.Unmarshal(delivery.Body, &sent); err != nil {
		return nil, &platform.Rejection{Reason: platform.RejectedContent, Status: http.StatusBadRequest, Message: "the body is no JSON"}
	}
	if a.flaw == namesNoAccount {
		sent.Account = ""
	}
	return a.named(sent.Account, sent.Events), nil
}

func (a *toyAdapter) judge(delivery platform.Delivery, keys []credentials.Values) *platform.Rejection {
	signatures := delivery.Header[toySignature]
	switch {
	case a.flaw != anyMethod && (delivery.Method != http.MethodPost || delivery.Header.Get("Content-Type") != "application/json"):
		return &platform.Rejection{Reason: platform.RejectedForm, Status: http.StatusBadRequest, Message: "not a POST of JSON"}
	case a.flaw == trustsAnyone:
		return nil
	case len(signatures) == 0, len(signatures) > 1 && a.flaw != takesFirst:
		return &platform.Rejection{Reason: platform.RejectedUnsigned, Status: http.StatusUnauthorized, Message: "not signed once"}
	}
	if a.flaw == newestKey && len(keys) > 0 {
		keys = keys[:1]
	}
	for _, key := range keys {
		if key.Get("key") != "" && hmac.Equal([]byte(toyMAC(key.Get("key"), delivery.Body)), []byte(signatures[0])) {
			return nil
		}
	}
	return &platform.Rejection{Reason: platform.RejectedSignature, Status: http.StatusUnauthorized, Message: "signed by a stranger"}
}

func (a *toyAdapter) named(account string, found []toyEvent) []event.Event {
	var events []event.Event
	for _, happened := range found {
		id := fmt.Sprintf("event-%d", happened.ID)
		if a.flaw == newIDs {
			id += fmt.Sprintf("-%d-%s", a.count.Add(1), rand.Text())
		}
		events = append(events, event.Event{ID: id, Kind: happened.Kind, AccountID: account})
	}
	return events
}

func (a *toyAdapter) Polls() []event.Kind {
	return []event.Kind{event.Mention, event.Reply, event.OwnPost}
}

func (a *toyAdapter) Poll(ctx context.Context, account platform.Account, cursor string, kinds []event.Kind) (platform.Page, error) {
	since, err := strconv.Atoi(cursor)
	begins := err != nil && a.flaw != raisesPast
	var answer struct {
		Events []toyEvent
		Last   int
	}
	err = a.inSession(ctx, account, func(token string) error {
		return a.ask(ctx, http.MethodGet, fmt.Sprintf("/events?after=%d", since), token, toyRequest{}, &answer)
	})
	if err == nil && answer.Events == nil && a.flaw != quietOnBlank {
		err = &platform.Failure{Class: platform.Unknown, Message: "the answer holds no list"}
	}
	switch {
	case err != nil && a.flaw == quietInOutage:
		return platform.Page{Cursor: cursor}, nil
	case err != nil:
		return platform.Page{}, a.spoil(err, account)
	case begins:
		return platform.Page{Cursor: strconv.Itoa(answer.Last)}, nil
	}
	return a.page(since, answer.Events, kinds), nil
}

func (a *toyAdapter) page(since int, found []toyEvent, kinds []event.Kind) platform.Page {
	after := since
	for _, happened := range found {
		if a.flaw != keepsCursor {
			after = happened.ID
		}
	}
	wanted := slices.DeleteFunc(slices.Clone(found), func(happened toyEvent) bool {
		return a.flaw != findsAllKinds && !slices.Contains(kinds, happened.Kind)
	})
	if a.flaw == newestFirst {
		slices.Reverse(wanted)
	}
	return platform.Page{Events: a.named("", wanted), Cursor: strconv.Itoa(after), More: len(found) > 0 && a.flaw != keepsCursor}
}
