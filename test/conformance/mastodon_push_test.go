// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	"github.com/rostra-dev/rostra/internal/platform/mastodon"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
	"github.com/rostra-dev/rostra/test/webpush"
)

const (
	pushPath        = "/api/v1/push/subscription"
	senderInstalled = 2 * time.Minute
)

// subscriber is an account that subscribes, at a server that pushes.
type subscriber struct {
	fake    *mastodonfake.Server
	adapter *mastodon.Adapter
	hook    *hook
	account mastodonfake.Account
	token   string
	keys    credentials.Values
}

func newSubscriber(options ...mastodonfake.Option) *subscriber {
	GinkgoHelper()
	fake := mastodonfake.New(options...)
	DeferCleanup(fake.Close)
	s := &subscriber{fake: fake, adapter: newMastodonAdapter(fake.URL(), clock.RealClock{}), hook: newHook(), account: fake.AddAccount("news")}
	s.token = fake.IssueToken(s.account, mastodonScopes...)
	var err error
	s.keys, _, err = s.adapter.HookKeys(s.declared())
	Expect(err).NotTo(HaveOccurred())
	return s
}

func (s *subscriber) declared() platform.Account {
	return platform.Account{Handle: "news", ID: s.account.ID, Source: credentials.Values{"access-token": credentials.NewValue(s.token)}}
}

func (s *subscriber) request(kinds ...event.Kind) platform.SubscriptionRequest {
	return platform.SubscriptionRequest{Callback: s.hook.url(), Events: kinds, Keys: s.keys}
}

// subscribe subscribes and keeps what the server told, as a caller must.
func (s *subscriber) subscribe(ctx context.Context, kinds ...event.Kind) platform.Subscription {
	GinkgoHelper()
	made, err := s.adapter.Subscribe(ctx, s.declared(), s.request(kinds...))
	Expect(err).NotTo(HaveOccurred())
	maps.Copy(s.keys, made.Learnt)
	return made
}

// received reads everything that has arrived.
func (s *subscriber) received(ctx context.Context) []event.Event {
	GinkgoHelper()
	deliveries, err := s.hook.delivered(ctx)
	Expect(err).NotTo(HaveOccurred())
	var events []event.Event
	for _, delivery := range deliveries {
		found, err := s.adapter.Receive(delivery, []credentials.Values{s.keys})
		Expect(err).NotTo(HaveOccurred())
		events = append(events, found...)
	}
	return events
}

var _ = Describe("Mastodon's pushes", Label("mastodon"), func() {
	flavours := []TableEntry{
		Entry(nil, mastodonfake.Mastodon42, "aesgcm"),
		Entry(nil, mastodonfake.Mastodon43, "aesgcm"),
		Entry(nil, mastodonfake.Mastodon44, "aes128gcm"),
		Entry(nil, mastodonfake.GoToSocial019, "aes128gcm"),
	}

	DescribeTable("arrive, as a real sender encrypts them", func(ctx SpecContext, flavour mastodonfake.Flavour, encoding string) {
		starting, cancel := context.WithTimeout(ctx, senderInstalled)
		defer cancel()
		sender, err := webpush.Start(starting)
		if errors.Is(err, webpush.ErrUnavailable) && os.Getenv("CI") == "" {
			Skip(err.Error())
		}
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { Expect(sender.Stop()).To(Succeed()) })
		s := newSubscriber(mastodonfake.WithFlavour(flavour), mastodonfake.WithSender(func(ctx context.Context, push mastodonfake.Push) (int, error) {
			return sender.Send(ctx, webpush.Job{
				Endpoint: push.Endpoint, P256dh: push.P256dh, Auth: push.Auth, Standard: push.Standard, Payload: push.Payload,
				VapidPublic: push.VapidPublic, VapidPrivate: push.VapidPrivate,
			})
		}))
		s.subscribe(ctx, event.Mention)
		made := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "@news is anybody there?"})
		Expect(s.fake.Pushed()).To(ConsistOf(HaveField("Status", http.StatusCreated)))

		deliveries, err := s.hook.delivered(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(deliveries).To(HaveLen(1))
		Expect(deliveries[0].Header.Get("Content-Encoding")).To(Equal(encoding))
		Expect(string(deliveries[0].Body)).NotTo(ContainSubstring("anybody"))
		events, err := s.adapter.Receive(deliveries[0], []credentials.Values{s.keys})
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(ConsistOf(event.Event{
			ID: made.ID, Kind: event.Mention, Type: "mention", ThreadID: made.ID, Text: "@news is anybody there?", ReceivedAt: deliveries[0].ReceivedAt,
		}))
	}, flavours)

	It("are those that were asked for, and replaced by others", func(ctx SpecContext) {
		s := newSubscriber()
		Expect(s.subscribe(ctx, event.Reply).Events).To(ConsistOf(event.Mention))
		s.fake.Notify(ctx, s.account, "status")
		Expect(s.received(ctx)).To(BeEmpty())
		Expect(s.subscribe(ctx, event.Other).Events).To(ConsistOf(event.Other))
		s.fake.Mention(ctx, s.account, mastodonfake.Post{})
		s.fake.Notify(ctx, s.account, "status")
		Expect(s.received(ctx)).To(ConsistOf(And(HaveField("Kind", event.Other), HaveField("Type", "status"))))
		Expect(s.subscribe(ctx, event.OwnPost).Events).To(BeEmpty())
	})

	It("have the ID that a poll finds", func(ctx SpecContext) {
		s := newSubscriber()
		s.subscribe(ctx, event.Mention)
		page, err := s.adapter.Poll(ctx, s.declared(), "", s.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "hello"})
		page, err = s.adapter.Poll(ctx, s.declared(), page.Cursor, s.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events[0].ID).To(Equal(s.received(ctx)[0].ID))
	})

	It("show drift", func(ctx SpecContext) {
		s := newSubscriber(mastodonfake.WithFlavour(mastodonfake.Mastodon44))
		s.subscribe(ctx, event.Mention)
		change := func(form url.Values) {
			GinkgoHelper()
			request, err := http.NewRequestWithContext(ctx, http.MethodPut, s.fake.URL()+pushPath, strings.NewReader(form.Encode()))
			Expect(err).NotTo(HaveOccurred())
			request.Header.Set("Authorization", "Bearer "+s.token)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			response, err := http.DefaultTransport.RoundTrip(request)
			Expect(err).NotTo(HaveOccurred())
			Expect(response.Body.Close()).To(Succeed())
			Expect(response.StatusCode).To(Equal(http.StatusOK))
		}
		change(url.Values{"data[alerts][follow]": {"true"}})
		Expect(s.adapter.Subscribed(ctx, s.declared())).To(And(HaveField("Events", BeEmpty()), HaveField("Problem", BeEmpty())))
		change(url.Values{"data[alerts][mention]": {"true"}, "data[policy]": {"followed"}})
		Expect(s.adapter.Subscribed(ctx, s.declared())).To(And(
			HaveField("Events", ConsistOf(event.Mention)), HaveField("Problem", ContainSubstring("policy is not all"))))
		s.subscribe(ctx, event.Mention)
		Expect(s.adapter.Subscribed(ctx, s.declared())).To(HaveField("Problem", BeEmpty()))

		s.fake.ForgetSubscription(s.token)
		_, err := s.adapter.Subscribed(ctx, s.declared())
		Expect(platform.ClassOf(err)).To(Equal(platform.NotFound))
		s.subscribe(ctx, event.Mention)
		Expect(s.fake.Subscribed(s.token)).To(BeTrue())
	})

	DescribeTable("keep the subscription, and come again, where it matters", func(ctx SpecContext, flavour mastodonfake.Flavour, tries int) {
		s := newSubscriber(mastodonfake.WithFlavour(flavour))
		s.subscribe(ctx, event.Mention)
		older := maps.Clone(s.keys)
		fresh, _, err := s.adapter.HookKeys(s.declared())
		Expect(err).NotTo(HaveOccurred())
		s.keys = fresh
		s.subscribe(ctx, event.Mention)
		// The gateway still has the older keys alone.
		s.hook.answer(http.StatusTooManyRequests)
		s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "hello"})
		deliveries, err := s.hook.delivered(ctx)
		Expect(err).NotTo(HaveOccurred())
		_, err = s.adapter.Receive(deliveries[0], []credentials.Values{older})
		Expect(err).To(HaveField("Status", http.StatusTooManyRequests))
		Expect(s.fake.Subscribed(s.token)).To(BeTrue())
		// Now it has the newer ones.
		s.hook.answer(0)
		s.fake.RetryPushes(ctx)
		Expect(s.received(ctx)).To(HaveLen(tries))
	},
		Entry(nil, mastodonfake.Mastodon43, 1),
		Entry(nil, mastodonfake.Mastodon44, 1),
		Entry("by a server that does not try again", mastodonfake.GoToSocial019, 0),
	)

	It("lose the subscription when the server has other keys, which is made anew with them", func(ctx SpecContext) {
		s := newSubscriber()
		s.subscribe(ctx, event.Mention)
		s.fake.RollVapidKeys()
		s.hook.answer(http.StatusForbidden)
		s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "hello"})
		deliveries, err := s.hook.delivered(ctx)
		Expect(err).NotTo(HaveOccurred())
		_, err = s.adapter.Receive(deliveries[0], []credentials.Values{s.keys})
		Expect(err).To(HaveField("Status", http.StatusForbidden))
		Expect(s.fake.Subscribed(s.token)).To(BeFalse())

		s.hook.answer(0)
		s.subscribe(ctx, event.Mention)
		s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "hello again"})
		Expect(s.received(ctx)).To(ConsistOf(HaveField("Text", "hello again")))
	})

	It("need the scope push, and nothing else does", func(ctx SpecContext) {
		for _, flavour := range []mastodonfake.Flavour{mastodonfake.Mastodon43, mastodonfake.GoToSocial019} {
			s := newSubscriber(mastodonfake.WithFlavour(flavour))
			s.token = s.fake.IssueToken(s.account, "read", "write")
			for _, attempt := range []func() error{
				func() error { _, err := s.adapter.Subscribed(ctx, s.declared()); return err },
				func() error { _, err := s.adapter.Subscribe(ctx, s.declared(), s.request(event.Mention)); return err },
				func() error { return s.adapter.Unsubscribe(ctx, s.declared(), s.hook.url()) },
			} {
				err := attempt()
				Expect(platform.ClassOf(err)).To(Equal(platform.InsufficientScope))
				Expect(err).To(MatchError(ContainSubstring("lacks the scope push")))
			}
			Expect(s.adapter.Verify(ctx, s.declared())).To(HaveField("AccountID", s.account.ID))
			Expect(s.adapter.Poll(ctx, s.declared(), "", s.adapter.Polls())).To(HaveField("Events", BeEmpty()))
		}
	})

	It("are not had from a server that has none, or no keys", func(ctx SpecContext) {
		s := newSubscriber()
		s.fake.Misbehave(pushPath, faults.Status(http.StatusNotFound)).Times(1)
		_, err := s.adapter.Subscribe(ctx, s.declared(), s.request(event.Mention))
		Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
		Expect(err).To(MatchError(ContainSubstring("has no push subscriptions")))
	})

	It("are refused a callback that is not secure", func(ctx SpecContext) {
		s := newSubscriber()
		request := s.request(event.Mention)
		request.Callback = "http://rostra.example/hooks/mastodon/t0ken"
		_, err := s.adapter.Subscribe(ctx, s.declared(), request)
		Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
		Expect(err.Error()).NotTo(ContainSubstring("t0ken"))
	})

	It("are left alone where they go to another callback", func(ctx SpecContext) {
		s := newSubscriber()
		s.subscribe(ctx, event.Mention)
		Expect(s.adapter.Unsubscribe(ctx, s.declared(), s.hook.url()+"2")).To(Succeed())
		Expect(s.fake.Subscribed(s.token)).To(BeTrue())
		Expect(s.adapter.Unsubscribe(ctx, s.declared(), s.hook.url())).To(Succeed())
		Expect(s.fake.Subscribed(s.token)).To(BeFalse())
	})

	It("end with the token", func(ctx SpecContext) {
		s := newSubscriber()
		s.subscribe(ctx, event.Mention)
		s.fake.RevokeToken(s.token)
		s.fake.Mention(ctx, s.account, mastodonfake.Post{})
		Expect(s.fake.Pushed()).To(BeEmpty())
		Expect(platform.ClassOf(s.adapter.Unsubscribe(ctx, s.declared(), s.hook.url()))).To(Equal(platform.Revoked))
	})
})
