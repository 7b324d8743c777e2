// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"maps"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
)

const (
	// maxDoubts bounds the claims that are remembered.
	maxDoubts = 4096
	// doubtFor is how long after its end a claim is remembered where there is
	// little room.
	doubtFor = time.Minute
)

// doubts are claims of this run of the process of which it is not known whether
// they stand in their rows, and under which certainly nobody was told: the
// store's answer to them was lost, or its answer to their being given back. They
// hold nobody up, and do not count as those whose people may have been told. It
// is safe for concurrent use.
type doubts struct {
	mu sync.Mutex
	of map[string]doubt
	// next is when one is to be looked at; zero for never.
	next time.Time
}

type doubt struct {
	claim *conversation.Claim
	// look is when its conversation is to be looked at; zero for never. Neither
	// what is read nor what is followed need show the claim by then.
	look time.Time
}

func newDoubts() *doubts { return &doubts{of: map[string]doubt{}} }

// keep remembers a claim of a row, which is looked at from an instant on; zero
// for a row that is looked at anyway. No claim is none to remember.
func (d *doubts) keep(key string, claim *conversation.Claim, look time.Time) {
	if claim == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.of) >= maxDoubts {
		maps.DeleteFunc(d.of, func(_ string, old doubt) bool { return claim.Until.After(old.claim.Until.Add(doubtFor)) })
	}
	if len(d.of) >= maxDoubts {
		clear(d.of) // those turns wait until their claims end
	}
	d.of[key] = doubt{claim, look}
	d.next = earliest(d.next, look)
}

// forget forgets the claim of a row that was written since: it stands there no
// more, and cannot come to.
func (d *doubts) forget(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.of, key)
}

// has tells whether a claim of a row is one of them.
func (d *doubts) has(key string, claim *conversation.Claim) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return claim.Is(d.of[key].claim)
}

// settle takes such a claim away, and tells whether it did.
func (d *doubts) settle(c *conversation.Conversation) bool {
	if !d.has(c.ID, c.Claim) {
		return false
	}
	c.Forgo(nil)
	return true
}

// ready gives the conversations that are to be looked at now, and when the next
// is. Each is looked at again and again, until its claim ends.
func (d *doubts) ready(now time.Time) (ids []string, next time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next.IsZero() || now.Before(d.next) && !d.next.After(now.Add(again)) { // else the clock was set back
		return nil, d.next
	}
	d.next = time.Time{}
	for id, one := range d.of {
		if one.look.IsZero() {
			continue
		}
		if !now.Before(one.look) || one.look.After(now.Add(again)) {
			ids = append(ids, id)
			if one.look = now.Add(again); !now.Before(one.claim.Until) {
				one.look = time.Time{}
			}
			d.of[id] = one
		}
		d.next = earliest(d.next, one.look)
	}
	return ids, d.next
}
