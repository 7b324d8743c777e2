// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation_test

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

func TestConversation(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "conversation")
}

var night = time.Date(2026, 11, 20, 13, 30, 0, 0, time.UTC)

var (
	first    = escalation.Position{}
	second   = escalation.Position{Step: 1}
	fallback = escalation.Position{Fallback: true}
	care     = conversation.Terms{Owner: "care", Route: "care", Target: time.Hour, Excerpt: true}
	nina     = escalation.Person{Team: "care", Name: "nina"}
)

// post is a stranger's, or with OwnPost the account's; the same number is the
// same.
func post(number int, kind event.Kind, at time.Time) *event.Event {
	return &event.Event{
		ID: fmt.Sprintf("event-%d", number), Kind: kind, Platform: "Mastodon", Channel: "social/help", ChannelUID: "uid-1",
		Actor: event.Actor{ID: "jo", Handle: "jo"}, Text: "hello", PostID: fmt.Sprintf("post-%d", number), ThreadID: "thread",
		OccurredAt: at, ReceivedAt: at,
	}
}

// begun waits since night.
func begun(terms conversation.Terms) *conversation.Conversation {
	e := post(0, event.Mention, night)
	c := conversation.Begin(e, conversation.ThreadOf(e))
	c.Hear(e, terms, night)
	return c
}

// turn is of nina's, with a quarter of an hour to answer.
func turn(at, next escalation.Position) escalation.Turn {
	return escalation.Turn{At: at, Next: next, Wait: 15 * time.Minute, People: []escalation.Hearer{{Person: nina}}}
}

func telling(at escalation.Position, way string) conversation.Telling {
	return conversation.Telling{At: night, Position: at, Team: "care", Member: "nina", Way: way}
}
