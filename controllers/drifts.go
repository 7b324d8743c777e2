// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import "github.com/prometheus/client_golang/prometheus"

// driftCounter is the metric of subscriptions that were not as declared.
type driftCounter struct{ drifts *prometheus.CounterVec }

func newDriftCounter(registry prometheus.Registerer) (driftCounter, error) {
	drifts, err := registered(registry, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rostra_subscription_drift_total",
		Help: "Subscriptions to events that were not at the platform as declared, by platform type.",
	}, []string{"platform"}))
	return driftCounter{drifts}, err
}

// CountDrift implements socialchannel.DriftCounter.
func (c driftCounter) CountDrift(platformType string) { c.drifts.WithLabelValues(platformType).Inc() }
