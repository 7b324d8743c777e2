// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"
	"github.com/onsi/gomega/types"

	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// show matches a page of this status with these texts on it.
func show(status int, texts ...string) types.GomegaMatcher {
	matchers := []types.GomegaMatcher{HaveField("Code", status)}
	for _, text := range texts {
		matchers = append(matchers, HaveField("Body.String()", ContainSubstring(text)))
	}
	return And(matchers...)
}

func showNoSecret(w *world, recorder *httptest.ResponseRecorder) {
	GinkgoHelper()
	for _, secret := range secrets {
		Expect(recorder.Body.String()).NotTo(ContainSubstring(secret))
		Expect(w.log.String()).NotTo(ContainSubstring(secret))
	}
	for uid := range w.store.pending {
		Expect(w.log.String()).NotTo(ContainSubstring(w.store.last(uid).Verifier.Reveal()))
	}
}

var _ = Describe("The link", func() {
	var w *world
	var b *browser
	BeforeEach(func() {
		w = newWorld()
		b = w.browser()
	})

	It("shows what will be connected, and starts nothing", func() {
		for range 3 {
			recorder := b.get(w.link(helpUID))
			Expect(recorder).To(show(http.StatusOK, "@Help", "Toy", "social.example", "team customer-care", "social/acme-help", ">42<", `<form method="post">`, "Continue to Toy"))
			Expect(recorder.Result().Cookies()).To(BeEmpty())
		}
		Expect(w.store.pending).To(BeEmpty())
		Expect(w.log.String()).To(BeEmpty())
	})

	It("answers HEAD as GET, without the page", func() {
		recorder := b.do(http.MethodHead, w.link(helpUID))
		Expect(recorder.Code).To(Equal(http.StatusOK))
		Expect(recorder.Body.Len()).To(BeZero())
		Expect(recorder.Header().Get("Content-Length")).NotTo(Equal("0"))
		Expect(w.store.pending).To(BeEmpty())
	})

	It("lets a page load, run and frame nothing, and leave no trace", func() {
		header := b.get(w.link(helpUID)).Header()
		Expect(header.Get("Content-Security-Policy")).To(And(
			HavePrefix("default-src 'none'; style-src 'sha256-"), ContainSubstring("frame-ancestors 'none'"), ContainSubstring("base-uri 'none'"),
			HaveSuffix("form-action 'self' https:"), Not(ContainSubstring("script-src")), Not(ContainSubstring("unsafe")),
		))
		Expect(header).To(gstruct.MatchKeys(gstruct.IgnoreExtras, gstruct.Keys{
			"Cache-Control": ConsistOf("no-store"), "Referrer-Policy": ConsistOf("no-referrer"), "X-Content-Type-Options": ConsistOf("nosniff"),
			"X-Frame-Options": ConsistOf("DENY"), "Content-Type": ConsistOf("text/html; charset=utf-8"),
		}))
		Expect(b.get(base + "/connect/nonsense").Header().Get("Content-Security-Policy")).To(HaveSuffix("form-action 'none'"))
	})

	It("is a page that assistive technology understands", func() {
		body := b.get(w.link(helpUID)).Body.String()
		Expect(body).To(And(HavePrefix("<!DOCTYPE html>\n<html lang=\"en\">"), ContainSubstring(`name="viewport"`), ContainSubstring("<title>Connect @Help on Toy – Rostra</title>")))
		Expect(strings.Count(body, "<h1>")).To(Equal(1))
		Expect(body).NotTo(Or(ContainSubstring("<script"), ContainSubstring("javascript:"), ContainSubstring("src="), ContainSubstring("@import")))
	})

	DescribeTable("looks nothing up when it is no longer good",
		func(status int, change func(string) string) {
			target := change(w.link(helpUID))
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				Expect(b.do(method, target)).To(show(status, "no longer good", "rostra connect NAMESPACE/CHANNEL", "{.status.authorization.url}", `role="alert"`))
			}
			Expect(w.store.lookups).To(BeZero())
			Expect(w.store.pending).To(BeEmpty())
		},
		Entry("over", http.StatusGone, func(s string) string { w.clock.SetTime(start.Add(time.Hour)); return s }),
		Entry("cut short", http.StatusNotFound, func(s string) string { return s[:len(s)-1] }),
		Entry("of another channel", http.StatusNotFound, func(s string) string { return strings.Replace(s, helpUID, newsUID, 1) }),
		Entry("prolonged", http.StatusNotFound, func(s string) string {
			parts := strings.Split(s, ".")
			parts[len(parts)-2] = "zzzzzz"
			return strings.Join(parts, ".")
		}),
		Entry("of another key", http.StatusNotFound, func(string) string {
			return connect.StartURL(base, make([]byte, 32), helpUID, start.Add(time.Hour))
		}),
		Entry("a state in its place", http.StatusNotFound, func(string) string {
			arrived := b.begin(helpUID)
			w.store.lookups, w.store.pending = 0, map[string]map[string]connect.Pending{}
			return base + "/connect/" + arrived.Get("state")
		}),
		Entry("nothing", http.StatusNotFound, func(string) string { return base + "/connect/" }),
		Entry("elsewhere", http.StatusNotFound, func(string) string { return base + "/" }),
	)

	It("works below the path of the gateway's URL, with or without that path", func() {
		w = newWorldAt("https://acme.example/rostra/")
		Expect(w.link(helpUID)).To(HavePrefix("https://acme.example/rostra/connect/"))
		w.base = "https://acme.example/rostra"
		b = w.browser()
		Expect(b.get(w.link(helpUID))).To(show(http.StatusOK))
		Expect(b.get(strings.Replace(w.link(helpUID), "/rostra", "", 1))).To(show(http.StatusOK))
		arrived := b.begin(helpUID)
		Expect(arrived.Get("redirect_uri")).To(Equal("https://acme.example/rostra/connect/callback/toy"))
		Expect(b.agree(arrived)).To(show(http.StatusOK, "The account is connected"))
	})

	It("says that the channel is gone, or cannot be connected", func() {
		delete(w.store.subjects, helpUID)
		Expect(b.get(w.link(helpUID))).To(show(http.StatusNotFound, "This channel is gone"))
		w.store.failSubject = errors.Join(connect.ErrNotOffered, errors.New("the SocialPlatform toy names no application"))
		Expect(b.get(w.link(helpUID))).To(show(http.StatusConflict, "names no application"))
		Expect(b.post(w.link(helpUID))).To(show(http.StatusConflict, "names no application"))
		Expect(w.counted("", "NotOffered")).To(Equal(2.0))
	})

	It("refuses other methods", func() {
		recorder := b.do(http.MethodDelete, w.link(helpUID))
		Expect(recorder).To(show(http.StatusMethodNotAllowed))
		Expect(recorder.Header().Get("Allow")).To(Equal("GET, HEAD, POST"))
	})

	It("escapes what strangers wrote", func() {
		w.subject.Handle = "<script>alert(1)</script>\u202e@gro.elpmaxe"
		recorder := b.get(w.link(helpUID))
		Expect(recorder).To(show(http.StatusOK, "&lt;script&gt;"))
		Expect(recorder.Body.String()).NotTo(Or(ContainSubstring("<script"), ContainSubstring("\u202e")))
	})
})

var _ = Describe("The button", func() {
	var w *world
	var b *browser
	BeforeEach(func() {
		w = newWorld()
		b = w.browser()
	})

	It("stores hashes, and sends the person to the platform", func() {
		recorder := b.post(w.link(helpUID))
		Expect(recorder.Code).To(Equal(http.StatusSeeOther))
		location := recorder.Header().Get("Location")
		Expect(location).To(HavePrefix(consents + "?"))
		Expect(recorder.Header().Get("Referrer-Policy")).To(Equal("no-referrer"))
		Expect(recorder.Header().Get("Cache-Control")).To(Equal("no-store"))

		arrived, err := url.ParseQuery(strings.TrimPrefix(location, consents+"?"))
		Expect(err).NotTo(HaveOccurred())
		pending := w.store.last(helpUID)
		challenge := sha256.Sum256([]byte(pending.Verifier.Reveal()))
		Expect(arrived.Get("code_challenge")).To(Equal(base64.RawURLEncoding.EncodeToString(challenge[:])))
		Expect(arrived.Get("redirect_uri")).To(Equal(base + "/connect/callback/toy"))
		Expect(pending.Verifier.Reveal()).To(HaveLen(43))
		Expect(pending.Expires).To(Equal(start.Add(10 * time.Minute)))
		Expect(pending.StateHash).To(And(HaveLen(64), Not(ContainSubstring(arrived.Get("state")))))

		cookies := recorder.Result().Cookies()
		Expect(cookies).To(ConsistOf(gstruct.PointTo(gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{
			"Name": HavePrefix("__Host-"), "Secure": BeTrue(), "HttpOnly": BeTrue(), "Path": Equal("/"), "Domain": BeEmpty(),
			"SameSite": Equal(http.SameSiteLaxMode), "MaxAge": Equal(600),
		}))))
		Expect(pending.BrowserHash).NotTo(ContainSubstring(cookies[0].Value))
		Expect(location).NotTo(ContainSubstring(cookies[0].Value))
		Expect(w.counted("Toy", "Begun")).To(Equal(1.0))
	})

	It("makes everything anew each time", func() {
		first, second := b.begin(helpUID), b.begin(helpUID)
		Expect(first.Get("state")).NotTo(Equal(second.Get("state")))
		Expect(first.Get("code_challenge")).NotTo(Equal(second.Get("code_challenge")))
	})

	It("sets a plain cookie where the gateway is on this machine without TLS", func() {
		w = newWorldAt("http://127.0.0.1:8080")
		Expect(w.browser().post(w.link(helpUID)).Result().Cookies()).To(ConsistOf(And(
			HaveField("Name", HavePrefix("rostra-connect-")), HaveField("Secure", BeFalse()), HaveField("HttpOnly", BeTrue()))))
	})

	DescribeTable("goes by what the browser says of where it was pressed",
		func(status int, header http.Header) {
			b.header = header
			Expect(b.post(w.link(helpUID)).Code).To(Equal(status))
			Expect(w.store.pending).To(HaveLen(map[int]int{http.StatusSeeOther: 1}[status]))
		},
		Entry("nothing", http.StatusSeeOther, http.Header{}),
		Entry("here", http.StatusSeeOther, http.Header{"Origin": {base}, "Sec-Fetch-Site": {"same-origin"}}),
		Entry("here, with no referrer", http.StatusSeeOther, http.Header{"Origin": {"null"}, "Sec-Fetch-Site": {"same-origin"}}),
		Entry("loaded again", http.StatusSeeOther, http.Header{"Sec-Fetch-Site": {"none"}}),
		Entry("another site", http.StatusForbidden, http.Header{"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}}),
		Entry("a neighbour", http.StatusForbidden, http.Header{"Sec-Fetch-Site": {"same-site"}}),
		Entry("another origin, by an older browser", http.StatusForbidden, http.Header{"Origin": {"https://evil.example"}}),
		Entry("another scheme", http.StatusForbidden, http.Header{"Origin": {"http://hooks.acme.example"}}),
	)

	It("takes no large form", func() {
		request := httptest.NewRequest(http.MethodPost, w.link(helpUID), strings.NewReader(strings.Repeat("a=b&", 2000)))
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request)
		Expect(recorder).To(show(http.StatusRequestEntityTooLarge))
		Expect(w.store.pending).To(BeEmpty())
	})

	It("registers an application where the channel has none", func() {
		r := &registrar{toy: w.adapter}
		w.subject.Application, w.subject.Authorizer = nil, r
		arrived := b.begin(helpUID)
		Expect(r.registered).To(ConsistOf(base + "/connect/callback/toy"))
		Expect(arrived.Get("client_id")).To(Equal("registered"))
		Expect(w.store.last(helpUID).Application.Get(platform.ApplicationID)).To(Equal("registered"))
		Expect(b.agree(arrived)).To(show(http.StatusOK))
		Expect(w.adapter.applications).To(ConsistOf(HaveKeyWithValue(platform.ApplicationSecret, credentials.NewValue("app-secret"))))
	})

	It("registers none where the channel has one", func() {
		r := &registrar{toy: w.adapter}
		w.subject.Authorizer = r
		Expect(b.begin(helpUID).Get("client_id")).To(Equal("app"))
		Expect(r.registered).To(BeEmpty())
		Expect(w.store.last(helpUID).Application).To(BeNil())
	})

	It("says when the platform does not register one", func() {
		w.subject.Application, w.subject.Authorizer = nil, &registrar{toy: w.adapter, fail: &platform.Failure{Class: platform.Transient, Message: "the server is down"}}
		Expect(b.post(w.link(helpUID))).To(show(http.StatusBadGateway, "Nothing was started", "the server is down"))
		Expect(w.store.pending).To(BeEmpty())
	})

	It("says what is wrong with the application", func() {
		w.adapter.failURL = errors.New("the application has no client-id")
		Expect(b.post(w.link(helpUID))).To(show(http.StatusConflict, "the application has no client-id"))
		Expect(w.store.pending).To(BeEmpty())
	})

	DescribeTable("sends nobody to a URL that no platform has",
		func(consent string) {
			w.adapter.consent = consent
			Expect(b.post(w.link(helpUID))).To(show(http.StatusBadGateway))
			Expect(w.store.pending).To(BeEmpty())
		},
		Entry("a script", "javascript:alert(1)//"), Entry("without TLS", "http://social.example/"),
		Entry("with a user", "https://hooks.acme.example@evil.example/"), Entry("without a host", "/oauth/authorize"),
	)

	It("says when the store is out of order, with a reference that the log has", func() {
		w.store.failBegin = errors.New("etcd is full")
		recorder := b.post(w.link(helpUID))
		Expect(recorder).To(show(http.StatusServiceUnavailable, "Try again in a moment"))
		Expect(recorder.Header().Get("Retry-After")).NotTo(BeEmpty())
		Expect(recorder.Result().Cookies()).To(BeEmpty())
		Expect(recorder.Body.String()).NotTo(ContainSubstring("etcd"))
		_, after, _ := strings.Cut(recorder.Body.String(), "runs Rostra: <code>")
		reference, _, _ := strings.Cut(after, "<")
		Expect(reference).To(HaveLen(10))
		Expect(w.log.String()).To(And(ContainSubstring(reference), ContainSubstring("etcd is full")))
	})

	It("keeps one channel from being begun too often, and lets others be", func() {
		for range 6 {
			b.begin(helpUID)
		}
		lookups := w.store.lookups
		Expect(b.post(w.link(helpUID))).To(show(http.StatusTooManyRequests, "Wait a minute"))
		Expect(w.store.lookups).To(Equal(lookups))
		b.begin(newsUID)
		w.clock.SetTime(start.Add(30 * time.Second))
		b.begin(helpUID)
	})

	It("keeps one source, and all together, from beginning too often", func() {
		uid := func(n int) string {
			id := strings.Replace(helpUID, "0001", "1"+string(rune('0'+n/100))+string(rune('0'+n/10%10))+string(rune('0'+n%10)), 1)
			w.store.subjects[id] = w.subject
			return id
		}
		from := func(remote string, n int) int {
			b.remote = remote
			return b.post(w.link(uid(n))).Code
		}
		for n := range 20 {
			Expect(from("[2001:db8::1]:1", n)).To(Equal(http.StatusSeeOther))
		}
		Expect(from("[2001:db8::ffff]:2", 20)).To(Equal(http.StatusTooManyRequests), "the same network")
		for n := range 40 {
			Expect(from([]string{"192.0.2.1:1", "192.0.2.2:1"}[n%2], 100+n)).To(Equal(http.StatusSeeOther))
		}
		Expect(from("192.0.2.3:1", 200)).To(Equal(http.StatusTooManyRequests), "all together")
	})
})

var _ = Describe("The way back", func() {
	var w *world
	var b *browser
	var arrived url.Values
	BeforeEach(func() {
		w = newWorld()
		b = w.browser()
		arrived = b.begin(helpUID)
	})

	It("connects the account", func() {
		verifier := w.store.last(helpUID).Verifier.Reveal()
		recorder := b.agree(arrived)
		Expect(recorder).To(show(http.StatusOK, "Connected: help", `role="status"`, ">42<", "Acme Help", "team customer-care"))
		showNoSecret(w, recorder)
		Expect(w.adapter.grants).To(ConsistOf(platform.Grant{Code: theCode, Verifier: verifier, RedirectURL: base + "/connect/callback/toy"}))
		connected := w.store.connected[helpUID]
		Expect(connected.source.Get("refresh-token")).To(Equal("granted-refresh"))
		Expect(connected.session).To(BeNil())
		Expect(connected.identity.AccountID).To(Equal("42"))
		Expect(w.store.pending).To(BeEmpty())
		Expect(b.cookies).To(BeEmpty())
		Expect(w.adapter.revoked).To(BeZero())
		Expect(w.counted("Toy", "Connected")).To(Equal(1.0))
	})

	It("stores the session that was rotated on the way", func() {
		w.adapter.rotates = true
		Expect(b.agree(arrived)).To(show(http.StatusOK))
		Expect(w.store.connected[helpUID].session.Get("refresh")).To(Equal("rotated-refresh"))
	})

	It("works once", func() {
		before := *b // with the cookie, which is removed afterwards
		before.cookies = maps.Clone(b.cookies)
		Expect(b.agree(arrived)).To(show(http.StatusOK))
		Expect(before.agree(arrived)).To(show(http.StatusGone, "used already"))
		Expect(w.adapter.grants).To(HaveLen(1))
	})

	It("works in the browser in which it began, and is not used up in another", func() {
		other := w.browser()
		lookups := w.store.lookups
		Expect(other.agree(arrived)).To(show(http.StatusForbidden, "another browser"))
		other.begin(newsUID)
		lookups++
		Expect(other.agree(arrived)).To(show(http.StatusForbidden, "another browser"))
		for name, cookie := range b.cookies { // a cookie of the right name, for another state
			stolen := *cookie
			stolen.Value = "AAAA." + strings.Split(cookie.Value, ".")[1]
			other.cookies[name] = &stolen
		}
		Expect(other.agree(arrived)).To(show(http.StatusForbidden, "another browser"))
		Expect(w.store.lookups).To(Equal(lookups))
		Expect(b.agree(arrived)).To(show(http.StatusOK))
	})

	It("keeps two channels apart in one browser", func() {
		news := b.begin(newsUID)
		Expect(b.agree(arrived)).To(show(http.StatusOK))
		w.adapter.identity = platform.Identity{AccountID: "43", Handle: "news"}
		Expect(b.agree(news)).To(show(http.StatusOK))
		Expect(w.store.connected).To(And(HaveKey(helpUID), HaveKey(newsUID)))
	})

	It("does not let the state of one channel serve another", func() {
		forged := url.Values{"state": {strings.Replace(arrived.Get("state"), helpUID, newsUID, 1)}}
		lookups := w.store.lookups
		Expect(b.agree(forged)).To(show(http.StatusBadRequest, "not asked for"))
		Expect(b.agree(url.Values{"state": {strings.TrimPrefix(w.link(helpUID), base+"/connect/")}})).To(show(http.StatusBadRequest))
		Expect(b.agree(url.Values{})).To(show(http.StatusBadRequest))
		Expect(w.store.lookups).To(Equal(lookups))
	})

	It("ends what was begun before in the same browser, when it is begun anew", func() {
		again := b.begin(helpUID)
		Expect(b.agree(arrived)).To(show(http.StatusForbidden))
		Expect(b.agree(again)).To(show(http.StatusOK))
	})

	It("leaves alone what was begun in another browser", func() {
		other := w.browser()
		since := other.begin(helpUID)
		Expect(other.agree(arrived)).To(show(http.StatusForbidden))
		Expect(b.agree(arrived)).To(show(http.StatusOK))
		Expect(other.agree(since)).To(show(http.StatusOK))
	})

	It("takes from one server nothing that another was asked for", func() {
		Expect(b.get(base + "/connect/callback/other?" + url.Values{"code": {theCode}, "state": {arrived.Get("state")}}.Encode())).To(show(http.StatusBadRequest))
		w.subject.Server = "https://another.example"
		Expect(b.agree(arrived)).To(show(http.StatusBadRequest))
		Expect(w.adapter.grants).To(BeEmpty(), "the code and its verifier go to nobody")
	})

	It("is taken up so often, and no more", func() {
		kept := maps.Clone(b.cookies)
		var last *httptest.ResponseRecorder
		for range 50 {
			maps.Copy(b.cookies, kept)
			last = b.agree(arrived)
		}
		Expect(last.Code).To(Equal(http.StatusTooManyRequests))
	})

	It("says what is in the way of storing it, and gives it back", func() {
		w.store.failConnected = fmt.Errorf("%w: remove Secret social/own", connect.ErrNotOffered)
		Expect(b.agree(arrived)).To(show(http.StatusConflict, "remove Secret social/own"))
	})

	It("begins only while the channel shows where", func() {
		w.subject.Offered = false
		Expect(w.browser().post(w.link(helpUID))).To(show(http.StatusConflict))
	})

	It("takes ten minutes at most", func() {
		w.clock.SetTime(start.Add(10 * time.Minute))
		lookups := w.store.lookups
		Expect(b.agree(arrived)).To(show(http.StatusGone, "took too long"))
		Expect(w.store.lookups).To(Equal(lookups))
	})

	It("goes by the store's time as well", func() {
		pending := w.store.last(helpUID)
		pending.Expires = start
		w.store.pending[helpUID][pending.StateHash] = pending
		Expect(b.agree(arrived)).To(show(http.StatusGone, "took too long"))
		Expect(w.adapter.grants).To(BeEmpty())
	})

	DescribeTable("says what the platform says",
		func(code, text, result string) {
			recorder := b.comeBack(url.Values{"error": {code}, "error_description": {"<b>granted-access</b>"}, "state": {arrived.Get("state")}})
			Expect(recorder.Code).To(BeNumerically(">=", 400))
			Expect(recorder.Body.String()).To(And(ContainSubstring(text), ContainSubstring("Start again"), ContainSubstring("/connect/"+helpUID)))
			showNoSecret(w, recorder)
			Expect(w.store.pending).To(BeEmpty())
			Expect(w.adapter.grants).To(BeEmpty())
			Expect(w.counted("Toy", result)).To(Equal(1.0))
		},
		Entry(nil, "access_denied", "did not agree", "Declined"),
		Entry(nil, "server_error", "could not do it this time", "ProviderError"),
		Entry(nil, "temporarily_unavailable", "could not do it this time", "ProviderError"),
		Entry(nil, "invalid_scope", "what the channel needs", "ProviderError"),
		Entry(nil, "unauthorized_client", "the application&#39;s settings", "ProviderError"),
		Entry(nil, "unsupported_response_type", "the application&#39;s settings", "ProviderError"),
		Entry(nil, "invalid_request", "the application&#39;s settings", "ProviderError"),
		Entry(nil, "granted-access", "does not know", "ProviderError"),
	)

	It("gives a link that begins again, which lasts no longer than the first", func() {
		recorder := b.comeBack(url.Values{"error": {"access_denied"}, "state": {arrived.Get("state")}})
		Expect(recorder.Body.String()).To(ContainSubstring(`href="` + w.link(helpUID) + `"`))
		b.remote = "192.0.2.9:1"
		w.clock.SetTime(start.Add(55 * time.Minute))
		arrived = b.begin(helpUID)
		w.clock.SetTime(start.Add(61 * time.Minute))
		recorder = b.comeBack(url.Values{"error": {"access_denied"}, "state": {arrived.Get("state")}})
		Expect(recorder.Body.String()).NotTo(ContainSubstring("href"))
	})

	DescribeTable("refuses what no platform sends, and does not use it up",
		func(query func(state string) string) {
			lookups := w.store.lookups
			Expect(b.get(base + "/connect/callback/toy?" + query(arrived.Get("state")))).To(show(http.StatusBadRequest))
			Expect(w.store.lookups).To(Equal(lookups))
			Expect(b.agree(arrived)).To(show(http.StatusOK))
		},
		Entry("two codes", func(s string) string { return "code=a&code=b&state=" + s }),
		Entry("two states", func(s string) string { return "code=a&state=" + s + "&state=" + s }),
		Entry("two errors", func(s string) string { return "error=a&error=b&state=" + s }),
		Entry("two issuers", func(s string) string { return "code=a&iss=a&iss=b&state=" + s }),
		Entry("a broken query", func(s string) string { return "code=%zz&state=" + s }),
		Entry("a code with a line break", func(s string) string { return "code=a%0ab&state=" + s }),
		Entry("an error with a null", func(s string) string { return "error=a%00b&state=" + s }),
		Entry("a very long code", func(s string) string { return "code=" + strings.Repeat("a", 5000) + "&state=" + s }),
		Entry("a very long query", func(s string) string { return "code=a&state=" + s + "&x=" + strings.Repeat("a", 9000) }),
	)

	DescribeTable("refuses a state with nothing, or too much, to go with it",
		func(values url.Values) {
			values.Set("state", arrived.Get("state"))
			Expect(b.comeBack(values)).To(show(http.StatusBadRequest, "incomplete or garbled"))
			Expect(w.store.pending).To(BeEmpty())
			Expect(w.adapter.grants).To(BeEmpty())
		},
		Entry("neither code nor error", url.Values{}),
		Entry("an empty code", url.Values{"code": {""}}),
		Entry("both", url.Values{"code": {theCode}, "error": {"access_denied"}}),
	)

	It("serves GET alone", func() {
		for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodPut} {
			recorder := b.do(method, base+"/connect/callback/toy?"+url.Values{"code": {theCode}, "state": {arrived.Get("state")}}.Encode())
			Expect(recorder.Code).To(Equal(http.StatusMethodNotAllowed))
			Expect(recorder.Header().Get("Allow")).To(Equal("GET"))
		}
		Expect(b.agree(arrived)).To(show(http.StatusOK))
	})

	It("goes on when the browser goes away", func() {
		ctx, cancel := context.WithCancel(GinkgoT().Context())
		cancel()
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, base+"/connect/callback/toy?"+url.Values{"code": {theCode}, "state": {arrived.Get("state")}}.Encode(), http.NoBody)
		for _, cookie := range b.cookies {
			request.AddCookie(cookie)
		}
		w.handler.ServeHTTP(httptest.NewRecorder(), request)
		Expect(w.store.connected).To(HaveKey(helpUID))
	})

	Describe("with another account", func() {
		It("names both, and ends the access", func() {
			w.adapter.identity = platform.Identity{AccountID: "66", Handle: "<i>other</i>"}
			recorder := b.agree(arrived)
			Expect(recorder).To(show(http.StatusForbidden, "This is &lt;i&gt;other&lt;/i&gt;; the channel is for @Help.", "sign in as @Help and try again", "was ended at Toy", `role="alert"`, "Start again"))
			showNoSecret(w, recorder)
			Expect(w.adapter.revoked).To(Equal(1))
			Expect(w.store.connected).To(BeEmpty())
			Expect(w.counted("Toy", "WrongAccount")).To(Equal(1.0))
		})

		It("goes by the pinned ID and not by the handle", func() {
			w.adapter.identity = platform.Identity{AccountID: "66", Handle: "help"}
			w.subject.Handle = "help"
			Expect(b.agree(arrived)).To(show(http.StatusForbidden, "help with the account ID 66", "help with the account ID 42"))
			Expect(w.store.connected).To(BeEmpty())
		})

		It("takes the pinned account by whatever handle", func() {
			w.adapter.identity = platform.Identity{AccountID: "42", Handle: "renamed"}
			Expect(b.agree(arrived)).To(show(http.StatusOK, "Connected: renamed"))
			Expect(w.adapter.verified).To(ConsistOf(And(HaveField("Handle", "help"), HaveField("ID", "42"))))
		})

		It("goes by the handle where none is pinned", func() {
			w.subject.AccountID = ""
			Expect(b.agree(arrived)).To(show(http.StatusOK))
			w.adapter.identity.Handle = "helper"
			Expect(b.agree(b.begin(helpUID))).To(show(http.StatusForbidden, "This is helper; the channel is for @Help."))
		})

		It("says so where the access could not be ended", func() {
			w.adapter.identity.AccountID, w.adapter.failRevoke = "66", errors.New("no")
			Expect(b.agree(arrived)).To(show(http.StatusForbidden, "may still stand at Toy"))
		})
	})

	It("names the scopes that are missing", func() {
		w.adapter.missing = []string{"tweet.write", "<b>"}
		Expect(b.agree(arrived)).To(show(http.StatusForbidden, "Not everything was granted", "tweet.write, &lt;b&gt;", "Start again"))
		Expect(w.store.connected).To(BeEmpty())
		Expect(w.adapter.verified).To(BeEmpty())
		Expect(w.adapter.revoked).To(Equal(1))
	})

	It("says when the code is not redeemed, and that it is used up", func() {
		w.adapter.failRedeem = &platform.Failure{Class: platform.Transient, Message: "the server answered with 503"}
		recorder := b.agree(arrived)
		Expect(recorder).To(show(http.StatusBadGateway, "is used up: start again", "the server answered with 503", "Start again", "Reference"))
		showNoSecret(w, recorder)
		Expect(w.store.pending).To(BeEmpty())
		Expect(w.counted("Toy", "PlatformFailed")).To(Equal(1.0))
		w.adapter.failRedeem = nil
		Expect(b.agree(b.begin(helpUID))).To(show(http.StatusOK))
	})

	It("shows nothing of an error that is not for people", func() {
		w.adapter.failRedeem = errors.New("dial tcp 10.0.0.1:443")
		Expect(b.agree(arrived).Body.String()).NotTo(ContainSubstring("10.0.0.1"))
	})

	It("keeps nothing where the account cannot be verified", func() {
		w.adapter.failVerify = &platform.Failure{Class: platform.InsufficientScope, Message: "the token cannot post"}
		Expect(b.agree(arrived)).To(show(http.StatusBadGateway, "the token cannot post", "was ended at Toy"))
		Expect(w.store.connected).To(BeEmpty())
	})

	It("ends no access where it may be stored", func() {
		w.store.failConnected = errors.New("the answer was lost")
		Expect(b.agree(arrived)).To(show(http.StatusServiceUnavailable, "it is not certain that Rostra has it", "Start again", "Reference"))
		Expect(w.adapter.revoked).To(BeZero())
	})

	DescribeTable("says when the store is out of order",
		func(breakIt func()) {
			breakIt()
			Expect(b.agree(arrived)).To(show(http.StatusServiceUnavailable, "Try again in a moment", "Reference"))
			Expect(w.adapter.grants).To(BeEmpty())
			Expect(w.counted("", "StoreFailed") + w.counted("Toy", "StoreFailed")).To(Equal(1.0))
		},
		Entry("before it is used up", func() { w.store.failSubject = errors.New("no") }),
		Entry("when it is used up", func() { w.store.failTake = errors.New("no") }),
	)

	It("says that the channel is gone", func() {
		delete(w.store.subjects, helpUID)
		Expect(b.agree(arrived)).To(show(http.StatusNotFound, "This channel is gone"))
	})

	It("says what is wrong with the declared handle before the code is redeemed", func() {
		w.subject.Handle = "not a handle"
		Expect(b.agree(arrived)).To(show(http.StatusConflict, "write a handle without spaces"))
		Expect(w.adapter.grants).To(BeEmpty())
	})
})

var _ = Describe("The handler", func() {
	DescribeTable("is not made of options that cannot work",
		func(options connect.Options, text string) {
			_, err := connect.New(options)
			Expect(err).To(MatchError(ContainSubstring(text)))
		},
		Entry("a short key", connect.Options{Key: make([]byte, 31), BaseURL: base}, "32"),
		Entry("no TLS", connect.Options{Key: make([]byte, 32), BaseURL: "http://acme.example"}, "https://"),
	)

	It("can be made twice with one registry", func() {
		w := newWorld()
		_, err := connect.New(connect.Options{Key: w.key, BaseURL: base, Store: w.store, Clock: w.clock, Metrics: w.registry})
		Expect(err).NotTo(HaveOccurred())
	})
})
