// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

var _ = Describe("An answer given at the platform", func() {
	It("is noticed beside what is pushed, once, and known by what it answers", func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		before := *m.subscribed(ctx).Status.Subscription
		m.fake.Publish(m.account, mastodonfake.Post{Text: "From before anybody cared."})
		m.edit(ctx, "help", func(c *v1alpha1.SocialChannel) {
			c.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "answer"}
		})
		Eventually(func() *v1alpha1.ChannelOwnPosts { return m.subscription(ctx).OwnPosts }).ShouldNot(BeNil())
		m.reports(ctx, "help", v1alpha1.ConditionSubscriptionReady, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)

		By("asking, and answering a minute later")
		desk := newReader()
		m.reads("answers", desk)
		mention := m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "Where is my order?"})
		Eventually(desk.texts).Should(HaveExactElements("Where is my order?"))
		answer := m.fake.Publish(m.account, mastodonfake.Post{Text: "On its way!", InReplyTo: mention.StatusID})
		m.pass(ctx, 2*time.Minute, "help")
		Eventually(desk.all).Should(HaveExactElements(
			And(HaveField("ID", mention.ID), HaveField("Kind", event.Mention), HaveField("ThreadID", mention.ID)),
			And(HaveField("Kind", event.OwnPost), HaveField("PostID", answer), HaveField("InReplyTo", mention.StatusID),
				HaveField("ThreadID", mention.ID), HaveField("Channel", m.in("social")+"/help")),
		))

		By("restarting, and asking again")
		m.stop()
		m.start()
		m.reads("answers", desk)
		m.pass(ctx, 20*time.Minute, "help")
		m.fake.Publish(m.account, mastodonfake.Post{Text: "It is there."})
		m.pass(ctx, 20*time.Minute, "help")
		Eventually(desk.texts).Should(HaveExactElements("Where is my order?", "On its way!", "It is there."))
		Expect(desk.twice()).To(BeEmpty())
		after := m.subscription(ctx)
		Expect(after.ID).To(Equal(before.ID))
		Expect(after.Registration).To(Equal(before.Registration), "the subscription is the same")
		Expect(after.DriftCount).To(BeZero())
	})
})
