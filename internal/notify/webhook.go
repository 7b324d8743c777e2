// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/webhook"
)

const (
	wayWebhook = "webhook"
	// EventType is the CloudEvents type of what a generic webhook gets.
	EventType = "dev.rostra.notification.v1"
	maxEvent  = 256 // bytes of an ID
)

// generic sends a message to anything that takes CloudEvents.
type generic struct {
	sender *webhook.Sender
	target webhook.Target
	source string
}

// notification is the data of the event. The person's e-mail address is not in
// it: who runs the receiver chose the address, and knows whose it is.
type notification struct {
	Incident    string            `json:"incident"`
	Kind        string            `json:"kind"`
	Urgency     Urgency           `json:"urgency"`
	Title       string            `json:"title"`
	Facts       []factData        `json:"facts"`
	Excerpt     string            `json:"excerpt,omitempty"`
	Link        string            `json:"link,omitempty"`
	Acknowledge string            `json:"acknowledge,omitempty"`
	Until       *time.Time        `json:"until,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Team        string            `json:"team,omitempty"`
	Member      string            `json:"member,omitempty"`
}

type factData struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (o *Opener) openWebhook(p parsed) (way, error) {
	if isSlack(p.url.Hostname()) {
		return nil, errors.New("the address is a Slack webhook: write slack+https:// instead of https://")
	}
	target := *p.url
	target.Scheme = strings.TrimPrefix(target.Scheme, "webhook+")
	to := webhook.Target{URL: credentials.NewValue(target.String())}
	for secret := range strings.FieldsSeq(p.extra.Get(KeySigningSecret)) {
		to.Secrets = append(to.Secrets, credentials.NewValue(secret))
	}
	if err := to.Check(); err != nil {
		return nil, fmt.Errorf("the address of the webhook: %w", err)
	}
	return &generic{sender: o.hooks, target: to, source: o.options.Source}, nil
}

func isSlack(host string) bool {
	return strings.EqualFold(host, "hooks.slack.com") || strings.EqualFold(host, "hooks.slack-gov.com")
}

func (*generic) name() string { return wayWebhook }

func (g *generic) tell(ctx context.Context, m Message) *Failure {
	data := notification{
		Incident: m.Incident, Kind: m.Kind, Urgency: m.Urgency, Title: m.Title, Excerpt: m.Excerpt, Link: m.Link,
		Acknowledge: m.Acknowledge, Until: instant(m.Until), Labels: m.Labels, Team: m.Team, Member: m.Member,
		Facts: make([]factData, 0, len(m.Facts)),
	}
	for _, fact := range m.Facts {
		data.Facts = append(data.Facts, factData(fact))
	}
	err := g.sender.Send(ctx, g.target, webhook.Event{
		ID: bounded(m.ID, maxEvent), Source: g.source, Type: EventType, Subject: m.Incident, Time: m.At, Data: data,
	})
	if err == nil {
		return nil
	}
	sent, ok := errors.AsType[*webhook.Failure](err)
	if !ok {
		return refused("the event could not be sent")
	}
	return fromWebhook(sent)
}
