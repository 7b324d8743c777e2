// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"k8s.io/utils/clock"
)

const (
	// trimEvery is how often the room that events take is looked at.
	trimEvery = 30 * time.Second
	// trimTimeout bounds one look.
	trimTimeout = 20 * time.Second
	// trimFrom is the part of the limit, in hundredths, from which events are
	// removed that everybody is done with, and trimTo what is to be left then.
	trimFrom, trimTo = 80, 60
	// trimYoungFrom is the part from which that is done also with events that
	// would still be known again.
	trimYoungFrom = 95
)

// startTrimming looks after the room that events take until the inbox closes.
func (i *Inbox) startTrimming(ctx context.Context, limit int64) error {
	ctx, leave, err := i.attend(context.WithoutCancel(ctx)) // Close ends it
	if err != nil {
		return err
	}
	i.metrics.limit.Set(float64(limit))
	go func() {
		defer leave()
		ticker := clock.RealClock{}.NewTicker(trimEvery)
		defer ticker.Stop()
		for {
			if err := i.trim(ctx, limit); err != nil && ctx.Err() == nil {
				i.log.V(1).Info("cannot look after the room that events take", "cause", err.Error())
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C():
			case <-i.tight:
			}
		}
	}()
	return nil
}

// trim removes the oldest events that every consumer is done with, where the
// limit is near, and none that anybody is not. As long as there is some room,
// those stay by which the same events would be known again.
func (i *Inbox) trim(ctx context.Context, limit int64) error {
	ctx, cancel := context.WithTimeout(ctx, trimTimeout)
	defer cancel()
	info, err := i.stream.Info(ctx)
	if err != nil {
		return err
	}
	used := int64(info.State.Bytes) //nolint:gosec // G115: a file's size
	i.metrics.bytes.Set(float64(used))
	if used < limit/100*trimFrom || info.State.Msgs == 0 {
		return nil
	}
	first := info.State.FirstSeq
	handled, err := i.firstUnhandled(ctx, info.State.LastSeq+1)
	if err != nil || handled <= first {
		return err
	}
	// As many as take that much, if all are of one size.
	count := uint64(used-limit/100*trimTo) * info.State.Msgs / info.State.Bytes //nolint:gosec // G115: used is more
	count = min(count+1, handled-first)
	if used < limit/100*trimYoungFrom {
		if count, err = i.forgotten(ctx, first, count); err != nil || count == 0 {
			return err
		}
	}
	if err := i.stream.Purge(ctx, jetstream.WithPurgeSequence(first+count)); err != nil {
		return err
	}
	after, err := i.stream.Info(ctx)
	if err != nil {
		return err
	}
	removed := info.State.Msgs - min(after.State.Msgs, info.State.Msgs)
	i.metrics.bytes.Set(float64(after.State.Bytes))
	i.metrics.trimmed.Add(float64(removed))
	i.log.Info("removed the oldest events, with which everybody was done, to have room", "events", removed, "bytes", after.State.Bytes, "limit", limit)
	return nil
}

// forgotten gives how many of the first events, of so many at most, are too old to be
// known again if they came again. Sequences may have gaps.
func (i *Inbox) forgotten(ctx context.Context, first, count uint64) (uint64, error) {
	for ; count > 0; count /= 2 {
		msg, err := i.stream.GetMsg(ctx, first+count-1, jetstream.WithGetMsgSubject(subjectPrefix+".>"))
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			continue
		case err != nil:
			return 0, err
		case now().Sub(msg.Time) > i.window:
			return count, nil
		}
	}
	return 0, nil
}

// ownConsumer is a consumer's name as consumePartition makes it.
var ownConsumer = regexp.MustCompile(`^(.+)-[0-9]{2}$`)

// firstUnhandled gives the sequence of the oldest event with which some durable
// consumer is not done, or end where there is none before it. It is zero where
// nobody consumes, or a name has not all of its consumers yet.
func (i *Inbox) firstUnhandled(ctx context.Context, end uint64) (uint64, error) {
	found, parts := end, map[string]int{}
	consumers := i.stream.ListConsumers(ctx)
	for info := range consumers.Info() {
		if info.Config.Durable == "" {
			continue
		}
		if name := ownConsumer.FindStringSubmatch(info.Config.Durable); name != nil {
			parts[name[1]]++
		}
		subjects := info.Config.FilterSubjects
		if info.Config.FilterSubject != "" {
			subjects = []string{info.Config.FilterSubject}
		}
		if len(subjects) == 0 {
			subjects = []string{subjectPrefix + ".>"}
		}
		for _, subject := range subjects {
			msg, err := i.stream.GetMsg(ctx, info.AckFloor.Stream+1, jetstream.WithGetMsgSubject(subject))
			if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
				return 0, err
			}
			if err == nil {
				found = min(found, msg.Sequence)
			}
		}
	}
	if err := consumers.Err(); err != nil {
		return 0, fmt.Errorf("listing consumers: %w", err)
	}
	for _, count := range parts {
		if count < partitions {
			return 0, nil
		}
	}
	if len(parts) == 0 {
		return 0, nil
	}
	return found, nil
}
