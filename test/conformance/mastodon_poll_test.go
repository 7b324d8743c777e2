// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"fmt"
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

// polled gives a page, and takes its cursor to be kept.
func (s *subscriber) polled(ctx context.Context, cursor *string, kinds ...event.Kind) platform.Page {
	GinkgoHelper()
	if len(kinds) == 0 {
		kinds = s.adapter.Polls()
	}
	page, err := s.adapter.Poll(ctx, s.declared(), *cursor, kinds)
	Expect(err).NotTo(HaveOccurred())
	*cursor = page.Cursor
	return page
}

var _ = Describe("Mastodon's lists", Label("mastodon"), func() {
	flavours := []TableEntry{
		Entry(nil, mastodonfake.Mastodon42), Entry(nil, mastodonfake.Mastodon44), Entry(nil, mastodonfake.GoToSocial019),
	}

	DescribeTable("tell what happened, to whom, by whom and where", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		s := newSubscriber(mastodonfake.WithFlavour(flavour))
		earlier := s.fake.Publish(s.account, mastodonfake.Post{Text: "We are open."})
		var cursor string
		s.polled(ctx, &cursor)

		mention := s.fake.Mention(ctx, s.account, mastodonfake.Post{HTML: `<p><span class="h-card">@<span>news</span></span> is<br>anybody there?</p>`})
		reply := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "until when?", InReplyTo: earlier})
		aside := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "ask @news", InReplyTo: reply.StatusID})
		direct := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "my number is 7", Spoiler: "private", Visibility: "direct", InReplyTo: earlier})
		own := s.fake.Publish(s.account, mastodonfake.Post{Text: "Until six.", InReplyTo: reply.StatusID})

		page := s.polled(ctx, &cursor)
		Expect(page.More).To(BeFalse())
		Expect(page.Events).To(HaveLen(5))
		for i, want := range []event.Event{
			{ID: mention.ID, Kind: event.Mention, Type: "mention", Text: "@news is\nanybody there?", PostID: mention.StatusID},
			{ID: reply.ID, Kind: event.Reply, Type: "mention", Text: "until when?", PostID: reply.StatusID, InReplyTo: earlier},
			{ID: aside.ID, Kind: event.Mention, Type: "mention", Text: "ask @news", PostID: aside.StatusID, InReplyTo: reply.StatusID},
			{ID: direct.ID, Kind: event.DirectMessage, Type: "mention", Text: "private\n\nmy number is 7", PostID: direct.StatusID, InReplyTo: earlier},
			{ID: "status:" + own, Kind: event.OwnPost, Type: "status", Text: "Until six.", PostID: own, InReplyTo: reply.StatusID},
		} {
			got := page.Events[i]
			Expect(got.OccurredAt).To(BeTemporally("~", time.Now(), time.Minute))
			Expect(got.URL).To(HavePrefix("https://"))
			Expect(got.URL).To(HaveSuffix("/" + want.PostID))
			if want.Kind == event.OwnPost {
				Expect(got.Actor).To(Equal(event.Actor{ID: s.account.ID, Handle: "news", DisplayName: "The news desk"}))
			} else {
				Expect(got.Actor).To(And(HaveField("Handle", "pia@elsewhere.example"), HaveField("DisplayName", "Pia Somebody"), HaveField("ID", Not(BeEmpty()))))
			}
			want.AccountID, want.Actor, want.URL, want.OccurredAt = s.account.ID, got.Actor, got.URL, got.OccurredAt
			Expect(got).To(Equal(want))
		}
	}, flavours)

	DescribeTable("tie an answer to the mention that was pushed", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		s := newSubscriber(mastodonfake.WithFlavour(flavour))
		var cursor string
		s.polled(ctx, &cursor, event.OwnPost)
		mention := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "is anybody there?"})
		follow := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "hello?", InReplyTo: mention.StatusID})
		own := s.fake.Publish(s.account, mastodonfake.Post{Text: "Yes!", InReplyTo: mention.StatusID})
		further := s.fake.Publish(s.account, mastodonfake.Post{Text: "And here I am.", InReplyTo: own})
		last := s.fake.Publish(s.account, mastodonfake.Post{Text: "Sorry.", InReplyTo: follow.StatusID})
		alone := s.fake.Publish(s.account, mastodonfake.Post{Text: "We are open."})

		Expect(s.polled(ctx, &cursor, event.OwnPost).Events).To(HaveExactElements(
			And(HaveField("PostID", own), HaveField("InReplyTo", mention.StatusID), HaveField("ThreadID", mention.ID)),
			And(HaveField("PostID", further), HaveField("InReplyTo", own), HaveField("ThreadID", "")),
			And(HaveField("PostID", last), HaveField("InReplyTo", follow.StatusID), HaveField("ThreadID", follow.ID)),
			And(HaveField("PostID", alone), HaveField("InReplyTo", ""), HaveField("ThreadID", "")),
		))
	}, flavours)

	DescribeTable("are read to their end, page by page", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		s := newSubscriber(mastodonfake.WithFlavour(flavour))
		var cursor string
		s.polled(ctx, &cursor)
		const many = 75
		for i := range many {
			s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: fmt.Sprint("mention ", i)})
			s.fake.Publish(s.account, mastodonfake.Post{Text: fmt.Sprint("post ", i)})
		}
		var mentions, posts []string
		for pages := 1; ; pages++ {
			page := s.polled(ctx, &cursor)
			for _, found := range page.Events {
				if found.Kind == event.OwnPost {
					posts = append(posts, found.Text)
				} else {
					mentions = append(mentions, found.Text)
				}
			}
			if !page.More {
				Expect(pages).To(BeNumerically("<=", 5), "what is young is read again, half a page of it at most")
				break
			}
		}
		Expect(mentions).To(HaveLen(many))
		Expect(posts).To(HaveLen(many))
		for i := range many {
			Expect(mentions[i]).To(Equal(fmt.Sprint("mention ", i)))
			Expect(posts[i]).To(Equal(fmt.Sprint("post ", i)))
		}
		Expect(s.polled(ctx, &cursor).Events).To(BeEmpty())
	}, flavours)

	DescribeTable("are read past posts of any size", func(ctx SpecContext, flavour mastodonfake.Flavour) {
		s := newSubscriber(mastodonfake.WithFlavour(flavour))
		var cursor string
		s.polled(ctx, &cursor)
		var want []string
		for range 20 {
			want = append(want, s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: strings.Repeat("x", 600<<10)}).ID)
		}
		want = append(want, s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: strings.Repeat("x", 9<<20)}).ID)
		want = append(want, s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "hello"}).ID)
		var found []string
		for range 30 {
			page := s.polled(ctx, &cursor, event.Mention)
			for _, one := range page.Events {
				found = append(found, one.ID)
			}
			if !page.More {
				break
			}
		}
		Expect(found).To(Equal(want))
	}, flavours)

	It("begin after a post of any size", func(ctx SpecContext) {
		s := newSubscriber()
		s.fake.Publish(s.account, mastodonfake.Post{Text: strings.Repeat("x", 9<<20)})
		var cursor string
		Expect(s.polled(ctx, &cursor).Events).To(BeEmpty())
		Expect(s.polled(ctx, &cursor).Events).To(BeEmpty())
	})

	It("say it where one post alone is too large", func(ctx SpecContext) {
		s := newSubscriber()
		var cursor string
		s.polled(ctx, &cursor)
		s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: strings.Repeat("x", 33<<20)})
		_, err := s.adapter.Poll(ctx, s.declared(), cursor, []event.Kind{event.Mention})
		Expect(err).To(failWith(platform.Unknown, "somebody must delete it"))
	})

	It("show late what happened before something else", func(ctx SpecContext) {
		s := newSubscriber()
		var cursor string
		s.polled(ctx, &cursor)
		late := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "first"})
		s.fake.Hide(late, true)
		early := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "second"})
		Expect(s.polled(ctx, &cursor).Events).To(ConsistOf(HaveField("ID", early.ID)))
		Expect(s.polled(ctx, &cursor).Events).To(BeEmpty())
		s.fake.Hide(late, false)
		Expect(s.polled(ctx, &cursor).Events).To(ConsistOf(HaveField("ID", late.ID)))
		Expect(s.polled(ctx, &cursor).Events).To(BeEmpty())
	})

	It("are not spoilt by what is odd in one element", func(ctx SpecContext) {
		adapter := answeringAll(http.StatusOK, `[
			{"id":"12","type":"mention","created_at":"2026-11-22T12:00:00Z","account":{"id":7,"acct":"pia@elsewhere.example"},"status":{"id":"1-2","in_reply_to_id":"a-b","content":"<p>hello</p>"}},
			{"id":"a-b","type":"mention","status":{"id":"3"}}, null, "x",
			{"id":"13","type":"mention","created_at":"0000-01-01T00:00:00+01:00","status":{"id":"4","content":7}}]`)
		account := platform.Account{ID: "1", Handle: "news", Source: credentials.Values{"access-token": credentials.NewValue("t0ken")}}
		page, err := adapter.Poll(ctx, account, `{"n":"11"}`, []event.Kind{event.Mention})
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(ConsistOf(
			And(HaveField("ID", "12"), HaveField("Text", "hello"), HaveField("PostID", ""), HaveField("InReplyTo", ""), HaveField("Actor.Handle", "pia@elsewhere.example")),
			And(HaveField("ID", "13"), HaveField("PostID", "4"), HaveField("OccurredAt", BeZero())),
		))
		Expect(adapter.Poll(ctx, account, page.Cursor, []event.Kind{event.Mention})).To(HaveField("Events", BeEmpty()))
	})

	It("are asked only for what is wanted", func(ctx SpecContext) {
		s := newSubscriber()
		var cursor string
		s.polled(ctx, &cursor, event.DirectMessage)
		Expect(s.fake.Requests()).NotTo(HaveKey("/api/v1/accounts/" + s.account.ID + "/statuses"))
		s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "in public"})
		direct := s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "in private", Visibility: "direct"})
		s.fake.Notify(ctx, s.account, "follow")
		Expect(s.polled(ctx, &cursor, event.DirectMessage).Events).To(ConsistOf(HaveField("ID", direct.ID)))
	})

	It("do not raise the past of what was not wanted meanwhile", func(ctx SpecContext) {
		s := newSubscriber()
		var cursor string
		s.polled(ctx, &cursor)
		s.polled(ctx, &cursor, event.Mention)
		s.fake.Publish(s.account, mastodonfake.Post{Text: "while nobody looked"})
		Expect(s.polled(ctx, &cursor).Events).To(BeEmpty())
		s.fake.Publish(s.account, mastodonfake.Post{Text: "while somebody looked"})
		Expect(s.polled(ctx, &cursor).Events).To(ConsistOf(HaveField("Text", "while somebody looked")))
	})

	It("lose nothing when one of them cannot be had", func(ctx SpecContext) {
		s := newSubscriber()
		var cursor string
		s.polled(ctx, &cursor)
		s.fake.Mention(ctx, s.account, mastodonfake.Post{Text: "hello"})
		s.fake.Misbehave("/api/v1/accounts/"+s.account.ID+"/statuses", faults.Status(http.StatusServiceUnavailable)).Times(1)
		_, err := s.adapter.Poll(ctx, s.declared(), cursor, s.adapter.Polls())
		Expect(platform.ClassOf(err)).To(Equal(platform.Transient))
		Expect(s.polled(ctx, &cursor).Events).To(HaveLen(1))
	})

	It("are of the account that the token is of, where nobody knows its ID yet", func(ctx SpecContext) {
		s := newSubscriber()
		account := s.declared()
		account.ID = ""
		page, err := s.adapter.Poll(ctx, account, "", s.adapter.Polls())
		Expect(err).NotTo(HaveOccurred())
		s.fake.Publish(s.account, mastodonfake.Post{Text: "hello"})
		Expect(s.adapter.Poll(ctx, account, page.Cursor, s.adapter.Polls())).To(HaveField("Events", ConsistOf(HaveField("AccountID", s.account.ID))))
	})

	It("say which scope is missing", func(ctx SpecContext) {
		s := newSubscriber()
		s.token = s.fake.IssueToken(s.account, "read:accounts", "push")
		_, err := s.adapter.Poll(ctx, s.declared(), "", s.adapter.Polls())
		Expect(platform.ClassOf(err)).To(Equal(platform.InsufficientScope))
		Expect(err).To(MatchError(ContainSubstring("read:notifications")))
	})
})
