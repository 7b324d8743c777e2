// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
)

// tight is a table that has room for so many rows.
type tight struct {
	ledger.Table

	mu      sync.Mutex
	room    int
	refused int
	order   []string
}

func (t *tight) Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if revision == 0 && t.room == 0 {
		t.refused++
		return 0, fmt.Errorf("%w: no room", inbox.ErrFull)
	}
	stored, err := t.Table.Put(ctx, key, value, revision, keep)
	if err == nil && revision == 0 {
		t.room--
	}
	return stored, err
}

func (t *tight) Delete(ctx context.Context, key string, revision uint64) error {
	err := t.Table.Delete(ctx, key, revision)
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.room++
		t.order = append(t.order, key)
	}
	return err
}

var _ = Describe("A table of conversations that is full", func() {
	var (
		ctx     context.Context
		s       *store
		table   *tight
		l       *ledger.Ledger
		metrics *prometheus.Registry
	)
	evicted := func(count int) {
		GinkgoHelper()
		Expect(testutil.GatherAndCompare(metrics, strings.NewReader(fmt.Sprintf(`
# HELP rostra_conversations_evicted_total Conversations that were over and were forgotten before their time, because their table was full.
# TYPE rostra_conversations_evicted_total counter
rostra_conversations_evicted_total %d
`, count)), "rostra_conversations_evicted_total")).To(Succeed())
	}
	end := func(id string) {
		GinkgoHelper()
		_, err := l.Update(ctx, id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
			c.Abandon(s.clock.Now())
			return c, nil
		})
		Expect(err).NotTo(HaveOccurred())
		s.clock.Step(time.Second)
	}
	ids := func() (all []string) {
		for _, one := range l.List(ledger.Filter{}) {
			all = append(all, one.ID)
		}
		return all
	}
	BeforeEach(func() {
		ctx = context.Background()
		s = newStore()
		table = &tight{Table: s.table}
		metrics = prometheus.NewRegistry()
		var err error
		l, err = ledger.New(ledger.Options{Table: table, Clock: s.clock, Metrics: metrics})
		Expect(err).NotTo(HaveOccurred())
		follow(l)
	})

	It("takes in who writes now, and forgets those that have been over for longest", func() {
		table.room = 600
		var over []string
		for number := range 590 {
			over = append(over, hear(l, post(1, number, night), s.clock.Now()))
		}
		for _, id := range over {
			end(id)
		}
		var waiting []string
		for number := range 9 {
			waiting = append(waiting, hear(l, post(2, 1000+number, night), s.clock.Now()))
		}
		held := hear(l, post(2, 2000, night), s.clock.Now())
		_, err := l.Acknowledge(ctx, held, 0, "nina")
		Expect(err).NotTo(HaveOccurred())
		evicted(0)

		late := hear(l, post(3, 3000, night), s.clock.Now())
		Expect(table.order).To(ConsistOf(over[:256]))
		evicted(256)
		Expect(ids()).To(ConsistOf(append(append(over[256:], waiting...), held, late)))
		Expect(table.refused).To(Equal(1))
	})

	It("forgets nobody who waits, nor who has somebody, and says that it is full then", func() {
		table.room = 2
		hear(l, post(1, 1, night), night)
		held := hear(l, post(1, 2, night), night)
		_, err := l.Acknowledge(ctx, held, 0, "nina")
		Expect(err).NotTo(HaveOccurred())
		third := post(1, 3, night)
		_, err = l.Update(ctx, conversation.NewID("uid-1", "thread-3", "author-3"), func(*conversation.Conversation) (*conversation.Conversation, error) {
			return conversation.Begin(third, third.ThreadID), nil
		})
		Expect(err).To(MatchError(inbox.ErrFull))
		Expect(table.order).To(BeEmpty())
		Expect(table.refused).To(Equal(1), "without room made, once is enough")
		end(held)
		s.clock.Step(5 * time.Second)
		hear(l, third, night)
		Expect(table.order).To(Equal([]string{held}))
	})

	It("leaves those that were opened again meanwhile, and those of whom somebody is still to hear", func() {
		table.room = 3
		again, busy, gone := hear(l, post(1, 1, night), night), hear(l, post(1, 2, night), night), hear(l, post(1, 3, night), night)
		_, err := l.Update(ctx, busy, func(c *conversation.Conversation) (*conversation.Conversation, error) {
			c.Unclosed = []conversation.Unclosed{{Episode: 1, Again: night.Add(time.Hour)}}
			return c, nil
		})
		Expect(err).NotTo(HaveOccurred())
		end(again)
		end(busy)
		end(gone)
		// Another process opens it; this one has not heard.
		row, err := s.table.Get(ctx, again)
		Expect(err).NotTo(HaveOccurred())
		other := newLedger(table, s)
		second := post(1, 1, night)
		second.ID, second.PostID = "event-1b", "post-1b"
		hear(other, second, s.clock.Now())
		Expect(s.table.Get(ctx, again)).To(HaveField("Revision", Not(Equal(row.Revision))))

		table.order = nil
		hear(l, post(1, 4, night), night)
		Expect(table.order).NotTo(ContainElement(again))
		Expect(table.order).To(ContainElement(gone))
	})

	It("has room for many who write at once", func() {
		table.room = 20
		for number := range 20 {
			end(hear(l, post(1, number, night), night))
		}
		var group sync.WaitGroup
		for number := range 20 {
			group.Go(func() {
				defer GinkgoRecover()
				hear(l, post(1, 100+number, night), night)
			})
		}
		group.Wait()
		Expect(l.Waiting("uid-1")).To(Equal(20))
		evicted(20)
	})

	It("has room for what else is written", func() {
		table.room = 1
		end(hear(l, post(1, 1, night), night))
		Expect(l.PutAhead(ctx, "uid-1", "post-9", post(1, 9, night))).To(Succeed())
		evicted(1)
	})
})

var _ = Describe("A table of conversations on a small disk", func() {
	It("hears of many more than it has room for", func() {
		box, err := inbox.Open(context.Background(), inbox.Options{Dir: GinkgoT().TempDir()})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = box.Close() })
		rows, err := box.Table(context.Background(), inbox.TableOptions{Name: "conversations", MaxBytes: 1 << 20, MaxValue: 16 << 10})
		Expect(err).NotTo(HaveOccurred())
		s := newStore()
		l, err := ledger.New(ledger.Options{Table: rows, Clock: s.clock})
		Expect(err).NotTo(HaveOccurred())
		follow(l)
		const writers, each = 20, 45
		var group sync.WaitGroup
		for writer := range writers {
			group.Go(func() {
				defer GinkgoRecover()
				for n := range each {
					e := post(1, writer*each+n, night)
					id := conversation.NewID(e.ChannelUID, e.ThreadID, e.Actor.ID)
					_, err := l.Update(context.Background(), id, func(*conversation.Conversation) (*conversation.Conversation, error) {
						c := conversation.Begin(e, e.ThreadID)
						c.Hear(e, conversation.Terms{}, night)
						c.Abandon(night)
						c.URL = strings.Repeat("x", 800)
						return c, nil
					})
					Expect(err).NotTo(HaveOccurred())
				}
			})
		}
		group.Wait()
		left := len(l.List(ledger.Filter{}))
		Expect(left).To(And(BeNumerically(">", 100), BeNumerically("<", writers*each)))
		_, bytes, err := rows.Size(context.Background())
		Expect(err).NotTo(HaveOccurred())
		Expect(bytes).To(BeNumerically("<=", 9<<17), "of what it may have")
	})
})

// newLedger makes one as another process would.
func newLedger(table ledger.Table, s *store) *ledger.Ledger {
	GinkgoHelper()
	l, err := ledger.New(ledger.Options{Table: table, Clock: s.clock})
	Expect(err).NotTo(HaveOccurred())
	follow(l)
	return l
}
