// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Post is a post at the fake.
type Post struct {
	ID             string
	Author         Account
	Text           string
	ReplyTo        string // ID of the post that it answers
	ReplyUser      string // ID of that post's author
	ConversationID string
	At             time.Time

	hidden bool
}

// Post makes an account post, as an answer where replyTo is a post. Webhooks of
// everybody that it concerns hear of it before Post returns.
func (s *Server) Post(author Account, text string, replyTo *Post) Post {
	s.mu.Lock()
	made := &Post{ID: s.id(), Author: author, Text: text, At: s.options.clock.Now().UTC()}
	made.ConversationID = made.ID
	if replyTo != nil {
		made.ReplyTo, made.ReplyUser, made.ConversationID = replyTo.ID, replyTo.Author.ID, replyTo.ConversationID
	}
	s.posts = append(s.posts, made)
	var deliveries []outgoing
	for _, account := range s.accounts {
		if account.ID == author.ID || made.concerns(account) {
			deliveries = append(deliveries, s.toAll(account.ID, map[string]any{"tweet_create_events": []any{made.legacy()}})...)
		}
	}
	s.mu.Unlock()
	s.send(deliveries)
	return *made
}

// Hide keeps a post out of the timelines, as one that has not yet got there, or
// ends that.
func (s *Server) Hide(post Post, hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, made := range s.posts {
		if made.ID == post.ID {
			made.hidden = hidden
		}
	}
}

// concerns tells whether a post names an account or answers it.
func (p *Post) concerns(account *accountRecord) bool {
	if p.ReplyUser == account.ID {
		return true
	}
	return slices.ContainsFunc(strings.Fields(p.Text), func(word string) bool {
		return strings.EqualFold(strings.TrimRight(word, ".,!?"), "@"+account.Username)
	})
}

// legacy is the form of API v1.1, in which the Account Activity API tells of
// posts. A long text is cut there and given in full beside.
func (p *Post) legacy() map[string]any {
	const longest = 280
	shown := map[string]any{
		"id_str": p.ID, "created_at": p.At.Format(time.RubyDate), "text": p.Text, "truncated": false,
		"user":                      map[string]any{"id_str": p.Author.ID, "name": p.Author.Name, "screen_name": p.Author.Username},
		"in_reply_to_status_id_str": nullable(p.ReplyTo), "in_reply_to_user_id_str": nullable(p.ReplyUser),
		"timestamp_ms": strconv.FormatInt(p.At.UnixMilli(), 10),
	}
	if runes := []rune(p.Text); len(runes) > longest {
		shown["text"], shown["truncated"] = string(runes[:longest/2])+"…", true
		shown["extended_tweet"] = map[string]any{"full_text": p.Text}
	}
	return shown
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// DirectMessage makes an account write to another in private. Webhooks of both
// hear of it before DirectMessage returns. It gives the message's ID.
func (s *Server) DirectMessage(from, to Account, text string) string {
	s.mu.Lock()
	id := s.id()
	event := map[string]any{
		"type": "message_create", "id": id, "created_timestamp": strconv.FormatInt(s.options.clock.Now().UnixMilli(), 10),
		"message_create": map[string]any{
			"target": map[string]any{"recipient_id": to.ID}, "sender_id": from.ID, "message_data": map[string]any{"text": text},
		},
	}
	users := map[string]any{}
	for _, account := range []Account{from, to} {
		users[account.ID] = map[string]any{"id": account.ID, "name": account.Name, "screen_name": account.Username}
	}
	var deliveries []outgoing
	for _, account := range []Account{from, to} {
		deliveries = append(deliveries, s.toAll(account.ID, map[string]any{"direct_message_events": []any{event}, "users": users})...)
	}
	s.mu.Unlock()
	s.send(deliveries)
	return id
}

// Like makes an account like a post of another's. Webhooks of both hear of it
// before Like returns.
func (s *Server) Like(by Account, post Post) {
	s.mu.Lock()
	event := map[string]any{
		"id": "like" + s.id(), "created_at": s.options.clock.Now().UTC().Format(time.RubyDate), "timestamp_ms": s.options.clock.Now().UnixMilli(),
		"favorited_status": post.legacy(), "user": map[string]any{"id_str": by.ID, "name": by.Name, "screen_name": by.Username},
	}
	var deliveries []outgoing
	for _, account := range []Account{by, post.Author} {
		deliveries = append(deliveries, s.toAll(account.ID, map[string]any{"favorite_events": []any{event}})...)
	}
	s.mu.Unlock()
	s.send(deliveries)
}

func (s *Server) mentions(w http.ResponseWriter, r *http.Request, _ caller) {
	s.timeline(w, r, func(account *accountRecord, post *Post) bool {
		return post.Author.ID != account.ID && post.concerns(account)
	})
}

func (s *Server) tweets(w http.ResponseWriter, r *http.Request, _ caller) {
	s.timeline(w, r, func(account *accountRecord, post *Post) bool { return post.Author.ID == account.ID })
}

// timeline gives posts, newest first, in pages.
func (s *Server) timeline(w http.ResponseWriter, r *http.Request, belongs func(*accountRecord, *Post) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	account, query := s.accounts[r.PathValue("id")], r.URL.Query()
	size, err := strconv.Atoi(query.Get("max_results"))
	before, paged := strings.CutPrefix(query.Get("pagination_token"), "before-")
	switch {
	case account == nil:
		sendProblem(w, http.StatusNotFound, "resource-not-found", "Not Found Error", "Could not find user with id.", nil)
		return
	case err != nil || size < 5 || size > 100:
		sendProblem(w, http.StatusBadRequest, "invalid-request", "Invalid Request", "The `max_results` query parameter value is not between 5 and 100", nil)
		return
	case query.Has("pagination_token") && !paged, query.Has("since_id") && !isID(query.Get("since_id")):
		sendProblem(w, http.StatusBadRequest, "invalid-request", "Invalid Request", "strict: a cursor or an ID is not one", nil)
		return
	}
	var found []*Post
	for _, post := range slices.Backward(s.posts) {
		if !post.hidden && belongs(account, post) && newer(post.ID, query.Get("since_id")) && (before == "" || newer(before, post.ID)) {
			found = append(found, post)
		}
	}
	s.sendPage(w, found, size, query.Get("expansions") == "author_id", strings.Split(query.Get("tweet.fields"), ","))
}

func isID(text string) bool {
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil
}

// newer compares IDs, which are numbers; everything is newer than none.
func newer(id, than string) bool {
	return len(id) > len(than) || len(id) == len(than) && id > than
}

// sendPage sends the first of the posts. Without any there is no data.
func (s *Server) sendPage(w http.ResponseWriter, found []*Post, size int, expand bool, fields []string) {
	meta := map[string]any{}
	if len(found) > size {
		found = found[:size]
		meta["next_token"] = "before-" + found[size-1].ID
	}
	meta["result_count"] = len(found)
	if len(found) == 0 {
		sendJSON(w, http.StatusOK, map[string]any{"meta": meta})
		return
	}
	meta["newest_id"], meta["oldest_id"] = found[0].ID, found[len(found)-1].ID
	var data, authors []any
	named := map[string]bool{}
	for _, post := range found {
		data = append(data, post.json(fields))
		if !named[post.Author.ID] {
			named[post.Author.ID] = true
			authors = append(authors, s.accounts[post.Author.ID].json())
		}
	}
	body := map[string]any{"data": data, "meta": meta}
	if expand {
		body["includes"] = map[string]any{"users": authors}
	}
	sendJSON(w, http.StatusOK, body)
}

// json is the form of API v2, with what was asked for.
func (p *Post) json(fields []string) map[string]any {
	shown := map[string]any{"id": p.ID, "text": p.Text, "edit_history_tweet_ids": []string{p.ID}}
	all := map[string]any{
		"author_id": p.Author.ID, "conversation_id": p.ConversationID, "created_at": p.At.Format("2006-01-02T15:04:05.000Z"),
	}
	if p.ReplyTo != "" {
		all["in_reply_to_user_id"] = p.ReplyUser
		all["referenced_tweets"] = []any{map[string]any{"type": "replied_to", "id": p.ReplyTo}}
	}
	for name, value := range all {
		if slices.Contains(fields, name) {
			shown[name] = value
		}
	}
	return shown
}
