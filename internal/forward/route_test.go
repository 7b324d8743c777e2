// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/forward"
	"github.com/rostra-dev/rostra/internal/inbox"
)

var _ = Describe("Routing", func() {
	It("sends each event to the sink of its channel's owner, as a CloudEvent that says all there is", bubble(func(w *world) {
		w.run()
		w.hear(mention(helpUID, "t", 1), mention(newsUID, "t", 1))
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "t", 1, 1)))
		Expect(w.wire.to(press)).To(Equal(idsOf(newsUID, "t", 1, 1)))
		sent := w.wire.tried()[0].event
		if w.wire.tried()[0].url != sinkOf(care, "").URL.Reveal() {
			sent = w.wire.tried()[1].event
		}
		Expect(sent.Source).To(Equal("/apis/social.rostra.dev/v1alpha1/namespaces/social/socialchannels/acme-help"))
		Expect(sent.Type).To(Equal("dev.rostra.event.mention.v1"))
		Expect(sent.Subject).To(Equal("t"))
		Expect(sent.Time).To(BeTemporally("==", happened))
		data, err := json.Marshal(sent.Data)
		Expect(err).NotTo(HaveOccurred())
		Expect(data).To(MatchJSON(fmt.Sprintf(`{
			"event": {
				"id": "t-1", "kind": "Mention", "platform": "Mastodon", "channel": "social/acme-help", "channelUID": %[1]q,
				"actor": {"id": "7", "handle": "jo@example.com"}, "text": "hello 1", "postID": "post-1", "threadID": "t",
				"occurredAt": "1999-11-22T08:00:00Z", "receivedAt": "1999-11-22T08:00:01Z"
			},
			"channel": {
				"namespace": "social", "name": "acme-help", "uid": %[1]q, "platform": "Mastodon", "handle": "@help@social.example",
				"owner": "care"
			},
			"conversation": "%[1]s/t"
		}`, helpUID)))
		Expect(w.figure("rostra_sink_events_total", "outcome", "posted")).To(Equal(2.0))
		Expect(w.figure("rostra_sink_deliveries_total", "outcome", "delivered")).To(Equal(2.0))
	}))

	It("leaves to Rostra what concerns the ownership of an account", bubble(func(w *world) {
		w.run()
		Expect(w.source.name).To(Equal("forward"))
		Expect(w.source.filter.Kinds).To(ConsistOf(event.Mention, event.Reply, event.DirectMessage, event.OwnPost, event.Other))
		lost := mention(helpUID, "t", 1)
		lost.Kind = event.AuthorizationLost
		w.hear(lost)
		Expect(w.wire.tried()).To(BeEmpty())
	}))

	DescribeTable("has a type for every kind", func(kind event.Kind, name string) {
		Expect(forward.TypeOf(kind)).To(Equal(name))
	},
		Entry(nil, event.Mention, "dev.rostra.event.mention.v1"),
		Entry(nil, event.Reply, "dev.rostra.event.reply.v1"),
		Entry(nil, event.DirectMessage, "dev.rostra.event.directmessage.v1"),
		Entry(nil, event.OwnPost, "dev.rostra.event.ownpost.v1"),
		Entry(nil, event.Other, "dev.rostra.event.other.v1"),
	)

	It("has nothing to do for a team without a sink, and for a channel that is gone", bubble(func(w *world) {
		delete(w.directory.sinks, care)
		delete(w.directory.owners, newsUID)
		w.run()
		nowhere := mention(helpUID, "t", 3)
		nowhere.Channel = ""
		w.hear(mention(helpUID, "t", 1), mention(newsUID, "t", 2), nowhere)
		Expect(w.outbox.waiting(care) + w.outbox.waiting(press)).To(BeZero())
		Expect(w.wire.tried()).To(BeEmpty())
		Expect(w.figure("rostra_sink_events_total", "outcome", "no_sink")).To(Equal(1.0))
		Expect(w.figure("rostra_sink_events_total", "outcome", "channel_gone")).To(Equal(2.0))
	}))

	It("gives an event back while nobody can tell whose it is, or it cannot be stored", bubble(func(w *world) {
		w.run()
		w.directory.change(func() { w.directory.down = errors.New("the API server is away") })
		Expect(w.source.handle(context.Background(), mention(helpUID, "t", 1))).To(MatchError("the API server is away"))
		w.directory.change(func() { w.directory.down = nil })
		w.outbox.refuses(func(string) error { return fmt.Errorf("%w: a disk is slow", inbox.ErrUnavailable) })
		Expect(w.source.handle(context.Background(), mention(helpUID, "t", 1))).To(MatchError(inbox.ErrUnavailable))
		Expect(w.figure("rostra_sink_events_total", "outcome", "deferred")).To(Equal(1.0))
	}))

	It("leaves out, aloud, what can never be stored", bubble(func(w *world) {
		w.run()
		w.outbox.refuses(func(string) error { return fmt.Errorf("%w: it is too large", inbox.ErrInvalid) })
		w.hear(mention(helpUID, "t", 1))
		Expect(w.log.String()).To(And(ContainSubstring("left out"), ContainSubstring(idOf(helpUID, "t", 1))))
		Expect(w.figure("rostra_sink_events_total", "outcome", "invalid")).To(Equal(1.0))
	}))

	It("reads again an inbox that could not be read", bubble(func(w *world) {
		w.source.fail = errors.New("no inbox")
		w.run()
		Expect(w.source.consumed()).To(Equal(1))
		after(25 * time.Second)
		Expect(w.source.consumed()).To(Equal(3))
		Expect(w.log.String()).To(ContainSubstring("no inbox"))
	}))

	It("tells whoever asks that it has what it needs, and runs in every replica", func() {
		_, err := forward.New(forward.Options{})
		Expect(err).To(MatchError(ContainSubstring("needs")))
		Expect((&forward.Forwarder{}).NeedLeaderElection()).To(BeFalse())
	})
})

var _ = Describe("A hand-over", Label("S3"), func() {
	It("switches the sink between two events: each goes to exactly one", bubble(func(w *world) {
		w.run()
		for n := 1; n <= 40; n++ {
			if n == 21 {
				w.directory.change(func() { w.directory.owners[helpUID] = press })
			}
			w.hear(mention(helpUID, "t", n))
		}
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "t", 1, 20)))
		Expect(w.wire.to(press)).To(Equal(idsOf(helpUID, "t", 21, 40)))
	}))

	It("leaves an event where it went first, also when it comes again after a crash", bubble(func(w *world) {
		w.run()
		w.hear(mention(helpUID, "t", 1)) // and the process was killed before that was noted
		w.directory.change(func() { w.directory.owners[helpUID] = press })
		w.hear(mention(helpUID, "t", 1), mention(helpUID, "t", 2))
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "t", 1, 1)))
		Expect(w.wire.to(press)).To(Equal(idsOf(helpUID, "t", 2, 2)))
	}))

	It("leaves what waits for the old owner's sink with the old owner", bubble(func(w *world) {
		w.wire.answers(func(url, _ string) error {
			if url == sinkOf(care, "").URL.Reveal() {
				return status(503, 0)
			}
			return nil
		})
		w.run()
		w.hear(mention(helpUID, "t", 1))
		w.directory.change(func() { w.directory.owners[helpUID] = press })
		w.hear(mention(helpUID, "t", 2))
		after(time.Minute)
		w.wire.answers(nil)
		after(5 * time.Minute)
		Expect(w.wire.to(care)).To(Equal(idsOf(helpUID, "t", 1, 1)))
		Expect(w.wire.to(press)).To(Equal(idsOf(helpUID, "t", 2, 2)))
	}))
})

var _ = Describe("A full outbox", func() {
	full := func(lane string, reason error) func(string) error {
		return func(l string) error {
			if l == lane || lane == "" {
				return fmt.Errorf("%w: no room", reason)
			}
			return nil
		}
	}

	It("leaves out what is new for a lane that is full", bubble(func(w *world) {
		w.outbox.refuse = full(care, inbox.ErrLaneFull)
		w.run()
		w.hear(mention(helpUID, "t", 1), mention(newsUID, "t", 1))
		Expect(w.wire.to(press)).To(Equal(idsOf(newsUID, "t", 1, 1)))
		Expect(w.figure("rostra_sink_events_total", "outcome", "full")).To(Equal(1.0))
	}))

	It("leaves out nothing while the disk is full, however many wait", bubble(func(w *world) {
		w.outbox.refuse, w.outbox.backlog = full("", inbox.ErrFull), 1000
		w.run()
		Expect(w.source.handle(context.Background(), mention(helpUID, "t", 1))).To(MatchError(inbox.ErrFull))
		Expect(w.figure("rostra_sink_events_total", "outcome", "deferred")).To(Equal(1.0))
		Expect(w.said.list()).To(BeEmpty())
	}))

	It("leaves out what is new for the team for which too many wait, says so once an hour, and nothing of others", bubble(func(w *world) {
		w.outbox.refuse, w.outbox.backlog = full(care, inbox.ErrLimit), 1000
		w.run()
		w.hear(mention(helpUID, "t", 1), mention(helpUID, "t", 2), mention(newsUID, "t", 1))
		Expect(w.wire.to(press)).To(Equal(idsOf(newsUID, "t", 1, 1)))
		Expect(w.said.list()).To(ConsistOf(And(HavePrefix("care since 0s"), ContainSubstring("no room"))))
		Expect(w.log.String()).To(ContainSubstring(idOf(helpUID, "t", 2)))
		Expect(w.figure("rostra_sink_events_total", "outcome", "full")).To(Equal(2.0))
		after(time.Hour)
		w.hear(mention(helpUID, "t", 3), mention(helpUID, "t", 4))
		Expect(w.said.list()).To(HaveLen(2))
	}))

	It("lets the events of a team wait in the inbox for which few wait", bubble(func(w *world) {
		w.outbox.refuse = full("", inbox.ErrLimit)
		w.run()
		Expect(w.source.handle(context.Background(), mention(helpUID, "t", 1))).To(MatchError(inbox.ErrFull))
		Expect(w.said.list()).To(BeEmpty())
	}))
})
