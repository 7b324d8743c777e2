// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hookable are the fields of the object page that the fake knows.
func hookable() []string {
	return []string{"feed", "mention", "messages", "message_echoes", "leadgen", "name"}
}

func (s *Server) appHooks(r *request) (any, *graphFailure) {
	if refused := r.needsApp(); refused != nil {
		return nil, refused
	}
	list := []any{}
	if hook := r.app.hook; hook != nil {
		fields := []any{}
		for _, field := range hook.fields {
			fields = append(fields, map[string]string{"name": field, "version": Version})
		}
		list = append(list, map[string]any{"object": "page", "callback_url": hook.callback, "active": hook.active, "fields": fields})
	}
	return data(list), nil
}

// setAppHook checks the callback before it accepts it.
func (s *Server) setAppHook(r *request) (any, *graphFailure) {
	if refused := r.needsApp(); refused != nil {
		return nil, refused
	}
	fields := strings.Split(r.form.Get("fields"), ",")
	callback, token := r.form.Get("callback_url"), r.form.Get("verify_token")
	switch {
	case r.form.Get("object") != "page":
		return nil, refuse(100, 0, "(#100) Param object must be one of {page}")
	case callback == "" || token == "":
		return nil, refuse(100, 0, "(#100) callback_url and verify_token are required")
	case slices.ContainsFunc(fields, func(field string) bool { return !slices.Contains(hookable(), field) }):
		return nil, refuse(100, 0, "(#100) Param fields must be among the fields of the object")
	}
	s.mu.Unlock()
	err := s.challenge(r.Context(), callback, token)
	s.mu.Lock()
	if err != nil {
		return nil, refuse(2200, 0, "(#2200) Callback verification failed: "+err.Error())
	}
	r.app.hook = &hookRecord{callback: callback, fields: fields, active: true}
	return map[string]any{"success": true}, nil
}

// challenge makes the handshake.
func (s *Server) challenge(ctx context.Context, callback, token string) error {
	const challenge = "1158201444"
	target, err := url.Parse(callback)
	if err != nil {
		return err
	}
	query := target.Query()
	query.Set("hub.mode", "subscribe")
	query.Set("hub.challenge", challenge)
	query.Set("hub.verify_token", token)
	target.RawQuery = query.Encode()
	asking, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return err
	}
	response, err := s.client.Do(asking)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1024))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || string(body) != challenge {
		return fmt.Errorf("HTTP status code = %d", response.StatusCode)
	}
	return nil
}

func (s *Server) deleteAppHook(r *request) (any, *graphFailure) {
	if refused := r.needsApp(); refused != nil {
		return nil, refused
	}
	r.app.hook = nil
	return map[string]any{"success": true}, nil
}

func (s *Server) pageHooks(r *request) (any, *graphFailure) {
	page, refused := s.needsPage(r, "pages_manage_metadata", "pages_show_list")
	if refused != nil {
		return nil, refused
	}
	list := []any{}
	if fields, ok := page.hooked[r.token.app]; ok {
		list = append(list, map[string]any{"category": "Business", "link": "https://app.example/", "name": r.app.Name, "id": r.token.app, "subscribed_fields": fields})
	}
	return data(list), nil
}

func (s *Server) setPageHook(r *request) (any, *graphFailure) {
	page, refused := s.needsPage(r, "pages_manage_metadata", "pages_show_list")
	if refused != nil {
		return nil, refused
	}
	fields := strings.Split(r.form.Get("subscribed_fields"), ",")
	if slices.ContainsFunc(fields, func(field string) bool { return !slices.Contains(hookable(), field) }) {
		return nil, refuse(100, 0, "(#100) Param subscribed_fields must be among the fields of a Page")
	}
	if slices.Contains(fields, "messages") && !slices.Contains(r.token.scopes, "pages_messaging") {
		return nil, refuse(200, 0, "(#200) To subscribe to the messages field, one of these permissions is needed: pages_messaging")
	}
	page.hooked[r.token.app] = fields
	return map[string]any{"success": true}, nil
}

// deletePageHook refuses to end what is not there: an adapter must not rely on
// that.
func (s *Server) deletePageHook(r *request) (any, *graphFailure) {
	page, refused := s.needsPage(r, "pages_manage_metadata", "pages_show_list")
	if refused != nil {
		return nil, refused
	}
	if _, ok := page.hooked[r.token.app]; !ok {
		return nil, refuse(100, 0, "(#100) The app is not subscribed to the Page")
	}
	delete(page.hooked, r.token.app)
	return map[string]any{"success": true}, nil
}

// Unhook removes a Page from an app's webhook, as its holder can.
func (s *Server) Unhook(app App, page Page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known(page).hooked, app.ID)
}

// UnhookApp removes an app's webhook, as somebody can in its dashboard.
func (s *Server) UnhookApp(app App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[app.ID].hook = nil
}

// SwitchOff makes an app's webhook inactive, as Meta does when the callback
// fails for long.
func (s *Server) SwitchOff(app App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[app.ID].hook.active = false
}

// HookApp sets an app's webhook past the API, as another system did.
func (s *Server) HookApp(app App, callback string, fields ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[app.ID].hook = &hookRecord{callback: callback, fields: fields, active: true}
}

// Hook gives the callback and the fields of an app's webhook; empty where there
// is none.
func (s *Server) Hook(app App) (callback string, fields []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if hook := s.apps[app.ID].hook; hook != nil {
		return hook.callback, slices.Clone(hook.fields)
	}
	return "", nil
}

// HookPage subscribes a Page to fields of an app's webhook, as another tool
// does.
func (s *Server) HookPage(app App, page Page, fields ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(page).hooked[app.ID] = fields
}

// PageFields gives the fields that a Page is subscribed to.
func (s *Server) PageFields(app App, page Page) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.known(page).hooked[app.ID])
}

type sentRecord struct {
	callback  string
	signature string
	body      []byte
}

// moment gives a time, to the second, that nothing else has happened at.
func (s *Server) moment() time.Time {
	s.lastPost = max(s.lastPost+1, s.options.clock.Now().Unix())
	return time.Unix(s.lastPost, 0).UTC()
}

func (s *Server) newPost(page *pageRecord, author, text string) Post {
	s.serial++
	return Post{ID: page.ID + "_" + strconv.Itoa(9000+s.serial), Author: author, Text: text, Created: s.moment()}
}

// Publish makes a Page post.
func (s *Server) Publish(ctx context.Context, page Page, text string) (Post, error) {
	s.mu.Lock()
	record := s.known(page)
	post := s.newPost(record, page.ID, text)
	record.posts = append(record.posts, post)
	s.mu.Unlock()
	return post, s.Send(ctx, page, "feed", map[string]any{
		"from": map[string]string{"id": page.ID, "name": page.Name}, "item": "status", "verb": "add", "published": 1,
		"post_id": post.ID, "message": text, "created_time": post.Created.Unix(),
	})
}

// PublishBeside makes a Page post in the same second as before. No webhook hears
// of it.
func (s *Server) PublishBeside(page Page, other Post, text string) Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	record := s.known(page)
	post := s.newPost(record, page.ID, text)
	post.Created = other.Created
	record.posts = append(record.posts, post)
	return post
}

// Tag makes a person mention the Page in a post elsewhere.
func (s *Server) Tag(ctx context.Context, page Page, by User, text string) (Post, error) {
	s.mu.Lock()
	record := s.known(page)
	post := s.newPost(record, by.ID, text)
	post.ID = by.ID + strings.TrimPrefix(post.ID, page.ID)
	record.tagged = append(record.tagged, post)
	s.mu.Unlock()
	return post, s.Send(ctx, page, "mention", map[string]any{
		"sender_id": by.ID, "sender_name": by.Name, "item": "post", "verb": "add",
		"post_id": post.ID, "message": text, "created_time": post.Created.Unix(),
	})
}

// Comment makes a person comment on a post of the Page.
func (s *Server) Comment(ctx context.Context, page Page, on Post, by User, text string) (Post, error) {
	s.mu.Lock()
	comment := s.newPost(s.known(page), by.ID, text)
	s.mu.Unlock()
	_, number, _ := strings.Cut(on.ID, "_")
	_, own, _ := strings.Cut(comment.ID, "_")
	comment.ID = number + "_" + own
	return comment, s.Send(ctx, page, "feed", map[string]any{
		"from": map[string]string{"id": by.ID, "name": by.Name}, "item": "comment", "verb": "add",
		"post_id": on.ID, "comment_id": comment.ID, "parent_id": on.ID, "message": text, "created_time": comment.Created.Unix(),
		"post": map[string]any{"id": on.ID, "permalink_url": "https://www.facebook.com/" + on.ID, "is_published": true},
	})
}

// Message makes a person write to the Page in private.
func (s *Server) Message(ctx context.Context, page Page, by User, text string) error {
	s.mu.Lock()
	s.serial++
	at := s.moment().UnixMilli()
	message := map[string]any{
		"sender": map[string]string{"id": by.ID}, "recipient": map[string]string{"id": page.ID}, "timestamp": at,
		"message": map[string]any{"mid": "m_" + strconv.Itoa(s.serial) + "-Zq7", "text": text},
	}
	s.mu.Unlock()
	return s.deliver(ctx, page, "messages", map[string]any{"id": page.ID, "time": at, "messaging": []any{message}})
}

// Send sends a change of a field to the apps that are subscribed to it, in the
// form of the fields that are not of conversations.
func (s *Server) Send(ctx context.Context, page Page, field string, value any) error {
	s.mu.Lock()
	at := s.options.clock.Now().Unix()
	s.mu.Unlock()
	return s.deliver(ctx, page, field, map[string]any{
		"id": page.ID, "time": at, "changes": []any{map[string]any{"field": field, "value": value}},
	})
}

// deliver sends an entry to each app that has the field at both places.
func (s *Server) deliver(ctx context.Context, page Page, field string, entry any) error {
	body, err := json.Marshal(map[string]any{"object": "page", "entry": []any{entry}})
	if err != nil {
		return err
	}
	s.mu.Lock()
	var due []sentRecord
	for id, fields := range s.known(page).hooked {
		app := s.apps[id]
		if app.hook != nil && app.hook.active && slices.Contains(fields, field) && slices.Contains(app.hook.fields, field) {
			due = append(due, sentRecord{callback: app.hook.callback, signature: signature(app.App, body), body: body})
		}
	}
	s.sent = append(s.sent, due...)
	s.mu.Unlock()
	return s.post(ctx, due)
}

// signature is what X-Hub-Signature-256 holds.
func signature(app App, body []byte) string {
	return "sha256=" + hex.EncodeToString(sign([]byte(app.Secret), body))
}

// Redeliver sends all that was sent so far once more, as Meta does where it was
// not sure of the answer.
func (s *Server) Redeliver(ctx context.Context) error {
	s.mu.Lock()
	due := slices.Clone(s.sent)
	s.mu.Unlock()
	return s.post(ctx, due)
}

// SendRaw sends any body to an app's callback, signed.
func (s *Server) SendRaw(ctx context.Context, app App, body []byte) error {
	callback, _ := s.Hook(app)
	return s.post(ctx, []sentRecord{{callback: callback, signature: signature(app, body), body: body}})
}

func (s *Server) post(ctx context.Context, due []sentRecord) error {
	for _, one := range due {
		sending, err := http.NewRequestWithContext(ctx, http.MethodPost, one.callback, bytes.NewReader(one.body))
		if err != nil {
			return err
		}
		sending.Header.Set("Content-Type", "application/json")
		sending.Header.Set("User-Agent", "facebookexternalua")
		sending.Header.Set("X-Hub-Signature-256", one.signature)
		response, err := s.client.Do(sending)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("the callback answered %d", response.StatusCode)
		}
	}
	return nil
}
