// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// arrange starts delivering to sinks that there are now, stops it for those that
// are gone, and brings the others up to date. One goroutine calls it.
func (f *Forwarder) arrange(ctx context.Context) {
	sinks, letters, err := f.survey(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		f.Logger.Error(err, "cannot find out which teams have event sinks; deliveries go on as they were")
		return
	}
	for _, l := range f.enlist(sinks, letters) {
		if !f.attend(ctx, l) {
			f.dismiss(l)
		}
	}
}

// enlist makes the lanes that are missing, and gives all.
func (f *Forwarder) enlist(teams ...[]string) []*lane {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, team := range slices.Concat(teams...) {
		if f.lanes[team] == nil {
			f.lanes[team] = newLane(f, team)
		}
	}
	return slices.Collect(maps.Values(f.lanes))
}

func (f *Forwarder) dismiss(l *lane) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.lanes, l.team)
	f.metrics.forget(l.team)
}

// laneOf gives the lane of a team, or nil where there is none yet.
func (f *Forwarder) laneOf(team string) *lane {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lanes[team]
}

// survey gives the teams with a sink, and those for which letters wait.
func (f *Forwarder) survey(ctx context.Context) (sinks, letters []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	if sinks, err = f.Directory.Sinks(ctx); err != nil {
		return nil, nil, err
	}
	letters, err = f.Outbox.Lanes(ctx)
	return sinks, letters, err
}

// problemNoSink is the trouble of a team whose sink was taken away too early.
const problemNoSink = "the team has no event sink any more, and events wait for it; " +
	"they go to nobody else: give the team a sink, or let them expire"

// attend brings one lane up to date. It tells whether the lane is still of use.
func (f *Forwarder) attend(ctx context.Context, l *lane) bool {
	asking, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	waiting, known := f.count(asking, l)
	target, err := f.Directory.Sink(asking, l.team)
	switch {
	case errors.Is(err, ErrUnusable):
		l.stop()
		l.retarget(nil)
		l.worry(err.Error())
	case err != nil:
		if ctx.Err() == nil {
			f.Logger.Error(err, "cannot read a team's event sink; deliveries go on as they were", "team", l.team)
		}
	case target != nil:
		l.retarget(target)
		l.start(ctx)
	default:
		l.stop()
		l.retarget(nil)
		if known && waiting == 0 {
			return false
		}
		if known {
			l.worry(problemNoSink)
		}
	}
	return true
}

// count brings the figures of a lane up to date, and gives how many letters
// wait there, as far as that can be known.
func (f *Forwarder) count(ctx context.Context, l *lane) (waiting int64, known bool) {
	waiting, oldest, err := f.Outbox.Waiting(ctx, l.team)
	if err != nil {
		if ctx.Err() == nil {
			f.Logger.Error(err, "cannot count the events that wait for a team's sink", "team", l.team)
		}
		return 0, false
	}
	f.metrics.waiting.WithLabelValues(l.team).Set(float64(waiting))
	age := 0.0
	if waiting > 0 {
		age = max(0, f.Clock.Since(oldest).Seconds())
	}
	f.metrics.oldest.WithLabelValues(l.team).Set(age)
	return waiting, true
}
