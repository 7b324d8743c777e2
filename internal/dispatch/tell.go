// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"fmt"
	"sync"

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
	noWay           = "none"
)

// maxProblem bounds Telling.Problem, in characters.
const maxProblem = 160

// message is what one person is told; the ways add nothing to it.
type message = notify.Message

// tellAll tells people, side by side, and gives what became of it in their
// order.
func (d *Dispatcher) tellAll(
	ctx context.Context, task conversation.Task, turn escalation.Turn, words func(escalation.Hearer) message,
) []conversation.Telling {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	tellings := make([]conversation.Telling, len(turn.People))
	var group sync.WaitGroup
	for n, hearer := range turn.People {
		telling := &tellings[n]
		*telling = conversation.Telling{
			At: d.clock.Now(), Position: turn.At, Late: task == conversation.TellLate, Team: hearer.Team, Member: hearer.Name,
		}
		group.Go(func() { telling.Way, telling.Problem = d.tell(ctx, hearer, words(hearer)) })
	}
	group.Wait()
	return tellings
}

// tell tells one person, in the first way that works.
func (d *Dispatcher) tell(ctx context.Context, hearer escalation.Hearer, m message) (way, problem string) {
	ways, recipient, err := d.directory.Ways(ctx, hearer.Person)
	if err != nil {
		d.metrics.notifications.WithLabelValues(noWay, outcomeFailed).Inc()
		return "", short("how to tell them could not be read: " + err.Error())
	}
	problem = "there is no way to tell them"
	m.Email = recipient.Email
	for _, notifier := range ways {
		if ctx.Err() != nil {
			break
		}
		err := tellBy(ctx, notifier, m)
		if err == nil {
			d.metrics.notifications.WithLabelValues(notifier.Way(), outcomeTold).Inc()
			return notifier.Way(), ""
		}
		d.metrics.notifications.WithLabelValues(notifier.Way(), outcomeFailed).Inc()
		problem = short(err.Error())
	}
	if len(ways) == 0 {
		d.metrics.notifications.WithLabelValues(noWay, outcomeFailed).Inc()
	}
	d.log.Info("somebody could not be told", "who", hearer.String(), "problem", problem)
	return "", problem
}

func tellBy(ctx context.Context, notifier notify.Notifier, m message) (err error) {
	ctx, cancel := context.WithTimeout(ctx, wayTimeout)
	defer cancel()
	return notifier.Tell(ctx, m)
}

// closeWays ends what was told of a conversation. It tells whether nothing is
// left to be ended.
func (d *Dispatcher) closeWays(ctx context.Context, c *conversation.Conversation) bool {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	all := true
	for _, telling := range c.Singly() {
		if err := d.closeWay(ctx, c, telling); err != nil {
			all = false
			d.metrics.notifications.WithLabelValues(telling.Way, outcomeUnclosed).Inc()
			d.log.Info("somebody could not be told that it is over", "conversation", c.ID, "who", telling.Team+"/"+telling.Member, "problem", short(err.Error()))
		}
	}
	return all
}

func (d *Dispatcher) closeWay(ctx context.Context, c *conversation.Conversation, telling conversation.Telling) error {
	ways, _, err := d.directory.Ways(ctx, escalation.Person{Team: telling.Team, Name: telling.Member})
	if err != nil {
		return fmt.Errorf("how they were told could not be read: %w", err)
	}
	for _, notifier := range ways {
		closer, ok := notifier.(notify.Closer)
		if !ok || notifier.Way() != telling.Way {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, wayTimeout)
		err := closer.Close(ctx, closing(c, telling))
		cancel()
		if err != nil {
			return err
		}
		d.metrics.notifications.WithLabelValues(telling.Way, outcomeClosed).Inc()
		return nil
	}
	return nil // this way keeps nothing open, or it is theirs no more
}

func heard(tellings []conversation.Telling) bool {
	for _, telling := range tellings {
		if telling.Way != "" {
			return true
		}
	}
	return false
}

// short bounds what is kept of an error.
func short(text string) string {
	letters := []rune(text)
	if len(letters) <= maxProblem {
		return text
	}
	return string(letters[:maxProblem-1]) + "…"
}
