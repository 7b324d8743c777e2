// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/ledger"
)

// recount counts figures from the rows themselves, plainly.
func recount(all []*conversation.Conversation, now time.Time) ledger.Figures {
	var f ledger.Figures
	var took []time.Duration
	since := now.Add(-ledger.Window)
	for _, c := range all {
		given := slices.Clone(c.Past)
		if c.Response != nil {
			given = append(given, *c.Response)
		}
		for _, r := range given {
			if r.At.Before(since) {
				continue
			}
			took = append(took, r.Took())
			if r.Target > 0 {
				f.Counted++
				if r.Took() <= r.Target {
					f.Within++
				}
			}
		}
		waits := c.State == conversation.Open || c.State == conversation.Told
		if waits {
			f.Open++
			if f.OldestOpen.IsZero() || c.OpenedAt.Before(f.OldestOpen) {
				f.OldestOpen = c.OpenedAt
			}
		}
		broken := waits && now.Sub(c.OpenedAt) > c.Terms.Target ||
			c.State == conversation.Expired && c.Response == nil && !c.ClosedAt.Before(since)
		if c.Terms.Target > 0 && broken {
			f.Counted++
		}
	}
	f.Answered, f.P50, f.P90 = len(took), share(took, 50), share(took, 90)
	return f
}

// share is the least length that so many of a hundred do not exceed.
func share(took []time.Duration, percent int) time.Duration {
	least := time.Duration(math.MaxInt64)
	for _, one := range took {
		count := 0
		for _, other := range took {
			if other <= one {
				count++
			}
		}
		if count*100 >= percent*len(took) {
			least = min(least, one)
		}
	}
	if len(took) == 0 {
		return 0
	}
	return least
}

var _ = Describe("The figures of a channel", func() {
	ctx := context.Background()

	It("are what the rows come to, whatever happened", func() {
		for seed := range uint64(4) {
			s := newStore()
			l := s.ledger()
			random := rand.New(rand.NewPCG(seed, 1))
			number := 0
			for step := range 250 {
				s.clock.Step(time.Duration(1+random.IntN(120)) * time.Minute)
				if random.IntN(40) == 0 {
					s.clock.Step(50 * time.Hour)
				}
				number++
				live(l, s, random, number)
				if step%10 != 0 {
					continue
				}
				now := s.clock.Now()
				var all []*conversation.Conversation
				for _, one := range l.List(ledger.Filter{Channel: "social/channel-1"}) {
					c, err := l.Get(ctx, one.ID)
					Expect(err).NotTo(HaveOccurred())
					all = append(all, c)
				}
				want := recount(all, now)
				Expect(l.Figures("uid-1", now)).To(Equal(want), "seed %d, step %d", seed, step)
				Expect(l.Waiting("uid-1")).To(Equal(want.Open))
				follower := l
				if step%50 == 0 {
					follower = s.ledger()
				}
				figures, until := follower.FiguresUntil("uid-1", now)
				Expect(figures).To(Equal(want))
				if !until.IsZero() {
					Expect(until).To(BeTemporally(">", now))
				}
				// Until then, no promise breaks without that it is known.
				if before := until.Add(-1); !until.IsZero() && before.Sub(now) < 15*time.Minute {
					Expect(recount(all, before).Counted).To(BeNumerically("<=", want.Counted))
				}
			}
		}
	})

	It("count an episode as broken that was opened by an answer to an earlier message, and never answered", func() {
		s := newStore()
		l := s.ledger()
		first := post(1, 1, night)
		first.OccurredAt = night
		id := hear(l, first, night)
		s.clock.Step(2 * time.Minute)
		second := post(1, 1, s.clock.Now())
		second.ID, second.PostID, second.OccurredAt = "event-1b", "post-1b", s.clock.Now()
		hear(l, second, s.clock.Now())
		s.clock.Step(time.Minute)
		answer := &event.Event{ID: "own", Kind: event.OwnPost, PostID: "own", OccurredAt: night.Add(time.Minute), ReceivedAt: s.clock.Now()}
		update(l, id, func(c *conversation.Conversation) { c.Answer(answer, s.clock.Now()) })
		c, err := l.Get(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Episode).To(Equal(2))
		Expect(c.Past).To(HaveLen(1))
		Expect(c.Past[0].Took()).To(Equal(time.Minute), "as the platform says, not when it told of it")
		s.clock.Step(time.Second)
		update(l, id, func(c *conversation.Conversation) { c.Abandon(s.clock.Now()) })
		figures := l.Figures("uid-1", s.clock.Now())
		Expect(figures.Counted).To(Equal(2))
		Expect(figures.Within).To(Equal(1))
	})

	It("say when time alone changes them", func() {
		s := newStore()
		l := s.ledger()
		_, until := l.FiguresUntil("uid-1", night)
		Expect(until).To(BeZero())
		id := hear(l, post(1, 1, night), night)
		figures, until := l.FiguresUntil("uid-1", night)
		Expect(figures.Counted).To(BeZero())
		Expect(until).To(Equal(night.Add(time.Hour + 1)))
		figures, after := l.FiguresUntil("uid-1", until)
		Expect(figures.Counted).To(Equal(1))
		Expect(after).To(BeZero(), "it is late for good")
		s.clock.Step(time.Minute)
		_, err := l.Acknowledge(ctx, id, 0, "nina")
		Expect(err).NotTo(HaveOccurred())
		_, until = l.FiguresUntil("uid-1", s.clock.Now())
		Expect(until).To(Equal(s.clock.Now().Add(ledger.Window + 1)))
		figures, _ = l.FiguresUntil("uid-1", until.Add(-1))
		Expect(figures.Answered).To(Equal(1))
		figures, soon := l.FiguresUntil("uid-1", until)
		Expect(figures.Answered).To(BeZero())
		Expect(soon).To(BeZero())
		_, until = l.FiguresUntil("uid-1", until.Add(-time.Minute))
		Expect(until).To(BeTemporally("~", s.clock.Now().Add(ledger.Window+14*time.Minute), time.Second), "of a busy channel something always leaves")
	})
})

// live lets something happen to some conversation of the channel.
func live(l *ledger.Ledger, s *store, random *rand.Rand, number int) {
	GinkgoHelper()
	now := s.clock.Now()
	e := post(1, random.IntN(12), now)
	e.ID, e.PostID = fmt.Sprintf("event-%d", number), fmt.Sprintf("post-%d", number)
	e.OccurredAt = now.Add(-time.Duration(random.IntN(300)) * time.Minute)
	id := conversation.NewID(e.ChannelUID, e.ThreadID, e.Actor.ID)
	happens := random.IntN(8)
	_, err := l.Update(context.Background(), id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		if c == nil || happens < 4 {
			if c == nil {
				c = conversation.Begin(e, e.ThreadID)
			}
			c.Hear(e, conversation.Terms{Target: time.Duration(random.IntN(3)) * time.Hour}, now)
			return c, nil
		}
		switch happens {
		case 4, 5:
			answer := *e
			answer.Kind = event.OwnPost
			c.Answer(&answer, now)
		case 6:
			c.Acknowledge("nina", now)
		default:
			c.Abandon(now)
		}
		return c, nil
	})
	Expect(err).NotTo(HaveOccurred())
}

func update(l *ledger.Ledger, id string, change func(*conversation.Conversation)) {
	GinkgoHelper()
	_, err := l.Update(context.Background(), id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		change(c)
		return c, nil
	})
	Expect(err).NotTo(HaveOccurred())
}

var _ = Describe("The metrics of channels", func() {
	It("go with the last conversation of a channel", func() {
		ctx := context.Background()
		s := newStore()
		registry := prometheus.NewRegistry()
		s.metrics = registry
		l := s.ledger()
		series := func() int {
			count, err := testutil.GatherAndCount(registry, "rostra_first_response_seconds")
			Expect(err).NotTo(HaveOccurred())
			return count
		}
		// Two channels, one after the other, have the same name.
		first, second, other := post(1, 1, night), post(1, 2, night), post(2, 3, night)
		second.ChannelUID = "uid-1b"
		var ids []string
		for _, e := range []*event.Event{first, second, other} {
			id := hear(l, e, night)
			_, err := l.Acknowledge(ctx, id, 0, "nina")
			Expect(err).NotTo(HaveOccurred())
			ids = append(ids, id)
		}
		Expect(series()).To(Equal(2))
		drop := func(id string) {
			row, err := s.table.Get(ctx, id)
			Expect(err).NotTo(HaveOccurred())
			Expect(s.table.Delete(ctx, id, row.Revision)).To(Succeed())
			Expect(l.CaughtUp(ctx)).To(Succeed())
		}
		drop(ids[0])
		Expect(series()).To(Equal(2), "the name is another's by now")
		drop(ids[1])
		Expect(series()).To(Equal(1))
		drop(ids[2])
		Expect(series()).To(BeZero())
	})
})
