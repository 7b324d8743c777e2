// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// utc reads a time.
func utc(text string) time.Time {
	GinkgoHelper()
	at, err := time.Parse(time.RFC3339, text)
	Expect(err).NotTo(HaveOccurred())
	return at
}

// layer is one of a rota whose turns last a day.
func (w *world) layer(name, team, start string, windows ...v1alpha1.WeeklyWindow) v1alpha1.RotaLayer {
	return v1alpha1.RotaLayer{
		Name: name, TeamRef: v1alpha1.ClusterReference{Name: w.in(team)},
		Handoff: &v1alpha1.Handoff{Start: start, Every: 1, Unit: v1alpha1.HandoffDay}, Windows: windows,
	}
}

// rota makes the rota that the channel is on.
func (w *world) rota(zone string, layers ...v1alpha1.RotaLayer) {
	GinkgoHelper()
	w.create(&v1alpha1.ResponderRota{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "watch"},
		Spec:       v1alpha1.ResponderRotaSpec{TimeZone: zone, Layers: layers},
	})
}

func (w *world) rotaKey() client.ObjectKey {
	return client.ObjectKey{Namespace: w.in("social"), Name: "watch"}
}

func (w *world) editRota(change func(*v1alpha1.ResponderRota)) {
	GinkgoHelper()
	edit(w, w.rotaKey(), &v1alpha1.ResponderRota{}, change)
}

// lookAtRota reconciles the rota and gives it as stored, and when it is looked
// at again.
func (w *world) lookAtRota() (*v1alpha1.ResponderRota, time.Duration) {
	GinkgoHelper()
	result, err := w.rotas.Reconcile(w.ctx, reconcile.Request{NamespacedName: w.rotaKey()})
	Expect(err).NotTo(HaveOccurred())
	rota := &v1alpha1.ResponderRota{}
	Expect(shared.cached.GetAPIReader().Get(w.ctx, w.rotaKey(), rota)).To(Succeed())
	return rota, result.RequeueAfter
}

// override puts somebody on duty for a time.
func (w *world) override(name, team, member string, from, until time.Time) {
	GinkgoHelper()
	w.create(&v1alpha1.RotaOverride{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: name},
		Spec: v1alpha1.RotaOverrideSpec{
			ResponderRotaRef: v1alpha1.LocalReference{Name: "watch"}, TeamRef: v1alpha1.ClusterReference{Name: w.in(team)},
			Member: member, From: metav1.NewTime(from), Until: metav1.NewTime(until),
		},
	})
}

// verdict reconciles an override and gives its Ready condition.
func (w *world) verdict(name string) metav1.Condition {
	GinkgoHelper()
	key := client.ObjectKey{Namespace: w.in("social"), Name: name}
	_, err := w.overrides.Reconcile(w.ctx, reconcile.Request{NamespacedName: key})
	Expect(err).NotTo(HaveOccurred())
	override := &v1alpha1.RotaOverride{}
	Expect(shared.cached.GetAPIReader().Get(w.ctx, key, override)).To(Succeed())
	condition := meta.FindStatusCondition(override.Status.Conditions, v1alpha1.ConditionReady)
	Expect(condition).NotTo(BeNil())
	return *condition
}

// watched makes the channel, on the rota, with a promise.
func (w *world) watched(coverage *v1alpha1.ChannelCoverage) {
	GinkgoHelper()
	channel := w.channel()
	channel.Spec.ResponderRotaRef = &v1alpha1.LocalReference{Name: "watch"}
	channel.Spec.Coverage = coverage
	w.create(channel)
	w.settle()
}

var always = &v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageAlways}

var workdays = []v1alpha1.Weekday{v1alpha1.Monday, v1alpha1.Tuesday, v1alpha1.Wednesday, v1alpha1.Thursday, v1alpha1.Friday}

var _ = Describe("Duty", func() {
	var w *world
	BeforeEach(func() { w = newWorld(true) })

	Context("with a promise to watch an airline's page always, and a rota from nine to five in Sydney", func() {
		BeforeEach(func() {
			w.rota("Australia/Sydney", w.layer("day", "marketing", "2026-11-02T09:00:00", v1alpha1.WeeklyWindow{From: "09:00", To: "17:00"}))
			w.watched(always)
		})

		It("names the night that nobody watches", Label("S1"), func() {
			w.expect(v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonCoverageGap)
			w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCoverageGap)
			status := w.get().Status
			Expect(status.OnCall).To(BeNil(), "it is eight in the evening in Sydney")
			Expect(*status.Coverage.Percent).To(BeEquivalentTo(33))
			Expect(status.Coverage.UncoveredPerWeek.Duration).To(Equal(112 * time.Hour))
			Expect(status.Coverage.NextGap.Start.UTC()).To(Equal(utc("2026-11-21T06:00:00Z")))
			Expect(status.Coverage.NextGap.End.UTC()).To(Equal(utc("2026-11-21T22:00:00Z")))
			Expect(status.Coverage.Gaps).To(HaveLen(14), "the one at hand, and one for each evening of the next 13 days")
			Expect(w.condition(v1alpha1.ConditionReady).Message).To(And(
				ContainSubstring("112h a week"), ContainSubstring("now: Sat 21 Nov 17:00 – Sun 22 Nov 09:00 Australia/Sydney")))
		})

		It("is content when a care layer covers the nights, with no edit to the channel", Label("S2"), func() {
			generation := w.get().Generation
			w.editRota(func(r *v1alpha1.ResponderRota) {
				r.Spec.Layers = append(r.Spec.Layers, w.layer("nights", "care", "2026-11-02T17:00:00"))
			})
			w.clock.SetTime(utc("2026-11-21T13:30:00Z")) // 00:30 in Sydney
			w.settle()
			channel := w.get()
			Expect(channel.Generation).To(Equal(generation))
			Expect(channel.Status.OnCall).To(HaveField("Member", "dana"))
			Expect(channel.Status.OnCall.Team).To(Equal(w.in("care")))
			Expect(channel.Status.OnCall.Layer).To(Equal("nights"))
			Expect(channel.Status.OnCall.Until.UTC()).To(Equal(utc("2026-11-21T22:00:00Z")))
			w.expect(v1alpha1.ConditionCovered, metav1.ConditionTrue, v1alpha1.ReasonCovered)
			Expect(*channel.Status.Coverage.Percent).To(BeEquivalentTo(100))
			w.expectReady()
		})

		It("comes back at the hand-off, and not before", func() {
			w.live(12*time.Hour + 59*time.Minute + 30*time.Second)
			Expect(w.get().Status.OnCall).To(BeNil())
			w.live(30 * time.Second)
			Expect(w.get().Status.OnCall).To(HaveField("Layer", "day"))
			Expect(w.get().Status.OnCall.Since.UTC()).To(Equal(utc("2026-11-21T22:00:00Z")))
			Expect(w.get().Status.Coverage.NextGap.Start.UTC()).To(Equal(utc("2026-11-22T06:00:00Z")))
		})
	})

	It("names the promise that forty hours a week cannot keep", Label("S15"), func() {
		w.rota("Europe/London", w.layer("office", "marketing", "2026-11-02T09:00:00", v1alpha1.WeeklyWindow{Days: workdays, From: "09:00", To: "17:00"}))
		w.watched(always)
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCoverageGap)
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(And(
			ContainSubstring("128h a week"), ContainSubstring("now: Fri 20 Nov 17:00 – Mon 23 Nov 09:00 Europe/London")))
		Expect(w.get().Status.Coverage.UncoveredPerWeek.Duration).To(Equal(128 * time.Hour))
	})

	DescribeTable("loses and doubles nobody's shift when the clocks change", Label("S24"),
		func(zone, from, until string, shortest, longest time.Duration) {
			location, err := time.LoadLocation(zone)
			Expect(err).NotTo(HaveOccurred())
			w.clock.SetTime(utc(from))
			w.rota(zone, w.layer("night", "care", "2026-01-01T22:00:00", v1alpha1.WeeklyWindow{From: "22:00", To: "06:00"}))
			type shift struct {
				member      string
				since, till time.Time
			}
			var shifts []shift
			for w.clock.Now().Before(utc(until)) {
				rota, next := w.lookAtRota()
				Expect(next).To(BeNumerically(">", 0))
				if onCall := rota.Status.OnCall; onCall != nil && (len(shifts) == 0 || !shifts[len(shifts)-1].since.Equal(onCall.Since.Time)) {
					shifts = append(shifts, shift{onCall.Member, onCall.Since.In(location), onCall.Until.In(location)})
					Expect(w.clock.Now()).To(BeTemporally("~", onCall.Since.Time, 0), "it shows at the hand-off")
				}
				w.pass(next)
			}
			Expect(len(shifts)).To(BeNumerically(">=", 4))
			lengths := []time.Duration{}
			for i, s := range shifts {
				Expect(s.since.Format("15:04:05")).To(Equal("22:00:00"))
				Expect(s.till.Format("15:04:05")).To(Equal("06:00:00"))
				lengths = append(lengths, s.till.Sub(s.since))
				if i > 0 {
					Expect(s.member).NotTo(Equal(shifts[i-1].member), "two people take turns, a night each")
					Expect(s.since.YearDay()).To(Equal(shifts[i-1].since.YearDay()+1), "no night is left out")
				}
			}
			Expect(lengths).To(ContainElements(8*time.Hour, shortest, longest))
		},
		Entry("forward in London", "Europe/London", "2027-03-26T12:00:00Z", "2027-03-30T12:00:00Z", 7*time.Hour, 8*time.Hour),
		Entry("back in London", "Europe/London", "2026-10-22T12:00:00Z", "2026-10-27T12:00:00Z", 8*time.Hour, 9*time.Hour),
		Entry("forward in New York", "America/New_York", "2027-03-12T17:00:00Z", "2027-03-16T17:00:00Z", 7*time.Hour, 8*time.Hour),
		Entry("back in New York", "America/New_York", "2026-10-30T17:00:00Z", "2026-11-03T17:00:00Z", 8*time.Hour, 9*time.Hour),
		Entry("forward, by half an hour, on Lord Howe Island", "Australia/Lord_Howe", "2026-10-02T02:00:00Z", "2026-10-06T02:00:00Z", 7*time.Hour+30*time.Minute, 8*time.Hour),
		Entry("back, by half an hour, on Lord Howe Island", "Australia/Lord_Howe", "2027-04-02T02:00:00Z", "2027-04-06T02:00:00Z", 8*time.Hour, 8*time.Hour+30*time.Minute),
	)

	Context("with two people of care who take turns", func() {
		BeforeEach(func() {
			layer := w.layer("care", "care", "2026-11-20T09:00:00")
			layer.Members = []string{"maria", "dana"}
			w.rota("UTC", layer)
			w.watched(always)
			Expect(w.get().Status.OnCall).To(HaveField("Member", "dana"), "the second day's turn begins now")
		})

		It("takes a leaver off duty at once, and says that she is still listed", Label("S4"), func() {
			w.leave("care", "dana")
			w.settle()
			Expect(w.get().Status.OnCall).To(HaveField("Member", "maria"))
			rota, _ := w.lookAtRota()
			resolved := meta.FindStatusCondition(rota.Status.Conditions, v1alpha1.ConditionMembersResolved)
			Expect(resolved.Status).To(Equal(metav1.ConditionFalse))
			Expect(resolved.Reason).To(Equal(v1alpha1.ReasonMemberNotFound))
			Expect(resolved.Message).To(ContainSubstring("dana"))
			w.expectReady()
		})

		It("takes her off duty when her membership ends with no edit", Label("S4"), func() {
			until := metav1.NewTime(w.clock.Now().Add(2 * time.Hour))
			w.editTeam("care", func(t *v1alpha1.Team) { t.Spec.Members[1].Until = &until })
			w.settle()
			Expect(w.get().Status.OnCall.Until.Time).To(BeTemporally("==", until.Time))
			w.live(2 * time.Hour)
			Expect(w.get().Status.OnCall).To(HaveField("Member", "maria"))
			rota, _ := w.lookAtRota()
			Expect(rota.Status.Left).To(Equal([]string{w.in("care") + "/dana"}))
		})

		It("puts an override on duty at once, and takes it off again", func() {
			now := w.clock.Now()
			w.override("swap", "care", "maria", now, now.Add(90*time.Minute))
			w.settle()
			Expect(w.get().Status.OnCall).To(And(HaveField("Member", "maria"), HaveField("Layer", v1alpha1.LayerOverride)))
			Expect(w.get().Status.OnCall.Next).To(Equal("dana"))
			Expect(w.verdict("swap").Reason).To(Equal(v1alpha1.ReasonInForce))
			rota, _ := w.lookAtRota()
			Expect(rota.Status.Overrides).To(Equal([]string{"swap"}))
			w.live(90 * time.Minute)
			Expect(w.get().Status.OnCall).To(And(HaveField("Member", "dana"), HaveField("Layer", "care")))
			Expect(w.verdict("swap")).To(And(HaveField("Reason", v1alpha1.ReasonExpired), HaveField("Status", metav1.ConditionTrue)))
		})

		It("says which of two overrides answers", func() {
			now := w.clock.Now()
			w.override("long", "care", "maria", now.Add(-time.Hour), now.Add(time.Hour))
			w.override("short", "marketing", "bob", now.Add(-time.Minute), now.Add(20*time.Minute))
			w.override("later", "care", "maria", now.Add(time.Hour), now.Add(2*time.Hour))
			w.settle()
			Expect(w.verdict("short").Reason).To(Equal(v1alpha1.ReasonInForce))
			Expect(w.verdict("long")).To(And(HaveField("Reason", v1alpha1.ReasonOutranked), HaveField("Message", ContainSubstring("short"))))
			Expect(w.verdict("later").Reason).To(Equal(v1alpha1.ReasonPending))
			rota, _ := w.lookAtRota()
			Expect(rota.Status.Overrides).To(Equal([]string{"short", "long"}))
			Expect(rota.Status.OnCall.Member).To(Equal("bob"))
			w.pass(20 * time.Minute)
			Expect(w.verdict("long").Reason).To(Equal(v1alpha1.ReasonInForce))
		})

		It("says why an override does nothing", func() {
			now := w.clock.Now()
			w.override("stranger", "care", "bob", now, now.Add(time.Hour))
			w.override("nowhere", "sales", "bob", now, now.Add(time.Hour))
			w.settle()
			Expect(w.get().Status.OnCall).To(HaveField("Member", "dana"))
			Expect(w.verdict("stranger")).To(And(HaveField("Reason", v1alpha1.ReasonMemberNotFound), HaveField("Status", metav1.ConditionFalse)))
			Expect(w.verdict("nowhere").Reason).To(Equal(v1alpha1.ReasonTeamNotFound))
		})

		It("says that nobody answers when the team goes away", func() {
			Expect(shared.client.Delete(w.ctx, w.team("care", "maria"))).To(Succeed())
			w.settle()
			w.expect(v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonCoverageGap)
			Expect(w.condition(v1alpha1.ConditionCovered).Message).To(ContainSubstring("does not exist"))
			Expect(w.get().Status.OnCall).To(BeNil())
			rota, _ := w.lookAtRota()
			Expect(meta.FindStatusCondition(rota.Status.Conditions, v1alpha1.ConditionReady).Reason).To(Equal(v1alpha1.ReasonTeamNotFound))
		})

		It("says who cannot be told, until there is a way", func() {
			rota, _ := w.lookAtRota()
			Expect(rota.Status.Unreachable).To(ConsistOf(w.in("care")+"/maria", w.in("care")+"/dana"))
			Expect(meta.FindStatusCondition(rota.Status.Conditions, v1alpha1.ConditionReady).Reason).To(Equal(v1alpha1.ReasonMemberUnreachable))
			w.editTeam("care", func(t *v1alpha1.Team) {
				for i := range t.Spec.Members {
					t.Spec.Members[i].Notify = []v1alpha1.NotifyTarget{{SecretRef: v1alpha1.SecretKeyReference{Name: "pager", Key: "url"}}}
				}
			})
			rota, _ = w.lookAtRota()
			Expect(rota.Status.Unreachable).To(HaveLen(2), "there is no such Secret")
			w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.in("care"), Name: "pager"}})
			w.sync()
			rota, _ = w.lookAtRota()
			Expect(rota.Status.Unreachable).To(BeEmpty())
			Expect(meta.IsStatusConditionTrue(rota.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		})

		It("writes nothing when nothing changes", func() {
			before, _ := w.lookAtRota()
			channel := w.get()
			w.pass(time.Minute)
			w.settle()
			after, _ := w.lookAtRota()
			Expect(after.ResourceVersion).To(Equal(before.ResourceVersion))
			Expect(w.get().ResourceVersion).To(Equal(channel.ResourceVersion))
		})

		It("writes nothing either when something is wrong, and it stays so", func() {
			now := w.clock.Now()
			w.editRota(func(r *v1alpha1.ResponderRota) {
				r.Spec.Layers[0].Members = []string{"maria", "dana", "stranger"}
			})
			w.override("nobody", "care", "stranger", now, now.Add(24*time.Hour))
			before, _ := w.lookAtRota()
			resolved := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionMembersResolved)
			Expect(resolved.Reason).To(Equal(v1alpha1.ReasonMemberNotFound))
			verdict := w.verdict("nobody")
			w.pass(time.Minute)
			after, _ := w.lookAtRota()
			Expect(after.ResourceVersion).To(Equal(before.ResourceVersion))
			Expect(w.verdict("nobody")).To(Equal(verdict))
		})

		It("says who is on duty although the API server refuses something else", func() {
			w.killer.refuse = "create *v1.Secret"
			w.killer.drift = true
			w.deleteSecret(w.in("marketing"), "help-credential")
			w.pass(24 * time.Hour)
			w.sync()
			_, err := w.reconciler.Reconcile(w.ctx, reconcile.Request{NamespacedName: w.key()})
			Expect(err).To(HaveOccurred())
			Expect(w.get().Status.OnCall).To(HaveField("Member", "maria"))
		})

		It("speaks of nobody while the channel is suspended", func() {
			w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) })
			w.settle()
			Expect(w.get().Status.OnCall).To(BeNil())
			Expect(w.get().Status.Coverage).To(BeNil())
			w.expect(v1alpha1.ConditionCovered, metav1.ConditionUnknown, v1alpha1.ReasonSuspended)
		})
	})

	It("says that a zone is not known", func() {
		w.rota("Europe/Londinium", w.layer("care", "care", "2026-11-20T09:00:00"))
		w.watched(always)
		rota, _ := w.lookAtRota()
		valid := meta.FindStatusCondition(rota.Status.Conditions, v1alpha1.ConditionScheduleValid)
		Expect(valid).To(And(HaveField("Reason", v1alpha1.ReasonUnknownTimeZone), HaveField("Message", ContainSubstring("Europe/Londinium"))))
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCoverageGap)
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(ContainSubstring("Europe/Londinium"))
	})

	It("says that a promise has no rota, or one that is not there", func() {
		channel := w.channel()
		channel.Spec.Coverage = always
		w.create(channel)
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNoRota)
		w.editChannel(func(c *v1alpha1.SocialChannel) {
			c.Spec.ResponderRotaRef = &v1alpha1.LocalReference{Name: "watch"}
		})
		w.settle()
		w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRotaNotFound)
		w.rota("UTC", w.layer("care", "care", "2026-11-20T09:00:00"))
		w.settle()
		w.expectReady()
	})

	It("keeps a promise of office hours with a rota of office hours", func() {
		window := v1alpha1.WeeklyWindow{Days: workdays, From: "09:00", To: "17:00"}
		w.rota("Europe/London", w.layer("office", "marketing", "2026-11-02T09:00:00", window))
		w.watched(&v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageWindows, Windows: []v1alpha1.WeeklyWindow{window}})
		w.expectReady()
		Expect(w.get().Status.OnCall).To(BeNil(), "it is Saturday")
		w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Coverage.TimeZone = "Europe/Berlin" })
		w.settle()
		w.expect(v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonCoverageGap)
		Expect(w.condition(v1alpha1.ConditionCovered).Message).To(And(
			ContainSubstring("5h a week"), ContainSubstring("next: Mon 23 Nov 09:00 – 10:00 Europe/Berlin")))
	})
})
