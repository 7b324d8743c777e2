// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"cmp"
	"context"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// ownStatuses is the route of an account's posts, and oneNotification that of
	// one notification.
	ownStatuses     = "/api/v1/accounts/:id/statuses"
	oneNotification = "/api/v1/notifications/:id"

	defaultPage       = 20
	maxNotifications  = 80
	maxStatuses       = 40
	maxPushBody       = 140 // characters of a post in a push
	typeMention       = "mention"
	visibilityPublic  = "public"
	stranger          = "pia"
	strangersServer   = "elsewhere.example"
	strangersName     = "Pia Somebody"
	strangersID       = "114000000000000001"
	strangersULID     = "01JSTRANGER000000000000001"
	strangersActivity = "https://" + strangersServer + "/@" + stranger
)

// Post is what somebody writes. The zero value of each field is what most posts
// have.
type Post struct {
	// Text in plain; HTML in its place where it is given.
	Text, HTML string
	// Spoiler stands above the text and hides it.
	Spoiler string
	// Visibility is public, unlisted, private or direct.
	Visibility string
	// InReplyTo is the ID of a post of this server.
	InReplyTo string
}

type statusRecord struct {
	id      string
	author  *accountRecord // nil for a stranger on another server
	post    Post
	created time.Time
}

type notificationRecord struct {
	id      string
	kind    string
	account *accountRecord
	status  *statusRecord // nil where it is about none
	created time.Time
	hidden  bool
}

// Notification is what came of an event.
type Notification struct {
	// ID of the notification, as text.
	ID string
	// StatusID is the ID of the post that it is about.
	StatusID string
}

// Publish posts as an account of this server and gives the post's ID.
func (s *Server) Publish(account Account, post Post) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.post(s.known(account), post).id
}

// Mention lets somebody on another server mention an account, which notifies it
// and pushes to whoever is subscribed, before it returns.
func (s *Server) Mention(ctx context.Context, account Account, post Post) Notification {
	return s.notify(ctx, account, typeMention, &post)
}

// Notify lets something of another type happen to an account.
func (s *Server) Notify(ctx context.Context, account Account, kind string) Notification {
	return s.notify(ctx, account, kind, nil)
}

// Hide leaves a notification out of lists from now on, or ends that: a server
// can give an identifier some time before it shows what has it.
func (s *Server) Hide(of Notification, hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.notifications {
		if one.id == of.ID {
			one.hidden = hidden
		}
	}
}

func (s *Server) notify(ctx context.Context, account Account, kind string, post *Post) Notification {
	made, due := s.record(account, kind, post)
	s.deliver(ctx, due)
	told := Notification{ID: made.id}
	if made.status != nil {
		told.StatusID = made.status.id
	}
	return told
}

// record makes a notification, and the pushes that it brings about.
func (s *Server) record(account Account, kind string, post *Post) (*notificationRecord, []*delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := &notificationRecord{kind: kind, account: s.known(account)}
	if post != nil {
		made.status = s.post(nil, *post)
	}
	made.created = s.tick()
	s.activity++
	made.id = s.dialect.notificationID(s.activity)
	s.notifications = append(s.notifications, made)
	return made, s.deliveries(made)
}

func (s *Server) post(author *accountRecord, post Post) *statusRecord {
	if post.InReplyTo != "" && s.statuses[post.InReplyTo] == nil {
		panic("mastodonfake: there is no such post to answer")
	}
	s.activity++
	made := &statusRecord{id: s.dialect.statusID(s.activity), author: author, post: post, created: s.tick()}
	s.statuses[made.id] = made
	return made
}

func (s *Server) now() time.Time { return s.options.clock.Now().UTC() }

// tick is the time at which something happens: later than whatever happened
// before, also where the clock stands still, by as much as the API shows.
func (s *Server) tick() time.Time {
	s.latest = s.latest.Add(time.Millisecond)
	if now := s.now().Truncate(time.Millisecond); now.After(s.latest) {
		s.latest = now
	}
	return s.latest
}

// paging are the parameters of every list.
func paging() []string { return []string{"limit", "min_id", "max_id", "since_id"} }

// listNotifications answers GET /api/v1/notifications.
func (s *Server) listNotifications(w http.ResponseWriter, r *request) {
	account := s.reader(w, r, "read:notifications")
	if account == nil {
		return
	}
	var found []*notificationRecord
	for _, one := range s.notifications {
		types, excluded := r.form["types[]"], r.form["exclude_types[]"]
		if one.account == account && !one.hidden && (len(types) == 0 || slices.Contains(types, one.kind)) && !slices.Contains(excluded, one.kind) {
			found = append(found, one)
		}
	}
	sendPage(w, r, found, maxNotifications, func(one *notificationRecord) string { return one.id }, s.notification)
}

// showNotification answers GET /api/v1/notifications/:id. Another account's is
// not there.
func (s *Server) showNotification(w http.ResponseWriter, r *request) {
	account := s.reader(w, r, "read:notifications")
	if account == nil {
		return
	}
	for _, one := range s.notifications {
		if one.account == account && !one.hidden && r.URL.Path == strings.Replace(oneNotification, ":id", one.id, 1) {
			send(w, http.StatusOK, s.notification(one))
			return
		}
	}
	s.refuse(w, reasonNotFound)
}

// listStatuses answers GET /api/v1/accounts/:id/statuses for the account of the
// token: of no other is anything known.
func (s *Server) listStatuses(w http.ResponseWriter, r *request) {
	account := s.reader(w, r, "read:statuses")
	if account == nil {
		return
	}
	if r.URL.Path != strings.Replace(ownStatuses, ":id", account.id, 1) {
		s.refuse(w, reasonNotFound)
		return
	}
	var found []*statusRecord
	for _, one := range s.statuses {
		if one.author == account {
			found = append(found, one)
		}
	}
	sendPage(w, r, found, maxStatuses, func(one *statusRecord) string { return one.id }, s.status)
}

// reader gives the account of a token that may read.
func (s *Server) reader(w http.ResponseWriter, r *request, scope string) *accountRecord {
	authorised := s.authorise(w, r, scope)
	switch {
	case authorised == nil:
		return nil
	case authorised.account == nil:
		s.refuse(w, reasonNoUser)
		return nil
	case authorised.account.state != Active:
		s.refuse(w, s.dialect.stateRefusals[authorised.account.state])
		return nil
	}
	return authorised.account
}

// sendPage sends a part of a list, the newest first: next to min_id, or else
// the newest of what is left.
func sendPage[T any](w http.ResponseWriter, r *request, all []T, largest int, id func(T) string, entity func(T) map[string]any) {
	limit, err := strconv.Atoi(cmp.Or(r.form.Get("limit"), strconv.Itoa(min(defaultPage, largest))))
	if err != nil || limit < 1 || limit > largest {
		send(w, http.StatusBadRequest, errorText("strict: the limit is out of range"))
		return
	}
	below, above := r.form.Get("max_id"), cmp.Or(r.form.Get("min_id"), r.form.Get("since_id"))
	all = slices.DeleteFunc(all, func(one T) bool {
		return below != "" && compareIDs(id(one), below) >= 0 || above != "" && compareIDs(id(one), above) <= 0
	})
	slices.SortFunc(all, func(one, other T) int { return compareIDs(id(other), id(one)) })
	if from := len(all) - limit; from > 0 && r.form.Get("min_id") != "" {
		all = all[from:]
	}
	answer := []map[string]any{}
	for _, one := range all[:min(limit, len(all))] {
		answer = append(answer, entity(one))
	}
	send(w, http.StatusOK, answer)
}

// compareIDs orders numbers by value, and ULIDs as text.
func compareIDs(one, other string) int {
	return cmp.Or(cmp.Compare(len(one), len(other)), cmp.Compare(one, other))
}

func (s *Server) notification(of *notificationRecord) map[string]any {
	entity := map[string]any{
		"id": of.id, "type": of.kind, "created_at": of.created.Format(timeFormat), "account": s.author(nil),
	}
	if of.status != nil {
		entity["status"] = s.status(of.status)
		entity["account"] = s.author(of.status.author)
	}
	return entity
}

func (s *Server) status(of *statusRecord) map[string]any {
	page := strangersActivity + "/" + of.id
	if of.author != nil {
		page = "https://" + s.host() + "/@" + of.author.username + "/" + of.id
	}
	entity := map[string]any{
		"id":                     of.id,
		"created_at":             of.created.Format(timeFormat),
		"in_reply_to_id":         nil,
		"in_reply_to_account_id": nil,
		"sensitive":              false,
		"spoiler_text":           of.post.Spoiler,
		"visibility":             cmp.Or(of.post.Visibility, visibilityPublic),
		"language":               "en",
		"uri":                    page,
		"url":                    page,
		"content":                of.content(),
		"reblog":                 nil,
		"account":                s.author(of.author),
		"media_attachments":      []string{},
		"mentions":               []string{},
		"tags":                   []string{},
	}
	if answered := s.statuses[of.post.InReplyTo]; answered != nil {
		entity["in_reply_to_id"] = answered.id
		entity["in_reply_to_account_id"] = s.author(answered.author)["id"]
	}
	return entity
}

func (r *statusRecord) content() string {
	return cmp.Or(r.post.HTML, "<p>"+html.EscapeString(r.post.Text)+"</p>")
}

// author is an account of this server, or the stranger.
func (s *Server) author(of *accountRecord) map[string]any {
	if of != nil {
		entity := s.credentialAccount(of)
		delete(entity, "source")
		return entity
	}
	id := strangersID
	if !s.dialect.numbersIDs {
		id = strangersULID
	}
	return map[string]any{
		"id": id, "username": stranger, "acct": stranger + "@" + strangersServer, "display_name": strangersName,
		"url": strangersActivity, "avatar": strangersActivity + "/avatar.png", "note": "",
	}
}
