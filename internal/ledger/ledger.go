// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/inbox"
)

const (
	// conflicts are how often a change is tried that others are faster with.
	conflicts = 16
	// maxRecent bounds the rows that are kept because this process is about to
	// change them again.
	maxRecent = 1024
	// followAgain is the pause before the table is followed anew.
	followAgain = time.Second
)

var (
	// ErrUnknown means that there is no such conversation, or none any more.
	ErrUnknown = errors.New("there is no such conversation, or it is over for more than a week")
	// ErrOver means that a conversation waits no more for what was to be done.
	ErrOver = errors.New("the conversation does not wait any more")
	// ErrBusy means that others change a row all the time. It mends itself.
	ErrBusy = errors.New("the conversation is being changed by others; try again")
)

// Table keeps rows; *inbox.Table is one.
type Table interface {
	Get(ctx context.Context, key string) (inbox.Row, error)
	Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error)
	Delete(ctx context.Context, key string, revision uint64) error
	Follow(ctx context.Context, row func(inbox.Row), synced func()) error
}

// Options of a Ledger.
type Options struct {
	// Table with the conversations. Its values take up to 128 KiB.
	Table Table
	// Clock. Default: the machine's.
	Clock clock.Clock
	// Metrics takes the metrics of all conversations. Optional.
	Metrics prometheus.Registerer
	// Logger for rows that cannot be read. The zero Logger discards.
	Logger logr.Logger
	// OnChange is called with a channel, as namespace/name, whose figures may
	// have changed. It is called often, and must return at once. Optional.
	OnChange func(channel string)
}

// Ledger keeps conversations. Its methods may be called concurrently.
type Ledger struct {
	table    Table
	clock    clock.Clock
	log      logr.Logger
	onChange func(string)
	took     *prometheus.HistogramVec
	evicted  prometheus.Counter

	index *index
	room  *room

	mu sync.Mutex
	// recent are rows as this process wrote them last.
	recent map[string]inbox.Row
	// marking is the mark of CaughtUp that is on its way.
	marking *marking
	marker  string
	// marked is the revision of the last mark that was seen, and moved is closed
	// when it is another.
	marked uint64
	moved  chan struct{}

	synced chan struct{}
	once   sync.Once
}

// New makes a ledger. Follow fills its index.
func New(o Options) (*Ledger, error) {
	if o.Table == nil {
		return nil, errors.New("a ledger needs a table")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Logger.IsZero() {
		o.Logger = logr.Discard()
	}
	l := &Ledger{
		table: o.Table, clock: o.Clock, log: o.Logger, onChange: o.OnChange, index: newIndex(),
		recent: map[string]inbox.Row{}, marker: newMarker(), moved: make(chan struct{}), synced: make(chan struct{}),
		room: newRoom(),
	}
	if err := l.register(o.Metrics); err != nil {
		return nil, fmt.Errorf("registering the metrics of conversations: %w", err)
	}
	return l, nil
}

// Get gives a conversation, or ErrUnknown.
func (l *Ledger) Get(ctx context.Context, id string) (*conversation.Conversation, error) {
	c, _, err := l.read(ctx, id)
	if err == nil && c == nil {
		return nil, ErrUnknown
	}
	return c, err
}

// Change makes one conversation of another, which is nil where there is none; it
// may change the one that it is given. Nil, or an error, writes nothing. It may
// be called several times.
type Change = func(*conversation.Conversation) (*conversation.Conversation, error)

// Update changes a conversation, and gives it as it is then. It returns when the
// change is on disk. Its errors are those of the change and of the table, and
// ErrBusy.
func (l *Ledger) Update(ctx context.Context, id string, change Change) (*conversation.Conversation, error) {
	for try := range conflicts {
		before, row, guessed, err := l.current(ctx, id, try == 0)
		if err != nil {
			return nil, err
		}
		response := lastResponse(before)
		after, err := change(before)
		if guessed && (err != nil || after == nil) {
			continue // the table refuses, not what is remembered: no write tells whether that still holds
		}
		if err != nil || after == nil {
			return before, err
		}
		row, err = l.write(ctx, after, row.Revision)
		switch {
		case errors.Is(err, inbox.ErrConflict):
			continue
		case err != nil:
			return nil, err
		}
		l.remember(after, row)
		l.observe(response, after)
		return after, nil
	}
	return nil, ErrBusy
}

// current gives the conversation as it is likely to be now, and its row. What is
// remembered spares the question to the table; where it is wrong, the write
// finds a conflict. It tells whether it guessed so.
func (l *Ledger) current(ctx context.Context, id string, guess bool) (c *conversation.Conversation, row inbox.Row, guessed bool, err error) {
	if guess && isID(id) {
		if row, ok := l.recall(id); ok {
			c, err := decode(row)
			return c, row, true, err
		}
		if l.Synced() && !l.index.has(id) {
			return nil, inbox.Row{Key: id}, true, nil
		}
	}
	c, row, err = l.read(ctx, id)
	return c, row, false, err
}

func (l *Ledger) read(ctx context.Context, id string) (*conversation.Conversation, inbox.Row, error) {
	if !isID(id) {
		return nil, inbox.Row{}, ErrUnknown
	}
	row, err := l.table.Get(ctx, id)
	switch {
	case errors.Is(err, inbox.ErrNoRow):
		return nil, inbox.Row{Key: id}, nil
	case err != nil:
		return nil, inbox.Row{}, err
	}
	c, err := decode(row)
	return c, row, err
}

func decode(row inbox.Row) (*conversation.Conversation, error) {
	c := &conversation.Conversation{}
	if err := json.Unmarshal(row.Value, c); err != nil || c.ID != row.Key {
		// The error of encoding/json may quote the text.
		return nil, fmt.Errorf("the row %s is no conversation", row.Key)
	}
	return c, nil
}

// write stores a conversation, for as long as it may be asked for.
func (l *Ledger) write(ctx context.Context, c *conversation.Conversation, revision uint64) (inbox.Row, error) {
	value, err := json.Marshal(c)
	if err != nil {
		return inbox.Row{}, fmt.Errorf("writing conversation %s: %w", c.ID, err)
	}
	until := c.ExpiresAt()
	if c.NeedsTerms() {
		until = c.ClosedAt
	}
	keep := max(time.Minute, until.Add(conversation.Memory).Sub(l.clock.Now()))
	revision, err = l.put(ctx, c.ID, value, revision, keep)
	if err != nil {
		return inbox.Row{}, err
	}
	return inbox.Row{Key: c.ID, Value: value, Revision: revision}, nil
}

// remember takes what was written into the index, and keeps the row where this
// process is to change it again soon.
func (l *Ledger) remember(c *conversation.Conversation, row inbox.Row) {
	l.mu.Lock()
	if c.Claim != nil && len(l.recent) < maxRecent {
		l.recent[c.ID] = row
	} else {
		delete(l.recent, c.ID)
	}
	l.mu.Unlock()
	l.take(c, row.Revision)
}

// recall gives a remembered row, once.
func (l *Ledger) recall(id string) (inbox.Row, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row, ok := l.recent[id]
	delete(l.recent, id)
	return row, ok
}

func (l *Ledger) take(c *conversation.Conversation, revision uint64) {
	if channel, changed := l.index.put(c, revision); changed {
		l.changed(channel)
	}
}

func (l *Ledger) changed(channels ...string) {
	if l.onChange == nil {
		return
	}
	for _, channel := range channels {
		l.onChange(channel)
	}
}

// Acknowledge notes that somebody has a conversation. Errors are ErrUnknown, one
// that wraps ErrOver, with the conversation beside it, where it waits no more or
// another episode is meant (0 is whichever), and the table's.
func (l *Ledger) Acknowledge(ctx context.Context, id string, episode int, by string) (*conversation.Conversation, error) {
	return l.Update(ctx, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		switch {
		case c == nil:
			return nil, ErrUnknown
		case episode != 0 && episode != c.Episode:
			return nil, fmt.Errorf("%w: what was asked about is over, and there has been a message since", ErrOver)
		case !c.Acknowledge(by, l.clock.Now()):
			return nil, fmt.Errorf("%w: it is %s", ErrOver, c.State)
		}
		return c, nil
	})
}

// isID tells whether a key is one of conversations'.
func isID(key string) bool { return len(key) == conversation.IDLength }
