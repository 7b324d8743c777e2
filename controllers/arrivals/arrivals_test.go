// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package arrivals_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/controllers/arrivals"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

func TestArrivals(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Arrivals")
}

var (
	noon      = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	help      = types.NamespacedName{Namespace: "social", Name: "help"}
	errBroken = errors.New("broken")
)

const helpUID = types.UID("0b1f6a52-9c1d-4e0f-8a11-222233334444")

func something(kind event.Kind, at time.Time) event.Event {
	return event.Event{ID: "1", Kind: kind, Channel: help.String(), ChannelUID: string(helpUID), ReceivedAt: at}
}

// box hands out what is put into it; what was not done with stays in it.
type box struct {
	mu      sync.Mutex
	handles map[event.Kind]inbox.Handle
	names   []string
	broken  chan error
}

func newBox() *box { return &box{handles: map[event.Kind]inbox.Handle{}, broken: make(chan error, 1)} }

// Consume implements arrivals.Inbox.
func (b *box) Consume(ctx context.Context, name string, filter inbox.Filter, handle inbox.Handle) error {
	b.mu.Lock()
	b.names = append(b.names, name)
	for _, kind := range filter.Kinds {
		b.handles[kind] = handle
	}
	b.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil
	case err := <-b.broken:
		return err
	}
}

func (b *box) kinds() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.handles)
}

// hand hands out one event, as soon as somebody consumes its kind.
func (b *box) hand(ctx context.Context, e event.Event) error {
	var handle inbox.Handle
	Eventually(func() inbox.Handle {
		b.mu.Lock()
		defer b.mu.Unlock()
		handle = b.handles[e.Kind]
		return handle
	}).ShouldNot(BeNil())
	return handle(ctx, e)
}

// looker is a reconciler that notes what it was asked.
type looker struct {
	said []string
	err  error
}

// LookNow implements arrivals.Looker.
func (l *looker) LookNow(channel types.NamespacedName) {
	l.said = append(l.said, "look at "+channel.String())
}

// Reconcile implements reconcile.Reconciler.
func (l *looker) Reconcile(_ context.Context, request reconcile.Request) (reconcile.Result, error) {
	l.said = append(l.said, "reconcile "+request.String())
	return reconcile.Result{RequeueAfter: time.Hour}, l.err
}

var _ = Describe("The board", func() {
	var (
		board *arrivals.Board
		store *box
		queue workqueue.TypedRateLimitingInterface[reconcile.Request]
		ended chan error
		stop  context.CancelFunc
	)

	BeforeEach(func() {
		var ctx context.Context
		ctx, stop = context.WithCancel(context.Background())
		DeferCleanup(stop)
		board, store = arrivals.NewBoard(), newBox()
		queue = workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
		DeferCleanup(queue.ShutDown)
		Expect(board.Source().Start(ctx, queue)).To(Succeed())
		over, runnable := make(chan error, 1), board.Runnable(store)
		ended = over
		go func() { over <- runnable.Start(ctx) }()
	})

	asked := func() types.NamespacedName {
		GinkgoHelper()
		request, _ := queue.Get()
		queue.Done(request)
		return request.NamespacedName
	}

	It("reads every kind, each under one name", func() {
		Eventually(store.kinds).Should(Equal(len(event.Kinds())))
		slices.Sort(store.names)
		Expect(store.names).To(Equal([]string{"channel-arrivals", "channel-ownership"}))
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})

	It("does not end the operator when the inbox cannot be read", func() {
		store.broken <- errBroken
		Consistently(ended, "100ms").ShouldNot(Receive())
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})

	It("knows the last event of a channel, and brings the channel back once a minute", func(ctx SpecContext) {
		Expect(board.Last(help, helpUID)).To(BeZero())
		Expect(store.hand(ctx, something(event.Mention, noon))).To(Succeed())
		Expect(asked()).To(Equal(help))
		for second := range 59 {
			Expect(store.hand(ctx, something(event.Reply, noon.Add(time.Duration(second)*time.Second)))).To(Succeed())
		}
		Expect(board.Last(help, helpUID)).To(BeTemporally("==", noon.Add(58*time.Second)))
		Expect(queue.Len()).To(BeZero())
		Expect(store.hand(ctx, something(event.Mention, noon.Add(time.Minute)))).To(Succeed())
		Expect(asked()).To(Equal(help))
	})

	It("does not go back in time", func(ctx SpecContext) {
		Expect(store.hand(ctx, something(event.Mention, noon))).To(Succeed())
		Expect(asked()).To(Equal(help))
		Expect(store.hand(ctx, something(event.Mention, noon.Add(-time.Hour)))).To(Succeed())
		Expect(board.Last(help, helpUID)).To(BeTemporally("==", noon))
	})

	It("does not take an earlier channel of the name for this one, and forgets", func(ctx SpecContext) {
		Expect(store.hand(ctx, something(event.Mention, noon))).To(Succeed())
		Expect(board.Last(help, "another")).To(BeZero())
		board.Forget(help)
		Expect(board.Last(help, helpUID)).To(BeZero())
	})

	It("lets an event go that names no channel", func(ctx SpecContext) {
		Expect(store.hand(ctx, event.Event{ID: "1", Kind: event.Mention, ReceivedAt: noon})).To(Succeed())
		Expect(store.hand(ctx, event.Event{ID: "1", Kind: event.AuthorizationLost, ReceivedAt: noon})).To(Succeed())
		Expect(queue.Len()).To(BeZero())
	})

	It("has the account looked at when an event concerns it, and is done with it only then", Label("S12"), func(ctx SpecContext) {
		channels := &looker{err: errBroken}
		around := board.Around(channels)
		done := make(chan error, 1)
		go func() { done <- store.hand(ctx, something(event.AuthorizationLost, noon)) }()
		Expect(asked()).To(Equal(help))
		_, err := around.Reconcile(ctx, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "social", Name: "news"}})
		Expect(err).To(MatchError(errBroken))
		_, err = around.Reconcile(ctx, reconcile.Request{NamespacedName: help})
		Expect(err).To(MatchError(errBroken))
		Eventually(done).Should(Receive(BeNil()), "a channel that fails holds up nobody's events: the reconciler asks again by itself")
		channels.err = nil
		result, err := around.Reconcile(ctx, reconcile.Request{NamespacedName: help})
		Expect(err).NotTo(HaveOccurred())
		Expect(result.RequeueAfter).To(Equal(time.Hour))
		Expect(channels.said).To(Equal([]string{
			"reconcile social/news", "look at social/help", "reconcile social/help", "reconcile social/help",
		}))
	})

	It("leaves an event in the inbox whose channel was not looked at", Label("S22"), func(ctx SpecContext) {
		handing, crash := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- store.hand(handing, something(event.HandleChanged, noon)) }()
		Expect(asked()).To(Equal(help))
		crash()
		Eventually(done).Should(Receive(HaveOccurred()))
		channels := &looker{}
		_, err := board.Around(channels).Reconcile(ctx, reconcile.Request{NamespacedName: help})
		Expect(err).NotTo(HaveOccurred())
		Expect(channels.said).To(Equal([]string{"reconcile social/help"}), "nobody waits any more")
	})
})
