// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/mastodon/webpush"
)

// pathPush is an access token's one push subscription
// (https://docs.joinmastodon.org/methods/push/).
const pathPush = "/api/v1/push/subscription"

// Keys of a callback: what HookKeys gives, and keyServer, which the server
// tells when it is subscribed.
const (
	keyPrivate = "private-key"
	keyPublic  = "public-key"
	keyAuth    = "auth"
	keyServer  = "server-key"
)

const (
	alertMention = "mention"
	alertStatus  = "status"

	// policyAll lets everybody's notifications through.
	policyAll = "all"
)

const (
	messagePushScope = "the access token lacks the scope push, without which the server sends no events: connect the account again, or issue a token with the scopes " + wantedScopes + ", and push"
	messageNoPush    = "the server has no push subscriptions (" + pathPush + " is not there): Mastodon and GoToSocial from 0.18 on have them"
	messageNoVapid   = "the server names no key that it signs its pushes with, so that none could be believed: its administrator must set VAPID keys"
	messagePushKeys  = "the keys of the callback are missing or damaged: remove the Secret that holds them, and Rostra makes new ones"
	messageNotThere  = "there is no push subscription of this access token"
	messageNotPush   = "the server's answer is not a push subscription as the Mastodon API documents"
)

var _ platform.Subscriber = (*Adapter)(nil)

// HookScope implements platform.Subscriber: each access token has one
// subscription.
func (a *Adapter) HookScope() platform.HookScope { return platform.HookPerChannel }

// Pushes implements platform.Subscriber. Replies and direct messages are pushed
// too, and cannot be told from other mentions there: they arrive as Mention.
// Own posts are not pushed. Other are posts of accounts that this one watches.
func (a *Adapter) Pushes() []event.Kind { return []event.Kind{event.Mention, event.Other} }

// HookKeys makes the keys of a browser that subscribes (RFC 8291, section 2).
func (a *Adapter) HookKeys(platform.Account) (keys credentials.Values, fresh bool, err error) {
	made, err := webpush.NewKeys()
	if err != nil {
		return nil, false, err
	}
	return credentials.Values{
		keyPrivate: credentials.NewValue(made.Private()),
		keyPublic:  credentials.NewValue(made.Public()),
		keyAuth:    credentials.NewValue(made.Auth()),
	}, true, nil
}

// Subscribed implements platform.Subscriber.
func (a *Adapter) Subscribed(ctx context.Context, account platform.Account) (platform.Subscription, error) {
	found, failure := a.push(ctx, account, http.MethodGet, nil)
	if failure != nil {
		return platform.Subscription{}, failure
	}
	subscription := found.subscription()
	switch {
	case len(subscription.Learnt) == 0:
		subscription.Problem = messageNoVapid
	case found.Policy != "" && found.Policy != policyAll:
		subscription.Problem = "the subscription leaves out what other people than the account's followers, or those it follows, do: its policy is not " + policyAll
	}
	return subscription, nil
}

// Subscribe replaces the access token's subscription, whatever it was. A
// server from Mastodon 4.4 on, and GoToSocial, sends as RFC 8291 says; older
// ones do not know that they are asked to, and send as its draft did.
func (a *Adapter) Subscribe(ctx context.Context, account platform.Account, request platform.SubscriptionRequest) (platform.Subscription, error) {
	public, auth := request.Keys.Get(keyPublic), request.Keys.Get(keyAuth)
	if _, err := webpush.ParseKeys(request.Keys.Get(keyPrivate), auth); err != nil || public == "" {
		return platform.Subscription{}, &platform.Failure{Class: platform.Permanent, Message: messagePushKeys}
	}
	form := url.Values{
		"subscription[endpoint]":     {request.Callback},
		"subscription[keys][p256dh]": {public},
		"subscription[keys][auth]":   {auth},
		"subscription[standard]":     {"true"},
		"data[policy]":               {policyAll},
	}
	for _, alert := range []string{alertMention, alertStatus} {
		form.Set("data[alerts]["+alert+"]", strconv.FormatBool(slices.ContainsFunc(request.Events, func(kind event.Kind) bool {
			return alertOf(kind) == alert
		})))
	}
	made, failure := a.push(ctx, account, http.MethodPost, form)
	if failure != nil {
		return platform.Subscription{}, subscribeFailure(failure)
	}
	subscription := made.subscription()
	if len(subscription.Learnt) == 0 {
		return platform.Subscription{}, &platform.Failure{Class: platform.Permanent, Message: messageNoVapid}
	}
	return subscription, nil
}

// alertOf is the alert under which a kind of event is pushed; empty where it is
// not.
func alertOf(kind event.Kind) string {
	switch kind {
	case event.Mention, event.Reply, event.DirectMessage:
		return alertMention
	case event.Other:
		return alertStatus
	case event.OwnPost, event.AuthorizationLost, event.HandleChanged, event.TokenExpiring:
	}
	return ""
}

// subscribeFailure says more of what it means that a server does not subscribe.
func subscribeFailure(failure *platform.Failure) *platform.Failure {
	if failure.Class == platform.NotFound {
		return &platform.Failure{Class: platform.Permanent, Code: failure.Code, Message: messageNoPush}
	}
	return failure
}

// Unsubscribe ends the subscription where it is to the callback. The API ends
// whichever the access token has, so that one made by somebody else between the
// two requests would end too.
func (a *Adapter) Unsubscribe(ctx context.Context, account platform.Account, callback string) error {
	standing, failure := a.push(ctx, account, http.MethodGet, nil)
	switch {
	case failure != nil && failure.Class == platform.NotFound:
		return nil
	case failure != nil:
		return failure
	case standing.Endpoint != callback:
		return nil
	}
	return a.endPush(ctx, account)
}

// endPush ends the access token's subscription, whatever it is.
func (a *Adapter) endPush(ctx context.Context, account platform.Account) error {
	token, failure := accessToken(account.Source, keyAccessToken)
	if failure != nil {
		return failure
	}
	response, failure := a.askPush(ctx, callerOf(account, token), http.MethodDelete, nil)
	switch {
	case failure != nil:
		return failure
	case response.Status == http.StatusOK: // also where there was none
		if failure := platform.FromTransport(httpx.DecodeJSON(response, &struct{}{})); failure != nil {
			return failure
		}
		return nil
	}
	if failure = pushFailure(response); failure.Class == platform.NotFound {
		return nil
	}
	return failure
}

// push asks for the subscription, or changes it, and reads the answer.
func (a *Adapter) push(ctx context.Context, account platform.Account, method string, form url.Values) (pushSubscription, *platform.Failure) {
	token, failure := accessToken(account.Source, keyAccessToken)
	if failure != nil {
		return pushSubscription{}, failure
	}
	response, failure := a.askPush(ctx, callerOf(account, token), method, form)
	if failure != nil {
		return pushSubscription{}, failure
	}
	if response.Status != http.StatusOK {
		return pushSubscription{}, pushFailure(response)
	}
	var found pushSubscription
	if err := httpx.DecodeJSON(response, &found); err != nil {
		return pushSubscription{}, platform.FromTransport(err)
	}
	if found.ID == "" || found.Endpoint == "" {
		return pushSubscription{}, unexpected(messageNotPush)
	}
	return found, nil
}

func (a *Adapter) askPush(ctx context.Context, from caller, method string, form url.Values) (*httpx.Response, *platform.Failure) {
	request := httpx.Request{Account: from.account, Method: method, URL: a.server.URL(pathPush, nil), Header: from.header()}
	if form != nil {
		request.Header.Set("Content-Type", formType)
		request.Body = []byte(form.Encode())
	}
	response, err := a.http.Do(ctx, request)
	if err != nil {
		return nil, platform.FromTransport(err)
	}
	return response, nil
}

// pushFailure is why the server did not answer with a subscription. Only the
// API itself can say that there is none: a page that says so is of something
// in front of it.
func pushFailure(response *httpx.Response) *platform.Failure {
	failure := classify(response)
	_, _, ofAPI := decodeError(response)
	switch failure.Class {
	case platform.InsufficientScope:
		failure.Message = messagePushScope
	case platform.NotFound:
		if !ofAPI {
			return unexpected(messageNoPush)
		}
		failure.Message = messageNotThere
	case platform.Unauthorized, platform.Revoked, platform.RateLimited, platform.PolicyBlocked,
		platform.Conflict, platform.Transient, platform.Permanent, platform.Unknown:
	}
	return failure
}

// pushSubscription is the part of the API's WebPushSubscription that matters
// here (https://docs.joinmastodon.org/entities/WebPushSubscription/). Policy
// is told by Mastodon from 4.4 on and by GoToSocial.
type pushSubscription struct {
	ID        identifier      `json:"id"`
	Endpoint  string          `json:"endpoint"`
	Alerts    map[string]bool `json:"alerts"`
	ServerKey string          `json:"server_key"`
	Policy    string          `json:"policy"`
}

// subscription reads what the server has. A server key that is none is left
// out.
func (p pushSubscription) subscription() platform.Subscription {
	found := platform.Subscription{ID: string(p.ID), Callback: p.Endpoint}
	for _, kind := range []event.Kind{event.Mention, event.Other} {
		if p.Alerts[alertOf(kind)] {
			found.Events = append(found.Events, kind)
		}
	}
	if _, err := webpush.ParsePublicKey(p.ServerKey); err == nil {
		found.Learnt = credentials.Values{keyServer: credentials.NewValue(p.ServerKey)}
	}
	return found
}
