// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"fmt"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/ledger"
	"github.com/rostra-dev/rostra/internal/notify"
)

// Kinds of messages.
const (
	kindUnanswered = "Unanswered"
	kindLate       = "PromiseBroken"
)

// gatheredFor is for how long an alert of many conversations lasts after its last
// message.
const gatheredFor = time.Hour

// words are what one person is told of one conversation.
func (d *Dispatcher) words(p *plan, hearer escalation.Hearer) message {
	c, now := p.conversation, d.clock.Now()
	kind := kindUnanswered
	title := fmt.Sprintf("%s on %s waits for an answer", what(c.Kind), where(p.channel))
	late := p.task == conversation.TellLate
	if late {
		kind = kindLate
		title = fmt.Sprintf("The promise of %s was not kept: %s on %s is not answered",
			escalation.LengthWords(c.Terms.Target), strings.ToLower(what(c.Kind)), where(p.channel))
	} else if waited := now.Sub(c.OpenedAt).Truncate(time.Minute); waited > 0 {
		title = fmt.Sprintf("%s on %s has waited for %s", what(c.Kind), where(p.channel), escalation.LengthWords(waited))
	}
	turn := place(p.turn.At, late)
	m := message{
		ID:       digest("told", c.ID, fmt.Sprint(c.Episode), turn, hearer.String()),
		Incident: incident(c.ID, c.Episode, turn, hearer.Person), Ticket: d.tickets(c.ID, c.Episode, hearer.Person, turn),
		Kind: kind, Urgency: notify.High, Title: title, Link: c.URL,
		Acknowledge: d.links(c.ID, c.Episode, hearer.Person, now.Add(LinkFor)),
		At:          now, Until: c.ExpiresAt(),
		Labels: labels(c, c.Terms.Owner, stepLabel(p.turn.At, late)), Team: hearer.Team, Member: hearer.Name,
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
func (d *Dispatcher) many(g *gathered, hearer escalation.Hearer) message {
	c, channel, now := g.crowd, g.channel, d.clock.Now()
	count, oldest, flood := len(g.waiting), g.waiting[0].OpenedAt, g.flood()
	title := fmt.Sprintf("%d more conversations on %s wait; oldest since %s; rostra inbox %s",
		count, where(channel), oldest.UTC().Format("15:04 UTC"), c.channel)
	kind := kindUnanswered
	if c.task == conversation.TellLate {
		kind = kindLate
		title = fmt.Sprintf("The promise of a first response was not kept for %d more conversations on %s; oldest since %s; rostra inbox %s",
			count, where(channel), oldest.UTC().Format("15:04 UTC"), c.channel)
	}
	return message{
		ID:       digest("many", flood.Incident, fmt.Sprint(g.row.Count), hearer.String()),
		Incident: digest(flood.Incident, hearer.String()), Kind: kind, Urgency: notify.High, Title: title,
		Facts: []notify.Fact{
			{Name: "Where", Value: where(channel) + ", channel " + c.channel},
			{Name: "Since", Value: since(oldest, now)},
			{Name: "Whose", Value: whose(channel)},
			{Name: "All of them", Value: "rostra inbox " + c.channel},
		},
		At: now, Until: now.Add(gatheredFor),
		Labels: floodLabels(c.channel, flood), Team: hearer.Team, Member: hearer.Name,
	}
}

// floodOver is what ends the messages of a flood for one person.
func floodOver(of *ledger.Flooded, flood *ledger.Flood, who escalation.Person) notify.Closing {
	over := notify.Closing{
		Incident: digest(flood.Incident, who.String()), Kind: kindUnanswered, Urgency: notify.High, Labels: floodLabels(of.Channel, flood),
		Team: who.Team, Member: who.Name, Started: flood.Since, At: flood.Over,
	}
	if of.Late {
		over.Kind = kindLate
	}
	return over
}

// floodLabels are the same for all messages of a flood, and for its end.
func floodLabels(channel string, flood *ledger.Flood) map[string]string {
	namespace, name, _ := strings.Cut(channel, "/")
	return map[string]string{"namespace": namespace, "channel": name, "platform": flood.Platform, "owner": flood.Owner, "step": "many"}
}

// closing is what ends a message; it names the alert as the message did.
func (d *Dispatcher) closing(c *conversation.Conversation, of *conversation.Unclosed) notify.Closing {
	who, turn := escalation.Person{Team: of.Team, Name: of.Member}, place(of.Position, of.Late)
	over := notify.Closing{
		Incident: incident(c.ID, of.Episode, turn, who), Ticket: d.tickets(c.ID, of.Episode, who, turn), Kind: kindUnanswered, Urgency: notify.High,
		Labels: labels(c, of.Owner, stepLabel(of.Position, of.Late)), Team: of.Team, Member: of.Member,
		By: of.By, Acknowledged: of.Acknowledged, Started: of.Telling.At, At: of.Over,
	}
	if of.Late {
		over.Kind = kindLate
	}
	return over
}

// incident names what one person is told in one turn. Each turn has its own: a
// receiver folds what has the same, and wakes nobody a second time.
func incident(id string, episode int, place string, who escalation.Person) string {
	return digest("incident", id, fmt.Sprint(episode), place, who.String())
}

// labels are the same for a telling and for its end. They are what the channel
// is, who owned it then, and which step it was.
func labels(c *conversation.Conversation, owner, step string) map[string]string {
	namespace, name, _ := strings.Cut(c.Channel, "/")
	return map[string]string{
		"namespace": namespace, "channel": name, "platform": c.Platform, "owner": owner, "step": step, "conversation": c.ID,
	}
}

// stepLabel is a turn in few letters: 1, 2, 1-round-2, 1-again-1, fallback,
// stand-in-1, promise.
func stepLabel(at escalation.Position, late bool) string {
	switch {
	case late:
		return "promise"
	case at.Anew > 0:
		count := at.Anew
		at.Anew = 0
		return fmt.Sprintf("%s-again-%d", stepLabel(at, false), count)
	case at.StandIn:
		return "stand-in-" + stepLabel(escalation.Position{Round: at.Round, Step: at.Step, Fallback: at.Fallback}, false)
	case at.Fallback:
		return "fallback"
	case at.Round > 0:
		return fmt.Sprintf("%d-round-%d", at.Step+1, at.Round+1)
	}
	return fmt.Sprint(at.Step + 1)
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
	case at.StandIn:
		return "in the stead of the escalation route, which is not there" + as
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
func place(at escalation.Position, late bool) string {
	if late {
		return "late"
	}
	return fmt.Sprintf("%d %d %t %d %t", at.Round, at.Step, at.Fallback, at.Anew, at.StandIn)
}

// digest names something by its parts.
func digest(parts ...string) string { return conversation.Digest(26, parts...) }
