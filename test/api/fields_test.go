// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// What no kind has: features that are to come, and slips of the pen. A field
// that is accepted and ignored is a promise that nobody keeps.
var _ = DescribeTable("A field that does not exist", Label("S25"),
	func(ctx SpecContext, good, path string, value any) {
		object := manifest(good, set(path, value))
		err := kube.Create(ctx, object.DeepCopy(), client.DryRunAll)
		Expect(err).To(MatchError(apierrors.IsBadRequest, "is an answer of 400"))
		Expect(err).To(MatchError(ContainSubstring(`unknown field "` + path + `"`)))

		out, err := kubectlApply(ctx, object, "--validate=strict")
		Expect(err).To(HaveOccurred(), "kubectl refuses it by default")
		Expect(out).To(ContainSubstring("unknown field \"" + path + "\""))

		Expect(lenient.Create(ctx, object, client.DryRunAll)).To(Succeed())
		names := strings.Split(path, ".")
		_, found, err := unstructured.NestedFieldNoCopy(object.Object, names...)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeFalse(), "what is let in by a lenient client is left out")
	},
	Entry("a route without its Ref", goodChannel, "spec.escalationRoute", "care"),
	Entry("a rota's person as a fallback's deputy", goodRoute, "spec.fallback.deputy", "dana"),
	Entry("a route's delay", goodRoute, "spec.delay", "5m"),
	Entry("a fallback's wait", goodRoute, "spec.fallback.wait", "5m"),
	Entry("a fallback in another namespace", goodRoute, "spec.fallback.namespace", "other"),
	Entry("a policy of its own choice", goodChannel, "spec.contentPolicyRef", map[string]any{"name": "brand"}),
	Entry("a rota without its kind", goodChannel, "spec.rotaRef", map[string]any{"name": "care"}),
	Entry("a Secret's namespace", goodChannel, "spec.credentials.sourceSecretRef.namespace", "other"),
	Entry("a Secret's key", goodChannel, "spec.credentials.sourceSecretRef.key", "password"),
	Entry("a delivery's namespace", goodChannel, "spec.credentials.delivery.namespace", "kube-system"),
	Entry("a password in the manifest", goodChannel, "spec.credentials.password", "hunter2"),
	Entry("a handle in capitals", goodChannel, "spec.Handle", "help"),
	Entry("an account ID in Go's spelling", goodChannel, "spec.accountId", "1"),
	Entry("an owner without its Ref", goodChannel, "spec.owner", "customer-care"),
	Entry("a misspelt policy", goodChannel, "spec.deletePolicy", "Orphan"),
	Entry("an owner's namespace", goodChannel, "spec.ownerRef.namespace", "customer-care"),
	Entry("an unknown platform", goodBluesky, "spec.facebook", map[string]any{}),
	Entry("a platform's password", goodBluesky, "spec.bluesky.password", "hunter2"),
	Entry("a server in the wrong block", goodBluesky, "spec.bluesky.server", "https://bsky.social"),
	Entry("a callback", goodSubscriber, "spec.subscription.callback", "https://evil.example"),
	Entry("a subscription's secret in the manifest", goodSubscriber, "spec.subscription.secret", "hunter2"),
	Entry("an application's Secret in another namespace", goodMeta, "spec.meta.applicationSecretRef.namespace", "other"),
	Entry("an application's secret in the manifest", goodX, "spec.x.clientSecret", "hunter2"),
	Entry("what a policy will ask of owners", goodPolicy, "spec.ownership", map[string]any{"minMembers": int64(2)}),
	Entry("what a policy will ask of posts", goodPolicy, "spec.content", map[string]any{}),
	Entry("what a policy will ask of credentials", goodPolicy, "spec.credentials", map[string]any{"maxAge": "2160h"}),
	Entry("a policy's force", goodPolicy, "spec.enforcement", "Deny"),
	Entry("a policy's last response", goodPolicy, "spec.response.resolution", "24h"),
	Entry("a policy's exceptions", goodPolicy, "spec.except", []any{"acme-news"}),
	Entry("a deputy", goodTeam, "spec.deputy", "dana"),
	Entry("somebody above by name", goodTeam, "spec.reportsTo", "chief-executive"),
	Entry("a zone in another spelling", goodRota, "spec.timezone", "Europe/London"),
	Entry("holidays", goodRota, "spec.holidays", []any{"2026-12-25"}),
	Entry("a rota's own team", goodRota, "spec.teamRef", map[string]any{"name": "customer-care"}),
	Entry("an override in another namespace", goodOverride, "spec.responderRotaRef.namespace", "other"),
	Entry("an override's team in a namespace", goodOverride, "spec.teamRef.namespace", "other"),
	Entry("an override of a layer", goodOverride, "spec.layer", "weekdays"),
	Entry("an override's to", goodOverride, "spec.to", "2026-11-28T09:00:00Z"),
)

var _ = Describe("A field of a member that does not exist", Label("S25"), func() {
	It("is refused, and otherwise left out", func(ctx SpecContext) {
		team := manifest(goodTeam, members(person("maria", "phone", "+44 20 7946 0000")))
		err := kube.Create(ctx, team.DeepCopy(), client.DryRunAll)
		Expect(err).To(MatchError(apierrors.IsBadRequest, "is an answer of 400"))
		Expect(err).To(MatchError(ContainSubstring(`unknown field "spec.members[0].phone"`)))
		Expect(lenient.Create(ctx, team, client.DryRunAll)).To(Succeed())
		Expect(team.Object).To(HaveKeyWithValue("spec", HaveKeyWithValue("members", ConsistOf(
			HaveKeyWithValue("name", "maria")))))
		list, _, err := unstructured.NestedSlice(team.Object, "spec", "members")
		Expect(err).NotTo(HaveOccurred())
		Expect(list[0]).NotTo(HaveKey("phone"))
	})
})

// kubectlApply asks whether kubectl would apply an object, and gives what it
// says.
func kubectlApply(ctx SpecContext, object *unstructured.Unstructured, args ...string) (string, error) {
	GinkgoHelper()
	content, err := yaml.Marshal(object.Object)
	Expect(err).NotTo(HaveOccurred())
	return kubectlRun(ctx, string(content), append([]string{"apply", "--dry-run=server", "-f", "-"}, args...)...)
}

// kubectlRun runs kubectl with an input, and gives all that it says.
func kubectlRun(ctx SpecContext, input string, args ...string) (string, error) {
	command := api.KubectlCommand(ctx, args...)
	command.Stdin = strings.NewReader(input)
	out, err := command.CombinedOutput()
	return string(out), err
}
