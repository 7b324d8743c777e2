// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rostra-dev/rostra/internal/gateway"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/throttle"
)

const nonce = "0123456789abcdef"

var _ = Describe("A probe", func() {
	It("shows that the gateway is ours and knows the channel's keys", func() {
		w := newWorld()
		for _, one := range []struct{ hookID, uid, secret string }{{helpUID, helpUID, "secret-help"}, {pagesUID, blogUID, "secret-app"}} {
			got := w.send(http.MethodGet, path(one.hookID), "", hook.ProbeHeader, one.uid+"."+nonce)
			Expect(got.status).To(Equal(http.StatusOK))
			Expect(got.body).To(Equal(hook.Proof(gatewayKey, one.uid, nonce, hook.Digest(gatewayKey, keysOf(one.secret)))))
		}
		Expect(w.outcomes("probe")).To(Equal(2.0))
		Expect(w.sink.calls).To(BeZero())
	})

	It("proves nothing of keys that are no longer the newest", func() {
		w := newWorld()
		before := w.send(http.MethodGet, path(helpUID), "", hook.ProbeHeader, helpUID+"."+nonce).body
		w.book.Put("help", recordOf(helpUID, helpUID, "help", "account-help", "secret-new"))
		Expect(w.send(http.MethodGet, path(helpUID), "", hook.ProbeHeader, helpUID+"."+nonce).body).NotTo(Equal(before))
	})

	DescribeTable("is refused", func(status int, hookID, asked string) {
		w := newWorld()
		Expect(w.send(http.MethodGet, path(hookID), "", hook.ProbeHeader, asked).status).To(Equal(status))
	},
		Entry("of a channel of another callback", http.StatusNotFound, helpUID, newsUID+"."+nonce),
		Entry("of a callback that is not known", http.StatusGone, goneUID, goneUID+"."+nonce),
		Entry("without a nonce", http.StatusNotFound, helpUID, helpUID),
		Entry("with a short nonce", http.StatusNotFound, helpUID, helpUID+".0123"),
		Entry("with a long nonce", http.StatusNotFound, helpUID, fmt.Sprintf("%s.%065d", helpUID, 1)),
		Entry("with an odd nonce", http.StatusNotFound, helpUID, helpUID+".0123456789abcde/"),
	)

	It("is one in a GET alone", func() {
		w := newWorld()
		Expect(w.send(http.MethodPost, path(helpUID), "{}", hook.ProbeHeader, helpUID+"."+nonce).status).To(Equal(http.StatusUnauthorized))
	})
})

var _ = Describe("The gateway", func() {
	It("says that it is alive", func() {
		w := newWorld()
		got := w.send(http.MethodGet, "/healthz", "")
		Expect(got.status).To(Equal(http.StatusOK))
		Expect(got.body).To(Equal("ok"))
	})

	DescribeTable("has nothing else", func(method, target string) {
		w := newWorld()
		got := w.send(method, target, "")
		Expect(got.status).To(Equal(http.StatusNotFound))
		Expect(got.body).To(Equal("Not Found\n"))
		Expect(got.header.Get("Content-Type")).To(Equal("text/plain; charset=utf-8"))
	},
		Entry("root", http.MethodGet, "/"),
		Entry("something", http.MethodGet, "/metrics"),
		Entry("consent, which is not configured", http.MethodGet, "/connect/x"),
		Entry("acknowledging, which is not configured", http.MethodPost, "/ack/x"),
		Entry("a change of health", http.MethodPost, "/healthz"),
		Entry("a callback in escapes", http.MethodPost, "/hooks/t%6fy/x"),
		Entry("a slash in escapes", http.MethodPost, "/hooks/toy%2Fx"),
		Entry("a step up", http.MethodGet, "/hooks/../healthz/x"),
	)

	DescribeTable("hands pages for people on, below the base URL", func(prefix string, serve func(*gateway.Options, http.Handler)) {
		var seen string
		w := newWorld(func(o *gateway.Options) {
			o.BaseURL = base + "/rostra"
			serve(o, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = r.URL.Path
				w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'")
				w.WriteHeader(http.StatusTeapot)
			}))
		})
		got := w.send(http.MethodGet, "/rostra"+prefix+"abc?state=x", "")
		Expect(got.status).To(Equal(http.StatusTeapot))
		Expect(got.header.Values("Content-Security-Policy")).To(Equal([]string{"default-src 'none'; style-src 'self'"}))
		Expect(got.header.Get("Cache-Control")).To(Equal("no-store"), "whatever they forget")
		Expect(seen).To(Equal(prefix + "abc"))
	},
		Entry("consent", "/connect/", func(o *gateway.Options, h http.Handler) { o.Connect = h }),
		Entry("an acknowledgement", "/ack/", func(o *gateway.Options, h http.Handler) { o.Acknowledge = h }),
	)

	It("tells them from where somebody comes, where a proxy says it", func() {
		var limit *throttle.Throttle
		w := newWorld(func(o *gateway.Options) {
			o.Acknowledge = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !limit.Allow(r, r.URL.Path) {
					w.WriteHeader(http.StatusTooManyRequests)
				}
			})
		})
		many := throttle.Pace{Every: time.Second, Burst: 1000}
		limit = throttle.New(w, throttle.Paces{Overall: many, Subject: many, Source: throttle.Pace{Every: time.Hour, Burst: 2}})
		open := func(headers ...string) int { return w.send(http.MethodGet, "/ack/abc", "", headers...).status }
		for range 2 {
			Expect(open(from("203.0.113.7")...)).To(Equal(http.StatusOK))
		}
		Expect(open(from("203.0.113.7")...)).To(Equal(http.StatusTooManyRequests))
		Expect(open(from("203.0.113.7, 10.0.0.9")...)).To(Equal(http.StatusTooManyRequests), "through one more proxy")
		Expect(open(from("203.0.113.8")...)).To(Equal(http.StatusOK), "through the same proxy")
		for range 10 {
			Expect(open()).To(Equal(http.StatusOK), "proxies alone are nobody's source")
			Expect(open(from("10.1.2.3")...)).To(Equal(http.StatusOK))
		}
	})

	It("survives a panic of theirs", func() {
		panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret-of-somebody") })
		w := newWorld(func(o *gateway.Options) { o.Connect, o.Acknowledge = panics, panics })
		Expect(w.send(http.MethodGet, "/connect/abc", "").status).To(Equal(http.StatusInternalServerError))
		Expect(w.send(http.MethodPost, "/ack/abc", "").status).To(Equal(http.StatusInternalServerError))
	})

	It("answers a handshake with the newest key", func() {
		w := newWorld()
		got := w.send(http.MethodGet, path(helpUID)+"?challenge=abc", "")
		Expect(got.status).To(Equal(http.StatusOK))
		Expect(got.body).To(Equal(sign("secret-help", "crc:abc")))
		Expect(w.outcomes("handshake")).To(Equal(1.0))
		Expect(w.sink.calls).To(BeZero())
	})

	DescribeTable("is not made of", func(change func(*gateway.Options), message string) {
		options := (&world{book: hook.NewBook(), sink: &sink{}, toy: &toy{}, metrics: prometheus.NewRegistry(), log: &logbook{}}).options()
		change(&options)
		_, err := gateway.New(options)
		Expect(err).To(MatchError(ContainSubstring(message)))
	},
		Entry("a short key", func(o *gateway.Options) { o.Key = o.Key[:31] }, "32 bytes, and has 31"),
		Entry("a URL without TLS", func(o *gateway.Options) { o.BaseURL = "http://hooks.acme.example" }, "must be https"),
		Entry("no book", func(o *gateway.Options) { o.Hooks = nil }, "needs"),
		Entry("no adapters", func(o *gateway.Options) { o.Receiver = nil }, "needs"),
		Entry("no sink", func(o *gateway.Options) { o.Sink = nil }, "needs"),
	)

	It("is made once for a registry of metrics", func() {
		w := newWorld()
		_, err := gateway.New(w.options())
		Expect(err).To(HaveOccurred())
	})
})
