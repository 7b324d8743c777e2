// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/status"
)

// condition is a good one, with pairs of keys and values over it. A nil leaves
// the key out.
func condition(pairs ...any) map[string]any {
	made := map[string]any{
		"type": "Ready", "status": "True", "reason": "InOrder", "message": "everything declared is in order",
		"observedGeneration": int64(1), "lastTransitionTime": "2026-11-21T12:00:00Z",
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(made, pairs[i].(string))
		} else {
			made[pairs[i].(string)] = pairs[i+1]
		}
	}
	return made
}

var _ = Describe("Status", func() {
	writeStatus := func(ctx SpecContext, object *unstructured.Unstructured, edits ...edit) error {
		changed := object.DeepCopy()
		for _, edit := range edits {
			edit(changed.Object)
		}
		return kube.Status().Update(ctx, changed, client.DryRunAll)
	}

	for _, kind := range []struct{ name, good string }{{"SocialChannel", goodChannel}, {"SocialPlatform", goodBluesky}, {"Team", goodTeam}} {
		Describe("of a "+kind.name, Ordered, func() {
			var object *unstructured.Unstructured

			BeforeAll(func(ctx SpecContext) {
				object = manifest(kind.good)
				Expect(kube.Create(ctx, object)).To(Succeed())
				DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, object)).To(Succeed()) })
			})

			DescribeTable("takes a condition",
				func(ctx SpecContext, matcher types.GomegaMatcher, pairs ...any) {
					Expect(writeStatus(ctx, object, set("status.conditions", []any{condition(pairs...)}))).To(matcher)
				},
				Entry("that is complete", Succeed()),
				Entry("of a message of many bytes", Succeed(), "message", strings.Repeat("x", 2048)),
				Entry("not without a generation", refuse("status.conditions", "every condition says which generation it observed"), "observedGeneration", nil),
				Entry("not without a reason", refuse("reason"), "reason", nil),
				Entry("not of an empty reason", refuse("reason"), "reason", ""),
				Entry("not of a reason in a sentence", refuse("reason"), "reason", "all is well"),
				Entry("not of a status of its own", refuse("status"), "status", "Maybe"),
				Entry("not without a time", refuse("lastTransitionTime"), "lastTransitionTime", nil),
			)

			It("takes no condition twice", func(ctx SpecContext) {
				Expect(writeStatus(ctx, object, set("status.conditions", []any{condition(), condition()}))).To(refuse(`Duplicate value: {"type":"Ready"}`))
			})

			It("takes what the writer of conditions writes", func(ctx SpecContext) {
				var conditions []metav1.Condition
				writer := status.Writer{Conditions: &conditions, Generation: object.GetGeneration(), Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
				writer.Unknown("Claimed", v1alpha1.ReasonWaiting, strings.Repeat("é", 4096))
				writer.False("OwnerResolved", v1alpha1.ReasonNotAccepted, "")
				writer.Summarise("OwnerResolved", "Claimed", "CredentialReady")
				list := make([]any, 0, len(conditions))
				for _, each := range conditions {
					list = append(list, condition("type", each.Type, "status", string(each.Status), "reason", each.Reason, "message", each.Message,
						"observedGeneration", each.ObservedGeneration))
				}
				Expect(list).To(HaveLen(4))
				Expect(writeStatus(ctx, object, set("status.conditions", list))).To(Succeed())
			})

			It("is not written with the spec, nor the spec with it", func(ctx SpecContext) {
				changed := object.DeepCopy()
				set("status.observedGeneration", int64(7))(changed.Object)
				Expect(kube.Update(ctx, changed, client.DryRunAll)).To(Succeed())
				Expect(changed.Object).NotTo(HaveKeyWithValue("status", HaveKey("observedGeneration")))

				changed = object.DeepCopy()
				set("status.observedGeneration", int64(1))(changed.Object)
				unset("spec.managementPolicy")(changed.Object)
				set("spec.displayName", "Other")(changed.Object)
				unset("spec.displayName")(changed.Object)
				changed.SetLabels(map[string]string{"changed": "true"})
				Expect(kube.Status().Update(ctx, changed, client.DryRunAll)).To(Succeed())
				Expect(changed.Object["spec"]).To(Equal(object.Object["spec"]))
			})

			It("takes no generation of nought", func(ctx SpecContext) {
				Expect(writeStatus(ctx, object, set("status.observedGeneration", int64(0)))).To(refuse("status.observedGeneration"))
			})
		})
	}

	Describe("of a SocialChannel's credentials", Ordered, func() {
		var object *unstructured.Unstructured

		BeforeAll(func(ctx SpecContext) {
			object = manifest(goodChannel, set("metadata.name", "with-credentials"))
			Expect(kube.Create(ctx, object)).To(Succeed())
			DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, object)).To(Succeed()) })
		})

		delivered := func(pairs ...any) map[string]any {
			made := map[string]any{
				"id": "rostra-0123456789ab-1", "serial": int64(1), "team": "customer-care", "issuedAt": "2026-11-21T12:00:00Z",
				"secret": map[string]any{"namespace": "customer-care", "name": "acme-help"},
			}
			for i := 0; i < len(pairs); i += 2 {
				made[pairs[i].(string)] = pairs[i+1]
			}
			return made
		}
		retiring := func(size int, id func(i int) string) []any {
			list := make([]any, 0, size)
			for i := range size {
				list = append(list, map[string]any{"id": id(i), "cause": "Rotation", "revokeAt": "2026-11-21T12:00:00Z"})
			}
			return list
		}

		DescribeTable("takes",
			func(ctx SpecContext, matcher types.GomegaMatcher, edits ...edit) {
				Expect(writeStatus(ctx, object, edits...)).To(matcher)
			},
			Entry("a delivered one", Succeed(), set("status.credential", delivered())),
			Entry("the time left", Succeed(), set("status.credential", delivered("expires", "106751d"))),
			Entry("everybody who can have seen it", Succeed(), set("status.credential", delivered("exposedTo", people(512)))),
			Entry("no more people than Rostra keeps", refuse("exposedTo: Too many"), set("status.credential", delivered("exposedTo", people(513)))),
			Entry("nobody twice", refuse(`exposedTo[1]: Duplicate value`), set("status.credential", delivered("exposedTo", []any{"care/maria", "care/maria"}))),
			Entry("as many retiring ones as Rostra keeps", Succeed(), set("status.retiring", retiring(16, func(i int) string { return fmt.Sprint("old-", i) }))),
			Entry("no more than that", refuse("status.retiring: Too many: 17: must have at most 16 items"), set("status.retiring", retiring(17, func(i int) string { return fmt.Sprint("old-", i) }))),
			Entry("none twice", refuse(`status.retiring[1]: Duplicate value: {"id":"old"}`), set("status.retiring", retiring(2, func(int) string { return "old" }))),
			Entry("no unknown cause", refuse(`supported values: "Rotation", "Requested", "Handover", "Leaver", "Drift", "SourceReplaced"`),
				set("status.retiring", []any{map[string]any{"id": "old", "cause": "Whim", "revokeAt": "2026-11-21T12:00:00Z"}})),
			Entry("the revoked one", Succeed(), set("status.lastRevoked", map[string]any{
				"id": "old", "cause": "Leaver", "revokedAt": "2026-11-21T12:00:00Z", "effectiveBy": "2026-11-21T14:00:00Z",
			})),
			Entry("the account", Succeed(), set("status.account", map[string]any{
				"id": did, "handle": "help.acme.example", "displayName": "Acme Help ✈", "source": map[string]any{"resourceVersion": "7", "use": "Deliver"},
			})),
			Entry("no unknown use of the source", refuse(`supported values: "Mint", "Deliver"`), set("status.account", map[string]any{
				"id": did, "source": map[string]any{"resourceVersion": "7", "use": "Resell"},
			})),
		)
	})
})

func people(size int) []any {
	list := make([]any, 0, size)
	for i := range size {
		list = append(list, fmt.Sprint("care/member-", i))
	}
	return list
}
