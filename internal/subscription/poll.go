// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package subscription

import "time"

const (
	// maxStretch is how much longer than its interval the wait between two polls
	// becomes while nothing happens.
	maxStretch = 10
	// currentFor is for how many waits a poll that succeeded speaks for the
	// present.
	currentFor = 3
)

// PollWait is how long to wait before the next poll of an account on which
// nothing has happened for a while: a tenth of that while longer than the
// interval, and ten intervals at the most. What comes after a silence is then
// late by no more than a tenth of the silence.
func PollWait(interval, quiet time.Duration) time.Duration {
	return min(interval+max(quiet, 0)/maxStretch, maxStretch*interval)
}

// PollCurrentUntil is until when a poll that succeeded, and was followed by
// that wait, shows that events reach Rostra.
func PollCurrentUntil(succeeded time.Time, wait time.Duration) time.Time {
	return succeeded.Add(currentFor * wait)
}
