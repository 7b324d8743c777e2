// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

const (
	pushPath      = "/api/v1/push/subscription"
	notifications = "/api/v1/notifications"
	tokenPath     = "/oauth/token"
	redirect      = "https://rostra.example/connect"
	// A key pair and a secret: the example of RFC 8291, appendix A.
	p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	auth   = "BTBZMqHH6r4Tts7J_aSIgg"
	// A verifier and its challenge: the example of RFC 7636, appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func post(ctx context.Context, fake *mastodonfake.Server, path, token string, values url.Values) answer {
	GinkgoHelper()
	header := bearer(token)
	header["Content-Type"] = form
	return send(ctx, fake, ask{method: http.MethodPost, path: path, body: values.Encode(), header: header})
}

func subscription(endpoint string) url.Values {
	return url.Values{
		"subscription[endpoint]": {endpoint}, "subscription[keys][p256dh]": {p256dh}, "subscription[keys][auth]": {auth},
		"data[alerts][mention]": {"true"}, "data[policy]": {"all"},
	}
}

const endpoint = "https://rostra.example/hooks/mastodon/t0ken"

var _ = Describe("the fake", func() {
	It("goes on, and can be closed, after it was used wrongly", func(ctx SpecContext) {
		fake := mastodonfake.New()
		news := fake.AddAccount("news")
		for _, wrong := range []func(){
			func() { fake.Mention(ctx, mastodonfake.Account{ID: "404"}, mastodonfake.Post{}) },
			func() { fake.Mention(ctx, news, mastodonfake.Post{InReplyTo: "404"}) },
			func() { fake.Notify(ctx, mastodonfake.Account{ID: "404"}, "follow") },
			func() { fake.Publish(news, mastodonfake.Post{InReplyTo: "404"}) },
			func() { fake.IssueTokenOf(fake.AddApp("narrow", "read"), news, "write") },
			func() { fake.SetState(mastodonfake.Account{ID: "404"}, mastodonfake.Suspended) },
			func() { fake.AddAppFor("://", "lost") },
		} {
			Expect(wrong).To(Panic())
		}
		Expect(send(ctx, fake, ask{path: "/api/v2/instance"}).Status).To(Equal(http.StatusOK))
		fake.Close()
	}, NodeTimeout(10*time.Second))
})

var _ = Describe("a push subscription at the fake", func() {
	DescribeTable("is the token's own", func(ctx SpecContext, flavour mastodonfake.Flavour, id any) {
		fake := of(flavour)
		news := fake.AddAccount("news")
		one, other := fake.IssueToken(news, "push"), fake.IssueToken(news, "push")
		Expect(send(ctx, fake, ask{path: pushPath, header: bearer(one)}).Status).To(Equal(http.StatusNotFound))
		made := post(ctx, fake, pushPath, one, subscription(endpoint))
		Expect(made.Status).To(Equal(http.StatusOK))
		Expect(made.Body).To(And(HaveKeyWithValue("endpoint", endpoint), HaveKeyWithValue("id", BeAssignableToTypeOf(id)),
			HaveKeyWithValue("alerts", HaveKeyWithValue("mention", true)), HaveKeyWithValue("server_key", HaveSuffix("="))))
		Expect(send(ctx, fake, ask{path: pushPath, header: bearer(one)}).Body).To(Equal(made.Body))
		Expect(send(ctx, fake, ask{path: pushPath, header: bearer(other)}).Status).To(Equal(http.StatusNotFound))
		again := post(ctx, fake, pushPath, one, subscription(endpoint+"2"))
		Expect(again.Body["id"]).NotTo(Equal(made.Body["id"]))
		for range 2 {
			Expect(send(ctx, fake, ask{method: http.MethodDelete, path: pushPath, header: bearer(one)}).Status).To(Equal(http.StatusOK))
		}
		Expect(fake.Subscribed(one)).To(BeFalse())
	},
		Entry(nil, mastodonfake.Mastodon43, float64(0)),
		Entry(nil, mastodonfake.GoToSocial019, ""),
	)

	DescribeTable("is refused", func(ctx SpecContext, change url.Values, status int) {
		fake := start()
		values := subscription(endpoint)
		for name := range change {
			values.Set(name, change.Get(name))
		}
		Expect(post(ctx, fake, pushPath, fake.IssueToken(fake.AddAccount("news"), "push"), values).Status).To(Equal(status))
	},
		Entry("with an endpoint that is not secure", url.Values{"subscription[endpoint]": {"http://rostra.example/"}}, 422),
		Entry("with no endpoint", url.Values{"subscription[endpoint]": {""}}, 422),
		Entry("with a key that is no point", url.Values{"subscription[keys][p256dh]": {"AAAA"}}, 422),
		Entry("with a secret of another length", url.Values{"subscription[keys][auth]": {"AAAA"}}, 422),
		Entry("with a policy that there is not", url.Values{"data[policy]": {"some"}}, 422),
		Entry("with an alert that is neither", url.Values{"data[alerts][mention]": {"maybe"}}, 422),
		Entry("with an alert that there is not", url.Values{"data[alerts][everything]": {"true"}}, 400),
	)

	It("needs the scope push", func(ctx SpecContext) {
		fake := start()
		token := fake.IssueToken(fake.AddAccount("news"), "read", "write")
		Expect(post(ctx, fake, pushPath, token, subscription(endpoint)).Status).To(Equal(http.StatusForbidden))
	})
})

var _ = Describe("what is pushed by the fake", func() {
	// pushing is a subscribed account, and a sender that keeps what it is given.
	type pushing struct {
		fake  *mastodonfake.Server
		news  mastodonfake.Account
		token string
		sent  []mastodonfake.Push
		next  func() (int, error)
	}
	begin := func(ctx context.Context, flavour mastodonfake.Flavour, standard string) *pushing {
		p := &pushing{next: func() (int, error) { return http.StatusCreated, nil }}
		p.fake = start(mastodonfake.WithFlavour(flavour), mastodonfake.WithSender(func(_ context.Context, push mastodonfake.Push) (int, error) {
			p.sent = append(p.sent, push)
			return p.next()
		}))
		p.news = p.fake.AddAccount("news")
		p.token = p.fake.IssueToken(p.news, "push")
		values := subscription(endpoint)
		values.Set("subscription[standard]", standard)
		Expect(post(ctx, p.fake, pushPath, p.token, values).Status).To(Equal(http.StatusOK))
		return p
	}

	DescribeTable("is encrypted as the flavour does", func(ctx SpecContext, flavour mastodonfake.Flavour, asked string, standard bool) {
		p := begin(ctx, flavour, asked)
		p.fake.Mention(ctx, p.news, mastodonfake.Post{Text: strings.Repeat("é", 200)})
		Expect(p.sent).To(HaveLen(1))
		Expect(p.sent[0].Standard).To(Equal(standard))
		var payload map[string]any
		Expect(json.Unmarshal(p.sent[0].Payload, &payload)).To(Succeed())
		Expect(payload).To(And(HaveKeyWithValue("notification_type", "mention"), HaveKeyWithValue("access_token", p.token), HaveKeyWithValue("body", strings.Repeat("é", 140))))
	},
		Entry(nil, mastodonfake.Mastodon43, "true", false),
		Entry(nil, mastodonfake.Mastodon44, "true", true),
		Entry(nil, mastodonfake.Mastodon44, "false", false),
		Entry(nil, mastodonfake.GoToSocial019, "false", true),
	)

	DescribeTable("has consequences", func(ctx SpecContext, flavour mastodonfake.Flavour, status int, kept bool, retried int) {
		p := begin(ctx, flavour, "true")
		p.next = func() (int, error) {
			if status == 0 {
				return 0, errors.New("nobody is there")
			}
			return status, nil
		}
		p.fake.Mention(ctx, p.news, mastodonfake.Post{})
		Expect(p.fake.Subscribed(p.token)).To(Equal(kept))
		Expect(p.fake.Pushed()).To(ConsistOf(mastodonfake.Pushed{Endpoint: endpoint, Status: status, Destroyed: !kept}))
		for range 10 {
			p.fake.RetryPushes(ctx)
		}
		Expect(p.sent).To(HaveLen(1 + retried))
	},
		Entry(nil, mastodonfake.Mastodon43, 201, true, 0),
		Entry(nil, mastodonfake.Mastodon43, 200, true, 0),
		Entry(nil, mastodonfake.Mastodon43, 401, false, 0),
		Entry(nil, mastodonfake.Mastodon43, 410, false, 0),
		Entry(nil, mastodonfake.Mastodon43, 413, false, 0),
		Entry(nil, mastodonfake.Mastodon43, 408, true, 5),
		Entry(nil, mastodonfake.Mastodon43, 429, true, 5),
		Entry(nil, mastodonfake.Mastodon43, 503, true, 5),
		Entry("nobody there", mastodonfake.Mastodon43, 0, true, 5),
		Entry(nil, mastodonfake.GoToSocial019, 413, true, 0),
		Entry(nil, mastodonfake.GoToSocial019, 429, true, 0),
		Entry(nil, mastodonfake.GoToSocial019, 403, false, 0),
		Entry(nil, mastodonfake.GoToSocial019, 503, true, 0),
	)

	It("is for the account, of the types that were asked for", func(ctx SpecContext) {
		p := begin(ctx, mastodonfake.Mastodon44, "true")
		p.fake.Notify(ctx, p.news, "follow")
		p.fake.Mention(ctx, p.fake.AddAccount("help"), mastodonfake.Post{})
		Expect(p.sent).To(BeEmpty())
		p.fake.ForgetSubscription(p.token)
		p.fake.Mention(ctx, p.news, mastodonfake.Post{})
		Expect(p.sent).To(BeEmpty())
	})
})

var _ = Describe("a list at the fake", func() {
	list := func(ctx context.Context, fake *mastodonfake.Server, path, token string) (int, []string) {
		GinkgoHelper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, fake.URL()+path, http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultTransport.RoundTrip(request)
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(response.Body)
		Expect(err).NotTo(HaveOccurred())
		var entities []struct {
			ID string `json:"id"`
		}
		_ = json.Unmarshal(content, &entities) // an error is no list
		ids := []string{}
		for _, entity := range entities {
			ids = append(ids, entity.ID)
		}
		return response.StatusCode, ids
	}

	It("is paged in both directions, the newest first", func(ctx SpecContext) {
		fake := start()
		news := fake.AddAccount("news")
		token := fake.IssueToken(news, "read")
		var ids []string
		for range 5 {
			ids = append([]string{fake.Mention(ctx, news, mastodonfake.Post{}).ID}, ids...)
		}
		fake.Notify(ctx, news, "follow")
		fake.Mention(ctx, fake.AddAccount("help"), mastodonfake.Post{})
		for query, want := range map[string][]string{
			"":                            ids,
			"&limit=2":                    ids[:2],
			"&limit=2&min_id=" + ids[4]:   ids[2:4],
			"&limit=2&since_id=" + ids[4]: ids[:2],
			"&limit=2&max_id=" + ids[1]:   ids[2:4],
			"&min_id=" + ids[0]:           {},
			"&min_id=" + ids[4] + "&max_id=" + ids[1]: ids[2:4],
		} {
			status, got := list(ctx, fake, notifications+"?types[]=mention"+query, token)
			Expect(status).To(Equal(http.StatusOK))
			Expect(got).To(Equal(want), query)
		}
		_, got := list(ctx, fake, notifications+"?exclude_types[]=mention", token)
		Expect(got).To(HaveLen(1))
		for _, wrong := range []string{"limit=81", "limit=0", "limit=many", "page=2"} {
			status, _ := list(ctx, fake, notifications+"?"+wrong, token)
			Expect(status).To(Equal(http.StatusBadRequest), wrong)
		}
	})

	It("is of the account that asks", func(ctx SpecContext) {
		fake := start()
		news, help := fake.AddAccount("news"), fake.AddAccount("help")
		id := fake.Publish(news, mastodonfake.Post{Text: "hello"})
		for token, want := range map[string]int{
			fake.IssueToken(news, "read:statuses"): http.StatusOK, fake.IssueToken(news, "read:accounts"): http.StatusForbidden,
			fake.IssueToken(help, "read"): http.StatusNotFound, "unknown": http.StatusUnauthorized,
		} {
			status, got := list(ctx, fake, "/api/v1/accounts/"+news.ID+"/statuses?limit=40&exclude_reblogs=true", token)
			Expect(status).To(Equal(want))
			if want == http.StatusOK {
				Expect(got).To(Equal([]string{id}))
			}
		}
	})

	DescribeTable("has elements that can be asked for alone", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		fake := of(flavour)
		news, help := fake.AddAccount("news"), fake.AddAccount("help")
		told := fake.Mention(ctx, news, mastodonfake.Post{Text: "hello"})
		path := notifications + "/" + told.ID
		for token, want := range map[string]int{
			fake.IssueToken(news, "read:notifications"): http.StatusOK, fake.IssueToken(news, "read:statuses"): http.StatusForbidden,
			fake.IssueToken(help, "read"): http.StatusNotFound, "unknown": http.StatusUnauthorized,
		} {
			got := send(ctx, fake, ask{path: path, header: bearer(token)})
			Expect(got.Status).To(Equal(want))
			if want == http.StatusOK {
				Expect(got.Body).To(And(HaveKeyWithValue("id", told.ID), HaveKeyWithValue("status", HaveKeyWithValue("id", told.StatusID))))
				Expect(send(ctx, fake, ask{path: path + "?limit=1", header: bearer(token)}).Status).To(Equal(http.StatusBadRequest))
				Expect(send(ctx, fake, ask{path: notifications + "/1", header: bearer(token)}).Status).To(Equal(http.StatusNotFound))
				fake.Hide(told, true)
				Expect(send(ctx, fake, ask{path: path, header: bearer(token)}).Status).To(Equal(http.StatusNotFound))
				fake.Hide(told, false)
			}
		}
	}, Entry(nil, mastodonfake.Mastodon43), Entry(nil, mastodonfake.GoToSocial019))

	It("is kept from an account that is disabled", func(ctx SpecContext) {
		fake := start()
		news := fake.AddAccount("news")
		token := fake.IssueToken(news)
		fake.SetState(news, mastodonfake.Disabled)
		status, _ := list(ctx, fake, notifications, token)
		Expect(status).To(Equal(http.StatusForbidden))
	})

	It("answers no post that there is not", func() {
		fake := start()
		Expect(func() { fake.Publish(fake.AddAccount("news"), mastodonfake.Post{InReplyTo: "7"}) }).To(Panic())
	})
})

var _ = Describe("consent at the fake", func() {
	query := func(app mastodonfake.App) url.Values {
		return url.Values{
			"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {redirect}, "scope": {"read push"}, "state": {"st4te"},
			"code_challenge": {challenge}, "code_challenge_method": {"S256"}, "force_login": {"true"},
		}
	}
	pageOf := func(fake *mastodonfake.Server, values url.Values) string {
		return fake.URL() + "/oauth/authorize?" + values.Encode()
	}
	codeOf := func(ctx context.Context, fake *mastodonfake.Server, values url.Values) string {
		GinkgoHelper()
		back, err := mastodonfake.Consent(ctx, pageOf(fake, values), "News ")
		Expect(err).NotTo(HaveOccurred())
		parsed, err := url.Parse(back)
		Expect(err).NotTo(HaveOccurred())
		Expect(parsed.Query().Get("state")).To(Equal("st4te"))
		return parsed.Query().Get("code")
	}
	redeem := func(app mastodonfake.App, code string) url.Values {
		return url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "client_id": {app.ClientID}, "client_secret": {app.ClientSecret},
			"redirect_uri": {redirect}, "code_verifier": {verifier},
		}
	}
	prepared := func(options ...mastodonfake.Option) (*mastodonfake.Server, mastodonfake.App) {
		fake := start(options...)
		fake.AddAccount("news")
		return fake, fake.AddAppFor(redirect, "Rostra <3", "read", "push")
	}
	get := func(ctx context.Context, page string) (int, string, string) {
		GinkgoHelper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		response, err := http.DefaultTransport.RoundTrip(request)
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(response.Body)
		Expect(err).NotTo(HaveOccurred())
		return response.StatusCode, string(content), response.Header.Get("Location")
	}

	It("is asked for on a page of plain HTML", func(ctx SpecContext) {
		fake, app := prepared()
		status, page, _ := get(ctx, pageOf(fake, query(app)))
		Expect(status).To(Equal(http.StatusOK))
		Expect(page).To(And(
			ContainSubstring("Rostra &lt;3 would like"), ContainSubstring(`<label for="username">Username</label>`),
			ContainSubstring(">Authorize</button>"), ContainSubstring(">Deny</button>"), ContainSubstring("<li>push</li>"),
		))
		Expect(page).NotTo(ContainSubstring("<script"))
	})

	It("gives a code that is good once", func(ctx SpecContext) {
		fake, app := prepared()
		code := codeOf(ctx, fake, query(app))
		got := post(ctx, fake, tokenPath, "", redeem(app, code))
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(And(HaveKeyWithValue("token_type", "Bearer"), HaveKeyWithValue("scope", "read push"), HaveKey("created_at")))
		token, _ := got.Body["access_token"].(string)
		Expect(send(ctx, fake, ask{path: whoami, header: bearer(token)}).Body).To(HaveKeyWithValue("username", "news"))
		Expect(fake.AppOf(token).ClientID).To(Equal(app.ClientID))
		Expect(post(ctx, fake, tokenPath, "", redeem(app, code))).To(refused(400, "invalid_grant"))
	})

	DescribeTable("gives nothing for a code", func(ctx SpecContext, flavour mastodonfake.Flavour, name, value string, want OmegaMatcher) {
		fake, app := prepared(mastodonfake.WithFlavour(flavour))
		values := redeem(app, codeOf(ctx, fake, query(app)))
		values.Set(name, value)
		Expect(post(ctx, fake, tokenPath, "", values)).To(want)
	},
		Entry("with another verifier", mastodonfake.Mastodon43, "code_verifier", verifier+"x", refused(400, "invalid_grant")),
		Entry("with another verifier, where nobody looks", mastodonfake.Mastodon42, "code_verifier", verifier+"x", HaveField("Status", 200)),
		Entry("with another redirect URI", mastodonfake.Mastodon43, "redirect_uri", redirect+"/2", refused(400, "invalid_grant")),
		Entry("that is another", mastodonfake.Mastodon43, "code", "guess", refused(400, "invalid_grant")),
		Entry("that is missing", mastodonfake.Mastodon43, "code", "", refused(400, "invalid_request")),
		Entry("with another secret", mastodonfake.Mastodon43, "client_secret", "guess", refused(401, "invalid_client")),
		Entry("of an unknown application", mastodonfake.Mastodon43, "client_id", "guess", refused(401, "invalid_client")),
		Entry("in another way", mastodonfake.Mastodon43, "grant_type", "password", refused(400, "unsupported_grant_type")),
	)

	It("gives nothing for a code of another application, or of ten minutes ago", func(ctx SpecContext) {
		passing := clocktesting.NewFakeClock(time.Now())
		fake, app := prepared(mastodonfake.WithClock(passing))
		code := codeOf(ctx, fake, query(app))
		Expect(post(ctx, fake, tokenPath, "", redeem(fake.AddAppFor(redirect, "another", "read"), code))).To(refused(400, "invalid_grant"))
		passing.Step(10 * time.Minute)
		Expect(post(ctx, fake, tokenPath, "", redeem(app, code))).To(refused(400, "invalid_grant"))
	})

	DescribeTable("is told to the application where it was not asked for well", func(ctx SpecContext, name, value, code string) {
		fake, app := prepared()
		values := query(app)
		values.Set(name, value)
		status, _, back := get(ctx, pageOf(fake, values))
		Expect(status).To(Equal(http.StatusFound))
		Expect(back).To(And(HavePrefix(redirect+"?"), ContainSubstring("error="+code), ContainSubstring("state=st4te")))
	},
		Entry(nil, "response_type", "token", "unsupported_response_type"),
		Entry(nil, "scope", "write", "invalid_scope"),
		Entry(nil, "code_challenge", "", "invalid_code_challenge_method"),
		Entry(nil, "code_challenge_method", "plain", "invalid_code_challenge_method"),
	)

	DescribeTable("sends nobody anywhere where that is not known to be right", func(ctx SpecContext, name, value string) {
		fake, app := prepared()
		values := query(app)
		values.Set(name, value)
		status, page, back := get(ctx, pageOf(fake, values))
		Expect(status).To(Equal(http.StatusBadRequest))
		Expect(back).To(BeEmpty())
		Expect(page).NotTo(ContainSubstring("<form"))
	},
		Entry(nil, "client_id", "guess"),
		Entry(nil, "redirect_uri", "https://elsewhere.example/"),
	)

	It("can be denied, and is not given for an account that there is not", func(ctx SpecContext) {
		fake, app := prepared()
		back, err := mastodonfake.Deny(ctx, pageOf(fake, query(app)))
		Expect(err).NotTo(HaveOccurred())
		Expect(back).To(And(HavePrefix(redirect+"?"), ContainSubstring("error=access_denied"), ContainSubstring("state=st4te")))
		_, err = mastodonfake.Consent(ctx, pageOf(fake, query(app)), "nobody")
		Expect(err).To(MatchError(ContainSubstring("sends nobody back")))
	})

	DescribeTable("can be asked for by whoever registers", func(ctx SpecContext, name, value string, want OmegaMatcher) {
		fake := start()
		values := url.Values{"client_name": {"Rostra"}, "redirect_uris": {redirect}, "scopes": {"read push"}, "website": {"https://rostra.example"}}
		values.Set(name, value)
		Expect(post(ctx, fake, "/api/v1/apps", "", values)).To(want)
	},
		Entry("well", "client_name", "Rostra", And(HaveField("Status", 200), HaveField("Body", And(HaveKey("client_id"), HaveKey("client_secret"))))),
		Entry("with no scopes, which is to read", "scopes", "", HaveField("Body", HaveKeyWithValue("scopes", ConsistOf("read")))),
		Entry("with no name", "client_name", "", HaveField("Status", 422)),
		Entry("with a redirect URI that is none", "redirect_uris", "connect", HaveField("Status", 422)),
		Entry("with scopes that there are not", "scopes", "everything", HaveField("Status", 422)),
	)
})
