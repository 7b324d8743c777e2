// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"k8s.io/utils/clock"
)

const (
	// followAhead is how many rows a follower asks for ahead.
	followAhead = 256
	// followerGone is after how long the server forgets a follower that says
	// nothing.
	followerGone = time.Minute
	// syncPause is how long nothing comes before a follower that is not in step
	// yet asks whether there is more.
	syncPause = 100 * time.Millisecond
	// awayAtMost is how long a follower may be without the server: after longer,
	// marks of rows that were deleted meanwhile may be gone.
	awayAtMost = tombstoneKeep / 2
	// unansweredAtMost is how many questions after a consumer may find no answer
	// in a row, while the connection is there, before another one is made: the
	// one server of a cluster that has it may be away alone.
	unansweredAtMost = 2
	// askAgain is how soon is asked again after no answer.
	askAgain = time.Second
)

// errInterrupted means that a follower has to ask anew from where it is.
var errInterrupted = errors.New("the server handed rows out with a gap")

// Follow hands every row to row, then calls synced once, and then hands on every
// change as it comes, until the context ends, and returns nil then. Rows come in
// the order of their revisions; what was changed several times may come with its
// last change alone. A row that is deleted comes with Gone. So does one that
// expires, by this process's clock, out of that order: with the revision that it
// had. Gone may come for a key that was not handed out before.
//
// row and synced are called one after the other, and keep what follows waiting.
// A connection that is lost and comes back is no error. An error means that it
// cannot go on: the inbox was closed, the table was taken away, or the server was
// away for so long that deletions may have been missed. Whoever follows again
// after it begins with an empty picture.
func (t *Table) Follow(ctx context.Context, row func(Row), synced func()) error {
	ctx, leave, err := t.inbox.attend(ctx)
	if err != nil {
		return err
	}
	defer leave()
	f := &follower{table: t, row: row, synced: synced, contact: now(), fading: map[string]uint64{}}
	for {
		err := f.follow(ctx)
		switch {
		case t.inbox.closed():
			return errClosed()
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, errFollowed):
			return fmt.Errorf("%w: following the table %s: %w", ErrUnavailable, t.options.Name, err)
		case now().Sub(f.contact) > awayAtMost:
			return fmt.Errorf("%w: following the table %s: NATS was away for more than %s: %w", ErrUnavailable, t.options.Name, awayAtMost, err)
		}
		t.inbox.log.V(1).Info("following a table anew", "table", t.options.Name, "cause", err.Error())
		pause(ctx, reconnectWait)
	}
}

// errFollowed means that the table is not the one that was followed.
var errFollowed = errors.New("the table was made anew")

// pause waits for a while, or for the context's end.
func pause(ctx context.Context, duration time.Duration) {
	timer := clock.RealClock{}.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}

// follower is one call of Follow.
type follower struct {
	table  *Table
	row    func(Row)
	synced func()

	// target is the revision at which the follower is in step.
	target  uint64
	started bool
	inStep  bool
	// last revision handed out, and number of messages that this consumer gave.
	last, delivered uint64
	// contact is when the server was heard last, and unanswered how often it was
	// asked in vain since this consumer was heard.
	contact    time.Time
	unanswered int
	// replicas of the stream: where there are several, the one that the consumer
	// reads may be behind the one that said what target is.
	replicas int
	// fading are the revisions of rows that expire, and queue their order.
	fading map[string]uint64
	queue  expiries
}

// follow hands out what comes behind last, until something interrupts it.
func (f *follower) follow(ctx context.Context) error {
	consumer, err := f.consumer(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if f.table.inbox.conn.IsConnected() {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
			defer cancel()
			// The server forgets it in any case, only later.
			_ = f.table.stream.DeleteConsumer(ending, consumer.CachedInfo().Name)
		}
	}()
	messages, err := consumer.Messages(jetstream.PullMaxMessages(followAhead), jetstream.PullHeartbeat(heartbeat),
		jetstream.WithMessagesErrOnMissingHeartbeat(false))
	if err != nil {
		return err
	}
	defer messages.Stop()
	connected, cancel := f.untilReconnected(ctx)
	defer cancel()
	for {
		msg, err := next(connected, messages, f.patience())
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errQuiet):
			err = f.ask(ctx, consumer)
		case err == nil:
			err = f.take(msg)
		}
		if err != nil {
			return err
		}
		if now().Sub(f.contact) > awayAtMost {
			return errInterrupted // Follow says that it was too long
		}
		f.expire(now())
	}
}

// untilReconnected gives a context that ends when the connection is there again
// after it was away: the server may have forgotten the consumer, which would be
// noticed late otherwise.
func (f *follower) untilReconnected(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	back := f.table.inbox.conn.StatusChanged(nats.CONNECTED)
	go func() {
		defer cancel()
		select {
		case <-back:
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		f.table.inbox.conn.RemoveStatusListener(back)
		cancel()
	}
}

// consumer makes a consumer of what comes behind last.
func (f *follower) consumer(ctx context.Context) (jetstream.Consumer, error) {
	info, err := f.table.stream.Info(ctx)
	if err != nil {
		return nil, err
	}
	if !f.started {
		f.started, f.target = true, info.State.LastSeq
	}
	if info.State.LastSeq < f.last {
		return nil, errFollowed
	}
	f.delivered, f.unanswered, f.replicas = 0, 0, info.Config.Replicas
	consumer, err := f.table.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       f.last + 1,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: followerGone,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return nil, err
	}
	f.contact = now()
	return consumer, f.catchUp(ctx, consumer.CachedInfo().NumPending == 0)
}

// settle calls synced, once, when the follower is in step: it has what there was
// when it began. That nothing is left says so with one replica alone: of several,
// the one that the consumer reads may be behind, and not know of more.
func (f *follower) settle(nothingLeft bool) {
	if !f.inStep && (nothingLeft && f.replicas <= 1 || f.last >= f.target) {
		f.inStep = true
		f.synced()
	}
}

// patience is how long to wait for the next row.
func (f *follower) patience() time.Duration {
	wait := quietFor
	if !f.inStep {
		wait = syncPause
	}
	if f.unanswered > 0 {
		wait = askAgain
	}
	if len(f.queue) > 0 {
		wait = min(wait, max(f.queue[0].at.Sub(now()), 0)+time.Millisecond)
	}
	return wait
}

// ask asks the server, where nothing has come for a while, whether the consumer
// is still there, and whether there is more.
func (f *follower) ask(ctx context.Context, consumer jetstream.Consumer) error {
	if f.inStep && now().Sub(f.contact) < quietFor {
		return nil // it was a row that expires for which it waited
	}
	asking, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := consumer.Info(asking)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return err
	case err != nil:
		return f.missed(err)
	}
	f.unanswered = 0
	if info.Delivered.Consumer < f.delivered {
		return errInterrupted // another one of that name
	}
	if info.Delivered.Consumer == f.delivered {
		f.contact = now()
		return f.catchUp(ctx, info.NumPending == 0)
	}
	if now().Sub(f.contact) > quietFor {
		return errInterrupted // what it sent did not arrive
	}
	return nil
}

// catchUp settles, where nothing comes. The last message that the follower waits
// for may have been removed, and so the stream's leader is asked, which knows all,
// which is the last that there is.
func (f *follower) catchUp(ctx context.Context, nothingLeft bool) error {
	if !f.inStep && f.replicas > 1 && f.last < f.target {
		last, err := f.table.lastKept(ctx)
		if err != nil {
			return err
		}
		f.target = min(f.target, max(last, f.last))
	}
	f.settle(nothingLeft)
	return nil
}

// lastKept asks the stream's leader for the sequence of the last message that there
// is, zero for none. Stream.GetMsg would ask any replica.
func (t *Table) lastKept(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	reply, err := t.inbox.conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+t.commits.stream, []byte(`{"last_by_subj":"`+t.subject+`*"}`))
	if err != nil {
		return 0, err
	}
	var answer struct {
		Message struct {
			Sequence uint64 `json:"seq"`
		} `json:"message"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return 0, fmt.Errorf("reading NATS's answer: %w", err)
	}
	if answer.Error != nil && answer.Error.ErrorCode != jetstream.JSErrCodeMessageNotFound {
		return 0, answer.Error
	}
	return answer.Message.Sequence, nil
}

// missed judges a question without an answer. With no connection the server is
// away, and its return is noticed. With one, it is the consumer that cannot be
// reached, and another one takes its place.
func (f *follower) missed(err error) error {
	if !f.table.inbox.conn.IsConnected() {
		return nil
	}
	f.unanswered++
	var refusal *jetstream.APIError
	if errors.As(err, &refusal) || f.unanswered >= unansweredAtMost {
		return fmt.Errorf("%w: %w", errInterrupted, err)
	}
	return nil
}

// take hands out what a message says.
func (f *follower) take(msg jetstream.Msg) error {
	metadata, err := msg.Metadata()
	if err != nil {
		return err
	}
	if metadata.Sequence.Consumer != f.delivered+1 {
		return errInterrupted
	}
	f.delivered++
	f.contact, f.unanswered = now(), 0
	f.last = metadata.Sequence.Stream
	key := strings.TrimPrefix(msg.Subject(), f.table.subject)
	found := readRow(key, msg.Headers(), msg.Data(), metadata.Sequence.Stream, metadata.Timestamp)
	switch {
	case !found.goneAt(f.contact):
		delete(f.fading, key)
		if !found.Expires.IsZero() {
			f.fade(expiry{at: found.Expires, key: key, revision: found.Revision})
		}
		f.row(found.Row)
	case f.last > f.target:
		delete(f.fading, key)
		f.row(Row{Key: key, Revision: found.Revision, Gone: true})
	default: // it was gone before Follow began
	}
	f.settle(metadata.NumPending == 0)
	return nil
}

// fade remembers a row that expires.
func (f *follower) fade(e expiry) {
	f.fading[e.key] = e.revision
	heap.Push(&f.queue, e)
	if len(f.queue) < followAhead || len(f.queue) < 2*len(f.fading) {
		return
	}
	// Most of the queue is about rows that were written again since.
	f.queue = slices.DeleteFunc(f.queue, func(e expiry) bool { return f.fading[e.key] != e.revision })
	heap.Init(&f.queue)
}

// expire hands out the rows that have expired, as Gone.
func (f *follower) expire(now time.Time) {
	for len(f.queue) > 0 && !f.queue[0].at.After(now) {
		due := heap.Pop(&f.queue).(expiry) //nolint:forcetypeassert // the heap holds nothing else
		if f.fading[due.key] != due.revision {
			continue // it was written again
		}
		delete(f.fading, due.key)
		f.row(Row{Key: due.key, Revision: due.revision, Gone: true})
	}
}

// expiry of a row.
type expiry struct {
	at       time.Time
	key      string
	revision uint64
}

// expiries is a heap, the next to expire first.
type expiries []expiry

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(a, b int) bool { return e[a].at.Before(e[b].at) }
func (e expiries) Swap(a, b int)      { e[a], e[b] = e[b], e[a] }
func (e *expiries) Push(x any)        { *e = append(*e, x.(expiry)) } //nolint:forcetypeassert // as above
func (e *expiries) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}
