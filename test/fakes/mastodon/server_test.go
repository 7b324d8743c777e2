// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

func TestFake(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Mastodon fake")
}

const (
	whoami  = "/api/v1/accounts/verify_credentials"
	whatApp = "/api/v1/apps/verify_credentials"
	revoke  = "/oauth/revoke"
	form    = "application/x-www-form-urlencoded"
)

// ask is a request; its zero value is GET without anything.
type ask struct {
	method, path, body string
	header             map[string]string
}

type answer struct {
	Status int
	Header http.Header
	Body   map[string]any
}

func send(ctx context.Context, fake *mastodonfake.Server, a ask) answer {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, a.method, fake.URL()+a.path, strings.NewReader(a.body))
	Expect(err).NotTo(HaveOccurred())
	for name, value := range a.header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	got := answer{Status: response.StatusCode, Header: response.Header}
	Expect(json.Unmarshal(content, &got.Body)).To(Succeed(), "every answer is a JSON object")
	return got
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

func refused(status int, text string) OmegaMatcher {
	return And(HaveField("Status", status), HaveField("Body", HaveKeyWithValue("error", text)))
}

func start(options ...mastodonfake.Option) *mastodonfake.Server {
	fake := mastodonfake.New(options...)
	DeferCleanup(fake.Close)
	return fake
}

func of(flavour mastodonfake.Flavour) *mastodonfake.Server {
	return start(mastodonfake.WithFlavour(flavour))
}

var _ = Describe("the fake", func() {
	It("listens on the loopback interface alone", func() {
		Expect(start().URL()).To(HavePrefix("http://127.0.0.1:"))
	})

	DescribeTable("gives IDs as the real one does", func(ctx SpecContext, flavour mastodonfake.Flavour, form string) {
		fake := of(flavour)
		first, second := fake.AddAccount("news"), fake.AddAccount("help")
		Expect(first.ID).To(MatchRegexp(form))
		Expect(second.ID).NotTo(Equal(first.ID))
		got := send(ctx, fake, ask{path: whoami, header: bearer(fake.IssueToken(second))})
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(And(HaveKeyWithValue("id", second.ID), HaveKeyWithValue("username", "help"), HaveKeyWithValue("acct", "help")))
	},
		Entry(nil, mastodonfake.Mastodon43, `^[0-9]{18}$`),
		Entry(nil, mastodonfake.Mastodon42, `^[0-9]{18}$`),
		Entry(nil, mastodonfake.GoToSocial019, `^[0-7][0-9A-HJKMNP-TV-Z]{25}$`),
	)

	DescribeTable("refuses", func(ctx SpecContext, flavour mastodonfake.Flavour, a ask, status int, text string) {
		fake := of(flavour)
		fake.IssueToken(fake.AddAccount("news"))
		Expect(send(ctx, fake, a)).To(refused(status, text))
	},
		Entry("an unknown path", mastodonfake.Mastodon43, ask{path: "/api/v1/nothing"}, 404, "Not Found"),
		Entry("an unknown path", mastodonfake.GoToSocial019, ask{path: "/api/v1/nothing"}, 404, "Not Found"),
		Entry("a wrong method", mastodonfake.Mastodon43, ask{method: http.MethodPost, path: whoami}, 404, "Not Found"),
		Entry("a wrong method", mastodonfake.Mastodon43, ask{path: revoke}, 404, "Not Found"),
		Entry("no Authorization", mastodonfake.Mastodon43, ask{path: whoami}, 401, "The access token is invalid"),
		Entry("no Authorization", mastodonfake.GoToSocial019, ask{path: whoami}, 401, "Unauthorized: token not supplied"),
		Entry("another scheme", mastodonfake.Mastodon43, ask{path: whoami, header: map[string]string{"Authorization": "Basic bmV3cw=="}}, 401, "The access token is invalid"),
		Entry("an empty token", mastodonfake.Mastodon43, ask{path: whoami, header: bearer("")}, 401, "The access token is invalid"),
		Entry("two tokens", mastodonfake.Mastodon43, ask{path: whoami, header: bearer("a b")}, 401, "The access token is invalid"),
		Entry("an unknown token", mastodonfake.Mastodon43, ask{path: whoami, header: bearer("abc")}, 401, "The access token is invalid"),
		Entry("an unknown token", mastodonfake.GoToSocial019, ask{path: whoami, header: bearer("abc")}, 401, "Unauthorized: token not supplied"),
		Entry("an unknown parameter", mastodonfake.Mastodon43, ask{path: whoami + "?verbose=1"}, 400, "strict: unknown parameter verbose"),
		Entry("a question about the application", mastodonfake.GoToSocial019, ask{path: whatApp}, 404, "Not Found"),
		Entry("no user agent", mastodonfake.GoToSocial019, ask{path: whoami, header: map[string]string{"User-Agent": ""}}, 418, "I'm a teapot: no user-agent sent with request"),
		Entry("no JSON wanted", mastodonfake.GoToSocial019, ask{path: whoami, header: map[string]string{"Accept": "text/html"}}, 406, "Not Acceptable: this endpoint offers application/json"),
		Entry("broken JSON", mastodonfake.Mastodon43, ask{method: http.MethodPost, path: revoke, body: `{"token"`, header: map[string]string{"Content-Type": "application/json"}}, 400, "invalid_request"),
		Entry("a body that is too long", mastodonfake.Mastodon43, ask{method: http.MethodPost, path: revoke, body: strings.Repeat("a", 70<<10), header: map[string]string{"Content-Type": form}}, 400, "invalid_request"),
	)

	It("refuses what a token's scopes do not allow", func(ctx SpecContext) {
		scopeError := refused(403, "This action is outside the authorized scopes")
		for _, one := range []struct {
			flavour mastodonfake.Flavour
			scope   string
			want    OmegaMatcher
		}{
			{mastodonfake.Mastodon43, "profile", HaveField("Status", 200)},
			{mastodonfake.Mastodon43, "read", HaveField("Status", 200)},
			{mastodonfake.Mastodon43, "read:accounts", HaveField("Status", 200)},
			{mastodonfake.Mastodon43, "write", scopeError},
			{mastodonfake.Mastodon43, "read:statuses", scopeError},
			{mastodonfake.Mastodon42, "profile", scopeError},
			{mastodonfake.GoToSocial019, "write", refused(403, "Forbidden: token has insufficient scope permission")},
		} {
			fake := of(one.flavour)
			token := fake.IssueToken(fake.AddAccount("news"), one.scope)
			Expect(send(ctx, fake, ask{path: whoami, header: bearer(token)})).To(one.want, "%s with %s", one.flavour, one.scope)
		}
	})

	It("gives no token more scopes than its application has", func() {
		fake := start()
		app := fake.AddApp("publisher", "read")
		Expect(func() { fake.IssueTokenOf(app, fake.AddAccount("news"), "write") }).To(Panic())
		Expect(func() { fake.IssueTokenOf(app, fake.AddAccount("help"), "read:accounts") }).NotTo(Panic())
	})

	It("tells an application's scopes from 4.3 on", func(ctx SpecContext) {
		newer := of(mastodonfake.Mastodon43)
		got := send(ctx, newer, ask{path: whatApp, header: bearer(newer.IssueToken(newer.AddAccount("news"), "write:statuses"))})
		Expect(got.Body).To(HaveKeyWithValue("scopes", ConsistOf("write:statuses")))
		Expect(got.Body).NotTo(Or(HaveKey("client_id"), HaveKey("client_secret")))

		older := of(mastodonfake.Mastodon42)
		news := older.AddAccount("news")
		got = send(ctx, older, ask{path: whatApp, header: bearer(older.IssueToken(news, "read"))})
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).NotTo(HaveKey("scopes"))
		Expect(send(ctx, older, ask{path: whatApp, header: bearer(older.IssueToken(news, "read:accounts"))}).Status).To(Equal(http.StatusForbidden))
	})

	It("keeps the ID of an account that is renamed", func(ctx SpecContext) {
		fake := start()
		news := fake.AddAccount("news")
		token := fake.IssueToken(news)
		fake.Rename(news, "newsroom")
		got := send(ctx, fake, ask{path: whoami, header: bearer(token)})
		Expect(got.Body).To(And(HaveKeyWithValue("id", news.ID), HaveKeyWithValue("username", "newsroom")))
	})
})

var _ = Describe("revoking at the fake", func() {
	revoking := func(ctx context.Context, fake *mastodonfake.Server, token string, app mastodonfake.App) answer {
		values := url.Values{}
		for name, value := range map[string]string{"token": token, "client_id": app.ClientID, "client_secret": app.ClientSecret} {
			if value != "" {
				values.Set(name, value)
			}
		}
		return send(ctx, fake, ask{method: http.MethodPost, path: revoke, body: values.Encode(), header: map[string]string{"Content-Type": form}})
	}
	flavours := []TableEntry{
		Entry(nil, mastodonfake.Mastodon43), Entry(nil, mastodonfake.Mastodon42), Entry(nil, mastodonfake.GoToSocial019),
	}

	DescribeTable("is for the application that has the token", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		fake := of(flavour)
		token := fake.IssueToken(fake.AddAccount("news"))
		owner, other := fake.AppOf(token), fake.AddApp("another")
		notYours := refused(403, "unauthorized_client")
		Expect(revoking(ctx, fake, token, other)).To(notYours)
		Expect(revoking(ctx, fake, token, mastodonfake.App{ClientID: owner.ClientID, ClientSecret: "guess"})).To(notYours)
		Expect(fake.TokenWorks(token)).To(BeTrue())
		Expect(revoking(ctx, fake, token, owner).Status).To(Equal(http.StatusOK))
		Expect(fake.TokenWorks(token)).To(BeFalse())
		Expect(revoking(ctx, fake, token, owner).Status).To(Equal(http.StatusOK), "once more is a success")
		Expect(revoking(ctx, fake, "never-known", owner).Status).To(Equal(http.StatusOK))
	}, flavours)

	It("needs what the flavour needs", func(ctx SpecContext) {
		mastodon, goToSocial := of(mastodonfake.Mastodon43), of(mastodonfake.GoToSocial019)
		Expect(revoking(ctx, mastodon, "x", mastodonfake.App{})).To(refused(403, "unauthorized_client"))
		Expect(revoking(ctx, goToSocial, "x", mastodonfake.App{})).To(refused(400, "invalid_request"))
		Expect(revoking(ctx, goToSocial, "", mastodonfake.App{ClientID: "a", ClientSecret: "b"})).To(refused(400, "invalid_request"))
	})

	DescribeTable("reads the bodies that the servers read", func(ctx SpecContext, contentType string, encode func(mastodonfake.App, string) string, status int) {
		fake := start()
		token := fake.IssueToken(fake.AddAccount("news"))
		got := send(ctx, fake, ask{
			method: http.MethodPost, path: revoke, body: encode(fake.AppOf(token), token), header: map[string]string{"Content-Type": contentType},
		})
		Expect(got.Status).To(Equal(status))
		Expect(fake.TokenWorks(token)).To(Equal(status != http.StatusOK))
	},
		Entry("a form", form, formBody, http.StatusOK),
		Entry("JSON", "application/json", jsonBody, http.StatusOK),
		Entry("a form called text", "text/plain", formBody, http.StatusForbidden),
		Entry("a form called nothing", "", formBody, http.StatusForbidden),
	)

	It("is remembered by Mastodon and forgotten by GoToSocial", func(ctx SpecContext) {
		for flavour, want := range map[mastodonfake.Flavour]string{
			mastodonfake.Mastodon43: "The access token was revoked", mastodonfake.GoToSocial019: "Unauthorized: token not supplied",
		} {
			fake := of(flavour)
			token := fake.IssueToken(fake.AddAccount("news"))
			fake.RevokeToken(token)
			Expect(send(ctx, fake, ask{path: whoami, header: bearer(token)})).To(refused(401, want))
			fake.ForgetToken(token)
			Expect(send(ctx, fake, ask{path: whoami, header: bearer(token)}).Status).To(Equal(401))
		}
	})
})

func formBody(app mastodonfake.App, token string) string {
	return url.Values{"token": {token}, "client_id": {app.ClientID}, "client_secret": {app.ClientSecret}}.Encode()
}

func jsonBody(app mastodonfake.App, token string) string {
	body, err := json.Marshal(map[string]string{"token": token, "client_id": app.ClientID, "client_secret": app.ClientSecret})
	Expect(err).NotTo(HaveOccurred())
	return string(body)
}

var _ = Describe("rate limits at the fake", func() {
	DescribeTable("count each token in windows of five minutes", func(ctx SpecContext, flavour mastodonfake.Flavour, reset string) {
		now := clocktesting.NewFakePassiveClock(time.Date(2026, 11, 21, 8, 3, 20, 0, time.UTC))
		fake := start(mastodonfake.WithFlavour(flavour), mastodonfake.WithClock(now), mastodonfake.WithRateLimit(2))
		news := fake.AddAccount("news")
		first, second := fake.IssueToken(news), fake.IssueToken(news)
		var got answer
		for _, want := range []string{"1", "0", "0"} {
			got = send(ctx, fake, ask{path: whoami, header: bearer(first)})
			Expect(got.Header.Get("X-RateLimit-Limit")).To(Equal("2"))
			Expect(got.Header.Get("X-RateLimit-Remaining")).To(Equal(want))
			Expect(got.Header.Get("X-RateLimit-Reset")).To(Equal(reset))
		}
		Expect(got.Status).To(Equal(http.StatusTooManyRequests))
		Expect(send(ctx, fake, ask{path: whoami, header: bearer(second)}).Status).To(Equal(http.StatusOK))
		now.SetTime(time.Date(2026, 11, 21, 8, 5, 0, 0, time.UTC))
		Expect(send(ctx, fake, ask{path: whoami, header: bearer(first)}).Status).To(Equal(http.StatusOK))
	},
		Entry(nil, mastodonfake.Mastodon43, "2026-11-21T08:05:00.000000Z"),
		Entry(nil, mastodonfake.GoToSocial019, "1795248300"),
	)
})

var _ = Describe("misbehaviour of the fake", func() {
	It("is kept to a path and a number of times", func(ctx SpecContext) {
		fake := start()
		header := bearer(fake.IssueToken(fake.AddAccount("news")))
		fake.Misbehave(whoami, faults.Status(http.StatusTeapot)).Times(1)
		statuses := []int{}
		for _, path := range []string{whatApp, whoami, whoami} {
			statuses = append(statuses, send(ctx, fake, ask{path: path, header: header}).Status)
		}
		Expect(statuses).To(Equal([]int{200, 418, 200}))
		Expect(fake.Requests()).To(Equal(map[string]int{whatApp: 1, whoami: 2}))
	})

	It("is an outage of everything, until it ends", func(ctx SpecContext) {
		fake := start()
		fake.SetDown(true)
		fake.SetDown(true)
		Expect(send(ctx, fake, ask{path: "/api/v2/instance"}).Status).To(Equal(http.StatusServiceUnavailable))
		fake.SetDown(false)
		Expect(send(ctx, fake, ask{path: "/api/v2/instance"}).Status).To(Equal(http.StatusOK))
		fake.SetDown(true)
		Expect(send(ctx, fake, ask{path: whoami}).Status).To(Equal(http.StatusServiceUnavailable))
	})

	It("loses the answer to a revocation that is done", func(ctx SpecContext) {
		fake := start()
		token := fake.IssueToken(fake.AddAccount("news"))
		fake.Misbehave(revoke, faults.LostAnswer()).Times(1)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, fake.URL()+revoke, strings.NewReader(formBody(fake.AppOf(token), token)))
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", form)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err == nil {
			_ = response.Body.Close()
		}
		Expect(err).To(HaveOccurred())
		Expect(fake.TokenWorks(token)).To(BeFalse())
	})
})
