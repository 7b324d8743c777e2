// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package mastodon is a fake: a server with the part of the Mastodon API that
// Rostra speaks, for tests. Import it as mastodonfake. It is strict where the
// real servers are, and stricter where they would let a client's mistake pass.
// It listens on 127.0.0.1 alone and keeps everything in memory.
//
// It is written from the published contracts: Mastodon's API documentation
// (https://docs.joinmastodon.org/methods/) and error texts, GoToSocial's API
// documentation (https://docs.gotosocial.org/en/latest/api/), RFC 6749, RFC
// 6750, RFC 7009, RFC 7636, RFC 8291 and RFC 8292. Four flavours answer as the
// servers of that kind do:
//
//   - Mastodon43: Mastodon from 4.3 on, where an application's scopes can be
//     read and the scope profile exists.
//   - Mastodon42: Mastodon 4.2, where neither is so, and a code challenge counts
//     for nothing.
//   - Mastodon44: Mastodon from 4.4 on, which pushes as RFC 8291 says to whoever
//     asks for that; before, all pushes are in the encoding of its draft.
//   - GoToSocial019: GoToSocial 0.19: ULIDs, its own error texts, no way to ask
//     about an application, no directory, rate limits in seconds since 1970.
//
// Where a real server ignores what it does not know, such as an unknown
// parameter, this one refuses with 400 and says so: an adapter that sends such
// a thing has a mistake.
//
// What happens on an account is brought about by Mention, Notify and Publish. It
// is pushed to those who are subscribed, by SendPush or by a Sender of the
// test's, and what a push is answered has the consequences that it has with the
// real servers. A person consents on a page of plain HTML, in a browser or by
// Consent and Deny.
//
// Any path can be made to answer badly (Misbehave, SetDown).
package mastodon
