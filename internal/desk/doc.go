// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package desk answers the command line about conversations, as JSON over HTTP:
// what waits, who was told, and who has it. It shows nothing of what anybody
// wrote.
//
// There is no login. It listens on the loopback of the operator's pod and
// nowhere else: whoever may forward a port of that pod may ask. Browsers are
// refused, so that no page which somebody has open beside a forwarded port can
// ask in their name, nor by a name of its own that it lets point to this machine.
package desk
