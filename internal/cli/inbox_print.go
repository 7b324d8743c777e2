// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/desk"
	"github.com/rostra-dev/rostra/internal/event"
)

// shortID is how much of an ID a table shows: enough to name it by.
const shortID = 8

// harmless makes what came from the desk fit for a terminal.
func harmless(c *desk.Conversation) {
	texts := []*string{
		&c.ID, &c.Channel, &c.Platform, &c.Author, (*string)(&c.Kind), &c.URL, (*string)(&c.State), &c.Owner, &c.Route, &c.Rule, &c.Step, &c.NextStep,
	}
	for i := range c.Tellings {
		t := &c.Tellings[i]
		texts = append(texts, &t.Step, &t.Team, &t.Member, &t.Way, &t.Problem)
	}
	if c.Response != nil {
		texts = append(texts, (*string)(&c.Response.Kind), &c.Response.By)
	}
	for _, text := range texts {
		*text = printable(*text)
	}
}

func printInbox(out io.Writer, found desk.Conversations, wide bool) error {
	headings := []string{"ID", "CHANNEL", "WHAT", "WAITS", "STATE", "STEP", "TOLD", "NEXT"}
	if wide {
		headings = append(headings, "FROM", "OWNER", "ROUTE", "URL")
	}
	rows := [][]string{headings}
	for i := range found.Conversations {
		c := &found.Conversations[i]
		cells := []string{c.ID[:min(shortID, len(c.ID))], c.Channel, whatWords(c), waitWords(c, found.At), inboxState(c, found.At), c.Step, toldNames(c), nextWords(c, found.At)}
		if wide {
			cells[0], cells[6] = c.ID, toldWords(c, found.At)
			cells = append(cells, c.Author, c.Owner, routeWords(c), c.URL)
		}
		for place, cell := range cells {
			if cell == "" {
				cells[place] = "-"
			}
		}
		rows = append(rows, cells)
	}
	return printTable(out, rows)
}

// whatWords says what waits, and how much of it.
func whatWords(c *desk.Conversation) string {
	words := strings.ToLower(string(c.Kind))
	if c.Kind == event.DirectMessage {
		words = "direct message"
	}
	if c.Messages > 1 {
		words += " (" + strconv.Itoa(c.Messages) + ")"
	}
	return words
}

// waitWords says how long it has waited, or waited until somebody responded.
func waitWords(c *desk.Conversation, now time.Time) string {
	until := now
	switch {
	case c.Response != nil:
		until = c.Response.At
	case !c.ClosedAt.IsZero():
		until = c.ClosedAt
	}
	return age(until, c.OpenedAt)
}

func inboxState(c *desk.Conversation, now time.Time) string {
	words := string(c.State)
	switch {
	case c.State.Waits() && !c.LateAt.IsZero() && now.After(c.LateAt):
		words += ", late"
	case c.State == conversation.Acknowledged && c.Response != nil && c.Response.By != "":
		words += " by " + c.Response.By
	}
	return words
}

// What is said of somebody who was not told, or of whom nobody knows.
const (
	outcomeUnknown = "not known"
	outcomeFailed  = "failed"
)

// outcomeWords says what came of a telling; empty where it reached somebody.
func outcomeWords(t *desk.Telling) string {
	switch {
	case t.Way != "":
		return ""
	case t.Unsure:
		return outcomeUnknown
	}
	return outcomeFailed
}

// toldNames are those who were told, those who may have been, and those who could
// not be, each once and without a word of how.
func toldNames(c *desk.Conversation) string {
	var members, names []string
	for _, outcome := range []string{"", outcomeUnknown, outcomeFailed} {
		for i := range c.Tellings {
			t := &c.Tellings[i]
			if outcomeWords(t) != outcome || slices.Contains(members, t.Member) {
				continue
			}
			name := t.Member
			if outcome != "" {
				name += " (" + outcome + ")"
			}
			members, names = append(members, t.Member), append(names, name)
		}
	}
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// toldWords says of each who was to be told how that went, and when.
func toldWords(c *desk.Conversation, now time.Time) string {
	var words []string
	for i := range c.Tellings {
		t := &c.Tellings[i]
		way := "by " + t.Way
		if outcome := outcomeWords(t); outcome != "" {
			way = outcome + ": " + t.Problem
		}
		words = append(words, t.Team+"/"+t.Member+" "+age(now, t.At)+" ago, "+t.Step+", "+way)
	}
	if len(words) == 0 {
		return "nobody"
	}
	return strings.Join(words, "; ")
}

// nextWords says who is told next, and when.
func nextWords(c *desk.Conversation, now time.Time) string {
	switch {
	case c.NextAt.IsZero():
		return ""
	case !now.Before(c.NextAt):
		return c.NextStep + " now"
	}
	return c.NextStep + " in " + age(c.NextAt, now)
}

func routeWords(c *desk.Conversation) string {
	if c.Rule == "" {
		return c.Route
	}
	return c.Route + ", rule " + c.Rule
}
