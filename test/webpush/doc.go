// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package webpush runs a real Web Push sender, the npm package web-push, so
// that tests receive what others encrypt: in the encoding of RFC 8291 and in
// that of its draft.
package webpush
