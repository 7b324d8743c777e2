// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward

import (
	"context"
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

// kinds are those that are the owner's business. What concerns the ownership of
// an account is Rostra's.
func kinds() []event.Kind {
	var wanted []event.Kind
	for _, kind := range event.Kinds() {
		if !kind.ConcernsOwnership() {
			wanted = append(wanted, kind)
		}
	}
	return wanted
}

// route puts an event into the lane of its channel's owner. After an error it
// comes again.
func (f *Forwarder) route(ctx context.Context, e event.Event) error {
	if e.Kind.ConcernsOwnership() {
		return nil
	}
	namespace, name, found := strings.Cut(e.Channel, "/")
	if !found || e.ChannelUID == "" {
		f.metrics.routed.WithLabelValues(routedGone).Inc()
		return nil
	}
	owner, err := f.Directory.Owner(ctx, types.NamespacedName{Namespace: namespace, Name: name}, e.ChannelUID)
	switch {
	case err != nil:
		return err
	case owner == nil:
		f.metrics.routed.WithLabelValues(routedGone).Inc()
		return nil
	case !owner.Sink:
		f.metrics.routed.WithLabelValues(routedNoSink).Inc()
		return nil
	}
	return f.post(ctx, owner, &e)
}

// post puts an event into its owner's lane.
func (f *Forwarder) post(ctx context.Context, owner *Owner, e *event.Event) error {
	content := newContent(owner, e)
	data, err := content.encode()
	if err == nil {
		err = f.Outbox.Add(ctx, owner.Team, content.partition(), content.identity(), data)
	}
	switch {
	case err == nil:
		f.metrics.routed.WithLabelValues(routedPosted).Inc()
		return nil
	case errors.Is(err, inbox.ErrInvalid):
		// It would keep everything behind it back, for ever.
		f.metrics.routed.WithLabelValues(routedInvalid).Inc()
		f.Logger.Error(err, "an event cannot be forwarded to its owner's sink, and is left out", "team", owner.Team,
			"channel", e.Channel, "event", content.identity())
		return nil
	case errors.Is(err, inbox.ErrLaneFull), errors.Is(err, inbox.ErrLimit) && f.hasBacklog(ctx, owner.Team):
		f.metrics.routed.WithLabelValues(routedFull).Inc()
		f.Logger.Error(err, "too many events wait for a team's sink; a new one is left out", "team", owner.Team,
			"channel", e.Channel, "event", content.identity())
		if l := f.laneOf(owner.Team); l != nil {
			l.overflows()
		}
		return nil
	}
	f.metrics.routed.WithLabelValues(routedDeferred).Inc()
	return err
}

// backlog is how many letters make a team's lane the reason that an outbox is at
// its limit, and not another team's.
const backlog = 1000

// hasBacklog tells whether an outbox at its limit is full of this team's letters.
// An event of such a team is left out: to wait for room would keep back the events
// of others. One of any other team waits in the inbox, and so does everything
// while the disk is full, which is nobody's lane.
func (f *Forwarder) hasBacklog(ctx context.Context, team string) bool {
	waiting, _, err := f.Outbox.Waiting(ctx, team)
	return err == nil && waiting >= backlog
}
