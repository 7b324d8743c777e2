// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	did          = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
	otherDID     = "did:plc:44ybard66vv44zksje25o7dz"
	handle       = "help.acme.test"
	mainPassword = "correct horse battery staple"

	accessLife  = 2 * time.Hour
	refreshLife = 90 * 24 * time.Hour
	grace       = 2 * time.Hour
)

// journal keeps the order of what happened at the server and at the store.
type journal struct {
	mutex   sync.Mutex
	entries []string
}

func (j *journal) add(entry string) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.entries = append(j.entries, entry)
}

// take gives the entries since it was last called.
func (j *journal) take() []string {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	taken := j.entries
	j.entries = nil
	return taken
}

// requests gives the entries of take without those of the store.
func (j *journal) requests() []string {
	return slices.DeleteFunc(j.take(), func(entry string) bool { return entry == "save" || entry == "load" })
}

// token is one that the fake server issued.
type token struct {
	kind    string // "access" or "refresh"
	scope   string
	expires time.Time
	login   int // key of pds.logins
}

// login is what a refresh token stands for: a row of the server's database.
type login struct {
	app     string // the app password's name; empty for the main password
	expires time.Time
	next    int // the login that replaced this one
}

// pds is a strict stand-in for a Personal Data Server with one account. It
// answers as @atproto/pds 0.4.217 was seen to; what Rostra must not send is an
// error.
type pds struct {
	*httptest.Server
	journal *journal
	clock   *clocktesting.FakePassiveClock

	mutex       sync.Mutex
	did, handle string
	password    string
	apps        map[string]string // name -> password
	state       string            // "", "deactivated", "takendown", "suspended", "deleted"
	tokens      map[string]token
	logins      map[int]login
	faults      map[string][]fault // by method; each is used once
	serial      int
	opaque      bool             // tokens that say nothing, as the protocol allows
	notices     []map[string]any // oldest first
	posts       []map[string]any // oldest first
	violations  []string
}

// fault replaces the answer of one request. With act, the server does what it
// was asked for all the same.
type fault struct {
	act    bool
	answer http.HandlerFunc
}

func newPDS(log *journal, clock *clocktesting.FakePassiveClock) *pds {
	p := &pds{
		journal: log, clock: clock, did: did, handle: handle, password: mainPassword,
		apps: map[string]string{}, tokens: map[string]token{}, logins: map[int]login{}, faults: map[string][]fault{},
	}
	p.Server = httptest.NewServer(p)
	return p
}

// fail answers the next request of a method with an error in the protocol's
// form.
func (p *pds) fail(method string, status int, name, message string) {
	p.answer(method, false, func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, name, message) })
}

// answer replaces the answer to the next request of a method.
func (p *pds) answer(method string, act bool, answer http.HandlerFunc) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.faults[method] = append(p.faults[method], fault{act, answer})
}

// lose does what the next request of a method asks for, and breaks the
// connection instead of an answer.
func (p *pds) lose(method string) {
	p.answer(method, true, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

func (p *pds) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/xrpc/"), "com.atproto.")
	p.journal.add(method)
	answer, instead := p.act(r, method)
	if instead != nil {
		instead(w, r)
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// act does what a request asks for, and gives the answer to it, or what is
// answered instead.
func (p *pds) act(r *http.Request, method string) (answer *httptest.ResponseRecorder, instead http.HandlerFunc) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	act := true
	if queued := p.faults[method]; len(queued) > 0 {
		act, instead, p.faults[method] = queued[0].act, queued[0].answer, queued[1:]
	}
	answer = httptest.NewRecorder()
	if act {
		p.route(answer, r, method)
	}
	return answer, instead
}

func (p *pds) route(w http.ResponseWriter, r *http.Request, method string) {
	type endpoint struct {
		verb  string
		input bool
		serve func(http.ResponseWriter, *http.Request, map[string]any)
	}
	endpoints := map[string]endpoint{
		"server.describeServer":    {http.MethodGet, false, p.describeServer},
		"_health":                  {http.MethodGet, false, p.health},
		"server.createSession":     {http.MethodPost, true, p.createSession},
		"server.refreshSession":    {http.MethodPost, false, p.refreshSession},
		"server.deleteSession":     {http.MethodPost, false, p.deleteSession},
		"server.getSession":        {http.MethodGet, false, p.getSession},
		"server.createAppPassword": {http.MethodPost, true, p.createAppPassword},
		"server.listAppPasswords":  {http.MethodGet, false, p.listAppPasswords},
		"server.revokeAppPassword": {http.MethodPost, true, p.revokeAppPassword},
		"sync.getRepoStatus":       {http.MethodGet, false, p.getRepoStatus},
		"repo.listRecords":         {http.MethodGet, false, p.listRecords},

		"app.bsky.notification.listNotifications": {http.MethodGet, false, p.listNotifications},
	}
	e, known := endpoints[method]
	if !known || e.verb != r.Method {
		p.violatef("%s %s", r.Method, r.URL.Path)
		refuse(w, http.StatusBadRequest, "InvalidRequest", "No service configured for "+method)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var input map[string]any
	switch {
	case !e.input && len(body) > 0:
		p.violatef("%s with a body", method)
	case e.input && r.Header.Get("Content-Type") != "application/json":
		p.violatef("%s without the content type of JSON", method)
	case e.input:
		if err := json.Unmarshal(body, &input); err != nil {
			p.violatef("%s with a body that is not JSON", method)
		}
	}
	e.serve(w, r, input)
}

func (p *pds) violatef(format string, args ...any) {
	p.violations = append(p.violations, fmt.Sprintf(format, args...))
}

func (p *pds) describeServer(w http.ResponseWriter, _ *http.Request, _ map[string]any) {
	reply(w, map[string]any{"did": "did:web:localhost", "availableUserDomains": []string{".test"}})
}

func (p *pds) health(w http.ResponseWriter, _ *http.Request, _ map[string]any) {
	reply(w, map[string]any{"version": "0.4.217"})
}

func (p *pds) createSession(w http.ResponseWriter, _ *http.Request, input map[string]any) {
	app, password := "", input["password"]
	found := password == p.password
	for name, candidate := range p.apps {
		if password == candidate && p.state != "takendown" && p.state != "suspended" {
			app, found = name, true
		}
	}
	known := input["identifier"] == p.did || input["identifier"] == p.handle
	switch {
	case !known, !found, p.state == "deleted":
		refuse(w, http.StatusUnauthorized, "AuthenticationRequired", "Invalid identifier or password")
	case p.state == "takendown":
		refuse(w, http.StatusUnauthorized, "AccountTakedown", "Account has been taken down")
	default:
		p.issue(w, p.open(app))
	}
}

func (p *pds) open(app string) int {
	p.serial++
	p.logins[p.serial] = login{app: app, expires: p.clock.Now().Add(refreshLife)}
	return p.serial
}

func (p *pds) issue(w http.ResponseWriter, id int) {
	scope := "com.atproto.access"
	if p.logins[id].app != "" {
		scope = "com.atproto.appPass"
	}
	reply(w, p.describe(map[string]any{
		"accessJwt":  p.token(token{"access", scope, p.clock.Now().Add(accessLife), id}),
		"refreshJwt": p.token(token{"refresh", "com.atproto.refresh", p.clock.Now().Add(refreshLife), id}),
	}))
}

func (p *pds) token(t token) string {
	p.serial++
	payload, _ := json.Marshal(map[string]any{
		"scope": t.scope, "sub": p.did, "jti": t.login, "iat": p.clock.Now().Unix(), "exp": t.expires.Unix(), "serial": p.serial,
	})
	text := "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2lnbmF0dXJl"
	if p.opaque {
		text = fmt.Sprintf("opaque-%x", payload)
	}
	p.tokens[text] = t
	return text
}

func (p *pds) describe(answer map[string]any) map[string]any {
	answer["did"], answer["handle"], answer["active"] = p.did, p.handle, p.state == ""
	answer["email"] = "help@acme.example"
	if p.state != "" {
		answer["status"] = p.state
	}
	return answer
}

// bearer looks the request's token up; it has answered where ok is false.
func (p *pds) bearer(w http.ResponseWriter, r *http.Request, kind string) (found token, ok bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		refuse(w, http.StatusUnauthorized, "AuthMissing", "Authentication Required")
		return token{}, false
	}
	found, ok = p.tokens[text]
	switch {
	case !ok:
		refuse(w, http.StatusBadRequest, "InvalidToken", "Token could not be verified")
	case found.kind != kind:
		refuse(w, http.StatusBadRequest, "InvalidToken", "Invalid token type")
	case !p.clock.Now().Before(found.expires):
		refuse(w, http.StatusBadRequest, "ExpiredToken", "Token has expired")
	default:
		return found, true
	}
	return token{}, false
}

func (p *pds) refreshSession(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	found, ok := p.bearer(w, r, "refresh")
	if !ok {
		return
	}
	old, kept := p.logins[found.login]
	switch {
	case p.state == "takendown":
		refuse(w, http.StatusUnauthorized, "AccountTakedown", "Account has been taken down")
	case p.state == "deleted":
		refuse(w, http.StatusBadRequest, "InvalidRequest", "Could not find user info for account: "+p.did)
	case !kept, !p.clock.Now().Before(old.expires):
		refuse(w, http.StatusBadRequest, "ExpiredToken", "Token has been revoked")
	default:
		// A token that is used again leads to the same successor.
		if old.next == 0 {
			old.next, old.expires = p.open(old.app), p.clock.Now().Add(grace)
			p.logins[found.login] = old
		}
		p.issue(w, old.next)
	}
}

func (p *pds) deleteSession(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	if found, ok := p.bearer(w, r, "refresh"); ok {
		delete(p.logins, found.login)
		w.WriteHeader(http.StatusOK)
	}
}

func (p *pds) getSession(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	if _, ok := p.bearer(w, r, "access"); !ok {
		return
	}
	if p.state == "takendown" || p.state == "deleted" {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "Could not find user info for account: "+p.did)
		return
	}
	reply(w, p.describe(map[string]any{}))
}

func (p *pds) createAppPassword(w http.ResponseWriter, r *http.Request, input map[string]any) {
	found, ok := p.bearer(w, r, "access")
	name, _ := input["name"].(string)
	switch {
	case !ok:
	case found.scope != "com.atproto.access":
		refuse(w, http.StatusBadRequest, "InvalidToken", "Bad token scope")
	case p.apps[name] != "":
		refuse(w, http.StatusInternalServerError, "InternalServerError", "Internal Server Error")
	default:
		p.serial++
		p.apps[name] = fmt.Sprintf("abcd-efgh-ijkl-%04d", p.serial)
		reply(w, map[string]any{"name": name, "password": p.apps[name], "createdAt": "2026-11-21T22:06:32.160Z", "privileged": input["privileged"]})
	}
}

func (p *pds) listAppPasswords(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	if _, ok := p.bearer(w, r, "access"); !ok {
		return
	}
	list := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(p.apps)) {
		list = append(list, map[string]any{"name": name, "createdAt": "2026-11-21T22:06:32.160Z", "privileged": false})
	}
	reply(w, map[string]any{"passwords": list})
}

func (p *pds) revokeAppPassword(w http.ResponseWriter, r *http.Request, input map[string]any) {
	if _, ok := p.bearer(w, r, "access"); !ok {
		return
	}
	name, _ := input["name"].(string)
	delete(p.apps, name)
	maps.DeleteFunc(p.logins, func(_ int, l login) bool { return l.app == name })
	w.WriteHeader(http.StatusOK)
}

func (p *pds) getRepoStatus(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	switch {
	case r.Header.Get("Authorization") != "":
		p.violatef("a token with a public question")
	case r.URL.Query().Get("did") != p.did, p.state == "deleted":
		refuse(w, http.StatusBadRequest, "RepoNotFound", "Could not find repo for DID: "+r.URL.Query().Get("did"))
	case p.state != "":
		reply(w, map[string]any{"did": p.did, "active": false, "status": p.state})
	default:
		reply(w, map[string]any{"did": p.did, "active": true, "rev": "3l"})
	}
}

// changePassword changes the main password: no session can be refreshed after
// that.
// listNotifications answers as the AppView does that the server asks. Its
// cursor is the place in the list, from the newest.
func (p *pds) listNotifications(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	if _, ok := p.bearer(w, r, "access"); !ok {
		return
	}
	if reasons := r.URL.Query()["reasons"]; !slices.Equal(reasons, []string{"mention", "reply", "quote"}) {
		p.violatef("notifications for the reasons %v", reasons)
	}
	p.list(w, r, "notifications", p.notices)
}

func (p *pds) listRecords(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	query := r.URL.Query()
	if query.Get("repo") != p.did || query.Get("collection") != "app.bsky.feed.post" || r.Header.Get("Authorization") != "" {
		p.violatef("records of %q %q, or with a token that nobody needs", query.Get("repo"), query.Get("collection"))
	}
	p.list(w, r, "records", p.posts)
}

func (p *pds) list(w http.ResponseWriter, r *http.Request, name string, oldestFirst []map[string]any) {
	const most = 100
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > most {
		p.violatef("a limit of %q", r.URL.Query().Get("limit"))
	}
	begin := 0
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		if begin, err = strconv.Atoi(cursor); err != nil {
			p.violatef("a cursor that nobody gave: %q", cursor)
		}
	}
	page := slices.Clone(oldestFirst)
	slices.Reverse(page)
	page = page[min(begin, len(page)):]
	page = page[:min(limit, len(page))]
	answer := map[string]any{name: append([]map[string]any{}, page...)}
	if len(page) > 0 {
		answer["cursor"] = strconv.Itoa(begin + len(page))
	}
	reply(w, answer)
}

func (p *pds) changePassword(password string) {
	p.set(func(p *pds) {
		p.password = password
		clear(p.logins)
	})
}

// openLogins counts those that nobody has replaced yet.
func (p *pds) openLogins() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	count := 0
	for _, l := range p.logins {
		if l.next == 0 && p.clock.Now().Before(l.expires) {
			count++
		}
	}
	return count
}

// set changes the fake's fields while it serves.
func (p *pds) set(change func(*pds)) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	change(p)
}

func reply(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(answer)
}

func refuse(w http.ResponseWriter, status int, name, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": name, "message": message})
}

// store is a SessionStore in memory, shared by those who would share a Secret:
// each of them holds one seat.
type store struct {
	journal *journal
	mutex   sync.Mutex
	version int
	values  credentials.Values
}

// seat is one writer's view of a store.
type seat struct {
	*store
	seen       int
	beforeSave func() error // an error replaces saving
	loadError  error
}

func (s *seat) Load(context.Context) (credentials.Values, error) {
	s.journal.add("load")
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.seen = s.version
	return maps.Clone(s.values), s.loadError
}

func (s *seat) Save(ctx context.Context, session credentials.Values) error {
	s.journal.add("save")
	if s.beforeSave != nil {
		if err := s.beforeSave(); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.seen != s.version {
		return platform.ErrSessionConflict
	}
	s.version++
	s.seen, s.values = s.version, maps.Clone(session)
	return nil
}
