// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const goodPolicy = `
apiVersion: social.rostra.dev/v1alpha1
kind: ContentPolicy
metadata: {name: brand}
spec:
  channelSelector: {matchLabels: {purpose: customer-care}}
  response: {firstResponse: 1h}
`

var _ = Describe("A ContentPolicy", Label("S15"), func() {
	DescribeTable("is accepted", func(ctx SpecContext, edits ...edit) {
		Expect(tryCreate(ctx, manifest(goodPolicy, edits...))).To(Succeed())
	},
		Entry("as the design writes it"),
		Entry("of every channel", set("spec.channelSelector", map[string]any{})),
		Entry("of some namespaces", set("spec.namespaceSelector", map[string]any{"matchLabels": map[string]any{"desk": "care"}})),
		Entry("of the shortest time", set("spec.response.firstResponse", "1m")),
		Entry("of the shortest time in seconds", set("spec.response.firstResponse", "60s")),
		Entry("of the longest time", set("spec.response.firstResponse", "168h")),
		Entry("of a time in parts", set("spec.response.firstResponse", "1h30m15s")),
	)

	const unclear = "firstResponse must be a duration in hours, minutes and seconds such as 1h, from 1m to 168h"
	DescribeTable("is refused", Label("S25"), func(ctx SpecContext, field, words string, change edit) {
		Expect(tryCreate(ctx, manifest(goodPolicy, change))).To(refuse(field, words))
	},
		Entry("without a selector", "spec.channelSelector", "Required", unset("spec.channelSelector")),
		Entry("asking for nothing", "spec.response", "the policy asks for nothing", unset("spec.response")),
		Entry("asking for a response without a time", "spec.response.firstResponse", "Required", unset("spec.response.firstResponse")),
		Entry("with too little time", "spec.response.firstResponse", unclear, set("spec.response.firstResponse", "59s")),
		Entry("with too much time", "spec.response.firstResponse", unclear, set("spec.response.firstResponse", "168h0m1s")),
		Entry("with no time at all", "spec.response.firstResponse", unclear, set("spec.response.firstResponse", "")),
		Entry("with less than nothing", "spec.response.firstResponse", unclear, set("spec.response.firstResponse", "-1h")),
		Entry("with fractions", "spec.response.firstResponse", unclear, set("spec.response.firstResponse", "1.5h")),
		Entry("with days", "spec.response.firstResponse", unclear, set("spec.response.firstResponse", "1d")),
		Entry("with words", "spec.response.firstResponse", unclear, set("spec.response.firstResponse", "soon")),
		Entry("with a time of many digits", "spec.response.firstResponse", "32", set("spec.response.firstResponse", strings.Repeat("1", 32)+"m")),
		Entry("with a bare number", "spec.response.firstResponse", "string", set("spec.response.firstResponse", int64(60))),
	)

	It("is of no namespace", func(ctx SpecContext) {
		object := manifest(goodPolicy)
		created(ctx, object)
		out, err := api.Kubectl(ctx, "get", "contentpolicy", "brand", "-o", "name")
		Expect(err).NotTo(HaveOccurred())
		Expect(strings.TrimSpace(out)).To(Equal("contentpolicy.social.rostra.dev/brand"))
	})

	Describe("says of the channels that it selects", Ordered, func() {
		var object *unstructured.Unstructured

		BeforeAll(func(ctx SpecContext) {
			object = manifest(goodPolicy, set("metadata.name", "with-channels"))
			Expect(kube.Create(ctx, object)).To(Succeed())
			DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, object)).To(Succeed()) })
		})

		names := func(size int) []any {
			list := make([]any, 0, size)
			for i := range size {
				list = append(list, fmt.Sprint("social/channel-", i))
			}
			return list
		}
		DescribeTable("with",
			func(ctx SpecContext, matcher types.GomegaMatcher, channels map[string]any) {
				changed := object.DeepCopy()
				set("status.channels", channels)(changed.Object)
				Expect(kube.Status().Update(ctx, changed, client.DryRunAll)).To(matcher)
			},
			Entry("how many there are", Succeed(), map[string]any{"count": int64(0)}),
			Entry("the names of a hundred", Succeed(), map[string]any{"count": int64(1000), "names": names(100)}),
			Entry("not more names than that", refuse("status.channels.names: Too many: 101: must have at most 100 items"), map[string]any{"count": int64(1000), "names": names(101)}),
			Entry("not fewer than none", refuse("status.channels.count", "greater than or equal to 0"), map[string]any{"count": int64(-1)}),
			Entry("not names without a count", refuse("status.channels.count: Required value"), map[string]any{"names": names(1)}),
			Entry("not an empty name", refuse("status.channels.names[0]", "at least 1 chars long"), map[string]any{"count": int64(1), "names": []any{""}}),
			Entry("not a name longer than there is", refuse("status.channels.names[0]", "may not be more than 317"), map[string]any{"count": int64(1), "names": []any{strings.Repeat("x", 318)}}),
		)
	})
})
