// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

var _ = Describe("An inbox near its limit", func() {
	const limit = 1 << 20
	var (
		ctx      context.Context
		registry *prometheus.Registry
		i        *inbox.Inbox
	)
	BeforeEach(func() {
		ctx = context.Background()
		registry = prometheus.NewRegistry()
		i = open(GinkgoT().TempDir(), func(o *inbox.Options) { o.MaxBytes, o.Registerer = limit, registry })
	})
	large := func(channel, n int) event.Event {
		e := mention(channel, n)
		e.Text = strings.Repeat("x", event.MaxText)
		return e
	}
	figure := func(name string) float64 {
		GinkgoHelper()
		families, err := registry.Gather()
		Expect(err).NotTo(HaveOccurred())
		for _, family := range families {
			if family.GetName() == name {
				return family.GetMetric()[0].GetGauge().GetValue() + family.GetMetric()[0].GetCounter().GetValue()
			}
		}
		return -1
	}
	accept := func(context.Context, event.Event) error { return nil }
	// put puts an event, again and again while there is no room.
	put := func(e event.Event) {
		GinkgoHelper()
		Eventually(func() error { return i.Put(ctx, e) }).WithPolling(10 * time.Millisecond).Should(Succeed())
	}

	It("goes on where everybody is done with what is old", func() {
		consume(i, "one", inbox.Filter{}, accept)
		consume(i, "other", inbox.Filter{Kinds: []event.Kind{event.DirectMessage}}, accept)
		for n := range 200 { // three times as many as there is room for
			put(large(n%20, n))
		}
		Expect(figure("rostra_inbox_bytes_limit")).To(BeEquivalentTo(limit))
		Expect(figure("rostra_inbox_bytes")).To(BeNumerically("<", limit))
		Expect(figure("rostra_inbox_events_trimmed_total")).To(BeNumerically(">", 100))
		Expect(i.Put(ctx, large(19, 199))).To(Succeed(), "it is known again")
	})

	It("keeps what one of them is not done with, and all that is behind it", func() {
		consume(i, "one", inbox.Filter{}, accept)
		var well atomic.Bool
		var late heard
		const stuck = 30
		stop := consume(i, "other", inbox.Filter{}, func(ctx context.Context, e event.Event) error {
			if e.ID == mention(0, stuck).ID && !well.Load() {
				return errors.New("not now")
			}
			return late.handle(ctx, e)
		})
		var stored int
		for n := range 200 {
			e := large(n, n)
			if err := i.Put(ctx, e); err != nil {
				Expect(err).To(MatchError(inbox.ErrLimit))
				Eventually(func() float64 { _ = i.Put(ctx, e); return figure("rostra_inbox_events_trimmed_total") }).Should(BeNumerically(">", 0))
				if err := i.Put(ctx, e); err != nil {
					break
				}
			}
			stored = n + 1
		}
		Expect(stored).To(BeNumerically("<", 150), "there is an end to the room")
		well.Store(true)
		Eventually(func() int { return len(late.all()) }).Should(BeNumerically(">=", stored))
		stop()
	})

	It("keeps everything where nobody consumes", func() {
		var err error
		stored := 0
		for ; err == nil; stored++ {
			err = i.Put(ctx, large(1, stored))
		}
		Expect(err).To(MatchError(inbox.ErrLimit))
		Consistently(func() error { return i.Put(ctx, large(1, stored)) }).Should(MatchError(inbox.ErrFull))
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).Should(Equal(stored - 1))
	})
})

var _ = Describe("An inbox whose process was killed", func() {
	It("hands out at once what was in hand then", func() {
		dir := GinkgoT().TempDir()
		i := open(dir)
		Expect(i.Put(context.Background(), mention(1, 1))).To(Succeed())
		inHand := make(chan struct{}, 1)
		consume(i, "reader", inbox.Filter{}, func(ctx context.Context, _ event.Event) error {
			inHand <- struct{}{}
			<-ctx.Done()
			return nil // and the answer is not heard: the connection goes first
		})
		Eventually(inHand).Should(Receive())
		copied := copyOf(dir)
		var h heard
		consume(open(copied), "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).WithTimeout(5 * time.Second).Should(Equal(1))
	})
})

// copyOf a store as a process that is killed leaves it.
func copyOf(dir string) string {
	GinkgoHelper()
	copied := filepath.Join(GinkgoT().TempDir(), "store")
	Expect(os.CopyFS(copied, os.DirFS(dir))).To(Succeed())
	return copied
}
