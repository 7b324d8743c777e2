// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance holds what every platform adapter must do, as rules that
// run against the adapter and a server: the real one behind a fault proxy, or a
// strict fake. An adapter that meets them can be trusted with the one decision
// that matters most, whether a credential is dead or the platform is only out
// of order.
//
// A platform's test calls Describe with a function that makes a Subject. Rules
// for the optional ports (platform.Issuer, platform.Revoker,
// platform.SessionEnder, platform.AccountLister, platform.AccountNamer,
// platform.Subscriber, platform.Receiver, platform.Poller, platform.Authorizer)
// run where the adapter has the port; for the last four, the subject must also
// say how events happen at its server (Events), or how a person consents there
// (Consent).
//
// The rules are also plain values (Rules, Rule.Check), so that a test can show
// of a rule that it fails when it should.
package conformance
