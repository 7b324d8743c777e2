// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const goodFreeze = `
apiVersion: social.rostra.dev/v1alpha1
kind: PublishingFreeze
metadata: {name: hijack-drill}
spec: {channelSelector: {}, active: false, reason: account takeover, expiresAt: "2026-11-22T08:00:00Z"}
`

var _ = Describe("A PublishingFreeze", Label("S10"), func() {
	DescribeTable("is accepted", func(ctx SpecContext, edits ...edit) {
		Expect(tryCreate(ctx, manifest(goodFreeze, edits...))).To(Succeed())
	},
		Entry("as the design writes it"),
		Entry("active", set("spec.active", true)),
		Entry("without an end", unset("spec.expiresAt")),
		Entry("of some namespaces", set("spec.namespaceSelector", map[string]any{"matchLabels": map[string]any{"desk": "care"}})),
		Entry("with a long reason", set("spec.reason", strings.Repeat("é", 256))),
	)

	DescribeTable("is refused", Label("S25"), func(ctx SpecContext, field, words string, change edit) {
		Expect(tryCreate(ctx, manifest(goodFreeze, change))).To(refuse(field, words))
	},
		Entry("without a selector", "spec.channelSelector", "Required", unset("spec.channelSelector")),
		Entry("without a reason", "spec.reason", "Required", unset("spec.reason")),
		Entry("with an empty reason", "spec.reason", "should be at least 1 chars", set("spec.reason", "")),
		Entry("with a very long reason", "spec.reason", "256", set("spec.reason", strings.Repeat("x", 257))),
		Entry("with a line break in its reason", "spec.reason", "reason must be one line", set("spec.reason", "account\ntakeover")),
		Entry("with an escape in its reason", "spec.reason", "reason must be one line", set("spec.reason", "account \x1b[31mtakeover")),
		Entry("with a DEL in its reason", "spec.reason", "reason must be one line", set("spec.reason", "account \x7f")),
		Entry("active in words", "spec.active", "boolean", set("spec.active", "yes")),
		Entry("with an end that is no time", "spec.expiresAt", "date-time", set("spec.expiresAt", "tomorrow")),
	)

	It("is inactive where it does not say", func(ctx SpecContext) {
		object := manifest(goodFreeze, unset("spec.active"))
		Expect(tryCreate(ctx, object)).To(Succeed())
		Expect(object.Object).To(HaveKeyWithValue("spec", HaveKeyWithValue("active", false)))
	})

	It("shows how far it has come", func(ctx SpecContext) {
		object := manifest(goodFreeze, set("spec.active", true))
		created(ctx, object)
		set("status", map[string]any{
			"observedGeneration": int64(1), "affected": int64(12), "withdrawn": int64(9), "failed": int64(1), "failures": []any{"social/acme-news"},
			"lastAccessEndsAt": "2026-11-22T05:12:00Z",
			"conditions":       []any{condition("status", "False", "reason", "Freezing", "message", "9 of 12 channels are frozen")},
		})(object.Object)
		Expect(kube.Status().Update(ctx, object)).To(Succeed())
		out, err := api.Kubectl(ctx, "get", "pf")
		Expect(err).NotTo(HaveOccurred())
		lines := strings.Split(strings.TrimSpace(out), "\n")
		Expect(columns(lines[0])).To(Equal([]string{"NAME", "ACTIVE", "WHY", "AFFECTED", "WITHDRAWN", "FAILED", "EXPIRES", "READY", "REASON", "AGE"}))
		Expect(columns(lines[1])).To(HaveExactElements("hijack-drill", "true", "account takeover", "12", "9", "1", "2026-11-22T08:00:00Z", "False", "Freezing", Not(BeEmpty())))
	})
})
