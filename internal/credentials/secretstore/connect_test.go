// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore_test

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
)

var _ = Describe("A consent", func() {
	var (
		store   *secretstore.Store
		channel *v1alpha1.SocialChannel
		consent secretstore.Consent
	)

	BeforeEach(func() {
		store, channel = newStore(), newChannel()
		consent = secretstore.Consent{
			StateHash: "state", BrowserHash: "browser", Verifier: credentials.NewValue("verifier-" + hidden),
			Application: values("client-id", "made", "client-secret", hidden),
			Expires:     time.Date(2026, 11, 21, 12, 10, 0, 0, time.UTC),
		}
	})

	It("is taken once, as it was begun, by another process too", func(ctx SpecContext) {
		Expect(store.Vault(channel, nil).BeginConsent(ctx, consent)).To(Succeed())
		taken, err := store.Vault(channel, nil).TakeConsent(ctx, "state")
		Expect(err).NotTo(HaveOccurred())
		Expect(taken.StateHash).To(Equal("state"))
		Expect(taken.BrowserHash).To(Equal("browser"))
		Expect(taken.Verifier.Reveal()).To(Equal("verifier-" + hidden))
		Expect(reveal(taken.Application)).To(Equal(map[string]string{"client-id": "made", "client-secret": hidden}))
		Expect(taken.Expires).To(BeTemporally("==", consent.Expires))
		_, err = store.Vault(channel, nil).TakeConsent(ctx, "state")
		Expect(err).To(MatchError(secretstore.ErrNoPending))
	})

	It("stands beside a few others, of which those that end first give way", func(ctx SpecContext) {
		for i := range 6 {
			one := consent
			one.StateHash, one.Expires = fmt.Sprintf("state-%d", i), consent.Expires.Add(time.Duration(i)*time.Minute)
			Expect(store.Vault(channel, nil).BeginConsent(ctx, one)).To(Succeed())
		}
		for i := range 6 {
			taken, err := store.Vault(channel, nil).TakeConsent(ctx, fmt.Sprintf("state-%d", i))
			if i < 2 {
				Expect(err).To(MatchError(secretstore.ErrNoPending))
				continue
			}
			Expect(err).NotTo(HaveOccurred())
			Expect(taken.Verifier.Reveal()).To(Equal("verifier-" + hidden))
		}
		for key := range read(ctx, store, "social", vaultName).Data {
			Expect(key).NotTo(HavePrefix("consent."), "nothing is left of any")
		}
	})

	It("is not written for one that is not there", func(ctx SpecContext) {
		Expect(store.Vault(channel, nil).BeginConsent(ctx, consent)).To(Succeed())
		before := read(ctx, store, "social", vaultName).ResourceVersion
		_, err := store.Vault(channel, nil).TakeConsent(ctx, "foreign")
		Expect(err).To(MatchError(secretstore.ErrNoPending))
		Expect(read(ctx, store, "social", vaultName).ResourceVersion).To(Equal(before))
	})

	It("is not there before it was begun", func(ctx SpecContext) {
		_, err := store.Vault(channel, nil).TakeConsent(ctx, "state")
		Expect(err).To(MatchError(secretstore.ErrNoPending))
	})

	It("leaves the session that is kept beside it as it is", func(ctx SpecContext) {
		source := values("refresh-token", hidden)
		vault := store.Vault(channel, source)
		_, err := vault.Load(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(vault.Save(ctx, values("access", "kept"))).To(Succeed())
		Expect(store.Vault(channel, nil).BeginConsent(ctx, consent)).To(Succeed())
		_, err = store.Vault(channel, nil).TakeConsent(ctx, "state")
		Expect(err).NotTo(HaveOccurred())
		loaded, err := store.Vault(channel, source).Load(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(reveal(loaded)).To(Equal(map[string]string{"access": "kept"}))
	})
})

var _ = Describe("Sessions of two source credentials", func() {
	old, fresh := values("refresh-token", "old-"+hidden), values("refresh-token", "new-"+hidden)

	It("stand beside each other, so that connecting anew costs nothing of what works", func(ctx SpecContext) {
		store, channel := newStore(), newChannel()
		save := func(source credentials.Values, access string) {
			GinkgoHelper()
			vault := store.Vault(channel, source)
			_, err := vault.Load(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(vault.Save(ctx, values("access", access))).To(Succeed())
		}
		holds := func(source credentials.Values) map[string]string {
			GinkgoHelper()
			loaded, err := store.Vault(channel, source).Load(ctx)
			Expect(err).NotTo(HaveOccurred())
			return reveal(loaded)
		}
		save(old, "one")
		save(fresh, "two")
		Expect(holds(old)).To(Equal(map[string]string{"access": "one"}))
		save(old, "three")
		Expect(holds(fresh)).To(Equal(map[string]string{"access": "two"}), "whoever is late takes nothing away")
		for i := range 5 {
			save(values("refresh-token", fmt.Sprint(i, hidden)), "another")
		}
		Expect(holds(old)).To(BeNil())
		sessions := map[string]bool{}
		for key := range read(ctx, store, "social", vaultName).Data {
			if parts := strings.Split(key, "."); parts[0] == "session" {
				sessions[parts[1]] = true
			}
		}
		Expect(sessions).To(HaveLen(3), "it does not grow for ever")
	})
})

var _ = Describe("A source credential that a person gave", func() {
	var (
		store   *secretstore.Store
		channel *v1alpha1.SocialChannel
	)
	source := values("access-token", hidden)

	BeforeEach(func() { store, channel = newStore(), newChannel() })

	It("is stored in the channel's source Secret, and replaced there", func(ctx SpecContext) {
		Expect(store.StoreSource(ctx, channel, values("access-token", "old", "client-id", "old"))).To(Succeed())
		Expect(store.StoreSource(ctx, channel, source)).To(Succeed())
		secret := read(ctx, store, channel.Namespace, channel.Spec.Credentials.SourceSecretRef.Name)
		Expect(secret.Data).To(HaveLen(1))
		Expect(secretstore.ConnectedFor(secret, channel)).To(BeTrue())
		Expect(secretstore.Ours(secret, channel)).To(BeFalse(), "it is not one that was delivered, and never withdrawn")
		read, err := store.Source(ctx, channel, []platform.SourceKey{{Name: "access-token", Required: true}})
		Expect(err).NotTo(HaveOccurred())
		Expect(reveal(read.Values)).To(Equal(map[string]string{"access-token": hidden}))
	})

	It("never overwrites a Secret of the company's own", Label("S25"), func(ctx SpecContext) {
		own := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: channel.Namespace, Name: channel.Spec.Credentials.SourceSecretRef.Name},
			Data:       map[string][]byte{"access-token": []byte("own")},
		}
		Expect(store.Client.Create(ctx, own)).To(Succeed())
		Expect(store.CheckSource(ctx, channel)).To(MatchError(secretstore.ErrOwnSource))
		Expect(store.StoreSource(ctx, channel, source)).To(MatchError(And(
			ContainSubstring("remove Secret "+channel.Namespace+"/"), Not(ContainSubstring(hidden)))))
		Expect(read(ctx, store, own.Namespace, own.Name).Data).To(Equal(own.Data))
	})

	It("never overwrites that of another channel", Label("S25"), func(ctx SpecContext) {
		other := channel.DeepCopy()
		other.Name = "acme-news"
		Expect(store.StoreSource(ctx, other, source)).To(Succeed())
		Expect(store.StoreSource(ctx, channel, source)).To(MatchError(secretstore.ErrOwnSource))
	})
})

var _ = Describe("An application's Secret", func() {
	keys := []platform.SourceKey{{Name: "client-id", Required: true, Purpose: "the app's ID"}, {Name: "bearer-token", Purpose: "optional"}}

	It("is read in Rostra's own namespace", func(ctx SpecContext) {
		store := newStore()
		Expect(store.Client.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "rostra-system", Name: "x-app"},
			Data:       map[string][]byte{"client-id": []byte("id\n"), "unknown": []byte("not taken")},
		})).To(Succeed())
		application, err := store.Application(ctx, "rostra-system", "x-app", keys)
		Expect(err).NotTo(HaveOccurred())
		Expect(reveal(application.Values)).To(Equal(map[string]string{"client-id": "id"}))
		Expect(application.ResourceVersion).NotTo(BeEmpty())
	})

	It("says what is wrong with it", func(ctx SpecContext) {
		store := newStore()
		_, err := store.Application(ctx, "rostra-system", "x-app", keys)
		Expect(err).To(MatchError(secretstore.ErrApplicationNotFound))
		Expect(err).To(MatchError(ContainSubstring("create Secret rostra-system/x-app with the keys client-id, bearer-token (optional)")))
		_, err = store.Application(ctx, "", "x-app", keys)
		Expect(err).To(MatchError(ContainSubstring("--namespace")))
		Expect(store.Client.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "rostra-system", Name: "x-app"}})).To(Succeed())
		_, err = store.Application(ctx, "rostra-system", "x-app", keys)
		Expect(err).To(MatchError(secretstore.ErrApplicationInvalid))
		Expect(err).To(MatchError(ContainSubstring("the app's ID")))
	})
})

var _ = Describe("Keys of which one is needed", func() {
	keys := []platform.SourceKey{{Name: "refresh-token", OneOf: true, Purpose: "a"}, {Name: "access-token", OneOf: true, Purpose: "b"}}

	DescribeTable("are read where one is there", func(ctx SpecContext, key string, good bool) {
		store, channel := newStore(), newChannel()
		Expect(store.Client.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: channel.Namespace, Name: channel.Spec.Credentials.SourceSecretRef.Name},
			Data:       map[string][]byte{key: []byte(hidden)},
		})).To(Succeed())
		_, err := store.Source(ctx, channel, keys)
		if good {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError(secretstore.ErrInvalid))
		Expect(err).To(MatchError(And(ContainSubstring("none of the keys refresh-token, access-token"), Not(ContainSubstring(hidden)))))
	},
		Entry("the one", "refresh-token", true), Entry("the other", "access-token", true), Entry("neither", "password", false))
})
