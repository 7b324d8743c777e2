// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"slices"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
)

const (
	// Window is of which time the figures speak.
	Window = 7 * 24 * time.Hour
	// leaveEvery is how often at most what leaves the Window counts as a change:
	// of a busy channel, something always does.
	leaveEvery = 15 * time.Minute
)

// Figures of a channel.
type Figures struct {
	// Open is how many wait, and OldestOpen since when the oldest does; zero
	// where none do.
	Open       int
	OldestOpen time.Time
	// Answered is how many first responses there were within the Window, and half
	// and nine tenths of them took no longer than P50 and P90.
	Answered int
	P50, P90 time.Duration
	// Counted is how many episodes had a promise that was kept or broken within
	// the Window, and Within how many it was kept for. Those count as broken that
	// wait for longer than was promised, or that nobody ever answered.
	Counted, Within int
}

// Figures gives those of a channel as of now.
func (l *Ledger) Figures(channelUID string, now time.Time) Figures {
	figures, _ := l.FiguresUntil(channelUID, now)
	return figures
}

// FiguresUntil gives the Figures of a channel, and when they are to be asked for
// again if nothing happens, zero for never: time alone breaks promises, which
// shows at once, and moves the Window, which shows after a while.
func (l *Ledger) FiguresUntil(channelUID string, now time.Time) (figures Figures, until time.Time) {
	t := tally{now: now.UnixNano(), since: now.Add(-Window).UnixNano()}
	l.index.walk(func(c *channel) bool { return c.uid == channelUID }, t.add)
	slices.Sort(t.took)
	figures = Figures{
		Open: t.open, OldestOpen: moment(t.oldest), Answered: len(t.took), P50: quantile(t.took, 0.5), P90: quantile(t.took, 0.9),
		Counted: t.counted, Within: t.within,
	}
	if t.leaves != 0 {
		t.changes(max(t.leaves, t.now+int64(leaveEvery)))
	}
	return figures, moment(t.until)
}

// tally counts what figures are made of. Times are nanoseconds since 1970, and 0
// is none.
type tally struct {
	now, since            int64
	open, counted, within int
	oldest                int64
	took                  []time.Duration
	// until is when a promise breaks next, and leaves when something leaves the
	// Window.
	until, leaves int64
}

func (t *tally) add(e *entry) {
	for _, r := range e.responses {
		if r.at < t.since {
			continue
		}
		t.leave(r.at)
		t.took = append(t.took, r.took)
		if r.target > 0 {
			t.counted++
			if r.took <= r.target {
				t.within++
			}
		}
	}
	switch {
	case e.state.Waits():
		t.waits(e)
	case e.state == conversation.Expired && e.target > 0 && e.ended >= t.since && !e.responded:
		t.counted++
		t.leave(e.ended)
	}
}

// waits counts an episode that waits for a response.
func (t *tally) waits(e *entry) {
	t.open++
	if t.oldest == 0 || e.openedAt < t.oldest {
		t.oldest = e.openedAt
	}
	if e.target <= 0 {
		return
	}
	if late := e.openedAt + int64(e.target); t.now > late {
		t.counted++
	} else {
		t.changes(late + 1)
	}
}

func (t *tally) changes(at int64) {
	if t.until == 0 || at < t.until {
		t.until = at
	}
}

// leave notes something that is within the Window.
func (t *tally) leave(at int64) {
	if at += int64(Window) + 1; t.leaves == 0 || at < t.leaves {
		t.leaves = at
	}
}

// quantile is the smallest of sorted lengths that the share of them does not
// exceed.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
