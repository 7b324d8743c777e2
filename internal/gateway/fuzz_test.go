// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rostra-dev/rostra/internal/gateway"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
)

// FuzzHandler sends anything at all. Nothing but a signed delivery reaches the
// sink, and no answer blames Rostra.
func FuzzHandler(f *testing.F) {
	signed := eventsOf("")
	f.Add(http.MethodPost, path(helpUID), "", toyHeader+"\x00"+sign("secret-help", signed)+"\x00Content-Type\x00application/json", []byte(signed))
	f.Add(http.MethodPost, path(helpUID), "", toyHeader+"\x00"+strings.Repeat("00", 32)+"\x00Content-Type\x00application/json", []byte(signed))
	f.Add(http.MethodPost, path(pagesUID), "", toyHeader+"\x00zz\x00Content-Type\x00application/json", []byte("{"))
	f.Add(http.MethodGet, path(helpUID), "challenge=%00&challenge=;", "X-Forwarded-For\x001.2.3.4, ::1,,\x00X-Forwarded-For\x00nobody", []byte(nil))
	f.Add(http.MethodGet, path(helpUID), "", hook.ProbeHeader+"\x00"+helpUID+"."+nonce, []byte(nil))
	f.Add(http.MethodGet, path(goneUID), "challenge=abc", "", []byte(nil))
	f.Add(http.MethodGet, "/healthz", "", "", []byte(nil))
	f.Add("BREW", "/hooks/", "%zz", "", []byte("x"))
	f.Add(http.MethodPost, "/hooks/toy/"+helpUID+".", "", "", []byte("x"))
	f.Add("", "", "", "\x00", []byte("x"))
	f.Fuzz(func(t *testing.T, method, target, query, headers string, body []byte) {
		stored := &sink{}
		g, err := gateway.New(gateway.Options{
			Key: gatewayKey, BaseURL: base + "/rostra", Hooks: filledBook(), Sink: stored,
			Receiver: func(string, string) (platform.Receiver, bool) { return &toy{}, true },
		})
		if err != nil {
			t.Fatal(err)
		}
		request := &http.Request{
			Method: method, URL: &url.URL{Path: target, RawQuery: query}, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Body: http.NoBody, RemoteAddr: "192.0.2.1:1234",
		}
		if len(body) > 0 {
			request.Body, request.ContentLength = readCloser{bytes.NewReader(body)}, int64(len(body))
		}
		pairs := strings.Split(headers, "\x00")
		for i := 0; i+1 < len(pairs); i += 2 {
			request.Header.Add(pairs[i], pairs[i+1])
		}
		recorder := httptest.NewRecorder()
		g.Handler().ServeHTTP(recorder, request)
		if recorder.Code >= 500 && recorder.Code != http.StatusServiceUnavailable {
			t.Errorf("answered %d", recorder.Code)
		}
		if recorder.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Error("a browser may make something of the answer")
		}
		if genuine := isGenuine(request, body); (stored.calls > 0) && !genuine {
			t.Error("stored without a signature")
		}
	})
}

// isGenuine tells by another way than the gateway whether a delivery is signed
// with a key of its callback.
func isGenuine(request *http.Request, body []byte) bool {
	local := strings.TrimPrefix(request.URL.Path, "/rostra")
	for uid, secret := range map[string]string{helpUID: "secret-help", newsUID: "secret-news", pagesUID: "secret-app"} {
		if local == path(uid) && strings.EqualFold(request.Header.Get(toyHeader), sign(secret, string(body))) {
			return true
		}
	}
	return false
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
