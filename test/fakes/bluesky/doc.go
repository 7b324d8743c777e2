// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bluesky is a fake AppView: what a Personal Data Server passes
// app.bsky.* requests on to, as far as Rostra needs it, for tests. Import it as
// blueskyfake. It listens on 127.0.0.1 alone and keeps everything in memory.
//
//	view := blueskyfake.Start()
//	server, err := pds.Start(ctx, pds.Options{AppViewURL: view.URL()})
//	view.UseDirectory(server.PLCURL())
//	view.Notify(account.DID, blueskyfake.Notification{Reason: "mention", Author: author, Text: "where is my parcel?"})
//
// It is written from the published lexicon of
// app.bsky.notification.listNotifications and the specification of inter-service
// authentication (https://atproto.com/specs/xrpc#inter-service-authentication-jwt).
// It is strict: a request needs a token that the account's server has signed
// with the key in the account's DID document, for this service and this method,
// and may have no parameter that the lexicon does not know.
package bluesky
