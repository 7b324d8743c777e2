// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/notices"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/notify"
)

func TestNotices(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "notices")
}

// Times are of a Friday.
var (
	atNight   = time.Date(2026, 11, 20, 0, 30, 0, 0, time.UTC)
	inMorning = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
)

// memory is a table in memory.
type memory map[string]inbox.Row

func (m memory) Get(_ context.Context, key string) (inbox.Row, error) {
	if row, ok := m[key]; ok {
		return row, nil
	}
	return inbox.Row{}, inbox.ErrNoRow
}

func (m memory) Put(_ context.Context, key string, value []byte, revision uint64, _ time.Duration) (uint64, error) {
	if m[key].Revision != revision {
		return 0, inbox.ErrConflict
	}
	m[key] = inbox.Row{Key: key, Value: value, Revision: revision + 1}
	return revision + 1, nil
}

// pager is the manager's.
type pager struct {
	told    []notify.Message
	tried   []string // IDs
	failing error

	closed     []notify.Closing
	notClosing error
}

func (*pager) Way() string { return "pager" }

func (p *pager) Tell(_ context.Context, m notify.Message) error {
	p.tried = append(p.tried, m.ID)
	if p.failing != nil {
		return p.failing
	}
	p.told = append(p.told, m)
	return nil
}

func (p *pager) Close(_ context.Context, c notify.Closing) error {
	if p.notClosing != nil {
		return p.notClosing
	}
	p.closed = append(p.closed, c)
	return nil
}

func (p *pager) Ways(_ context.Context, who escalation.Person) ([]notify.Notifier, dispatch.Recipient, error) {
	if who != (escalation.Person{Team: "care", Name: "maria"}) {
		return nil, dispatch.Recipient{}, nil
	}
	return []notify.Notifier{p}, dispatch.Recipient{Email: "maria@acme.example"}, nil
}

type world struct {
	client.Client

	clock      *testclock.FakePassiveClock
	pager      *pager
	memory     memory
	reconciler *notices.Reconciler
}

func newWorld(objects ...client.Object) *world {
	GinkgoHelper()
	scheme := runtime.NewScheme()
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	care := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: "care", UID: "team"}}
	care.Spec.Manager = "maria"
	w := &world{clock: testclock.NewFakePassiveClock(atNight), pager: &pager{}, memory: memory{}}
	w.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(append(objects, care)...).
		WithIndex(&v1alpha1.SocialChannel{}, socialchannel.OwnerIndex, func(object client.Object) []string {
			return []string{object.(*v1alpha1.SocialChannel).Status.Owner}
		}).
		WithIndex(&v1alpha1.RotaOverride{}, "rota", func(client.Object) []string { return nil }).Build()
	w.reconciler = &notices.Reconciler{Client: w.Client, Duty: duty.NewBook(w.Client), Directory: w.pager, Memory: w.memory, Clock: w.clock}
	return w
}

// look reconciles the team, and gives when it is looked at again.
func (w *world) look(ctx context.Context) time.Duration {
	GinkgoHelper()
	result, err := w.reconciler.Reconcile(ctx, reconcile.Request{NamespacedName: types.NamespacedName{Name: "care"}})
	Expect(err).NotTo(HaveOccurred())
	return result.RequeueAfter
}

// again is the same after a restart.
func (w *world) again() *world {
	after := *w
	after.reconciler = &notices.Reconciler{Client: w.Client, Duty: duty.NewBook(w.Client), Directory: w.pager, Memory: w.memory, Clock: w.clock}
	return &after
}

// due is a channel whose credential is.
func due(name string, since time.Time) *v1alpha1.SocialChannel {
	channel := &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: name, UID: types.UID(name)}}
	channel.Spec.Handle, channel.Spec.OwnerRef.Name, channel.Status.Owner = "@"+name, "care", "care"
	channel.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionCredentialReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonDueForRenewal,
		Message: "connect the account again", LastTransitionTime: metav1.NewTime(since),
	}}
	return channel
}

// saying is the same channel when its condition is another.
func saying(state metav1.ConditionStatus) *v1alpha1.SocialChannel {
	channel := due("help", atNight)
	channel.Status.Conditions[0].Status = state
	return channel
}

// dueOf is a channel of which a credential is due.
func dueOf(credential string) *v1alpha1.SocialChannel {
	channel := due("help", atNight)
	channel.Status.Credential = &v1alpha1.DeliveredCredential{ID: credential}
	return channel
}

var _ = Describe("A manager", func() {
	It("hears of a due credential in the morning, once", Label("S11"), func(ctx SpecContext) {
		w := newWorld(due("help", atNight))
		Expect(w.look(ctx)).To(Equal(inMorning.Sub(atNight)))
		Expect(w.pager.told).To(BeEmpty(), "nobody is woken")

		w.clock.SetTime(inMorning)
		Expect(w.look(ctx)).To(BeZero())
		Expect(w.pager.told).To(HaveLen(1))
		message := w.pager.told[0]
		Expect(message.Title).To(Equal("The credential of @help is due for renewal"))
		Expect(message.Kind).To(Equal("CredentialDue"), "which names the alert")
		Expect(message.Urgency).To(Equal(notify.Low))
		Expect(message.Facts).To(ConsistOf(notify.Fact{Name: "social/help", Value: "connect the account again"}))
		Expect(message.Email).To(Equal("maria@acme.example"))

		w.look(ctx)
		w.again().look(ctx)
		Expect(w.pager.told).To(HaveLen(1), "and once only, also after a restart")
	})

	It("hears of many at once, and of one that comes later alone", func(ctx SpecContext) {
		var channels []client.Object
		for i := range 30 {
			channels = append(channels, due(fmt.Sprintf("help-%02d", i), atNight))
		}
		w := newWorld(channels...)
		w.clock.SetTime(inMorning)
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(1))
		Expect(w.pager.told[0].Title).To(Equal("The credentials of 30 channels are due for renewal"))
		Expect(w.pager.told[0].Facts).To(HaveLen(11))
		Expect(w.pager.told[0].Facts[10].Value).To(HavePrefix("20 more"))

		Expect(w.Create(ctx, due("late", inMorning))).To(Succeed())
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(2))
		Expect(w.pager.told[1].Title).To(Equal("The credential of @late is due for renewal"))
	})

	It("hears at once where the route says so", func(ctx SpecContext) {
		channel := due("help", atNight)
		channel.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "care"}
		route := &v1alpha1.EscalationRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "care"}}
		route.Spec.Notices = v1alpha1.NoticesAnytime
		w := newWorld(channel, route)
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(1))
		Expect(w.pager.told[0].Urgency).To(Equal(notify.High))
	})

	It("is at work by the clock of the channel's rota", func(ctx SpecContext) {
		channel := due("help", atNight)
		channel.Spec.ResponderRotaRef = &v1alpha1.LocalReference{Name: "care"}
		rota := &v1alpha1.ResponderRota{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "care"}}
		rota.Spec.TimeZone = "Australia/Sydney" // where it is half past eleven
		w := newWorld(channel, rota)
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(1))
	})

	It("is told later where the pager fails", func(ctx SpecContext) {
		w := newWorld(due("help", atNight))
		w.clock.SetTime(inMorning)
		w.pager.failing = errors.New("the pager is broken")
		Expect(w.look(ctx)).To(Equal(time.Minute))
		Expect(w.look(ctx)).To(Equal(time.Minute), "and not before")
		w.clock.SetTime(inMorning.Add(time.Minute))
		Expect(w.look(ctx)).To(Equal(2 * time.Minute))
		w.pager.failing = nil
		w.clock.SetTime(inMorning.Add(3 * time.Minute))
		Expect(w.look(ctx)).To(BeZero())
		Expect(w.pager.told).To(HaveLen(1))
	})

	Describe("whose tool keeps something open", func() {
		var w *world
		BeforeEach(func(ctx SpecContext) {
			w = newWorld(due("help", atNight), due("news", atNight))
			w.clock.SetTime(inMorning)
			w.look(ctx)
			Expect(w.pager.told).To(HaveLen(1))
		})

		mend := func(ctx context.Context, name string) {
			GinkgoHelper()
			Expect(w.Delete(ctx, due(name, atNight))).To(Succeed())
		}

		It("has it ended when nothing is left of what it speaks of", func(ctx SpecContext) {
			mend(ctx, "help")
			w.look(ctx)
			Expect(w.pager.closed).To(BeEmpty(), "one is left")
			mend(ctx, "news")
			w.clock.SetTime(inMorning.Add(time.Hour))
			Expect(w.look(ctx)).To(BeZero())
			told := w.pager.told[0]
			Expect(w.pager.closed).To(Equal([]notify.Closing{{
				Incident: told.Incident, Kind: told.Kind, Urgency: told.Urgency, Labels: told.Labels, Team: told.Team, Member: told.Member,
				Started: told.At, At: inMorning.Add(time.Hour),
			}}))
			w.again().look(ctx)
			Expect(w.pager.closed).To(HaveLen(1), "once")
		})

		It("has each ended by itself", func(ctx SpecContext) {
			Expect(w.Create(ctx, due("late", inMorning))).To(Succeed())
			w.look(ctx)
			Expect(w.pager.told).To(HaveLen(2))
			mend(ctx, "late")
			w.look(ctx)
			Expect(w.pager.closed).To(HaveLen(1))
			Expect(w.pager.closed[0].Incident).To(Equal(w.pager.told[1].Incident))
		})

		It("has it ended later where that fails, and not for ever", func(ctx SpecContext) {
			mend(ctx, "help")
			mend(ctx, "news")
			w.pager.notClosing = errors.New("the pager is broken")
			Expect(w.look(ctx)).To(Equal(time.Minute))
			Expect(w.look(ctx)).To(Equal(time.Minute), "and not before")
			w.clock.SetTime(inMorning.Add(time.Minute))
			Expect(w.look(ctx)).To(Equal(2 * time.Minute))
			for range 4 {
				w.clock.SetTime(w.clock.Now().Add(time.Hour))
				Expect(w.look(ctx)).NotTo(BeZero())
			}
			w.clock.SetTime(w.clock.Now().Add(time.Hour))
			Expect(w.look(ctx)).To(BeZero(), "given up")
			w.pager.notClosing = nil
			w.look(ctx)
			Expect(w.pager.closed).To(BeEmpty())
		})
	})

	DescribeTable("is looked at", func(before, after *v1alpha1.SocialChannel, teams OmegaMatcher) {
		handled, seen := notices.OfChannels(), &asked{}
		if after == nil {
			handled.Delete(context.Background(), event.DeleteEvent{Object: before}, seen)
		} else {
			handled.Update(context.Background(), event.UpdateEvent{ObjectOld: before, ObjectNew: after}, seen)
		}
		Expect(seen.teams).To(teams)
	},
		Entry("when something is new", &v1alpha1.SocialChannel{}, due("help", atNight), HaveEach("care")),
		Entry("when something is over", due("help", atNight), &v1alpha1.SocialChannel{}, HaveEach("care")),
		Entry("when it is another", dueOf("rostra-1"), dueOf("rostra-2"), HaveEach("care")),
		Entry("when it is not known any more", due("help", atNight), saying(metav1.ConditionUnknown), HaveEach("care")),
		Entry("when it is known to be over after it was not known", saying(metav1.ConditionUnknown), saying(metav1.ConditionTrue), HaveEach("care")),
		Entry("when a channel is gone", due("help", atNight), nil, HaveEach("care")),
		Entry("else not", due("help", atNight), due("help", atNight), BeEmpty()),
	)

	It("is not told twice by two that look at once", func(ctx SpecContext) {
		w := newWorld(due("help", atNight))
		w.clock.SetTime(inMorning)
		other := w.again()
		other.reconciler.Directory = interrupting{w.pager, func() { w.look(ctx) }}
		other.look(ctx)
		Expect(w.pager.told).To(HaveLen(1))
	})

	It("of a team that is gone is nobody", func(ctx SpecContext) {
		w := newWorld()
		result, err := w.reconciler.Reconcile(ctx, reconcile.Request{NamespacedName: types.NamespacedName{Name: "nobody"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(reconcile.Result{}))
	})
})

// asked is a queue that remembers which teams are to be looked at.
type asked struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]

	teams []string
}

func (a *asked) AddAfter(request reconcile.Request, _ time.Duration) {
	a.teams = append(a.teams, request.Name)
}

// interrupting lets something happen while somebody is about to be told.
type interrupting struct {
	*pager

	meanwhile func()
}

func (i interrupting) Ways(ctx context.Context, who escalation.Person) ([]notify.Notifier, dispatch.Recipient, error) {
	i.meanwhile()
	return i.pager.Ways(ctx, who)
}
