// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	xfake "github.com/rostra-dev/rostra/test/fakes/x"
)

const (
	xAccessToken     = "X_ACCESS_TOKEN"
	headerXSignature = "X-Twitter-Webhooks-Signature"
)

// xWorld is a company with an application and an account at X.
type xWorld struct {
	*world

	fake           *xfake.Server
	app            xfake.App
	help, customer xfake.Account
	callbackURL    string
}

func newXWorld(ctx context.Context) *xWorld {
	GinkgoHelper()
	n := &xWorld{world: newWorld(ctx)}
	n.fake = xfake.New(xfake.WithClock(n.clock))
	DeferCleanup(n.fake.Close)
	n.app = n.fake.AddApp("rostra", n.base+"/connect/callback/"+n.in("x"))
	n.help, n.customer = n.fake.AddAccount("acme_help"), n.fake.AddAccount("pia")
	n.secret(ctx, systemNamespace, n.in("x-app"), n.application())
	n.platform(ctx, "x", v1alpha1.SocialPlatformSpec{Type: v1alpha1.PlatformX, X: &v1alpha1.XPlatform{
		API: n.fake.URL(), ApplicationSecretRef: v1alpha1.ApplicationSecretReference{Name: n.in("x-app")},
	}})
	n.start()
	n.callbackURL = n.callback(ctx, v1alpha1.PlatformX, hook.ApplicationID(string(v1alpha1.PlatformX), n.fake.URL(), n.in("x-app")))
	return n
}

func (n *xWorld) application() map[string]string {
	return map[string]string{
		"client-id": n.app.ClientID, "client-secret": n.app.ClientSecret,
		"consumer-secret": n.app.ConsumerSecret, "bearer-token": n.app.BearerToken,
	}
}

// subscribed makes a channel for an account, of a consent that was given
// elsewhere, and waits until it is subscribed.
func (n *xWorld) subscribed(ctx context.Context, name string, account xfake.Account) *v1alpha1.SocialChannel {
	GinkgoHelper()
	tokens := n.fake.Grant(account, n.app, xfake.Scopes()...)
	n.secret(ctx, n.in("social"), name+"-source", map[string]string{"refresh-token": tokens.Refresh, "access-token": tokens.Access})
	n.create(ctx, n.channel(name, "x", "@"+account.Username))
	return n.ready(ctx, name)
}

// consents goes through X's consent page as an account's holder, and gives
// where that leads back to.
func (n *xWorld) consents(ctx context.Context, consent, username string) string {
	GinkgoHelper()
	maria := newPerson()
	status, page := maria.opens(ctx, consent)
	Expect(status).To(Equal(http.StatusOK), page)
	ticket := regexp.MustCompile(`name="ticket" value="([^"]+)"`).FindStringSubmatch(page)
	Expect(ticket).To(HaveLen(2))
	form := url.Values{"ticket": {ticket[1]}, "username": {username}, "decision": {"authorize"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.fake.URL()+"/i/oauth2/authorize", strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := maria.browser.Do(request)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	Expect(response.StatusCode).To(Equal(http.StatusFound))
	return response.Header.Get("Location")
}

// connects makes the channel's account one that a person has connected.
func (n *xWorld) connects(ctx context.Context) {
	GinkgoHelper()
	maria := newPerson()
	back := n.consents(ctx, maria.begins(ctx, n.link(ctx, "help").URL), "acme_help")
	status, page := maria.opens(ctx, back)
	Expect(status).To(Equal(http.StatusOK), page)
	Expect(page).To(ContainSubstring("Connected: acme_help"))
}

// mention is the body of a delivery in which a customer mentions an account.
func (n *xWorld) mention(of xfake.Account, id int, text string) []byte {
	return []byte(fmt.Sprintf(`{"for_user_id":%q,"tweet_create_events":[{"id_str":"%d","created_at":%q,"timestamp_ms":"%d","text":%q,"truncated":false,`+
		`"user":{"id_str":%q,"name":"Pia","screen_name":"pia"}}]}`,
		of.ID, id, n.clock.Now().UTC().Format(time.RubyDate), n.clock.Now().UnixMilli(), "@"+of.Username+" "+text, n.customer.ID))
}

// sends makes a delivery to the callback as X does, signed with a secret, and
// gives the status of the answer.
func (n *xWorld) sends(ctx context.Context, body []byte, secret string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.callbackURL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(headerXSignature, xfake.Sign(secret, body))
	return answerTo(request)
}

// answerTo sends a request and gives the status of the answer.
func answerTo(request *http.Request) (int, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, err
}

var _ = Describe("Accounts of X", func() {
	It("share the application's webhook, and each gets its own events", func(ctx SpecContext) {
		n := newXWorld(ctx)
		news := n.fake.AddAccount("acme_news")
		helpChannel := n.subscribed(ctx, "help", n.help)
		newsChannel := n.subscribed(ctx, "news", news)
		hooks := n.fake.Hooks(n.app)
		Expect(hooks).To(HaveExactElements(And(
			HaveField("URL", n.callbackURL), HaveField("Valid", true), HaveField("Subscribed", ConsistOf(n.help.ID, news.ID)),
		)))
		Expect(n.fake.RunCRC(hooks[0].ID)).To(BeTrue(), "the gateway answers X's hourly check")
		Expect(helpChannel.Status.Subscription.ID).To(Equal(hooks[0].ID))

		customer := newReader()
		n.reads("answers", customer)
		post := n.fake.Post(n.customer, "@acme_help where is my order?", nil)
		n.fake.Post(n.customer, "well done @acme_news", nil)
		Eventually(customer.texts).Should(ConsistOf("@acme_help where is my order?", "well done @acme_news"))
		for _, e := range customer.all() {
			Expect(e.Kind).To(Equal(event.Mention))
			Expect(e.Actor.Handle).To(Equal("pia"))
			if e.AccountID == n.help.ID {
				Expect(e.ChannelUID).To(Equal(string(helpChannel.UID)))
				Expect(e.PostID).To(Equal(post.ID))
			} else {
				Expect(e.ChannelUID).To(Equal(string(newsChannel.UID)))
			}
		}

		By("deleting one of the channels")
		newsChannel.Spec.DeletionPolicy = v1alpha1.DeletionRevoke
		n.edit(ctx, "news", func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
		Expect(parts.client.Delete(ctx, newsChannel)).To(Succeed())
		Eventually(func() []xfake.Hook { return n.fake.Hooks(n.app) }).Should(HaveExactElements(HaveField("Subscribed", ConsistOf(n.help.ID))))
		n.fake.Post(n.customer, "@acme_help still there?", nil)
		Eventually(customer.texts).Should(ContainElement("@acme_help still there?"))
	})

	It("are checked again where X has stopped sending", Label("S14"), func(ctx SpecContext) {
		n := newXWorld(ctx)
		n.subscribed(ctx, "help", n.help)
		hook := n.fake.Hooks(n.app)[0]
		right := n.app.ConsumerSecret
		n.fake.ChangeApp(n.app, func(app *xfake.App) { app.ConsumerSecret = "another" })
		Expect(n.fake.RunCRC(hook.ID)).To(BeFalse())
		n.fake.ChangeApp(n.app, func(app *xfake.App) { app.ConsumerSecret = right })
		n.pass(ctx, 70*time.Minute, "help")
		Eventually(func() bool { return n.fake.Hooks(n.app)[0].Valid }).Should(BeTrue())
		recorded := n.ready(ctx, "help").Status.Subscription
		Expect(recorded.ID).To(Equal(hook.ID), "it is the same webhook")
		Expect(recorded.DriftCount).To(BeEquivalentTo(1))
		Expect(recorded.DriftMessage).To(ContainSubstring("did not answer a check"))
	})

	It("are verified with the application's old secret and the new one for the overlap", Label("S13"), func(ctx SpecContext) {
		n := newXWorld(ctx)
		n.subscribed(ctx, "help", n.help)
		old := n.app.ConsumerSecret
		n.app = n.fake.ChangeApp(n.app, func(app *xfake.App) { app.ConsumerSecret = "a-consumer-secret-made-anew" })
		n.secrets = append(n.secrets, n.app.ConsumerSecret)
		kept := &corev1.Secret{}
		Expect(parts.client.Get(ctx, client.ObjectKey{Namespace: systemNamespace, Name: n.in("x-app")}, kept)).To(Succeed())
		kept.Data["consumer-secret"] = []byte(n.app.ConsumerSecret)
		Expect(parts.client.Update(ctx, kept)).To(Succeed())

		Eventually(func() bool { return n.fake.RunCRC(n.fake.Hooks(n.app)[0].ID) }).Should(BeTrue(), "without a probe")
		n.ready(ctx, "help")
		customer := newReader()
		n.reads("answers", customer)
		n.fake.Post(n.customer, "@acme_help by the new one", nil)
		Expect(n.sends(ctx, n.mention(n.help, 71, "by the old one"), old)).To(Equal(http.StatusOK))
		Eventually(customer.texts).Should(ConsistOf("@acme_help by the new one", "@acme_help by the old one"))

		n.pass(ctx, 61*time.Minute, "help")
		Expect(n.sends(ctx, n.mention(n.help, 72, "by the old one"), old)).To(Equal(http.StatusUnauthorized))
		Expect(n.sends(ctx, n.mention(n.help, 73, "by the new one"), n.app.ConsumerSecret)).To(Equal(http.StatusOK))
	})

	It("have their token renewed ahead of its end, and the old one lives out", Label("S11"), func(ctx SpecContext) {
		n := newXWorld(ctx)
		n.subscribed(ctx, "help", n.help)
		held := n.delivered(ctx, "help", xAccessToken)
		Expect(n.fake.TokenWorks(held)).To(BeTrue())
		for range 3 {
			before := n.get(ctx, "help").Status.Credential.ID
			n.pass(ctx, 90*time.Minute, "help")
			Eventually(func() string { return n.get(ctx, "help").Status.Credential.ID }).ShouldNot(Equal(before))
			next := n.delivered(ctx, "help", xAccessToken)
			Expect(next).NotTo(Equal(held))
			Expect(n.fake.TokenWorks(next)).To(BeTrue())
			Expect(n.fake.TokenWorks(held)).To(BeTrue(), "nobody is cut off who is at work with it")
			n.ready(ctx, "help")
			n.secrets = append(n.secrets, held, next)
			held = next
		}
		Expect(n.get(ctx, "help").Status.Retiring).To(HaveEach(HaveField("Cause", v1alpha1.CauseRenewed)), "each ends by itself")
	})

	It("that take the permission away are noticed at once, and are connected again", Label("S12"), func(ctx SpecContext) {
		n := newXWorld(ctx)
		n.create(ctx, n.channel("help", "x", "@acme_help"))
		n.connects(ctx)
		n.ready(ctx, "help")
		Expect(n.get(ctx, "help").Status.Authorization).To(BeNil())
		held := n.delivered(ctx, "help", xAccessToken)
		n.secrets = append(n.secrets, held)

		n.fake.Withdraw(n.help, n.app)
		Eventually(n.condition).WithArguments(ctx, "help", v1alpha1.ConditionCredentialReady).
			WithTimeout(5 * time.Second).ShouldNot(HavePrefix("True"))
		n.pass(ctx, 15*time.Second, "help") // another process could have renewed it, and X is asked again
		Eventually(n.condition).WithArguments(ctx, "help", v1alpha1.ConditionCredentialReady).
			WithTimeout(5 * time.Second).Should(Equal("False Revoked"))
		n.connects(ctx)
		n.ready(ctx, "help")
		Expect(n.fake.Hooks(n.app)).To(HaveExactElements(HaveField("Subscribed", ConsistOf(n.help.ID))))
		fresh := n.delivered(ctx, "help", xAccessToken)
		n.secrets = append(n.secrets, fresh)
		Expect(fresh).NotTo(Equal(held))
		Expect(n.fake.TokenWorks(fresh)).To(BeTrue())
		customer := newReader()
		n.reads("answers", customer)
		n.fake.Post(n.customer, "@acme_help welcome back", nil)
		Eventually(customer.texts).Should(ContainElement("@acme_help welcome back"))
	})

	It("are not called revoked while X is down", Label("S12"), func(ctx SpecContext) {
		n := newXWorld(ctx)
		n.subscribed(ctx, "help", n.help)
		down := n.fake.Faults().Inject("", faults.Status(http.StatusServiceUnavailable))
		n.pass(ctx, 70*time.Minute, "help")
		n.reports(ctx, "help", v1alpha1.ConditionCredentialReady, metav1.ConditionUnknown, v1alpha1.ReasonPlatformUnavailable)
		down.Stop()
		n.ready(ctx, "help")
		Expect(n.get(ctx, "help").Status.Subscription.DriftCount).To(BeZero())
	})
})

// condition gives a condition as "status reason".
func (w *world) condition(ctx context.Context, name, kind string) string {
	GinkgoHelper()
	for _, condition := range w.get(ctx, name).Status.Conditions {
		if condition.Type == kind {
			return string(condition.Status) + " " + condition.Reason
		}
	}
	return ""
}
