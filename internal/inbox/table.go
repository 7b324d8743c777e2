// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"
)

const (
	defaultTableBytes = 512 << 20
	defaultMaxValue   = 64 << 10
	// maxMaxValue stays below what NATS takes as a message.
	maxMaxValue = 512 << 10
	// maxKey bounds a key in bytes.
	maxKey = 64
	// reserved is the part of a table's room, beside its limit, that is for
	// changes of the rows it has: the server counts a row that is replaced beside
	// the one that replaces it.
	reserved = 8
	// reservedAtLeast is the same, in the largest values.
	reservedAtLeast = 4
	// newRows and newRowsOf are the part of MaxBytes up to which there may be new
	// rows: the rest is for those that there are to grow.
	newRows, newRowsOf = 2, 3
	// measuredFor is how long a table that was found full is taken to be.
	measuredFor = time.Second
	// tombstoneKeep is how long a deleted row leaves a mark, for followers that
	// are away.
	tombstoneKeep = time.Hour
	// putTries are how often a row is written anew after it was found to be gone.
	putTries = 4

	tablePrefix  = "ROSTRA_TABLE_"
	tableSubject = "rostra.table"
)

// Headers of a stored row.
const (
	// headerAuthor tells one call of Put from every other.
	headerAuthor = "Rostra-Author"
	// headerGone marks a row that was deleted.
	headerGone = "Rostra-Gone"
)

// TableOptions of a Table.
type TableOptions struct {
	// Name of 1 to 32 lower-case letters, digits and hyphens.
	Name string
	// MaxBytes bounds the rows together on disk, keys and headers (some 150
	// bytes a row) included. Default 512 MiB. New rows are taken up to two thirds
	// of it, and rows that there are may grow up to all of it. An eighth more is
	// taken to close (to give a row an end), to shrink and to delete rows.
	MaxBytes int64
	// MaxValue bounds a value in bytes. Default 64 KiB; at most 512 KiB.
	MaxValue int

	// fixed is for a table whose rows do not change: new ones are taken up to
	// MaxBytes.
	fixed bool
}

func (o TableOptions) complete() (TableOptions, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultTableBytes
	}
	if o.MaxValue == 0 {
		o.MaxValue = defaultMaxValue
	}
	switch {
	case !isConsumerName(o.Name):
		return o, fmt.Errorf("a table's name has 1 to %d lower-case letters, digits and hyphens and begins and ends without a hyphen", maxName)
	case o.MaxBytes < minMaxBytes:
		return o, fmt.Errorf("the table %s needs room for %d bytes or more, not %d", o.Name, minMaxBytes, o.MaxBytes)
	case o.MaxValue < 0 || o.MaxValue > maxMaxValue:
		return o, fmt.Errorf("the table %s cannot have values of %d bytes; at most %d are allowed", o.Name, o.MaxValue, maxMaxValue)
	}
	return o, nil
}

// reserve is the room for changes, in bytes.
func (o TableOptions) reserve() int64 {
	return max(o.MaxBytes/reserved, int64(reservedAtLeast*(o.MaxValue+maxHeader)))
}

// forNew is the room up to which new rows are taken, in bytes.
func (o TableOptions) forNew() int64 {
	if o.fixed {
		return o.MaxBytes
	}
	return o.MaxBytes / newRowsOf * newRows
}

// Row of a Table.
type Row struct {
	Key   string
	Value []byte
	// Revision grows with every change of any row. Put and Delete expect it.
	Revision uint64
	// Expires is when the row vanishes by itself; zero where it does not.
	Expires time.Time
	// Gone tells followers that the row was deleted, or has expired. Revision is
	// then that of the deletion, or that of the row that expired.
	Gone bool
}

// Table keeps one value a key, durably. Its methods may be called concurrently,
// and by several processes on a cluster.
type Table struct {
	inbox   *Inbox
	stream  jetstream.Stream
	options TableOptions
	subject string // with a full stop behind it
	commits *committer

	mu sync.Mutex
	// measured is what the rows took when the server was last asked, at, and since
	// what was put from here after that. at is zero where somebody deleted a row.
	measured, since int64
	at              time.Time
	measuring       singleflight.Group
}

// Table makes a table, or opens the one of that name. Every process that uses a
// table gives the same options.
func (i *Inbox) Table(ctx context.Context, o TableOptions) (*Table, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	t := &Table{inbox: i, options: o, subject: strings.Join([]string{tableSubject, o.Name, ""}, ".")}
	t.stream, err = i.openStream(ctx, jetstream.StreamConfig{
		Name:              tablePrefix + strings.ToUpper(o.Name),
		Description:       "Rows that Rostra keeps: " + o.Name,
		Subjects:          []string{t.subject + "*"},
		Retention:         jetstream.LimitsPolicy,
		MaxMsgsPerSubject: 1,
		MaxBytes:          o.MaxBytes + o.reserve(),
		MaxMsgSize:        int32(o.MaxValue + maxHeader), //nolint:gosec // G115: complete bounds it
		AllowMsgTTL:       true,
		AllowDirect:       true,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the table %s: %w", o.Name, err)
	}
	t.measured = int64(t.stream.CachedInfo().State.Bytes) //nolint:gosec // G115: a file's size
	if t.commits, err = i.startCommitter(ctx, t.stream); err != nil {
		return nil, err
	}
	return t, nil
}

// Get gives the row of a key, or ErrNoRow. On a cluster of several replicas it
// may be a moment behind; a Put that builds on it then finds ErrConflict.
func (t *Table) Get(ctx context.Context, key string) (Row, error) {
	if err := validKey(key); err != nil {
		return Row{}, err
	}
	found, err := t.look(ctx, key)
	if err != nil {
		return Row{}, err
	}
	if found.goneAt(now()) {
		return Row{Key: key, Gone: true}, ErrNoRow
	}
	return found.Row, nil
}

// Put stores a value if the row's revision is still that one, or, with revision
// 0, if there is no row; and gives the row's new revision. It returns when the
// row is on disk. With keep, which is rounded up to seconds, the row vanishes by
// itself so long after; without, it stays, also where it was to vanish before.
//
// Its errors wrap ErrConflict, ErrFull, ErrInvalid, ErrUnavailable or the
// context's. ErrFull refuses new rows first, from two thirds of MaxBytes; those that
// there are may grow up to all of it. In the eighth beside they may still be put
// with keep, or with a value that is no longer than before, and deleted. After ErrUnavailable and the
// context's error the row may be stored all the same, and putting it again
// brings ErrConflict then: Get tells, where values tell their writers apart.
// (Put itself knows its own row again, and so says ErrUnavailable only where the
// server could not be asked, or had not stored it yet.)
func (t *Table) Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	if t.inbox.closed() {
		return 0, errClosed()
	}
	return t.put(ctx, key, value, revision, keep)
}

// put is Put also for those for whom Close waits.
func (t *Table) put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	if err := t.valid(key, value, keep); err != nil {
		return 0, err
	}
	if err := t.makeRoom(ctx, key, int64(len(value)), revision == 0, keep > 0); err != nil {
		return 0, err
	}
	header := nats.Header{headerAuthor: {nuid.Next()}}
	if keep > 0 {
		header.Set(jetstream.MsgTTLHeader, seconds(keep))
	}
	return t.write(ctx, key, header, value, revision)
}

// Delete removes a row if its revision is still that one. It is nil also where
// the row is gone already.
func (t *Table) Delete(ctx context.Context, key string, revision uint64) error {
	if err := validKey(key); err != nil {
		return err
	}
	if revision == 0 {
		return invalidError("a row is deleted by the revision that it has; 0 is none")
	}
	if t.inbox.closed() {
		return errClosed()
	}
	header := nats.Header{
		headerAuthor:           {nuid.Next()},
		headerGone:             {"1"},
		jetstream.MsgTTLHeader: {seconds(tombstoneKeep)},
	}
	_, err := t.write(ctx, key, header, nil, revision)
	t.mu.Lock()
	t.at = time.Time{}
	t.mu.Unlock()
	if !errors.Is(err, ErrConflict) {
		return err
	}
	if found, lookErr := t.look(ctx, key); lookErr == nil && found.goneAt(now()) {
		return nil
	}
	return err
}

// Size gives how many rows there are and what they take on disk in bytes, marks
// of deleted rows included.
func (t *Table) Size(ctx context.Context) (rows, bytes int64, err error) {
	info, err := t.stream.Info(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("%w: asking for the size of the table %s: %w", ErrUnavailable, t.options.Name, err)
	}
	return int64(info.State.Msgs), int64(info.State.Bytes), nil //nolint:gosec // G115: neither comes near 2^63
}

// write stores a message under a key that is of the revision, or, with 0, has no
// row: what is there then may be nothing, a mark, or a row that has expired.
func (t *Table) write(ctx context.Context, key string, header nats.Header, value []byte, revision uint64) (uint64, error) {
	subject := t.subject + key
	expected := revision
	for range putTries {
		msg := &nats.Msg{Subject: subject, Header: maps.Clone(header), Data: value}
		msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(expected, 10))
		msg.Header.Set(nats.ExpectedStreamHdr, t.commits.stream)
		result := t.commits.store(ctx, msg, subject)
		conflict := errors.Is(result.err, ErrConflict)
		switch {
		case result.err == nil:
			return result.sequence, nil
		case !conflict && !t.mayAsk(ctx, result.err):
			return 0, result.err
		}
		found, err := t.look(ctx, key)
		switch {
		case err != nil:
			return 0, result.err
		case found.author == header.Get(headerAuthor):
			return found.Revision, nil // the answer to it was lost
		case !conflict || revision != 0 || !found.goneAt(now()):
			return 0, result.err
		}
		expected = found.Revision
	}
	return 0, ErrConflict
}

// mayAsk tells whether the server can be asked what became of a message for
// which it gave no answer. A store that fails may know what is not on disk.
func (t *Table) mayAsk(ctx context.Context, err error) bool {
	return ctx.Err() == nil && errors.Is(err, ErrUnavailable) && !t.inbox.closed() &&
		t.inbox.conn.IsConnected() && t.inbox.healthOf(t.commits.stream) == nil
}

// stored is the last message under a key.
type stored struct {
	Row
	author string
}

// goneAt tells whether there is no row at an instant.
func (s stored) goneAt(now time.Time) bool {
	return s.Gone || !s.Expires.IsZero() && !s.Expires.After(now)
}

// look gives what is stored under a key; a row that is Gone, of revision 0,
// where nothing is.
func (t *Table) look(ctx context.Context, key string) (stored, error) {
	if t.inbox.closed() {
		return stored{}, errClosed()
	}
	msg, err := t.stream.GetLastMsgForSubject(ctx, t.subject+key)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return stored{Row: Row{Key: key, Gone: true}}, nil
	case ctx.Err() != nil:
		return stored{}, fmt.Errorf("reading the table %s: %w", t.options.Name, ctx.Err())
	case err != nil:
		return stored{}, fmt.Errorf("%w: reading the table %s: %w", ErrUnavailable, t.options.Name, err)
	}
	return readRow(key, msg.Header, msg.Data, msg.Sequence, msg.Time), nil
}

// readRow reads a stored message.
func readRow(key string, header nats.Header, value []byte, revision uint64, at time.Time) stored {
	s := stored{Row: Row{Key: key, Value: value, Revision: revision}, author: header.Get(headerAuthor)}
	if keep, err := strconv.ParseInt(header.Get(jetstream.MsgTTLHeader), 10, 64); err == nil && keep > 0 {
		s.Expires = at.Add(time.Duration(keep) * time.Second)
	}
	if header.Get(headerGone) != "" {
		s.Row = Row{Key: key, Revision: revision, Gone: true}
	}
	return s
}

// makeRoom refuses what the table has no room for: a new row first, then one that
// grows, and not one that gets an end or does not grow.
func (t *Table) makeRoom(ctx context.Context, key string, value int64, isNew, ends bool) error {
	limit := t.options.MaxBytes
	if isNew {
		limit = t.options.forNew()
	}
	room, bytes, err := t.hasRoom(ctx, value+maxHeader, limit, isNew)
	if err != nil || room || ends && !isNew {
		return err
	}
	if !isNew {
		before, err := t.look(ctx, key)
		if err != nil {
			return err
		}
		if int64(len(before.Value)) >= value {
			return nil
		}
	}
	return fmt.Errorf("%w: the table %s has %d bytes of %d", ErrFull, t.options.Name, bytes, limit)
}

// hasRoom tells whether the rows stay within a limit. What is put is counted here,
// beside what the server counted when it was last asked, so that it is asked now
// and then only; what replaces a row counts as that alone.
func (t *Table) hasRoom(ctx context.Context, size, limit int64, isNew bool) (ok bool, bytes int64, err error) {
	added := size
	if !isNew {
		added = 0
	}
	take := func() bool {
		if ok = t.measured+t.since+added <= limit; ok {
			t.since += size
		}
		return ok
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := now().Sub(t.at) < measuredFor
	if t.since < t.options.reserve()/reservedAtLeast && take() || fresh && t.measured+added > limit {
		return ok, t.measured, nil
	}
	t.mu.Unlock()
	err = t.measure(ctx)
	t.mu.Lock()
	if err != nil {
		return false, 0, err
	}
	if isNew {
		take()
	} else if ok = t.measured <= limit; ok {
		t.since += size
	}
	return ok, t.measured, nil
}

// measure asks the server what the rows take. Those who want to know it at the
// same time share one question.
func (t *Table) measure(ctx context.Context) error {
	answer := t.measuring.DoChan("", func() (any, error) {
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
		defer cancel()
		_, bytes, err := t.Size(asking)
		if err == nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.measured, t.since, t.at = bytes, 0, now()
		}
		return nil, err
	})
	select {
	case result := <-answer:
		return result.Err
	case <-ctx.Done():
		return fmt.Errorf("storing: %w", ctx.Err())
	}
}

func (t *Table) valid(key string, value []byte, keep time.Duration) error {
	switch {
	case len(value) > t.options.MaxValue:
		return invalidError(fmt.Sprintf("a row of the table %s cannot have %d bytes; %d are allowed", t.options.Name, len(value), t.options.MaxValue))
	case keep < 0:
		return invalidError(fmt.Sprintf("a row cannot be kept for %s; 0 keeps it without an end", keep))
	}
	return validKey(key)
}

// validKey checks a key. It is not quoted: it may come from outside.
func validKey(key string) error {
	if key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) {
		return invalidError(fmt.Sprintf("a row's key has 1 to %d letters, digits, hyphens and low lines", maxKey))
	}
	return nil
}

// seconds of a duration, rounded up, as NATS reads a time to live.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

func now() time.Time {
	return clock.RealClock{}.Now()
}
