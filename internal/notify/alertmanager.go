// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const wayAlertmanager = "alertmanager"

// alertmanager posts alerts by API v2
// (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml).
// Silences, grouping, inhibition and who is reached how are its own. Those of a
// cluster tell each other of silences and of what they sent, and not of alerts:
// each is to get them all.
type alertmanager struct{ endpoints []endpoint }

// maxHosts bounds how many Alertmanagers one address names.
const maxHosts = 8

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
	if len(p.others) >= maxHosts {
		return nil, fmt.Errorf("the address names more than %d Alertmanagers", maxHosts)
	}
	user, password := p.extra.Get(KeyUsername), p.extra.Get(KeyPassword)
	if (user == "") != (password == "") {
		return nil, errors.New("the Secret holds one of username and password; Alertmanager needs both or neither")
	}
	a := &alertmanager{}
	for _, host := range append([]string{p.url.Host}, p.others...) {
		place := *p.url
		place.Host = host
		target, err := apiOf(&place)
		if err != nil {
			return nil, err
		}
		to := o.endpoint(target)
		if user != "" {
			to.header = http.Header{"Authorization": {basic(user, password)}}
		}
		a.endpoints = append(a.endpoints, to)
	}
	return a, nil
}

// apiOf is where one Alertmanager takes alerts.
func apiOf(address *url.URL) (string, error) {
	base, err := server(address, strings.TrimPrefix(address.Scheme, "alertmanager+"))
	if err != nil {
		return "", fmt.Errorf("the address of Alertmanager: %w", err)
	}
	if base.Fragment != "" {
		return "", errors.New("the address of Alertmanager has a fragment, the part after #; take it out")
	}
	path := strings.TrimSuffix(base.Path, "/")
	if strings.HasSuffix(path, "/api/v2/alerts") || strings.HasSuffix(path, "/api/v2") {
		return "", errors.New("the address of Alertmanager ends before /api: that is added")
	}
	return base.JoinPath("api", "v2", "alerts").String(), nil
}

// oneHost takes an address of several Alertmanagers apart, which is no URL:
// alertmanager+https://a:9093,b:9093/prefix. It gives that of the first, and the
// other hosts. Any other address it gives as it is.
func oneHost(address string) (first string, others []string) {
	const scheme = "alertmanager+"
	if len(address) < len(scheme) || !strings.EqualFold(address[:len(scheme)], scheme) {
		return address, nil
	}
	before, rest, found := strings.Cut(address, "://")
	if !found {
		return address, nil
	}
	end := len(rest)
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		end = at
	}
	hosts := strings.Split(rest[:end], ",")
	return before + "://" + hosts[0] + rest[end:], hosts[1:]
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
	}, false)
}

// clockSkew is how far ahead of Alertmanager's this clock may be.
const clockSkew = 5 * time.Minute

// end resolves the alert. Alertmanager knows no acknowledgement: who has it is
// told no more.
func (a *alertmanager) end(ctx context.Context, c Closing) *Failure {
	// By Alertmanager's clock it must be over: one that ends in its future stands
	// until the firing one would have ended. It may not end before it started.
	ended := c.At.Add(-clockSkew)
	started := c.Started
	if started.After(ended) {
		started = ended
	}
	return a.send(ctx, alert{
		Labels:   alertLabels(c.Incident, c.Kind, c.Urgency, c.Team, c.Member, c.Labels),
		StartsAt: instant(started),
		EndsAt:   instant(ended),
	}, true)
}

// send posts an alert to all. An alert that is told is told where any took it;
// one that ends has ended where all did.
func (a *alertmanager) send(ctx context.Context, one alert, all bool) *Failure {
	failures := make([]*Failure, len(a.endpoints))
	var group sync.WaitGroup
	for n, to := range a.endpoints {
		group.Go(func() { failures[n] = sendTo(ctx, to, one) })
	}
	group.Wait()
	failed := slices.DeleteFunc(failures, func(f *Failure) bool { return f == nil })
	if len(failed) == 0 || !all && len(failed) < len(a.endpoints) {
		return nil
	}
	return together(failed)
}

// together makes one failure of several: it mends when the first of them may.
func together(failed []*Failure) *Failure {
	one := *failed[0]
	for _, other := range failed[1:] {
		one.MaybeTold = one.MaybeTold || other.MaybeTold
		if !other.Permanent && (one.Permanent || other.RetryAfter < one.RetryAfter) {
			maybe := one.MaybeTold
			one = *other
			one.MaybeTold = maybe
		}
	}
	return &one
}

func sendTo(ctx context.Context, to endpoint, one alert) *Failure {
	resp, failure := to.post(ctx, []alert{one})
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
	return to.failed(resp, hint)
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
