// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package x is a fake: a server with the part of X's API v2 that Rostra speaks,
// for tests. Import it as xfake. It is strict where X is, and stricter where X
// would let a client's mistake pass: what it does not know it refuses with 400
// and says so. It listens on 127.0.0.1 alone and keeps everything in memory.
//
// It is written from the published contracts: X's OpenAPI document of API v2,
// the guides to OAuth 2.0, webhooks and the Account Activity API at
// https://docs.x.com, and RFC 6749, RFC 7009 and RFC 7636.
//
// It differs from X in this on purpose: a callback may be plain http and have a
// port where it is at a loopback address, because a test's is.
//
// A person consents at /i/oauth2/authorize, a plain page without scripts: a
// field for the user name and the buttons "Authorize app" and "Cancel". Where
// another server stands in front of the OAuth endpoints, WithTokenUser tells the
// fake whose its tokens are.
//
// A refresh token works once. An old one that is used after what came of it was
// used ends the whole grant, as RFC 9700, section 4.14.2, has it.
//
// Any path can be made to answer badly through Faults.
package x
