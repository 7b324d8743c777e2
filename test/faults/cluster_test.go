// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// node is one of a cluster of NATS servers.
type node struct {
	*program
	name, client, monitor string
}

// startCluster starts three NATS servers on loopback that know each other, and
// waits until they have a leader.
func startCluster(ctx context.Context) []*node {
	GinkgoHelper()
	const size = 3
	var routes []string
	nodes := make([]*node, size)
	for i := range nodes {
		nodes[i] = &node{name: fmt.Sprintf("nats-%d", i+1), client: freeAddress(ctx), monitor: freeAddress(ctx)}
		routes = append(routes, freeAddress(ctx))
	}
	for i, n := range nodes {
		dir := GinkgoT().TempDir()
		config := filepath.Join(dir, "nats.conf")
		Expect(os.WriteFile(config, fmt.Appendf(nil, `
server_name: %s
listen: %s
http: %s
jetstream: {store_dir: %q, sync_interval: always}
cluster: {name: faults, listen: %s, routes: [nats://%s]}
`, n.name, n.client, n.monitor, dir, routes[i], strings.Join(routes, ", nats://")), 0o600)).To(Succeed())
		n.program = newProgram(n.name, programs.nats, "-c", config)
		n.start()
	}
	for _, n := range nodes {
		n.untilWell(ctx)
	}
	return nodes
}

// untilWell waits until the node has caught up with the others.
func (n *node) untilWell(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		n.alive()
		_, err := get(ctx, "http://"+n.monitor+"/healthz")
		g.Expect(err).NotTo(HaveOccurred())
	}).Should(Succeed())
}

// urls are where clients find the cluster.
func urls(nodes []*node) string {
	all := make([]string, 0, len(nodes))
	for _, n := range nodes {
		all = append(all, "nats://"+n.client)
	}
	return strings.Join(all, ",")
}

// leader gives the node that leads a stream.
func leader(ctx context.Context, nodes []*node, stream string) *node {
	GinkgoHelper()
	connection, err := nats.Connect(urls(nodes))
	Expect(err).NotTo(HaveOccurred())
	defer connection.Close()
	js, err := jetstream.New(connection)
	Expect(err).NotTo(HaveOccurred())
	found, err := js.Stream(ctx, stream)
	Expect(err).NotTo(HaveOccurred())
	for _, n := range nodes {
		if n.name == found.CachedInfo().Cluster.Leader {
			return n
		}
	}
	Fail("the stream has no leader")
	return nil
}

var _ = Describe("Two gateways and two dispatchers on a cluster of three NATS servers", func() {
	It("lose nothing, and tell once, while a server is killed and comes back", Label("slow", "faults"), func(ctx SpecContext) {
		const (
			perSecond = 100
			pages     = 1500
			enough    = 500 // events in each part of the story
		)
		nodes := startCluster(ctx)
		people := newTruth()
		store := []string{"-nats", urls(nodes), "-replicas", "3"}
		one := newWorker(ctx, "one", people, pages, []time.Duration{time.Hour}, store...)
		other := newWorker(ctx, "other", people, pages, []time.Duration{time.Hour}, store...)
		one.run(ctx)
		other.run(ctx)

		platform := startLoad(ctx, perSecond, 0, pages, one.gateway, other.gateway)
		more := func() {
			GinkgoHelper()
			before := platform.acknowledged()
			Eventually(platform.acknowledged).WithContext(ctx).Should(BeNumerically(">=", before+enough))
		}
		more()
		victim := leader(ctx, nodes, "ROSTRA_EVENTS")
		victim.kill()
		begun := time.Now()
		before := platform.acknowledged()
		Eventually(platform.acknowledged).WithContext(ctx).Should(BeNumerically(">", before+senders))
		gap := time.Since(begun)
		more()
		victim.start()
		victim.untilWell(ctx)
		more()
		platform.end()
		untilTold(ctx, platform, people, one, other)

		balance := balance(fmt.Sprintf("2 gateways and 2 dispatchers on 3 NATS servers (R3), %s, the leader, killed and brought back; accepting again after %s",
			victim.name, gap.Round(time.Millisecond)), platform, one.stored(), people, one, other)
		balance.print()
		Expect(balance.lost).To(BeZero())
		Expect(balance.storedTwice).To(BeZero())
		Expect(balance.toldTwice).To(BeZero(), "one dispatcher acts per step")
		Expect(balance.toldMore).To(BeZero(), "one dispatcher acts per step")
		Expect(balance.by).To(HaveLen(2), "both dispatchers act")
		Expect(balance.strange).To(BeEmpty())
		Expect(balance.answers).To(HaveKey(http.StatusOK))
	}, SpecTimeout(10*time.Minute))
})
