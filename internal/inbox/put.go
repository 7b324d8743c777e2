// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"syscall"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/rostra-dev/rostra/internal/event"
)

const (
	// maxGroup and maxGroupBytes bound what is committed together.
	maxGroup      = 512
	maxGroupBytes = 4 << 20
	// batchFrom is the size from which a group is one atomic batch. A small batch
	// was measured to take as long as 17 events on their own: for each, the
	// server makes, syncs and removes a store of its own.
	batchFrom = 17
	// maxHeader is room for the headers of a stored message, in bytes.
	maxHeader = 1 << 10
)

// Headers and codes of atomic batches, from NATS ADR-50.
const (
	headerBatch         = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// Codes of the server's errors that mean that there is no room.
const (
	codeInsufficientResources jetstream.ErrorCode = 10023
	codeStorageExceeded       jetstream.ErrorCode = 10047
	codeAccountExceeded       jetstream.ErrorCode = 10002
	codeStoreFailed           jetstream.ErrorCode = 10077
)

// Codes of the server's errors that mean that somebody else wrote first, or is
// writing.
const (
	codeWrongLastSequence     jetstream.ErrorCode = 10071
	codeSubjectBeingWrittenTo jetstream.ErrorCode = 10164
)

// request is one call of Put on its way to the disk.
type request struct {
	messages []message
	done     chan error // has room for the one answer
}

// Put stores events and returns when every one of them is on disk, or was
// already. An error means that some may not be; it wraps ErrFull,
// ErrUnavailable, ErrInvalid or the context's error. Putting the same events
// again is safe. An invalid event keeps the others of the call from being
// stored.
func (i *Inbox) Put(ctx context.Context, events ...event.Event) error {
	if len(events) == 0 {
		return nil
	}
	r := &request{messages: make([]message, len(events)), done: make(chan error, 1)}
	for n, e := range events {
		var err error
		if r.messages[n], err = encode(e); err != nil {
			return err
		}
	}
	select {
	case i.waiting <- r:
	case <-ctx.Done():
		return fmt.Errorf("storing events: %w", ctx.Err())
	case <-i.closing:
		return errClosed()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("storing events: %w", ctx.Err())
	case <-i.committed:
	}
	select {
	case err := <-r.done: // it was in the last group
		return err
	default:
		return errClosed()
	}
}

// commitGroups commits what waits, a group at a time, until the inbox closes.
func (i *Inbox) commitGroups(ctx context.Context) {
	defer close(i.committed)
	for {
		select {
		case <-i.closing:
			return
		case first := <-i.waiting:
			i.commitRequests(ctx, i.gather(first))
		}
	}
}

// gather takes what waits already, up to a group's size.
func (i *Inbox) gather(first *request) []*request {
	requests := []*request{first}
	count, size := weigh(first)
	for count < maxGroup && size < maxGroupBytes {
		select {
		case next := <-i.waiting:
			requests = append(requests, next)
			c, s := weigh(next)
			count, size = count+c, size+s
		default:
			return requests
		}
	}
	return requests
}

func weigh(r *request) (count, size int) {
	for _, m := range r.messages {
		size += len(m.data)
	}
	return len(r.messages), size
}

// commitRequests stores the messages of several requests, each once, and
// answers everyone.
func (i *Inbox) commitRequests(ctx context.Context, requests []*request) {
	var unique []message
	results := make(map[string]error)
	for _, r := range requests {
		for _, m := range r.messages {
			if _, ok := results[m.id]; ok {
				i.metrics.folded.Inc()
				continue
			}
			results[m.id] = nil
			unique = append(unique, m)
		}
	}
	for len(unique) > 0 {
		group := cut(unique)
		unique = unique[len(group):]
		for n, err := range i.commit(ctx, group) {
			results[group[n].id] = err
		}
	}
	for _, r := range requests {
		var err error
		for _, m := range r.messages {
			if err == nil {
				err = results[m.id]
			}
		}
		r.done <- err
	}
}

// cut takes as many messages as make a group, one at least.
func cut(messages []message) []message {
	size := 0
	for n, m := range messages {
		if size += len(m.data); n > 0 && (n == maxGroup || size > maxGroupBytes) {
			return messages[:n]
		}
	}
	return messages
}

// commit stores a group and gives an error, or nil, for each of its messages.
func (i *Inbox) commit(ctx context.Context, group []message) []error {
	writes := make([]*write, len(group))
	for n, m := range group {
		writes[n] = &write{msg: m.nats()}
	}
	errs := make([]error, len(group))
	for n, result := range i.events.commit(ctx, writes) {
		switch errs[n] = result.err; {
		case result.err != nil:
			i.metrics.refused.Inc()
		case result.folded:
			i.metrics.folded.Inc()
		default:
			i.metrics.stored.Inc()
		}
		if errors.Is(result.err, ErrLimit) {
			i.tighten()
		}
	}
	return errs
}

// tighten says that the events are at their limit.
func (i *Inbox) tighten() {
	select {
	case i.tight <- struct{}{}:
	default: // it is known
	}
}

// batch publishes messages as one atomic batch and gives the sequence of the
// last; those of the others come before it without a gap. Neither stored nor an
// error means that the server refused the batch and stored none of it, or is too
// old for batches and stored some of it.
func (i *Inbox) batch(ctx context.Context, messages []*nats.Msg) (last uint64, stored bool, err error) {
	batch := nuid.Next()
	end := len(messages) - 1
	for n, m := range messages[:end] {
		if err := i.conn.PublishMsg(inBatch(m, batch, n+1)); err != nil {
			return 0, false, err
		}
	}
	commit := inBatch(messages[end], batch, len(messages))
	commit.Header.Set(headerBatchCommit, "1")
	reply, err := i.conn.RequestMsgWithContext(ctx, commit)
	if err != nil {
		return 0, false, err
	}
	var ack struct {
		Sequence uint64 `json:"seq"`
		Batch    string `json:"batch"`
		Count    int    `json:"count"`
		Refusal  *struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return 0, false, fmt.Errorf("reading NATS's answer to a batch: %w", err)
	}
	if ack.Refusal != nil {
		i.log.V(1).Info("NATS refused a batch; its messages go one by one", "messages", len(messages), "reason", ack.Refusal.Description)
		return 0, false, nil
	}
	return ack.Sequence, ack.Batch == batch && ack.Count == len(messages), nil
}

// inBatch gives a message as it is published in a batch, where it is the one
// with this sequence, from 1.
func inBatch(m *nats.Msg, batch string, sequence int) *nats.Msg {
	header := maps.Clone(m.Header)
	header.Set(headerBatch, batch)
	header.Set(headerBatchSequence, strconv.Itoa(sequence))
	return &nats.Msg{Subject: m.Subject, Header: header, Data: m.Data}
}

// translate brings an error of a healthy NATS into the package's own.
func translate(err error) error {
	var refusal *jetstream.APIError
	switch {
	case !errors.As(err, &refusal):
	case refusal.ErrorCode == codeStoreFailed && strings.Contains(refusal.Description, server.ErrMaxMsgsPerSubject.Error()):
		return fmt.Errorf("%w: NATS says %q", ErrLaneFull, refusal.Description)
	case refusal.ErrorCode == codeStoreFailed && strings.Contains(refusal.Description, server.ErrMaxBytes.Error()):
		return fmt.Errorf("%w: NATS says %q; give it more room, or wait until there is some", ErrLimit, refusal.Description)
	case noRoom(refusal):
		return fmt.Errorf("%w: NATS says %q; give it more room, or wait until there is some", ErrFull, refusal.Description)
	case refusal.ErrorCode == codeWrongLastSequence, refusal.ErrorCode == codeSubjectBeingWrittenTo:
		return ErrConflict
	}
	return fmt.Errorf("%w: NATS did not confirm: %w", ErrUnavailable, err)
}

func noRoom(refusal *jetstream.APIError) bool {
	switch refusal.ErrorCode {
	case codeInsufficientResources, codeStorageExceeded, codeAccountExceeded:
		return true
	case codeStoreFailed:
		return strings.Contains(refusal.Description, "maximum") || saysDiskFull(refusal.Description)
	default:
		return saysDiskFull(refusal.Description)
	}
}

// saysDiskFull tells whether words of the server's are those of a system without
// room on the disk.
func saysDiskFull(words string) bool {
	return strings.Contains(words, syscall.ENOSPC.Error()) || strings.Contains(words, syscall.EDQUOT.Error())
}

// troubled brings an error of preparing something on the server into the
// package's own.
func troubled(err error) error {
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) && noRoom(refusal) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// nats gives the message as it is published on its own.
func (m message) nats() *nats.Msg {
	return &nats.Msg{Subject: m.subject, Data: m.data, Header: nats.Header{
		nats.MsgIdHdr:          {m.id},
		nats.ExpectedStreamHdr: {streamName},
	}}
}
