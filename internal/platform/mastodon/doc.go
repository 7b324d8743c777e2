// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package mastodon adapts servers with the Mastodon API to the platform ports:
// Mastodon from 4.3 on, older ones and GoToSocial as far as they go, and other
// servers compatible with them.
//
// The source credential is an access token that a person has given Rostra in
// the server's settings or by OAuth (authorize.go). Such tokens do not expire and none can be
// minted by API, so the source credential is also what is delivered.
//
// # What can be known of a token's scopes
//
// No server tells the scopes of a token: they stand only in the answer that
// once handed it out, and Mastodon allows no introspection. What Mastodon tells
// from 4.3 on, to any token, are the scopes of the token's application
// (GET /api/v1/apps/verify_credentials). A token never has more scopes than its
// application, so a scope that the application lacks is certainly missing from
// the token; one that the application has may be missing all the same, and
// shows only as a 403 when it is used. Verify therefore fails with
// InsufficientScope where the application may not post, and says nothing
// otherwise. Older Mastodon, GoToSocial and others tell not even that.
//
// # Events
//
// An access token with the scope push can have one push subscription
// (subscribe.go). The server then sends Web Push messages, as it does to
// browsers, and the adapter takes the part of both push service and browser
// (receive.go). A push tells little: that somebody mentioned the account, and
// the beginning of what they wrote. Whether that was a reply or a direct
// message, who wrote it and where it can be seen, only the API tells, for the
// one notification (complete.go); own posts are not pushed at all. All this can
// be polled (poll.go). A notification has the same event ID either way.
//
// A poll reads both lists from a mark on (place.go). A server gives identifiers
// before it shows what has them, so the mark stays behind what is younger than
// ten seconds, and knows by name what was told of that: what shows late is
// found. Late by more, or in a flood of more than fifteen things in that time,
// it may be missed.
//
// Strangers write what is polled. A page that is too large is asked for again
// with fewer elements, down to one (page.go); what is malformed in an element
// is left out of its event, and an element without an identifier is skipped.
// What alone is larger than 32 MiB stops the poll, with a message for a person:
// the API knows no way past what it does not show.
//
// A channel without a subscription needs no scope push, and Verify does not ask
// for it.
//
// # Whose refusal it is
//
// Only an answer in the API's own form, JSON with an error, speaks of the
// credential. A page with status 401 or 403 is a proxy's or a firewall's and
// blames nobody. Mastodon translates the texts of 401 into its default
// language, so that a revoked token shows there as Unauthorized rather than
// Revoked; the texts of 403 are not translated.
package mastodon
