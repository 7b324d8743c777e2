// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	"github.com/rostra-dev/rostra/internal/platform/meta"
	metafake "github.com/rostra-dev/rostra/test/fakes/meta"
)

// metaHook is a Page at the fake with a gateway, verified.
type metaHook struct {
	*metaWorld

	adapter *meta.Adapter
	account platform.Account
	keys    credentials.Values
}

func newMetaHook(ctx context.Context, scopes ...string) *metaHook {
	GinkgoHelper()
	return newMetaHookAt(ctx, newMetaWorld(), scopes...)
}

func newMetaHookAt(ctx context.Context, w *metaWorld, scopes ...string) *metaHook {
	GinkgoHelper()
	m := &metaHook{metaWorld: w}
	m.adapter = newMetaAdapter(m.fake.URL(), clock.RealClock{})
	m.account = m.declared(m.help, "acmehelp", m.fake.IssueUserToken(m.app, m.maria, scopes...))
	m.account.Sessions = (&conformance.Sessions{}).Open()
	m.gateway.adapter, m.gateway.account = m.adapter, m.account
	_, err := m.adapter.Verify(ctx, m.account)
	Expect(err).NotTo(HaveOccurred())
	m.keys, _, err = m.adapter.HookKeys(m.account)
	Expect(err).NotTo(HaveOccurred())
	return m
}

func (m *metaHook) subscribe(ctx context.Context, kinds ...event.Kind) (platform.Subscription, error) {
	return m.adapter.Subscribe(ctx, m.account, platform.SubscriptionRequest{Callback: m.gateway.callback(), Events: kinds, Keys: m.keys})
}

// received are the events that have reached the gateway since last asked.
func (m *metaHook) received(ctx context.Context) []event.Event {
	GinkgoHelper()
	deliveries, err := m.gateway.delivered(ctx)
	Expect(err).NotTo(HaveOccurred())
	var found []event.Event
	for _, delivery := range deliveries {
		events, err := m.adapter.Receive(delivery, []credentials.Values{m.keys})
		Expect(err).NotTo(HaveOccurred())
		found = append(found, events...)
	}
	return found
}

var _ = Describe("Meta: a subscription", Label("meta", "S14"), func() {
	all := []event.Kind{event.Mention, event.Reply, event.DirectMessage, event.OwnPost}

	It("brings what was asked for, and no more", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		made, err := m.subscribe(ctx, event.DirectMessage)
		Expect(err).NotTo(HaveOccurred())
		Expect(made).To(Equal(platform.Subscription{
			ID: m.app.ID + "/" + m.help.ID, Callback: m.gateway.callback(), Events: []event.Kind{event.DirectMessage},
		}))
		for _, kind := range all {
			Expect(m.happen(ctx, kind)).To(Succeed())
		}
		Expect(m.received(ctx)).To(HaveExactElements(And(HaveField("Kind", event.DirectMessage), HaveField("AccountID", m.help.ID))))
		_, err = m.subscribe(ctx, event.Reply)
		Expect(err).NotTo(HaveOccurred())
		Expect(m.fake.PageFields(m.app, m.help)).To(HaveExactElements("feed"))
	})

	It("is asked for once, and leaves it alone as long as it stands", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		_, err := m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		before := m.fake.Requests()[appHookPath(m)]
		_, err = m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		Expect(m.fake.Requests()[appHookPath(m)]-before).To(Equal(2), "it is read, twice, and not set")
	})

	It("is put right where Meta has switched the webhook off", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		_, err := m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		m.fake.SwitchOff(m.app)
		found, err := m.adapter.Subscribed(ctx, m.account)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Problem).To(ContainSubstring("switched the app's webhook off"))
		found, err = m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Problem).To(BeEmpty())
	})

	It("is none where the app has no webhook, although the Page is subscribed", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		_, err := m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		m.fake.UnhookApp(m.app)
		_, err = m.adapter.Subscribed(ctx, m.account)
		Expect(platform.ClassOf(err)).To(Equal(platform.NotFound))
	})

	It("leaves the fields of other tools alone", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		m.fake.HookPage(m.app, m.help, "leadgen", "feed")
		_, err := m.subscribe(ctx, event.DirectMessage)
		Expect(err).NotTo(HaveOccurred())
		Expect(m.fake.PageFields(m.app, m.help)).To(ConsistOf("leadgen", "messages"))
		_, fields := m.fake.Hook(m.app)
		Expect(fields).To(ConsistOf("messages"))
		_, err = m.subscribe(ctx, event.Reply)
		Expect(err).NotTo(HaveOccurred())
		_, fields = m.fake.Hook(m.app)
		Expect(fields).To(ConsistOf("messages", "feed"), "other Pages may need the field")
	})

	It("takes the webhook over from another callback of its own gateway, and keeps the fields", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		m.fake.HookApp(m.app, m.gateway.callback()+"-before", "leadgen")
		found, err := m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Callback).To(Equal(m.gateway.callback()))
		_, fields := m.fake.Hook(m.app)
		Expect(fields).To(ConsistOf("feed", "mention", "messages", "message_echoes", "leadgen"))
	})

	DescribeTable("leaves the webhook of another system alone", func(ctx SpecContext, callback, shown string) {
		m := newMetaHook(ctx)
		m.fake.HookApp(m.app, callback, "leadgen")
		_, err := m.subscribe(ctx, all...)
		Expect(err).To(failWith(platform.Permanent, "app of its own"))
		Expect(err).To(MatchError(ContainSubstring(shown)))
		Expect(err.Error()).NotTo(Or(ContainSubstring("s3cr3t"), ContainSubstring("c4llb4ck")))
		kept, fields := m.fake.Hook(m.app)
		Expect(kept).To(Equal(callback))
		Expect(fields).To(ConsistOf("leadgen"))
		Expect(m.fake.PageFields(m.app, m.help)).To(BeEmpty())
	},
		Entry("at another host", "https://crm.example/s3cr3t?k=s3cr3t", "https://crm.example"),
		Entry("at another port", "http://127.0.0.1:1/s3cr3t", "http://127.0.0.1:1"),
		Entry("that is no URL", "://s3cr3t", "elsewhere"),
	)

	It("ends with its own fields alone", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		m.fake.HookPage(m.app, m.help, "leadgen")
		_, err := m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		for range 2 {
			Expect(m.adapter.Unsubscribe(ctx, m.account, m.gateway.callback())).To(Succeed())
			Expect(m.fake.PageFields(m.app, m.help)).To(ConsistOf("leadgen"))
		}
		m.fake.HookPage(m.app, m.help, "feed")
		Expect(m.adapter.Unsubscribe(ctx, m.account, m.gateway.callback())).To(Succeed())
		Expect(m.fake.PageFields(m.app, m.help)).To(BeEmpty())
	})

	It("stays where it leads to another callback", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		_, err := m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		Expect(m.adapter.Unsubscribe(ctx, m.account, m.gateway.callback()+"-before")).To(Succeed())
		Expect(m.fake.PageFields(m.app, m.help)).To(ConsistOf("feed", "mention", "messages", "message_echoes"))
		m.fake.UnhookApp(m.app)
		Expect(m.adapter.Unsubscribe(ctx, m.account, m.gateway.callback())).To(Succeed())
		Expect(m.fake.PageFields(m.app, m.help)).To(BeEmpty())
	})

	It("is never of another Page than the pinned one", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		m.account.Source["access-token"] = credentials.NewValue(m.fake.IssuePageToken(m.app, m.maria, m.news))
		m.account.Sessions = (&conformance.Sessions{}).Open()
		for range 2 {
			_, err := m.subscribe(ctx, all...)
			Expect(err).To(failWith(platform.Permanent, "another Page"))
			_, err = m.adapter.Subscribed(ctx, m.account)
			Expect(err).To(failWith(platform.Permanent, "another Page"))
			Expect(m.adapter.Unsubscribe(ctx, m.account, m.gateway.callback())).To(failWith(platform.Permanent, "another Page"))
			_, err = m.adapter.Poll(ctx, m.account, "", m.adapter.Polls())
			Expect(err).To(failWith(platform.Permanent, "another Page"))
		}
		Expect(m.fake.PageFields(m.app, m.news)).To(BeEmpty())
	})

	It("needs a permission of its own for messages", func(ctx SpecContext) {
		m := newMetaHook(ctx, "pages_show_list", "pages_read_engagement", "pages_manage_posts", "pages_manage_metadata", "pages_read_user_content")
		_, err := m.subscribe(ctx, all...)
		Expect(err).To(failWith(platform.InsufficientScope, "pages_messaging"))
		_, err = m.subscribe(ctx, event.Reply)
		Expect(err).NotTo(HaveOccurred())
	})

	It("says that Meta cannot reach the callback, and does not show it", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		m.gateway.server.Close()
		_, err := m.subscribe(ctx, all...)
		Expect(err).To(failWith(platform.Transient, "gateway reachable from the internet"))
		Expect(err.Error()).NotTo(ContainSubstring("c4llb4ck"))
	})

	It("goes by a verify token of the administrator's", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		m.account.Application["verify-token"] = credentials.NewValue("chosen-by-hand\n")
		m.gateway.account = m.account
		keys, fresh, err := m.adapter.HookKeys(m.account)
		Expect(err).NotTo(HaveOccurred())
		Expect(fresh).To(BeFalse())
		Expect(keys.Get("verify-token")).To(Equal("chosen-by-hand"))
		m.keys = keys
		_, err = m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
	})

	It("gives one event for what is delivered twice, and keeps what it has no name for", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		_, err := m.subscribe(ctx, all...)
		Expect(err).NotTo(HaveOccurred())
		for _, kind := range all {
			Expect(m.happen(ctx, kind)).To(Succeed())
		}
		Expect(m.fake.Send(ctx, m.help, "feed", map[string]any{"item": "hologram", "verb": "shine"})).To(Succeed())
		first := m.received(ctx)
		Expect(first).To(HaveLen(5))
		Expect(first[4]).To(And(HaveField("Kind", event.Other), HaveField("Type", "feed.hologram.shine")))
		Expect(m.fake.Redeliver(ctx)).To(Succeed())
		for i, again := range m.received(ctx) {
			Expect(again.ID).To(Equal(first[i].ID))
		}
	})
})

func appHookPath(m *metaHook) string {
	return "/" + metafake.Version + "/" + m.app.ID + "/subscriptions"
}

var _ = Describe("Meta: Poll", Label("meta"), func() {
	It("walks through many posts without losing one", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		page, err := m.adapter.Poll(ctx, m.account, "", m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(BeEmpty())
		want := map[string]bool{}
		for i := range 250 {
			post, err := m.fake.Publish(ctx, m.help, fmt.Sprint("Post ", i))
			Expect(err).NotTo(HaveOccurred())
			want[post.ID] = true
		}
		found := map[string]bool{}
		for polls := 1; ; polls++ {
			page, err = m.adapter.Poll(ctx, m.account, page.Cursor, m.adapter.Polls())
			Expect(err).NotTo(HaveOccurred())
			for _, one := range page.Events {
				Expect(found).NotTo(HaveKey(one.PostID))
				found[one.PostID] = true
			}
			if !page.More {
				Expect(polls).To(Equal(3))
				break
			}
			late, err := m.fake.Publish(ctx, m.help, "Posted while the walk goes on")
			Expect(err).NotTo(HaveOccurred())
			want[late.ID] = true
		}
		page, err = m.adapter.Poll(ctx, m.account, page.Cursor, m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		for _, one := range page.Events {
			found[one.PostID] = true
		}
		Expect(found).To(Equal(want))
	})

	It("reads large posts in small parts, and one that is too large without its text", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		page, err := m.adapter.Poll(ctx, m.account, "", m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		want := map[string]string{}
		for i := range 30 {
			text := fmt.Sprint("Post ", i)
			size := 800 << 10
			if i == 13 {
				text, size = "", 9<<20
			}
			post, err := m.fake.Publish(ctx, m.help, text+strings.Repeat(" ", size))
			Expect(err).NotTo(HaveOccurred())
			want[post.ID] = text
		}
		found := map[string]string{}
		for more := true; more; more = page.More {
			page, err = m.adapter.Poll(ctx, m.account, page.Cursor, m.adapter.Polls())
			Expect(err).NotTo(HaveOccurred())
			for _, one := range page.Events {
				Expect(one.OccurredAt).NotTo(BeZero())
				found[one.PostID] = strings.TrimSpace(one.Text)
			}
		}
		Expect(found).To(Equal(want))
	})

	It("says so where nothing of a post can be read", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		page, err := m.adapter.Poll(ctx, m.account, "", m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		m.fake.Misbehave(m.help.ID+"/tagged", faults.Huge(9<<20))
		_, err = m.adapter.Poll(ctx, m.account, page.Cursor, m.adapter.Polls())
		Expect(err).To(failWith(platform.Unknown, "a single post"))
	})

	It("finds the second of two posts of one second, also where since is exclusive", func(ctx SpecContext) {
		for _, options := range [][]metafake.Option{nil, {metafake.WithExclusiveSince()}} {
			m := newMetaHookAt(ctx, newMetaWorld(options...))
			begun, err := m.adapter.Poll(ctx, m.account, "", m.adapter.Polls())
			Expect(err).NotTo(HaveOccurred())
			first, err := m.fake.Publish(ctx, m.help, "The first")
			Expect(err).NotTo(HaveOccurred())
			page, err := m.adapter.Poll(ctx, m.account, begun.Cursor, m.adapter.Polls())
			Expect(err).NotTo(HaveOccurred())
			Expect(page.Events).To(HaveLen(1))
			m.fake.PublishBeside(m.help, first, "The second")
			page, err = m.adapter.Poll(ctx, m.account, page.Cursor, m.adapter.Polls())
			Expect(err).NotTo(HaveOccurred())
			Expect(page.Events).To(ConsistOf(HaveField("Text", "The second")))
			Expect(m.adapter.Poll(ctx, m.account, page.Cursor, m.adapter.Polls())).To(HaveField("Events", BeEmpty()))
		}
	})

	It("reads on past an odd post", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		page, err := m.adapter.Poll(ctx, m.account, "", m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		m.fake.Misbehave(m.help.ID+"/published_posts", faults.Answer(200, "application/json",
			`{"data":[7,{"id":"1_4","created_time":"2099-01-01T00:00:00+0000","from":"nobody","message":"of nobody"},{"id":"1_3","created_time":"9999-12-31T23:59:59-1400"},`+
				`{"id":"1_2","created_time":"2098-01-01T00:00:00+0000","message":"good"}]}`)).Times(1)
		page, err = m.adapter.Poll(ctx, m.account, page.Cursor, m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(HaveExactElements(HaveField("Text", "good"), HaveField("Text", "of nobody")))
	})

	It("begins a walk anew where its cursor is no longer good", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		begun, err := m.adapter.Poll(ctx, m.account, "", m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		for range 150 {
			_, err := m.fake.Publish(ctx, m.help, "A post")
			Expect(err).NotTo(HaveOccurred())
		}
		half, err := m.adapter.Poll(ctx, m.account, begun.Cursor, m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(half.More).To(BeTrue())
		m.fake.Misbehave(m.help.ID+"/published_posts", metafake.GraphError(400, 100, 0)).Times(1)
		anew, err := m.adapter.Poll(ctx, m.account, half.Cursor, m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(anew.Cursor).To(Equal(begun.Cursor))
	})

	It("gives a post the identifier with which it is pushed", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		_, err := m.subscribe(ctx, event.OwnPost, event.Mention)
		Expect(err).NotTo(HaveOccurred())
		begun, err := m.adapter.Poll(ctx, m.account, "", m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(m.happen(ctx, event.OwnPost)).To(Succeed())
		Expect(m.happen(ctx, event.Mention)).To(Succeed())
		page, err := m.adapter.Poll(ctx, m.account, begun.Cursor, m.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		pushed := m.received(ctx)
		Expect(page.Events).To(HaveLen(2))
		Expect([]string{page.Events[0].ID, page.Events[1].ID}).To(Equal([]string{pushed[0].ID, pushed[1].ID}))
	})

	It("asks for nothing where nothing that it polls is wanted", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		before := m.fake.Faults().Total()
		page, err := m.adapter.Poll(ctx, m.account, "", []event.Kind{event.Reply})
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Cursor).NotTo(BeEmpty())
		Expect(m.fake.Faults().Total()).To(Equal(before))
	})
})

var _ = Describe("Meta: consent", Label("meta"), func() {
	const verifier = "a-verifier-of-at-least-forty-three-characters-0"

	ask := func(m *metaHook) string {
		GinkgoHelper()
		challenge := sha256.Sum256([]byte(verifier))
		text, err := m.adapter.AuthorizationURL(m.account.Application, platform.AuthorizationRequest{
			RedirectURL: metaRedirect, State: "the-state", Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]),
		})
		Expect(err).NotTo(HaveOccurred())
		return text
	}
	back := func(ctx context.Context, m *metaHook, choice metafake.Choice) url.Values {
		GinkgoHelper()
		location, err := m.fake.Consent(ctx, ask(m), choice)
		Expect(err).NotTo(HaveOccurred())
		parsed, err := url.Parse(location)
		Expect(err).NotTo(HaveOccurred())
		return parsed.Query()
	}
	redeem := func(ctx context.Context, m *metaHook, choice metafake.Choice) (platform.Granted, error) {
		return m.adapter.Redeem(ctx, m.account.Application, platform.Grant{Code: back(ctx, m, choice).Get("code"), Verifier: verifier, RedirectURL: metaRedirect})
	}

	It("gives a long-lived token, and says until when", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		granted, err := redeem(ctx, m, metafake.Choice{User: m.maria, Pages: []metafake.Page{m.help}})
		Expect(err).NotTo(HaveOccurred())
		Expect(granted.ExpiresAt).To(BeTemporally("==", m.longUntil))
		Expect(m.fake.Works(granted.Source.Get("access-token"))).To(BeTrue())
	})

	It("says that the app's secret is wrong", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		code := back(ctx, m, metafake.Choice{User: m.maria, Pages: []metafake.Page{m.help}}).Get("code")
		m.account.Application["client-secret"] = credentials.NewValue("wrong")
		_, err := m.adapter.Redeem(ctx, m.account.Application, platform.Grant{Code: code, Verifier: verifier, RedirectURL: metaRedirect})
		Expect(err).To(failWith(platform.Permanent, "the app's ID and secret"))
	})

	It("names what the person declined", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		granted, err := redeem(ctx, m, metafake.Choice{User: m.maria, Declined: []string{"pages_manage_posts", "pages_messaging"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(granted.Missing).To(ConsistOf("pages_manage_posts"))
	})

	It("shows in Verify that the person chose another Page", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		granted, err := redeem(ctx, m, metafake.Choice{User: m.maria, Pages: []metafake.Page{m.news}})
		Expect(err).NotTo(HaveOccurred())
		m.account.Source, m.account.Sessions = granted.Source, (&conformance.Sessions{}).Open()
		_, err = m.adapter.Verify(ctx, m.account)
		Expect(err).To(failWith(platform.InsufficientScope, "did not choose it"))
	})

	It("comes back with an error where the person cancels", func(ctx SpecContext) {
		m := newMetaHook(ctx)
		query := back(ctx, m, metafake.Choice{User: m.maria, Cancel: true})
		Expect(query.Get("error")).To(Equal("access_denied"))
		Expect(query.Get("error_reason")).To(Equal("user_denied"))
		Expect(query.Get("state")).To(Equal("the-state"))
		Expect(query).NotTo(HaveKey("code"))
	})
})
