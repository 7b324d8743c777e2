// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ledger is what a spec is about.
type ledger struct {
	what string
	// deliveries, and how they ended: by status, or without an answer.
	deliveries, cut int
	answers         map[int]int
	// acknowledged events; of them stored, and in the store more than once.
	acknowledged, stored, storedTwice int
	// turns that were due; told at all, twice, and more often than that. Of the
	// latter two those whose notifications did not have the same ID, by which
	// receivers fold, and those that were told again although nobody was killed in
	// between.
	turns, told, toldTwice, toldMore, unlike, causeless int
	// lost are acknowledged events that were not stored, or of which nobody was
	// told.
	lost int
	// by is who told, and strange what arrived that is no notification.
	by      map[string]int
	strange []string
	// restarts are how long each took, heard how long it was from the answer to
	// the platform until somebody was told, and lateness how late each timer was.
	restarts, heard, lateness []time.Duration
	// kills of workers, in their order.
	kills []time.Time
}

// balance compares what the platform sent, what is stored, and what the people
// were told in the first step.
func balance(what string, l *load, stored []string, t *truth, workers ...*worker) *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &ledger{
		what: what, deliveries: l.deliveries, cut: l.cut, answers: maps.Clone(l.answers), acknowledged: len(l.accepted),
		by: map[string]int{}, strange: t.strangers(),
	}
	counts := map[string]int{}
	for _, id := range stored {
		counts[id]++
		if counts[id] == 2 {
			b.storedTwice++
		}
	}
	for _, w := range workers {
		b.restarts = append(b.restarts, w.restarts[1:]...)
		b.kills = append(b.kills, w.kills...)
	}
	slices.SortFunc(b.kills, time.Time.Compare)
	for _, one := range l.accepted {
		told := t.of(one.Conversation, one.page.Responder(0))
		b.turn(told)
		if counts[one.EventID] > 0 {
			b.stored++
		}
		if counts[one.EventID] == 0 || len(told) == 0 {
			b.lost++
		}
		if len(told) > 0 {
			b.heard = append(b.heard, told[0].at.Sub(one.at))
		}
	}
	return b
}

// turn counts one that was due.
func (b *ledger) turn(told []telling) {
	b.turns++
	switch {
	case len(told) > 2:
		b.toldMore++
	case len(told) == 2:
		b.toldTwice++
	}
	if len(told) > 0 {
		b.told++
	}
	for _, one := range told {
		b.by[one.by]++
	}
	if slices.ContainsFunc(told, func(one telling) bool { return one.id != told[0].id }) {
		b.unlike++
	}
	for i := 1; i < len(told); i++ {
		if !b.killedBetween(told[i-1].at, told[i].at) {
			b.causeless++
			break
		}
	}
}

// killedBetween tells whether somebody was killed between two notifications. The
// first may have been under way still when its sender was dead.
func (b *ledger) killedBetween(from, to time.Time) bool {
	const underWay = 100 * time.Millisecond
	return slices.ContainsFunc(b.kills, func(kill time.Time) bool { return kill.Add(underWay).After(from) && kill.Before(to) })
}

// String is the ledger as a table.
func (b *ledger) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(name, format string, values ...any) {
		_, _ = fmt.Fprintf(table, "  %s\t%s\n", name, fmt.Sprintf(format, values...))
	}
	_, _ = fmt.Fprintf(&text, "%s\n", b.what)
	row("deliveries", "%d (%s)", b.deliveries, b.ends())
	row("acknowledged", "%d events", b.acknowledged)
	row("stored", "%d of them; %d twice", b.stored, b.storedTwice)
	row("turns due", "%d", b.turns)
	row("told", "%d (%s)", b.told, counted(b.by))
	row("told twice", "%d; more often: %d; under another ID: %d; without a kill in between: %d", b.toldTwice, b.toldMore, b.unlike, b.causeless)
	row("lost", "%d", b.lost)
	if len(b.restarts) > 0 {
		row("restarts", "%d, each %s", len(b.restarts), spread(b.restarts))
	}
	row("heard after", "%s", spread(b.heard))
	if len(b.lateness) > 0 {
		row("timers late by", "%s", spread(b.lateness))
	}
	_ = table.Flush()
	return text.String()
}

func (b *ledger) ends() string {
	ends := map[string]int{"no answer": b.cut}
	for status, count := range b.answers {
		ends[fmt.Sprint(status)] = count
	}
	return counted(ends)
}

// counted writes counts that are not zero, by name.
func counted(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", name, counts[name]))
		}
	}
	return strings.Join(parts, ", ")
}

// spread describes durations.
func spread(all []time.Duration) string {
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s, max %s", quantile(all, 0.5), quantile(all, 0.9), quantile(all, 0.99), quantile(all, 1))
}

// quantile gives the duration that a share of all does not exceed.
func quantile(all []time.Duration, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))].Round(time.Millisecond)
}

// expectReasons expects that nobody was told again without a reason, and that a
// receiver can know it again.
func (b *ledger) expectReasons() {
	GinkgoHelper()
	Expect(b.causeless).To(BeZero(), "told again although nobody was killed in between")
	Expect(b.unlike).To(BeZero(), "told again under another ID")
}

// print puts the ledger into the report.
func (b *ledger) print() { AddReportEntry("ledger", b) }
