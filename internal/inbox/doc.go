// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package inbox keeps verified events durably, until whoever answers them has
// dealt with them. Beside them it keeps the rows of tables, and letters that are
// on their way to somebody's own tool. It is built on NATS JetStream: embedded in
// the process by default, or an existing NATS cluster where one machine is not
// enough.
//
// What it promises of events:
//
//   - Put returns nil for events that are stored, and for no others. Embedded,
//     stored means: fsync has returned. On a cluster it means what the cluster
//     makes of it: a quorum of Options.Replicas has the event, and its servers'
//     sync_interval says when each of them calls fsync.
//   - The same event put again folds into the first, across restarts, within
//     Options.DuplicateWindow.
//   - At the limit of Options.MaxBytes Put refuses with ErrFull. Nothing that
//     somebody is not done with makes room for what comes later; age alone removes
//     it. Near the limit the oldest events go that every consumer is done with, at
//     95 of a hundred also those that would still be known again.
//   - Consume hands every event to each consumer at least once. Events of one
//     channel come one after the other, in the order in which they were stored,
//     also after a crash and also where several processes consume under one
//     name: the server hands out one event at a time.
//   - The embedded server listens on nothing, and its folder belongs to one
//     process.
//
// Of a Table:
//
//   - Put and Delete return nil for what is stored, as Put of events does, and
//     only one of several that build on the same revision does.
//   - A row is there until it is deleted or its time is over; both let its room
//     go, a deleted row's within the hour.
//   - Rows that there are may grow when new ones are refused, and may end, shrink
//     and be deleted when they cannot grow: TableOptions.MaxBytes says from where.
//     Nothing makes room by itself.
//   - Follow tells every row and every change that lasts, in order, also across
//     a lost connection.
//
// Of an Outbox:
//
//   - Add returns nil for letters that are stored, or were delivered already. Within
//     Options.DuplicateWindow a letter is in the first lane that it was added to,
//     and in no other, also across restarts.
//   - Deliver hands every letter out at least once; again only where the process
//     or the connection ended before it was noted that it had been delivered.
//     Letters of one order key come one after the other.
//   - A lane that is not delivered fills up to OutboxOptions.LaneLimit, and then
//     Add refuses with ErrLaneFull. Age removes letters too, counted and logged.
//
// # Order and partitions
//
// A channel belongs to one of a fixed number of partitions, by a digest of its
// identity. Each named consumer has one JetStream consumer a partition, with a
// single event in flight. While an event is being retried, its partition waits
// and the others go on.
//
// # Group commit
//
// An fsync for each event bounds the rate by the disk. Calls of Put that wait
// while the disk is busy are gathered. A small group is published one by one
// through a pipeline, with an fsync for each. A larger one becomes one atomic
// batch (NATS ADR-50), which the server stages and stores with four calls of
// fsync, whatever its size, and answers after the last. A batch is refused as a
// whole where one of its events is a duplicate or finds no room; its events are
// then published one by one, so that each gets its own answer.
//
// Rows and letters are gathered in the same way. In a batch of rows each still
// expects its own revision; one that is not met refuses the batch, and then each
// row gets its own answer.
//
// # Rows that end
//
// NATS removes a row whose time is over, by its sequence alone. It could leave a
// mark in its place that followers see (SubjectDeleteMarkerTTL); but it writes that
// mark later, without expecting the row that it is about, and with a roll-up that
// takes everything before it, and so a row that was put meanwhile. Therefore no
// such marks are used: rows carry when they end, and Get and Follow look at the
// clock. A deleted row does leave a mark, which expects the row's revision and ends
// after an hour by itself.
//
// # After a failed write
//
// JetStream stops writing to a stream after a write or fsync has failed, until
// it is started again. It may still know events as duplicates that never
// reached the disk, so Put asks for the store's health before it believes in a
// duplicate. Ready fails from then on; restarting the process is the remedy.
package inbox
