// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
)

const vaultName = "rostra-" + uid

var _ = Describe("The vault", func() {
	var (
		store   *secretstore.Store
		channel *v1alpha1.SocialChannel
	)
	source := values("password", hidden)
	session := values("access", "access-"+hidden, "refresh", "refresh-"+hidden)

	BeforeEach(func() {
		store, channel = newStore(), newChannel()
	})

	open := func() *secretstore.Vault { return store.Vault(channel, source) }
	load := func(ctx SpecContext, vault *secretstore.Vault) map[string]string {
		GinkgoHelper()
		loaded, err := vault.Load(ctx)
		Expect(err).NotTo(HaveOccurred())
		return reveal(loaded)
	}
	// filled is a vault with a session in it.
	filled := func(ctx SpecContext) *secretstore.Vault {
		GinkgoHelper()
		vault := open()
		Expect(load(ctx, vault)).To(BeNil())
		Expect(vault.Save(ctx, session)).To(Succeed())
		return vault
	}

	It("is a Secret beside its channel, which goes with it", func(ctx SpecContext) {
		filled(ctx)
		Expect(secretstore.VaultName(channel)).To(Equal(vaultName))
		secret := read(ctx, store, "social", vaultName)
		Expect(secret.Type).To(BeEquivalentTo("social.rostra.dev/vault"))
		Expect(secret.Labels).To(Equal(map[string]string{"app.kubernetes.io/managed-by": "rostra"}), "it is not one that was delivered")
		Expect(secret.OwnerReferences).To(HaveLen(1))
		Expect(secret.OwnerReferences[0]).To(And(
			HaveField("APIVersion", "social.rostra.dev/v1alpha1"), HaveField("Kind", "SocialChannel"),
			HaveField("Name", "acme-help"), HaveField("UID", BeEquivalentTo(uid)), HaveField("Controller", HaveValue(BeTrue())),
			HaveField("BlockOwnerDeletion", BeNil()),
		))
	})

	Describe("keeps a session", func() {
		It("until it is asked for", func(ctx SpecContext) {
			vault := filled(ctx)
			Expect(load(ctx, vault)).To(Equal(reveal(session)))
			Expect(load(ctx, open())).To(Equal(reveal(session)))
		})

		It("as it was last saved, with nothing left of the one before", func(ctx SpecContext) {
			vault := filled(ctx)
			Expect(vault.Save(ctx, values("access", "new"))).To(Succeed())
			Expect(load(ctx, open())).To(Equal(map[string]string{"access": "new"}))
		})

		It("until it is removed", func(ctx SpecContext) {
			vault := filled(ctx)
			Expect(vault.Save(ctx, nil)).To(Succeed())
			Expect(load(ctx, open())).To(BeNil())
			Expect(keysOf(read(ctx, store, "social", vaultName))).To(ConsistOf("salt"), "not even a trace of who opened it")
		})

		It("not, where there is none to remove", func(ctx SpecContext) {
			vault := open()
			Expect(load(ctx, vault)).To(BeNil())
			Expect(vault.Save(ctx, nil)).To(Succeed())
			Expect(read(ctx, store, "social", vaultName)).To(BeNil(), "nothing is written for nothing")
		})

		It("under keys with dots", func(ctx SpecContext) {
			vault := open()
			Expect(load(ctx, vault)).To(BeNil())
			Expect(vault.Save(ctx, values("a.b", "1", "a", "2"))).To(Succeed())
			Expect(load(ctx, open())).To(Equal(map[string]string{"a.b": "1", "a": "2"}))
		})

		DescribeTable("for the source credential that opened it, and for no other",
			func(ctx SpecContext, other ...string) {
				filled(ctx)
				vault := store.Vault(channel, values(other...))
				Expect(load(ctx, vault)).To(BeNil())
				Expect(vault.Save(ctx, values("access", "theirs"))).To(Succeed(), "and stands beside the other's")
				Expect(load(ctx, vault)).To(Equal(map[string]string{"access": "theirs"}))
				Expect(load(ctx, open())).To(Equal(reveal(session)))
			},
			Entry("another password", "password", "another"),
			Entry("one more key", "password", hidden, "identifier", "help"),
			Entry("the same under another key", "token", hidden),
			Entry("none"),
		)

		It("without keeping the credential that opened it", Label("S25"), func(ctx SpecContext) {
			filled(ctx)
			for key, content := range read(ctx, store, "social", vaultName).Data {
				if !strings.HasPrefix(key, "session.") {
					Expect(string(content)).NotTo(ContainSubstring(hidden), key)
				}
			}
		})

		It("under a fingerprint that differs between channels of the same password", Label("S25"), func(ctx SpecContext) {
			filled(ctx)
			other := newChannel(func(c *v1alpha1.SocialChannel) { c.UID = "11111111-2222-3333-4444-555555555555" })
			vault := store.Vault(other, source)
			Expect(load(ctx, vault)).To(BeNil())
			Expect(vault.Save(ctx, session)).To(Succeed())
			Expect(read(ctx, store, "social", vaultName).Data["sessions"]).
				NotTo(Equal(read(ctx, store, "social", secretstore.VaultName(other)).Data["sessions"]))
		})
	})

	Describe("has one writer at a time", Label("S22"), func() {
		It("and tells the second that it was not the first", func(ctx SpecContext) {
			first := filled(ctx)
			second := open()
			Expect(load(ctx, second)).NotTo(BeNil())
			Expect(first.Save(ctx, values("access", "first"))).To(Succeed())
			Expect(second.Save(ctx, values("access", "second"))).To(MatchError(platform.ErrSessionConflict))
			Expect(load(ctx, open())).To(Equal(map[string]string{"access": "first"}))
			Expect(load(ctx, second)).To(Equal(map[string]string{"access": "first"}))
			Expect(second.Save(ctx, values("access", "second"))).To(Succeed(), "after it has looked again")
		})

		It("also where both begin", func(ctx SpecContext) {
			first, second := open(), open()
			Expect(load(ctx, first)).To(BeNil())
			Expect(load(ctx, second)).To(BeNil())
			Expect(first.Save(ctx, session)).To(Succeed())
			Expect(second.Save(ctx, values("access", "second"))).To(MatchError(platform.ErrSessionConflict))
			Expect(load(ctx, open())).To(Equal(reveal(session)))
		})

		It("and takes none from who has not looked", func(ctx SpecContext) {
			filled(ctx)
			Expect(open().Save(ctx, values("access", "blind"))).To(MatchError(platform.ErrSessionConflict))
		})

		It("and notices that the vault is gone, or another", func(ctx SpecContext) {
			vault := filled(ctx)
			Expect(store.Client.Delete(ctx, read(ctx, store, "social", vaultName))).To(Succeed())
			Expect(vault.Save(ctx, session)).To(MatchError(platform.ErrSessionConflict))
			Expect(load(ctx, vault)).To(BeNil())
			Expect(vault.Save(ctx, session)).To(Succeed())
		})

		It("who may write on", func(ctx SpecContext) {
			vault := filled(ctx)
			for i := range 3 {
				Expect(vault.Save(ctx, values("access", fmt.Sprint(i)))).To(Succeed())
			}
		})

		It("whose session is not lost when another keeps a credential", func(ctx SpecContext) {
			first := filled(ctx)
			second := open()
			Expect(load(ctx, second)).NotTo(BeNil())
			Expect(first.Save(ctx, values("access", "first"))).To(Succeed())
			Expect(second.Keep(ctx, "old", values("TOKEN", "t"))).To(Succeed())
			Expect(second.Save(ctx, values("access", "second"))).To(MatchError(platform.ErrSessionConflict))
			Expect(second.Forget(ctx, "old", noon)).To(Succeed())
			Expect(second.Save(ctx, values("access", "second"))).To(MatchError(platform.ErrSessionConflict))
			Expect(load(ctx, open())).To(Equal(map[string]string{"access": "first"}))
		})

		It("who may keep and forget credentials between", func(ctx SpecContext) {
			vault := filled(ctx)
			Expect(vault.Keep(ctx, "old", values("TOKEN", "t"))).To(Succeed())
			Expect(vault.Save(ctx, values("access", "1"))).To(Succeed())
			Expect(vault.Forget(ctx, "old", noon)).To(Succeed())
			Expect(vault.Save(ctx, values("access", "2"))).To(Succeed())
		})
	})

	Describe("keeps replaced credentials", func() {
		kept := func(ctx SpecContext, id string) map[string]string {
			GinkgoHelper()
			found, err := open().Kept(ctx, id)
			Expect(err).NotTo(HaveOccurred())
			return reveal(found)
		}

		It("until they are forgotten, each by itself", func(ctx SpecContext) {
			filled(ctx)
			Expect(open().Keep(ctx, "source-aaaa", values("TOKEN", "a"))).To(Succeed())
			Expect(open().Keep(ctx, "source-bbbb", values("TOKEN", "b", "SECRET", "c"))).To(Succeed())
			Expect(kept(ctx, "source-aaaa")).To(Equal(map[string]string{"TOKEN": "a"}))
			Expect(kept(ctx, "source-bbbb")).To(Equal(map[string]string{"TOKEN": "b", "SECRET": "c"}))
			Expect(kept(ctx, "source")).To(BeNil())
			Expect(load(ctx, open())).To(Equal(reveal(session)), "beside the session")

			Expect(open().Forget(ctx, "source-aaaa", noon)).To(Succeed())
			Expect(kept(ctx, "source-aaaa")).To(BeNil())
			Expect(kept(ctx, "source-bbbb")).NotTo(BeNil())
			Expect(load(ctx, open())).To(Equal(reveal(session)))
			for key, content := range read(ctx, store, "social", vaultName).Data {
				Expect(string(content)).NotTo(Equal("a"), "the value is gone from %s", key)
			}
		})

		It("though another source is at hand", func(ctx SpecContext) {
			Expect(open().Keep(ctx, "source-aaaa", values("TOKEN", "a"))).To(Succeed())
			other, err := store.Vault(channel, values("password", "another")).Kept(ctx, "source-aaaa")
			Expect(err).NotTo(HaveOccurred())
			Expect(reveal(other)).To(Equal(map[string]string{"TOKEN": "a"}))
		})

		It("where there was no vault", func(ctx SpecContext) {
			Expect(kept(ctx, "source-aaaa")).To(BeNil())
			Expect(open().Forget(ctx, "source-aaaa", noon)).To(Succeed())
			Expect(open().Keep(ctx, "source-aaaa", values("TOKEN", "a"))).To(Succeed())
			Expect(kept(ctx, "source-aaaa")).NotTo(BeNil())
			Expect(load(ctx, open())).To(BeNil(), "that is no session")
		})

		DescribeTable("under IDs of any kind", func(ctx SpecContext, id, other string) {
			Expect(open().Keep(ctx, id, values("TOKEN", "a"))).To(Succeed())
			Expect(open().Keep(ctx, other, values("TOKEN", "b"))).To(Succeed())
			Expect(kept(ctx, id)).To(Equal(map[string]string{"TOKEN": "a"}))
			Expect(kept(ctx, other)).To(Equal(map[string]string{"TOKEN": "b"}))
			Expect(open().Forget(ctx, id, noon)).To(Succeed())
			Expect(kept(ctx, id)).To(BeNil())
			Expect(kept(ctx, other)).To(Equal(map[string]string{"TOKEN": "b"}))
			for _, key := range keysOf(read(ctx, store, "social", vaultName)) {
				Expect(key).To(MatchRegexp(`^[-._a-zA-Z0-9]{1,253}$`), "the API server takes the key")
			}
		},
			Entry("one the beginning of the other", "a", "a.b"),
			Entry("with spaces", "phone of maria", "phone of dana"),
			Entry("with signs", "a/b", "a_b"),
			Entry("as long as the schema allows", strings.Repeat("x", 127)+"a", strings.Repeat("x", 127)+"b"),
			Entry("in other scripts", "телефон", "telefon"),
			Entry("empty", "", "a"),
		)

		It("and remembers until when access by a forgotten one lives", Label("S22"), func(ctx SpecContext) {
			forgotten := func(id string) (time.Time, bool) {
				GinkgoHelper()
				until, ok, err := open().Forgotten(ctx, id)
				Expect(err).NotTo(HaveOccurred())
				return until, ok
			}
			_, ok := forgotten("source-aaaa")
			Expect(ok).To(BeFalse())
			Expect(open().Keep(ctx, "source-aaaa", values("TOKEN", "a"))).To(Succeed())
			_, ok = forgotten("source-aaaa")
			Expect(ok).To(BeFalse(), "it is kept, not forgotten")
			Expect(open().Forget(ctx, "source-aaaa", noon.In(time.FixedZone("", 3600)))).To(Succeed())
			until, ok := forgotten("source-aaaa")
			Expect(ok).To(BeTrue())
			Expect(until).To(BeTemporally("==", noon))
			_, ok = forgotten("source-bbbb")
			Expect(ok).To(BeFalse())
			Expect(open().Keep(ctx, "source-aaaa", values("TOKEN", "a"))).To(Succeed())
			_, ok = forgotten("source-aaaa")
			Expect(ok).To(BeFalse(), "it came back, and is kept again")
		})

		It("and forgets what may have been kept, but makes nothing up", func(ctx SpecContext) {
			Expect(open().ForgetKept(ctx, "source-aaaa", noon)).To(Succeed())
			Expect(read(ctx, store, "social", vaultName)).To(BeNil(), "nothing is written for nothing")
			Expect(open().Keep(ctx, "source-aaaa", values("TOKEN", "a"))).To(Succeed())
			before := read(ctx, store, "social", vaultName)
			Expect(open().ForgetKept(ctx, "source-bbbb", noon)).To(Succeed())
			Expect(read(ctx, store, "social", vaultName)).To(Equal(before))
			Expect(open().ForgetKept(ctx, "source-aaaa", noon)).To(Succeed())
			Expect(kept(ctx, "source-aaaa")).To(BeNil())
			_, ok, err := open().Forgotten(ctx, "source-aaaa")
			Expect(err).NotTo(HaveOccurred())
			Expect(ok).To(BeTrue())
		})

		It("and does not remember for ever which were revoked", func(ctx SpecContext) {
			revoked := func() int {
				return len(slices.DeleteFunc(keysOf(read(ctx, store, "social", vaultName)), func(key string) bool { return !strings.HasPrefix(key, "revoked.") }))
			}
			const day = 24 * time.Hour
			Expect(open().Keep(ctx, "kept", values("TOKEN", "a"))).To(Succeed())
			for i := range 100 {
				Expect(open().Forget(ctx, fmt.Sprintf("source-%d", i), noon.Add(time.Duration(i)*day))).To(Succeed())
			}
			Expect(revoked()).To(Equal(31))
			_, ok, err := open().Forgotten(ctx, "source-99")
			Expect(err).NotTo(HaveOccurred())
			Expect(ok).To(BeTrue())
			change(ctx, store, "social", vaultName, func(s *corev1.Secret) { s.Data["revoked.x"] = []byte("never") })
			Expect(open().Forget(ctx, "source-100", noon.Add(99*day))).To(Succeed())
			Expect(read(ctx, store, "social", vaultName).Data).NotTo(HaveKey("revoked.x"))
			Expect(kept(ctx, "kept")).NotTo(BeNil())
		})

		It("though somebody emptied the vault", Label("S25"), func(ctx SpecContext) {
			filled(ctx)
			change(ctx, store, "social", vaultName, func(s *corev1.Secret) { s.Data = nil })
			Expect(open().Forget(ctx, "source-aaaa", noon)).To(Succeed())
			change(ctx, store, "social", vaultName, func(s *corev1.Secret) { s.Data = nil })
			Expect(open().Keep(ctx, "source-aaaa", values("TOKEN", "a"))).To(Succeed())
			change(ctx, store, "social", vaultName, func(s *corev1.Secret) { s.Data = nil })
			vault := open()
			Expect(load(ctx, vault)).To(BeNil())
			Expect(vault.Save(ctx, session)).To(Succeed())
			Expect(load(ctx, open())).To(Equal(reveal(session)))
		})
	})

	DescribeTable("takes no Secret of its name for itself that is not", Label("S25"),
		func(ctx SpecContext, dress func(*corev1.Secret)) {
			theirs := newSecret("social", vaultName, map[string]string{"session.access": hidden, "salt": "s"})
			dress(theirs)
			store = newStore(theirs)
			before := read(ctx, store, "social", vaultName)
			vault := open()
			words := []string{"social/" + vaultName, "remove it"}
			_, err := vault.Load(ctx)
			Expect(err).To(failWith(secretstore.ErrTaken, words...))
			Expect(vault.Save(ctx, session)).To(failWith(secretstore.ErrTaken, words...))
			Expect(vault.Save(ctx, nil)).To(failWith(secretstore.ErrTaken, words...))
			Expect(vault.Keep(ctx, "a", session)).To(failWith(secretstore.ErrTaken, words...))
			_, err = vault.Kept(ctx, "a")
			Expect(err).To(failWith(secretstore.ErrTaken, words...))
			Expect(vault.Forget(ctx, "a", noon)).To(failWith(secretstore.ErrTaken, words...))
			_, _, err = vault.Forgotten(ctx, "a")
			Expect(err).To(failWith(secretstore.ErrTaken, words...))
			Expect(read(ctx, store, "social", vaultName)).To(Equal(before), "it is left as it is")
		},
		Entry("nobody's", func(*corev1.Secret) {}),
		Entry("one with the label", func(s *corev1.Secret) { s.Labels = map[string]string{"app.kubernetes.io/managed-by": "rostra"} }),
		Entry("another channel's", func(s *corev1.Secret) {
			other := newChannel(func(c *v1alpha1.SocialChannel) { c.UID = "11111111-2222-3333-4444-555555555555" })
			Expect(store.Vault(other, nil).Keep(context.Background(), "x", values("A", "b"))).To(Succeed())
			s.OwnerReferences = read(context.Background(), store, "social", secretstore.VaultName(other)).OwnerReferences
		}),
		Entry("one that the channel owns but does not control", func(s *corev1.Secret) {
			Expect(store.Vault(channel, nil).Keep(context.Background(), "x", values("A", "b"))).To(Succeed())
			s.OwnerReferences = read(context.Background(), store, "social", vaultName).OwnerReferences
			s.OwnerReferences[0].Controller = nil
		}),
	)

	It("hands on the trouble of the API server, without a value in it", Label("S25"), func(ctx SpecContext) {
		for _, answer := range []error{
			apierrors.NewTooManyRequests("later", 1),
			apierrors.NewForbidden(corev1.Resource("secrets"), vaultName, errors.New("no")),
			apierrors.NewInternalError(errors.New("broken")),
		} {
			store = failing(answer)
			_, err := open().Load(ctx)
			Expect(err).To(failWith(answer, "social/"+vaultName))
			Expect(open().Save(ctx, session)).To(failWith(answer))
			Expect(open().Keep(ctx, "a", session)).To(failWith(answer))
		}
	})

	DescribeTable("tells another writer from other trouble when it writes", Label("S22", "S25"),
		func(ctx SpecContext, answer error, matcher OmegaMatcher) {
			refusing := func() *secretstore.Vault {
				return (&secretstore.Store{Client: interceptor.NewClient(store.Client.(client.WithWatch), interceptor.Funcs{
					Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return answer },
					Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error { return answer },
				})}).Vault(channel, source)
			}
			vault := refusing()
			Expect(load(ctx, vault)).To(BeNil())
			Expect(vault.Save(ctx, session)).To(matcher, "when it makes the vault")
			Expect(vault.Keep(ctx, "old", session)).To(matcher)
			filled(ctx)
			vault = refusing()
			Expect(load(ctx, vault)).NotTo(BeNil())
			Expect(vault.Save(ctx, session)).To(matcher, "when it changes the vault")
			Expect(vault.Keep(ctx, "old", session)).To(matcher)
			Expect(vault.Forget(ctx, "old", noon)).To(matcher)
		},
		Entry("somebody made it first", apierrors.NewAlreadyExists(corev1.Resource("secrets"), vaultName), MatchError(platform.ErrSessionConflict)),
		Entry("somebody changed it first", apierrors.NewConflict(corev1.Resource("secrets"), vaultName, errors.New("changed")), MatchError(platform.ErrSessionConflict)),
		Entry("it may not", apierrors.NewForbidden(corev1.Resource("secrets"), vaultName, errors.New("no")), And(
			MatchError(apierrors.IsForbidden, "403"), MatchError(ContainSubstring("write Secret social/"+vaultName)), Not(MatchError(ContainSubstring(hidden))))),
		Entry("the server has no time", apierrors.NewTooManyRequests("later", 1), MatchError(apierrors.IsTooManyRequests, "429")),
	)

	It("shows nothing of what it holds when it is printed", Label("S25"), func(ctx SpecContext) {
		vault := filled(ctx)
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			Expect(fmt.Sprintf(format, vault)).NotTo(ContainSubstring(hidden), format)
			Expect(fmt.Sprintf(format, *vault)).NotTo(ContainSubstring(hidden), format)
		}
	})
})

func keysOf(secret *corev1.Secret) []string {
	var names []string
	for name := range secret.Data {
		names = append(names, name)
	}
	return names
}
