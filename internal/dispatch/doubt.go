// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"sync"

	"github.com/rostra-dev/rostra/internal/conversation"
)

// maxDoubts bounds the claims that are remembered.
const maxDoubts = 4096

// doubts are claims of which this process does not know whether they were
// written: the store's answer was lost. Nothing was done under any of them. It is
// safe for concurrent use.
type doubts struct {
	mu     sync.Mutex
	claims map[string]*conversation.Claim
}

func newDoubts() *doubts { return &doubts{claims: map[string]*conversation.Claim{}} }

// keep remembers the claim of a step that could not be written, and tells
// whether there is one.
func (d *doubts) keep(id string, s *step) bool {
	if s.plan == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.claims) >= maxDoubts {
		clear(d.claims) // those turns wait until their claims end
	}
	d.claims[id] = s.plan.claim
	return true
}

// settle takes such a claim away, which else would hold the turn up, and then
// count as one whose people may have been told. It tells whether it did.
func (d *doubts) settle(c *conversation.Conversation) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	claim := d.claims[c.ID]
	switch {
	case claim == nil:
		return false
	case !c.Claim.Is(claim):
		delete(d.claims, c.ID)
		return false
	}
	c.Forgo(nil)
	return true
}
