// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// twentyRules match nothing, so that each event asks all of them.
func twentyRules() *escalation.Route {
	w := newWorld()
	for i := range 20 {
		w.rule(fmt.Sprintf("rule-%d", i), fmt.Sprintf("event.kind == 'Reply' && event.text.matches('(?i)word%d|chargeback') || event.author.handle == 'nobody-%d'", i, i),
			step("10m", member("billing", "bea")))
	}
	return escalation.Compile(w.route)
}

func benchmarkMatch(b *testing.B, text string) {
	b.Helper()
	route, subject := twentyRules(), mention()
	subject.Event.Kind, subject.Event.Text = event.Reply, text
	b.ReportAllocs()
	for b.Loop() {
		if at, _ := route.Match(subject); at != escalation.DefaultSteps {
			b.Fatal("a rule matches")
		}
	}
}

// BenchmarkMatch is the cost of twenty rules on one event.
func BenchmarkMatch(b *testing.B) {
	b.Run("post", func(b *testing.B) { benchmarkMatch(b, strings.Repeat("where is my suitcase? ", 13)) })
	b.Run("longest", func(b *testing.B) { benchmarkMatch(b, strings.Repeat("where is my suitcase? ", event.MaxText/22)) })
}

// BenchmarkCompile is the cost of a change to a route of twenty rules.
func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		twentyRules()
	}
}

// BenchmarkResolve is the cost of saying who a route is.
func BenchmarkResolve(b *testing.B) {
	w := newWorld().repeat(1)
	route, sources := escalation.Compile(w.route), w.sources()
	b.Run("now", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			route.Now(escalation.DefaultSteps, sources, noon)
		}
	})
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			route.Plan(escalation.DefaultSteps, sources, noon)
		}
	})
}
