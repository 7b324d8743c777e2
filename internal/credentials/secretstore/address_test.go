// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
)

var _ = Describe("An address at which somebody is told", func() {
	reference := v1alpha1.SecretKeyReference{Name: "maria-pager", Key: "url"}

	It("is read with what stands beside it, and nothing else", func(ctx SpecContext) {
		store := newStore(newSecret("care", "maria-pager", map[string]string{
			"url": " https://pager.example/maria\n", "signingSecret": "whsec_x", "username": "rostra", "password": "p", "note": "hers",
		}))
		url, extra, err := store.Address(ctx, "care", reference)
		Expect(err).NotTo(HaveOccurred())
		Expect(url.Reveal()).To(Equal("https://pager.example/maria"))
		Expect(reveal(extra)).To(Equal(map[string]string{"signingSecret": "whsec_x", "username": "rostra", "password": "p"}))
	})

	It("may be under the name of what else stands beside one", func(ctx SpecContext) {
		store := newStore(newSecret("care", "maria-pager", map[string]string{"password": "https://pager.example/maria"}))
		url, _, err := store.Address(ctx, "care", v1alpha1.SecretKeyReference{Name: "maria-pager", Key: "password"})
		Expect(err).NotTo(HaveOccurred())
		Expect(url.Reveal()).To(Equal("https://pager.example/maria"))
	})

	It("is none where the Secret is missing, empty, or too large, in words that show nothing of it", func(ctx SpecContext) {
		_, _, err := newStore().Address(ctx, "care", reference)
		Expect(err).To(failWith(secretstore.ErrAddress, "create Secret care/maria-pager", `"url"`))
		_, _, err = newStore(newSecret("care", "maria-pager", map[string]string{"URL": "https://hidden.example"})).Address(ctx, "care", reference)
		Expect(err).To(failWith(secretstore.ErrAddress, "missing or empty"))
		Expect(err.Error()).NotTo(ContainSubstring("hidden"))
		long := newSecret("care", "maria-pager", map[string]string{"url": strings.Repeat("x", 16<<10+1)})
		_, _, err = newStore(long).Address(ctx, "care", reference)
		Expect(err).To(failWith(secretstore.ErrAddress, "more than"))
	})

	It("is never a credential that Rostra keeps", Label("S25"), func(ctx SpecContext) {
		delivered := newSecret("care", "maria-pager", map[string]string{"url": "https://pager.example"})
		delivered.Labels = map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByRostra}
		_, _, err := newStore(delivered).Address(ctx, "care", reference)
		Expect(err).To(failWith(secretstore.ErrAddress, "of its own"))
	})
})
