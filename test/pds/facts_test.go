// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rostra-dev/rostra/test/pds"
)

// These specs hold no code of Rostra to account. They write down what the
// Bluesky adapter relies on, so that an upgrade of the PDS that changes an answer
// is noticed here and not by a customer.
var _ = Describe("Facts about Bluesky", Ordered, ContinueOnFailure, func() {
	var server *pds.Server

	BeforeAll(func(ctx SpecContext) {
		server = startServer(ctx, pds.Options{})
	}, NodeTimeout(installTime))

	Describe("login", func() {
		It("answers with tokens, the DID and the handle", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			for _, identifier := range []string{account.DID, account.Handle, strings.ToUpper(account.Handle), account.Email} {
				answer := do(ctx, server, login(identifier, account.Password))
				Expect(answer.Status).To(Equal(http.StatusOK))
				Expect(keys(answer)).To(ConsistOf("accessJwt", "refreshJwt", "did", "didDoc", "handle", "email", "emailConfirmed", "active"))
				Expect(text(answer, "did")).To(Equal(account.DID))
				Expect(text(answer, "handle")).To(Equal(account.Handle))
			}
		}, NodeTimeout(specTime))

		It("refuses everybody else in the same words", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			for _, call := range []pds.Call{
				login(account.Handle, "wrong"),
				login(account.Handle, ""),
				login("nobody.test", account.Password),
				login("@"+account.Handle, account.Password),
			} {
				Expect(do(ctx, server, call)).To(refusal(401, "AuthenticationRequired", "Invalid identifier or password"))
			}
			_, err := server.CreateSession(ctx, account.Handle, "wrong")
			Expect(err).To(MatchError(pds.ErrRefused))
			Expect(err).To(MatchError(ContainSubstring("com.atproto.server.createSession: the PDS answered 401")))
		}, NodeTimeout(specTime))

		It("refuses a request without a password as malformed", func(ctx SpecContext) {
			call := login("nobody.test", "")
			call.Body = map[string]string{"identifier": "nobody.test"}
			Expect(do(ctx, server, call)).To(refusal(400, "InvalidRequest", `Missing required key "password" at $`))
			call.Body = nil
			Expect(do(ctx, server, call)).To(refusal(400, "InvalidRequest", "Request encoding (Content-Type) required but not provided"))
		}, NodeTimeout(specTime))

		It("gives tokens that say what they may do and until when", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			session := newSession(ctx, server, account)
			app, _ := newAppSession(ctx, server, account, "rostra")
			for token, scope := range map[string]string{
				session.AccessJWT:  "com.atproto.access",
				app.AccessJWT:      "com.atproto.appPass",
				session.RefreshJWT: "com.atproto.refresh",
				app.RefreshJWT:     "com.atproto.refresh",
			} {
				Expect(claims(token)).To(And(HaveKeyWithValue("scope", scope), HaveKeyWithValue("sub", account.DID)))
			}
			Expect(lifetime(app.AccessJWT)).To(Equal(2 * time.Hour))
			Expect(lifetime(app.RefreshJWT)).To(Equal(90 * 24 * time.Hour))
		}, NodeTimeout(specTime))
	})

	Describe("tokens", func() {
		DescribeTable("that are not good",
			func(ctx SpecContext, token func(pds.Session) string, status int, name, message string) {
				session := newSession(ctx, server, newAccount(ctx, server))
				answer := do(ctx, server, pds.Call{NSID: "com.atproto.server.getSession", Token: token(session)})
				Expect(answer).To(refusal(status, name, message))
			},
			Entry("none", func(pds.Session) string { return "" }, 401, "AuthMissing", "Authentication Required"),
			Entry("garbage", func(pds.Session) string { return "garbage" }, 400, "InvalidToken", "Token could not be verified"),
			Entry("a refresh token", func(s pds.Session) string { return s.RefreshJWT }, 400, "InvalidToken", "Invalid token type"),
			Entry("expired", func(s pds.Session) string { return expired(server, s.AccessJWT) }, 400, "ExpiredToken", "Token has expired"),
		)

		DescribeTable("that do not refresh",
			func(ctx SpecContext, token func(pds.Session) string, status int, name, message string) {
				session := newSession(ctx, server, newAccount(ctx, server))
				Expect(do(ctx, server, refresh(token(session)))).To(refusal(status, name, message))
			},
			Entry("none", func(pds.Session) string { return "" }, 401, "AuthMissing", "Authentication Required"),
			Entry("garbage", func(pds.Session) string { return "garbage" }, 400, "InvalidToken", "Token could not be verified"),
			Entry("an access token", func(s pds.Session) string { return s.AccessJWT }, 400, "InvalidToken", "Invalid token type"),
			Entry("expired", func(s pds.Session) string { return expired(server, s.RefreshJWT) }, 400, "ExpiredToken", "Token has expired"),
		)

		It("rotate, and the old one still answers with the same successor", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			session, _ := newAppSession(ctx, server, account, "rostra")
			answer := do(ctx, server, refresh(session.RefreshJWT))
			Expect(answer.Status).To(Equal(http.StatusOK))
			Expect(keys(answer)).To(ConsistOf("accessJwt", "refreshJwt", "did", "didDoc", "handle", "email", "emailConfirmed", "active"))
			Expect(claims(text(answer, "accessJwt"))).To(HaveKeyWithValue("scope", "com.atproto.appPass"))

			again, err := server.RefreshSession(ctx, session.RefreshJWT)
			Expect(err).NotTo(HaveOccurred())
			successor := claims(text(answer, "refreshJwt"))["jti"]
			Expect(successor).NotTo(Equal(claims(session.RefreshJWT)["jti"]))
			Expect(claims(again.RefreshJWT)["jti"]).To(Equal(successor))
		}, NodeTimeout(specTime))

		It("end with deleteSession, except the access token", func(ctx SpecContext) {
			session := newSession(ctx, server, newAccount(ctx, server))
			end := pds.Call{NSID: "com.atproto.server.deleteSession", Procedure: true, Token: session.AccessJWT}
			Expect(do(ctx, server, end)).To(refusal(400, "InvalidToken", "Invalid token type"))
			end.Token = session.RefreshJWT
			Expect(do(ctx, server, end)).To(emptySuccess())
			Expect(do(ctx, server, end)).To(emptySuccess(), "twice is no error")

			Expect(do(ctx, server, refresh(session.RefreshJWT))).To(refusal(400, "ExpiredToken", "Token has been revoked"))
			Expect(do(ctx, server, getSession(session))).To(HaveField("Status", http.StatusOK))
			Expect(do(ctx, server, mint(session, "late"))).To(HaveField("Status", http.StatusOK), "it can even mint")
		}, NodeTimeout(specTime))

		It("end with the main password, those of app passwords too", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			session := newSession(ctx, server, account)
			app, password := newAppSession(ctx, server, account, "rostra")
			Expect(server.ChangePassword(ctx, account, "another")).To(Succeed())

			for _, s := range []pds.Session{session, app} {
				Expect(do(ctx, server, refresh(s.RefreshJWT))).To(refusal(400, "ExpiredToken", "Token has been revoked"))
				Expect(do(ctx, server, getSession(s))).To(HaveField("Status", http.StatusOK))
			}
			Expect(server.CreateSession(ctx, account.DID, password)).NotTo(BeZero(), "the app password itself still logs in")
			_, err := server.CreateSession(ctx, account.DID, account.Password)
			Expect(err).To(MatchError(pds.ErrRefused))
			account.Password = "another"
			newSession(ctx, server, account)
		}, NodeTimeout(specTime))
	})

	Describe("app passwords", func() {
		It("are made, listed, used and revoked", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			session := newSession(ctx, server, account)
			answer := do(ctx, server, mint(session, "first"))
			Expect(answer.Status).To(Equal(http.StatusOK))
			Expect(keys(answer)).To(ConsistOf("name", "password", "createdAt", "privileged"))
			Expect(text(answer, "password")).To(MatchRegexp(`^[a-z2-7]{4}(-[a-z2-7]{4}){3}$`))
			Expect(time.Parse(time.RFC3339, text(answer, "createdAt"))).To(BeTemporally("~", time.Now(), specTime))
			newAppSession(ctx, server, account, "second")

			Expect(server.ListAppPasswords(ctx, account)).To(Equal([]string{"second", "first"}), "newest first")
			list := do(ctx, server, pds.Call{NSID: "com.atproto.server.listAppPasswords", Token: session.AccessJWT})
			Expect(string(list.Body)).NotTo(ContainSubstring(text(answer, "password")))

			Expect(server.RevokeAppPassword(ctx, account, "first")).To(Succeed())
			Expect(server.ListAppPasswords(ctx, account)).To(Equal([]string{"second"}))
			_, err := server.CreateSession(ctx, account.DID, text(answer, "password"))
			Expect(err).To(MatchError(pds.ErrRefused))
		}, NodeTimeout(specTime))

		It("keep any name, and refuse one that exists as a fault of the server", func(ctx SpecContext) {
			session := newSession(ctx, server, newAccount(ctx, server))
			for _, name := range []string{"", "rostra social/acme-help 7f3a", strings.Repeat("x", 300)} {
				Expect(do(ctx, server, mint(session, name))).To(HaveField("Status", http.StatusOK))
			}
			Expect(do(ctx, server, mint(session, ""))).To(refusal(500, "InternalServerError", "Internal Server Error"))
		}, NodeTimeout(specTime))

		It("are revoked without a word if absent", func(ctx SpecContext) {
			session := newSession(ctx, server, newAccount(ctx, server))
			Expect(do(ctx, server, revoke(session, "never"))).To(emptySuccess())
		}, NodeTimeout(specTime))

		It("may list, revoke, post and rename, but not mint or deactivate", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			app, _ := newAppSession(ctx, server, account, "rostra")
			Expect(do(ctx, server, mint(app, "more"))).To(refusal(400, "InvalidToken", "Bad token scope"))
			deactivate := pds.Call{NSID: "com.atproto.server.deactivateAccount", Procedure: true, Token: app.AccessJWT, Body: map[string]string{}}
			Expect(do(ctx, server, deactivate)).To(refusal(400, "InvalidToken", "Bad token scope"))

			list := pds.Call{NSID: "com.atproto.server.listAppPasswords", Token: app.AccessJWT}
			Expect(do(ctx, server, list)).To(HaveField("Status", http.StatusOK))
			rename := pds.Call{
				NSID: "com.atproto.identity.updateHandle", Procedure: true, Token: app.AccessJWT,
				Body: map[string]string{"handle": "acme-stolen.test"},
			}
			Expect(do(ctx, server, rename)).To(emptySuccess())
			Expect(text(do(ctx, server, getSession(app)), "handle")).To(Equal("acme-stolen.test"))
			Expect(do(ctx, server, revoke(app, "rostra"))).To(emptySuccess())
		}, NodeTimeout(specTime))

		It("leave their access token alive when they are revoked", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			app, password := newAppSession(ctx, server, account, "rostra")
			Expect(server.RevokeAppPassword(ctx, account, "rostra")).To(Succeed())

			Expect(do(ctx, server, getSession(app))).To(HaveField("Status", http.StatusOK))
			Expect(do(ctx, server, refresh(app.RefreshJWT))).To(refusal(400, "ExpiredToken", "Token has been revoked"))
			Expect(do(ctx, server, login(account.DID, password))).To(refusal(401, "AuthenticationRequired", "Invalid identifier or password"))
		}, NodeTimeout(specTime))
	})

	Describe("accounts in trouble", func() {
		It("log in while deactivated, and say so", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			app, password := newAppSession(ctx, server, account, "rostra")
			Expect(server.Deactivate(ctx, account)).To(Succeed())

			for _, call := range []pds.Call{login(account.DID, account.Password), login(account.DID, password), getSession(app), refresh(app.RefreshJWT)} {
				answer := do(ctx, server, call)
				Expect(answer.Status).To(Equal(http.StatusOK))
				Expect(string(answer.Body)).To(ContainSubstring(`"active":false,"status":"deactivated"`))
			}
			Expect(do(ctx, server, repoStatus(account)).Body).To(MatchJSON(`{"did":"` + account.DID + `","active":false,"status":"deactivated"}`))
			_, err := server.Post(ctx, account, "hello")
			Expect(err).To(MatchError(ContainSubstring("401 AccountDeactivated: Account is deactivated")))

			Expect(server.Activate(ctx, account)).To(Succeed())
			Expect(server.Post(ctx, account, "hello")).To(HavePrefix("at://" + account.DID))
		}, NodeTimeout(specTime))

		It("hide a takedown from app passwords behind a wrong password", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			session := newSession(ctx, server, account)
			app, password := newAppSession(ctx, server, account, "rostra")
			Expect(server.TakeDown(ctx, account)).To(Succeed())

			takedown := refusal(401, "AccountTakedown", "Account has been taken down")
			Expect(do(ctx, server, login(account.DID, account.Password))).To(takedown)
			Expect(do(ctx, server, login(account.DID, password))).To(refusal(401, "AuthenticationRequired", "Invalid identifier or password"))
			Expect(do(ctx, server, refresh(app.RefreshJWT))).To(takedown)
			Expect(do(ctx, server, mint(session, "more"))).To(takedown)
			Expect(do(ctx, server, getSession(app))).To(refusal(400, "InvalidRequest", "Could not find user info for account: "+account.DID))
			Expect(do(ctx, server, repoStatus(account)).Body).To(MatchJSON(`{"did":"` + account.DID + `","active":false,"status":"takendown"}`))

			Expect(server.LiftTakedown(ctx, account)).To(Succeed())
			Expect(server.CreateSession(ctx, account.DID, password)).To(HaveField("Active", true))
		}, NodeTimeout(specTime))

		It("are unknown once deleted", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			session := newSession(ctx, server, account)
			Expect(server.DeleteAccount(ctx, account)).To(Succeed())

			gone := refusal(400, "InvalidRequest", "Could not find user info for account: "+account.DID)
			Expect(do(ctx, server, login(account.DID, account.Password))).To(refusal(401, "AuthenticationRequired", "Invalid identifier or password"))
			Expect(do(ctx, server, getSession(session))).To(gone)
			Expect(do(ctx, server, refresh(session.RefreshJWT))).To(gone)
			Expect(do(ctx, server, mint(session, "more"))).To(refusal(403, "AccountNotFound", "Account not found"))
			Expect(do(ctx, server, repoStatus(account))).To(refusal(400, "RepoNotFound", "Could not find repo for DID: "+account.DID))
		}, NodeTimeout(specTime))
	})

	Describe("handles", func() {
		It("resolve without a login, and follow a renaming", func(ctx SpecContext) {
			account := newAccount(ctx, server)
			session := newSession(ctx, server, account)
			Expect(do(ctx, server, resolve(account.Handle)).Body).To(MatchJSON(`{"did":"` + account.DID + `"}`))
			Expect(server.ChangeHandle(ctx, account, "acme-renamed.test")).To(Succeed())

			Expect(text(do(ctx, server, getSession(session)), "handle")).To(Equal("acme-renamed.test"))
			Expect(do(ctx, server, resolve("acme-renamed.test"))).To(HaveField("Status", http.StatusOK))
			Expect(do(ctx, server, resolve(account.Handle))).To(refusal(400, "InvalidRequest", "Unable to resolve handle"))
			_, err := server.CreateSession(ctx, account.Handle, account.Password)
			Expect(err).To(MatchError(pds.ErrRefused))
			By("telling the directory at once, while the server's own copy lags")
			Expect(directoryEntry(ctx, server, account)).To(ContainSubstring(`"alsoKnownAs":["at://acme-renamed.test"]`))
			repo := do(ctx, server, pds.Call{NSID: "com.atproto.repo.describeRepo", Query: url.Values{"repo": {account.DID}}})
			Expect(string(repo.Body)).To(ContainSubstring(`"handleIsCorrect":false`))
		}, NodeTimeout(specTime))

		It("break the server when they are not even handles", func(ctx SpecContext) {
			Expect(do(ctx, server, resolve("no_handle"))).To(refusal(500, "InternalServerError", "Internal Server Error"))
		}, NodeTimeout(specTime))

		DescribeTable("that cannot be had",
			func(ctx SpecContext, handle, name, message string) {
				_, err := server.CreateAccount(ctx, handle)
				Expect(err).To(MatchError("com.atproto.server.createAccount: the PDS answered 400 " + name + ": " + message))
			},
			Entry("bad syntax", "al_ice.test", "InvalidRequest", `Invalid handle (got "al_ice.test") at $.handle`),
			Entry("another domain", "acme.example.com", "UnsupportedDomain", "Not a supported handle domain"),
			Entry("reserved", "help.test", "HandleNotAvailable", "Reserved handle"),
			Entry("too short", "ab.test", "InvalidHandle", "Handle too short"),
		)
	})

	It("describes itself", func(ctx SpecContext) {
		answer := do(ctx, server, pds.Call{NSID: "com.atproto.server.describeServer"})
		Expect(answer.Body).To(MatchJSON(`{"did":"did:web:localhost","availableUserDomains":[".test"],"inviteCodeRequired":false,"links":{},"contact":{}}`))
	}, NodeTimeout(specTime))

	DescribeTable("refuses methods that it does not have",
		func(ctx SpecContext, nsid string) {
			Expect(do(ctx, server, pds.Call{NSID: nsid})).To(refusal(400, "InvalidRequest", "No service configured for "+nsid))
		},
		Entry("unknown", "com.example.nothing.here"),
		Entry("of an AppView, when there is none", "app.bsky.notification.listNotifications"),
		Entry("a procedure, asked as a query", "com.atproto.server.createSession"),
	)

	It("limits logins, and says when to come back in epoch seconds", func(ctx SpecContext) {
		limited := startServer(ctx, pds.Options{RateLimits: true})
		call := login("nobody.test", "wrong")
		for range 30 {
			Expect(do(ctx, limited, call)).To(HaveField("Status", http.StatusUnauthorized))
		}
		answer := do(ctx, limited, call)
		Expect(answer).To(refusal(429, "RateLimitExceeded", "Rate Limit Exceeded"))
		Expect(answer.Header).To(And(
			HaveKeyWithValue("Ratelimit-Limit", []string{"30"}),
			HaveKeyWithValue("Ratelimit-Remaining", []string{"0"}),
			HaveKeyWithValue("Ratelimit-Policy", []string{"30;w=300"}),
			HaveKeyWithValue("Ratelimit-Reset", ConsistOf(MatchRegexp(`^\d{10}$`))),
			Not(HaveKey("Retry-After")),
		))
	}, NodeTimeout(installTime))
})

func login(identifier, password string) pds.Call {
	return pds.Call{
		NSID:      "com.atproto.server.createSession",
		Procedure: true,
		Body:      map[string]string{"identifier": identifier, "password": password},
	}
}

func refresh(token string) pds.Call {
	return pds.Call{NSID: "com.atproto.server.refreshSession", Procedure: true, Token: token}
}

func getSession(session pds.Session) pds.Call {
	return pds.Call{NSID: "com.atproto.server.getSession", Token: session.AccessJWT}
}

func mint(session pds.Session, name string) pds.Call {
	return pds.Call{
		NSID:      "com.atproto.server.createAppPassword",
		Procedure: true,
		Token:     session.AccessJWT,
		Body:      map[string]string{"name": name},
	}
}

func revoke(session pds.Session, name string) pds.Call {
	return pds.Call{
		NSID:      "com.atproto.server.revokeAppPassword",
		Procedure: true,
		Token:     session.AccessJWT,
		Body:      map[string]string{"name": name},
	}
}

func resolve(handle string) pds.Call {
	return pds.Call{NSID: "com.atproto.identity.resolveHandle", Query: url.Values{"handle": {handle}}}
}

func repoStatus(account pds.Account) pds.Call {
	return pds.Call{NSID: "com.atproto.sync.getRepoStatus", Query: url.Values{"did": {account.DID}}}
}

// directoryEntry returns what the PLC directory says of the account.
func directoryEntry(ctx context.Context, server *pds.Server, account pds.Account) string {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.PLCURL()+"/"+account.DID, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	body, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	return string(body)
}

// refusal matches an error answer, and that it never says Retry-After.
func refusal(status int, name, message string) types.GomegaMatcher {
	return And(
		HaveField("Status", status),
		HaveField("Name", name),
		HaveField("Message", message),
		HaveField("Header", Not(HaveKey("Retry-After"))),
	)
}

// emptySuccess matches 200 without a body or a content type.
func emptySuccess() types.GomegaMatcher {
	return And(
		HaveField("Status", http.StatusOK),
		HaveField("Body", BeEmpty()),
		HaveField("Header", Not(HaveKey("Content-Type"))),
	)
}

func fields(answer pds.Answer) map[string]any {
	GinkgoHelper()
	var decoded map[string]any
	Expect(json.Unmarshal(answer.Body, &decoded)).To(Succeed())
	return decoded
}

func keys(answer pds.Answer) []string {
	GinkgoHelper()
	var names []string
	for name := range fields(answer) {
		names = append(names, name)
	}
	return names
}

func text(answer pds.Answer, field string) string {
	GinkgoHelper()
	value, ok := fields(answer)[field].(string)
	Expect(ok).To(BeTrue(), "the answer must have the text %q", field)
	return value
}

// claims decodes the payload of a token without checking its signature.
func claims(token string) map[string]any {
	GinkgoHelper()
	parts := strings.Split(token, ".")
	Expect(parts).To(HaveLen(3))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	Expect(err).NotTo(HaveOccurred())
	var decoded map[string]any
	Expect(json.Unmarshal(payload, &decoded)).To(Succeed())
	return decoded
}

func lifetime(token string) time.Duration {
	GinkgoHelper()
	at := func(claim string) time.Time { return time.Unix(int64(claims(token)[claim].(float64)), 0) }
	return at("exp").Sub(at("iat"))
}

func expired(server *pds.Server, token string) string {
	GinkgoHelper()
	old, err := server.ExpiredToken(token)
	Expect(err).NotTo(HaveOccurred())
	return old
}
