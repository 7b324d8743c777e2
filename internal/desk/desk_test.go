// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/desk"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/ledger"
)

func TestDesk(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "The desk")
}

const (
	helpID  = "aaaabbbbccccddddeeee"
	newsID  = "aaaazzzzccccddddeeee"
	overID  = "ccccbbbbccccddddeeee"
	address = "http://127.0.0.1:8083"
	words   = "my order 4711 never came"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var _ desk.Ledger = (*ledger.Ledger)(nil)

// memory keeps conversations as a ledger does.
type memory struct {
	conversations map[string]*conversation.Conversation
	behind        bool
	vanished      string
	fail          error

	mu    sync.Mutex
	calls int
}

func (m *memory) called() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
}

func (m *memory) Synced() bool { return !m.behind }

func (m *memory) List(filter ledger.Filter) []ledger.Summary {
	m.called()
	var found []ledger.Summary
	for _, id := range slices.Sorted(maps.Keys(m.conversations)) {
		c := m.conversations[id]
		if (filter.Channel == "" || filter.Channel == c.Channel) && (!filter.Waiting || c.State.Waits()) {
			found = append(found, ledger.Summary{ID: id, State: c.State})
		}
	}
	return found
}

func (m *memory) Find(prefix string) ([]string, error) {
	m.called()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m.conversations)), func(id string) bool { return !strings.HasPrefix(id, prefix) }), nil
}

func (m *memory) Get(_ context.Context, id string) (*conversation.Conversation, error) {
	m.called()
	found, ok := m.conversations[id]
	switch {
	case m.fail != nil:
		return nil, m.fail
	case !ok || id == m.vanished:
		return nil, ledger.ErrUnknown
	}
	return found, nil
}

func (m *memory) Acknowledge(ctx context.Context, id string, _ int, by string) (*conversation.Conversation, error) {
	found, err := m.Get(ctx, id)
	if err == nil && !found.Acknowledge(by, noon) {
		err = ledger.ErrOver
	}
	return found, err
}

// distant is a memory of which no read ends before as many are under way as it
// expects, and of which the first then ends last.
type distant struct {
	*memory
	expected int
	first    string

	mu                 sync.Mutex
	under, most, ended int
	enough, others     chan struct{}
}

func newDistant(near *memory, expected int, first string) *distant {
	return &distant{memory: near, expected: expected, first: first, enough: make(chan struct{}), others: make(chan struct{})}
}

func (d *distant) Get(ctx context.Context, id string) (*conversation.Conversation, error) {
	d.mu.Lock()
	d.under++
	if d.most = max(d.most, d.under); d.under == d.expected && d.ended == 0 {
		close(d.enough)
	}
	d.mu.Unlock()
	awaited := []chan struct{}{d.enough}
	if id == d.first {
		awaited = append(awaited, d.others)
	}
	for _, one := range awaited {
		select {
		case <-one:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.under--
	d.ended++
	if d.ended == len(d.conversations)-1 {
		close(d.others)
	}
	return d.memory.Get(ctx, id)
}

// torn is a memory of which one row cannot be read, and the others are not read
// before somebody gives up.
type torn struct {
	*memory
	row string
}

func (t *torn) Get(ctx context.Context, id string) (*conversation.Conversation, error) {
	if id == t.row {
		return nil, errors.New("the disk is full")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// world is a desk with three conversations.
type world struct {
	ledger  *memory
	log     bytes.Buffer
	handler http.Handler
}

func newWorld() *world {
	GinkgoHelper()
	help := conversationOf("social/acme-help", event.Mention, noon.Add(-25*time.Minute))
	help.ID, help.State = helpID, conversation.Told
	help.Next, help.Due = escalation.Position{Round: 1}, noon.Add(5*time.Minute)
	help.Tellings = []conversation.Telling{
		{At: noon.Add(-24 * time.Minute), Team: "customer-care", Member: "dana", Way: "email"},
		{At: noon.Add(-9 * time.Minute), Position: escalation.Position{Step: 1}, Team: "customer-care", Member: "maria", Problem: "the mail server refused"},
	}
	news := conversationOf("social/acme-news", event.DirectMessage, noon.Add(-time.Minute))
	news.ID = newsID
	over := conversationOf("social/acme-help", event.Reply, noon.Add(-time.Hour))
	over.ID = overID
	over.Acknowledge("customer-care/maria", noon.Add(-50*time.Minute))
	w := &world{ledger: &memory{conversations: map[string]*conversation.Conversation{helpID: help, newsID: news, overID: over}}}
	w.serve(w.ledger)
	return w
}

// serve makes the desk anew, with another ledger.
func (w *world) serve(table desk.Ledger) {
	GinkgoHelper()
	handler, err := desk.New(desk.Options{
		Ledger: table, Clock: clocktesting.NewFakePassiveClock(noon),
		Logger: funcr.New(func(prefix, args string) { w.log.WriteString(prefix + args + "\n") }, funcr.Options{}),
	})
	Expect(err).NotTo(HaveOccurred())
	w.handler = handler
}

func conversationOf(channel string, kind event.Kind, at time.Time) *conversation.Conversation {
	e := &event.Event{
		ID: channel, Kind: kind, Platform: "Mastodon", Channel: channel, ChannelUID: channel,
		Actor: event.Actor{ID: "7", Handle: "@stranger@social.example", DisplayName: "A Stranger"},
		Text:  words, PostID: "p1", URL: "https://social.example/@stranger/1", ReceivedAt: at,
	}
	c := conversation.Begin(e, "p1")
	c.Hear(e, conversation.Terms{Owner: "customer-care", Route: "care", Rule: "loud", Target: 30 * time.Minute, Excerpt: true}, at)
	return c
}

func (w *world) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	return w.within(context.Background(), method, target, body, headers...)
}

func (w *world) within(ctx context.Context, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, request)
	return recorder
}

func (w *world) list(query string) desk.Conversations {
	GinkgoHelper()
	recorder := w.do(http.MethodGet, address+desk.Path+query, "")
	Expect(recorder.Code).To(Equal(http.StatusOK), recorder.Body.String())
	Expect(recorder.Header().Get("Cache-Control")).To(Equal("no-store"))
	Expect(recorder.Body.String()).NotTo(Or(ContainSubstring("4711"), ContainSubstring("A Stranger"), ContainSubstring("xcerpt")), "nothing of what was written")
	answer := desk.Conversations{}
	Expect(json.Unmarshal(recorder.Body.Bytes(), &answer)).To(Succeed())
	return answer
}

func (w *world) acknowledge(id, by string) *httptest.ResponseRecorder {
	return w.do(http.MethodPost, address+desk.Path+"/"+id+"/acknowledge", `{"by": "`+by+`"}`, "Content-Type", "application/json")
}

func ids(answer desk.Conversations) []string {
	found := make([]string, 0, len(answer.Conversations))
	for _, c := range answer.Conversations {
		found = append(found, c.ID)
	}
	return found
}

var _ = Describe("The list", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("says what waits, who was told and when the next is", func() {
		answer := w.list("")
		Expect(ids(answer)).To(Equal([]string{helpID, newsID}))
		Expect(answer.Total).To(Equal(2))
		Expect(answer.At).To(Equal(noon))
		Expect(answer.Conversations[0]).To(Equal(desk.Conversation{
			ID: helpID, Channel: "social/acme-help", Platform: "Mastodon", Author: "@stranger@social.example", Kind: event.Mention,
			URL: "https://social.example/@stranger/1", Messages: 1, State: conversation.Told, Episode: 1,
			OpenedAt: noon.Add(-25 * time.Minute), LastAt: noon.Add(-25 * time.Minute), LateAt: noon.Add(5 * time.Minute),
			Owner: "customer-care", Route: "care", Rule: "loud", Step: "step 1", NextStep: "step 1, round 2", NextAt: noon.Add(5 * time.Minute),
			Tellings: []desk.Telling{
				{At: noon.Add(-24 * time.Minute), Step: "step 1", Team: "customer-care", Member: "dana", Way: "email"},
				{At: noon.Add(-9 * time.Minute), Step: "step 2", Team: "customer-care", Member: "maria", Problem: "the mail server refused"},
			},
		}))
	})

	It("does not say who wrote in private", func() {
		Expect(w.list("").Conversations[1].Author).To(BeEmpty())
	})

	It("names the fallback, and a broken promise", func() {
		help := w.ledger.conversations[helpID]
		help.Next = escalation.Position{Round: 1, Fallback: true}
		help.Tellings = append(help.Tellings, conversation.Telling{At: noon, Late: true, Team: "customer-care", Member: "maria", Way: "email"})
		shown := w.list("").Conversations[0]
		Expect(shown.Step).To(Equal("broken promise"))
		Expect(shown.NextStep).To(Equal("fallback"))
	})

	It("has all, or those of a channel, where that is asked for", func() {
		answer := w.list("?state=all&channel=social/acme-help")
		Expect(ids(answer)).To(Equal([]string{helpID, overID}))
		over := answer.Conversations[1]
		Expect(*over.Response).To(Equal(desk.Response{Kind: conversation.ByAcknowledgement, At: noon.Add(-50 * time.Minute), By: "customer-care/maria"}))
		Expect(over.NextStep).To(BeEmpty())
	})

	It("is cut where that is asked for, and says how many there are", func() {
		answer := w.list("?limit=1")
		Expect(ids(answer)).To(Equal([]string{helpID}))
		Expect(answer.Total).To(Equal(2))
	})

	It("leaves out what ended meanwhile", func() {
		w.ledger.vanished = helpID
		answer := w.list("")
		Expect(ids(answer)).To(Equal([]string{newsID}))
		Expect(answer.Total).To(Equal(1))
	})

	It("says of whom nobody knows whether they were told", func() {
		help := w.ledger.conversations[helpID]
		help.Tellings[1].Problem, help.Tellings[1].Unsure = "no answer came", true
		Expect(w.list("").Conversations[0].Tellings[1]).To(Equal(desk.Telling{
			At: noon.Add(-9 * time.Minute), Step: "step 2", Team: "customer-care", Member: "maria", Problem: "no answer came", Unsure: true,
		}))
		body := w.do(http.MethodGet, address+desk.Path, "").Body.String()
		Expect(strings.Count(body, `"unsure":true`)).To(Equal(1))
		Expect(body).NotTo(ContainSubstring(`"unsure":false`))
	})

	It("has those that wait before the others, however old", func() {
		oldest := conversationOf("social/acme-help", event.Reply, noon.Add(-2*time.Hour))
		oldest.ID = "aaaa0000ccccddddeeee"
		oldest.Acknowledge("customer-care/dana", noon.Add(-time.Hour))
		w.ledger.conversations[oldest.ID] = oldest
		Expect(ids(w.list("?state=all"))).To(Equal([]string{helpID, newsID, oldest.ID, overID}))
		cut := w.list("?state=all&limit=2")
		Expect(ids(cut)).To(Equal([]string{helpID, newsID}))
		Expect(cut.Total).To(Equal(4))
	})

	It("reads sixteen side by side, from a table that is far away", func(ctx SpecContext) {
		w.ledger.conversations = map[string]*conversation.Conversation{}
		for i := range 40 {
			c := conversationOf("social/acme-help", event.Mention, noon.Add(-time.Hour))
			c.ID = fmt.Sprintf("aaaa%04dccccddddeeee", i)
			w.ledger.conversations[c.ID] = c
		}
		inOrder := slices.Sorted(maps.Keys(w.ledger.conversations))
		far := newDistant(w.ledger, 16, inOrder[0])
		w.serve(far)
		recorder := w.within(ctx, http.MethodGet, address+desk.Path, "")
		Expect(recorder.Code).To(Equal(http.StatusOK), recorder.Body.String())
		answer := desk.Conversations{}
		Expect(json.Unmarshal(recorder.Body.Bytes(), &answer)).To(Succeed())
		Expect(ids(answer)).To(Equal(inOrder))
		Expect(far.most).To(Equal(16))
	}, SpecTimeout(5*time.Second))

	It("gives up all reads where one fails, and says why that did", func(ctx SpecContext) {
		w.serve(&torn{w.ledger, newsID})
		recorder := w.within(ctx, http.MethodGet, address+desk.Path, "")
		Expect(recorder.Code).To(Equal(http.StatusServiceUnavailable))
		Expect(recorder.Body.String()).To(ContainSubstring("the disk is full"))
	}, SpecTimeout(5*time.Second))

	DescribeTable("is not understood", func(query, problem string) {
		recorder := w.do(http.MethodGet, address+desk.Path+query, "")
		Expect(recorder.Code).To(Equal(http.StatusBadRequest))
		Expect(recorder.Body.String()).To(ContainSubstring(problem))
		Expect(w.ledger.calls).To(BeZero())
	},
		Entry("a state that is none", "?state=open", "write waiting or all"),
		Entry("a channel without a namespace", "?channel=acme-help", "write namespace/name"),
		Entry("a limit that is none", "?limit=many", "from 1 to 1000"),
		Entry("no conversations", "?limit=0", "from 1 to 1000"),
		Entry("too many", "?limit=1001", "from 1 to 1000"),
		Entry("two channels", "?channel=a/b&channel=a/c", "given twice"),
		Entry("something else", "?excerpt=true", "channel, state and limit"),
	)

	It("waits until all are known, and says that the inbox does not answer", func() {
		w.ledger.fail = errors.New("the disk is full")
		broken := w.do(http.MethodGet, address+desk.Path, "")
		w.ledger.behind = true
		early := w.do(http.MethodGet, address+desk.Path, "")
		for recorder, problem := range map[*httptest.ResponseRecorder]string{broken: "the disk is full", early: "has just started"} {
			Expect(recorder.Code).To(Equal(http.StatusServiceUnavailable))
			Expect(recorder.Header().Get("Retry-After")).NotTo(BeEmpty())
			Expect(recorder.Body.String()).To(ContainSubstring(problem))
		}
	})
})

var _ = Describe("An acknowledgement", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("is noted, by as much of the ID as there is one of", func() {
		recorder := w.acknowledge("AAAAB", "  Dana ")
		Expect(recorder.Code).To(Equal(http.StatusOK), recorder.Body.String())
		answer := desk.Conversation{}
		Expect(json.Unmarshal(recorder.Body.Bytes(), &answer)).To(Succeed())
		Expect(answer.State).To(Equal(conversation.Acknowledged))
		Expect(answer.Response.By).To(Equal("Dana"))
		Expect(w.ledger.conversations[helpID].State).To(Equal(conversation.Acknowledged))
		Expect(w.log.String()).To(ContainSubstring(`"by"="Dana"`))
	})

	It("comes too late where somebody has it, and says who", func() {
		recorder := w.acknowledge(overID, "dana")
		Expect(recorder.Code).To(Equal(http.StatusConflict))
		answer := desk.Refusal{}
		Expect(json.Unmarshal(recorder.Body.Bytes(), &answer)).To(Succeed())
		Expect(answer.Problem).To(Equal("customer-care/maria has it already, since 2026-11-22T11:10:00Z"))
		Expect(answer.Conversation.Response.By).To(Equal("customer-care/maria"))
	})

	DescribeTable("is refused", func(status int, id, body, problem string) {
		recorder := w.do(http.MethodPost, address+desk.Path+"/"+id+"/acknowledge", body, "Content-Type", "application/json")
		Expect(recorder.Code).To(Equal(status))
		Expect(recorder.Body.String()).To(ContainSubstring(problem))
		Expect(w.ledger.conversations[helpID].State).To(Equal(conversation.Told))
	},
		Entry("of an ID that several begin with", http.StatusBadRequest, "aaaa", `{"by": "dana"}`, helpID+", "+newsID),
		Entry("of too little of an ID", http.StatusBadRequest, "aaa", `{"by": "dana"}`, "at least 4"),
		Entry("of an ID that there is none of", http.StatusNotFound, "zzzz", `{"by": "dana"}`, "no conversation"),
		Entry("of nobody", http.StatusBadRequest, helpID, `{"by": " "}`, "by is empty"),
		Entry("of a long name", http.StatusBadRequest, helpID, `{"by": "`+strings.Repeat("é", 129)+`"}`, "more than 128"),
		Entry("of a name that commands a terminal", http.StatusBadRequest, helpID, `{"by": "\u001b[2J"}`, "cannot be shown"),
		Entry("of what is no JSON", http.StatusBadRequest, helpID, `by=dana`, "cannot be read"),
		Entry("of what is too long", http.StatusBadRequest, helpID, `{"by": "`+strings.Repeat(" ", 5000)+`dana"}`, "more than 4096 bytes"),
	)

	It("is JSON, which another site's page cannot send", func() {
		recorder := w.do(http.MethodPost, address+desk.Path+"/"+helpID+"/acknowledge", `{"by": "dana"}`, "Content-Type", "text/plain")
		Expect(recorder.Code).To(Equal(http.StatusBadRequest))
		Expect(w.ledger.calls).To(BeZero())
	})

	It("fails where the inbox does not answer", func() {
		w.ledger.fail = errors.New("the disk is full")
		Expect(w.acknowledge(helpID, "dana").Code).To(Equal(http.StatusServiceUnavailable))
		w.ledger.behind = true
		Expect(w.acknowledge(helpID, "dana").Code).To(Equal(http.StatusServiceUnavailable))
	})
})

var _ = Describe("The desk", func() {
	DescribeTable("answers whoever asks this machine", func(host string) {
		Expect(newWorld().do(http.MethodGet, "http://"+host+desk.Path, "").Code).To(Equal(http.StatusOK))
	},
		Entry("by its address", "127.0.0.1:8083"), Entry("without a port", "127.0.0.1"), Entry("by version 6", "[::1]:8083"),
		Entry("likewise without a port", "[::1]"), Entry("by its name", "localhost:40000"),
	)

	DescribeTable("refuses", func(host string, headers ...string) {
		w := newWorld()
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			Expect(w.do(method, "http://"+host+desk.Path, "", headers...).Code).To(Equal(http.StatusForbidden))
		}
		Expect(w.ledger.calls).To(BeZero())
	},
		Entry("a name that was made to point here", "rebound.example:8083"),
		Entry("a name that only begins so", "127.0.0.1.rebound.example:8083"),
		Entry("the address of a pod", "10.1.2.3:8083"),
		Entry("a browser", "127.0.0.1:8083", "Origin", "http://127.0.0.1:8083"),
		Entry("a browser that hides where it is", "127.0.0.1:8083", "Origin", "null"),
		Entry("a browser, by what it says it fetches", "127.0.0.1:8083", "Sec-Fetch-Site", "none"),
		Entry("a browser, by where it comes from", "127.0.0.1:8083", "Referer", "http://127.0.0.1:8083/"),
	)

	It("has nothing else", func() {
		w := newWorld()
		Expect(w.do(http.MethodGet, address+"/", "").Code).To(Equal(http.StatusNotFound))
		Expect(w.do(http.MethodDelete, address+desk.Path, "").Code).To(Equal(http.StatusMethodNotAllowed))
		Expect(w.do(http.MethodGet, address+desk.Path+"/"+helpID, "").Code).To(Equal(http.StatusNotFound))
	})

	DescribeTable("listens on this machine alone", func(at string, allowed bool) {
		server, err := desk.NewServer(at, http.NotFoundHandler(), logr.Discard())
		if !allowed {
			Expect(err).To(HaveOccurred())
			Expect(err.Error()).To(ContainSubstring("127.0.0.1"), "it says where it may")
			return
		}
		Expect(err).NotTo(HaveOccurred())
		Expect(manager.LeaderElectionRunnable(server).NeedLeaderElection()).To(BeFalse(), "on every replica")
	},
		Entry("version 4", "127.0.0.1:8083", true), Entry("version 6", "[::1]:8083", true), Entry("by name", "localhost:0", true),
		Entry("everywhere", ":8083", false), Entry("everywhere, in version 4", "0.0.0.0:8083", false), Entry("everywhere, in version 6", "[::]:8083", false),
		Entry("elsewhere", "10.1.2.3:8083", false), Entry("by another name", "desk.example:8083", false), Entry("without a port", "127.0.0.1", false),
	)

	It("is not made without a ledger", func() {
		_, err := desk.New(desk.Options{})
		Expect(err).To(MatchError(ContainSubstring("needs the ledger")))
	})
})
