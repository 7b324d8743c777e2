// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package freeze_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/freeze"
)

func TestFreeze(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "freeze")
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

type labels = map[string]string

// made is an active freeze of every channel.
func made(name string, changes ...func(*v1alpha1.PublishingFreezeSpec)) v1alpha1.PublishingFreeze {
	object := v1alpha1.PublishingFreeze{ObjectMeta: metav1.ObjectMeta{Name: name}}
	object.Spec = v1alpha1.PublishingFreezeSpec{ChannelSelector: &metav1.LabelSelector{}, Active: new(true), Reason: "because of " + name}
	for _, change := range changes {
		change(&object.Spec)
	}
	return object
}

func inactive(s *v1alpha1.PublishingFreezeSpec) { s.Active = new(false) }
func unsaid(s *v1alpha1.PublishingFreezeSpec)   { s.Active = nil }

func until(left time.Duration) func(*v1alpha1.PublishingFreezeSpec) {
	return func(s *v1alpha1.PublishingFreezeSpec) { s.ExpiresAt = new(metav1.NewTime(noon.Add(left))) }
}

func of(selected labels) func(*v1alpha1.PublishingFreezeSpec) {
	return func(s *v1alpha1.PublishingFreezeSpec) { s.ChannelSelector.MatchLabels = selected }
}

func in(selected labels) func(*v1alpha1.PublishingFreezeSpec) {
	return func(s *v1alpha1.PublishingFreezeSpec) {
		s.NamespaceSelector = &metav1.LabelSelector{MatchLabels: selected}
	}
}

var _ = Describe("A freeze", func() {
	DescribeTable("is in force",
		func(wanted bool, changes ...func(*v1alpha1.PublishingFreezeSpec)) {
			object := made("hijack", changes...)
			Expect(freeze.InForce(&object, noon)).To(Equal(wanted))
			Expect(freeze.Held([]v1alpha1.PublishingFreeze{object}, nil, nil, noon).Frozen()).To(Equal(wanted))
		},
		Entry("when it is active", true),
		Entry("not when it is inactive", false, inactive),
		Entry("not when it does not say", false, unsaid),
		Entry("before its end", true, until(time.Nanosecond)),
		Entry("not at its end", false, until(0)),
		Entry("not after its end", false, until(-time.Hour)),
		Entry("not when it is inactive before its end", false, inactive, until(time.Hour)),
	)

	DescribeTable("selects",
		func(wanted bool, channel, namespace labels, changes ...func(*v1alpha1.PublishingFreezeSpec)) {
			object := made("hijack", changes...)
			selector, err := freeze.Selector(&object)
			Expect(err).NotTo(HaveOccurred())
			Expect(selector.Selects(channel, namespace)).To(Equal(wanted))
			Expect(freeze.Held([]v1alpha1.PublishingFreeze{object}, channel, namespace, noon).Frozen()).To(Equal(wanted))
		},
		Entry("everything by {}", true, nil, nil),
		Entry("by a channel's labels", true, labels{"purpose": "care"}, nil, of(labels{"purpose": "care"})),
		Entry("not other channels", false, labels{"purpose": "news"}, nil, of(labels{"purpose": "care"})),
		Entry("by a namespace's labels", true, nil, labels{"desk": "eu"}, in(labels{"desk": "eu"})),
		Entry("not other namespaces", false, nil, labels{"desk": "us"}, in(labels{"desk": "eu"})),
		Entry("only where both match", false, labels{"purpose": "care"}, nil, of(labels{"purpose": "care"}), in(labels{"desk": "eu"})),
	)

	DescribeTable("holds nothing when a selector cannot be read, and says which",
		func(field string, change func(*v1alpha1.PublishingFreezeSpec)) {
			object := made("hijack", change)
			selector, err := freeze.Selector(&object)
			Expect(err).To(MatchError(ContainSubstring(field)))
			Expect(selector.Selects(nil, nil)).To(BeFalse())
			hold := freeze.Held([]v1alpha1.PublishingFreeze{object, made("other")}, nil, nil, noon)
			Expect(hold.Names).To(ConsistOf("other"), "it is in nobody's way")
		},
		Entry("of channels", "spec.channelSelector", of(labels{"purpose": "no value!"})),
		Entry("of namespaces", "spec.namespaceSelector", in(labels{"no key!": "x"})),
	)

	It("selects nothing without a selector", func() {
		object := made("hijack", func(s *v1alpha1.PublishingFreezeSpec) { s.ChannelSelector = nil })
		selector, err := freeze.Selector(&object)
		Expect(err).NotTo(HaveOccurred())
		Expect(selector.Selects(labels{"a": "b"}, nil)).To(BeFalse())
	})
})

var _ = Describe("What holds a channel", func() {
	It("is every freeze that does, in order, with the reason of the first", func() {
		hold := freeze.Held([]v1alpha1.PublishingFreeze{
			made("zeal", until(time.Hour)), made("audit", until(2*time.Hour)), made("idle", inactive), made("past", until(-1)),
		}, nil, nil, noon)
		Expect(hold.Names).To(Equal([]string{"audit", "zeal"}))
		Expect(hold.Reason).To(Equal("because of audit"))
		Expect(hold.Mark()).To(Equal("audit: because of audit"))
		Expect(hold.Until).To(BeTemporally("==", noon.Add(2*time.Hour)))
		Expect(hold.ChangesAt).To(BeTemporally("==", noon.Add(time.Hour)))
	})

	It("has no end while one of them has none", func() {
		hold := freeze.Held([]v1alpha1.PublishingFreeze{made("audit", until(time.Hour)), made("hijack")}, nil, nil, noon)
		Expect(hold.Until).To(BeZero())
		Expect(hold.ChangesAt).To(BeTemporally("==", noon.Add(time.Hour)))
	})

	It("is nothing at all where there is none", func() {
		hold := freeze.Held([]v1alpha1.PublishingFreeze{made("idle", inactive, until(time.Hour))}, nil, nil, noon)
		Expect(hold).To(Equal(freeze.Hold{}))
		Expect(hold.Mark()).To(BeEmpty())
	})

	It("names no more than a status can", func() {
		var freezes []v1alpha1.PublishingFreeze
		for i := range 80 {
			freezes = append(freezes, made(fmt.Sprintf("f%02d", 79-i)))
		}
		hold := freeze.Held(freezes, nil, nil, noon)
		Expect(hold.Names).To(HaveLen(64))
		Expect(hold.Mark()).To(Equal("f00: because of f00"))
	})

	It("leaves a mark of bounded length that is still text", func() {
		object := made("hijack", func(s *v1alpha1.PublishingFreezeSpec) { s.Reason = strings.Repeat("é", 1000) })
		mark := freeze.Held([]v1alpha1.PublishingFreeze{object}, nil, nil, noon).Mark()
		Expect(len(mark)).To(BeNumerically("<=", 1024))
		Expect(utf8.ValidString(mark)).To(BeTrue())
	})

	It("stays the same until it says that it changes", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			var freezes []v1alpha1.PublishingFreeze
			for i := range rapid.IntRange(0, 4).Draw(t, "freezes") {
				object := made(fmt.Sprint("f", i))
				object.Spec.Active = new(rapid.Bool().Draw(t, "active"))
				if rapid.Bool().Draw(t, "ends") {
					until(time.Duration(rapid.IntRange(-3, 5).Draw(t, "end")) * time.Hour)(&object.Spec)
				}
				freezes = append(freezes, object)
			}
			hold := freeze.Held(freezes, nil, nil, noon)
			span := 100 * time.Hour
			if !hold.ChangesAt.IsZero() {
				g.Expect(hold.ChangesAt).To(BeTemporally(">", noon))
				span = hold.ChangesAt.Sub(noon)
				g.Expect(freeze.Held(freezes, nil, nil, hold.ChangesAt).Names).NotTo(Equal(hold.Names))
			}
			later := noon.Add(time.Duration(rapid.Int64Range(0, int64(span)-1).Draw(t, "later")))
			g.Expect(freeze.Held(freezes, nil, nil, later)).To(Equal(hold))
		})
	})
})
