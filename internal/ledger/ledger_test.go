// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus/testutil"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
)

var _ = Describe("A ledger", func() {
	var (
		ctx context.Context
		s   *store
		l   *ledger.Ledger
	)
	BeforeEach(func() {
		ctx = context.Background()
		s = newStore()
		l = s.ledger()
	})

	It("keeps a conversation, and finds it by what belongs to it", func() {
		id := hear(l, post(1, 1, night), night)
		c, err := l.Get(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.State).To(Equal(conversation.Open))
		found, ok := l.OfPost("uid-1", "post-1")
		Expect(ok).To(BeTrue())
		Expect(found).To(Equal(id))
		_, ok = l.OfPost("uid-2", "post-1")
		Expect(ok).To(BeFalse(), "a post is one of a channel's")
		_, ok = l.OfPost("uid-1", "")
		Expect(ok).To(BeFalse())
		Expect(l.OfThread("uid-1", "thread-1")).To(Equal([]string{id}))
		Expect(l.OfThread("uid-2", "thread-1")).To(BeEmpty())
		thread, _ := l.ThreadOf(id)
		Expect(thread).To(Equal("thread-1"))
		Expect(l.Find(id[:5])).To(Equal([]string{id}))
		Expect(l.Find("no such")).To(BeEmpty())
		Expect(l.List(ledger.Filter{Channel: "social/channel-1", Waiting: true})).To(ConsistOf(ledger.Summary{
			ID: id, Channel: "social/channel-1", ChannelUID: "uid-1", Platform: "Mastodon", State: conversation.Open, Episode: 1,
			OpenedAt: night, Due: night, Revision: l.List(ledger.Filter{})[0].Revision,
		}))
		Expect(l.List(ledger.Filter{Channel: "social/channel-2"})).To(BeEmpty())
		Expect(s.changed).To(Receive(Equal("social/channel-1")))
		_, err = l.Get(ctx, conversation.NewID("a", "b", "c"))
		Expect(err).To(MatchError(ledger.ErrUnknown))
		_, err = l.Get(ctx, "../secret")
		Expect(err).To(MatchError(ledger.ErrUnknown))
	})

	It("reads it all again when it starts, and sees what others write", func() {
		first := hear(l, post(1, 1, night), night)
		other := s.ledger()
		Expect(other.List(ledger.Filter{})).To(HaveLen(1))
		second := hear(l, post(1, 2, night.Add(time.Minute)), night)
		Expect(other.CaughtUp(ctx)).To(Succeed())
		_, ok := other.OfPost("uid-1", "post-2")
		Expect(ok).To(BeTrue())
		list := other.List(ledger.Filter{})
		Expect([]string{list[0].ID, list[1].ID}).To(Equal([]string{first, second}), "the oldest first")
	})

	It("catches up with many at once", func() {
		other := s.ledger()
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				defer GinkgoRecover()
				Expect(other.CaughtUp(ctx)).To(Succeed())
			})
		}
		group.Wait()
		ended, cancel := context.WithCancel(ctx)
		cancel()
		Expect(other.CaughtUp(ended)).NotTo(Succeed())
		Expect(other.CaughtUp(ctx)).To(Succeed())
	})

	It("gives up to wait, and catches up with the next that is seen", func() {
		slow := &held{Table: s.table, open: make(chan struct{})}
		other := newLedger(slow, s)
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		Expect(other.CaughtUp(short)).To(MatchError(context.DeadlineExceeded))
		id := hear(l, post(1, 1, night), night)
		done := make(chan error, 1)
		go func() { done <- other.CaughtUp(ctx) }()
		Consistently(done, "50ms").ShouldNot(Receive())
		close(slow.open)
		Eventually(done).Should(Receive(BeNil()))
		_, ok := other.Summary(id)
		Expect(ok).To(BeTrue())
	})

	It("lets one of several change a row, and the others see what it became", func() {
		id := hear(l, post(1, 1, night), night)
		other := s.ledger()
		var group sync.WaitGroup
		var mu sync.Mutex
		took := 0
		for n, one := range []*ledger.Ledger{l, other, l, other} {
			group.Go(func() {
				defer GinkgoRecover()
				mine := false
				_, err := one.Update(ctx, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
					if _, mine = c.Take(string(rune('a'+n)), escalation.Turn{}, night); !mine {
						return nil, nil
					}
					return c, nil
				})
				Expect(err).NotTo(HaveOccurred())
				mu.Lock()
				defer mu.Unlock()
				if mine {
					took++
				}
			})
		}
		group.Wait()
		Expect(took).To(Equal(1))
		Expect(l.CaughtUp(ctx)).To(Succeed())
		Expect(l.Claimed(func(by string) bool { return by != "" })).To(Equal([]string{id}))
	})

	It("takes the error of a change as it is, and writes nothing", func() {
		id := hear(l, post(1, 1, night), night)
		no := errors.New("no")
		_, err := l.Update(ctx, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
			c.State = conversation.Expired
			return c, no
		})
		Expect(err).To(MatchError(no))
		c, err := l.Get(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.State).To(Equal(conversation.Open))
	})

	It("acknowledges once, and says by whom it was", func() {
		id := hear(l, post(1, 1, night), night)
		_, err := l.Acknowledge(ctx, id, 2, "care/nina")
		Expect(err).To(MatchError(ledger.ErrOver), "another episode")
		s.clock.Step(10 * time.Minute)
		c, err := l.Acknowledge(ctx, id, 1, "care/nina")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Response.Took()).To(Equal(10 * time.Minute))
		c, err = l.Acknowledge(ctx, id, 0, "care/dana")
		Expect(err).To(MatchError(ledger.ErrOver))
		Expect(c.Response.By).To(Equal("care/nina"))
		_, err = l.Acknowledge(ctx, conversation.NewID("a", "b", "c"), 0, "care/dana")
		Expect(err).To(MatchError(ledger.ErrUnknown))
	})

	It("refuses nobody because of what it remembers", func() {
		deaf, err := ledger.New(ledger.Options{Table: unheard{s.table}, Clock: s.clock})
		Expect(err).NotTo(HaveOccurred())
		follow(deaf)
		id := hear(l, post(1, 1, night), night)
		calls := 0
		c, err := deaf.Update(ctx, id, func(*conversation.Conversation) (*conversation.Conversation, error) {
			calls++
			return nil, nil
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(c).NotTo(BeNil(), "nor by nothing")
		Expect(calls).To(Equal(2))
		_, err = deaf.Acknowledge(ctx, conversation.NewID("a", "b", "c"), 1, "care/nina")
		Expect(err).To(MatchError(ledger.ErrUnknown))
		_, err = deaf.Acknowledge(ctx, "../secret", 1, "care/nina")
		Expect(err).To(MatchError(ledger.ErrUnknown))
		c, err = deaf.Acknowledge(ctx, id, 1, "care/nina")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.State).To(Equal(conversation.Acknowledged), "of which it had not heard")

		claimed := func(c *conversation.Conversation) (*conversation.Conversation, error) {
			c.Claim = &conversation.Claim{By: "deaf", Until: night.Add(time.Minute)}
			return c, nil
		}
		_, err = deaf.Update(ctx, id, claimed)
		Expect(err).NotTo(HaveOccurred())
		_, err = l.Update(ctx, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
			c.Claim, c.State, c.Episode = nil, conversation.Open, 2
			return c, nil
		})
		Expect(err).NotTo(HaveOccurred())
		c, err = deaf.Acknowledge(ctx, id, 2, "care/nina")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.State).To(Equal(conversation.Acknowledged), "in an episode of which it had not heard")
	})

	It("gives what is due, once, until its row changes or it is woken", func() {
		id := hear(l, post(1, 1, night), night)
		Expect(l.Woken()).To(Receive())
		later := hear(l, post(1, 2, night), night.Add(time.Minute))
		ids, next := l.TakeDue(night, 10)
		Expect(ids).To(Equal([]string{id}))
		Expect(next).To(Equal(night.Add(time.Minute)))
		ids, _ = l.TakeDue(night, 10)
		Expect(ids).To(BeEmpty())
		l.Wake(id, night.Add(time.Second))
		ids, next = l.TakeDue(night, 10)
		Expect(ids).To(BeEmpty())
		Expect(next).To(Equal(night.Add(time.Second)))
		l.Prompt(later, night)
		ids, _ = l.TakeDue(night, 10)
		Expect(ids).To(Equal([]string{later}))
		l.Wake(later, time.Time{})
		_, next = l.TakeDue(night, 10)
		Expect(next).To(Equal(night.Add(time.Second)))
		ids, _ = l.TakeDue(night.Add(time.Hour), 1)
		Expect(ids).To(Equal([]string{id}), "the longest due first")
	})

	It("says when what is due first is another, also where it is the same conversation's", func() {
		id := hear(l, post(1, 1, night), night.Add(time.Hour))
		Expect(l.Woken()).To(Receive())
		hear(l, post(1, 2, night), night.Add(2*time.Hour))
		Expect(l.Woken()).NotTo(Receive())
		l.Prompt(id, night)
		Expect(l.Woken()).To(Receive())
		l.Prompt(id, night.Add(3*time.Hour))
		Expect(l.Woken()).To(Receive())
	})

	It("gives figures of a channel, of a week", func() {
		respond := func(number int, after time.Duration) {
			e := post(1, number, s.clock.Now())
			id := hear(l, e, s.clock.Now())
			s.clock.Step(after)
			_, err := l.Acknowledge(ctx, id, 1, "nina")
			Expect(err).NotTo(HaveOccurred())
		}
		for number, minutes := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 100} {
			respond(number, time.Duration(minutes)*time.Minute)
		}
		hear(l, post(1, 20, s.clock.Now()), s.clock.Now())
		opened := s.clock.Now()
		figures := l.Figures("uid-1", s.clock.Now())
		Expect(figures).To(Equal(ledger.Figures{
			Open: 1, OldestOpen: opened, Answered: 10, P50: 5 * time.Minute, P90: 9 * time.Minute, Counted: 10, Within: 9,
		}))
		s.clock.Step(2 * time.Hour)
		Expect(l.Figures("uid-1", s.clock.Now()).Counted).To(Equal(11), "one that waits for too long is late already")
		s.clock.Step(8 * 24 * time.Hour)
		Expect(l.Figures("uid-1", s.clock.Now())).To(Equal(ledger.Figures{Open: 1, OldestOpen: opened, Counted: 1}))
		Expect(l.Figures("uid-2", s.clock.Now())).To(Equal(ledger.Figures{}))
	})

	It("keeps answers that came ahead", func() {
		answer := post(1, 7, night)
		Expect(l.PutAhead(ctx, "uid-1", "post-1", answer)).To(Succeed())
		Expect(l.PutAhead(ctx, "uid-1", "post-1", post(1, 8, night))).To(Succeed())
		found, err := l.Ahead(ctx, "uid-1", "post-1")
		Expect(err).NotTo(HaveOccurred())
		Expect(found.ID).To(Equal(answer.ID), "the first")
		Expect(found.Text).To(BeEmpty(), "its words are not kept")
		Expect(l.Ahead(ctx, "uid-2", "post-1")).To(BeNil())
		Expect(l.Ahead(ctx, "uid-1", "")).To(BeNil())
		Expect(s.ledger().Ahead(ctx, "uid-1", "post-1")).NotTo(BeNil())
	})

	It("keeps who gathers", func() {
		add := func(g ledger.Gathering) (*ledger.Gathering, error) {
			g.Count++
			return &g, nil
		}
		Expect(l.Gather(ctx, "key", add)).To(Succeed())
		Expect(s.ledger().Gather(ctx, "key", add)).To(Succeed())
		Expect(l.Gather(ctx, "key", func(g ledger.Gathering) (*ledger.Gathering, error) {
			Expect(g.Count).To(Equal(2))
			return nil, nil
		})).To(Succeed())
	})

	It("passes over rows that it cannot read", func() {
		_, err := s.table.Put(ctx, conversation.NewID("a", "b", "c"), []byte("{"), 0, 0)
		Expect(err).NotTo(HaveOccurred())
		_, err = s.table.Put(ctx, "something-else", []byte("{"), 0, 0)
		Expect(err).NotTo(HaveOccurred())
		other := s.ledger()
		Expect(other.List(ledger.Filter{})).To(BeEmpty())
		_, err = other.Get(ctx, conversation.NewID("a", "b", "c"))
		Expect(err).To(MatchError(ContainSubstring("is no conversation")))
	})

	It("forgets rows that are gone", func() {
		id := hear(l, post(1, 1, night), night)
		revision := l.List(ledger.Filter{})[0].Revision
		Expect(s.table.Delete(ctx, id, revision)).To(Succeed())
		Expect(l.CaughtUp(ctx)).To(Succeed())
		Expect(l.List(ledger.Filter{})).To(BeEmpty())
		_, ok := l.OfPost("uid-1", "post-1")
		Expect(ok).To(BeFalse())
		Expect(l.OfThread("uid-1", "thread-1")).To(BeEmpty())
		_, next := l.TakeDue(night, 0)
		Expect(next).To(BeZero())
	})
})

var _ = Describe("The metrics of a ledger", func() {
	It("say how conversations stand, and how long a response took, once", func() {
		s := newStore()
		registry := s.metrics
		l := s.ledger()
		e := post(1, 1, night)
		id := hear(l, e, night)
		hear(l, post(1, 2, night), night)
		s.clock.Step(5 * time.Minute)
		for range 2 {
			_, err := l.Update(context.Background(), id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
				answer := &event.Event{ID: "own", Kind: event.OwnPost, PostID: "own", ReceivedAt: s.clock.Now()}
				c.Answer(answer, s.clock.Now())
				return c, nil
			})
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP rostra_conversation_oldest_open_seconds For how long the oldest conversation of a channel waits for somebody.
# TYPE rostra_conversation_oldest_open_seconds gauge
rostra_conversation_oldest_open_seconds{channel="social/channel-1"} 300
# HELP rostra_conversations Conversations by state.
# TYPE rostra_conversations gauge
rostra_conversations{state="Acknowledged"} 0
rostra_conversations{state="Answered"} 1
rostra_conversations{state="Expired"} 0
rostra_conversations{state="Open"} 1
rostra_conversations{state="Told"} 0
`), "rostra_conversation_oldest_open_seconds", "rostra_conversations")).To(Succeed())
		Expect(testutil.CollectAndCount(registry, "rostra_first_response_seconds")).To(Equal(1))
		families, err := registry.Gather()
		Expect(err).NotTo(HaveOccurred())
		for _, family := range families {
			if family.GetName() == "rostra_first_response_seconds" {
				Expect(family.GetMetric()[0].GetHistogram().GetSampleCount()).To(BeEquivalentTo(1))
				Expect(family.GetMetric()[0].GetHistogram().GetSampleSum()).To(BeEquivalentTo(300))
			}
		}
	})
})

// held is a table whose changes are heard of late.
type held struct {
	ledger.Table
	open chan struct{}
}

// Follow implements ledger.Table.
func (h *held) Follow(ctx context.Context, row func(inbox.Row), synced func()) error {
	ready := false
	return h.Table.Follow(ctx, func(r inbox.Row) {
		if ready {
			<-h.open
		}
		row(r)
	}, func() {
		ready = true
		synced()
	})
}

// interrupted is a table that is lost at first, with one row that nobody deletes.
type interrupted struct {
	ledger.Table
	mu    sync.Mutex
	times int
}

// Follow implements ledger.Table.
func (i *interrupted) Follow(ctx context.Context, row func(inbox.Row), synced func()) error {
	i.mu.Lock()
	i.times++
	times := i.times
	i.mu.Unlock()
	if times == 1 {
		e := post(1, 1, night)
		c := conversation.Begin(e, e.ThreadID)
		c.Hear(e, conversation.Terms{}, night)
		value, err := json.Marshal(c)
		if err != nil {
			return err
		}
		row(inbox.Row{Key: c.ID, Value: value, Revision: 1})
		synced()
		return inbox.ErrUnavailable
	}
	synced()
	<-ctx.Done()
	return nil
}

var _ = Describe("A ledger that lost its table", func() {
	It("follows it anew, and forgets what is no longer there", func() {
		clock := clocktesting.NewFakeClock(night)
		changed := make(chan string, 10)
		l, err := ledger.New(ledger.Options{Table: &interrupted{}, Clock: clock, OnChange: func(channel string) { changed <- channel }})
		Expect(err).NotTo(HaveOccurred())
		follow(l)
		Expect(l.List(ledger.Filter{})).To(HaveLen(1))
		Eventually(changed).Should(Receive(Equal("social/channel-1")))
		Eventually(clock.HasWaiters).Should(BeTrue())
		clock.Step(time.Second)
		Eventually(func() []ledger.Summary { return l.List(ledger.Filter{}) }).Should(BeEmpty())
		Eventually(changed).Should(Receive(Equal("social/channel-1")), "its figures are others")
	})
})
