// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/inbox"
)

// freePorts gives ports on which nobody listens just now, and routes to them.
func freePorts(count int) (ports []int, routes []*url.URL) {
	GinkgoHelper()
	var listeners []net.Listener
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		listeners = append(listeners, listener)
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: listener.Addr().String()})
	}
	for _, listener := range listeners {
		Expect(listener.Close()).To(Succeed())
	}
	return ports, routes
}

// startCluster starts three NATS servers that are one cluster.
func startCluster() map[string]*server.Server {
	GinkgoHelper()
	servers := map[string]*server.Server{}
	ports, routes := freePorts(3)
	for n, port := range ports {
		name := fmt.Sprint("server-", n)
		options := &server.Options{
			ServerName: name, Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: GinkgoT().TempDir(), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "rostra", Host: "127.0.0.1", Port: port},
			Routes:  routes,
		}
		s, err := server.NewServer(options)
		Expect(err).NotTo(HaveOccurred())
		s.Start()
		DeferCleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers[name] = s
	}
	for _, s := range servers {
		Expect(s.ReadyForConnections(30 * time.Second)).To(BeTrue())
	}
	Eventually(func() bool {
		for _, s := range servers {
			if s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == len(servers) {
				return true
			}
		}
		return false
	}).Should(BeTrue())
	return servers
}

var _ = Describe("A table on three NATS servers", func() {
	It("is followed on when the one that serves the follower is away, and is in step only with all rows", func() {
		ctx := context.Background()
		servers := startCluster()
		i := open("", func(o *inbox.Options) { o.URL, o.Replicas = servers["server-0"].ClientURL(), 3 })
		t := tableOf(i)
		for n := range 50 {
			put(t, fmt.Sprint("row-", n), "1", 0)
		}
		js := strangerTo(&natsServer{Server: servers["server-0"]})
		stream, err := js.Stream(ctx, "ROSTRA_TABLE_ROWS")
		Expect(err).NotTo(HaveOccurred())
		Expect(stream.DeleteMsg(ctx, 50)).To(Succeed(), "the last that a follower waits for is no more")

		// The server keeps a follower where it wants: not where the process is
		// connected, if it comes to that.
		var s *seen
		var keeper string
		for keeper == "" {
			following, stop := follow(t)
			Eventually(following.inStep).Should(Equal(1))
			Expect(following.picture()).To(HaveLen(49), "in step is with all rows")
			var info *jetstream.ConsumerInfo
			for found := range stream.ListConsumers(ctx).Info() {
				info = found
			}
			Expect(info).NotTo(BeNil())
			if keeper, s = info.Cluster.Leader, following; keeper == "server-0" {
				keeper = ""
				stop()
				Eventually(func() int {
					info, err := stream.Info(ctx)
					Expect(err).NotTo(HaveOccurred())
					return info.State.Consumers
				}).Should(BeZero())
			}
		}
		servers[keeper].Shutdown()
		servers[keeper].WaitForShutdown()
		Eventually(func() error { _, err := t.Put(ctx, "new", []byte("1"), 0, 0); return err }).Should(Or(Succeed(), MatchError(inbox.ErrConflict)))
		Eventually(s.picture).WithTimeout(time.Minute).Should(HaveKeyWithValue("new", "1"))
		Expect(s.inStep()).To(Equal(1))
	})
})
