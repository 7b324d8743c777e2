// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// Conversations is the answer to a list.
type Conversations struct {
	// At is when it was answered.
	At time.Time `json:"at"`
	// Total is how many there are, of which Conversations may have only the first:
	// those that wait, oldest first, and then the others, oldest first.
	Total         int            `json:"total"`
	Conversations []Conversation `json:"conversations"`
}

// Conversation as it is shown. It holds nothing of what was written.
type Conversation struct {
	ID string `json:"id"`
	// Channel as namespace/name, and the platform's type.
	Channel  string `json:"channel"`
	Platform string `json:"platform"`
	// Author is the handle of who wrote; empty where they wrote in private.
	Author string `json:"author,omitempty"`
	// Kind and URL of the first message that waits, and how many do.
	Kind     event.Kind `json:"kind,omitempty"`
	URL      string     `json:"url,omitempty"`
	Messages int        `json:"messages"`

	State   conversation.State `json:"state"`
	Episode int                `json:"episode"`
	// OpenedAt is when the first message that waits was received, and LastAt the
	// last one. ClosedAt is when it was answered or given up.
	OpenedAt time.Time `json:"openedAt,omitzero"`
	LastAt   time.Time `json:"lastAt,omitzero"`
	ClosedAt time.Time `json:"closedAt,omitzero"`
	// LateAt is when the promised first response is late; zero where none is
	// promised.
	LateAt time.Time `json:"lateAt,omitzero"`

	// Owner, Route and Rule as they held when the episode began.
	Owner string `json:"owner,omitempty"`
	Route string `json:"route,omitempty"`
	Rule  string `json:"rule,omitempty"`
	// Step that was told last, in words; empty where nobody was. NextStep is told
	// at NextAt; both are zero where nobody is told any more.
	Step     string    `json:"step,omitempty"`
	NextStep string    `json:"nextStep,omitempty"`
	NextAt   time.Time `json:"nextAt,omitzero"`
	// Tellings of the episode, the last of them, oldest first.
	Tellings []Telling `json:"tellings"`
	// Response is the episode's first.
	Response *Response `json:"response,omitempty"`
}

// Telling is one attempt to tell one person.
type Telling struct {
	At time.Time `json:"at"`
	// Step in words.
	Step string `json:"step"`
	// Team and Member who was to be told.
	Team   string `json:"team"`
	Member string `json:"member"`
	// Way in which they were told; empty where that failed, or where nobody knows
	// whether it did. Problem says why.
	Way     string `json:"way,omitempty"`
	Problem string `json:"problem,omitempty"`
	// Unsure tells that they may have been told in other ways than Way, or at all,
	// without that anybody knows.
	Unsure bool `json:"unsure,omitempty"`
}

// Response is the first response.
type Response struct {
	Kind conversation.ResponseKind `json:"kind"`
	At   time.Time                 `json:"at"`
	// By is who acknowledged; empty for an answer.
	By string `json:"by,omitempty"`
}

// Acknowledgement is the body of one.
type Acknowledgement struct {
	// By is who has it.
	By string `json:"by"`
}

// Refusal says why something was not done.
type Refusal struct {
	Problem string `json:"problem"`
	// Conversation as it is, where it waits no more.
	Conversation *Conversation `json:"conversation,omitempty"`
}

// view shows a conversation.
func view(c *conversation.Conversation) Conversation {
	shown := Conversation{
		ID: c.ID, Channel: c.Channel, Platform: c.Platform, Kind: c.Kind, URL: c.URL, Messages: c.Messages,
		State: c.State, Episode: c.Episode, OpenedAt: c.OpenedAt.UTC(), LastAt: c.LastAt.UTC(), ClosedAt: c.ClosedAt.UTC(), LateAt: c.LateAt().UTC(),
		Owner: c.Terms.Owner, Route: c.Terms.Route, Rule: c.Terms.Rule, Tellings: []Telling{},
	}
	if c.Kind != event.DirectMessage {
		shown.Author = c.Author.Handle
	}
	for _, telling := range c.Tellings {
		step := stepWords(telling.Position)
		if telling.Late {
			step = "broken promise"
		}
		if telling.Way != "" {
			shown.Step = step
		}
		shown.Tellings = append(shown.Tellings, Telling{
			At: telling.At.UTC(), Step: step, Team: telling.Team, Member: telling.Member, Way: telling.Way,
			Problem: telling.Problem, Unsure: telling.Unsure,
		})
	}
	if c.State.Waits() && !c.Due.IsZero() {
		shown.NextStep, shown.NextAt = stepWords(c.Next), c.Due.UTC()
	}
	if c.Response != nil {
		shown.Response = &Response{Kind: c.Response.Kind, At: c.Response.At.UTC(), By: c.Response.By}
	}
	return shown
}

// stepWords names a position in a route, counted from 1.
func stepWords(at escalation.Position) string {
	switch {
	case at.StandIn:
		return "no route"
	case at.Fallback:
		return "fallback"
	case at.Round > 0:
		return "step " + strconv.Itoa(at.Step+1) + ", round " + strconv.Itoa(at.Round+1)
	}
	return "step " + strconv.Itoa(at.Step+1)
}

// overWords says why a conversation cannot be acknowledged any more.
func overWords(c *conversation.Conversation) string {
	switch c.State {
	case conversation.Acknowledged:
		words := "somebody has it already"
		if c.Response != nil && c.Response.By != "" {
			words = c.Response.By + " has it already, since " + c.Response.At.UTC().Format(time.RFC3339)
		}
		return words
	case conversation.Answered:
		return "it was answered at " + c.ClosedAt.UTC().Format(time.RFC3339)
	case conversation.Expired:
		return "it was given up at " + c.ClosedAt.UTC().Format(time.RFC3339)
	case conversation.Open, conversation.Told:
	}
	return "it changed meanwhile; try again"
}
