// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	metafake "github.com/rostra-dev/rostra/test/fakes/meta"
)

func TestMetaFake(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "the fake of Meta")
}

const redirect = "https://rostra.acme.example/connect/callback"

type world struct {
	*metafake.Server

	app  metafake.App
	user metafake.User
	page metafake.Page
}

func newWorld(options ...metafake.Option) world {
	fake := metafake.New(options...)
	DeferCleanup(fake.Close)
	w := world{Server: fake, app: fake.AddApp("App", redirect), user: fake.AddUser("Maria")}
	w.page = fake.AddPage("acme.help", "Acme Help", w.user)
	return w
}

func (w world) appToken() string { return w.app.ID + "|" + w.app.Secret }

func (w world) proof(token string) string {
	mac := hmac.New(sha256.New, []byte(w.app.Secret))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

// ask sends a request and gives the status and the answer.
func (w world) ask(ctx context.Context, method, path, token string, params url.Values) (int, map[string]any) {
	GinkgoHelper()
	target, body := w.URL()+path, ""
	if method == http.MethodPost {
		body = params.Encode()
	} else if len(params) > 0 {
		target += "?" + params.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	Expect(json.NewDecoder(response.Body).Decode(&answer)).To(Succeed())
	return response.StatusCode, answer
}

// code gives the code of an error, and the subcode; 0 where there is none.
func code(answer map[string]any) []int {
	said, ok := answer["error"].(map[string]any)
	if !ok {
		return nil
	}
	subcode, _ := said["error_subcode"].(float64)
	return []int{int(said["code"].(float64)), int(subcode)}
}

var _ = Describe("the fake", func() {
	DescribeTable("refuses", func(ctx SpecContext, method, path string, params url.Values, want ...int) {
		w := newWorld()
		token := w.IssueUserToken(w.app, w.user)
		status, answer := w.ask(ctx, method, path, token, params)
		Expect(status).To(Equal(http.StatusBadRequest))
		Expect(code(answer)).To(Equal(want))
	},
		Entry("another version", "GET", "/v25.0/me", nil, 2500, 0),
		Entry("no version", "GET", "/me", nil, 2500, 0),
		Entry("an unknown edge", "GET", "/v26.0/1/feed/x", nil, 2500, 0),
		Entry("another method", "PUT", "/v26.0/me", nil, 2500, 0),
		Entry("an unknown parameter", "GET", "/v26.0/me", url.Values{"colour": {"blue"}}, 100, 0),
		Entry("a parameter twice", "GET", "/v26.0/me", url.Values{"fields": {"id", "name"}}, 100, 0),
		Entry("an unknown field", "GET", "/v26.0/acmehelp", url.Values{"fields": {"colour"}}, 100, 0),
		Entry("an unknown Page", "GET", "/v26.0/4711", url.Values{"fields": {"id"}}, 100, 33),
		Entry("an unknown username", "GET", "/v26.0/nobody", url.Values{"fields": {"id"}}, 803, 0),
		Entry("a wrong proof", "GET", "/v26.0/me", url.Values{"appsecret_proof": {"00"}}, 100, 0),
		Entry("a person at the app's subscriptions", "GET", "/v26.0/1/subscriptions", nil, 15, 0),
		Entry("too many at once", "GET", "/v26.0/me/accounts", url.Values{"fields": {"id"}, "limit": {"1000"}}, 100, 0),
	)

	It("wants a proof where it is required", func(ctx SpecContext) {
		w := newWorld(metafake.WithProofRequired())
		token := w.IssueUserToken(w.app, w.user)
		_, answer := w.ask(ctx, "GET", "/v26.0/me", token, nil)
		Expect(code(answer)).To(Equal([]int{100, 0}))
		status, _ := w.ask(ctx, "GET", "/v26.0/me", token, url.Values{"appsecret_proof": {w.proof(token)}})
		Expect(status).To(Equal(http.StatusOK))
	})

	It("says why a token is dead", func(ctx SpecContext) {
		w := newWorld()
		token := w.IssueUserToken(w.app, w.user)
		w.Kill(w.user, metafake.PasswordChanged)
		_, answer := w.ask(ctx, "GET", "/v26.0/me", token, nil)
		Expect(code(answer)).To(Equal([]int{190, 460}))
		_, answer = w.ask(ctx, "GET", "/v26.0/debug_token", w.appToken(), url.Values{"input_token": {token}})
		Expect(answer["data"]).To(And(HaveKeyWithValue("is_valid", false), HaveKeyWithValue("error", HaveKeyWithValue("subcode", BeEquivalentTo(460)))))
	})

	It("gives a Page's token to those who have a task on it", func(ctx SpecContext) {
		w := newWorld()
		fields := url.Values{"fields": {"id,access_token"}}
		_, answer := w.ask(ctx, "GET", "/v26.0/Acme.Help", w.IssueUserToken(w.app, w.user), fields)
		Expect(answer).To(And(HaveKeyWithValue("id", w.page.ID), HaveKey("access_token")))
		_, answer = w.ask(ctx, "GET", "/v26.0/acmehelp", w.IssueUserToken(w.app, w.AddUser("Olaf")), fields)
		Expect(answer).NotTo(HaveKey("access_token"))
	})

	It("accepts a webhook only once the callback has answered, and signs what it sends", func(ctx SpecContext) {
		w := newWorld()
		var answers, bodies []string
		callback := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if challenge := r.URL.Query().Get("hub.challenge"); challenge != "" {
				if r.URL.Query().Get("hub.verify_token") != "right" {
					out.WriteHeader(http.StatusForbidden)
					return
				}
				_, _ = io.WriteString(out, challenge)
				return
			}
			body, _ := io.ReadAll(r.Body)
			bodies, answers = append(bodies, string(body)), append(answers, r.Header.Get("X-Hub-Signature-256"))
		}))
		DeferCleanup(callback.Close)
		hook := url.Values{"object": {"page"}, "callback_url": {callback.URL}, "fields": {"feed"}, "verify_token": {"wrong"}}
		path := "/v26.0/" + w.app.ID + "/subscriptions"
		_, answer := w.ask(ctx, "POST", path, w.appToken(), hook)
		Expect(code(answer)).To(Equal([]int{2200, 0}))
		hook.Set("verify_token", "right")
		_, answer = w.ask(ctx, "POST", path, w.appToken(), hook)
		Expect(answer).To(HaveKeyWithValue("success", true))
		token := w.IssuePageToken(w.app, w.user, w.page)
		_, err := w.Publish(ctx, w.page, "before")
		Expect(err).NotTo(HaveOccurred())
		w.ask(ctx, "POST", "/v26.0/"+w.page.ID+"/subscribed_apps", token, url.Values{"subscribed_fields": {"feed"}})
		_, err = w.Publish(ctx, w.page, "after")
		Expect(err).NotTo(HaveOccurred())
		Expect(bodies).To(HaveExactElements(ContainSubstring("after")))
		mac := hmac.New(sha256.New, []byte(w.app.Secret))
		mac.Write([]byte(bodies[0]))
		Expect(answers).To(HaveExactElements("sha256=" + hex.EncodeToString(mac.Sum(nil))))
	})

	DescribeTable("shows no consent page", func(ctx SpecContext, spoil func(url.Values)) {
		w := newWorld()
		asked := url.Values{
			"client_id": {w.app.ID}, "redirect_uri": {redirect}, "state": {"s"}, "scope": {"pages_show_list"}, "response_type": {"code"},
			"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"},
		}
		location, err := w.Consent(ctx, w.URL()+"/v26.0/dialog/oauth?"+asked.Encode(), metafake.Choice{User: w.user})
		Expect(err).NotTo(HaveOccurred())
		Expect(location).To(And(HavePrefix(redirect+"?"), ContainSubstring("code="), HaveSuffix("#_=_")))
		spoil(asked)
		_, err = w.Consent(ctx, w.URL()+"/v26.0/dialog/oauth?"+asked.Encode(), metafake.Choice{User: w.user})
		Expect(err).To(MatchError(ContainSubstring("400")))
	},
		Entry("for another app", func(asked url.Values) { asked.Set("client_id", "1") }),
		Entry("for another redirect URL", func(asked url.Values) { asked.Set("redirect_uri", redirect+"/x") }),
		Entry("for an unknown permission", func(asked url.Values) { asked.Set("scope", "everything") }),
		Entry("without a state", func(asked url.Values) { asked.Del("state") }),
		Entry("without a challenge", func(asked url.Values) { asked.Del("code_challenge") }),
		Entry("for an unknown parameter", func(asked url.Values) { asked.Set("colour", "blue") }),
	)

	It("answers badly on demand", func(ctx SpecContext) {
		w := newWorld()
		w.Misbehave("me", metafake.GraphError(403, 368, 7)).Times(1)
		status, answer := w.ask(ctx, "GET", "/v26.0/me", w.IssueUserToken(w.app, w.user), nil)
		Expect(status).To(Equal(403))
		Expect(code(answer)).To(Equal([]int{368, 7}))
		w.SetDown(true)
		status, _ = w.ask(ctx, "GET", "/v26.0/me", "", nil)
		Expect(status).To(Equal(503))
		w.SetDown(false)
	})
})
