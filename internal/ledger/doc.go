// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps conversations, and what is known of them all.
//
// The rows of a table are the truth: one row a conversation, changed by
// compare-and-set. Beside it stands an index in memory, a few hundred bytes a
// conversation, which is read from the table at the start and follows it. What
// this process writes is in its index at once; what others write, a moment
// later: CaughtUp waits for it. Answers of the index are hints, and whoever acts
// on one changes the row, which tells whether it still holds.
package ledger
