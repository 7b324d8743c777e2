// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/arrivals"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/escalationroute"
	"github.com/rostra-dev/rostra/controllers/responderrota"
	"github.com/rostra-dev/rostra/controllers/rotaoverride"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/simulated"
)

// worlds numbers the worlds, so that no two share a name.
var worlds atomic.Int64

// start is when every world begins.
var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// world is one company: its namespaces, teams, one platform, and the operator.
type world struct {
	ctx        context.Context
	name       string
	clock      *testclock.FakePassiveClock
	server     *simulated.Server
	killer     *killer
	recorder   *recorder
	reconciler *socialchannel.Reconciler
	rotas      *responderrota.Reconciler
	overrides  *rotaoverride.Reconciler
	routes     *escalationroute.Reconciler
	// brake of the operator; off in most worlds.
	brake ownership.Brake
	// namespaces of the company.
	namespaces []string
	// seen are all secrets that were ever delivered.
	seen map[string]bool
	// arrivals is what the operator knows of what came in, inbox what is stored
	// of it, and callback what is wrong with the way to the gateway.
	arrivals *arrivals.Board
	inbox    *box
	callback error
	// reads counts what was read past the cache, and drifts the subscriptions
	// that were not as declared.
	reads, drifts int
	// freezes are those that were made; frozenSerial is the credential that was
	// on record when one was last in force.
	freezes      []string
	frozenSerial int64
}

// newWorld makes a company with the teams marketing and care, on a platform
// that mints or does not.
func newWorld(canMint bool) *world {
	GinkgoHelper()
	clock := testclock.NewFakePassiveClock(start)
	w := &world{
		ctx: context.Background(), name: fmt.Sprintf("w%d", worlds.Add(1)), clock: clock, server: simulated.New(clock, canMint),
		killer: &killer{}, recorder: &recorder{}, seen: map[string]bool{},
	}
	w.inbox = &box{world: w, stored: map[string]int{}}
	w.server.Linger = 2 * time.Hour
	w.server.AddAccount(w.account(), w.handle(), "source-secret-1")
	w.server.SetHook(func(call string, phase simulated.Phase) error {
		w.killer.step(phase, "platform "+call, w.check)
		return w.killer.fault(call, phase)
	})
	w.startOperator()
	DeferCleanup(w.end)
	for _, namespace := range []string{"social", "marketing", "care"} {
		w.createNamespace(namespace)
	}
	w.create(&v1alpha1.SocialPlatform{
		ObjectMeta: metav1.ObjectMeta{Name: w.in("platform")},
		Spec: v1alpha1.SocialPlatformSpec{
			Type: v1alpha1.PlatformBluesky, Bluesky: &v1alpha1.BlueskyPlatform{Service: "https://" + w.name + ".simulated.test"},
			AllowedNamespaces: &metav1.LabelSelector{MatchLabels: map[string]string{"world": w.name}},
		},
	})
	w.create(w.team("marketing", "bob", "eve"))
	w.create(w.team("care", "maria", "dana"))
	w.create(w.source("source-secret-1"))
	return w
}

// end takes the channels of this world away, whatever state they are in. The
// brake counts the channels of the whole cluster: what one world left behind
// would let more go in the next, or stop what it may do.
func (w *world) end() {
	GinkgoHelper()
	for _, namespace := range w.namespaces {
		channels := &v1alpha1.SocialChannelList{}
		Expect(shared.cached.GetAPIReader().List(w.ctx, channels, client.InNamespace(namespace))).To(Succeed())
		for i := range channels.Items {
			channel := &channels.Items[i]
			held := channel.DeepCopy()
			channel.Finalizers = nil
			Expect(shared.client.Patch(w.ctx, channel, client.MergeFrom(held))).To(Succeed())
			if channel.DeletionTimestamp.IsZero() {
				Expect(shared.client.Delete(w.ctx, channel)).To(Succeed())
			}
		}
	}
}

func (w *world) createNamespace(name string) {
	GinkgoHelper()
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.in(name), Labels: map[string]string{"world": w.name}}})
	w.namespaces = append(w.namespaces, w.in(name))
}

func (w *world) in(name string) string { return w.name + "-" + name }
func (w *world) account() string       { return "acct-" + w.name }
func (w *world) handle() string        { return w.name + "-help" }
func (w *world) key() client.ObjectKey {
	return client.ObjectKey{Namespace: w.in("social"), Name: "help"}
}

func (w *world) team(name string, members ...string) *v1alpha1.Team {
	team := &v1alpha1.Team{
		ObjectMeta: metav1.ObjectMeta{Name: w.in(name)},
		Spec: v1alpha1.TeamSpec{
			Namespace: w.in(name), Manager: members[0],
			Accepts: []v1alpha1.AcceptedChannels{{Namespace: w.in("social"), Channels: []string{"*"}}},
		},
	}
	for _, member := range members {
		team.Spec.Members = append(team.Spec.Members, v1alpha1.TeamMember{Name: member, Email: member + "@acme.example"})
	}
	return team
}

func (w *world) source(password string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "help-source"},
		StringData: map[string]string{simulated.KeyPassword: password},
	}
}

// channel is the one channel of most worlds, owned by marketing.
func (w *world) channel() *v1alpha1.SocialChannel {
	return &v1alpha1.SocialChannel{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: "help"},
		Spec: v1alpha1.SocialChannelSpec{
			PlatformRef: v1alpha1.ClusterReference{Name: w.in("platform")},
			Handle:      w.handle(),
			OwnerRef:    v1alpha1.ClusterReference{Name: w.in("marketing")},
			Credentials: v1alpha1.ChannelCredentials{
				SourceSecretRef: v1alpha1.SecretReference{Name: "help-source"},
				Delivery:        v1alpha1.CredentialDelivery{SecretName: "help-credential"},
				Rotation: &v1alpha1.CredentialRotation{
					Interval: &metav1.Duration{Duration: 720 * time.Hour}, Overlap: &metav1.Duration{Duration: time.Hour},
				},
			},
		},
	}
}

// startOperator makes a reconciler that remembers nothing, as after a restart.
func (w *world) startOperator() {
	book := duty.NewBook(shared.client)
	w.rotas = &responderrota.Reconciler{Client: shared.client, Metadata: shared.cached.GetCache(), Duty: book, Clock: w.clock}
	w.overrides = &rotaoverride.Reconciler{Client: shared.client, Duty: book, Clock: w.clock}
	escalations := routes.NewBook(shared.client, shared.cached.GetCache(), book)
	w.routes = &escalationroute.Reconciler{Client: shared.client, Routes: escalations, Clock: w.clock}
	w.arrivals = arrivals.NewBoard()
	w.reconciler = socialchannel.New(socialchannel.Config{
		Client:    &mortalClient{Client: shared.client, world: w},
		Secrets:   &mortalClient{Client: &readingClient{Client: shared.secrets, world: w}, world: w},
		Live:      shared.cached.GetAPIReader(),
		Metadata:  shared.cached.GetCache(),
		Platforms: platform.NewDirectory(platform.Registry{string(v1alpha1.PlatformBluesky): w.server.Factory}),
		Duty:      book,
		Routes:    escalations,
		Brake:     w.brake,
		Namespace: w.in("rostra"),
		Gateway:   w.gateway(),
		Inbox:     w.inbox,
		Arrivals:  w.arrivals,
		Drifts:    w,
		Recorder:  w.recorder,
		Clock:     w.clock,
	})
}

func (w *world) create(object client.Object) {
	GinkgoHelper()
	Expect(clientFor(object).Create(w.ctx, object)).To(Succeed())
}

// clientFor is the client with which a person changes an object: one whose
// writes the operator's cache waits for, but not for Secrets.
func clientFor(object client.Object) client.Client {
	if _, ok := object.(*corev1.Secret); ok {
		return shared.secrets
	}
	return shared.client
}

// edit changes an object as a person would.
func edit[T client.Object](w *world, key client.ObjectKey, object T, change func(T)) {
	GinkgoHelper()
	Expect(shared.client.Get(w.ctx, key, object)).To(Succeed())
	before, ok := object.DeepCopyObject().(T)
	Expect(ok).To(BeTrue())
	change(object)
	Expect(shared.client.Patch(w.ctx, object, client.MergeFrom(before))).To(Succeed())
}

func (w *world) editChannel(change func(*v1alpha1.SocialChannel)) {
	GinkgoHelper()
	edit(w, w.key(), &v1alpha1.SocialChannel{}, change)
}

func (w *world) editTeam(name string, change func(*v1alpha1.Team)) {
	GinkgoHelper()
	edit(w, client.ObjectKey{Name: w.in(name)}, &v1alpha1.Team{}, change)
}

// handOver names another owner.
func (w *world) handOver(team string) {
	GinkgoHelper()
	w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = w.in(team) })
}

// get reads the channel as stored.
func (w *world) get() *v1alpha1.SocialChannel {
	GinkgoHelper()
	channel := &v1alpha1.SocialChannel{}
	Expect(shared.cached.GetAPIReader().Get(w.ctx, w.key(), channel)).To(Succeed())
	return channel
}

// sync waits until the caches show what is stored. To list a kind waits for all
// writes of the client, which are also a person's here; to look at one object
// waits for those of that object alone.
func (w *world) sync() {
	GinkgoHelper()
	for _, list := range []client.ObjectList{
		&v1alpha1.SocialChannelList{}, &v1alpha1.SocialPlatformList{}, &v1alpha1.TeamList{}, &v1alpha1.ResponderRotaList{},
		&v1alpha1.RotaOverrideList{}, &v1alpha1.EscalationRouteList{}, &v1alpha1.PublishingFreezeList{},
	} {
		Expect(shared.client.List(w.ctx, list, client.UnsafeDisableDeepCopy)).To(Succeed())
	}
	for _, namespace := range w.namespaces {
		stored := &corev1.SecretList{}
		Expect(shared.cached.GetAPIReader().List(w.ctx, stored, client.InNamespace(namespace))).To(Succeed())
		want := map[string]string{}
		for i := range stored.Items {
			want[stored.Items[i].Name] = stored.Items[i].ResourceVersion
		}
		Eventually(func(g Gomega) {
			cached := &metav1.PartialObjectMetadataList{}
			cached.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
			g.Expect(shared.cached.GetCache().List(w.ctx, cached, client.InNamespace(namespace))).To(Succeed())
			have := map[string]string{}
			for i := range cached.Items {
				have[cached.Items[i].Name] = cached.Items[i].ResourceVersion
			}
			g.Expect(have).To(Equal(want))
			object := &metav1.PartialObjectMetadata{}
			object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
			g.Expect(shared.cached.GetCache().Get(w.ctx, client.ObjectKey{Name: namespace}, object)).To(Succeed())
		}).Should(Succeed())
	}
}

// reconcile reconciles a channel once. It tells whether the operator died; if
// so another one is started.
func (w *world) reconcile(key client.ObjectKey) (result reconcile.Result, died bool) {
	GinkgoHelper()
	w.sync()
	defer func() {
		if reason := recover(); reason != nil {
			if _, ok := reason.(death); !ok {
				panic(reason)
			}
			died = true
			w.startOperator()
		}
	}()
	result, err := w.arrivals.Around(w.reconciler).Reconcile(w.ctx, reconcile.Request{NamespacedName: key})
	Expect(err).NotTo(HaveOccurred())
	w.checkKstatus(key)
	return result, false
}

// soon is what counts as work still under way; anything later is a schedule.
const soon = 10 * time.Minute

// settle reconciles until nothing is under way, and moves the clock as the
// operator asks. It gives the wait until the next scheduled look.
func (w *world) settle() time.Duration {
	GinkgoHelper()
	return w.settleKey(w.key())
}

func (w *world) settleKey(key client.ObjectKey) time.Duration {
	GinkgoHelper()
	for range 60 {
		result, died := w.reconcile(key)
		switch {
		case died:
		case result.RequeueAfter == 0 || result.RequeueAfter > soon:
			return result.RequeueAfter
		default:
			w.pass(result.RequeueAfter)
		}
	}
	Fail("the channel does not settle")
	return 0
}

// pass lets time go by.
func (w *world) pass(d time.Duration) { w.clock.SetTime(w.clock.Now().Add(d)) }

// live lets the operator live through a span of time, as it asks.
func (w *world) live(span time.Duration) {
	GinkgoHelper()
	end := w.clock.Now().Add(span)
	for range 200 {
		result, died := w.reconcile(w.key())
		wait := result.RequeueAfter
		resting := wait == 0 || wait > time.Second
		switch {
		case died:
		case !w.clock.Now().Before(end) && resting:
			return
		case resting && w.clock.Now().Add(wait).After(end), wait == 0:
			w.clock.SetTime(end)
		default:
			w.pass(wait)
		}
	}
	Fail("the operator never rests")
}

// delivered gives the secret at a place, or nothing.
func (w *world) delivered(namespace, name string) string {
	GinkgoHelper()
	secret := &corev1.Secret{}
	err := shared.cached.GetAPIReader().Get(w.ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return ""
	}
	Expect(err).NotTo(HaveOccurred())
	return string(secret.Data[simulated.KeyToken])
}

func (w *world) with(team string) string {
	GinkgoHelper()
	return w.delivered(w.in(team), "help-credential")
}

// check is what must be true between any two steps: the effective owner holds
// a credential that works.
func (w *world) check() {
	GinkgoHelper()
	channel := &v1alpha1.SocialChannel{}
	err := shared.cached.GetAPIReader().Get(w.ctx, w.key(), channel)
	if err != nil || channel.Status.Credential == nil || !channel.DeletionTimestamp.IsZero() || w.killer.drift {
		return
	}
	recorded := channel.Status.Credential
	secret := w.delivered(recorded.Secret.Namespace, recorded.Secret.Name)
	w.seen[secret] = true
	if w.excused(channel) {
		return
	}
	Expect(w.server.Works(w.account(), secret)).To(BeTrue(),
		"team %s must hold a working credential between any two steps", channel.Status.Owner)
}

// checkKstatus is what tools that read kstatus rely on.
func (w *world) checkKstatus(key client.ObjectKey) {
	GinkgoHelper()
	channel := &v1alpha1.SocialChannel{}
	err := shared.cached.GetAPIReader().Get(w.ctx, key, channel)
	if apierrors.IsNotFound(err) {
		return
	}
	Expect(err).NotTo(HaveOccurred())
	conditions := channel.Status.Conditions
	for _, condition := range conditions {
		Expect(condition.ObservedGeneration).To(BeNumerically(">", 0), condition.Type)
	}
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Reason == v1alpha1.ReasonSuspended || ready.Reason == v1alpha1.ReasonDeleting {
		return
	}
	reconciling := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling)
	stalled := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)
	if ready.Status == metav1.ConditionTrue {
		Expect(reconciling || stalled).To(BeFalse(), "a ready object is neither reconciling nor stalled")
		return
	}
	Expect(reconciling).NotTo(Equal(stalled), "an object that is not ready is either reconciling or stalled: %v", conditions)
}

// condition gives a condition of the channel as stored.
func (w *world) condition(kind string) metav1.Condition {
	GinkgoHelper()
	condition := meta.FindStatusCondition(w.get().Status.Conditions, kind)
	Expect(condition).NotTo(BeNil(), kind)
	return *condition
}

// expect is what a condition must say.
func (w *world) expect(kind string, status metav1.ConditionStatus, reason string) {
	GinkgoHelper()
	condition := w.condition(kind)
	Expect(condition.Status).To(Equal(status), "%s: %s: %s", kind, condition.Reason, condition.Message)
	Expect(condition.Reason).To(Equal(reason), condition.Message)
}

func (w *world) expectReady() {
	GinkgoHelper()
	w.expect(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInOrder)
}

// recorder keeps Events.
type recorder struct {
	events.FakeRecorder
	notes []string
}

// Eventf implements events.EventRecorder.
func (r *recorder) Eventf(_, _ runtimeObject, kind, reason, _, note string, args ...any) {
	r.notes = append(r.notes, kind+" "+reason+" "+fmt.Sprintf(note, args...))
}
