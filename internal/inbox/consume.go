// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/event"
)

const (
	// ackWait is how long the server waits for a handler that says nothing:
	// after a crash an event in flight comes again after this time.
	ackWait = 10 * time.Second
	// stillWorking is how often a running handler's event is kept from coming
	// again.
	stillWorking = ackWait / 4
	// Pauses before an event comes again whose handler failed.
	firstRetry = 500 * time.Millisecond
	maxRetry   = time.Minute
	// asked is how many events a consumer asks for ahead. The server sends the
	// next as soon as the one before has been dealt with, so one would do; but
	// the client may overlook that it has to ask again while its last question
	// is still on its way, and then waits for two heartbeats. With many asked
	// for it asks again long before it has to.
	asked = 512
	// heartbeat is how often the server says that it has nothing to hand out.
	heartbeat = 5 * time.Second
	// drainTimeout bounds how long the end of a consumer waits for an event that
	// is on its way.
	drainTimeout = time.Second
	// maxName bounds a consumer's name in bytes.
	maxName = 32
)

// Filter selects events.
type Filter struct {
	// Kinds wanted; none means all.
	Kinds []event.Kind
}

// Handle deals with one event. Its context ends with that of Consume, and when
// the inbox closes. After an error the event comes again, so it must bear to
// see an event twice.
type Handle = func(ctx context.Context, e event.Event) error

// Consume hands events to handle until the context ends, and then returns nil.
// Events that were stored before the name was first used come too. Where it
// stopped is kept under the name, durably; several processes may share a name,
// and each event goes to one of them. Names are lower-case letters, digits and
// hyphens. To change the filter of a name does not bring back events that it
// left out before.
//
// Events of one channel are handled in order, those of several side by side, so
// handle must be safe for concurrent use. After an error of handle the event
// comes again, after a pause that grows from half a second to a minute, and
// until it has been dealt with nothing follows in its partition: a handler that
// wants to give an event up returns nil. An error of Consume means that it
// cannot go on: the inbox was closed, or the server took the consumer away.
func (i *Inbox) Consume(ctx context.Context, name string, filter Filter, handle Handle) error {
	if !isConsumerName(name) {
		return fmt.Errorf("consuming events: a name has 1 to %d lower-case letters, digits and hyphens and begins and ends without a hyphen", maxName)
	}
	ctx, leave, err := i.attend(ctx)
	if err != nil {
		return err
	}
	defer leave()
	group, groupCtx := errgroup.WithContext(ctx)
	for number := range partitions {
		group.Go(func() error { return i.consumePartition(groupCtx, name, partitionToken(number), filter, handle) })
	}
	err = group.Wait()
	switch {
	case i.closed():
		return errClosed()
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("consuming events as %s: %w", name, err)
	}
	return nil
}

func isConsumerName(name string) bool {
	return len(name) <= maxName && regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`).MatchString(name)
}

// attend counts somebody in for whom Close waits, until leave is called, and
// gives a context that ends when the inbox closes.
func (i *Inbox) attend(ctx context.Context) (_ context.Context, leave func(), err error) {
	if !i.join() {
		return nil, nil, errClosed()
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-i.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); i.consumers.Done() }, nil
}

// join counts a consumer in, unless the inbox is closing.
func (i *Inbox) join() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed() {
		return false
	}
	i.consumers.Add(1)
	return true
}

// consumePartition hands out the events of one partition, one at a time.
func (i *Inbox) consumePartition(ctx context.Context, name, partition string, filter Filter, handle Handle) error {
	return i.handOut(ctx, i.stream, jetstream.ConsumerConfig{
		Durable:        name + "-" + partition,
		FilterSubjects: filters(partition, filter.Kinds),
	}, func(msg jetstream.Msg) { i.deal(ctx, msg, handle) })
}

// handOut hands messages to deal, one at a time and in order, until the context
// ends.
func (i *Inbox) handOut(ctx context.Context, stream jetstream.Stream, config jetstream.ConsumerConfig, deal func(jetstream.Msg)) error {
	config.DeliverPolicy = jetstream.DeliverAllPolicy
	config.AckPolicy = jetstream.AckExplicitPolicy
	config.AckWait = ackWait
	config.MaxDeliver = -1
	// This is what keeps the order: nothing is handed out, to anybody, until the
	// message before it has been dealt with.
	config.MaxAckPending = 1
	consumer, err := stream.CreateOrUpdateConsumer(ctx, config)
	if err != nil {
		return troubled(err)
	}
	if err := i.reclaim(ctx, consumer.CachedInfo()); err != nil {
		return err
	}
	messages, err := consumer.Messages(
		jetstream.PullMaxMessages(asked),
		jetstream.PullHeartbeat(heartbeat),
		jetstream.WithMessagesErrOnMissingHeartbeat(false),
	)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer giveBack(messages)
	for {
		msg, err := next(ctx, messages, quietFor)
		switch {
		case ctx.Err() != nil:
			if msg != nil {
				_ = msg.Nak()
			}
			return nil
		case errors.Is(err, errQuiet):
			if err := stillThere(ctx, consumer); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		deal(msg)
	}
}

// reclaim makes what an earlier process of the embedded server had in hand when it
// was killed come again at once, instead of after ackWait: nobody else can have it.
// On a cluster another process may. A consumer that is used again in this process
// has had its messages given back.
func (i *Inbox) reclaim(ctx context.Context, info *jetstream.ConsumerInfo) error {
	if i.embedded == nil {
		return nil
	}
	name := info.Stream + "." + info.Name
	i.mu.Lock()
	done := i.reclaimed[name]
	i.reclaimed[name] = true
	i.mu.Unlock()
	if done || info.NumAckPending == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	reply, err := i.conn.RequestWithContext(ctx, "$JS.API.CONSUMER.RESET."+name, nil)
	if err != nil {
		return fmt.Errorf("%w: taking back what was in hand: %w", ErrUnavailable, err)
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return fmt.Errorf("%w: reading NATS's answer to a reset: %w", ErrUnavailable, err)
	}
	if answer.Error != nil {
		return troubled(answer.Error)
	}
	return nil
}

// quietFor is how long nothing may come before the server is asked whether the
// consumer is still there: what asks a consumer that is gone for messages is
// never told so.
const quietFor = 10 * time.Second

var errQuiet = errors.New("nothing has come for a while")

// next waits for a message, for as long as patience.
func next(ctx context.Context, messages jetstream.MessagesContext, patience time.Duration) (jetstream.Msg, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, patience, errQuiet)
	defer cancel()
	msg, err := messages.Next(jetstream.NextContext(waiting))
	if err != nil && errors.Is(context.Cause(waiting), errQuiet) {
		return nil, errQuiet
	}
	return msg, err
}

// stillThere is an error where the server has the consumer no more. While the
// server is away, that is not known.
func stillThere(ctx context.Context, consumer jetstream.Consumer) error {
	asking, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := consumer.Info(asking); errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// giveBack ends an iterator and gives back what had arrived and nobody looked
// at, so that it does not have to wait for ackWait.
func giveBack(messages jetstream.MessagesContext) {
	defer messages.Stop()
	messages.Drain()
	for {
		msg, err := messages.Next(jetstream.NextMaxWait(drainTimeout))
		if err != nil {
			return // nothing is left, or the connection is away
		}
		_ = msg.Nak()
	}
}

// deal has one message handled and tells the server what became of it. Where
// the server does not hear it, the message comes again.
func (i *Inbox) deal(ctx context.Context, msg jetstream.Msg, handle Handle) {
	e, err := decode(msg.Data())
	if err != nil {
		i.metrics.undecodable.Inc()
		i.log.Error(err, "gave up a stored message that is no event; it was written by another program, or the store is damaged",
			"sequence", sequence(msg))
		_ = msg.TermWithReason("not an event")
		return
	}
	err = keepAlive(ctx, msg, func() error { return handle(ctx, e) })
	switch {
	case err == nil:
		_ = msg.Ack()
	case ctx.Err() != nil:
		_ = msg.Nak() // not the event's fault
	default:
		i.metrics.retried.Inc()
		pause := retryAfter(deliveries(msg))
		i.log.Error(err, "an event could not be handled and comes again", "sequence", sequence(msg), "kind", e.Kind, "after", pause.String())
		_ = msg.NakWithDelay(pause)
	}
}

// keepAlive runs work and meanwhile tells the server that it goes on.
func keepAlive(ctx context.Context, msg jetstream.Msg, work func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := clock.RealClock{}.NewTicker(stillWorking)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C():
				_ = msg.InProgress()
			}
		}
	}()
	defer func() {
		cancel()
		<-done
	}()
	return work()
}

// retryAfter is the pause after an event was handed out so many times.
func retryAfter(deliveries uint64) time.Duration {
	pause := firstRetry
	for n := uint64(1); n < deliveries && pause < maxRetry; n++ {
		pause *= 2
	}
	return min(pause, maxRetry)
}

func deliveries(msg jetstream.Msg) uint64 {
	if metadata, err := msg.Metadata(); err == nil {
		return metadata.NumDelivered
	}
	return 1
}

func sequence(msg jetstream.Msg) uint64 {
	if metadata, err := msg.Metadata(); err == nil {
		return metadata.Sequence.Stream
	}
	return 0
}
