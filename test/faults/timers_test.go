// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Escalations that wait", func() {
	It("go on across a kill, and none is late but for the restart itself", Label("slow", "faults"), func(ctx SpecContext) {
		const (
			timers    = 2000
			perSecond = 200
			pages     = 500 // so that nobody hears of so many that they are told of them together
			patience  = 14 * time.Second
		)
		people := newTruth()
		w := newWorker(ctx, "alone", people, pages, []time.Duration{patience, time.Hour}, "-dir", GinkgoT().TempDir())
		w.run(ctx)
		platform := startLoad(ctx, perSecond, timers, pages, w.gateway)
		Eventually(platform.acknowledged).WithContext(ctx).Should(Equal(timers))
		untilTold(ctx, platform, people, w)
		// A third of the timers before the kill, the rest around it and after.
		Eventually(people.count).WithContext(ctx).Should(BeNumerically(">=", timers+timers/3))
		w.kill()
		w.run(ctx)
		back := time.Now()
		Eventually(people.count).WithContext(ctx).Should(Equal(2 * timers))
		platform.end()
		w.kill()

		balance := balance(fmt.Sprintf("%d escalation timers of %s across a kill -9", timers, patience), platform, w.stored(), people, w)
		for _, one := range platform.accepted {
			first, second := people.of(one.Conversation, one.page.Responder(0)), people.of(one.Conversation, one.page.Responder(1))
			balance.turn(second)
			if len(first) > 0 && len(second) > 0 {
				// Who was told again after the kill has the time from then on.
				due := first[len(first)-1].at.Add(patience)
				if at := second[0].at; due.Before(back) && at.After(back) {
					due = back
				}
				balance.lateness = append(balance.lateness, second[0].at.Sub(due))
			}
		}
		balance.print()
		Expect(balance.lost).To(BeZero())
		Expect(balance.told).To(Equal(2 * timers))
		balance.expectReasons()
		Expect(balance.lateness).To(HaveLen(timers))
		Expect(quantile(balance.lateness, 0)).To(BeNumerically(">=", 0), "told before its time")
		Expect(quantile(balance.lateness, 0.99)).To(BeNumerically("<=", time.Second))
		Expect(balance.strange).To(BeEmpty())
	}, SpecTimeout(5*time.Minute))
})
