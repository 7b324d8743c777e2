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
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// pager gives every member of a team a way to be told.
func (w *world) pager(team string) {
	GinkgoHelper()
	w.editTeam(team, func(t *v1alpha1.Team) {
		for i := range t.Spec.Members {
			t.Spec.Members[i].Notify = []v1alpha1.NotifyTarget{{SecretRef: v1alpha1.SecretKeyReference{Name: "pager", Key: "url"}}}
		}
	})
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.in(team), Name: "pager"}})
}

func onDuty(rota string, wait time.Duration) v1alpha1.EscalationStep {
	return v1alpha1.EscalationStep{
		Targets: []v1alpha1.EscalationTarget{{ResponderRotaRef: &v1alpha1.LocalReference{Name: rota}}}, Wait: &metav1.Duration{Duration: wait},
	}
}

func (w *world) manager(team string) v1alpha1.EscalationTarget {
	return v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: w.in(team)}, Role: v1alpha1.RoleManager}
}

func (w *world) toManager(team string, wait time.Duration) v1alpha1.EscalationStep {
	return v1alpha1.EscalationStep{Targets: []v1alpha1.EscalationTarget{w.manager(team)}, Wait: &metav1.Duration{Duration: wait}}
}

func (w *world) routeKey() client.ObjectKey {
	return client.ObjectKey{Namespace: w.in("social"), Name: "answer"}
}

// route makes the route that the channel takes: these steps, and at last the
// manager of the office.
func (w *world) route(steps ...v1alpha1.EscalationStep) *v1alpha1.EscalationRoute {
	GinkgoHelper()
	route := &v1alpha1.EscalationRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "answer"},
		Spec:       v1alpha1.EscalationRouteSpec{Steps: steps, Fallback: w.manager("office")},
	}
	w.create(route)
	return route
}

func (w *world) editRoute(change func(*v1alpha1.EscalationRoute)) {
	GinkgoHelper()
	edit(w, w.routeKey(), &v1alpha1.EscalationRoute{}, change)
}

// lookAtRoute reconciles the route and gives it as stored, and when it is looked
// at again.
func (w *world) lookAtRoute() (*v1alpha1.EscalationRoute, time.Duration) {
	GinkgoHelper()
	w.sync()
	result, err := w.routes.Reconcile(w.ctx, reconcile.Request{NamespacedName: w.routeKey()})
	Expect(err).NotTo(HaveOccurred())
	route := &v1alpha1.EscalationRoute{}
	Expect(shared.cached.GetAPIReader().Get(w.ctx, w.routeKey(), route)).To(Succeed())
	return route, result.RequeueAfter
}

// expectRoute is what a condition of the route must say.
func expectRoute(route *v1alpha1.EscalationRoute, kind string, status metav1.ConditionStatus, reason string) {
	GinkgoHelper()
	condition := meta.FindStatusCondition(route.Status.Conditions, kind)
	Expect(condition).NotTo(BeNil(), kind)
	Expect(condition.Status).To(Equal(status), "%s: %s: %s", kind, condition.Reason, condition.Message)
	Expect(condition.Reason).To(Equal(reason), condition.Message)
}

// routed makes the channel, on the rota and the route.
func (w *world) routed() {
	GinkgoHelper()
	channel := w.channel()
	channel.Spec.ResponderRotaRef = &v1alpha1.LocalReference{Name: "watch"}
	channel.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "answer"}
	w.create(channel)
	w.settle()
}

// summary is the route of the channel in words.
func (w *world) summary() string {
	GinkgoHelper()
	Expect(w.get().Status.Escalation).NotTo(BeNil())
	return w.get().Status.Escalation.Summary
}

var _ = Describe("A route", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld(true)
		w.createNamespace("office")
		w.create(w.team("office", "ines"))
		for _, team := range []string{"marketing", "care", "office"} {
			w.pager(team)
		}
	})

	Context("of a rota from nine to five, then its manager", func() {
		BeforeEach(func() {
			day := w.layer("day", "care", "2026-11-02T09:00:00", v1alpha1.WeeklyWindow{From: "09:00", To: "17:00"})
			day.Members = []string{"dana"}
			w.rota("UTC", day)
			w.route(onDuty("watch", 15*time.Minute), w.toManager("care", 30*time.Minute))
			w.routed()
		})

		It("says by day who hears first, and who next", func() {
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionTrue, v1alpha1.ReasonRouted)
			w.expectReady()
			Expect(w.summary()).To(Equal("now: dana → (15m) manager maria → (30m) at last manager ines"))
			told := w.get().Status.Escalation
			Expect(told.Route).To(Equal("answer"))
			Expect(told.Steps).To(HaveLen(3))
			Expect(told.Steps[0].People).To(Equal([]string{w.in("care") + "/dana"}))
			Expect(told.Steps[1].After.Duration).To(Equal(15 * time.Minute))
			Expect(told.Steps[2].Targets).To(Equal([]string{"fallback: manager of " + w.in("office")}))
			route, next := w.lookAtRoute()
			expectRoute(route, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInOrder)
			Expect(route.Status.First).To(Equal("dana"))
			Expect(route.Status.Summary).To(Equal(w.summary()))
			Expect(route.Status.Problems).To(BeEmpty())
			Expect(route.Status.NextChange.UTC()).To(Equal(utc("2026-11-21T17:00:00Z")))
			Expect(next).To(Equal(8*time.Hour), "it comes back when nobody is on duty any more")
		})

		It("goes at once to the next step that is somebody, at two in the night", Label("S3"), func() {
			w.clock.SetTime(utc("2026-11-22T02:00:00Z"))
			w.settle()
			Expect(w.summary()).To(Equal("now: (rota watch: nobody) manager maria → (30m) at last manager ines"))
			steps := w.get().Status.Escalation.Steps
			Expect(steps[0].After).To(BeNil())
			Expect(steps[0].People).To(BeEmpty())
			Expect(steps[1].After.Duration).To(BeZero())
			const warning = "; but step 1 is nobody now (rota watch) and is left out; other steps are heard"
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionTrue, v1alpha1.ReasonRouted)
			Expect(w.condition(v1alpha1.ConditionEscalationRouted).Message).To(HaveSuffix(warning))
			w.expectReady()
			route, _ := w.lookAtRoute()
			expectRoute(route, v1alpha1.ConditionReachable, metav1.ConditionTrue, v1alpha1.ReasonStepsReachable)
			expectRoute(route, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInOrder)
			Expect(meta.FindStatusCondition(route.Status.Conditions, v1alpha1.ConditionReady).Message).To(HaveSuffix(warning))
			Expect(route.Status.Problems).To(ConsistOf(HavePrefix("step 1 is nobody now")))
			Expect(route.Status.First).To(Equal("manager maria"))
			Expect(route.Status.NextChange.UTC()).To(Equal(utc("2026-11-22T09:00:00Z")))
		})

		It("is refused without a fallback", Label("S3"), func() {
			route := &v1alpha1.EscalationRoute{
				ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "endless"},
				Spec:       v1alpha1.EscalationRouteSpec{Steps: []v1alpha1.EscalationStep{onDuty("watch", time.Minute)}},
			}
			Expect(shared.client.Create(w.ctx, route)).To(MatchError(ContainSubstring("spec.fallback")))
		})

		It("wakes at the hand-off, and not before", func() {
			w.live(7*time.Hour + 59*time.Minute)
			Expect(w.summary()).To(HavePrefix("now: dana"))
			w.live(time.Minute)
			Expect(w.summary()).To(HavePrefix("now: (rota watch: nobody) manager maria"))
			w.live(16 * time.Hour)
			Expect(w.summary()).To(HavePrefix("now: dana"))
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionTrue, v1alpha1.ReasonRouted)
		})

		It("is in order all day and night, without a transition or an Event", Label("S3"), func() {
			before, noted := map[string]metav1.Time{}, len(w.recorder.notes)
			route, _ := w.lookAtRoute()
			for _, condition := range append(route.Status.Conditions, w.get().Status.Conditions...) {
				before[condition.Type] = condition.LastTransitionTime
			}
			for range 48 {
				w.live(30 * time.Minute)
				w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionTrue, v1alpha1.ReasonRouted)
				route, _ = w.lookAtRoute()
				expectRoute(route, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInOrder)
			}
			for _, condition := range route.Status.Conditions {
				Expect(condition.LastTransitionTime).To(Equal(before[condition.Type]), condition.Type)
				Expect(condition.Type).NotTo(BeElementOf(v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling))
			}
			Expect(w.condition(v1alpha1.ConditionEscalationRouted).LastTransitionTime).To(Equal(before[v1alpha1.ConditionEscalationRouted]))
			Expect(w.recorder.notes[noted:]).NotTo(ContainElement(ContainSubstring("oute")))
		})

		It("waits, and is not stalled, where at night only the fallback is left", Label("S3"), func() {
			w.editRoute(func(r *v1alpha1.EscalationRoute) { r.Spec.Steps = r.Spec.Steps[:1] })
			w.clock.SetTime(utc("2026-11-22T02:00:00Z"))
			w.settle()
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonStepEmpty)
			route, _ := w.lookAtRoute()
			expectRoute(route, v1alpha1.ConditionReachable, metav1.ConditionFalse, v1alpha1.ReasonStepEmpty)
			expectRoute(route, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonStepEmpty)
			Expect(meta.FindStatusCondition(route.Status.Conditions, v1alpha1.ConditionStalled)).To(BeNil())
		})

		It("shows the steps of a rule that takes everything", func() {
			w.editRoute(func(r *v1alpha1.EscalationRoute) {
				r.Spec.Rules = []v1alpha1.EscalationRule{
					{Name: "replies", When: "event.kind == 'Reply'", Steps: r.Spec.Steps},
					{Name: "others", When: "true", Steps: []v1alpha1.EscalationStep{w.toManager("care", 5*time.Minute)}},
				}
			})
			route, _ := w.lookAtRoute()
			Expect(route.Status.First).To(Equal("manager maria"))
			Expect(route.Status.Summary).To(Equal("now: manager maria → (5m) dana → (15m) manager maria → (30m) at last manager ines"))
			Expect(route.Status.Steps).To(HaveLen(4))
			w.settle()
			Expect(w.summary()).To(Equal(route.Status.Summary))
		})

		It("is not to be relied on while it is being deleted", func() {
			w.editRoute(func(r *v1alpha1.EscalationRoute) { r.Finalizers = []string{"acme.example/keep"} })
			DeferCleanup(func() { w.editRoute(func(r *v1alpha1.EscalationRoute) { r.Finalizers = nil }) })
			Expect(shared.client.Delete(w.ctx, &v1alpha1.EscalationRoute{ObjectMeta: metav1.ObjectMeta{Namespace: w.routeKey().Namespace, Name: w.routeKey().Name}})).To(Succeed())
			w.settle()
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonTargetDeleting)
			Expect(w.summary()).To(HavePrefix("now: dana"), "it answers while it is there")
			route, _ := w.lookAtRoute()
			expectRoute(route, v1alpha1.ConditionTargetsResolved, metav1.ConditionFalse, v1alpha1.ReasonTargetDeleting)
		})

		It("writes nothing when nothing changes", func() {
			before, _ := w.lookAtRoute()
			channel := w.get()
			w.pass(time.Minute)
			w.settle()
			after, _ := w.lookAtRoute()
			Expect(after.ResourceVersion).To(Equal(before.ResourceVersion))
			Expect(w.get().ResourceVersion).To(Equal(channel.ResourceVersion))
		})

		It("writes nothing either when something is wrong, and it stays so", func() {
			w.editRoute(func(r *v1alpha1.EscalationRoute) {
				r.Spec.Rules = []v1alpha1.EscalationRule{{Name: "broken", When: "event.txt == ''", Steps: r.Spec.Steps}}
				r.Spec.Steps = append(r.Spec.Steps, onDuty("nowhere", time.Minute))
			})
			before, _ := w.lookAtRoute()
			w.settle()
			channel := w.get()
			w.pass(time.Minute)
			w.settle()
			after, _ := w.lookAtRoute()
			Expect(after.ResourceVersion).To(Equal(before.ResourceVersion))
			Expect(w.get().ResourceVersion).To(Equal(channel.ResourceVersion))
		})

		It("sends a refund to billing first", Label("S21"), func() {
			w.createNamespace("billing")
			w.create(w.team("billing", "bea"))
			w.pager("billing")
			layer := w.layer("always", "billing", "2026-11-02T09:00:00")
			w.create(&v1alpha1.ResponderRota{
				ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "billing"},
				Spec:       v1alpha1.ResponderRotaSpec{TimeZone: "UTC", Layers: []v1alpha1.RotaLayer{layer}},
			})
			w.editRoute(func(r *v1alpha1.EscalationRoute) {
				r.Spec.Rules = []v1alpha1.EscalationRule{{
					Name: "refunds-to-billing", When: "event.text.matches('(?i)refund|chargeback')",
					Steps: []v1alpha1.EscalationStep{onDuty("billing", 10*time.Minute)},
				}}
			})
			route, _ := w.lookAtRoute()
			expectRoute(route, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInOrder)
			Expect(*route.Status.CompiledRules).To(BeEquivalentTo(1))
			compiled := escalation.Compile(route)
			rule, failed := compiled.Match(&escalation.Subject{Event: &event.Event{Kind: event.Mention, Text: "Where is my REFUND?"}})
			Expect(failed).To(BeEmpty())
			Expect(compiled.Rule(rule)).To(Equal("refunds-to-billing"))
			page, err := w.routes.Routes.Find(w.ctx, w.routeKey())
			Expect(err).NotTo(HaveOccurred())
			sources, _ := w.routes.Routes.Sources(w.ctx, page)
			var heard []string
			for _, telling := range compiled.Plan(rule, sources, w.clock.Now()) {
				heard = append(heard, escalation.HearersWords(telling.People))
			}
			Expect(heard).To(Equal([]string{"bea", "dana", "manager maria", "manager ines"}), "billing first, and then the colleagues")
			rule, _ = compiled.Match(&escalation.Subject{Event: &event.Event{Kind: event.Mention, Text: "thank you"}})
			Expect(rule).To(Equal(escalation.DefaultSteps))
		})

		It("says what is wrong with a rule, and takes the others", Label("S21"), func() {
			w.editRoute(func(r *v1alpha1.EscalationRoute) {
				r.Spec.Rules = []v1alpha1.EscalationRule{
					{Name: "broken", When: "event.txt == ''", Steps: r.Spec.Steps},
					{Name: "sound", When: "event.kind == 'Reply'", Steps: r.Spec.Steps},
				}
			})
			route, _ := w.lookAtRoute()
			expectRoute(route, v1alpha1.ConditionRulesValid, metav1.ConditionFalse, v1alpha1.ReasonRuleInvalid)
			expectRoute(route, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRuleInvalid)
			Expect(*route.Status.CompiledRules).To(BeEquivalentTo(1))
			Expect(route.Status.Problems).To(ConsistOf(ContainSubstring("rule broken cannot be used and matches nothing: character 1: event.txt is not known")))
			w.settle()
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonRouteInvalid)
			Expect(w.summary()).To(HavePrefix("now: dana"), "what can be read is")
		})

		It("says what is not there", func() {
			w.editRoute(func(r *v1alpha1.EscalationRoute) {
				r.Spec.Steps = []v1alpha1.EscalationStep{onDuty("watch", time.Minute), onDuty("nowhere", time.Minute), w.toManager("sales", time.Minute)}
			})
			route, _ := w.lookAtRoute()
			expectRoute(route, v1alpha1.ConditionTargetsResolved, metav1.ConditionFalse, v1alpha1.ReasonRotaNotFound)
			Expect(meta.FindStatusCondition(route.Status.Conditions, v1alpha1.ConditionTargetsResolved).Message).To(And(
				ContainSubstring("step 2: ResponderRota nowhere does not exist"), ContainSubstring("step 3: Team "+w.in("sales")+" does not exist")))
			w.settle()
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonRotaNotFound)
			w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRotaNotFound)
		})

		It("leaves out the rota that is deleted midway", func() {
			Expect(shared.client.Delete(w.ctx, &v1alpha1.ResponderRota{ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "watch"}})).To(Succeed())
			w.settle()
			Expect(w.summary()).To(HavePrefix("now: (rota watch: nobody) manager maria"))
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonRotaNotFound)
		})

		It("says of whom nobody can be told, until there is a way", func() {
			w.editTeam("care", func(t *v1alpha1.Team) { t.Spec.Members[1].Notify = nil })
			route, _ := w.lookAtRoute()
			expectRoute(route, v1alpha1.ConditionReachable, metav1.ConditionFalse, v1alpha1.ReasonNobodyReachable)
			Expect(route.Status.Steps[0].Unreachable).To(Equal([]string{w.in("care") + "/dana"}))
			w.settle()
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonNobodyReachable)
			Expect(w.summary()).To(HavePrefix("now: (rota watch: nobody who can be told) manager maria"))

			By("a notify whose Secret is another, which is not there")
			w.editTeam("care", func(t *v1alpha1.Team) {
				t.Spec.Members[1].Notify = []v1alpha1.NotifyTarget{{SecretRef: v1alpha1.SecretKeyReference{Name: "second", Key: "url"}}}
			})
			w.settle()
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonNobodyReachable)
			w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.in("care"), Name: "second"}})
			w.settle()
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionTrue, v1alpha1.ReasonRouted)
		})

		It("follows a member who leaves with no edit", Label("S4"), func() {
			until := metav1.NewTime(w.clock.Now().Add(2 * time.Hour))
			w.editTeam("care", func(t *v1alpha1.Team) { t.Spec.Members[0].Until = &until })
			w.settle()
			Expect(w.summary()).To(ContainSubstring("manager maria"))
			route, next := w.lookAtRoute()
			Expect(route.Status.NextChange.Time).To(BeTemporally("==", until.Time))
			Expect(next).To(BeNumerically("<=", 2*time.Hour))
			w.live(2 * time.Hour)
			Expect(w.summary()).To(Equal("now: dana → (15m) (" + "manager of " + w.in("care") + ": nobody) at last manager ines"))
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonManagerNotMember)
		})

		It("is not looked at while the channel is suspended", func() {
			w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) })
			w.settle()
			Expect(w.get().Status.Escalation).To(BeNil())
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionUnknown, v1alpha1.ReasonSuspended)
		})

		It("is told to be missing, and not asked for where none is named", func() {
			w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.EscalationRouteRef.Name = "nowhere" })
			w.settle()
			Expect(w.get().Status.Escalation).To(BeNil())
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionFalse, v1alpha1.ReasonRouteNotFound)
			w.expect(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRouteNotFound)
			w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.EscalationRouteRef = nil })
			w.settle()
			w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionTrue, v1alpha1.ReasonNoRoute)
			w.expectReady()
		})
	})

	It("has the manager as the last step where customers wait", Label("S15"), func() {
		office := w.layer("office", "marketing", "2026-11-02T09:00:00", v1alpha1.WeeklyWindow{Days: workdays, From: "09:00", To: "17:00"})
		w.rota("UTC", office)
		w.route(onDuty("watch", 20*time.Minute), w.toManager("marketing", 40*time.Minute))
		w.editRoute(func(r *v1alpha1.EscalationRoute) { r.Spec.Fallback = w.manager("marketing") })
		w.routed()
		Expect(w.summary()).To(Equal("now: (rota watch: nobody) manager bob → (40m) at last manager bob"), "it is Saturday")
		w.clock.SetTime(utc("2026-11-23T09:00:00Z"))
		w.settle()
		last := w.get().Status.Escalation.Steps[2]
		Expect(last.People).To(Equal([]string{w.in("marketing") + "/bob"}))
		Expect(last.After.Duration).To(Equal(time.Hour), "within the hour that is promised")
	})

	It("says that all its steps are one person", func() {
		layer := w.layer("always", "care", "2026-11-02T09:00:00")
		layer.Members = []string{"maria"}
		w.rota("UTC", layer)
		w.route(onDuty("watch", 15*time.Minute), w.toManager("care", 15*time.Minute))
		w.editRoute(func(r *v1alpha1.EscalationRoute) { r.Spec.Fallback = w.manager("care") })
		w.routed()
		w.expect(v1alpha1.ConditionEscalationRouted, metav1.ConditionTrue, v1alpha1.ReasonRouted)
		Expect(w.condition(v1alpha1.ConditionEscalationRouted).Message).To(ContainSubstring("nobody but " + w.in("care") + "/maria hears the steps and the fallback now"))
		route, _ := w.lookAtRoute()
		Expect(route.Status.Problems).To(HaveLen(1))
		Expect(route.Status.Summary).To(Equal("now: maria → (15m) manager maria → (15m) at last manager maria"))
	})
})
