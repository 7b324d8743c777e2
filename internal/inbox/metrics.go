// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import "github.com/prometheus/client_golang/prometheus"

// metrics of the inbox. They have no labels: channels are too many.
type metrics struct {
	stored, folded, refused, undecodable, retried prometheus.Counter
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
		undecodable: counter("rostra_inbox_messages_undecodable_total", "Stored messages that a consumer gave up because they are no events."),
		retried:     counter("rostra_inbox_events_retried_total", "Events given back by a consumer that failed on them, to be tried again."),
	}
	if registerer == nil {
		return m, nil
	}
	for _, collector := range []prometheus.Collector{m.stored, m.folded, m.refused, m.undecodable, m.retried} {
		if err := registerer.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}
