// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack

import (
	"strconv"
	"strings"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/seal"
)

const (
	// MaxTicket bounds a ticket, in bytes: it is what PagerDuty takes for a
	// dedup_key.
	MaxTicket = 255
	// ticketPurpose keeps a ticket from being taken for a link, whose time is up
	// some day.
	ticketPurpose = "rostra ack ticket v1"
	// turnLength is how many letters and digits tell a person's turns apart.
	turnLength = 10
)

// Ticket names what one person is told in one turn, for a tool that keeps an
// incident of it and calls back when somebody takes that: it says of itself what
// it is of, and nobody else can make one. It is the same whenever it is made.
// Whoever has it can acknowledge in that person's name, as with a link; it is
// good for as long as the episode lasts, and Expires is not in it. It is empty
// for what is too long for one.
func Ticket(key []byte, claim Claim, turn string) string {
	ticket := seal.Seal(key, ticketPurpose, strings.Join([]string{
		claim.ID, strconv.Itoa(claim.Episode), conversation.Digest(turnLength, turn), claim.By,
	}, seal.Separator))
	if len(ticket) > MaxTicket {
		return ""
	}
	return ticket
}

// parseTicket reads a ticket that was made with the key.
func parseTicket(key []byte, ticket string) (Claim, bool) {
	body, ok := seal.Open(key, ticketPurpose, ticket)
	if !ok {
		return Claim{}, false
	}
	parts := strings.SplitN(body, seal.Separator, 4) // a name may have dots
	if len(parts) != 4 || parts[0] == "" || parts[3] == "" {
		return Claim{}, false
	}
	episode, ok := readEpisode(parts[1])
	return Claim{ID: parts[0], Episode: episode, By: parts[3]}, ok
}
