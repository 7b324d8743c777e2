// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
	blueskyfake "github.com/rostra-dev/rostra/test/fakes/bluesky"
	"github.com/rostra-dev/rostra/test/pds"
)

const listNotifications = "app.bsky.notification.listNotifications"

// start starts the server with an AppView behind it.
func (s *blueskyServer) start(ctx context.Context) {
	GinkgoHelper()
	s.view = blueskyfake.Start()
	DeferCleanup(s.view.Close)
	s.Server = startPDS(ctx, pds.Options{AppViewURL: s.view.URL()})
	s.view.UseDirectory(s.PLCURL())
}

// customer is whoever writes to the account.
func customer() blueskyfake.Actor {
	return blueskyfake.Actor{DID: "did:plc:44ybard66vv44zksje25o7dz", Handle: "customer.test", DisplayName: "A customer"}
}

// events are what the AppView tells of an account, and its own posts.
func (s *blueskyServer) events(account pds.Account) *conformance.Events {
	own := fmt.Sprintf("at://%s/app.bsky.feed.post/3jzfcijpj2z2a", account.DID)
	return &conformance.Events{Happen: func(ctx context.Context, kind event.Kind) error {
		switch kind {
		case event.Mention:
			s.view.Notify(account.DID, blueskyfake.Notification{Reason: "mention", Author: customer(), Text: "@" + account.Handle})
		case event.Reply:
			s.view.Notify(account.DID, blueskyfake.Notification{
				Reason: "reply", Author: customer(), Root: blueskyfake.Post{URI: own}, Parent: blueskyfake.Post{URI: own},
			})
		case event.OwnPost:
			_, err := s.Post(ctx, account, "news")
			return err
		case event.DirectMessage, event.AuthorizationLost, event.HandleChanged, event.TokenExpiring, event.Other:
			return errors.ErrUnsupported
		}
		return nil
	}}
}

var _ = Describe("Bluesky: what happens on an account", Ordered, ContinueOnFailure, Label("bluesky", "pds"), func() {
	var (
		server  *blueskyServer
		adapter blueskyPorts
		owner   pds.Account
		account platform.Account
		cursor  string
	)

	BeforeAll(func(ctx SpecContext) {
		server = &blueskyServer{}
		server.start(ctx)
	}, NodeTimeout(pdsStart))

	BeforeEach(func(ctx SpecContext) {
		adapter = newBlueskyAdapter(server.URL(), clock.RealClock{})
		owner = server.newAccount(ctx)
		account = blueskyAccount(owner, owner.Password, true).Declared
		account.Sessions = new(conformance.Sessions).Open()
		cursor = ""
	})

	poll := func(ctx context.Context, kinds ...event.Kind) []event.Event {
		GinkgoHelper()
		page, err := adapter.Poll(ctx, account, cursor, kinds)
		Expect(err).NotTo(HaveOccurred())
		Expect(page.More).To(BeFalse())
		cursor = page.Cursor
		return page.Events
	}

	It("is told by the AppView, to which the server vouches for the account", func(ctx SpecContext) {
		Expect(poll(ctx, adapter.Polls()...)).To(BeEmpty())
		mention := server.view.Notify(owner.DID, blueskyfake.Notification{Reason: "mention", Author: customer(), Text: "where is my parcel?"})
		quote := server.view.Notify(owner.DID, blueskyfake.Notification{Reason: "quote", Author: customer(), Text: "look at this"})
		server.view.Notify(owner.DID, blueskyfake.Notification{Reason: "like", Author: customer()})
		reply := server.view.Notify(owner.DID, blueskyfake.Notification{
			Reason: "reply", Author: customer(), Text: "still waiting", Root: blueskyfake.Post{URI: mention}, Parent: blueskyfake.Post{URI: quote},
		})
		found := poll(ctx, adapter.Polls()...)
		Expect(found).To(HaveExactElements(
			And(HaveField("Kind", event.Mention), HaveField("Type", "mention"), HaveField("PostID", mention), HaveField("ThreadID", mention), HaveField("InReplyTo", "")),
			And(HaveField("Kind", event.Mention), HaveField("Type", "quote"), HaveField("PostID", quote)),
			And(HaveField("Kind", event.Reply), HaveField("Text", "still waiting"), HaveField("ThreadID", mention), HaveField("InReplyTo", quote)),
		))
		Expect(found[2]).To(And(
			HaveField("ID", reply+"#reply"), HaveField("AccountID", owner.DID),
			HaveField("Actor", event.Actor{ID: customer().DID, Handle: "customer.test", DisplayName: "A customer"}),
			HaveField("URL", HavePrefix("https://bsky.app/profile/"+customer().DID+"/post/")),
			HaveField("OccurredAt", BeTemporally("~", time.Now(), time.Minute)),
		))
		Expect(poll(ctx, adapter.Polls()...)).To(BeEmpty())
		Expect(server.view.Refusals()).To(BeEmpty())
	})

	It("is one account's alone", func(ctx SpecContext) {
		poll(ctx, event.Mention)
		server.view.Notify(server.newAccount(ctx).DID, blueskyfake.Notification{Reason: "mention", Author: customer()})
		Expect(poll(ctx, event.Mention)).To(BeEmpty())
	})

	It("costs one request a list when nothing has happened", func(ctx SpecContext) {
		for range 3 {
			server.view.Notify(owner.DID, blueskyfake.Notification{Reason: "mention", Author: customer()})
			_, err := server.Post(ctx, owner, "news")
			Expect(err).NotTo(HaveOccurred())
		}
		poll(ctx, adapter.Polls()...)
		server.asked()
		Expect(poll(ctx, adapter.Polls()...)).To(BeEmpty())
		Expect(server.asked()).To(Equal([]string{listNotifications, "repo.listRecords"}))
	})

	It("is read through an app password too", func(ctx SpecContext) {
		account.Source["password"] = blueskyAccount(owner, server.newAppPassword(ctx, owner, "laptop"), false).Declared.Source["password"]
		poll(ctx, event.Mention)
		server.view.Notify(owner.DID, blueskyfake.Notification{Reason: "mention", Author: customer()})
		Expect(poll(ctx, event.Mention)).To(HaveLen(1))
	})

	It("is no more told while the AppView is away, which blames nobody", func(ctx SpecContext) {
		away := blueskyfake.Start()
		url := away.URL()
		away.Close()
		cut := &blueskyServer{Server: startPDS(ctx, pds.Options{AppViewURL: url})}
		owner := cut.newAccount(ctx)
		account := blueskyAccount(owner, owner.Password, true).Declared
		account.Sessions = new(conformance.Sessions).Open()
		_, err := newBlueskyAdapter(cut.URL(), clock.RealClock{}).Poll(ctx, account, "", []event.Kind{event.Mention})
		Expect(platform.ClassOf(err)).To(Equal(platform.Transient), "%v", err)
	}, SpecTimeout(pdsStart))

	It("is not believed of a server that the AppView does not know", func(ctx SpecContext) {
		server.view.UseDirectory("")
		defer server.view.UseDirectory(server.PLCURL())
		_, err := adapter.Poll(ctx, account, "", []event.Kind{event.Mention})
		Expect(err).To(failWith(platform.Unknown, "do not agree about who asks"))
	})
})

var _ = Describe("Bluesky: an account on a server without an AppView", Ordered, Label("bluesky", "pds"), func() {
	server := &blueskyServer{}
	var (
		adapter blueskyPorts
		owner   pds.Account
		account platform.Account
	)

	BeforeAll(func(ctx SpecContext) { server.Server = startPDS(ctx, pds.Options{}) }, NodeTimeout(pdsStart))

	BeforeEach(func(ctx SpecContext) {
		adapter = newBlueskyAdapter(server.URL(), clock.RealClock{})
		owner = server.newAccount(ctx)
		account = blueskyAccount(owner, owner.Password, true).Declared
		account.Sessions = new(conformance.Sessions).Open()
	})

	It("tells its own posts, and of what they answer", func(ctx SpecContext) {
		_, err := server.Post(ctx, owner, "before Rostra came")
		Expect(err).NotTo(HaveOccurred())
		page, err := adapter.Poll(ctx, account, "", []event.Kind{event.OwnPost})
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(BeEmpty())

		first, err := server.Post(ctx, owner, "we are open again")
		Expect(err).NotTo(HaveOccurred())
		const root, parent = "at://did:plc:44ybard66vv44zksje25o7dz/app.bsky.feed.post/3jzfcijpj2z2a", "at://did:plc:44ybard66vv44zksje25o7dz/app.bsky.feed.post/3jzfcijpj2z2b"
		second, err := server.Reply(ctx, owner, "it is on its way", root, parent)
		Expect(err).NotTo(HaveOccurred())

		page, err = adapter.Poll(ctx, account, page.Cursor, []event.Kind{event.OwnPost})
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Events).To(HaveExactElements(
			And(HaveField("ID", first), HaveField("Kind", event.OwnPost), HaveField("Text", "we are open again"), HaveField("ThreadID", first),
				HaveField("AccountID", owner.DID), HaveField("OccurredAt", BeTemporally("~", time.Now(), time.Minute))),
			And(HaveField("ID", second), HaveField("ThreadID", root), HaveField("InReplyTo", parent)),
		))
		Expect(page.Events[0].URL).To(Equal("https://bsky.app/profile/" + owner.DID + "/post/" + first[len(first)-13:]))
	})

	It("cannot tell who mentions it, and says so to a person", func(ctx SpecContext) {
		_, err := adapter.Poll(ctx, account, "", []event.Kind{event.Mention, event.OwnPost})
		Expect(err).To(failWith(platform.Permanent, "the server has no AppView"))
	})

	It("tells nothing once it is deactivated", func(ctx SpecContext) {
		page, err := adapter.Poll(ctx, account, "", []event.Kind{event.OwnPost})
		Expect(err).NotTo(HaveOccurred())
		Expect(server.Deactivate(ctx, owner)).To(Succeed())
		_, err = adapter.Poll(ctx, account, page.Cursor, []event.Kind{event.OwnPost})
		Expect(err).To(failWith(platform.NotFound, "does not show the account's posts"))
	})
})
