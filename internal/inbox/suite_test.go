// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

// TestMain lets the test binary also be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(workUntilKilled(dir))
	}
	os.Exit(m.Run())
}

func TestInbox(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second) // a busy machine is no failure
	RunSpecs(t, "inbox")
}

// Every spec must leave no goroutine behind. This is registered first, so it
// looks after all other clean-ups have run.
var _ = BeforeEach(func() {
	before := goleak.IgnoreCurrent()
	DeferCleanup(func() { Expect(goleak.Find(before)).To(Succeed()) })
})

// open opens an embedded inbox in a folder, with the options changed as wanted,
// and closes it at the end of the spec at the latest.
func open(dir string, changes ...func(*inbox.Options)) *inbox.Inbox {
	GinkgoHelper()
	options := inbox.Options{Dir: dir}
	for _, change := range changes {
		change(&options)
	}
	i, err := inbox.Open(context.Background(), options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = i.Close() })
	return i
}

// mention is an event of a channel; the same number is the same event.
func mention(channel, number int) event.Event {
	return event.Event{
		ID: fmt.Sprintf("event-%d", number), Kind: event.Mention, Platform: "Mastodon",
		Channel: fmt.Sprintf("social/channel-%d", channel), ChannelUID: fmt.Sprintf("uid-%d", channel),
		Text: fmt.Sprintf("hello %d", number), PostID: fmt.Sprintf("post-%d", number),
	}
}

func mentions(channel, from, count int) []event.Event {
	events := make([]event.Event, count)
	for n := range events {
		events[n] = mention(channel, from+n)
	}
	return events
}

// heard collects events that a consumer was given.
type heard struct {
	mu     sync.Mutex
	events []event.Event
}

func (h *heard) handle(_ context.Context, e event.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	return nil
}

func (h *heard) all() []event.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]event.Event(nil), h.events...)
}

// ids of the events of a channel, in the order in which they came.
func (h *heard) ids(channel int) []string {
	var ids []string
	for _, e := range h.all() {
		if e.ChannelUID == mention(channel, 0).ChannelUID {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func (h *heard) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

// consume runs a consumer until the returned function is called, or the spec
// ends.
func consume(i *inbox.Inbox, name string, filter inbox.Filter, handle inbox.Handle) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Consume(ctx, name, filter, handle) }()
	stop = sync.OnceFunc(func() {
		defer GinkgoRecover()
		cancel()
		Eventually(ended).Should(Receive(Or(BeNil(), MatchError(inbox.ErrUnavailable))))
	})
	DeferCleanup(stop)
	return stop
}

// ids of a range of events.
func ids(from, count int) []string {
	var ids []string
	for n := range count {
		ids = append(ids, mention(0, from+n).ID)
	}
	return ids
}
