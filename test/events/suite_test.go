// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package events_test runs the whole operator with its gateway, its inbox and
// the rights that config gives it, against a real Kubernetes API and strict
// fakes of the platforms. What counts is what a customer would notice: whether
// what they wrote arrives, once.
package events_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/test/cluster"
)

// systemNamespace is the operator's own, as in config.
const systemNamespace = "rostra-system"

// parts are what all specs work with.
var parts struct {
	cluster  *cluster.Cluster
	client   client.Client
	operator *rest.Config
	outbound *httpx.Client
	log      *journal
	// machinery counts what the controllers of all operators do.
	machinery prometheus.Gatherer
}

func TestEvents(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "Events reach us")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	parts.log = &journal{}
	parts.machinery = metrics.Registry // each operator has another, for what it counts itself
	log.SetLogger(zap.New(zap.WriteTo(io.MultiWriter(parts.log, GinkgoWriter)), zap.UseDevMode(true)))
	var err error
	parts.cluster, err = cluster.Start(ctx, cluster.Options{Log: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(parts.cluster.Stop)
	install(ctx)
	scheme, err := controllers.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	parts.client, err = client.New(parts.cluster.Config(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	parts.operator, _ = serviceAccount("rostra-manager")
	parts.outbound, err = httpx.New(httpx.Options{
		UserAgent: "rostra-test", AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Timeout: 5 * time.Second, AccountRate: 50, BreakerOpenFor: time.Second,
	})
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(30*time.Minute))

// install applies what an administrator applies.
func install(ctx context.Context) {
	GinkgoHelper()
	// Kustomize wants relative paths, so the folder is beside the others.
	dir, err := os.MkdirTemp(".", "overlay-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	Expect(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(`
resources: [../../../config/default]
components: [../../../config/components/gateway-scaled]
`), 0o600)).To(Succeed())
	kubectl(ctx, "apply", "--validate=strict", "-k", dir)
	kubectl(ctx, "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
}

// kubectl runs kubectl as the administrator.
func kubectl(ctx context.Context, args ...string) string {
	GinkgoHelper()
	out, err := parts.cluster.Kubectl(ctx, args...)
	Expect(err).NotTo(HaveOccurred())
	return out
}

// serviceAccount gives the configuration of a service account of the operator's
// namespace, and the path of a kubeconfig.
func serviceAccount(name string) (config *rest.Config, kubeconfig string) {
	GinkgoHelper()
	config, kubeconfig, err := parts.cluster.UserConfig("system:serviceaccount:"+systemNamespace+":"+name,
		"system:serviceaccounts", "system:serviceaccounts:"+systemNamespace)
	Expect(err).NotTo(HaveOccurred())
	return config, kubeconfig
}

// journal keeps what is logged.
type journal struct {
	mu      sync.Mutex
	content bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.content.Write(line)
}

// String gives all that was logged.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.content.String()
}

// askedOf counts the requests to the API server, but for the watches, which
// last.
type askedOf struct{ requests atomic.Int64 }

func (a *askedOf) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !strings.Contains(r.URL.RawQuery, "watch=true") {
			a.requests.Add(1)
		}
		return next.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// freeAddress gives a loopback address that nobody listens on at the moment.
func freeAddress(ctx context.Context) string {
	GinkgoHelper()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	address := listener.Addr().String()
	Expect(listener.Close()).To(Succeed())
	return address
}
