// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/webpage"
)

// byCommand introduces the command that does what the link does not.
const byCommand = "To say that you have it all the same, run this, or ask whoever runs Rostra for you:"

// offer shows what waits, and the button.
func offer(c *conversation.Conversation, claim Claim, now time.Time) outcome {
	return outcome{
		tool: toolsView(c),
		page: webpage.Page{
			Status: http.StatusOK,
			Title:  webpage.Shown(c.Channel) + " waits for an answer",
			Lines: []string{
				"The button says that you have it: nobody else is told, unless somebody writes again after an answer. It does not answer for you.",
				"This link is good until " + wall(claim.Expires) + ".",
			},
			Facts: append(factsOf(c),
				webpage.Fact{Name: "Waits since", Value: wall(c.OpenedAt) + " (" + duration.HumanDuration(max(0, now.Sub(c.OpenedAt))) + ")"},
				webpage.Fact{Name: "State", Value: stateWords(c)},
				webpage.Fact{Name: "You are", Value: who(claim.By)},
			),
			Visit:  visit(c),
			Button: "I have it",
			Form:   "'self'",
		},
	}
}

// done says that it is noted.
func done(c *conversation.Conversation, claim Claim) outcome {
	return outcome{
		tool: toolsView(c),
		page: webpage.Page{
			Status: http.StatusOK, Title: "You have it", Role: webpage.RoleStatus,
			Lines: []string{"Nobody else is told now. Answer it at the platform; that closes it."},
			Facts: append(factsOf(c), webpage.Fact{Name: "Noted for", Value: who(claim.By)}),
			Visit: visit(c),
		},
	}
}

// over says why there is nothing to acknowledge.
func over(c *conversation.Conversation, claim Claim) outcome {
	o := outcome{tool: toolsView(c), page: webpage.Page{Status: http.StatusConflict, Role: webpage.RoleStatus, Facts: factsOf(c), Visit: visit(c)}}
	var by string
	var at time.Time
	if c.Response != nil {
		by, at = c.Response.By, c.Response.At
	}
	switch {
	case c.Episode != claim.Episode:
		o.page.Title = "This link is for earlier messages"
		o.page.Lines = []string{"They were answered, and somebody has written again since. What was told then has a link of its own."}
		o.page.Facts = append(o.page.Facts, webpage.Fact{Name: "State now", Value: stateWords(c)})
	case c.State == conversation.Acknowledged && by == claim.By:
		o.page.Status, o.page.Title = http.StatusOK, "You have it"
		o.page.Lines = []string{"You have it since " + wall(at) + ". Answer it at the platform; that closes it."}
		return o
	case c.State == conversation.Acknowledged:
		o.page.Title = who(by) + " has it"
		o.page.Lines = []string{"They have it since " + wall(at) + ". There is nothing for you to do."}
	case c.State == conversation.Answered:
		o.page.Title = "It is answered"
		o.page.Lines = []string{"The account has answered, at " + wall(closed(c, at)) + ". There is nothing for you to do."}
		if by != "" {
			o.page.Facts = append(o.page.Facts, webpage.Fact{Name: "Acknowledged by", Value: who(by) + ", " + wall(at)})
		}
	default:
		o.page.Status, o.page.Title, o.page.Role = http.StatusGone, "It was given up", webpage.RoleAlert
		o.page.Lines = []string{"Nobody answered for a week, or the channel was removed. If an answer is still wanted, give it at the platform."}
	}
	o.tool.Problem = o.page.Title + "."
	return o
}

// closed is when a conversation was answered.
func closed(c *conversation.Conversation, responded time.Time) time.Time {
	if c.ClosedAt.IsZero() {
		return responded
	}
	return c.ClosedAt
}

func forged() outcome {
	return refused(webpage.Page{
		Status: http.StatusNotFound, Title: "This link is not good",
		Lines:       []string{"It was cut short on the way, or it was not made by this Rostra. Copy the whole of it from the message that you were sent."},
		Commands:    []string{"rostra inbox", "rostra ack ID"},
		CommandsFor: "What waits is listed by the first of these commands, and acknowledged by the second:",
	})
}

func linkOver(claim Claim) outcome {
	return refused(webpage.Page{
		Status: http.StatusGone, Title: "This link is over",
		Lines:    []string{"Its time was up at " + wall(claim.Expires) + ". Nothing was noted."},
		Commands: []string{"rostra ack " + claim.ID}, CommandsFor: byCommand,
	})
}

func gone() outcome {
	return refused(webpage.Page{
		Status: http.StatusGone, Title: "This is gone",
		Lines: []string{"The conversation is kept no longer: it is over since more than a week, or its channel was removed."},
	})
}

func crossSite() outcome {
	return refused(webpage.Page{
		Status: http.StatusForbidden, Title: "This was not pressed here",
		Lines: []string{"Another site tried to acknowledge in your name. Nothing was noted. Open the link that you were sent, and press the button there."},
	})
}

func unreadable() outcome {
	return refused(webpage.Page{
		Status: http.StatusRequestEntityTooLarge, Title: "This cannot be read",
		Lines: []string{"Nothing was noted: what was sent is too long, or broke off. An acknowledgement needs no content."},
	})
}

func tooOften() outcome {
	return refused(webpage.Page{
		Status: http.StatusTooManyRequests, Title: "Too many attempts",
		Lines: []string{"Nothing was noted. Wait half a minute, open your link and try again."},
	})
}

func wrongMethod() outcome {
	return refused(webpage.Page{
		Status: http.StatusMethodNotAllowed, Title: "This is not how it works",
		Lines: []string{"GET shows what waits, and POST acknowledges it."}, Allow: "GET, HEAD, POST",
	})
}

// toolsView is what a tool is told of a conversation.
func toolsView(c *conversation.Conversation) forTools {
	view := forTools{ID: c.ID, Channel: c.Channel, State: c.State}
	if c.Response != nil {
		view.By, view.At = c.Response.By, c.Response.At.UTC()
	}
	return view
}

// factsOf says which conversation it is, without a word of what was written.
func factsOf(c *conversation.Conversation) []webpage.Fact {
	facts := []webpage.Fact{{Name: "Channel", Value: webpage.Shown(c.Channel)}, {Name: "Platform", Value: webpage.Shown(c.Platform)}}
	if c.State.Waits() {
		facts = append(facts, webpage.Fact{Name: "What", Value: kindWords(c)})
	}
	if handle := webpage.Shown(c.Author.Handle); handle != "" && c.Kind != event.DirectMessage {
		facts = append(facts, webpage.Fact{Name: "From", Value: handle})
	}
	return facts
}

// kindWords says what waits.
func kindWords(c *conversation.Conversation) string {
	words, known := map[event.Kind]string{event.Mention: "a mention", event.Reply: "a reply", event.DirectMessage: "a direct message"}[c.Kind]
	if !known {
		words = "a message"
	}
	if c.Messages > 1 {
		words += ", and " + strconv.Itoa(c.Messages-1) + " more since"
	}
	return words
}

func stateWords(c *conversation.Conversation) string {
	switch c.State {
	case conversation.Open:
		return "nobody has been told yet"
	case conversation.Told:
		return "told, and nobody has it yet"
	case conversation.Acknowledged:
		return "somebody has it"
	case conversation.Answered:
		return "answered"
	case conversation.Expired:
		return "given up"
	}
	return ""
}

// visit is the link to the post; nil where none is known that may be followed.
func visit(c *conversation.Conversation) *webpage.Link {
	if !strings.HasPrefix(c.URL, "https://") {
		return nil
	}
	return &webpage.Link{Name: "Open it on " + webpage.Shown(c.Platform), URL: c.URL}
}

// who writes team/member as one would say it.
func who(by string) string {
	if team, member, found := strings.Cut(webpage.Shown(by), "/"); found {
		return member + " (" + team + ")"
	}
	if by = webpage.Shown(by); by != "" {
		return by
	}
	return "Somebody"
}

func wall(at time.Time) string { return at.UTC().Format("15:04 MST on 2 January 2006") }
