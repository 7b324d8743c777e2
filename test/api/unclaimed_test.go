// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("A SocialPlatform's discovery", Label("S16"), func() {
	DescribeTable("is accepted",
		func(ctx SpecContext, good string, discovery map[string]any) {
			Expect(tryCreate(ctx, manifest(good, set("spec.discovery", discovery)))).To(Succeed())
		},
		Entry("with its default", goodBluesky, map[string]any{}),
		Entry("at the shortest interval", goodMastodon, map[string]any{"interval": "5m"}),
		Entry("at the longest interval", goodBluesky, map[string]any{"interval": "720h"}),
	)

	DescribeTable("is refused at an interval", Label("S25"),
		func(ctx SpecContext, interval any, words string) {
			Expect(tryCreate(ctx, manifest(goodBluesky, set("spec.discovery", map[string]any{"interval": interval})))).
				To(refuse("spec.discovery.interval", words))
		},
		Entry("that is huge", "9999999h", "from 5m to 720h"),
		Entry("that is too long by little", "720h1s", "from 5m to 720h"),
		Entry("that is too short by little", "4m59s", "from 5m to 720h"),
		Entry("that is negative", "-1h", "from 5m to 720h"),
		Entry("in days", "1d", "such as 1h, from 5m to 720h"),
		Entry("that is a number", 3600, "must be of type string"),
	)

	It("is once an hour where it is asked for, and else not at all", func(ctx SpecContext) {
		platform := manifest(goodBluesky, set("spec.discovery", map[string]any{}))
		Expect(tryCreate(ctx, platform)).To(Succeed())
		Expect(platform.Object).To(HaveKeyWithValue("spec", HaveKeyWithValue("discovery", Equal(map[string]any{"interval": "1h"}))))
		platform = manifest(goodBluesky)
		Expect(tryCreate(ctx, platform)).To(Succeed())
		Expect(platform.Object).To(HaveKeyWithValue("spec", Not(HaveKey("discovery"))))
	})
})

var _ = Describe("A SocialPlatform's unclaimed accounts", Ordered, Label("S16"), func() {
	var object *unstructured.Unstructured

	BeforeAll(func(ctx SpecContext) {
		object = manifest(goodBluesky, set("metadata.name", "with-unclaimed"))
		Expect(kube.Create(ctx, object)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, object)).To(Succeed()) })
	})

	accounts := func(size int, pairs ...any) []any {
		list := make([]any, 0, size)
		for i := range size {
			account := map[string]any{"id": fmt.Sprint("did:plc:", i), "handle": "help.acme.example", "state": "Active", "since": "2026-11-21T12:00:00Z"}
			for j := 0; j < len(pairs); j += 2 {
				account[pairs[j].(string)] = pairs[j+1]
			}
			list = append(list, account)
		}
		return list
	}

	DescribeTable("are taken",
		func(ctx SpecContext, matcher types.GomegaMatcher, count int64, accounts []any) {
			changed, told := object.DeepCopy(), map[string]any{"count": count}
			if len(accounts) > 0 {
				told["accounts"] = accounts
			}
			set("status.unclaimed", told)(changed.Object)
			Expect(kube.Status().Update(ctx, changed, client.DryRunAll)).To(matcher)
		},
		Entry("none", Succeed(), int64(0), nil),
		Entry("a hundred of many", Succeed(), int64(10_000), accounts(100)),
		Entry("no more than Rostra reports", refuse("status.unclaimed.accounts: Too many: 101: must have at most 100 items"), int64(101), accounts(101)),
		Entry("no more than Rostra lists", refuse("status.unclaimed.count"), int64(10_001), accounts(1)),
		Entry("none twice", refuse(`status.unclaimed.accounts[1]: Duplicate value: {"id":"same"}`), int64(2), accounts(2, "id", "same")),
		Entry("no unknown state", refuse(`supported values: "Active", "Inactive", "Blocked"`), int64(1), accounts(1, "state", "Asleep")),
		Entry("with a name in any script", Succeed(), int64(1), accounts(1, "displayName", "Acme Help ✈")),
	)
})
