// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/policy"
)

func TestPolicy(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "policy")
}

type labels = map[string]string

// change makes a policy another.
type change func(*v1alpha1.ContentPolicySpec)

// made is a policy that asks every channel for a first response within an hour.
func made(name string, changes ...change) v1alpha1.ContentPolicy {
	object := v1alpha1.ContentPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
	object.Spec.ChannelSelector = &metav1.LabelSelector{}
	within(time.Hour)(&object.Spec)
	for _, change := range changes {
		change(&object.Spec)
	}
	return object
}

func within(target time.Duration) change {
	return func(s *v1alpha1.ContentPolicySpec) {
		s.Response = &v1alpha1.ResponsePolicy{FirstResponse: &metav1.Duration{Duration: target}}
	}
}

func of(selected labels) change {
	return func(s *v1alpha1.ContentPolicySpec) { s.ChannelSelector.MatchLabels = selected }
}

func in(selected labels) change {
	return func(s *v1alpha1.ContentPolicySpec) {
		s.NamespaceSelector = &metav1.LabelSelector{MatchLabels: selected}
	}
}

func silent(s *v1alpha1.ContentPolicySpec) { s.Response = nil }

// garbled is a selector that the schema takes and nobody can read.
func garbled() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "purpose", Operator: "Near"}}}
}

func garbledChannels(s *v1alpha1.ContentPolicySpec)   { s.ChannelSelector = garbled() }
func garbledNamespaces(s *v1alpha1.ContentPolicySpec) { s.NamespaceSelector = garbled() }

var _ = Describe("A policy", func() {
	DescribeTable("selects",
		func(wanted bool, channel, namespace labels, changes ...change) {
			object := made("brand", changes...)
			selector, err := policy.Selector(&object)
			Expect(err).NotTo(HaveOccurred())
			Expect(selector.Selects(channel, namespace)).To(Equal(wanted))
			target, names := policy.FirstResponse([]v1alpha1.ContentPolicy{object}, channel, namespace)
			if wanted {
				Expect(target).To(Equal(time.Hour))
				Expect(names).To(Equal([]string{"brand"}))
			} else {
				Expect(target).To(BeZero())
				Expect(names).To(BeEmpty())
			}
		},
		Entry("everything by {}", true, nil, nil),
		Entry("by a channel's labels", true, labels{"purpose": "care"}, nil, of(labels{"purpose": "care"})),
		Entry("not other channels", false, labels{"purpose": "news"}, nil, of(labels{"purpose": "care"})),
		Entry("by a namespace's labels", true, nil, labels{"desk": "eu"}, in(labels{"desk": "eu"})),
		Entry("not other namespaces", false, nil, labels{"desk": "us"}, in(labels{"desk": "eu"})),
		Entry("only where both match", false, labels{"purpose": "care"}, nil, of(labels{"purpose": "care"}), in(labels{"desk": "eu"})),
		Entry("nothing without a selector", false, labels{"purpose": "care"}, nil, change(func(s *v1alpha1.ContentPolicySpec) { s.ChannelSelector = nil })),
	)

	DescribeTable("selects nothing by a selector that cannot be read, and says which",
		func(field string, spoil change) {
			object := made("brand", spoil)
			selector, err := policy.Selector(&object)
			Expect(err).To(MatchError(And(ContainSubstring(field), ContainSubstring("Near"))))
			Expect(selector.Selects(nil, nil)).To(BeFalse())
			target, names := policy.FirstResponse([]v1alpha1.ContentPolicy{object, made("other", within(2*time.Hour))}, nil, nil)
			Expect(target).To(Equal(2 * time.Hour))
			Expect(names).To(ConsistOf("other"))
		},
		Entry("of channels", "spec.channelSelector", change(garbledChannels)),
		Entry("of namespaces", "spec.namespaceSelector", change(garbledNamespaces)),
	)

	It("looks at namespaces only where it says so", func() {
		plain, choosy := made("plain"), made("choosy", in(nil))
		Expect(policy.LooksAtNamespaces(&plain)).To(BeFalse())
		Expect(policy.LooksAtNamespaces(&choosy)).To(BeTrue())
	})
})

var _ = Describe("The target of first responses", func() {
	DescribeTable("is",
		func(target time.Duration, names []string, policies ...v1alpha1.ContentPolicy) {
			got, by := policy.FirstResponse(policies, labels{"purpose": "care"}, labels{"desk": "eu"})
			Expect(got).To(Equal(target))
			Expect(by).To(Equal(names))
		},
		Entry("none without a policy", time.Duration(0), nil),
		Entry("none by a policy that asks for other things", time.Duration(0), nil, made("brand", silent)),
		Entry("none by a policy of other channels", time.Duration(0), nil, made("brand", of(labels{"purpose": "news"}))),
		Entry("that of the one policy", time.Hour, []string{"brand"}, made("brand")),
		Entry("the shortest, where it comes first", time.Minute, []string{"quick"}, made("quick", within(time.Minute)), made("slow")),
		Entry("the shortest, where it comes last", time.Minute, []string{"quick"}, made("slow"), made("quick", within(time.Minute))),
		Entry("not a shorter one of other channels", time.Hour, []string{"slow"},
			made("quick", within(time.Minute), of(labels{"purpose": "news"})), made("slow")),
		Entry("not a shorter one of other namespaces", time.Hour, []string{"slow"},
			made("slow"), made("quick", within(time.Minute), in(labels{"desk": "us"}))),
		Entry("asked for by several, in the order of their names", time.Hour, []string{"a", "b"}, made("b"), made("c", within(2*time.Hour)), made("a")),
	)

	It("never is longer than what any policy asks for that selects the channel", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			var policies []v1alpha1.ContentPolicy
			for i := range rapid.IntRange(0, 8).Draw(t, "policies") {
				asked := time.Duration(rapid.IntRange(1, 4).Draw(t, "hours")) * time.Hour
				selected := labels{"purpose": rapid.SampledFrom([]string{"care", "news"}).Draw(t, "purpose")}
				policies = append(policies, made(string(rune('a'+i)), within(asked), of(selected)))
			}
			target, names := policy.FirstResponse(policies, labels{"purpose": "care"}, nil)
			var asking []string
			for i := range policies {
				if policies[i].Spec.ChannelSelector.MatchLabels["purpose"] != "care" {
					continue
				}
				asked := policies[i].Spec.Response.FirstResponse.Duration
				g.Expect(target).To(And(BeNumerically(">", 0), BeNumerically("<=", asked)))
				if asked == target {
					asking = append(asking, policies[i].Name)
				}
			}
			g.Expect(names).To(Equal(asking))
			if len(asking) == 0 {
				g.Expect(target).To(BeZero())
			}
		})
	})
})
