// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward

import "github.com/prometheus/client_golang/prometheus"

// What became of an event when it was routed.
const (
	routedPosted   = "posted"
	routedNoSink   = "no_sink"
	routedGone     = "channel_gone"
	routedInvalid  = "invalid"
	routedFull     = "full"
	routedDeferred = "deferred"
)

// What became of a try to deliver a letter.
const (
	delivered = "delivered"
	deferred  = "deferred"
	failed    = "failed"
	refused   = "refused"
	givenUp   = "set_aside"
)

// metrics of forwarding. Teams are few, so they may be a label.
type metrics struct {
	routed, deliveries *prometheus.CounterVec
	setAside           prometheus.Counter
	waiting, oldest    *prometheus.GaugeVec
}

func newMetrics() *metrics {
	return &metrics{
		routed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rostra_sink_events_total",
			Help: "Events by what became of them: posted to their owner's sink, no_sink, channel_gone; left out as invalid, or because the lane is full; deferred by the store, and tried again.",
		}, []string{"outcome"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rostra_sink_deliveries_total",
			Help: "Tries to deliver an event to a team's sink: delivered, failed, refused for what is in it, deferred by a limit of Rostra's own, set_aside.",
		}, []string{"outcome"}),
		setAside: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rostra_sink_set_aside_total",
			Help: "Events given up because the sink refused them for what is in them, or because they could not be read.",
		}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rostra_sink_waiting",
			Help: "Events that wait for a team's sink.",
		}, []string{"team"}),
		oldest: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rostra_sink_oldest_seconds",
			Help: "Age of the oldest event that waits for a team's sink.",
		}, []string{"team"}),
	}
}

func (m *metrics) register(registerer prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{m.routed, m.deliveries, m.setAside, m.waiting, m.oldest} {
		if err := registerer.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

// forget drops what is said of a team.
func (m *metrics) forget(team string) {
	m.waiting.DeleteLabelValues(team)
	m.oldest.DeleteLabelValues(team)
}
