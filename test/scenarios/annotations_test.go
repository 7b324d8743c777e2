// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// An owner can write on the Secret that was delivered to it whatever it likes.
var _ = Describe("An owner that writes nonsense on its Secret", Label("S25"), func() {
	crowd := func(team string) string {
		var people []string
		for i := range 600 {
			people = append(people, fmt.Sprintf("%s/m%d", team, i))
		}
		return strings.Join(people, ",")
	}

	DescribeTable("loses the channel all the same", func(canMint bool, exposedTo func(team string) string) {
		w := newWorld(canMint)
		w.create(w.channel())
		w.settle()
		w.expectReady()
		secret := &corev1.Secret{}
		Expect(shared.secrets.Get(w.ctx, client.ObjectKey{Namespace: w.in("marketing"), Name: "help-credential"}, secret)).To(Succeed())
		secret.Annotations[v1alpha1.AnnotationExposedTo] = exposedTo(w.in("marketing"))
		secret.Annotations[v1alpha1.AnnotationIssuedAt] = "soon"
		Expect(shared.secrets.Update(w.ctx, secret)).To(Succeed())
		w.handOver("care")
		w.settle()
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		Expect(w.with("marketing")).To(BeEmpty())
		Expect(w.get().Status.Handover.CompletedAt).NotTo(BeNil())
	},
		Entry("of a token, with a comma", false, func(string) string { return "," }),
		Entry("of a token, with more people than there is room for", false, crowd),
		Entry("of a minted credential, with a comma", true, func(string) string { return "," }),
		Entry("of a minted credential, with more people than there is room for", true, crowd),
	)
})
