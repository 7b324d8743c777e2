// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore_test

import (
	"context"
	"errors"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
)

const (
	ownerNamespace = "customer-care"
	secretName     = "acme-help"
	credentialID   = "rostra-0b1f6a529c1d-1"
)

var _ = Describe("Deliver", func() {
	var (
		store   *secretstore.Store
		channel *v1alpha1.SocialChannel
	)

	BeforeEach(func() {
		store, channel = newStore(), newChannel()
	})

	deliver := func(ctx context.Context, changes ...func(*secretstore.Delivery)) string {
		GinkgoHelper()
		version, err := store.Deliver(ctx, channel, delivery(changes...))
		Expect(err).NotTo(HaveOccurred())
		return version
	}
	found := func(ctx context.Context) *secretstore.Delivered {
		GinkgoHelper()
		delivered, err := store.Delivered(ctx, channel, ownerNamespace, secretName)
		Expect(err).NotTo(HaveOccurred())
		return delivered
	}

	It("writes what a tool needs, by names of environment variables", func(ctx SpecContext) {
		version := deliver(ctx)
		secret := read(ctx, store, ownerNamespace, secretName)
		Expect(secret.ResourceVersion).To(Equal(version))
		Expect(secret.Type).To(Equal(corev1.SecretTypeOpaque))
		content := map[string]string{}
		for key, value := range secret.Data {
			Expect(key).To(MatchRegexp(`^[A-Z][A-Z0-9_]*$`), "good for envFrom")
			content[key] = string(value)
		}
		Expect(content).To(Equal(map[string]string{
			"SOCIAL_PLATFORM": "Bluesky", "SOCIAL_SERVER": "https://bsky.social", "SOCIAL_HANDLE": "help.acme.example",
			"SOCIAL_ACCOUNT_ID": "did:plc:abc", "SOCIAL_CREDENTIAL_ID": credentialID, "BLUESKY_PASSWORD": hidden,
		}))
		Expect(secret.Labels).To(Equal(map[string]string{"app.kubernetes.io/managed-by": "rostra", "social.rostra.dev/channel-uid": uid}))
		Expect(secret.Annotations).To(And(
			HaveKeyWithValue("social.rostra.dev/channel", "social/acme-help"),
			HaveKeyWithValue("social.rostra.dev/credential-id", credentialID),
			HaveKeyWithValue("social.rostra.dev/issued-at", "2026-11-21T12:00:00Z"),
			HaveKey("social.rostra.dev/content-digest"),
		))
		for key, value := range secret.Annotations {
			Expect(value).NotTo(ContainSubstring(hidden), key)
		}
		Expect(secret.OwnerReferences).To(BeEmpty(), "an owner in another namespace would have it collected")
	})

	It("reads back what it wrote", func(ctx SpecContext) {
		version := deliver(ctx)
		delivered := found(ctx)
		Expect(delivered.CredentialID).To(Equal(credentialID))
		Expect(delivered.IssuedAt).To(BeTemporally("==", noon))
		Expect(delivered.ResourceVersion).To(Equal(version))
		Expect(delivered.ExposedTo).To(Equal([]string{"care/maria", "care/dana"}))
		Expect(reveal(delivered.Values)).To(Equal(map[string]string{"BLUESKY_PASSWORD": hidden}))
		Expect(delivered.Intact).To(BeTrue())
		Expect(delivered.ForeignUID).To(BeFalse())
		Expect(delivered.Holds(credentialID)).To(BeTrue())
		Expect(delivered.Holds("rostra-0b1f6a529c1d-2")).To(BeFalse())
		Expect(delivered.Holds("")).To(BeFalse())
	})

	It("knows nobody who saw it where nobody was there", func(ctx SpecContext) {
		deliver(ctx, func(d *secretstore.Delivery) { d.ExposedTo = nil })
		Expect(found(ctx).ExposedTo).To(BeEmpty())
	})

	It("overwrites its own, and leaves what others put on it", func(ctx SpecContext) {
		first := deliver(ctx)
		change(ctx, store, ownerNamespace, secretName, func(secret *corev1.Secret) {
			secret.Labels["team"] = "care"
			secret.Annotations["reloader.example/match"] = "true"
			secret.Finalizers = []string{"care.example/keep"}
			secret.Data["EXTRA"] = []byte("theirs")
		})
		second := deliver(ctx, func(d *secretstore.Delivery) {
			d.Credential = credentials.Credential{ID: "rostra-0b1f6a529c1d-2", Values: values("BLUESKY_PASSWORD", "another")}
			d.IssuedAt, d.ExposedTo = noon.Add(time.Hour), []string{"care/maria"}
		})
		Expect(second).NotTo(Equal(first))
		secret := read(ctx, store, ownerNamespace, secretName)
		Expect(secret.Labels).To(HaveKeyWithValue("team", "care"))
		Expect(secret.Annotations).To(HaveKeyWithValue("reloader.example/match", "true"))
		Expect(secret.Finalizers).To(Equal([]string{"care.example/keep"}))
		Expect(secret.Data).NotTo(HaveKey("EXTRA"), "what is in the digest is Rostra's alone")
		Expect(secret.Data).To(HaveKeyWithValue("BLUESKY_PASSWORD", []byte("another")))
		Expect(found(ctx).Holds("rostra-0b1f6a529c1d-2")).To(BeTrue())
		Expect(found(ctx).ExposedTo).To(Equal([]string{"care/maria"}))
	})

	It("replaces one that was made immutable, and leaves what others put on it", func(ctx SpecContext) {
		deliver(ctx)
		change(ctx, store, ownerNamespace, secretName, func(secret *corev1.Secret) {
			secret.Labels["team"] = "care"
			secret.Annotations["reloader.example/match"] = "true"
			secret.Immutable = new(true)
		})
		version := deliver(ctx, func(d *secretstore.Delivery) {
			d.Credential = credentials.Credential{ID: "rostra-0b1f6a529c1d-2", Values: values("BLUESKY_PASSWORD", "another")}
		})
		secret := read(ctx, store, ownerNamespace, secretName)
		Expect(secret.ResourceVersion).To(Equal(version))
		Expect(secret.Immutable).To(BeNil())
		Expect(secret.Data).To(HaveKeyWithValue("BLUESKY_PASSWORD", []byte("another")))
		Expect(found(ctx).Holds("rostra-0b1f6a529c1d-2")).To(BeTrue())
		Expect(secret.Labels).To(HaveKeyWithValue("team", "care"))
		Expect(secret.Annotations).To(HaveKeyWithValue("reloader.example/match", "true"))
	})

	It("leaves no value of another platform behind", func(ctx SpecContext) {
		deliver(ctx)
		deliver(ctx, func(d *secretstore.Delivery) { d.Credential.Values = values("MASTODON_ACCESS_TOKEN", "t") })
		Expect(read(ctx, store, ownerNamespace, secretName).Data).NotTo(HaveKey("BLUESKY_PASSWORD"))
	})

	Describe("meets a Secret of that name", Label("S25"), func() {
		DescribeTable("that is not this channel's: it is left as it is",
			func(ctx SpecContext, labels, annotations map[string]string) {
				theirs := newSecret(ownerNamespace, secretName, map[string]string{"password": hidden})
				theirs.Labels, theirs.Annotations = labels, annotations
				store = newStore(theirs)
				before := read(ctx, store, ownerNamespace, secretName)

				_, err := store.Deliver(ctx, channel, delivery())
				Expect(err).To(failWith(secretstore.ErrTaken, "customer-care/acme-help", "remove it, or choose another spec.credentials.delivery.secretName"))
				_, err = store.Delivered(ctx, channel, ownerNamespace, secretName)
				Expect(err).To(failWith(secretstore.ErrTaken))
				Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, "")).To(Succeed())
				Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, credentialID)).To(Succeed())
				Expect(read(ctx, store, ownerNamespace, secretName)).To(Equal(before))
			},
			Entry("nobody's", nil, nil),
			Entry("Helm's", map[string]string{"app.kubernetes.io/managed-by": "Helm"}, map[string]string{"social.rostra.dev/channel": "social/acme-help"}),
			Entry("another channel's", map[string]string{"app.kubernetes.io/managed-by": "rostra", "social.rostra.dev/channel-uid": uid},
				map[string]string{"social.rostra.dev/channel": "social/acme-news"}),
			Entry("a channel's of the same name in another namespace", map[string]string{"app.kubernetes.io/managed-by": "rostra"},
				map[string]string{"social.rostra.dev/channel": "press/acme-help"}),
			Entry("one that lost its annotation", map[string]string{"app.kubernetes.io/managed-by": "rostra", "social.rostra.dev/channel-uid": uid}, nil),
			Entry("one that lost its label", map[string]string{"social.rostra.dev/channel-uid": uid}, map[string]string{"social.rostra.dev/channel": "social/acme-help"}),
		)

		It("of an earlier channel of this name: it is taken over, and never trusted", func(ctx SpecContext) {
			earlier := newChannel(func(c *v1alpha1.SocialChannel) { c.UID = "11111111-2222-3333-4444-555555555555" })
			_, err := store.Deliver(ctx, earlier, delivery())
			Expect(err).NotTo(HaveOccurred())
			delivered := found(ctx)
			Expect(delivered.ForeignUID).To(BeTrue())
			Expect(delivered.Intact).To(BeTrue())
			Expect(delivered.Holds(credentialID)).To(BeFalse())
			deliver(ctx)
			Expect(found(ctx).ForeignUID).To(BeFalse())
		})
	})

	DescribeTable("notices afterwards that", Label("S25"),
		func(ctx SpecContext, intact bool, edit func(*corev1.Secret)) {
			deliver(ctx)
			change(ctx, store, ownerNamespace, secretName, edit)
			Expect(found(ctx).Intact).To(Equal(intact))
			Expect(found(ctx).Holds(credentialID)).To(Equal(intact))
		},
		Entry("nothing was changed", true, func(*corev1.Secret) {}),
		Entry("a label came, which is theirs to do", true, func(s *corev1.Secret) { s.Labels["team"] = "care" }),
		Entry("the password was changed", false, func(s *corev1.Secret) { s.Data["BLUESKY_PASSWORD"] = []byte("hunter3") }),
		Entry("the password was changed to one as long", false, func(s *corev1.Secret) { s.Data["BLUESKY_PASSWORD"] = []byte("hunter3-hunter3") }),
		Entry("the handle was changed to one as long", false, func(s *corev1.Secret) { s.Data["SOCIAL_HANDLE"] = []byte("help.evil.example") }),
		Entry("the password was emptied", false, func(s *corev1.Secret) { s.Data["BLUESKY_PASSWORD"] = nil }),
		Entry("the password was removed", false, func(s *corev1.Secret) { delete(s.Data, "BLUESKY_PASSWORD") }),
		Entry("a line break was added", false, func(s *corev1.Secret) { s.Data["BLUESKY_PASSWORD"] = []byte(hidden + "\n") }),
		Entry("the handle was changed", false, func(s *corev1.Secret) { s.Data["SOCIAL_HANDLE"] = []byte("evil.example") }),
		Entry("the server was changed", false, func(s *corev1.Secret) { s.Data["SOCIAL_SERVER"] = []byte("https://evil.example") }),
		Entry("two were swapped", false, func(s *corev1.Secret) {
			s.Data["SOCIAL_HANDLE"], s.Data["SOCIAL_ACCOUNT_ID"] = s.Data["SOCIAL_ACCOUNT_ID"], s.Data["SOCIAL_HANDLE"]
		}),
		Entry("a key was added", false, func(s *corev1.Secret) { s.Data["HTTPS_PROXY"] = []byte("http://evil.example") }),
		Entry("an empty key was added", false, func(s *corev1.Secret) { s.Data["EMPTY"] = nil }),
		Entry("all is gone", false, func(s *corev1.Secret) { s.Data = nil }),
		Entry("the digest is gone", false, func(s *corev1.Secret) { delete(s.Annotations, v1alpha1.AnnotationContentDigest) }),
		Entry("the digest was changed", false, func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationContentDigest] = "0" }),
	)

	It("does not take another channel's content for its own", func(ctx SpecContext) {
		other := newChannel(func(c *v1alpha1.SocialChannel) { c.Name = "acme-news" })
		_, err := store.Deliver(ctx, other, delivery(func(d *secretstore.Delivery) { d.Name = "acme-news" }))
		Expect(err).NotTo(HaveOccurred())
		copied := read(ctx, store, ownerNamespace, "acme-news")
		copied.ObjectMeta = metav1.ObjectMeta{Namespace: ownerNamespace, Name: secretName, Labels: copied.Labels, Annotations: copied.Annotations}
		copied.Annotations[v1alpha1.AnnotationChannel] = "social/acme-help"
		Expect(store.Client.Create(ctx, copied)).To(Succeed())
		Expect(found(ctx).Intact).To(BeFalse())
	})

	It("notices another credential ID, and a time that is none", func(ctx SpecContext) {
		deliver(ctx)
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) {
			s.Annotations[v1alpha1.AnnotationCredentialID] = "rostra-0b1f6a529c1d-9"
			s.Annotations[v1alpha1.AnnotationIssuedAt] = "yesterday"
		})
		Expect(found(ctx).CredentialID).To(Equal("rostra-0b1f6a529c1d-9"))
		Expect(found(ctx).Holds(credentialID)).To(BeFalse())
		Expect(found(ctx).IssuedAt).To(BeZero())
	})

	DescribeTable("takes from an annotation only what can be a person", Label("S25"),
		func(ctx SpecContext, written string, want ...string) {
			deliver(ctx)
			change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationExposedTo] = written })
			Expect(found(ctx).ExposedTo).To(HaveExactElements(want))
		},
		Entry("nothing", ""),
		Entry("a comma", ","),
		Entry("people", "care/maria,care.eu/dana-2", "care/maria", "care.eu/dana-2"),
		Entry("people between nonsense", "care/maria,,care,/x,care/,a/b/c,CARE/Eve,care/-x,-a/x,care/x.y,care/ x,c\u00e4re/x,care/x-,care/dana", "care/maria", "care/dana"),
		Entry("the longest", strings.Repeat("t", 253)+"/"+strings.Repeat("m", 63), strings.Repeat("t", 253)+"/"+strings.Repeat("m", 63)),
		Entry("longer teams", strings.Repeat("t", 254)+"/m"),
		Entry("longer members", "t/"+strings.Repeat("m", 64)),
	)

	It("takes from an annotation no more people than a status can hold", Label("S25"), func(ctx SpecContext) {
		deliver(ctx)
		change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) {
			s.Annotations[v1alpha1.AnnotationExposedTo] = strings.TrimSuffix(strings.Repeat("care/maria,", 513), ",")
		})
		Expect(found(ctx).ExposedTo).To(HaveLen(512))
	})

	DescribeTable("says when the credential was issued at the latest", Label("S25"),
		func(ctx SpecContext, written string, want time.Time) {
			deliver(ctx)
			change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationIssuedAt] = written })
			Expect(found(ctx).IssuedBy(noon.Add(time.Millisecond))).To(BeTemporally("==", want))
		},
		Entry("as it says", "2026-11-20T13:00:00+01:00", noon.Add(-24*time.Hour)),
		Entry("now where it says nothing", "", noon),
		Entry("now where it cannot be read", "yesterday", noon),
		Entry("now where it is zero", "0001-01-01T00:00:00Z", noon),
		Entry("now where it is before zero", "0000-01-01T00:00:00Z", noon),
		Entry("now where it is ahead", "9999-01-01T00:00:00Z", noon),
	)

	It("finds nothing where there is nothing", func(ctx SpecContext) {
		_, err := store.Delivered(ctx, channel, ownerNamespace, secretName)
		Expect(err).To(failWith(secretstore.ErrNotFound, "customer-care/acme-help"))
	})

	Describe("is withdrawn", func() {
		It("where it is still there", func(ctx SpecContext) {
			deliver(ctx)
			Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, credentialID)).To(Succeed())
			Expect(read(ctx, store, ownerNamespace, secretName)).To(BeNil())
			Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, credentialID)).To(Succeed(), "already gone is success")
		})

		It("though somebody changed what is in it", Label("S25"), func(ctx SpecContext) {
			deliver(ctx)
			change(ctx, store, ownerNamespace, secretName, func(s *corev1.Secret) { s.Data["EXTRA"] = []byte("x") })
			Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, credentialID)).To(Succeed())
			Expect(read(ctx, store, ownerNamespace, secretName)).To(BeNil())
		})

		It("not where it holds another credential by now", func(ctx SpecContext) {
			deliver(ctx)
			Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, "rostra-0b1f6a529c1d-0")).To(Succeed())
			Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, "")).To(Succeed())
			Expect(found(ctx).Holds(credentialID)).To(BeTrue())
		})

		DescribeTable("or says why it could not be",
			func(ctx SpecContext, answer error, matcher OmegaMatcher) {
				deliver(ctx)
				store = &secretstore.Store{Client: interceptor.NewClient(store.Client.(client.WithWatch), interceptor.Funcs{
					Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error { return answer },
				})}
				Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, credentialID)).To(matcher)
			},
			Entry("gone in the meantime", apierrors.NewNotFound(corev1.Resource("secrets"), secretName), Succeed()),
			Entry("changed in the meantime", apierrors.NewConflict(corev1.Resource("secrets"), secretName, errors.New("changed")),
				MatchError(apierrors.IsConflict, "409")),
			Entry("not allowed", apierrors.NewForbidden(corev1.Resource("secrets"), secretName, errors.New("no")),
				failWith(secretstore.ErrForbidden, "delete Secret acme-help")),
		)

		It("not where it becomes another between look and deletion", Label("S22"), func(ctx SpecContext) {
			deliver(ctx)
			plain := store.Client
			var preconditions *metav1.Preconditions
			store = &secretstore.Store{Client: interceptor.NewClient(plain.(client.WithWatch), interceptor.Funcs{
				Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
					preconditions = new(client.DeleteOptions).ApplyOptions(options).AsDeleteOptions().Preconditions
					return c.Delete(ctx, object, options...)
				},
			})}
			Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, credentialID)).To(Succeed())
			Expect(preconditions).NotTo(BeNil())
			Expect(preconditions.UID).NotTo(BeNil())
			Expect(preconditions.ResourceVersion).To(HaveValue(Not(BeEmpty())))
		})
	})

	Describe("meets trouble", func() {
		forbidden := apierrors.NewForbidden(corev1.Resource("secrets"), secretName, errors.New("no"))

		It("says which right is missing", func(ctx SpecContext) {
			store = failing(forbidden)
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).To(failWith(secretstore.ErrForbidden, ownerNamespace, "create Secret acme-help"))
			_, err = store.Delivered(ctx, channel, ownerNamespace, secretName)
			Expect(err).To(failWith(secretstore.ErrForbidden, ownerNamespace, "read Secret acme-help"))
			Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, credentialID)).To(failWith(secretstore.ErrForbidden))
		})

		It("says that the namespace is on its way out", func(ctx SpecContext) {
			terminating := apierrors.NewForbidden(corev1.Resource("secrets"), secretName, errors.New("no"))
			terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
			_, err := failing(terminating).Deliver(ctx, channel, delivery())
			Expect(err).To(failWith(secretstore.ErrNamespace, ownerNamespace))
		})

		It("hands on other trouble as it is", func(ctx SpecContext) {
			store = failing(apierrors.NewTooManyRequests("later", 1))
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).To(And(MatchError(apierrors.IsTooManyRequests, "429"), MatchError(ContainSubstring("customer-care/acme-help"))))
			Expect(store.Withdraw(ctx, channel, ownerNamespace, secretName, credentialID)).To(MatchError(apierrors.IsTooManyRequests, "429"))
		})

		It("comes back when somebody changes the Secret at the same time", func(ctx SpecContext) {
			deliver(ctx)
			conflict := apierrors.NewConflict(corev1.Resource("secrets"), secretName, errors.New("changed"))
			store = &secretstore.Store{Client: interceptor.NewClient(store.Client.(client.WithWatch), interceptor.Funcs{
				Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error { return conflict },
			})}
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).To(MatchError(apierrors.IsConflict, "409"))
		})

		It("comes back when an immutable one cannot be replaced", func(ctx SpecContext) {
			deliver(ctx)
			change(ctx, store, ownerNamespace, secretName, func(secret *corev1.Secret) { secret.Immutable = new(true) })
			plain := store.Client.(client.WithWatch)
			store = &secretstore.Store{Client: interceptor.NewClient(plain, interceptor.Funcs{
				Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error { return forbidden },
			})}
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).To(failWith(secretstore.ErrForbidden, "delete Secret acme-help"))

			removed := false
			store = &secretstore.Store{Client: interceptor.NewClient(plain, interceptor.Funcs{
				Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
					removed = true
					return c.Delete(ctx, object, options...)
				},
				Create: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.CreateOption) error {
					if removed {
						return forbidden
					}
					return c.Create(ctx, object, options...)
				},
			})}
			_, err = store.Deliver(ctx, channel, delivery())
			Expect(err).To(failWith(secretstore.ErrForbidden, "create Secret acme-help"))
			store = &secretstore.Store{Client: plain}
			deliver(ctx)
			Expect(found(ctx).Holds(credentialID)).To(BeTrue(), "and the next try mends it")
		})

		It("comes back when somebody removes the Secret at the same time", func(ctx SpecContext) {
			deliver(ctx)
			plain := store.Client
			store = &secretstore.Store{Client: interceptor.NewClient(plain.(client.WithWatch), interceptor.Funcs{
				Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
					Expect(client.IgnoreNotFound(c.Delete(ctx, newSecret(key.Namespace, key.Name, nil)))).To(Succeed())
					return c.Get(ctx, key, object, options...)
				},
			})}
			_, err := store.Deliver(ctx, channel, delivery())
			Expect(err).To(HaveOccurred())
			Expect(err).NotTo(MatchError(secretstore.ErrNotFound), "which says that the source is missing")
		})
	})
})

var _ = DescribeTable("Ours",
	func(ours bool, labels, annotations map[string]string) {
		Expect(secretstore.Ours(&metav1.ObjectMeta{Labels: labels, Annotations: annotations}, newChannel())).To(Equal(ours))
	},
	Entry("both marks", true, map[string]string{"app.kubernetes.io/managed-by": "rostra"}, map[string]string{"social.rostra.dev/channel": "social/acme-help"}),
	Entry("no mark", false, nil, nil),
	Entry("the label alone", false, map[string]string{"app.kubernetes.io/managed-by": "rostra"}, nil),
	Entry("the annotation alone", false, nil, map[string]string{"social.rostra.dev/channel": "social/acme-help"}),
	Entry("another's label", false, map[string]string{"app.kubernetes.io/managed-by": "Rostra"}, map[string]string{"social.rostra.dev/channel": "social/acme-help"}),
	Entry("another's annotation", false, map[string]string{"app.kubernetes.io/managed-by": "rostra"}, map[string]string{"social.rostra.dev/channel": "social/acme-help2"}),
)
