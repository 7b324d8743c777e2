// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scenarios_test plays what must happen to accounts: hand-overs,
// leavers, rotations, wrong accounts, two claims, outages, and a crash between
// any two steps. The API server is real; the clock and the social platform are
// simulated, so that every instant and every call can be chosen.
package scenarios_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcluster "sigs.k8s.io/controller-runtime/pkg/cluster"

	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/test/cluster"
)

// shared is the API server, and a cached client as the operator has.
var shared struct {
	cluster *cluster.Cluster
	cached  ctrlcluster.Cluster
	client  client.Client
	// secrets is the operator's client for Secrets, which has no cache.
	secrets client.Client
}

func TestScenarios(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	RunSpecs(t, "Scenarios")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	shared.cluster, err = cluster.Start(ctx, cluster.Options{CRDPaths: []string{"../../config/crd/bases"}, MaxInflight: 1000, Log: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(shared.cluster.Stop)
	scheme, err := controllers.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	config := shared.cluster.Config()
	config.QPS = -1
	shared.cached, err = ctrlcluster.New(config, func(o *ctrlcluster.Options) {
		o.Scheme = scheme
		o.Cache = controllers.CacheOptions()
		o.Client = controllers.ClientOptions()
	})
	Expect(err).NotTo(HaveOccurred())
	shared.client = shared.cached.GetClient()
	shared.secrets, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
	})
	Expect(socialchannel.Index(running, shared.cached.GetFieldIndexer())).To(Succeed())
	Expect(duty.Index(running, shared.cached.GetFieldIndexer())).To(Succeed())
	Expect(routes.Index(running, shared.cached.GetFieldIndexer())).To(Succeed())
	go func() { done <- shared.cached.Start(running) }()
	Expect(shared.cached.GetCache().WaitForCacheSync(ctx)).To(BeTrue())
}, NodeTimeout(30*time.Minute))
