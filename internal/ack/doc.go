// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ack is how somebody who was told says that they have it: a link in
// what they were told, a page behind it, and a button.
//
// To open the link acknowledges nothing: scanners of mail and previews of chats
// open links too. To press the button does, once for an episode of a
// conversation; whoever comes later reads who has it. Nothing is looked up for
// a link that was not made with the gateway's key.
//
// A tool that keeps an incident of a telling says the same for them: PagerDuty
// calls back when a person acknowledges or resolves there. What Rostra calls the
// incident is made as the link is, and can do no more.
//
// The page shows the channel, the handle of who wrote in public, and where to
// look. It shows nothing of what they wrote.
package ack
