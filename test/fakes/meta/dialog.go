// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// dialogRecord is one person's way through the consent page.
type dialogRecord struct {
	app       string
	redirect  string
	state     string
	challenge string
	scopes    []string
}

// consentPage is plain: no script, labels on everything.
var consentPage = template.Must(template.New("consent").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Log in with Facebook</title></head>
<body>
<h1>{{.App}} asks for access</h1>
<form method="post" action="{{.Action}}">
<input type="hidden" name="dialog" value="{{.Key}}">
<p><label for="user">Who are you?</label>
<select id="user" name="user">{{range .Users}}<option value="{{.ID}}">{{.Name}}</option>{{end}}</select></p>
<fieldset><legend>Pages</legend>
{{range .Pages}}<p><label><input type="checkbox" name="page" value="{{.ID}}" checked> {{.Name}}</label></p>
{{end}}</fieldset>
<fieldset><legend>Permissions</legend>
{{range .Scopes}}<p><label><input type="checkbox" name="scope" value="{{.}}" checked> {{.}}</label></p>
{{end}}</fieldset>
<p><button type="submit" name="action" value="continue">Continue</button>
<button type="submit" name="action" value="cancel">Cancel</button></p>
</form>
</body>
</html>
`))

// dialog shows the consent page, and takes what was chosen there.
func (s *Server) dialog(w http.ResponseWriter, r *http.Request, form url.Values) {
	if r.Method == http.MethodPost {
		s.decide(w, r, form)
		return
	}
	asked, err := s.readDialog(form)
	if err != nil {
		http.Error(w, "Sorry, something went wrong: "+err.Error(), http.StatusBadRequest)
		return
	}
	key := s.secret("dialog")
	s.dialogs[key] = asked
	shown := struct {
		App, Action, Key string
		Users            []User
		Pages            []Page
		Scopes           []string
	}{App: s.apps[asked.app].Name, Action: r.URL.Path, Key: key, Scopes: asked.scopes}
	for _, user := range s.users {
		if !user.isSystem {
			shown.Users = append(shown.Users, user.User)
		}
	}
	slices.SortFunc(shown.Users, func(a, b User) int { return strings.Compare(a.ID, b.ID) })
	for _, id := range s.order {
		shown.Pages = append(shown.Pages, s.pages[id].Page)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = consentPage.Execute(w, shown) // a browser that has gone away is no matter of the server's
}

var challengeForm = regexp.MustCompile(`^[0-9A-Za-z_-]{43}$`)

// readDialog is strict about what an app asks for.
func (s *Server) readDialog(form url.Values) (*dialogRecord, error) {
	for name, values := range form {
		known := []string{"client_id", "redirect_uri", "state", "scope", "response_type", "auth_type", "code_challenge", "code_challenge_method"}
		if !slices.Contains(known, name) || len(values) != 1 {
			return nil, errors.New("strict: unknown parameter " + name)
		}
	}
	app := s.apps[form.Get("client_id")]
	switch {
	case app == nil:
		return nil, errors.New("invalid app ID")
	case !slices.Contains(app.redirects, form.Get("redirect_uri")):
		return nil, errors.New("URL Blocked: the redirect URI is not in the app's settings")
	case form.Get("response_type") != "code", form.Get("state") == "":
		return nil, errors.New("strict: response_type is code, and there is a state")
	case form.Get("code_challenge_method") != "S256" || !challengeForm.MatchString(form.Get("code_challenge")):
		return nil, errors.New("strict: the challenge is an S256 one")
	}
	asked := &dialogRecord{app: app.ID, redirect: form.Get("redirect_uri"), state: form.Get("state"), challenge: form.Get("code_challenge")}
	for scope := range strings.SplitSeq(form.Get("scope"), ",") {
		if !slices.Contains(AllPermissions(), scope) {
			return nil, errors.New("Invalid Scopes: " + scope)
		}
		asked.scopes = append(asked.scopes, scope)
	}
	return asked, nil
}

// decide sends the person back, with a code or with an error.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, form url.Values) {
	asked := s.dialogs[form.Get("dialog")]
	delete(s.dialogs, form.Get("dialog"))
	user := s.users[form.Get("user")]
	if asked == nil || user == nil {
		http.Error(w, "Sorry, something went wrong", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {asked.state}}
	if form.Get("action") != "continue" {
		for name, value := range map[string]string{
			"error": "access_denied", "error_code": "200", "error_description": "Permissions error", "error_reason": "user_denied",
		} {
			back.Set(name, value)
		}
		http.Redirect(w, r, asked.redirect+"?"+back.Encode()+"#_=_", http.StatusFound)
		return
	}
	code := s.secret("code")
	granted := slices.DeleteFunc(slices.Clone(asked.scopes), func(scope string) bool { return !slices.Contains(form["scope"], scope) })
	s.codes[code] = &codeRecord{dialog: asked, user: user.ID, scopes: granted, pages: form["page"]}
	back.Set("code", code)
	http.Redirect(w, r, asked.redirect+"?"+back.Encode()+"#_=_", http.StatusFound)
}

// Choice is what a person chooses on the consent page.
type Choice struct {
	// User who consents.
	User User
	// Pages that are chosen.
	Pages []Page
	// Declined permissions.
	Declined []string
	// Cancel instead of consenting.
	Cancel bool
}

var dialogKey = regexp.MustCompile(`name="dialog" value="([^"]+)"`)

// Consent goes through the consent page as a person in a browser does, and gives
// where the person is sent back to.
func (s *Server) Consent(ctx context.Context, authorizationURL string, choice Choice) (string, error) {
	status, page, _, err := s.browse(ctx, http.MethodGet, authorizationURL, nil)
	if err != nil {
		return "", err
	}
	key := dialogKey.FindStringSubmatch(page)
	if status != http.StatusOK || key == nil {
		return "", fmt.Errorf("the consent page answered %d: %s", status, page)
	}
	form := url.Values{"dialog": {key[1]}, "user": {choice.User.ID}, "action": {"continue"}}
	if choice.Cancel {
		form.Set("action", "cancel")
	}
	for _, chosen := range choice.Pages {
		form.Add("page", chosen.ID)
	}
	for _, scope := range AllPermissions() {
		if !slices.Contains(choice.Declined, scope) {
			form.Add("scope", scope)
		}
	}
	status, page, location, err := s.browse(ctx, http.MethodPost, s.URL()+"/"+Version+"/dialog/oauth", form)
	if err == nil && status != http.StatusFound {
		err = fmt.Errorf("the consent page answered %d: %s", status, page)
	}
	return location, err
}

func (s *Server) browse(ctx context.Context, method, target string, form url.Values) (status int, body, location string, err error) {
	asking, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", "", err
	}
	if form != nil {
		asking.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := s.client.Do(asking)
	if err != nil {
		return 0, "", "", err
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, string(read), response.Header.Get("Location"), err
}
