// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
)

func TestLedger(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second) // a busy machine is no failure
	RunSpecs(t, "ledger")
}

var night = time.Date(2026, 11, 20, 13, 30, 0, 0, time.UTC)

// store is an embedded table of conversations, and a clock.
type store struct {
	table   *inbox.Table
	clock   *clocktesting.FakeClock
	metrics *prometheus.Registry
	changed chan string
}

func newStore() *store {
	GinkgoHelper()
	box, err := inbox.Open(context.Background(), inbox.Options{Dir: GinkgoT().TempDir()})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = box.Close() })
	table, err := box.Table(context.Background(), inbox.TableOptions{Name: "conversations", MaxValue: 128 << 10})
	Expect(err).NotTo(HaveOccurred())
	return &store{table: table, clock: clocktesting.NewFakeClock(night), metrics: prometheus.NewRegistry(), changed: make(chan string, 1000)}
}

// unheard is a table of which nobody is told what changes.
type unheard struct{ *inbox.Table }

func (unheard) Follow(ctx context.Context, _ func(inbox.Row), synced func()) error {
	synced()
	<-ctx.Done()
	return nil
}

// ledger makes one as another process would, and follows the table.
func (s *store) ledger() *ledger.Ledger {
	GinkgoHelper()
	options := ledger.Options{Table: s.table, Clock: s.clock, OnChange: func(channel string) {
		select {
		case s.changed <- channel:
		default:
		}
	}}
	if s.metrics != nil {
		options.Metrics = s.metrics
	}
	s.metrics = nil // the second is of another process
	l, err := ledger.New(options)
	Expect(err).NotTo(HaveOccurred())
	follow(l)
	return l
}

func follow(l *ledger.Ledger) {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Start(ctx) }()
	DeferCleanup(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()))
	})
	Eventually(l.InSync()).Should(BeClosed())
	Expect(l.Synced()).To(BeTrue())
}

// post of an author on a channel; the same number is the same.
func post(channel, number int, at time.Time) *event.Event {
	return &event.Event{
		ID: fmt.Sprintf("event-%d", number), Kind: event.Mention, Platform: "Mastodon",
		Channel: fmt.Sprintf("social/channel-%d", channel), ChannelUID: fmt.Sprintf("uid-%d", channel),
		Actor: event.Actor{ID: fmt.Sprintf("author-%d", number)}, PostID: fmt.Sprintf("post-%d", number), ThreadID: fmt.Sprintf("thread-%d", number),
		ReceivedAt: at, Text: "hello",
	}
}

// hear takes a message in, under a promise of an hour, and gives the ID.
func hear(l *ledger.Ledger, e *event.Event, now time.Time) string {
	GinkgoHelper()
	id := conversation.NewID(e.ChannelUID, e.ThreadID, e.Actor.ID)
	_, err := l.Update(context.Background(), id, func(c *conversation.Conversation) (*conversation.Conversation, error) {
		if c == nil {
			c = conversation.Begin(e, e.ThreadID)
		}
		c.Hear(e, conversation.Terms{Owner: "care", Route: "care", Target: time.Hour}, now)
		return c, nil
	})
	Expect(err).NotTo(HaveOccurred())
	return id
}
