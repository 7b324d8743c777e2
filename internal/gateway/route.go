// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"cmp"
	"net/http"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
)

// route finds the channel of each event. The error is a *platform.Rejection.
func (d *delivery) route(found []event.Event, body []byte) ([]event.Event, error) {
	owner, owned := d.callback.Owner()
	routed := make([]event.Event, 0, len(found))
	for i, one := range found {
		record, ok := owner, owned
		if !owned {
			record, ok = d.callback.OfAccount(one.AccountID)
		}
		if !ok {
			d.unrouted(one)
			continue
		}
		if owned && one.AccountID != "" && owner.AccountID != "" && one.AccountID != owner.AccountID {
			return nil, &platform.Rejection{
				Reason: platform.RejectedContent, Status: http.StatusBadRequest,
				Message: "an event is of another account than the callback's",
			}
		}
		routed = append(routed, d.complete(one, record).Completed(body, i))
	}
	return routed, nil
}

// complete fills in what the gateway knows better than the adapter. What is left
// out that no adapter should leave out, the event completes itself.
func (d *delivery) complete(one event.Event, record hook.Record) event.Event {
	one.Platform = record.Platform
	one.Channel, one.ChannelUID = record.Channel, record.ChannelUID
	one.AccountID = cmp.Or(one.AccountID, record.AccountID)
	one.ReceivedAt = d.now
	return one
}

// unrouted counts an event of an account that no channel holds. The delivery is
// accepted all the same: sent again, it would fare no better.
func (d *delivery) unrouted(one event.Event) {
	d.metrics.unrouted.WithLabelValues(d.callback.Platform).Inc()
	if d.lines.unrouted.AllowN(d.now, 1) {
		d.log.Info("An event came for an account that no channel holds; it was dropped. Declare a channel for the account, or end its subscription at the platform",
			"platform", d.callback.Platform, "account", one.Bounded().AccountID)
	}
}
