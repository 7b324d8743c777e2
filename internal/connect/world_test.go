// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	testclock "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	base     = "https://hooks.acme.example"
	helpUID  = "0b0c7a5e-6a0e-4d3c-9a55-0f2f3a1c0001"
	newsUID  = "0b0c7a5e-6a0e-4d3c-9a55-0f2f3a1c0002"
	theCode  = "the-code"
	consents = "https://social.example/oauth/authorize"
)

// secrets are texts that must show on no page and in no log.
var secrets = []string{"granted-access", "granted-refresh", "rotated-refresh", "app-secret", theCode}

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// memory is a Store in memory, which fails where a test says so.
type memory struct {
	mu        sync.Mutex
	subjects  map[string]*connect.Subject
	pending   map[string]map[string]connect.Pending // by channel and state
	connected map[string]connection
	lookups   int

	failSubject, failBegin, failTake, failConnected error
}

type connection struct {
	source, session credentials.Values
	identity        platform.Identity
}

func (m *memory) Subject(_ context.Context, uid string) (*connect.Subject, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lookups++
	if m.failSubject != nil {
		return nil, m.failSubject
	}
	subject, ok := m.subjects[uid]
	if !ok {
		return nil, connect.ErrUnknown
	}
	return subject, nil
}

func (m *memory) Begin(_ context.Context, uid string, pending connect.Pending) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failBegin != nil {
		return m.failBegin
	}
	if m.pending[uid] == nil {
		m.pending[uid] = map[string]connect.Pending{}
	}
	m.pending[uid][pending.StateHash] = pending
	return nil
}

// last is the consent of a channel that ends last.
func (m *memory) last(uid string) connect.Pending {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last connect.Pending
	for _, pending := range m.pending[uid] {
		if !pending.Expires.Before(last.Expires) {
			last = pending
		}
	}
	return last
}

func (m *memory) Take(_ context.Context, uid, stateHash string) (connect.Pending, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lookups++
	if m.failTake != nil {
		return connect.Pending{}, m.failTake
	}
	pending, ok := m.pending[uid][stateHash]
	if !ok {
		return connect.Pending{}, connect.ErrNoPending
	}
	delete(m.pending[uid], stateHash)
	if len(m.pending[uid]) == 0 {
		delete(m.pending, uid)
	}
	return pending, nil
}

func (m *memory) Connected(_ context.Context, uid string, source, session credentials.Values, identity platform.Identity) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failConnected != nil {
		return m.failConnected
	}
	m.connected[uid] = connection{source, session, identity}
	return nil
}

// toy is the adapter of a platform that does what a test says.
type toy struct {
	identity   platform.Identity
	missing    []string
	rotates    bool
	failURL    error
	failRedeem error
	failVerify error
	failRevoke error
	consent    string // empty: consents

	grants       []platform.Grant
	applications []credentials.Values
	revoked      int
	verified     []platform.Account
}

func (t *toy) NormaliseHandle(handle string) (string, error) {
	name := strings.ToLower(strings.TrimPrefix(handle, "@"))
	if name == "" || strings.Contains(name, " ") {
		return "", errors.New("write a handle without spaces")
	}
	return name, nil
}
func (t *toy) CheckAccountID(string) error                     { return nil }
func (t *toy) ClaimScope() string                              { return "" }
func (t *toy) SourceKeys() []platform.SourceKey                { return nil }
func (t *toy) Detect(context.Context) (platform.Server, error) { return platform.Server{}, nil }
func (t *toy) Deliverable(context.Context, platform.Account) (credentials.Credential, error) {
	return credentials.Credential{Values: credentials.Values{"TOKEN": credentials.NewValue("granted-access")}}, nil
}

func (t *toy) Verify(ctx context.Context, account platform.Account) (platform.Identity, error) {
	t.verified = append(t.verified, account)
	if t.rotates {
		if err := account.Sessions.Save(ctx, credentials.Values{"refresh": credentials.NewValue("rotated-refresh")}); err != nil {
			return platform.Identity{}, err
		}
	}
	return t.identity, t.failVerify
}

func (t *toy) Revoke(context.Context, platform.Account, credentials.Credential) (platform.Revocation, error) {
	t.revoked++
	return platform.Revocation{}, t.failRevoke
}

func (t *toy) AuthorizationURL(application credentials.Values, request platform.AuthorizationRequest) (string, error) {
	if t.failURL != nil {
		return "", t.failURL
	}
	consent := t.consent
	if consent == "" {
		consent = consents
	}
	return consent + "?" + url.Values{
		"client_id": {application.Get(platform.ApplicationID)}, "redirect_uri": {request.RedirectURL},
		"state": {request.State}, "code_challenge": {request.Challenge}, "code_challenge_method": {"S256"},
	}.Encode(), nil
}

func (t *toy) Redeem(_ context.Context, application credentials.Values, grant platform.Grant) (platform.Granted, error) {
	t.grants = append(t.grants, grant)
	t.applications = append(t.applications, application)
	if t.failRedeem != nil {
		return platform.Granted{}, t.failRedeem
	}
	return platform.Granted{
		Source: credentials.Values{
			"access-token": credentials.NewValue("granted-access"), "refresh-token": credentials.NewValue("granted-refresh"),
		},
		Missing: t.missing,
	}, nil
}

// registrar is a toy whose server registers applications.
type registrar struct {
	*toy
	registered []string
	fail       error
}

func (r *registrar) RegisterApplication(_ context.Context, redirectURL string) (credentials.Values, error) {
	if r.fail != nil {
		return nil, r.fail
	}
	r.registered = append(r.registered, redirectURL)
	return credentials.Values{
		platform.ApplicationID: credentials.NewValue("registered"), platform.ApplicationSecret: credentials.NewValue("app-secret"),
	}, nil
}

// world is a handler with all that is around it.
type world struct {
	key      []byte
	base     string
	clock    *testclock.FakePassiveClock
	store    *memory
	adapter  *toy
	subject  *connect.Subject
	registry *prometheus.Registry
	log      *bytes.Buffer
	handler  http.Handler
}

func newWorld() *world { return newWorldAt(base) }

func newWorldAt(base string) *world {
	w := &world{
		key: bytes.Repeat([]byte{7}, 32), base: base, clock: testclock.NewFakePassiveClock(start),
		adapter: &toy{identity: platform.Identity{AccountID: "42", Handle: "help", DisplayName: "Acme Help"}}, registry: prometheus.NewRegistry(), log: &bytes.Buffer{},
	}
	application := credentials.Values{platform.ApplicationID: credentials.NewValue("app"), platform.ApplicationSecret: credentials.NewValue("app-secret")}
	w.subject = &connect.Subject{
		Channel: "social/acme-help", UID: helpUID, Handle: "@Help", AccountID: "42", Platform: "Toy", Server: "https://social.example",
		PlatformName: "toy", Offered: true,
		Owner: "customer-care", Application: application, Authorizer: w.adapter, Adapter: w.adapter,
	}
	news := *w.subject
	news.Channel, news.UID, news.Handle, news.AccountID = "social/acme-news", newsUID, "@news", "43"
	w.store = &memory{
		subjects: map[string]*connect.Subject{helpUID: w.subject, newsUID: &news},
		pending:  map[string]map[string]connect.Pending{}, connected: map[string]connection{},
	}
	handler, err := connect.New(connect.Options{
		Key: w.key, BaseURL: base, Store: w.store, Clock: w.clock, Metrics: w.registry,
		Logger: funcr.New(func(prefix, args string) { w.log.WriteString(prefix + args + "\n") }, funcr.Options{}),
	})
	if err != nil {
		panic(err)
	}
	w.handler = handler
	return w
}

func (w *world) link(uid string) string {
	return connect.StartURL(w.base, w.key, uid, start.Add(time.Hour))
}

// browser is one that keeps cookies.
type browser struct {
	world   *world
	cookies map[string]*http.Cookie
	header  http.Header
	remote  string
}

func (w *world) browser() *browser {
	return &browser{world: w, cookies: map[string]*http.Cookie{}, header: http.Header{}, remote: "192.0.2.1:4711"}
}

func (b *browser) do(method, target string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, http.NoBody)
	request.RemoteAddr = b.remote
	maps.Copy(request.Header, b.header)
	for _, cookie := range b.cookies {
		request.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	recorder := httptest.NewRecorder()
	b.world.handler.ServeHTTP(recorder, request)
	for _, cookie := range recorder.Result().Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		} else {
			b.cookies[cookie.Name] = cookie
		}
	}
	return recorder
}

func (b *browser) get(target string) *httptest.ResponseRecorder {
	return b.do(http.MethodGet, target)
}

func (b *browser) post(target string) *httptest.ResponseRecorder {
	return b.do(http.MethodPost, target)
}

// begin presses the button and gives the query with which the person arrives at
// the platform.
func (b *browser) begin(uid string) url.Values {
	recorder := b.post(b.world.link(uid))
	target, err := url.Parse(recorder.Header().Get("Location"))
	if err != nil || recorder.Code != http.StatusSeeOther {
		panic(recorder.Body.String())
	}
	return target.Query()
}

// comeBack is the callback with a query.
func (b *browser) comeBack(values url.Values) *httptest.ResponseRecorder {
	return b.get(b.world.base + "/connect/callback/toy?" + values.Encode())
}

// agree comes back with the code.
func (b *browser) agree(arrived url.Values) *httptest.ResponseRecorder {
	return b.comeBack(url.Values{"code": {theCode}, "state": {arrived.Get("state")}})
}

// counted gives how often a result was counted.
func (w *world) counted(platformType, result string) float64 {
	families, err := w.registry.Gather()
	if err != nil {
		panic(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			if family.GetName() == "rostra_connect_total" && labels["platform"] == platformType && labels["result"] == result {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}
