// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/rostra-dev/rostra/internal/webpage"
)

const (
	// pagerDutyPath, below PathPrefix, is where PagerDuty calls back. No token
	// reads like it: every one has a separator.
	pagerDutyPath = "pagerduty"
	// maxCallback is how much of a callback is read, in bytes. PagerDuty sends
	// about 2 KiB, and strangers on every connection that there may be at once
	// can hold as much.
	maxCallback = 32 << 10
	// maxAgent bounds the ID of a person there that is logged, in bytes.
	maxAgent = 32
	// user is the type of an agent that is a person; PagerDuty itself, when the
	// time of an incident is up, and integrations, Rostra's own among them, are
	// of others.
	user = "user_reference"
)

// What a person does there by which they say that they have it.
const (
	incidentAcknowledged = "incident.acknowledged"
	incidentResolved     = "incident.resolved"
)

// pagerDutyEvent is what is read of a V3 webhook
// (https://developer.pagerduty.com/docs/webhooks-overview).
type pagerDutyEvent struct {
	Event struct {
		Type  string `json:"event_type"`
		Agent struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"agent"`
		Data struct {
			// IncidentKey is the dedup_key under which the incident was triggered.
			IncidentKey string `json:"incident_key"`
			// ResolveReason is there where it was not dealt with: it was merged into
			// another.
			ResolveReason struct {
				Type string `json:"type"`
			} `json:"resolve_reason"`
		} `json:"data"`
	} `json:"event"`
}

// pagerDuty acknowledges for who acknowledged or resolved an incident of ours
// there. The incident's key says whose it is, and nobody can make one but us, so
// that the signature of the webhook, under a secret of each subscription, would
// prove nothing more. PagerDuty sends what is not taken again, and in the end
// sends nothing any more: what is of no use to us is taken all the same.
func (h *handler) pagerDuty(ctx context.Context, r *http.Request) outcome {
	if r.Method != http.MethodPost {
		return onlyCallbacks()
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCallback+1))
	switch {
	case err != nil:
		return brokenOff()
	case len(body) > maxCallback:
		return unreadable()
	}
	var callback pagerDutyEvent
	if err := json.Unmarshal(body, &callback); err != nil || callback.Event.Type == "" {
		return noCallback()
	}
	if kind := callback.Event.Type; kind != incidentAcknowledged && kind != incidentResolved {
		return nothingNoted("Only " + incidentAcknowledged + " and " + incidentResolved + " say that somebody has it.")
	}
	switch {
	case callback.Event.Agent.Type != user:
		return nothingNoted("No person did it.")
	case callback.Event.Data.ResolveReason.Type != "":
		return nothingNoted("The incident became a part of another.")
	}
	claim, ok := parseTicket(h.options.Key, callback.Event.Data.IncidentKey)
	if !ok {
		return nothingNoted("The incident is of no message of this Rostra, or of many at once.")
	}
	if !h.presses.Allow(r, claim.ID) {
		return tooOften()
	}
	return taken(h.acknowledge(ctx, claim, "PagerDuty, user "+agentOf(callback.Event.Agent.ID)))
}

// agentOf is the ID of a person at PagerDuty as it may be logged.
func agentOf(id string) string {
	strange := func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }
	if id == "" || len(id) > maxAgent || strings.ContainsFunc(id, strange) {
		return "unknown"
	}
	return id
}

// taken is what PagerDuty is told of an outcome. It need not send again, unless
// we are out of order; and a ticket, which has no end, tells nothing of the
// conversation.
func taken(o outcome) outcome {
	switch {
	case o.page.Status >= http.StatusInternalServerError:
		return o
	case o.page.Status == http.StatusOK:
		return outcome{page: webpage.Page{Status: http.StatusOK, Title: "It is noted", Role: webpage.RoleStatus}}
	}
	o = nothingNoted("Nobody waits there any more, or somebody else has it.")
	o.page.Status = http.StatusOK
	return o
}

// nothingNoted says why a callback changes nothing.
func nothingNoted(why string) outcome {
	return outcome{
		page: webpage.Page{Status: http.StatusAccepted, Title: "Nothing is noted", Role: webpage.RoleStatus, Lines: []string{why}},
		tool: forTools{Problem: "Nothing is noted. " + why},
	}
}

func brokenOff() outcome {
	return refused(webpage.Page{
		Status: http.StatusServiceUnavailable, Title: "This broke off",
		Lines: []string{"Nothing was noted: not all of it came. Send it again."},
	})
}

func noCallback() outcome {
	return refused(webpage.Page{
		Status: http.StatusBadRequest, Title: "This is no webhook of PagerDuty",
		Lines: []string{"Nothing was noted. Subscribe to " + incidentAcknowledged + " and " + incidentResolved + " by a generic webhook, version 3."},
	})
}

func onlyCallbacks() outcome {
	return refused(webpage.Page{
		Status: http.StatusMethodNotAllowed, Title: "PagerDuty calls here",
		Lines: []string{"There is nothing to see. Give this address to a generic webhook of PagerDuty, version 3."}, Allow: "POST",
	})
}
