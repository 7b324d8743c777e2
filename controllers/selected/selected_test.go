// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package selected_test

import (
	"context"
	"errors"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/selected"
	"github.com/rostra-dev/rostra/internal/selection"
)

func TestSelected(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "selected")
}

type labels = map[string]string

var (
	errChannels   = errors.New("the cache has no channels yet")
	errNamespaces = errors.New("the cache has no namespaces yet")
)

// reader has three channels: eu/help and us/help of care, and eu/news, each in
// the namespace of a desk. It fails with an error, if given, for what that is of.
func reader(failure error) client.Reader {
	GinkgoHelper()
	scheme := runtime.NewScheme()
	Expect(corev1.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	channel := func(namespace, name, purpose string) client.Object {
		return &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels{"purpose": purpose}}}
	}
	namespace := func(name string) client.Object {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels{"desk": name}}}
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		namespace("eu"), namespace("us"), channel("eu", "help", "care"), channel("us", "help", "care"), channel("eu", "news", "news"),
	).WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, inner client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			_, ofChannels := list.(*v1alpha1.SocialChannelList)
			if failure != nil && ofChannels == errors.Is(failure, errChannels) {
				return failure
			}
			return inner.List(ctx, list, options...)
		},
	}).Build()
}

func parse(channels, namespaces labels) selection.Selector {
	GinkgoHelper()
	var namespaceSelector *metav1.LabelSelector
	if namespaces != nil {
		namespaceSelector = &metav1.LabelSelector{MatchLabels: namespaces}
	}
	selector, err := selection.Parse(&metav1.LabelSelector{MatchLabels: channels}, namespaceSelector)
	Expect(err).NotTo(HaveOccurred())
	return selector
}

var _ = Describe("The selected channels", func() {
	DescribeTable("are those",
		func(ctx SpecContext, selector func() selection.Selector, wanted ...string) {
			all := reader(nil)
			channels, err := selected.Channels(ctx, all, all, selector())
			Expect(err).NotTo(HaveOccurred())
			var names []string
			for _, channel := range channels {
				names = append(names, channel.Namespace+"/"+channel.Name)
			}
			Expect(names).To(ConsistOf(wanted))
		},
		Entry("of every label and namespace", func() selection.Selector { return parse(nil, nil) }, "eu/help", "eu/news", "us/help"),
		Entry("of a label", func() selection.Selector { return parse(labels{"purpose": "care"}, nil) }, "eu/help", "us/help"),
		Entry("in a namespace of a label", func() selection.Selector { return parse(nil, labels{"desk": "eu"}) }, "eu/help", "eu/news"),
		Entry("of both", func() selection.Selector { return parse(labels{"purpose": "care"}, labels{"desk": "us"}) }, "us/help"),
		Entry("of none", func() selection.Selector { return parse(labels{"purpose": "hiring"}, nil) }),
		Entry("of no selector", func() selection.Selector { return selection.Selector{} }),
	)

	It("are not guessed where channels cannot be read", func(ctx SpecContext) {
		_, err := selected.Channels(ctx, reader(errChannels), reader(nil), parse(nil, nil))
		Expect(err).To(MatchError(errChannels))
	})

	It("need namespaces only where their labels matter", func(ctx SpecContext) {
		_, err := selected.Channels(ctx, reader(nil), reader(errNamespaces), parse(nil, labels{"desk": "eu"}))
		Expect(err).To(MatchError(errNamespaces))
		Expect(selected.Channels(ctx, reader(nil), reader(errNamespaces), parse(nil, nil))).To(HaveLen(3))
	})
})
