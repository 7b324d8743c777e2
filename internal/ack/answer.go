// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/webpage"
)

// outcome is what came of a request: a page for people, and the same for tools.
type outcome struct {
	page webpage.Page
	tool forTools
}

// forTools is what a tool is answered.
type forTools struct {
	// ID and Channel of the conversation, and the State it is in.
	ID      string             `json:"id,omitempty"`
	Channel string             `json:"channel,omitempty"`
	State   conversation.State `json:"state,omitempty"`
	// By is who has it, as team/member or as they called themselves, and At since
	// when; of an answered one, when that was.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at,omitzero"`
	// Problem says why it was not done.
	Problem string `json:"problem,omitempty"`
	// Reference under which the log has more.
	Reference string `json:"reference,omitempty"`
}

// refused is an outcome of which a tool is told no more than a person.
func refused(page webpage.Page) outcome {
	page.Role = webpage.RoleAlert
	return outcome{page: page, tool: forTools{Problem: page.Title + ". " + strings.Join(page.Lines, " "), Reference: page.Reference}}
}

// answer writes an outcome as it is wanted.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, o outcome) {
	if !wantsJSON(r) {
		h.pages.Write(w, r, o.page)
		return
	}
	body, err := json.Marshal(o.tool)
	if err != nil { // of texts and a time that a ledger had as JSON
		http.Error(w, "The answer cannot be written.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	webpage.Guard(header)
	webpage.RetryAfter(header, o.page.Status)
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if o.page.Allow != "" {
		header.Set("Allow", o.page.Allow)
	}
	w.WriteHeader(o.page.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// wantsJSON tells a tool from a browser, which always asks for HTML. Whoever
// only looks is shown the page, unless they ask for JSON.
func wantsJSON(r *http.Request) bool {
	accepted := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	if strings.Contains(accepted, "text/html") {
		return false
	}
	return r.Method == http.MethodPost || strings.Contains(accepted, "application/json")
}

// outOfOrder says that the ledger does not answer. The log has why.
func (h *handler) outOfOrder(err error, claim Claim) outcome {
	reference := rand.Text()[:10]
	h.options.Logger.Error(err, "An acknowledgement could not be noted", "conversation", claim.ID, "by", claim.By, "reference", reference)
	return refused(webpage.Page{
		Status: http.StatusServiceUnavailable, Title: "Rostra is out of order",
		Lines:     []string{"It is not noted that you have it, and others may be told. Try again in a moment: open your link once more."},
		Reference: reference,
	})
}
