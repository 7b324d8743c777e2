// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pds runs a real Bluesky PDS (Personal Data Server) for test suites and
// demonstrations, with the PLC directory it registers identities with.
//
// Both live in one Node process that listens on 127.0.0.1 only and ends when the
// process that started it ends. The first use on a machine installs the pinned
// server (about two minutes); later starts take two to three seconds.
//
//	server, err := pds.Start(ctx, pds.Options{})
//	account, err := server.CreateAccount(ctx, "acme-help.test")
//	password, err := server.CreateAppPassword(ctx, account, "rostra")
//	session, err := server.CreateSession(ctx, account.DID, password)
//	err = server.Stop()
//
// The methods of Server that act on an account play the people and the platform
// behind Rostra's back. Their own requests are left out of Server.Requests.
//
// Proxy stands in front of a server and makes chosen requests fail in a chosen
// way: refused, garbled, hanging, or carried out with the answer lost.
package pds
