// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxForm bounds a request's body.
const maxForm = 64 << 10

// multipartMemory is how much of a multipart form is held in memory: all that
// maxForm lets through.
const multipartMemory = maxForm

// route is one thing that the server can be asked.
type route struct {
	parameters []string
	serve      func(*Server, http.ResponseWriter, *request)
}

// request is a request that was let in.
type request struct {
	*http.Request

	form   url.Values
	access string       // the token as sent; empty where none was
	token  *tokenRecord // nil where it is unknown
}

func (s *Server) routes() map[string]route {
	routes := map[string]route{
		"GET /api/v1/instance":                    {serve: (*Server).instanceV1},
		"GET /api/v2/instance":                    {serve: (*Server).instanceV2},
		"GET /api/v1/accounts/verify_credentials": {serve: (*Server).verifyAccount},
		"GET /api/v1/apps/verify_credentials":     {serve: (*Server).verifyApp},
		"POST /oauth/revoke":                      {parameters: []string{"client_id", "client_secret", "token"}, serve: (*Server).revokeToken},
		"GET /.well-known/nodeinfo":               {serve: (*Server).nodeInfoLinks},
		"GET /nodeinfo/2.0":                       {serve: (*Server).nodeInfo},
		"GET /api/v1/directory":                   {parameters: []string{"local", "order", "limit", "offset"}, serve: (*Server).directory},
		"GET /api/v1/notifications":               {parameters: append(paging(), "types[]", "exclude_types[]", "account_id"), serve: (*Server).listNotifications},
		"GET " + oneNotification:                  {serve: (*Server).showNotification},
		"GET " + ownStatuses:                      {parameters: append(paging(), "exclude_reblogs", "exclude_replies", "only_media", "pinned", "tagged"), serve: (*Server).listStatuses},
		"GET " + pathPush:                         {serve: (*Server).showSubscription},
		"POST " + pathPush:                        {parameters: append(pushData(), "subscription[endpoint]", "subscription[keys][p256dh]", "subscription[keys][auth]", "subscription[standard]"), serve: (*Server).subscribe},
		"PUT " + pathPush:                         {parameters: pushData(), serve: (*Server).changeSubscription},
		"DELETE " + pathPush:                      {serve: (*Server).unsubscribe},
		"POST /api/v1/apps":                       {parameters: []string{"client_name", "redirect_uris", "scopes", "website"}, serve: (*Server).registerApp},
		"GET " + pathAuthorize:                    {parameters: consentParameters(), serve: (*Server).showConsent},
		"POST " + pathAuthorize:                   {parameters: append(consentParameters(), "username", "decision"), serve: (*Server).decideConsent},
		"POST /oauth/token":                       {parameters: []string{"grant_type", "code", "client_id", "client_secret", "redirect_uri", "code_verifier", "scope"}, serve: (*Server).giveToken},
	}
	if s.options.withoutV2 {
		delete(routes, "GET /api/v2/instance")
	}
	if !s.dialect.hasDirectory || s.options.withoutList {
		delete(routes, "GET /api/v1/directory")
	}
	if !s.dialect.asksAboutApps {
		delete(routes, "GET /api/v1/apps/verify_credentials")
	}
	return routes
}

// handler lets requests in: one at a time, which is plenty for tests.
func (s *Server) handler() http.Handler {
	routes := s.routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, err := readForm(r)
		if err != nil {
			send(w, http.StatusBadRequest, oauthError("invalid_request", err.Error()))
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if refused := s.refuseAgent(r); refused != nil {
			send(w, refused.status, errorText(refused.text))
			return
		}
		in := &request{Request: r, form: form}
		in.access, in.token = s.authenticate(r)
		if s.limited(w, in) {
			s.refuse(w, reasonRateLimited)
			return
		}
		found, ok := routes[r.Method+" "+pattern(r.URL.Path)]
		if !ok { // a wrong method is an unknown route to both servers
			s.refuse(w, reasonNotFound)
			return
		}
		if unknown := unknownParameter(form, found.parameters); unknown != "" {
			send(w, http.StatusBadRequest, errorText("strict: unknown parameter "+unknown))
			return
		}
		found.serve(s, w, in)
	})
}

// pattern is the route of a path: one with an ID in it stands for all.
func pattern(path string) string {
	for _, route := range []string{ownStatuses, oneNotification} {
		before, after, _ := strings.Cut(route, ":id")
		id, begins := strings.CutPrefix(path, before)
		id, ends := strings.CutSuffix(id, after)
		if begins && ends && id != "" && !strings.Contains(id, "/") {
			return route
		}
	}
	return path
}

func (s *Server) refuseAgent(r *http.Request) *refusal {
	if s.dialect.wantsUserAgent && r.UserAgent() == "" {
		return &refusal{http.StatusTeapot, "I'm a teapot: no user-agent sent with request"}
	}
	accept := r.Header.Get("Accept")
	if s.dialect.negotiates && r.URL.Path != pathAuthorize && accept != "" && !strings.Contains(accept, "application/json") && !strings.Contains(accept, "*/*") {
		return &refusal{http.StatusNotAcceptable, "Not Acceptable: this endpoint offers application/json"}
	}
	return nil
}

// readForm gives the parameters of a request. A body of a type that the
// servers do not read counts as none, as it does with them.
func readForm(r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		mediaType = ""
	}
	switch mediaType {
	case "application/x-www-form-urlencoded":
		err = r.ParseForm()
	case "multipart/form-data":
		err = r.ParseMultipartForm(multipartMemory)
	case "application/json":
		return readJSON(r)
	default:
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		return r.URL.Query(), nil
	}
	return r.Form, err
}

func readJSON(r *http.Request) (url.Values, error) {
	values := r.URL.Query()
	object := map[string]string{}
	if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
		return nil, fmt.Errorf("the body is not an object of strings: %w", err)
	}
	for name, value := range object {
		values.Set(name, value)
	}
	return values, nil
}

func unknownParameter(form url.Values, known []string) string {
	for name := range form {
		if !slices.Contains(known, name) {
			return name
		}
	}
	return ""
}

// authenticate reads the bearer token (RFC 6750, section 2.1): exactly
// "Bearer", one space, and the token.
func (s *Server) authenticate(r *http.Request) (access string, known *tokenRecord) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", nil
	}
	access, ok := strings.CutPrefix(headers[0], "Bearer ")
	if !ok || access == "" || strings.ContainsAny(access, " ,") {
		return "", nil
	}
	return access, s.tokens[access]
}

// authorise gives the request's token where it has one of the scopes and is
// good; else it refuses.
func (s *Server) authorise(w http.ResponseWriter, r *request, scopes ...string) *tokenRecord {
	switch {
	case r.token == nil:
		s.refuse(w, reasonUnknownToken)
	case r.token.revoked:
		s.refuse(w, reasonRevokedToken)
	case len(scopes) > 0 && !slices.ContainsFunc(scopes, func(scope string) bool { return permits(r.token.scopes, scope) }):
		s.refuse(w, reasonScope)
	default:
		return r.token
	}
	return nil
}

func (s *Server) verifyAccount(w http.ResponseWriter, r *request) {
	authorised := s.authorise(w, r, s.dialect.identityScopes...)
	switch {
	case authorised == nil:
	case authorised.account == nil:
		s.refuse(w, reasonNoUser)
	case authorised.account.state != Active:
		s.refuse(w, s.dialect.stateRefusals[authorised.account.state])
	default:
		send(w, http.StatusOK, s.credentialAccount(authorised.account))
	}
}

func (s *Server) verifyApp(w http.ResponseWriter, r *request) {
	var scopes []string
	if !s.dialect.readsAppScopes {
		scopes = []string{"read"} // before 4.3 this needed a scope, and a whole one
	}
	authorised := s.authorise(w, r, scopes...)
	if authorised == nil {
		return
	}
	app := map[string]any{"id": "563419", "name": authorised.app.Name, "website": nil, "vapid_key": "BEqO5r"}
	if s.dialect.readsAppScopes {
		app["scopes"] = authorised.app.Scopes
		app["redirect_uris"] = []string{"urn:ietf:wg:oauth:2.0:oob"}
	}
	send(w, http.StatusOK, app)
}

// revokeToken answers POST /oauth/revoke. A token that nobody holds is a
// success; Mastodon authenticates the client first, GoToSocial looks the token
// up first.
func (s *Server) revokeToken(w http.ResponseWriter, r *request) {
	access, clientID, clientSecret := r.form.Get("token"), r.form.Get("client_id"), r.form.Get("client_secret")
	for _, name := range []string{"token", "client_id", "client_secret"} {
		if s.dialect.revokeNeedsAll && r.form.Get(name) == "" {
			send(w, http.StatusBadRequest, oauthError("invalid_request", "Bad Request: "+name+" not set"))
			return
		}
	}
	app, known := s.apps[clientID]
	authentic := known && subtle.ConstantTimeCompare([]byte(app.ClientSecret), []byte(clientSecret)) == 1
	held := s.tokens[access]
	switch {
	case held == nil && (authentic || s.dialect.revokeNeedsAll):
		send(w, http.StatusOK, struct{}{})
	case held == nil, !authentic, held.app.ClientID != clientID:
		send(w, http.StatusForbidden, oauthError("unauthorized_client", "You are not authorized to revoke this token"))
	default:
		s.revoke(access)
		send(w, http.StatusOK, struct{}{})
	}
}

func (s *Server) refuse(w http.ResponseWriter, why reason) {
	refused := s.dialect.refuse(why)
	if refused.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Doorkeeper", error="invalid_token"`)
	}
	send(w, refused.status, errorText(refused.text))
}

func errorText(text string) map[string]string { return map[string]string{"error": text} }

func oauthError(code, description string) map[string]string {
	return map[string]string{"error": code, "error_description": description}
}

func send(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone away is no matter of the server's
}
