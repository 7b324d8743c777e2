// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rostra-dev/rostra/internal/ack"
	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/event"
)

// show matches a page of this status with these texts on it.
func show(status int, texts ...string) types.GomegaMatcher {
	matchers := []types.GomegaMatcher{
		HaveField("Code", status),
		WithTransform(func(r *httptest.ResponseRecorder) string { return r.Header().Get("Content-Type") }, Equal("text/html; charset=utf-8")),
	}
	for _, text := range texts {
		matchers = append(matchers, HaveField("Body.String()", ContainSubstring(text)))
	}
	return And(matchers...)
}

// say matches an answer to a tool.
func say(status int, json string) types.GomegaMatcher {
	return And(HaveField("Code", status), HaveField("Body.String()", MatchJSON(json)))
}

var _ = Describe("The link", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("shows what waits, and acknowledges nothing however often it is opened", func() {
		for range 3 {
			Expect(w.open(w.link(dana))).To(show(http.StatusOK,
				"social/acme-help waits for an answer", "Mastodon", "a mention", "@stranger@social.example",
				"00:30 UTC on 22 November 2026 (25m)", "told, and nobody has it yet", "dana (customer-care)",
				`<a href="`+postURL+`" rel="noreferrer noopener">Open it on Mastodon</a>`, `<form method="post">`, "I have it",
			))
		}
		Expect(w.conversation().State).To(Equal(conversation.Told))
	})

	It("shows nothing of what was written, nor a name that strangers gave themselves", func() {
		Expect(w.conversation().Excerpt).To(Equal(words))
		Expect(w.open(w.link(dana)).Body.String()).NotTo(Or(ContainSubstring("4711"), ContainSubstring("A Stranger")))
		Expect(w.press(w.link(dana)).Body.String()).NotTo(Or(ContainSubstring("4711"), ContainSubstring("A Stranger")))
	})

	It("does not say who wrote in private", func() {
		w.conversation().Kind, w.conversation().URL = event.DirectMessage, ""
		recorder := w.open(w.link(dana))
		Expect(recorder).To(show(http.StatusOK, "a direct message"))
		Expect(recorder.Body.String()).NotTo(Or(ContainSubstring("stranger"), ContainSubstring("<a ")))
	})

	It("escapes a handle, and follows no other scheme", func() {
		w.conversation().Author.Handle, w.conversation().URL = "<script>\u202e", "javascript:alert(1)"
		recorder := w.open(w.link(dana))
		Expect(recorder).To(show(http.StatusOK, "&lt;script&gt;"))
		Expect(recorder.Body.String()).NotTo(Or(ContainSubstring("<script"), ContainSubstring("\u202e"), ContainSubstring("javascript:")))
	})

	It("leaves no trace, and its page loads nothing", func() {
		header := w.open(w.link(dana)).Header()
		Expect(header.Get("Content-Security-Policy")).To(And(HavePrefix("default-src 'none'; style-src 'sha256-"), HaveSuffix("form-action 'self'"), ContainSubstring("frame-ancestors 'none'")))
		for _, accept := range []string{"text/html", "application/json"} {
			header = w.do(http.MethodGet, w.link(dana), "", "Accept", accept).Header()
			Expect(header.Get("Cache-Control")).To(Equal("no-store"))
			Expect(header.Get("Referrer-Policy")).To(Equal("no-referrer"))
			Expect(header.Get("X-Robots-Tag")).To(Equal("noindex, nofollow"))
			Expect(header.Get("X-Content-Type-Options")).To(Equal("nosniff"))
		}
		Expect(w.open(w.link(dana)).Body.String()).NotTo(Or(ContainSubstring("<script"), ContainSubstring("src="), ContainSubstring("@import")))
	})

	It("answers HEAD as GET, without the page", func() {
		recorder := w.do(http.MethodHead, w.link(dana), "", "Accept", browsers)
		Expect(recorder.Code).To(Equal(http.StatusOK))
		Expect(recorder.Body.Len()).To(BeZero())
		Expect(w.conversation().State).To(Equal(conversation.Told))
	})

	It("tells a tool the state, where it only looks", func() {
		Expect(w.do(http.MethodGet, w.link(dana), "", "Accept", "application/json")).To(say(http.StatusOK,
			`{"id": "`+helpID+`", "channel": "social/acme-help", "state": "Told"}`))
	})

	It("works below the path of the gateway's URL, with or without that path", func() {
		w = newWorldAt("https://acme.example/rostra/")
		Expect(w.link(dana)).To(HavePrefix("https://acme.example/rostra/ack/"))
		Expect(w.open(w.link(dana))).To(show(http.StatusOK))
		Expect(w.press(strings.Replace(w.link(dana), "/rostra", "", 1))).To(show(http.StatusOK, "You have it"))
	})

	It("refuses other methods, and changes nothing by them", func() {
		recorder := w.do(http.MethodDelete, w.link(dana), "", "Accept", browsers)
		Expect(recorder).To(show(http.StatusMethodNotAllowed))
		Expect(recorder.Header().Get("Allow")).To(Equal("GET, HEAD, POST"))
		Expect(w.ledger.calls).To(BeZero())
	})

	DescribeTable("looks nothing up where it is no good",
		func(status int, change func(string) string) {
			target := change(w.link(dana))
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				Expect(w.do(method, target, "", "Accept", browsers)).To(show(status, `role="alert"`, "rostra ack"))
			}
			Expect(w.call(target).Code).To(Equal(status))
			Expect(w.ledger.calls).To(BeZero())
		},
		Entry("over", http.StatusGone, func(s string) string { w.clock.SetTime(noon.Add(time.Hour)); return s }),
		Entry("cut short", http.StatusNotFound, func(s string) string { return s[:len(s)-1] }),
		Entry("of another conversation", http.StatusNotFound, func(s string) string { return strings.Replace(s, helpID, "b"+helpID[1:], 1) }),
		Entry("of another episode", http.StatusNotFound, func(s string) string { return strings.Replace(s, helpID+".1.", helpID+".2.", 1) }),
		Entry("prolonged", http.StatusNotFound, func(s string) string {
			parts := strings.Split(s, ".")
			parts[len(parts)-3] = "zzzzzz"
			return strings.Join(parts, ".")
		}),
		Entry("in another's name", http.StatusNotFound, func(s string) string {
			parts, others := strings.Split(s, "."), strings.Split(w.link(maria), ".")
			parts[len(parts)-2] = others[len(others)-2]
			return strings.Join(parts, ".")
		}),
		Entry("of another key", http.StatusNotFound, func(string) string {
			return ack.URL(base, make([]byte, 32), ack.Claim{ID: helpID, Episode: 1, By: dana, Expires: noon.Add(time.Hour)})
		}),
		Entry("of nobody", http.StatusNotFound, func(string) string {
			return ack.URL(base, w.key, ack.Claim{ID: helpID, Episode: 1, Expires: noon.Add(time.Hour)})
		}),
		Entry("of whichever episode", http.StatusNotFound, func(string) string {
			return ack.URL(base, w.key, ack.Claim{ID: helpID, By: dana, Expires: noon.Add(time.Hour)})
		}),
		Entry("a link to connect an account in its place", http.StatusNotFound, func(string) string {
			return strings.Replace(connect.StartURL(base, w.key, helpID+".1", noon.Add(time.Hour)), "/connect/", "/ack/", 1)
		}),
		Entry("nothing", http.StatusNotFound, func(string) string { return base + "/ack/" }),
		Entry("elsewhere", http.StatusNotFound, func(string) string { return base + "/" }),
	)

	It("has room for the longest names, and is none for longer ones", func() {
		longest := strings.Repeat("t", 253) + "/" + strings.Repeat("m", 63)
		Expect(w.open(w.link(longest))).To(show(http.StatusOK))
		Expect(w.link(longest + strings.Repeat("m", 63))).To(BeEmpty())
	})
})

var _ = Describe("The button", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("says that one has it", func() {
		Expect(w.press(w.link(dana))).To(show(http.StatusOK, "You have it", "Nobody else is told now", "dana (customer-care)", postURL))
		Expect(w.conversation().State).To(Equal(conversation.Acknowledged))
		Expect(*w.conversation().Response).To(Equal(conversation.Response{OpenedAt: start, At: noon, Kind: conversation.ByAcknowledgement, By: dana}))
		Expect(w.log.String()).To(And(ContainSubstring(helpID), ContainSubstring(dana), Not(ContainSubstring(words))))
	})

	It("is kind to who presses it twice", func() {
		w.press(w.link(dana))
		w.clock.SetTime(noon.Add(time.Minute))
		for _, again := range []*httptest.ResponseRecorder{w.press(w.link(dana)), w.open(w.link(dana))} {
			Expect(again).To(show(http.StatusOK, "You have it since 00:55 UTC on 22 November 2026"))
			Expect(again.Body.String()).NotTo(ContainSubstring("<form"))
		}
		Expect(w.call(w.link(dana))).To(say(http.StatusOK,
			`{"id": "`+helpID+`", "channel": "social/acme-help", "state": "Acknowledged", "by": "customer-care/dana", "at": "2026-11-22T00:55:00Z"}`))
	})

	It("tells others who has it", func() {
		w.press(w.link(dana))
		for _, late := range []*httptest.ResponseRecorder{w.press(w.link(maria)), w.open(w.link(maria))} {
			Expect(late).To(show(http.StatusConflict, "dana (customer-care) has it", "since 00:55 UTC on 22 November 2026", "nothing for you to do"))
		}
		Expect(w.conversation().Response.By).To(Equal(dana))
	})

	It("says that it is answered, or was given up", func() {
		reply := mention("2", noon)
		reply.Kind = event.OwnPost
		w.conversation().Answer(reply, noon)
		Expect(w.press(w.link(dana))).To(show(http.StatusConflict, "It is answered", "00:55 UTC"))
		w.conversation().State = conversation.Expired
		Expect(w.press(w.link(dana))).To(show(http.StatusGone, "It was given up"))
	})

	It("is good for no later messages", func() {
		reply := mention("2", noon)
		reply.Kind = event.OwnPost
		w.conversation().Answer(reply, noon)
		w.conversation().Hear(mention("3", noon), conversation.Terms{}, noon)
		Expect(w.press(w.link(dana))).To(show(http.StatusConflict, "This link is for earlier messages", "nobody has been told yet"))
		Expect(w.call(w.link(dana))).To(say(http.StatusConflict,
			`{"id": "`+helpID+`", "channel": "social/acme-help", "state": "Open", "problem": "This link is for earlier messages."}`))
		Expect(w.conversation().State).To(Equal(conversation.Open))
	})

	It("says that the conversation is gone", func() {
		delete(w.ledger.conversations, helpID)
		Expect(w.press(w.link(dana))).To(show(http.StatusGone, "This is gone"))
		Expect(w.open(w.link(dana))).To(show(http.StatusGone, "This is gone"))
	})

	It("says that it is not noted, where the ledger is away", func() {
		w.ledger.fail = errors.New("the disk of the ledger is full")
		for _, recorder := range []*httptest.ResponseRecorder{w.press(w.link(dana)), w.open(w.link(dana)), w.call(w.link(dana))} {
			Expect(recorder.Code).To(Equal(http.StatusServiceUnavailable))
			Expect(recorder.Header().Get("Retry-After")).To(Equal("30"))
			Expect(recorder.Body.String()).To(And(ContainSubstring("It is not noted"), Not(ContainSubstring("disk"))))
		}
		Expect(w.log.String()).To(And(ContainSubstring("the disk of the ledger is full"), ContainSubstring("reference")))
	})

	DescribeTable("is not pressed by another site", func(headers ...string) {
		Expect(w.do(http.MethodPost, w.link(dana), "", append(headers, "Accept", browsers)...)).To(show(http.StatusForbidden, "Another site"))
		Expect(w.ledger.calls).To(BeZero())
	},
		Entry("by what the browser says", "Sec-Fetch-Site", "cross-site"),
		Entry("of the same domain", "Sec-Fetch-Site", "same-site"),
		Entry("by its origin", "Origin", "https://evil.example"),
	)

	It("takes no long content", func() {
		Expect(w.do(http.MethodPost, w.link(dana), strings.Repeat("x", 5<<10), "Accept", browsers)).To(show(http.StatusRequestEntityTooLarge))
		Expect(w.ledger.calls).To(BeZero())
	})

	It("is held back where it is pressed all the time, and looking is counted apart", func() {
		for range 20 {
			Expect(w.open(w.link(dana)).Code).To(Equal(http.StatusOK))
		}
		held := w.open(w.link(dana))
		Expect(held).To(show(http.StatusTooManyRequests))
		Expect(held.Header().Get("Retry-After")).To(Equal("30"))
		Expect(w.press(w.link(dana))).To(show(http.StatusOK))
		w.clock.SetTime(noon.Add(time.Minute))
		Expect(w.open(w.link(dana)).Code).To(Equal(http.StatusOK))
	})
})

var _ = Describe("A tool", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	DescribeTable("acknowledges by a POST, and reads JSON", func(headers ...string) {
		Expect(w.do(http.MethodPost, w.link(dana), "", headers...)).To(say(http.StatusOK,
			`{"id": "`+helpID+`", "channel": "social/acme-help", "state": "Acknowledged", "by": "customer-care/dana", "at": "2026-11-22T00:55:00Z"}`))
	},
		Entry("which says nothing of itself"),
		Entry("which takes anything", "Accept", "*/*"),
		Entry("which asks for JSON", "Accept", "application/json", "Content-Type", "application/json"),
	)

	It("is told who was faster", func() {
		w.press(w.link(maria))
		Expect(w.call(w.link(dana))).To(say(http.StatusConflict,
			`{"id": "`+helpID+`", "channel": "social/acme-help", "state": "Acknowledged", "by": "customer-care/maria", "at": "2026-11-22T00:55:00Z", "problem": "maria (customer-care) has it."}`))
	})

	It("is told that its link is no good, or over", func() {
		Expect(w.call(w.link(dana) + "x")).To(And(HaveField("Code", http.StatusNotFound), HaveField("Body.String()", HavePrefix(`{"problem":"This link is not good. `))))
		w.clock.SetTime(noon.Add(time.Hour))
		Expect(w.call(w.link(dana))).To(And(HaveField("Code", http.StatusGone), HaveField("Body.String()", HavePrefix(`{"problem":"This link is over. `))))
	})
})

var _ = Describe("The handler", func() {
	DescribeTable("is not made of", func(change func(*ack.Options), message string) {
		options := newWorld().options
		change(&options)
		_, err := ack.New(options)
		Expect(err).To(MatchError(ContainSubstring(message)))
	},
		Entry("a short key", func(o *ack.Options) { o.Key = o.Key[:31] }, "31 bytes and needs 32"),
		Entry("a URL without TLS", func(o *ack.Options) { o.BaseURL = "http://hooks.acme.example" }, "must be https"),
		Entry("no ledger", func(o *ack.Options) { o.Ledger = nil }, "needs the ledger"),
		Entry("no clock", func(o *ack.Options) { o.Clock = nil }, "needs the ledger"),
	)
})
