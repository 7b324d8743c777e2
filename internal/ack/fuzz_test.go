// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rostra-dev/rostra/internal/ack"
	"github.com/rostra-dev/rostra/internal/conversation"
)

// FuzzToken looks nothing up and acknowledges nothing for a link that was not
// made with the key.
func FuzzToken(f *testing.F) {
	w := newWorld()
	good := strings.TrimPrefix(w.link(dana), base+ack.PathPrefix)
	over := strings.TrimPrefix(ack.URL(base, w.key, ack.Claim{ID: helpID, Episode: 1, By: dana, Expires: start}), base+ack.PathPrefix)
	for _, seed := range []string{
		good, over, good[:len(good)-1], good + "=", good + ".", "", ".", "...", strings.Repeat(".", 600), strings.ToUpper(good),
		strings.Replace(good, ".1.", ".01.", 1), strings.Replace(good, ".1.", ".2.", 1), "\x00", "../" + good, "%2e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		w.ledger.calls = 0
		w.clock.SetTime(w.clock.Now().Add(time.Millisecond))
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, base+"/ack/", http.NoBody)
		request.URL.Path = ack.PathPrefix + token
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request)
		if w.ledger.calls > 0 && token != good {
			t.Fatalf("status %d and %d lookups for %q", recorder.Code, w.ledger.calls, token)
		}
		if w.conversation().State == conversation.Acknowledged && token != good && recorder.Code == http.StatusOK {
			t.Fatalf("%q acknowledged", token)
		}
	})
}
