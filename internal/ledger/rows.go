// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

// AheadFor is how long an answer is kept whose message has not come.
const AheadFor = 7 * 24 * time.Hour

// gatherFor is how long it is known when people were told of many at once.
// It outlasts the day for which it is tried to end what they were told.
const gatherFor = 48 * time.Hour

// PutAhead keeps that a post was answered of which nothing has been heard.
func (l *Ledger) PutAhead(ctx context.Context, channelUID, post string, answer *event.Event) error {
	kept := event.Event{
		ID: answer.ID, Kind: answer.Kind, PostID: answer.PostID, OccurredAt: answer.OccurredAt, ReceivedAt: answer.ReceivedAt,
	}
	value, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("writing an answer that came ahead: %w", err)
	}
	key := conversation.AheadKey(channelUID, post)
	revision, err := l.put(ctx, key, value, 0, AheadFor)
	switch {
	case errors.Is(err, inbox.ErrConflict):
		return nil // the first answer is the one that counts
	case err != nil:
		return err
	}
	l.index.putAhead(key, revision, false)
	return nil
}

// Ahead gives the answer to a post that came before the post did; nil for none.
func (l *Ledger) Ahead(ctx context.Context, channelUID, post string) (*event.Event, error) {
	key := conversation.AheadKey(channelUID, post)
	if post == "" || !l.index.hasAhead(key) {
		return nil, nil
	}
	row, err := l.table.Get(ctx, key)
	switch {
	case errors.Is(err, inbox.ErrNoRow):
		return nil, nil
	case err != nil:
		return nil, err
	}
	answer := &event.Event{}
	if err := json.Unmarshal(row.Value, answer); err != nil {
		return nil, fmt.Errorf("the row %s is no answer", key)
	}
	return answer, nil
}

// Gathering is when some people were last told of many conversations at once,
// and who is at it.
type Gathering struct {
	// Count is how often they were, and At when last.
	Count int       `json:"count"`
	At    time.Time `json:"at,omitzero"`
	// Tries counts how often it was tried in vain since, and Lost how often whoever
	// was at it stopped before the outcome was written.
	Tries int `json:"tries,omitempty"`
	Lost  int `json:"lost,omitempty"`
	// Claim is held by whoever is at it.
	Claim *conversation.Claim `json:"claim,omitempty"`
	// Channel as namespace/name, its UID, the people, and whether it is of broken
	// promises.
	Channel    string              `json:"channel,omitempty"`
	ChannelUID string              `json:"channelUID,omitempty"`
	People     []escalation.Person `json:"people,omitempty"`
	Late       bool                `json:"late,omitempty"`
	// Floods are what they were told that is not closed, oldest first.
	Floods []Flood `json:"floods,omitempty"`
}

// Flood is a time in which the same people are told of many conversations: until
// it is quiet, all messages are of one incident.
type Flood struct {
	Incident string `json:"incident"`
	// Since is when it began, and At when they were told last, or were about to
	// be.
	Since time.Time `json:"since"`
	At    time.Time `json:"at"`
	// Platform and Owner of the channel when it began.
	Platform string `json:"platform,omitempty"`
	Owner    string `json:"owner,omitempty"`
	// Over is when it was over; zero while it is not. Tries is how often it was
	// tried in vain to close it, and Again when that is tried next.
	Over  time.Time `json:"over,omitzero"`
	Tries int       `json:"tries,omitempty"`
	Again time.Time `json:"again,omitzero"`
}

// Flooded is a Gathering of which something is open.
type Flooded struct {
	Key string
	Gathering
}

// Floods are the gatherings of which something is open. They are not to be
// changed.
func (l *Ledger) Floods() []Flooded { return l.index.floods() }

func (l *Ledger) seeGathering(row inbox.Row) {
	of := Flooded{Key: strings.TrimPrefix(row.Key, gatherPrefix)}
	if !row.Gone && json.Unmarshal(row.Value, &of.Gathering) != nil {
		of.Gathering = Gathering{}
	}
	l.index.putFlooded(of)
}

// Gather changes the Gathering of a key, which has up to 57 letters and digits.
// Nil, or an error, writes nothing.
func (l *Ledger) Gather(ctx context.Context, key string, change func(Gathering) (*Gathering, error)) error {
	key = gatherPrefix + key
	for range conflicts {
		var before Gathering
		row, err := l.table.Get(ctx, key)
		switch {
		case errors.Is(err, inbox.ErrNoRow):
			row.Revision = 0
		case err != nil:
			return err
		case json.Unmarshal(row.Value, &before) != nil:
			l.log.Info("a row that says when people were told of many conversations cannot be read, and is written anew", "key", key)
			before = Gathering{}
		}
		after, err := change(before)
		if err != nil || after == nil {
			return err
		}
		value, err := json.Marshal(after)
		if err != nil {
			return fmt.Errorf("writing when people were told: %w", err)
		}
		if _, err = l.put(ctx, key, value, row.Revision, gatherFor); !errors.Is(err, inbox.ErrConflict) {
			return err
		}
	}
	return ErrBusy
}
