// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"
)

// laneGone is after how long the server forgets how often it tried the letters
// of a lane to which nobody delivers.
const laneGone = 7 * 24 * time.Hour

// Deliver hands the letters of a lane to handle until the context ends, and then
// returns nil. Several processes may deliver one lane: each letter is handed to
// one of them at a time. A letter whose handle gave nil is removed; it comes
// again where the process was killed before that was stored, and so handle must
// bear to see a letter twice.
//
// Letters of one order key are handed out one after another, in order; up to four
// of different keys side by side, so handle must be safe for concurrent use. Its
// context ends with Deliver's, and when the inbox closes. After an error of
// handle the letter comes again, after a pause that grows from half a second to a
// minute, or the one that the error gives by a method Pause() time.Duration;
// until then nothing follows of the order keys in its quarter of the lane. A
// handler that wants to give a letter up returns nil. Lanes do not hold up one
// another. An error of Deliver means that it cannot go on: the inbox was closed,
// or the server took the outbox away.
func (b *Outbox) Deliver(ctx context.Context, lane string, handle func(ctx context.Context, letter Letter) error) error {
	if err := validLetter(lane, "any", nil); err != nil {
		return err
	}
	ctx, leave, err := b.inbox.attend(ctx)
	if err != nil {
		return err
	}
	defer leave()
	sum := digest(lane)
	group, groupCtx := errgroup.WithContext(ctx)
	for number := range lanePartitions {
		partition := partitionToken(number)
		config := jetstream.ConsumerConfig{
			Durable:           strings.Join([]string{"lane", hex.EncodeToString(sum[:16]), partition}, "-"),
			FilterSubject:     b.subject + encodeName(lane) + "." + partition,
			InactiveThreshold: laneGone,
			// Embedded, the server ends with everybody who delivers, so that what it
			// knows of letters under way, and writes with an fsync for each step, is
			// worth nothing after. The letters themselves are on disk.
			MemoryStorage: b.inbox.embedded != nil,
		}
		group.Go(func() error {
			return b.inbox.handOut(groupCtx, b.stream, config, func(msg jetstream.Msg) { b.deliver(groupCtx, lane, msg, handle) })
		})
	}
	err = group.Wait()
	switch {
	case b.inbox.closed():
		return errClosed()
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("delivering letters of the outbox %s: %w", b.options.Name, err)
	}
	return nil
}

// deliver has one letter delivered and tells the server what became of it. Where
// the server does not hear it, the letter comes again.
func (b *Outbox) deliver(ctx context.Context, lane string, msg jetstream.Msg, handle func(context.Context, Letter) error) {
	letters, log := b.inbox.metrics.letters, b.inbox.log
	letter, err := readLetter(msg)
	if err != nil {
		b.inbox.metrics.undecodable.Inc()
		log.Error(err, "gave up a stored message that is no letter; it was written by another program, or the store is damaged", "sequence", sequence(msg))
		_ = msg.TermWithReason("not a letter")
		return
	}
	if _, err := b.delivered.Get(ctx, letterKey(letter.ID)); err == nil {
		_ = msg.Ack() // only that was not heard
		return
	}
	err = keepAlive(ctx, msg, func() error { return handle(ctx, letter) })
	switch {
	case err == nil:
		letters.delivered.Inc()
		b.remember(ctx, letter.ID)
		_ = msg.Ack()
	case ctx.Err() != nil:
		_ = msg.Nak() // not the letter's fault
	default:
		letters.retried.Inc()
		wait := retryAfter(deliveries(msg))
		var wish interface{ Pause() time.Duration }
		if errors.As(err, &wish) {
			wait = max(wish.Pause(), time.Millisecond)
		}
		log.Error(err, "a letter could not be delivered and is tried again", "lane", lane, "tries", letter.Tries, "after", wait.String())
		_ = msg.NakWithDelay(wait)
	}
}

// remember stores that a letter was delivered, for as long as it may be added
// again. That it is known is worth more than that Deliver ends at once.
func (b *Outbox) remember(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	_, err := b.delivered.put(ctx, letterKey(id), nil, 0, b.window)
	if err != nil && !errors.Is(err, ErrConflict) { // another process delivered it too
		b.unnoted(err)
	}
}

// unnoted counts a letter that was delivered without a note of it, and says so
// now and then.
func (b *Outbox) unnoted(err error) {
	b.inbox.metrics.letters.unnoted.Inc()
	b.mu.Lock()
	defer b.mu.Unlock()
	if at := now(); at.Sub(b.unnotedAt) >= unnotedAgain {
		b.unnotedAt = at
		b.inbox.log.Error(err, "letters were delivered, but not noted down as such: they may be delivered again", "outbox", b.options.Name)
	}
}

func readLetter(msg jetstream.Msg) (Letter, error) {
	id, err := base64.RawURLEncoding.DecodeString(msg.Headers().Get(headerLetter))
	if err != nil || len(id) == 0 {
		return Letter{}, invalidError("it has no letter's identity")
	}
	metadata, err := msg.Metadata()
	if err != nil {
		return Letter{}, err
	}
	return Letter{
		ID: string(id), Data: msg.Data(), Added: metadata.Timestamp,
		Tries: int(metadata.NumDelivered), //nolint:gosec // G115: a count
	}, nil
}

// startSweeping gives up letters that are too old, now and then, until the inbox
// closes.
func (b *Outbox) startSweeping(ctx context.Context) error {
	ctx, leave, err := b.inbox.attend(context.WithoutCancel(ctx)) // Close ends it
	if err != nil {
		return err
	}
	go func() {
		defer leave()
		ticker := clock.RealClock{}.NewTicker(min(sweepEvery, b.options.MaxAge))
		defer ticker.Stop()
		for {
			b.sweep(ctx)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C():
			}
		}
	}()
	return nil
}

// sweep removes the letters that are older than MaxAge, says so, and gives their
// number. The server could do it by itself, but silently. Letters lie in the
// order of their age, so the first that is young enough ends the search.
func (b *Outbox) sweep(ctx context.Context) (expired int) {
	lanes := map[string]int{}
	for next := uint64(1); ctx.Err() == nil; {
		msg, err := b.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(b.subject+">"))
		if err != nil || now().Sub(msg.Time) <= b.options.MaxAge {
			break // nothing is left, or it is for the next time
		}
		next = msg.Sequence + 1
		if err := b.stream.DeleteMsg(ctx, msg.Sequence); err != nil {
			continue // it was delivered, or another process was faster
		}
		lane, _ := b.laneOf(msg.Subject)
		lanes[lane]++
		expired++
		b.inbox.metrics.letters.expired.Inc()
	}
	for lane, count := range lanes {
		b.inbox.log.Error(nil, "gave up letters that could not be delivered in time: their receiver never sees them",
			"outbox", b.options.Name, "lane", lane, "letters", count, "olderThan", b.options.MaxAge.String())
	}
	return expired
}
