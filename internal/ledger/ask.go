// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
)

// maxFound bounds what Find gives.
const maxFound = 16

// Summary is what the index knows of a conversation.
type Summary struct {
	ID string
	// Channel as namespace/name, its UID, and the platform's type.
	Channel, ChannelUID, Platform string
	State                         conversation.State
	Episode                       int
	// OpenedAt is when the episode began.
	OpenedAt time.Time
	// Due is when something is to be done next; zero for never.
	Due time.Time
	// Revision of the row.
	Revision uint64
}

// Filter selects conversations.
type Filter struct {
	// Channel as namespace/name; empty for all.
	Channel string
	// Waiting: those alone for which somebody is still to be found.
	Waiting bool
}

// List gives conversations, the oldest first.
func (l *Ledger) List(filter Filter) []Summary {
	var found []Summary
	meant := func(c *channel) bool { return filter.Channel == "" || c.name == filter.Channel }
	l.index.walk(meant, func(e *entry) {
		if !filter.Waiting || e.state.Waits() {
			found = append(found, e.summary())
		}
	})
	slices.SortFunc(found, func(a, b Summary) int {
		if order := a.OpenedAt.Compare(b.OpenedAt); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return found
}

// Summary gives what the index knows of one conversation.
func (l *Ledger) Summary(id string) (Summary, bool) {
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	e := l.index.entries[id]
	if e == nil {
		return Summary{}, false
	}
	return e.summary(), true
}

func (e *entry) summary() Summary {
	return Summary{
		ID: e.id, Channel: e.channel.name, ChannelUID: e.channel.uid, Platform: e.channel.platform, State: e.state,
		Episode: int(e.episode), OpenedAt: moment(e.openedAt), Due: moment(e.rowAt), Revision: e.revision,
	}
}

// Find gives the IDs that begin so, in order; an error where there are more than
// one would choose from.
func (l *Ledger) Find(prefix string) ([]string, error) {
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	var found []string
	for id := range l.index.entries {
		if strings.HasPrefix(id, prefix) {
			if found = append(found, id); len(found) > maxFound {
				return nil, errors.New("too many conversations begin so; write more of the ID")
			}
		}
	}
	slices.Sort(found)
	return found, nil
}

// OfPost finds the conversation to which a post belongs, of either side.
func (l *Ledger) OfPost(channelUID, post string) (id string, ok bool) {
	if post == "" {
		return "", false
	}
	key := l.index.postKey(channelUID, post)
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	if e := l.index.posts[key]; e != nil && e.channel.uid == channelUID {
		return e.id, true
	}
	return "", false
}

// ThreadOf gives the thread of a conversation.
func (l *Ledger) ThreadOf(id string) (thread string, ok bool) {
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	if e := l.index.entries[id]; e != nil {
		return e.thread, true
	}
	return "", false
}

// OfThread finds the conversations in a thread that are not over, in order.
func (l *Ledger) OfThread(channelUID, thread string) []string {
	key := l.index.key("thread", channelUID, thread)
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	var found []string
	for _, e := range l.index.threads[key] {
		if e.channel.uid == channelUID && e.thread == thread && (e.state.Waits() || e.state == conversation.Acknowledged) {
			found = append(found, e.id)
		}
	}
	slices.Sort(found)
	return found
}

// Postless finds the conversations in a thread that are not over and of which no
// post is known, in order: what answers in the thread can be matched by nothing
// else.
func (l *Ledger) Postless(channelUID, thread string) []string {
	ids := l.OfThread(channelUID, thread)
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	return slices.DeleteFunc(ids, func(id string) bool {
		e := l.index.entries[id]
		return e == nil || len(e.posts) > 0
	})
}

// Waiting counts the conversations of a channel that wait for somebody.
func (l *Ledger) Waiting(channelUID string) int {
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	if c := l.index.channels[channelUID]; c != nil {
		return c.waiting
	}
	return 0
}

// TakeDue gives up to limit conversations for which something is to be done now,
// the longest due first, and when the next is due; zero for never. Those that it
// gave come again after a change of their row, or by Wake.
func (l *Ledger) TakeDue(now time.Time, limit int) (ids []string, next time.Time) {
	return l.index.takeDue(now, limit)
}

// Wake makes TakeDue give a conversation that it gave already again: when its
// row says, but not before an instant.
func (l *Ledger) Wake(id string, notBefore time.Time) { l.index.wake(id, notBefore, false) }

// Prompt makes TakeDue give a conversation at an instant, whatever its row says.
func (l *Ledger) Prompt(id string, at time.Time) { l.index.wake(id, at, true) }

// Woken has a value when the next instant of TakeDue may be another.
func (l *Ledger) Woken() <-chan struct{} { return l.index.woken }

// Claimed gives the conversations that are claimed by processes of which by
// says that they are meant.
func (l *Ledger) Claimed(by func(process string) bool) []string { return l.index.claimed(by) }
