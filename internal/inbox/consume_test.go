// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

var _ = Describe("A consumer", func() {
	var (
		ctx context.Context
		dir string
		i   *inbox.Inbox
	)
	BeforeEach(func() {
		ctx = context.Background()
		dir = GinkgoT().TempDir()
		i = open(dir)
	})

	It("is given an event again that it failed on, later each time, and nothing of that channel before", func() {
		Expect(i.Put(ctx, mentions(1, 0, 20)...)).To(Succeed())
		var h heard
		var mu sync.Mutex
		var tries []time.Time
		consume(i, "reader", inbox.Filter{}, func(ctx context.Context, e event.Event) error {
			if e.ID == "event-3" {
				mu.Lock()
				defer mu.Unlock()
				if tries = append(tries, time.Now()); len(tries) < 4 {
					return errors.New("not now")
				}
			}
			return h.handle(ctx, e)
		})
		Eventually(h.ids).WithArguments(1).Should(Equal(ids(0, 20)))
		mu.Lock()
		defer mu.Unlock()
		Expect(tries).To(HaveLen(4))
		first, third := tries[1].Sub(tries[0]), tries[3].Sub(tries[2])
		Expect(first).To(BeNumerically(">=", 500*time.Millisecond))
		Expect(third).To(BeNumerically(">=", 2*time.Second))
	})

	It("goes on with other channels while one fails", func() {
		for channel := range 32 {
			Expect(i.Put(ctx, mention(channel, 0))).To(Succeed())
		}
		var h heard
		consume(i, "reader", inbox.Filter{}, func(ctx context.Context, e event.Event) error {
			if e.ChannelUID == "uid-0" {
				return errors.New("never")
			}
			return h.handle(ctx, e)
		})
		// Those that share its partition wait with it.
		Eventually(h.count).Should(BeNumerically(">=", 20))
	})

	It("goes on where it stopped, and another name begins at the beginning", func() {
		Expect(i.Put(ctx, mentions(1, 0, 10)...)).To(Succeed())
		var first, second, third heard
		stop := consume(i, "first", inbox.Filter{}, first.handle)
		Eventually(first.count).Should(Equal(10))
		stop()
		Expect(i.Close()).To(Succeed())
		i = open(dir)
		Expect(i.Put(ctx, mentions(1, 10, 5)...)).To(Succeed())
		consume(i, "first", inbox.Filter{}, second.handle)
		consume(i, "second", inbox.Filter{}, third.handle)
		Eventually(third.ids).WithArguments(1).Should(Equal(ids(0, 15)))
		Eventually(second.ids).WithArguments(1).Should(Equal(ids(10, 5)))
	})

	It("does not pause between the events of one channel", func() {
		Expect(i.Put(ctx, mentions(1, 0, 5000)...)).To(Succeed())
		var h heard
		var mu sync.Mutex
		last, longest := time.Now(), time.Duration(0)
		consume(i, "reader", inbox.Filter{}, func(ctx context.Context, e event.Event) error {
			mu.Lock()
			defer mu.Unlock()
			longest, last = max(longest, time.Since(last)), time.Now()
			return h.handle(ctx, e)
		})
		Eventually(h.count).Should(Equal(5000))
		mu.Lock()
		defer mu.Unlock()
		Expect(longest).To(BeNumerically("<", 5*time.Second), "two heartbeats are ten")
	})

	It("is given the kinds that it asked for", func() {
		var all []event.Event
		for n, kind := range event.Kinds() {
			e := mention(n%3, n)
			e.Kind = kind
			all = append(all, e)
		}
		Expect(i.Put(ctx, all...)).To(Succeed())
		var some, every heard
		consume(i, "some", inbox.Filter{Kinds: []event.Kind{event.AuthorizationLost, event.HandleChanged, event.HandleChanged}}, some.handle)
		consume(i, "every", inbox.Filter{}, every.handle)
		Eventually(every.count).Should(Equal(len(all)))
		Eventually(some.count).Should(Equal(2))
		for _, e := range some.all() {
			Expect(e.Kind.ConcernsOwnership()).To(BeTrue())
		}
	})

	It("shares its events with others of its name, in order", func() {
		var h heard
		for range 3 {
			consume(i, "shared", inbox.Filter{}, h.handle)
		}
		for n := range 50 {
			for channel := range 10 {
				Expect(i.Put(ctx, mention(channel, n))).To(Succeed())
			}
		}
		Eventually(h.count).Should(Equal(500))
		for channel := range 10 {
			Expect(h.ids(channel)).To(Equal(ids(0, 50)))
		}
	})

	It("gives back what it was doing when it ends", func() {
		Expect(i.Put(ctx, mentions(1, 0, 3)...)).To(Succeed())
		begun := make(chan struct{}, 1)
		stop := consume(i, "reader", inbox.Filter{}, func(ctx context.Context, _ event.Event) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		Eventually(begun).Should(Receive())
		stop()
		var h heard
		started := time.Now()
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.ids).WithArguments(1).Should(Equal(ids(0, 3)))
		Expect(time.Since(started)).To(BeNumerically("<", 5*time.Second), "it does not wait for the server to miss it")
	})

	It("keeps an event that it works on for long", Label("slow"), func() {
		Expect(i.Put(ctx, mention(1, 0))).To(Succeed())
		var mu sync.Mutex
		runs := 0
		release := make(chan struct{})
		work := func(ctx context.Context, _ event.Event) error {
			mu.Lock()
			runs++
			mu.Unlock()
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		consume(i, "reader", inbox.Filter{}, work)
		consume(i, "reader", inbox.Filter{}, work)
		begun := func() int { mu.Lock(); defer mu.Unlock(); return runs }
		Eventually(begun).Should(Equal(1))
		Consistently(begun).WithTimeout(12 * time.Second).Should(Equal(1))
		close(release)
	})

	It("ends when the inbox is closed, after its handler", func() {
		Expect(i.Put(ctx, mention(1, 0))).To(Succeed())
		begun, ended := make(chan struct{}), make(chan error, 1)
		var finished bool
		go func() {
			ended <- i.Consume(ctx, "reader", inbox.Filter{}, func(ctx context.Context, _ event.Event) error {
				close(begun)
				<-ctx.Done()
				finished = true
				return nil
			})
		}()
		Eventually(begun).Should(BeClosed())
		Expect(i.Close()).To(Succeed())
		Expect(finished).To(BeTrue())
		Eventually(ended).Should(Receive(MatchError(inbox.ErrUnavailable)))
	})

	It("has a name that NATS can keep", func() {
		for _, name := range []string{"", "A", "a.b", "a*", "-a", "a-", "a b", string(slices.Repeat([]byte("a"), 33))} {
			Expect(i.Consume(ctx, name, inbox.Filter{}, nil)).To(MatchError(ContainSubstring("lower-case")))
		}
	})
})
