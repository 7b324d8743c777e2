// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import "time"

// Brake bounds how many channels may lose their owner or their credential at
// once: a mistake in a repository, such as a folder that is gone, is stopped
// before it has taken every account from everybody. The zero value never
// stops anything.
type Brake struct {
	// Percent of all channels, rounded down; 0 or at least 100 for no bound.
	Percent int
	// Floor is the number that may always lose theirs, however few there are.
	Floor int
}

// Limit is how many of a number of channels may lose theirs at once; -1 for
// any number.
func (b Brake) Limit(total int) int {
	if b.Percent <= 0 || b.Percent >= 100 {
		return -1
	}
	return max(b.Floor, total*b.Percent/100)
}

// Removals is what is known, at one instant, of channels that lose their owner
// or their credential.
type Removals struct {
	// Total number of channels.
	Total int
	// Pending are about to lose theirs and are not confirmed; Recent have just
	// lost theirs.
	Pending, Recent int
	// Halted are those of the pending that were stopped before. Once one was,
	// all wait for a person.
	Halted int
}

// Halts tells whether what is pending must wait for a person.
func (b Brake) Halts(r Removals) bool {
	limit := b.Limit(r.Total)
	if limit < 0 || r.Pending == 0 {
		return false
	}
	return r.Halted > 0 || r.Pending+r.Recent > limit
}

// RemovalWindow is the time within which losses count as happening at once.
const RemovalWindow = 10 * time.Minute

// confirmationLife is how long a confirmation counts.
const confirmationLife = time.Hour

// Confirmed tells whether a person has confirmed a loss: the annotation holds
// the time at which that was done (RFC 3339), and counts for an hour. A stale
// one, left in a repository, confirms nothing.
func Confirmed(annotation string, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, annotation)
	return err == nil && !at.After(now.Add(time.Minute)) && now.Before(at.Add(confirmationLife))
}
