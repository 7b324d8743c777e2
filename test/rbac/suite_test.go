// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rbac_test applies the manifests in config/ to a real API server and asks it who may do what.
package rbac_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/rostra-dev/rostra/test/cluster"
)

const (
	configDir       = "../../config"
	systemNamespace = "rostra-system"
	teamNamespace   = "owners"
	otherNamespace  = "kube-system"
)

var (
	shared *cluster.Cluster
	admin  kubernetes.Interface
)

func TestRBAC(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Rights")
}

// The first run on a machine builds the programs of the cluster, which takes minutes.
var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	shared, err = cluster.Start(ctx, cluster.Options{ControllerManager: true, Log: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(shared.Stop)
	admin = clientset(shared.Config())
	kubectl(ctx, "apply", "--validate=strict", "-k", filepath.Join(configDir, "default"))
	kubectl(ctx, "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
	makeNamespace(ctx, teamNamespace)
}, NodeTimeout(30*time.Minute))

func clientset(config *rest.Config) kubernetes.Interface {
	GinkgoHelper()
	client, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	return client
}

// kubectl runs kubectl as the administrator.
func kubectl(ctx SpecContext, args ...string) string {
	GinkgoHelper()
	out, err := shared.Kubectl(ctx, args...)
	Expect(err).NotTo(HaveOccurred())
	return out
}

func makeNamespace(ctx SpecContext, name string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := admin.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
}

// user gives the configuration of a user that no binding names yet.
func user(name string, groups ...string) *rest.Config {
	GinkgoHelper()
	config, _, err := shared.UserConfig(name, groups...)
	Expect(err).NotTo(HaveOccurred())
	return config
}

// serviceAccount gives the configuration of a service account of the operator's namespace.
func serviceAccount(name string) *rest.Config {
	GinkgoHelper()
	return user("system:serviceaccount:"+systemNamespace+":"+name, "system:serviceaccounts", "system:serviceaccounts:"+systemNamespace)
}

// overlay writes a kustomization, whose paths begin at config/, and gives its folder.
func overlay(files map[string]string) string {
	GinkgoHelper()
	// Kustomize wants relative paths, so the folder is beside the others.
	dir, err := os.MkdirTemp(".", "overlay-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	for name, content := range files {
		path := filepath.Join(dir, name)
		Expect(os.MkdirAll(filepath.Dir(path), 0o700)).To(Succeed())
		Expect(os.WriteFile(path, []byte(content), 0o600)).To(Succeed())
	}
	return dir
}
