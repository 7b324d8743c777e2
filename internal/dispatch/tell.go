// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/notify"
)

// Values of the label outcome of rostra_notifications_total, and of way where
// there is none.
const (
	outcomeTold     = "told"
	outcomeFailed   = "failed"
	outcomeClosed   = "closed"
	outcomeUnclosed = "close-failed"
	outcomeOpen     = "close-given-up"
	noWay           = "none"
)

// maxProblem bounds Telling.Problem, in characters.
const maxProblem = 160

// message is what one person is told; the ways add nothing to it.
type message = notify.Message

// tellAll tells people, side by side, and gives what became of it in their
// order. It ends so early that the outcome can be written while the claim is
// good, however long the claim itself took to be written.
func (d *Dispatcher) tellAll(
	ctx context.Context, claimed time.Time, task conversation.Task, turn escalation.Turn, words func(escalation.Hearer) message,
) []conversation.Telling {
	ctx, cancel := context.WithTimeout(ctx, claimed.Sub(d.clock.Now())-writeTimeout)
	defer cancel()
	tellings := make([]conversation.Telling, len(turn.People))
	var group sync.WaitGroup
	for n, hearer := range turn.People {
		telling := &tellings[n]
		*telling = conversation.Telling{
			At: d.clock.Now(), Position: turn.At, Late: task == conversation.TellLate, Team: hearer.Team, Member: hearer.Name,
		}
		group.Go(func() { d.tell(ctx, hearer, words(hearer), telling) })
	}
	group.Wait()
	return tellings
}

// tell tells one person, in the first way that works, and says what became of it.
func (d *Dispatcher) tell(ctx context.Context, hearer escalation.Hearer, m message, telling *conversation.Telling) {
	ways, recipient, err := d.directory.Ways(ctx, hearer.Person)
	if err != nil {
		d.metrics.notifications.WithLabelValues(noWay, outcomeFailed).Inc()
		telling.Problem = short("how to tell them could not be read: " + err.Error())
		return
	}
	telling.Problem = "there is no way to tell them"
	m.Email = recipient.Email
	failures := make([]*notify.Failure, 0, len(ways))
	for _, notifier := range ways {
		if ctx.Err() != nil {
			failures = append(failures, &notify.Failure{})
			break
		}
		err := tellBy(ctx, notifier, m)
		if err == nil {
			d.metrics.notifications.WithLabelValues(notifier.Way(), outcomeTold).Inc()
			telling.Way, telling.Problem = notifier.Way(), ""
			break
		}
		d.metrics.notifications.WithLabelValues(notifier.Way(), outcomeFailed).Inc()
		telling.Problem = short(err.Error())
		failures = append(failures, failureOf(err))
	}
	for _, failure := range failures {
		telling.Unsure = telling.Unsure || failure.MaybeTold
	}
	if telling.Way != "" {
		return
	}
	if len(ways) == 0 {
		d.metrics.notifications.WithLabelValues(noWay, outcomeFailed).Inc()
	}
	telling.Permanent, telling.RetryAfter = outlook(failures)
	d.log.Info("somebody could not be told", "who", hearer.String(), "problem", telling.Problem)
}

// failureOf is what is known of an error of Tell.
func failureOf(err error) *notify.Failure {
	if failure, ok := errors.AsType[*notify.Failure](err); ok {
		return failure
	}
	return &notify.Failure{}
}

// outlook tells of a person's failures whether no other try would go better, and
// else how long all ways that may ask to be left alone.
func outlook(failures []*notify.Failure) (permanent bool, retryAfter time.Duration) {
	permanent = len(failures) > 0
	for _, failure := range failures {
		if failure.Permanent {
			continue
		}
		if permanent || failure.RetryAfter < retryAfter {
			permanent, retryAfter = false, failure.RetryAfter
		}
	}
	return permanent, retryAfter
}

func tellBy(ctx context.Context, notifier notify.Notifier, m message) (err error) {
	ctx, cancel := context.WithTimeout(ctx, wayTimeout)
	defer cancel()
	return notifier.Tell(ctx, m)
}

func heard(tellings []conversation.Telling) bool {
	for _, telling := range tellings {
		if telling.Way != "" {
			return true
		}
	}
	return false
}

// reached tells whether any of the people were told, or may have been.
func reached(tellings []conversation.Telling) bool {
	return slices.ContainsFunc(tellings, func(t conversation.Telling) bool { return t.Way != "" || t.Unsure })
}

// short bounds what is kept of an error.
func short(text string) string {
	letters := []rune(text)
	if len(letters) <= maxProblem {
		return text
	}
	return string(letters[:maxProblem-1]) + "…"
}
