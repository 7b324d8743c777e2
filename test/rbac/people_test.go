// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

const (
	channels  = "socialchannels.social.rostra.dev"
	teams     = "teams.social.rostra.dev"
	platforms = "socialplatforms.social.rostra.dev"
	rotas     = "responderrotas.social.rostra.dev"
	overrides = "rotaoverrides.social.rostra.dev"
	routes    = "escalationroutes.social.rostra.dev"
	freezes   = "publishingfreezes.social.rostra.dev"
	policies  = "contentpolicies.social.rostra.dev"
)

// bind gives a new user a ClusterRole, in a namespace or, where that is empty, in the whole cluster.
func bind(ctx SpecContext, role, namespace string) *rest.Config {
	GinkgoHelper()
	name := role + "-" + namespace + "-user"
	meta := metav1.ObjectMeta{GenerateName: "test-"}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}}
	var err error
	if namespace == "" {
		_, err = admin.RbacV1().ClusterRoleBindings().Create(ctx,
			&rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
	} else {
		_, err = admin.RbacV1().RoleBindings(namespace).Create(ctx,
			&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
	}
	Expect(err).NotTo(HaveOccurred())
	return user(name)
}

var _ = Describe("People", func() {
	DescribeTable("edit their own kinds, and never a status",
		func(ctx SpecContext, role, namespace, own string, others ...string) {
			who := bind(ctx, role, namespace)
			for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete"} {
				Eventually(may).WithArguments(ctx, who, verb, own, namespace, "").Should(BeTrue(), verb)
			}
			for _, verb := range []string{"update", "patch"} {
				Expect(may(ctx, who, verb, own+"/status", namespace, "any")).To(BeFalse(), verb)
			}
			for _, other := range others {
				for _, verb := range []string{"create", "update", "patch", "delete"} {
					Expect(may(ctx, who, verb, other, namespace, "")).To(BeFalse(), "%s %s", verb, other)
				}
			}
		},
		Entry("the platform team", "rostra-platform-editor", "", platforms, teams, channels, rotas, overrides, routes, "secrets"),
		Entry("the people leads", "rostra-team-editor", "", teams, platforms, channels, rotas, overrides, routes, "secrets"),
		Entry("the owners", "rostra-channel-editor", teamNamespace, channels, teams, platforms, rotas, overrides, routes, "secrets"),
		Entry("those who plan duty", "rostra-rota-editor", teamNamespace, rotas, channels, teams, platforms, "secrets", "configmaps"),
		Entry("those who swap shifts", "rostra-rota-editor", teamNamespace, overrides, channels, teams, platforms, "secrets", "configmaps"),
		Entry("those who may stop publishing", "rostra-freezer", "", freezes, channels, teams, platforms, rotas, overrides, routes, "secrets"),
		Entry("those who say what the company asks", "rostra-policy-editor", "", policies, freezes, channels, teams, platforms, rotas, overrides, routes, "secrets"),
		Entry("those who say who is told next", "rostra-rota-editor", teamNamespace, routes, channels, teams, platforms, "secrets", "configmaps"),
		// By aggregation, for those whom a cluster has already trusted with the Secrets of a namespace.
		Entry("editors of a namespace", "edit", teamNamespace, channels, teams, platforms, freezes, policies),
		Entry("editors of a namespace, its rotas", "edit", teamNamespace, rotas, teams, platforms),
		Entry("editors of a namespace, its overrides", "edit", teamNamespace, overrides, teams, platforms),
		Entry("editors of a namespace, its routes", "edit", teamNamespace, routes, teams, platforms),
		Entry("administrators of a namespace", "admin", teamNamespace, channels, teams, platforms, freezes, policies),
		Entry("administrators of a namespace, its rotas", "admin", teamNamespace, rotas, teams, platforms),
		Entry("administrators of a namespace, its overrides", "admin", teamNamespace, overrides, teams, platforms),
	)

	It("who plan duty may do that and nothing else", func(ctx SpecContext) {
		who := bind(ctx, "rostra-rota-editor", teamNamespace)
		var want []string
		for _, resource := range []string{rotas, overrides, routes} {
			for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"} {
				want = append(want, verb+" "+resource)
			}
		}
		for _, resource := range []string{"escalationroutes/status", "responderrotas/status", "rotaoverrides/status"} {
			want = append(want, describe("get", resource, "social.rostra.dev", nil))
		}
		Eventually(rules).WithArguments(ctx, who, teamNamespace).Should(ConsistOf(want))
		Expect(rules(ctx, who, otherNamespace)).To(BeEmpty())
	})

	DescribeTable("edit only where they were told to",
		func(ctx SpecContext, role, own string) {
			who := bind(ctx, role, teamNamespace)
			Eventually(may).WithArguments(ctx, who, "create", own, teamNamespace, "").Should(BeTrue())
			Expect(may(ctx, who, "create", own, otherNamespace, "")).To(BeFalse())
			Expect(may(ctx, who, "list", own, "", "")).To(BeFalse())
		},
		Entry("channels", "edit", channels),
		Entry("rotas", "edit", rotas),
		Entry("overrides", "edit", overrides),
		Entry("rotas alone", "rostra-rota-editor", rotas),
	)

	It("see the channels, the rotas and the routes of a namespace that they may view, and change none", func(ctx SpecContext) {
		who := bind(ctx, "view", teamNamespace)
		for _, resource := range []string{channels, rotas, overrides, routes} {
			for _, verb := range []string{"get", "list", "watch"} {
				Eventually(may).WithArguments(ctx, who, verb, resource, teamNamespace, "").Should(BeTrue(), "%s %s", verb, resource)
			}
			Expect(may(ctx, who, "get", resource+"/status", teamNamespace, "any")).To(BeTrue(), resource)
			for _, verb := range []string{"create", "update", "patch", "delete"} {
				Expect(may(ctx, who, verb, resource, teamNamespace, "any")).To(BeFalse(), "%s %s", verb, resource)
			}
			Expect(may(ctx, who, "list", resource, otherNamespace, "")).To(BeFalse(), resource)
		}
		Expect(may(ctx, who, "list", teams, "", "")).To(BeFalse())
	})

	It("who ask whose an account is see every kind, and no Secret", func(ctx SpecContext) {
		who := bind(ctx, "rostra-viewer", "")
		for _, resource := range []string{channels, teams, platforms, rotas, overrides, routes, freezes, policies} {
			Expect(may(ctx, who, "list", resource, "", "")).To(BeTrue(), resource)
			Expect(may(ctx, who, "patch", resource, "", "any")).To(BeFalse(), resource)
		}
		Expect(may(ctx, who, "get", "secrets", teamNamespace, "any")).To(BeFalse())
	})

	It("look at what waits, where that right was given, and at nothing else of the operator's", func(ctx SpecContext) {
		meta := metav1.ObjectMeta{GenerateName: "test-"}
		_, err := admin.RbacV1().RoleBindings(systemNamespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "rostra-inbox-reader"},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "inbox-reader"}},
		}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		who := user("inbox-reader")
		Eventually(may).WithArguments(ctx, who, "create", "pods/portforward", systemNamespace, "any").Should(BeTrue())
		Expect(may(ctx, who, "list", "pods", systemNamespace, "")).To(BeTrue())
		Expect(may(ctx, who, "create", "pods/portforward", teamNamespace, "any")).To(BeFalse())
		for _, other := range []string{"secrets", "configmaps", "pods/exec", "pods/log"} {
			Expect(may(ctx, who, "get", other, systemNamespace, "any")).To(BeFalse(), other)
		}
		Expect(may(ctx, who, "create", "pods/exec", systemNamespace, "any")).To(BeFalse())
	})
})
