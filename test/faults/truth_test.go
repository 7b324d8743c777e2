// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/rostra-dev/rostra/test/faults/company"
)

// truth is the people's side: what they were told, and when.
type truth struct {
	server   *httptest.Server
	verifier *standardwebhooks.Webhook

	mu       sync.Mutex
	tellings map[turn][]telling
	strange  []string
}

// turn is one that is taken once: of a conversation, and a person, who has one
// step of their own.
type turn struct{ conversation, member string }

// telling is one notification that arrived.
type telling struct {
	at time.Time
	// id is that of the notification, and by the process that told.
	id, by string
}

func newTruth() *truth {
	GinkgoHelper()
	t := &truth{tellings: map[turn][]telling{}}
	var err error
	t.verifier, err = standardwebhooks.NewWebhook(company.SigningSecret)
	Expect(err).NotTo(HaveOccurred())
	t.server = httptest.NewServer(http.HandlerFunc(t.serve))
	DeferCleanup(t.server.Close)
	return t
}

func (t *truth) url() string { return t.server.URL + "/told" }

// serve takes a notification.
func (t *truth) serve(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = t.verifier.Verify(body, r.Header)
	}
	var told struct {
		ID, Source string
		Data       struct {
			Member string
			Labels map[string]string
		}
	}
	if err == nil {
		err = json.Unmarshal(body, &told)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil || told.Data.Labels["conversation"] == "" || told.Data.Member == "" {
		t.strange = append(t.strange, fmt.Sprintf("%v: %s", err, body))
		http.Error(w, "not a notification", http.StatusBadRequest)
		return
	}
	of := turn{told.Data.Labels["conversation"], told.Data.Member}
	t.tellings[of] = append(t.tellings[of], telling{at: at, id: told.ID, by: told.Source})
	w.WriteHeader(http.StatusNoContent)
}

// of gives what was told in a turn.
func (t *truth) of(conversation, member string) []telling {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tellings[turn{conversation, member}]
}

// count gives how many turns were taken.
func (t *truth) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.tellings)
}

// strangers are requests that were no notifications.
func (t *truth) strangers() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.strange
}
