// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package inbox keeps verified events durably, until whoever answers them has
// dealt with them. It is built on NATS JetStream: embedded in the process by
// default, or an existing NATS cluster where one machine is not enough.
//
// What it promises:
//
//   - Put returns nil for events that are stored, and for no others. Embedded,
//     stored means: fsync has returned. On a cluster it means what the cluster
//     makes of it: a quorum of Options.Replicas has the event, and its servers'
//     sync_interval says when each of them calls fsync.
//   - The same event put again folds into the first, across restarts, within
//     Options.DuplicateWindow.
//   - At the limit of Options.MaxBytes Put refuses with ErrFull. Nothing that
//     was accepted makes room for what comes later; age alone removes events.
//   - Consume hands every event to each consumer at least once. Events of one
//     channel come one after the other, in the order in which they were stored,
//     also after a crash and also where several processes consume under one
//     name: the server hands out one event at a time.
//   - The embedded server listens on nothing, and its folder belongs to one
//     process.
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
// # After a failed write
//
// JetStream stops writing to a stream after a write or fsync has failed, until
// it is started again. It may still know events as duplicates that never
// reached the disk, so Put asks for the store's health before it believes in a
// duplicate. Ready fails from then on; restarting the process is the remedy.
package inbox
