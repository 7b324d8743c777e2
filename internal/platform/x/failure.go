// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// maxProblems bounds how many errors of one answer are looked at.
const maxProblems = 32

// problem is one error as X tells it, in any of its forms: a problem of API v2
// (RFC 9457), an error with a code as in API v1.1, and an OAuth error (RFC
// 6749, section 5.2).
type problem struct {
	kind   string // the end of the problem's type, such as "client-forbidden"
	reason string
	oauth  string
	code   int
	status int
	text   string // everything else that it says, in lower case
}

// known tells whether there is anything in it by which it can be told.
func (p problem) known() bool { return p != problem{} }

// refusal is the cause of a Failure that a credential met. It keeps nothing of
// what X says.
type refusal struct {
	// token: the access token is not accepted; another may be.
	token bool
	// grant: the refresh token, or the code, is not accepted.
	grant bool
}

func (r *refusal) Error() string { return "X refused it" }

// rule says what an error means. Fields that are empty match anything.
type rule struct {
	status int
	kind   string
	reason string
	oauth  string
	code   int
	says   string // somewhere in the text

	class platform.Class
	name  string // Failure.Code
	words string
}

const (
	wordsSuspended = "X has suspended or locked the account: somebody must sign in to it and follow what X asks for, or appeal"
	wordsBilling   = "the application's credits at X are used up, or its spending limit is reached: this is about billing, not about the account; raise it in X's developer console"
	wordsCapped    = "the application has used what its plan at X allows for this period: this is about billing, not about the account; wait for the next period or raise the cap in X's developer console"
	wordsEnrol     = "X does not let this application use its API: attach it to a project and enrol that in a plan, in X's developer console"
	wordsGrant     = "X does not accept the refresh token: it was used before, or the consent was withdrawn"
	wordsClient    = "X does not accept the application's " + platform.ApplicationID + " and " + platform.ApplicationSecret + ": compare them with X's developer console"
	wordsScope     = "X does not allow this with the account's access token: connect the account again with `rostra connect`, and let the application read and write"
	wordsKind      = "X wants another kind of token here: " + sourceAccess + " must be an account's OAuth 2.0 token, and " + applicationBearer + " the application's"
	wordsToken     = "X does not accept the access token"
	wordsCallback  = "the callback did not answer X's check as it must: is the gateway reachable from the internet, with a valid certificate, and is the " + applicationConsumerSecret + " that of this application?"
)

// Names of X's own for errors, as documented at
// https://docs.x.com/x-api/webhooks/quickstart and
// https://docs.x.com/x-api/account-activity/quickstart.
const (
	reasonCRC           = "CrcValidationFailed"
	reasonURL           = "UrlValidationFailed"
	reasonDuplicateURL  = "DuplicateUrlFailed"
	reasonWebhookLimit  = "WebhookLimitExceeded"
	reasonWebhookID     = "WebhookIdInvalid"
	reasonDuplicate     = "DuplicateSubscriptionFailed"
	reasonLimit         = "SubscriptionLimitExceeded"
	reasonNotSubscribed = "SubscriptionNotFound"
)

// Errors of RFC 6749, section 5.2, of which X uses both for a token that is
// spent.
const (
	oauthGrant   = "invalid_grant"
	oauthRequest = "invalid_request"
)

// rules of which the first that matches counts; each is tried on all errors of
// an answer.
func rules() []rule {
	return slices.Concat(webhookRules(), applicationRules(), accountRules())
}

func webhookRules() []rule {
	return []rule{
		{says: "crcvalidationfailed", class: platform.Transient, name: reasonCRC, words: wordsCallback},
		{says: "urlvalidationfailed", class: platform.Permanent, name: reasonURL, words: "X does not accept the callback's URL: it must begin with https://, be reachable from the internet and name no port"},
		{says: "duplicateurlfailed", class: platform.Conflict, name: reasonDuplicateURL, words: "the application has a webhook with this callback already"},
		{says: "webhooklimitexceeded", class: platform.Permanent, name: reasonWebhookLimit, words: "the application has as many webhooks as X allows it: remove one that nobody uses, in X's developer console, or raise the plan"},
		{says: "webhookidinvalid", class: platform.NotFound, name: reasonWebhookID, words: "the application does not have this webhook (any more)"},
		{says: "duplicatesubscriptionfailed", class: platform.Conflict, name: reasonDuplicate, words: "the account is subscribed already"},
		{says: "subscriptionlimitexceeded", class: platform.Permanent, name: reasonLimit, words: "the application has as many subscriptions as X allows it: end one that nobody needs, or raise the plan in X's developer console"},
		{says: "subscriptionnotfound", class: platform.NotFound, name: reasonNotSubscribed, words: "the account is not subscribed"},
	}
}

// applicationRules are about the application: its bill, its plan, its keys.
func applicationRules() []rule {
	const usageCapped = "usage-capped"
	return []rule{
		{status: http.StatusPaymentRequired, class: platform.PolicyBlocked, name: "credits", words: wordsBilling},
		{kind: "credits", class: platform.PolicyBlocked, name: "credits", words: wordsBilling},
		{kind: "credits-depleted", class: platform.PolicyBlocked, name: "credits", words: wordsBilling},
		{says: "creditsdepleted", class: platform.PolicyBlocked, name: "credits", words: wordsBilling},
		{says: "spendcapreached", class: platform.PolicyBlocked, name: "credits", words: wordsBilling},
		{kind: usageCapped, class: platform.RateLimited, name: usageCapped, words: wordsCapped},
		{says: "usagecapexceeded", class: platform.RateLimited, name: usageCapped, words: wordsCapped},
		{reason: "client-not-enrolled", class: platform.PolicyBlocked, name: "client-not-enrolled", words: wordsEnrol},
		{kind: "client-forbidden", class: platform.PolicyBlocked, name: "client-forbidden", words: wordsEnrol},
		{kind: "unsupported-authentication", class: platform.Permanent, name: "unsupported-authentication", words: wordsKind},
		{kind: "oauth1-permissions", class: platform.InsufficientScope, name: "oauth1-permissions", words: wordsScope},
		{oauth: "invalid_client", class: platform.Permanent, name: "invalid_client", words: wordsClient},
		{oauth: "unauthorized_client", class: platform.Permanent, name: "unauthorized_client", words: wordsClient},
	}
}

// accountRules are about the account and its tokens. Codes are those of API
// v1.1, which shine through in places.
func accountRules() []rule {
	const (
		codeSuspended = 64
		codeLocked    = 326
		codeExpired   = 89
	)
	return []rule{
		{code: codeSuspended, class: platform.PolicyBlocked, name: "64", words: wordsSuspended},
		{code: codeLocked, class: platform.PolicyBlocked, name: "326", words: wordsSuspended},
		{says: "account is suspended", class: platform.PolicyBlocked, words: wordsSuspended},
		{says: "account has been suspended", class: platform.PolicyBlocked, words: wordsSuspended},
		{says: "temporarily locked", class: platform.PolicyBlocked, words: wordsSuspended},
		{status: http.StatusTooManyRequests, class: platform.RateLimited, words: "X takes no more requests of this kind for now"},
		{oauth: oauthGrant, class: platform.Revoked, name: oauthGrant, words: wordsGrant},
		{oauth: oauthRequest, says: "value passed for the token was invalid", class: platform.Revoked, name: oauthRequest, words: wordsGrant},
		{oauth: oauthRequest, says: "value passed for the authorization code was invalid", class: platform.Revoked, name: oauthRequest, words: wordsGrant},
		{status: http.StatusUnauthorized, says: "revoked", class: platform.Revoked, words: "the access token was revoked at X"},
		{code: codeExpired, class: platform.Unauthorized, name: "89", words: wordsToken},
		{status: http.StatusUnauthorized, class: platform.Unauthorized, words: wordsToken},
		{status: http.StatusForbidden, class: platform.InsufficientScope, words: wordsScope},
	}
}

func (r rule) matches(status int, p problem) bool {
	return (r.status == 0 || r.status == status || r.status == p.status) &&
		(r.kind == "" || r.kind == p.kind) &&
		(r.reason == "" || r.reason == p.reason) &&
		(r.oauth == "" || r.oauth == p.oauth) &&
		(r.code == 0 || r.code == p.code) &&
		strings.Contains(p.text, r.says)
}

// refused makes a Failure of an answer that is not a success.
func refused(by asker, response *httpx.Response) *platform.Failure {
	problems, ok := decodeProblems(response)
	if !ok {
		return outsider(response)
	}
	return classify(by, response.Status, response.RetryAt, problems)
}

// classify makes a Failure of what X says is wrong. Nothing of X's words is in
// it.
func classify(by asker, status int, retryAt time.Time, problems []problem) *platform.Failure {
	for _, r := range rules() {
		if slices.ContainsFunc(problems, func(p problem) bool { return r.matches(status, p) }) {
			failure := &platform.Failure{Class: r.class, Code: r.name, Message: r.words, RetryAt: retryAt}
			return attribute(by, failure)
		}
	}
	if status < http.StatusBadRequest { // errors in a success; the first one speaks
		status = problems[0].status
	}
	return platform.FromStatus(status, retryAt)
}

// attribute blames the one whose credential it was.
func attribute(by asker, failure *platform.Failure) *platform.Failure {
	switch by {
	case byApplication:
		return blameApplication(failure)
	case byUser:
		if failure.Class == platform.Unauthorized || failure.Class == platform.Revoked {
			failure.Cause = &refusal{token: true}
		}
	case byClient:
		return blameGrantOrClient(failure)
	case byNobody:
	}
	return failure
}

// blameGrantOrClient tells a refusal of the refresh token, which X names, from
// one of the application that sent it.
func blameGrantOrClient(failure *platform.Failure) *platform.Failure {
	switch failure.Class {
	case platform.Revoked:
		if failure.Code == oauthGrant || failure.Code == oauthRequest {
			failure.Cause = &refusal{grant: true}
			return failure
		}
		failure.Class, failure.Message = platform.Permanent, wordsClient
	case platform.Unauthorized, platform.InsufficientScope:
		failure.Class, failure.Message = platform.Permanent, wordsClient
	case platform.PolicyBlocked, platform.RateLimited, platform.NotFound, platform.Conflict, platform.Transient,
		platform.Permanent, platform.Unknown:
	}
	return failure
}

// blameApplication keeps a refusal of the bearer token from being taken for
// one of the account's.
func blameApplication(failure *platform.Failure) *platform.Failure {
	switch failure.Class {
	case platform.Unauthorized, platform.Revoked:
		failure.Class = platform.Permanent
		failure.Message = "X does not accept the application's " + applicationBearer + ": copy it again from X's developer console into the application's Secret"
	case platform.InsufficientScope:
		failure.Class = platform.Permanent
		failure.Message = "X does not let this application manage webhooks: check its plan in X's developer console"
	case platform.PolicyBlocked, platform.RateLimited, platform.NotFound, platform.Conflict, platform.Transient,
		platform.Permanent, platform.Unknown:
	}
	return failure
}

// outsider is a refusal that is not in any of X's forms: a proxy or a firewall
// has answered. It blames nobody's credential.
func outsider(response *httpx.Response) *platform.Failure {
	failure := platform.FromStatus(response.Status, response.RetryAt)
	if failure.Class == platform.Transient || failure.Class == platform.RateLimited {
		return failure
	}
	failure = unexpected("the request was refused, not by X but by something in front of it, such as a proxy or a firewall: is the server's URL right, and does it let Rostra out?")
	failure.RetryAt = response.RetryAt
	return failure
}

// decodeProblems reads the errors of an answer; ok is false where there is
// none that is in one of X's forms.
func decodeProblems(response *httpx.Response) (problems []problem, ok bool) {
	var body map[string]any
	if err := httpx.DecodeJSON(response, &body); err != nil {
		return nil, false
	}
	candidates := []any{body}
	if more, isList := body["errors"].([]any); isList {
		candidates = append(candidates, more[:min(len(more), maxProblems)]...)
	}
	for _, candidate := range candidates {
		if fields, isObject := candidate.(map[string]any); isObject {
			if p := problemFrom(fields); p.known() {
				problems = append(problems, p)
			}
		}
	}
	return problems, len(problems) > 0
}

func problemFrom(fields map[string]any) problem {
	text := func(name string) string { value, _ := fields[name].(string); return value }
	number := func(name string) int {
		value, _ := fields[name].(float64)
		if value < 0 || value > 1e6 {
			return 0
		}
		return int(value)
	}
	p := problem{
		kind: kindOf(text("type")), reason: text("reason"), oauth: text("error"),
		code: number("code"), status: number("status"),
	}
	p.text = strings.ToLower(strings.TrimSpace(strings.Join([]string{
		text("title"), text("detail"), text("message"), text("error_description"),
	}, " ")))
	return p
}

// kindOf gives the end of a problem's type, such as "usage-capped". X uses its
// old domain in places.
func kindOf(uri string) string {
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Host != hostAPI && parsed.Host != "api.twitter.com" {
		return ""
	}
	_, kind, _ := strings.Cut(parsed.Path, "/problems/")
	return kind
}
