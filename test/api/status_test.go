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

	for _, kind := range []struct{ name, good string }{
		{"SocialChannel", goodChannel}, {"SocialPlatform", goodBluesky}, {"Team", goodTeam}, {"ResponderRota", goodRota}, {"RotaOverride", goodOverride}, {"EscalationRoute", goodRoute}, {"ContentPolicy", goodPolicy},
	} {
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

	duty := func(pairs ...any) map[string]any {
		return overlaid(map[string]any{"member": "maria", "team": "customer-care", "layer": "weekdays"}, pairs...)
	}
	gap := map[string]any{"start": "2026-11-28T18:00:00Z", "end": "2026-11-30T09:00:00Z"}
	covered := func(pairs ...any) map[string]any {
		return overlaid(map[string]any{"percent": int64(66), "uncoveredPerWeek": "56h0m0s"}, pairs...)
	}

	for _, kind := range []struct{ name, good string }{{"SocialChannel", goodChannel}, {"ResponderRota", goodRota}} {
		Describe("of who is on duty, of a "+kind.name, Ordered, func() {
			var object *unstructured.Unstructured

			BeforeAll(func(ctx SpecContext) {
				object = manifest(kind.good, set("metadata.name", "with-duty"))
				Expect(kube.Create(ctx, object)).To(Succeed())
				DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, object)).To(Succeed()) })
			})

			DescribeTable("takes",
				func(ctx SpecContext, matcher types.GomegaMatcher, edits ...edit) {
					Expect(writeStatus(ctx, object, edits...)).To(matcher)
				},
				Entry("somebody", Succeed(), set("status.onCall", duty("since", "2026-11-27T18:00:00Z", "until", "2026-11-28T09:00:00Z", "next", "dana"))),
				Entry("somebody for ever", Succeed(), set("status.onCall", duty())),
				Entry("somebody by an override", Succeed(), set("status.onCall", duty("layer", "override"))),
				Entry("the longest names", Succeed(), set("status.onCall", duty(
					"member", strings.Repeat("m", 63), "team", strings.Repeat("t", 253), "layer", strings.Repeat("l", 63), "next", strings.Repeat("n", 63)))),
				Entry("not somebody of no team", refuse("status.onCall.team: Required value"), set("status.onCall", duty("team", nil))),
				Entry("not somebody of no layer", refuse("status.onCall.layer: Required value"), set("status.onCall", duty("layer", nil))),
				Entry("not nobody in an empty name", refuse("status.onCall.member", "at least 1 chars long"), set("status.onCall", duty("member", ""))),
				Entry("a coverage", Succeed(), set("status.coverage", covered("nextGap", gap, "gaps", []any{gap}))),
				Entry("a full coverage", Succeed(), set("status.coverage", covered("percent", int64(100), "uncoveredPerWeek", "0s"))),
				Entry("no coverage at all", Succeed(), set("status.coverage", covered("percent", int64(0), "uncoveredPerWeek", "168h0m0s", "nextGap", gap, "gaps", []any{gap}))),
				Entry("as many gaps as Rostra tells", Succeed(), set("status.coverage", covered("gaps", copies(16, gap)))),
				Entry("no more than that", refuse("status.coverage.gaps: Too many: 17: must have at most 16 items"), set("status.coverage", covered("gaps", copies(17, gap)))),
				Entry("no gap without a beginning", refuse("status.coverage.gaps[0].start: Required value"),
					set("status.coverage", covered("gaps", asList(map[string]any{"end": "2026-11-30T09:00:00Z"})))),
				Entry("no gap without an end", refuse("status.coverage.nextGap.end: Required value"),
					set("status.coverage", covered("nextGap", map[string]any{"start": "2026-11-30T09:00:00Z"}))),
				Entry("no more than all", refuse("status.coverage.percent", "less than or equal to 100"), set("status.coverage", covered("percent", int64(101)))),
				Entry("no less than nothing", refuse("status.coverage.percent", "greater than or equal to 0"), set("status.coverage", covered("percent", int64(-1)))),
				Entry("no coverage without a figure", refuse("status.coverage.percent: Required value"), set("status.coverage", covered("percent", nil))),
				Entry("no figure without the hours", refuse("status.coverage.uncoveredPerWeek: Required value"), set("status.coverage", covered("uncoveredPerWeek", nil))),
				Entry("no hours without end", refuse("status.coverage.uncoveredPerWeek", "may not be more than 32"),
					set("status.coverage", covered("uncoveredPerWeek", strings.Repeat("1", 32)+"h"))),
			)
		})
	}

	Describe("of a ResponderRota's people", Ordered, func() {
		var object *unstructured.Unstructured

		BeforeAll(func(ctx SpecContext) {
			object = manifest(goodRota, set("metadata.name", "with-people"))
			Expect(kube.Create(ctx, object)).To(Succeed())
			DeferCleanup(func(ctx SpecContext) { Expect(kube.Delete(ctx, object)).To(Succeed()) })
		})

		DescribeTable("takes",
			func(ctx SpecContext, matcher types.GomegaMatcher, path string, value any) {
				Expect(writeStatus(ctx, object, set(path, value))).To(matcher)
			},
			Entry("the next hand-off", Succeed(), "status.nextHandoff", "2026-11-28T09:00:00Z"),
			Entry("those who cannot be told", Succeed(), "status.unreachable", people(128)),
			Entry("not very many of them", refuse("status.unreachable: Too many: 129: must have at most 128 items"), "status.unreachable", people(129)),
			Entry("those who left", Succeed(), "status.left", people(128)),
			Entry("not very many who left", refuse("status.left: Too many: 129: must have at most 128 items"), "status.left", people(129)),
			Entry("the longest name there is", Succeed(), "status.left", []any{strings.Repeat("t", 253) + "/" + strings.Repeat("m", 63)}),
			Entry("no longer one", refuse("status.left[0]", "may not be more than 317"), "status.left", []any{strings.Repeat("t", 318)}),
			Entry("overrides in force", Succeed(), "status.overrides", people(64)),
			Entry("not very many of them in force", refuse("status.overrides: Too many: 65: must have at most 64 items"), "status.overrides", people(65)),
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
