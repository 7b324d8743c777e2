// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// App is a Meta app.
type App struct {
	// ID and Secret are its credentials.
	ID, Secret string
	// Name of the app.
	Name string
}

// User is a person, or a system user.
type User struct {
	// ID as the app sees it.
	ID string
	// Name of the person.
	Name string
}

// Page is a Facebook Page.
type Page struct {
	// ID of the Page.
	ID string
	// Username, with its dots; may be empty.
	Username string
	// Name that the Page shows.
	Name string
}

type appRecord struct {
	App
	redirects []string
	hook      *hookRecord
}

type hookRecord struct {
	callback string
	fields   []string
	active   bool
}

type userRecord struct {
	User
	isSystem bool
}

type pageRecord struct {
	Page
	published bool
	tasks     map[string]bool     // by user
	hooked    map[string][]string // fields by app
	posts     []Post              // oldest first
	tagged    []Post
}

// Post is something posted on a Page, or about it.
type Post struct {
	// ID of the post or comment.
	ID string
	// Author of it: a person's or a Page's ID.
	Author string
	// Text of it.
	Text string
	// Created at, to the second.
	Created time.Time
}

type tokenKind string

const (
	userToken   tokenKind = "USER"
	systemToken tokenKind = "SYSTEM_USER"
	pageToken   tokenKind = "PAGE"
)

type tokenRecord struct {
	kind      tokenKind
	app, user string
	page      string
	scopes    []string
	pages     []string // for which the scopes were granted; none for all
	issued    time.Time
	expires   time.Time // zero for never
	dataUntil time.Time // zero for never
	dead      int       // the subcode that says why
}

// AddApp registers an app to which people may be sent back at the redirect URLs.
func (s *Server) AddApp(name string, redirectURLs ...string) App {
	s.mu.Lock()
	defer s.mu.Unlock()
	app := App{ID: s.number(), Secret: "a" + s.secret("appsecret"), Name: name}
	s.apps[app.ID] = &appRecord{App: app, redirects: redirectURLs}
	return app
}

// AddUser makes a person.
func (s *Server) AddUser(name string) User { return s.addUser(name, false) }

// AddSystemUser makes a system user.
func (s *Server) AddSystemUser(name string) User { return s.addUser(name, true) }

func (s *Server) addUser(name string, isSystem bool) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	user := User{ID: s.number(), Name: name}
	s.users[user.ID] = &userRecord{User: user, isSystem: isSystem}
	return user
}

// AddPage makes a Page on which the people have a task.
func (s *Server) AddPage(username, name string, managers ...User) Page {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := Page{ID: s.number(), Username: username, Name: name}
	record := &pageRecord{Page: page, published: true, tasks: map[string]bool{}, hooked: map[string][]string{}}
	for _, manager := range managers {
		record.tasks[manager.ID] = true
	}
	s.pages[page.ID] = record
	s.order = append(s.order, page.ID)
	return page
}

// Rename gives a Page another username.
func (s *Server) Rename(page Page, username string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(page).Username = username
}

// Unpublish hides a Page.
func (s *Server) Unpublish(page Page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(page).published = false
}

// GiveTask gives a person a task on a Page.
func (s *Server) GiveTask(user User, page Page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(page).tasks[user.ID] = true
}

// TakeTask takes a person's task on a Page away. Tokens of the Page that came
// from that person are dead then.
func (s *Server) TakeTask(user User, page Page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known(page).tasks, user.ID)
}

func (s *Server) known(page Page) *pageRecord {
	found, ok := s.pages[page.ID]
	if !ok {
		panic("metafake: the Page is of another server")
	}
	return found
}

// AllPermissions are those that the fake knows.
func AllPermissions() []string {
	return []string{
		"pages_show_list", "pages_read_engagement", "pages_manage_posts", "pages_manage_metadata", "pages_read_user_content", "pages_messaging",
	}
}

// IssueUserToken gives a person's short-lived token; without scopes, one with
// all of them.
func (s *Server) IssueUserToken(app App, user User, scopes ...string) string {
	return s.issueTo(app, user, shortLife, scopes)
}

// IssueLongLivedToken gives a person's long-lived token.
func (s *Server) IssueLongLivedToken(app App, user User, scopes ...string) string {
	return s.issueTo(app, user, longLife, scopes)
}

// IssueSystemToken gives a system user's token, which has no end.
func (s *Server) IssueSystemToken(app App, user User, scopes ...string) string {
	return s.issueTo(app, user, 0, scopes)
}

func (s *Server) issueTo(app App, user User, life time.Duration, scopes []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(scopes) == 0 {
		scopes = AllPermissions()
	}
	record := s.newUserToken(app.ID, user.ID, scopes, nil)
	if life > 0 {
		record.expires = record.issued.Add(life)
	}
	if life == longLife {
		record.expires = s.longUntil(record.issued)
	}
	return s.issue(record)
}

func (s *Server) newUserToken(app, user string, scopes, pages []string) *tokenRecord {
	record := &tokenRecord{kind: userToken, app: app, user: user, scopes: slices.Clone(scopes), pages: pages, issued: s.options.clock.Now()}
	if s.users[user].isSystem {
		record.kind = systemToken
		return record
	}
	record.dataUntil = s.options.dataUntil
	if record.dataUntil.IsZero() {
		record.dataUntil = record.issued.Add(dataAccess)
	}
	return record
}

func (s *Server) longUntil(issued time.Time) time.Time {
	if !s.options.longUntil.IsZero() {
		return s.options.longUntil
	}
	return issued.Add(longLife)
}

// IssuePageToken gives a Page's token, derived from a person's long-lived one.
func (s *Server) IssuePageToken(app App, user User, page Page, scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(scopes) == 0 {
		scopes = AllPermissions()
	}
	return s.issue(s.newPageToken(s.newUserToken(app.ID, user.ID, scopes, nil), page.ID))
}

// newPageToken is the Page's, by way of a user's: it ends when that does, unless
// that is long-lived.
func (s *Server) newPageToken(of *tokenRecord, page string) *tokenRecord {
	derived := *of
	derived.kind, derived.page, derived.issued = pageToken, page, s.options.clock.Now()
	if of.expires.Sub(of.issued) > shortLife {
		derived.expires = time.Time{}
	}
	return &derived
}

func (s *Server) issue(record *tokenRecord) string {
	access := s.secret("token")
	s.tokens[access] = record
	return access
}

// Why a person's tokens are dead.
const (
	// AppRemoved: the person has removed the app.
	AppRemoved = 458
	// Checkpoint: Facebook wants the person to confirm who they are.
	Checkpoint = 459
	// PasswordChanged: the person has changed the password.
	PasswordChanged = 460
	// LoggedOut: the session was invalidated.
	LoggedOut = 467
)

// Kill makes all tokens that came from a person dead, for the reason; 0 brings
// them back.
func (s *Server) Kill(user User, reason int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := range maps.Values(s.tokens) {
		if token.user == user.ID {
			token.dead = reason
		}
	}
}

// KillToken makes one token dead.
func (s *Server) KillToken(access string, reason int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if token := s.tokens[access]; token != nil {
		token.dead = reason
	}
}

// Works tells whether a token is good.
func (s *Server) Works(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := s.tokens[access]
	return token != nil && s.deadBy(token) == 0
}

// deadBy gives the subcode that says why a token is dead; 0 where it is not.
func (s *Server) deadBy(token *tokenRecord) int {
	const expired, noTask = 463, 492
	switch {
	case token.dead != 0:
		return token.dead
	case !token.expires.IsZero() && !s.options.clock.Now().Before(token.expires):
		return expired
	case token.kind == pageToken && !s.pages[token.page].tasks[token.user]:
		return noTask
	}
	return 0
}

// sees tells whether a token's permissions are for a Page.
func (t *tokenRecord) sees(page string) bool {
	return len(t.pages) == 0 || slices.Contains(t.pages, page)
}

// dotless is the form in which usernames are the same.
func dotless(username string) string {
	return strings.ReplaceAll(strings.ToLower(username), ".", "")
}
