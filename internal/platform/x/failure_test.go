// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const problems = "https://api.x.com/2/problems/"

func said(status int, body string) *httpx.Response {
	return &httpx.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

func aProblem(kind, title, detail string) string {
	return `{"type":"` + problems + kind + `","title":"` + title + `","detail":"` + detail + `"}`
}

var _ = Describe("a refusal", func() {
	DescribeTable("is classed", func(by asker, status int, body string, want platform.Class, words string) {
		failure := refused(by, said(status, body))
		Expect(failure.Class).To(Equal(want), failure.Message)
		Expect(failure.Message).To(ContainSubstring(words))
		Expect(failure.Error()).NotTo(ContainSubstring("never-shown"))
	},
		Entry("an access token that is not accepted", byUser, 401, `{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized never-shown"}`, platform.Unauthorized, "access token"),
		Entry("an access token of old", byUser, 401, `{"errors":[{"code":89,"message":"Invalid or expired token."}]}`, platform.Unauthorized, "access token"),
		Entry("an access token that was revoked", byUser, 401, `{"title":"Unauthorized","detail":"The token was revoked"}`, platform.Revoked, "revoked"),
		Entry("a bearer token that is not accepted", byApplication, 401, `{"title":"Unauthorized"}`, platform.Permanent, "bearer-token"),
		Entry("an application without webhooks", byApplication, 403, `{"title":"Forbidden"}`, platform.Permanent, "plan"),
		Entry("an application that is not enrolled", byUser, 403, `{"type":"`+problems+`client-forbidden","title":"Client Forbidden","reason":"client-not-enrolled"}`, platform.PolicyBlocked, "developer console"),
		Entry("another reason against the application", byUser, 403, `{"type":"`+problems+`client-forbidden","reason":"official-client-forbidden"}`, platform.PolicyBlocked, "developer console"),
		Entry("on the old domain", byUser, 403, `{"type":"https://api.twitter.com/2/problems/client-forbidden"}`, platform.PolicyBlocked, "developer console"),
		Entry("a type of somebody else's", byUser, 403, `{"type":"https://elsewhere.example/2/problems/client-forbidden"}`, platform.Unknown, "firewall"),
		Entry("the monthly cap", byUser, 429, aProblem("usage-capped", "UsageCapExceeded", "Monthly product cap"), platform.RateLimited, "billing"),
		Entry("the monthly cap, as a 403", byUser, 403, aProblem("usage-capped", "Usage Capped", "x"), platform.RateLimited, "billing"),
		Entry("no credits", byUser, 402, aProblem("credits", "CreditsDepleted", "Your enrolled account [1] does not have any credits"), platform.PolicyBlocked, "billing"),
		Entry("no credits, without a word", byUser, 402, `{"status":402}`, platform.PolicyBlocked, "billing"),
		Entry("no credits, as a 403", byApplication, 403, aProblem("credits-depleted", "Forbidden", "x"), platform.PolicyBlocked, "billing"),
		Entry("the spending limit", byUser, 403, `{"title":"SpendCapReached"}`, platform.PolicyBlocked, "billing"),
		Entry("a suspended account", byUser, 403, `{"errors":[{"code":64,"message":"Your account is suspended and is not permitted to access this feature."}]}`, platform.PolicyBlocked, "suspended"),
		Entry("a locked account", byUser, 403, `{"errors":[{"code":326,"message":"locked"}]}`, platform.PolicyBlocked, "locked"),
		Entry("a locked account, in words", byUser, 403, `{"detail":"To protect our users from spam, this account is temporarily locked."}`, platform.PolicyBlocked, "locked"),
		Entry("a missing scope", byUser, 403, `{"title":"Forbidden","detail":"You are not permitted to perform this action.","type":"about:blank"}`, platform.InsufficientScope, "rostra connect"),
		Entry("a read-only application", byUser, 403, aProblem("oauth1-permissions", "Forbidden", "x"), platform.InsufficientScope, "read and write"),
		Entry("a token of another kind", byUser, 403, aProblem("unsupported-authentication", "Unsupported Authentication", "x"), platform.Permanent, "kind of token"),
		Entry("too many requests", byUser, 429, `{"title":"Too Many Requests"}`, platform.RateLimited, "no more requests"),
		Entry("an outage", byUser, 503, `{"title":"Service Unavailable"}`, platform.Transient, "out of order"),
		Entry("a refresh token that is spent", byClient, 400, `{"error":"invalid_request","error_description":"Value passed for the token was invalid."}`, platform.Revoked, "refresh token"),
		Entry("a grant that is gone", byClient, 400, `{"error":"invalid_grant"}`, platform.Revoked, "refresh token"),
		Entry("a form that is wrong", byClient, 400, `{"error":"invalid_request","error_description":"Missing required parameter"}`, platform.Permanent, "refuses the request"),
		Entry("a client that is unknown", byClient, 401, `{"error":"invalid_client"}`, platform.Permanent, "client-id"),
		Entry("a client without its secret", byClient, 401, `{"error":"unauthorized_client","error_description":"Missing valid authorization header"}`, platform.Permanent, "client-secret"),
		Entry("a client that is not let in", byClient, 401, `{"title":"Unauthorized","status":401}`, platform.Permanent, "client-secret"),
		Entry("a client that was revoked", byClient, 401, `{"title":"Unauthorized","detail":"the client was revoked"}`, platform.Permanent, "client-secret"),
		Entry("a client that may not", byClient, 403, `{"title":"Forbidden","status":403}`, platform.Permanent, "client-secret"),
		Entry("a callback that failed its check", byApplication, 400, `{"errors":[{"message":"CrcValidationFailed: bad"}]}`, platform.Transient, "callback"),
		Entry("too many webhooks", byApplication, 400, `{"errors":[{"message":"WebhookLimitExceeded: no"}]}`, platform.Permanent, "remove one"),
		Entry("too many subscriptions", byUser, 400, `{"title":"SubscriptionLimitExceeded"}`, platform.Permanent, "as many subscriptions"),
		Entry("a page of a firewall", byUser, 403, "<html>never-shown</html>", platform.Unknown, "firewall"),
		Entry("an empty page", byUser, 404, "", platform.Unknown, "firewall"),
		Entry("an error of no form", byUser, 401, `{"message":{"a":1}}`, platform.Unknown, "firewall"),
		Entry("a list", byUser, 401, `[1]`, platform.Unknown, "firewall"),
	)

	It("reads errors in a success by the status that they name", func() {
		found, ok := decodeProblems(said(200, `{"errors":[{"title":"Not Found Error","type":"`+problems+`resource-not-found","status":404}]}`))
		Expect(ok).To(BeTrue())
		Expect(classify(byUser, 200, time.Time{}, found).Class).To(Equal(platform.NotFound))
		found, _ = decodeProblems(said(200, `{"errors":[{"title":"what is this"}]}`))
		Expect(classify(byUser, 200, time.Time{}, found).Class).To(Equal(platform.Unknown))
	})
})

var _ = Describe("a handle of X", func() {
	It("has one form", func() {
		a := &Adapter{}
		Expect(a.NormaliseHandle("@Acme_Help24")).To(Equal("acme_help24"))
		for _, bad := range []string{"", "@", "@@acme", "acme-help", "acme.help", strings.Repeat("a", 16), "a b", "acme\n", "アクメ"} {
			_, err := a.NormaliseHandle(bad)
			Expect(err).To(MatchError(ContainSubstring("is written as")), "%q", bad)
		}
		Expect(a.CheckAccountID("2244994945")).To(Succeed())
		for _, bad := range []string{"", "acme", "-1", "12345678901234567890", "1\n", "１"} {
			Expect(a.CheckAccountID(bad)).To(MatchError(ContainSubstring("a number")), "%q", bad)
		}
	})

	It("is unique where its server is", func() {
		for server, want := range map[string]string{"https://api.x.com": "", "https://x.example:8443": "x.example:8443"} {
			made, err := NewFactory(nil, nil)(server)
			Expect(err).NotTo(HaveOccurred())
			Expect(made.ClaimScope()).To(Equal(want))
		}
	})
})

var _ = Describe("a stored session", func() {
	It("reads as it was stored", func() {
		s := session{issued: time.Unix(1_800_000_000, 0), expires: time.Unix(1_800_007_200, 0), scope: "tweet.read users.read", webhook: "12"}
		s.access, s.refresh = sessionFrom(nil).access, sessionFrom(nil).refresh
		Expect(sessionFrom(s.values())).To(Equal(s))
		Expect(s.values()).NotTo(HaveKey(keyAccess))
	})

	It("is renewed when a third of its life is left, whatever that is", func() {
		s := session{refresh: credentialsOf("r"), access: credentialsOf("a"), issued: time.Unix(9000, 0), expires: time.Unix(9000+900, 0)}
		Expect(s.renewAt()).To(Equal(time.Unix(9600, 0)))
		Expect(s.due(time.Unix(9599, 0))).To(BeFalse())
		Expect(s.due(time.Unix(9600, 0))).To(BeTrue())
		s.expires = time.Time{}
		Expect(s.renewAt()).To(Equal(time.Unix(9000, 0).Add(assumedLife)))
		s.refresh = credentialsOf("")
		Expect(s.due(time.Unix(1e9, 0))).To(BeFalse())
	})
})

var _ = Describe("A session that somebody has who must not", func() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

	It("is renewed at once, and then left alone", func() {
		s := session{access: credentials.NewValue("a"), refresh: credentials.NewValue("r"), issued: now.Add(-time.Hour), expires: now.Add(time.Hour)}
		Expect(s.spoilt(platform.Account{}, now)).To(BeFalse())
		Expect(s.spoilt(platform.Account{Renew: true}, now)).To(BeTrue())
		s.issued = now.Add(-time.Second)
		Expect(s.spoilt(platform.Account{Renew: true}, now)).To(BeFalse())
		s.issued, s.refresh = now.Add(-time.Hour), credentials.Value{}
		Expect(s.spoilt(platform.Account{Renew: true}, now)).To(BeFalse(), "nothing renews it")
	})
})
