// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
)

func TestSecretStore(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "secretstore")
}

// What only a real API server shows is in test/api.

const (
	hidden = "hunter2-hunter2"
	uid    = "0b1f6a52-9c1d-4b7e-8f0a-3d2c1b0a9f8e"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// newClient is a client of an API that holds these objects. What the
// interceptors do comes first.
func newClient(intercept interceptor.Funcs, objects ...client.Object) client.Client {
	GinkgoHelper()
	scheme := runtime.NewScheme()
	Expect(corev1.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(intercept).Build()
}

func newStore(objects ...client.Object) *secretstore.Store {
	GinkgoHelper()
	return &secretstore.Store{Client: newClient(interceptor.Funcs{}, objects...)}
}

func newChannel(changes ...func(*v1alpha1.SocialChannel)) *v1alpha1.SocialChannel {
	channel := &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "acme-help", UID: uid}}
	channel.Spec.Credentials.SourceSecretRef.Name = "acme-help-source"
	channel.Spec.Credentials.Delivery.SecretName = "acme-help"
	for _, change := range changes {
		change(channel)
	}
	return channel
}

func newSecret(namespace, name string, data map[string]string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{}}
	for key, content := range data {
		secret.Data[key] = []byte(content)
	}
	return secret
}

// read gives a Secret as it is, or nil.
func read(ctx context.Context, store *secretstore.Store, namespace, name string) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	err := store.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret)
	Expect(client.IgnoreNotFound(err)).To(Succeed())
	if err != nil {
		return nil
	}
	return secret
}

// change edits a Secret behind Rostra's back.
func change(ctx context.Context, store *secretstore.Store, namespace, name string, edit func(*corev1.Secret)) {
	GinkgoHelper()
	secret := read(ctx, store, namespace, name)
	Expect(secret).NotTo(BeNil())
	edit(secret)
	Expect(store.Client.Update(ctx, secret)).To(Succeed())
}

func values(pairs ...string) credentials.Values {
	made := credentials.Values{}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i]] = credentials.NewValue(pairs[i+1])
	}
	return made
}

// reveal is what the values hold, for comparison.
func reveal(values credentials.Values) map[string]string {
	if values == nil {
		return nil
	}
	revealed := map[string]string{}
	for key := range values {
		revealed[key] = values.Get(key)
	}
	return revealed
}

// failWith is an error of this kind whose words hold these, and no secret.
func failWith(kind error, words ...string) types.GomegaMatcher {
	matchers := []types.GomegaMatcher{
		MatchError(kind),
		WithTransform(error.Error, Not(ContainSubstring(hidden))),
		WithTransform(error.Error, Not(ContainSubstring(strings.TrimSpace(hidden[:7])))),
	}
	for _, word := range words {
		matchers = append(matchers, MatchError(ContainSubstring(word)))
	}
	return And(matchers...)
}

// delivery is what is written for the owner when all is well.
func delivery(changes ...func(*secretstore.Delivery)) secretstore.Delivery {
	made := secretstore.Delivery{
		Namespace: "customer-care", Name: "acme-help",
		Platform: "Bluesky", Server: "https://bsky.social",
		Identity:   platform.Identity{AccountID: "did:plc:abc", Handle: "help.acme.example"},
		Credential: credentials.Credential{ID: "rostra-0b1f6a529c1d-1", Values: values("BLUESKY_PASSWORD", hidden)},
		IssuedAt:   noon,
		ExposedTo:  []string{"care/maria", "care/dana"},
	}
	for _, change := range changes {
		change(&made)
	}
	return made
}
