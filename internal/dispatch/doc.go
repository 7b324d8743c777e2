// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package dispatch finds somebody who answers: it makes conversations of events,
// takes each turn of a route when it is due, tells the people whose turn it is,
// and ends what was told when somebody has answered.
//
// # Once
//
// Every process may run a Dispatcher. Whoever takes a turn writes a claim into
// the conversation's row first, by compare-and-set, and what became of it
// afterwards. A process that dies in between leaves a claim that ends after
// conversation.ClaimFor; one of the same name takes it over when it starts. The
// turn is then taken again, and its messages have the same IDs as before. That
// happens once: where nobody knows for a second time whether people were told,
// the next in the route are, and the fallback again. A claim of which a process
// knows that nothing came of it, as one that stops in an orderly way does, does
// not count.
//
// # Many at once
//
// One person is told singly of five conversations of a channel, and from then on
// hears once a minute: of all that have become due, together. What waits for
// that minute is what the ledger says is due, so a crash loses none of it. When
// the last such message was sent is a row of the ledger, so that it is one a
// minute for all processes; the first five are counted by each process, from its
// start.
//
// What they are told in a time without a quiet one is of one incident, which the
// row names before anybody is told. It is closed when nothing of it waits any
// more, and in an hour at the latest.
//
// # When it is over
//
// An answer, an acknowledgement and the end of a conversation set in its row, in
// the same write, who was told and is still to hear of it; whom a process may
// have told that wrote no outcome is among them. Some process claims that as it
// would a turn, whichever process wrote the row, and tries for a day. Those who
// close are others than those who tell, and their claim keeps nobody from taking
// a turn.
package dispatch
