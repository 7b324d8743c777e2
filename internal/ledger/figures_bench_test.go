// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
)

// many is a table of answered conversations of one channel.
type many struct {
	ledger.Table
	count int
}

// Follow implements ledger.Table.
func (m many) Follow(ctx context.Context, row func(inbox.Row), synced func()) error {
	for number := range m.count {
		e := post(1, number, night)
		c := conversation.Begin(e, e.ThreadID)
		c.Hear(e, conversation.Terms{Target: time.Hour}, night)
		c.Acknowledge("nina", night.Add(time.Duration(number%5000)*time.Second))
		value, err := json.Marshal(c)
		if err != nil {
			return err
		}
		row(inbox.Row{Key: c.ID, Value: value, Revision: uint64(number + 1)})
	}
	synced()
	<-ctx.Done()
	return nil
}

// BenchmarkFigures takes the figures of a channel of 100,000 conversations, and
// measures how long others wait for the index meanwhile.
//
//	go test -run '^$' -bench Figures ./internal/ledger
func BenchmarkFigures(b *testing.B) {
	l, err := ledger.New(ledger.Options{Table: many{count: 100_000}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Follow(ctx) }()
	<-l.InSync()
	var waits []time.Duration
	quit := make(chan struct{})
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for {
			select {
			case <-quit:
				return
			case <-time.After(100 * time.Microsecond):
			}
			before := time.Now()
			l.Waiting("uid-1")
			waits = append(waits, time.Since(before))
		}
	}()
	now := night.Add(2 * time.Hour)
	for b.Loop() {
		if l.Figures("uid-1", now).Answered != 100_000 {
			b.Fatal("not all are counted")
		}
	}
	close(quit)
	<-asked
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)*9/10].Microseconds()), "µs-wait-p90")
	stop()
	if err := <-ended; err != nil {
		b.Fatal(fmt.Errorf("following: %w", err))
	}
}
