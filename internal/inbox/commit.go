// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// publisher stores groups of messages in one stream. One goroutine uses it.
type publisher struct {
	inbox  *Inbox
	stream string
	// batches tells whether the server knows atomic batches (NATS 2.12).
	batches bool
	// failing tells that the stream was in bad health when last asked, so that
	// nobody waits for it in vain.
	failing bool
}

func (i *Inbox) newPublisher(stream jetstream.Stream) *publisher {
	info := stream.CachedInfo()
	return &publisher{inbox: i, stream: info.Config.Name, batches: info.Config.AllowAtomicPublish}
}

// committer stores the messages of many callers in one stream, and gathers those
// that wait while the disk is busy, as Inbox does with the events of its calls.
type committer struct {
	*publisher

	waiting chan *write
	ended   chan struct{}
}

// write is one message on its way to the disk.
type write struct {
	msg *nats.Msg
	// key keeps two messages that the server would not take into one batch from
	// being in one.
	key  string
	done chan written // has room for the one answer
}

// written is what became of a write.
type written struct {
	sequence uint64
	// folded tells that the server knew the message already.
	folded bool
	err    error
}

// startCommitter starts one that ends when the inbox closes.
func (i *Inbox) startCommitter(ctx context.Context, stream jetstream.Stream) (*committer, error) {
	c := &committer{publisher: i.newPublisher(stream), waiting: make(chan *write, maxGroup), ended: make(chan struct{})}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed() {
		return nil, errClosed()
	}
	ctx = context.WithoutCancel(ctx) // Close ends it
	i.committers.Go(func() { c.run(ctx) })
	return c, nil
}

// store stores a message and returns when it is on disk. Its error wraps
// ErrFull, ErrUnavailable, ErrConflict or the context's; after any but ErrFull
// and ErrConflict it may be stored all the same.
func (c *committer) store(ctx context.Context, msg *nats.Msg, key string) written {
	w := &write{msg: msg, key: key, done: make(chan written, 1)}
	select {
	case c.waiting <- w:
	case <-ctx.Done():
		return written{err: fmt.Errorf("storing: %w", ctx.Err())}
	case <-c.ended:
		return written{err: errClosed()}
	}
	select {
	case result := <-w.done:
		return result
	case <-ctx.Done():
		return written{err: fmt.Errorf("storing: %w", ctx.Err())}
	case <-c.ended:
	}
	select {
	case result := <-w.done: // it was in the last group
		return result
	default:
		return written{err: errClosed()}
	}
}

// run commits what waits, a group at a time, until the inbox closes and nobody is
// left who would store something.
func (c *committer) run(ctx context.Context) {
	defer close(c.ended)
	var left []*write
	for {
		if len(left) == 0 {
			select {
			case <-c.inbox.idle:
				return
			case first := <-c.waiting:
				left = append(left, first)
			}
		}
		var group []*write
		group, left = c.gather(left)
		for n, result := range c.commit(ctx, group) {
			group[n].done <- result
		}
	}
}

// gather takes what is left from before and what waits, up to a group's size.
// What has the same key as one before it is left for the next group.
func (c *committer) gather(before []*write) (group, left []*write) {
	keys := make(map[string]struct{}, len(before))
	size := 0
	add := func(w *write) {
		_, twice := keys[w.key]
		if twice || len(group) == maxGroup || size >= maxGroupBytes {
			left = append(left, w)
			return
		}
		keys[w.key] = struct{}{}
		group = append(group, w)
		size += len(w.msg.Data)
	}
	for _, w := range before {
		add(w)
	}
	for len(group) < maxGroup && len(left) < maxGroup && size < maxGroupBytes {
		select {
		case w := <-c.waiting:
			add(w)
		default:
			return group, left
		}
	}
	return group, left
}

// commit stores a group and says what became of each.
func (p *publisher) commit(ctx context.Context, group []*write) []written {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if p.failing {
		problem := p.inbox.healthOf(p.stream)
		if problem != nil {
			return same(problem, len(group))
		}
		p.failing = false
	}
	if p.batches && len(group) >= batchFrom {
		messages := make([]*nats.Msg, len(group))
		for n, w := range group {
			messages[n] = w.msg
		}
		last, stored, err := p.inbox.batch(ctx, messages)
		switch {
		case stored:
			return consecutive(last, len(group))
		case err != nil:
			return same(p.explain(err), len(group))
		}
	}
	return p.each(ctx, group)
}

// same gives the same error for every message of a group.
func same(err error, count int) []written {
	results := make([]written, count)
	for n := range results {
		results[n].err = err
	}
	return results
}

// consecutive gives the results of a batch by the sequence of its last message.
func consecutive(last uint64, count int) []written {
	results := make([]written, count)
	for n := range results {
		results[count-1-n].sequence = last
		last--
	}
	return results
}

// each stores messages one by one without waiting in between.
func (p *publisher) each(ctx context.Context, group []*write) []written {
	results := make([]written, len(group))
	futures := make([]jetstream.PubAckFuture, len(group))
	for n, w := range group {
		if results[n].err = ctx.Err(); results[n].err == nil { // each can wait for room of its own
			futures[n], results[n].err = p.inbox.js.PublishMsgAsync(w.msg)
		}
	}
	doubtful := false
	for n, future := range futures {
		if results[n].err == nil {
			results[n] = outcome(ctx, future)
		}
		doubtful = doubtful || results[n].folded || results[n].err != nil
	}
	if !doubtful {
		return results
	}
	// A store that failed to write may know duplicates that are not on disk.
	problem := p.inbox.healthOf(p.stream)
	p.failing = problem != nil
	for n, result := range results {
		switch {
		case problem != nil && (result.folded || result.err != nil):
			results[n] = written{err: problem}
		case result.err != nil:
			results[n].err = translate(result.err)
		}
	}
	return results
}

// outcome waits for the server's answer to one message.
func outcome(ctx context.Context, future jetstream.PubAckFuture) written {
	select {
	case ack := <-future.Ok():
		return written{sequence: ack.Sequence, folded: ack.Duplicate}
	case err := <-future.Err():
		return written{err: err}
	case <-ctx.Done():
		return written{err: ctx.Err()}
	}
}

// explain brings an error of NATS into the package's own.
func (p *publisher) explain(err error) error {
	if problem := p.inbox.healthOf(p.stream); problem != nil {
		p.failing = true
		return problem
	}
	return translate(err)
}
