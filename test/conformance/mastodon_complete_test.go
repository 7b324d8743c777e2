// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

const notificationsPath = "/api/v1/notifications/"

// pushed lets something be written to the account, and gives the event that was
// pushed.
func (s *subscriber) pushed(ctx context.Context, post mastodonfake.Post) (event.Event, mastodonfake.Notification) {
	GinkgoHelper()
	told := s.fake.Mention(ctx, s.account, post)
	events := s.received(ctx)
	Expect(events).To(ConsistOf(And(HaveField("ID", told.ID), HaveField("PostID", ""), HaveField("Actor", BeZero()), HaveField("URL", ""))))
	return events[0], told
}

var _ = Describe("A mention that Mastodon pushed", Label("mastodon"), func() {
	flavours := []TableEntry{
		Entry(nil, mastodonfake.Mastodon42), Entry(nil, mastodonfake.Mastodon44), Entry(nil, mastodonfake.GoToSocial019),
	}
	subscribed := func(ctx context.Context, flavour mastodonfake.Flavour) *subscriber {
		GinkgoHelper()
		s := newSubscriber(mastodonfake.WithFlavour(flavour))
		s.subscribe(ctx, event.Mention)
		return s
	}

	DescribeTable("is completed to what a poll tells", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		s := subscribed(ctx, flavour)
		earlier := s.fake.Publish(s.account, mastodonfake.Post{Text: "We are open."})
		var cursor string
		s.polled(ctx, &cursor)
		for kind, post := range map[event.Kind]mastodonfake.Post{
			event.Mention:       {Text: "@news is anybody there? " + strings.Repeat("é", 300)},
			event.Reply:         {Text: "until when?", InReplyTo: earlier},
			event.DirectMessage: {Text: "my number is 7", Spoiler: "private", Visibility: "direct"},
		} {
			sent, told := s.pushed(ctx, post)
			// What the gateway knows of it.
			sent.Platform, sent.Channel, sent.ChannelUID = "Mastodon", "social/news", "uid"
			Expect(s.adapter.Incomplete(sent)).To(BeTrue())
			completed, err := s.adapter.Complete(ctx, s.declared(), sent)
			Expect(err).NotTo(HaveOccurred())
			Expect(completed.Kind).To(Equal(kind))
			Expect(completed.PostID).To(Equal(told.StatusID))
			Expect(completed.ThreadID).To(BeEmpty())
			Expect(completed.URL).To(HaveSuffix("/" + told.StatusID))
			Expect(completed.Actor).To(And(HaveField("Handle", "pia@elsewhere.example"), HaveField("ID", Not(BeEmpty()))))

			want := s.polled(ctx, &cursor).Events
			Expect(want).To(HaveLen(1))
			want[0].Platform, want[0].Channel, want[0].ChannelUID, want[0].ReceivedAt = sent.Platform, sent.Channel, sent.ChannelUID, sent.ReceivedAt
			Expect(completed).To(Equal(want[0]))
		}
	}, flavours)

	It("is asked for once", func(ctx SpecContext) {
		s := subscribed(ctx, mastodonfake.Mastodon44)
		sent, told := s.pushed(ctx, mastodonfake.Post{Text: "hello"})
		completed, err := s.adapter.Complete(ctx, s.declared(), sent)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.adapter.Incomplete(completed)).To(BeFalse())
		Expect(s.adapter.Complete(ctx, s.declared(), completed)).To(Equal(completed))
		Expect(s.fake.Requests()).To(HaveKeyWithValue(notificationsPath+told.ID, 1))
	})

	DescribeTable("needs nothing where it is another thing", func(ctx SpecContext, e event.Event) {
		s := newSubscriber()
		before := s.fake.Faults().Total()
		Expect(s.adapter.Incomplete(e)).To(BeFalse())
		Expect(s.adapter.Complete(ctx, s.declared(), e)).To(Equal(e))
		Expect(s.fake.Faults().Total()).To(Equal(before))
	},
		Entry("polled", event.Event{ID: "7", Kind: event.Mention, Type: "mention", PostID: "8"}),
		Entry("a follower", event.Event{ID: "7", Kind: event.Other, Type: "follow"}),
		Entry("an own post", event.Event{ID: "status:7", Kind: event.OwnPost, Type: "status", PostID: "7"}),
		Entry("an ID that is a path", event.Event{ID: "../accounts/7", Kind: event.Mention, Type: "mention"}),
		Entry("a digest in place of an ID", event.Event{ID: "sha256-00-0", Kind: event.Mention, Type: "mention"}),
	)

	It("stays as it is where it was deleted meanwhile, or is somebody else's", func(ctx SpecContext) {
		s := subscribed(ctx, mastodonfake.Mastodon44)
		sent, told := s.pushed(ctx, mastodonfake.Post{Text: "hello"})
		s.fake.Hide(told, true)
		Expect(s.adapter.Complete(ctx, s.declared(), sent)).To(Equal(sent))
		s.fake.Hide(told, false)
		s.token = s.fake.IssueToken(s.fake.AddAccount("help"), mastodonScopes...)
		Expect(s.adapter.Complete(ctx, s.declared(), sent)).To(Equal(sent))
	})

	DescribeTable("stays as it is where the server", func(ctx SpecContext, fault faults.Fault, class platform.Class) {
		s := subscribed(ctx, mastodonfake.Mastodon44)
		sent, told := s.pushed(ctx, mastodonfake.Post{Text: "hello"})
		s.fake.Misbehave(notificationsPath+told.ID, fault)
		got, err := s.adapter.Complete(ctx, s.declared(), sent)
		Expect(platform.ClassOf(err)).To(Equal(class))
		Expect(err).To(HaveOccurred())
		Expect(got).To(Equal(sent))
		Expect(err.Error()).NotTo(ContainSubstring(s.token))
		s.fake.Faults().Heal()
		Expect(s.adapter.Complete(ctx, s.declared(), sent)).To(HaveField("PostID", told.StatusID), "and later it can be asked again")
	},
		Entry("does not know the token", faults.Answer(http.StatusUnauthorized, "application/json", `{"error":"The access token is invalid"}`), platform.Unauthorized),
		Entry("misses a scope", faults.Answer(http.StatusForbidden, "application/json", `{"error":"This action is outside the authorized scopes"}`), platform.InsufficientScope),
		Entry("has had enough", faults.RateLimited(faults.ResetISO8601, time.Now(), time.Minute), platform.RateLimited),
		Entry("is out of order", faults.Status(http.StatusInternalServerError), platform.Transient),
		Entry("is overloaded", faults.Unavailable(time.Minute), platform.Transient),
		Entry("does not answer", faults.Hang(), platform.Transient),
		Entry("hangs up", faults.Drop(), platform.Transient),
		Entry("stops half-way", faults.Truncated(), platform.Transient),
		Entry("sends half of it", faults.HalfJSON(), platform.Unknown),
		Entry("sends too much", faults.Huge(5<<20), platform.Unknown),
		Entry("sends a page", faults.HTML(http.StatusOK), platform.Unknown),
		Entry("sends nothing", faults.Empty(), platform.Unknown),
		Entry("sends null", faults.Null(), platform.Unknown),
		Entry("sends an empty object", faults.EmptyObject(), platform.Unknown),
		Entry("sends a list", faults.Answer(http.StatusOK, "application/json", `[]`), platform.Unknown),
		Entry("sends another notification", faults.Answer(http.StatusOK, "application/json", `{"id":"1","type":"mention","status":{"id":"2"}}`), platform.Unknown),
	)

	It("is completed as far as the answer can be read", func(ctx SpecContext) {
		sent := event.Event{ID: "12", Kind: event.Mention, Type: "mention", Text: "hello", ThreadID: "12"}
		account := platform.Account{ID: "1", Handle: "news", Source: credentials.Values{"access-token": credentials.NewValue("t0ken")}}
		adapter := answeringAll(http.StatusOK, `{"id":"12","type":"mention","created_at":7,"account":{"id":"7","acct":"pia@elsewhere.example"},"status":null}`)
		want := sent
		want.AccountID, want.Actor = "1", event.Actor{ID: "7", Handle: "pia@elsewhere.example"}
		Expect(adapter.Complete(ctx, account, sent)).To(Equal(want), "with no post, the notification still stands for the thread")

		adapter = answeringAll(http.StatusOK, `{"id":12,"type":"mention","account":{"id":"7"},"status":{"id":"8","url":"http://elsewhere.example/8","content":7}}`)
		want.PostID, want.ThreadID, want.Actor.Handle = "8", "", ""
		Expect(adapter.Complete(ctx, account, sent)).To(Equal(want))
	})

	It("says which scope is missing, and where there is no token", func(ctx SpecContext) {
		s := subscribed(ctx, mastodonfake.Mastodon44)
		sent, _ := s.pushed(ctx, mastodonfake.Post{Text: "hello"})
		s.token = s.fake.IssueToken(s.account, "read:accounts", "push")
		_, err := s.adapter.Complete(ctx, s.declared(), sent)
		Expect(err).To(failWith(platform.InsufficientScope, "read:notifications"))
		account := s.declared()
		account.Source = nil
		got, err := s.adapter.Complete(ctx, account, sent)
		Expect(err).To(failWith(platform.Permanent, "access-token"))
		Expect(got).To(Equal(sent))
	})

	It("is given up when its time is over", func(ctx SpecContext) {
		s := subscribed(ctx, mastodonfake.Mastodon44)
		sent, told := s.pushed(ctx, mastodonfake.Post{Text: "hello"})
		s.fake.Misbehave(notificationsPath+told.ID, faults.Hang())
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		got, err := s.adapter.Complete(short, s.declared(), sent)
		Expect(err).To(failWith(platform.Transient, ""))
		Expect(got).To(Equal(sent))
	})
})
