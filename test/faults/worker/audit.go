// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/test/faults/company"
)

// lastKind is the kind of what the audit puts behind all that is stored.
const lastKind = event.OwnPost

// audit prints the ID of every event that is stored, one a line, as often as it
// is.
func audit(ctx context.Context, events *inbox.Inbox, pages int, out io.Writer) error {
	name := fmt.Sprintf("audit-%d", time.Now().UnixNano())
	ends := make([]event.Event, pages)
	for page := range pages {
		ends[page] = last(company.PageAt(page), name)
	}
	if err := events.Put(ctx, ends...); err != nil {
		return err
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	var mu sync.Mutex
	left := pages
	return events.Consume(ctx, name, inbox.Filter{}, func(_ context.Context, e event.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind != lastKind {
			_, err := fmt.Fprintln(out, e.ID)
			return err
		}
		if e.ID == name {
			left--
		}
		if left == 0 {
			done()
		}
		return nil
	})
}

func last(page company.Page, id string) event.Event {
	return event.Event{
		ID: id, Kind: lastKind, Platform: company.Platform, AccountID: page.ID, Channel: page.Channel(), ChannelUID: page.UID,
		PostID: id, ReceivedAt: time.Now(),
	}
}
