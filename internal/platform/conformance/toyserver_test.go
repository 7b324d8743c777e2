// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

// toyServer is the smallest platform that has all there is to conform to:
// passwords, sessions, and minted passwords that can be listed and revoked.
type toyServer struct {
	mu        sync.Mutex
	serial    int
	passwords map[string]password // by content
	sessions  map[string]string   // token to password
	hooks     []toyHook
	events    []toyEvent
	sent      []platform.Delivery
	codes     map[string]toyCode
}

type password struct {
	user string
	name string // empty for a source password
}

func newToyServer() *toyServer {
	return &toyServer{passwords: map[string]password{}, sessions: map[string]string{}, codes: map[string]toyCode{}}
}

// secret gives a new one that is found nowhere by chance.
func (s *toyServer) secret(kind string) string {
	s.serial++
	return fmt.Sprintf("%s-53cr37-%04d", kind, s.serial)
}

func (s *toyServer) addUser(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	content := s.secret("source")
	s.passwords[content] = password{user: user}
	return content
}

func (s *toyServer) withdraw(content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.passwords, content)
}

func (s *toyServer) works(content string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.passwords[content]
	return ok
}

type toyRequest struct {
	User, Password, Name     string
	Callback, Key            string
	Kinds                    []event.Kind
	Client, Secret           string
	Code, Verifier, Redirect string
}

func (s *toyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var request toyRequest
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": "no JSON"})
			return
		}
	}
	switch r.URL.Path {
	case "/about":
		answer(w, http.StatusOK, map[string]string{"software": "toy 1.0"})
	case "/login":
		s.login(w, request)
	case "/withdraw":
		delete(s.passwords, request.Password)
		answer(w, http.StatusOK, struct{}{})
	case "/token":
		s.redeem(w, request)
	case "/accounts":
		s.accounts(w, r.URL.Query().Get("after"))
	case "/handle":
		s.handle(w, r.URL.Query().Get("id"))
	default:
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.serveSession(w, r, token, request)
	}
}

// accounts lists one account a page, in order. A page says which comes next.
func (s *toyServer) accounts(w http.ResponseWriter, after string) {
	users := map[string]bool{}
	for _, known := range s.passwords {
		users[known.user] = true
	}
	ids, next := []string{}, ""
	for _, user := range slices.Sorted(maps.Keys(users)) {
		if id := "id-" + user; id > after && len(ids) == 0 {
			ids, next = append(ids, id), id
		}
	}
	answer(w, http.StatusOK, map[string]any{"ids": ids, "next": next})
}

func (s *toyServer) handle(w http.ResponseWriter, id string) {
	for _, known := range s.passwords {
		if "id-"+known.user == id {
			answer(w, http.StatusOK, map[string]string{"id": id, "handle": known.user})
			return
		}
	}
	answer(w, http.StatusNotFound, map[string]string{"error": "no such account"})
}

func (s *toyServer) login(w http.ResponseWriter, request toyRequest) {
	known, ok := s.passwords[request.Password]
	if !ok || known.user != request.User {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "wrong password"})
		return
	}
	token := s.secret("session")
	s.sessions[token] = request.Password
	answer(w, http.StatusOK, map[string]string{"token": token})
}

func (s *toyServer) serveSession(w http.ResponseWriter, r *http.Request, token string, request toyRequest) {
	opened, ok := s.sessions[token]
	if !ok {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "no session"})
		return
	}
	user := s.passwords[opened].user
	switch r.URL.Path {
	case "/whoami":
		answer(w, http.StatusOK, map[string]string{"id": "id-" + user, "handle": user})
	case "/logout":
		delete(s.sessions, token)
		answer(w, http.StatusOK, struct{}{})
	case "/list":
		answer(w, http.StatusOK, map[string]any{"names": s.names(user)})
	case "/mint":
		s.mint(w, user, request.Name)
	case "/revoke":
		s.revoke(user, request.Name)
		answer(w, http.StatusOK, struct{}{})
	case "/subscriptions":
		answer(w, http.StatusOK, map[string]any{"hooks": s.hooksOf(user)})
	case "/subscribe":
		s.subscribe(w, user, request)
	case "/unsubscribe":
		s.unsubscribe(user, request.Name)
		answer(w, http.StatusOK, struct{}{})
	case "/events":
		s.eventsSince(w, user, r.URL.Query().Get("after"))
	default:
		answer(w, http.StatusNotFound, map[string]string{"error": "no such path"})
	}
}

func (s *toyServer) names(user string) []string {
	names := []string{}
	for _, known := range s.passwords {
		if known.user == user && known.name != "" {
			names = append(names, known.name)
		}
	}
	return names
}

func (s *toyServer) mint(w http.ResponseWriter, user, name string) {
	if slices.Contains(s.names(user), name) {
		answer(w, http.StatusConflict, map[string]string{"error": "that name is taken"})
		return
	}
	content := s.secret("minted")
	s.passwords[content] = password{user: user, name: name}
	answer(w, http.StatusOK, map[string]string{"password": content})
}

func (s *toyServer) revoke(user, name string) {
	for content, known := range s.passwords {
		if known.user == user && known.name == name {
			delete(s.passwords, content)
		}
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
