// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package connect leads the person who owns an account through the consent of
// its platform, and hands what that person grants to a Store: an authorisation
// code with PKCE (RFC 6749, section 4.1; RFC 7636), guarded as RFC 9700 asks.
//
// A link begins it, which is good for one channel and a limited time. To open
// the link starts nothing; to press its button does. The answer comes back to
// one callback, with a state that is bound to the channel by a MAC, to the
// browser by a cookie, and that works once. Nothing is looked up for a link or
// a state that was not made with the gateway's key.
//
// The pages work without JavaScript and show no credential.
package connect
