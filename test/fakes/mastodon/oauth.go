// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"crypto/sha256"
	"crypto/subtle"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	pathAuthorize = "/oauth/authorize"
	// codeLife is how long a code can be redeemed.
	codeLife = 10 * time.Minute

	decisionAuthorize = "authorize"
	decisionDeny      = "deny"
)

// challenge is what an S256 code challenge looks like (RFC 7636, section 4.2).
var challenge = regexp.MustCompile(`^[0-9A-Za-z_-]{43}$`)

// grantRecord is a consent that was given and not redeemed.
type grantRecord struct {
	app         App
	account     *accountRecord
	scopes      []string
	redirectURI string
	challenge   string
	expires     time.Time
}

// NarrowGrants lets tokens that are given for a consent have these scopes alone,
// which the application must have, whatever was consented to.
func (s *Server) NarrowGrants(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.narrowed = scopes
}

// knownScopes are those that an application can be registered with.
func knownScopes() []string {
	return []string{
		"read", "read:accounts", "read:notifications", "read:statuses", "write", "write:statuses", "follow", "push", "profile",
	}
}

// registerApp answers POST /api/v1/apps.
func (s *Server) registerApp(w http.ResponseWriter, r *request) {
	name, redirect := r.form.Get("client_name"), r.form.Get("redirect_uris")
	scopes := strings.Fields(r.form.Get("scopes"))
	if len(scopes) == 0 {
		scopes = []string{"read"}
	}
	parsed, err := url.Parse(redirect)
	switch {
	case name == "":
		send(w, http.StatusUnprocessableEntity, errorText("Validation failed: Application name can't be blank"))
		return
	case err != nil || !parsed.IsAbs() || parsed.Fragment != "":
		send(w, http.StatusUnprocessableEntity, errorText("Validation failed: Redirect URI must be an absolute URI."))
		return
	case slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(knownScopes(), scope) }):
		send(w, http.StatusUnprocessableEntity, errorText("Validation failed: Scopes doesn't match configured on the server."))
		return
	}
	app := s.addApp(name, scopes, redirect)
	send(w, http.StatusOK, map[string]any{
		"id": "563419", "name": app.Name, "website": r.form.Get("website"), "scopes": app.Scopes,
		"redirect_uri": redirect, "redirect_uris": app.RedirectURIs,
		"client_id": app.ClientID, "client_secret": app.ClientSecret, "client_secret_expires_at": 0,
		"vapid_key": s.vapid.public + "=",
	})
}

func consentParameters() []string {
	return []string{
		"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "force_login", "lang",
	}
}

// consent is one person's way through the consent page.
type consent struct {
	app    App
	scopes []string
}

// readConsent reads a request for consent. What is wrong with the application
// or where it wants the person sent is told to the person; the rest is told to
// the application, by an error code (RFC 6749, section 4.1.2.1).
func (s *Server) readConsent(form url.Values) (asked consent, problem, code string) {
	app, ok := s.apps[form.Get("client_id")]
	if !ok {
		return consent{}, "Client authentication failed due to unknown client.", ""
	}
	if !slices.Contains(app.RedirectURIs, form.Get("redirect_uri")) {
		return consent{}, "The redirect uri included is not valid.", ""
	}
	asked = consent{app: app, scopes: strings.Fields(form.Get("scope"))}
	if len(asked.scopes) == 0 {
		asked.scopes = []string{"read"}
	}
	switch {
	case form.Get("response_type") != "code":
		return asked, "", "unsupported_response_type"
	case slices.ContainsFunc(asked.scopes, func(scope string) bool { return !permits(app.Scopes, scope) }):
		return asked, "", "invalid_scope"
	case s.dialect.asksChallenge && (form.Get("code_challenge_method") != "S256" || !challenge.MatchString(form.Get("code_challenge"))):
		return asked, "", "invalid_code_challenge_method"
	}
	return asked, "", ""
}

// showConsent answers GET /oauth/authorize. The person is always signed out, as
// with force_login.
func (s *Server) showConsent(w http.ResponseWriter, r *request) {
	s.consentPage(w, r, http.StatusOK, "")
}

// decideConsent answers the form.
func (s *Server) decideConsent(w http.ResponseWriter, r *request) {
	asked, problem, code := s.readConsent(r.form)
	switch {
	case problem != "" || code != "":
		s.consentPage(w, r, http.StatusOK, "")
		return
	case r.form.Get("decision") == decisionDeny:
		sendBack(w, r, url.Values{
			"error": {"access_denied"}, "error_description": {"The resource owner or authorization server denied the request."},
		})
		return
	case r.form.Get("decision") != decisionAuthorize:
		s.consentPage(w, r, http.StatusBadRequest, "Press one of the two buttons.")
		return
	}
	account := s.named(r.form.Get("username"))
	if account == nil {
		s.consentPage(w, r, http.StatusUnprocessableEntity, "There is no account of that name.")
		return
	}
	given := s.secret("code")
	s.grants[given] = &grantRecord{
		app: asked.app, account: account, scopes: asked.scopes, redirectURI: r.form.Get("redirect_uri"),
		challenge: r.form.Get("code_challenge"), expires: s.now().Add(codeLife),
	}
	sendBack(w, r, url.Values{"code": {given}})
}

func (s *Server) named(username string) *accountRecord {
	for _, account := range s.accounts {
		if username != "" && account.username == strings.ToLower(strings.TrimPrefix(strings.TrimSpace(username), "@")) {
			return account
		}
	}
	return nil
}

// sendBack sends the person back to the application.
func sendBack(w http.ResponseWriter, r *request, result url.Values) {
	target, err := url.Parse(r.form.Get("redirect_uri"))
	if err != nil {
		panic("mastodonfake: a redirect URI was registered that cannot be read")
	}
	query := target.Query()
	maps.Copy(query, result)
	if state := r.form.Get("state"); state != "" {
		query.Set("state", state)
	}
	target.RawQuery = query.Encode()
	w.Header().Set("Location", target.String())
	w.WriteHeader(http.StatusFound)
}

// consentTemplate is plain HTML: it works without scripts and with a keyboard.
var consentTemplate = template.Must(template.New("consent").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Authorization required</title></head>
<body>
<main>
<h1>Authorization required</h1>
{{if .Problem}}<p role="alert">{{.Problem}}</p>{{end}}
{{if .App}}<p>{{.App}} would like permission to access your account.</p>
<ul>{{range .Scopes}}<li>{{.}}</li>{{end}}</ul>
<form method="post" action="` + pathAuthorize + `">
{{range .Hidden}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">
{{end}}<p><label for="username">Username</label>
<input id="username" name="username" autocomplete="username" required></p>
<button type="submit" name="decision" value="` + decisionAuthorize + `">Authorize</button>
<button type="submit" name="decision" value="` + decisionDeny + `" formnovalidate>Deny</button>
</form>{{end}}
</main>
</body>
</html>
`))

type hiddenField struct{ Name, Value string }

func (s *Server) consentPage(w http.ResponseWriter, r *request, status int, hint string) {
	asked, problem, code := s.readConsent(r.form)
	if code != "" {
		sendBack(w, r, url.Values{"error": {code}})
		return
	}
	page := struct {
		Problem, App string
		Scopes       []string
		Hidden       []hiddenField
	}{Problem: hint}
	if problem != "" {
		status, page.Problem = http.StatusBadRequest, problem
	} else {
		page.App, page.Scopes = asked.app.Name, asked.scopes
		for _, name := range consentParameters() {
			if value := r.form.Get(name); value != "" {
				page.Hidden = append(page.Hidden, hiddenField{name, value})
			}
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = consentTemplate.Execute(w, page) // a browser that has gone away is no matter of the server's
}

// giveToken answers POST /oauth/token for a code.
func (s *Server) giveToken(w http.ResponseWriter, r *request) {
	app, known := s.apps[r.form.Get("client_id")]
	if !known || subtle.ConstantTimeCompare([]byte(app.ClientSecret), []byte(r.form.Get("client_secret"))) != 1 {
		send(w, http.StatusUnauthorized, oauthError("invalid_client", "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method."))
		return
	}
	switch {
	case r.form.Get("grant_type") != "authorization_code":
		send(w, http.StatusBadRequest, oauthError("unsupported_grant_type", "The authorization grant type is not supported by the authorization server."))
		return
	case r.form.Get("code") == "" || r.form.Get("redirect_uri") == "":
		send(w, http.StatusBadRequest, oauthError("invalid_request", "The request is missing a required parameter."))
		return
	}
	grant := s.grants[r.form.Get("code")]
	if grant == nil || grant.app.ClientID != app.ClientID || grant.redirectURI != r.form.Get("redirect_uri") ||
		!s.now().Before(grant.expires) || !s.answers(grant, r.form.Get("code_verifier")) {
		send(w, http.StatusBadRequest, oauthError("invalid_grant", "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client."))
		return
	}
	delete(s.grants, r.form.Get("code"))
	scopes := grant.scopes
	if s.narrowed != nil {
		scopes = slices.DeleteFunc(slices.Clone(s.narrowed), func(scope string) bool { return !slices.Contains(scopes, scope) })
	}
	send(w, http.StatusOK, map[string]any{
		"access_token": s.issue(grant.account, app, scopes), "token_type": "Bearer",
		"scope": strings.Join(scopes, " "), "created_at": s.now().Unix(),
	})
}

// answers tells whether the verifier is that of the grant's challenge. Servers
// that know no challenge do not look.
func (s *Server) answers(grant *grantRecord, verifier string) bool {
	if !s.dialect.asksChallenge {
		return true
	}
	digest := sha256.Sum256([]byte(verifier))
	return encode64(digest[:]) == grant.challenge
}
