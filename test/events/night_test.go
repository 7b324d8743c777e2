// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/event"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

// nothing is how long it is watched that nothing happens.
const nothing = time.Second

var _ = Describe("The overnight troll", Label("S1", "S2"), func() {
	It("is told to who is on duty, then to the manager, until somebody answers", func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.rota(ctx, n.byDay())
		n.route(ctx, 15*time.Minute)
		app := n.fake.AddApp("rostra", "read", "write", "push")
		n.token = n.fake.IssueTokenOf(app, n.account, "read", "write", "push")
		n.secret(ctx, n.in("social"), "help-source", map[string]string{
			"access-token": n.token, "client-id": app.ClientID, "client-secret": app.ClientSecret,
		})
		channel := n.channel("help", "mastodon", "@help")
		n.answered(channel)
		channel.Spec.Coverage = &v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageAlways}
		n.create(ctx, channel)

		By("promising what a rota from nine to five does not keep")
		n.reports(ctx, "help", v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonCoverageGap)
		Expect(n.get(ctx, "help").Status.OnCall).To(BeNil())
		edited := n.get(ctx, "help").Generation

		By("taking in the night care team")
		n.rota(ctx, n.byDay(), n.always("night", "care", "nia"))
		n.pass(ctx, 10*time.Minute, "help")
		n.reports(ctx, "help", v1alpha1.ConditionCovered, metav1.ConditionTrue, v1alpha1.ReasonCovered)
		channel = n.ready(ctx, "help")
		Expect(channel.Status.OnCall).NotTo(BeNil())
		Expect(channel.Status.OnCall).To(And(HaveField("Member", "nia"), HaveField("Team", n.in("care")), HaveField("Layer", "night")))
		Expect(channel.Generation).To(Equal(edited), "nobody edited the channel")

		By("insulting the account at half past midnight")
		mention := n.fake.Mention(ctx, n.account, mastodonfake.Post{Text: "You are all thieves!"})
		Eventually(n.paged).WithArguments(ctx).WithTimeout(10 * time.Second).Should(Equal([]string{"nia"}))
		alerts, err := n.alerts.Alerts(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(alerts[0].Labels).To(And(
			HaveKeyWithValue("namespace", n.in("social")), HaveKeyWithValue("channel", "help"), HaveKeyWithValue("owner", n.in("care")),
			HaveKeyWithValue("severity", "critical"), HaveKeyWithValue("alertname", "RostraUnanswered"),
		))
		Expect(alerts[0].Annotations["link"]).To(HaveSuffix("/" + mention.StatusID))
		Expect(acknowledgeIn(alerts[0].Annotations["acknowledge"])).NotTo(BeEmpty())

		By("waiting for a quarter of an hour")
		n.clock.advance(14 * time.Minute)
		Consistently(n.letters).WithArguments("maria").WithTimeout(nothing).Should(BeEmpty())
		n.clock.advance(time.Minute)
		Eventually(n.letters).WithArguments("maria").WithTimeout(10 * time.Second).Should(HaveLen(1))
		told := n.letters("maria")[0]
		Expect(told.Subject).To(Equal("A mention on @help (Mastodon) has waited for 15m"))
		Expect(told.Body).To(And(ContainSubstring("/"+mention.StatusID), ContainSubstring("You are all thieves!"), ContainSubstring("step 2 of 2")))
		Expect(acknowledgeIn(told.Body)).NotTo(BeEmpty())

		By("looking at what waits")
		Eventually(n.told).WithArguments(ctx).Should(Equal([]string{"nia by alertmanager", "maria by email"}))
		waiting, err := n.lists(ctx, "waiting")
		Expect(err).NotTo(HaveOccurred())
		Expect(waiting).To(ConsistOf(And(
			HaveField("State", conversation.Told), HaveField("Route", "answer"), HaveField("Owner", n.in("care")),
			HaveField("NextAt", BeTemporally("~", n.clock.Now().Add(30*time.Minute), time.Minute)),
		)))

		By("answering")
		n.fake.Publish(n.account, mastodonfake.Post{Text: "Good evening to you too.", InReplyTo: mention.StatusID})
		n.pass(ctx, 3*time.Minute, "help") // it is asked for own posts after a tenth of the silence
		Eventually(n.paged).WithArguments(ctx).Should(BeEmpty())
		Expect(n.lists(ctx, "waiting")).To(BeEmpty())
		Expect(n.lists(ctx, "all")).To(ConsistOf(HaveField("State", conversation.Answered)))

		n.later(ctx, time.Hour)
		Consistently(n.told).WithArguments(ctx).WithTimeout(nothing).Should(Equal([]string{"nia by alertmanager", "maria by email"}))
		Expect(n.paged(ctx)).To(BeEmpty())
		Expect(n.letters("maria")).To(HaveLen(1))
		Expect(n.letters("ceo")).To(BeEmpty())
		n.shows(ctx, func(g Gomega, shown *v1alpha1.ChannelInbox) {
			g.Expect(shown.Open).To(HaveValue(BeZero()))
			g.Expect(shown.OldestOpen).To(BeNil())
			g.Expect(shown.FirstResponseP50).To(HaveField("Duration", BeNumerically("~", 15*time.Minute, time.Minute)), "by when it was written, not by when it was noticed")
			g.Expect(shown.WithinTarget).To(BeNil(), "no policy promises a time")
		})
	})

	It("is somebody's who says so by the link", func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.route(ctx, 15*time.Minute)
		n.subscribed(ctx, n.answered)
		n.writes(ctx, "You are all thieves!")
		Eventually(n.paged).WithArguments(ctx).Should(Equal([]string{"nia"}))
		alerts, err := n.alerts.Alerts(ctx)
		Expect(err).NotTo(HaveOccurred())
		nias := alerts[0].Annotations["acknowledge"]
		n.clock.advance(15 * time.Minute)
		Eventually(n.letters).WithArguments("maria").Should(HaveLen(1))
		marias := acknowledgeIn(n.letters("maria")[0].Body)
		Expect(marias).NotTo(Equal(nias))

		By("looking, as mail scanners do")
		status, page := newPerson().opens(ctx, marias)
		Expect(status).To(Equal(http.StatusOK), page)
		Expect(page).To(And(ContainSubstring("I have it"), ContainSubstring("maria ("+n.in("care")+")")))
		Expect(n.lists(ctx, "waiting")).To(ConsistOf(HaveField("State", conversation.Told)))

		By("pressing the button")
		status, page = n.presses(ctx, marias)
		Expect(status).To(Equal(http.StatusOK), page)
		Expect(page).To(ContainSubstring("You have it"))
		Expect(n.lists(ctx, "all")).To(ConsistOf(And(
			HaveField("State", conversation.Acknowledged), HaveField("Response.By", n.in("care")+"/maria"),
		)))
		Eventually(n.paged).WithArguments(ctx).Should(BeEmpty(), "who has it is told no more")

		By("pressing it again, and that of another")
		status, page = n.presses(ctx, marias)
		Expect(status).To(Equal(http.StatusOK), page)
		Expect(page).To(ContainSubstring("You have it since"))
		status, page = n.presses(ctx, nias)
		Expect(status).To(Equal(http.StatusConflict), page)
		Expect(page).To(ContainSubstring("maria (" + n.in("care") + ") has it"))
		status, _ = n.presses(ctx, marias[:len(marias)-2]+"xx")
		Expect(status).To(Equal(http.StatusNotFound), "it is forged")
		Expect(n.lists(ctx, "all")).To(ConsistOf(HaveField("Response.By", n.in("care")+"/maria")))

		n.later(ctx, 2*time.Hour)
		Consistently(n.told).WithArguments(ctx).WithTimeout(nothing).Should(Equal([]string{"nia by alertmanager", "maria by email"}))
		Expect(n.letters("ceo")).To(BeEmpty())
	})
})

var _ = Describe("A mention of which the server does not tell the post", func() {
	It("is answered by what is written in its thread", func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.route(ctx, 15*time.Minute)
		n.subscribed(ctx, n.answered)
		// A push names its notification, and the server is asked for the rest.
		n.put(ctx, event.Event{ID: "404", Kind: event.Mention, Type: "mention", Text: "Hello?", ThreadID: "404"})
		Eventually(n.paged).WithArguments(ctx).Should(Equal([]string{"nia"}))
		Expect(n.fake.Requests()).To(HaveKey("/api/v1/notifications/404"))
		n.put(ctx, event.Event{ID: "own", Kind: event.OwnPost, PostID: "own", InReplyTo: "unheard-of", ThreadID: "404"})
		Eventually(n.paged).WithArguments(ctx).Should(BeEmpty())
		Expect(n.lists(ctx, "all")).To(ConsistOf(HaveField("State", conversation.Answered)))
	})
})

var _ = Describe("A route whose rota", Label("S3"), func() {
	It("has nobody goes on at once", func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.rota(ctx, n.byDay())
		n.route(ctx, 15*time.Minute)
		n.subscribed(ctx, n.answered)
		before := n.clock.Now()
		n.writes(ctx, "Where is my order?")
		Eventually(n.letters).WithArguments("maria").WithTimeout(10 * time.Second).Should(HaveLen(1))
		Expect(n.clock.Now()).To(BeTemporally("<", before.Add(time.Minute)), "nobody put the clock forward")
		Eventually(n.told).WithArguments(ctx).Should(Equal([]string{"maria by email"}))
		n.clock.advance(30 * time.Minute)
		Eventually(n.told).WithArguments(ctx).Should(Equal([]string{"maria by email", "ceo by email"}))
		Expect(n.paged(ctx)).To(BeEmpty())
	})

	It("is deleted midway goes on as if it had nobody", func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.route(ctx, 15*time.Minute)
		n.subscribed(ctx, n.answered)
		n.writes(ctx, "Where is my order?")
		Eventually(n.told).WithArguments(ctx).Should(Equal([]string{"nia by alertmanager"}))
		n.deleteRota(ctx)
		n.clock.advance(15 * time.Minute)
		Eventually(n.told).WithArguments(ctx).Should(Equal([]string{"nia by alertmanager", "maria by email"}))
		n.clock.advance(30 * time.Minute)
		Eventually(n.told).WithArguments(ctx).Should(Equal([]string{"nia by alertmanager", "maria by email", "ceo by email"}))

		By("writing again, when there is no rota")
		n.writes(ctx, "Hello?")
		Eventually(n.letters).WithArguments("maria").Should(HaveLen(2))
		Expect(n.paged(ctx)).To(Equal([]string{"nia"}), "of the first alone")
	})
})

var _ = Describe("A refund", Label("S21"), func() {
	It("is told to billing first, and then to the colleagues", func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.newTeam(ctx, "billing", "bea")
		n.route(ctx, 15*time.Minute, v1alpha1.EscalationRule{
			Name: "refunds-to-billing", When: "event.text.matches('(?i)refund|chargeback')",
			Steps: []v1alpha1.EscalationStep{{
				Targets: []v1alpha1.EscalationTarget{n.managerOf("billing")}, Wait: &metav1.Duration{Duration: 10 * time.Minute},
			}},
		})
		n.subscribed(ctx, n.answered)
		refund := n.writes(ctx, "I want a REFUND")
		Eventually(n.letters).WithArguments("bea").Should(HaveLen(1))
		Expect(n.letters("bea")[0].Body).To(ContainSubstring("by rule refunds-to-billing"))
		Consistently(n.paged).WithArguments(ctx).WithTimeout(nothing).Should(BeEmpty(), "nobody else is woken")
		n.clock.advance(10 * time.Minute)
		Eventually(n.paged).WithArguments(ctx).Should(Equal([]string{"nia"}))
		n.replies(ctx, refund)
		Eventually(n.paged).WithArguments(ctx).Should(BeEmpty())

		By("writing of something else")
		n.writes(ctx, "I want a beer")
		Eventually(n.paged).WithArguments(ctx).Should(Equal([]string{"nia"}))
		Expect(n.letters("bea")).To(HaveLen(1))
	})
})

var _ = Describe("The promise of a first response", Label("S15"), func() {
	It("that is broken is told to the owner's manager, once", func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.promises(ctx, time.Hour)
		n.route(ctx, 2*time.Hour)
		n.subscribed(ctx, n.answered)
		n.writes(ctx, "Where is my order?")
		Eventually(n.paged).WithArguments(ctx).Should(Equal([]string{"nia"}))
		n.later(ctx, 59*time.Minute)
		Consistently(n.letters).WithArguments("maria").WithTimeout(nothing).Should(BeEmpty())
		n.later(ctx, time.Minute)
		Eventually(n.letters).WithArguments("maria").Should(HaveLen(1))
		told := n.letters("maria")[0]
		Expect(told.Subject).To(Equal("The promise of 1h was not kept: a mention on @help (Mastodon) is not answered"))
		Expect(told.Body).To(And(ContainSubstring("broken promise"), ContainSubstring("https://pub.example/post-1")))
		n.shows(ctx, func(g Gomega, shown *v1alpha1.ChannelInbox) {
			g.Expect(shown.Open).To(HaveValue(BeEquivalentTo(1)))
			g.Expect(shown.OldestOpen).NotTo(BeNil())
			g.Expect(shown.WithinTarget).To(HaveValue(BeZero()))
		})
		n.later(ctx, 50*time.Minute)
		Consistently(n.letters).WithArguments("maria").WithTimeout(nothing).Should(HaveLen(1), "once")

		By("coming to her as the second step")
		n.later(ctx, 15*time.Minute)
		Eventually(n.letters).WithArguments("maria").Should(HaveLen(2))
		n.replies(ctx, "post-1")
		Eventually(n.paged).WithArguments(ctx).Should(BeEmpty())
		n.shows(ctx, func(g Gomega, shown *v1alpha1.ChannelInbox) {
			g.Expect(shown.Open).To(HaveValue(BeZero()))
			g.Expect(shown.WithinTarget).To(HaveValue(BeZero()), "it was answered too late")
		})
	})
})

var _ = Describe("A hand-over in the night", func() {
	It("takes the events and the escalation to the new owner", Label("S6"), func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.newTeam(ctx, "press", "paul")
		care := n.sinkOf(ctx, "care", "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk")
		press := n.sinkOf(ctx, "press", "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3")
		n.promises(ctx, time.Hour)
		n.route(ctx, 2*time.Hour)
		n.subscribed(ctx, n.answered)
		n.writes(ctx, "before")
		Eventually(care.took).Should(Equal([]string{"before"}))
		Eventually(n.told).WithArguments(ctx).Should(HaveLen(1))

		n.edit(ctx, "help", func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = n.in("press") })
		Eventually(func() string { return n.get(ctx, "help").Status.Owner }).Should(Equal(n.in("press")))
		n.reports(ctx, "help", v1alpha1.ConditionOwnerResolved, metav1.ConditionTrue, v1alpha1.ReasonOwnerAccepted)
		n.writes(ctx, "after")
		Eventually(press.took).Should(Equal([]string{"after"}))
		n.later(ctx, time.Hour)
		Eventually(n.letters).WithArguments("paul").Should(HaveLen(2), "both wait, and both are theirs now")
		Expect(n.letters("paul")[0].Body).To(ContainSubstring("team " + n.in("press")))
		Consistently(n.letters).WithArguments("maria").WithTimeout(nothing).Should(BeEmpty())

		By("counting")
		Expect(care.took()).To(Equal([]string{"before"}))
		Expect(press.took()).To(Equal([]string{"after"}))
		Expect(append(care.wrong(), press.wrong()...)).To(BeEmpty())
	})
})

var _ = Describe("What a manager should know of an account", Label("S8"), func() {
	It("is mailed in working hours, once, also after a restart", func(ctx SpecContext) {
		n := newNightWorld(ctx)
		n.route(ctx, 15*time.Minute)
		n.subscribed(ctx, n.answered)
		n.fake.Rename(n.account, "helpdesk")
		n.pass(ctx, 70*time.Minute, "help")
		n.reports(ctx, "help", v1alpha1.ConditionIdentityVerified, metav1.ConditionFalse, v1alpha1.ReasonHandleDrift)
		n.asks(ctx)
		Consistently(n.letters).WithArguments("maria").WithTimeout(2*nothing).Should(BeEmpty(), "nobody is woken for that")

		By("coming to work")
		n.quiet()
		morning := n.lastNight().Add(8*time.Hour + 45*time.Minute)
		n.clock.advance(morning.Sub(n.clock.Now()))
		n.asks(ctx)
		Eventually(n.letters).WithArguments("maria").Should(HaveLen(1))
		Expect(n.letters("maria")[0].Subject).To(Equal("@help is called otherwise at the platform now"))
		Expect(n.letters("maria")[0].Body).To(ContainSubstring("correct spec.handle"))

		By("restarting")
		n.asks(ctx)
		n.stop()
		n.start()
		n.asks(ctx)
		n.quiet()
		n.asks(ctx)
		Consistently(n.letters).WithArguments("maria").WithTimeout(2 * nothing).Should(HaveLen(1))
		Expect(n.letters("ceo")).To(BeEmpty())
		Expect(n.paged(ctx)).To(BeEmpty())
	})
})

// asks lets the operator look at what there is to tell the manager of care: it
// sleeps by the machine's clock.
func (n *nightWorld) asks(ctx context.Context) {
	GinkgoHelper()
	n.editTeam(ctx, "care", func(t *v1alpha1.Team) {
		t.Spec.Members[1].Email = n.clock.Now().Format("nia-20060102150405.000000@acme.example")
	})
}
