// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/notify"
)

// Kinds of messages.
const (
	kindUnanswered = "Unanswered"
	kindLate       = "PromiseBroken"
)

// gatheredFor is for how long an alert of many conversations lasts.
const gatheredFor = time.Hour

// words are what one person is told of one conversation.
func (d *Dispatcher) words(p *plan, hearer escalation.Hearer) message {
	c, now := p.conversation, d.clock.Now()
	kind := kindUnanswered
	title := fmt.Sprintf("%s on %s waits for an answer", what(c.Kind), where(p.channel))
	if p.task == conversation.TellLate {
		kind = kindLate
		title = fmt.Sprintf("The promise of %s was not kept: %s on %s is not answered",
			escalation.LengthWords(c.Terms.Target), strings.ToLower(what(c.Kind)), where(p.channel))
	} else if waited := now.Sub(c.OpenedAt).Truncate(time.Minute); waited > 0 {
		title = fmt.Sprintf("%s on %s has waited for %s", what(c.Kind), where(p.channel), escalation.LengthWords(waited))
	}
	m := message{
		ID:       digest("told", c.ID, fmt.Sprint(c.Episode), place(p), hearer.String()),
		Incident: c.ID, Kind: kind, Urgency: notify.High, Title: title, Link: c.URL,
		Acknowledge: d.links(c.ID, c.Episode, hearer.Person, now.Add(LinkFor)),
		At:          now, Until: c.ExpiresAt(),
		Labels: labels(c), Team: hearer.Team, Member: hearer.Name,
	}
	m.Facts = []notify.Fact{
		{Name: "Where", Value: where(p.channel) + ", channel " + c.Channel},
		{Name: "Since", Value: since(c.OpenedAt, now)},
		{Name: "Whose", Value: whose(p.channel)},
		{Name: "Step", Value: stepWords(p, hearer)},
	}
	if c.Kind != event.DirectMessage {
		m.Facts = append(m.Facts, notify.Fact{Name: "From", Value: handle(c.Author.Handle)})
		if c.Terms.Excerpt && p.channel.Excerpt {
			m.Excerpt = c.Excerpt
		}
	}
	if c.Messages > 1 {
		m.Facts = append(m.Facts, notify.Fact{Name: "Messages", Value: fmt.Sprintf("%d wait", c.Messages)})
	}
	return m
}

// many are what one person is told of many conversations of a channel.
func (d *Dispatcher) many(c *crowd, channel *Channel, number, count int, oldest time.Time, hearer escalation.Hearer) message {
	now := d.clock.Now()
	title := fmt.Sprintf("%d more conversations on %s wait; oldest since %s; rostra inbox %s",
		count, where(channel), oldest.UTC().Format("15:04 UTC"), c.channel)
	kind := kindUnanswered
	if c.task == conversation.TellLate {
		kind = kindLate
		title = fmt.Sprintf("The promise of a first response was not kept for %d more conversations on %s; oldest since %s; rostra inbox %s",
			count, where(channel), oldest.UTC().Format("15:04 UTC"), c.channel)
	}
	namespace, name, _ := strings.Cut(c.channel, "/")
	return message{
		ID:       digest("many", c.key, fmt.Sprint(number), hearer.String()),
		Incident: digest("many", c.key), Kind: kind, Urgency: notify.High, Title: title,
		Facts: []notify.Fact{
			{Name: "Where", Value: where(channel) + ", channel " + c.channel},
			{Name: "Since", Value: since(oldest, now)},
			{Name: "Whose", Value: whose(channel)},
			{Name: "All of them", Value: "rostra inbox " + c.channel},
		},
		At: now, Until: now.Add(gatheredFor),
		Labels: map[string]string{"namespace": namespace, "channel": name, "platform": channel.Platform, "owner": channel.Escalation.Owner},
		Team:   hearer.Team, Member: hearer.Name,
	}
}

// closing is what ends a message; it names the alert as the message did.
func closing(c *conversation.Conversation, telling conversation.Telling) notify.Closing {
	over := notify.Closing{
		Incident: c.ID, Kind: kindUnanswered, Urgency: notify.High, Labels: labels(c), Team: telling.Team, Member: telling.Member,
		Acknowledged: c.State == conversation.Acknowledged, Started: telling.At, At: c.ClosedAt,
	}
	if telling.Late {
		over.Kind = kindLate
	}
	if c.Response != nil {
		over.By = c.Response.By
		if over.Acknowledged {
			over.At = c.Response.At
		}
	}
	return over
}

// labels are the same for every telling of an episode, and for its end. They are
// what the channel is, and who owned it then.
func labels(c *conversation.Conversation) map[string]string {
	namespace, name, _ := strings.Cut(c.Channel, "/")
	return map[string]string{"namespace": namespace, "channel": name, "platform": c.Platform, "owner": c.Terms.Owner}
}

func what(kind event.Kind) string {
	switch kind {
	case event.Mention:
		return "A mention"
	case event.Reply:
		return "A reply"
	case event.DirectMessage:
		return "A direct message"
	case event.OwnPost, event.AuthorizationLost, event.HandleChanged, event.TokenExpiring, event.Other:
	}
	return "A message"
}

func where(channel *Channel) string {
	if channel.Handle == "" {
		return channel.Platform
	}
	return handle(channel.Handle) + " (" + channel.Platform + ")"
}

func handle(name string) string {
	if name == "" || strings.HasPrefix(name, "@") {
		return name
	}
	return "@" + name
}

func whose(channel *Channel) string {
	if channel.Escalation.Owner == "" {
		return "nobody's"
	}
	return "team " + channel.Escalation.Owner
}

func since(at, now time.Time) string {
	at = at.UTC()
	text := at.Format("15:04 UTC")
	if at.Format(time.DateOnly) != now.UTC().Format(time.DateOnly) {
		text = at.Format("2006-01-02 15:04 UTC")
	}
	if waited := now.Sub(at).Truncate(time.Minute); waited > 0 {
		return text + ", for " + escalation.LengthWords(waited)
	}
	return text + ", just now"
}

// stepWords say why it is this person who is told.
func stepWords(p *plan, hearer escalation.Hearer) string {
	as := ""
	if hearer.Manager {
		as = ", as manager of " + hearer.Team
	}
	at := p.turn.At
	switch {
	case p.task == conversation.TellLate:
		return "broken promise" + as
	case at.Fallback:
		return "fallback, nobody comes after you" + as
	}
	text, by := fmt.Sprintf("step %d", at.Step+1), ""
	if route := p.channel.Route; route != nil {
		rule := route.RuleNamed(p.conversation.Terms.Rule)
		text += fmt.Sprintf(" of %d", route.Steps(rule))
		if at.Step < route.Own(rule) {
			by = ", by rule " + route.Rule(rule)
		}
	}
	if at.Round > 0 {
		text += fmt.Sprintf(", round %d", at.Round+1)
	}
	return text + by + as
}

// place names a turn.
func place(p *plan) string {
	if p.task == conversation.TellLate {
		return "late"
	}
	return fmt.Sprintf("%d %d %t", p.turn.At.Round, p.turn.At.Step, p.turn.At.Fallback)
}

// digest names something by its parts.
func digest(parts ...string) string {
	var buffer []byte
	for _, part := range parts {
		buffer = binary.AppendUvarint(buffer, uint64(len(part)))
		buffer = append(buffer, part...)
	}
	sum := sha256.Sum256(buffer)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26]
}
