// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The least recently used", func() {
	It("is forgotten, and nothing else, so that memory is bounded", func() {
		made := 0
		cache := newLRU(3, func(int) int { made++; return made })
		for _, key := range []int{1, 2, 3, 1, 4, 1, 3} {
			cache.get(key)
		}
		Expect(made).To(Equal(4), "1 and 3 were kept")
		Expect(cache.get(2)).To(Equal(5), "2 was forgotten")
		for key := range 1000 {
			cache.get(key)
		}
		Expect(cache.items).To(HaveLen(3))
		Expect(cache.order.Len()).To(Equal(3))
	})
})

var _ = Describe("Late verdicts", Label("S23"), func() {
	var b *breaker
	var states []breakerState
	now := time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)
	failed, healthy := verdict{known: true, failure: "x"}, verdict{known: true}

	enter := func() uint64 {
		GinkgoHelper()
		epoch, refused := b.enter(now)
		Expect(refused).ToNot(HaveOccurred())
		return epoch
	}

	BeforeEach(func() {
		states = nil
		b = &breaker{after: 2, openFor: time.Minute, changed: func(s breakerState) { states = append(states, s) }}
	})

	It("of requests from before the opening change nothing", func() {
		slowGood, slowBad := enter(), enter()
		for range 2 {
			b.leave(enter(), now, failed)
		}
		b.leave(slowGood, now, healthy)
		_, refused := b.enter(now)
		Expect(refused).To(HaveOccurred(), "a success of yesterday closed the breaker")

		now = now.Add(time.Minute)
		probe := enter()
		b.leave(slowBad, now, failed)
		b.leave(probe, now, healthy)
		Expect(states).To(Equal([]breakerState{breakerOpen, breakerHalfOpen, breakerClosed}))

		By("starting the count afresh")
		b.leave(enter(), now, failed)
		enter()
	})
})
