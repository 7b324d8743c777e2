// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package selection_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/internal/selection"
)

func TestSelection(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "selection")
}

type labels = map[string]string

// of is a selector of these labels; of everything where there are none.
func of(selected labels) *metav1.LabelSelector { return &metav1.LabelSelector{MatchLabels: selected} }

var _ = Describe("A selector", func() {
	var (
		every = of(nil)
		care  = of(labels{"purpose": "care"})
		eu    = of(labels{"desk": "eu"})
	)

	DescribeTable("selects",
		func(wanted bool, channels, namespaces *metav1.LabelSelector, channel, namespace labels) {
			selector, err := selection.Parse(channels, namespaces)
			Expect(err).NotTo(HaveOccurred())
			Expect(selector.Selects(channel, namespace)).To(Equal(wanted))
		},
		Entry("everything by {}", true, every, nil, nil, nil),
		Entry("nothing without a selector of channels", false, nil, nil, labels{"purpose": "care"}, nil),
		Entry("by a channel's labels", true, care, nil, labels{"purpose": "care"}, nil),
		Entry("not other channels", false, care, nil, labels{"purpose": "news"}, nil),
		Entry("not by the namespace's labels in place of the channel's", false, care, nil, nil, labels{"purpose": "care"}),
		Entry("by a namespace's labels", true, every, eu, nil, labels{"desk": "eu"}),
		Entry("not other namespaces", false, every, eu, nil, labels{"desk": "us"}),
		Entry("every namespace by {}", true, every, every, nil, nil),
		Entry("not by the channel's labels in place of the namespace's", false, every, eu, labels{"desk": "eu"}, nil),
		Entry("where both match", true, care, eu, labels{"purpose": "care"}, labels{"desk": "eu"}),
		Entry("only where both match", false, care, eu, labels{"purpose": "care"}, nil),
	)

	DescribeTable("cannot be read, which says where and why, and selects nothing",
		func(text string, channels, namespaces *metav1.LabelSelector) {
			selector, err := selection.Parse(channels, namespaces)
			Expect(err).To(MatchError(HavePrefix("the selector cannot be read: " + text)))
			Expect(selector.Selects(nil, nil)).To(BeFalse())
			Expect(selector.LooksAtNamespaces()).To(BeFalse())
		},
		Entry("a value of channels", "spec.channelSelector: ", of(labels{"purpose": "no value!"}), nil),
		Entry("a key of namespaces", "spec.namespaceSelector: ", every, of(labels{"no key!": "x"})),
		Entry("an operator that is none", `spec.channelSelector: "Near"`,
			&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}, eu),
	)

	DescribeTable("looks at namespaces",
		func(wanted bool, namespaces *metav1.LabelSelector) {
			selector, err := selection.Parse(every, namespaces)
			Expect(err).NotTo(HaveOccurred())
			Expect(selector.LooksAtNamespaces()).To(Equal(wanted))
		},
		Entry("where it says which", true, eu),
		Entry("not where it does not", false, nil),
	)

	It("selects nothing as it is", func() {
		Expect(selection.Selector{}.Selects(labels{"purpose": "care"}, labels{"desk": "eu"})).To(BeFalse())
	})
})
