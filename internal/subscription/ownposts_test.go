// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package subscription_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/subscription"
)

var withOwn = kinds(event.Mention, event.OwnPost, event.Reply)

// answering is what a channel with a route wants.
func answering(events []event.Kind, asked v1alpha1.SubscriptionDelivery) subscription.Want {
	return subscription.Want{Events: events, Delivery: asked, Answers: true}
}

var _ = Describe("Arrange", func() {
	type found struct {
		delivery v1alpha1.SubscriptionDelivery
		events   []event.Kind
		beyond   []event.Kind
		aside    bool
		why      string
	}

	DescribeTable("gets a channel with a route its own posts",
		func(offer subscription.Offer, want subscription.Want, expected found) {
			plan := subscription.Arrange(offer, want)
			Expect(found{plan.Delivery, plan.Events, plan.Beyond, plan.Aside, plan.Unnoticed}).To(Equal(expected))
		},
		Entry("pushed together with the rest", subscription.Offer{Pushes: withOwn, Polls: withOwn, Gateway: true}, answering(wants, v1alpha1.DeliverAuto),
			found{delivery: v1alpha1.DeliverPush, events: withOwn, beyond: kinds(event.OwnPost)}),
		Entry("polled beside the push", subscription.Offer{Pushes: wants, Polls: withOwn, Gateway: true}, answering(wants, v1alpha1.DeliverAuto),
			found{delivery: v1alpha1.DeliverPush, events: wants, aside: true}),
		Entry("polled beside the push that was asked for", subscription.Offer{Pushes: wants, Polls: withOwn, Gateway: true}, answering(wants, v1alpha1.DeliverPush),
			found{delivery: v1alpha1.DeliverPush, events: wants, aside: true}),
		Entry("polled apart from the other polls", subscription.Offer{Polls: withOwn}, answering(wants, v1alpha1.DeliverAuto),
			found{delivery: v1alpha1.DeliverPoll, events: wants, aside: true}),
		Entry("as declared", subscription.Offer{Pushes: wants, Polls: withOwn, Gateway: true}, answering(withOwn, v1alpha1.DeliverAuto),
			found{delivery: v1alpha1.DeliverPoll, events: withOwn}),
		Entry("in no way", subscription.Offer{Pushes: wants, Polls: wants, Gateway: true}, answering(wants, v1alpha1.DeliverAuto),
			found{delivery: v1alpha1.DeliverPush, events: wants, why: "the platform neither pushes OwnPost nor can be asked for it"}),
		Entry("not where they are pushed alone and the rest is polled", subscription.Offer{Pushes: withOwn, Polls: wants, Gateway: true}, answering(wants, v1alpha1.DeliverPoll),
			found{delivery: v1alpha1.DeliverPoll, events: wants, why: "the platform pushes OwnPost and cannot be asked for it, and the channel's events are polled"}),
		Entry("not where nothing comes", subscription.Offer{Polls: kinds(event.OwnPost)}, answering(wants, v1alpha1.DeliverAuto), found{events: wants}),
		Entry("not without a route", subscription.Offer{Pushes: withOwn, Polls: withOwn, Gateway: true}, subscription.Want{Events: wants},
			found{delivery: v1alpha1.DeliverPush, events: wants}),
	)

	It("registers the same for a channel without a route whatever the platform has, and never less than is declared", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			offer := subscription.Offer{Pushes: anyKinds().Draw(t, "pushes"), Polls: anyKinds().Draw(t, "polls"), Gateway: rapid.Bool().Draw(t, "gateway")}
			declared := anyKinds().Filter(func(all []event.Kind) bool { return len(all) > 0 }).Draw(t, "declared")
			want := subscription.Want{Events: declared, Delivery: rapid.SampledFrom([]v1alpha1.SubscriptionDelivery{v1alpha1.DeliverAuto, v1alpha1.DeliverPush, v1alpha1.DeliverPoll}).Draw(t, "asked")}
			plain := subscription.Arrange(offer, want)
			g.Expect(plain.Events).To(Equal(declared))
			g.Expect(plain.Beyond).To(BeEmpty())
			want.Answers = true
			routed := subscription.Arrange(offer, want)
			g.Expect(routed.Choice).To(Equal(plain.Choice), "a route changes nothing of what is declared")
			g.Expect(routed.Events).To(ContainElements(declared))
			g.Expect(routed.Coming(declared)).To(Equal(declared))
			g.Expect(routed.Coming(routed.Events)).To(Equal(routed.Events))
		})
	})
})

var _ = Describe("Own posts", func() {
	var (
		pushed    = subscription.Arrange(subscription.Offer{Pushes: withOwn, Polls: withOwn, Gateway: true}, answering(wants, v1alpha1.DeliverAuto))
		pushOnly  = subscription.Arrange(subscription.Offer{Pushes: withOwn, Gateway: true}, answering(wants, v1alpha1.DeliverAuto))
		aside     = subscription.Arrange(subscription.Offer{Pushes: wants, Polls: withOwn, Gateway: true}, answering(wants, v1alpha1.DeliverAuto))
		declared  = subscription.Arrange(subscription.Offer{Polls: withOwn}, answering(withOwn, v1alpha1.DeliverAuto))
		nowhere   = subscription.Arrange(subscription.Offer{Polls: wants}, answering(wants, v1alpha1.DeliverAuto))
		routeless = subscription.Arrange(subscription.Offer{Pushes: wants, Polls: withOwn, Gateway: true}, subscription.Want{Events: wants})
	)
	record := func(delivery v1alpha1.SubscriptionDelivery, registration string, events []event.Kind, polled bool) *v1alpha1.ChannelSubscriptionStatus {
		made := &v1alpha1.ChannelSubscriptionStatus{Delivery: delivery, Registration: registration, Events: subscription.Events(events)}
		if polled {
			made.OwnPosts = &v1alpha1.ChannelOwnPosts{Cursor: "7"}
		}
		return made
	}
	const push, poll = v1alpha1.DeliverPush, v1alpha1.DeliverPoll

	DescribeTable("are polled beside the events where they do not come with them",
		func(plan subscription.Plan, recorded *v1alpha1.ChannelSubscriptionStatus, observes bool, step subscription.OwnPostsStep, words string) {
			found, why := plan.OwnPosts(recorded, observes)
			Expect(found).To(Equal(step))
			if words == "" {
				Expect(why).To(BeEmpty())
			} else {
				Expect(why).To(ContainSubstring(words))
			}
		},
		Entry("beside a push", aside, record(push, "r", wants, false), false, subscription.PollOwnPosts, ""),
		Entry("beside a push that is not registered yet", aside, record(push, "", nil, false), false, subscription.PollOwnPosts, ""),
		Entry("pushed", pushed, record(push, "r", withOwn, false), false, subscription.LeaveOwnPosts, ""),
		Entry("about to be pushed", pushed, record(push, "", wants, false), false, subscription.LeaveOwnPosts, ""),
		Entry("about to be pushed, and polled until then", pushed, record(push, "", wants, true), false, subscription.PollOwnPosts, ""),
		Entry("about to be pushed, and cannot be polled any more", pushOnly, record(push, "", wants, true), false, subscription.DropOwnPosts, ""),
		Entry("pushed by now", pushed, record(push, "r", withOwn, true), false, subscription.FinishOwnPosts, ""),
		Entry("withheld", pushed, record(push, "r", wants, false), false, subscription.PollOwnPosts, ""),
		Entry("withheld, and cannot be polled", pushOnly, record(push, "r", wants, false), false, subscription.DropOwnPosts, "does not"),
		Entry("not in what somebody else has subscribed", pushed, record(push, "", wants, false), true, subscription.PollOwnPosts, ""),
		Entry("declared and polled", declared, record(poll, "", withOwn, false), false, subscription.LeaveOwnPosts, ""),
		Entry("declared, and not polled with the rest yet", declared, record(poll, "", wants, true), false, subscription.PollOwnPosts, ""),
		Entry("declared, and still pushed", declared, record(push, "r", withOwn, true), false, subscription.PollOwnPosts, ""),
		Entry("declared and polled with the rest by now", declared, record(poll, "", withOwn, true), false, subscription.FinishOwnPosts, ""),
		Entry("to be had in no way", nowhere, record(poll, "", wants, false), false, subscription.DropOwnPosts, "neither pushes OwnPost"),
		Entry("of no use", routeless, record(push, "r", wants, true), false, subscription.DropOwnPosts, ""),
	)

	It("that are not sent are no drift, unless they were", func() {
		routed := func(f *subscription.Facts) {
			f.Events, f.Beyond = withOwn, kinds(event.OwnPost)
			f.Recorded.Registration = subscription.Digest(callback, withOwn, "keys-1")
			f.Recorded.Events = subscription.Events(wants)
		}
		lacks := found(func(f *subscription.Found) { f.Events = wants })
		Expect(subscription.Decide(facts(routed, lacks)).Step).To(Equal(subscription.Rest))

		came := func(f *subscription.Facts) { f.Recorded.Events = subscription.Events(withOwn) }
		decision := subscription.Decide(facts(routed, came, lacks))
		Expect(decision.Step).To(Equal(subscription.Intend))
		Expect(decision.Drift).To(ContainSubstring("lacks OwnPost"))

		observed := subscription.Decide(facts(routed, came, lacks, func(f *subscription.Facts) { f.Observes = true }))
		Expect(observed.Drift).To(BeEmpty(), "nobody declared it")
		thinned := subscription.Decide(facts(routed, found(func(f *subscription.Found) { f.Events = kinds(event.Mention, event.OwnPost) })))
		Expect(thinned.Drift).To(ContainSubstring("lacks Reply"))
	})

	It("are registered once more when a route is added, and then no more", func() {
		routed := func(f *subscription.Facts) { f.Events, f.Beyond = withOwn, kinds(event.OwnPost) }
		Expect(subscription.Decide(facts(routed)).Step).To(Equal(subscription.Intend))
		registered := func(f *subscription.Facts) {
			f.Recorded.Registration = subscription.Digest(callback, withOwn, "keys-1")
		}
		Expect(subscription.Decide(facts(routed, registered)).Step).To(Equal(subscription.Rest))
	})

	It("are remarked on beside what a condition says, once", func() {
		said := subscription.Remark("the platform sends Mention", "it is down")
		Expect(said).To(And(HavePrefix("the platform sends Mention; "), ContainSubstring("acknowledgements alone"), HaveSuffix(": it is down")))
		Expect(subscription.Remarked(said)).To(Equal("it is down"))
		Expect(subscription.Remark(said, "it refuses")).To(Equal(subscription.Remark("the platform sends Mention", "it refuses")))
		Expect(subscription.Remark(said, "")).To(Equal("the platform sends Mention"))
		Expect(subscription.Remarked("the platform sends Mention")).To(BeEmpty())
	})
})
