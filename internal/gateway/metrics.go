// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of the gateway. No label holds anything that a sender
// chooses: a platform is one of a record, or noPlatform.
type metrics struct {
	deliveries *prometheus.CounterVec
	events     *prometheus.CounterVec
	unrouted   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	inFlight   prometheus.Gauge
}

// noPlatform is the label of requests that were refused before their callback
// was known.
const noPlatform = "none"

func newMetrics() *metrics {
	return &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rostra_gateway_deliveries_total",
			Help: "Requests to callbacks by platform and by what became of them: accepted, handshake, probe; refused as unknown, gone, method, limited, large, slow, broken, unsigned, signature, stale, form or content; put off as unavailable; panic.",
		}, []string{"platform", "result"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rostra_gateway_events_total",
			Help: "Events that were verified and stored, by platform and kind. One that is delivered twice counts twice.",
		}, []string{"platform", "kind"}),
		unrouted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rostra_gateway_unrouted_events_total",
			Help: "Verified events of accounts that no channel holds.",
		}, []string{"platform"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rostra_gateway_delivery_duration_seconds",
			Help:    "Time from a request's header to its answer, storing included.",
			Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5},
		}, []string{"platform"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rostra_gateway_in_flight_requests",
			Help: "Requests that are being answered.",
		}),
	}
}

func (m *metrics) register(registerer prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{m.deliveries, m.events, m.unrouted, m.duration, m.inFlight} {
		if err := registerer.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

func (m *metrics) observe(out outcome, took time.Duration) {
	name := out.platform
	if name == "" {
		name = noPlatform
	}
	m.deliveries.WithLabelValues(name, string(out.result)).Inc()
	m.duration.WithLabelValues(name).Observe(took.Seconds())
}
