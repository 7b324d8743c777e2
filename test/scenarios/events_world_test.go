// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/test/simulated"
)

var (
	errUnreachable = errors.New("connection refused")
	errUnknownKeys = errors.New("it does not know these keys")
	gatewayKey     = bytes.Repeat([]byte("k"), hook.KeySize)
)

const hooksBase = "https://hooks.acme.example"

// gateway is how the operator reaches its gateway from outside, which knows the
// records that are stored.
func (w *world) gateway() *socialchannel.Gateway {
	return &socialchannel.Gateway{BaseURL: hooksBase, Key: gatewayKey, Check: func(_ context.Context, callback, channelUID, digest string) error {
		if w.callback != nil {
			return w.callback
		}
		record := w.record()
		_, token, _ := strings.Cut(callback, "/hooks/bluesky/")
		id, ok := hook.ParseToken(gatewayKey, token)
		if !ok || record == nil || record.HookID != id || record.ChannelUID != channelUID || record.Digest(gatewayKey) != digest {
			return errUnknownKeys
		}
		return nil
	}}
}

// CountDrift implements socialchannel.DriftCounter.
func (w *world) CountDrift(platformType string) {
	if platformType == string(v1alpha1.PlatformBluesky) {
		w.drifts++
	}
}

// readingClient counts what is read past the cache.
type readingClient struct {
	client.Client
	world *world
}

// Get implements client.Client.
func (r *readingClient) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	r.world.reads++
	return r.Client.Get(ctx, key, object, options...)
}

// offerEvents makes the platform one that pushes and can be asked, and gives
// the operator a namespace of its own.
func (w *world) offerEvents() {
	GinkgoHelper()
	w.server.Events.Pushes = []event.Kind{event.Mention, event.Reply, event.DirectMessage, event.AuthorizationLost}
	w.server.Events.Polls = []event.Kind{event.Mention, event.Reply}
	w.server.Events.Tells = true
	w.createNamespace("rostra")
}

// subscribing is the one channel, with a subscription.
func (w *world) subscribing() *v1alpha1.SocialChannel {
	channel := w.channel()
	channel.Spec.Subscription = &v1alpha1.ChannelSubscription{Events: []v1alpha1.SubscribedEvent{v1alpha1.SubscribedMention, v1alpha1.SubscribedReply}}
	return channel
}

// record gives the hook record of the channel as stored, or nil.
func (w *world) record() *hook.Record {
	GinkgoHelper()
	records := &corev1.SecretList{}
	Expect(shared.secrets.List(w.ctx, records, client.InNamespace(w.in("rostra")), client.HasLabels{v1alpha1.LabelHook})).To(Succeed())
	if len(records.Items) == 0 {
		return nil
	}
	Expect(records.Items).To(HaveLen(1))
	record, err := hook.Decode(records.Items[0].Data)
	Expect(err).NotTo(HaveOccurred())
	Expect(records.Items[0].Labels).To(HaveKeyWithValue(v1alpha1.LabelHook, record.HookID))
	return &record
}

// receive judges a delivery as the gateway does.
func (w *world) receive(delivery platform.Delivery) ([]event.Event, error) {
	GinkgoHelper()
	record := w.record()
	if record == nil {
		return nil, errUnknownKeys
	}
	return simulated.Deliveries().Receive(delivery, record.InForce(w.clock.Now()))
}

// box is the inbox: what is in it outlives the operator.
type box struct {
	world *world
	mu    sync.Mutex
	// stored counts how often each event would be acted on.
	stored  map[string]int
	kept    []event.Event
	refuses error
	feed    chan event.Event
}

// Put implements socialchannel.Inbox.
func (b *box) Put(_ context.Context, events ...event.Event) error {
	b.world.killer.step(simulated.Before, "inbox put", b.world.check)
	if b.refuses != nil {
		return b.refuses
	}
	b.keep(events...)
	b.world.killer.step(simulated.After, "inbox put", b.world.check)
	return nil
}

func (b *box) keep(events ...event.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		if key := e.ChannelUID + "/" + e.ID; b.stored[key] == 0 {
			b.stored[key]++
			b.kept = append(b.kept, e)
		}
	}
}

// befalls makes something happen on the account: it is there to be asked for,
// and it is delivered if the platform has a subscription.
func (w *world) befalls(ids ...string) {
	GinkgoHelper()
	for _, id := range ids {
		w.server.Happens(w.account(), mention(id))
		if w.server.Registered(w.account()) == nil {
			continue
		}
		events, err := w.receive(w.server.Delivery(w.account(), mention(id)))
		if err != nil {
			continue
		}
		for i := range events {
			events[i].ChannelUID = string(w.get().UID)
		}
		w.inbox.keep(events...)
	}
}

// Consume implements arrivals.Inbox: an event that handle refuses comes again.
func (b *box) Consume(ctx context.Context, _ string, filter inbox.Filter, handle inbox.Handle) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-b.feed:
			if !slices.Contains(filter.Kinds, e.Kind) {
				go func() { b.feed <- e }()
				continue
			}
			if err := handle(ctx, e); err != nil {
				go func() { b.feed <- e }()
			}
		}
	}
}

func (b *box) ids() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := make([]string, 0, len(b.kept))
	for _, e := range b.kept {
		ids = append(ids, e.ID)
	}
	return ids
}

// endOfEvents is what has become of the channel's events, in words.
func (w *world) endOfEvents() []string {
	GinkgoHelper()
	if len(w.server.Events.Pushes) == 0 {
		return nil
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	say("subscriptions at the platform %d", w.server.Subscriptions())
	record := w.record()
	say("record %v", record != nil)
	if found := w.server.Registered(w.account()); found != nil {
		say("callback is the record's: %v", record != nil && found.Callback == hook.URL(hooksBase, "Bluesky", gatewayKey, record.HookID))
		say("events %v", found.Events)
		_, err := w.receive(w.server.Delivery(w.account(), event.Event{ID: "end", Kind: event.Mention}))
		say("a delivery is accepted: %v", err)
	}
	if record != nil {
		say("keys in the record %d", len(record.Keys))
	}
	channel := &v1alpha1.SocialChannel{}
	if err := shared.cached.GetAPIReader().Get(w.ctx, w.key(), channel); apierrors.IsNotFound(err) {
		say("no channel")
	} else if recorded := channel.Status.Subscription; recorded == nil {
		say("no subscription on record")
	} else {
		say("own posts on record %v", recorded.OwnPosts != nil)
		if recorded.OwnPosts != nil {
			say("own posts up to %s", recorded.OwnPosts.Cursor)
		}
		say("on record %s %v, registered %v, drifts %d, cursor %s", recorded.Delivery, recorded.Events, recorded.Registration != "", recorded.DriftCount, recorded.Cursor)
		if found := w.server.Registered(w.account()); found != nil {
			say("the ID on record is the platform's: %v", found.ID == recorded.ID)
		}
	}
	say("events stored %v, each once: %v", w.inbox.ids(), !slices.ContainsFunc(slices.Collect(maps.Values(w.inbox.stored)), func(n int) bool { return n != 1 }))
	return lines
}

// eventSequences are what happens to a channel's events.
func eventSequences() []sequence {
	rotates := func(_ *world, c *v1alpha1.SocialChannel) {
		c.Spec.Subscription.KeyRotation = &v1alpha1.SubscriptionKeyRotation{Interval: &metav1.Duration{Duration: 100 * time.Hour}}
	}
	polls := func(_ *world, c *v1alpha1.SocialChannel) {
		c.Spec.Subscription.Delivery = v1alpha1.DeliverPoll
		c.Spec.Subscription.PollInterval = &metav1.Duration{Duration: 15 * time.Minute}
	}
	happens := func(w *world, from, until int) {
		for i := from; i < until; i++ {
			w.server.Happens(w.account(), event.Event{ID: fmt.Sprintf("event-%d", i), Kind: event.Mention})
		}
	}
	return []sequence{
		{name: "first subscription", canMint: true, events: true, fresh: true, act: func(w *world) { w.create(w.subscribing()) }},
		{
			name: "key rotation", canMint: true, events: true, change: rotates, span: 70 * time.Minute,
			act: func(w *world) { w.pass(100 * time.Hour) },
		},
		{
			name: "subscription removed at the platform", canMint: true, events: true,
			act: func(w *world) {
				w.server.ChangeSubscription(w.account(), func(*simulated.Registered) *simulated.Registered { return nil })
				w.pass(2 * time.Hour)
			},
		},
		{
			name: "events changed", canMint: true, events: true,
			act: func(w *world) {
				w.editChannel(func(c *v1alpha1.SocialChannel) {
					c.Spec.Subscription.Events = []v1alpha1.SubscribedEvent{v1alpha1.SubscribedDirectMessage, v1alpha1.SubscribedMention}
				})
			},
		},
		{
			name: "subscription taken out of the spec", canMint: true, events: true,
			act: func(w *world) { w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Subscription = nil }) },
		},
		{
			name: "hook record deleted by hand", canMint: true, events: true,
			act: func(w *world) { w.deleteRecord() },
		},
		{
			name: "deletion with Revoke of a subscribed channel", canMint: true, events: true,
			change: func(_ *world, c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke },
			act:    func(w *world) { w.delete() },
		},
		{
			name: "deletion with Orphan of a subscribed channel", canMint: true, events: true,
			act: func(w *world) { w.delete() },
		},
		{
			name: "poll with events", canMint: true, events: true, change: polls,
			act: func(w *world) { happens(w, 0, 11); w.pass(3 * time.Hour) },
		},
		{
			name: "own posts beside a push", canMint: true, events: true,
			prepare: func(w *world) { w.editChannel(func(c *v1alpha1.SocialChannel) { routed(w, c) }); w.settle() },
			act:     func(w *world) { w.answers("1", "2", "3"); w.pass(3 * time.Hour) },
			again:   func(w *world) { w.answers("4") },
			span:    time.Hour,
		},
		{
			name: "own posts polled, then pushed", canMint: true, events: true, change: polls, span: time.Hour,
			prepare: func(w *world) {
				w.editChannel(func(c *v1alpha1.SocialChannel) { routed(w, c); pushesOwn(w, c) })
				w.settle()
			},
			act: func(w *world) {
				w.answers("1")
				w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Subscription.Delivery = v1alpha1.DeliverPush })
			},
		},
		{
			name: "pushed, then polled", canMint: true, events: true,
			act:   func(w *world) { w.editChannel(func(c *v1alpha1.SocialChannel) { polls(w, c) }) },
			again: func(w *world) { w.befalls("gap") },
			span:  time.Hour,
		},
		{
			name: "pushed, then polled, and the first poll fails", canMint: true, events: true, span: time.Hour,
			act: func(w *world) {
				w.killer.faults = map[string]error{"Poll": &platform.Failure{Class: platform.Transient, Message: "status 503"}}
				w.editChannel(func(c *v1alpha1.SocialChannel) { polls(w, c) })
				w.live(20 * time.Minute)
				w.befalls("gap")
				w.killer.faults = nil
				w.pass(10 * time.Minute)
			},
			again: func(w *world) { w.befalls("gap-2") },
		},
		{
			name: "polled, then pushed", canMint: true, events: true, change: polls, span: time.Hour,
			act: func(w *world) {
				w.befalls("before")
				w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Subscription.Delivery = v1alpha1.DeliverPush })
			},
			again: func(w *world) { w.befalls("gap") },
		},
		{
			name: "polled, then pushed, and the gateway is out of reach at first", canMint: true, events: true, change: polls, span: time.Hour,
			act: func(w *world) {
				w.callback = errUnreachable
				w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.Subscription.Delivery = v1alpha1.DeliverPush })
			},
			again: func(w *world) {
				w.befalls("gap")
				w.live(20 * time.Minute)
				w.befalls("gap-2")
				w.callback = nil
			},
		},
	}
}

func (w *world) deleteRecord() {
	GinkgoHelper()
	w.deleteSecret(w.in("rostra"), "rostra-hook-"+string(w.get().UID))
}
