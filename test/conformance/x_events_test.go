// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	xfake "github.com/rostra-dev/rostra/test/fakes/x"
)

const xPathHooks = "/2/webhooks"

var _ = Describe("X's webhooks", Label("x"), func() {
	DescribeTable("refuse a callback that X would refuse", func(ctx SpecContext, callback, words string) {
		w := newXWorld()
		account, _ := w.refreshing()
		_, err := w.adapterAt("https://api.x.com").Subscribe(ctx, account, platform.SubscriptionRequest{Callback: callback})
		Expect(err).To(failWith(platform.Permanent, words))
		Expect(err).NotTo(MatchError(ContainSubstring("t0ken")))
	},
		Entry("with a port", "https://rostra.example:8443/hooks/x/t0ken", "port"),
		Entry("without TLS", "http://rostra.example/hooks/x/t0ken", "https://"),
		Entry("without a host", "t0ken", "not a URL"),
		Entry("that is too long", "https://rostra.example/"+strings.Repeat("t0ken", 40), "200 characters"),
	)

	It("are adopted, and those of others are left alone", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		others := w.fake.AddHook(w.app, "https://another.example/hook", w.help)
		adapter := w.adapter()
		Expect(adapter.Subscribed(ctx, account)).To(HaveField("ID", others.ID), "it is the one that there is")
		ours := w.fake.AddHook(w.app, w.callback.url)
		made, err := adapter.Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url})
		Expect(err).NotTo(HaveOccurred())
		Expect(made.ID).To(Equal(ours.ID))
		Expect(adapter.Subscribed(ctx, account)).To(Equal(made), "it is remembered which one is Rostra's")
		Expect(adapter.Unsubscribe(ctx, account, w.callback.url)).To(Succeed())
		Expect(w.fake.Hooks(w.app)).To(ConsistOf(
			HaveField("Subscribed", ConsistOf(w.help.ID)), And(HaveField("ID", ours.ID), HaveField("Subscribed", BeEmpty())),
		))
	})

	It("that are too many are a person's to mend", func(ctx SpecContext) {
		w := newXWorld(xfake.WithWebhookLimit(1))
		account, _ := w.refreshing()
		w.fake.AddHook(w.app, "https://another.example/hook")
		_, err := w.adapter().Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url})
		Expect(err).To(failWith(platform.Permanent, "remove one"))
		Expect(w.fake.Hooks(w.app)).To(HaveLen(1))
	})

	It("that X calls invalid are checked again", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		request := platform.SubscriptionRequest{Callback: w.callback.url}
		made, err := adapter.Subscribe(ctx, account, request)
		Expect(err).NotTo(HaveOccurred())

		w.app = w.fake.ChangeApp(w.app, func(app *xfake.App) { app.ConsumerSecret, app.ClientSecret = "rotated", "" })
		Expect(w.fake.RunCRC(made.ID)).To(BeFalse())
		account.Application = w.application()
		delete(account.Application, "client-secret")
		found, err := adapter.Subscribed(ctx, account)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Problem).To(ContainSubstring("did not answer"))
		_, err = adapter.Subscribe(ctx, account, request)
		Expect(err).To(failWith(platform.Transient, "did not answer"))

		w.app = w.fake.ChangeApp(w.app, func(app *xfake.App) {
			app.ConsumerSecret = w.callback.keys.Get("consumer-secret")
		})
		Expect(adapter.Subscribe(ctx, account, request)).To(And(HaveField("ID", made.ID), HaveField("Problem", BeEmpty())))
		Expect(adapter.Subscribed(ctx, account)).To(HaveField("Problem", BeEmpty()))
	})

	It("that do not answer a first check are not made", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		_, err := w.adapter().Subscribe(ctx, account, platform.SubscriptionRequest{Callback: "http://127.0.0.1:1/hooks/x/t0ken"})
		Expect(err).To(failWith(platform.Transient, "callback"))
		Expect(w.fake.Hooks(w.app)).To(BeEmpty())
	})

	It("follow a gateway that has moved", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		before, err := adapter.Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url})
		Expect(err).NotTo(HaveOccurred())
		after, err := adapter.Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url + "-moved"})
		Expect(err).NotTo(HaveOccurred())
		Expect(w.fake.Hooks(w.app)).To(ConsistOf(
			And(HaveField("ID", before.ID), HaveField("Subscribed", BeEmpty())), And(HaveField("ID", after.ID), HaveField("Subscribed", ConsistOf(w.help.ID))),
		))
		Expect(adapter.Subscribed(ctx, account)).To(HaveField("ID", after.ID))
	})

	It("let an account go whose own token is dead", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		w.fake.AddHook(w.app, "https://another.example/hook")
		w.fake.AddHook(w.app, w.callback.url, w.news, w.help)
		account.Source = nil
		Expect(w.adapter().Unsubscribe(ctx, account, w.callback.url)).To(Succeed())
		Expect(w.adapter().Unsubscribe(ctx, account, w.callback.url)).To(Succeed())
		Expect(w.fake.Hooks(w.app)).To(ContainElement(HaveField("Subscribed", ConsistOf(w.news.ID))))
	})

	It("let an account go from one callback alone, whatever the session says", func(ctx SpecContext) {
		w := newXWorld()
		account, kept := w.refreshing()
		adapter := w.adapter()
		_, err := adapter.Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url})
		Expect(err).NotTo(HaveOccurred())
		others := w.fake.AddHook(w.app, "https://another.example/hook", w.help)
		Expect(adapter.Unsubscribe(ctx, account, w.callback.url+"-moved")).To(Succeed(), "there is none to end")
		Expect(w.fake.Hooks(w.app)).To(HaveEach(HaveField("Subscribed", ConsistOf(w.help.ID))))
		kept.Put(nil)
		Expect(adapter.Unsubscribe(ctx, account, w.callback.url)).To(Succeed())
		Expect(w.fake.Hooks(w.app)).To(ConsistOf(
			HaveField("Subscribed", BeEmpty()), And(HaveField("ID", others.ID), HaveField("Subscribed", ConsistOf(w.help.ID))),
		))
	})

	It("are for the account that is declared, and no other", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		account.ID = w.news.ID
		_, err := w.adapter().Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url})
		Expect(err).To(failWith(platform.Permanent, "another account"))
		Expect(w.fake.Hooks(w.app)).To(HaveEach(HaveField("Subscribed", BeEmpty())))
	})

	It("need the application's keys", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		delete(account.Application, "bearer-token")
		_, err := adapter.Subscribed(ctx, account)
		Expect(err).To(failWith(platform.Permanent, "bearer-token"))
		delete(account.Application, "consumer-secret")
		keys, fresh, err := adapter.HookKeys(account)
		Expect(err).NotTo(HaveOccurred())
		Expect(fresh).To(BeFalse())
		Expect(keys).To(HaveLen(1))
		delete(account.Application, "client-secret")
		_, _, err = adapter.HookKeys(account)
		Expect(err).To(failWith(platform.Permanent, "consumer-secret"))
	})

	It("blame the application for its bearer token", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		w.fake.ChangeApp(w.app, func(app *xfake.App) { app.BearerToken = "another" })
		_, err := w.adapter().Subscribed(ctx, account)
		Expect(err).To(failWith(platform.Permanent, "bearer-token"))
	})

	It("are made once where another was first", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		w.fake.AddHook(w.app, w.callback.url)
		w.fake.Faults().Inject(xPathHooks, faults.Answer(http.StatusOK, "application/json", `{"data":[],"meta":{"result_count":0}}`)).Times(1)
		Expect(w.adapter().Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url})).To(HaveField("Callback", w.callback.url))
		Expect(w.fake.Hooks(w.app)).To(HaveLen(1))
	})
})

var _ = Describe("X's timelines", Label("x"), func() {
	It("are read through all their pages, oldest first", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		kinds := adapter.Polls()
		page, err := adapter.Poll(ctx, account, "", kinds)
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(BeEmpty())
		const many = 250
		for i := range many {
			w.fake.Post(w.stranger, "@acme_help number "+strconv.Itoa(i), nil)
		}
		answered := w.fake.Post(w.help, "We are at it.", nil)
		last := w.fake.Post(w.stranger, "Thank you.", &answered)
		page, err = adapter.Poll(ctx, account, page.Cursor, kinds)
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(HaveLen(many + 2))
		Expect(page.Events[0]).To(And(HaveField("Text", "@acme_help number 0"), HaveField("Kind", event.Mention)))
		Expect(page.Events[many]).To(HaveField("Kind", event.OwnPost))
		Expect(page.Events[many+1]).To(And(
			HaveField("Kind", event.Reply), HaveField("InReplyTo", answered.ID), HaveField("ThreadID", answered.ID),
			HaveField("URL", "https://x.com/passer_by/status/"+last.ID),
		))
		Expect(adapter.Poll(ctx, account, page.Cursor, kinds)).To(HaveField("Events", BeEmpty()))
	})

	It("are read where a stranger's posts are large", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		page, err := adapter.Poll(ctx, account, "", adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		const many = 60
		for i := range many {
			w.fake.Post(w.stranger, "@acme_help "+strconv.Itoa(i)+strings.Repeat(" ", 300<<10), nil)
		}
		page, err = adapter.Poll(ctx, account, page.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(HaveLen(many))
		Expect(adapter.Poll(ctx, account, page.Cursor, adapter.Polls())).To(HaveField("Events", BeEmpty()))
	})

	It("say so where not even five posts can be read", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		page, err := adapter.Poll(ctx, account, "", adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		w.fake.Faults().Inject("/2/users/"+w.help.ID+"/mentions", faults.Huge(17<<20))
		_, err = adapter.Poll(ctx, account, page.Cursor, adapter.Polls())
		Expect(err).To(failWith(platform.Unknown, "five posts"))
	})

	It("show a post that was late to appear", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		page, err := adapter.Poll(ctx, account, "", adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		late := w.fake.Post(w.stranger, "@acme_help, the first", nil)
		w.fake.Hide(late, true)
		w.fake.Post(w.stranger, "@acme_help, the second", nil)
		page, err = adapter.Poll(ctx, account, page.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(ConsistOf(HaveField("Text", "@acme_help, the second")))
		w.fake.Hide(late, false)
		page, err = adapter.Poll(ctx, account, page.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(ConsistOf(HaveField("Text", "@acme_help, the first")))
		w.step(time.Minute)
		page, err = adapter.Poll(ctx, account, page.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(BeEmpty())
		w.fake.Hide(late, true)
		Expect(adapter.Poll(ctx, account, page.Cursor, adapter.Polls())).To(HaveField("Events", BeEmpty()))
	})

	It("say where they have a gap", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		begun, err := adapter.Poll(ctx, account, "", adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		const tooMany = 850
		for i := range tooMany {
			w.fake.Post(w.stranger, "@acme_help number "+strconv.Itoa(i), nil)
		}
		w.step(time.Minute)
		page, err := adapter.Poll(ctx, account, begun.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(HaveLen(801))
		Expect(page.Events[0]).To(And(
			HaveField("Kind", event.Other), HaveField("Type", "rostra.gap"), HaveField("AccountID", w.help.ID), HaveField("Platform", "X"),
			HaveField("ID", Not(BeEmpty())), HaveField("Text", ContainSubstring("800")), HaveField("OccurredAt", Not(BeZero())),
		))
		Expect(page.Events[1]).To(HaveField("Text", "@acme_help number 50"))
		again, err := adapter.Poll(ctx, account, begun.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(again.Events[0]).To(Equal(page.Events[0]))
		Expect(adapter.Poll(ctx, account, page.Cursor, adapter.Polls())).To(HaveField("Events", BeEmpty()))
	})

	It("are read in spite of an odd post", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		page, err := adapter.Poll(ctx, account, "", adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		w.fake.Faults().Inject("/2/users/"+w.help.ID+"/mentions", faults.Answer(http.StatusOK, "application/json",
			`{"data":[{"id":"1900000000009000003","text":7},"odd",{"id":"x","author_id":"7"},{"id":"1900000000009000002","text":"of nobody"},`+
				`{"id":"1900000000009000001","text":"good","author_id":"7"}],"includes":{"users":[7,{"id":"7","username":"pat"}]},"meta":{"result_count":5}}`)).Times(1)
		page, err = adapter.Poll(ctx, account, page.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(HaveExactElements(
			And(HaveField("Text", "good"), HaveField("Actor.Handle", "pat")), And(HaveField("Text", "of nobody"), HaveField("Kind", event.Mention)),
		))
	})

	It("that nobody asks for are not read, and begin when somebody does", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		page, err := adapter.Poll(ctx, account, "", []event.Kind{event.Mention})
		Expect(err).NotTo(HaveOccurred())
		Expect(w.fake.Requests()).NotTo(HaveKey("/2/users/" + w.help.ID + "/tweets"))
		w.fake.Post(w.help, "Not asked for.", nil)
		w.fake.Post(w.stranger, "@acme_help?", nil)
		page, err = adapter.Poll(ctx, account, page.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(ConsistOf(HaveField("Kind", event.Mention)))
		w.fake.Post(w.help, "Asked for.", nil)
		Expect(adapter.Poll(ctx, account, page.Cursor, adapter.Polls())).To(HaveField("Events", ConsistOf(HaveField("Text", "Asked for."))))
	})

	It("name a post as its delivery does", func(ctx SpecContext) {
		w := newXWorld()
		account, _ := w.refreshing()
		adapter := w.adapter()
		_, err := adapter.Subscribe(ctx, account, platform.SubscriptionRequest{Callback: w.callback.url})
		Expect(err).NotTo(HaveOccurred())
		page, err := adapter.Poll(ctx, account, "", adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		w.fake.Post(w.stranger, "@acme_help?", nil)
		page, err = adapter.Poll(ctx, account, page.Cursor, adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		sent, err := w.callback.take(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(sent).To(HaveLen(1))
		pushed, err := adapter.Receive(sent[0], w.keySets())
		Expect(err).NotTo(HaveOccurred())
		Expect(pushed).To(HaveLen(1))
		Expect(page.Events).To(ConsistOf(And(HaveField("ID", pushed[0].ID), HaveField("Kind", pushed[0].Kind), HaveField("URL", pushed[0].URL))))
	})
})
