// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package contentpolicy_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/contentpolicy"
)

func TestContentPolicy(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "contentpolicy")
}

// What only a real API server shows is in test/api.

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

type labels = map[string]string

// world is an API that holds some objects, and the reconciler.
type world struct {
	client.Client

	ctx        context.Context
	clock      *testclock.FakePassiveClock
	reconciler *contentpolicy.Reconciler
	// reads counts reads of namespaces, writes those of statuses, and failure is
	// what they fail with.
	reads, writes int
	failure       error
}

// newWorld makes two namespaces: social of the desk eu, and elsewhere.
func newWorld(objects ...client.Object) *world {
	GinkgoHelper()
	scheme := runtime.NewScheme()
	Expect(corev1.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	w := &world{ctx: context.Background(), clock: testclock.NewFakePassiveClock(noon)}
	read := func(object runtime.Object) error {
		if object.GetObjectKind().GroupVersionKind().Group != "" {
			return nil
		}
		w.reads++
		return w.failure
	}
	objects = append(objects, namespace("social", labels{"desk": "eu"}), namespace("elsewhere", nil))
	w.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.ContentPolicy{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(ctx context.Context, inner client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
				if metadata, ok := object.(*metav1.PartialObjectMetadata); ok {
					if err := read(metadata); err != nil {
						return err
					}
				}
				return inner.Get(ctx, key, object, options...)
			},
			List: func(ctx context.Context, inner client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				if metadata, ok := list.(*metav1.PartialObjectMetadataList); ok {
					if err := read(metadata); err != nil {
						return err
					}
				}
				return inner.List(ctx, list, options...)
			},
			SubResourcePatch: func(ctx context.Context, inner client.Client, subresource string, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
				w.writes++
				if w.failure != nil {
					return w.failure
				}
				return inner.SubResource(subresource).Patch(ctx, object, patch, options...)
			},
		}).Build()
	w.reconciler = contentpolicy.New(contentpolicy.Config{Client: w.Client, Metadata: w.Client, Clock: w.clock})
	return w
}

func namespace(name string, has labels) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: has}}
}

func channel(namespace, name, purpose string) *v1alpha1.SocialChannel {
	return &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels{"purpose": purpose}}}
}

// asking is a policy that asks the channels of a purpose for a first response.
func asking(name, purpose string, target time.Duration) *v1alpha1.ContentPolicy {
	return &v1alpha1.ContentPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1},
		Spec: v1alpha1.ContentPolicySpec{
			ChannelSelector: &metav1.LabelSelector{MatchLabels: labels{"purpose": purpose}},
			Response:        &v1alpha1.ResponsePolicy{FirstResponse: &metav1.Duration{Duration: target}},
		},
	}
}

func atDesk(object *v1alpha1.ContentPolicy, desk string) *v1alpha1.ContentPolicy {
	object.Spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: labels{"desk": desk}}
	return object
}

// look reconciles the policy brand, and gives it as stored, and when it is
// looked at again.
func (w *world) look() (v1alpha1.ContentPolicyStatus, time.Duration) {
	GinkgoHelper()
	result, err := w.reconciler.Reconcile(w.ctx, reconcile.Request{NamespacedName: client.ObjectKey{Name: "brand"}})
	Expect(err).NotTo(HaveOccurred())
	stored := &v1alpha1.ContentPolicy{}
	Expect(w.Get(w.ctx, client.ObjectKey{Name: "brand"}, stored)).To(Succeed())
	return stored.Status, result.RequeueAfter
}

// edit changes the policy brand as a person does.
func (w *world) edit(change func(*v1alpha1.ContentPolicy)) {
	GinkgoHelper()
	stored := &v1alpha1.ContentPolicy{}
	Expect(w.Get(w.ctx, client.ObjectKey{Name: "brand"}, stored)).To(Succeed())
	stored.Generation++
	change(stored)
	Expect(w.Update(w.ctx, stored)).To(Succeed())
}

func ready(status v1alpha1.ContentPolicyStatus) metav1.Condition {
	GinkgoHelper()
	condition := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	Expect(condition).NotTo(BeNil())
	Expect(condition.ObservedGeneration).To(Equal(status.ObservedGeneration))
	return *condition
}

func counted(status v1alpha1.ContentPolicyStatus) int {
	GinkgoHelper()
	Expect(status.Channels).NotTo(BeNil())
	return int(*status.Channels.Count)
}

var _ = Describe("A policy's status", func() {
	It("says which channels it selects", func() {
		w := newWorld(asking("brand", "care", time.Hour),
			channel("social", "b", "care"), channel("elsewhere", "a", "care"), channel("social", "a", "care"), channel("social", "news", "news"))
		status, again := w.look()
		Expect(again).To(BeZero())
		Expect(status.ObservedGeneration).To(BeEquivalentTo(1))
		Expect(ready(status)).To(And(HaveField("Status", metav1.ConditionTrue), HaveField("Reason", v1alpha1.ReasonInForce)))
		Expect(status.Channels.Names).To(Equal([]string{"elsewhere/a", "social/a", "social/b"}))
		Expect(counted(status)).To(Equal(3))
		Expect(w.reads).To(BeZero(), "it looks at no namespace")

		By("writing nothing when nothing changed")
		w.look()
		Expect(w.writes).To(Equal(1))
	})

	It("says those of some namespaces alone", func() {
		w := newWorld(atDesk(asking("brand", "care", time.Hour), "eu"), channel("social", "a", "care"), channel("elsewhere", "a", "care"))
		status, _ := w.look()
		Expect(status.Channels.Names).To(Equal([]string{"social/a"}))
	})

	It("names no more than a hundred", func() {
		objects := []client.Object{asking("brand", "care", time.Hour)}
		for i := range 120 {
			objects = append(objects, channel("social", fmt.Sprint("channel-", 1000+i), "care"))
		}
		status, _ := newWorld(objects...).look()
		Expect(counted(status)).To(Equal(120))
		Expect(status.Channels.Names).To(HaveLen(100))
		Expect(status.Channels.Names[99]).To(Equal("social/channel-1099"))
	})

	It("says that it selects nothing", func() {
		status, _ := newWorld(asking("brand", "care", time.Hour), channel("social", "news", "news")).look()
		Expect(ready(status)).To(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", v1alpha1.ReasonSelectsNothing)))
		Expect(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled)).To(BeTrue())
		Expect(counted(status)).To(BeZero())
		Expect(status.Channels.Names).To(BeEmpty())
	})

	It("says that a selector cannot be read, and which, and forgets the channels", func() {
		w := newWorld(asking("brand", "care", time.Hour), channel("social", "a", "care"))
		w.look()
		w.edit(func(p *v1alpha1.ContentPolicy) {
			p.Spec.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "desk", Operator: "Near"}}}
		})
		status, again := w.look()
		Expect(again).To(BeZero())
		Expect(ready(status)).To(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", v1alpha1.ReasonInvalidSelector),
			HaveField("Message", And(ContainSubstring("spec.namespaceSelector"), ContainSubstring("Near")))))
		Expect(status.Channels).To(BeNil())
	})

	It("is written at most once a minute while channels come and go, and at once for the first and the last", func() {
		w := newWorld(asking("brand", "care", time.Hour))
		status, _ := w.look()
		Expect(counted(status)).To(BeZero())

		By("the first")
		Expect(w.Create(w.ctx, channel("social", "a", "care"))).To(Succeed())
		status, again := w.look()
		Expect(counted(status)).To(Equal(1))
		Expect(again).To(BeZero())
		Expect(ready(status).Status).To(Equal(metav1.ConditionTrue))

		By("another, soon after")
		Expect(w.Create(w.ctx, channel("social", "b", "care"))).To(Succeed())
		status, again = w.look()
		Expect(counted(status)).To(Equal(1))
		Expect(again).To(And(BeNumerically(">=", time.Minute), BeNumerically("<", 2*time.Minute)))
		writes := w.writes

		By("a minute later")
		w.clock.SetTime(noon.Add(again))
		status, again = w.look()
		Expect(counted(status)).To(Equal(2))
		Expect(again).To(BeZero())
		Expect(w.writes).To(Equal(writes + 1))

		By("the last")
		Expect(w.DeleteAllOf(w.ctx, &v1alpha1.SocialChannel{}, client.InNamespace("social"))).To(Succeed())
		status, _ = w.look()
		Expect(counted(status)).To(BeZero())
		Expect(ready(status).Reason).To(Equal(v1alpha1.ReasonSelectsNothing))
	})

	It("is written at once when the policy itself has changed", func() {
		w := newWorld(asking("brand", "care", time.Hour), channel("social", "a", "care"), channel("social", "b", "care"), channel("social", "news", "news"))
		w.look()
		w.edit(func(p *v1alpha1.ContentPolicy) { p.Spec.ChannelSelector = &metav1.LabelSelector{} })
		status, _ := w.look()
		Expect(counted(status)).To(Equal(3))
		Expect(status.ObservedGeneration).To(BeEquivalentTo(2))
	})

	It("is tried again where somebody was faster, without waiting for a minute", func() {
		w := newWorld(asking("brand", "care", time.Hour), channel("social", "a", "care"))
		w.failure = apierrors.NewConflict(schema.GroupResource{Resource: "contentpolicies"}, "brand", errors.New("somebody was faster"))
		_, again := w.look()
		Expect(again).To(BeNumerically("<", time.Second))
		w.failure = nil
		status, _ := w.look()
		Expect(counted(status)).To(Equal(1))
	})

	It("is not needed when the policy is gone", func() {
		w := newWorld()
		Expect(w.reconciler.Reconcile(w.ctx, reconcile.Request{NamespacedName: client.ObjectKey{Name: "brand"}})).To(BeZero())
		Expect(w.writes).To(BeZero())
	})

	It("says nothing where the namespaces cannot be read", func() {
		w := newWorld(atDesk(asking("brand", "care", time.Hour), "eu"))
		w.failure = errors.New("the cache is not there")
		_, err := w.reconciler.Reconcile(w.ctx, reconcile.Request{NamespacedName: client.ObjectKey{Name: "brand"}})
		Expect(err).To(MatchError(w.failure))
		Expect(w.writes).To(BeZero())
	})
})

var _ = Describe("The target of a channel", Label("S15"), func() {
	target := func(w *world, c *v1alpha1.SocialChannel) (time.Duration, []string) {
		GinkgoHelper()
		target, policies, err := contentpolicy.Target(w.ctx, w.Client, w.Client, c)
		Expect(err).NotTo(HaveOccurred())
		return target, policies
	}

	It("is none without a policy", func() {
		w := newWorld()
		got, by := target(w, channel("social", "help", "care"))
		Expect(got).To(BeZero())
		Expect(by).To(BeEmpty())
		Expect(w.reads).To(BeZero(), "it looks at no namespace")
	})

	It("is the shortest of those that select it, and names who asks for it", func() {
		w := newWorld(asking("slow", "care", 4*time.Hour), asking("z", "care", time.Hour), asking("brand", "care", time.Hour),
			asking("other", "news", time.Minute), atDesk(asking("quick", "care", time.Minute), "us"))
		got, by := target(w, channel("social", "help", "care"))
		Expect(got).To(Equal(time.Hour))
		Expect(by).To(Equal([]string{"brand", "z"}))
	})

	It("looks at the labels of the channel's own namespace", func() {
		w := newWorld(atDesk(asking("quick", "care", time.Minute), "eu"))
		got, by := target(w, channel("social", "help", "care"))
		Expect(got).To(Equal(time.Minute))
		Expect(by).To(Equal([]string{"quick"}))
		Expect(w.reads).To(Equal(1))
		got, _ = target(w, channel("elsewhere", "help", "care"))
		Expect(got).To(BeZero())
	})

	It("is none of a namespace that is gone", func() {
		got, _ := target(newWorld(atDesk(asking("quick", "care", time.Minute), "eu")), channel("gone", "help", "care"))
		Expect(got).To(BeZero())
	})

	It("is not guessed where the namespace cannot be read", func() {
		w := newWorld(atDesk(asking("quick", "care", time.Minute), "eu"))
		w.failure = errors.New("the cache is not there")
		_, _, err := contentpolicy.Target(w.ctx, w.Client, w.Client, channel("social", "help", "care"))
		Expect(err).To(MatchError(w.failure))
	})
})
