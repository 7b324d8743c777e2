// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// verdict is what a refusal means.
type verdict struct {
	status int
	// text is in the server's error, in lower case; empty for any text.
	text    string
	class   platform.Class
	message string
}

// wantedScopes are those of a token that does all that a channel needs. The
// scope profile, which Mastodon knows from 4.3 on, is enough in place of
// read:accounts.
const wantedScopes = "read:accounts, read:statuses, read:notifications and write:statuses"

const (
	messageUnknownToken = "the server does not know the access token: it is mistyped, of another server, or was revoked some time ago"
	messageScope        = "the access token lacks a scope that is needed: issue one with the scopes " + wantedScopes
	messageDisabled     = "the server has disabled the account: it is suspended, frozen or moved; speak to the server's moderators"
	messageNoUser       = "the access token is an application's own and of no account: issue one by signing in to the account"
)

// verdicts are looked through in order; the first that fits counts. The texts
// are those of Mastodon (doorkeeper's English locale and Api::BaseController),
// of GoToSocial (apiutil.TokenAuth) and of Pleroma.
func verdicts() []verdict {
	return []verdict{
		{http.StatusUnauthorized, "token was revoked", platform.Revoked, "the access token was revoked at the server"},
		{http.StatusUnauthorized, "token expired", platform.Revoked, "the access token has expired"},
		{http.StatusUnauthorized, "account not supplied or not authorized", platform.PolicyBlocked, messageDisabled},
		{http.StatusUnauthorized, "user not supplied or not authorized", platform.PolicyBlocked, "the server knows the access token and refuses who is behind it: the account is disabled, not confirmed or not approved, or the token is an application's own"},
		{http.StatusUnauthorized, "", platform.Unauthorized, messageUnknownToken},
		{http.StatusForbidden, "login is currently disabled", platform.PolicyBlocked, messageDisabled},
		{http.StatusForbidden, "confirmed e-mail", platform.PolicyBlocked, "the account's e-mail address is not confirmed: follow the link in the server's message"},
		{http.StatusForbidden, "pending approval", platform.PolicyBlocked, "the account waits for approval by the server's moderators"},
		{http.StatusForbidden, "two-factor", platform.PolicyBlocked, "the server wants two-factor authentication set up for the account"},
		{http.StatusForbidden, "", platform.InsufficientScope, messageScope},
		{http.StatusUnprocessableEntity, "authenticated user", platform.Permanent, messageNoUser},
	}
}

// classify makes a Failure of an answer that is not 200. Neither its text nor
// anything else of the answer is in the message.
func classify(response *httpx.Response) *platform.Failure {
	text, code, ok := decodeError(response)
	if !ok && response.Status >= http.StatusBadRequest && response.Status < http.StatusInternalServerError && response.Status != http.StatusTooManyRequests {
		return outsider(response)
	}
	for _, v := range verdicts() {
		if v.status == response.Status && strings.Contains(text, v.text) {
			return &platform.Failure{Class: v.class, Code: code, Message: v.message, RetryAt: response.RetryAt}
		}
	}
	failure := platform.FromStatus(response.Status, response.RetryAt)
	failure.Code = code
	return failure
}

// outsider is a refusal that is not in the API's form: something between has
// answered, or the server is another one.
func outsider(response *httpx.Response) *platform.Failure {
	if response.Status == http.StatusNotFound || response.Status == http.StatusGone {
		return platform.FromStatus(response.Status, response.RetryAt)
	}
	return &platform.Failure{
		Class:   platform.Unknown,
		Message: "the request was refused, not by the Mastodon API but by something in front of it, such as a proxy or a firewall: is the server's URL right, and does the server let Rostra in?",
		RetryAt: response.RetryAt,
	}
}

// oauthCodes are the error codes that may be shown: those of RFC 6749, section
// 5.2, RFC 6750 and RFC 7009. Any other text of the server's stays here.
func oauthCodes() []string {
	return []string{
		"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"invalid_token", "insufficient_scope", "unsupported_token_type",
	}
}

// decodeError reads the API's form of an error: a JSON object with an error,
// and beside it perhaps a description. It gives both as one text in lower case,
// and the error itself where it is a known code. ok is false where the answer
// has another form.
func decodeError(response *httpx.Response) (text, code string, ok bool) {
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := httpx.DecodeJSON(response, &body); err != nil || body.Error == "" {
		return "", "", false
	}
	if slices.Contains(oauthCodes(), body.Error) {
		code = body.Error
	}
	return strings.ToLower(body.Error + " " + body.Description), code, true
}
