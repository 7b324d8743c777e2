// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package subscription_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/subscription"
)

const callback = "https://hooks.acme.example/hooks/bluesky/token"

var (
	noon  = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	wants = []event.Kind{event.Mention, event.Reply}
)

func kinds(all ...event.Kind) []event.Kind { return all }

// facts are those of a subscription that is in order, an hour after it was
// registered, after the changes.
func facts(changes ...func(*subscription.Facts)) subscription.Facts {
	made := subscription.Facts{
		Now: noon, Callback: callback, Events: wants,
		Keys: subscription.Keys{Digest: "keys-1", Since: noon.Add(-time.Hour)},
		Recorded: &v1alpha1.ChannelSubscriptionStatus{
			Delivery: v1alpha1.DeliverPush, Callback: "https://hooks.acme.example/hooks/bluesky/…",
			Registration: subscription.Digest(callback, wants, "keys-1"), RegisteredAt: new(metav1.NewTime(noon.Add(-time.Hour))),
		},
	}
	for _, change := range changes {
		change(&made)
	}
	return made
}

func found(changes ...func(*subscription.Found)) func(*subscription.Facts) {
	return func(f *subscription.Facts) {
		f.Found = &subscription.Found{Callback: f.Callback, Events: f.Events}
		for _, change := range changes {
			change(f.Found)
		}
	}
}

func leased(length time.Duration) func(*subscription.Facts) {
	return func(f *subscription.Facts) {
		f.Recorded.LeaseUntil = new(metav1.NewTime(f.Recorded.RegisteredAt.Add(length)))
	}
}

var _ = Describe("Choose", func() {
	DescribeTable("picks the way in which all events come",
		func(offer subscription.Offer, asked, chosen v1alpha1.SubscriptionDelivery) {
			Expect(subscription.Choose(offer, wants, asked)).To(Equal(subscription.Choice{Delivery: chosen}))
		},
		Entry("pushed rather than polled", subscription.Offer{Pushes: wants, Polls: wants, Gateway: true}, v1alpha1.DeliverAuto, v1alpha1.DeliverPush),
		Entry("as it was asked for", subscription.Offer{Pushes: wants, Polls: wants, Gateway: true}, v1alpha1.DeliverPoll, v1alpha1.DeliverPoll),
		Entry("polled where nothing can be pushed to", subscription.Offer{Pushes: wants, Polls: wants}, v1alpha1.DeliverAuto, v1alpha1.DeliverPoll),
		Entry("polled where not all are pushed", subscription.Offer{Pushes: kinds(event.Mention), Polls: wants, Gateway: true}, v1alpha1.DeliverAuto, v1alpha1.DeliverPoll),
		Entry("pushed where not all can be asked for", subscription.Offer{Pushes: wants, Polls: kinds(event.Mention), Gateway: true}, v1alpha1.DeliverAuto, v1alpha1.DeliverPush),
		Entry("pushed where that was asked for", subscription.Offer{Pushes: wants, Gateway: true}, v1alpha1.DeliverPush, v1alpha1.DeliverPush),
		Entry("without a word on it", subscription.Offer{Pushes: wants, Gateway: true}, v1alpha1.SubscriptionDelivery(""), v1alpha1.DeliverPush),
	)

	DescribeTable("says why none will do, and what would",
		func(offer subscription.Offer, asked v1alpha1.SubscriptionDelivery, reason, message string) {
			Expect(subscription.Choose(offer, wants, asked)).To(Equal(subscription.Choice{Reason: reason, Message: message}))
		},
		Entry("no gateway", subscription.Offer{Pushes: wants}, v1alpha1.DeliverAuto, v1alpha1.ReasonGatewayNotConfigured,
			"the platform pushes these events, and this Rostra was not told at which URL platforms reach its gateway: start it with --gateway-url"),
		Entry("no gateway, and a poll would do", subscription.Offer{Pushes: wants, Polls: wants}, v1alpha1.DeliverPush, v1alpha1.ReasonGatewayNotConfigured,
			"the platform pushes these events, and this Rostra was not told at which URL platforms reach its gateway: start it with --gateway-url, or set spec.subscription.delivery to Auto or Poll"),
		Entry("no events at all", subscription.Offer{Gateway: true}, v1alpha1.DeliverAuto, v1alpha1.ReasonEventsUnsupported,
			"this platform neither pushes events nor can be asked for them: remove spec.subscription"),
		Entry("an event that there is not", subscription.Offer{Pushes: kinds(event.Mention), Gateway: true}, v1alpha1.DeliverAuto, v1alpha1.ReasonEventsUnsupported,
			"this platform has no Reply: take it out of spec.subscription.events"),
		Entry("events that there are not", subscription.Offer{Pushes: kinds(event.OwnPost), Gateway: true}, v1alpha1.DeliverAuto, v1alpha1.ReasonEventsUnsupported,
			"this platform has no Mention, Reply: take them out of spec.subscription.events"),
		Entry("no one way", subscription.Offer{Pushes: kinds(event.Mention), Polls: kinds(event.Reply), Gateway: true}, v1alpha1.DeliverAuto, v1alpha1.ReasonEventsUnsupported,
			"no one way gives all these events: this platform does not push Reply, and cannot be asked for Mention: take one or the other out of spec.subscription.events"),
		Entry("not pushed, and polled", subscription.Offer{Pushes: kinds(event.Mention), Polls: wants, Gateway: true}, v1alpha1.DeliverPush, v1alpha1.ReasonEventsUnsupported,
			"this platform does not push Reply: set spec.subscription.delivery to Auto or Poll"),
		Entry("not polled, and pushed", subscription.Offer{Pushes: wants, Polls: kinds(event.Mention), Gateway: true}, v1alpha1.DeliverPoll, v1alpha1.ReasonEventsUnsupported,
			"this platform cannot be asked for Reply: set spec.subscription.delivery to Auto or Push"),
		Entry("not pushed, and not all polled", subscription.Offer{Pushes: kinds(event.Mention), Polls: kinds(event.Reply), Gateway: true}, v1alpha1.DeliverPush, v1alpha1.ReasonEventsUnsupported,
			"this platform does not push Reply: take it out of spec.subscription.events"),
		Entry("not polled, and not all pushed", subscription.Offer{Pushes: kinds(event.Mention), Polls: kinds(event.Reply), Gateway: true}, v1alpha1.DeliverPoll, v1alpha1.ReasonEventsUnsupported,
			"this platform cannot be asked for Mention: take it out of spec.subscription.events"),
	)

	It("reads the events of a manifest in one order, each once", func() {
		events := []v1alpha1.SubscribedEvent{v1alpha1.SubscribedReply, v1alpha1.SubscribedMention, v1alpha1.SubscribedReply}
		Expect(subscription.Kinds(events)).To(Equal(wants))
		Expect(subscription.Events(wants)).To(Equal([]v1alpha1.SubscribedEvent{v1alpha1.SubscribedMention, v1alpha1.SubscribedReply}))
	})
})

var _ = Describe("Decide", func() {
	DescribeTable("says what is to be done",
		func(step subscription.Step, newKeys bool, why string, changes ...func(*subscription.Facts)) {
			decision := subscription.Decide(facts(changes...))
			Expect(decision.Step).To(Equal(step))
			Expect(decision.NewKeys).To(Equal(newKeys))
			Expect(decision.Why).To(ContainSubstring(why))
			Expect(decision.Why).NotTo(ContainSubstring("token"), "a callback is never shown")
		},
		Entry("in order", subscription.Rest, false, ""),
		Entry("in order at the platform", subscription.Rest, false, "", found()),
		Entry("in order at a platform that tells no callback", subscription.Rest, false, "", found(func(f *subscription.Found) { f.Callback = "" })),
		Entry("in order at a platform that sends more", subscription.Rest, false, "", found(func(f *subscription.Found) { f.Events = append(f.Events, event.OwnPost) })),
		Entry("never registered", subscription.Intend, true, "nothing is registered yet", func(f *subscription.Facts) { f.Recorded, f.Keys = nil, subscription.Keys{Missing: true} }),
		Entry("never registered, with keys from a try before", subscription.Intend, false, "nothing is registered yet", func(f *subscription.Facts) { f.Recorded = nil }),
		Entry("polled before", subscription.Intend, true, "nothing is registered yet", func(f *subscription.Facts) {
			f.Recorded, f.Keys = &v1alpha1.ChannelSubscriptionStatus{Delivery: v1alpha1.DeliverPoll}, subscription.Keys{Missing: true}
		}),
		Entry("about to be registered", subscription.Register, false, "on record", func(f *subscription.Facts) { f.Recorded.Registration = "" }),
		Entry("about to be registered, with drift", subscription.Register, false, "on record", func(f *subscription.Facts) { f.Recorded.Registration = "" },
			found(func(f *subscription.Found) { f.Missing = true })),
		Entry("about to be registered, and the keys are gone", subscription.Intend, true, "keys are gone", func(f *subscription.Facts) {
			f.Recorded.Registration, f.Keys = "", subscription.Keys{Missing: true}
		}),
		Entry("without keys", subscription.Intend, true, "keys are gone", func(f *subscription.Facts) { f.Keys = subscription.Keys{Missing: true} }),
		Entry("with another application key", subscription.Intend, true, "application's keys", func(f *subscription.Facts) { f.Keys.Replaced = true }),
		Entry("with other keys in the record", subscription.Intend, false, "others than those", func(f *subscription.Facts) { f.Keys.Digest = "keys-2" }),
		Entry("with another callback", subscription.Intend, false, "others than those", func(f *subscription.Facts) { f.Callback += "x" }),
		Entry("with other events", subscription.Intend, false, "others than those", func(f *subscription.Facts) { f.Events = kinds(event.Mention) }),
		Entry("gone", subscription.Intend, false, "no subscription", found(func(f *subscription.Found) { f.Missing = true })),
		Entry("bent", subscription.Intend, false, "another callback", found(func(f *subscription.Found) { f.Callback = "https://evil.example" })),
		Entry("thinned", subscription.Intend, false, "lacks Reply", found(func(f *subscription.Found) { f.Events = kinds(event.Mention) })),
		Entry("in trouble", subscription.Intend, false, "refused", found(func(f *subscription.Found) { f.Problem = "refused" })),
		Entry("with keys just short of due", subscription.Rest, false, "", func(f *subscription.Facts) { f.RotateEvery = time.Hour + 1 }),
		Entry("with keys that are due", subscription.Intend, true, "keys are due", func(f *subscription.Facts) { f.RotateEvery = time.Hour }),
		Entry("with new keys that are not registered yet, and due", subscription.Intend, false, "others than those", func(f *subscription.Facts) {
			f.RotateEvery, f.Keys.Digest = time.Hour, "keys-2"
		}),
		Entry("with more than a third of its lease left", subscription.Rest, false, "", leased(91*time.Minute)),
		Entry("with a third of its lease left", subscription.Intend, false, "lease is due", leased(90*time.Minute)),
		Entry("with a lease that is over", subscription.Intend, false, "lease is due", leased(time.Minute)),
	)

	DescribeTable("wakes for what comes next", func(at time.Time, changes ...func(*subscription.Facts)) {
		Expect(subscription.Decide(facts(changes...)).WakeAt).To(BeTemporally("==", at))
	},
		Entry("nothing", time.Time{}),
		Entry("keys", noon.Add(time.Hour), func(f *subscription.Facts) { f.RotateEvery = 2 * time.Hour }),
		Entry("a lease", noon.Add(time.Hour), leased(3*time.Hour)),
		Entry("the earlier of the two", noon.Add(time.Hour), func(f *subscription.Facts) { f.RotateEvery = 5 * time.Hour }, leased(3*time.Hour)),
		Entry("the earlier, the other way round", noon.Add(time.Hour), func(f *subscription.Facts) { f.RotateEvery = 2 * time.Hour }, leased(30*time.Hour)),
	)

	It("leaves the shortest lease alone for a minute", func() {
		short := facts(leased(3 * time.Second))
		Expect(subscription.RenewAt(short.Recorded)).To(BeTemporally("==", short.Recorded.RegisteredAt.Add(time.Minute)))
	})

	It("renews a lease of unknown length at its end", func() {
		found := facts(leased(time.Hour)).Recorded
		found.RegisteredAt = nil
		Expect(subscription.RenewAt(found)).To(BeTemporally("==", found.LeaseUntil.Time))
	})

	It("only reports with Observe, and each finding once", func() {
		observed := facts(found(func(f *subscription.Found) { f.Missing = true }), func(f *subscription.Facts) { f.Observes = true })
		Expect(subscription.Decide(observed)).To(Equal(subscription.Decision{Drift: "the platform has no subscription", Count: true}))
		observed.Reported = "the platform has no subscription"
		Expect(subscription.Decide(observed)).To(Equal(subscription.Decision{Drift: "the platform has no subscription"}))
	})
})
