// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/kubernetes"

	"github.com/rostra-dev/rostra/test/cluster"
)

// keeperVariable makes the test program keep a cluster until it is killed, instead of running the suite: see the spec
// that kills it.
const keeperVariable = "ROSTRA_TEST_KEEP_CLUSTER"

// shared is the cluster of the specs that only need one, with everything switched on.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	if os.Getenv(keeperVariable) != "" {
		keepCluster()
		return
	}
	os.Exit(m.Run())
}

func TestCluster(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "A local Kubernetes API")
}

// The first run on a machine builds the programs, which takes minutes.
var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	shared, err = cluster.Start(ctx, cluster.Options{
		CRDPaths:          []string{"testdata"},
		ControllerManager: true,
		MaxInflight:       1000,
		Log:               GinkgoWriter,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(shared.Stop)
}, NodeTimeout(30*time.Minute))

func clientset(c *cluster.Cluster) kubernetes.Interface {
	GinkgoHelper()
	client, err := kubernetes.NewForConfig(c.Config())
	Expect(err).NotTo(HaveOccurred())
	return client
}

// keepCluster starts a cluster, prints its processes, and never stops it.
func keepCluster() {
	c, err := cluster.Start(context.Background(), cluster.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, p := range c.Processes() {
		fmt.Println(p.PID)
	}
	fmt.Println("ready")
	select {}
}
