// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var _ = Describe("The manifests", func() {
	It("apply again without a change", func(ctx SpecContext) {
		out := kubectl(ctx, "apply", "--validate=strict", "-k", filepath.Join(configDir, "default"))
		for line := range strings.Lines(out) {
			Expect(line).To(HaveSuffix(" unchanged\n"))
		}
	})

	It("make a Pod that the strictest standard admits", func(ctx SpecContext) {
		deployment, err := admin.AppsV1().Deployments(systemNamespace).Get(ctx, "rostra", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		template := deployment.Spec.Template
		Expect(template.Spec.ServiceAccountName).To(Equal("rostra-manager"))
		dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "probe", Labels: template.Labels}, Spec: template.Spec}
		_, err = admin.CoreV1().Pods(systemNamespace).Create(ctx, pod, dryRun)
		Expect(err).NotTo(HaveOccurred())

		By("asking about a laxer one, which the namespace refuses")
		pod.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = new(true)
		_, err = admin.CoreV1().Pods(systemNamespace).Create(ctx, pod, dryRun)
		Expect(err).To(MatchError(ContainSubstring("restricted")))
	})

	It("hold samples that the API server accepts as they are", func(ctx SpecContext) {
		out := kubectl(ctx, "apply", "--validate=strict", "-k", filepath.Join(configDir, "samples"))
		DeferCleanup(func(ctx SpecContext) {
			kubectl(ctx, "delete", "--wait=false", "-k", filepath.Join(configDir, "samples"))
		})
		for kind, count := range map[string]int{"team.": 6, "socialchannel.": 8, "socialplatform.": 1, "responderrota.": 3, "escalationroute.": 2, "contentpolicy.": 1} {
			Expect(strings.Count("\n"+out, "\n"+kind+"social.rostra.dev/")).To(Equal(count), kind)
		}
		Expect(out).NotTo(ContainSubstring("secret/"), "source credentials are not in Git")

		By("applying those that need a gateway, into the same namespaces")
		connected := kubectl(ctx, "apply", "--validate=strict", "--dry-run=server", "-k", filepath.Join(configDir, "samples", "connected"))
		Expect(connected).To(And(ContainSubstring("socialchannel.social.rostra.dev/meridian-mastodon created"),
			ContainSubstring("socialplatform.social.rostra.dev/mastodon created")))
	})
})
