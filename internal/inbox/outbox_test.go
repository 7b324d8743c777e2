// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rostra-dev/rostra/internal/inbox"
)

// outboxOf opens an outbox of an inbox.
func outboxOf(i *inbox.Inbox, changes ...func(*inbox.OutboxOptions)) *inbox.Outbox {
	GinkgoHelper()
	options := inbox.OutboxOptions{Name: "box"}
	for _, change := range changes {
		change(&options)
	}
	b, err := i.Outbox(context.Background(), options)
	Expect(err).NotTo(HaveOccurred())
	return b
}

// mailbox is a receiver's.
type mailbox struct {
	mu      sync.Mutex
	letters []inbox.Letter
}

func (m *mailbox) handle(_ context.Context, letter inbox.Letter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = append(m.letters, letter)
	return nil
}

// ids of the letters that came whose identity begins so, in order.
func (m *mailbox) ids(prefix string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := []string{}
	for _, letter := range m.letters {
		if strings.HasPrefix(letter.ID, prefix) {
			ids = append(ids, letter.ID)
		}
	}
	return ids
}

// deliver delivers a lane until the spec ends or the returned function is called.
func deliver(b *inbox.Outbox, lane string, handle func(context.Context, inbox.Letter) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Deliver(ctx, lane, handle) }()
	stop = sync.OnceFunc(func() {
		defer GinkgoRecover()
		cancel()
		Eventually(ended).Should(Receive(Or(BeNil(), MatchError(inbox.ErrUnavailable))))
	})
	DeferCleanup(stop)
	return stop
}

// later is an error that says when to try again.
type later time.Duration

func (later) Error() string          { return "not now" }
func (l later) Pause() time.Duration { return time.Duration(l) }

// numbered gives "prefix0", "prefix1" and so on.
func numbered(prefix string, count int) []string {
	names := make([]string, count)
	for n := range names {
		names[n] = fmt.Sprint(prefix, n)
	}
	return names
}

var _ = Describe("An outbox", func() {
	var (
		ctx context.Context
		dir string
		i   *inbox.Inbox
		b   *inbox.Outbox
	)
	BeforeEach(func() {
		ctx = context.Background()
		dir = GinkgoT().TempDir()
		i = open(dir)
		b = outboxOf(i)
	})
	reopen := func() {
		GinkgoHelper()
		Expect(i.Close()).To(Succeed())
		i = open(dir)
		b = outboxOf(i)
	}
	waiting := func(lane string) func() int64 {
		return func() int64 {
			count, _, err := b.Waiting(ctx, lane)
			Expect(err).NotTo(HaveOccurred())
			return count
		}
	}

	It("delivers letters whole, each order key's in order, and has room again", func() {
		keys := []string{"a", "b", "c", "d", "e", "f", "g"}
		began := time.Now().Add(-time.Second)
		for n := range 20 {
			for _, key := range keys {
				Expect(b.Add(ctx, "news/desk.1", key, fmt.Sprint(key, n), []byte(key+"\r\n"))).To(Succeed())
			}
		}
		Expect(b.Lanes(ctx)).To(Equal([]string{"news/desk.1"}))
		count, oldest, err := b.Waiting(ctx, "news/desk.1")
		Expect(err).NotTo(HaveOccurred())
		Expect(count).To(BeEquivalentTo(140))
		Expect(oldest).To(BeTemporally(">", began))

		var m mailbox
		deliver(b, "news/desk.1", m.handle)
		Eventually(waiting("news/desk.1")).Should(BeZero())
		for _, key := range keys {
			Expect(m.ids(key)).To(Equal(numbered(key, 20)))
		}
		Expect(b.Lanes(ctx)).To(BeEmpty())
		_, oldest, err = b.Waiting(ctx, "news/desk.1")
		Expect(err).NotTo(HaveOccurred())
		Expect(oldest).To(BeZero())
		m.mu.Lock()
		defer m.mu.Unlock()
		first := m.letters[0]
		Expect(first.Data).To(BeEquivalentTo(first.ID[:1] + "\r\n"))
		Expect(first.Tries).To(Equal(1))
		Expect(first.Added).To(BeTemporally("~", time.Now(), time.Minute))
	})

	It("keeps a letter in the lane in which it was first, before and after it is delivered, across restarts", func() {
		registry := prometheus.NewRegistry()
		Expect(i.Close()).To(Succeed())
		i = open(dir, func(o *inbox.Options) { o.Registerer = registry })
		b = outboxOf(i)
		Expect(b.Add(ctx, "one", "k", "1", nil)).To(Succeed())
		Expect(b.Add(ctx, "other", "k", "1", nil)).To(Succeed())
		var m mailbox
		stop := deliver(b, "one", m.handle)
		Eventually(waiting("one")).Should(BeZero())
		stop()
		Expect(b.Add(ctx, "one", "k", "1", nil)).To(Succeed())
		Expect(testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP rostra_outbox_letters_added_total Letters stored durably, to be delivered.
# TYPE rostra_outbox_letters_added_total counter
rostra_outbox_letters_added_total 1
# HELP rostra_outbox_letters_delivered_total Letters delivered and removed.
# TYPE rostra_outbox_letters_delivered_total counter
rostra_outbox_letters_delivered_total 1
# HELP rostra_outbox_letters_folded_total Letters added again that were stored or delivered already.
# TYPE rostra_outbox_letters_folded_total counter
rostra_outbox_letters_folded_total 2
`), "rostra_outbox_letters_added_total", "rostra_outbox_letters_delivered_total", "rostra_outbox_letters_folded_total")).To(Succeed())
		Expect(b.Add(ctx, "one", "k", "2", nil)).To(Succeed())
		reopen()
		Expect(b.Add(ctx, "other", "k", "1", nil)).To(Succeed(), "it was delivered")
		Expect(b.Add(ctx, "other", "k", "2", nil)).To(Succeed(), "it waits in lane one")
		Expect(b.Lanes(ctx)).To(Equal([]string{"one"}))
		deliver(b, "one", m.handle)
		Eventually(waiting("one")).Should(BeZero())
		Expect(m.ids("")).To(Equal([]string{"1", "2"}))
	})

	It("knows a letter for as long as the duplicate window", func() {
		Expect(i.Close()).To(Succeed())
		i = open(dir, func(o *inbox.Options) { o.DuplicateWindow = time.Second })
		b = outboxOf(i)
		var m mailbox
		deliver(b, "one", m.handle)
		Eventually(func() []string {
			Expect(b.Add(ctx, "one", "k", "1", nil)).To(Succeed())
			return m.ids("")
		}).Should(HaveLen(2))
	})

	It("takes many callers' letters", func() {
		var group sync.WaitGroup
		for caller := range 64 {
			group.Go(func() {
				defer GinkgoRecover()
				for n := range 20 {
					key := fmt.Sprintf("%d-", caller)
					Expect(b.Add(ctx, fmt.Sprint("lane", caller%3), key, fmt.Sprint(key, n), nil)).To(Succeed())
					Expect(b.Add(ctx, "lane0", key, fmt.Sprint(key, 0), nil)).To(Succeed(), "it is known")
				}
			})
		}
		group.Wait()
		Expect(b.Lanes(ctx)).To(Equal(numbered("lane", 3)))
		var m mailbox
		for _, lane := range numbered("lane", 3) {
			deliver(b, lane, m.handle)
		}
		Eventually(m.ids).WithArguments("").Should(HaveLen(64 * 20))
		for caller := range 64 {
			key := fmt.Sprintf("%d-", caller)
			Expect(m.ids(key)).To(Equal(numbered(key, 20)))
		}
	})

	It("tries a letter again, later each time, and hands out nothing of its order key before", func() {
		var m mailbox
		var mu sync.Mutex
		var tries []time.Time
		for n := range 5 {
			Expect(b.Add(ctx, "lane", "k", fmt.Sprint(n), nil)).To(Succeed())
		}
		deliver(b, "lane", func(ctx context.Context, letter inbox.Letter) error {
			mu.Lock()
			defer mu.Unlock()
			if letter.ID == "1" {
				if tries = append(tries, time.Now()); letter.Tries != len(tries) {
					return fmt.Errorf("%d tries are not %d", letter.Tries, len(tries))
				}
				if len(tries) < 3 {
					return errors.New("refused")
				}
			}
			return m.handle(ctx, letter)
		})
		Eventually(m.ids).WithArguments("").Should(Equal(numbered("", 5)))
		mu.Lock()
		defer mu.Unlock()
		Expect(tries).To(HaveLen(3))
		Expect(tries[1].Sub(tries[0])).To(BeNumerically(">=", 500*time.Millisecond))
		Expect(tries[2].Sub(tries[1])).To(BeNumerically(">=", time.Second))
	})

	It("pauses for as long as the receiver asks", func() {
		var m mailbox
		Expect(b.Add(ctx, "lane", "k", "1", nil)).To(Succeed())
		began := time.Now()
		deliver(b, "lane", func(ctx context.Context, letter inbox.Letter) error {
			switch letter.Tries {
			case 1:
				return fmt.Errorf("wrapped: %w", later(1500*time.Millisecond))
			case 2, 3, 4, 5, 6, 7, 8: // a minute together, without the wish
				return later(time.Millisecond)
			}
			return m.handle(ctx, letter)
		})
		Eventually(m.ids).WithArguments("").Should(HaveLen(1))
		Expect(time.Since(began)).To(And(BeNumerically(">=", 1500*time.Millisecond), BeNumerically("<", 20*time.Second)))
	})

	It("goes on in other lanes, and with other order keys, while a receiver is away or slow", func() {
		var m mailbox
		for n := range 32 {
			Expect(b.Add(ctx, "bad", fmt.Sprint(n), fmt.Sprint("bad", n), nil)).To(Succeed())
			Expect(b.Add(ctx, "good", fmt.Sprint(n), fmt.Sprint("good", n), nil)).To(Succeed())
		}
		deliver(b, "bad", func(ctx context.Context, letter inbox.Letter) error {
			if letter.ID == "bad0" {
				<-ctx.Done()
				return ctx.Err()
			}
			return m.handle(ctx, letter)
		})
		deliver(b, "good", m.handle)
		Eventually(m.ids).WithArguments("good").Should(HaveLen(32))
		Eventually(m.ids).WithArguments("bad").Should(Not(BeEmpty()))
	})

	It("gives back what it was delivering when it ends, and hands a letter to one at a time", func() {
		for n := range 3 {
			Expect(b.Add(ctx, "lane", "k", fmt.Sprint(n), nil)).To(Succeed())
		}
		begun := make(chan struct{}, 2)
		stuck := func(ctx context.Context, _ inbox.Letter) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		stop, stopOther := deliver(b, "lane", stuck), deliver(b, "lane", stuck)
		Eventually(begun).Should(Receive())
		Consistently(begun).ShouldNot(Receive())
		stop()
		stopOther()
		var m mailbox
		deliver(b, "lane", m.handle)
		Eventually(m.ids).WithArguments("").Should(Equal(numbered("", 3)))
	})

	It("refuses where a lane is full, while others take letters", func() {
		b = outboxOf(i, func(o *inbox.OutboxOptions) { o.Name, o.LaneLimit = "small", 40 })
		var err error
		stored := 0
		for ; err == nil; stored++ {
			err = b.Add(ctx, "full", "k", fmt.Sprint("full", stored), nil)
		}
		Expect(err).To(MatchError(inbox.ErrFull))
		Expect(stored).To(Equal(11), "a quarter, and the one that was refused")
		Expect(b.Add(ctx, "full", "k", "full0", nil)).To(Succeed(), "it is there")
		Expect(b.Add(ctx, "other", "k", "other0", nil)).To(Succeed())
		var group sync.WaitGroup
		for n := range 64 { // as a batch
			group.Go(func() {
				defer GinkgoRecover()
				Expect(b.Add(ctx, "full", "k", fmt.Sprint("more", n), nil)).To(MatchError(inbox.ErrFull))
			})
		}
		group.Wait()
		var m mailbox
		deliver(b, "full", m.handle)
		Eventually(m.ids).WithArguments("").Should(Equal(numbered("full", 10)))
		Eventually(func() error { return b.Add(ctx, "full", "k", "again", nil) }).Should(Succeed())
	})

	It("refuses where it is full as a whole, and loses nothing", func() {
		b = outboxOf(i, func(o *inbox.OutboxOptions) { o.Name, o.MaxBytes = "small", 2<<20 })
		data := make([]byte, 100<<10)
		var err error
		stored := 0
		for ; err == nil; stored++ {
			err = b.Add(ctx, "lane", "k", fmt.Sprint(stored), data)
		}
		Expect(err).To(MatchError(inbox.ErrFull))
		Expect(stored - 1).To(BeNumerically("~", 20, 1))
		Expect(i.Ready()).To(Succeed())
		var m mailbox
		deliver(b, "lane", m.handle)
		Eventually(m.ids).WithArguments("").Should(Equal(numbered("", stored-1)))
		Expect(b.Add(ctx, "lane", "k", "again", data)).To(Succeed())
	})

	It("gives up what nobody took in time, aloud", func() {
		registry := prometheus.NewRegistry()
		var mu sync.Mutex
		var log []string
		logger := funcr.New(func(_, args string) {
			mu.Lock()
			defer mu.Unlock()
			log = append(log, args)
		}, funcr.Options{})
		Expect(i.Close()).To(Succeed())
		i = open(dir, func(o *inbox.Options) { o.Registerer, o.Logger = registry, logger })
		b = outboxOf(i, func(o *inbox.OutboxOptions) { o.MaxAge = time.Second })
		for n := range 5 {
			Expect(b.Add(ctx, "dead", fmt.Sprint(n), fmt.Sprint(n), nil)).To(Succeed())
		}
		Eventually(waiting("dead")).Should(BeZero())
		Expect(testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP rostra_outbox_letters_expired_total Letters given up undelivered because of their age.
# TYPE rostra_outbox_letters_expired_total counter
rostra_outbox_letters_expired_total 5
`), "rostra_outbox_letters_expired_total")).To(Succeed())
		mu.Lock()
		defer mu.Unlock()
		Expect(log).To(ContainElement(And(ContainSubstring("gave up letters"), ContainSubstring(`"lane"="dead"`))))
	})

	It("ends when the inbox is closed, and notes what was delivered meanwhile", func() {
		Expect(b.Add(ctx, "lane", "k", "1", nil)).To(Succeed())
		begun, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- b.Deliver(ctx, "lane", func(ctx context.Context, _ inbox.Letter) error {
				close(begun)
				<-ctx.Done()
				return nil // it was delivered just so
			})
		}()
		Eventually(begun).Should(BeClosed())
		closed := b
		reopen()
		Eventually(ended).Should(Receive(MatchError(inbox.ErrUnavailable)))
		Expect(closed.Add(ctx, "lane", "k", "2", nil)).To(MatchError(inbox.ErrUnavailable))
		Expect(closed.Deliver(ctx, "lane", nil)).To(MatchError(inbox.ErrUnavailable))
		_, err := closed.Lanes(ctx)
		Expect(err).To(MatchError(inbox.ErrUnavailable))
		Expect(b.Add(ctx, "lane", "k", "1", nil)).To(Succeed())
		Expect(waiting("lane")()).To(BeZero())
	})

	It("refuses what it cannot keep", func() {
		long := strings.Repeat("x", 1000)
		Expect(b.Add(ctx, "", "k", "1", nil)).To(MatchError(inbox.ErrInvalid))
		Expect(b.Add(ctx, long, "k", "1", nil)).To(MatchError(inbox.ErrInvalid))
		Expect(b.Add(ctx, "lane", "k", "", nil)).To(MatchError(inbox.ErrInvalid))
		Expect(b.Add(ctx, "lane", "k", long, nil)).To(MatchError(inbox.ErrInvalid))
		Expect(b.Add(ctx, "lane", "k", "1", make([]byte, 1<<20))).To(MatchError(inbox.ErrInvalid))
		Expect(b.Deliver(ctx, "", nil)).To(MatchError(inbox.ErrInvalid))
		// The largest and strangest that there are.
		odd := "*.>\r\nNats-Batch-Id: x\r\n\r\n\x00" + strings.Repeat("x", 484)
		Expect(b.Add(ctx, odd[:253], odd, odd, make([]byte, 256<<10))).To(Succeed())
		var m mailbox
		deliver(b, odd[:253], m.handle)
		Eventually(m.ids).WithArguments("").Should(Equal([]string{odd}))
		for _, options := range []inbox.OutboxOptions{
			{},
			{Name: "A"},
			{Name: strings.Repeat("a", 23)},
			{Name: "a", MaxBytes: 1},
			{Name: "a", MaxAge: time.Millisecond},
			{Name: "a", LaneLimit: 1},
		} {
			_, err := i.Outbox(ctx, options)
			Expect(err).To(HaveOccurred())
		}
	})
})

var _ = Describe("An outbox on a NATS cluster", func() {
	It("is one for two processes, and goes on when the server was away", func() {
		ctx := context.Background()
		remote := startNATS()
		connect := func() *inbox.Outbox {
			GinkgoHelper()
			return outboxOf(open("", func(o *inbox.Options) { o.URL = remote.ClientURL() }))
		}
		one, other := connect(), connect()
		var m mailbox
		deliver(one, "lane", m.handle)
		deliver(other, "lane", m.handle)
		for n := range 100 {
			Expect([]*inbox.Outbox{one, other}[n%2].Add(ctx, "lane", "k", fmt.Sprint(n), nil)).To(Succeed())
		}
		Eventually(m.ids).WithArguments("").Should(Equal(numbered("", 100)))
		remote.stop()
		Expect(one.Add(ctx, "lane", "k", "100", nil)).To(MatchError(inbox.ErrUnavailable))
		remote.start()
		Eventually(func() error { return one.Add(ctx, "lane", "k", "100", nil) }).Should(Succeed())
		Eventually(m.ids).WithArguments("").Should(Equal(numbered("", 101)))
		Expect(slices.Compact(m.ids(""))).To(HaveLen(101))
	})

	It("gives up, and counts, what is no letter", func() {
		ctx := context.Background()
		remote := startNATS()
		registry := prometheus.NewRegistry()
		b := outboxOf(open("", func(o *inbox.Options) { o.URL, o.Registerer = remote.ClientURL(), registry }))
		for n, subject := range []string{"bGFuZQ.00", "bGFuZQ.01", "bGFuZQ.02", "bGFuZQ.03", "!.9"} {
			_, err := strangerTo(remote).Publish(ctx, "rostra.outbox.box."+subject, []byte(fmt.Sprint(n)))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(b.Lanes(ctx)).To(Equal([]string{"lane"}))
		Expect(b.Add(ctx, "lane", "k", "1", nil)).To(Succeed())
		var m mailbox
		deliver(b, "lane", m.handle)
		Eventually(m.ids).WithArguments("").Should(Equal([]string{"1"}))
		Eventually(func() error {
			return testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP rostra_inbox_messages_undecodable_total Stored messages that were given up because they are no events, or no letters.
# TYPE rostra_inbox_messages_undecodable_total counter
rostra_inbox_messages_undecodable_total 4
`), "rostra_inbox_messages_undecodable_total")
		}).Should(Succeed())
	})
})
