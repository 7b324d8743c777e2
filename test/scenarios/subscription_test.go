// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"context"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/simulated"
)

const readySubscription = v1alpha1.ConditionSubscriptionReady

// newEventWorld makes a world in which the channel is subscribed, after the
// changes.
func newEventWorld(changes ...func(w *world, c *v1alpha1.SocialChannel)) *world {
	GinkgoHelper()
	w := newWorld(true)
	w.offerEvents()
	channel := w.subscribing()
	for _, change := range changes {
		change(w, channel)
	}
	w.create(channel)
	return w
}

func polling(_ *world, c *v1alpha1.SocialChannel) {
	c.Spec.Subscription.Delivery = v1alpha1.DeliverPoll
	c.Spec.Subscription.PollInterval = &metav1.Duration{Duration: 15 * time.Minute}
}

func observing(_ *world, c *v1alpha1.SocialChannel) {
	c.Spec.ManagementPolicy = v1alpha1.ManagementObserve
}

func (w *world) subscription() *v1alpha1.ChannelSubscriptionStatus {
	GinkgoHelper()
	recorded := w.get().Status.Subscription
	Expect(recorded).NotTo(BeNil())
	return recorded
}

func (w *world) removeSubscription() {
	w.server.ChangeSubscription(w.account(), func(*simulated.Registered) *simulated.Registered { return nil })
}

func mention(id string) event.Event { return event.Event{ID: id, Kind: event.Mention} }

// delivers tells whether what the platform sends now is accepted.
func (w *world) delivers() error {
	GinkgoHelper()
	_, err := w.receive(w.server.Delivery(w.account(), mention("1")))
	return err
}

var _ = Describe("A subscription", Label("S14"), func() {
	It("is registered once, where the gateway verifies what comes", func() {
		w := newEventWorld()
		w.settle()
		w.expectReady()
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 1))
		recorded, found := w.subscription(), w.server.Registered(w.account())
		Expect(recorded.Delivery).To(Equal(v1alpha1.DeliverPush))
		Expect(recorded.ID).To(Equal(found.ID))
		Expect(recorded.Callback).To(Equal("https://hooks.acme.example/hooks/bluesky/…"))
		Expect(recorded.Events).To(ConsistOf(v1alpha1.SubscribedMention, v1alpha1.SubscribedReply))
		Expect(recorded.DriftCount).To(BeZero())
		Expect(recorded.LastVerified).NotTo(BeNil())
		record := w.record()
		Expect(record.HookID).To(Equal(string(w.get().UID)))
		Expect(record.Channel).To(Equal(w.key().String()))
		Expect(record.AccountID).To(Equal(w.account()))
		Expect(w.delivers()).To(Succeed())
		Expect(w.recorder.notes).To(ContainElement(ContainSubstring("SubscriptionRegistered")))
	})

	It("has the application's callback where the platform has one for all", func() {
		w := newEventWorld(func(w *world, _ *v1alpha1.SocialChannel) { w.server.Events.Scope = platform.HookPerPlatform })
		w.settle()
		w.expectReady()
		social := &v1alpha1.SocialPlatform{}
		Expect(shared.client.Get(w.ctx, client.ObjectKey{Name: w.in("platform")}, social)).To(Succeed())
		id := hook.ApplicationID("Bluesky", social.Spec.ServerURL(), "")
		Expect(w.record().HookID).To(Equal(id))
		Expect(w.server.Registered(w.account()).Callback).To(Equal(hook.URL(hooksBase, "Bluesky", gatewayKey, id)))
	})

	It("is left alone while nothing changes", func() {
		w := newEventWorld()
		w.settle()
		w.live(3 * time.Hour)
		w.server.ResetCalls()
		w.killer.counting, w.reads = true, 0
		for range 3 {
			w.pass(time.Second)
			w.reconcile(w.key())
		}
		Expect(w.killer.steps).To(BeEmpty(), "a reconcile that changes nothing writes nothing and asks nobody")
		Expect(w.reads).To(BeZero(), "and reads nothing past the cache")
		w.live(10 * time.Hour)
		Expect(w.server.Calls()).NotTo(HaveKey("Subscribe"))
		Expect(w.server.Calls()["Subscribed"]).To(BeNumerically("~", 10, 1), "it is looked at with each probe")
		w.expectReady()
	})

	It("is looked at soon after a restart, and not written", func() {
		w := newEventWorld()
		w.settle()
		w.server.ResetCalls()
		w.startOperator()
		w.settle()
		Expect(w.server.Calls()).NotTo(HaveKey("Subscribe"))
		w.expectReady()
	})

	DescribeTable("that is not there as registered is put back, and that is on record",
		func(words string, change func(*simulated.Registered) *simulated.Registered) {
			w := newEventWorld()
			w.settle()
			id := w.subscription().ID
			w.server.ChangeSubscription(w.account(), change)
			w.live(70 * time.Minute)
			recorded, found := w.subscription(), w.server.Registered(w.account())
			Expect(found).NotTo(BeNil())
			Expect(found.Callback).To(Equal(hook.URL(hooksBase, "Bluesky", gatewayKey, w.record().HookID)))
			Expect(found.Events).To(ConsistOf(event.Mention, event.Reply))
			Expect(found.Problem).To(BeEmpty())
			Expect(recorded.DriftCount).To(BeEquivalentTo(1))
			Expect(w.drifts).To(Equal(1))
			Expect(recorded.LastDrift).NotTo(BeNil())
			Expect(recorded.DriftMessage).To(ContainSubstring(words))
			Expect(recorded.ID).To(Equal(found.ID))
			Expect(w.delivers()).To(Succeed())
			Expect(w.recorder.notes).To(ContainElement(And(ContainSubstring("SubscriptionRepaired"), ContainSubstring(words))))
			w.expectReady()
			if words != "no subscription" {
				Expect(found.ID).To(Equal(id))
			}
			w.live(10 * time.Hour)
			Expect(w.subscription().DriftCount).To(BeEquivalentTo(1))
		},
		Entry("gone", "no subscription", func(*simulated.Registered) *simulated.Registered { return nil }),
		Entry("with another callback", "another callback", func(r *simulated.Registered) *simulated.Registered {
			r.Callback = "https://evil.example/hooks/x"
			return r
		}),
		Entry("with fewer events", "lacks Reply", func(r *simulated.Registered) *simulated.Registered {
			r.Events = []event.Kind{event.Mention}
			return r
		}),
		Entry("with a problem", "the callback failed its check", func(r *simulated.Registered) *simulated.Registered {
			r.Problem = "the callback failed its check"
			return r
		}),
	)

	It("does not take an outage for a drift", func() {
		w := newEventWorld()
		w.settle()
		w.killer.faults = map[string]error{"Subscribed": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		w.live(70 * time.Minute)
		w.expect(readySubscription, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
		Expect(w.subscription().DriftCount).To(BeZero())
		w.killer.faults = nil
		w.live(10 * time.Minute)
		w.expectReady()
		Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 1))
	})

	It("waits for the account while the platform does not say whose it is", func() {
		w := newEventWorld()
		w.settle()
		w.killer.faults = map[string]error{"Verify": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		w.live(70 * time.Minute)
		w.expect(readySubscription, metav1.ConditionUnknown, v1alpha1.ReasonWaiting)
		w.killer.faults = nil
		w.live(10 * time.Minute)
		w.expectReady()
	})

	It("says what the platform refuses", func() {
		w := newEventWorld()
		w.killer.faults = map[string]error{"Subscribe": &platform.Failure{Class: platform.InsufficientScope, Message: "the scope push is missing"}}
		w.settle()
		w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonInsufficientScope)
		Expect(w.condition(readySubscription).Message).To(ContainSubstring("the scope push is missing"))
	})

	It("is tried again as soon as there is a credential that may", func() {
		w := newEventWorld()
		w.killer.faults = map[string]error{"Subscribe": &platform.Failure{Class: platform.InsufficientScope, Message: "the scope push is missing"}}
		w.settle()
		w.killer.faults = nil
		w.server.AddPassword(w.account(), "source-secret-2")
		w.replaceSource("source-secret-2")
		w.settle()
		w.expectReady()
	})

	It("that the platform does not make as asked is told, and asked for at the pace of probes", func() {
		w := newEventWorld(func(w *world, _ *v1alpha1.SocialChannel) { w.server.Events.Withholds = []event.Kind{event.Reply} })
		w.settle()
		w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonSubscriptionDrifted)
		w.server.ResetCalls()
		w.live(5 * time.Hour)
		Expect(w.server.Calls()["Subscribe"]).To(BeNumerically("<=", 6))
		Expect(w.subscription().DriftCount).To(BeEquivalentTo(1), "it is one drift")
		w.server.Events.Withholds = nil
		w.live(2 * time.Hour)
		w.expectReady()
	})

	It("is not registered at a callback that does not answer", func() {
		w := newEventWorld(func(w *world, _ *v1alpha1.SocialChannel) { w.callback = errUnreachable })
		w.live(10 * time.Minute)
		w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonCallbackUnreachable)
		Expect(w.condition(readySubscription).Message).To(And(ContainSubstring("https://hooks.acme.example/hooks/bluesky/…"), ContainSubstring("connection refused")))
		Expect(w.server.Calls()).NotTo(HaveKey("Subscribe"))
		Expect(w.server.Registered(w.account())).To(BeNil())
		w.callback = nil
		w.live(10 * time.Minute)
		w.expectReady()
	})

	It("is renewed before its lease ends", func() {
		w := newEventWorld(func(w *world, _ *v1alpha1.SocialChannel) { w.server.Events.Lease = 72 * time.Hour })
		w.settle()
		id, until := w.subscription().ID, w.subscription().LeaseUntil.Time
		Expect(until).To(BeTemporally("~", w.clock.Now().Add(72*time.Hour), time.Minute))
		w.live(47 * time.Hour)
		Expect(w.subscription().LeaseUntil.Time).To(BeTemporally("==", until))
		w.live(2 * time.Hour)
		Expect(w.subscription().LeaseUntil.Time).To(BeTemporally(">", until), "a third of it was left")
		Expect(w.subscription().ID).To(Equal(id))
		Expect(w.subscription().DriftCount).To(BeZero())
		w.expectReady()
	})

	It("is made anew, with other keys, where its record was deleted", func() {
		w := newEventWorld()
		w.settle()
		old := w.server.Delivery(w.account(), mention("1"))
		w.deleteRecord()
		w.settle()
		Expect(w.delivers()).To(Succeed())
		_, err := w.receive(old)
		Expect(err).To(HaveOccurred())
		Expect(w.server.Subscriptions()).To(Equal(1))
		w.expectReady()
	})

	It("is made anew where its record was changed by hand", func() {
		w := newEventWorld()
		w.settle()
		secret := &corev1.Secret{}
		Expect(shared.secrets.Get(w.ctx, client.ObjectKey{Namespace: w.in("rostra"), Name: "rostra-hook-" + string(w.get().UID)}, secret)).To(Succeed())
		secret.Data["keys.0.value."+simulated.KeyHook] = []byte("known to somebody")
		Expect(shared.secrets.Update(w.ctx, secret)).To(Succeed())
		w.settle()
		Expect(w.record().Keys[0].Values.Get(simulated.KeyHook)).NotTo(Equal("known to somebody"))
		Expect(w.delivers()).To(Succeed())
		w.expectReady()
	})

	It("leaves a Secret alone that is not Rostra's", Label("S25"), func() {
		w := newEventWorld(func(_ *world, c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) })
		theirs := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.in("rostra"), Name: "rostra-hook-" + string(w.get().UID)},
			StringData: map[string]string{"a": "b"},
		}
		w.create(theirs)
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(false) })
		w.settle()
		w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonSecretNameTaken)
		w.delete()
		w.settle()
		after := &corev1.Secret{}
		Expect(shared.secrets.Get(w.ctx, client.ObjectKeyFromObject(theirs), after)).To(Succeed())
		Expect(after.Data).To(Equal(map[string][]byte{"a": []byte("b")}))
		w.deleteSecret(after.Namespace, after.Name)
	})

	Describe("with the policy Observe", func() {
		It("is only reported, once per finding", func() {
			w := newEventWorld()
			w.settle()
			w.editChannel(func(c *v1alpha1.SocialChannel) { observing(w, c) })
			w.settle()
			w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
			w.server.ResetCalls()
			w.removeSubscription()
			w.live(10 * time.Hour)
			w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonSubscriptionDrifted)
			Expect(w.subscription().DriftCount).To(BeEquivalentTo(1))
			Expect(w.server.Calls()).NotTo(Or(HaveKey("Subscribe"), HaveKey("Unsubscribe")))
			w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.ManagementPolicy = v1alpha1.ManagementManage })
			w.settle()
			w.expectReady()
			Expect(w.delivers()).To(Succeed())
		})

		It("is not made, and no record either", func() {
			w := newEventWorld(observing)
			w.settle()
			w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonSubscriptionDrifted)
			Expect(w.record()).To(BeNil())
			Expect(w.server.Registered(w.account())).To(BeNil())
		})
	})

	It("ends when it is taken out of the manifest", func() {
		w := newEventWorld()
		w.settle()
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Subscription = nil })
		w.settle()
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonNothingSubscribed)
		Expect(w.server.Registered(w.account())).To(BeNil())
		Expect(w.record()).To(BeNil())
		Expect(w.get().Status.Subscription).To(BeNil())
		w.expectReady()
	})

	DescribeTable("of a channel that goes", func(policy v1alpha1.DeletionPolicy, left int) {
		w := newEventWorld(func(_ *world, c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = policy })
		w.settle()
		w.delete()
		w.settle()
		Expect(w.server.Subscriptions()).To(Equal(left))
		Expect(w.record()).To(BeNil())
	},
		Entry("stays with Orphan", v1alpha1.DeletionOrphan, 1),
		Entry("ends with Revoke", v1alpha1.DeletionRevoke, 0),
	)

	It("that cannot be ended for good does not keep the channel", func() {
		w := newEventWorld(func(_ *world, c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
		w.settle()
		w.killer.faults = map[string]error{"Unsubscribe": &platform.Failure{Class: platform.Permanent, Message: "not today"}}
		w.delete()
		w.settle()
		Expect(shared.client.Get(w.ctx, w.key(), &v1alpha1.SocialChannel{})).NotTo(Succeed())
		Expect(w.recorder.notes).To(ContainElement(And(ContainSubstring("LeftBehind"), ContainSubstring("not today"))))
		Expect(w.record()).To(BeNil())
	})

	It("goes on during a freeze", func() {
		w := newEventWorld()
		w.settle()
		w.freeze("hijack")
		w.settle()
		w.removeSubscription()
		w.live(70 * time.Minute)
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		Expect(w.delivers()).To(Succeed())
	})

	It("keeps its ID, callback and keys in a hand-over", Label("S6"), func() {
		w := newEventWorld()
		w.settle()
		recorded, found, record := w.subscription(), w.server.Registered(w.account()), w.record()
		w.handOver("care")
		w.settle()
		w.live(3 * time.Hour)
		w.expectReady()
		Expect(w.get().Status.Owner).To(Equal(w.in("care")))
		Expect(w.subscription().ID).To(Equal(recorded.ID))
		Expect(w.subscription().Registration).To(Equal(recorded.Registration))
		Expect(w.server.Registered(w.account()).Callback).To(Equal(found.Callback))
		Expect(hook.Digest(gatewayKey, w.record().Keys[0].Values)).To(Equal(hook.Digest(gatewayKey, record.Keys[0].Values)))
		Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 1))
		Expect(w.delivers()).To(Succeed())
	})

	DescribeTable("that cannot be had is told of, with what would do",
		func(reason, words string, change func(w *world, c *v1alpha1.SocialChannel)) {
			w := newEventWorld(change)
			w.settle()
			w.expect(readySubscription, metav1.ConditionFalse, reason)
			Expect(w.condition(readySubscription).Message).To(ContainSubstring(words))
			Expect(w.server.Calls()).NotTo(HaveKey("Subscribe"))
			Expect(w.record()).To(BeNil())
		},
		Entry("an event that there is not", v1alpha1.ReasonEventsUnsupported, "has no OwnPost", func(_ *world, c *v1alpha1.SocialChannel) {
			c.Spec.Subscription.Events = []v1alpha1.SubscribedEvent{v1alpha1.SubscribedOwnPost}
		}),
		Entry("an event that is only pushed", v1alpha1.ReasonEventsUnsupported, "set spec.subscription.delivery to Auto or Push", func(w *world, c *v1alpha1.SocialChannel) {
			polling(w, c)
			c.Spec.Subscription.Events = []v1alpha1.SubscribedEvent{v1alpha1.SubscribedDirectMessage}
		}),
		Entry("no gateway", v1alpha1.ReasonGatewayNotConfigured, "--gateway-url", func(w *world, c *v1alpha1.SocialChannel) {
			w.reconciler.Gateway = nil
			c.Spec.Subscription.Delivery = v1alpha1.DeliverPush
		}),
	)
})

var _ = Describe("Keys of a subscription", Label("S13"), func() {
	It("are replaced on their schedule, and overlap", func() {
		w := newEventWorld(func(_ *world, c *v1alpha1.SocialChannel) {
			c.Spec.Subscription.KeyRotation = &v1alpha1.SubscriptionKeyRotation{Interval: &metav1.Duration{Duration: 100 * time.Hour}}
		})
		w.settle()
		id, registered := w.subscription().ID, w.subscription().RegisteredAt.Time
		old := w.server.Delivery(w.account(), mention("1"))
		w.live(100*time.Hour + time.Minute)
		Expect(w.subscription().ID).To(Equal(id))
		Expect(w.subscription().RegisteredAt.Time).To(BeTemporally(">", registered))
		Expect(w.subscription().KeysSince.Time).To(BeTemporally(">", registered))
		Expect(w.delivers()).To(Succeed())
		Expect(w.server.Delivery(w.account(), mention("1")).Header).NotTo(Equal(old.Header))
		_, err := w.receive(old)
		Expect(err).NotTo(HaveOccurred(), "the old keys verify during the overlap")
		w.live(time.Hour + time.Minute)
		_, err = w.receive(old)
		Expect(err).To(HaveOccurred(), "the old keys are over")
		Expect(w.record().Keys).To(HaveLen(1))
		Expect(w.delivers()).To(Succeed())
		Expect(w.subscription().DriftCount).To(BeZero())
		w.expectReady()
	})

	It("of the application are registered again when they are replaced", func() {
		w := newEventWorld(func(w *world, _ *v1alpha1.SocialChannel) { w.server.Events.ApplicationKey = "first" })
		w.settle()
		w.expectReady()
		old := w.server.Delivery(w.account(), mention("1"))
		w.server.Events.ApplicationKey = "second"
		w.live(70 * time.Minute)
		Expect(w.delivers()).To(Succeed())
		_, err := w.receive(old)
		Expect(err).NotTo(HaveOccurred())
		w.live(2 * time.Hour)
		_, err = w.receive(old)
		Expect(err).To(HaveOccurred())
		w.expectReady()
	})

	It("of before stay in force until the new ones are registered", func() {
		w := newEventWorld(func(w *world, _ *v1alpha1.SocialChannel) { w.server.Events.ApplicationKey = "first" })
		w.settle()
		w.server.Events.ApplicationKey = "second"
		w.killer.faults = map[string]error{"Subscribe": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		w.live(5 * time.Hour)
		Expect(w.delivers()).To(Succeed(), "the platform still signs with the old ones")
		w.killer.faults = nil
		w.live(10 * time.Minute)
		Expect(w.delivers()).To(Succeed())
		w.expectReady()
	})
})

var _ = Describe("A poll", func() {
	happens := func(w *world, ids ...string) {
		for _, id := range ids {
			w.server.Happens(w.account(), mention(id))
		}
	}

	It("begins now, goes on from its cursor, and stores each event once", func() {
		w := newEventWorld(polling)
		happens(w, "past")
		w.settle()
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonPolled)
		w.expectReady()
		Expect(w.subscription().Delivery).To(Equal(v1alpha1.DeliverPoll))
		happens(w, "1", "2", "3", "4", "5", "6", "7")
		w.live(3 * time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1", "2", "3", "4", "5", "6", "7"}))
		Expect(w.inbox.kept[0].Channel).To(Equal(w.key().String()))
		Expect(w.inbox.kept[0].AccountID).To(Equal(w.account()))
		Expect(w.inbox.kept[0].Platform).To(Equal("Bluesky"))
		Expect(w.inbox.kept[0].ReceivedAt).NotTo(BeZero())
		Expect(w.subscription().LastEvent).NotTo(BeNil())
		w.startOperator()
		happens(w, "8")
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(HaveLen(8), "a restart goes on where it was")
		w.expectReady()
	})

	It("is stretched while nothing happens, and back at its interval afterwards", func() {
		w := newEventWorld(polling)
		w.settle()
		w.live(48 * time.Hour)
		w.server.ResetCalls()
		w.live(24 * time.Hour)
		Expect(w.server.Calls()["Poll"]).To(BeNumerically("~", 24*60/150, 2))
		happens(w, "1")
		w.live(3 * time.Hour)
		w.server.ResetCalls()
		happens(w, "2")
		w.live(30 * time.Minute)
		w.server.ResetCalls()
		happens(w, "3")
		w.live(time.Hour)
		Expect(w.server.Calls()["Poll"]).To(BeNumerically(">=", 2))
		w.expectReady()
	})

	It("is current for three intervals, and then unknown", func() {
		w := newEventWorld(polling)
		w.settle()
		w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		w.live(30 * time.Minute)
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonPolled)
		w.live(40 * time.Minute)
		w.expect(readySubscription, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
		w.killer.faults = nil
		w.live(10 * time.Minute)
		w.expectReady()
	})

	It("leaves events at the platform that cannot be stored", func() {
		w := newEventWorld(polling)
		w.settle()
		cursor := w.subscription().Cursor
		happens(w, "1")
		w.inbox.refuses = errUnreachable
		w.live(30 * time.Minute)
		w.expect(readySubscription, metav1.ConditionUnknown, v1alpha1.ReasonInboxUnavailable)
		Expect(w.subscription().Cursor).To(Equal(cursor))
		w.inbox.refuses = nil
		w.live(10 * time.Minute)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		w.expectReady()
	})

	It("honours when the platform asks to come back", func() {
		w := newEventWorld(polling)
		w.settle()
		until := w.clock.Now().Add(5 * time.Hour)
		w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.RateLimited, Message: "slow down", RetryAt: until}}
		w.live(2 * time.Hour)
		w.expect(readySubscription, metav1.ConditionUnknown, v1alpha1.ReasonRateLimited)
		w.server.ResetCalls()
		w.killer.faults = nil
		w.live(time.Hour)
		Expect(w.server.Calls()).NotTo(HaveKey("Poll"))
		w.live(3 * time.Hour)
		w.expectReady()
	})

	It("that tells of a change of the account makes Rostra ask at once whose it is", Label("S8"), func() {
		w := newEventWorld(polling)
		w.settle()
		w.server.Rename(w.account(), w.name+"-renamed")
		w.server.Happens(w.account(), event.Event{ID: "1", Kind: event.HandleChanged})
		w.live(20 * time.Minute)
		w.expect(v1alpha1.ConditionIdentityVerified, metav1.ConditionFalse, v1alpha1.ReasonHandleDrift)
	})

	It("stores events as the gateway does", func() {
		w := newEventWorld(polling)
		w.settle()
		long := strings.Repeat("x", event.MaxName)
		w.server.Happens(w.account(), mention(long+"1"), mention(long+"2"), event.Event{Kind: event.Mention, Text: "a"}, event.Event{Kind: event.Mention, Text: "b"})
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(HaveLen(4))
		Expect(w.inbox.ids()).To(HaveEach(HavePrefix("sha256-")))
	})

	It("is not in a hurry where there is more of nothing", func() {
		w := newEventWorld(polling)
		w.settle()
		for range 60 {
			w.server.Happens(w.account(), event.Event{ID: "1", Kind: event.DirectMessage})
		}
		w.pass(time.Hour)
		result, _ := w.reconcile(w.key())
		Expect(result.RequeueAfter).To(BeNumerically("~", 1050*time.Millisecond, 51*time.Millisecond))
		w.live(time.Hour)
		Expect(w.subscription().Cursor).To(Equal("60"))
	})

	It("begins once, although where it began could not be put on record", func() {
		w := newEventWorld(func(_ *world, c *v1alpha1.SocialChannel) { c.Spec.Subscription = nil })
		w.settle()
		w.editChannel(func(c *v1alpha1.SocialChannel) {
			c.Spec.Subscription = w.subscribing().Spec.Subscription
			polling(w, c)
		})
		w.killer.refuse = "patch status *v1alpha1.SocialChannel"
		w.killer.refusal = apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("socialchannels").GroupResource(), "help", nil)
		w.reconcile(w.key())
		Expect(w.server.Calls()).To(HaveKeyWithValue("Poll", 1))
		w.killer.refuse = ""
		happens(w, "1")
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
	})

	It("writes nothing while nothing happens", func() {
		w := newEventWorld(polling)
		w.settle()
		w.live(time.Hour)
		w.killer.counting = true
		w.reconcile(w.key())
		w.reconcile(w.key())
		Expect(w.killer.steps).To(BeEmpty())
	})
})

var _ = Describe("A change of the way that events come", func() {
	toPush := func(c *v1alpha1.SocialChannel) { c.Spec.Subscription.Delivery = v1alpha1.DeliverPush }

	It("from poll to push goes on asking until the subscription is registered", func() {
		w := newEventWorld(polling)
		w.settle()
		w.callback = errUnreachable
		w.editChannel(toPush)
		w.live(time.Minute)
		w.befalls("1")
		w.live(3 * time.Hour)
		w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonCallbackUnreachable)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		Expect(w.subscription().Cursor).To(Equal("1"))
		w.server.ResetCalls()
		w.live(10 * time.Hour)
		Expect(w.server.Calls()["Poll"]).To(BeNumerically("~", 8, 5), "at the pace of polls")
		w.befalls("2")
		w.callback = nil
		w.live(6 * time.Minute)
		Expect(w.inbox.ids()).To(Equal([]string{"1", "2"}), "what happened just before is fetched at once")
		w.befalls("3")
		Expect(w.inbox.ids()).To(HaveLen(3))
		Expect(w.subscription().Cursor).To(BeEmpty())
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		w.server.ResetCalls()
		w.live(3 * time.Hour)
		Expect(w.server.Calls()).NotTo(HaveKey("Poll"))
		w.expectReady()
	})

	DescribeTable("from poll to push tries again what could not be fetched at the end", func(change func(w *world), mend func(w *world)) {
		w := newEventWorld(polling)
		w.settle()
		w.befalls("1")
		change(w)
		w.editChannel(toPush)
		w.live(3 * time.Hour)
		Expect(w.server.Registered(w.account())).NotTo(BeNil())
		Expect(w.subscription().Cursor).To(Equal("0"))
		w.expect(readySubscription, metav1.ConditionUnknown, v1alpha1.ReasonProgressing)
		Expect(w.condition(readySubscription).Message).To(ContainSubstring("what happened before"))
		Expect(w.server.Calls()).To(HaveKeyWithValue("Subscribe", 1))
		w.startOperator()
		mend(w)
		w.live(70 * time.Minute)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		Expect(w.subscription().Cursor).To(BeEmpty())
		w.expectReady()
	},
		Entry("since the platform does not answer", func(w *world) {
			w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		}, func(w *world) { w.killer.faults = nil }),
		Entry("since the platform refuses", func(w *world) {
			w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.Permanent, Message: "not today"}}
		}, func(w *world) { w.killer.faults = nil }),
		Entry("since it cannot be stored", func(w *world) { w.inbox.refuses = errUnreachable }, func(w *world) { w.inbox.refuses = nil }),
	)

	It("from poll to push and back before it is registered goes on from its cursor", func() {
		w := newEventWorld(polling)
		w.settle()
		w.callback = errUnreachable
		w.editChannel(toPush)
		w.live(time.Minute)
		w.befalls("1")
		w.editChannel(func(c *v1alpha1.SocialChannel) { polling(w, c) })
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		Expect(w.record()).To(BeNil())
		Expect(w.subscription().Delivery).To(Equal(v1alpha1.DeliverPoll))
		w.expectReady()
	})

	It("from push to poll ends the subscription only when a poll goes on from there", func() {
		w := newEventWorld()
		w.settle()
		w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		w.editChannel(func(c *v1alpha1.SocialChannel) { polling(w, c) })
		w.live(time.Hour)
		Expect(w.server.Registered(w.account())).NotTo(BeNil())
		w.befalls("1")
		w.killer.faults = nil
		w.live(time.Hour)
		Expect(w.server.Registered(w.account())).To(BeNil())
		Expect(w.record()).To(BeNil())
		w.befalls("2")
		w.live(time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1", "2"}))
		Expect(w.subscription().Delivery).To(Equal(v1alpha1.DeliverPoll))
		Expect(w.subscription().Callback).To(BeEmpty())
		w.expectReady()
	})

	It("from push to poll polls although the subscription cannot be ended, and says so", func() {
		w := newEventWorld()
		w.settle()
		w.killer.faults = map[string]error{"Unsubscribe": &platform.Failure{Class: platform.Permanent, Message: "not today"}}
		w.editChannel(func(c *v1alpha1.SocialChannel) { polling(w, c) })
		w.live(time.Hour)
		w.server.Happens(w.account(), mention("1"))
		w.live(3 * time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonPlatformRefused)
		w.killer.faults = nil
		w.live(2 * time.Hour)
		Expect(w.server.Registered(w.account())).To(BeNil())
		w.expectReady()
	})

	It("from push to poll changes nothing at the platform with the policy Observe", func() {
		w := newEventWorld()
		w.settle()
		w.editChannel(func(c *v1alpha1.SocialChannel) {
			polling(w, c)
			observing(w, c)
		})
		w.live(time.Hour)
		w.server.Happens(w.account(), mention("1"))
		w.live(3 * time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		Expect(w.server.Calls()).NotTo(HaveKey("Unsubscribe"))
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonPolled)
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.ManagementPolicy = v1alpha1.ManagementManage })
		w.live(time.Hour)
		Expect(w.server.Registered(w.account())).To(BeNil())
		w.expectReady()
	})

	It("from push to poll for want of a gateway leaves the subscription behind, and tells which", func() {
		w := newEventWorld(func(_ *world, c *v1alpha1.SocialChannel) {
			c.Spec.Subscription.PollInterval = &metav1.Duration{Duration: 15 * time.Minute}
		})
		w.settle()
		id := w.subscription().ID
		w.startOperator()
		w.reconciler.Gateway = nil
		w.live(3 * time.Hour)
		w.server.Happens(w.account(), mention("1"))
		w.live(3 * time.Hour)
		Expect(w.inbox.ids()).To(Equal([]string{"1"}))
		Expect(w.subscription().Delivery).To(Equal(v1alpha1.DeliverPoll))
		Expect(w.record()).To(BeNil())
		expectLeftBehind(w, id)
		w.expectReady()
	})

	It("to none for want of a gateway leaves the subscription behind, and tells which", func() {
		w := newEventWorld()
		w.settle()
		id := w.subscription().ID
		w.startOperator()
		w.reconciler.Gateway = nil
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Subscription = nil })
		w.live(3 * time.Hour)
		Expect(w.get().Status.Subscription).To(BeNil())
		Expect(w.record()).To(BeNil())
		expectLeftBehind(w, id)
		w.expectReady()
	})

	It("from Observe to Manage at the platform registers at once", func() {
		w := newEventWorld()
		manage := func(policy v1alpha1.ManagementPolicy) {
			GinkgoHelper()
			social := &v1alpha1.SocialPlatform{}
			Expect(shared.client.Get(w.ctx, client.ObjectKey{Name: w.in("platform")}, social)).To(Succeed())
			social.Spec.ManagementPolicy = policy
			Expect(shared.client.Update(w.ctx, social)).To(Succeed())
		}
		manage(v1alpha1.ManagementObserve)
		w.settle()
		w.expect(readySubscription, metav1.ConditionFalse, v1alpha1.ReasonSubscriptionDrifted)
		manage(v1alpha1.ManagementManage)
		w.live(time.Minute)
		Expect(w.server.Registered(w.account())).NotTo(BeNil())
		w.expect(readySubscription, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
	})
})

func expectLeftBehind(w *world, id string) {
	GinkgoHelper()
	told := slices.DeleteFunc(slices.Clone(w.recorder.notes), func(note string) bool { return !strings.Contains(note, "LeftBehind") })
	Expect(told).To(ConsistOf(And(HavePrefix("Warning"), ContainSubstring(id))))
}

var _ = Describe("An event that concerns the account", func() {
	// pushed hands an event to the operator as the inbox does, reconciles what
	// that asks for, and waits until it is done with.
	pushed := func(w *world, kind event.Kind) {
		GinkgoHelper()
		ctx, stop := context.WithCancel(context.Background())
		DeferCleanup(stop)
		queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
		DeferCleanup(queue.ShutDown)
		Expect(w.arrivals.Source().Start(ctx, queue)).To(Succeed())
		w.inbox.feed = make(chan event.Event, 1)
		consumed := make(chan error, 1)
		go func() { consumed <- w.arrivals.Consume(ctx, w.inbox) }()
		w.inbox.feed <- event.Event{ID: "1", Kind: kind, Channel: w.key().String(), ChannelUID: string(w.get().UID), ReceivedAt: w.clock.Now()}
		request, _ := queue.Get()
		Expect(request.NamespacedName).To(Equal(w.key()))
		w.reconcile(request.NamespacedName)
		stop()
		Eventually(consumed).Should(Receive(BeNil()))
	}

	It("shows at once that the authorisation was lost", Label("S12"), func() {
		w := newEventWorld()
		w.settle()
		w.server.RemovePassword(w.account(), "source-secret-1")
		w.killer.drift = true
		pushed(w, event.AuthorizationLost)
		w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonRevoked)
		w.expect(readySubscription, metav1.ConditionUnknown, v1alpha1.ReasonWaiting)
		Expect(w.subscription().LastEvent).NotTo(BeNil())
	})

	It("is a doubt where the platform gives no answer", Label("S12"), func() {
		w := newEventWorld()
		w.settle()
		w.killer.faults = map[string]error{"Verify": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
		pushed(w, event.AuthorizationLost)
		w.expect(v1alpha1.ConditionCredentialReady, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
	})

	It("shows at once that the handle changed", Label("S8"), func() {
		w := newEventWorld()
		w.settle()
		w.server.Rename(w.account(), w.name+"-renamed")
		pushed(w, event.HandleChanged)
		w.expect(v1alpha1.ConditionIdentityVerified, metav1.ConditionFalse, v1alpha1.ReasonHandleDrift)
	})
})
