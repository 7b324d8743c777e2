// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Scopes are all that the fake knows.
func Scopes() []string {
	return []string{"tweet.read", "tweet.write", "users.read", "offline.access", "dm.read", "dm.write"}
}

// grant is what a person has consented to.
type grant struct {
	account string
	app     string
	scopes  []string
	dead    bool
}

type accessRecord struct {
	grant   *grant
	expires time.Time
	revoked bool
	used    bool
}

type refreshRecord struct {
	grant *grant
	// next came of it; nil where it was not used yet.
	next       *refreshRecord
	nextAccess *accessRecord
}

// outlived tells whether what came of a refresh token was used.
func (r *refreshRecord) outlived() bool {
	return r.nextAccess != nil && r.nextAccess.used || r.next != nil && r.next.next != nil
}

// pending is a consent page that was shown.
type pending struct {
	app         *appRecord
	redirectURL string
	state       string
	challenge   string
	scopes      []string
}

type codeRecord struct {
	grant       *grant
	redirectURL string
	challenge   string
	used        bool
}

// Tokens are what a grant opens.
type Tokens struct {
	Access, Refresh string
	ExpiresIn       time.Duration
	Scopes          []string
}

// Grant gives tokens as if the account's holder had consented.
func (s *Server) Grant(account Account, app App, scopes ...string) Tokens {
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens, _ := s.issue(&grant{account: account.ID, app: app.ID, scopes: scopes})
	return tokens
}

// issue makes a pair of tokens; the lock is held. There is a refresh token
// where the scope offline.access is granted.
func (s *Server) issue(g *grant) (tokens Tokens, access *accessRecord) {
	tokens = Tokens{Access: s.secret("access"), ExpiresIn: s.options.life, Scopes: g.scopes}
	access = &accessRecord{grant: g, expires: s.options.clock.Now().Add(s.options.life)}
	s.accesses[tokens.Access] = access
	if slices.Contains(g.scopes, "offline.access") {
		tokens.Refresh = s.secret("refresh")
		s.refreshes[tokens.Refresh] = &refreshRecord{grant: g}
	}
	return tokens, access
}

// TokenWorks tells whether an access token opens anything.
func (s *Server) TokenWorks(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accesses[access].works(s.options.clock.Now())
}

func (a *accessRecord) works(now time.Time) bool {
	return a != nil && !a.revoked && !a.grant.dead && now.Before(a.expires)
}

// Withdraw ends every grant of an account to an application, as the account's
// holder does in the settings. Webhooks hear of it, and the account's
// subscriptions end.
func (s *Server) Withdraw(account Account, app App) {
	s.mu.Lock()
	for _, record := range s.accesses {
		if record.grant.account == account.ID && record.grant.app == app.ID {
			record.grant.dead = true
		}
	}
	for _, record := range s.refreshes {
		if record.grant.account == account.ID && record.grant.app == app.ID {
			record.grant.dead = true
		}
	}
	outgoing := s.endSubscriptions(account.ID, app.ID)
	s.mu.Unlock()
	s.send(outgoing)
}

// consentPage has no scripts and needs none.
var consentPage = template.Must(template.New("consent").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Authorize {{.App}}</title></head>
<body>
<main>
<h1>{{.App}} wants to access your account</h1>
<p>It will be able to:</p>
<ul>{{range .Scopes}}<li>{{.}}</li>{{end}}</ul>
{{if .Problem}}<p role="alert">{{.Problem}}</p>{{end}}
<form method="post" action="/i/oauth2/authorize">
<input type="hidden" name="ticket" value="{{.Ticket}}">
<p><label for="username">Sign in as</label> <input id="username" name="username" autocomplete="username"></p>
<p><button type="submit" name="decision" value="authorize">Authorize app</button>
<button type="submit" name="decision" value="cancel">Cancel</button></p>
</form>
</main>
</body>
</html>
`))

func (s *Server) showConsent(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	parameters := []string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}
	if name := notOnce(query, parameters); name != "" {
		refuseConsent(w, "the parameter "+name+" is unknown, missing or doubled")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.appBy(func(app *appRecord) bool { return app.ClientID == query.Get("client_id") })
	scopes := strings.Fields(query.Get("scope"))
	challenge, err := base64.RawURLEncoding.DecodeString(query.Get("code_challenge"))
	switch {
	case app == nil:
		refuseConsent(w, "the application is unknown")
	case !slices.Contains(app.RedirectURLs, query.Get("redirect_uri")):
		refuseConsent(w, "the application does not come back to this URL")
	case query.Get("response_type") != "code" || query.Get("code_challenge_method") != "S256":
		refuseConsent(w, "only codes with a S256 challenge are given")
	case err != nil || len(challenge) != sha256.Size:
		refuseConsent(w, "the challenge is not one of S256")
	case query.Get("state") == "" || len(query.Get("state")) > 500:
		refuseConsent(w, "the state is empty or longer than 500 characters")
	case len(scopes) == 0 || slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(Scopes(), scope) }):
		refuseConsent(w, "a scope is unknown")
	default:
		ticket := s.secret("ticket")
		s.pending[ticket] = &pending{app, query.Get("redirect_uri"), query.Get("state"), query.Get("code_challenge"), scopes}
		s.renderConsent(w, http.StatusOK, ticket, "")
	}
}

// notOnce gives the first parameter that is not there exactly once, or that is
// not in the list.
func notOnce(values url.Values, names []string) string {
	for _, name := range names {
		if len(values[name]) != 1 {
			return name
		}
	}
	return unknownParameter(values, names)
}

func unknownParameter(values url.Values, known []string) string {
	for name, content := range values {
		if !slices.Contains(known, name) || len(content) > 1 {
			return name
		}
	}
	return ""
}

func refuseConsent(w http.ResponseWriter, why string) {
	http.Error(w, "Something went wrong: "+why, http.StatusBadRequest)
}

// renderConsent shows the page; the lock is held.
func (s *Server) renderConsent(w http.ResponseWriter, status int, ticket, problem string) {
	shown := s.pending[ticket]
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = consentPage.Execute(w, map[string]any{"App": shown.app.Name, "Scopes": shown.scopes, "Ticket": ticket, "Problem": problem})
}

func (s *Server) decideConsent(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil || unknownParameter(r.PostForm, []string{"ticket", "username", "decision"}) != "" {
		refuseConsent(w, "the form is not the page's")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ticket := r.PostForm.Get("ticket")
	shown := s.pending[ticket]
	if shown == nil {
		refuseConsent(w, "the page has expired")
		return
	}
	back := url.Values{"state": {shown.state}}
	switch r.PostForm.Get("decision") {
	case "cancel":
		back.Set("error", "access_denied")
	case "authorize":
		account := s.accountNamed(strings.TrimPrefix(r.PostForm.Get("username"), "@"))
		if account == nil {
			s.renderConsent(w, http.StatusUnprocessableEntity, ticket, "There is no account of that name.")
			return
		}
		code := s.secret("code")
		s.codes[code] = &codeRecord{
			grant: &grant{account: account.ID, app: shown.app.ID, scopes: shown.scopes}, redirectURL: shown.redirectURL, challenge: shown.challenge,
		}
		back.Set("code", code)
	default:
		refuseConsent(w, "the form is not the page's")
		return
	}
	delete(s.pending, ticket)
	separator := "?"
	if strings.Contains(shown.redirectURL, "?") {
		separator = "&"
	}
	http.Redirect(w, r, shown.redirectURL+separator+back.Encode(), http.StatusFound)
}

func (s *Server) accountNamed(username string) *accountRecord {
	for _, account := range s.accounts {
		if strings.EqualFold(account.Username, username) {
			return account
		}
	}
	return nil
}

// oauthForm reads the form of an OAuth endpoint and authenticates the client;
// the lock is held. It is false where it has refused.
func (s *Server) oauthForm(w http.ResponseWriter, r *http.Request, known ...string) (*appRecord, url.Values, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.URL.RawQuery != "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "strict: the body must be a form, and there must be no query")
		return nil, nil, false
	}
	if name := unknownParameter(r.PostForm, append(known, "client_id")); name != "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "strict: unknown or doubled parameter "+name)
		return nil, nil, false
	}
	id, secret, basic := basicAuth(r)
	id = cmp.Or(id, r.PostForm.Get("client_id"))
	app := s.appBy(func(app *appRecord) bool { return app.ClientID == id })
	switch {
	case app == nil:
		oauthError(w, http.StatusUnauthorized, "invalid_client", "Value passed for the client was invalid.")
	case app.ClientSecret != "" && !basic:
		oauthError(w, http.StatusUnauthorized, "unauthorized_client", "Missing valid authorization header")
	case app.ClientSecret == "" && basic, subtle.ConstantTimeCompare([]byte(secret), []byte(app.ClientSecret)) != 1:
		oauthError(w, http.StatusUnauthorized, "invalid_client", "Value passed for the client was invalid.")
	default:
		return app, r.PostForm, true
	}
	return nil, nil, false
}

// basicAuth reads the client's credentials, which are encoded as in a form
// (RFC 6749, section 2.3.1).
func basicAuth(r *http.Request) (id, secret string, ok bool) {
	id, secret, ok = r.BasicAuth()
	if !ok {
		return "", "", false
	}
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	return id, secret, errID == nil && errSecret == nil
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, form, ok := s.oauthForm(w, r, "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token")
	if !ok {
		return
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		s.redeemCode(w, app, form)
	case "refresh_token":
		s.redeemRefresh(w, app, form)
	default:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "strict: unknown grant type")
	}
}

func (s *Server) redeemCode(w http.ResponseWriter, app *appRecord, form url.Values) {
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if form.Get(name) == "" {
			oauthError(w, http.StatusBadRequest, "invalid_request", "Missing required parameter ["+name+"].")
			return
		}
	}
	code := s.codes[form.Get("code")]
	hashed := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case code == nil || code.used || code.grant.app != app.ID:
		if code != nil && code.used {
			code.grant.dead = true // RFC 6749, section 4.1.2
		}
		oauthError(w, http.StatusBadRequest, "invalid_request", "Value passed for the authorization code was invalid.")
	case code.redirectURL != form.Get("redirect_uri"):
		oauthError(w, http.StatusBadRequest, "invalid_request", "Value passed for the redirect uri did not match the uri of the authorization code.")
	case code.challenge != base64.RawURLEncoding.EncodeToString(hashed[:]):
		oauthError(w, http.StatusBadRequest, "invalid_request", "Value passed for the code verifier did not match the code challenge.")
	default:
		code.used = true
		tokens, _ := s.issue(code.grant)
		sendTokens(w, tokens)
	}
}

func (s *Server) redeemRefresh(w http.ResponseWriter, app *appRecord, form url.Values) {
	if unknownParameter(form, []string{"grant_type", "refresh_token", "client_id"}) != "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "strict: a parameter of another grant type")
		return
	}
	record := s.refreshes[form.Get("refresh_token")]
	switch {
	case record == nil || record.grant.app != app.ID:
		oauthError(w, http.StatusBadRequest, "invalid_request", "Value passed for the token was invalid.")
		return
	case record.grant.dead:
		oauthError(w, http.StatusBadRequest, "invalid_grant", "Value passed for the token was invalid.")
		return
	case record.next != nil && record.outlived():
		record.grant.dead = true
		oauthError(w, http.StatusBadRequest, "invalid_grant", "Value passed for the token was invalid.")
		return
	case record.next != nil && !s.options.grace:
		oauthError(w, http.StatusBadRequest, "invalid_request", "Value passed for the token was invalid.")
		return
	}
	tokens, access := s.issue(record.grant)
	record.next, record.nextAccess = s.refreshes[tokens.Refresh], access
	sendTokens(w, tokens)
}

func sendTokens(w http.ResponseWriter, tokens Tokens) {
	body := map[string]any{
		"token_type": "bearer", "access_token": tokens.Access, "expires_in": int(tokens.ExpiresIn.Seconds()), "scope": strings.Join(tokens.Scopes, " "),
	}
	if tokens.Refresh != "" {
		body["refresh_token"] = tokens.Refresh
	}
	sendJSON(w, http.StatusOK, body)
}

// revoke takes back the token that is named and no other.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, form, ok := s.oauthForm(w, r, "token", "token_type_hint")
	if !ok {
		return
	}
	if form.Get("token") == "" || !slices.Contains([]string{"", "access_token", "refresh_token"}, form.Get("token_type_hint")) {
		oauthError(w, http.StatusBadRequest, "invalid_request", "Missing required parameter [token].")
		return
	}
	if access := s.accesses[form.Get("token")]; access != nil && access.grant.app == app.ID {
		access.revoked = true
	}
	if refresh := s.refreshes[form.Get("token")]; refresh != nil && refresh.grant.app == app.ID {
		refresh.grant.dead = true
	}
	sendJSON(w, http.StatusOK, map[string]any{"revoked": true})
}

func oauthError(w http.ResponseWriter, status int, code, description string) {
	sendJSON(w, status, map[string]string{"error": code, "error_description": description})
}
