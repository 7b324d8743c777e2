// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/simulated"
)

const unnoticed = "answers given at the platform are not noticed"

// routed gives the channel an escalation route, and a platform that can be asked
// for own posts and does not push them.
func routed(w *world, c *v1alpha1.SocialChannel) {
	w.server.Events.Polls = []event.Kind{event.Mention, event.Reply, event.OwnPost}
	c.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "answer"}
	c.Spec.Subscription.PollInterval = &metav1.Duration{Duration: 15 * time.Minute}
}

// pushesOwn lets the platform push own posts too.
func pushesOwn(w *world, _ *v1alpha1.SocialChannel) {
	w.server.Events.Pushes = append(w.server.Events.Pushes, event.OwnPost)
}

// answers lets the account itself post.
func (w *world) answers(ids ...string) {
	for _, id := range ids {
		w.server.Happens(w.account(), event.Event{ID: id, Kind: event.OwnPost})
	}
}

// arrives lets the operator know of an event that came into the inbox.
func (w *world) arrives(e event.Event) {
	GinkgoHelper()
	ctx, stop := context.WithCancel(context.Background())
	e.Channel, e.ChannelUID, e.ReceivedAt = w.key().String(), string(w.get().UID), w.clock.Now()
	w.inbox.feed = make(chan event.Event, 1)
	w.inbox.feed <- e
	consumed := make(chan error, 1)
	go func() { consumed <- w.arrivals.Consume(ctx, w.inbox) }()
	Eventually(w.arrivals.Last).WithArguments(w.key(), w.get().UID).Should(BeTemporally("==", e.ReceivedAt))
	stop()
	Eventually(consumed).Should(Receive(BeNil()))
}

func (w *world) subscriptionSays() string { return w.condition(readySubscription).Message }

var _ = Describe("The own posts of a channel with a route", func() {
	It("are polled beside a push, each stored once, and the subscription is left alone", func() {
		w := newEventWorld(routed)
		w.answers("past")
		w.settle()
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		Expect(w.subscriptionSays()).NotTo(ContainSubstring(unnoticed))
		recorded := w.subscription()
		Expect(recorded.Delivery).To(Equal(v1alpha1.DeliverPush))
		Expect(recorded.Events).To(ConsistOf(v1alpha1.SubscribedMention, v1alpha1.SubscribedReply))
		Expect(recorded.Cursor).To(BeEmpty())
		Expect(recorded.OwnPosts.Cursor).To(Equal("1"))
		Expect(recorded.OwnPosts.LastPolled).NotTo(BeNil())
		Expect(w.server.Registered(w.account()).Events).To(ConsistOf(event.Mention, event.Reply))

		w.server.Happens(w.account(), mention("pushed, and not polled"))
		w.answers("1", "2", "3", "4", "5")
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1", "2", "3", "4", "5"}))
		Expect(w.inbox.kept[0].Channel).To(Equal(w.key().String()))
		w.startOperator()
		w.answers("6")
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(HaveLen(6), "a restart goes on where it was")
		Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 1))
		Expect(w.subscription().Registration).To(Equal(recorded.Registration))
	})

	It("are asked for at the pace of polls, and nothing is written while nothing happens", func() {
		w := newEventWorld(routed)
		w.settle()
		w.live(48 * time.Hour)
		w.server.ResetCalls()
		w.live(24 * time.Hour)
		Expect(w.server.Calls()["Poll"]).To(BeNumerically("~", 24*60/150, 2))
		w.killer.counting = true
		w.reconcile(w.key())
		w.reconcile(w.key())
		Expect(w.killer.steps).To(BeEmpty())
	})

	It("are asked for soon after somebody wrote, however long nothing had happened", func() {
		w := newEventWorld(routed)
		w.settle()
		w.live(48 * time.Hour)
		w.server.ResetCalls()
		w.live(20 * time.Minute)
		Expect(w.server.Calls()["Poll"]).To(BeNumerically("<=", 1), "the wait is stretched")
		w.arrives(mention("where is my order?"))
		w.answers("1")
		w.live(20 * time.Minute)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		w.answers("2")
		w.live(20 * time.Minute)
		Expect(w.inbox.ids()).To(Equal([]string{"1", "2"}))
		w.server.ResetCalls()
		w.live(time.Hour)
		Expect(w.server.Calls()["Poll"]).To(BeNumerically("<=", 4), "and no more often than that")
	})

	It("are pushed with the rest where the platform pushes them, registered once", func() {
		w := newEventWorld(routed, pushesOwn)
		w.settle()
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		w.live(5 * time.Hour)
		Expect(w.subscription().Events).To(ConsistOf(v1alpha1.SubscribedMention, v1alpha1.SubscribedReply, v1alpha1.SubscribedOwnPost))
		Expect(w.subscription().OwnPosts).To(BeNil())
		Expect(w.server.Registered(w.account()).Events).To(ConsistOf(event.Mention, event.Reply, event.OwnPost))
		Expect(w.server.Calls()).To(And(HaveKeyWithValue("Subscribe", 1), Not(HaveKey("Poll"))))
	})

	It("are not asked of a channel without a route", func() {
		w := newEventWorld(routed, pushesOwn, func(_ *world, c *v1alpha1.SocialChannel) { c.Spec.EscalationRouteRef = nil })
		w.settle()
		w.live(3 * time.Hour)
		Expect(w.server.Registered(w.account()).Events).To(ConsistOf(event.Mention, event.Reply))
		Expect(w.subscription().OwnPosts).To(BeNil())
		Expect(w.server.Calls()).NotTo(HaveKey("Poll"))
		w.expectReady()

		By("adding one, and taking it away again")
		id := w.subscription().ID
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "answer"} })
		w.live(3 * time.Hour)
		Expect(w.server.Registered(w.account()).Events).To(ContainElement(event.OwnPost))
		Expect(w.subscription().ID).To(Equal(id))
		Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 2))
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.EscalationRouteRef = nil })
		w.live(3 * time.Hour)
		Expect(w.server.Registered(w.account()).Events).To(ConsistOf(event.Mention, event.Reply))
		Expect(w.subscription().ID).To(Equal(id))
		Expect(w.subscription().DriftCount).To(BeZero())
		w.expectReady()
	})

	It("keep the subscription's ID, and their cursor, in a hand-over", Label("S6"), func() {
		w := newEventWorld(routed)
		w.settle()
		before := w.subscription()
		w.handOver("care")
		w.answers("1")
		w.live(3 * time.Hour)
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		Expect(w.subscription().ID).To(Equal(before.ID))
		Expect(w.subscription().Registration).To(Equal(before.Registration))
		Expect(w.subscription().OwnPosts.Cursor).To(Equal("1"))
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 1))
	})

	It("that cannot be had are told of, and what is declared is in order", func() {
		w := newEventWorld(routed, func(w *world, _ *v1alpha1.SocialChannel) { w.server.Events.Polls = nil })
		w.settle()
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		Expect(w.subscriptionSays()).To(And(ContainSubstring(unnoticed), ContainSubstring("acknowledgements alone count"), ContainSubstring("neither pushes OwnPost")))
		w.live(3 * time.Hour)
		Expect(w.subscriptionSays()).To(ContainSubstring(unnoticed))
		Expect(w.server.Calls()).NotTo(HaveKey("Poll"))
		Expect(w.delivers()).To(Succeed())
	})

	DescribeTable("that the platform does not tell are no fault of what is pushed",
		func(failure *platform.Failure, patience time.Duration) {
			w := newEventWorld(routed)
			w.settle()
			w.killer.faults = map[string]error{"Poll": failure}
			w.answers("1")
			w.live(patience)
			w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
			Expect(w.subscriptionSays()).To(And(ContainSubstring(unnoticed), ContainSubstring(failure.Message)))
			Expect(w.subscription().OwnPosts.Cursor).To(Equal("0"))
			Expect(w.delivers()).To(Succeed())
			w.killer.faults = nil
			w.live(70 * time.Minute)
			Expect(w.subscriptionSays()).NotTo(ContainSubstring(unnoticed))
			Expect(w.inbox.ids()).To(Equal([]string{"1"}))
			Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 1))
		},
		Entry("for hours", &platform.Failure{Class: platform.Transient, Message: "status 503"}, 3*time.Hour),
		Entry("to this credential", &platform.Failure{Class: platform.InsufficientScope, Message: "the scope read:statuses is missing"}, 30*time.Minute),
	)

	It("are not missed for one poll in vain", func() {
		w := newEventWorld(routed)
		w.settle()
		w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		w.live(30 * time.Minute)
		Expect(w.subscriptionSays()).NotTo(ContainSubstring(unnoticed))
	})

	It("cost one write an outage", func() {
		w := newEventWorld(routed)
		w.settle()
		w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		w.live(2 * time.Hour)
		Expect(w.subscriptionSays()).To(ContainSubstring(unnoticed))
		w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.Transient, Message: "status 504"}}
		w.live(10 * time.Minute)
		Expect(w.subscriptionSays()).To(ContainSubstring("status 503"))
	})

	It("are left alone while the platform asks for it", func() {
		w := newEventWorld(routed)
		w.settle()
		until := w.clock.Now().Add(5 * time.Hour)
		w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.RateLimited, Message: "slow down", RetryAt: until}}
		w.live(2 * time.Hour)
		w.server.ResetCalls()
		w.killer.faults = nil
		w.live(time.Hour)
		Expect(w.server.Calls()).NotTo(HaveKey("Poll"))
		Expect(w.subscriptionSays()).To(ContainSubstring(unnoticed))
		w.live(3 * time.Hour)
		Expect(w.subscriptionSays()).NotTo(ContainSubstring(unnoticed))
	})

	It("are left at the platform while they cannot be stored", func() {
		w := newEventWorld(routed)
		w.settle()
		w.answers("1")
		w.inbox.refuses = errUnreachable
		w.live(2 * time.Hour)
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		Expect(w.subscription().OwnPosts.Cursor).To(Equal("0"))
		w.inbox.refuses = nil
		w.live(10 * time.Minute)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
	})

	It("are polled where the platform takes the request and does not push them", func() {
		w := newEventWorld(routed, pushesOwn, func(w *world, _ *v1alpha1.SocialChannel) { w.server.Events.Withholds = []event.Kind{event.OwnPost} })
		w.settle()
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		w.answers("1")
		w.live(3 * time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		Expect(w.subscription().DriftCount).To(BeZero())
		Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 1))

		By("pushing them from now on")
		w.server.ChangeSubscription(w.account(), func(r *simulated.Registered) *simulated.Registered {
			r.Events = append(r.Events, event.OwnPost)
			return r
		})
		w.answers("2")
		w.live(3 * time.Hour)
		Expect(w.subscription().Events).To(ContainElement(v1alpha1.SubscribedOwnPost))
		Expect(w.subscription().OwnPosts).To(BeNil())
		Expect(w.inbox.ids()).To(Equal([]string{"1", "2"}), "what was posted before is fetched")
	})

	It("that were pushed and no longer are, are a drift that is mended", func() {
		w := newEventWorld(routed, pushesOwn)
		w.settle()
		w.server.ChangeSubscription(w.account(), func(r *simulated.Registered) *simulated.Registered {
			r.Events = []event.Kind{event.Mention, event.Reply}
			return r
		})
		w.live(70 * time.Minute)
		Expect(w.subscription().DriftMessage).To(ContainSubstring("lacks OwnPost"))
		Expect(w.server.Registered(w.account()).Events).To(ContainElement(event.OwnPost))
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
	})

	It("are polled apart where the rest is polled too, and their trouble is their own", func() {
		w := newEventWorld(polling, routed)
		w.settle()
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonPolled)
		Expect(w.subscription().Events).To(ConsistOf(v1alpha1.SubscribedMention, v1alpha1.SubscribedReply))
		w.answers("1")
		w.server.Happens(w.account(), mention("2"))
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(ConsistOf("1", "2"))
		Expect(w.subscription().Cursor).To(Equal("2"))
		Expect(w.subscription().OwnPosts.Cursor).To(Equal("2"))
	})

	DescribeTable("are not lost when the way in which they come changes", func(before, after func(*world, *v1alpha1.SocialChannel), asides bool) {
		w := newEventWorld(polling, routed, pushesOwn, before)
		w.settle()
		w.answers("1")
		w.editChannel(func(c *v1alpha1.SocialChannel) { after(w, c) })
		w.reconcile(w.key())
		w.answers("2")
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1", "2"}))
		Expect(w.subscription().OwnPosts != nil).To(Equal(asides))
		Expect(w.condition(readySubscription).Status).To(Equal(metav1.ConditionTrue))
	},
		Entry("from undeclared to declared", nothing, declaringOwn, false),
		Entry("from declared to undeclared", declaringOwn, undeclaringOwn, true),
	)

	It("are fetched once more when they are to be pushed", func() {
		w := newEventWorld(polling, routed, pushesOwn)
		w.settle()
		w.answers("1")
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Subscription.Delivery = v1alpha1.DeliverPush })
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		Expect(w.subscription().OwnPosts).To(BeNil())
		Expect(w.subscription().Events).To(ContainElement(v1alpha1.SubscribedOwnPost))
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
	})

	It("end with the subscription", func() {
		w := newEventWorld(routed)
		w.settle()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Subscription = nil })
		w.settle()
		Expect(w.get().Status.Subscription).To(BeNil())
		w.server.ResetCalls()
		w.live(3 * time.Hour)
		Expect(w.server.Calls()).NotTo(HaveKey("Poll"))
	})
})

func nothing(*world, *v1alpha1.SocialChannel) {}

func declaringOwn(_ *world, c *v1alpha1.SocialChannel) {
	c.Spec.Subscription.Events = append(c.Spec.Subscription.Events, v1alpha1.SubscribedOwnPost)
}

func undeclaringOwn(_ *world, c *v1alpha1.SocialChannel) {
	c.Spec.Subscription.Events = []v1alpha1.SubscribedEvent{v1alpha1.SubscribedMention, v1alpha1.SubscribedReply}
}
