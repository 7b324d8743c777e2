// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hook is a webhook of an application.
type Hook struct {
	ID, URL    string
	Valid      bool
	Subscribed []string // IDs of accounts
}

type hookRecord struct {
	Hook

	app     string
	created time.Time
}

// outgoing is a delivery under way.
type outgoing struct {
	hook    string
	url     string
	app     App
	payload any
}

// Hooks gives an application's webhooks.
func (s *Server) Hooks(app App) []Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hooks []Hook
	for _, hook := range s.hooks {
		if hook.app == app.ID {
			copied := hook.Hook
			copied.Subscribed = slices.Clone(hook.Subscribed)
			hooks = append(hooks, copied)
		}
	}
	return hooks
}

// RemoveHooks removes an application's webhooks, as somebody does in X's
// console.
func (s *Server) RemoveHooks(app App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = slices.DeleteFunc(s.hooks, func(hook *hookRecord) bool { return hook.app == app.ID })
}

// Unsubscribe takes an account off all webhooks.
func (s *Server) Unsubscribe(account Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, hook := range s.hooks {
		hook.Subscribed = without(hook.Subscribed, account.ID)
	}
}

// AddHook registers a webhook past the API, for the accounts, without a check.
func (s *Server) AddHook(app App, callback string, accounts ...Account) Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := &hookRecord{Hook: Hook{ID: s.id(), URL: callback, Valid: true}, app: app.ID, created: s.options.clock.Now()}
	for _, account := range accounts {
		hook.Subscribed = append(hook.Subscribed, account.ID)
	}
	s.hooks = append(s.hooks, hook)
	return hook.Hook
}

func without(ids []string, id string) []string {
	return slices.DeleteFunc(ids, func(other string) bool { return other == id })
}

// RunCRC checks a webhook as X does every hour, and tells whether it passed. One
// that did not gets no events until it passes again.
func (s *Server) RunCRC(id string) bool {
	s.mu.Lock()
	hook := s.hook(id, "")
	if hook == nil {
		s.mu.Unlock()
		return false
	}
	callback, app := hook.URL, s.appBy(func(app *appRecord) bool { return app.ID == hook.app }).App
	token := s.challenge()
	s.mu.Unlock()
	valid := s.check(callback, token, app)
	s.mu.Lock()
	defer s.mu.Unlock()
	hook.Valid = valid
	return valid
}

// hook finds a webhook, of an application where that is given; the lock is
// held.
func (s *Server) hook(id, app string) *hookRecord {
	i := slices.IndexFunc(s.hooks, func(hook *hookRecord) bool { return hook.ID == id && (app == "" || hook.app == app) })
	if i < 0 {
		return nil
	}
	return s.hooks[i]
}

// challenge makes a CRC token; the lock is held.
func (s *Server) challenge() string {
	return base64.StdEncoding.EncodeToString([]byte("challenge " + s.secret("crc")))
}

// check sends a challenge to a callback.
func (s *Server) check(callback, token string, app App) bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	target := callback + "?" + url.Values{"crc_token": {token}, "nonce": {strconv.Itoa(len(token))}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return false
	}
	response, err := s.client.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	var said struct {
		ResponseToken string `json:"response_token"`
	}
	decoder := json.NewDecoder(io.LimitReader(response.Body, maxBody))
	if response.StatusCode != http.StatusOK || decoder.Decode(&said) != nil {
		return false
	}
	for _, secret := range []string{app.ConsumerSecret, app.ClientSecret} {
		if secret != "" && hmac.Equal([]byte(said.ResponseToken), []byte(Sign(secret, []byte(token)))) {
			return true
		}
	}
	return false
}

// Sign signs a message as X does.
func Sign(secret string, message []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(message)
	return "sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// send delivers, one after the other; what a callback does not take is lost.
func (s *Server) send(deliveries []outgoing) {
	for _, delivery := range deliveries {
		body, err := json.Marshal(delivery.payload)
		if err != nil {
			panic(err) // what the fake makes always marshals
		}
		s.deliver(delivery, body)
	}
}

func (s *Server) deliver(delivery outgoing, body []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, delivery.url, bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/json")
	if s.options.oauth2 {
		request.Header.Set("X-Twitter-Webhooks-Signature-OAuth2", Sign(delivery.app.ClientSecret, body))
	} else {
		request.Header.Set("X-Twitter-Webhooks-Signature", Sign(delivery.app.ConsumerSecret, body))
	}
	response, err := s.client.Do(request)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	_ = response.Body.Close()
}

func (s *Server) listHooks(w http.ResponseWriter, _ *http.Request, from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []any{}
	for _, hook := range s.hooks {
		if hook.app == from.app.ID {
			list = append(list, hook.json())
		}
	}
	sendJSON(w, http.StatusOK, map[string]any{"data": list, "meta": map[string]any{"result_count": len(list)}})
}

func (h *hookRecord) json() map[string]any {
	return map[string]any{"id": h.ID, "url": h.URL, "valid": h.Valid, "created_at": h.created.UTC().Format(time.RFC3339)}
}

func (s *Server) createHook(w http.ResponseWriter, r *http.Request, from caller) {
	var input struct {
		URL string `json:"url"`
	}
	if !readJSON(w, r, &input) {
		return
	}
	s.mu.Lock()
	if reason := s.refusesHook(from.app, input.URL); reason != "" {
		s.mu.Unlock()
		sendReason(w, reason, "strict")
		return
	}
	token, app := s.challenge(), from.app.App
	s.mu.Unlock()
	if !s.check(input.URL, token, app) {
		sendReason(w, "CrcValidationFailed", "the callback did not answer the challenge")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := &hookRecord{Hook: Hook{ID: s.id(), URL: input.URL, Valid: true}, app: app.ID, created: s.options.clock.Now()}
	s.hooks = append(s.hooks, hook)
	sendData(w, hook.json())
}

// refusesHook says why a webhook is not made; the lock is held.
func (s *Server) refusesHook(app *appRecord, callback string) string {
	count := 0
	for _, hook := range s.hooks {
		if hook.app == app.ID {
			count++
			if hook.URL == callback {
				return "DuplicateUrlFailed"
			}
		}
	}
	switch {
	case !fitsCallback(callback):
		return "UrlValidationFailed"
	case count >= s.options.webhooks:
		return "WebhookLimitExceeded"
	}
	return ""
}

// fitsCallback: https without a port, or a test's at a loopback address.
func fitsCallback(callback string) bool {
	parsed, err := url.Parse(callback)
	if err != nil || len(callback) > 200 || parsed.Host == "" || parsed.User != nil || parsed.Fragment != "" {
		return false
	}
	if net.ParseIP(parsed.Hostname()).IsLoopback() {
		return true
	}
	return parsed.Scheme == "https" && parsed.Port() == ""
}

// readJSON reads a body that holds what is known and nothing else; it is false
// where it has refused.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || decoder.Decode(into) != nil || decoder.More() {
		sendProblem(w, http.StatusBadRequest, "invalid-request", "Invalid Request", "strict: the body is not the JSON object that is documented", nil)
		return false
	}
	return true
}

func (s *Server) validateHook(w http.ResponseWriter, r *http.Request, from caller) {
	s.mu.Lock()
	hook := s.hook(r.PathValue("hook"), from.app.ID)
	s.mu.Unlock()
	if hook == nil {
		sendReason(w, "WebhookIdInvalid", "there is no such webhook")
		return
	}
	if !s.RunCRC(hook.ID) {
		sendReason(w, "CrcValidationFailed", "the callback did not answer the challenge")
		return
	}
	sendData(w, map[string]any{"valid": true})
}

func (s *Server) deleteHook(w http.ResponseWriter, r *http.Request, from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := s.hook(r.PathValue("hook"), from.app.ID)
	if hook == nil {
		sendReason(w, "WebhookIdInvalid", "there is no such webhook")
		return
	}
	s.hooks = slices.DeleteFunc(s.hooks, func(other *hookRecord) bool { return other == hook })
	sendData(w, map[string]any{"deleted": true})
}

// hookFor finds the webhook of a request, for an account of the application's,
// or refuses; the lock is held. A token of another server's is taken for one of
// any application's.
func (s *Server) hookFor(w http.ResponseWriter, r *http.Request, from caller) *hookRecord {
	app := ""
	if from.app != nil {
		app = from.app.ID
	}
	hook := s.hook(r.PathValue("hook"), app)
	if hook == nil {
		sendReason(w, "WebhookIdInvalid", "there is no such webhook")
	}
	return hook
}

func (s *Server) isSubscribed(w http.ResponseWriter, r *http.Request, from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if hook := s.hookFor(w, r, from); hook != nil {
		sendData(w, map[string]any{"subscribed": slices.Contains(hook.Subscribed, from.account.ID)})
	}
}

func (s *Server) subscribe(w http.ResponseWriter, r *http.Request, from caller) {
	var input struct{}
	if !readJSON(w, r, &input) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := s.hookFor(w, r, from)
	switch {
	case hook == nil:
	case slices.Contains(hook.Subscribed, from.account.ID):
		sendReason(w, "DuplicateSubscriptionFailed", "Subscription already exists")
	default:
		hook.Subscribed = append(hook.Subscribed, from.account.ID)
		sendData(w, map[string]any{"subscribed": true})
	}
}

func (s *Server) listSubscriptions(w http.ResponseWriter, r *http.Request, from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := s.hookFor(w, r, from)
	if hook == nil {
		return
	}
	list := []any{}
	for _, id := range hook.Subscribed {
		list = append(list, map[string]any{"user_id": id})
	}
	sendData(w, map[string]any{"application_id": hook.app, "webhook_id": hook.ID, "webhook_url": hook.URL, "subscriptions": list})
}

func (s *Server) unsubscribe(w http.ResponseWriter, r *http.Request, from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := s.hookFor(w, r, from)
	switch {
	case hook == nil:
	case !slices.Contains(hook.Subscribed, r.PathValue("user")):
		sendReason(w, "SubscriptionNotFound", "there is no such subscription")
	default:
		hook.Subscribed = without(hook.Subscribed, r.PathValue("user"))
		sendData(w, map[string]any{"subscribed": false})
	}
}

// endSubscriptions takes an account off an application's webhooks and gives
// what they hear of it; the lock is held.
func (s *Server) endSubscriptions(account, app string) []outgoing {
	payload := map[string]any{"user_event": map[string]any{"revoke": map[string]any{
		"date_time": s.options.clock.Now().UTC().Format("2006-01-02T15:04:05-07:00"),
		"target":    map[string]any{"app_id": app}, "source": map[string]any{"user_id": account},
	}}}
	var deliveries []outgoing
	for _, hook := range s.hooks {
		if hook.app == app && slices.Contains(hook.Subscribed, account) {
			hook.Subscribed = without(hook.Subscribed, account)
			deliveries = append(deliveries, s.to(hook, payload)...)
		}
	}
	return deliveries
}

// to makes a delivery, unless the webhook is invalid; the lock is held.
func (s *Server) to(hook *hookRecord, payload any) []outgoing {
	if !hook.Valid {
		return nil
	}
	app := s.appBy(func(app *appRecord) bool { return app.ID == hook.app })
	return []outgoing{{hook: hook.ID, url: hook.URL, app: app.App, payload: payload}}
}

// toAll makes a delivery to each webhook that an account is subscribed to; the
// lock is held.
func (s *Server) toAll(account string, payload map[string]any) []outgoing {
	payload["for_user_id"] = account
	var deliveries []outgoing
	for _, hook := range s.hooks {
		if slices.Contains(hook.Subscribed, account) {
			deliveries = append(deliveries, s.to(hook, payload)...)
		}
	}
	return deliveries
}
