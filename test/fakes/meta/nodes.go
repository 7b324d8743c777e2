// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// debugToken answers GET /debug_token.
func (s *Server) debugToken(r *request) (any, *graphFailure) {
	if !r.isApp {
		return nil, strictly("debug_token is asked with the app's own token")
	}
	token := s.tokens[r.form.Get("input_token")]
	if token == nil {
		return data(map[string]any{
			"error": map[string]any{"code": 190, "message": "Invalid OAuth access token."}, "is_valid": false, "scopes": []string{},
		}), nil
	}
	if token.app != r.app.ID {
		return nil, refuse(100, 0, "The App_id in the input_token did not match the Viewing App")
	}
	said := map[string]any{
		"app_id": token.app, "application": r.app.Name, "type": token.kind, "is_valid": true,
		"issued_at": token.issued.Unix(), "expires_at": unix(token.expires), "data_access_expires_at": unix(token.dataUntil),
		"scopes": token.scopes, "user_id": token.user,
	}
	if token.kind == pageToken {
		said["profile_id"] = token.page
	}
	if len(token.pages) > 0 {
		granular := []map[string]any{}
		for _, scope := range token.scopes {
			granular = append(granular, map[string]any{"scope": scope, "target_ids": token.pages})
		}
		said["granular_scopes"] = granular
	}
	if dead := s.deadBy(token); dead != 0 {
		said["is_valid"] = false
		said["error"] = map[string]any{"code": 190, "subcode": dead, "message": "Error validating access token"}
	}
	return data(said), nil
}

func data(content any) map[string]any { return map[string]any{"data": content} }

// unix writes a time as Meta does: 0 for never.
func unix(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix()
}

// accessToken answers GET /oauth/access_token: for a code, and for a token that
// is to be exchanged.
func (s *Server) accessToken(r *request) (any, *graphFailure) {
	app := s.apps[r.form.Get("client_id")]
	switch {
	case app == nil:
		return nil, refuse(101, 0, "Error validating application. Cannot get application info due to a system error.")
	case !hmac.Equal([]byte(app.Secret), []byte(r.form.Get("client_secret"))):
		return nil, refuse(1, 0, "Error validating client secret.")
	case r.form.Get("grant_type") == "fb_exchange_token":
		return s.exchange(app, r.form.Get("fb_exchange_token"))
	case r.form.Get("grant_type") != "":
		return nil, strictly("unknown grant_type")
	}
	return s.redeem(app, r)
}

func (s *Server) exchange(app *appRecord, access string) (any, *graphFailure) {
	old := s.tokens[access]
	switch {
	case old == nil || old.app != app.ID:
		return nil, refuse(190, 0, "Invalid OAuth access token.")
	case s.deadBy(old) != 0:
		return nil, refuse(190, s.deadBy(old), "Error validating access token")
	case old.kind == pageToken:
		return nil, strictly("a Page's token is not exchanged")
	}
	fresh := *old
	fresh.issued = s.options.clock.Now()
	wasLong := old.expires.Sub(old.issued) > shortLife
	if !old.expires.IsZero() && !(wasLong && s.options.unextended) {
		fresh.expires = s.longUntil(fresh.issued)
	}
	return s.granted(s.issue(&fresh), &fresh), nil
}

func (s *Server) granted(access string, token *tokenRecord) map[string]any {
	answer := map[string]any{"access_token": access, "token_type": "bearer"}
	if !token.expires.IsZero() {
		answer["expires_in"] = int64(token.expires.Sub(s.options.clock.Now()).Round(time.Second).Seconds())
	}
	return answer
}

// codeRecord is a code that a person came back with.
type codeRecord struct {
	dialog *dialogRecord
	user   string
	scopes []string
	pages  []string
	used   bool
}

// redeem gives a short-lived token for a code, once.
func (s *Server) redeem(app *appRecord, r *request) (any, *graphFailure) {
	code := s.codes[r.form.Get("code")]
	const badVerifier, badRedirect, usedCode = 36007, 36008, 36009
	switch {
	case code == nil || code.dialog.app != app.ID:
		return nil, refuse(100, usedCode, "Invalid verification code format.")
	case code.dialog.redirect != r.form.Get("redirect_uri"):
		return nil, refuse(100, badRedirect, "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request")
	case code.dialog.challenge != challengeOf(r.form.Get("code_verifier")):
		return nil, refuse(100, badVerifier, "Invalid code_verifier parameter")
	case code.used:
		return nil, refuse(100, usedCode, "This authorization code has been used.")
	}
	code.used = true
	token := s.newUserToken(app.ID, code.user, code.scopes, code.pages)
	token.expires = token.issued.Add(shortLife)
	return s.granted(s.issue(token), token), nil
}

// challengeOf is the S256 challenge of a verifier (RFC 7636, section 4.2).
func challengeOf(verifier string) string {
	hash := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// me answers GET /me.
func (s *Server) me(r *request) (any, *graphFailure) {
	if refused := r.needsUser(); refused != nil {
		return nil, refused
	}
	user := s.users[r.token.user]
	return map[string]any{"id": user.ID, "name": user.Name}, nil
}

// pageFields are the fields of a Page that may be asked for.
func pageFields() []string {
	return []string{"id", "name", "username", "access_token", "is_published", "tasks"}
}

// render gives the fields of a Page that were asked for, as the token may see
// them.
func (s *Server) render(page *pageRecord, r *request) (map[string]any, *graphFailure) {
	answer := map[string]any{"id": page.ID}
	for field := range strings.SplitSeq(r.form.Get("fields"), ",") {
		if !slices.Contains(pageFields(), field) {
			return nil, refuse(100, 0, "(#100) Tried accessing nonexisting field ("+field+") on node type (Page)")
		}
		switch {
		case field == "name":
			answer[field] = page.Name
		case field == "username" && page.Username != "":
			answer[field] = page.Username
		case field == "is_published":
			answer[field] = page.published
		case field == "tasks" && page.tasks[r.token.user]:
			answer[field] = []string{"CREATE_CONTENT", "MANAGE", "MODERATE", "MESSAGING"}
		case field == "access_token" && s.derives(page, r.token):
			if r.token.kind == pageToken {
				answer[field] = r.access
				continue
			}
			answer[field] = s.issue(s.newPageToken(r.token, page.ID))
		}
	}
	return answer, nil
}

// derives tells whether a token leads to one of the Page.
func (s *Server) derives(page *pageRecord, token *tokenRecord) bool {
	return page.tasks[token.user] && token.sees(page.ID) && slices.Contains(token.scopes, "pages_show_list")
}

// page answers GET /{page}, by ID or username.
func (s *Server) page(r *request) (any, *graphFailure) {
	page := s.pages[r.target]
	for _, other := range s.pages {
		if page == nil && other.Username != "" && dotless(other.Username) == dotless(r.target) {
			page = other
		}
	}
	switch {
	case r.token == nil:
		return nil, refuse(104, 0, "An access token is required to request this resource.")
	case page == nil && strings.Trim(r.target, "0123456789") == "":
		return nil, refuse(100, 33, "Unsupported get request. Object does not exist, cannot be loaded due to missing permissions")
	case page == nil:
		return nil, refuse(803, 0, "(#803) Cannot query users by their username")
	case r.token.kind == pageToken && r.token.page != page.ID:
		return nil, refuse(100, 33, "Unsupported get request. Object does not exist, cannot be loaded due to missing permissions")
	}
	return s.render(page, r)
}

const defaultLimit = 25

// accounts answers GET /me/accounts.
func (s *Server) accounts(r *request) (any, *graphFailure) {
	if refused := r.needsUser(); refused != nil {
		return nil, refused
	}
	if !slices.Contains(r.token.scopes, "pages_show_list") {
		return nil, refuse(200, 0, "Requires pages_show_list permission")
	}
	var listed []map[string]any
	for _, id := range s.order {
		page := s.pages[id]
		if !page.tasks[r.token.user] || !r.token.sees(id) {
			continue
		}
		answer, refused := s.render(page, r)
		if refused != nil {
			return nil, refused
		}
		listed = append(listed, answer)
	}
	return s.paged(r, listed)
}

// paged gives a part of a list, with cursors, which are of one entry and not of
// a place in the list. The last part has no next.
func (s *Server) paged(r *request, all []map[string]any) (any, *graphFailure) {
	limit, from := defaultLimit, 0
	var err error
	if text := r.form.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 100 {
			return nil, refuse(100, 0, "(#100) limit must be from 1 to 100")
		}
	}
	if text := r.form.Get("after"); text != "" {
		last, err := base64.RawURLEncoding.DecodeString(text)
		from = 1 + slices.IndexFunc(all, func(one map[string]any) bool { return one["id"] == string(last) })
		if err != nil || from == 0 {
			return nil, refuse(100, 0, "(#100) Invalid cursor")
		}
	}
	end := min(from+limit, len(all))
	part := append([]map[string]any{}, all[min(from, end):end]...)
	answer := data(part)
	if len(part) > 0 {
		after := base64.RawURLEncoding.EncodeToString(fmt.Append(nil, part[len(part)-1]["id"]))
		paging := map[string]any{"cursors": map[string]string{"before": "MA", "after": after}}
		if end < len(all) {
			paging["next"] = s.http.URL + r.URL.Path + "?after=" + after
		}
		answer["paging"] = paging
	}
	return answer, nil
}

const timeForm = "2006-01-02T15:04:05-0700"

func (s *Server) publishedPosts(r *request) (any, *graphFailure) {
	page, refused := s.needsPage(r, "pages_read_engagement")
	if refused != nil {
		return nil, refused
	}
	return s.edge(r, page.posts)
}

func (s *Server) taggedPosts(r *request) (any, *graphFailure) {
	page, refused := s.needsPage(r, "pages_read_user_content", "pages_show_list")
	if refused != nil {
		return nil, refused
	}
	return s.edge(r, page.tagged)
}

// edge gives posts, the newest first. Who wrote a person's post is not told.
func (s *Server) edge(r *request, posts []Post) (any, *graphFailure) {
	since := int64(0)
	if text := r.form.Get("since"); text != "" {
		var err error
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, refuse(100, 0, "(#100) since must be a time")
		}
	}
	fields := strings.Split(r.form.Get("fields"), ",")
	for _, field := range fields {
		if !slices.Contains([]string{"id", "message", "created_time", "permalink_url", "from"}, field) {
			return nil, refuse(100, 0, "(#100) Tried accessing nonexisting field ("+field+")")
		}
	}
	if s.options.afterSince {
		since++
	}
	var found []map[string]any
	for _, post := range slices.Backward(posts) {
		if post.Created.Unix() >= since {
			found = append(found, s.show(post, fields))
		}
	}
	return s.paged(r, found)
}

// show gives the fields of a post that were asked for, and its ID.
func (s *Server) show(post Post, fields []string) map[string]any {
	shown := map[string]any{
		"id": post.ID, "message": post.Text, "created_time": post.Created.UTC().Format(timeForm),
		"permalink_url": "https://www.facebook.com/" + post.ID,
	}
	if page := s.pages[post.Author]; page != nil {
		shown["from"] = map[string]string{"id": page.ID, "name": page.Name}
	}
	maps.DeleteFunc(shown, func(name string, _ any) bool { return name != "id" && !slices.Contains(fields, name) })
	return shown
}
