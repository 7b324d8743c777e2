// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// objectPage is the webhook object whose fields are subscribed
// (https://developers.facebook.com/docs/graph-api/webhooks/reference/page/).
const objectPage = "page"

// Fields of a Page's webhook.
const (
	fieldFeed     = "feed"
	fieldMention  = "mention"
	fieldMessages = "messages"
	fieldEchoes   = "message_echoes" // of what the Page itself wrote
)

// fieldsOf are the fields that together bring all events of a kind. Whoever
// posts on the Page itself shows in its feed, elsewhere as a mention.
func fieldsOf(kind event.Kind) []string {
	switch kind {
	case event.Mention:
		return []string{fieldFeed, fieldMention}
	case event.Reply, event.OwnPost:
		return []string{fieldFeed}
	case event.DirectMessage:
		return []string{fieldMessages}
	case event.AuthorizationLost, event.HandleChanged, event.TokenExpiring, event.Other:
	}
	return nil
}

// ownFields are those that Rostra switches on and off; others on the same app
// are left alone.
func ownFields() []string { return []string{fieldFeed, fieldMention, fieldMessages, fieldEchoes} }

// fieldsBeside are the fields that bring all of OwnPost where messages come too:
// then the Page's own messages are wanted with its posts, for they answer them.
func fieldsBeside(kind event.Kind, messages bool) []string {
	if kind == event.OwnPost && messages {
		return append(fieldsOf(kind), fieldEchoes)
	}
	return fieldsOf(kind)
}

// HookScope is the platform: a Meta app has one callback for all Pages.
func (a *Adapter) HookScope() platform.HookScope { return platform.HookPerPlatform }

// Pushes implements platform.Subscriber.
func (a *Adapter) Pushes() []event.Kind {
	return []event.Kind{event.Mention, event.Reply, event.DirectMessage, event.OwnPost}
}

// verifyTokenLabel is what the verify token is derived from, with the app's
// secret.
const verifyTokenLabel = "rostra webhook verify token, 1"

// HookKeys are the app's secret, with which Meta signs, and the verify token.
func (a *Adapter) HookKeys(account platform.Account) (keys credentials.Values, fresh bool, err error) {
	app, err := readApplication(account.Application)
	if err != nil {
		return nil, false, err
	}
	token := trimmed(account.Application, keyVerifyToken)
	if token == "" {
		token = hex.EncodeToString(sum([]byte(app.secret.Reveal()), []byte(verifyTokenLabel)))
	}
	return credentials.Values{keyAppSecret: app.secret, keyVerifyToken: credentials.NewValue(token)}, false, nil
}

// appHook is the app's subscription to one object
// (https://developers.facebook.com/docs/graph-api/reference/app/subscriptions/).
type appHook struct {
	Object   string       `json:"object"`
	Callback string       `json:"callback_url"`
	Active   *bool        `json:"active"`
	Fields   []hookFields `json:"fields"`
}

// hookFields is the name of a field, which is written alone or with its version.
type hookFields struct{ Name string }

// UnmarshalJSON reads both forms.
func (f *hookFields) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &f.Name) == nil {
		return nil
	}
	var long struct {
		Name string `json:"name"`
	}
	err := json.Unmarshal(data, &long)
	f.Name = long.Name
	return err
}

func (h appHook) fields() []string {
	names := make([]string, 0, len(h.Fields))
	for _, field := range h.Fields {
		names = append(names, field.Name)
	}
	return names
}

func (h appHook) isActive() bool { return h.Active != nil && *h.Active }

// pageHook is an app's subscription to one Page
// (https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps/).
type pageHook struct {
	ID     string   `json:"id"`
	Fields []string `json:"subscribed_fields"`
}

// others are the fields that are none of Rostra's.
func (h pageHook) others() []string {
	return slices.DeleteFunc(slices.Clone(h.Fields), func(field string) bool { return slices.Contains(ownFields(), field) })
}

// hooks is a subscription as it stands in its two places; nil where there is
// none.
type hooks struct {
	app  *appHook
	page *pageHook
}

// hooks reads both places.
func (a *Adapter) hooks(ctx context.Context, account platform.Account, app application, kept session) (hooks, error) {
	ofApp, err := a.appHook(ctx, account, app)
	if err != nil {
		return hooks{}, err
	}
	ofPage, err := a.pageHook(ctx, account, app, kept)
	return hooks{app: ofApp, page: ofPage}, err
}

func (a *Adapter) appHook(ctx context.Context, account platform.Account, app application) (*appHook, error) {
	var answer struct {
		Data []appHook `json:"data"`
	}
	if err := a.askAsApp(ctx, call{account: limiterKey(account), path: app.id + "/subscriptions"}.asApp(app), &answer); err != nil {
		return nil, err
	}
	if answer.Data == nil {
		return nil, strange("it holds no list of the app's subscriptions")
	}
	i := slices.IndexFunc(answer.Data, func(hook appHook) bool { return hook.Object == objectPage })
	if i < 0 {
		return nil, nil
	}
	return &answer.Data[i], nil
}

func (a *Adapter) pageHook(ctx context.Context, account platform.Account, app application, kept session) (*pageHook, error) {
	var answer struct {
		Data []pageHook `json:"data"`
	}
	if err := a.ask(ctx, call{account: limiterKey(account), path: kept.pageID + "/subscribed_apps"}.as(app, kept.pageToken), &answer); err != nil {
		return nil, err
	}
	if answer.Data == nil {
		return nil, strange("it holds no list of the Page's apps")
	}
	i := slices.IndexFunc(answer.Data, func(hook pageHook) bool { return hook.ID == app.id })
	if i < 0 {
		return nil, nil
	}
	return &answer.Data[i], nil
}

const wordsInactive = "Meta has switched the app's webhook off, as it does when the callback fails for long"

// subscription reads what the two places come to: an event comes where both have
// its fields.
func (h hooks) subscription(app application, pageID string) (platform.Subscription, error) {
	if h.app == nil || h.page == nil || len(h.page.others()) == len(h.page.Fields) {
		return platform.Subscription{}, &platform.Failure{Class: platform.NotFound, Message: "the Page is not subscribed to the app's webhook"}
	}
	found := platform.Subscription{ID: app.id + "/" + pageID, Callback: h.app.Callback}
	for _, kind := range []event.Kind{event.Mention, event.Reply, event.DirectMessage, event.OwnPost} {
		fields := fieldsBeside(kind, slices.Contains(h.page.Fields, fieldMessages))
		if containsAll(h.app.fields(), fields) && containsAll(h.page.Fields, fields) {
			found.Events = append(found.Events, kind)
		}
	}
	if !h.app.isActive() {
		found.Problem = wordsInactive
	}
	return found, nil
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}

// Subscribed reads the app's webhook and the Page's subscription to it.
func (a *Adapter) Subscribed(ctx context.Context, account platform.Account) (platform.Subscription, error) {
	var found platform.Subscription
	err := a.withPage(ctx, account, func(app application, kept session) error {
		standing, err := a.hooks(ctx, account, app, kept)
		if err != nil {
			return err
		}
		found, err = standing.subscription(app, kept.pageID)
		return err
	})
	return found, err
}

// Subscribe sets the app's webhook to the callback where it is not, which Meta
// checks by a request to it, then subscribes the Page, and reads both back.
// Fields that others have subscribed with the same app stay, and so does a
// webhook that leads to another system.
func (a *Adapter) Subscribe(ctx context.Context, account platform.Account, request platform.SubscriptionRequest) (platform.Subscription, error) {
	var made platform.Subscription
	err := a.withPage(ctx, account, func(app application, kept session) error {
		wanted := wantedFields(request.Events)
		if err := a.mayRead(ctx, account, app, kept, wanted); err != nil {
			return err
		}
		standing, err := a.hooks(ctx, account, app, kept)
		if err != nil {
			return err
		}
		if err := a.subscribeApp(ctx, account, app, standing.app, request, wanted); err != nil {
			return err
		}
		if err := a.subscribePage(ctx, account, app, kept, standing.page, wanted); err != nil {
			return err
		}
		if standing, err = a.hooks(ctx, account, app, kept); err != nil {
			return err
		}
		made, err = standing.subscription(app, kept.pageID)
		return err
	})
	return made, err
}

func wantedFields(kinds []event.Kind) []string {
	var fields []string
	for _, kind := range kinds {
		fields = append(fields, fieldsBeside(kind, slices.Contains(kinds, event.DirectMessage))...)
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// mayRead refuses to ask for private messages without the permission: Meta takes
// the subscription, and sends nothing.
func (a *Adapter) mayRead(ctx context.Context, account platform.Account, app application, kept session, fields []string) error {
	if !slices.Contains(fields, fieldMessages) {
		return nil
	}
	info, err := a.inspect(ctx, app, limiterKey(account), kept.pageToken)
	if err != nil {
		return err
	}
	if !info.grants(permissionMessaging, kept.pageID) {
		return lacks([]string{permissionMessaging})
	}
	return nil
}

// subscribeApp points the app's webhook at the callback.
func (a *Adapter) subscribeApp(ctx context.Context, account platform.Account, app application, standing *appHook, request platform.SubscriptionRequest, fields []string) error {
	if standing != nil {
		if err := standing.mayMove(request.Callback); err != nil {
			return err
		}
		if standing.Callback == request.Callback && standing.isActive() && containsAll(standing.fields(), fields) {
			return nil
		}
		fields = union(fields, standing.fields())
	}
	err := a.change(ctx, call{
		account: limiterKey(account), method: http.MethodPost, path: app.id + "/subscriptions",
		params: url.Values{
			"object":         {objectPage},
			"callback_url":   {request.Callback},
			"verify_token":   {request.Keys.Get(keyVerifyToken)},
			"fields":         {strings.Join(fields, ",")},
			"include_values": {"true"},
		},
	}.asApp(app))
	return ofCallback(ofApplication(err))
}

// mayMove refuses to take the app's one webhook away from another system: one
// that is not at the callback's origin.
func (h appHook) mayMove(callback string) error {
	standing := originOf(h.Callback)
	if h.Callback == "" || standing != "" && standing == originOf(callback) {
		return nil
	}
	if standing == "" {
		standing = "elsewhere"
	} else {
		standing = "to " + standing
	}
	return permanent("the app's one webhook leads " + standing +
		", and not to Rostra's gateway: Rostra needs a Meta app of its own, or remove that webhook in the app's dashboard, under Webhooks, Page")
}

// originOf gives scheme, host and port of a URL, and nothing of its path, which
// may be secret; empty for what is none.
func originOf(text string) string {
	parsed, err := url.Parse(text)
	if err != nil {
		return ""
	}
	origin, err := httpx.ParseServerURL((&url.URL{Scheme: parsed.Scheme, Host: parsed.Host}).String())
	if err != nil {
		return ""
	}
	return origin.String()
}

// Subcodes of code 2200 are not told apart: the callback did not answer as it
// should.
const codeCallback = 2200

// ofCallback says of a callback that failed Meta's check that it did.
func ofCallback(err error) error {
	failure, ok := errors.AsType[*platform.Failure](err)
	if !ok || codeOf(err) != codeCallback {
		return err
	}
	return &platform.Failure{
		Class: platform.Transient, Code: failure.Code, Cause: failure.Cause,
		Message: "Meta could not check the callback: is Rostra's gateway reachable from the internet, by https and with a certificate that everybody trusts?",
	}
}

// subscribePage subscribes the Page to the app's webhook.
func (a *Adapter) subscribePage(ctx context.Context, account platform.Account, app application, kept session, standing *pageHook, fields []string) error {
	if standing != nil {
		fields = union(fields, standing.others())
		if len(fields) == len(standing.Fields) && containsAll(standing.Fields, fields) {
			return nil
		}
	}
	return a.setPageHook(ctx, account, app, kept, fields)
}

func (a *Adapter) setPageHook(ctx context.Context, account platform.Account, app application, kept session, fields []string) error {
	return a.change(ctx, call{
		account: limiterKey(account), method: http.MethodPost, path: kept.pageID + "/subscribed_apps",
		params: url.Values{"subscribed_fields": {strings.Join(fields, ",")}},
	}.as(app, kept.pageToken))
}

func union(one, other []string) []string {
	all := slices.Concat(one, other)
	slices.Sort(all)
	return slices.Compact(all)
}

// Unsubscribe takes the Page's own fields off the app's webhook, which stays for
// the others. Where that leads to another callback, nothing is to be ended.
func (a *Adapter) Unsubscribe(ctx context.Context, account platform.Account, callback string) error {
	return a.withPage(ctx, account, func(app application, kept session) error {
		standing, err := a.hooks(ctx, account, app, kept)
		switch {
		case err != nil || standing.page == nil:
			return err
		case standing.app != nil && standing.app.Callback != "" && standing.app.Callback != callback:
			return nil
		}
		others := standing.page.others()
		switch len(others) {
		case 0:
			return a.change(ctx, call{
				account: limiterKey(account), method: http.MethodDelete, path: kept.pageID + "/subscribed_apps",
			}.as(app, kept.pageToken))
		case len(standing.page.Fields):
			return nil
		}
		return a.setPageHook(ctx, account, app, kept, others)
	})
}
