// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package httpx is the one way out: every call that Rostra makes to a social
// platform goes through its Client. It knows HTTP and addresses, and nothing
// about platforms or Kubernetes.
//
// What the Client promises:
//
//   - Every request ends within Options.Timeout, and no answer takes more
//     memory than its cap.
//   - An address is judged when the connection is made, after DNS has answered,
//     so that a name cannot be swapped for an inner address in between. Private,
//     loopback, link-local, metadata and other special addresses are refused
//     unless the administrator allows their range.
//   - Credentials do not cross a network in clear: plain http reaches allowed
//     ranges only, and certificates are always verified.
//   - No redirect is followed, because a redirect would carry a credential to a
//     server that nobody named.
//   - No proxy is taken from the environment: the address judged would be the
//     proxy's, and the proxy would dial anything.
//   - One account cannot use up another's rate, one origin cannot use up the
//     workers, and an origin that is down is left alone for a while.
//   - Errors are typed (Error, Kind). Their text is stable from try to try and
//     holds no path, query, header or body, so it may stand in a condition.
//
// It does not repeat a request and does not hold an account back after a 429:
// many platforms limit each endpoint on its own, and a revocation must not wait
// because a listing was limited. Response.RetryAt and Error.RetryAt say when to
// come back; whoever owns the work queue decides.
//
// # What counts as ill health
//
// An origin's circuit breaker counts what speaks of the server's health: a
// failed look-up, connection or TLS handshake, a time-out of the Client's own,
// an answer that is not HTTP or was cut short, and 5xx other than 501. Never
// 4xx, never the caller's cancellation or deadline, never a rule of ours (a
// refused address, a redirect, a body over the cap, a local limit).
//
// With Options.BreakerPerAccount, what fails once there is a connection is
// counted for the account at the origin alone, and the origin's own breaker
// counts failures to connect.
package httpx
