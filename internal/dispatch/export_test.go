// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"

	"github.com/rostra-dev/rostra/internal/event"
)

// Handle deals with one event, as the consumer does.
func (d *Dispatcher) Handle(ctx context.Context, e event.Event) error { return d.handle(ctx, e) }

// Resume does what Start does first.
func (d *Dispatcher) Resume() { d.resume() }

// SetLimit sets how many conversations of a channel may wait.
func (d *Dispatcher) SetLimit(limit int) { d.limit = limit }

// Idle waits for what has begun.
func (d *Dispatcher) Idle() { d.tasks.Wait() }

// Settle does what is due now, and what follows from it, until nothing is.
func (d *Dispatcher) Settle(ctx context.Context) {
	for {
		d.begin(ctx)
		d.tasks.Wait()
		if len(d.ready) > 0 && ctx.Err() == nil {
			continue
		}
		now := d.clock.Now()
		if !d.away.until(now).IsZero() || ctx.Err() != nil {
			return
		}
		_, next := d.ledger.TakeDue(now, 0)
		d.floods.mu.Lock()
		gather := d.floods.next
		d.floods.mu.Unlock()
		flood := d.closeFloods(ctx, now)
		d.tasks.Wait()
		if (next.IsZero() || next.After(now)) && (gather.IsZero() || gather.After(now)) && (flood.IsZero() || flood.After(now)) {
			return
		}
	}
}
