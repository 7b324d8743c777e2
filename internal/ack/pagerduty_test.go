// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/ack"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/event"
)

// callback is a V3 webhook as PagerDuty publishes it.
func callback(kind, agent, incidentKey string) string {
	reference := func(kind, id, name string) map[string]any {
		return map[string]any{
			"html_url": "https://acme.pagerduty.example/x/" + id, "id": id, "self": "https://api.pagerduty.example/x/" + id,
			"summary": name, "type": kind,
		}
	}
	body, err := json.Marshal(map[string]any{"event": map[string]any{
		"id": "01BWEWUNXQTVQ6TZEBFEXAMPLE", "event_type": kind, "resource_type": "incident", "occurred_at": "2026-11-22T00:55:00.000Z",
		"agent": reference(agent, "PLH1HKV", "Dana Doe"), "client": nil,
		"data": map[string]any{
			"id": "PGR0VU2", "type": "incident", "self": "https://api.pagerduty.example/incidents/PGR0VU2", "number": 2,
			"html_url": "https://acme.pagerduty.example/incidents/PGR0VU2", "status": "acknowledged", "incident_key": incidentKey,
			"created_at": "2026-11-22T00:31:00Z", "title": "A mention waits", "urgency": "high",
			"service": reference("service_reference", "PF9KMXH", "Care"), "assignees": []any{reference("user_reference", "PLH1HKV", "Dana Doe")},
			"escalation_policy": reference("escalation_policy_reference", "PUS0KTE", "Default"), "teams": []any{}, "priority": nil,
			"conference_bridge": nil, "resolve_reason": nil,
		},
	}})
	if err != nil {
		panic(err)
	}
	return string(body)
}

const (
	acknowledged = "incident.acknowledged"
	person       = "user_reference"
)

func (w *world) ticket(by, turn string) string {
	return ack.Ticket(w.key, ack.Claim{ID: helpID, Episode: 1, By: by}, turn)
}

func (w *world) callBack(body string) *httptest.ResponseRecorder {
	return w.do(http.MethodPost, strings.TrimSuffix(w.options.BaseURL, "/")+"/ack/pagerduty", body, "Content-Type", "application/json", "Accept", "*/*")
}

var _ = Describe("A ticket", func() {
	It("is the same for one turn of one person, and for no other", func() {
		w := newWorld()
		seen := map[string]bool{}
		for _, by := range []string{dana, maria} {
			for _, turn := range []string{"0 0", "0 1"} {
				Expect(w.ticket(by, turn)).To(Equal(w.ticket(by, turn)))
				seen[w.ticket(by, turn)] = true
			}
		}
		Expect(seen).To(HaveLen(4))
	})

	It("is none where PagerDuty would not take it", func() {
		w := newWorld()
		fits := strings.Repeat("t", ack.MaxTicket-len(w.ticket("t", "1"))+1)
		Expect(w.ticket(fits, "1")).To(HaveLen(ack.MaxTicket))
		Expect(w.ticket(fits+"t", "1")).To(BeEmpty())
	})
})

var _ = Describe("PagerDuty's callback", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	DescribeTable("says that the person who was told has it", func(kind string) {
		Expect(w.callBack(callback(kind, person, w.ticket(dana, "1")))).To(say(http.StatusOK, `{}`), "a ticket tells nothing")
		Expect(*w.conversation().Response).To(Equal(conversation.Response{OpenedAt: start, At: noon, Kind: conversation.ByAcknowledgement, By: dana}))
		Expect(w.log.String()).To(And(ContainSubstring(helpID), ContainSubstring(dana), ContainSubstring("PagerDuty, user PLH1HKV"), Not(ContainSubstring(words))))
	},
		Entry("when they acknowledge", acknowledged),
		Entry("when they resolve", "incident.resolved"),
	)

	It("is taken below the path of the gateway's URL, and for a name with dots", func() {
		w = newWorldAt("https://acme.example/rostra/")
		Expect(w.callBack(callback(acknowledged, person, w.ticket("care.eu/d.doe", "1")))).To(HaveField("Code", http.StatusOK))
		Expect(w.conversation().Response.By).To(Equal("care.eu/d.doe"))
	})

	It("is taken where there is nothing to note any more, so that it is not sent again", func() {
		body := callback(acknowledged, person, w.ticket(dana, "1"))
		w.callBack(body)
		Expect(w.callBack(body)).To(HaveField("Code", http.StatusOK), "sent twice")
		other := callback(acknowledged, person, w.ticket(maria, "1"))
		Expect(w.callBack(other)).To(say(http.StatusOK, `{"problem": "Nothing is noted. Nobody waits there any more, or somebody else has it."}`))
		page := w.do(http.MethodPost, base+"/ack/pagerduty", other, "Accept", browsers)
		Expect(page.Body.String()).NotTo(Or(ContainSubstring("dana"), ContainSubstring("acme-help")), "nor does it as a page")
		Expect(w.conversation().Response.By).To(Equal(dana))
		reply := mention("2", noon)
		reply.Kind = event.OwnPost
		w.conversation().Answer(reply, noon)
		w.conversation().Hear(mention("3", noon), conversation.Terms{}, noon)
		Expect(w.callBack(body)).To(HaveField("Code", http.StatusOK), "another episode")
		Expect(w.conversation().State).To(Equal(conversation.Open))
		delete(w.ledger.conversations, helpID)
		Expect(w.callBack(body)).To(HaveField("Code", http.StatusOK), "gone")
	})

	It("is to come again where the ledger is away", func() {
		w.ledger.fail = errors.New("the disk of the ledger is full")
		recorder := w.callBack(callback(acknowledged, person, w.ticket(dana, "1")))
		Expect(recorder.Code).To(Equal(http.StatusServiceUnavailable))
		Expect(recorder.Body.String()).To(And(ContainSubstring("not noted"), Not(ContainSubstring("disk"))))
	})

	DescribeTable("notes nothing, and looks nothing up", func(status int, body func() string) {
		recorder := w.callBack(body())
		Expect(recorder.Code).To(Equal(status), recorder.Body.String())
		Expect(recorder.Body.String()).To(MatchRegexp("(?i)nothing (is|was) noted"))
		Expect(w.ledger.calls).To(BeZero())
	},
		Entry("of what else happens there", http.StatusAccepted, func() string { return callback("incident.escalated", person, w.ticket(dana, "1")) }),
		Entry("of a trial", http.StatusAccepted, func() string { return `{"event":{"event_type":"pagey.ping","data":{"message":"hello"}}}` }),
		Entry("of an integration, such as ourselves", http.StatusAccepted, func() string { return callback(acknowledged, "inbound_integration_reference", w.ticket(dana, "1")) }),
		Entry("when the time of an incident is up", http.StatusAccepted, func() string {
			return strings.Replace(callback("incident.resolved", "service_reference", w.ticket(dana, "1")), `"agent":{`, `"agent":null,"was":{`, 1)
		}),
		Entry("of what was merged", http.StatusAccepted, func() string {
			return strings.Replace(callback("incident.resolved", person, w.ticket(dana, "1")),
				`"resolve_reason":null`, `"resolve_reason":{"type":"merge_resolve_reason","incident":{"id":"PGR0VU3","type":"incident_reference"}}`, 1)
		}),
		Entry("of the incidents of others", http.StatusAccepted, func() string { return callback(acknowledged, person, "srv01/HTTP") }),
		Entry("of an incident without a key", http.StatusAccepted, func() string { return callback(acknowledged, person, "") }),
		Entry("in another's name", http.StatusAccepted, func() string {
			return callback(acknowledged, person, strings.Replace(w.ticket(dana, "1"), dana, maria, 1))
		}),
		Entry("of another key", http.StatusAccepted, func() string {
			return callback(acknowledged, person, ack.Ticket(make([]byte, 32), ack.Claim{ID: helpID, Episode: 1, By: dana}, "1"))
		}),
		Entry("by a link in a ticket's place", http.StatusAccepted, func() string {
			return callback(acknowledged, person, strings.TrimPrefix(w.link(dana), base+ack.PathPrefix))
		}),
		Entry("of no JSON", http.StatusBadRequest, func() string { return "payload=1" }),
		Entry("of other JSON", http.StatusBadRequest, func() string { return `{"messages":[{"event":"incident.acknowledge"}]}` }),
		Entry("of what is cut short", http.StatusBadRequest, func() string { return callback(acknowledged, person, w.ticket(dana, "1"))[:200] }),
		Entry("of what is huge", http.StatusRequestEntityTooLarge, func() string { return strings.Repeat(" ", 32<<10) + "{}" }),
	)

	It("is to come again where not all of it came", func() {
		request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, base+"/ack/pagerduty", iotest.ErrReader(io.ErrUnexpectedEOF))
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request)
		Expect(recorder.Code).To(Equal(http.StatusServiceUnavailable))
	})

	It("logs nothing strange of who did it", func() {
		w.callBack(strings.ReplaceAll(callback(acknowledged, person, w.ticket(dana, "1")), "PLH1HKV", `x\ny`))
		Expect(w.conversation().Response).NotTo(BeNil())
		Expect(w.log.String()).To(ContainSubstring("user unknown"))
	})

	It("is no page, and a ticket is no link", func() {
		Expect(w.open(base + "/ack/pagerduty")).To(show(http.StatusMethodNotAllowed, "PagerDuty calls here"))
		Expect(w.press(base + "/ack/" + strings.ReplaceAll(w.ticket(dana, "1"), "/", "%2F"))).To(HaveField("Code", http.StatusNotFound))
		Expect(w.ledger.calls).To(BeZero())
	})

	It("cannot be sent without end", func() {
		body := callback(acknowledged, person, w.ticket(dana, "1"))
		codes := map[int]int{}
		for range 50 {
			codes[w.callBack(body).Code]++
		}
		Expect(codes).To(HaveKeyWithValue(http.StatusTooManyRequests, BeNumerically(">", 20)))
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		Expect(w.callBack(body).Code).To(Equal(http.StatusOK))
	})
})

// FuzzPagerDuty acknowledges nothing for a callback without a ticket of ours.
func FuzzPagerDuty(f *testing.F) {
	w := newWorld()
	good := w.ticket(dana, "1")
	for _, seed := range []string{
		callback(acknowledged, person, "srv01"), callback("pagey.ping", person, ""), callback(acknowledged, person, good[:len(good)-1]), "", "{}", "[]", "null",
		`{"event":null}`, `{"event":{"event_type":"incident.acknowledged","agent":[],"data":7}}`, `{"event":{"event_type":"incident.resolved","agent":{"type":"user_reference"}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w.ledger.calls = 0
		if recorder := w.callBack(body); w.ledger.calls > 0 && !strings.Contains(body, good) {
			t.Fatalf("status %d and %d lookups for %q", recorder.Code, w.ledger.calls, body)
		}
	})
}
