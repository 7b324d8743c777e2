// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/ack"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/ledger"
)

func TestAck(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Acknowledging")
}

const (
	base    = "https://hooks.acme.example"
	helpID  = "aaaabbbbccccddddeeee"
	dana    = "customer-care/dana"
	maria   = "customer-care/maria"
	postURL = "https://social.example/@stranger/1"
	words   = "my order 4711 never came"
)

var (
	start = time.Date(2026, 11, 22, 0, 30, 0, 0, time.UTC)
	// noon is what the clock says at first.
	noon = start.Add(25 * time.Minute)
)

var _ ack.Acknowledger = (*ledger.Ledger)(nil)

// memory keeps conversations as a ledger does.
type memory struct {
	mu            sync.Mutex
	clock         *clocktesting.FakePassiveClock
	conversations map[string]*conversation.Conversation
	calls         int
	fail          error
}

func (m *memory) Get(_ context.Context, id string) (*conversation.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.fail != nil {
		return nil, m.fail
	}
	found, ok := m.conversations[id]
	if !ok {
		return nil, ledger.ErrUnknown
	}
	return new(*found), nil
}

func (m *memory) Acknowledge(ctx context.Context, id string, episode int, by string) (*conversation.Conversation, error) {
	found, err := m.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if found.Episode != episode || !found.Acknowledge(by, m.clock.Now()) {
		return found, ledger.ErrOver
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conversations[id] = found
	return found, nil
}

// world is a handler with all that is around it.
type world struct {
	key     []byte
	clock   *clocktesting.FakePassiveClock
	ledger  *memory
	log     *bytes.Buffer
	options ack.Options
	handler http.Handler
}

func newWorld() *world { return newWorldAt(base) }

func newWorldAt(base string) *world {
	w := &world{key: bytes.Repeat([]byte{7}, 32), clock: clocktesting.NewFakePassiveClock(noon), log: &bytes.Buffer{}}
	c := conversation.Begin(mention("1", start), "p1")
	c.Hear(mention("1", start), conversation.Terms{Owner: "customer-care", Excerpt: true}, start)
	c.ID, c.State = helpID, conversation.Told
	w.ledger = &memory{clock: w.clock, conversations: map[string]*conversation.Conversation{helpID: c}}
	w.options = ack.Options{
		Key: w.key, BaseURL: base, Ledger: w.ledger, Clock: w.clock,
		Logger: funcr.New(func(prefix, args string) { w.log.WriteString(prefix + args + "\n") }, funcr.Options{}),
	}
	handler, err := ack.New(w.options)
	if err != nil {
		panic(err)
	}
	w.handler = handler
	return w
}

func mention(id string, at time.Time) *event.Event {
	return &event.Event{
		ID: id, Kind: event.Mention, Platform: "Mastodon", Channel: "social/acme-help", ChannelUID: "uid",
		Actor: event.Actor{ID: "7", Handle: "@stranger@social.example", DisplayName: "A Stranger"},
		Text:  words, PostID: "p" + id, ThreadID: "p1", URL: postURL, ReceivedAt: at,
	}
}

// conversation that the link is for.
func (w *world) conversation() *conversation.Conversation { return w.ledger.conversations[helpID] }

// link of somebody, for an hour.
func (w *world) link(by string) string {
	return ack.URL(w.options.BaseURL, w.key, ack.Claim{ID: helpID, Episode: 1, By: by, Expires: noon.Add(time.Hour)})
}

// do sends a request with headers, by pairs.
func (w *world) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, request)
	return recorder
}

const browsers = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// open as a browser does.
func (w *world) open(target string) *httptest.ResponseRecorder {
	return w.do(http.MethodGet, target, "", "Accept", browsers, "Sec-Fetch-Site", "none")
}

// press the button as a browser does.
func (w *world) press(target string) *httptest.ResponseRecorder {
	return w.do(http.MethodPost, target, "", "Accept", browsers, "Sec-Fetch-Site", "same-origin", "Origin", "null")
}

// call as a tool does.
func (w *world) call(target string) *httptest.ResponseRecorder {
	return w.do(http.MethodPost, target, "{}", "Accept", "*/*")
}
