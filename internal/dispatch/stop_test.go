// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
	"github.com/rostra-dev/rostra/internal/notify"
)

var errKilled = errors.New("the process was killed")

// isMany tells whether a message is of many conversations at once.
func isMany(m notify.Message) bool { return strings.Contains(m.Title, "more conversations") }

// many are the messages of many conversations at once that were sent.
func (w *world) many() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := []string{}
	for _, one := range w.told {
		if isMany(one.Message) {
			ids = append(ids, one.ID)
		}
	}
	return ids
}

// loseAnswers makes the table store rows that are meant, and give no answer, so
// many times; it gives how many are left.
func (w *world) loseAnswers(times int, isMeant func(key string) bool) (left *int) {
	left = &times
	w.table.after = func(key string) error {
		if *left > 0 && isMeant(key) {
			*left--
			return inbox.ErrUnavailable
		}
		return nil
	}
	return left
}

func anyRow(string) bool { return true }

func isGathering(key string) bool { return strings.HasPrefix(key, "gather") }

// flood has eight conversations begin on each of so many channels.
func (w *world) flood(ctx context.Context, d *dispatch.Dispatcher, channels int) {
	GinkgoHelper()
	for channel := range channels {
		for n := range 8 {
			e := w.mention(fmt.Sprint("author-", n), "hello")
			e.ChannelUID, e.Channel = fmt.Sprint("uid-", channel), fmt.Sprint("social/flooded-", channel)
			Expect(d.Handle(ctx, e)).To(Succeed())
		}
	}
}

var _ = Describe("A process that stops in an orderly way", func() {
	It("before anything was sent leaves the turn to the next process, however often", func(sctx SpecContext) {
		w := newWorld()
		w.target = 0
		e := w.mention("jo", "hello")
		for range 4 {
			ctx, stop := context.WithCancel(sctx)
			w.onTell = func(string, string, notify.Message) error {
				stop()
				return &notify.Failure{}
			}
			d := w.dispatcher("rostra-0")
			Expect(d.Handle(ctx, e)).To(Succeed())
			d.Settle(ctx)
			d.Idle()
			stop()
			Expect(w.only().Claim).To(BeNil())
		}
		w.onTell = nil
		d := w.dispatcher("rostra-1")
		d.Settle(sctx)
		Expect(w.who()).To(Equal([]string{"care/nina"}))
	})

	It("takes nothing more in hand", func(sctx SpecContext) {
		w := newWorld()
		d := w.dispatcher("rostra-0")
		Expect(d.Handle(sctx, w.mention("jo", "hello"))).To(Succeed())
		d.Idle()
		w.clock.Step(15 * time.Minute)
		ctx, stop := context.WithCancel(sctx)
		stop()
		puts := w.table.puts
		d.Settle(ctx)
		Expect(w.table.puts).To(Equal(puts))
	})

	It("after people were told of many at once notes it, so that they are told once", func(sctx SpecContext) {
		w := newWorld()
		w.target = 0
		d := w.dispatcher("rostra-0")
		for n := range 20 {
			Expect(d.Handle(sctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		d.Settle(sctx)
		w.clock.Step(time.Minute)
		ctx, stop := context.WithCancel(sctx)
		w.onTell = func(_, _ string, m notify.Message) error {
			if isMany(m) {
				stop()
			}
			return nil
		}
		d.Settle(ctx)
		d.Idle()
		Expect(w.many()).To(HaveLen(1))
		next := w.dispatcher("rostra-1")
		for range 3 {
			w.clock.Step(time.Minute)
			next.Settle(sctx)
		}
		Expect(w.many()).To(HaveLen(1))
		Expect(w.who()).To(HaveLen(6), "nobody's first turn again")
	})
})

var _ = Describe("A claim whose write was not answered", func() {
	for _, lost := range []int{1, 3} {
		It(fmt.Sprintf("neither delays the turn nor counts as told, lost %d times", lost), func(ctx SpecContext) {
			w := newWorld()
			w.target = 0
			d := w.dispatcher("rostra-0")
			e := w.mention("jo", "hello")
			w.loseAnswers(lost, anyRow)
			begun := w.clock.Now()
			for d.Handle(ctx, e) != nil {
				Expect(w.who()).To(BeEmpty())
			}
			d.Idle()
			Expect(w.who()).To(Equal([]string{"care/nina"}))
			Expect(w.clock.Now()).To(Equal(begun))
			Expect(w.only().Tellings).To(ConsistOf(And(HaveField("Lost", 0), HaveField("Unsure", false))))

			By("the same of a later turn")
			w.loseAnswers(lost, anyRow)
			w.clock.Step(15 * time.Minute)
			for range lost + 1 {
				d.Settle(ctx)
				w.clock.Step(5 * time.Second)
			}
			Expect(w.who()).To(Equal([]string{"care/nina", "care/maria"}))
		})
	}
})

var _ = Describe("A claim whose write was not answered, where reads lag", func() {
	var w *world
	var d *dispatch.Dispatcher
	BeforeEach(func() {
		w = newWorld()
		w.target = 0
		d = w.dispatcher("rostra-0")
	})
	// toldWithin lets time pass until so many were told.
	toldWithin := func(ctx context.Context, count int, limit time.Duration) {
		GinkgoHelper()
		begun := w.clock.Now()
		for len(w.who()) < count && w.clock.Since(begun) <= limit {
			w.clock.Step(time.Second)
			d.Settle(ctx)
		}
		Expect(w.who()).To(HaveLen(count))
		Expect(w.clock.Since(begun)).To(BeNumerically("<=", limit))
		for _, telling := range w.only().Tellings {
			Expect(telling).To(And(HaveField("Lost", 0), HaveField("Unsure", false)))
		}
	}

	It("is remembered when a replica that is behind does not show it", func(ctx SpecContext) {
		Expect(d.Handle(ctx, w.mention("jo", "hello"))).To(Succeed())
		d.Idle()
		before, err := w.table.Get(ctx, w.only().ID)
		Expect(err).NotTo(HaveOccurred())
		w.loseAnswers(1, anyRow)
		w.clock.Step(15 * time.Minute)
		d.Settle(ctx)
		w.table.stale = &before
		toldWithin(ctx, 2, 10*time.Second)
	})

	It("is remembered when the index does not know the conversation yet", func(ctx SpecContext) {
		e := w.mention("jo", "hello")
		w.loseAnswers(1, anyRow)
		w.table.mute = true
		Expect(d.Handle(ctx, e)).NotTo(Succeed())
		w.table.unmute()
		toldWithin(ctx, 1, 10*time.Second)
		Expect(d.Handle(ctx, e)).To(Succeed())
		d.Idle()
		Expect(w.who()).To(HaveLen(1))
	})

	It("is looked at soon, also where its row is followed late", func(ctx SpecContext) {
		Expect(d.Handle(ctx, w.mention("jo", "hello"))).To(Succeed())
		d.Idle()
		w.loseAnswers(1, anyRow)
		w.table.mute = true
		w.clock.Step(15 * time.Minute)
		d.Settle(ctx)
		w.table.unmute()
		toldWithin(ctx, 2, 10*time.Second)
	})
})

var _ = Describe("A message of many that did not go out", func() {
	var w *world
	var d *dispatch.Dispatcher
	BeforeEach(func() {
		w = newWorld()
		w.target = 0
		d = w.dispatcher("rostra-0")
	})
	hear := func(ctx context.Context) {
		GinkgoHelper()
		for range 20 {
			Expect(d.Handle(ctx, w.mention(fmt.Sprint("author-", w.events), "hello"))).To(Succeed())
		}
		d.Idle()
	}
	pass := func(ctx context.Context) {
		for range 10 {
			w.clock.Step(30 * time.Second)
			d.Settle(ctx)
		}
	}

	It("since the answer to its claim was lost, passes nobody by", func(ctx SpecContext) {
		hear(ctx)
		left := w.loseAnswers(3, isGathering)
		pass(ctx)
		Expect(*left).To(BeZero())
		Expect(w.many()).To(HaveLen(1))
		Expect(w.who()).To(HaveEach("care/nina"))
	})

	It("and whose end could not be written, passes nobody by", func(ctx SpecContext) {
		hear(ctx)
		left, lost := 2, false
		w.onTell = func(_, _ string, m notify.Message) error {
			if isMany(m) && left > 0 {
				left--
				lost = true
				return &notify.Failure{}
			}
			return nil
		}
		w.table.before = func(key string) error {
			if lost && isGathering(key) {
				lost = false
				return inbox.ErrUnavailable
			}
			return nil
		}
		pass(ctx)
		Expect(left).To(BeZero())
		Expect(w.many()).To(HaveLen(1))
		Expect(w.who()).To(HaveEach("care/nina"))
	})

	It("is sent by one at a time", func(sctx SpecContext) {
		hear(sctx)
		ctx, stop := context.WithCancel(sctx)
		over, hanging := make(chan struct{}), make(chan struct{}, 10)
		w.onTell = func(_, _ string, m notify.Message) error {
			if isMany(m) {
				hanging <- struct{}{}
				<-over
			}
			return nil
		}
		ended := make(chan error, 1)
		go func() { ended <- d.Start(ctx) }()
		w.clock.Step(61 * time.Second)
		Eventually(hanging).Should(Receive())
		for n := range 3 {
			e := w.mention(fmt.Sprint("later-", n), "hello")
			Expect(d.Handle(ctx, e)).To(Succeed())
		}
		for range 3 {
			Eventually(w.clock.HasWaiters).Should(BeTrue())
			w.clock.Step(61 * time.Second)
		}
		Consistently(hanging, "200ms").ShouldNot(Receive())
		close(over)
		Eventually(func() []string {
			w.clock.Step(10 * time.Second)
			return w.many()
		}).Should(HaveLen(2))
		Expect(w.many()[0]).NotTo(Equal(w.many()[1]), "or receivers fold them")
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})
})

var _ = Describe("Messages of many on many channels", func() {
	It("go out one after another, without a pause in between", func(sctx SpecContext) {
		w := newWorld()
		w.target = 0
		d := w.dispatcher("rostra-0")
		const channels = 40
		w.flood(sctx, d, channels)
		d.Settle(sctx)
		w.clock.Step(time.Minute)
		ctx, stop := context.WithCancel(sctx)
		ended := make(chan error, 1)
		go func() { ended <- d.Start(ctx) }()
		Eventually(w.many).Should(HaveLen(channels))
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})
})

var _ = Describe("The fallback", func() {
	It("hears of many at once also after crashes", func(ctx SpecContext) {
		w := newWorld()
		w.target = 0
		w.route.Spec.Steps = nil
		d := w.dispatcher("rostra-0")
		for n := range 60 {
			Expect(d.Handle(ctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		d.Idle()
		w.clock.Step(time.Minute)
		for range 3 {
			w.onTell = func(_, _ string, m notify.Message) error {
				if !isMany(m) {
					return nil
				}
				w.table.before = func(string) error { return errKilled }
				return errKilled // and nobody got it
			}
			w.ledger = w.newLedger()
			killed := w.dispatcherOn("rostra-0", w.ledger)
			for range 2 {
				killed.Settle(ctx)
				w.clock.Step(time.Minute)
			}
			w.table.before = nil
		}
		w.onTell = nil
		Expect(w.many()).To(BeEmpty())
		w.ledger = w.newLedger()
		next := w.dispatcher("rostra-0")
		for range 3 {
			next.Settle(ctx)
			w.clock.Step(time.Minute)
		}
		Expect(w.many()).To(HaveLen(1))
	})
})

var _ = Describe("A process that is killed again and again", func() {
	// killed runs a process of the same name that is killed when it has told of
	// what is meant.
	killed := func(ctx context.Context, w *world, meant func(notify.Message) bool) {
		GinkgoHelper()
		w.table.before = nil
		w.onTell = func(_, _ string, m notify.Message) error {
			if meant(m) {
				w.table.before = func(string) error { return errKilled }
			}
			return nil
		}
		w.ledger = w.newLedger()
		d := w.dispatcherOn("rostra-0", w.ledger)
		for range 5 {
			d.Settle(ctx)
			w.clock.Step(20 * time.Second)
		}
		w.table.before = nil
	}

	It("tells twice of a broken promise, and not for ever", func(ctx SpecContext) {
		w := newWorld()
		w.target = 10 * time.Minute
		d := w.dispatcher("rostra-0")
		Expect(d.Handle(ctx, w.mention("jo", "hello"))).To(Succeed())
		d.Settle(ctx)
		w.clock.Step(10 * time.Minute)
		late := func(m notify.Message) bool { return m.Kind == "PromiseBroken" }
		for range 4 {
			killed(ctx, w, late)
		}
		told := 0
		for _, one := range w.told {
			if late(one.Message) {
				told++
			}
		}
		Expect(told).To(Equal(2))
		Expect(w.only().LateTold).To(BeTrue())
	})

	It("tells twice of many at once, and then those who are next", func(ctx SpecContext) {
		w := newWorld()
		w.target = 0
		d := w.dispatcher("rostra-0")
		for n := range 60 {
			Expect(d.Handle(ctx, w.mention(fmt.Sprint("author-", n), "hello"))).To(Succeed())
		}
		d.Idle()
		w.clock.Step(time.Minute)
		for range 4 {
			killed(ctx, w, func(m notify.Message) bool { return isMany(m) && m.Member == "nina" })
		}
		count := map[string]int{}
		for _, one := range w.told {
			if isMany(one.Message) {
				count[one.ID+" "+one.Member]++
			}
		}
		for id, times := range count {
			Expect(times).To(BeNumerically("<=", 2), id)
		}
		w.onTell, w.ledger = nil, w.newLedger()
		d = w.dispatcher("rostra-0")
		for range 3 {
			w.clock.Step(time.Minute)
			d.Settle(ctx)
		}
		Expect(w.who()).To(ContainElement("care/maria"))
		for _, summary := range w.ledger.List(ledger.Filter{}) {
			c, err := w.ledger.Get(ctx, summary.ID)
			Expect(err).NotTo(HaveOccurred())
			Expect(c.Tellings).To(ContainElement(HaveField("Way", Not(BeEmpty()))), "somebody was told of each")
		}
	})
})

var _ = Describe("The outcome of a telling", func() {
	It("is written also where others change the row all the time", func(sctx SpecContext) {
		w := newWorld()
		ctx, stop := context.WithCancel(sctx)
		d := w.dispatcher("rostra-0")
		var conflicts atomic.Int64
		w.onTell = func(string, string, notify.Message) error {
			conflicts.Store(40)
			return nil
		}
		w.table.before = func(string) error {
			if conflicts.Add(-1) >= 0 {
				return inbox.ErrConflict
			}
			return nil
		}
		Expect(d.Handle(ctx, w.mention("jo", "hello"))).To(Succeed())
		Eventually(func() []string {
			w.clock.Step(100 * time.Millisecond)
			return []string{string(w.only().State)}
		}).Should(Equal([]string{"Told"}))
		d.Idle()
		stop()
		Expect(w.who()).To(Equal([]string{"care/nina"}))
		Expect(w.only().Tellings).To(HaveLen(1))
	})
})

var _ = Describe("Receivers that hang", func() {
	It("of many floods keep nobody else's turn from being taken", func(sctx SpecContext) {
		w := newWorld()
		w.target = 0
		d := w.dispatcher("rostra-0")
		ctx, stop := context.WithCancel(sctx)
		other := w.mention("other", "hello")
		other.ChannelUID, other.Channel = "uid-x", "social/x"
		Expect(d.Handle(ctx, other)).To(Succeed())
		d.Idle()
		w.clock.Step(13 * time.Minute)
		w.flood(ctx, d, 8)
		d.Idle()
		over := make(chan struct{})
		var hanging atomic.Int64
		told := make(chan string, 100)
		w.onTell = func(_, _ string, m notify.Message) error {
			if isMany(m) {
				hanging.Add(1)
				<-over
			}
			told <- m.Labels["channel"]
			return nil
		}
		ended := make(chan error, 1)
		go func() { ended <- d.Start(ctx) }()
		w.clock.Step(61 * time.Second)
		Eventually(hanging.Load).Should(BeNumerically(">=", 4))
		Eventually(w.clock.HasWaiters).Should(BeTrue())
		w.clock.Step(time.Minute)
		Eventually(told).Should(Receive(Equal("x")))
		close(over)
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})
})
