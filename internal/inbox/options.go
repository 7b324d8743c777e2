// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	defaultMaxAge          = 30 * 24 * time.Hour
	defaultMaxBytes        = 1 << 30
	defaultDuplicateWindow = 72 * time.Hour
	// minMaxBytes has room for a few events of the largest size.
	minMaxBytes = 1 << 20
	// maxReplicas is what JetStream allows.
	maxReplicas = 5
)

// Errors of Put, and of Table and Outbox where they store, to be told apart with
// errors.Is. Whoever sent the event may send it again after any of them but
// ErrInvalid.
var (
	// ErrFull means that there is no room: MaxBytes is reached, or the disk is
	// full. Nothing was stored for the events that found no room.
	ErrFull = errors.New("the inbox is full")
	// ErrLimit means that MaxBytes of a stream is reached, and not the disk's end.
	// It is an ErrFull.
	ErrLimit = fmt.Errorf("%w: its limit is reached", ErrFull)
	// ErrLaneFull means that a lane of an Outbox has as many letters as it may. It
	// is an ErrFull.
	ErrLaneFull = fmt.Errorf("%w: the lane has as many letters as it may", ErrFull)
	// ErrUnavailable means that the store did not confirm the events: it cannot
	// be reached, is closed, or could not write. They may be stored all the
	// same; putting them again is safe.
	ErrUnavailable = errors.New("the inbox is unavailable")
	// ErrInvalid means that an event, a row or a letter can never be stored,
	// because what identifies it is missing or it is too large.
	ErrInvalid = errors.New("the event cannot be kept")
)

// Errors of a Table.
var (
	// ErrConflict means that the row is not of the revision that was expected:
	// somebody else wrote, or is writing. Nothing was stored.
	ErrConflict = errors.New("somebody else has written the row")
	// ErrNoRow means that there is no row of that key, or no more.
	ErrNoRow = errors.New("there is no such row")
)

// invalidError says why something is ErrInvalid that is no event.
type invalidError string

func (e invalidError) Error() string      { return string(e) }
func (invalidError) Is(target error) bool { return target == ErrInvalid }

// Options of an Inbox. Either Dir or URL is given.
type Options struct {
	// Dir holds the embedded server's store, in a folder of its own that others
	// cannot read. One process at a time may use it.
	Dir string
	// URL of an existing NATS cluster with JetStream, several separated by
	// commas. It may hold a password and is never logged.
	URL string
	// CredentialsFile holds a NATS user's JWT and key, for URL. Optional.
	CredentialsFile string
	// Replicas of each event in the cluster. Default 1; at most 5.
	Replicas int
	// MaxAge is how long events are kept. Default 30 days.
	MaxAge time.Duration
	// MaxBytes bounds the events kept, on disk, headers included. Default 1 GiB.
	// Each Table and Outbox has a limit of its own beside it.
	MaxBytes int64
	// DuplicateWindow is for how long a repeated event is known as such. An
	// event in it takes about 150 bytes of the server's memory. Default 72
	// hours, or MaxAge where that is less.
	DuplicateWindow time.Duration
	// Logger for connection changes and damage, and NATS's own words at debug
	// level. The zero Logger discards.
	Logger logr.Logger
	// Registerer takes the metrics. Optional.
	Registerer prometheus.Registerer
}

// complete fills in defaults and refuses what cannot work.
func (o Options) complete() (Options, error) {
	if (o.Dir == "") == (o.URL == "") {
		return o, errors.New("the inbox needs either a folder for the embedded server or the URL of a NATS cluster; give one of them")
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.MaxAge == 0 {
		o.MaxAge = defaultMaxAge
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.DuplicateWindow == 0 {
		o.DuplicateWindow = min(defaultDuplicateWindow, o.MaxAge)
	}
	if o.Logger.IsZero() {
		o.Logger = logr.Discard()
	}
	switch {
	case o.Replicas < 1 || o.Replicas > maxReplicas:
		return o, fmt.Errorf("the inbox cannot keep %d replicas; NATS allows 1 to %d", o.Replicas, maxReplicas)
	case o.Dir != "" && o.Replicas != 1:
		return o, errors.New("the embedded inbox is one server; more than one replica needs the URL of a NATS cluster")
	case o.Dir != "" && o.CredentialsFile != "":
		return o, errors.New("the embedded inbox has no use for a credentials file; it goes with the URL of a NATS cluster")
	case o.MaxBytes < minMaxBytes:
		return o, fmt.Errorf("the inbox needs room for %d bytes or more, not %d", minMaxBytes, o.MaxBytes)
	case o.MaxAge < time.Second || o.DuplicateWindow < time.Second:
		return o, errors.New("the inbox keeps events and recognises duplicates for a second or more")
	case o.DuplicateWindow > o.MaxAge:
		return o, fmt.Errorf("the inbox cannot recognise duplicates for %s: events are kept for %s only", o.DuplicateWindow, o.MaxAge)
	}
	return o, nil
}
