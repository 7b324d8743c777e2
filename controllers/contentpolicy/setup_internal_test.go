// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package contentpolicy

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

var _ = Describe("What brings a policy back", func() {
	named := func(name, purpose string, namespaces *metav1.LabelSelector) *v1alpha1.ContentPolicy {
		object := &v1alpha1.ContentPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
		object.Spec.ChannelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"purpose": purpose}}
		object.Spec.NamespaceSelector = namespaces
		return object
	}
	channel := func(namespace, purpose string) *v1alpha1.SocialChannel {
		return &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "help", Labels: map[string]string{"purpose": purpose}}}
	}
	garbled := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "desk", Operator: "Near"}}}
	eu := &metav1.LabelSelector{MatchLabels: map[string]string{"desk": "eu"}}

	made := func(intercept interceptor.Funcs) *Reconciler {
		GinkgoHelper()
		scheme := runtime.NewScheme()
		Expect(corev1.AddToScheme(scheme)).To(Succeed())
		Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
		reader := fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(intercept).WithObjects(
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "social", Labels: map[string]string{"desk": "eu"}}},
			named("anywhere", "care", nil), named("here", "care", eu), named("news", "news", nil), named("garbled", "care", garbled),
		).Build()
		return New(Config{Client: reader, Metadata: reader, Clock: testclock.NewFakePassiveClock(time.Time{})})
	}

	It("is a channel that it selects", func() {
		r := made(interceptor.Funcs{})
		Expect(r.selecting(channel("social", "care"))).To(ConsistOf("anywhere", "here"))
		Expect(r.selecting(channel("elsewhere", "care"))).To(ConsistOf("anywhere"))
		Expect(r.selecting(channel("social", "hiring"))).To(BeEmpty())
	})

	It("is a namespace, where it looks at namespaces", func(ctx SpecContext) {
		request := func(name string) reconcile.Request {
			return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
		}
		Expect(made(interceptor.Funcs{}).lookingAt(ctx, nil)).To(ConsistOf(request("here"), request("garbled")))
	})

	It("is nothing while the cache does not answer", func(ctx SpecContext) {
		r := made(interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return errors.New("the cache is not there")
		}})
		Expect(r.selecting(channel("social", "care"))).To(BeEmpty())
		Expect(r.lookingAt(ctx, nil)).To(BeEmpty())
	})
})
