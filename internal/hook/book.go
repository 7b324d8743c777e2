// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Book holds the records in memory, so that no request makes anybody read
// anything. It is safe for concurrent use.
type Book struct {
	mu      sync.RWMutex
	records map[string]Record   // by the name of their Secret
	hooks   map[string][]Record // by HookID, in the order of the channels' UIDs; never changed in place
}

// NewBook makes an empty book.
func NewBook() *Book {
	return &Book{records: map[string]Record{}, hooks: map[string][]Record{}}
}

// Put adds or replaces the record of that name.
func (b *Book) Put(name string, record Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, had := b.records[name]
	b.records[name] = record
	if had && before.HookID != record.HookID {
		b.index(before.HookID)
	}
	b.index(record.HookID)
}

// Remove drops the record of that name.
func (b *Book) Remove(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if before, had := b.records[name]; had {
		delete(b.records, name)
		b.index(before.HookID)
	}
}

// Find gives the records of the channels behind a callback; none for one that
// is not known. The slice must not be changed.
func (b *Book) Find(hookID string) []Record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.hooks[hookID]
}

// index builds the list of one callback anew.
func (b *Book) index(hookID string) {
	var list []Record
	for record := range maps.Values(b.records) {
		if record.HookID == hookID {
			list = append(list, record)
		}
	}
	if len(list) == 0 {
		delete(b.hooks, hookID)
		return
	}
	slices.SortFunc(list, func(a, b Record) int { return strings.Compare(a.ChannelUID, b.ChannelUID) })
	b.hooks[hookID] = list
}
