// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxHostLabels bounds the values of the host label. Servers are named by
	// users, so without it anybody who may write a manifest could fill the
	// metrics store.
	maxHostLabels = 200
	otherHosts    = "other"
)

// metrics are those of the client. A nil *metrics records nothing.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	breaker  *prometheus.GaugeVec

	mu    sync.Mutex
	hosts map[string]struct{}
}

// newMetrics makes the metrics and registers them.
func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rostra_http_client_requests_total",
			Help: "Outbound requests by host and by outcome: the status class (2xx, 4xx, 5xx) or the kind of error.",
		}, []string{"host", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rostra_http_client_request_duration_seconds",
			Help:    "Time from asking for an outbound request to its outcome, waits included.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"host"}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rostra_http_client_breaker_state",
			Help: "Circuit breaker of a host: 0 closed, 1 half open, 2 open (the host is left alone for a while).",
		}, []string{"host"}),
		hosts: make(map[string]struct{}),
	}
	for _, collector := range []prometheus.Collector{m.requests, m.duration, m.breaker} {
		if err := registerer.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// observe records one call of Do.
func (m *metrics) observe(origin ServerURL, resp *Response, err error, took time.Duration) {
	if m == nil {
		return
	}
	host := m.label(origin)
	m.requests.WithLabelValues(host, outcome(resp, err)).Inc()
	m.duration.WithLabelValues(host).Observe(took.Seconds())
}

// breakerChanged records a breaker's state. Hosts without a label of their own
// have none: one gauge cannot stand for many.
func (m *metrics) breakerChanged(origin ServerURL, state breakerState) {
	if m == nil {
		return
	}
	if host := m.label(origin); host != otherHosts {
		m.breaker.WithLabelValues(host).Set(float64(state))
	}
}

func (m *metrics) label(origin ServerURL) string {
	host := origin.Host()
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.hosts[host]; known {
		return host
	}
	if host == "" || len(m.hosts) >= maxHostLabels {
		return otherHosts
	}
	m.hosts[host] = struct{}{}
	return host
}

func outcome(resp *Response, err error) string {
	if err != nil {
		return string(KindOf(err))
	}
	return strconv.Itoa(resp.Status/100) + "xx"
}
