// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	pathWebhooks   = "/2/webhooks"
	pathActivities = "/2/account_activity/webhooks/"
)

// longestCallback is what X takes, in characters.
const longestCallback = 200

// problemInvalid is what a Subscription says of a webhook that X calls invalid.
const problemInvalid = "X has stopped sending to the callback, because it did not answer a check"

// HookScope implements platform.Subscriber: a webhook is the application's, and
// each delivery names the account.
func (a *Adapter) HookScope() platform.HookScope { return platform.HookPerPlatform }

// Pushes implements platform.Subscriber.
func (a *Adapter) Pushes() []event.Kind {
	return append(nameable(), event.Other, event.AuthorizationLost)
}

// nameable are the kinds that a subscription may name. X sends all or none.
func nameable() []event.Kind {
	return []event.Kind{event.Mention, event.Reply, event.DirectMessage, event.OwnPost}
}

// HookKeys gives the secrets with which X signs: the application's consumer
// secret, and its client secret, which X has begun to sign with instead.
func (a *Adapter) HookKeys(account platform.Account) (keys credentials.Values, fresh bool, err error) {
	keys = credentials.Values{}
	for _, name := range []string{applicationConsumerSecret, platform.ApplicationSecret} {
		if secret := trimmed(account.Application, name); secret != "" {
			keys[name] = credentials.NewValue(secret)
		}
	}
	if len(keys) == 0 {
		return nil, false, &platform.Failure{
			Class:   platform.Permanent,
			Message: "what X pushes cannot be verified: add the key " + applicationConsumerSecret + ", the application's API key secret, to the application's Secret",
		}
	}
	return keys, false, nil
}

// webhook is a webhook of the application's.
type webhook struct {
	ID    string `json:"id"`
	URL   string `json:"url"`
	Valid bool   `json:"valid"`
}

func (w webhook) subscription() platform.Subscription {
	s := platform.Subscription{ID: w.ID, Callback: w.URL, Events: nameable()}
	if !w.Valid {
		s.Problem = problemInvalid
	}
	return s
}

// Subscribed looks for the webhook to which the account is subscribed: the one
// that Rostra subscribed it to, else the application's first.
func (a *Adapter) Subscribed(ctx context.Context, account platform.Account) (platform.Subscription, error) {
	hooks, failure := a.webhooks(ctx, account)
	if failure != nil {
		return platform.Subscription{}, failure
	}
	found := -1
	failure = a.withAccess(ctx, account, func(s session) *platform.Failure {
		rememberedFirst(hooks, s.webhook)
		for i, hook := range hooks {
			subscribed, failure := a.isSubscribed(ctx, account, hook.ID, s.access)
			switch {
			case failure != nil && failure.Code != reasonWebhookID:
				return failure
			case failure == nil && subscribed:
				found = i
				return nil
			}
		}
		return nil
	})
	switch {
	case failure != nil:
		return platform.Subscription{}, failure
	case found < 0:
		return platform.Subscription{}, notSubscribed()
	}
	return hooks[found].subscription(), nil
}

func notSubscribed() *platform.Failure {
	return &platform.Failure{Class: platform.NotFound, Message: "the account is not subscribed to any webhook of the application"}
}

// rememberedFirst brings the webhook with the ID to the front.
func rememberedFirst(hooks []webhook, id string) {
	slices.SortStableFunc(hooks, func(one, other webhook) int {
		switch {
		case one.ID == id && other.ID != id:
			return -1
		case one.ID != id && other.ID == id:
			return 1
		}
		return 0
	})
}

// Subscribe finds or makes the application's webhook with the callback, has X
// check it where X calls it invalid, and subscribes the account to it. X calls
// the callback before a new webhook is there. Other webhooks of the application
// are left alone; of the one to which Rostra subscribed the account before, the
// account is taken off.
func (a *Adapter) Subscribe(ctx context.Context, account platform.Account, request platform.SubscriptionRequest) (platform.Subscription, error) {
	if failure := a.checkCallback(request.Callback); failure != nil {
		return platform.Subscription{}, failure
	}
	hook, failure := a.ensureWebhook(ctx, account, request.Callback)
	if failure != nil {
		return platform.Subscription{}, failure
	}
	before := ""
	failure = a.withAccess(ctx, account, func(s session) *platform.Failure {
		before = s.webhook
		if lacking := missing(s.scope, neededToSubscribe()); len(lacking) > 0 {
			return lacks(lacking)
		}
		if failure := a.isOwn(ctx, account, s.access); failure != nil {
			return failure
		}
		return a.subscribe(ctx, account, hook.ID, s.access)
	})
	if failure != nil {
		return platform.Subscription{}, failure
	}
	if before != "" && before != hook.ID && account.ID != "" {
		if failure := a.unsubscribe(ctx, account, before); failure != nil {
			return platform.Subscription{}, failure
		}
	}
	if failure := a.remember(ctx, account, hook.ID); failure != nil {
		return platform.Subscription{}, failure
	}
	return hook.subscription(), nil
}

// isOwn fails for an access token of another account than the declared one: X
// subscribes whose token it is.
func (a *Adapter) isOwn(ctx context.Context, account platform.Account, token credentials.Value) *platform.Failure {
	if account.ID == "" {
		return nil
	}
	identity, failure := a.whoami(ctx, limiterKey(account), token)
	switch {
	case failure != nil:
		return failure
	case identity.AccountID != account.ID:
		return &platform.Failure{
			Class:   platform.Permanent,
			Message: "the access token is of another account than the channel's, which is not subscribed: connect the account again with `rostra connect`, signed in to the right one",
		}
	}
	return nil
}

// checkCallback refuses what X would refuse
// (https://docs.x.com/x-api/webhooks/introduction). A server without TLS, as
// in a test, may call one without TLS.
func (a *Adapter) checkCallback(callback string) *platform.Failure {
	parsed, err := url.Parse(callback)
	permanent := func(message string) *platform.Failure {
		return &platform.Failure{Class: platform.Permanent, Message: message}
	}
	switch {
	case err != nil || parsed.Host == "":
		return permanent("the callback is not a URL: set the gateway's URL to https:// and a host")
	case len(callback) > longestCallback:
		return permanent("the callback is longer than the 200 characters that X takes: give the gateway a shorter URL")
	case a.server.Scheme() == "http":
		return nil
	case parsed.Scheme != "https":
		return permanent("X sends to https:// alone: put the gateway behind TLS and set its URL so")
	case parsed.Port() != "":
		return permanent("X takes no callback with a port in it: let the gateway answer at port 443 and leave the port out of its URL")
	}
	return nil
}

// ensureWebhook gives the application's webhook with the callback, valid.
func (a *Adapter) ensureWebhook(ctx context.Context, account platform.Account, callback string) (webhook, *platform.Failure) {
	hook, failure := a.findWebhook(ctx, account, callback)
	if failure != nil && failure.Class == platform.NotFound {
		hook, failure = a.createWebhook(ctx, account, callback)
		if failure != nil && failure.Code == reasonDuplicateURL { // made meanwhile
			hook, failure = a.findWebhook(ctx, account, callback)
		}
	}
	if failure != nil || hook.Valid {
		return hook, failure
	}
	return a.revalidate(ctx, account, hook)
}

func (a *Adapter) findWebhook(ctx context.Context, account platform.Account, callback string) (webhook, *platform.Failure) {
	hooks, failure := a.webhooks(ctx, account)
	if failure != nil {
		return webhook{}, failure
	}
	if i := slices.IndexFunc(hooks, func(hook webhook) bool { return hook.URL == callback }); i >= 0 {
		return hooks[i], nil
	}
	return webhook{}, notSubscribed()
}

// webhooks lists the application's.
func (a *Adapter) webhooks(ctx context.Context, account platform.Account) ([]webhook, *platform.Failure) {
	said, failure := askAs[[]webhook](ctx, a, account, call{path: pathWebhooks})
	if failure != nil || said.Data == nil {
		return nil, failure
	}
	for _, hook := range *said.Data {
		if !accountID.MatchString(hook.ID) {
			return nil, unexpected("X's list of webhooks is not as it documents it")
		}
	}
	return *said.Data, nil
}

func (a *Adapter) createWebhook(ctx context.Context, account platform.Account, callback string) (webhook, *platform.Failure) {
	said, failure := askAs[webhook](ctx, a, account, call{
		method: http.MethodPost, path: pathWebhooks, input: map[string]string{"url": callback},
	})
	switch {
	case failure != nil:
		return webhook{}, failure
	case said.Data == nil || !accountID.MatchString(said.Data.ID) || said.Data.URL != callback:
		return webhook{}, unexpected("X's answer does not describe the webhook that was asked for")
	}
	return *said.Data, nil
}

// revalidate has X check the callback again.
func (a *Adapter) revalidate(ctx context.Context, account platform.Account, hook webhook) (webhook, *platform.Failure) {
	type validity struct {
		Valid *bool `json:"valid"`
		// Attempted is what X answers where the check runs after the answer.
		Attempted *bool `json:"attempted"`
	}
	said, failure := askAs[validity](ctx, a, account, call{method: http.MethodPut, path: pathWebhooks + "/" + hook.ID})
	switch {
	case failure != nil:
		return webhook{}, failure
	case said.Data == nil || said.Data.Valid == nil && said.Data.Attempted == nil:
		return webhook{}, unexpected("X's answer does not say whether the callback has passed its check")
	case said.Data.Valid != nil && !*said.Data.Valid:
		return webhook{}, &platform.Failure{Class: platform.Transient, Code: reasonCRC, Message: wordsCallback}
	}
	hook.Valid = said.Data.Valid != nil
	return hook, nil
}

// subscription is what X says of an account at a webhook.
type subscription struct {
	Subscribed *bool `json:"subscribed"`
}

func (s *subscription) is() bool { return s != nil && s.Subscribed != nil && *s.Subscribed }

func (a *Adapter) isSubscribed(ctx context.Context, account platform.Account, hook string, token credentials.Value) (bool, *platform.Failure) {
	said, failure := ask[subscription](ctx, a, call{
		by: byUser, account: limiterKey(account), path: pathActivities + hook + "/subscriptions/all", token: token,
	})
	switch {
	case failure != nil:
		return false, failure
	case said.Data == nil || said.Data.Subscribed == nil:
		return false, unexpected("X's answer does not say whether the account is subscribed")
	}
	return said.Data.is(), nil
}

// subscribe subscribes the account whose token it is. To be subscribed already
// is a success.
func (a *Adapter) subscribe(ctx context.Context, account platform.Account, hook string, token credentials.Value) *platform.Failure {
	said, failure := ask[subscription](ctx, a, call{
		by: byUser, account: limiterKey(account), method: http.MethodPost, path: pathActivities + hook + "/subscriptions/all",
		token: token, input: struct{}{},
	})
	switch {
	case failure != nil && failure.Code == reasonDuplicate:
		return nil
	case failure != nil:
		return failure
	case !said.Data.is():
		return unexpected("X's answer does not say that the account is subscribed now")
	}
	return nil
}

// Unsubscribe takes the account off the application's webhook with the
// callback. It needs the application's token alone, so that an account can be
// taken off whose own is dead. The webhook stays: it is other accounts' as well.
func (a *Adapter) Unsubscribe(ctx context.Context, account platform.Account, callback string) error {
	if account.ID == "" {
		return &platform.Failure{Class: platform.Transient, Message: "which account is to be taken off the webhook is not known yet"}
	}
	hooks, failure := a.webhooks(ctx, account)
	if failure != nil {
		return failure
	}
	i := slices.IndexFunc(hooks, func(hook webhook) bool { return hook.URL == callback })
	if i < 0 {
		return nil
	}
	if failure := a.unsubscribe(ctx, account, hooks[i].ID); failure != nil {
		return failure
	}
	return nil
}

// unsubscribe takes the account off a webhook. One that it is not on, or that
// is not there, is a success.
func (a *Adapter) unsubscribe(ctx context.Context, account platform.Account, hook string) *platform.Failure {
	said, failure := askAs[subscription](ctx, a, account, call{
		method: http.MethodDelete, path: pathActivities + hook + "/subscriptions/" + account.ID + "/all",
	})
	switch {
	case failure != nil && (failure.Code == reasonNotSubscribed || failure.Code == reasonWebhookID):
		return nil
	case failure != nil:
		return failure
	case said.Data == nil || said.Data.Subscribed == nil || said.Data.is():
		return unexpected("X's answer does not say that the account is taken off")
	}
	return nil
}

// askAs asks with the application's bearer token.
func askAs[T any](ctx context.Context, a *Adapter, account platform.Account, c call) (answer[T], *platform.Failure) {
	token := trimmed(account.Application, applicationBearer)
	if !isToken(token) {
		return answer[T]{}, &platform.Failure{
			Class:   platform.Permanent,
			Message: "webhooks are managed with the application's app-only token: add the key " + applicationBearer + " to the application's Secret, from X's developer console",
		}
	}
	c.by, c.account, c.token = byApplication, limiterApplication, credentials.NewValue(token)
	return ask[T](ctx, a, c)
}
