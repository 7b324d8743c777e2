// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
	"github.com/rostra-dev/rostra/test/smtp"
)

// officeWorld is a company at ten in the morning of a working day. Its managers
// are told by mail, and nobody is paged. The team excellence is who hears of
// what is at the platform.
type officeWorld struct{ *nightWorld }

func newOfficeWorld(ctx context.Context) officeWorld {
	GinkgoHelper()
	o := officeWorld{&nightWorld{zone: time.UTC}}
	var err error
	o.mail, err = smtp.Start(smtp.Options{Clear: true})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(o.mail.Stop()).To(Succeed()) })
	o.mastodonWorld = newMastodonWorldOn(ctx, func(w *world) { w.clock.advance(untilTen(w.clock.Now())) })
	o.reachable(ctx, "care")
	o.people(ctx, "care", "maria")
	o.newTeam(ctx, "excellence", "eva")
	return o
}

// untilTen is how long it is until ten in the morning of the first working day
// after today, so that hours are left whenever the suite runs.
func untilTen(now time.Time) time.Duration {
	day := now.UTC().AddDate(0, 0, 1)
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, 1)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 10, 0, 0, 0, time.UTC).Sub(now)
}

// daysLater is ten in the morning, more than so many days from now. Channels are looked at then.
func (o officeWorld) daysLater(ctx context.Context, days int, channels ...string) {
	GinkgoHelper()
	span := time.Duration(days) * 24 * time.Hour
	o.pass(ctx, span+untilTen(o.clock.Now().Add(span)), channels...)
}

// restarts stops the operator and starts another, with what the first one kept.
func (o officeWorld) restarts() {
	GinkgoHelper()
	o.quiet()
	o.stop()
	o.start()
}

// looks lets the operator look at what there is to tell the manager of a team,
// and waits until it has. It is made to twice, one after the other: the second
// of two looks began when this was called already.
func (o officeWorld) looks(ctx context.Context, team string) {
	GinkgoHelper()
	for range 2 {
		before := looked()
		o.editTeam(ctx, team, func(t *v1alpha1.Team) { t.Spec.DisplayName = fmt.Sprint("Looked at after ", before, " looks") })
		Eventually(looked).Should(BeNumerically(">", before))
	}
}

// looked counts how often any operator of this process looked at what there is
// to tell a manager.
func looked() float64 {
	GinkgoHelper()
	families, err := parts.machinery.Gather()
	Expect(err).NotTo(HaveOccurred())
	total := 0.0
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, counted := range family.GetMetric() {
			for _, label := range counted.GetLabel() {
				if label.GetName() == "controller" && label.GetValue() == "notices" {
					total += counted.GetCounter().GetValue()
				}
			}
		}
	}
	return total
}

// hears expects that somebody has got so many letters, gets no more, and gives
// the last one.
func (o officeWorld) hears(ctx context.Context, team, manager string, letters int) letter {
	GinkgoHelper()
	o.looks(ctx, team)
	Eventually(o.letters).WithArguments(manager).Should(HaveLen(letters))
	o.looks(ctx, team)
	Consistently(o.letters).WithArguments(manager).WithTimeout(nothing / 4).Should(HaveLen(letters))
	return o.letters(manager)[letters-1]
}

// joins makes an account that the server lists.
func (o officeWorld) joins(username string) mastodonfake.Account {
	account := o.fake.AddAccount(username)
	o.fake.SetDiscoverable(account, true)
	return account
}

// discovers has the server asked for its accounts, once an hour.
func (o officeWorld) discovers(ctx context.Context) {
	GinkgoHelper()
	social := o.social(ctx)
	before := social.DeepCopy()
	social.Spec.Discovery = &v1alpha1.AccountDiscovery{
		Interval: &metav1.Duration{Duration: time.Hour}, ContactTeamRef: &v1alpha1.ClusterReference{Name: o.in("excellence")},
	}
	Expect(parts.client.Patch(ctx, social, client.MergeFrom(before))).To(Succeed())
}

// listsAgain lets time go by until the server is asked for its accounts again.
// The operator sleeps by the machine's clock, so it is woken.
func (o officeWorld) listsAgain(ctx context.Context) {
	GinkgoHelper()
	asked := o.listings()
	o.pass(ctx, 70*time.Minute)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.in("social")}}
	Expect(parts.client.Get(ctx, client.ObjectKeyFromObject(namespace), namespace)).To(Succeed())
	before := namespace.DeepCopy()
	metav1.SetMetaDataLabel(&namespace.ObjectMeta, "woken", fmt.Sprint(o.clock.Now().UnixNano()))
	Expect(parts.client.Patch(ctx, namespace, client.MergeFrom(before))).To(Succeed())
	Eventually(o.listings).Should(BeNumerically(">", asked))
}

// listings is how often the server was asked for its accounts.
func (o officeWorld) listings() int { return o.fake.Requests()["/api/v1/directory"] }

func (o officeWorld) social(ctx context.Context) *v1alpha1.SocialPlatform {
	GinkgoHelper()
	social := &v1alpha1.SocialPlatform{}
	Expect(parts.client.Get(ctx, client.ObjectKey{Name: o.in("mastodon")}, social)).To(Succeed())
	return social
}

// unclaimed are the IDs of the accounts that no channel claims; nil where that
// is not known.
func (o officeWorld) unclaimed(ctx context.Context) []string {
	GinkgoHelper()
	shown := o.social(ctx).Status.Unclaimed
	if shown == nil {
		return nil
	}
	ids := []string{}
	for _, account := range shown.Accounts {
		ids = append(ids, account.ID)
	}
	return ids
}

// claims makes a channel for an account, which nobody has connected yet.
func (o officeWorld) claims(ctx context.Context, username string) *v1alpha1.SocialChannel {
	GinkgoHelper()
	channel := o.channel(username, "mastodon", "@"+username)
	o.create(ctx, channel)
	return channel
}

var _ = Describe("An account that nobody claims", Label("S16"), func() {
	It("is told to the platform's contact once, also after a restart, and again only when it is lost again", func(ctx SpecContext) {
		o := newOfficeWorld(ctx)
		o.fake.SetDiscoverable(o.account, true)
		o.subscribed(ctx)
		campaign := o.joins("campaign")
		o.discovers(ctx)
		Eventually(o.unclaimed).WithArguments(ctx).Should(ConsistOf(campaign.ID))
		Eventually(o.letters).WithArguments("eva").Should(HaveLen(1), "nobody made the operator look")
		told := o.hears(ctx, "excellence", "eva", 1)
		Expect(told.Subject).To(And(HavePrefix("1 account"), ContainSubstring(" on "+o.in("mastodon")+" ")))
		Expect(told.Body).To(ContainSubstring("rostra adopt " + o.in("mastodon")))

		By("finding it again")
		o.listsAgain(ctx)
		o.hears(ctx, "excellence", "eva", 1)
		asked := o.listings()
		o.restarts()
		Eventually(o.listings).Should(BeNumerically(">", asked), "what was listed was in its memory")
		o.hears(ctx, "excellence", "eva", 1)

		By("claiming it")
		channel := o.claims(ctx, "campaign")
		Eventually(o.unclaimed).WithArguments(ctx).Should(And(BeEmpty(), Not(BeNil())))
		o.hears(ctx, "excellence", "eva", 1)

		By("finding another")
		popUp := o.joins("pop-up")
		o.listsAgain(ctx)
		Eventually(o.unclaimed).WithArguments(ctx).Should(ConsistOf(popUp.ID))
		Expect(o.hears(ctx, "excellence", "eva", 2).Subject).To(HavePrefix("1 account"))
		o.restarts()
		o.hears(ctx, "excellence", "eva", 2)

		By("taking the manifest of the first away")
		Expect(parts.client.Delete(ctx, channel)).To(Succeed())
		Eventually(o.unclaimed).WithArguments(ctx).Should(ConsistOf(campaign.ID, popUp.ID))
		Expect(o.hears(ctx, "excellence", "eva", 3).Subject).To(HavePrefix("2 accounts"))
		o.restarts()
		o.hears(ctx, "excellence", "eva", 3)
		Expect(o.letters("maria")).To(BeEmpty(), "who owns the channels is not the platform's contact")
	})

	It("is told of once more when its manifest is taken away", func(ctx SpecContext) {
		o := newOfficeWorld(ctx)
		campaign := o.joins("campaign")
		o.discovers(ctx)
		Eventually(o.unclaimed).WithArguments(ctx).Should(ConsistOf(campaign.ID))
		o.hears(ctx, "excellence", "eva", 1)
		channel := o.claims(ctx, "campaign")
		Eventually(o.unclaimed).WithArguments(ctx).Should(And(BeEmpty(), Not(BeNil())))
		o.hears(ctx, "excellence", "eva", 1)

		Expect(parts.client.Delete(ctx, channel)).To(Succeed())
		Eventually(o.unclaimed).WithArguments(ctx).Should(ConsistOf(campaign.ID))
		o.hears(ctx, "excellence", "eva", 2)
		o.restarts()
		o.hears(ctx, "excellence", "eva", 2)
	})
})

var _ = Describe("A credential that nobody renews", Label("S11", "S12"), func() {
	It("is told to the owner's manager once when it is due, once when it is dead, and so is the next", func(ctx SpecContext) {
		o := newOfficeWorld(ctx)
		o.subscribed(ctx, func(c *v1alpha1.SocialChannel) {
			c.Spec.Credentials.Rotation = &v1alpha1.CredentialRotation{Interval: &metav1.Duration{Duration: 30 * 24 * time.Hour}}
		})
		o.daysLater(ctx, 30, "help")
		o.reports(ctx, "help", v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonDueForRenewal)
		Eventually(o.letters).WithArguments("maria").Should(HaveLen(1), "nobody made the operator look")
		told := o.hears(ctx, "care", "maria", 1)
		Expect(told.Subject).To(Equal("The credential of @help is due for renewal"))
		Expect(told.Body).To(And(ContainSubstring(o.fullName("help")), ContainSubstring("put a new one into the source Secret")))
		o.daysLater(ctx, 1, "help")
		o.restarts()
		o.hears(ctx, "care", "maria", 1)

		By("revoking it at the platform")
		o.revoked(ctx)
		Expect(o.hears(ctx, "care", "maria", 2).Subject).To(Equal("The credential of @help works no more, or must not"))
		o.daysLater(ctx, 1, "help")
		o.restarts()
		o.hears(ctx, "care", "maria", 2)

		By("giving a new one")
		o.renews(ctx)
		o.hears(ctx, "care", "maria", 2)
		o.revoked(ctx)
		o.hears(ctx, "care", "maria", 3)
		o.restarts()
		o.hears(ctx, "care", "maria", 3)
		Expect(o.letters("eva")).To(BeEmpty())
	})
})

// revoked has the account's owner revoke the token at the platform, and waits
// until that is noticed.
func (o officeWorld) revoked(ctx context.Context) {
	GinkgoHelper()
	o.fake.RevokeToken(o.token)
	o.pass(ctx, 70*time.Minute, "help")
	o.reports(ctx, "help", v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonRevoked)
}

// renews puts a new token into the source Secret, and waits until all is in
// order.
func (o officeWorld) renews(ctx context.Context) {
	GinkgoHelper()
	o.token = o.fake.IssueTokenOf(o.fake.AppOf(o.token), o.account, "read", "write", "push")
	o.secrets = append(o.secrets, o.token)
	source := &corev1.Secret{}
	Expect(parts.client.Get(ctx, client.ObjectKey{Namespace: o.in("social"), Name: "help-source"}, source)).To(Succeed())
	before := source.DeepCopy()
	source.Data["access-token"] = []byte(o.token)
	Expect(parts.client.Patch(ctx, source, client.MergeFrom(before))).To(Succeed())
	o.ready(ctx, "help")
}
