// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/conversation"
)

// register makes the metrics, and registers them where there is a registerer.
//
// The label channel is namespace/name of a SocialChannel: as many series as
// channels that were written to within two weeks, each with a dozen buckets. They
// go with the last conversation of the channel. The
// gauges are of the whole ledger, so every replica says the same; the histogram
// counts in the replica that saw the response.
func (l *Ledger) register(registerer prometheus.Registerer) error {
	l.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "rostra_first_response_seconds",
		Help:    "Time from the first message that waits to the first response: an answer of the account's, or somebody's acknowledgement.",
		Buckets: []float64{60, 300, 900, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 24 * 3600, 3 * 24 * 3600},
	}, []string{"channel"})
	l.index.left = func(channel string) { l.took.DeleteLabelValues(channel) }
	l.evicted = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rostra_conversations_evicted_total",
		Help: "Conversations that were over and were forgotten before their time, because their table was full.",
	})
	if registerer == nil {
		return nil
	}
	for _, collector := range []prometheus.Collector{l.took, l.evicted, newGauges(l.index, l.clock)} {
		if err := registerer.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

// observe counts a first response that a change brought.
func (l *Ledger) observe(before conversation.Response, after *conversation.Conversation) {
	if now := lastResponse(after); !now.At.IsZero() && now != before {
		l.took.WithLabelValues(after.Channel).Observe(now.Took().Seconds())
	}
}

// lastResponse is the last that a conversation got; zero for none.
func lastResponse(c *conversation.Conversation) conversation.Response {
	switch {
	case c == nil:
	case c.Response != nil:
		return *c.Response
	case len(c.Past) > 0:
		return c.Past[len(c.Past)-1]
	}
	return conversation.Response{}
}

// gauges say how conversations stand when they are asked.
type gauges struct {
	index          *index
	clock          clock.PassiveClock
	states, oldest *prometheus.Desc
}

func newGauges(index *index, passive clock.PassiveClock) *gauges {
	return &gauges{
		index: index, clock: passive,
		states: prometheus.NewDesc("rostra_conversations", "Conversations by state.", []string{"state"}, nil),
		oldest: prometheus.NewDesc("rostra_conversation_oldest_open_seconds",
			"For how long the oldest conversation of a channel waits for somebody.", []string{"channel"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- g.states
	descriptions <- g.oldest
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(metrics chan<- prometheus.Metric) {
	states, oldest := g.index.standing()
	for _, state := range []conversation.State{
		conversation.Open, conversation.Told, conversation.Acknowledged, conversation.Answered, conversation.Expired,
	} {
		metrics <- prometheus.MustNewConstMetric(g.states, prometheus.GaugeValue, float64(states[state]), string(state))
	}
	now := g.clock.Now().UnixNano()
	for channel, since := range oldest {
		metrics <- prometheus.MustNewConstMetric(g.oldest, prometheus.GaugeValue, max(0, float64(now-since)/1e9), channel)
	}
}

// standing counts conversations by state, and gives since when the oldest of
// each channel waits.
func (x *index) standing() (states map[conversation.State]int, oldest map[string]int64) {
	oldest = map[string]int64{}
	x.walk(func(c *channel) bool { return c.waiting > 0 }, func(e *entry) {
		if !e.state.Waits() {
			return
		}
		if since, ok := oldest[e.channel.name]; !ok || e.openedAt < since {
			oldest[e.channel.name] = e.openedAt
		}
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.states), oldest
}
