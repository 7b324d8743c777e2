// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package x adapts X (https://docs.x.com/x-api) to the platform ports.
//
// # Tokens
//
// A person consents once, and what comes of that is a refresh token and an
// access token that lives for about two hours. A refresh token works once: each
// renewal gives a new pair. The pair lives in the account's SessionStore from
// the first renewal on, the source Secret is only where it began. Verify renews
// when less than a third of the access token's life is left, and stores the new
// pair before anybody uses it. What could not be stored is remembered and stored
// by the next call; what was lost with the process, or on the way, is lost: the
// old refresh token is tried once more, and where X refuses it the account must
// be connected again.
//
// X refuses a refresh token that another process has just redeemed as it refuses
// one whose grant is gone. So a first refusal is a passing failure, and the token
// is not sent again for 10 seconds, or for 30 while the access token lives. If
// nobody has stored another by then and X refuses again, the grant is gone. A
// status of 401 or 403 from the token endpoint is about the application.
//
// A source of an access token alone works until the token ends, and X does not
// say when that is.
//
// # Ending access
//
// Revoke takes back one access token, the one that an owner was given. The
// grant behind it stays, because it is the company's: the adapter has no
// platform.SessionEnder. The refresh token in the session is what the source
// credential has become, so to end it would undo a person's consent, which no
// removal of a channel may do by itself. Whoever wants that revokes the
// application in the account's settings.
//
// # Events
//
// Pushed events come by the webhooks of API v2 (https://docs.x.com/x-api/webhooks)
// and the Account Activity API (https://docs.x.com/x-api/account-activity), which
// sends everything that happens on an account as soon as it is subscribed. X has
// announced that its Activity API (https://docs.x.com/x-api/activity) will take
// that one's place; deliveries in its form are read, subscriptions to it are not
// made. Where the application has no access to webhooks, mentions, replies and
// own posts are polled.
//
// A post may show in a timeline after one that is younger. A poll goes back over
// the last ten seconds for that reason, and remembers what it has seen of them.
// Of more than 800 posts between two polls the oldest are not read; an event of
// the type rostra.gap says between which posts some are missing. Where posts are
// too large to be read by the hundred, they are read by fewer, down to five.
//
// An account can be subscribed to several webhooks of one application. Subscribed
// gives the one that the session remembers as Rostra's, else the first;
// Unsubscribe goes by the callback alone.
//
// X signs a delivery with the application's consumer secret, in the header
// X-Twitter-Webhooks-Signature, or with its OAuth 2.0 client secret, in
// X-Twitter-Webhooks-Signature-OAuth2. Both are read. Deliveries hold no signed
// time: a repeated one is known by the IDs of its events.
//
// A direct message that the account itself sends is an OwnPost in the thread of
// the conversation, so that a conversation that was answered shows as answered.
package x
