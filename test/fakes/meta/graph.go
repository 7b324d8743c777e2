// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxForm bounds a request's body.
const maxForm = 64 << 10

// request is a request that was let in.
type request struct {
	*http.Request

	form   url.Values
	target string       // the node, where the path names one
	access string       // the token as sent
	token  *tokenRecord // nil for nobody's and for an app's own
	app    *appRecord   // of the token; nil for nobody's
	isApp  bool         // the token is the app's own
}

// route is one thing that the server can be asked. It gives an answer to be
// written as JSON, or a refusal.
type route struct {
	parameters []string
	serve      func(*Server, *request) (any, *graphFailure)
}

// routes by method and path; a * is a node.
func routes() map[string]route {
	posts := []string{"fields", "limit", "since", "until", "after"}
	return map[string]route{
		"GET me":                   {[]string{"fields"}, (*Server).me},
		"GET me/accounts":          {[]string{"fields", "limit", "after"}, (*Server).accounts},
		"GET debug_token":          {[]string{"input_token"}, (*Server).debugToken},
		"GET oauth/access_token":   {[]string{"grant_type", "client_id", "client_secret", "fb_exchange_token", "redirect_uri", "code", "code_verifier"}, (*Server).accessToken},
		"GET *":                    {[]string{"fields"}, (*Server).page},
		"GET */subscriptions":      {nil, (*Server).appHooks},
		"POST */subscriptions":     {[]string{"object", "callback_url", "verify_token", "fields", "include_values"}, (*Server).setAppHook},
		"DELETE */subscriptions":   {[]string{"object"}, (*Server).deleteAppHook},
		"GET */subscribed_apps":    {nil, (*Server).pageHooks},
		"POST */subscribed_apps":   {[]string{"subscribed_fields"}, (*Server).setPageHook},
		"DELETE */subscribed_apps": {nil, (*Server).deletePageHook},
		"GET */published_posts":    {posts, (*Server).publishedPosts},
		"GET */tagged":             {posts, (*Server).taggedPosts},
	}
}

// handler lets requests in: one at a time, which is plenty for tests.
func (s *Server) handler() http.Handler {
	known := routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Facebook-Api-Version", Version)
		form, err := readForm(r)
		path, versioned := strings.CutPrefix(r.URL.Path, "/"+Version+"/")
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case err != nil:
			send(w, nil, strictly("the form cannot be read"))
			return
		case !versioned:
			send(w, nil, refuse(2500, 0, "Unknown path components: "+r.URL.Path))
			return
		case path == "dialog/oauth":
			s.dialog(w, r, form)
			return
		}
		in := &request{Request: r, form: form}
		found, ok := known[r.Method+" "+path]
		if node, rest, _ := strings.Cut(path, "/"); !ok {
			in.target = node
			found, ok = known[strings.TrimSuffix(r.Method+" */"+rest, "/")]
		}
		if !ok {
			send(w, nil, refuse(2500, 0, "Unknown path components: "+r.URL.Path))
			return
		}
		if refused := s.admit(in, found.parameters); refused != nil {
			send(w, nil, refused)
			return
		}
		answer, refused := found.serve(s, in)
		send(w, answer, refused)
	})
}

func readForm(r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if r.Method != http.MethodPost {
		_, err := io.Copy(io.Discard, r.Body)
		return r.URL.Query(), err
	}
	err := r.ParseForm()
	return r.Form, err
}

// admit looks at parameters, token and proof.
func (s *Server) admit(r *request, parameters []string) *graphFailure {
	for name, values := range r.form {
		if name != "access_token" && name != "appsecret_proof" && !slices.Contains(parameters, name) {
			return strictly("unknown parameter " + name)
		}
		if len(values) != 1 {
			return strictly("more than one " + name)
		}
	}
	r.access = r.form.Get("access_token")
	if headers := r.Header.Values("Authorization"); len(headers) == 1 && r.access == "" {
		r.access = strings.TrimPrefix(headers[0], "Bearer ")
	}
	if r.access == "" {
		return nil // the routes say what they need
	}
	if id, secret, isApp := strings.Cut(r.access, "|"); isApp {
		app := s.apps[id]
		if app == nil || !hmac.Equal([]byte(app.Secret), []byte(secret)) {
			return refuse(190, 0, "Invalid OAuth access token signature.")
		}
		r.app, r.isApp = app, true
		return nil
	}
	token := s.tokens[r.access]
	if token == nil {
		return refuse(190, 0, "Invalid OAuth access token - Cannot parse access token")
	}
	if dead := s.deadBy(token); dead != 0 {
		return refuse(190, dead, "Error validating access token")
	}
	r.token, r.app = token, s.apps[token.app]
	return s.checkProof(r)
}

func (s *Server) checkProof(r *request) *graphFailure {
	given := r.form.Get("appsecret_proof")
	if given == "" {
		if s.options.requireProof {
			return refuse(100, 0, "API calls from the server require an appsecret_proof argument")
		}
		return nil
	}
	if !hmac.Equal([]byte(given), []byte(hex.EncodeToString(sign([]byte(r.app.Secret), []byte(r.access))))) {
		return refuse(100, 0, "Invalid appsecret_proof provided in the API argument")
	}
	return nil
}

func sign(key, content []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(content)
	return mac.Sum(nil)
}

func send(w http.ResponseWriter, answer any, refused *graphFailure) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if refused != nil {
		w.WriteHeader(refused.status)
		_, _ = io.WriteString(w, refused.body())
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // a client that has gone away is no matter of the server's
}

// needsUser refuses whoever is not a person or a system user.
func (r *request) needsUser() *graphFailure {
	switch {
	case r.token == nil:
		return refuse(2500, 0, "An active access token must be used to query information about the current user.")
	case r.token.kind == pageToken:
		return refuse(100, 0, "Tried accessing a nonexisting field on node type (Page)")
	}
	return nil
}

// needsApp refuses all tokens but the own one of the app that the path names.
func (r *request) needsApp() *graphFailure {
	switch {
	case !r.isApp:
		return refuse(15, 0, "This method must be called with an app access_token.")
	case r.target != r.app.ID:
		return refuse(100, 33, "Unsupported request: the object does not exist or cannot be loaded due to missing permissions")
	}
	return nil
}

// needsPage gives the Page that the path names, where the token is its own and
// has the permissions.
func (s *Server) needsPage(r *request, permissions ...string) (*pageRecord, *graphFailure) {
	page := s.pages[r.target]
	switch {
	case r.token == nil:
		return nil, refuse(104, 0, "An access token is required to request this resource.")
	case page == nil || r.token.kind == pageToken && r.token.page != page.ID:
		return nil, refuse(100, 33, "Unsupported request: the object does not exist or cannot be loaded due to missing permissions")
	case r.token.kind != pageToken:
		return nil, &graphFailure{status: http.StatusForbidden, code: 210, message: "A page access token is required to request this resource."}
	}
	for _, permission := range permissions {
		if !slices.Contains(r.token.scopes, permission) {
			return nil, &graphFailure{status: http.StatusForbidden, code: 200, message: "Requires " + permission + " permission"}
		}
	}
	return page, nil
}
