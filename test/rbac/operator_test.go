// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
)

// Nobody listens at the platform's address.
const platformManifest = `
apiVersion: social.rostra.dev/v1alpha1
kind: SocialPlatform
metadata: {name: bluesky}
spec:
  type: Bluesky
  bluesky: {service: "http://127.0.0.1:1"}
  allowedNamespaces: {}
`

func teamManifest(namespace string) string {
	return `
apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: owners}
spec:
  namespace: ` + namespace + `
  manager: maria
  members: [{name: maria, email: maria@acme.example}]
  accepts: [{namespace: named, channels: ["*"]}, {namespace: unnamed, channels: ["*"]}]
`
}

// channelManifest is a channel and its source Secret. Each account has a channel in its own namespace.
func channelManifest(namespace string) string {
	return `
apiVersion: v1
kind: Secret
metadata: {name: help-source, namespace: ` + namespace + `}
stringData: {password: not-a-real-one}
---
apiVersion: social.rostra.dev/v1alpha1
kind: SocialChannel
metadata: {name: help, namespace: ` + namespace + `}
spec:
  platformRef: {name: bluesky}
  handle: help-` + namespace + `.test
  purpose: customer-care
  ownerRef: {name: owners}
  credentials:
    sourceSecretRef: {name: help-source}
    delivery: {secretName: help}
`
}

func apply(ctx SpecContext, manifest string) {
	GinkgoHelper()
	path := filepath.Join(GinkgoT().TempDir(), "manifest.yaml")
	Expect(os.WriteFile(path, []byte(manifest), 0o600)).To(Succeed())
	kubectl(ctx, "apply", "--validate=strict", "-f", path)
}

// condition gives an object's condition as "status reason".
func condition(ctx SpecContext, object, namespace, kind string) (string, error) {
	return shared.Kubectl(ctx, "get", object, "-n", namespace,
		"-o", `jsonpath={.status.conditions[?(@.type=="`+kind+`")]['status','reason']}`)
}

// startOperator runs the operator, with leader election, as a user.
func startOperator(as *rest.Config) {
	GinkgoHelper()
	log.SetLogger(GinkgoLogr)
	outbound, err := httpx.New(httpx.Options{UserAgent: "rostra-test", AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	Expect(err).NotTo(HaveOccurred())
	running, stop := context.WithCancel(context.Background())
	mgr, err := controllers.NewManager(running, as, controllers.Options{
		Platforms:      platform.Registry{string(v1alpha1.PlatformBluesky): bluesky.NewFactory(outbound, clock.RealClock{})},
		MetricsAddress: "0", ProbeAddress: "0",
		LeaderElection: true, LeaderElectionNamespace: systemNamespace,
	})
	Expect(err).NotTo(HaveOccurred())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
	})
}

// watchesSecrets runs a cache as the operator has one, as a user, that watches the metadata of Secrets.
func watchesSecrets(ctx SpecContext, as *rest.Config) cache.Cache {
	GinkgoHelper()
	log.SetLogger(GinkgoLogr)
	options := controllers.CacheOptions()
	scheme, err := controllers.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	options.Scheme = scheme
	informers, err := cache.New(as, options)
	Expect(err).NotTo(HaveOccurred())
	secrets := &metav1.PartialObjectMetadata{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	_, err = informers.GetInformer(ctx, secrets, cache.BlockUntilSynced(false))
	Expect(err).NotTo(HaveOccurred())
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- informers.Start(running) }()
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
	})
	return informers
}
