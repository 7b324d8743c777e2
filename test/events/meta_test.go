// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/hook"
	metafake "github.com/rostra-dev/rostra/test/fakes/meta"
)

// metaWorld is a company with an app and two Pages, of which one has a channel.
type metaWorld struct {
	*world

	fake       *metafake.Server
	app        metafake.App
	maria, pia metafake.User
	help, news metafake.Page
}

func newMetaWorld(ctx context.Context) *metaWorld {
	GinkgoHelper()
	m := &metaWorld{world: newWorld(ctx)}
	m.fake = metafake.New(metafake.WithClock(m.clock))
	DeferCleanup(m.fake.Close)
	m.app = m.fake.AddApp("rostra", m.base+"/connect/callback/"+m.in("meta"))
	m.maria, m.pia = m.fake.AddUser("Maria"), m.fake.AddUser("Pia")
	m.help, m.news = m.fake.AddPage("acmehelp", "Acme Help", m.maria), m.fake.AddPage("acmenews", "Acme News", m.maria)
	m.secret(ctx, systemNamespace, m.in("meta-app"), map[string]string{
		"client-id": m.app.ID, "client-secret": m.app.Secret, "access-token": m.fake.IssueLongLivedToken(m.app, m.maria),
	})
	m.platform(ctx, "meta", v1alpha1.SocialPlatformSpec{
		Type: v1alpha1.PlatformMeta, Meta: &v1alpha1.MetaPlatform{
			Graph: m.fake.URL(), ApplicationSecretRef: v1alpha1.ApplicationSecretReference{Name: m.in("meta-app")},
		},
		Discovery: &v1alpha1.AccountDiscovery{Interval: &metav1.Duration{Duration: time.Hour}},
	})
	m.start()
	return m
}

// subscribed makes the channel, and waits until it is subscribed.
func (m *metaWorld) subscribed(ctx context.Context) *v1alpha1.SocialChannel {
	GinkgoHelper()
	return m.subscribes(ctx, "help", "meta", "acmehelp")
}

// subscribes makes a channel, and waits until it is subscribed.
func (m *metaWorld) subscribes(ctx context.Context, name, platformName, handle string) *v1alpha1.SocialChannel {
	GinkgoHelper()
	m.secret(ctx, m.in("social"), name+"-source", map[string]string{"access-token": m.fake.IssueUserToken(m.app, m.maria)})
	channel := m.channel(name, platformName, handle)
	channel.Spec.Subscription.Events = []v1alpha1.SubscribedEvent{v1alpha1.SubscribedMention, v1alpha1.SubscribedReply}
	m.create(ctx, channel)
	return m.ready(ctx, name)
}

func (m *metaWorld) unclaimed(ctx context.Context) []string {
	GinkgoHelper()
	social := &v1alpha1.SocialPlatform{}
	Expect(parts.client.Get(ctx, client.ObjectKey{Name: m.in("meta")}, social)).To(Succeed())
	if social.Status.Unclaimed == nil {
		return nil
	}
	handles := []string{}
	for _, account := range social.Status.Unclaimed.Accounts {
		handles = append(handles, account.Handle)
	}
	return handles
}

var _ = Describe("A Facebook Page", func() {
	It("is subscribed after Meta's handshake, and what people write there arrives", func(ctx SpecContext) {
		m := newMetaWorld(ctx)
		channel := m.subscribed(ctx)
		registered, fields := m.fake.Hook(m.app)
		Expect(registered).To(Equal(m.callback(ctx, v1alpha1.PlatformMeta, hook.ApplicationID(string(v1alpha1.PlatformMeta), m.fake.URL(), m.in("meta-app")))))
		Expect(fields).To(ContainElements("feed", "mention"))
		Expect(m.fake.PageFields(m.app, m.help)).To(ConsistOf("feed", "mention"))
		Expect(m.fake.PageFields(m.app, m.news)).To(BeEmpty())
		Expect(m.fake.Works(m.delivered(ctx, "help", "FACEBOOK_PAGE_ACCESS_TOKEN"))).To(BeTrue())
		m.secrets = append(m.secrets, m.delivered(ctx, "help", "FACEBOOK_PAGE_ACCESS_TOKEN"))

		customer := newReader()
		m.reads("answers", customer)
		tagged, err := m.fake.Tag(ctx, m.help, m.pia, "Has anybody seen my parcel, Acme Help?")
		Expect(err).NotTo(HaveOccurred())
		post, err := m.fake.Publish(ctx, m.help, "We are open.")
		Expect(err).NotTo(HaveOccurred())
		comment, err := m.fake.Comment(ctx, m.help, post, m.pia, "Are you?")
		Expect(err).NotTo(HaveOccurred())
		Expect(m.fake.Redeliver(ctx)).To(Succeed())
		_, err = m.fake.Tag(ctx, m.help, m.pia, "Found.")
		Expect(err).NotTo(HaveOccurred())
		Eventually(customer.texts).Should(ContainElement("Found."))
		var wanted []event.Event
		for _, e := range customer.all() {
			Expect(e.ChannelUID).To(Equal(string(channel.UID)))
			Expect(e.AccountID).To(Equal(m.help.ID))
			if e.Kind == event.Mention || e.Kind == event.Reply {
				wanted = append(wanted, e)
			}
		}
		Expect(wanted).To(HaveExactElements(
			And(HaveField("Kind", event.Mention), HaveField("PostID", tagged.ID), HaveField("Actor.ID", m.pia.ID)),
			And(HaveField("Kind", event.Reply), HaveField("PostID", comment.ID), HaveField("Text", "Are you?"), HaveField("InReplyTo", post.ID)),
			HaveField("Text", "Found."),
		), "each once, although it was sent twice")
		Expect(customer.twice()).To(BeEmpty())
	})

	It("shares the app's one callback with those that another SocialPlatform names", func(ctx SpecContext) {
		m := newMetaWorld(ctx)
		m.subscribed(ctx)
		m.platform(ctx, "meta-too", v1alpha1.SocialPlatformSpec{Type: v1alpha1.PlatformMeta, Meta: &v1alpha1.MetaPlatform{
			Graph: m.fake.URL() + "/", ApplicationSecretRef: v1alpha1.ApplicationSecretReference{Name: m.in("meta-app")},
		}})
		before, _ := m.fake.Hook(m.app)
		m.subscribes(ctx, "news", "meta-too", "acmenews")
		after, _ := m.fake.Hook(m.app)
		Expect(after).To(Equal(before))

		customer := newReader()
		m.reads("answers", customer)
		for _, page := range []metafake.Page{m.help, m.news} {
			_, err := m.fake.Tag(ctx, page, m.pia, "Hello, "+page.ID)
			Expect(err).NotTo(HaveOccurred())
			Eventually(customer.texts).Should(ContainElement("Hello, " + page.ID))
		}
		m.pass(ctx, 70*time.Minute, "help", "news")
		for _, name := range []string{"help", "news"} {
			m.ready(ctx, name)
			Expect(m.get(ctx, name).Status.Subscription.DriftCount).To(BeZero())
		}
	})

	It("is reported where no channel claims it", Label("S16"), func(ctx SpecContext) {
		m := newMetaWorld(ctx)
		Eventually(m.unclaimed).WithArguments(ctx).Should(ConsistOf("acmehelp", "acmenews"))
		m.subscribed(ctx)
		Eventually(m.unclaimed).WithArguments(ctx).Should(ConsistOf("acmenews"))
	})

	It("that is renamed is told of, and goes on", Label("S8"), func(ctx SpecContext) {
		m := newMetaWorld(ctx)
		m.subscribed(ctx)
		m.fake.Rename(m.help, "acmecare")
		m.pass(ctx, 70*time.Minute, "help")
		message := m.reports(ctx, "help", v1alpha1.ConditionIdentityVerified, metav1.ConditionFalse, v1alpha1.ReasonHandleDrift)
		Expect(message).To(And(ContainSubstring("acmecare"), ContainSubstring("acmehelp")))
		m.reports(ctx, "help", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonHandleDrift)
		m.reports(ctx, "help", v1alpha1.ConditionClaimed, metav1.ConditionTrue, v1alpha1.ReasonClaimHeld)
		m.reports(ctx, "help", v1alpha1.ConditionSubscriptionReady, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		customer := newReader()
		m.reads("answers", customer)
		_, err := m.fake.Tag(ctx, m.help, m.pia, "What is your name?")
		Expect(err).NotTo(HaveOccurred())
		Eventually(customer.texts).Should(HaveExactElements("What is your name?"))

		By("putting the manifest right")
		m.edit(ctx, "help", func(c *v1alpha1.SocialChannel) { c.Spec.Handle = "acmecare" })
		m.ready(ctx, "help")
	})

	It("has its webhook set right where Meta has switched it off", Label("S14"), func(ctx SpecContext) {
		m := newMetaWorld(ctx)
		m.subscribed(ctx)
		m.fake.UnhookApp(m.app)
		m.pass(ctx, 70*time.Minute, "help")
		Eventually(func() string { registered, _ := m.fake.Hook(m.app); return registered }).ShouldNot(BeEmpty())
		Expect(m.ready(ctx, "help").Status.Subscription.DriftCount).To(BeEquivalentTo(1))
	})
})
