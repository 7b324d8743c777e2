// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package subscription_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/subscription"
)

func anyKinds() *rapid.Generator[[]event.Kind] {
	return rapid.Map(rapid.SliceOfNDistinct(rapid.SampledFrom(kinds(event.Mention, event.Reply, event.DirectMessage, event.OwnPost)), 0, 4, rapid.ID),
		func(all []event.Kind) []event.Kind { slices.Sort(all); return all })
}

func anyHour(t *rapid.T, what string) time.Time {
	return noon.Add(time.Duration(rapid.IntRange(-50, 50).Draw(t, what)) * time.Hour)
}

// anyFacts are facts as they can come together, and some that cannot.
func anyFacts() *rapid.Generator[subscription.Facts] {
	return rapid.Custom(func(t *rapid.T) subscription.Facts {
		made := subscription.Facts{
			Now: noon.Add(time.Duration(rapid.IntRange(0, 1e9-1).Draw(t, "fraction"))), Observes: rapid.Bool().Draw(t, "observes"),
			Callback: rapid.SampledFrom([]string{"https://a.example/x", "https://b.example/x"}).Draw(t, "callback"),
			Events:   anyKinds().Draw(t, "events"),
			Keys: subscription.Keys{
				Missing: rapid.IntRange(0, 4).Draw(t, "missing") == 0, Replaced: rapid.IntRange(0, 4).Draw(t, "replaced") == 0,
				Digest: rapid.SampledFrom([]string{"keys-1", "keys-2"}).Draw(t, "keys"), Since: anyHour(t, "since"),
			},
			RotateEvery: time.Duration(rapid.IntRange(0, 60).Draw(t, "every")) * time.Hour,
		}
		if rapid.Bool().Draw(t, "recorded") {
			made.Recorded = anyRecord(t, made)
		}
		if rapid.Bool().Draw(t, "found") {
			made.Found = &subscription.Found{
				Missing:  rapid.IntRange(0, 4).Draw(t, "gone") == 0,
				Callback: rapid.SampledFrom([]string{"", "https://a.example/x", "https://b.example/x"}).Draw(t, "callback there"),
				Events:   anyKinds().Draw(t, "events there"), Problem: rapid.SampledFrom([]string{"", "", "refused"}).Draw(t, "problem"),
			}
		}
		return made
	})
}

func anyRecord(t *rapid.T, made subscription.Facts) *v1alpha1.ChannelSubscriptionStatus {
	record := &v1alpha1.ChannelSubscriptionStatus{Delivery: rapid.SampledFrom([]v1alpha1.SubscriptionDelivery{v1alpha1.DeliverPush, v1alpha1.DeliverPoll}).Draw(t, "delivery")}
	switch rapid.IntRange(0, 2).Draw(t, "registration") {
	case 0:
		record.Registration = subscription.Digest(made.Callback, made.Events, made.Keys.Digest)
	case 1:
		record.Registration = "another"
	}
	if rapid.Bool().Draw(t, "registered at") {
		record.RegisteredAt = new(metav1.NewTime(anyHour(t, "registered")))
	}
	if rapid.Bool().Draw(t, "leased") {
		record.LeaseUntil = new(metav1.NewTime(anyHour(t, "lease")))
	}
	return record
}

var _ = Describe("Whatever the facts", func() {
	It("decides the same twice, with a reason, and changes nothing", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			given := anyFacts().Draw(t, "facts")
			before := given
			before.Recorded, before.Events = given.Recorded.DeepCopy(), slices.Clone(given.Events)
			decision := subscription.Decide(given)
			g.Expect(subscription.Decide(given)).To(Equal(decision))
			g.Expect(given).To(Equal(before))
			if decision.Step == subscription.Rest {
				g.Expect(decision.Why).To(BeEmpty())
			} else {
				g.Expect(decision.Why).NotTo(BeEmpty())
			}
			g.Expect(decision.Count && decision.Drift == "").To(BeFalse())
			if decision.NewKeys {
				g.Expect(decision.Step).To(Equal(subscription.Intend))
			}
		})
	})

	It("touches nothing with Observe", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			given := anyFacts().Draw(t, "facts")
			given.Observes = true
			NewWithT(t).Expect(subscription.Decide(given).Step).To(Equal(subscription.Rest))
		})
	})

	It("registers only what is on record as about to be, and never without keys", Label("S22"), func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			given := anyFacts().Draw(t, "facts")
			if subscription.Decide(given).Step != subscription.Register {
				return
			}
			g.Expect(given.Recorded.Delivery).To(Equal(v1alpha1.DeliverPush))
			g.Expect(given.Recorded.Registration).To(BeEmpty())
			g.Expect(given.Keys.Missing || given.Keys.Replaced).To(BeFalse())
		})
	})

	It("comes to rest: what is intended is registered, and what was registered rests", Label("S22"), func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			given := anyFacts().Draw(t, "facts")
			given.Observes = false
			steps := []subscription.Step{}
			for range 4 {
				decision := subscription.Decide(given)
				steps = append(steps, decision.Step)
				switch decision.Step {
				case subscription.Intend:
					if decision.NewKeys {
						given.Keys = subscription.Keys{Digest: "keys-3", Since: given.Now}
					}
					given.Recorded, given.Found = &v1alpha1.ChannelSubscriptionStatus{Delivery: v1alpha1.DeliverPush}, nil
				case subscription.Register:
					given.Recorded.Registration = subscription.Digest(given.Callback, given.Events, given.Keys.Digest)
					given.Recorded.RegisteredAt = new(metav1.NewTime(given.Now))
					given.Keys.Since, given.Found = given.Now, nil
				case subscription.Rest:
				}
			}
			g.Expect(slices.Index(steps, subscription.Rest)).To(And(BeNumerically(">=", 0), BeNumerically("<=", 2)), "steps: %v", steps)
			g.Expect(steps[3]).To(Equal(subscription.Rest))
		})
	})

	It("decides the same until it wakes", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			given := anyFacts().Draw(t, "facts")
			decision := subscription.Decide(given)
			until := given.Now.Add(1000 * time.Hour)
			if !decision.WakeAt.IsZero() {
				g.Expect(decision.WakeAt).To(BeTemporally(">", given.Now))
				until = decision.WakeAt
			} else if decision.Step != subscription.Rest {
				return
			}
			span := until.Sub(given.Now)
			given.Now = given.Now.Add(min(span-1, time.Duration(rapid.Int64Range(0, int64(span)).Draw(t, "later"))))
			g.Expect(subscription.Decide(given)).To(Equal(decision))
		})
	})

	It("chooses a way that has all events, or says why not", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			offer := subscription.Offer{Pushes: anyKinds().Draw(t, "pushes"), Polls: anyKinds().Draw(t, "polls"), Gateway: rapid.Bool().Draw(t, "gateway")}
			want := anyKinds().Filter(func(all []event.Kind) bool { return len(all) > 0 }).Draw(t, "want")
			asked := rapid.SampledFrom([]v1alpha1.SubscriptionDelivery{v1alpha1.DeliverAuto, v1alpha1.DeliverPush, v1alpha1.DeliverPoll}).Draw(t, "asked")
			choice := subscription.Choose(offer, want, asked)
			switch choice.Delivery {
			case v1alpha1.DeliverPush:
				g.Expect(offer.Gateway).To(BeTrue())
				g.Expect(offer.Pushes).To(ContainElements(want))
				g.Expect(asked).NotTo(Equal(v1alpha1.DeliverPoll))
			case v1alpha1.DeliverPoll:
				g.Expect(offer.Polls).To(ContainElements(want))
				g.Expect(asked).NotTo(Equal(v1alpha1.DeliverPush))
			default:
				g.Expect(choice.Reason).NotTo(BeEmpty())
				g.Expect(choice.Message).NotTo(BeEmpty())
			}
		})
	})

	It("waits between polls for an interval to ten, and longer the longer nothing happens", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			interval := time.Duration(rapid.IntRange(15, 3600).Draw(t, "interval")) * time.Second
			quiet := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(1000*time.Hour)).Draw(t, "quiet"))
			wait := subscription.PollWait(interval, quiet)
			g.Expect(wait).To(And(BeNumerically(">=", interval), BeNumerically("<=", 10*interval)))
			g.Expect(subscription.PollWait(interval, quiet+time.Hour)).To(BeNumerically(">=", wait))
			g.Expect(subscription.PollCurrentUntil(noon, wait)).To(BeTemporally("==", noon.Add(3*wait)))
		})
		Expect(subscription.PollWait(time.Minute, 0)).To(Equal(time.Minute))
		Expect(subscription.PollWait(time.Minute, 10*time.Minute)).To(Equal(2 * time.Minute))
		Expect(subscription.PollWait(time.Minute, 100*time.Hour)).To(Equal(10 * time.Minute))
	})

	It("tells registrations apart", func() {
		digests := map[string]bool{}
		for _, parts := range []struct {
			callback string
			events   []event.Kind
			keys     string
		}{{"a", wants, "k"}, {"b", wants, "k"}, {"a", kinds(event.Mention), "k"}, {"a", wants, "l"}, {"a", nil, "k"}, {"", wants, "ak"}} {
			digests[subscription.Digest(parts.callback, parts.events, parts.keys)] = true
		}
		Expect(digests).To(HaveLen(6))
	})
})
