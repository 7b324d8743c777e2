// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

// mastodonWorld is a company with an account on a Mastodon server.
type mastodonWorld struct {
	*world

	fake    *mastodonfake.Server
	account mastodonfake.Account
	token   string // where the account was not connected by consent

	mu     sync.Mutex
	pushes []mastodonfake.Push
}

func newMastodonWorld(ctx context.Context) *mastodonWorld {
	GinkgoHelper()
	return newMastodonWorldOn(ctx, func(*world) {})
}

// newMastodonWorldOn makes one whose operator is started in another way.
func newMastodonWorldOn(ctx context.Context, change func(*world)) *mastodonWorld {
	GinkgoHelper()
	m := &mastodonWorld{world: newWorld(ctx)}
	change(m.world)
	m.fake = mastodonfake.New(mastodonfake.WithClock(m.clock), mastodonfake.WithFlavour(mastodonfake.Mastodon44), mastodonfake.WithSender(m.send))
	DeferCleanup(m.fake.Close)
	m.account = m.fake.AddAccount("help")
	m.platform(ctx, "mastodon", v1alpha1.SocialPlatformSpec{
		Type: v1alpha1.PlatformMastodon, Mastodon: &v1alpha1.MastodonPlatform{Server: m.fake.URL()},
	})
	m.start()
	return m
}

// send pushes, and keeps what was pushed.
func (m *mastodonWorld) send(ctx context.Context, push mastodonfake.Push) (int, error) {
	m.mu.Lock()
	m.pushes = append(m.pushes, push)
	m.mu.Unlock()
	return mastodonfake.SendPush(ctx, push)
}

// lastPush is what was pushed last.
func (m *mastodonWorld) lastPush() mastodonfake.Push {
	GinkgoHelper()
	m.mu.Lock()
	defer m.mu.Unlock()
	Expect(m.pushes).NotTo(BeEmpty())
	return m.pushes[len(m.pushes)-1]
}

// sendAgain pushes as before, with the keys that were in force then, and says
// something else.
func (m *mastodonWorld) sendAgain(ctx context.Context, push mastodonfake.Push, id string) int {
	GinkgoHelper()
	push.At = m.clock.Now()
	push.Payload = []byte(`{"notification_id":` + id + `,"notification_type":"mention","body":"sent with the old keys","access_token":"` + m.token + `"}`)
	status, err := mastodonfake.SendPush(ctx, push)
	Expect(err).NotTo(HaveOccurred())
	return status
}

// subscribed makes a channel whose account was connected by hand, and waits
// until it is subscribed.
func (m *mastodonWorld) subscribed(ctx context.Context, changes ...func(*v1alpha1.SocialChannel)) *v1alpha1.SocialChannel {
	GinkgoHelper()
	app := m.fake.AddApp("rostra", "read", "write", "push")
	m.token = m.fake.IssueTokenOf(app, m.account, "read", "write", "push")
	m.secret(ctx, m.in("social"), "help-source", map[string]string{
		"access-token": m.token, "client-id": app.ClientID, "client-secret": app.ClientSecret,
	})
	channel := m.channel("help", "mastodon", "@help")
	for _, change := range changes {
		change(channel)
	}
	m.create(ctx, channel)
	return m.ready(ctx, "help")
}

func (m *mastodonWorld) subscription(ctx context.Context) *v1alpha1.ChannelSubscriptionStatus {
	GinkgoHelper()
	recorded := m.get(ctx, "help").Status.Subscription
	Expect(recorded).NotTo(BeNil())
	return recorded
}

// registration stands for what is registered; empty while that is under way.
func (m *mastodonWorld) registration(ctx context.Context) string {
	GinkgoHelper()
	return m.subscription(ctx).Registration
}

var _ = Describe("Connecting a Mastodon account", func() {
	It("takes a person's consent, and from then on what people write arrives once", func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		m.create(ctx, m.channel("help", "mastodon", "@help"))
		m.reports(ctx, "help", v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonSourceSecretMissing)
		link := m.link(ctx, "help")
		Expect(link.URL).To(HavePrefix(m.base + "/connect/"))
		Expect(link.Expires.Time).To(BeTemporally(">", m.clock.Now().Add(6*time.Hour)))

		By("consenting as a person with a browser")
		maria := newPerson()
		back, err := mastodonfake.Consent(ctx, maria.begins(ctx, link.URL), "help")
		Expect(err).NotTo(HaveOccurred())
		status, page := maria.opens(ctx, back)
		Expect(status).To(Equal(http.StatusOK), page)
		Expect(page).To(And(ContainSubstring("Connected: help"), ContainSubstring("team "+m.in("care"))))

		By("looking at what was stored")
		source := &corev1.Secret{}
		Expect(parts.client.Get(ctx, client.ObjectKey{Namespace: m.in("social"), Name: "help-source"}, source)).To(Succeed())
		Expect(source.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationConnected, m.in("social")+"/help"))
		token := string(source.Data["access-token"])
		Expect(m.fake.TokenWorks(token)).To(BeTrue())
		for _, value := range source.Data {
			m.secrets = append(m.secrets, string(value))
		}
		m.reports(ctx, "help", v1alpha1.ConditionIdentityVerified, metav1.ConditionTrue, v1alpha1.ReasonVerified)
		channel := m.ready(ctx, "help")
		Expect(channel.Status.Account.ID).To(Equal(m.account.ID))
		Expect(channel.Status.Authorization).To(BeNil(), "nobody need connect it again")
		Expect(m.delivered(ctx, "help", "MASTODON_ACCESS_TOKEN")).To(Equal(token))

		By("looking at the subscription")
		callback := m.callback(ctx, v1alpha1.PlatformMastodon, string(channel.UID))
		recorded := channel.Status.Subscription
		Expect(m.fake.Subscribed(token)).To(BeTrue())
		Expect(recorded.Callback).To(Equal(m.base + "/hooks/mastodon/…"))
		Expect(recorded.ID).NotTo(BeEmpty())
		Expect(recorded.LastVerified).NotTo(BeNil())
		Expect(recorded.LastEvent).To(BeNil())

		By("mentioning the account")
		customer := newReader()
		m.reads("answers", customer)
		mention := m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "Where is my order?"})
		Expect(m.fake.Pushed()).To(HaveExactElements(mastodonfake.Pushed{Endpoint: callback, Status: http.StatusCreated}))
		Expect(mastodonfake.SendPush(ctx, m.lastPush())).To(Equal(http.StatusCreated), "the same once more")
		m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "Hello?"})
		Eventually(customer.texts).Should(HaveExactElements("Where is my order?", "Hello?"))
		first := customer.all()[0]
		Expect(first.ReceivedAt).To(BeTemporally("~", m.clock.Now(), time.Minute))
		first.ReceivedAt = time.Time{}
		Expect(first).To(Equal(event.Event{
			ID: mention.ID, Kind: event.Mention, Type: "mention", Platform: "Mastodon", AccountID: m.account.ID,
			Channel: m.in("social") + "/help", ChannelUID: string(channel.UID), Text: "Where is my order?", ThreadID: mention.ID,
		}))
		Expect(asJSON(customer.all())).NotTo(ContainSubstring(token))
		Expect(string(m.lastPush().Payload)).To(ContainSubstring(token), "it was sent along")
		Eventually(func() *metav1.Time { return m.get(ctx, "help").Status.Subscription.LastEvent }).ShouldNot(BeNil())
	})

	It("refuses the consent of another account, and stores nothing", Label("S9"), func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		m.fake.AddAccount("eve")
		m.create(ctx, m.channel("help", "mastodon", "@help"))
		link := m.link(ctx, "help")
		eve := newPerson()
		back, err := mastodonfake.Consent(ctx, eve.begins(ctx, link.URL), "eve")
		Expect(err).NotTo(HaveOccurred())
		status, page := eve.opens(ctx, back)
		Expect(status).To(Equal(http.StatusForbidden))
		Expect(page).To(And(ContainSubstring("This is another account"), ContainSubstring("was ended at Mastodon")))
		_, page = eve.opens(ctx, back)
		Expect(page).NotTo(ContainSubstring("Connected"), "the way back works once")
		err = parts.client.Get(ctx, client.ObjectKey{Namespace: m.in("social"), Name: "help-source"}, &corev1.Secret{})
		Expect(err).To(Satisfy(apierrors.IsNotFound))
		Expect(m.delivered(ctx, "help", "MASTODON_ACCESS_TOKEN")).To(BeEmpty())

		By("going on with the right account, by the same link")
		Expect(m.link(ctx, "help").URL).To(Equal(link.URL))
		maria := newPerson()
		back, err = mastodonfake.Consent(ctx, maria.begins(ctx, link.URL), "help")
		Expect(err).NotTo(HaveOccurred())
		status, page = maria.opens(ctx, back)
		Expect(status).To(Equal(http.StatusOK), page)
		m.ready(ctx, "help")
	})
})

var _ = Describe("A subscription that somebody removes at the platform", Label("S14"), func() {
	It("is put back, and that is on record", func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		m.subscribed(ctx)
		m.fake.ForgetSubscription(m.token)
		m.pass(ctx, 70*time.Minute, "help")
		Eventually(m.fake.Subscribed).WithArguments(m.token).Should(BeTrue())
		m.ready(ctx, "help")
		recorded := m.subscription(ctx)
		Expect(recorded.DriftCount).To(BeEquivalentTo(1))
		Expect(recorded.DriftMessage).To(ContainSubstring("no subscription"))
		Expect(recorded.LastDrift).NotTo(BeNil())
		Eventually(m.happened).WithArguments(ctx, "help").Should(ContainSubstring("SubscriptionRepaired"))

		By("getting a mention, as before")
		m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "Are you there?"})
		customer := newReader()
		m.reads("answers", customer)
		Eventually(customer.texts).Should(HaveExactElements("Are you there?"))
	})

	It("is only reported where nothing may be changed", func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		m.subscribed(ctx)
		m.edit(ctx, "help", func(c *v1alpha1.SocialChannel) { c.Spec.ManagementPolicy = v1alpha1.ManagementObserve })
		m.reports(ctx, "help", v1alpha1.ConditionSubscriptionReady, metav1.ConditionTrue, v1alpha1.ReasonSubscribed)
		m.fake.ForgetSubscription(m.token)
		m.pass(ctx, 70*time.Minute, "help")
		message := m.reports(ctx, "help", v1alpha1.ConditionSubscriptionReady, metav1.ConditionFalse, v1alpha1.ReasonSubscriptionDrifted)
		Expect(message).To(And(ContainSubstring("no subscription"), ContainSubstring("Observe")))
		m.pass(ctx, 70*time.Minute, "help")
		Eventually(func() time.Time { return m.get(ctx, "help").Status.Subscription.LastDrift.Time }).Should(BeTemporally("<", m.clock.Now()))
		Expect(m.fake.Subscribed(m.token)).To(BeFalse())
		Expect(m.subscription(ctx).DriftCount).To(BeEquivalentTo(1))

		By("letting the operator mend it")
		m.edit(ctx, "help", func(c *v1alpha1.SocialChannel) { c.Spec.ManagementPolicy = v1alpha1.ManagementManage })
		Eventually(m.fake.Subscribed).WithArguments(m.token).Should(BeTrue())
		m.ready(ctx, "help")
	})
})

var _ = Describe("The keys of a live subscription", Label("S13"), func() {
	It("are replaced when they are due, and the old ones serve for the overlap alone", func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		m.subscribed(ctx, func(c *v1alpha1.SocialChannel) {
			c.Spec.Subscription.KeyRotation = &v1alpha1.SubscriptionKeyRotation{Interval: &metav1.Duration{Duration: 3 * time.Hour}}
		})
		before := m.subscription(ctx).Registration
		customer := newReader()
		m.reads("answers", customer)
		m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "Before."})
		old := m.lastPush()

		m.pass(ctx, 3*time.Hour, "help")
		Eventually(m.registration).WithArguments(ctx).ShouldNot(Or(Equal(before), BeEmpty()))
		m.ready(ctx, "help")
		m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "After."})
		Expect(m.lastPush().P256dh).NotTo(Equal(old.P256dh))
		Expect(m.subscription(ctx).DriftCount).To(BeZero(), "it is no drift")
		Expect(m.sendAgain(ctx, old, "880001")).To(Equal(http.StatusCreated), "within the overlap")
		Eventually(customer.texts).Should(And(ContainElement("After."), ContainElement("sent with the old keys")))

		By("letting the overlap pass")
		m.pass(ctx, 61*time.Minute, "help")
		Expect(m.sendAgain(ctx, old, "880002")).To(Equal(http.StatusTooManyRequests))
		Expect(m.sendAgain(ctx, m.lastPush(), "880003")).To(Equal(http.StatusCreated), "the new ones serve on")
		for _, pushed := range m.fake.Pushed() {
			Expect(pushed.Status).To(Equal(http.StatusCreated), "nothing that the server sent was lost")
		}
	})

	It("are made anew at once where somebody deletes them", func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		channel := m.subscribed(ctx)
		m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "Before."})
		old := m.lastPush()
		before := m.subscription(ctx).Registration
		record, err := m.record(ctx, channel)
		Expect(err).NotTo(HaveOccurred())
		Expect(parts.client.Delete(ctx, record)).To(Succeed())

		Eventually(m.registration).WithArguments(ctx).ShouldNot(Or(Equal(before), BeEmpty()))
		m.ready(ctx, "help")
		m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "After."})
		Expect(m.lastPush().P256dh).NotTo(Equal(old.P256dh))
		for _, pushed := range m.fake.Pushed() {
			Expect(pushed.Status).To(Equal(http.StatusCreated))
		}
		Expect(m.sendAgain(ctx, old, "880001")).To(Equal(http.StatusTooManyRequests), "they are nobody's any more")
		Expect(m.record(ctx, channel)).To(HaveField("UID", Not(Equal(record.UID))))
	})
})

var _ = Describe("A subscribed channel that goes", func() {
	It("with Revoke ends its subscription, and its callback answers as gone", Label("S19"), func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		channel := m.subscribed(ctx, func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
		callback := m.callback(ctx, v1alpha1.PlatformMastodon, string(channel.UID))
		m.fake.Mention(ctx, m.account, mastodonfake.Post{Text: "Before."})
		Expect(m.sendAgain(ctx, m.lastPush(), "880001")).To(Equal(http.StatusCreated))

		Expect(parts.client.Delete(ctx, channel)).To(Succeed())
		Eventually(func() error { return parts.client.Get(ctx, client.ObjectKeyFromObject(channel), channel) }).Should(Satisfy(apierrors.IsNotFound))
		Expect(m.fake.Subscribed(m.token)).To(BeFalse())
		Expect(m.happened(ctx, "help")).To(ContainSubstring("SubscriptionEnded"))
		_, err := m.record(ctx, channel)
		Expect(err).To(Satisfy(apierrors.IsNotFound))
		Eventually(func() int { return m.sendAgain(ctx, m.lastPush(), "880002") }).Should(Equal(http.StatusGone))
		status, _ := newPerson().opens(ctx, strings.Replace(callback, "/hooks/mastodon/", "/hooks/x/", 1))
		Expect(status).To(Equal(http.StatusGone), "also to a check")
	})

	It("with Orphan leaves the subscription, and keeps nothing of its own", Label("S19"), func(ctx SpecContext) {
		m := newMastodonWorld(ctx)
		channel := m.subscribed(ctx)
		Expect(parts.client.Delete(ctx, channel)).To(Succeed())
		Eventually(func() error { return parts.client.Get(ctx, client.ObjectKeyFromObject(channel), channel) }).Should(Satisfy(apierrors.IsNotFound))
		Expect(m.fake.Subscribed(m.token)).To(BeTrue())
		Expect(m.fake.TokenWorks(m.token)).To(BeTrue())
		_, err := m.record(ctx, channel)
		Expect(err).To(Satisfy(apierrors.IsNotFound))
	})
})
