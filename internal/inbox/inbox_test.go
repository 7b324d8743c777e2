// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

var _ = Describe("An embedded inbox", func() {
	var (
		ctx context.Context
		dir string
	)
	BeforeEach(func() {
		ctx = context.Background()
		dir = GinkgoT().TempDir()
	})

	It("hands out what was put, whole", func() {
		i := open(dir)
		Expect(i.Ready()).To(Succeed())
		e := mention(1, 1)
		e.Actor = event.Actor{ID: "7", Handle: "@ada@example.org", DisplayName: "Ada"}
		e.Text = "two\nlines <&> " + strings.Repeat("ü", 100)
		e.URL, e.ThreadID, e.InReplyTo, e.Type = "https://example.org/1", "t", "r", "mention"
		e.OccurredAt = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
		e.ReceivedAt = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
		Expect(i.Put(ctx, e)).To(Succeed())

		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.all).Should(Equal([]event.Event{e}))
	})

	It("folds what is put again, alone, in a call, and beside others", func() {
		registry := prometheus.NewRegistry()
		i := open(dir, func(o *inbox.Options) { o.Registerer = registry })
		Expect(i.Put(ctx, mention(1, 1))).To(Succeed())
		Expect(i.Put(ctx, mention(1, 1))).To(Succeed())
		Expect(i.Put(ctx, mention(1, 2), mention(1, 2), mention(1, 1))).To(Succeed())
		// Large enough for a batch, which the server refuses for its duplicates.
		Expect(i.Put(ctx, mentions(1, 1, 300)...)).To(Succeed())
		Expect(i.Put(ctx, mentions(1, 1, 300)...)).To(Succeed())

		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).Should(BeNumerically(">=", 300))
		Expect(h.ids(1)).To(Equal(ids(1, 300)))
		Expect(testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP rostra_inbox_events_folded_total Events put again that were stored already.
# TYPE rostra_inbox_events_folded_total counter
rostra_inbox_events_folded_total 305
# HELP rostra_inbox_events_stored_total Events stored durably.
# TYPE rostra_inbox_events_stored_total counter
rostra_inbox_events_stored_total 300
`), "rostra_inbox_events_folded_total", "rostra_inbox_events_stored_total")).To(Succeed())
	})

	It("tells events of two channels, accounts and platforms apart that have the same ID", func() {
		i := open(dir)
		byAccount := mention(1, 1)
		byAccount.ChannelUID, byAccount.AccountID = "", "uid-1"
		elsewhere := mention(1, 1)
		elsewhere.Platform = "Bluesky"
		Expect(i.Put(ctx, mention(1, 1), mention(2, 1), byAccount, elsewhere)).To(Succeed())
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).Should(Equal(4))
	})

	It("knows 10,000 events again after a restart", func() {
		events := mentions(1, 0, 10_000)
		i := open(dir)
		Expect(i.Put(ctx, events...)).To(Succeed())
		Expect(i.Close()).To(Succeed())

		i = open(dir)
		Expect(i.Put(ctx, events...)).To(Succeed())
		for n := range 100 { // one by one, too
			Expect(i.Put(ctx, events[n*100])).To(Succeed())
		}
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Expect(i.Put(ctx, mention(1, 10_000))).To(Succeed())
		Eventually(h.count).WithTimeout(2 * time.Minute).Should(BeNumerically(">=", 10_001))
		Expect(h.ids(1)).To(Equal(ids(0, 10_001)))
	})

	It("stores a call's events and many callers' at once", func() {
		i := open(dir)
		var callers sync.WaitGroup
		for caller := range 64 {
			callers.Go(func() {
				defer GinkgoRecover()
				for n := range 20 {
					Expect(i.Put(ctx, mention(caller, n))).To(Succeed())
				}
			})
		}
		callers.Wait()
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).Should(Equal(64 * 20))
		for caller := range 64 {
			Expect(h.ids(caller)).To(Equal(ids(0, 20)))
		}
	})

	It("refuses at its limit, and keeps what it has", func() {
		i := open(dir, func(o *inbox.Options) { o.MaxBytes = 1 << 20 })
		large := func(n int) event.Event {
			e := mention(1, n)
			e.Text = strings.Repeat("x", event.MaxText)
			return e
		}
		var stored int
		var err error
		for stored = 0; err == nil; stored++ {
			err = i.Put(ctx, large(stored))
		}
		stored--
		Expect(err).To(MatchError(inbox.ErrFull))
		Expect(stored).To(BeNumerically("~", 60, 5))

		var many []event.Event
		for n := range 100 {
			many = append(many, large(stored+n))
		}
		Expect(i.Put(ctx, many...)).To(MatchError(inbox.ErrFull), "as a batch")
		Expect(i.Put(ctx, large(0))).To(Succeed(), "it is there already")
		Expect(i.Ready()).To(Succeed(), "a restart would not help")

		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).Should(Equal(stored))
		Expect(h.ids(1)).To(Equal(ids(0, stored)))
	})

	DescribeTable("refuses events that it could not find again",
		func(change func(*event.Event), message string) {
			e := mention(1, 1)
			change(&e)
			i := open(dir)
			Expect(i.Put(ctx, mention(1, 2), e)).To(And(MatchError(inbox.ErrInvalid), MatchError(ContainSubstring(message))))
		},
		Entry("without an ID", func(e *event.Event) { e.ID = "" }, "no ID"),
		Entry("with an ID that shows nothing", func(e *event.Event) { e.ID = "\x00\x01" }, "no ID"),
		Entry("of a kind that does not exist", func(e *event.Event) { e.Kind = "*" }, "kind"),
		Entry("of no platform", func(e *event.Event) { e.Platform = "" }, "platform"),
		Entry("of a platform with a wildcard for a name", func(e *event.Event) { e.Platform = "a.>" }, "platform"),
		Entry("of nobody", func(e *event.Event) { e.ChannelUID, e.AccountID = "", "" }, "neither"),
		Entry("of a channel with an endless name", func(e *event.Event) { e.Channel = strings.Repeat("x", 1<<20) }, "bytes"),
	)

	It("keeps texts that try to be subjects from being any", func() {
		i := open(dir)
		e := mention(1, 1)
		e.ChannelUID, e.ID, e.AccountID = "*.>.\r\n$JS.API", "> *\r\nNats-Batch-Id: x", ".*.>"
		Expect(i.Put(ctx, e)).To(Succeed())
		e.ChannelUID = ""
		Expect(i.Put(ctx, e)).To(Succeed())
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).Should(Equal(2))
	})

	It("ends with the caller's context, and when it is closed", func() {
		i := open(dir)
		over, cancel := context.WithCancel(ctx)
		cancel()
		Expect(i.Put(over, mention(1, 1))).To(Or(Succeed(), MatchError(context.Canceled)))
		Expect(i.Put(ctx)).To(Succeed(), "nothing is stored already")
		Expect(i.Close()).To(Succeed())
		Expect(i.Close()).To(Succeed())
		Expect(i.Put(ctx, mention(1, 1))).To(MatchError(inbox.ErrUnavailable))
		Expect(i.Consume(ctx, "reader", inbox.Filter{}, nil)).To(MatchError(inbox.ErrUnavailable))
		Expect(i.Ready()).To(MatchError(inbox.ErrUnavailable))
	})

	It("answers every caller when it is closed under load", func() {
		i := open(dir)
		var callers sync.WaitGroup
		var mu sync.Mutex
		stored := map[string]bool{}
		for caller := range 32 {
			callers.Go(func() {
				defer GinkgoRecover()
				for n := 0; ; n++ {
					e := mention(1, caller*1_000_000+n)
					if err := i.Put(ctx, e); err != nil {
						Expect(err).To(MatchError(inbox.ErrUnavailable))
						return
					}
					mu.Lock()
					stored[e.ID] = true
					mu.Unlock()
				}
			})
		}
		Eventually(func() int { mu.Lock(); defer mu.Unlock(); return len(stored) }).Should(BeNumerically(">", 500))
		Expect(i.Close()).To(Succeed())
		callers.Wait()

		var h heard
		consume(open(dir), "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).Should(BeNumerically(">=", len(stored)))
		for _, id := range h.ids(1) {
			delete(stored, id)
		}
		Expect(stored).To(BeEmpty())
	})

	It("listens on nothing, and lets nobody else read its folder", func() {
		before := sockets()
		open(dir)
		Expect(sockets()).To(Equal(before))
		info, err := os.Stat(filepath.Join(dir, "nats"))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm()).To(BeEquivalentTo(0o700))
	})

	It("leaves a folder to the process that has it", func() {
		i := open(dir)
		_, err := inbox.Open(ctx, inbox.Options{Dir: dir})
		Expect(err).To(MatchError(ContainSubstring("another process uses it")))
		Expect(i.Put(ctx, mention(1, 1))).To(Succeed())
		Expect(i.Close()).To(Succeed())
		Expect(open(dir).Ready()).To(Succeed())
	})

	It("says so where its folder cannot be written", func() {
		file := filepath.Join(dir, "file")
		Expect(os.WriteFile(file, nil, 0o600)).To(Succeed())
		_, err := inbox.Open(ctx, inbox.Options{Dir: filepath.Join(file, "store")})
		Expect(err).To(MatchError(ContainSubstring("not a directory")))
	})

	It("does not begin anew where its store cannot be read", func() {
		i := open(dir)
		Expect(i.Put(ctx, mention(1, 1))).To(Succeed())
		Expect(i.Close()).To(Succeed())
		meta, err := filepath.Glob(filepath.Join(dir, "nats/jetstream/*/streams/*/meta.inf"))
		Expect(err).NotTo(HaveOccurred())
		Expect(meta).To(HaveLen(1))
		Expect(os.WriteFile(meta[0], []byte("{"), 0o600)).To(Succeed())

		_, err = inbox.Open(ctx, inbox.Options{Dir: dir})
		Expect(err).To(MatchError(ContainSubstring("damaged")))
	})

	It("goes on, aloud, where some of its events cannot be read", func() {
		i := open(dir)
		Expect(i.Put(ctx, mentions(1, 0, 100)...)).To(Succeed())
		Expect(i.Close()).To(Succeed())
		blocks, err := filepath.Glob(filepath.Join(dir, "nats/jetstream/*/streams/*/msgs/1.blk"))
		Expect(err).NotTo(HaveOccurred())
		Expect(blocks).To(HaveLen(1))
		content, err := os.ReadFile(blocks[0])
		Expect(err).NotTo(HaveOccurred())
		at := len(content) / 2
		copy(content[at:], "damage")
		Expect(os.WriteFile(blocks[0], content, 0o600)).To(Succeed())

		i = open(dir)
		Expect(i.Put(ctx, mention(1, 100))).To(Succeed())
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.ids).WithArguments(1).Should(ContainElement("event-100"))
		Expect(h.ids(1)).To(ContainElement("event-0"))
	})

	It("keeps NATS's words at debug level and events out of the log", func() {
		var mu sync.Mutex
		var infos, debugs strings.Builder
		logger := funcr.New(func(_, args string) {
			mu.Lock()
			defer mu.Unlock()
			debugs.WriteString(args + "\n")
			if !strings.Contains(args, `"level"=1`) {
				infos.WriteString(args + "\n")
			}
		}, funcr.Options{Verbosity: 1})
		i := open(dir, func(o *inbox.Options) { o.Logger = logger })
		Expect(i.Put(ctx, mentions(1, 0, 50)...)).To(Succeed())
		Expect(i.Put(ctx, mentions(1, 0, 50)...)).To(Succeed())
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.count).Should(Equal(50))
		Expect(i.Close()).To(Succeed())
		mu.Lock()
		defer mu.Unlock()
		Expect(infos.String()).To(BeEmpty())
		Expect(debugs.String()).To(ContainSubstring("Starting JetStream"))
		Expect(debugs.String()).NotTo(ContainSubstring("hello"))
		Expect(debugs.String()).NotTo(ContainSubstring("uid-1"))
	})

	DescribeTable("refuses options that cannot work",
		func(options inbox.Options, message string) {
			_, err := inbox.Open(ctx, options)
			Expect(err).To(MatchError(ContainSubstring(message)))
		},
		Entry("nowhere", inbox.Options{}, "either a folder"),
		Entry("two places", inbox.Options{Dir: "a", URL: "nats://b"}, "either a folder"),
		Entry("replicas of an embedded one", inbox.Options{Dir: "a", Replicas: 3}, "one server"),
		Entry("too many replicas", inbox.Options{URL: "nats://a", Replicas: 6}, "6 replicas"),
		Entry("credentials of an embedded one", inbox.Options{Dir: "a", CredentialsFile: "b"}, "credentials"),
		Entry("no room", inbox.Options{Dir: "a", MaxBytes: 1}, "room"),
		Entry("no time", inbox.Options{Dir: "a", MaxAge: time.Millisecond}, "a second"),
		Entry("knowing again what is gone", inbox.Options{Dir: "a", MaxAge: time.Hour, DuplicateWindow: 2 * time.Hour}, "duplicates"),
		Entry("credentials that are missing", inbox.Options{URL: "nats://a", CredentialsFile: "/does/not/exist"}, "credentials"),
	)

	It("registers its metrics once", func() {
		registry := prometheus.NewRegistry()
		open(dir, func(o *inbox.Options) { o.Registerer = registry })
		_, err := inbox.Open(ctx, inbox.Options{Dir: GinkgoT().TempDir(), Registerer: registry})
		var twice prometheus.AlreadyRegisteredError
		Expect(errors.As(err, &twice)).To(BeTrue())
	})
})

// sockets that this process has open.
func sockets() int {
	GinkgoHelper()
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		Skip("this system does not list a process's sockets under /proc")
	}
	count := 0
	for _, descriptor := range descriptors {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", descriptor.Name())); err == nil && strings.HasPrefix(target, "socket:") {
			count++
		}
	}
	return count
}
