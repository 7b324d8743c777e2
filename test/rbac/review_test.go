// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// may asks the API server whether a user may do something. The resource is written as resource.group/subresource or
// resource/subresource; an empty namespace means in all of them.
func may(ctx SpecContext, who *rest.Config, verb, resource, namespace, name string) bool {
	GinkgoHelper()
	resource, subresource, _ := strings.Cut(resource, "/")
	resource, group, _ := strings.Cut(resource, ".")
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: verb, Group: group, Resource: resource, Subresource: subresource, Namespace: namespace, Name: name,
		},
	}}
	answer, err := clientset(who).AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return answer.Status.Allowed
}

// rules lists everything that a user may do to resources in a namespace, as "verb resource.group" and in order, without
// what every authenticated user may.
func rules(ctx SpecContext, who *rest.Config, namespace string) []string {
	GinkgoHelper()
	nobody := resourceRules(ctx, user("somebody"), namespace)
	return slices.DeleteFunc(resourceRules(ctx, who, namespace), func(rule string) bool { return slices.Contains(nobody, rule) })
}

func resourceRules(ctx SpecContext, who *rest.Config, namespace string) []string {
	GinkgoHelper()
	review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	answer, err := clientset(who).AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, review, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(answer.Status.Incomplete).To(BeFalse())
	var all []string
	for _, rule := range answer.Status.ResourceRules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, describe(verb, resource, group, rule.ResourceNames))
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func describe(verb, resource, group string, names []string) string {
	resource, subresource, _ := strings.Cut(resource, "/")
	if group != "" {
		resource += "." + group
	}
	if subresource != "" {
		resource += "/" + subresource
	}
	if len(names) > 0 {
		resource += " " + strings.Join(names, ",")
	}
	return verb + " " + resource
}
