// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/gateway"
	"github.com/rostra-dev/rostra/internal/hook"
)

const operatorNamespace = "rostra-system"

func secretOf(name string, record hook.Record) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: name, Labels: map[string]string{v1alpha1.LabelHook: record.HookID}},
		Data:       record.Encode(),
	}
}

var _ = Describe("A keyring", func() {
	var (
		secrets corev1client.SecretInterface
		client  *fake.Clientset
		keyring *gateway.Keyring
		log     *logbook
		help    hook.Record
	)
	BeforeEach(func() {
		ctx, cancel := context.WithCancel(context.Background())
		help = recordOf(helpUID, helpUID, "help", "account-help", "secret-help")
		unlabelled := secretOf("unlabelled", recordOf(newsUID, newsUID, "news", "account-news", "secret-news"))
		unlabelled.Labels = nil
		elsewhere := secretOf("elsewhere", recordOf(newsUID, newsUID, "news", "account-news", "secret-news"))
		elsewhere.Namespace = "social"
		broken := secretOf("broken", help)
		broken.Data = map[string][]byte{"keys.0.value.secret": []byte("secret-broken")}
		client = fake.NewClientset(secretOf("help", help), broken, unlabelled, elsewhere)
		secrets, log = client.CoreV1().Secrets(operatorNamespace), &logbook{}
		keyring = &gateway.Keyring{Client: client, Namespace: operatorNamespace, Book: hook.NewBook(), Logger: log.logger()}
		Expect(keyring.Synced()).To(BeFalse())
		stopped := make(chan error, 1)
		go func() { stopped <- keyring.Start(ctx) }()
		DeferCleanup(func() {
			cancel()
			Expect(<-stopped).NotTo(HaveOccurred())
			Expect(log.text()).NotTo(ContainSubstring("secret-"))
		})
		Eventually(keyring.Synced).Should(BeTrue())
		// The tracker of the fake tells a watch nothing of before it began.
		Eventually(func() int {
			watches := 0
			for _, action := range client.Actions() {
				if action.GetVerb() == "watch" {
					watches++
				}
			}
			return watches
		}).Should(Equal(1))
	})
	found := func(uid string) func() []hook.Record {
		return func() []hook.Record { return keyring.Book.Find(uid) }
	}

	It("holds the records of its namespace that have the label", func() {
		Expect(keyring.Book.Find(helpUID)).To(HaveLen(1))
		Expect(keyring.Book.Find(helpUID)[0].Channel).To(Equal("social/help"))
		Expect(keyring.Book.Find(newsUID)).To(BeEmpty())
	})

	It("follows what is written", func(ctx SpecContext) {
		_, err := secrets.Create(ctx, secretOf("shop", recordOf(pagesUID, shopUID, "shop", "account-shop", "secret-app")), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(found(pagesUID)).Should(HaveLen(1))
		help.Channel = "social/renamed"
		_, err = secrets.Update(ctx, secretOf("help", help), metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() string { return keyring.Book.Find(helpUID)[0].Channel }).Should(Equal("social/renamed"))
		Expect(secrets.Delete(ctx, "help", metav1.DeleteOptions{})).To(Succeed())
		Eventually(found(helpUID)).Should(BeEmpty())
	})

	It("names what it cannot read, and keeps what it had", func(ctx SpecContext) {
		Expect(log.text()).To(And(ContainSubstring("\"broken\""), ContainSubstring("lacks the field platform")))
		spoilt := secretOf("help", help)
		delete(spoilt.Data, "keys.0.value.secret")
		_, err := secrets.Update(ctx, spoilt, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(log.text).Should(And(ContainSubstring("\"help\""), ContainSubstring("holds no keys")))
		Expect(keyring.Book.Find(helpUID)[0].Keys).To(HaveLen(1))
	})

	It("makes the gateway wait for it", func(ctx SpecContext) {
		late := &gateway.Keyring{Client: client, Namespace: operatorNamespace, Book: hook.NewBook(), Logger: log.logger()}
		w := newWorld(func(o *gateway.Options) { o.Hooks, o.Synced = late.Book, late.Synced })
		Expect(w.deliver(helpUID, "secret-help", eventsOf("")).status).To(Equal(http.StatusServiceUnavailable))
		stopped := make(chan error, 1)
		waiting, cancel := context.WithCancel(ctx)
		go func() { stopped <- late.Start(waiting) }()
		Eventually(late.Synced).Should(BeTrue())
		Expect(w.deliver(helpUID, "secret-help", eventsOf("")).status).To(Equal(http.StatusAccepted))
		cancel()
		Expect(<-stopped).NotTo(HaveOccurred())
	})
})

var _ = Describe("A keyring at an API server", func() {
	It("asks for the Secrets with the label in its namespace, and logs none at any level", func() {
		var mu sync.Mutex
		selectors := map[string]int{}
		list := corev1.SecretList{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}, ListMeta: metav1.ListMeta{ResourceVersion: "7"},
			Items: []corev1.Secret{*secretOf("help", recordOf(helpUID, helpUID, "help", "account-help", "secret-help"))},
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			query := r.URL.Query()
			mu.Lock()
			selectors[r.URL.Path+" "+query.Get("labelSelector")]++
			mu.Unlock()
			w.Header().Set("Content-Type", "application/json")
			switch {
			case query.Get("sendInitialEvents") != "": // as a server without streamed lists
				w.WriteHeader(http.StatusUnprocessableEntity)
				_ = json.NewEncoder(w).Encode(metav1.Status{
					TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
					Reason: metav1.StatusReasonInvalid, Code: http.StatusUnprocessableEntity,
				})
			case query.Get("watch") != "":
				w.WriteHeader(http.StatusOK)
				Expect(http.NewResponseController(w).Flush()).To(Succeed())
				<-r.Context().Done()
			default:
				_ = json.NewEncoder(w).Encode(list)
			}
		}))
		DeferCleanup(server.Close)
		config := &rest.Config{Host: server.URL}
		httpClient, err := rest.HTTPClientFor(config)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(httpClient.CloseIdleConnections)
		client, err := kubernetes.NewForConfigAndClient(config, httpClient)
		Expect(err).NotTo(HaveOccurred())
		log := &logbook{}
		keyring := &gateway.Keyring{Client: client, Namespace: operatorNamespace, Book: hook.NewBook(), Logger: log.logger()}
		ctx, cancel := context.WithCancel(context.Background())
		stopped := make(chan error, 1)
		go func() { stopped <- keyring.Start(ctx) }()
		Eventually(keyring.Synced).Should(BeTrue())
		cancel()
		Expect(<-stopped).NotTo(HaveOccurred())
		Expect(keyring.Book.Find(helpUID)).To(HaveLen(1))
		Expect(log.text()).To(ContainSubstring("Caches populated"))
		Expect(log.text()).NotTo(ContainSubstring(base64.StdEncoding.EncodeToString([]byte("secret-help"))))
		mu.Lock()
		defer mu.Unlock()
		Expect(selectors).To(HaveLen(1))
		Expect(selectors).To(HaveKey("/api/v1/namespaces/rostra-system/secrets social.rostra.dev/hook"))
	})
})

var _ = Describe("A keyring without a client", func() {
	It("does not start", func() {
		Expect((&gateway.Keyring{Book: hook.NewBook()}).Start(context.Background())).NotTo(Succeed())
		Expect((&gateway.Keyring{}).NeedLeaderElection()).To(BeFalse())
	})
})
