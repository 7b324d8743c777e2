// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/inbox"
)

// natsServer is a NATS server of somebody else's, on loopback.
type natsServer struct {
	dir  string
	port int
	*server.Server
}

func startNATS() *natsServer {
	GinkgoHelper()
	s := &natsServer{dir: GinkgoT().TempDir(), port: server.RANDOM_PORT}
	s.start()
	DeferCleanup(s.stop)
	return s
}

func (s *natsServer) start() {
	GinkgoHelper()
	var err error
	s.Server, err = server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: s.port, JetStream: true, StoreDir: s.dir, NoSigs: true, NoLog: true,
	})
	Expect(err).NotTo(HaveOccurred())
	s.Start()
	Expect(s.ReadyForConnections(30 * time.Second)).To(BeTrue())
	s.port = s.Addr().(*net.TCPAddr).Port // the same after a restart
}

func (s *natsServer) stop() {
	s.Shutdown()
	s.WaitForShutdown()
}

// strangerTo connects to the server without Rostra.
func strangerTo(s *natsServer) jetstream.JetStream {
	GinkgoHelper()
	stranger, err := nats.Connect(s.ClientURL())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(stranger.Close)
	js, err := jetstream.New(stranger)
	Expect(err).NotTo(HaveOccurred())
	return js
}

var _ = Describe("An inbox on a NATS cluster", func() {
	var (
		ctx    context.Context
		remote *natsServer
	)
	BeforeEach(func() {
		ctx = context.Background()
		remote = startNATS()
	})

	// connect opens an inbox on the cluster.
	connect := func(changes ...func(*inbox.Options)) *inbox.Inbox {
		GinkgoHelper()
		return open("", append(changes, func(o *inbox.Options) { o.URL = remote.ClientURL() })...)
	}

	It("stores, folds and hands out as the embedded one does, also in two processes", func() {
		one, other := connect(), connect()
		Expect(one.Put(ctx, mentions(1, 0, 200)...)).To(Succeed())
		Expect(other.Put(ctx, mentions(1, 100, 200)...)).To(Succeed())
		var h heard
		consume(one, "reader", inbox.Filter{}, h.handle)
		consume(other, "reader", inbox.Filter{}, h.handle)
		Eventually(h.ids).WithArguments(1).Should(Equal(ids(0, 300)))
	})

	It("refuses within seconds while the server is away, and goes on when it is back", func() {
		i := connect()
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Expect(i.Put(ctx, mention(1, 0))).To(Succeed())
		Eventually(h.count).Should(Equal(1))

		remote.stop()
		started := time.Now()
		Expect(i.Put(ctx, mention(1, 1))).To(MatchError(inbox.ErrUnavailable))
		Expect(i.Put(ctx, mentions(1, 1, 100)...)).To(MatchError(inbox.ErrUnavailable))
		Expect(time.Since(started)).To(BeNumerically("<", 10*time.Second))
		Eventually(i.Ready).Should(MatchError(inbox.ErrUnavailable))

		remote.start()
		Eventually(i.Ready).Should(Succeed())
		Eventually(func() error { return i.Put(ctx, mentions(1, 0, 100)...) }).Should(Succeed())
		Eventually(h.ids).WithArguments(1).Should(Equal(ids(0, 100)))
	})

	It("can be closed while the server is away", func() {
		i := connect()
		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Expect(i.Put(ctx, mention(1, 0))).To(Succeed())
		Eventually(h.count).Should(Equal(1))
		remote.stop()
		Eventually(i.Ready).ShouldNot(Succeed())
		started := time.Now()
		Expect(i.Close()).To(Succeed())
		Expect(time.Since(started)).To(BeNumerically("<", 10*time.Second))
	})

	It("says so where nobody answers", func() {
		url := remote.ClientURL()
		remote.stop()
		_, err := inbox.Open(ctx, inbox.Options{URL: url})
		Expect(err).To(MatchError(inbox.ErrUnavailable))
	})

	It("says so where the cluster has too few servers", func() {
		_, err := inbox.Open(ctx, inbox.Options{URL: remote.ClientURL(), Replicas: 3})
		Expect(err).To(And(MatchError(inbox.ErrUnavailable), MatchError(ContainSubstring("replicas"))))
	})

	It("gives up, and counts, what is no event, and goes on behind it", func() {
		registry := prometheus.NewRegistry()
		i := connect(func(o *inbox.Options) { o.Registerer = registry })
		js := strangerTo(remote)

		// In the partition and channel of an event that comes behind.
		Expect(i.Put(ctx, mention(1, 0))).To(Succeed())
		stream, err := js.Stream(ctx, "ROSTRA_EVENTS")
		Expect(err).NotTo(HaveOccurred())
		msg, err := stream.GetMsg(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		for _, data := range []string{"", "{}", "null", "[", `{"id":"1","kind":"Mention","platform":"*","accountID":"1"}`} {
			_, err := js.Publish(ctx, msg.Subject, []byte(data))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(i.Put(ctx, mention(1, 1))).To(Succeed())

		var h heard
		consume(i, "reader", inbox.Filter{}, h.handle)
		Eventually(h.all).Should(Equal([]event.Event{mention(1, 0), mention(1, 1)}))
		Expect(testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP rostra_inbox_messages_undecodable_total Stored messages that were given up because they are no events, or no letters.
# TYPE rostra_inbox_messages_undecodable_total counter
rostra_inbox_messages_undecodable_total 5
`), "rostra_inbox_messages_undecodable_total")).To(Succeed())
	})

	It("ends a consumer that is taken away", func() {
		i := connect()
		ended := make(chan error, 1)
		go func() {
			ended <- i.Consume(ctx, "reader", inbox.Filter{}, func(context.Context, event.Event) error { return nil })
		}()
		js := strangerTo(remote)
		Eventually(func() error { return js.DeleteConsumer(ctx, "ROSTRA_EVENTS", "reader-03") }).Should(Succeed())
		Eventually(ended).Should(Receive(Satisfy(func(err error) bool { return errors.Is(err, inbox.ErrUnavailable) })))
	})
})
