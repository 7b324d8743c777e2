// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import "github.com/prometheus/client_golang/prometheus"

// unclaimedGauge is the metric of accounts that no channel claims.
type unclaimedGauge struct{ accounts *prometheus.GaugeVec }

func newUnclaimedGauge(registry prometheus.Registerer) (unclaimedGauge, error) {
	accounts, err := registered(registry, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "rostra_unclaimed_accounts",
		Help: "Accounts at a platform's server that no channel claims, by SocialPlatform, as last listed.",
	}, []string{"platform"}))
	return unclaimedGauge{accounts}, err
}

// Set implements socialplatform.Gauge.
func (g unclaimedGauge) Set(platform string, unclaimed int32) {
	g.accounts.WithLabelValues(platform).Set(float64(unclaimed))
}

// Forget implements socialplatform.Gauge.
func (g unclaimedGauge) Forget(platform string) { g.accounts.DeleteLabelValues(platform) }
