// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

var _ = Describe("A SocialPlatform", func() {
	DescribeTable("accepts",
		func(ctx SpecContext, good string, edits ...edit) {
			Expect(tryCreate(ctx, manifest(good, edits...))).To(Succeed())
		},
		Entry("Bluesky", goodBluesky),
		Entry("Mastodon", goodMastodon),
		Entry("every namespace", goodMastodon, set("spec.allowedNamespaces", map[string]any{})),
		Entry("namespaces by expression", goodMastodon, set("spec.allowedNamespaces", map[string]any{
			"matchExpressions": []any{map[string]any{"key": "team", "operator": "In", "values": []any{"care", "news"}}},
		})),
		Entry("what is observed only", goodBluesky, set("spec.managementPolicy", "Observe")),
		Entry("the shortest probe interval", goodBluesky, set("spec.probeInterval", "60s")),
		Entry("the longest probe interval", goodBluesky, set("spec.probeInterval", "24h0m0s")),
	)

	DescribeTable("accepts a server",
		func(ctx SpecContext, url string) {
			Expect(tryCreate(ctx, manifest(goodBluesky, set("spec.bluesky.service", url)))).To(Succeed())
			Expect(tryCreate(ctx, manifest(goodMastodon, set("spec.mastodon.server", url)))).To(Succeed())
		},
		Entry("of a name", "https://social.acme.example"),
		Entry("with a slash", "https://social.acme.example/"),
		Entry("with a port", "https://social.acme.example:8443"),
		Entry("in the cluster, without TLS", "http://gotosocial.social.svc:8080"),
		Entry("by its address", "https://192.0.2.7"),
		Entry("by its IPv6 address", "https://[2001:db8::1]:8443"),
		Entry("in capitals", "HTTPS://Social.Acme.Example"),
	)

	DescribeTable("refuses a server", Label("S25"),
		func(ctx SpecContext, url string) {
			const words = " must be the root URL of a server, such as https://social.example: https (http only for an address that the administrator allows), without user, path, query or fragment"
			Expect(tryCreate(ctx, manifest(goodBluesky, set("spec.bluesky.service", url)))).To(refuse("spec.bluesky.service", "service"+words))
			Expect(tryCreate(ctx, manifest(goodMastodon, set("spec.mastodon.server", url)))).To(refuse("spec.mastodon.server", "server"+words))
		},
		Entry("of a name alone", "social.acme.example"),
		Entry("with a path", "https://social.acme.example/xrpc"),
		Entry("with a path of dots", "https://social.acme.example/.."),
		Entry("with two slashes", "https://social.acme.example//"),
		Entry("with an encoded path", "https://social.acme.example/%2e%2e"),
		Entry("with a query", "https://social.acme.example/?x=1"),
		Entry("with an empty query", "https://social.acme.example?"),
		Entry("with a fragment", "https://social.acme.example/#x"),
		Entry("with an empty fragment", "https://social.acme.example#"),
		Entry("with a user", "https://maria@social.acme.example"),
		Entry("with a password", "https://maria:hunter2@social.acme.example"),
		Entry("with an empty user", "https://@social.acme.example"),
		Entry("with what looks like the server", `https://bsky.social\@evil.example`),
		Entry("over FTP", "ftp://social.acme.example"),
		Entry("in a file", "file:///etc/passwd"),
		Entry("of gophers", "gopher://social.acme.example"),
		Entry("in a script", "javascript:alert(1)"),
		Entry("without a scheme", "//social.acme.example"),
		Entry("without a host", "https://"),
		Entry("without a host, with a slash", "https:///"),
		Entry("of a port alone", "https://:8443"),
		Entry("without slashes", "https:social.acme.example"),
		Entry("of a path", "/social"),
		Entry("with a space", "https://social acme.example"),
		Entry("with a space behind", "https://social.acme.example "),
		Entry("with a line break", "https://social.acme.example\nhost: evil.example"),
		Entry("with a line break behind", "https://social.acme.example\n"),
		Entry("with a NUL", "https://social.acme.example\x00"),
		Entry("with a bad escape", "https://social.acme.example%zz"),
		Entry("with a bad port", "https://social.acme.example:port"),
	)

	DescribeTable("refuses a server of the wrong length or type",
		func(ctx SpecContext, url any, words string) {
			Expect(tryCreate(ctx, manifest(goodBluesky, set("spec.bluesky.service", url)))).To(refuse("spec.bluesky.service", words))
			Expect(tryCreate(ctx, manifest(goodMastodon, set("spec.mastodon.server", url)))).To(refuse("spec.mastodon.server", words))
		},
		Entry("nothing", "", "at least 1 chars long"),
		Entry("too long", "https://"+strings.Repeat("a", 249), "may not be more than 256"),
		Entry("null", nil, "Required value"),
		Entry("a list", []any{"https://bsky.social"}, "must be of type string"),
	)

	DescribeTable("refuses",
		func(ctx SpecContext, good string, change edit, words ...string) {
			Expect(tryCreate(ctx, manifest(good, change))).To(refuse(words...))
		},
		Entry("no spec", goodBluesky, unset("spec"), "spec: Required value"),
		Entry("no type", goodBluesky, unset("spec.type"), "spec.type: Required value"),
		Entry("an unknown type", goodBluesky, set("spec.type", "Fediverse"), "spec.type", `supported values: "Bluesky", "Mastodon"`),
		Entry("a type in lower case", goodBluesky, set("spec.type", "bluesky"), "spec.type", `supported values: "Bluesky", "Mastodon"`),
		Entry("no block", goodBluesky, unset("spec.bluesky"), "spec.bluesky", "set the block bluesky exactly when type is Bluesky"),
		Entry("no block for Mastodon", goodMastodon, unset("spec.mastodon"), "spec.mastodon", "set the block mastodon exactly when type is Mastodon"),
		Entry("an empty block", goodBluesky, set("spec.bluesky", map[string]any{}), "spec.bluesky.service: Required value"),
		Entry("both blocks", goodBluesky, set("spec.mastodon.server", "https://mastodon.social"), "spec.mastodon", "set the block mastodon exactly when type is Mastodon"),
		Entry("both blocks for Mastodon", goodMastodon, set("spec.bluesky.service", "https://bsky.social"), "spec.bluesky", "set the block bluesky exactly when type is Bluesky"),
		Entry("the other block", goodBluesky, set("spec.type", "Mastodon"), "spec.bluesky", "set the block mastodon exactly when type is Mastodon"),
		Entry("no word on namespaces", goodBluesky, unset("spec.allowedNamespaces"), "spec.allowedNamespaces: Required value"),
		Entry("a null for namespaces", goodBluesky, set("spec.allowedNamespaces", nil), "spec.allowedNamespaces: Required value"),
		Entry("a list of namespaces", goodBluesky, set("spec.allowedNamespaces", []any{"social"}), "spec.allowedNamespaces", "must be of type object"),
		Entry("an unknown management policy", goodBluesky, set("spec.managementPolicy", "Ignore"), "spec.managementPolicy", `supported values: "Manage", "Observe"`),
	)

	DescribeTable("refuses a probe interval", Label("S25"),
		func(ctx SpecContext, interval any, words string) {
			Expect(tryCreate(ctx, manifest(goodBluesky, set("spec.probeInterval", interval)))).To(refuse("spec.probeInterval", words))
		},
		Entry("that is huge", "9999999h", "from 1m to 24h"),
		Entry("that is too long by little", "24h1s", "from 1m to 24h"),
		Entry("that is too short by little", "59s", "from 1m to 24h"),
		Entry("of zero", "0s", "from 1m to 24h"),
		Entry("that is negative", "-1h", "from 1m to 24h"),
		Entry("in days", "1d", "such as 1h, from 1m to 24h"),
		Entry("of nothing", "", "from 1m to 24h"),
		Entry("in words", "hourly", "must be a duration in hours, minutes and seconds"),
		Entry("that is a number", 3600, "must be of type string"),
	)

	It("fills in what is left out", func(ctx SpecContext) {
		platform := manifest(goodBluesky)
		Expect(tryCreate(ctx, platform)).To(Succeed())
		Expect(platform.Object).To(HaveKeyWithValue("spec", And(
			HaveKeyWithValue("managementPolicy", "Manage"), HaveKeyWithValue("probeInterval", "1h"), HaveKeyWithValue("allowedNamespaces", BeEmpty()))))
	})

	It("is written and read by the typed client", func(ctx SpecContext) {
		platform := &v1alpha1.SocialPlatform{Spec: v1alpha1.SocialPlatformSpec{
			Type: v1alpha1.PlatformMastodon, Mastodon: &v1alpha1.MastodonPlatform{Server: "https://mastodon.social"},
			AllowedNamespaces: &metav1.LabelSelector{}, ProbeInterval: &metav1.Duration{Duration: 5 * time.Minute},
		}}
		platform.Name = "typed"
		Expect(tryCreate(ctx, platform)).To(Succeed())
		Expect(platform.Spec.ManagementPolicy).To(Equal(v1alpha1.ManagementManage))
		Expect(platform.Spec.ProbeInterval).To(HaveValue(HaveField("Duration", 5*time.Minute)))
		Expect(platform.Spec.AllowedNamespaces).NotTo(BeNil())
		Expect(platform.Spec.Bluesky).To(BeNil())
	})

	It("keeps its type, and may move to another server", func(ctx SpecContext) {
		platform := manifest(goodBluesky)
		created(ctx, platform)
		Expect(tryUpdate(ctx, platform, set("spec.type", "Mastodon"), unset("spec.bluesky"), set("spec.mastodon.server", "https://mastodon.social"))).
			To(refuse("spec.type", "type cannot change: create another SocialPlatform and move the channels"))
		Expect(tryUpdate(ctx, platform, set("spec.bluesky.service", "https://pds.acme.example"))).To(Succeed())
		Expect(tryUpdate(ctx, platform, set("spec.managementPolicy", "Observe"))).To(Succeed())
	})
})
