// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

const (
	wayPagerDuty = "pagerduty"
	// routingKeyLength is that of every integration key of Events API v2.
	routingKeyLength = 32
	maxDedupKey      = 255
)

// pagerDuty sends events by Events API v2
// (https://developer.pagerduty.com/docs/events-api-v2/trigger-events/).
type pagerDuty struct {
	endpoint   endpoint
	routingKey string
}

type pagerDutyEvent struct {
	RoutingKey string            `json:"routing_key"`
	Action     string            `json:"event_action"`
	DedupKey   string            `json:"dedup_key"`
	Client     string            `json:"client,omitempty"`
	ClientURL  string            `json:"client_url,omitempty"`
	Links      []pagerDutyLink   `json:"links,omitempty"`
	Payload    *pagerDutyPayload `json:"payload,omitempty"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

type pagerDutyPayload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp,omitempty"`
	Component string            `json:"component,omitempty"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details,omitempty"`
}

func (o *Opener) openPagerDuty(p parsed) (way, error) {
	key := p.url.Host
	alphanumeric := !strings.ContainsFunc(key, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if len(key) != routingKeyLength || !alphanumeric || p.url.User != nil || strings.Trim(p.url.Path, "/") != "" {
		return nil, errors.New("the address of PagerDuty is pagerduty:// and the integration key of Events API v2, which has 32 letters and digits")
	}
	if err := refuseQuery(p.url, "region"); err != nil {
		return nil, err
	}
	base := o.bases.pagerduty
	switch p.url.Query().Get("region") {
	case "", "us":
	case "eu":
		base = o.bases.pagerdutyEU
	default:
		return nil, errors.New("the region of PagerDuty is us or eu")
	}
	return &pagerDuty{endpoint: o.endpoint(base + "/v2/enqueue"), routingKey: key}, nil
}

func (*pagerDuty) name() string { return wayPagerDuty }

func (p *pagerDuty) tell(ctx context.Context, m Message) *Failure {
	event := p.event("trigger", m.Incident, m.Ticket)
	event.Client, event.ClientURL = "Rostra", m.Link
	event.Payload = &pagerDutyPayload{
		Summary:   m.Title,
		Source:    "rostra",
		Severity:  "info",
		Component: m.Labels["channel"],
		Group:     m.Labels["namespace"],
		Class:     m.Kind,
		Details:   map[string]string{},
	}
	if m.Urgency == High {
		event.Payload.Severity = "critical"
	}
	if !m.At.IsZero() {
		event.Payload.Timestamp = m.At.UTC().Format(time.RFC3339)
	}
	for _, fact := range m.Facts {
		event.Payload.Details[fact.Name] = fact.Value
	}
	if m.Excerpt != "" {
		event.Payload.Details["Excerpt"] = m.Excerpt
	}
	for _, link := range []pagerDutyLink{{m.Acknowledge, "I have it"}, {m.Link, "The post"}} {
		if link.Href != "" {
			event.Links = append(event.Links, link)
		}
	}
	return p.send(ctx, event)
}

func (p *pagerDuty) end(ctx context.Context, c Closing) *Failure {
	if c.Acknowledged {
		return p.send(ctx, p.event("acknowledge", c.Incident, c.Ticket))
	}
	return p.send(ctx, p.event("resolve", c.Incident, c.Ticket))
}

// event is of an incident. A ticket in its dedup_key comes back to us, as the
// incident's key, when a person acknowledges there.
func (p *pagerDuty) event(action, incident, ticket string) pagerDutyEvent {
	return pagerDutyEvent{RoutingKey: p.routingKey, Action: action, DedupKey: cmp.Or(ticket, bounded(incident, maxDedupKey))}
}

func (p *pagerDuty) send(ctx context.Context, event pagerDutyEvent) *Failure {
	resp, failure := p.endpoint.post(ctx, event)
	switch {
	case failure != nil:
		return failure
	case resp.Status == http.StatusAccepted:
		return nil
	}
	hint := ""
	switch resp.Status {
	case http.StatusBadRequest:
		hint = "PagerDuty does not accept the event (is it the integration key of Events API v2, and the right region?)"
	case http.StatusTooManyRequests:
		hint = "PagerDuty takes no more events of this key for now"
	}
	return p.endpoint.failed(resp, hint)
}
