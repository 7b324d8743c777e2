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

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
	"github.com/rostra-dev/rostra/internal/notify"
)

// ending is a consumer that ends the first time, when it is told to.
type ending struct {
	times atomic.Int32
	end   chan struct{}
}

func (e *ending) Consume(ctx context.Context, _ string, _ inbox.Filter, _ inbox.Handle) error {
	if e.times.Add(1) == 1 {
		<-e.end
		return errors.New("the consumer is gone")
	}
	<-ctx.Done()
	return nil
}

var _ = Describe("Nobody's message is lost", func() {
	var (
		ctx context.Context
		w   *world
		d   *dispatch.Dispatcher
	)
	BeforeEach(func() {
		ctx = context.Background()
		w = newWorld()
		d = w.dispatcher("rostra-0")
	})
	hear := func(e event.Event) {
		GinkgoHelper()
		Expect(d.Handle(ctx, e)).To(Succeed())
		d.Settle(ctx)
	}
	pass := func(length time.Duration) {
		for range int(length / (5 * time.Minute)) {
			w.clock.Step(5 * time.Minute)
			d.Settle(ctx)
		}
	}
	private := func() event.Event {
		e := w.mention("jo", "hi")
		e.Kind, e.ThreadID = event.DirectMessage, "dm-jo"
		return e
	}

	It("when somebody had it long ago", func() {
		hear(private())
		_, err := w.ledger.Acknowledge(ctx, w.only().ID, 0, "care/nina")
		Expect(err).NotTo(HaveOccurred())
		pass(3 * 24 * time.Hour)
		told := len(w.who())
		hear(private())
		Expect(w.who()).To(HaveLen(told + 1))
		Expect(w.only().Episode).To(Equal(2))
	})

	It("when everybody was told long ago, as news and not as what was told before", func() {
		w.target = 0
		hear(private())
		pass(24 * time.Hour)
		Expect(w.who()).To(Equal([]string{"care/nina", "care/maria", "chief/ines"}))
		hear(private())
		pass(2 * time.Hour)
		Expect(w.who()).To(HaveLen(6))
		ids, incidents := map[string]bool{}, map[string]bool{}
		for _, one := range w.told {
			ids[one.ID], incidents[one.Incident+one.Labels["step"]] = true, true
		}
		Expect(ids).To(HaveLen(6))
		Expect(incidents).To(HaveLen(6), "a receiver folds what is the same")
		Expect(w.only().Episode).To(Equal(1))
	})

	It("when an earlier answer's second part comes after it", func() {
		first := w.mention("jo", "where is my suitcase")
		hear(first)
		w.clock.Step(time.Minute)
		one := w.answer(first)
		w.clock.Step(time.Second)
		two := w.answer(one)
		w.clock.Step(time.Minute)
		more := w.more(one)
		more.Actor, more.ThreadID = first.Actor, first.ThreadID
		hear(more)
		hear(one)
		hear(two)
		Expect(w.only().State).To(Equal(conversation.Told))
		Expect(w.only().Episode).To(Equal(2))
	})

	It("when the route is not there for a while", func() {
		w.target, w.missing = 0, true
		hear(w.mention("jo", "hi"))
		Expect(w.who()).To(Equal([]string{"care/maria"}))
		Expect(w.told[0].Facts).To(ContainElement(HaveField("Value", HavePrefix("in the stead of"))))
		pass(time.Hour)
		Expect(w.who()).To(HaveLen(1), "once")
		w.missing = false
		pass(5 * time.Minute)
		Expect(w.who()).To(Equal([]string{"care/maria", "care/nina"}))
	})

	It("when the route is not there midway", func() {
		w.target = 0
		hear(w.mention("jo", "hi"))
		w.missing = true
		pass(30 * time.Minute)
		Expect(w.who()).To(Equal([]string{"care/nina", "care/maria"}))
		w.missing = false
		pass(time.Hour)
		Expect(w.who()).To(Equal([]string{"care/nina", "care/maria", "care/maria", "chief/ines"}))
	})

	It("when the channel is given its first route", func() {
		route := w.route
		w.route, w.target = nil, 0
		e := w.mention("jo", "hi")
		hear(e)
		w.route = route
		pass(time.Hour)
		Expect(w.who()).To(BeEmpty())
		hear(w.more(e))
		Expect(w.who()).To(Equal([]string{"care/nina"}))
	})

	It("when the route's rule is taken away midway", func() {
		w.target = 0
		w.route.Spec.Rules = []v1alpha1.EscalationRule{{Name: "refunds", When: "true", Steps: []v1alpha1.EscalationStep{step("10m", onDuty("billing"))}}}
		hear(w.mention("jo", "refund"))
		w.route.Spec.Rules = nil
		pass(2 * time.Hour)
		Expect(w.who()).To(Equal([]string{"billing/bea", "care/nina", "care/maria", "chief/ines"}))
	})

	It("when nobody of the route can be told, but the owner's manager", func() {
		w.ways["chief/ines"], w.ways["care/nina"] = []string{}, []string{}
		w.route.Spec.Steps = w.route.Spec.Steps[:1]
		hear(w.mention("jo", "hi"))
		Expect(w.who()).To(Equal([]string{"care/maria"}))
		pass(2 * time.Hour)
		Expect(w.who()).To(Equal([]string{"care/maria", "care/maria"}), "and of the broken promise")
	})

	It("when nobody of the route can be told before the promise is broken", func() {
		for _, who := range []string{"chief/ines", "care/nina", "care/maria"} {
			w.ways[who] = []string{}
		}
		hear(w.mention("jo", "hi"))
		pass(50 * time.Minute)
		w.ways["care/dana"] = []string{}
		w.teams["care"].Spec.Manager = "dana"
		pass(20 * time.Minute)
		late := w.only().Tellings
		Expect(late).To(ContainElement(And(HaveField("Late", true), HaveField("Member", "dana"))))
	})

	It("below one post of many without a name", func() {
		for range 3 {
			e := w.mention("", "hi")
			e.ThreadID, e.InReplyTo, e.Actor = "page-post", "page-post", event.Actor{}
			hear(e)
		}
		Expect(w.ledger.List(ledger.Filter{})).To(HaveLen(3))
		Expect(w.who()).To(HaveLen(3))
	})

	It("below a post of one without a name, where the platform tells no thread", func() {
		first := w.mention("", "hi")
		first.ThreadID, first.Actor = "", event.Actor{}
		hear(first)
		for range 2 {
			e := w.mention("", "me too")
			e.ThreadID, e.InReplyTo, e.Actor = "", first.PostID, event.Actor{}
			hear(e)
		}
		Expect(w.ledger.List(ledger.Filter{})).To(HaveLen(3))
	})

	It("nor told on when a part of it was answered that never came", func() {
		first := w.mention("jo", "1/2")
		hear(first)
		part := w.more(first)
		hear(w.answer(part))
		Expect(w.only().State).To(Equal(conversation.Answered))
		hear(part)
		Expect(w.only().State).To(Equal(conversation.Answered), "nor when it comes")
		Expect(w.who()).To(HaveLen(1))
	})

	It("because of an answer to another's that never came", func() {
		first := w.mention("jo", "hi")
		hear(first)
		other := w.mention("li", "me too")
		other.ThreadID, other.InReplyTo = first.ThreadID, first.PostID
		hear(other)
		hear(w.answer(w.more(other)))
		for _, one := range w.ledger.List(ledger.Filter{}) {
			Expect(one.State).To(Equal(conversation.Told))
		}
	})

	It("when the clock is set back a day", func() {
		w.target = 0
		w.route.Spec.Steps[0].Wait.Duration = 20 * time.Hour
		for n := range 8 {
			hear(w.mention(fmt.Sprint("author-", n), "hi"))
		}
		w.clock.Step(time.Minute)
		d.Settle(ctx)
		told := len(w.who())
		Expect(told).To(Equal(6), "five singly, and three at once")
		for n := range 3 {
			hear(w.mention(fmt.Sprint("more-", n), "hi"))
		}
		w.clock.SetTime(w.clock.Now().Add(-24 * time.Hour))
		for n := range 8 {
			hear(w.mention(fmt.Sprint("late-", n), "hi"))
		}
		pass(10 * time.Minute)
		for _, one := range w.ledger.List(ledger.Filter{})[:8] {
			Expect(one.State).To(Equal(conversation.Told))
		}
		pass(25 * time.Hour)
		for _, one := range w.ledger.List(ledger.Filter{}) {
			Expect(one.State).To(Equal(conversation.Told), "what was due by the clock as it was is late, and not lost")
		}
	})
})

var _ = Describe("A channel with too many that wait", func() {
	It("begins no more, says so once a minute, and goes on with those that it has", func(ctx SpecContext) {
		w := newWorld()
		lines := &atomic.Int32{}
		d := w.logging("rostra-0", func(line string) {
			if strings.Contains(line, "no new one is begun") {
				lines.Add(1)
			}
		})
		d.SetLimit(2)
		first := w.mention("one", "hi")
		for _, e := range []event.Event{first, w.mention("two", "hi"), w.mention("three", "hi"), w.mention("four", "hi")} {
			Expect(d.Handle(ctx, e)).To(Succeed())
			d.Settle(ctx)
		}
		Expect(w.ledger.List(ledger.Filter{})).To(HaveLen(2))
		Expect(lines.Load()).To(Equal(int32(1)))
		w.clock.Step(time.Minute)
		Expect(d.Handle(ctx, w.mention("five", "hi"))).To(Succeed())
		Expect(lines.Load()).To(Equal(int32(2)))
		Expect(w.counted("rostra_dispatch_overflow_total")).To(Equal(3.0))

		Expect(d.Handle(ctx, w.answer(first))).To(Succeed())
		Expect(d.Handle(ctx, w.mention("six", "hi"))).To(Succeed())
		Expect(w.ledger.List(ledger.Filter{})).To(HaveLen(3), "there is room again")
	})
})

var _ = Describe("A store that is away", func() {
	It("is left alone for a while, and is complained of once", func(ctx SpecContext) {
		const many = 500
		w := newWorld()
		w.route.Spec.Steps[0].Wait.Duration = time.Hour
		w.target = 0
		var lines atomic.Int32
		d := w.logging("rostra-0", func(string) { lines.Add(1) })
		for n := range many {
			e := w.mention(fmt.Sprint("author-", n), "hi")
			e.ChannelUID = fmt.Sprint("uid-", n)
			_, err := w.ledger.Update(ctx, conversation.NewID(e.ChannelUID, e.ThreadID, e.Actor.ID), func(*conversation.Conversation) (*conversation.Conversation, error) {
				c := conversation.Begin(&e, e.ThreadID)
				c.Hear(&e, conversation.Terms{Route: "care", Owner: "care"}, w.clock.Now())
				return c, nil
			})
			Expect(err).NotTo(HaveOccurred())
		}
		var puts atomic.Int32
		w.table.before = func(string) error {
			puts.Add(1)
			return inbox.ErrUnavailable
		}
		d.Settle(ctx)
		Expect(puts.Load()).To(BeNumerically("<=", 2*32), "not one for each that is due")
		Expect(lines.Load()).To(Equal(int32(1)))
		w.table.before = nil
		for range 3 {
			w.clock.Step(5 * time.Second)
			d.Settle(ctx)
		}
		Expect(w.who()).To(HaveLen(many))
	})
})

var _ = Describe("A dispatcher that is started again", func() {
	It("strands nothing of what it had begun", func(sctx SpecContext) {
		const many = 200
		w := newWorld()
		for n := range many {
			e := w.mention(fmt.Sprint("author-", n), "hi")
			e.ChannelUID, e.Channel = fmt.Sprint("uid-", n), fmt.Sprint("social/c", n)
			_, err := w.ledger.Update(sctx, conversation.NewID(e.ChannelUID, e.ThreadID, e.Actor.ID), func(*conversation.Conversation) (*conversation.Conversation, error) {
				c := conversation.Begin(&e, e.ThreadID)
				c.Hear(&e, conversation.Terms{Route: "care", Owner: "care"}, w.clock.Now())
				return c, nil
			})
			Expect(err).NotTo(HaveOccurred())
		}
		consumer := &ending{end: make(chan struct{})}
		hang, begun := make(chan struct{}), make(chan struct{}, many)
		var up atomic.Bool
		w.onTell = func(string, string, notify.Message) error {
			if up.Load() {
				return nil
			}
			begun <- struct{}{}
			<-hang
			return errDown
		}
		d, err := dispatch.New(dispatch.Options{Events: consumer, Ledger: w.ledger, Directory: w, Clock: w.clock, Name: "rostra-0"})
		Expect(err).NotTo(HaveOccurred())
		ended := make(chan error, 1)
		go func() { ended <- d.Start(sctx) }()
		Eventually(begun).Should(HaveLen(32), "all workers are busy, and the rest wait for them")
		close(consumer.end)
		Consistently(ended, "50ms").ShouldNot(Receive())
		up.Store(true)
		close(hang)
		Eventually(ended).Should(Receive(MatchError("the consumer is gone")))

		ctx, stop := context.WithCancel(sctx)
		go func() { ended <- d.Start(ctx) }()
		Eventually(func() map[string]bool {
			w.clock.Step(time.Second)
			about := map[string]bool{}
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, one := range w.told {
				about[one.Labels["channel"]] = true
			}
			return about
		}).Should(HaveLen(many))
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})
})

var _ = Describe("A claim that took long to be written", func() {
	It("leaves the less time to tell, so that the outcome is written while it is good", func(ctx SpecContext) {
		w := newWorld()
		hasty := &hasty{world: w}
		d, err := dispatch.New(dispatch.Options{Events: none{}, Ledger: w.ledger, Directory: hasty, Clock: w.clock, Name: "rostra-0"})
		Expect(err).NotTo(HaveOccurred())
		w.table.before = func(string) error {
			w.table.before = nil
			w.clock.Step(30 * time.Second)
			return nil
		}
		Expect(d.Handle(ctx, w.mention("jo", "hi"))).To(Succeed())
		d.Idle()
		Expect(hasty.left).To(And(BeNumerically(">", 0), BeNumerically("<=", conversation.ClaimFor-40*time.Second)))
	})
})

// hasty notes how long there is to tell somebody.
type hasty struct {
	*world
	left time.Duration
}

func (h *hasty) Ways(context.Context, escalation.Person) ([]notify.Notifier, dispatch.Recipient, error) {
	return []notify.Notifier{h}, dispatch.Recipient{}, nil
}

func (*hasty) Way() string { return "slack" }

func (h *hasty) Tell(ctx context.Context, _ notify.Message) error {
	until, _ := ctx.Deadline()
	h.left = time.Until(until)
	return nil
}

// logging makes a process that hands on what it logs.
func (w *world) logging(name string, line func(string)) *dispatch.Dispatcher {
	GinkgoHelper()
	d, err := dispatch.New(dispatch.Options{
		Events: none{}, Ledger: w.ledger, Directory: w, Clock: w.clock, Name: name, Metrics: w.metrics,
		Logger: funcr.New(func(_, args string) { line(args) }, funcr.Options{}),
	})
	Expect(err).NotTo(HaveOccurred())
	d.Resume()
	return d
}

// counted is the value of a counter without labels.
func (w *world) counted(name string) float64 {
	GinkgoHelper()
	families, err := w.metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}
