// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
)

// What the Secrets store gets from a real API server, with the rights of the
// operator and no more. What it does with what it gets is tested beside it.
var _ = Describe("The Secrets store", Ordered, func() {
	const value = "hunter2-hunter2"
	var (
		operator client.WithWatch
		store    *secretstore.Store
		channel  *v1alpha1.SocialChannel
		owners   string
	)

	BeforeAll(func(ctx SpecContext) {
		config, _, err := api.UserConfig("rostra-operator")
		Expect(err).NotTo(HaveOccurred())
		operator, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
		Expect(err).NotTo(HaveOccurred())
		grant(ctx, "rostra-operator")
	})

	BeforeEach(func(ctx SpecContext) {
		store = &secretstore.Store{Client: operator}
		channel = typedChannel()
		channel.GenerateName, channel.Name = "channel-", ""
		created(ctx, channel)
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "owners-"}}
		created(ctx, namespace)
		owners = namespace.Name
	})

	delivery := func(changes ...func(*secretstore.Delivery)) secretstore.Delivery {
		made := secretstore.Delivery{
			Namespace: owners, Name: "acme-help", Platform: "Bluesky", Server: "https://bsky.social",
			Identity: platform.Identity{AccountID: did, Handle: "help.acme.example"},
			Credential: credentials.Credential{
				ID: "rostra-0123456789ab-1", Values: credentials.Values{"BLUESKY_PASSWORD": credentials.NewValue(value)},
			},
			IssuedAt: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), ExposedTo: []string{"care/maria"},
		}
		for _, change := range changes {
			change(&made)
		}
		return made
	}
	read := func(ctx context.Context, namespace, name string) *corev1.Secret {
		GinkgoHelper()
		secret := &corev1.Secret{}
		Expect(kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret)).To(Succeed())
		return secret
	}

	Describe("delivers", func() {
		It("and writes nothing where nothing is new", func(ctx SpecContext) {
			first, err := store.Deliver(ctx, channel, delivery())
			Expect(err).NotTo(HaveOccurred())
			Expect(read(ctx, owners, "acme-help").ResourceVersion).To(Equal(first))
			second, err := store.Deliver(ctx, channel, delivery())
			Expect(err).NotTo(HaveOccurred())
			Expect(second).To(Equal(first), "the API server sees no change, and wakes nobody")
			third, err := store.Deliver(ctx, channel, delivery(func(d *secretstore.Delivery) { d.Credential.ID = "rostra-0123456789ab-2" }))
			Expect(err).NotTo(HaveOccurred())
			Expect(third).NotTo(Equal(second))
		})

		It("what the largest team can see", func(ctx SpecContext) {
			_, err := store.Deliver(ctx, channel, delivery(func(d *secretstore.Delivery) {
				d.ExposedTo = nil
				for i := range 100 {
					d.ExposedTo = append(d.ExposedTo, strings.Repeat("t", 253)+"/"+fmt.Sprintf("m%062d", i))
				}
				d.Credential.Values["LONG"] = credentials.NewValue(strings.Repeat("x", 16<<10))
			}))
			Expect(err).NotTo(HaveOccurred())
			delivered, err := store.Delivered(ctx, channel, owners, "acme-help")
			Expect(err).NotTo(HaveOccurred())
			Expect(delivered.ExposedTo).To(HaveLen(100))
			Expect(delivered.Holds("rostra-0123456789ab-1")).To(BeTrue())
		})

		It("over one that its owners made immutable", func(ctx SpecContext) {
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).NotTo(HaveOccurred())
			secret := read(ctx, owners, "acme-help")
			secret.Immutable = new(true)
			Expect(kube.Update(ctx, secret)).To(Succeed())
			_, err = store.Deliver(ctx, channel, delivery(func(d *secretstore.Delivery) { d.Credential.ID = "rostra-0123456789ab-2" }))
			Expect(err).NotTo(HaveOccurred())
			Expect(read(ctx, owners, "acme-help").Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationCredentialID, "rostra-0123456789ab-2"))
		})

		It("not into a namespace that is not there", Label("S25"), func(ctx SpecContext) {
			_, err := store.Deliver(ctx, channel, delivery(func(d *secretstore.Delivery) { d.Namespace = "nowhere" }))
			Expect(err).To(And(MatchError(secretstore.ErrNamespace), MatchError(ContainSubstring("nowhere")), quiet(value)))
		})

		It("not into a namespace that is on its way out", func(ctx SpecContext) {
			held := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: owners, Name: "held", Finalizers: []string{"test.example/hold"}}}
			Expect(kube.Create(ctx, held)).To(Succeed())
			DeferCleanup(func(ctx SpecContext) {
				Expect(kube.Patch(ctx, held, merge(`{"metadata":{"finalizers":null}}`))).To(Succeed())
			})
			Expect(kube.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: owners}})).To(Succeed())
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).To(And(MatchError(secretstore.ErrNamespace), MatchError(ContainSubstring(owners)), quiet(value)))
		})

		It("not over what somebody else made", Label("S25"), func(ctx SpecContext) {
			theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: owners, Name: "acme-help"}, Data: map[string][]byte{"password": []byte(value)}}
			Expect(kube.Create(ctx, theirs)).To(Succeed())
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).To(And(MatchError(secretstore.ErrTaken), quiet(value)))
			Expect(read(ctx, owners, "acme-help").ResourceVersion).To(Equal(theirs.ResourceVersion))
		})
	})

	Describe("withdraws", func() {
		It("what is there, and finds it gone the next time", func(ctx SpecContext) {
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).NotTo(HaveOccurred())
			Expect(store.Withdraw(ctx, channel, owners, "acme-help", "rostra-0123456789ab-1")).To(Succeed())
			_, err = store.Delivered(ctx, channel, owners, "acme-help")
			Expect(err).To(MatchError(secretstore.ErrNotFound))
			Expect(store.Withdraw(ctx, channel, owners, "acme-help", "rostra-0123456789ab-1")).To(Succeed())
		})

		It("not what took its place while it looked", Label("S22"), func(ctx SpecContext) {
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).NotTo(HaveOccurred())
			racing := &secretstore.Store{Client: interceptor.NewClient(operator, interceptor.Funcs{
				Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
					_, err := store.Deliver(ctx, channel, delivery(func(d *secretstore.Delivery) { d.Credential.ID = "rostra-0123456789ab-2" }))
					Expect(err).NotTo(HaveOccurred())
					return c.Delete(ctx, object, options...)
				},
			})}
			Expect(racing.Withdraw(ctx, channel, owners, "acme-help", "rostra-0123456789ab-1")).To(MatchError(apierrors.IsConflict, "is a conflict"))
			delivered, err := store.Delivered(ctx, channel, owners, "acme-help")
			Expect(err).NotTo(HaveOccurred())
			Expect(delivered.Holds("rostra-0123456789ab-2")).To(BeTrue())
		})
	})

	It("reads no Secret by a path, even where no schema stands before it", Label("S25"), func(ctx SpecContext) {
		Expect(kube.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: owners, Name: "theirs"}, Data: map[string][]byte{"password": []byte(value)},
		})).To(Succeed())
		keys := []platform.SourceKey{{Name: "password", Required: true, Purpose: "the password"}}
		for _, name := range []string{"../" + owners + "/secrets/theirs", owners + "/theirs", "..", "theirs?namespace=" + owners, "%2e%2e"} {
			hostile := channel.DeepCopy()
			hostile.Spec.Credentials.SourceSecretRef.Name = name
			_, err := store.Source(ctx, hostile, keys)
			Expect(err).To(And(HaveOccurred(), quiet(value)), name)
		}
	})

	Describe("keeps a vault", func() {
		source := credentials.Values{"password": credentials.NewValue(value)}
		session := credentials.Values{"refresh": credentials.NewValue("refresh-" + value)}

		It("that the API server takes from an operator with no right to finalizers", func(ctx SpecContext) {
			vault := store.Vault(channel, source)
			Expect(vault.Load(ctx)).To(BeNil())
			Expect(vault.Save(ctx, session)).To(Succeed())
			secret := read(ctx, channel.Namespace, secretstore.VaultName(channel))
			Expect(metav1.IsControlledBy(secret, channel)).To(BeTrue())
			loaded, err := store.Vault(channel, source).Load(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(loaded).To(Equal(session))
		})

		It("for one writer at a time", Label("S22"), func(ctx SpecContext) {
			first, second := store.Vault(channel, source), store.Vault(channel, source)
			Expect(first.Load(ctx)).To(BeNil())
			Expect(second.Load(ctx)).To(BeNil())
			Expect(first.Save(ctx, session)).To(Succeed())
			Expect(second.Save(ctx, session)).To(MatchError(platform.ErrSessionConflict))
			Expect(first.Keep(ctx, strings.Repeat("é", 64), source)).To(Succeed())
			Expect(first.Save(ctx, session)).To(Succeed())
		})

		It("for one writer, also between its look and its write", Label("S22"), func(ctx SpecContext) {
			vault := store.Vault(channel, source)
			Expect(vault.Load(ctx)).To(BeNil())
			Expect(vault.Save(ctx, session)).To(Succeed())
			racing := &secretstore.Store{Client: interceptor.NewClient(operator, interceptor.Funcs{
				Update: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.UpdateOption) error {
					Expect(vault.Save(ctx, credentials.Values{"refresh": credentials.NewValue("newer")})).To(Succeed())
					return c.Update(ctx, object, options...)
				},
			})}
			late := racing.Vault(channel, source)
			_, err := late.Load(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(late.Save(ctx, session)).To(MatchError(platform.ErrSessionConflict))
			loaded, err := store.Vault(channel, source).Load(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(loaded.Get("refresh")).To(Equal("newer"))
		})

		It("that goes when its channel does", func(ctx SpecContext) {
			vault := store.Vault(channel, source)
			Expect(vault.Load(ctx)).To(BeNil())
			Expect(vault.Save(ctx, session)).To(Succeed())
			name := client.ObjectKey{Namespace: channel.Namespace, Name: secretstore.VaultName(channel)}
			Expect(kube.Delete(ctx, channel)).To(Succeed())
			Eventually(func() error { return kube.Get(ctx, name, &corev1.Secret{}) }).Should(MatchError(apierrors.IsNotFound, "is not found"))
		})
	})
})

// quiet is an error that does not tell the secret.
func quiet(secret string) OmegaMatcher {
	return WithTransform(func(err error) string { return fmt.Sprintf("%v %+v", err, err) }, Not(ContainSubstring(secret)))
}

// grant gives a user the rights that the operator is installed with.
func grant(ctx SpecContext, user string) {
	GinkgoHelper()
	content, err := os.ReadFile("../../config/rbac/role.yaml")
	Expect(err).NotTo(HaveOccurred())
	role := &rbacv1.ClusterRole{}
	Expect(yaml.UnmarshalStrict(content, role)).To(Succeed())
	created(ctx, role)
	created(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
}
