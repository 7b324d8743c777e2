// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import "github.com/prometheus/client_golang/prometheus"

// metrics of the dispatcher. Their labels are bounded: ways and outcomes.
type metrics struct {
	events        *prometheus.CounterVec
	notifications *prometheus.CounterVec
	lateness      prometheus.Histogram
	expired       prometheus.Counter
	unreached     prometheus.Counter
	gathered      prometheus.Counter
	rules         prometheus.Counter
	overflow      prometheus.Counter
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rostra_conversation_events_total",
			Help: "Events handled, by what became of them: heard, known (it came before), answer, ahead (an answer whose message has not come), ignored, channel-gone, no-channel, overflow (too many wait).",
		}, []string{"outcome"}),
		notifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rostra_notifications_total",
			Help: "Tries to tell somebody, by way and outcome: told, failed, closed (they heard that it is over), close-failed, close-given-up (after a day; an alert may be left open).",
		}, []string{"way", "outcome"}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "rostra_turn_lateness_seconds",
			Help:    "How long after it was due a turn was taken; not of those that were gathered.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800},
		}),
		expired:   counter("rostra_conversations_expired_total", "Conversations that were given up: nobody did anything for a week, or the channel is gone."),
		unreached: counter("rostra_conversations_unreached_total", "Times that nobody at all could be told of a conversation."),
		gathered:  counter("rostra_conversations_gathered_total", "Conversations that people were told of together with others."),
		overflow:  counter("rostra_dispatch_overflow_total", "Messages of which nobody is told, since too many conversations of the channel wait already."),
		rules:     counter("rostra_escalation_rule_failures_total", "Times that a rule of a route failed on an event."),
	}
}

func (m *metrics) register(registerer prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{m.events, m.notifications, m.lateness, m.expired, m.unreached, m.gathered, m.rules, m.overflow} {
		if err := registerer.Register(collector); err != nil {
			return err
		}
	}
	return nil
}
