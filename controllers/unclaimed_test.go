// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestUnclaimedGauge(t *testing.T) {
	registry := prometheus.NewRegistry()
	first, err := newUnclaimedGauge(registry)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newUnclaimedGauge(registry) // of another manager in the process
	if err != nil {
		t.Fatal(err)
	}
	first.Set("bluesky", 88)
	second.Set("mastodon", 3)
	second.Forget("mastodon")
	second.Forget("never-there")
	want := `# HELP rostra_unclaimed_accounts Accounts at a platform's server that no channel claims, by SocialPlatform, as last listed.
# TYPE rostra_unclaimed_accounts gauge
rostra_unclaimed_accounts{platform="bluesky"} 88
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "rostra_unclaimed_accounts"); err != nil {
		t.Error(err)
	}
	taken := prometheus.NewRegistry()
	taken.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "rostra_unclaimed_accounts", Help: "another"}))
	if _, err := newUnclaimedGauge(taken); err == nil {
		t.Error("a name that is taken goes unnoticed")
	}
}
