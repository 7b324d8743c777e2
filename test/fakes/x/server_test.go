// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestFake(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "fake of X")
}

const (
	back     = "https://rostra.example/callback"
	verifier = "a-verifier-of-43-characters-0123456789-abcdef"
)

// asked is what came of a request.
type asked struct {
	status   int
	body     string
	location string
}

func (a asked) field(name string) string {
	var fields map[string]any
	Expect(json.Unmarshal([]byte(a.body), &fields)).To(Succeed(), a.body)
	text, _ := fields[name].(string)
	return text
}

func send(request *http.Request, err error) asked {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return asked{response.StatusCode, string(body), response.Header.Get("Location")}
}

func (s *Server) get(path, token string) asked {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodGet, s.URL()+path, http.NoBody)
	if err == nil && token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return send(request, err)
}

func (s *Server) form(path string, app *App, form url.Values) asked {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, s.URL()+path, strings.NewReader(form.Encode()))
	if err == nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if app != nil {
			request.SetBasicAuth(app.ClientID, app.ClientSecret)
		}
	}
	return send(request, err)
}

func (s *Server) refresh(app App, token string) asked {
	GinkgoHelper()
	return s.form("/2/oauth2/token", &app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func consentQuery(app App) url.Values {
	hashed := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {back}, "scope": {"tweet.read users.read offline.access"},
		"state": {"st&te"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(hashed[:])}, "code_challenge_method": {"S256"},
	}
}

var ticketField = regexp.MustCompile(`name="ticket" value="([^"]*)"`)

// decide opens the consent page and decides.
func (s *Server) decide(query url.Values, username, decision string) asked {
	GinkgoHelper()
	page := s.get("/i/oauth2/authorize?"+query.Encode(), "")
	Expect(page.status).To(Equal(http.StatusOK), page.body)
	ticket := ticketField.FindStringSubmatch(page.body)
	Expect(ticket).To(HaveLen(2))
	return s.form("/i/oauth2/authorize", nil, url.Values{"ticket": {ticket[1]}, "username": {username}, "decision": {decision}})
}

var _ = Describe("The fake's consent page", func() {
	var fake *Server
	var app App
	BeforeEach(func() {
		fake = New()
		DeferCleanup(fake.Close)
		app = fake.AddApp("Rostra <of> Acme", back)
		fake.AddAccount("help")
	})

	It("is plain, and leads to tokens", func() {
		page := fake.get("/i/oauth2/authorize?"+consentQuery(app).Encode(), "")
		Expect(page.body).To(And(ContainSubstring(">Authorize app<"), ContainSubstring(">Cancel<"), ContainSubstring("Rostra &lt;of&gt; Acme"), Not(ContainSubstring("<script"))))
		decided := fake.decide(consentQuery(app), "@Help", "authorize")
		Expect(decided.status).To(Equal(http.StatusFound))
		returned, err := url.Parse(decided.location)
		Expect(err).NotTo(HaveOccurred())
		Expect(returned.Query().Get("state")).To(Equal("st&te"))
		redeemed := fake.form("/2/oauth2/token", &app, url.Values{
			"grant_type": {"authorization_code"}, "code": {returned.Query().Get("code")}, "redirect_uri": {back}, "code_verifier": {verifier},
		})
		Expect(redeemed.status).To(Equal(http.StatusOK))
		Expect(redeemed.field("token_type")).To(Equal("bearer"))
		Expect(fake.get("/2/users/me", redeemed.field("access_token")).body).To(ContainSubstring(`"username":"help"`))
	})

	It("takes no for an answer", func() {
		decided := fake.decide(consentQuery(app), "", "cancel")
		Expect(decided.location).To(Equal(back + "?error=access_denied&state=st%26te"))
	})

	It("shows again where nobody has that name", func() {
		decided := fake.decide(consentQuery(app), "nobody", "authorize")
		Expect(decided.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(decided.body).To(ContainSubstring(`role="alert"`))
	})

	DescribeTable("refuses", func(change func(url.Values)) {
		query := consentQuery(app)
		change(query)
		refused := fake.get("/i/oauth2/authorize?"+query.Encode(), "")
		Expect(refused.status).To(Equal(http.StatusBadRequest))
		Expect(refused.location).To(BeEmpty())
	},
		Entry("an unknown parameter", func(q url.Values) { q.Set("prompt", "none") }),
		Entry("a doubled one", func(q url.Values) { q.Add("state", "x") }),
		Entry("no state", func(q url.Values) { q.Del("state") }),
		Entry("a plain challenge", func(q url.Values) { q.Set("code_challenge_method", "plain") }),
		Entry("a challenge that is none", func(q url.Values) { q.Set("code_challenge", "x") }),
		Entry("another redirect", func(q url.Values) { q.Set("redirect_uri", back+"/x") }),
		Entry("an unknown application", func(q url.Values) { q.Set("client_id", "x") }),
		Entry("an unknown scope", func(q url.Values) { q.Set("scope", "everything") }),
	)
})

var _ = Describe("The fake's tokens", func() {
	It("of a refresh work once, and end where an old one comes back after all", func() {
		fake := New()
		DeferCleanup(fake.Close)
		app, help := fake.AddApp("Rostra", back), fake.AddAccount("help")
		tokens := fake.Grant(help, app, Scopes()...)
		first := fake.refresh(app, tokens.Refresh)
		Expect(first.status).To(Equal(http.StatusOK))
		Expect(fake.refresh(app, tokens.Refresh).status).To(Equal(http.StatusBadRequest))
		Expect(fake.get("/2/users/me", first.field("access_token")).status).To(Equal(http.StatusOK))
		Expect(fake.refresh(app, tokens.Refresh).field("error")).To(Equal("invalid_grant"))
		Expect(fake.get("/2/users/me", first.field("access_token")).status).To(Equal(http.StatusUnauthorized))
		Expect(fake.refresh(app, first.field("refresh_token")).field("error")).To(Equal("invalid_grant"))
	})

	It("end in time, and where they are revoked", func() {
		clock := clocktesting.NewFakePassiveClock(time.Now())
		fake := New(WithClock(clock), WithAccessLife(time.Minute))
		DeferCleanup(fake.Close)
		app, help := fake.AddApp("Rostra", back), fake.AddAccount("help")
		one, two := fake.Grant(help, app, Scopes()...), fake.Grant(help, app, Scopes()...)
		Expect(fake.form("/2/oauth2/revoke", &app, url.Values{"token": {one.Access}}).status).To(Equal(http.StatusOK))
		Expect(fake.TokenWorks(one.Access)).To(BeFalse())
		Expect(fake.TokenWorks(two.Access)).To(BeTrue())
		clock.SetTime(clock.Now().Add(time.Minute))
		Expect(fake.TokenWorks(two.Access)).To(BeFalse())
	})

	It("are asked for by their application alone", func() {
		fake := New()
		DeferCleanup(fake.Close)
		app, other, help := fake.AddApp("Rostra", back), fake.AddApp("Other", back), fake.AddAccount("help")
		tokens := fake.Grant(help, app, Scopes()...)
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "client_id": {app.ClientID}}
		Expect(fake.form("/2/oauth2/token", nil, form).field("error")).To(Equal("unauthorized_client"))
		Expect(fake.refresh(other, tokens.Refresh).status).To(Equal(http.StatusBadRequest))
		Expect(fake.refresh(app, tokens.Refresh).status).To(Equal(http.StatusOK))
	})
})

var _ = Describe("The fake's API", func() {
	It("refuses what it does not know, and who may not", func() {
		fake := New()
		DeferCleanup(fake.Close)
		app, help := fake.AddApp("Rostra", back), fake.AddAccount("help")
		reader, full := fake.Grant(help, app, "tweet.read"), fake.Grant(help, app, Scopes()...)
		for path, want := range map[string]map[string]int{
			"/2/users/me?user.field=name": {full.Access: http.StatusBadRequest},
			"/2/users/me":                 {"": http.StatusUnauthorized, "x": http.StatusUnauthorized, reader.Access: http.StatusForbidden, full.Access: http.StatusOK, app.BearerToken: http.StatusForbidden},
			"/2/webhooks":                 {full.Access: http.StatusForbidden, app.BearerToken: http.StatusOK},
			"/2/nothing":                  {full.Access: http.StatusNotFound},
		} {
			for token, status := range want {
				Expect(fake.get(path, token).status).To(Equal(status), "%s with %.6s", path, token)
			}
		}
	})

	It("makes no webhook whose callback does not know the secret", func() {
		fake := New()
		DeferCleanup(fake.Close)
		app := fake.AddApp("Rostra", back)
		secret := "wrong"
		callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sendJSON(w, http.StatusOK, map[string]string{"response_token": Sign(secret, []byte(r.URL.Query().Get("crc_token")))})
		}))
		DeferCleanup(callback.Close)
		create := func() asked {
			request, err := http.NewRequest(http.MethodPost, fake.URL()+"/2/webhooks", strings.NewReader(`{"url":"`+callback.URL+`"}`))
			Expect(err).NotTo(HaveOccurred())
			request.Header.Set("Authorization", "Bearer "+app.BearerToken)
			request.Header.Set("Content-Type", "application/json")
			return send(request, nil)
		}
		Expect(create().body).To(ContainSubstring("CrcValidationFailed"))
		secret = app.ConsumerSecret
		Expect(create().status).To(Equal(http.StatusOK))
		Expect(create().body).To(ContainSubstring("DuplicateUrlFailed"))
		hook := fake.Hooks(app)[0]
		secret = "wrong"
		Expect(fake.RunCRC(hook.ID)).To(BeFalse())
		Expect(fake.Hooks(app)[0].Valid).To(BeFalse())
		Expect(fitsCallback("https://rostra.example:8443/x")).To(BeFalse())
		Expect(fitsCallback("http://rostra.example/x")).To(BeFalse())
		Expect(fitsCallback("https://rostra.example/x")).To(BeTrue())
	})
})
