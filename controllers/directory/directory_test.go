// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package directory_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/directory"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/forward"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/notify"
	"github.com/rostra-dev/rostra/internal/platform"
)

func TestDirectory(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "directory")
}

const (
	uid    = "0b1f6a52-9c1d-4b7e-8f0a-3d2c1b0a9f8e"
	hidden = "hunter2-hunter2"
	whsec  = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

var help = types.NamespacedName{Namespace: "social", Name: "help"}

// world is a cluster with a channel in it, its team, platform and Secrets.
type world struct {
	client.Client

	directory *directory.Directory
	clock     *testclock.FakePassiveClock
	adapter   *adapter
	metrics   *prometheus.Registry
	log       []string
	// failing is what the API answers to reads of that kind.
	failing map[string]error
	// written counts what was written.
	written int
}

func newWorld(objects ...client.Object) *world {
	GinkgoHelper()
	scheme := runtime.NewScheme()
	Expect(corev1.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	w := &world{
		clock: testclock.NewFakePassiveClock(time.Date(2026, 11, 20, 0, 30, 0, 0, time.UTC)), adapter: &adapter{},
		metrics: prometheus.NewRegistry(), failing: map[string]error{},
	}
	present := map[string]bool{}
	for _, object := range objects {
		present[key(object)] = true
	}
	for _, usual := range []client.Object{channel(), care(), mastodonPlatform(), secret("help-source", "access-token", hidden)} {
		if !present[key(usual)] {
			objects = append(objects, usual)
		}
	}
	writes := func() error { w.written++; return nil }
	w.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&v1alpha1.RotaOverride{}, "rota", func(client.Object) []string { return nil }).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(ctx context.Context, below client.WithWatch, name client.ObjectKey, object client.Object, options ...client.GetOption) error {
				if err := w.failing[strings.TrimPrefix(typeOf(object), "*")]; err != nil {
					return err
				}
				return below.Get(ctx, name, object, options...)
			},
			Create: func(ctx context.Context, below client.WithWatch, object client.Object, options ...client.CreateOption) error {
				return errors.Join(writes(), below.Create(ctx, object, options...))
			},
			Update: func(ctx context.Context, below client.WithWatch, object client.Object, options ...client.UpdateOption) error {
				return errors.Join(writes(), below.Update(ctx, object, options...))
			},
		}).Build()
	way, err := httpx.New(httpx.Options{UserAgent: "rostra-test"})
	Expect(err).NotTo(HaveOccurred())
	opener, err := notify.New(notify.Options{HTTP: way})
	Expect(err).NotTo(HaveOccurred())
	completed := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rostra_events_completed_total", Help: "-"}, []string{"outcome"})
	w.metrics.MustRegister(completed)
	w.directory = &directory.Directory{
		Client: w.Client, Metadata: w.Client, Routes: routes.NewBook(w.Client, w.Client, duty.NewBook(w.Client)),
		Secrets: &secretstore.Store{Client: w.Client}, Notifiers: opener,
		Platforms: platform.NewDirectory(platform.Registry{"Mastodon": func(string) (platform.Platform, error) { return w.adapter, nil }}),
		Namespace: "rostra-system", Clock: w.clock, Completed: completed,
		Logger: funcr.New(func(_, args string) { w.log = append(w.log, args) }, funcr.Options{Verbosity: 1}),
	}
	return w
}

func key(object client.Object) string {
	return typeOf(object) + " " + client.ObjectKeyFromObject(object).String()
}

func typeOf(object client.Object) string {
	switch object.(type) {
	case *corev1.Secret:
		return "Secret"
	case *v1alpha1.SocialChannel:
		return "SocialChannel"
	case *v1alpha1.SocialPlatform:
		return "SocialPlatform"
	case *v1alpha1.Team:
		return "Team"
	}
	return "other"
}

func channel(changes ...func(*v1alpha1.SocialChannel)) *v1alpha1.SocialChannel {
	made := &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "help", UID: uid}}
	made.Spec.PlatformRef.Name = "mastodon"
	made.Spec.Handle, made.Spec.Purpose = "@help", "support"
	made.Spec.Credentials.SourceSecretRef.Name = "help-source"
	made.Status.Owner = "care"
	made.Status.Account = &v1alpha1.ChannelAccount{ID: "1", Handle: "help"}
	made.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionIdentityVerified, Status: metav1.ConditionTrue, Reason: "Verified"}}
	for _, change := range changes {
		change(made)
	}
	return made
}

func care(changes ...func(*v1alpha1.Team)) *v1alpha1.Team {
	made := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: "care", UID: "team"}}
	made.Spec.Namespace, made.Spec.Manager = "care", "maria"
	made.Spec.Members = []v1alpha1.TeamMember{{Name: "maria", Email: "maria@acme.example"}, {Name: "sam"}}
	for _, change := range changes {
		change(made)
	}
	return made
}

func mastodonPlatform() *v1alpha1.SocialPlatform {
	made := &v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: "mastodon"}}
	made.Spec.Type = v1alpha1.PlatformMastodon
	made.Spec.Mastodon = &v1alpha1.MastodonPlatform{Server: "https://social.acme.example"}
	return made
}

func secret(name string, pairs ...string) *corev1.Secret {
	made := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: name}, Data: map[string][]byte{}}
	for i := 0; i < len(pairs); i += 2 {
		made.Data[pairs[i]] = []byte(pairs[i+1])
	}
	return made
}

// ofTeam puts a Secret where the team is.
func ofTeam(made *corev1.Secret) *corev1.Secret {
	made.Namespace = "care"
	return made
}

func reference(name, key string) v1alpha1.SecretKeyReference {
	return v1alpha1.SecretKeyReference{Name: name, Key: key}
}

// notifying lets maria be told in these ways.
func notifying(ways ...v1alpha1.SecretKeyReference) *v1alpha1.Team {
	return care(func(t *v1alpha1.Team) {
		for _, way := range ways {
			t.Spec.Members[0].Notify = append(t.Spec.Members[0].Notify, v1alpha1.NotifyTarget{SecretRef: way})
		}
	})
}

var _ = Describe("A channel", func() {
	It("is told with all that holds of it", func(ctx SpecContext) {
		route := &v1alpha1.EscalationRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "night", UID: "route"}}
		route.Spec.Fallback = v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: "care"}, Role: v1alpha1.RoleManager}
		route.Spec.Excerpt = v1alpha1.ExcerptNone
		promise := &v1alpha1.ContentPolicy{ObjectMeta: metav1.ObjectMeta{Name: "promise"}}
		promise.Spec.ChannelSelector = &metav1.LabelSelector{}
		promise.Spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"reach": "public"}}
		space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "social", Labels: promise.Spec.NamespaceSelector.MatchLabels}}
		promise.Spec.Response = &v1alpha1.ResponsePolicy{FirstResponse: &metav1.Duration{Duration: time.Hour}}
		w := newWorld(route, promise, space, channel(func(c *v1alpha1.SocialChannel) { c.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "night"} }))
		found, err := w.directory.Channel(ctx, help, uid)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Escalation).To(Equal(escalation.Channel{Namespace: "social", Name: "help", Purpose: "support", Handle: "@help", Owner: "care"}))
		Expect(found.UID).To(Equal(uid))
		Expect(found.Platform).To(Equal("Mastodon"))
		Expect(found.Handle).To(Equal("@help"))
		Expect(found.Manager).To(Equal(escalation.Person{Team: "care", Name: "maria"}))
		Expect(found.Target).To(Equal(time.Hour))
		Expect(found.RouteName).To(Equal("night"))
		Expect(found.Route).NotTo(BeNil())
		Expect(found.Sources.Team("care").Name).To(Equal("care"))
		Expect(found.Excerpt).To(BeFalse())
	})

	It("names its route where that is not there, and lets nothing out that it may forbid", func(ctx SpecContext) {
		w := newWorld(channel(func(c *v1alpha1.SocialChannel) { c.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "night"} }))
		found, err := w.directory.Channel(ctx, help, uid)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.RouteName).To(Equal("night"))
		Expect(found.Route).To(BeNil())
		Expect(found.Excerpt).To(BeFalse())
	})

	It("is told as far as it goes where there is less", func(ctx SpecContext) {
		w := newWorld(channel(func(c *v1alpha1.SocialChannel) {
			c.Status.Owner, c.Spec.PlatformRef.Name = "", "gone"
			c.Spec.EscalationRouteRef = &v1alpha1.LocalReference{Name: "gone"}
		}))
		found, err := w.directory.Channel(ctx, help, uid)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(Equal(&dispatch.Channel{
			Escalation: escalation.Channel{Namespace: "social", Name: "help", Purpose: "support", Handle: "@help"},
			UID:        uid, Platform: "gone", Handle: "@help", RouteName: "gone",
		}))
	})

	DescribeTable("is nobody where it", func(ctx SpecContext, name types.NamespacedName, asked string, object *v1alpha1.SocialChannel) {
		w := newWorld(object)
		Expect(w.directory.Channel(ctx, name, asked)).To(BeNil())
		Expect(w.directory.Owner(ctx, name, asked)).To(BeNil())
	},
		Entry("is gone", types.NamespacedName{Namespace: "social", Name: "gone"}, uid, channel()),
		Entry("is another of that name", help, "another", channel()),
		Entry("is being deleted", help, uid, channel(func(c *v1alpha1.SocialChannel) {
			c.DeletionTimestamp, c.Finalizers = &metav1.Time{Time: time.Now()}, []string{"social.rostra.dev/channel"}
		})),
	)

	DescribeTable("is an error where the cache cannot be read", func(ctx SpecContext, kind string) {
		w := newWorld()
		w.failing[kind] = errors.New("the cache is not there")
		_, err := w.directory.Channel(ctx, help, uid)
		Expect(err).To(MatchError("the cache is not there"))
		_, err = w.directory.Owner(ctx, help, uid)
		Expect(err).To(MatchError("the cache is not there"))
	}, Entry(nil, "SocialChannel"), Entry(nil, "SocialPlatform"), Entry(nil, "Team"))
})

var _ = Describe("The ways to a person", func() {
	maria := escalation.Person{Team: "care", Name: "maria"}
	slack := ofTeam(secret("slack", "url", "slack+https://hooks.slack.example/services/T/B/"+hidden))
	hook := ofTeam(secret("hook", "url", "https://pager.acme.example/"+hidden))

	It("are those of the Team, in their order", func(ctx SpecContext) {
		w := newWorld(notifying(reference("slack", "url"), reference("hook", "url")), slack.DeepCopy(), hook.DeepCopy())
		ways, recipient, err := w.directory.Ways(ctx, maria)
		Expect(err).NotTo(HaveOccurred())
		Expect(recipient).To(Equal(dispatch.Recipient{Email: "maria@acme.example"}))
		Expect(ways).To(HaveExactElements(HaveField("Way()", "slack"), HaveField("Way()", "webhook")))
	})

	It("do not keep each other from being taken", func(ctx SpecContext) {
		w := newWorld(notifying(reference("gone", "url"), reference("hook", "url")), hook.DeepCopy())
		ways, _, err := w.directory.Ways(ctx, maria)
		Expect(err).NotTo(HaveOccurred())
		Expect(ways).To(HaveExactElements(HaveField("Way()", "webhook")))
	})

	It("say what is wrong where none can be taken, and nothing of the address", func(ctx SpecContext) {
		odd := ofTeam(secret("odd", "url", "carrier-pigeon://"+hidden))
		w := newWorld(notifying(reference("gone", "url"), reference("odd", "url")), odd)
		ways, recipient, err := w.directory.Ways(ctx, maria)
		Expect(ways).To(BeEmpty())
		Expect(recipient.Email).To(Equal("maria@acme.example"))
		Expect(err).To(MatchError(And(ContainSubstring("care/gone"), ContainSubstring("begins with none of"), Not(ContainSubstring(hidden)))))

		_, _, err = w.directory.Ways(ctx, escalation.Person{Team: "care", Name: "sam"})
		Expect(err).To(MatchError(ContainSubstring("spec.members[].notify")))
	})

	It("are none for who is not there", func(ctx SpecContext) {
		w := newWorld()
		for _, nobody := range []escalation.Person{{}, {Team: "gone", Name: "maria"}, {Team: "care", Name: "gone"}} {
			ways, recipient, err := w.directory.Ways(ctx, nobody)
			Expect(err).NotTo(HaveOccurred())
			Expect(ways).To(BeEmpty())
			Expect(recipient).To(BeZero())
		}
		w.failing["Team"] = errors.New("the cache is not there")
		_, _, err := w.directory.Ways(ctx, maria)
		Expect(err).To(MatchError("the cache is not there"))
	})
})

var _ = Describe("A team's own tool", func() {
	withSink := func(t *v1alpha1.Team) { t.Spec.EventSink = &v1alpha1.EventSink{SecretRef: reference("sink", "url")} }

	It("is that of who effectively owns the channel", func(ctx SpecContext) {
		at := forward.Channel{Namespace: "social", Name: "help", UID: uid, Handle: "@help", Platform: "Mastodon", Owner: "care"}
		Expect(newWorld().directory.Owner(ctx, help, uid)).To(Equal(&forward.Owner{Team: "care", Channel: at}))
		w := newWorld(care(withSink), channel(func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = "press" }))
		Expect(w.directory.Owner(ctx, help, uid)).To(Equal(&forward.Owner{Team: "care", Sink: true, Channel: at}))
	})

	It("is nobody's where nobody owns the channel", func(ctx SpecContext) {
		for _, owner := range []string{"", "gone"} {
			w := newWorld(channel(func(c *v1alpha1.SocialChannel) { c.Status.Owner = owner }))
			Expect(w.directory.Owner(ctx, help, uid)).To(BeNil())
		}
	})

	It("is listed by its team", func(ctx SpecContext) {
		Expect(newWorld().directory.Sinks(ctx)).To(BeEmpty())
		press := care(withSink)
		press.Name, press.UID = "press", "press"
		Expect(newWorld(press).directory.Sinks(ctx)).To(ConsistOf("press"))
	})

	It("is where its Secret says, and is signed with all keys that are there", func(ctx SpecContext) {
		w := newWorld(care(withSink), ofTeam(secret("sink", "url", "https://desk.acme.example/in\n", "signingSecret", whsec+" "+whsec+"\n")))
		target, err := w.directory.Sink(ctx, "care")
		Expect(err).NotTo(HaveOccurred())
		Expect(target.URL.Reveal()).To(Equal("https://desk.acme.example/in"))
		Expect(target.Secrets).To(HaveExactElements(HaveField("Reveal()", whsec), HaveField("Reveal()", whsec)))

		w = newWorld(care(withSink), ofTeam(secret("sink", "url", "https://desk.acme.example/in")))
		Expect(w.directory.Sink(ctx, "care")).To(HaveField("Secrets", BeEmpty()))
	})

	It("is none where none is declared", func(ctx SpecContext) {
		w := newWorld()
		Expect(w.directory.Sink(ctx, "care")).To(BeNil())
		Expect(w.directory.Sink(ctx, "gone")).To(BeNil())
	})

	It("says what the team must put right, and waits through what passes", func(ctx SpecContext) {
		w := newWorld(care(withSink))
		_, err := w.directory.Sink(ctx, "care")
		Expect(err).To(MatchError(And(ContainSubstring("spec.eventSink of team care"), ContainSubstring("care/sink"))))
		Expect(err).To(MatchError(forward.ErrUnusable))
		w.failing["Secret"] = errors.New("the API server is away")
		_, err = w.directory.Sink(ctx, "care")
		Expect(err).To(HaveOccurred())
		Expect(err).NotTo(MatchError(forward.ErrUnusable))
	})
})
