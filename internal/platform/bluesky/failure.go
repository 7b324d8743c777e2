// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// refusal is an error answer in the protocol's form
// (https://atproto.com/specs/xrpc#error-responses). It is the cause of the
// Failure made from it and keeps nothing of the server's message.
type refusal struct {
	status int
	// renew tells whether another access token may help.
	renew bool
}

func (r *refusal) Error() string { return "the server answered " + http.StatusText(r.status) }

// rule says what an error answer means. Empty and zero fields match anything;
// about is how the server's message begins.
type rule struct {
	method string
	status int
	name   string
	about  string

	class platform.Class
	words string
	renew bool
}

const (
	wordsTakenDown   = "the server has taken the account down: somebody must appeal to its moderators"
	wordsSuspended   = "the server has suspended the account: somebody must appeal to its moderators"
	wordsDeactivated = "the account is deactivated, or was moved to another server: somebody must reactivate it, or give the server where it is now"
	wordsGone        = "the account is not on this server: it was deleted, or moved to another server"
	wordsNoAppView   = "the server has no AppView, which alone knows who mentions or answers an account: events cannot be had there; subscribe to OwnPost alone, or give the server an AppView"
	wordsForeignJWT  = "the server and its AppView do not agree about who asks: somebody must look at the server's AppView settings"
	wordsNoPDS       = "this server does not offer what a Personal Data Server offers: is the service URL right?"
)

// rules of which the first that matches counts. They were all seen at the
// reference server, @atproto/pds 0.4.217, except those of the public service:
// AuthFactorTokenRequired, AccountSuspended, MethodNotImplemented and
// XRPCNotSupported.
func rules() []rule {
	return []rule{
		{name: "AccountTakedown", class: platform.PolicyBlocked, words: wordsTakenDown},
		{name: "AccountSuspended", class: platform.PolicyBlocked, words: wordsSuspended},
		{name: "AccountDeactivated", class: platform.PolicyBlocked, words: wordsDeactivated},
		{
			status: http.StatusTooManyRequests, class: platform.RateLimited,
			words: "the server takes no more requests from this account or address for now",
		},
		{
			name: "AuthFactorTokenRequired", class: platform.InsufficientScope,
			words: "the account asks for a code by e-mail at every login, which Rostra cannot read: give Rostra an app password, which it then delivers as it is, or turn the codes off at the account",
		},
		{
			method: methodCreateSession, status: http.StatusUnauthorized, class: platform.Unauthorized,
			words: "the server does not accept this password for this account",
		},
		{
			method: methodCreateAppPassword, name: "InvalidToken", about: "Bad token scope", class: platform.InsufficientScope,
			words: wordsCannotMint,
		},
		{
			status: http.StatusBadRequest, name: "ExpiredToken", class: platform.Revoked, renew: true,
			words: "the server has ended the session",
		},
		{
			status: http.StatusBadRequest, name: "InvalidToken", class: platform.Unauthorized, renew: true,
			words: "the server does not accept the session",
		},
		{
			status: http.StatusUnauthorized, class: platform.Unauthorized, renew: true,
			words: "the server does not accept the session",
		},
		{
			method: methodGetSession, status: http.StatusBadRequest, about: "Could not find user info", class: platform.NotFound, renew: true,
			words: wordsGone,
		},
		{status: http.StatusBadRequest, about: "Could not find user info", class: platform.NotFound, words: wordsGone},
		{name: "AccountNotFound", class: platform.NotFound, words: wordsGone},
		{name: "RepoNotFound", class: platform.NotFound, words: wordsGone},
		{status: http.StatusBadRequest, about: "No service configured", class: platform.Permanent, words: wordsNoPDS},
		{name: "MethodNotImplemented", class: platform.Permanent, words: wordsNoPDS},
		{name: "XRPCNotSupported", class: platform.Permanent, words: wordsNoPDS},
	}
}

// appViewRules are for what an AppView answers, or a server that has none. An
// AppView that is away is UpstreamFailure with 502, an outage. One that refuses
// the token by which the server vouches for the account (the names are those of
// @atproto/xrpc-server 0.10) has nothing to say of the account's session.
func appViewRules() []rule {
	all := []rule{
		{method: methodListNotifications, about: "No service configured", class: platform.Permanent, words: wordsNoAppView},
		{method: methodListNotifications, name: "MethodNotImplemented", class: platform.Permanent, words: wordsNoAppView},
		{method: methodListNotifications, name: "XRPCNotSupported", class: platform.Permanent, words: wordsNoAppView},
		{method: methodListRecords, status: http.StatusBadRequest, about: "Could not find repo", class: platform.NotFound, words: "the server does not show the account's posts: it is deactivated, taken down or gone"},
	}
	for _, name := range []string{"BadJwt", "BadJwtType", "JwtExpired", "BadJwtAudience", "BadJwtLexiconMethod", "BadJwtIss", "BadJwtSignature"} {
		all = append(all, rule{method: methodListNotifications, name: name, class: platform.Unknown, words: wordsForeignJWT})
	}
	return all
}

func (r rule) matches(method string, status int, name, message string) bool {
	return (r.method == "" || r.method == method) &&
		(r.status == 0 || r.status == status) &&
		(r.name == "" || r.name == name) &&
		strings.HasPrefix(message, r.about)
}

// classify makes a Failure of an answer that is not a success.
func classify(method string, resp *httpx.Response) *platform.Failure {
	name, message, ok := readRefusal(resp)
	if !ok {
		return classifyForeign(resp)
	}
	all := slices.Concat(appViewRules(), rules())
	i := slices.IndexFunc(all, func(r rule) bool { return r.matches(method, resp.Status, name, message) })
	if i < 0 {
		failure := platform.FromStatus(resp.Status, resp.RetryAt)
		failure.Code, failure.Cause = name, &refusal{status: resp.Status}
		return failure
	}
	return &platform.Failure{
		Class:   all[i].class,
		Code:    name,
		Message: all[i].words,
		RetryAt: resp.RetryAt,
		Cause:   &refusal{status: resp.Status, renew: all[i].renew},
	}
}

// classifyForeign is for an error answer that does not come from a server of
// this protocol: a proxy or a wall before it, or another kind of server. What
// it says of authorisation says nothing about the account's credential.
func classifyForeign(resp *httpx.Response) *platform.Failure {
	failure := platform.FromStatus(resp.Status, resp.RetryAt)
	if failure.Class != platform.Transient && failure.Class != platform.RateLimited {
		failure.Class = platform.Unknown
		failure.Message = "an error came back that is not in the form of the AT Protocol: is the service URL right, and is nothing before the server that turns Rostra away?"
	}
	return failure
}

// readRefusal reads the name and message of an error in the protocol's form.
func readRefusal(resp *httpx.Response) (name, message string, ok bool) {
	var body struct {
		Error   any `json:"error"`
		Message any `json:"message"`
	}
	if err := json.Unmarshal(resp.Body, &body); err != nil {
		return "", "", false
	}
	name, _ = body.Error.(string)
	message, _ = body.Message.(string)
	return name, message, isErrorName(name)
}

// isErrorName keeps what a server sends out of conditions unless it is a plain
// name.
func isErrorName(name string) bool {
	const longest = 64
	return name != "" && len(name) <= longest && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// inactive gives the Failure for an account that its server calls inactive, by
// the status of com.atproto.server.getSession.
func inactive(status string) *platform.Failure {
	failure := &platform.Failure{Class: platform.PolicyBlocked}
	switch status {
	case "takendown":
		failure.Message = wordsTakenDown
	case "suspended":
		failure.Message = wordsSuspended
	case "deactivated":
		failure.Message = wordsDeactivated
	case "deleted":
		failure.Class, failure.Message = platform.NotFound, wordsGone
	default:
		failure.Message = "the server says that the account is not active: somebody must look at it there"
	}
	if isErrorName(status) {
		failure.Code = status
	}
	return failure
}
