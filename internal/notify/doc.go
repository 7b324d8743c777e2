// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package notify tells one person, by the address that a Secret holds. It knows
// nothing of routes and of when: its caller decides who is told, tries again, and
// goes on to the next step.
//
// An address is a URL whose scheme says the way:
//
//	alertmanager+https://HOST[:PORT][/PREFIX]   Alertmanager, API v2; also alertmanager+http
//	pagerduty://INTEGRATION-KEY[?region=eu]     PagerDuty, Events API v2
//	slack+https://hooks.slack.com/services/…    Slack, incoming webhook
//	smtp://USER:PASSWORD@HOST[:587][?to=…&from=…&tls=none]
//	smtps://USER:PASSWORD@HOST[:465][?to=…&from=…]
//	https://…                                   CloudEvents; also http, webhook+https, webhook+http
//	telegram://TOKEN@telegram?chats=CHAT        Telegram, a bot
//	discord, gotify, mattermost, ntfy, pushover, rocketchat: as github.com/nicholas-fedor/shoutrrr has them
//
// What holds for every way:
//
//   - The way out is internal/httpx: its egress rules, limits, time limits and
//     breakers. Nothing here dials by itself; a library that does is not used.
//   - Nil means that the other side has taken it. Anything else is a Failure, and
//     means not told: it is better to tell somebody twice than not at all, and
//     Failure.MaybeTold says when that could be.
//   - An address is secret, and so is a Message's Acknowledge. No error shows more
//     of an address than its host.
//   - A stranger writes the excerpt, and perhaps the title: it is bounded, holds no
//     control characters, and is escaped for what shows it, so that it can neither
//     mention a whole channel nor pass for Rostra's own words.
//   - One try a call. Retries, and the ID that makes them fold, are the caller's.
package notify
