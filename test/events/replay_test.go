// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// replays of distinct deliveries. A callback may send a thousand events at
	// once, and more as time goes by.
	replays, distinct = 10_000, 500
	// senders send side by side.
	senders = 16
)

// accepts sends deliveries side by side until each was accepted: what is put off
// is sent again, as platforms do. It gives how many were put off.
func (n *xWorld) accepts(ctx context.Context, bodies [][]byte) (putOff int) {
	GinkgoHelper()
	n.clock.advance(2 * time.Second)
	for len(bodies) > 0 {
		again, refused := n.sendAll(ctx, bodies)
		Expect(refused).To(BeEmpty())
		putOff += len(again)
		bodies = again
	}
	return putOff
}

// sendAll gives the deliveries that are to be sent again, and what is wrong with
// any other.
func (n *xWorld) sendAll(ctx context.Context, bodies [][]byte) (again [][]byte, refused []string) {
	queue := make(chan []byte)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			for body := range queue {
				status, err := n.sends(ctx, body, n.app.ConsumerSecret)
				mu.Lock()
				switch {
				case err != nil:
					refused = append(refused, err.Error())
				case status == http.StatusServiceUnavailable:
					again = append(again, body)
				case status != http.StatusOK:
					refused = append(refused, http.StatusText(status))
				}
				mu.Unlock()
			}
		})
	}
	for _, body := range bodies {
		queue <- body
	}
	close(queue)
	group.Wait()
	return again, refused
}

var _ = Describe("Deliveries that come again", func() {
	It("are accepted ten thousand times, across a restart, and acted on once", func(ctx SpecContext) {
		n := newXWorld(ctx)
		n.subscribed(ctx, "help", n.help)
		bodies := make([][]byte, distinct)
		for i := range bodies {
			bodies[i] = n.mention(n.help, 5_000_000+i, "where is my order?")
		}
		agent := newReader()
		agent.rests = distinct / 2
		n.reads("answers", agent)
		n.accepts(ctx, bodies)
		Eventually(agent.all).Should(HaveLen(agent.rests))
		putOff := 0
		for range replays / distinct / 2 {
			putOff += n.accepts(ctx, bodies)
		}

		By("restarting while there is still something to act on")
		n.stop()
		Expect(agent.all()).To(HaveLen(agent.rests))
		agent.rests = 0
		http.DefaultClient.CloseIdleConnections()
		n.start()
		Eventually(n.sends).WithArguments(ctx, bodies[0], n.app.ConsumerSecret).Should(Equal(http.StatusOK))
		n.reads("answers", agent)
		for range replays / distinct / 2 {
			putOff += n.accepts(ctx, bodies)
		}

		By("waiting for what comes after all of them")
		Expect(n.sends(ctx, n.mention(n.help, 6_000_000, "the last one"), n.app.ConsumerSecret)).To(Equal(http.StatusOK))
		Eventually(agent.texts).Should(ContainElement("@acme_help the last one"))
		Expect(agent.twice()).To(BeEmpty())
		Expect(agent.all()).To(HaveLen(distinct + 1))
		AddReportEntry("replays that were put off once", putOff)
		Expect(n.ready(ctx, "help").Status.Subscription.LastEvent).NotTo(BeNil())
	})
})
