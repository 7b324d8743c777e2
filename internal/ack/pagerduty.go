// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/rostra-dev/rostra/internal/webpage"
)

const (
	// pagerDutyPath, below PathPrefix, is where PagerDuty calls back. No token
	// reads like it: every one has a separator.
	pagerDutyPath = "pagerduty"
	// maxCallback is how much of a callback is read, in bytes. PagerDuty sends
	// about 2 KiB.
	maxCallback = 128 << 10
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
		} `json:"agent"`
		Data struct {
			// IncidentKey is the dedup_key under which the incident was triggered.
			IncidentKey string `json:"incident_key"`
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
	if err != nil || len(body) > maxCallback {
		return unreadable()
	}
	var callback pagerDutyEvent
	if err := json.Unmarshal(body, &callback); err != nil || callback.Event.Type == "" {
		return noCallback()
	}
	if kind := callback.Event.Type; kind != incidentAcknowledged && kind != incidentResolved {
		return nothingNoted("Only " + incidentAcknowledged + " and " + incidentResolved + " say that somebody has it.")
	}
	if callback.Event.Agent.Type != user {
		return nothingNoted("No person did it.")
	}
	claim, ok := parseTicket(h.options.Key, callback.Event.Data.IncidentKey)
	if !ok {
		return nothingNoted("The incident is of no message of this Rostra, or of many at once.")
	}
	if !h.presses.Allow(r, claim.ID) {
		return tooOften()
	}
	return taken(h.acknowledge(ctx, claim, "PagerDuty"))
}

// taken is an outcome that PagerDuty need not send again, unless we are out of
// order.
func taken(o outcome) outcome {
	if o.page.Status < http.StatusInternalServerError {
		o.page.Status = http.StatusOK
	}
	return o
}

// nothingNoted says why a callback changes nothing.
func nothingNoted(why string) outcome {
	return outcome{
		page: webpage.Page{Status: http.StatusAccepted, Title: "Nothing is noted", Role: webpage.RoleStatus, Lines: []string{why}},
		tool: forTools{Problem: "Nothing is noted. " + why},
	}
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
