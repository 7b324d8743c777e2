// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const wayAlertmanager = "alertmanager"

// alertmanager posts alerts by API v2
// (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml).
// Silences, grouping, inhibition and who is reached how are its own.
type alertmanager struct{ endpoint endpoint }

// alert is a postableAlert of the API.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     *time.Time        `json:"startsAt,omitempty"`
	EndsAt       *time.Time        `json:"endsAt,omitempty"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func (o *Opener) openAlertmanager(p parsed) (way, error) {
	if err := refuseUser(p.url, "put them into the keys username and password of the Secret"); err != nil {
		return nil, err
	}
	if err := refuseQuery(p.url); err != nil {
		return nil, err
	}
	base, err := server(p.url, strings.TrimPrefix(p.url.Scheme, "alertmanager+"))
	if err != nil {
		return nil, fmt.Errorf("the address of Alertmanager: %w", err)
	}
	if base.Fragment != "" {
		return nil, errors.New("the address of Alertmanager has a fragment, the part after #; take it out")
	}
	path := strings.TrimSuffix(base.Path, "/")
	if strings.HasSuffix(path, "/api/v2/alerts") || strings.HasSuffix(path, "/api/v2") {
		return nil, errors.New("the address of Alertmanager ends before /api: that is added")
	}
	a := &alertmanager{o.endpoint(base.JoinPath("api", "v2", "alerts").String())}
	user, password := p.extra.Get(KeyUsername), p.extra.Get(KeyPassword)
	if (user == "") != (password == "") {
		return nil, errors.New("the Secret holds one of username and password; Alertmanager needs both or neither")
	}
	if user != "" {
		a.endpoint.header = http.Header{"Authorization": {basic(user, password)}}
	}
	return a, nil
}

// basic is the value of Authorization for a user (RFC 7617).
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func (*alertmanager) name() string { return wayAlertmanager }

func (a *alertmanager) tell(ctx context.Context, m Message) *Failure {
	annotations := map[string]string{"summary": m.Title, "description": description(m)}
	if m.Acknowledge != "" {
		annotations["acknowledge"] = m.Acknowledge
	}
	if m.Link != "" {
		annotations["link"] = m.Link
	}
	return a.send(ctx, alert{
		Labels:       alertLabels(m.Incident, m.Kind, m.Urgency, m.Team, m.Member, m.Labels),
		Annotations:  annotations,
		StartsAt:     instant(m.At),
		EndsAt:       instant(m.Until),
		GeneratorURL: m.Link,
	})
}

// end resolves the alert. Alertmanager knows no acknowledgement: who has it is
// told no more.
func (a *alertmanager) end(ctx context.Context, c Closing) *Failure {
	started := c.Started
	if started.After(c.At) { // two clocks; an alert may not end before it started
		started = c.At
	}
	return a.send(ctx, alert{
		Labels:   alertLabels(c.Incident, c.Kind, c.Urgency, c.Team, c.Member, c.Labels),
		StartsAt: instant(started),
		EndsAt:   instant(c.At),
	})
}

func (a *alertmanager) send(ctx context.Context, one alert) *Failure {
	resp, failure := a.endpoint.post(ctx, []alert{one})
	switch {
	case failure != nil:
		return failure
	case resp.Status == http.StatusOK:
		return nil
	}
	hint := ""
	switch resp.Status {
	case http.StatusBadRequest:
		hint = "Alertmanager does not accept the alert"
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = "the username and password in the Secret are not accepted"
	case http.StatusNotFound:
		hint = "there is no Alertmanager at this address (is a path prefix missing?)"
	}
	return a.endpoint.failed(resp, hint)
}

// alertLabels are what Alertmanager knows the alert by: the same for a telling,
// its tries and its end. The caller's labels cannot pass for ours.
func alertLabels(incident, kind string, urgency Urgency, team, member string, labels map[string]string) map[string]string {
	all := make(map[string]string, len(labels)+6)
	for name, value := range labels {
		if name = labelName(name); name != "" {
			all[name] = clip(strings.ToValidUTF8(value, ""), maxValue)
		}
	}
	all["alertname"] = "Rostra" + kind
	all["incident"] = incident
	all["severity"] = "info"
	if urgency == High {
		all["severity"] = "critical"
	}
	for name, value := range map[string]string{"team": team, "member": member} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// labelName makes a label's name one that every Alertmanager takes:
// [a-zA-Z_][a-zA-Z0-9_]*.
func labelName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}

// description is the message without its links, which have their own place.
func description(m Message) string {
	m.Link, m.Acknowledge = "", ""
	return plain(m)
}

func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}
