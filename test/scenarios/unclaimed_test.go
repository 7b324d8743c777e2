// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/socialplatform"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/simulated"
)

// gauge keeps what the metric shows.
type gauge map[string]int32

// Set implements socialplatform.Gauge.
func (g gauge) Set(name string, unclaimed int32) { g[name] = unclaimed }

// Forget implements socialplatform.Gauge.
func (g gauge) Forget(name string) { delete(g, name) }

// inventory is a world whose platform looks for unclaimed accounts.
type inventory struct {
	*world
	platforms *socialplatform.Reconciler
	shown     gauge
	// kind is the port that the platform has, where it is not the simulated one.
	factory platform.Factory
}

func newInventory(change ...func(*world)) *inventory {
	GinkgoHelper()
	i := &inventory{world: newWorld(true), shown: gauge{}}
	i.server.RemoveAccount(i.account())
	for _, each := range change {
		each(i.world)
	}
	i.factory = i.server.Factory
	i.restart()
	i.editPlatform(func(p *v1alpha1.SocialPlatform) {
		p.Spec.Discovery = &v1alpha1.AccountDiscovery{Interval: &metav1.Duration{Duration: time.Hour}}
	})
	return i
}

func namesApart(w *world) { w.server.NamesApart = true }

// restart makes a reconciler that remembers nothing.
func (i *inventory) restart() {
	i.platforms = socialplatform.New(socialplatform.Config{
		Client: &mortalClient{Client: shared.client, world: i.world}, Metadata: shared.cached.GetCache(), Clock: i.clock, Gauge: i.shown,
		Platforms: platform.NewDirectory(platform.Registry{string(v1alpha1.PlatformBluesky): func(url string) (platform.Platform, error) { return i.factory(url) }}),
	})
}

func (i *inventory) platformKey() client.ObjectKey { return client.ObjectKey{Name: i.in("platform")} }

func (i *inventory) editPlatform(change func(*v1alpha1.SocialPlatform)) {
	GinkgoHelper()
	edit(i.world, i.platformKey(), &v1alpha1.SocialPlatform{}, change)
}

func (i *inventory) social() *v1alpha1.SocialPlatform {
	GinkgoHelper()
	social := &v1alpha1.SocialPlatform{}
	Expect(shared.cached.GetAPIReader().Get(i.ctx, i.platformKey(), social)).To(Succeed())
	return social
}

// look reconciles the platform once.
func (i *inventory) look() time.Duration {
	GinkgoHelper()
	i.sync()
	result, err := i.platforms.Reconcile(i.ctx, reconcile.Request{NamespacedName: i.platformKey()})
	Expect(err).NotTo(HaveOccurred())
	return result.RequeueAfter
}

// survey reconciles the platform until nothing is under way.
func (i *inventory) survey() time.Duration {
	GinkgoHelper()
	for range 200 {
		wait := i.look()
		if wait > soon {
			return wait
		}
		i.pass(wait)
	}
	Fail("the survey does not end")
	return 0
}

// accounts makes numbered accounts.
func (i *inventory) accounts(from, to int) {
	for n := from; n < to; n++ {
		i.server.AddAccount(i.id(n), i.handleOf(n), fmt.Sprint("password-", n))
	}
}

func (i *inventory) id(n int) string       { return fmt.Sprintf("acct-%s-%03d", i.name, n) }
func (i *inventory) handleOf(n int) string { return fmt.Sprintf("%s-desk-%03d", i.name, n) }

// declare makes the channel of a numbered account.
func (i *inventory) declare(n int, changes ...func(*v1alpha1.SocialChannel)) *v1alpha1.SocialChannel {
	GinkgoHelper()
	channel := i.channel()
	channel.Name, channel.Spec.Handle = fmt.Sprintf("desk-%03d", n), i.handleOf(n)
	channel.Spec.Credentials.SourceSecretRef.Name = channel.Name + "-source"
	channel.Spec.Credentials.Delivery.SecretName = channel.Name
	for _, change := range changes {
		change(channel)
	}
	i.create(channel)
	return channel
}

func (i *inventory) pinned(n int) func(*v1alpha1.SocialChannel) {
	return func(c *v1alpha1.SocialChannel) { c.Spec.AccountID = i.id(n) }
}

// settleChannel gives a declared channel its source and lets it come in order.
func (i *inventory) settleChannel(n int, channel *v1alpha1.SocialChannel) {
	GinkgoHelper()
	i.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: channel.Namespace, Name: channel.Spec.Credentials.SourceSecretRef.Name},
		StringData: map[string]string{simulated.KeyPassword: fmt.Sprint("password-", n)},
	})
	i.settleKey(client.ObjectKeyFromObject(channel))
}

// unclaimed gives what the status reports.
func (i *inventory) unclaimed() (count int32, ids []string) {
	GinkgoHelper()
	told := i.social().Status.Unclaimed
	Expect(told).NotTo(BeNil())
	for _, account := range told.Accounts {
		ids = append(ids, account.ID)
	}
	return *told.Count, ids
}

func (i *inventory) expectCount(want int32) {
	GinkgoHelper()
	count, _ := i.unclaimed()
	Expect(count).To(Equal(want))
	Expect(i.shown).To(HaveKeyWithValue(i.in("platform"), want))
}

func (i *inventory) expectDiscovery(status metav1.ConditionStatus, reason string) metav1.Condition {
	GinkgoHelper()
	social := i.social()
	condition := meta.FindStatusCondition(social.Status.Conditions, v1alpha1.ConditionAccountsDiscovered)
	Expect(condition).NotTo(BeNil())
	Expect(condition.Status).To(Equal(status), condition.Message)
	Expect(condition.Reason).To(Equal(reason), condition.Message)
	Expect(condition.ObservedGeneration).To(Equal(social.Generation))
	ready := meta.FindStatusCondition(social.Status.Conditions, v1alpha1.ConditionReady)
	Expect(ready.Status).To(Equal(status), ready.Message)
	return *condition
}

var _ = Describe("Accounts that nobody has declared", Label("S16"), func() {
	It("are found among those that somebody has, which are left in peace", func() {
		const owned, known = 178, 90
		i := newInventory()
		i.accounts(0, owned)
		channels := make([]*v1alpha1.SocialChannel, 0, known)
		for n := range known {
			channel := i.declare(n)
			if n < 5 { // the others are not verified yet, and claim by handle
				i.settleChannel(n, channel)
			}
			channels = append(channels, channel)
		}
		versions := func(ctx context.Context) map[string]string {
			list := &v1alpha1.SocialChannelList{}
			Expect(shared.cached.GetAPIReader().List(ctx, list, client.InNamespace(i.in("social")))).To(Succeed())
			found := map[string]string{}
			for _, channel := range list.Items {
				found[channel.Name] = channel.ResourceVersion
			}
			return found
		}
		before := versions(i.ctx)
		Expect(before).To(HaveLen(known))
		i.server.ResetCalls()
		wait := i.survey()
		Expect(wait).To(BeNumerically("~", 63*time.Minute, 4*time.Minute))

		i.expectCount(owned - known)
		social := i.social()
		Expect(social.Status.Unclaimed.Accounts).To(HaveLen(owned - known))
		for n, account := range social.Status.Unclaimed.Accounts {
			Expect(account.ID).To(Equal(i.id(known + n)))
			Expect(account.Handle).To(Equal(i.handleOf(known + n)))
			Expect(account.State).To(Equal(v1alpha1.UnclaimedActive))
			Expect(account.Since.Time).To(BeTemporally("~", i.clock.Now(), time.Minute))
		}
		Expect(i.expectDiscovery(metav1.ConditionTrue, v1alpha1.ReasonAccountsListed).Message).To(Equal("accounts that the server lists: 178; of them no channel claims: 88"))
		Expect(*social.Status.Channels.Count).To(BeEquivalentTo(known))

		Expect(i.server.Calls()).To(Equal(map[string]int{"Detect": 1, "ListAccounts": 4}), "nobody logs in to look")
		for _, channel := range channels[:5] {
			i.reconcile(client.ObjectKeyFromObject(channel))
		}
		Expect(versions(i.ctx)).To(Equal(before), "no channel was written to")
		for _, channel := range channels[:5] {
			secret := i.delivered(i.in("marketing"), channel.Spec.Credentials.Delivery.SecretName)
			Expect(secret).NotTo(BeEmpty())
		}
	})

	It("are asked for once an interval, and cost no write while nothing changes", func() {
		i := newInventory()
		i.accounts(0, 120)
		i.survey()
		version := i.social().ResourceVersion
		i.server.ResetCalls()
		end := i.clock.Now().Add(24 * time.Hour)
		for i.clock.Now().Before(end) {
			i.pass(i.survey())
		}
		Expect(i.social().ResourceVersion).To(Equal(version))
		Expect(i.server.Calls()["ListAccounts"]).To(And(BeNumerically(">=", 3*21), BeNumerically("<=", 3*24)))
	})

	It("follow the channels without asking the platform again", func() {
		i := newInventory()
		i.accounts(0, 10)
		i.survey()
		i.expectCount(10)
		i.server.ResetCalls()
		first := i.social().Status.Unclaimed.Accounts

		byHandle, byID := i.declare(3), i.declare(4, i.pinned(4))
		i.pass(time.Minute)
		i.look()
		i.expectCount(8)
		_, ids := i.unclaimed()
		Expect(ids).NotTo(ContainElements(i.id(3), i.id(4)))
		for _, account := range i.social().Status.Unclaimed.Accounts {
			Expect(first).To(ContainElement(account), "the others keep their time")
		}

		Expect(shared.client.Delete(i.ctx, byHandle)).To(Succeed())
		Expect(shared.client.Delete(i.ctx, byID)).To(Succeed())
		i.look()
		i.expectCount(10)
		Expect(i.server.Calls()).To(BeEmpty())
	})

	It("are told by their account, not by a handle that has moved to another", func() {
		i := newInventory()
		i.accounts(0, 2)
		channel := i.declare(0)
		i.settleChannel(0, channel)
		i.server.Rename(i.id(0), i.name+"-renamed")
		i.server.Rename(i.id(1), i.handleOf(0))
		i.survey()
		_, ids := i.unclaimed()
		Expect(ids).To(ConsistOf(i.id(1)))
	})

	It("cannot be hidden from a namespace that is not allowed", Label("S25"), func() {
		i := newInventory()
		i.accounts(0, 3)
		i.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: i.in("elsewhere")}})
		i.declare(0, i.pinned(0), func(c *v1alpha1.SocialChannel) { c.Namespace = i.in("elsewhere") })
		i.declare(1, func(c *v1alpha1.SocialChannel) { c.Namespace = i.in("elsewhere") })
		i.survey()
		i.expectCount(3)
	})

	It("are claimed also by channels on another object for the same server", func() {
		i := newInventory()
		i.accounts(0, 3)
		other := i.social()
		other.ObjectMeta = metav1.ObjectMeta{Name: i.in("observed")}
		other.Spec.Discovery, other.Spec.ManagementPolicy = nil, v1alpha1.ManagementObserve
		i.create(other)
		i.declare(1, func(c *v1alpha1.SocialChannel) { c.Spec.PlatformRef.Name = i.in("observed") })
		i.survey()
		i.expectCount(2)
	})

	It("are reported up to a hundred, and counted all", func() {
		i := newInventory()
		i.accounts(0, 250)
		i.survey()
		i.expectCount(250)
		_, ids := i.unclaimed()
		Expect(ids).To(HaveLen(100))
		i.declare(0, i.pinned(0))
		i.look()
		_, next := i.unclaimed()
		Expect(next).To(Equal(append(slices.Clone(ids[1:]), i.id(100))))
	})

	It("are not claimed by handle from a platform of another server", func() {
		i := newInventory(namesApart)
		i.accounts(0, 150)
		other := i.social()
		other.ObjectMeta = metav1.ObjectMeta{Name: i.in("elsewhere")}
		other.Spec.Discovery, other.Spec.Bluesky.Service = nil, "https://elsewhere.simulated.test"
		i.create(other)
		i.declare(0, func(c *v1alpha1.SocialChannel) { c.Spec.PlatformRef.Name = i.in("elsewhere") })
		i.survey()
		i.expectCount(150)
		Expect(i.server.Calls()["HandleOf"]).To(Equal(100), "no more than are reported")
	})

	Describe("at a server that names them one by one", func() {
		It("are named where they are reported, and no more often than once a day", func() {
			i := newInventory(namesApart)
			i.accounts(0, 230)
			for n := range 20 {
				i.declare(n, i.pinned(n))
			}
			i.survey()
			i.expectCount(210)
			told := i.social().Status.Unclaimed.Accounts
			Expect(told).To(HaveLen(100))
			Expect(told).To(HaveEach(HaveField("Handle", HavePrefix(i.name+"-desk-"))))
			Expect(i.server.Calls()).To(Equal(map[string]int{"Detect": 1, "ListAccounts": 5, "HandleOf": 100}))

			version := i.social().ResourceVersion
			i.pass(2 * time.Hour)
			i.survey()
			Expect(i.server.Calls()["HandleOf"]).To(Equal(100))
			Expect(i.social().ResourceVersion).To(Equal(version))

			i.server.Rename(i.id(20), i.name+"-renamed")
			i.pass(24 * time.Hour)
			i.survey()
			Expect(i.social().Status.Unclaimed.Accounts).To(ContainElement(HaveField("Handle", i.name+"-renamed")))
		})

		It("are all named while a channel is known by its handle alone, in turns", func() {
			i := newInventory(namesApart)
			i.accounts(0, 230)
			i.declare(229)
			i.look()
			Expect(i.social().Status.Unclaimed).To(BeNil(), "no count that may be wrong")
			i.expectDiscovery(metav1.ConditionUnknown, v1alpha1.ReasonProgressing)
			Expect(i.server.Calls()["ListAccounts"] + i.server.Calls()["HandleOf"]).To(Equal(50))
			i.survey()
			i.expectCount(229)
			Expect(i.server.Calls()["HandleOf"]).To(Equal(230))
		})

		It("are reported without a handle where the server tells none", func() {
			i := newInventory(namesApart)
			i.accounts(0, 3)
			i.killer.faults = map[string]error{"HandleOf": &platform.Failure{Class: platform.NotFound, Message: "not shown"}}
			i.survey()
			i.expectCount(3)
			Expect(i.social().Status.Unclaimed.Accounts).To(HaveEach(HaveField("Handle", BeEmpty())))
			i.expectDiscovery(metav1.ConditionTrue, v1alpha1.ReasonAccountsListed)
		})

		It("are not kept back by one that the server fails to name", func() {
			i := newInventory(namesApart)
			i.accounts(0, 3)
			i.killer.faults = map[string]error{"HandleOf": &platform.Failure{Class: platform.Transient, Message: "the server is out of order for now"}}
			i.look()
			i.expectDiscovery(metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
			i.survey()
			i.expectCount(3)
			i.expectDiscovery(metav1.ConditionTrue, v1alpha1.ReasonAccountsListed)
		})
	})
})

var _ = Describe("A list of accounts that cannot be had", Label("S16", "S12"), func() {
	failing := func(class platform.Class) map[string]error {
		return map[string]error{"ListAccounts": &platform.Failure{Class: class, Message: "no list today"}}
	}

	It("is Unknown in an outage, and the last one is kept and brought up to date", func() {
		i := newInventory()
		i.accounts(0, 5)
		i.survey()
		i.pass(2 * time.Hour)
		i.killer.faults = failing(platform.Transient)
		i.look()
		i.expectDiscovery(metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
		i.expectCount(5)
		i.declare(0)
		i.look()
		i.expectCount(4)
		i.expectDiscovery(metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)

		version, calls := i.social().ResourceVersion, i.server.Calls()["ListAccounts"]
		for end := i.clock.Now().Add(time.Hour); i.clock.Now().Before(end); {
			i.pass(i.look())
		}
		Expect(i.social().ResourceVersion).To(Equal(version), "an outage costs one write")
		Expect(i.server.Calls()["ListAccounts"] - calls).To(And(BeNumerically(">=", 8), BeNumerically("<=", 25)))

		i.killer.faults = nil
		i.survey()
		i.expectDiscovery(metav1.ConditionTrue, v1alpha1.ReasonAccountsListed)
		i.expectCount(4)
	})

	It("is kept over a restart in an outage", func() {
		i := newInventory()
		i.accounts(0, 5)
		i.survey()
		i.restart()
		clear(i.shown)
		i.killer.faults = failing(platform.Transient)
		i.look()
		i.expectCount(5)
		i.expectDiscovery(metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
	})

	It("waits as long as a rate limit says, and goes on where it was", func() {
		i := newInventory()
		i.accounts(0, 120)
		at := i.clock.Now().Add(20 * time.Minute)
		limited := 0
		i.server.SetHook(func(call string, phase simulated.Phase) error {
			if call == "ListAccounts" && phase == simulated.Before && i.server.Calls()[call] == 2 {
				limited++
				return &platform.Failure{Class: platform.RateLimited, Message: "slow down", RetryAt: at}
			}
			return nil
		})
		Expect(i.look()).To(BeNumerically("~", 20*time.Minute, time.Second))
		i.expectDiscovery(metav1.ConditionUnknown, v1alpha1.ReasonRateLimited)
		i.editPlatform(func(p *v1alpha1.SocialPlatform) { p.Spec.Discovery.Interval.Duration = 2 * time.Hour })
		i.look()
		Expect(i.server.Calls()["ListAccounts"]).To(Equal(2), "not before its time, whatever is edited")
		i.clock.SetTime(at.Add(2 * time.Second))
		i.survey()
		i.expectCount(120)
		Expect(limited).To(Equal(1))
		Expect(i.server.Calls()["ListAccounts"]).To(Equal(4), "two pages were still to come")
	})

	It("is refused with what to do where the server is not the company's own", func() {
		i := newInventory()
		i.accounts(0, 5)
		i.survey()
		i.killer.faults = map[string]error{"ListAccounts": &platform.Failure{
			Class: platform.Permanent, Message: "remove spec.discovery", Cause: platform.ErrTooManyAccounts,
		}}
		i.pass(2 * time.Hour)
		i.look()
		condition := i.expectDiscovery(metav1.ConditionFalse, v1alpha1.ReasonTooManyAccounts)
		Expect(condition.Message).To(ContainSubstring("remove spec.discovery"))
		Expect(i.social().Status.Unclaimed).To(BeNil())
		Expect(i.shown).To(BeEmpty())
		stalled := meta.FindStatusCondition(i.social().Status.Conditions, v1alpha1.ConditionStalled)
		Expect(stalled).NotTo(BeNil(), "a person must act")
		i.declare(0)
		i.look()
		i.expectDiscovery(metav1.ConditionFalse, v1alpha1.ReasonTooManyAccounts)
	})

	DescribeTable("is told apart by what a person can do", func(class platform.Class, status metav1.ConditionStatus, reason string) {
		i := newInventory()
		i.accounts(0, 5)
		i.killer.faults = failing(class)
		wait := i.look()
		i.expectDiscovery(status, reason)
		if status == metav1.ConditionFalse {
			Expect(wait).To(BeNumerically(">=", time.Hour), "asked again once an interval")
		} else {
			Expect(wait).To(BeNumerically("<=", 2*time.Second))
		}
		Expect(i.social().Status.Unclaimed).To(BeNil(), "nothing was ever listed")
		i.killer.faults = nil
		i.pass(2 * time.Hour)
		i.survey()
		i.expectDiscovery(metav1.ConditionTrue, v1alpha1.ReasonAccountsListed)
	},
		Entry("switched off", platform.NotFound, metav1.ConditionFalse, v1alpha1.ReasonPlatformRefused),
		Entry("not public", platform.Permanent, metav1.ConditionFalse, v1alpha1.ReasonPlatformRefused),
		Entry("an outage", platform.Transient, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable),
		Entry("nonsense", platform.Unknown, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable),
		Entry("too often", platform.RateLimited, metav1.ConditionUnknown, v1alpha1.ReasonRateLimited),
	)

	It("is said of a platform type that has none", func() {
		i := newInventory()
		i.factory = func(url string) (platform.Platform, error) {
			made, err := i.server.Factory(url)
			return struct{ platform.Platform }{made}, err
		}
		i.restart()
		i.look()
		i.expectDiscovery(metav1.ConditionFalse, v1alpha1.ReasonCannotList)
	})

	It("is forgotten when nobody asks for it any more, and when the platform goes", func() {
		i := newInventory()
		i.accounts(0, 5)
		i.survey()
		i.editPlatform(func(p *v1alpha1.SocialPlatform) { p.Spec.Discovery = nil })
		i.look()
		social := i.social()
		Expect(social.Status.Unclaimed).To(BeNil())
		Expect(meta.FindStatusCondition(social.Status.Conditions, v1alpha1.ConditionAccountsDiscovered)).To(BeNil())
		Expect(meta.IsStatusConditionTrue(social.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		Expect(i.shown).To(BeEmpty())

		i.editPlatform(func(p *v1alpha1.SocialPlatform) {
			p.Spec.Discovery = &v1alpha1.AccountDiscovery{Interval: &metav1.Duration{Duration: time.Hour}}
		})
		i.survey()
		i.expectCount(5)
		Expect(shared.client.Delete(i.ctx, i.social())).To(Succeed())
		i.look()
		Expect(i.shown).To(BeEmpty())
	})

	It("is not that of another server that the platform was before", func() {
		i := newInventory()
		i.accounts(0, 5)
		i.survey()
		i.killer.faults = failing(platform.Transient)
		i.editPlatform(func(p *v1alpha1.SocialPlatform) { p.Spec.Bluesky.Service = "https://other.simulated.test" })
		i.look()
		Expect(i.social().Status.Unclaimed).To(BeNil())
		i.expectDiscovery(metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
	})
})
