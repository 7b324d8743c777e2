// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	goodMeta = `
apiVersion: social.rostra.dev/v1alpha1
kind: SocialPlatform
metadata: {name: facebook}
spec:
  type: Meta
  meta: {applicationSecretRef: {name: meta-application}}
  allowedNamespaces: {}
`
	goodX = `
apiVersion: social.rostra.dev/v1alpha1
kind: SocialPlatform
metadata: {name: x}
spec:
  type: X
  x: {applicationSecretRef: {name: x-application}}
  allowedNamespaces: {}
`
	goodSubscriber = goodChannel + "  subscription: {events: [Mention]}\n"

	events       = "spec.subscription.events"
	pollInterval = "spec.subscription.pollInterval"
)

// subscribing makes a channel ask for events.
func subscribing(kinds ...any) edit { return set(events, kinds) }

var _ = Describe("A subscription in a SocialChannel", func() {
	DescribeTable("is accepted",
		func(ctx SpecContext, edits ...edit) {
			Expect(tryCreate(ctx, manifest(goodChannel, append([]edit{subscribing("Mention")}, edits...)...))).To(Succeed())
		},
		Entry("with one event"),
		Entry("with all events", subscribing("Mention", "Reply", "DirectMessage", "OwnPost")),
		Entry("that is pushed", set("spec.subscription.delivery", "Push")),
		Entry("that is polled", set("spec.subscription.delivery", "Poll")),
		Entry("that is polled at the shortest interval", set(pollInterval, "15s")),
		Entry("that is polled at the longest interval", set(pollInterval, "60m")),
		Entry("that is polled as Go writes it", set(pollInterval, "1m0s")),
		Entry("with a rotation", set("spec.subscription.keyRotation.interval", "720h")),
		Entry("with the shortest rotation", set("spec.subscription.keyRotation.interval", "1h")),
		Entry("with the longest rotation, pushed", set("spec.subscription.keyRotation.interval", "8760h"), set("spec.subscription.delivery", "Push")),
	)

	It("is delivered as it can be, and polled every minute, unless said otherwise", func(ctx SpecContext) {
		channel := &v1alpha1.SocialChannel{}
		object := manifest(goodChannel, subscribing("Mention"))
		Expect(tryCreate(ctx, object)).To(Succeed())
		Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, channel)).To(Succeed())
		Expect(channel.Spec.Subscription.Delivery).To(Equal(v1alpha1.DeliverAuto))
		Expect(channel.Spec.Subscription.PollInterval).To(Equal(&metav1.Duration{Duration: time.Minute}))
		Expect(channel.Spec.Subscription.KeyRotation).To(BeNil())
	})

	DescribeTable("is refused", Label("S25"),
		func(ctx SpecContext, words string, edits ...edit) {
			Expect(tryCreate(ctx, manifest(goodChannel, append([]edit{subscribing("Mention")}, edits...)...))).To(refuse(words))
		},
		Entry("without events", "spec.subscription.events: Required value", unset(events)),
		Entry("with no events", "should have at least 1 items", set(events, []any{})),
		Entry("with an unknown event", `supported values: "Mention", "Reply", "DirectMessage", "OwnPost"`, subscribing("Like")),
		Entry("with an event that is always subscribed", `supported values: "Mention", "Reply", "DirectMessage", "OwnPost"`, subscribing("AuthorizationLost")),
		Entry("with an event in lower case", `supported values: "Mention"`, subscribing("mention")),
		Entry("with an event twice", "Duplicate value", subscribing("Mention", "Mention")),
		Entry("with events in words", "must be of type array", set(events, "Mention")),
		Entry("with an unknown delivery", `supported values: "Auto", "Push", "Poll"`, set("spec.subscription.delivery", "Pull")),
		Entry("with a delivery of nothing", `supported values: "Auto", "Push", "Poll"`, set("spec.subscription.delivery", "")),
		Entry("polled too often", "pollInterval must be a duration in hours, minutes and seconds such as 1m, from 15s to 1h", set(pollInterval, "14s")),
		Entry("polled too seldom", "pollInterval must be a duration", set(pollInterval, "1h1s")),
		Entry("polled at an interval without a unit", "pollInterval must be a duration", set(pollInterval, "60")),
		Entry("polled at an interval of nothing", "pollInterval must be a duration", set(pollInterval, "")),
		Entry("polled at a negative interval", "pollInterval must be a duration", set(pollInterval, "-1m")),
		Entry("polled at a fraction", "pollInterval must be a duration", set(pollInterval, "1.5m")),
		Entry("polled at an interval of very many characters", "may not be more than 32", set(pollInterval, strings.Repeat("1", 40)+"s")),
		Entry("polled at a number", "must be of type string", set(pollInterval, 60)),
		Entry("rotated without an interval", "spec.subscription.keyRotation", set("spec.subscription.keyRotation", map[string]any{})),
		Entry("rotated too often", "interval must be a duration in hours, minutes and seconds such as 720h, from 1h to 8760h", set("spec.subscription.keyRotation.interval", "59m59s")),
		Entry("rotated too seldom", "interval must be a duration", set("spec.subscription.keyRotation.interval", "8761h")),
		Entry("rotated in days", "interval must be a duration", set("spec.subscription.keyRotation.interval", "30d")),
		Entry("rotated although it is polled", "keyRotation is for pushed events, and delivery is Poll: remove one of them",
			set("spec.subscription.keyRotation.interval", "720h"), set("spec.subscription.delivery", "Poll")),
	)
})

var _ = Describe("A SocialPlatform with an application", func() {
	DescribeTable("is accepted", func(ctx SpecContext, good string, edits ...edit) {
		Expect(tryCreate(ctx, manifest(good, edits...))).To(Succeed())
	},
		Entry("Meta", goodMeta),
		Entry("X", goodX),
		Entry("whose Secret has a name with dots", goodX, set("spec.x.applicationSecretRef.name", "x.application")),
	)

	It("is at the platform's own server unless said otherwise", func(ctx SpecContext) {
		for good, server := range map[string]string{goodMeta: "https://graph.facebook.com", goodX: "https://api.x.com"} {
			object, social := manifest(good), &v1alpha1.SocialPlatform{}
			Expect(tryCreate(ctx, object)).To(Succeed())
			Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, social)).To(Succeed())
			Expect(social.Spec.ServerURL()).To(Equal(server))
			Expect(social.Spec.ApplicationSecretName()).NotTo(BeEmpty())
		}
	})

	DescribeTable("is refused", Label("S25"),
		func(ctx SpecContext, good string, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(good, change))).To(refuse(words...))
		},
		Entry("Meta without its block", goodMeta, unset("spec.meta"), "set the block meta exactly when type is Meta"),
		Entry("X without its block", goodX, unset("spec.x"), "set the block x exactly when type is X"),
		Entry("Meta with X's block", goodMeta, set("spec.x", map[string]any{"applicationSecretRef": map[string]any{"name": "a"}}), "set the block x exactly when type is X"),
		Entry("X with Meta's block", goodX, set("spec.meta", map[string]any{"applicationSecretRef": map[string]any{"name": "a"}}), "set the block meta exactly when type is Meta"),
		Entry("Meta with Bluesky's block", goodMeta, set("spec.bluesky.service", "https://bsky.social"), "set the block bluesky exactly when type is Bluesky"),
		Entry("Bluesky with Meta's block", goodBluesky, set("spec.meta.applicationSecretRef.name", "a"), "set the block meta exactly when type is Meta"),
		Entry("Mastodon with X's block", goodMastodon, set("spec.x.applicationSecretRef.name", "a"), "set the block x exactly when type is X"),
		Entry("Meta without a Secret", goodMeta, set("spec.meta", map[string]any{}), "spec.meta"),
		Entry("X without a Secret", goodX, set("spec.x", map[string]any{}), "spec.x"),
		Entry("a Secret without a name", goodX, set("spec.x.applicationSecretRef", map[string]any{}), "spec.x.applicationSecretRef"),
		Entry("a Secret of no name", goodX, set("spec.x.applicationSecretRef.name", ""), "spec.x.applicationSecretRef.name"),
		Entry("a Secret of another namespace", goodMeta, set("spec.meta.applicationSecretRef.name", "other/meta"), "spec.meta.applicationSecretRef.name"),
		Entry("a server with a path", goodMeta, set("spec.meta.graph", "https://graph.facebook.com/v24.0"), "spec.meta.graph", "graph must be the root URL of a server"),
		Entry("a server with a user", goodX, set("spec.x.api", "https://api.x.com@evil.example"), "spec.x.api", "api must be the root URL of a server"),
		Entry("a server in a file", goodX, set("spec.x.api", "file:///etc/passwd"), "spec.x.api", "api must be the root URL of a server"),
		Entry("a Secret with capitals", goodMeta, set("spec.meta.applicationSecretRef.name", "Meta"), "spec.meta.applicationSecretRef.name"),
	)
})
