// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package webpush is the receiving end of Web Push: what a browser and its push
// service do between them when an application server pushes a message.
//
// It reads both encodings that servers with the Mastodon API send: aes128gcm
// (RFC 8291 on RFC 8188) and aesgcm, which came before it
// (draft-ietf-webpush-encryption-04 on
// draft-ietf-httpbis-encryption-encoding-03), and it verifies who sent a message
// (VAPID, RFC 8292) in the header forms that go with each.
//
// Everything here is pure: no clock, no network, and no more work or memory than
// MaxBody allows.
package webpush
