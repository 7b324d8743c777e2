// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

// maxBody bounds a request's body.
const maxBody = 64 << 10

// caller is who asks: an account, or an application.
type caller struct {
	account *accountRecord // nil for an application
	app     *appRecord     // nil for a token of another server's
	scopes  []string
}

// route is one thing that the API can be asked.
type route struct {
	parameters []string
	scopes     []string // of an account's token; none: the application's token
	serve      func(*Server, http.ResponseWriter, *http.Request, caller)
}

func routes() map[string]route {
	subscribing := []string{"tweet.read", "users.read", "dm.read", "dm.write"}
	timeline := []string{"max_results", "since_id", "pagination_token", "tweet.fields", "expansions", "user.fields"}
	return map[string]route{
		"GET /2/users/me":            {[]string{"user.fields"}, []string{"tweet.read", "users.read"}, (*Server).me},
		"GET /2/users/{id}/mentions": {timeline, []string{"tweet.read", "users.read"}, (*Server).mentions},
		"GET /2/users/{id}/tweets":   {timeline, []string{"tweet.read", "users.read"}, (*Server).tweets},
		"GET /2/webhooks":            {nil, nil, (*Server).listHooks},
		"POST /2/webhooks":           {nil, nil, (*Server).createHook},
		"PUT /2/webhooks/{hook}":     {nil, nil, (*Server).validateHook},
		"DELETE /2/webhooks/{hook}":  {nil, nil, (*Server).deleteHook},
		"GET /2/account_activity/webhooks/{hook}/subscriptions/all":           {nil, subscribing, (*Server).isSubscribed},
		"POST /2/account_activity/webhooks/{hook}/subscriptions/all":          {nil, subscribing, (*Server).subscribe},
		"GET /2/account_activity/webhooks/{hook}/subscriptions/all/list":      {nil, nil, (*Server).listSubscriptions},
		"DELETE /2/account_activity/webhooks/{hook}/subscriptions/{user}/all": {nil, nil, (*Server).unsubscribe},
	}
}

// Handler serves everything, without faults.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /i/oauth2/authorize", s.showConsent)
	mux.HandleFunc("POST /i/oauth2/authorize", s.decideConsent)
	mux.HandleFunc("POST /2/oauth2/token", s.token)
	mux.HandleFunc("POST /2/oauth2/revoke", s.revoke)
	for pattern, found := range routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.letIn(w, r, found) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	return mux
}

// letIn checks a request's parameters and whose it is.
func (s *Server) letIn(w http.ResponseWriter, r *http.Request, found route) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if name := unknownParameter(r.URL.Query(), found.parameters); name != "" {
		sendProblem(w, http.StatusBadRequest, "invalid-request", "Invalid Request", "strict: unknown or doubled parameter "+name, nil)
		return
	}
	from, ok := s.authenticate(r)
	switch {
	case !ok:
		sendProblem(w, http.StatusUnauthorized, "", "Unauthorized", "Unauthorized", nil)
	case (from.account == nil) != (found.scopes == nil):
		sendProblem(w, http.StatusForbidden, "unsupported-authentication", "Unsupported Authentication", "Authenticating with this kind of token is forbidden for this endpoint.", nil)
	case from.app != nil && from.app.NotEnrolled:
		sendProblem(w, http.StatusForbidden, "client-forbidden", "Client Forbidden", "strict: the application is attached to no project", map[string]any{"reason": "client-not-enrolled"})
	case from.account != nil && from.account.state == Suspended:
		sendLegacy(w, http.StatusForbidden, 64, "Your account is suspended and is not permitted to access this feature.")
	case from.account != nil && from.account.state == Locked:
		sendLegacy(w, http.StatusForbidden, 326, "To protect our users from spam and other malicious activity, this account is temporarily locked.")
	case slices.ContainsFunc(found.scopes, func(scope string) bool { return !slices.Contains(from.scopes, scope) }):
		sendProblem(w, http.StatusForbidden, "", "Forbidden", "You are not permitted to perform this action.", nil)
	default:
		found.serve(s, w, r, from)
	}
}

// authenticate reads the bearer token (RFC 6750, section 2.1): exactly
// "Bearer", one space, and the token.
func (s *Server) authenticate(r *http.Request) (caller, bool) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return caller{}, false
	}
	token, ok := strings.CutPrefix(headers[0], "Bearer ")
	if !ok || token == "" || strings.ContainsAny(token, " ,") {
		return caller{}, false
	}
	if from, known := s.ownToken(token); known {
		return from, from.account != nil || from.app != nil
	}
	return s.foreignToken(r.Context(), token)
}

// ownToken is known where the fake itself has given the token, whether it still
// works or not.
func (s *Server) ownToken(token string) (from caller, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if app := s.appBy(func(app *appRecord) bool { return app.BearerToken == token }); app != nil {
		return caller{app: app}, true
	}
	access := s.accesses[token]
	if access == nil {
		return caller{}, false
	}
	if !access.works(s.options.clock.Now()) {
		return caller{}, true
	}
	access.used = true
	return caller{
		account: s.accounts[access.grant.account], scopes: access.grant.scopes,
		app: s.appBy(func(app *appRecord) bool { return app.ID == access.grant.app }),
	}, true
}

func (s *Server) foreignToken(ctx context.Context, token string) (caller, bool) {
	if s.options.tokenUser == nil {
		return caller{}, false
	}
	id, scopes, ok := s.options.tokenUser(ctx, token)
	if !ok {
		return caller{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	account := s.accounts[id]
	return caller{account: account, scopes: scopes}, account != nil
}

func (s *Server) me(w http.ResponseWriter, _ *http.Request, from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sendData(w, from.account.json())
}

func (a *accountRecord) json() map[string]any {
	return map[string]any{"id": a.ID, "name": a.Name, "username": a.Username}
}

func sendData(w http.ResponseWriter, data any) {
	sendJSON(w, http.StatusOK, map[string]any{"data": data})
}

func sendJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone away is no matter of the server's
}

// sendProblem answers with a problem (RFC 9457); without a kind it is of type
// about:blank.
func sendProblem(w http.ResponseWriter, status int, kind, title, detail string, more map[string]any) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(problemBody(status, kind, title, detail, more))
}

func problemBody(status int, kind, title, detail string, more map[string]any) []byte {
	body := map[string]any{"type": "about:blank", "title": title, "detail": detail, "status": status}
	if kind != "" {
		body["type"] = "https://api.x.com/2/problems/" + kind
	}
	maps.Copy(body, more)
	encoded, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	return encoded
}

// sendReason answers as the webhook endpoints do: a list of errors whose
// message begins with X's name for what is wrong.
func sendReason(w http.ResponseWriter, reason, detail string) {
	sendJSON(w, http.StatusBadRequest, map[string]any{
		"title": "Invalid Request", "type": "https://api.x.com/2/problems/invalid-request", "status": http.StatusBadRequest,
		"detail": "One or more parameters to your request was invalid.",
		"errors": []any{map[string]any{"message": reason + ": " + detail}},
	})
}

func sendLegacy(w http.ResponseWriter, status, code int, message string) {
	sendJSON(w, status, map[string]any{"errors": []any{map[string]any{"code": code, "message": message}}})
}

// CreditsDepleted is what X answers when the application's credits are used up.
func CreditsDepleted() faults.Fault {
	return faults.Answer(http.StatusPaymentRequired, "application/problem+json",
		string(problemBody(http.StatusPaymentRequired, "credits", "CreditsDepleted", "Your enrolled account does not have any credits to fulfill this request.", nil)))
}

// UsageCapped is what X answers when the plan's monthly cap is reached.
func UsageCapped() faults.Fault {
	return faults.Answer(http.StatusTooManyRequests, "application/problem+json",
		string(problemBody(http.StatusTooManyRequests, "usage-capped", "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", map[string]any{"period": "Monthly", "scope": "Product"})))
}

// Problem is any problem as an answer.
func Problem(status int, kind, title, detail string) faults.Fault {
	return faults.Answer(status, "application/problem+json", string(problemBody(status, kind, title, detail, nil)))
}

// PartialError is a success that holds errors alone.
func PartialError(kind, title, detail string) faults.Fault {
	return faults.Answer(http.StatusOK, "application/json", fmt.Sprintf(`{"errors":[%s]}`, problemBody(http.StatusForbidden, kind, title, detail, nil)))
}
