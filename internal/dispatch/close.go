// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/notify"
)

const (
	// closers close side by side, each of closeWays at once. They are others than
	// those who tell, so that a receiver that hangs keeps nobody from being told.
	closers   = 8
	closeWays = 8
)

// closeAll ends what was told of a conversation and is to be ended now, and
// writes what became of it.
func (d *Dispatcher) closeAll(ctx context.Context, p *plan) {
	c := p.conversation
	var mu sync.Mutex
	var closed, failed []conversation.Unclosed
	ending, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(closeWays)
	for _, one := range c.Closable(d.clock.Now()) {
		group.Go(func() error {
			err := d.end(ending, &one.Telling, d.closing(c, &one))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				closed = append(closed, one)
				return nil
			}
			failed = append(failed, one)
			d.log.Info("somebody could not be told that it is over", "conversation", c.ID, "who", one.Team+"/"+one.Member, "problem", short(err.Error()))
			return nil
		})
	}
	_ = group.Wait()
	if ctx.Err() != nil {
		failed = nil // the process stops; that is nobody's failure
	}
	var givenUp []conversation.Unclosed
	d.finish(ctx, p, func(c *conversation.Conversation) bool {
		givenUp = c.FinishClose(p.claim, closed, failed, d.clock.Now())
		return true
	})
	for i := range givenUp {
		d.sayGivenUp(c.Channel, givenUp[i].Telling, "conversation", c.ID)
	}
}

// sayGivenUp says that an alert may stay open for ever.
func (d *Dispatcher) sayGivenUp(channel string, of conversation.Telling, more ...any) {
	way := of.Way
	if way == "" {
		way = noWay
	}
	d.metrics.notifications.WithLabelValues(way, outcomeOpen).Inc()
	d.log.Error(nil, "for a day somebody could not be told that it is over; close it by hand where they see it",
		append([]any{"channel", channel, "who", of.Team + "/" + of.Member, "way", way}, more...)...)
}

// end ends what one person was told, at every place of theirs where it may be
// open: which of several it was is not known, and to end what is not there does
// no harm.
func (d *Dispatcher) end(ctx context.Context, telling *conversation.Telling, over notify.Closing) error {
	ways, _, err := d.directory.Ways(ctx, escalation.Person{Team: telling.Team, Name: telling.Member})
	if err != nil {
		return fmt.Errorf("how they were told could not be read: %w", err)
	}
	var all []error
	for _, notifier := range ways {
		closer, ok := notifier.(notify.Closer)
		if !ok || !telling.Everywhere() && notifier.Way() != telling.Way {
			continue
		}
		if err := endBy(ctx, closer, over); err != nil {
			d.metrics.notifications.WithLabelValues(notifier.Way(), outcomeUnclosed).Inc()
			all = append(all, err)
			continue
		}
		d.metrics.notifications.WithLabelValues(notifier.Way(), outcomeClosed).Inc()
	}
	return errors.Join(all...) // nil too where their ways keep nothing open, or are theirs no more
}

func endBy(ctx context.Context, closer notify.Closer, over notify.Closing) error {
	ctx, cancel := context.WithTimeout(ctx, wayTimeout)
	defer cancel()
	return closer.Close(ctx, over)
}
