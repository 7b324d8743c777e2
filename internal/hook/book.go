// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
)

// Book holds the records in memory, so that no request makes anybody read
// anything. It is safe for concurrent use.
type Book struct {
	mu      sync.RWMutex
	records map[string]Record              // by the name of their Secret
	hooks   map[string]map[string]struct{} // the names of a callback's records, by HookID
	ready   map[string]*Callback           // by HookID; absent where a record has changed since
}

// NewBook makes an empty book.
func NewBook() *Book {
	return &Book{records: map[string]Record{}, hooks: map[string]map[string]struct{}{}, ready: map[string]*Callback{}}
}

// Put adds or replaces the record of that name.
func (b *Book) Put(name string, record Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(name)
	b.records[name] = record
	names := b.hooks[record.HookID]
	if names == nil {
		names = map[string]struct{}{}
		b.hooks[record.HookID] = names
	}
	names[name] = struct{}{}
	delete(b.ready, record.HookID)
}

// Remove drops the record of that name.
func (b *Book) Remove(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(name)
}

// Retain drops every record whose name is not among those.
func (b *Book) Retain(names map[string]struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.records {
		if _, kept := names[name]; !kept {
			b.drop(name)
		}
	}
}

func (b *Book) drop(name string) {
	before, had := b.records[name]
	if !had {
		return
	}
	delete(b.records, name)
	names := b.hooks[before.HookID]
	delete(names, name)
	if len(names) == 0 {
		delete(b.hooks, before.HookID)
	}
	delete(b.ready, before.HookID)
}

// Find gives the records of the channels behind a callback, in the order of the
// channels' UIDs; none for one that is not known. The slice must not be changed.
func (b *Book) Find(hookID string) []Record {
	if callback := b.Callback(hookID); callback != nil {
		return callback.records
	}
	return nil
}

// Callback gives what there is to know of a callback; nil for one that is not
// known. It is made when it is first asked for, so that a thousand records of
// one callback can be put without making it a thousand times.
func (b *Book) Callback(hookID string) *Callback {
	b.mu.RLock()
	callback := b.ready[hookID]
	_, known := b.hooks[hookID]
	b.mu.RUnlock()
	if callback != nil || !known {
		return callback
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if callback, ok := b.ready[hookID]; ok {
		return callback
	}
	names, known := b.hooks[hookID]
	if !known {
		return nil
	}
	records := make([]Record, 0, len(names))
	for name := range names {
		records = append(records, b.records[name])
	}
	callback = newCallback(records)
	b.ready[hookID] = callback
	return callback
}

// Callback is what the records say of one callback. It never changes.
type Callback struct {
	// Platform is the platform's type, and Server its root URL.
	Platform, Server string
	// Segment is the platform's part of the callback's path.
	Segment string

	records  []Record
	accounts map[string]int
	keys     []KeySet
}

func newCallback(records []Record) *Callback {
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.ChannelUID, b.ChannelUID), strings.Compare(a.Channel, b.Channel))
	})
	callback := &Callback{
		Platform: records[0].Platform, Server: records[0].Server, Segment: segment(records[0].Platform),
		records: records, accounts: make(map[string]int, len(records)), keys: union(supersede(records)),
	}
	for i, record := range records {
		if record.AccountID == "" {
			continue
		}
		// Of two that say to hold an account, the one is left over.
		if other, taken := callback.accounts[record.AccountID]; !taken || record.Made.After(records[other].Made) {
			callback.accounts[record.AccountID] = i
		}
	}
	return callback
}

// Owner gives the record of the channel that the callback belongs to. ok is
// false where it belongs to the application and serves many channels.
func (c *Callback) Owner() (record Record, ok bool) { return c.OfChannel(c.records[0].HookID) }

// OfAccount gives the record of the channel that holds an account; of several,
// the one whose keys were made last.
func (c *Callback) OfAccount(accountID string) (record Record, ok bool) {
	i, ok := c.accounts[accountID]
	if !ok {
		return Record{}, false
	}
	return c.records[i], true
}

// OfChannel gives the record of a channel by its UID.
func (c *Callback) OfChannel(channelUID string) (record Record, ok bool) {
	i, ok := slices.BinarySearchFunc(c.records, channelUID, func(record Record, uid string) int {
		return strings.Compare(record.ChannelUID, uid)
	})
	if !ok {
		return Record{}, false
	}
	return c.records[i], true
}

// InForce gives the keys of all channels of the callback that are in force at
// an instant, each once, newest first. The application's keys that a channel has
// seen replaced are over for all of them, also for one that sleeps.
func (c *Callback) InForce(now time.Time) []credentials.Values { return inForce(c.keys, now) }

// union gives the keys of all records, each once and for as long as any record
// has it: first what each record has as its newest, then what each has as its
// second, and so on.
func union(records []Record) []KeySet {
	var keys []KeySet
	known := map[string]int{}
	for rank := range maxKeySets {
		for _, record := range records {
			if rank >= len(record.Keys) {
				continue
			}
			set := record.Keys[rank]
			content := contentOf(set.Values)
			i, had := known[content]
			if !had {
				known[content] = len(keys)
				keys = append(keys, set)
				continue
			}
			if keys[i].Until.IsZero() || !set.Until.IsZero() && set.Until.Before(keys[i].Until) {
				continue
			}
			keys[i].Until = set.Until
		}
	}
	return keys
}

// contentOf gives a text that differs for different values.
func contentOf(values credentials.Values) string {
	parts := make([]string, 0, 2*len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, name, values.Get(name))
	}
	return string(listed(parts))
}
