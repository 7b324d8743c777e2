// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"context"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/rostra-dev/rostra/test/cluster"
)

var _ = Describe("A running cluster", func() {
	It("answers kubectl, as Kubernetes 1.36.3", func(ctx SpecContext) {
		out, err := shared.Kubectl(ctx, "version")
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(ContainSubstring("Client Version: v1.36.3"))
		Expect(out).To(ContainSubstring("Server Version: v1.36.3"))
	})

	It("quotes what kubectl said when it fails, but not its arguments", func(ctx SpecContext) {
		_, err := shared.Kubectl(ctx, "create", "secret", "generic", "a", "-n", "nowhere", "--from-literal=a=letmein")
		Expect(err).To(MatchError(ContainSubstring(`namespaces "nowhere" not found`)))
		Expect(err.Error()).NotTo(ContainSubstring("letmein"))
	})

	It("serves the CRDs it was given, with their rules", func(ctx SpecContext) {
		client, err := dynamic.NewForConfig(shared.Config())
		Expect(err).NotTo(HaveOccurred())
		widgets := client.Resource(schema.GroupVersionResource{Group: "test.rostra.dev", Version: "v1", Resource: "widgets"})
		_, err = widgets.List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())

		manifest := filepath.Join(GinkgoT().TempDir(), "widget.yaml")
		Expect(os.WriteFile(manifest, []byte("{apiVersion: test.rostra.dev/v1, kind: Widget, metadata: {name: a}, spec: {size: 0}}"), 0o600)).To(Succeed())
		_, err = shared.Kubectl(ctx, "apply", "-f", manifest)
		Expect(err).To(MatchError(ContainSubstring("size must be above zero")))
	})

	It("lets a deleted namespace go, with what is in it", func(ctx SpecContext) {
		client := clientset(shared)
		name := newNamespace(ctx, client)
		_, err := client.CoreV1().ConfigMaps(name).Create(ctx, configMap("inside"), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())

		Expect(client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})).To(Succeed())
		Eventually(func(ctx context.Context) error {
			_, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
			return err
		}).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
	})

	It("collects an object whose owner is gone, and leaves the others", func(ctx SpecContext) {
		client := clientset(shared)
		maps := client.CoreV1().ConfigMaps(newNamespace(ctx, client))
		owner, err := maps.Create(ctx, configMap("owner"), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		owned := configMap("owned")
		owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}}
		_, err = maps.Create(ctx, owned, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = maps.Create(ctx, configMap("free"), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())

		Expect(maps.Delete(ctx, owner.Name, metav1.DeleteOptions{})).To(Succeed())
		Eventually(func(ctx context.Context) error {
			_, err := maps.Get(ctx, owned.Name, metav1.GetOptions{})
			return err
		}).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
		_, err = maps.Get(ctx, "free", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
	})

	It("takes the higher number of requests in flight", func(ctx SpecContext) {
		out, err := shared.Kubectl(ctx, "get", "--raw", "/metrics")
		Expect(err).NotTo(HaveOccurred())
		seats := 0.0 // the priority levels share the limits of reads and writes among them
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "apiserver_flowcontrol_nominal_limit_seats{") {
				value, err := strconv.ParseFloat(strings.Fields(line)[1], 64)
				Expect(err).NotTo(HaveOccurred())
				seats += value
			}
		}
		Expect(seats).To(BeNumerically("~", 2000, 20))
	})

	It("refuses a user without rights, until RBAC grants some", func(ctx SpecContext) {
		config, kubeconfig, err := shared.UserConfig("dana", "customer-care")
		Expect(err).NotTo(HaveOccurred())
		dana, err := kubernetes.NewForConfig(config)
		Expect(err).NotTo(HaveOccurred())
		admin := clientset(shared)
		namespace := newNamespace(ctx, admin)

		out, err := shared.Kubectl(ctx, "auth", "whoami", "--kubeconfig", kubeconfig)
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(And(ContainSubstring("dana"), ContainSubstring("customer-care")))
		_, err = dana.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
		Expect(err).To(Satisfy(apierrors.IsForbidden))
		_, err = shared.Kubectl(ctx, "--kubeconfig", kubeconfig, "get", "configmaps", "-n", namespace)
		Expect(err).To(MatchError(ContainSubstring("Forbidden")))

		_, err = admin.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "care-may-look"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "customer-care"}},
		}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func(ctx context.Context) error {
			_, err := dana.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
			return err
		}).WithContext(ctx).Should(Succeed())
		_, err = dana.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("a"), metav1.CreateOptions{})
		Expect(err).To(Satisfy(apierrors.IsForbidden))
	})

	It("refuses a user without a name", func() {
		_, _, err := shared.UserConfig("")
		Expect(err).To(MatchError(ContainSubstring("needs a name")))
	})

	It("listens on the loopback address alone", func() {
		if runtime.GOOS != "linux" {
			Skip("reads /proc")
		}
		listeners := listenersOf(shared.Processes())
		Expect(listeners).NotTo(BeEmpty())
		Expect(listeners).To(HaveEach(Satisfy(net.IP.IsLoopback)))
	})
})

func newNamespace(ctx context.Context, client kubernetes.Interface) string {
	GinkgoHelper()
	ns, err := client.CoreV1().Namespaces().Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "cluster-"}}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return ns.Name
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// listenersOf returns the addresses on which the processes accept TCP connections.
func listenersOf(processes []cluster.Process) []net.IP {
	GinkgoHelper()
	var found []net.IP
	for _, p := range processes {
		proc := filepath.Join("/proc", strconv.Itoa(p.PID))
		sockets := socketsOf(filepath.Join(proc, "fd"))
		for _, table := range []string{"tcp", "tcp6"} {
			content, err := os.ReadFile(filepath.Join(proc, "net", table))
			Expect(err).NotTo(HaveOccurred())
			for line := range strings.Lines(string(content)) {
				// See proc_pid_net(5): the local address is in hexadecimal, and state 0A is "listening".
				fields := strings.Fields(line)
				if len(fields) > 9 && fields[3] == "0A" && sockets["socket:["+fields[9]+"]"] {
					found = append(found, parseAddress(fields[1]))
				}
			}
		}
	}
	return found
}

func socketsOf(dir string) map[string]bool {
	GinkgoHelper()
	entries, err := os.ReadDir(dir)
	Expect(err).NotTo(HaveOccurred())
	sockets := map[string]bool{}
	for _, entry := range entries {
		// A descriptor may be closed between the two calls.
		if target, err := os.Readlink(filepath.Join(dir, entry.Name())); err == nil {
			sockets[target] = true
		}
	}
	return sockets
}

// parseAddress reads an address as /proc/net/tcp prints it: 32-bit words in the order of the machine, which is taken to
// be little-endian.
func parseAddress(text string) net.IP {
	GinkgoHelper()
	address, _, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	Expect(err).NotTo(HaveOccurred())
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	return net.IP(raw)
}
