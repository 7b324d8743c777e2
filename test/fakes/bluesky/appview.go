// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// ServiceDID is whom tokens must be for: what test/pds names its AppView.
	ServiceDID = "did:web:appview.test"

	listNotifications = "app.bsky.notification.listNotifications"

	defaultLimit = 50
	maxLimit     = 100
)

// Actor is the author of a post.
type Actor struct{ DID, Handle, DisplayName string }

// Post is a post by its AT URI.
type Post struct{ URI string }

// Notification is something that happened to an account.
type Notification struct {
	// Reason is one of the lexicon's: mention, reply, quote, like …
	Reason string
	// Author of the post.
	Author Actor
	// URI of the post. Default: a new one of the author's.
	URI string
	// Text of the post.
	Text string
	// Root and Parent of the thread that the post answers in; empty for none.
	Root, Parent Post
	// IndexedAt is its place in the list. Default: now.
	IndexedAt time.Time

	serial int
}

// AppView is the fake. It is safe for concurrent use.
type AppView struct {
	http *httptest.Server

	mu            sync.Mutex
	directory     string
	serial        int
	notifications map[string][]Notification // by the DID of the account
	requests      int
	refusals      []string
}

// Start makes one that serves until Close.
func Start() *AppView {
	view := &AppView{notifications: map[string][]Notification{}}
	view.http = httptest.NewServer(view)
	return view
}

// Close ends it.
func (v *AppView) Close() { v.http.Close() }

// URL is where a Personal Data Server finds it.
func (v *AppView) URL() string { return v.http.URL }

// UseDirectory names the PLC directory that has the accounts' DID documents.
// Until then every token is refused.
func (v *AppView) UseDirectory(plcURL string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.directory = plcURL
}

// Notify lets something happen to the account with this DID, and gives the URI
// of the post.
func (v *AppView) Notify(did string, happened Notification) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.serial++
	happened.serial = v.serial
	if happened.URI == "" {
		happened.URI = fmt.Sprintf("at://%s/app.bsky.feed.post/3fake%08d", happened.Author.DID, v.serial)
	}
	if happened.IndexedAt.IsZero() {
		happened.IndexedAt = time.Now()
	}
	v.notifications[did] = append(v.notifications[did], happened)
	return happened.URI
}

// Requests counts the requests that were answered with a list.
func (v *AppView) Requests() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests
}

// Refusals are why requests were refused, in order.
func (v *AppView) Refusals() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.refusals)
}

// ServeHTTP implements [http.Handler].
func (v *AppView) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.TrimPrefix(r.URL.Path, "/xrpc/")
	if method != listNotifications {
		v.refuse(w, http.StatusNotImplemented, "MethodNotImplemented", "Method Not Implemented")
		return
	}
	if r.Method != http.MethodGet {
		v.refuse(w, http.StatusBadRequest, "InvalidRequest", "Incorrect HTTP method (POST) expected GET")
		return
	}
	did, refusal := v.authenticate(r, method)
	if refusal != nil {
		v.refuse(w, http.StatusUnauthorized, refusal.name, refusal.message)
		return
	}
	query, err := readQuery(r.URL.Query())
	if err != nil {
		v.refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	reply(w, http.StatusOK, v.list(did, query))
}

func (v *AppView) refuse(w http.ResponseWriter, status int, name, message string) {
	v.mu.Lock()
	v.refusals = append(v.refusals, name+": "+message)
	v.mu.Unlock()
	reply(w, status, map[string]string{"error": name, "message": message})
}

func reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// query is what the lexicon lets a client ask.
type query struct {
	limit   int
	reasons []string
	before  place // zero for the beginning of the list
}

// place is one in the list. It is what a cursor holds.
type place struct {
	millis int64
	serial int
}

func (n Notification) place() place { return place{n.IndexedAt.UnixMilli(), n.serial} }

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.millis, other.millis), cmp.Compare(p.serial, other.serial))
}

func readQuery(values url.Values) (query, error) {
	read := query{limit: defaultLimit}
	for name, given := range values {
		if name != "reasons" && len(given) != 1 {
			return query{}, fmt.Errorf("the parameter %s comes more than once", name)
		}
		var err error
		switch name {
		case "limit":
			read.limit, err = strconv.Atoi(given[0])
			if err == nil && (read.limit < 1 || read.limit > maxLimit) {
				err = fmt.Errorf("limit must be from 1 to %d", maxLimit)
			}
		case "cursor":
			_, err = fmt.Sscanf(given[0], "%d::%d", &read.before.millis, &read.before.serial)
		case "reasons":
			read.reasons = given
		default:
			err = fmt.Errorf("the lexicon knows no parameter %s", name)
		}
		if err != nil {
			return query{}, err
		}
	}
	return read, nil
}

// list gives a page, newest first. Like the real one, it gives a cursor
// whenever a page holds something, also on the last.
func (v *AppView) list(did string, asked query) map[string]any {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.requests++
	all := slices.Clone(v.notifications[did])
	slices.SortFunc(all, func(a, b Notification) int { return b.place().compare(a.place()) })
	page := []any{}
	answer := map[string]any{"priority": false}
	for _, happened := range all {
		if asked.before != (place{}) && happened.place().compare(asked.before) >= 0 ||
			len(asked.reasons) > 0 && !slices.Contains(asked.reasons, happened.Reason) || len(page) == asked.limit {
			continue
		}
		page = append(page, happened.view())
		answer["cursor"] = fmt.Sprintf("%d::%d", happened.place().millis, happened.serial)
	}
	answer["notifications"] = page
	return answer
}

// view is app.bsky.notification.listNotifications#notification.
func (n Notification) view() map[string]any {
	at := n.IndexedAt.UTC().Format("2006-01-02T15:04:05.000Z")
	record := map[string]any{"$type": "app.bsky.feed.post", "text": n.Text, "createdAt": at, "langs": []string{"en"}}
	if n.Parent.URI != "" {
		record["reply"] = map[string]any{"root": n.Root.reference(), "parent": n.Parent.reference()}
	}
	return map[string]any{
		"uri": n.URI, "cid": cid, "reason": n.Reason, "record": record, "isRead": false, "indexedAt": at, "labels": []any{},
		"author": map[string]any{"did": n.Author.DID, "handle": n.Author.Handle, "displayName": n.Author.DisplayName, "labels": []any{}},
	}
}

// cid is one of the right form; nobody looks behind it.
const cid = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"

func (p Post) reference() map[string]string { return map[string]string{"uri": p.URI, "cid": cid} }
