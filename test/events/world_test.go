// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	metaplatform "github.com/rostra-dev/rostra/internal/platform/meta"
	"github.com/rostra-dev/rostra/internal/platform/x"
)

// world is what one spec works with: a company, and an operator with a gateway
// and an inbox. Its clock can be put forward.
type world struct {
	name  string
	clock *shiftedClock
	// address of the gateway, and base, its URL.
	address, base string
	// desk is where `rostra inbox` asks.
	desk string
	// elsewhere tells that another process serves the gateway, and nats where
	// events are kept then.
	elsewhere bool
	nats      string

	dir      string
	inbox    *inbox.Inbox
	registry *prometheus.Registry
	asked    *askedOf
	stop     func()
	// secrets are texts that must be nowhere but in Secrets.
	secrets []string
}

var worlds int

// newWorld makes a company. start starts the operator, once the platforms are
// there.
func newWorld(ctx context.Context) *world {
	GinkgoHelper()
	worlds++
	w := &world{name: fmt.Sprintf("w%d", worlds), clock: &shiftedClock{}, address: freeAddress(ctx), dir: GinkgoT().TempDir()}
	w.base = "http://" + w.address
	w.desk = freeAddress(ctx)
	for _, namespace := range []string{"social", "care"} {
		w.create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.in(namespace)}})
	}
	w.create(ctx, &v1alpha1.Team{
		ObjectMeta: metav1.ObjectMeta{Name: w.in("care")},
		Spec: v1alpha1.TeamSpec{
			Namespace: w.in("care"), Manager: "maria", Members: []v1alpha1.TeamMember{{Name: "maria", Email: "maria@acme.example"}},
			Accepts: []v1alpha1.AcceptedChannels{{Namespace: w.in("social"), Channels: []string{"*"}}},
		},
	})
	return w
}

func (w *world) in(name string) string { return w.name + "-" + name }

// start opens the inbox and starts the operator, as the one that is shipped
// does.
func (w *world) start() {
	GinkgoHelper()
	// Each process has a registry of its own.
	w.registry = prometheus.NewRegistry()
	metrics.Registry = w.registry
	running, cancel := context.WithCancel(context.Background())
	options := inbox.Options{Dir: w.dir}
	if w.nats != "" {
		options = inbox.Options{URL: w.nats}
	}
	var err error
	w.inbox, err = inbox.Open(running, options)
	Expect(err).NotTo(HaveOccurred())
	w.asked = &askedOf{}
	config := rest.CopyConfig(parts.operator)
	config.QPS = -1
	config.Wrap(w.asked.around)
	reach := &controllers.GatewayOptions{BaseURL: w.base, Client: parts.outbound}
	if !w.elsewhere {
		reach.Address = w.address
	}
	mgr, err := controllers.NewManager(running, config, controllers.Options{
		Platforms: platform.Registry{
			string(v1alpha1.PlatformMastodon): mastodon.NewFactory(parts.outbound, w.clock),
			string(v1alpha1.PlatformMeta):     metaplatform.NewFactory(parts.outbound, w.clock),
			string(v1alpha1.PlatformX):        x.NewFactory(parts.outbound, w.clock),
		},
		Namespace: systemNamespace, Gateway: reach, Inbox: w.inbox, Clock: w.clock,
		Answering: &controllers.AnsweringOptions{
			Outbound: parts.outbound, MailFrom: "Rostra <rostra@acme.example>", DeskAddress: w.desk, Process: "night",
		},
		MetricsAddress: "0", ProbeAddress: "0", SkipNameValidation: true,
	})
	Expect(err).NotTo(HaveOccurred())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	w.stop = sync.OnceFunc(func() {
		GinkgoHelper()
		cancel()
		Eventually(done).Should(Receive(BeNil()))
		Expect(w.inbox.Close()).To(Succeed())
	})
	DeferCleanup(w.stop)
	DeferCleanup(w.leave)
}

// leave removes the channels while the operator can still let them go, and sees
// to it that nothing was told that must not be.
func (w *world) leave(ctx context.Context) {
	GinkgoHelper()
	w.keepsSecrets(ctx)
	Expect(parts.client.DeleteAllOf(ctx, &v1alpha1.SocialChannel{}, client.InNamespace(w.in("social")))).To(Succeed())
	Eventually(func(g Gomega) {
		left := &v1alpha1.SocialChannelList{}
		g.Expect(parts.client.List(ctx, left, client.InNamespace(w.in("social")))).To(Succeed())
		g.Expect(left.Items).To(BeEmpty())
	}).Should(Succeed())
	Expect(parts.client.DeleteAllOf(ctx, &v1alpha1.SocialPlatform{})).To(Succeed())
}

// keepsSecrets looks for secrets where none may be: in the log, in Events, in
// objects that are not Secrets, in metrics, and in the inbox.
func (w *world) keepsSecrets(ctx context.Context) {
	GinkgoHelper()
	told := map[string]string{
		"the log":      parts.log.String(),
		"the channels": kubectl(ctx, "get", "socialchannels,socialplatforms,teams,escalationroutes,responderrotas,contentpolicies", "-A", "-o", "json"),
		"the metrics":  w.measured(),
		"the Events":   kubectl(ctx, "get", "events.v1.events.k8s.io", "-A", "-o", "json"),
	}
	for _, secret := range w.secrets {
		for where, text := range told {
			Expect(text).NotTo(ContainSubstring(secret), "a secret is in "+where)
		}
		Expect(filesWith(w.dir, secret)).To(BeEmpty(), "a secret is in the inbox")
	}
}

// measured gives all metrics with their labels.
func (w *world) measured() string {
	GinkgoHelper()
	families, err := w.registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	return fmt.Sprint(families)
}

// filesWith names the files below a folder that hold a text.
func filesWith(dir, text string) []string {
	GinkgoHelper()
	var found []string
	Expect(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			found = append(found, path)
		}
		return err
	})).To(Succeed())
	return found
}

func (w *world) create(ctx context.Context, object client.Object) {
	GinkgoHelper()
	Expect(parts.client.Create(ctx, object)).To(Succeed())
}

// secret makes a Secret, and remembers what is in it.
func (w *world) secret(ctx context.Context, namespace, name string, data map[string]string) {
	GinkgoHelper()
	w.create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data})
	for key, value := range data {
		if key != platform.ApplicationID {
			w.secrets = append(w.secrets, value)
		}
	}
}

func (w *world) platform(ctx context.Context, name string, spec v1alpha1.SocialPlatformSpec) *v1alpha1.SocialPlatform {
	GinkgoHelper()
	spec.AllowedNamespaces = &metav1.LabelSelector{}
	social := &v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: w.in(name)}, Spec: spec}
	w.create(ctx, social)
	return social
}

// channel is one that subscribes to mentions.
func (w *world) channel(name, platformName, handle string) *v1alpha1.SocialChannel {
	return &v1alpha1.SocialChannel{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.in("social"), Name: name},
		Spec: v1alpha1.SocialChannelSpec{
			PlatformRef: v1alpha1.ClusterReference{Name: w.in(platformName)},
			Handle:      handle,
			OwnerRef:    v1alpha1.ClusterReference{Name: w.in("care")},
			Credentials: v1alpha1.ChannelCredentials{
				SourceSecretRef: v1alpha1.SecretReference{Name: name + "-source"},
				Delivery:        v1alpha1.CredentialDelivery{SecretName: name},
			},
			Subscription: &v1alpha1.ChannelSubscription{Events: []v1alpha1.SubscribedEvent{v1alpha1.SubscribedMention}},
		},
	}
}

func (w *world) get(ctx context.Context, name string) *v1alpha1.SocialChannel {
	GinkgoHelper()
	channel := &v1alpha1.SocialChannel{}
	Expect(parts.client.Get(ctx, client.ObjectKey{Namespace: w.in("social"), Name: name}, channel)).To(Succeed())
	return channel
}

// edit changes a channel as a person would.
func (w *world) edit(ctx context.Context, name string, change func(*v1alpha1.SocialChannel)) {
	GinkgoHelper()
	channel := w.get(ctx, name)
	before := channel.DeepCopy()
	change(channel)
	Expect(parts.client.Patch(ctx, channel, client.MergeFrom(before))).To(Succeed())
}

// quiet waits until the operator has nothing to ask of the API server.
func (w *world) quiet() int64 {
	GinkgoHelper()
	last := int64(-1)
	Eventually(func() bool {
		now := w.asked.requests.Load()
		same := now == last
		last = now
		return same
	}).WithPolling(100 * time.Millisecond).MustPassRepeatedly(5).Should(BeTrue())
	return last
}

// pass lets time go by. The operator sleeps by the machine's clock, so it is
// woken for what was due meanwhile, once it has done what was due before.
func (w *world) pass(ctx context.Context, by time.Duration, names ...string) {
	GinkgoHelper()
	w.quiet()
	w.clock.advance(by)
	for _, name := range names {
		w.edit(ctx, name, func(c *v1alpha1.SocialChannel) {
			metav1.SetMetaDataLabel(&c.ObjectMeta, "woken", fmt.Sprint(w.clock.Now().UnixNano()))
		})
	}
}

// reports waits until a condition of a channel says so, of the generation at
// hand.
func (w *world) reports(ctx context.Context, name, kind string, state metav1.ConditionStatus, reason string) string {
	GinkgoHelper()
	message := ""
	Eventually(func(g Gomega) {
		channel := w.get(ctx, name)
		condition := meta.FindStatusCondition(channel.Status.Conditions, kind)
		g.Expect(condition).NotTo(BeNil())
		g.Expect(condition.ObservedGeneration).To(Equal(channel.Generation))
		g.Expect(condition.Reason).To(Equal(reason), condition.Message)
		g.Expect(condition.Status).To(Equal(state), condition.Message)
		message = condition.Message
	}).Should(Succeed())
	return message
}

// ready waits until all of a channel is in order, its subscription too, and the
// gateway knows of it.
func (w *world) ready(ctx context.Context, name string) *v1alpha1.SocialChannel {
	GinkgoHelper()
	w.reports(ctx, name, v1alpha1.ConditionSubscriptionReady, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
	w.reports(ctx, name, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInOrder)
	channel := w.get(ctx, name)
	Eventually(w.gatewayKnows).WithArguments(ctx, channel).Should(Succeed())
	return channel
}

var errNotKnown = errors.New("the gateway does not know the channel's keys")

// gatewayKnows asks the gateway for proof that it knows the keys of a channel.
func (w *world) gatewayKnows(ctx context.Context, channel *v1alpha1.SocialChannel) error {
	kept, err := w.record(ctx, channel)
	if err != nil {
		return err
	}
	record, err := hook.Decode(kept.Data)
	if err != nil {
		return err
	}
	key, nonce := gatewayKey(ctx), rand.Text()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, hook.URL(w.base, record.Platform, key, record.HookID), http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set(hook.ProbeHeader, string(channel.UID)+"."+nonce)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	proof, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err == nil && string(proof) != hook.Proof(key, string(channel.UID), nonce, record.Digest(key)) {
		err = errNotKnown
	}
	return err
}

func gatewayKey(ctx context.Context) []byte {
	GinkgoHelper()
	kept := &corev1.Secret{}
	Expect(parts.client.Get(ctx, client.ObjectKey{Namespace: systemNamespace, Name: "rostra-gateway"}, kept)).To(Succeed())
	return kept.Data["key"]
}

// callback is where a hook's events are sent, and remembers its token.
func (w *world) callback(ctx context.Context, platformType v1alpha1.SocialPlatformType, hookID string) string {
	GinkgoHelper()
	key := gatewayKey(ctx)
	w.secrets = append(w.secrets, hook.Token(key, hookID))
	return hook.URL(w.base, string(platformType), key, hookID)
}

// record gives the hook record of a channel.
func (w *world) record(ctx context.Context, channel *v1alpha1.SocialChannel) (*corev1.Secret, error) {
	found := &corev1.Secret{}
	err := parts.client.Get(ctx, client.ObjectKey{Namespace: systemNamespace, Name: "rostra-hook-" + string(channel.UID)}, found)
	return found, err
}

// delivered gives a value of the Secret that the owner holds, or nothing.
func (w *world) delivered(ctx context.Context, name, key string) string {
	GinkgoHelper()
	found := &corev1.Secret{}
	err := parts.client.Get(ctx, client.ObjectKey{Namespace: w.in("care"), Name: name}, found)
	if apierrors.IsNotFound(err) {
		return ""
	}
	Expect(err).NotTo(HaveOccurred())
	return string(found.Data[key])
}

// happened gives the reasons of the Events about a channel.
func (w *world) happened(ctx context.Context, name string) string {
	GinkgoHelper()
	return kubectl(ctx, "get", "events.v1.events.k8s.io", "-n", w.in("social"), "-o",
		`jsonpath={range .items[?(@.regarding.name=="`+name+`")]}{.reason}: {.note}{"\n"}{end}`)
}

// reader acts on events: it keeps how often each was handed out.
type reader struct {
	// rests is after how many events it acts on no more, as long as it runs;
	// zero for never. It is set while nothing is handed out.
	rests int

	mu     sync.Mutex
	events []event.Event
	times  map[string]int
}

// reads hands what is in the inbox to a reader, until the operator stops.
func (w *world) reads(name string, by *reader) {
	GinkgoHelper()
	box, done := w.inbox, make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		_ = box.Consume(ctx, name, inbox.Filter{}, by.handle) // it ends with the inbox
	}()
	DeferCleanup(func() {
		cancel()
		<-done
	})
}

func newReader() *reader { return &reader{times: map[string]int{}} }

func (r *reader) handle(ctx context.Context, e event.Event) error {
	if r.rests > 0 && len(r.all()) >= r.rests {
		<-ctx.Done()
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	r.times[e.ChannelUID+"/"+e.ID]++
	return nil
}

// all gives what was read so far.
func (r *reader) all() []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// texts gives the texts of what was read so far.
func (r *reader) texts() []string {
	var texts []string
	for _, e := range r.all() {
		texts = append(texts, e.Text)
	}
	return texts
}

// twice gives what was read more than once.
func (r *reader) twice() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for id, times := range r.times {
		if times > 1 {
			ids = append(ids, id)
		}
	}
	return ids
}

func asJSON(value any) string {
	GinkgoHelper()
	text, err := json.Marshal(value)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}
