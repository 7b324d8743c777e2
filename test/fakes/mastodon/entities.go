// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"net/http"
	"strings"
)

const timeFormat = "2006-01-02T15:04:05.000Z"

// host is the server's own, as in its handles.
func (s *Server) host() string {
	_, host, _ := strings.Cut(s.http.URL, "://")
	return host
}

func (s *Server) credentialAccount(of *accountRecord) map[string]any {
	return map[string]any{
		"id":              of.id,
		"username":        of.username,
		"acct":            of.username,
		"display_name":    of.displayName,
		"locked":          false,
		"bot":             false,
		"created_at":      of.created.Format(timeFormat),
		"note":            "",
		"url":             s.http.URL + "/@" + of.username,
		"avatar":          s.http.URL + "/avatars/original/missing.png",
		"header":          s.http.URL + "/headers/original/missing.png",
		"followers_count": 0,
		"following_count": 0,
		"statuses_count":  0,
		"last_status_at":  nil,
		"emojis":          []string{},
		"fields":          []string{},
		"source":          map[string]any{"privacy": "public", "sensitive": false, "language": nil, "note": ""},
	}
}

// open tells whether the instance may describe itself to this request.
func (s *Server) open(w http.ResponseWriter, r *request) bool {
	if !s.options.authenticated || r.token != nil {
		return true
	}
	send(w, http.StatusUnauthorized, errorText("This method requires an authenticated user"))
	return false
}

func (s *Server) instanceV2(w http.ResponseWriter, r *request) {
	if !s.open(w, r) {
		return
	}
	instance := map[string]any{
		"domain":        s.host(),
		"title":         "A fake",
		"version":       s.options.version,
		"description":   "",
		"languages":     []string{"en"},
		"configuration": map[string]any{"statuses": map[string]any{"max_characters": 500}},
		"registrations": map[string]any{"enabled": false},
		"contact":       map[string]any{"email": "", "account": nil},
		"rules":         []string{},
	}
	if !s.options.withoutSources {
		instance["source_url"] = s.dialect.sourceURL
	}
	if s.dialect.readsAppScopes {
		instance["api_versions"] = map[string]int{"mastodon": 2}
	}
	send(w, http.StatusOK, instance)
}

func (s *Server) instanceV1(w http.ResponseWriter, r *request) {
	if !s.open(w, r) {
		return
	}
	send(w, http.StatusOK, map[string]any{
		"uri":         s.host(),
		"title":       "A fake",
		"version":     s.options.version,
		"description": "",
		"email":       "",
		"urls":        map[string]string{"streaming_api": strings.Replace(s.http.URL, "http", "ws", 1)},
		"stats":       map[string]int{"user_count": len(s.accounts), "status_count": 0, "domain_count": 0},
	})
}

func (s *Server) nodeInfoLinks(w http.ResponseWriter, _ *request) {
	send(w, http.StatusOK, map[string]any{"links": []map[string]string{{
		"rel":  "http://nodeinfo.diaspora.software/ns/schema/2.0",
		"href": s.http.URL + "/nodeinfo/2.0",
	}}})
}

func (s *Server) nodeInfo(w http.ResponseWriter, _ *request) {
	send(w, http.StatusOK, map[string]any{
		"version":           "2.0",
		"software":          map[string]string{"name": s.dialect.software, "version": s.options.version},
		"protocols":         []string{"activitypub"},
		"services":          map[string]any{"inbound": []string{}, "outbound": []string{}},
		"openRegistrations": false,
		"usage":             map[string]any{"users": map[string]int{"total": len(s.accounts)}},
		"metadata":          map[string]any{},
	})
}
