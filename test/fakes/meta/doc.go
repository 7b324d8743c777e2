// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package meta is a fake: a server with the part of Meta's Graph API that Rostra
// speaks for Facebook Pages, with its login dialog and its webhooks, for tests.
// Import it as metafake. It listens on 127.0.0.1 alone and keeps everything in
// memory.
//
// It is written from the published contract at developers.facebook.com: access
// tokens, debug_token, the manual login flow with PKCE, Page, subscribed_apps,
// app subscriptions, Webhooks from Meta, Webhooks for Pages, error handling and
// rate limits. Where Meta ignores what it does not know, such as an unknown
// parameter or field, this one refuses and says so: an adapter that sends such a
// thing has a mistake. It refuses any version of the API but its own.
//
// The login dialog is at the same origin, as plain HTML that works without
// JavaScript: a person chooses who they are and which Pages, then Continue or
// Cancel. Consent does the same without a browser.
//
// Before an app's webhook is accepted, the fake checks the callback with
// hub.challenge, as Meta does. What happens on a Page is sent at once, signed
// with the app's secret, and may be sent again (Redeliver).
//
// Any path can be made to answer badly (Misbehave, SetDown, GraphError).
package meta
