// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	defaultOutboxBytes = 256 << 20
	minOutboxBytes     = 2 * minMaxBytes
	defaultLaneLimit   = 100_000
	// maxOutboxName leaves room for the name of the table beside it.
	maxOutboxName = maxName - len(deliveredSuffix)
	// lanePartitions are how many letters of a lane may be under way side by side.
	// Stored subjects hold a partition's number: another number of partitions
	// loses the order of the letters that are stored at the time.
	lanePartitions = 4
	// maxLane and maxLetterID bound a lane's name and a letter's identity in bytes.
	maxLane     = 253
	maxLetterID = 512
	// deliveredPart is the part of the outbox's room that is taken beside it for
	// the identities of delivered letters.
	deliveredSuffix = "-delivered"
	deliveredPart   = 8
	// unnotedAgain is how soon it is logged again that they cannot be noted.
	unnotedAgain = time.Minute
	// sweepEvery is how often letters are looked for that are too old.
	sweepEvery = time.Minute

	outboxPrefix  = "ROSTRA_OUTBOX_"
	outboxSubject = "rostra.outbox"
	// headerLetter holds a letter's identity, encoded: it comes from outside.
	headerLetter = "Rostra-Letter"
)

// OutboxOptions of an Outbox.
type OutboxOptions struct {
	// Name of 1 to 22 lower-case letters, digits and hyphens.
	Name string
	// MaxBytes bounds the letters kept, on disk, headers included. Default 256
	// MiB. An eighth more, and of that an eighth, is taken to know delivered letters
	// again, some 250 bytes for each: where that is full, they may be delivered again
	// if they are added again.
	MaxBytes int64
	// MaxAge is how long a letter waits to be delivered, before it is given up,
	// counted and logged. Default Options.MaxAge.
	MaxAge time.Duration
	// LaneLimit bounds the letters of a lane. Default 100,000. A lane has four
	// partitions, each with a quarter of it, and an order key has one.
	LaneLimit int64
}

func (o OutboxOptions) complete(maxAge time.Duration) (OutboxOptions, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultOutboxBytes
	}
	if o.MaxAge == 0 {
		o.MaxAge = maxAge
	}
	if o.LaneLimit == 0 {
		o.LaneLimit = defaultLaneLimit
	}
	switch {
	case !isConsumerName(o.Name) || len(o.Name) > maxOutboxName:
		return o, fmt.Errorf("an outbox's name has 1 to %d lower-case letters, digits and hyphens and begins and ends without a hyphen", maxOutboxName)
	case o.MaxBytes < minOutboxBytes:
		return o, fmt.Errorf("the outbox %s needs room for %d bytes or more, not %d", o.Name, minOutboxBytes, o.MaxBytes)
	case o.MaxAge < time.Second:
		return o, fmt.Errorf("the outbox %s keeps letters for a second or more, not %s", o.Name, o.MaxAge)
	case o.LaneLimit < lanePartitions:
		return o, fmt.Errorf("the outbox %s needs room for %d letters or more a lane, not %d", o.Name, lanePartitions, o.LaneLimit)
	}
	return o, nil
}

// Letter on its way to somebody's own tool.
type Letter struct {
	ID   string
	Data []byte
	// Added is when it was stored.
	Added time.Time
	// Tries are how often it was handed out, this time included.
	Tries int
}

// Outbox keeps letters durably until they are delivered, lane by lane. Its
// methods may be called concurrently, and by several processes on a cluster.
type Outbox struct {
	inbox   *Inbox
	stream  jetstream.Stream
	options OutboxOptions
	subject string // with a full stop behind it
	commits *committer
	// delivered are the identities of the letters that were delivered, each for
	// the duplicate window.
	delivered *Table
	window    time.Duration

	mu sync.Mutex
	// unnotedAt is when it was last logged that a letter was not noted.
	unnotedAt time.Time
}

// Outbox makes an outbox, or opens the one of that name. Every process that uses
// it gives the same options.
func (i *Inbox) Outbox(ctx context.Context, o OutboxOptions) (*Outbox, error) {
	o, err := o.complete(i.maxAge)
	if err != nil {
		return nil, err
	}
	b := &Outbox{inbox: i, options: o, subject: strings.Join([]string{outboxSubject, o.Name, ""}, "."), window: i.window}
	if b.delivered, err = i.Table(ctx, TableOptions{Name: o.Name + deliveredSuffix, MaxBytes: max(o.MaxBytes/deliveredPart, minMaxBytes), MaxValue: 1, fixed: true}); err != nil {
		return nil, err
	}
	b.stream, err = i.openStream(ctx, jetstream.StreamConfig{
		Name:        outboxPrefix + strings.ToUpper(o.Name),
		Description: "Letters that Rostra is delivering: " + o.Name,
		Subjects:    []string{b.subject + "*.*"},
		// What is acknowledged is removed.
		Retention:            jetstream.WorkQueuePolicy,
		MaxMsgsPerSubject:    (o.LaneLimit + lanePartitions - 1) / lanePartitions,
		DiscardNewPerSubject: true,
		MaxBytes:             o.MaxBytes,
		MaxMsgSize:           maxEncoded + maxHeader,
		Duplicates:           i.window,
		AllowDirect:          true,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the outbox %s: %w", o.Name, err)
	}
	if b.commits, err = i.startCommitter(ctx, b.stream); err != nil {
		return nil, err
	}
	if err := b.startSweeping(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// Add stores a letter for a lane, behind those added before with the same order
// key, and returns when it is on disk. A letter whose identity is known, from
// any lane, within Options.DuplicateWindow, is stored already: it stays in the
// lane in which it was first, or is delivered.
//
// Its errors wrap ErrFull, which is ErrLaneFull where the lane has LaneLimit
// letters, ErrLimit where the outbox is at MaxBytes, and else the disk; ErrInvalid,
// ErrUnavailable or the context's. Adding the letter again is safe.
func (b *Outbox) Add(ctx context.Context, lane, order, id string, data []byte) error {
	if err := validLetter(lane, id, data); err != nil {
		return err
	}
	if b.inbox.closed() {
		return errClosed()
	}
	key := letterKey(id)
	switch _, err := b.delivered.Get(ctx, key); {
	case err == nil:
		b.inbox.metrics.letters.folded.Inc()
		return nil
	case !errors.Is(err, ErrNoRow):
		return err
	}
	result := b.commits.store(ctx, b.message(lane, order, id, data), key)
	if errors.Is(result.err, ErrFull) && b.sweep(ctx) > 0 {
		result = b.commits.store(ctx, b.message(lane, order, id, data), key)
	}
	letters := b.inbox.metrics.letters
	switch {
	case result.err != nil:
		letters.refused.Inc()
		return result.err
	case result.folded:
		letters.folded.Inc()
	default:
		letters.added.Inc()
	}
	return nil
}

func (b *Outbox) message(lane, order, id string, data []byte) *nats.Msg {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(order))
	return &nats.Msg{
		Subject: b.subject + encodeName(lane) + "." + partitionToken(int(hash.Sum32()%lanePartitions)),
		Data:    data,
		Header: nats.Header{
			nats.MsgIdHdr:          {letterKey(id)},
			nats.ExpectedStreamHdr: {b.commits.stream},
			headerLetter:           {encodeName(id)},
		},
	}
}

// Waiting gives how many letters of a lane are not delivered, and when the
// oldest of them was added; zero where there is none.
func (b *Outbox) Waiting(ctx context.Context, lane string) (count int64, oldest time.Time, err error) {
	filter := b.subject + encodeName(lane) + ".*"
	subjects, err := b.subjects(ctx, filter)
	if err != nil {
		return 0, time.Time{}, err
	}
	for _, letters := range subjects {
		count += int64(letters) //nolint:gosec // G115: LaneLimit bounds it
	}
	if count == 0 {
		return 0, time.Time{}, nil
	}
	msg, err := b.stream.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(filter))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, time.Time{}, nil // delivered meanwhile
	case err != nil:
		return 0, time.Time{}, b.problem(ctx, err)
	}
	return count, msg.Time, nil
}

// Lanes gives the lanes that have letters, sorted.
func (b *Outbox) Lanes(ctx context.Context) ([]string, error) {
	subjects, err := b.subjects(ctx, b.subject+">")
	if err != nil {
		return nil, err
	}
	var lanes []string
	for subject := range subjects {
		if lane, ok := b.laneOf(subject); ok {
			lanes = append(lanes, lane)
		}
	}
	slices.Sort(lanes)
	return slices.Compact(lanes), nil
}

// subjects that have letters, with how many.
func (b *Outbox) subjects(ctx context.Context, filter string) (map[string]uint64, error) {
	if b.inbox.closed() {
		return nil, errClosed()
	}
	info, err := b.stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, b.problem(ctx, err)
	}
	return info.State.Subjects, nil
}

func (b *Outbox) problem(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("asking the outbox %s: %w", b.options.Name, ctx.Err())
	}
	return fmt.Errorf("%w: asking the outbox %s: %w", ErrUnavailable, b.options.Name, err)
}

// laneOf a subject.
func (b *Outbox) laneOf(subject string) (string, bool) {
	encoded, _, ok := strings.Cut(strings.TrimPrefix(subject, b.subject), ".")
	name, err := base64.RawURLEncoding.DecodeString(encoded)
	return string(name), ok && err == nil
}

// encodeName brings a text into a form that means nothing in a subject or header
// but itself.
func encodeName(name string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(name))
}

// letterKey is a letter's identity in the form in which it is stored: a valid
// key of a Table.
func letterKey(id string) string {
	sum := digest(id)
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}

func validLetter(lane, id string, data []byte) error {
	switch {
	case lane == "" || len(lane) > maxLane:
		return invalidError(fmt.Sprintf("a lane's name has 1 to %d bytes, not %d", maxLane, len(lane)))
	case id == "" || len(id) > maxLetterID:
		return invalidError(fmt.Sprintf("a letter's identity has 1 to %d bytes, not %d", maxLetterID, len(id)))
	case len(data) > maxEncoded:
		return invalidError(fmt.Sprintf("a letter of %d bytes cannot be kept; %d are allowed", len(data), maxEncoded))
	}
	return nil
}
