// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
)

const mark = "hijack-drill: account takeover"

var _ = Describe("Empty", Label("S10"), func() {
	var (
		store   *secretstore.Store
		channel *v1alpha1.SocialChannel
	)

	BeforeEach(func(ctx SpecContext) {
		store, channel = newStore(), newChannel()
		_, err := store.Deliver(ctx, channel, delivery())
		Expect(err).NotTo(HaveOccurred())
	})

	empty := func(ctx context.Context) string {
		GinkgoHelper()
		version, err := store.Empty(ctx, channel, ownerNamespace, secretName, mark)
		Expect(err).NotTo(HaveOccurred())
		return version
	}
	found := func(ctx context.Context) *secretstore.Delivered {
		GinkgoHelper()
		delivered, err := store.Delivered(ctx, channel, ownerNamespace, secretName)
		Expect(err).NotTo(HaveOccurred())
		return delivered
	}

	It("takes the credential out, and says in its place which freeze did", func(ctx SpecContext) {
		version := empty(ctx)
		secret := read(ctx, store, ownerNamespace, secretName)
		Expect(secret.ResourceVersion).To(Equal(version))
		content := map[string]string{}
		for key, value := range secret.Data {
			content[key] = string(value)
		}
		Expect(content).To(Equal(map[string]string{
			"SOCIAL_PLATFORM": "Bluesky", "SOCIAL_SERVER": "https://bsky.social", "SOCIAL_HANDLE": "help.acme.example",
			"SOCIAL_ACCOUNT_ID": "did:plc:abc", "SOCIAL_FROZEN": mark,
		}))
		Expect(secret.Annotations).To(And(
			HaveKeyWithValue("social.rostra.dev/frozen", mark), HaveKeyWithValue("social.rostra.dev/credential-id", credentialID)))
	})

	It("leaves the witness of who could see what was in it", func(ctx SpecContext) {
		empty(ctx)
		delivered := found(ctx)
		Expect(delivered.Emptied()).To(BeTrue())
		Expect(delivered.Frozen).To(Equal(mark))
		Expect(delivered.Holds(credentialID)).To(BeFalse())
		Expect(delivered.Values).To(BeEmpty())
		Expect(delivered.CredentialID).To(Equal(credentialID))
		Expect(delivered.ExposedTo).To(Equal([]string{"care/maria", "care/dana"}))
	})

	It("writes nothing the second time, and the new mark when that changes", func(ctx SpecContext) {
		first := empty(ctx)
		Expect(empty(ctx)).To(Equal(first))
		second, err := store.Empty(ctx, channel, ownerNamespace, secretName, "audit: because")
		Expect(err).NotTo(HaveOccurred())
		Expect(second).NotTo(Equal(first))
		Expect(found(ctx).Frozen).To(Equal("audit: because"))
		Expect(found(ctx).Emptied()).To(BeTrue())
	})

	It("keeps what others put on it", func(ctx SpecContext) {
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) {
			s.Labels["theirs"], s.Annotations["theirs"], s.Finalizers = "kept", "kept", []string{"theirs.example/kept"}
		})
		empty(ctx)
		secret := read(ctx, store, ownerNamespace, secretName)
		Expect(secret.Labels).To(HaveKeyWithValue("theirs", "kept"))
		Expect(secret.Annotations).To(HaveKeyWithValue("theirs", "kept"))
		Expect(secret.Finalizers).To(ConsistOf("theirs.example/kept"))
	})

	It("empties again what somebody filled", func(ctx SpecContext) {
		empty(ctx)
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { s.Data["BLUESKY_PASSWORD"] = []byte(hidden) })
		Expect(found(ctx).Emptied()).To(BeFalse())
		empty(ctx)
		Expect(found(ctx).Values).To(BeEmpty())
	})

	It("is not fooled by an owner that writes the mark itself", Label("S25"), func(ctx SpecContext) {
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationFrozen] = mark })
		Expect(found(ctx).Emptied()).To(BeFalse(), "the credential is still in it")
		Expect(found(ctx).Holds(credentialID)).To(BeTrue())
		empty(ctx)
		Expect(found(ctx).Values).To(BeEmpty())
		Expect(found(ctx).Emptied()).To(BeTrue())
	})

	It("writes the mark again where somebody took it off", func(ctx SpecContext) {
		empty(ctx)
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { delete(s.Annotations, v1alpha1.AnnotationFrozen) })
		Expect(found(ctx).Emptied()).To(BeTrue())
		empty(ctx)
		Expect(read(ctx, store, ownerNamespace, secretName).Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationFrozen, mark))
	})

	It("puts another in the place of one that was made immutable", func(ctx SpecContext) {
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { s.Immutable = new(true) })
		empty(ctx)
		Expect(found(ctx).Emptied()).To(BeTrue())
		empty(ctx)
	})

	It("is undone by the next delivery", func(ctx SpecContext) {
		empty(ctx)
		_, err := store.Deliver(ctx, channel, delivery())
		Expect(err).NotTo(HaveOccurred())
		Expect(found(ctx).Holds(credentialID)).To(BeTrue())
		Expect(read(ctx, store, ownerNamespace, secretName).Annotations).NotTo(HaveKey(v1alpha1.AnnotationFrozen))
		Expect(read(ctx, store, ownerNamespace, secretName).Data).NotTo(HaveKey("SOCIAL_FROZEN"))
	})

	It("is undone by the next delivery, too, when somebody made it immutable", func(ctx SpecContext) {
		empty(ctx)
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { s.Immutable = new(true) })
		_, err := store.Deliver(ctx, channel, delivery())
		Expect(err).NotTo(HaveOccurred())
		Expect(found(ctx).Holds(credentialID)).To(BeTrue())
	})

	It("has nothing to do where there is no Secret, or not this channel's", func(ctx SpecContext) {
		version, err := store.Empty(ctx, channel, ownerNamespace, "another", mark)
		Expect(err).NotTo(HaveOccurred())
		Expect(version).To(BeEmpty())
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationChannel] = "social/other" })
		Expect(empty(ctx)).To(BeEmpty())
		Expect(read(ctx, store, ownerNamespace, secretName).Data).To(HaveKey("BLUESKY_PASSWORD"))
	})

	DescribeTable("says when it may not, and shows no secret",
		func(ctx SpecContext, refusal error, matcher func(error) bool) {
			store = &secretstore.Store{Client: newClient(interceptor.Funcs{
				Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error { return refusal },
			}, read(ctx, store, ownerNamespace, secretName))}
			_, err := store.Empty(ctx, channel, ownerNamespace, secretName, mark)
			Expect(matcher(err)).To(BeTrue(), "%v", err)
			if err != nil {
				Expect(err.Error()).NotTo(ContainSubstring(hidden))
			}
		},
		Entry("forbidden", apierrors.NewForbidden(corev1.Resource("secrets"), secretName, errors.New("no")),
			func(err error) bool { return errors.Is(err, secretstore.ErrForbidden) }),
		Entry("a conflict", apierrors.NewConflict(corev1.Resource("secrets"), secretName, errors.New("changed")), apierrors.IsConflict),
		Entry("gone in between", apierrors.NewNotFound(corev1.Resource("secrets"), secretName), func(err error) bool { return err == nil }),
	)
})
