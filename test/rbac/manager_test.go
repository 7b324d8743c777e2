// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"context"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// everywhere is what the operator may do in any namespace. Whoever adds a line here gives every installation's operator
// another right, and should be able to say why.
var everywhere = []string{
	"create events.events.k8s.io", // what it did, and what is wrong
	"patch events.events.k8s.io",  // that it is still wrong
	"create secrets",              // delivered Secrets, and its own record beside a channel
	"delete secrets",
	"get secrets",
	"list secrets", // the metadata; see config/rbac/role_binding.yaml
	"update secrets",
	"watch secrets",
	"get namespaces", // labels, for a platform's allowedNamespaces
	"list namespaces",
	"watch namespaces",
	"get socialchannels.social.rostra.dev",
	"list socialchannels.social.rostra.dev",
	"patch socialchannels.social.rostra.dev", // its finalizer
	"watch socialchannels.social.rostra.dev",
	"patch socialchannels.social.rostra.dev/status",
	"get socialplatforms.social.rostra.dev",
	"list socialplatforms.social.rostra.dev",
	"watch socialplatforms.social.rostra.dev",
	"patch socialplatforms.social.rostra.dev/status",
	"get teams.social.rostra.dev",
	"list teams.social.rostra.dev",
	"watch teams.social.rostra.dev",
	"patch teams.social.rostra.dev/status",
	"get responderrotas.social.rostra.dev",
	"list responderrotas.social.rostra.dev",
	"watch responderrotas.social.rostra.dev",
	"patch responderrotas.social.rostra.dev/status",
	"get rotaoverrides.social.rostra.dev",
	"list rotaoverrides.social.rostra.dev",
	"watch rotaoverrides.social.rostra.dev",
	"patch rotaoverrides.social.rostra.dev/status",
	"get escalationroutes.social.rostra.dev",
	"list escalationroutes.social.rostra.dev",
	"watch escalationroutes.social.rostra.dev",
	"patch escalationroutes.social.rostra.dev/status",
	"get contentpolicies.social.rostra.dev",
	"list contentpolicies.social.rostra.dev",
	"watch contentpolicies.social.rostra.dev",
	"patch contentpolicies.social.rostra.dev/status",
	"get publishingfreezes.social.rostra.dev",
	"list publishingfreezes.social.rostra.dev",
	"watch publishingfreezes.social.rostra.dev",
	"patch publishingfreezes.social.rostra.dev/status",
}

// atHome is what it may do besides in its own namespace.
var atHome = []string{
	"create leases.coordination.k8s.io",
	"get leases.coordination.k8s.io rostra.social.rostra.dev",
	"update leases.coordination.k8s.io rostra.social.rostra.dev",
	"create events", // "became leader"
	"patch events",
}

var _ = Describe("The operator", func() {
	var manager *rest.Config

	BeforeEach(func() { manager = serviceAccount("rostra-manager") })

	It("may do what it needs, and nothing else", func(ctx SpecContext) {
		Expect(rules(ctx, manager, teamNamespace)).To(ConsistOf(everywhere))
		Expect(rules(ctx, manager, systemNamespace)).To(ConsistOf(slices.Concat(everywhere, atHome)))
	})

	DescribeTable("may not", func(ctx SpecContext, verb, resource, namespace, name string) {
		Expect(may(ctx, manager, verb, resource, namespace, name)).To(BeFalse())
	},
		Entry("read Pods", "get", "pods", teamNamespace, ""),
		Entry("run anything in a Pod", "create", "pods/exec", teamNamespace, "any"),
		Entry("read ConfigMaps", "get", "configmaps", teamNamespace, ""),
		Entry("declare channels", "create", "socialchannels.social.rostra.dev", teamNamespace, ""),
		Entry("replace channels", "update", "socialchannels.social.rostra.dev", teamNamespace, "help"),
		Entry("delete channels", "delete", "socialchannels.social.rostra.dev", teamNamespace, "help"),
		Entry("change a team", "patch", "teams.social.rostra.dev", "", "marketing"),
		Entry("delete teams", "delete", "teams.social.rostra.dev", "", "marketing"),
		Entry("change a platform", "patch", "socialplatforms.social.rostra.dev", "", "bluesky"),
		Entry("delete all Secrets of a namespace at once", "deletecollection", "secrets", teamNamespace, ""),
		Entry("make namespaces", "create", "namespaces", "", ""),
		Entry("delete namespaces", "delete", "namespaces", "", teamNamespace),
		Entry("change who may read Secrets", "create", "rolebindings.rbac.authorization.k8s.io", teamNamespace, ""),
		Entry("change its own role", "patch", "clusterroles.rbac.authorization.k8s.io", "", "rostra-manager"),
		Entry("give itself another role", "bind", "clusterroles.rbac.authorization.k8s.io", "", "cluster-admin"),
		Entry("be somebody else", "impersonate", "users", "", "admin"),
		Entry("get other accounts' tokens", "create", "serviceaccounts/token", systemNamespace, "default"),
		Entry("change the kinds", "patch", "customresourcedefinitions.apiextensions.k8s.io", "", "teams.social.rostra.dev"),
		Entry("take other Leases of its namespace", "update", "leases.coordination.k8s.io", systemNamespace, "other"),
		Entry("take a Lease elsewhere", "create", "leases.coordination.k8s.io", otherNamespace, ""),
		Entry("take its own Lease elsewhere", "update", "leases.coordination.k8s.io", otherNamespace, "rostra.social.rostra.dev"),
	)

	It("is refused in deed, not only on paper", func(ctx SpecContext) {
		client := clientset(manager)
		_, err := client.CoreV1().Pods(teamNamespace).List(ctx, metav1.ListOptions{})
		Expect(err).To(Satisfy(apierrors.IsForbidden))
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "probe"}}
		secret, err = client.CoreV1().Secrets(teamNamespace).Create(ctx, secret, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = client.CoreV1().Secrets(teamNamespace).Update(ctx, secret, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = client.CoreV1().Secrets(teamNamespace).Patch(ctx, "probe", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
		Expect(err).To(Satisfy(apierrors.IsForbidden))
		Expect(client.CoreV1().Secrets(teamNamespace).Delete(ctx, "probe", metav1.DeleteOptions{})).To(Succeed())
	})

	It("has its rights for the Lease from a Role, not a ClusterRole", func(ctx SpecContext) {
		_, err := admin.RbacV1().Roles(systemNamespace).Get(ctx, "rostra-leader-election", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = admin.RbacV1().ClusterRoles().Get(ctx, "rostra-leader-election", metav1.GetOptions{})
		Expect(err).To(Satisfy(apierrors.IsNotFound))
	})

	It("gives nothing to other service accounts of its namespace", func(ctx SpecContext) {
		Expect(rules(ctx, serviceAccount("default"), systemNamespace)).To(BeEmpty())
	})
})

var _ = Describe("The component secrets-per-namespace", Ordered, func() {
	const named, unnamed = "named", "unnamed"
	var manager *rest.Config

	BeforeAll(func(ctx SpecContext) {
		makeNamespace(ctx, named)
		makeNamespace(ctx, unnamed)
		dir := overlay(map[string]string{
			"kustomization.yaml": `
resources: [../../../config/default, ` + named + `]
components: [../../../config/components/secrets-per-namespace, ../../../config/components/network-policy]
`,
			named + "/kustomization.yaml": `
namespace: ` + named + `
resources: [../../../../config/components/secrets-per-namespace/binding]
`,
		})
		kubectl(ctx, "apply", "--validate=strict", "-k", dir)
		DeferCleanup(func(ctx SpecContext) { kubectl(ctx, "apply", "-k", configDir+"/default") })
		manager = serviceAccount("rostra-manager")
	})

	It("lets the operator touch Secrets where the administrator said so", func(ctx SpecContext) {
		Expect(rules(ctx, manager, named)).To(ConsistOf(everywhere))
	})

	It("lets it touch none elsewhere", func(ctx SpecContext) {
		left := slices.DeleteFunc(slices.Clone(everywhere), func(rule string) bool {
			return slices.Contains([]string{"get secrets", "create secrets", "update secrets", "delete secrets"}, rule)
		})
		Expect(rules(ctx, manager, unnamed)).To(ConsistOf(left))
	})

	It("leaves enough for the operator to start, to lead, and to say what it may not", func(ctx SpecContext) {
		startOperator(manager)
		manifest := "---\n" + strings.Join([]string{
			platformManifest, teamManifest(named), channelManifest(named), channelManifest(unnamed),
		}, "\n---\n")
		apply(ctx, manifest)
		DeferCleanup(func(ctx SpecContext) {
			kubectl(ctx, "delete", "socialchannels,socialplatforms,teams", "--all", "-A", "--timeout=30s")
		})
		Eventually(condition).WithArguments(ctx, "team/owners", "", "Ready").Should(Equal("True InOrder"))
		// Where it may not look it says so. Where it may, it goes on to the platform, which is not there.
		Eventually(condition).WithArguments(ctx, "socialchannel/help", unnamed, "CredentialReady").Should(Equal("False SourceSecretForbidden"))
		Eventually(condition).WithArguments(ctx, "socialchannel/help", named, "IdentityVerified").Should(Equal("Unknown PlatformUnavailable"))
		Eventually(func() string {
			return kubectl(ctx, "get", "events.v1.events.k8s.io", "-n", unnamed, "-o", "jsonpath={.items[*].reason}")
		}).Should(ContainSubstring("SourceSecretForbidden"))
		lease, err := admin.CoordinationV1().Leases(systemNamespace).Get(ctx, "rostra.social.rostra.dev", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(lease.Spec.HolderIdentity).To(HaveValue(Not(BeEmpty())))
	})
})

var _ = Describe("A role without the cluster-wide watch on Secrets", func() {
	It("does not let the operator start: that is why the component keeps it", func(ctx SpecContext) {
		const name = "without-secrets"
		role, err := admin.RbacV1().ClusterRoles().Get(ctx, "rostra-manager", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		rules := slices.DeleteFunc(role.Rules, func(rule rbacv1.PolicyRule) bool { return slices.Contains(rule.Resources, "secrets") })
		Expect(rules).To(HaveLen(len(role.Rules) - 1))
		less := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
		_, err = admin.RbacV1().ClusterRoles().Create(ctx, less, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		config := bind(ctx, name, "")
		_, err = clientset(config).CoreV1().Secrets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		Expect(err).To(Satisfy(apierrors.IsForbidden))

		limited, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		Expect(watchesSecrets(ctx, config).WaitForCacheSync(limited)).To(BeFalse())
		Expect(watchesSecrets(ctx, bind(ctx, "rostra-manager", "")).WaitForCacheSync(ctx)).To(BeTrue())
	})
})
