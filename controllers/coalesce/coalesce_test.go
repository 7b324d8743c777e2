// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package coalesce_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/coalesce"
)

func TestCoalesce(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "coalesce")
}

// channel is one that its declared owner holds, where there is one.
func channel(owner string, ready metav1.ConditionStatus) *v1alpha1.SocialChannel {
	made := &v1alpha1.SocialChannel{}
	made.Namespace, made.Name = "social", "acme-help"
	made.Status.Owner = owner
	if ready != "" {
		made.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: ready}}
	}
	return made
}

// owners counts a channel with its owner.
func owners(object client.Object) []string {
	if owner := object.(*v1alpha1.SocialChannel).Status.Owner; owner != "" {
		return []string{owner}
	}
	return nil
}

// journal is a queue that notes what is added to it, and when it is due.
type journal struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	names []string
}

// AddAfter notes the request.
func (j *journal) AddAfter(request reconcile.Request, delay time.Duration) {
	GinkgoHelper()
	Expect(delay).To(Equal(coalesce.Delay))
	Expect(request.Namespace).To(BeEmpty(), "counters are cluster-scoped")
	j.names = append(j.names, request.Name)
}

var _ = Describe("Handler", func() {
	var (
		queue   *journal
		counted handler.EventHandler
	)

	BeforeEach(func() {
		queue = &journal{}
		counted = coalesce.Handler(owners)
	})

	update := func(ctx context.Context, from, to client.Object) {
		counted.Update(ctx, event.UpdateEvent{ObjectOld: from, ObjectNew: to}, queue)
	}

	It("brings back the counter of a channel that appears", func(ctx SpecContext) {
		counted.Create(ctx, event.CreateEvent{Object: channel("care", "")}, queue)
		Expect(queue.names).To(ConsistOf("care"))
	})

	It("brings back the counter of a channel that goes", func(ctx SpecContext) {
		counted.Delete(ctx, event.DeleteEvent{Object: channel("care", metav1.ConditionTrue)}, queue)
		Expect(queue.names).To(ConsistOf("care"))
	})

	It("brings back nobody for a channel that nobody holds", func(ctx SpecContext) {
		counted.Create(ctx, event.CreateEvent{Object: channel("", "")}, queue)
		counted.Delete(ctx, event.DeleteEvent{Object: channel("", "")}, queue)
		Expect(queue.names).To(BeEmpty())
	})

	It("brings back both counters of a channel that moves", func(ctx SpecContext) {
		update(ctx, channel("care", metav1.ConditionTrue), channel("marketing", metav1.ConditionTrue))
		Expect(queue.names).To(ConsistOf("care", "marketing"))
	})

	DescribeTable("brings the counter back when a channel",
		func(ctx SpecContext, from, to *v1alpha1.SocialChannel) {
			update(ctx, from, to)
			Expect(queue.names).To(And(ContainElement("care"), HaveEach("care")))
		},
		Entry("gets its first owner", channel("", metav1.ConditionTrue), channel("care", metav1.ConditionTrue)),
		Entry("loses its owner", channel("care", metav1.ConditionTrue), channel("", metav1.ConditionTrue)),
		Entry("becomes ready", channel("care", metav1.ConditionFalse), channel("care", metav1.ConditionTrue)),
		Entry("becomes ready for the first time", channel("care", ""), channel("care", metav1.ConditionTrue)),
		Entry("ceases to be ready", channel("care", metav1.ConditionTrue), channel("care", metav1.ConditionFalse)),
		Entry("comes into doubt", channel("care", metav1.ConditionTrue), channel("care", metav1.ConditionUnknown)),
	)

	DescribeTable("is silent when nothing that is counted changes",
		func(ctx SpecContext, from, to *v1alpha1.SocialChannel) {
			update(ctx, from, to)
			to.Spec.Handle, to.ResourceVersion = "other", "8"
			update(ctx, from, to)
			Expect(queue.names).To(BeEmpty())
		},
		Entry("ready all the time", channel("care", metav1.ConditionTrue), channel("care", metav1.ConditionTrue)),
		Entry("from one fault to another", channel("care", metav1.ConditionFalse), channel("care", metav1.ConditionUnknown)),
		Entry("its first condition", channel("care", ""), channel("care", metav1.ConditionFalse)),
	)

	It("reads the readiness of channels alone", func(ctx SpecContext) {
		every := coalesce.Handler(func(client.Object) []string { return []string{"care"} })
		ready := &v1alpha1.Team{Status: v1alpha1.TeamStatus{Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}}}
		every.Update(ctx, event.UpdateEvent{ObjectOld: &v1alpha1.Team{}, ObjectNew: ready}, queue)
		Expect(queue.names).To(BeEmpty())
	})

	It("brings the counter back when an aspect of a channel changes", func(ctx SpecContext) {
		handle := func(object client.Object) string { return object.(*v1alpha1.SocialChannel).Spec.Handle }
		seen := coalesce.Handler(owners, handle)
		other := channel("care", metav1.ConditionTrue)
		other.Spec.Purpose = "another"
		seen.Update(ctx, event.UpdateEvent{ObjectOld: channel("care", metav1.ConditionTrue), ObjectNew: other}, queue)
		Expect(queue.names).To(BeEmpty())
		other.Spec.Handle = "help.acme.example"
		seen.Update(ctx, event.UpdateEvent{ObjectOld: channel("care", metav1.ConditionTrue), ObjectNew: other}, queue)
		Expect(queue.names).To(And(ContainElement("care"), HaveEach("care")))
	})

	It("leaves the lists of counters as they are", func(ctx SpecContext) {
		shared := []string{"care", "marketing", "sales"}
		first := coalesce.Handler(func(object client.Object) []string {
			if object.(*v1alpha1.SocialChannel).Status.Owner == "care" {
				return shared[:1]
			}
			return []string{"legal"}
		})
		first.Update(ctx, event.UpdateEvent{ObjectOld: channel("care", ""), ObjectNew: channel("legal", "")}, queue)
		Expect(queue.names).To(ConsistOf("care", "legal"))
		Expect(shared).To(Equal([]string{"care", "marketing", "sales"}))
	})

	It("has nothing to say of events that carry no change", func(ctx SpecContext) {
		counted.Generic(ctx, event.GenericEvent{Object: channel("care", "")}, queue)
		Expect(queue.names).To(BeEmpty())
	})
})

// TestBurst runs a thousand changes through a real work queue, in time that
// stands still while anybody works.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
		defer queue.ShutDown()
		pass := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		counted := coalesce.Handler(owners)
		for range 500 {
			counted.Update(t.Context(), event.UpdateEvent{ObjectOld: channel("care", metav1.ConditionTrue), ObjectNew: channel("care", "")}, queue)
			counted.Update(t.Context(), event.UpdateEvent{ObjectOld: channel("care", ""), ObjectNew: channel("care", metav1.ConditionTrue)}, queue)
			pass(time.Millisecond)
		}
		g.Expect(queue.Len()).To(BeZero(), "not before the delay is over")

		pass(coalesce.Delay - 500*time.Millisecond)
		g.Expect(queue.Len()).To(Equal(1), "one reconcile, a delay after the first change")
		request, _ := queue.Get()
		g.Expect(request.Name).To(Equal("care"))
		queue.Done(request)

		pass(time.Minute)
		g.Expect(queue.Len()).To(BeZero(), "and no other")
	})
}
