// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rostra-dev/rostra/internal/connect"
)

// FuzzStartToken looks nothing up for a link that was not made with the key.
func FuzzStartToken(f *testing.F) {
	w := newWorld()
	good := strings.TrimPrefix(w.link(helpUID), base+connect.PathPrefix)
	over := strings.TrimPrefix(connect.StartURL(base, w.key, helpUID, start.Add(-time.Hour)), base+connect.PathPrefix)
	for _, seed := range []string{
		good, over, good[:len(good)-1], good + "=", good + ".", "callback", "", ".", "..", strings.Repeat(".", 300),
		strings.ToUpper(good), strings.Replace(good, "0001", "0002", 1), "\x00", "../" + good, "%2e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		w.store.lookups = 0
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, base+"/connect/", http.NoBody)
		request.URL.Path = connect.PathPrefix + token
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request)
		if found := recorder.Code == http.StatusOK; found != (token == good) || (w.store.lookups > 0) != found {
			t.Fatalf("status %d and %d lookups for %q", recorder.Code, w.store.lookups, token)
		}
	})
}

// FuzzCallback redeems nothing but a code that came with the browser's own
// state, and writes nothing of the query on the page.
func FuzzCallback(f *testing.F) {
	w := newWorld()
	b := w.browser()
	arrived := b.begin(helpUID)
	pending := w.store.pending[helpUID]
	state := arrived.Get("state")
	for _, seed := range []string{
		"code=x&state=" + state, "state=" + state, "error=access_denied&state=" + state, "code=x&error=y&state=" + state,
		"code=x&code=y&state=" + state, "code=x&state=" + state + "&state=" + state, "state=" + state + "x&code=x", "",
		"%", "code=%00&state=" + state, "error=%3Cscript%3E&error_description=%3Cscript%3E&state=" + state, ";", "&&&", "code=x",
		"code=x&state=" + strings.Replace(state, "0001", "0002", 1), "state=" + strings.Repeat(state, 80),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w.store.pending[helpUID], w.adapter.grants = pending, nil
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, base+"/connect/callback/toy", http.NoBody)
		request.URL.RawQuery = query
		for _, cookie := range b.cookies {
			request.AddCookie(cookie)
		}
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request)

		values, err := url.ParseQuery(query)
		clean := err == nil && len(values["state"]) == 1 && values.Get("state") == state && len(values["code"]) == 1 && values.Get("error") == ""
		if len(w.adapter.grants) > 0 && (!clean || w.adapter.grants[0].Code != values.Get("code")) {
			t.Fatalf("redeemed %v for %q", w.adapter.grants, query)
		}
		if _, kept := w.store.pending[helpUID]; !kept && (err != nil || values.Get("state") != state) {
			t.Fatalf("used up by %q", query)
		}
		if body := recorder.Body.String(); strings.Contains(body, "<script") {
			t.Fatalf("a script on the page for %q", query)
		}
	})
}
