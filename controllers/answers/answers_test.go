// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package answers_test

import (
	"context"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/controllers/answers"
	"github.com/rostra-dev/rostra/internal/ledger"
)

var (
	night = time.Date(2026, 11, 20, 13, 30, 0, 0, time.UTC)
	help  = types.NamespacedName{Namespace: "social", Name: "help"}
)

// conversations are some whose figures a test sets.
type conversations struct {
	mu      sync.Mutex
	figures ledger.Figures
	until   time.Time
	asked   int
	onAsk   func()
	synced  chan struct{}
}

func (c *conversations) FiguresUntil(string, time.Time) (ledger.Figures, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.onAsk != nil {
		c.onAsk()
	}
	return c.figures, c.until
}

func (c *conversations) InSync() <-chan struct{} { return c.synced }

func (c *conversations) Synced() bool {
	select {
	case <-c.synced:
		return true
	default:
		return false
	}
}

// adds is a queue that notes what is put into it, and for when.
type adds struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]

	mu    sync.Mutex
	after []time.Duration
}

func (a *adds) Add(request reconcile.Request) { a.AddAfter(request, 0) }

func (a *adds) AddAfter(_ reconcile.Request, after time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.after = append(a.after, after)
}

func (a *adds) take() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	after := a.after
	a.after = nil
	return after
}

type world struct {
	*answers.Board

	of    *conversations
	clock *clocktesting.FakeClock
	queue *adds
}

func newWorld(ctx context.Context, g *WithT, synced bool) *world {
	w := &world{of: &conversations{synced: make(chan struct{})}, clock: clocktesting.NewFakeClock(night), queue: &adds{}}
	if synced {
		close(w.of.synced)
	}
	w.Board = answers.NewBoard(w.of, w.clock)
	g.Expect(w.Source().Start(ctx, w.queue)).To(Succeed())
	return w
}

// TestPace: a channel whose conversations change all the time comes back once a
// minute, whether or not that changes its figures.
func TestPace(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t.Context(), g, true)
	for range 100 {
		w.Changed("social/help")
	}
	g.Expect(w.queue.take()).To(Equal([]time.Duration{0}))
	_, known, next := w.Take(help, "u")
	g.Expect(known).To(BeTrue())
	g.Expect(next).To(BeZero())
	for range 3 {
		w.clock.Step(answers.Every / 2)
		w.Changed("social/help")
		w.Changed("social/help")
		g.Expect(w.queue.take()).To(Equal([]time.Duration{answers.Every / 2}))
		_, known, next = w.Take(help, "u")
		g.Expect(known).To(BeTrue())
		g.Expect(next).To(Equal(w.clock.Now().Add(answers.Every / 2)))
		w.clock.Step(answers.Every / 2)
		w.Take(help, "u")
	}
	g.Expect(w.of.asked).To(Equal(4))
	w.Changed("no channel's")
	g.Expect(w.queue.take()).To(BeEmpty())
}

// TestAgain: what was taken is given again within a minute, as the status may
// not have been written; and after it, where nothing has changed.
func TestAgain(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t.Context(), g, true)
	w.of.figures.Open = 1
	w.Take(help, "u")
	w.of.figures.Open = 2
	figures, known, _ := w.Take(help, "u")
	g.Expect(known).To(BeTrue())
	g.Expect(figures.Open).To(Equal(1))
	figures, _, _ = w.Take(help, "another")
	g.Expect(figures.Open).To(Equal(2), "a channel made anew")
	w.clock.Step(time.Hour)
	w.Take(help, "another")
	g.Expect(w.of.asked).To(Equal(2), "nothing happened")
	w.Forget(help)
	w.Take(help, "another")
	g.Expect(w.of.asked).To(Equal(3))
}

// TestTime: figures that time alone changes are taken when it has.
func TestTime(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t.Context(), g, true)
	w.of.until = night.Add(time.Second)
	_, _, next := w.Take(help, "u")
	g.Expect(next).To(Equal(night.Add(answers.Every)), "not sooner than a minute")
	w.clock.SetTime(next)
	w.of.until = night.Add(time.Hour)
	_, _, next = w.Take(help, "u")
	g.Expect(next).To(Equal(night.Add(time.Hour)))
	w.clock.SetTime(next.Add(-1))
	w.Take(help, "u")
	g.Expect(w.of.asked).To(Equal(2))
	w.clock.SetTime(next)
	w.Take(help, "u")
	g.Expect(w.of.asked).To(Equal(3))
}

// TestMeanwhile: what changes while figures are taken is not lost.
func TestMeanwhile(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t.Context(), g, true)
	w.of.onAsk = func() { w.Changed("social/help") }
	w.Take(help, "u")
	g.Expect(w.queue.take()).To(Equal([]time.Duration{answers.Every}))
	w.clock.Step(answers.Every)
	w.of.onAsk = nil
	w.Take(help, "u")
	g.Expect(w.of.asked).To(Equal(2))
}

// TestStart: a channel that was asked for before all was read comes back then,
// also if nothing changes any more.
func TestStart(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t.Context(), g, false)
	_, known, _ := w.Take(help, "u")
	g.Expect(known).To(BeFalse())
	w.Take(types.NamespacedName{Namespace: "social", Name: "gone"}, "v")
	w.Forget(types.NamespacedName{Namespace: "social", Name: "gone"})
	g.Expect(w.queue.take()).To(BeEmpty())
	close(w.of.synced)
	g.Eventually(w.queue.take).Should(Equal([]time.Duration{0}))
	_, known, _ = w.Take(help, "u")
	g.Expect(known).To(BeTrue())

	later := answers.NewBoard(w.of, w.clock)
	later.Changed("social/help")
	g.Expect(later.Source().Start(t.Context(), w.queue)).To(Succeed())
	g.Expect(w.queue.take()).To(Equal([]time.Duration{0}), "changed before there was a queue")
}
