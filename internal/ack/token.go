// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/seal"
)

// PathPrefix begins the path of everything that the handler of this package
// serves.
const PathPrefix = "/ack/"

// purpose keeps the MACs of links from being taken for those of another use.
const purpose = "rostra ack link v1"

// Claim is what a link says for whoever presses its button.
type Claim struct {
	// ID of the conversation; see conversation.NewID.
	ID string
	// Episode of it, from 1: the link is good for no later one.
	Episode int
	// By is who was told, as team/member.
	By string
	// Expires is when the link ends, to the second.
	Expires time.Time
}

// URL is the link by which somebody acknowledges, below the gateway's base.
// Whoever has it can acknowledge in that person's name, and can do nothing else.
// It is empty for a claim that is too long for a link.
func URL(base string, key []byte, claim Claim) string {
	token := claim.token(key)
	if len(token) > seal.MaxToken {
		return ""
	}
	return strings.TrimRight(base, "/") + PathPrefix + token
}

func (c Claim) token(key []byte) string {
	return seal.Seal(key, purpose, strings.Join([]string{
		c.ID, strconv.Itoa(c.Episode), seal.WriteTime(c.Expires), base64.RawURLEncoding.EncodeToString([]byte(c.By)),
	}, seal.Separator))
}

// parse reads a token that was made with the key; also one that is over.
func parse(key []byte, token string) (Claim, bool) {
	body, ok := seal.Open(key, purpose, token)
	if !ok {
		return Claim{}, false
	}
	parts := strings.Split(body, seal.Separator)
	if len(parts) != 4 || parts[0] == "" {
		return Claim{}, false
	}
	episode, ok := readEpisode(parts[1])
	if !ok {
		return Claim{}, false
	}
	expires, ok := seal.ReadTime(parts[2])
	if !ok {
		return Claim{}, false
	}
	by, err := base64.RawURLEncoding.DecodeString(parts[3])
	if err != nil || len(by) == 0 {
		return Claim{}, false
	}
	return Claim{ID: parts[0], Episode: episode, By: string(by), Expires: expires}, true
}

// readEpisode reads the number of an episode. They count from 1.
func readEpisode(text string) (episode int, ok bool) {
	episode, err := strconv.Atoi(text)
	return episode, err == nil && episode >= 1
}
