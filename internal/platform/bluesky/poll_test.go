// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

var _ = Describe("Polling", func() {
	const notifications = "app.bsky.notification.listNotifications"
	var (
		ctx     context.Context
		clock   *clocktesting.FakePassiveClock
		log     *journal
		server  *pds
		poller  platform.Poller
		account platform.Account
		cursor  string
		serial  int
	)

	BeforeEach(func() {
		ctx, cursor, serial = context.Background(), "", 0
		clock = clocktesting.NewFakePassiveClock(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
		log = &journal{}
		server = newPDS(log, clock)
		DeferCleanup(server.Close)
		account = platform.Account{
			Handle:   handle,
			Source:   credentials.Values{"password": credentials.NewValue(mainPassword)},
			Sessions: &seat{store: &store{journal: log}},
		}
		poller = newAdapter(server.URL, clock).(platform.Poller)
	})

	AfterEach(func() {
		server.set(func(p *pds) { Expect(p.violations).To(BeEmpty(), "what a server must not be sent") })
	})

	record := func(text string) map[string]any {
		return map[string]any{"$type": "app.bsky.feed.post", "text": text, "createdAt": clock.Now().Format(time.RFC3339)}
	}
	// told lets somebody give the account a reason to be notified.
	told := func(reason string) string {
		serial++
		uri := fmt.Sprintf("at://%s/app.bsky.feed.post/%d", otherDID, serial)
		server.set(func(p *pds) {
			p.notices = append(p.notices, map[string]any{
				"uri": uri, "reason": reason, "indexedAt": clock.Now().Format("2006-01-02T15:04:05.000Z"), "record": record("hi"),
				"author": map[string]any{"did": otherDID, "handle": "customer.test"},
			})
		})
		return uri + "#" + reason
	}
	posted := func(key string) string {
		uri := "at://" + did + "/app.bsky.feed.post/" + key
		server.set(func(p *pds) {
			p.posts = append(p.posts, map[string]any{"uri": uri, "cid": "b", "value": record("news")})
		})
		return uri
	}
	pass := func(d time.Duration) { clock.SetTime(clock.Now().Add(d)) }
	poll := func(kinds ...event.Kind) platform.Page {
		GinkgoHelper()
		page, err := poller.Poll(ctx, account, cursor, kinds)
		Expect(err).NotTo(HaveOccurred())
		cursor = page.Cursor
		return page
	}
	ids := func(page platform.Page) []string {
		var found []string
		for _, happened := range page.Events {
			found = append(found, happened.ID)
		}
		return found
	}
	all := []event.Kind{event.Mention, event.Reply, event.OwnPost}

	It("opens one session, begins now, and then asks once for each list", func() {
		for _, key := range []string{"3a", "3b"} {
			told("mention")
			posted(key)
			pass(time.Second)
		}
		Expect(poll(all...).Events).To(BeEmpty())
		Expect(log.requests()).To(Equal([]string{"server.createSession", notifications, "repo.listRecords"}))
		Expect(poll(all...).Events).To(BeEmpty())
		Expect(log.requests()).To(Equal([]string{notifications, "repo.listRecords"}))
	})

	It("gives what happened oldest first, in both lists together", func() {
		poll(all...)
		first := told("mention")
		pass(time.Second)
		second := posted("3b")
		pass(time.Second)
		third := told("reply")
		Expect(ids(poll(all...))).To(Equal([]string{first, second, third}))
		Expect(ids(poll(all...))).To(BeEmpty())
	})

	It("asks for no list that is not wanted, and begins one when it is", func() {
		poll(event.OwnPost)
		Expect(log.requests()).To(Equal([]string{"server.createSession", "repo.listRecords"}))
		told("mention")
		post := posted("3a")
		Expect(ids(poll(all...))).To(Equal([]string{post}), "the mention came before anybody asked")
		mention := told("mention")
		Expect(ids(poll(event.Mention))).To(Equal([]string{mention}))
	})

	It("tells replies from mentions", func() {
		poll(all...)
		mention, reply, quote := told("mention"), told("reply"), told("quote")
		told("like")
		before := cursor
		Expect(ids(poll(event.Reply))).To(Equal([]string{reply}))
		cursor = before
		Expect(ids(poll(event.Mention))).To(Equal([]string{mention, quote}))
	})

	It("reads a flood in several polls, and nothing twice", func() {
		poll(all...)
		var want []string
		for range 620 {
			pass(time.Millisecond)
			want = append(want, told("mention"))
		}
		first := poll(all...)
		Expect(first.More).To(BeTrue())
		Expect(ids(first)).To(Equal(want[120:]))
		second := poll(all...)
		Expect(second.More).To(BeFalse())
		Expect(ids(second)).To(Equal(want[:120]))
		Expect(ids(poll(all...))).To(BeEmpty())
	})

	It("renews a session that ends in the middle", func() {
		told("reply")
		pass(time.Minute)
		told("reply")
		poll(all...)
		pass(accessLife + time.Minute)
		mention := told("mention")
		Expect(ids(poll(all...))).To(Equal([]string{mention}))
		Expect(log.requests()).To(Equal([]string{
			"server.createSession", notifications, "repo.listRecords", "server.refreshSession", notifications, "repo.listRecords",
		}))
		server.fail(notifications, 400, "ExpiredToken", "Token has expired")
		second := told("mention")
		Expect(ids(poll(all...))).To(Equal([]string{second}))
	})

	It("loses nothing when the second of two lists fails", func() {
		poll(all...)
		mention := told("mention")
		server.fail("repo.listRecords", 503, "InternalServerError", "no")
		page, err := poller.Poll(ctx, account, cursor, all)
		Expect(err).To(beClass(platform.Transient))
		Expect(page).To(BeZero())
		Expect(ids(poll(all...))).To(Equal([]string{mention}))
	})

	DescribeTable("says what is wrong", func(method string, status int, name, message string, class platform.Class, words string) {
		server.fail(method, status, name, message)
		_, err := poller.Poll(ctx, account, cursor, all)
		Expect(err).To(beClass(class))
		Expect(err).To(MatchError(ContainSubstring(words)))
	},
		Entry("no AppView", notifications, 400, "InvalidRequest", "No service configured for app.bsky.notification.listNotifications", platform.Permanent, "events cannot be had there"),
		Entry("an AppView without notifications", notifications, 501, "MethodNotImplemented", "Method Not Implemented", platform.Permanent, "events cannot be had there"),
		Entry("an AppView that is away", notifications, 502, "UpstreamFailure", "Upstream Failure", platform.Transient, ""),
		Entry("an AppView that does not know the server", notifications, 401, "BadJwtSignature", "jwt signature does not match jwt issuer", platform.Unknown, "do not agree"),
		Entry("a wall before the posts", "repo.listRecords", 403, "Forbidden", "no", platform.Permanent, "leave OwnPost out"),
		Entry("no repository", "repo.listRecords", 400, "InvalidRequest", "Could not find repo: "+did, platform.NotFound, "deactivated, taken down or gone"),
	)

	DescribeTable("refuses a list that is none", func(method, body string) {
		server.answer(method, false, page(200, "application/json", body))
		answer, err := poller.Poll(ctx, account, cursor, all)
		Expect(err).To(beClass(platform.Unknown))
		Expect(answer).To(BeZero())
	},
		Entry("of notifications, without any", notifications, `{"cursor":"1"}`),
		Entry("of notifications, of no record", notifications, `{"notifications":[{"uri":"https://x.example","reason":"reply","indexedAt":"2026-11-21T12:00:00Z"}]}`),
		Entry("of notifications, with an endless cursor", notifications, `{"notifications":[],"cursor":"`+strings.Repeat("1", 2000)+`"}`),
		Entry("of posts, without any", "repo.listRecords", `{}`),
		Entry("of somebody else's posts", "repo.listRecords", `{"records":[{"uri":"at://`+otherDID+`/app.bsky.feed.post/3a"}]}`),
		Entry("of what is no post", "repo.listRecords", `{"records":[{"uri":"at://`+did+`/app.bsky.feed.like/3a"}]}`),
	)

	// notice adds a notification of an author's making.
	notice := func(uri string, changes map[string]any) {
		server.set(func(p *pds) {
			made := map[string]any{
				"uri": uri, "reason": "mention", "indexedAt": clock.Now().Format("2006-01-02T15:04:05.000Z"),
				"author": map[string]any{"did": otherDID, "handle": "customer.test"}, "record": record("hi"),
			}
			maps.Copy(made, changes)
			p.notices = append(p.notices, made)
		})
	}

	It("reads past posts of any size", func() {
		poll(all...)
		var want []string
		for i := range 30 {
			pass(time.Second)
			uri := fmt.Sprintf("at://%s/app.bsky.feed.post/large%d", otherDID, i)
			size := 400 << 10
			if i == 20 {
				size = 9 << 20
			}
			notice(uri, map[string]any{"record": map[string]any{"text": strings.Repeat("x", size)}})
			want = append(want, uri+"#mention")
		}
		page := poll(event.Mention)
		Expect(ids(page)).To(Equal(want))
		Expect(page.More).To(BeFalse())
		Expect(ids(poll(event.Mention))).To(BeEmpty())
		mention := told("mention")
		Expect(ids(poll(event.Mention))).To(Equal([]string{mention}))
	})

	It("says it where one post alone is too large", func() {
		poll(all...)
		notice("at://"+otherDID+"/app.bsky.feed.post/3a", map[string]any{"record": map[string]any{"text": strings.Repeat("x", 33<<20)}})
		_, err := poller.Poll(ctx, account, cursor, all)
		Expect(err).To(beClass(platform.Unknown))
		Expect(err).To(MatchError(ContainSubstring("block its author")))
	})

	It("is not spoilt by one odd entry", func() {
		poll(all...)
		told("mention")
		web := "at://did:web:Evil.example.com/app.bsky.feed.post/3a"
		notice(web, nil)
		notice("at://customer.test/app.bsky.feed.post/3a", nil)
		notice("at://"+otherDID+"/app.bsky.feed.post/timeless", map[string]any{"indexedAt": "-000001-12-31T23:00:00.000Z"})
		notice("at://"+otherDID+"/app.bsky.feed.post/deep", map[string]any{
			"record": json.RawMessage(`{"text":"deep","x":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`),
		})
		last := told("mention")
		found := poll(all...).Events
		Expect(found).To(HaveLen(6))
		Expect(found).To(ContainElements(
			And(HaveField("ID", web+"#mention"), HaveField("PostID", web), HaveField("URL", "https://bsky.app/profile/did:web:Evil.example.com/post/3a")),
			And(HaveField("ID", "at://customer.test/app.bsky.feed.post/3a#mention"), HaveField("PostID", ""), HaveField("URL", "")),
			HaveField("Text", "deep"), HaveField("ID", last),
		))
		Expect(found[5]).To(And(HaveField("PostID", HaveSuffix("/timeless")), HaveField("OccurredAt", BeZero())))
		Expect(poll(all...).Events).To(BeEmpty())
	})

	It("gives own posts no time that cannot be stored", func() {
		poll(all...)
		server.set(func(p *pds) {
			p.posts = append(p.posts, map[string]any{
				"uri": "at://" + did + "/app.bsky.feed.post/old", "cid": "b", "value": map[string]any{"text": "x", "createdAt": "0000-01-01T00:00:00+01:00"},
			})
		})
		found := poll(all...).Events
		Expect(found).To(HaveLen(1))
		Expect(json.Marshal(found)).NotTo(BeEmpty())
	})

	It("reads a rest anew where the server's cursor is worth nothing any more", func() {
		poll(all...)
		var want []string
		for range 520 {
			pass(time.Millisecond)
			want = append(want, told("mention"))
		}
		Expect(poll(all...).More).To(BeTrue())
		server.fail(notifications, 400, "InvalidRequest", "Malformed cursor")
		again := poll(all...)
		Expect(ids(again)).To(Equal(want[20:]), "from the beginning")
		Expect(again.More).To(BeTrue())
		Expect(ids(poll(all...))).To(Equal(want[:20]))
		Expect(ids(poll(all...))).To(BeEmpty())
	})

	It("begins anew where the cursor is another account's", func() {
		poll(all...)
		told("mention")
		cursor = strings.ReplaceAll(cursor, did, otherDID)
		Expect(poll(all...).Events).To(BeEmpty())
	})

	It("shows nothing that would disturb a log", func() {
		poll(all...)
		server.set(func(p *pds) {
			p.notices = append(p.notices, map[string]any{
				"uri": "at://" + otherDID + "/app.bsky.feed.post/3a", "reason": "mention", "indexedAt": "2026-11-21T12:00:00Z",
				"record": map[string]any{"text": "a\x1b[31mb\u202ec"}, "author": map[string]any{"displayName": strings.Repeat("x", 5000)},
			})
		})
		found := poll(all...).Events
		Expect(found).To(HaveLen(1))
		Expect(found[0].Text).To(Equal("a[31mbc"))
		Expect(found[0].Actor.DisplayName).To(HaveLen(event.MaxName))
	})
})
