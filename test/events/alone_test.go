// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/rostra-dev/rostra/test/child"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

// startNATS starts a NATS server of somebody else's, and gives its URL.
func startNATS() string {
	GinkgoHelper()
	nats, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: GinkgoT().TempDir(), NoSigs: true, NoLog: true,
	})
	Expect(err).NotTo(HaveOccurred())
	nats.Start()
	DeferCleanup(func() {
		nats.Shutdown()
		nats.WaitForShutdown()
	})
	Expect(nats.ReadyForConnections(30 * time.Second)).To(BeTrue())
	return nats.ClientURL()
}

// startGateway builds the program and starts a gateway with the rights that it
// is shipped with. It gives the address of its probes.
func (w *world) startGateway(ctx context.Context, kubeconfig string) (probes string) {
	GinkgoHelper()
	program := filepath.Join(GinkgoT().TempDir(), "rostra")
	built, err := exec.CommandContext(ctx, "go", "build", "-o", program, "../..").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(built))
	probes = freeAddress(ctx)
	gateway := exec.Command(program, "gateway", "--kubeconfig="+kubeconfig, "--namespace="+systemNamespace, "--nats-url="+w.nats,
		"--gateway-bind-address="+w.address, "--gateway-url="+w.base, "--metrics-bind-address=0", "--health-probe-bind-address="+probes)
	gateway.Stdout, gateway.Stderr = GinkgoWriter, GinkgoWriter
	running, err := child.Start(gateway, syscall.SIGKILL)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		Expect(gateway.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Eventually(running.Ended()).Should(BeClosed())
		Expect(running.Err()).To(Succeed(), "it stops in good order")
	})
	return probes
}

// rights lists what somebody may do in a namespace, as "verb resource", without
// what everybody may.
func rights(ctx context.Context, who *rest.Config, namespace string) []string {
	GinkgoHelper()
	nobody, _ := serviceAccount("nobody")
	everybodys := rulesOf(ctx, nobody, namespace)
	return slices.DeleteFunc(rulesOf(ctx, who, namespace), func(rule string) bool { return slices.Contains(everybodys, rule) })
}

func rulesOf(ctx context.Context, who *rest.Config, namespace string) []string {
	GinkgoHelper()
	clientset, err := kubernetes.NewForConfig(who)
	Expect(err).NotTo(HaveOccurred())
	review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	answer, err := clientset.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, review, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(answer.Status.Incomplete).To(BeFalse())
	var all []string
	for _, rule := range answer.Status.ResourceRules {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				all = append(all, verb+" "+resource)
			}
		}
	}
	return all
}

var _ = Describe("A gateway apart from the operator", func() {
	It("serves callbacks with no right but to read what verifies them", func(ctx SpecContext) {
		m := newMastodonWorldOn(ctx, func(w *world) { w.elsewhere, w.nats = true, startNATS() })
		account, kubeconfig := serviceAccount("rostra-gateway")
		probes := m.startGateway(ctx, kubeconfig)
		ready := func() (int, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+probes+"/readyz", http.NoBody)
			if err != nil {
				return 0, err
			}
			return answerTo(request)
		}
		Eventually(ready).Should(Equal(http.StatusOK))
		channel := m.subscribed(ctx)

		customer := newReader()
		m.reads("answers", customer)
		m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "Is anybody there?"})
		Expect(m.fake.Pushed()).To(HaveExactElements(HaveField("Status", http.StatusCreated)))
		Eventually(customer.all).Should(HaveExactElements(And(
			HaveField("Text", "Is anybody there?"), HaveField("ChannelUID", string(channel.UID)),
		)))
		Eventually(func() *metav1.Time { return m.get(ctx, "help").Status.Subscription.LastEvent }).ShouldNot(BeNil())

		By("asking what it may do")
		Expect(rights(ctx, account, systemNamespace)).To(ConsistOf("get secrets", "list secrets", "watch secrets"))
		Expect(rights(ctx, account, m.in("social"))).To(BeEmpty())
		clientset, err := kubernetes.NewForConfig(account)
		Expect(err).NotTo(HaveOccurred())
		_, err = clientset.CoreV1().Secrets(m.in("social")).Get(ctx, "help-source", metav1.GetOptions{})
		Expect(err).To(Satisfy(apierrors.IsForbidden))
		record, err := m.record(ctx, channel)
		Expect(err).NotTo(HaveOccurred())
		err = clientset.CoreV1().Secrets(systemNamespace).Delete(ctx, record.Name, metav1.DeleteOptions{})
		Expect(err).To(Satisfy(apierrors.IsForbidden))
	})
})
