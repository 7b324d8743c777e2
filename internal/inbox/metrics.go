// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import "github.com/prometheus/client_golang/prometheus"

// metrics of the inbox. They have no labels: channels are too many.
type metrics struct {
	stored, folded, refused, undecodable, retried, trimmed prometheus.Counter

	bytes, limit prometheus.Gauge
	letters      letterMetrics
}

// letterMetrics are those of outboxes.
type letterMetrics struct {
	added, folded, refused, delivered, retried, expired, unnoted prometheus.Counter
}

// newMetrics makes the metrics, and registers them where there is a registerer.
func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		stored:      counter("rostra_inbox_events_stored_total", "Events stored durably."),
		folded:      counter("rostra_inbox_events_folded_total", "Events put again that were stored already."),
		refused:     counter("rostra_inbox_events_refused_total", "Events that were not confirmed: no room, or the store could not be reached or written."),
		undecodable: counter("rostra_inbox_messages_undecodable_total", "Stored messages that were given up because they are no events, or no letters."),
		retried:     counter("rostra_inbox_events_retried_total", "Events given back by a consumer that failed on them, to be tried again."),
		trimmed:     counter("rostra_inbox_events_trimmed_total", "Events removed before their time to have room, with which every consumer was done."),
		bytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rostra_inbox_bytes", Help: "Room that events take, of rostra_inbox_bytes_limit; at the limit events are refused.",
		}),
		limit: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rostra_inbox_bytes_limit", Help: "Room that events may take.",
		}),
		letters: letterMetrics{
			added:     counter("rostra_outbox_letters_added_total", "Letters stored durably, to be delivered."),
			folded:    counter("rostra_outbox_letters_folded_total", "Letters added again that were stored or delivered already."),
			refused:   counter("rostra_outbox_letters_refused_total", "Letters that were not confirmed: no room, or the store could not be reached or written."),
			delivered: counter("rostra_outbox_letters_delivered_total", "Letters delivered and removed."),
			retried:   counter("rostra_outbox_letters_retried_total", "Letters that could not be delivered and are tried again."),
			expired:   counter("rostra_outbox_letters_expired_total", "Letters given up undelivered because of their age."),
			unnoted:   counter("rostra_outbox_letters_unnoted_total", "Letters delivered without a note of it, for want of room or store: such a one may be delivered again."),
		},
	}
	if registerer == nil {
		return m, nil
	}
	l := m.letters
	for _, collector := range []prometheus.Collector{
		m.stored, m.folded, m.refused, m.undecodable, m.retried, m.trimmed, m.bytes, m.limit,
		l.added, l.folded, l.refused, l.delivered, l.retried, l.expired, l.unnoted,
	} {
		if err := registerer.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}
