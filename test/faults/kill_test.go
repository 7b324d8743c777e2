// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// untilTold waits until of every event that was acknowledged somebody was told,
// or for so long that the ledger may say that they are lost.
func untilTold(ctx context.Context, l *load, t *truth, workers ...*worker) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	l.mu.Lock()
	accepted := l.accepted
	l.mu.Unlock()
	for told := 0; told < len(accepted) && ctx.Err() == nil; {
		if len(t.of(accepted[told].Conversation, accepted[told].page.Responder(0))) > 0 {
			told++
			continue
		}
		for _, w := range workers {
			Expect(w.ended()).To(Succeed())
		}
		wait(ctx, 50*time.Millisecond)
	}
}

var _ = Describe("The process", func() {
	It("is killed a hundred times under load, loses nothing that it acknowledged, and tells nobody again but for a kill", Label("slow", "faults"), func(ctx SpecContext) {
		const (
			perSecond = 100
			pages     = 3000
			enough    = 15 // events that are acknowledged in a life
			// Lives after which one is longer than the store's patience with a consumer
			// that died, and one is over before it has quite begun.
			longEvery, shortEvery = 20, 10
		)
		kills := setting("FAULTS_KILLS", 100)
		dir := GinkgoT().TempDir()
		people := newTruth()
		w := newWorker(ctx, "alone", people, pages, []time.Duration{time.Hour}, "-dir", dir)
		w.run(ctx)
		platform := startLoad(ctx, perSecond, 0, pages, w.gateway)
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		upTo := func(limit time.Duration) { wait(ctx, time.Duration(random.Int64N(int64(limit)))) }
		for life := range kills {
			if life%shortEvery == shortEvery-1 {
				w.kill()
				w.start()
				upTo(400 * time.Millisecond)
				w.kill()
				w.run(ctx)
				continue
			}
			before := platform.acknowledged()
			Eventually(platform.acknowledged).WithContext(ctx).Should(BeNumerically(">", before+enough))
			if life%longEvery == 0 {
				wait(ctx, 6*time.Second)
			}
			upTo(200 * time.Millisecond)
			w.kill()
			w.run(ctx)
		}
		platform.end()
		untilTold(ctx, platform, people, w)
		w.kill()

		balance := balance(fmt.Sprintf("%d × kill -9 of a process with an embedded inbox, %d events a second", len(w.kills)-1, perSecond),
			platform, w.stored(), people, w)
		balance.print()
		Expect(balance.lost).To(BeZero())
		Expect(balance.storedTwice).To(BeZero())
		balance.expectReasons()
		Expect(balance.toldMore).To(BeZero(), "whoever may have been told twice is not told again")
		Expect(balance.strange).To(BeEmpty())
	}, SpecTimeout(20*time.Minute))
})
