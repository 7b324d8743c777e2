// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"cmp"
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// pathPush is the push subscription of the token that asks.
const pathPush = "/api/v1/push/subscription"

// maxTries is how often Mastodon tries to send a push, the first time included.
const maxTries = 6

type subscription struct {
	serial   int
	endpoint string
	p256dh   string
	auth     string
	standard bool
	alerts   map[string]bool
	policy   string
}

// Push is a message to a subscription, to be encrypted and sent.
type Push struct {
	// Endpoint to which it goes.
	Endpoint string
	// P256dh and Auth are the subscription's keys, as they were given.
	P256dh, Auth string
	// Standard asks for RFC 8291; else it is the draft.
	Standard bool
	// Payload in plain.
	Payload []byte
	// VapidPublic and VapidPrivate are the server's keys in base64url.
	VapidPublic, VapidPrivate string
	// At is the time by the server's clock.
	At time.Time
}

// Sender encrypts a push, sends it and gives the status of the answer.
type Sender func(ctx context.Context, push Push) (status int, err error)

// Pushed is what became of one attempt to send a push.
type Pushed struct {
	// Endpoint to which it was sent.
	Endpoint string
	// Status of the answer; 0 where none came.
	Status int
	// Destroyed tells that the subscription was removed for it.
	Destroyed bool
}

// delivery is a push that may have to be sent again.
type delivery struct {
	access       string
	subscription *subscription
	push         Push
	tries        int
}

// Subscribed tells whether a token has a push subscription.
func (s *Server) Subscribed(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subscriptions[access] != nil
}

// ForgetSubscription removes a token's push subscription, as an administrator
// can, or as a failed push does.
func (s *Server) ForgetSubscription(access string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.subscriptions, access)
}

// RollVapidKeys gives the server new VAPID keys, as an administrator can.
func (s *Server) RollVapidKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vapid = newVapidKeys()
}

// Pushed are all attempts to send a push so far.
func (s *Server) Pushed() []Pushed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pushed)
}

// RetryPushes sends again what could not be sent, as Mastodon does after a
// while.
func (s *Server) RetryPushes(ctx context.Context) {
	s.mu.Lock()
	due := s.unsent
	s.unsent = nil
	s.mu.Unlock()
	s.deliver(ctx, due)
}

// deliveries are the pushes that a notification brings about.
func (s *Server) deliveries(about *notificationRecord) []*delivery {
	var due []*delivery
	for _, access := range slices.Sorted(maps.Keys(s.subscriptions)) {
		token, to := s.tokens[access], s.subscriptions[access]
		if token == nil || token.revoked || token.account != about.account || !to.alerts[about.kind] || to.policy != "all" {
			continue
		}
		due = append(due, &delivery{access: access, subscription: to, push: Push{
			Endpoint: to.endpoint, P256dh: to.p256dh, Auth: to.auth,
			Standard: s.dialect.pushes == pushAsStandard || s.dialect.pushes == pushAsAsked && to.standard,
			Payload:  s.payload(about, access),
		}})
	}
	return due
}

// payload is what a push says
// (https://docs.joinmastodon.org/methods/push/ does not; the servers do).
func (s *Server) payload(about *notificationRecord, access string) []byte {
	body, by := "", s.author(nil)
	if about.status != nil {
		by = s.author(about.status.author)
		text := []rune(cmp.Or(about.status.post.Spoiler, about.status.post.Text))
		body = string(text[:min(len(text), maxPushBody)])
	}
	payload := map[string]any{
		"access_token":      access,
		"preferred_locale":  "en",
		"notification_id":   about.id,
		"notification_type": about.kind,
		"icon":              by["avatar"],
		"title":             "A notification from " + strangersName,
		"body":              body,
	}
	if s.dialect.numbersIDs {
		payload["notification_id"] = json.Number(about.id)
	}
	encoded, err := json.Marshal(payload)
	if err != nil {
		panic("mastodonfake: " + err.Error())
	}
	return encoded
}

// deliver sends pushes, and draws the consequences that Mastodon and
// GoToSocial draw: a 4xx removes the subscription, but for those that may pass.
func (s *Server) deliver(ctx context.Context, due []*delivery) {
	for _, one := range due {
		s.mu.Lock()
		one.tries++
		one.push.VapidPublic, one.push.VapidPrivate, one.push.At = s.vapid.public, s.vapid.private, s.now()
		s.mu.Unlock()
		status, err := s.options.sender(ctx, one.push)
		if err != nil {
			status = 0
		}
		s.mu.Lock()
		result := Pushed{Endpoint: one.push.Endpoint, Status: status}
		switch {
		case status/100 == http.StatusOK/100:
		case status/100 == http.StatusBadRequest/100 && !s.passes(status):
			if s.subscriptions[one.access] == one.subscription {
				delete(s.subscriptions, one.access)
			}
			result.Destroyed = true
		case s.dialect.pushes != pushAsStandard && one.tries < maxTries: // GoToSocial does not try again
			s.unsent = append(s.unsent, one)
		}
		s.pushed = append(s.pushed, result)
		s.mu.Unlock()
	}
}

// passes tells whether a status may pass.
func (s *Server) passes(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests ||
		status == http.StatusRequestEntityTooLarge && s.dialect.pushes == pushAsStandard
}

// pushData are the parameters that can be changed later. The alerts are those
// of the API's notification types.
func pushData() []string {
	known := []string{"data[policy]"}
	for _, alert := range []string{
		typeMention, "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "admin.sign_up", "admin.report",
	} {
		known = append(known, "data[alerts]["+alert+"]")
	}
	return known
}

// showSubscription answers GET.
func (s *Server) showSubscription(w http.ResponseWriter, r *request) {
	if s.reader(w, r, "push") == nil {
		return
	}
	if s.subscriptions[r.access] == nil {
		s.refuse(w, reasonNotFound)
		return
	}
	send(w, http.StatusOK, s.webPushSubscription(s.subscriptions[r.access]))
}

// subscribe answers POST: a token has one subscription, which this replaces.
func (s *Server) subscribe(w http.ResponseWriter, r *request) {
	if s.reader(w, r, "push") == nil {
		return
	}
	made := &subscription{
		endpoint: r.form.Get("subscription[endpoint]"),
		p256dh:   r.form.Get("subscription[keys][p256dh]"),
		auth:     r.form.Get("subscription[keys][auth]"),
		standard: isTrue(r.form.Get("subscription[standard]")),
	}
	err := errors.Join(checkEndpoint(made.endpoint), checkPushKeys(made.p256dh, made.auth), made.setData(r.form))
	if err != nil {
		send(w, http.StatusUnprocessableEntity, errorText("Validation failed: "+err.Error()))
		return
	}
	s.serial++
	made.serial = s.serial
	s.subscriptions[r.access] = made
	send(w, http.StatusOK, s.webPushSubscription(made))
}

// changeSubscription answers PUT.
func (s *Server) changeSubscription(w http.ResponseWriter, r *request) {
	if s.reader(w, r, "push") == nil {
		return
	}
	found := s.subscriptions[r.access]
	if found == nil {
		s.refuse(w, reasonNotFound)
		return
	}
	if err := found.setData(r.form); err != nil {
		send(w, http.StatusUnprocessableEntity, errorText("Validation failed: "+err.Error()))
		return
	}
	send(w, http.StatusOK, s.webPushSubscription(found))
}

// unsubscribe answers DELETE, also where there is nothing to remove.
func (s *Server) unsubscribe(w http.ResponseWriter, r *request) {
	if s.reader(w, r, "push") == nil {
		return
	}
	delete(s.subscriptions, r.access)
	send(w, http.StatusOK, struct{}{})
}

// webPushSubscription is the entity of that name.
func (s *Server) webPushSubscription(of *subscription) map[string]any {
	entity := map[string]any{"endpoint": of.endpoint, "alerts": of.alerts, "server_key": s.vapid.public + "="}
	entity["id"] = ulid(of.serial)
	if s.dialect.numbersIDs {
		entity["id"] = of.serial
	}
	if s.dialect.tellsPolicy {
		entity["policy"] = of.policy
		entity["standard"] = of.standard || s.dialect.pushes == pushAsStandard
	}
	return entity
}

// setData reads the alerts and the policy.
func (s *subscription) setData(form url.Values) error {
	s.policy = cmp.Or(form.Get("data[policy]"), "all")
	if !slices.Contains([]string{"all", "followed", "follower", "none"}, s.policy) {
		return errors.New("strict: there is no such policy")
	}
	s.alerts = map[string]bool{}
	for name := range form {
		alert, ok := cutAround(name, "data[alerts][", "]")
		if !ok {
			continue
		}
		if _, err := strconv.ParseBool(form.Get(name)); err != nil {
			return errors.New("strict: an alert is neither true nor false")
		}
		s.alerts[alert] = isTrue(form.Get(name))
	}
	return nil
}

func cutAround(text, before, after string) (string, bool) {
	if len(text) <= len(before)+len(after) || text[:len(before)] != before || text[len(text)-len(after):] != after {
		return "", false
	}
	return text[len(before) : len(text)-len(after)], true
}

func isTrue(text string) bool { return text == "true" || text == "1" }

// checkEndpoint takes https, and for tests also http on the loopback interface.
func checkEndpoint(endpoint string) error {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" || parsed.Fragment != "" {
		return errors.New("endpoint is no URL")
	}
	loopback := net.ParseIP(parsed.Hostname())
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || loopback == nil || !loopback.IsLoopback()) {
		return errors.New("endpoint is not secure")
	}
	return nil
}

func checkPushKeys(p256dh, auth string) error {
	point, err := base64.RawURLEncoding.DecodeString(p256dh)
	if err != nil {
		return errors.New("p256dh is not base64url")
	}
	if _, err := ecdh.P256().NewPublicKey(point); err != nil {
		return errors.New("p256dh is not a point of P-256")
	}
	if secret, err := base64.RawURLEncoding.DecodeString(auth); err != nil || len(secret) != 16 {
		return errors.New("auth is not 16 bytes in base64url")
	}
	return nil
}
