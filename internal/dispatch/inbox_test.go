// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
)

// process is one that keeps events, and dispatches.
type process struct {
	box    *inbox.Inbox
	ledger *ledger.Ledger
	stop   func()
}

func openInbox(dir string) *inbox.Inbox {
	GinkgoHelper()
	box, err := inbox.Open(context.Background(), inbox.Options{Dir: dir})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = box.Close() })
	return box
}

// run runs a dispatcher on an inbox, as a process of that name.
func (w *world) run(box *inbox.Inbox, name string) *process {
	GinkgoHelper()
	rows, err := box.Table(context.Background(), inbox.TableOptions{Name: "conversations", MaxValue: 128 << 10})
	Expect(err).NotTo(HaveOccurred())
	l, err := ledger.New(ledger.Options{Table: rows, Clock: w.clock})
	Expect(err).NotTo(HaveOccurred())
	d, err := dispatch.New(dispatch.Options{Events: box, Ledger: l, Directory: w, Clock: w.clock, Name: name})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for _, start := range []func(context.Context) error{l.Start, d.Start} {
		group.Go(func() {
			defer GinkgoRecover()
			Expect(start(ctx)).To(Succeed())
		})
	}
	stop := sync.OnceFunc(func() {
		cancel()
		group.Wait()
	})
	DeferCleanup(stop)
	return &process{box, l, stop}
}

var _ = Describe("On the embedded inbox", func() {
	It("the night is played through a restart", Label("S1", "S2"), func(ctx SpecContext) {
		w, dir := newWorld(), GinkgoT().TempDir()
		box := openInbox(dir)
		p := w.run(box, "rostra-0")
		troll := w.mention("troll", "your planes fall from the sky")
		Expect(box.Put(ctx, troll)).To(Succeed())
		Eventually(w.who).Should(Equal([]string{"care/nina"}))
		Eventually(func() conversation.State { return p.ledger.List(ledger.Filter{})[0].State }).Should(Equal(conversation.Told))

		By("stopping, while the turn of the manager comes due")
		p.stop()
		Expect(box.Close()).To(Succeed())
		w.clock.Step(16 * time.Minute)
		box = openInbox(dir)
		p = w.run(box, "rostra-0")
		Eventually(w.who).Should(Equal([]string{"care/nina", "care/maria"}), "what is overdue is done at once")

		Expect(box.Put(ctx, w.answer(troll))).To(Succeed())
		Eventually(w.over).Should(ConsistOf("care/nina", "care/maria"))
		Eventually(func() time.Time { return p.ledger.List(ledger.Filter{})[0].Due }).Should(BeZero())
		Expect(p.ledger.Figures("uid-1", w.clock.Now()).Within).To(Equal(1))
		Expect(w.who()).To(HaveLen(2))
	})

	It("two processes tell each person once", func(ctx SpecContext) {
		w := newWorld()
		box := openInbox(GinkgoT().TempDir())
		first, second := w.run(box, "rostra-0"), w.run(box, "rostra-1")
		const channels, each = 20, 4
		for n := range channels * each {
			e := w.mention(fmt.Sprint("author-", n), "hello")
			e.ChannelUID, e.Channel = fmt.Sprint("uid-", n%channels), fmt.Sprint("social/channel-", n%channels)
			Expect(box.Put(ctx, e)).To(Succeed())
		}
		count := func() int { return len(w.who()) }
		Eventually(count).Should(Equal(channels * each))
		for _, p := range []*process{first, second} {
			Eventually(func() []ledger.Summary { return p.ledger.List(ledger.Filter{}) }).Should(And(
				HaveLen(channels*each), HaveEach(HaveField("State", conversation.Told))))
		}
		w.clock.Step(15 * time.Minute)
		Eventually(count).Should(BeNumerically(">=", 2*channels*each))
		Consistently(count, 300*time.Millisecond).Should(Equal(2 * channels * each))
		ids := map[string]bool{}
		for _, one := range w.told {
			ids[one.ID] = true
		}
		Expect(ids).To(HaveLen(2 * channels * each))
	})
})
