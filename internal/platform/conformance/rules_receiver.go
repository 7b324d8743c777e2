// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	deepBody  = 5 << 20        // bytes of an array within an array within …
	recently  = 24 * time.Hour // within which what has just happened must be dated
	quickly   = time.Second    // within which nonsense must be refused
	garbage   = "g4rb4ge-0f-a-stranger"
	statusBad = 4 // the hundreds of a status that blames the sender
)

func isReceiver(p platform.Platform) bool {
	_, ok := p.(platform.Receiver)
	return ok && isSubscriber(p)
}

func receiverRules() []Rule {
	rules := []Rule{
		{Name: "reads what it is sent, with the newest keys or older ones", check: checkReceive},
		{Name: "says success to the platform", check: checkAccepted},
		{Name: "gives an event the same ID each time that it is delivered", check: checkRedelivery},
		{Name: "reads nothing that was altered on the way", check: checkAltered},
		{Name: "reads nothing whose signature is missing, doubled or garbage", check: checkSignatureHeaders},
		{Name: "reads nothing that was signed with another's keys", check: checkForeignKeys},
		{Name: "reads nothing that is sent in another form", check: checkForm},
		{Name: "refuses a deeply nested body at once", check: checkDeep},
	}
	for i := range rules {
		rules[i].applies, rules[i].needs = isReceiver, hasEvents
	}
	return rules
}

func (t *trial) receiver() platform.Receiver {
	receiver, ok := t.adapter.(platform.Receiver)
	t.Expect(ok).To(gomega.BeTrue())
	return receiver
}

// post is what the platform has sent, and the keys to read it with.
type post struct {
	keys       credentials.Values
	fresh      bool
	deliveries []platform.Delivery
	kinds      []event.Kind // that happened
}

// post subscribes Good, lets one event of each kind happen that the server can
// make, and gives what was delivered, without handshakes. Those are answered.
func (t *trial) post(ctx context.Context) post {
	t.verified(ctx, t.good(), t.Good.Identity)
	sent := post{}
	sent.keys, sent.fresh = t.hookKeys(t.good())
	made := t.subscribes(ctx, t.good(), t.request(sent.keys))
	sent.keys = maps.Clone(sent.keys)
	maps.Copy(sent.keys, made.Learnt) // the caller keeps what the platform told beside its own
	for _, kind := range t.subscriber().Pushes() {
		if t.happen(ctx, kind) {
			sent.kinds = append(sent.kinds, kind)
			t.collect(ctx, &sent, kind)
		}
	}
	t.Expect(sent.deliveries).NotTo(gomega.BeEmpty(), "the server under test must be able to make something happen that is pushed")
	return sent
}

// collect waits until something of the kind has been delivered.
func (t *trial) collect(ctx context.Context, sent *post, kind event.Kind) {
	t.Eventually(func() []event.Kind {
		var found []event.Kind
		for _, delivery := range t.deliveries(ctx) {
			if t.handshake(delivery, sent.keys) {
				continue
			}
			sent.deliveries = append(sent.deliveries, delivery)
			for _, received := range t.receives(delivery, sent.keys) {
				found = append(found, received.Kind)
			}
		}
		return found
	}).WithTimeout(patience).Should(gomega.ContainElement(kind), "what happened must be delivered as what it is")
}

// handshake tells whether a delivery was the platform's way of checking the
// callback. The answer to that must be one.
func (t *trial) handshake(delivery platform.Delivery, keys credentials.Values) bool {
	answer, asked, err := t.receiver().Handshake(delivery, []credentials.Values{keys})
	t.clean(err)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	if asked {
		t.Expect(answer.Status/100).To(gomega.Equal(http.StatusOK/100), "a handshake that was asked for must be answered")
	}
	return asked
}

// receives expects that a delivery is read, and gives its events.
func (t *trial) receives(delivery platform.Delivery, keys ...credentials.Values) []event.Event {
	events, err := t.receiver().Receive(delivery, keys)
	t.clean(err)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.clean(events)
	for _, received := range events {
		t.isEvent(received)
		t.Expect(append(t.subscriber().Pushes(), event.Other)).To(gomega.ContainElement(received.Kind))
		accounts := []any{t.Good.Identity.AccountID}
		if t.subscriber().HookScope() == platform.HookPerChannel {
			accounts = append(accounts, "")
		}
		t.Expect(received.AccountID).To(gomega.BeElementOf(accounts...), "an event must name its account")
	}
	return events
}

// isEvent expects an event that can be told from others and shown.
func (t *trial) isEvent(received event.Event) {
	bounded := received.Bounded()
	t.Expect(received.ID).NotTo(gomega.BeEmpty())
	t.Expect([]string{received.ID, received.Type, received.AccountID, received.PostID, received.ThreadID, received.InReplyTo, received.URL}).
		To(gomega.Equal([]string{bounded.ID, bounded.Type, bounded.AccountID, bounded.PostID, bounded.ThreadID, bounded.InReplyTo, bounded.URL}),
			"identifiers must be within their bounds")
	t.Expect(event.Kinds()).To(gomega.ContainElement(received.Kind))
	if received.Kind == event.Other {
		t.Expect(received.Type).NotTo(gomega.BeEmpty(), "what has no name here must keep the platform's")
	}
	t.Expect(received.URL).To(gomega.Or(gomega.BeEmpty(), gomega.HavePrefix("https://")))
	if !received.OccurredAt.IsZero() {
		t.Expect(received.OccurredAt).To(gomega.BeTemporally("~", t.Clock.Now(), recently))
	}
}

// rejects expects that a delivery is refused with its sender to blame.
func (t *trial) rejects(delivery platform.Delivery, keys ...credentials.Values) *platform.Rejection {
	events, err := t.receiver().Receive(delivery, keys)
	t.Expect(events).To(gomega.BeEmpty(), "nothing may be read of what is refused")
	return t.rejection(err)
}

func (t *trial) rejection(err error) *platform.Rejection {
	t.Expect(err).To(gomega.HaveOccurred(), "the delivery must be refused")
	t.clean(err)
	t.Expect(Leaks(err, garbage)).To(gomega.BeEmpty(), "a message must hold nothing of the request")
	rejection, ok := errors.AsType[*platform.Rejection](err)
	t.Expect(ok).To(gomega.BeTrue(), "every refusal must be a *platform.Rejection; this is a %T", err)
	t.Expect(rejection.Reason).To(gomega.BeElementOf(platform.RejectedUnsigned, platform.RejectedSignature,
		platform.RejectedStale, platform.RejectedForm, platform.RejectedContent))
	t.Expect(rejection.Status/100).To(gomega.Equal(statusBad), "the status %d must blame the sender", rejection.Status)
	t.Expect(rejection.Message).NotTo(gomega.BeEmpty())
	t.Expect(len(rejection.Message)).To(gomega.BeNumerically("<=", maxMessage))
	return rejection
}

func checkReceive(ctx context.Context, t *trial) {
	sent := t.post(ctx)
	before := t.Server.Faults.Total()
	newer := t.foreignKeys(sent)
	for _, delivery := range sent.deliveries {
		events := t.receives(delivery, sent.keys)
		t.Expect(t.receives(delivery, newer, sent.keys)).To(gomega.Equal(events), "older keys are in force for a while")
		t.Expect(t.receives(delivery, sent.keys, newer)).To(gomega.Equal(events))
	}
	t.Expect(t.Server.Faults.Total()).To(gomega.Equal(before), "the server must not be asked")
}

func checkAccepted(_ context.Context, t *trial) {
	t.Expect(t.receiver().Accepted().Status / 100).To(gomega.Equal(http.StatusOK / 100))
}

func checkRedelivery(ctx context.Context, t *trial) {
	sent := t.post(ctx)
	seen := map[string]bool{}
	for _, delivery := range sent.deliveries {
		first := t.receives(clone(delivery), sent.keys)
		t.restart()
		again := clone(delivery)
		again.ReceivedAt = again.ReceivedAt.Add(time.Second)
		t.Expect(identifiers(t.receives(again, sent.keys))).To(gomega.Equal(identifiers(first)))
		for _, id := range identifiers(first) {
			t.Expect(seen).NotTo(gomega.HaveKey(id), "two events must not have one ID")
			seen[id] = true
		}
	}
}

func identifiers(events []event.Event) []string {
	ids := make([]string, 0, len(events))
	for _, received := range events {
		ids = append(ids, received.ID)
	}
	return ids
}

// clone gives a delivery that can be altered.
func clone(delivery platform.Delivery) platform.Delivery {
	delivery.Header = delivery.Header.Clone()
	delivery.Body = bytes.Clone(delivery.Body)
	return delivery
}

func checkAltered(ctx context.Context, t *trial) {
	sent := t.post(ctx)
	for _, delivery := range sent.deliveries {
		t.Expect(delivery.Body).NotTo(gomega.BeEmpty(), "a delivery holds something")
		size := len(delivery.Body)
		for _, place := range []int{0, size / 3, size / 2, size - 1} {
			altered := clone(delivery)
			altered.Body[place] ^= 1
			t.rejects(altered, sent.keys)
		}
		for _, body := range [][]byte{
			nil, []byte("{}"), delivery.Body[:size-1], delivery.Body[:size/2],
			append(bytes.Clone(delivery.Body), ' '), append([]byte(" "), delivery.Body...), []byte(garbage),
		} {
			altered := clone(delivery)
			altered.Body = body
			t.rejects(altered, sent.keys)
		}
	}
}

// checkSignatureHeaders removes, doubles and spoils each header in turn. One
// that holds no signature may be any; some must hold one.
func checkSignatureHeaders(ctx context.Context, t *trial) {
	sent := t.post(ctx)
	for _, delivery := range sent.deliveries {
		signatures := 0
		for name := range delivery.Header {
			if t.tolerates(sent, delivery, name, nil) {
				continue
			}
			if t.rejects(with(delivery, name, nil), sent.keys).Reason == platform.RejectedUnsigned {
				signatures++
				t.spoilsSignature(sent, delivery, name)
			}
		}
		t.Expect(signatures).To(gomega.BeNumerically(">", 0), "some header must hold a signature, and without it a delivery is Unsigned")
	}
}

// tolerates tells whether a delivery is read as before with other values of a
// header. Else it must be refused.
func (t *trial) tolerates(sent post, delivery platform.Delivery, name string, values []string) bool {
	events, err := t.receiver().Receive(with(delivery, name, values), []credentials.Values{sent.keys})
	if err != nil {
		t.Expect(events).To(gomega.BeEmpty())
		t.rejection(err)
		return false
	}
	t.Expect(events).To(gomega.Equal(t.receives(delivery, sent.keys)))
	return true
}

func (t *trial) spoilsSignature(sent post, delivery platform.Delivery, name string) {
	right := delivery.Header[name]
	t.Expect(right).To(gomega.HaveLen(1), "the platform signs once")
	half := right[0][:len(right[0])/2]
	for _, values := range [][]string{
		{right[0], right[0]},
		{right[0], garbage},
		{garbage, right[0]},
		{""},
		{garbage},
		{half},
		{right[0] + "0"},
		{strings.Repeat("0", len(right[0]))},
		{strings.Repeat("é", len(right[0]))},
	} {
		t.rejects(with(delivery, name, values), sent.keys)
	}
}

// with gives the delivery with other values of a header; none remove it.
func with(delivery platform.Delivery, name string, values []string) platform.Delivery {
	altered := clone(delivery)
	altered.Header[name] = values
	if values == nil {
		delete(altered.Header, name)
	}
	return altered
}

// foreignKeys are hook keys of the same form that Good's deliveries are not
// signed with: fresh ones, or those of another application.
func (t *trial) foreignKeys(sent post) credentials.Values {
	account := t.good()
	if !sent.fresh {
		account.Application = credentials.Values{}
		for name, value := range t.good().Application {
			account.Application[name] = credentials.NewValue(another(value.Reveal()))
		}
	}
	keys, _ := t.hookKeys(account)
	t.Expect(sameValues(keys, sent.keys)).To(gomega.BeFalse(), "another application must have other keys")
	return keys
}

// another gives a text of the same form, with each digit turned into another.
// One without a digit gets one.
func another(text string) string {
	if !strings.ContainsAny(text, "0123456789") {
		return text + "1"
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0' + (r-'0'+1)%10
		}
		return r
	}, text)
}

func checkForeignKeys(ctx context.Context, t *trial) {
	sent := t.post(ctx)
	foreign := []credentials.Values{t.foreignKeys(sent)}
	if sent.fresh {
		keys, _ := t.hookKeys(t.other())
		foreign = append(foreign, keys)
	}
	for _, delivery := range sent.deliveries {
		for _, keys := range foreign {
			t.rejects(delivery, keys)
		}
		t.rejects(delivery, foreign...)
		t.rejects(delivery, credentials.Values{})
		t.rejects(delivery)
	}
}

func checkForm(ctx context.Context, t *trial) {
	sent := t.post(ctx)
	for _, delivery := range sent.deliveries {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, ""} {
			altered := clone(delivery)
			altered.Method = method
			t.rejects(altered, sent.keys)
		}
		if delivery.Header.Get("Content-Type") != "" {
			t.rejects(with(delivery, "Content-Type", []string{"text/html"}), sent.keys)
		}
		stranger := platform.Delivery{
			Method: http.MethodPost, Header: http.Header{"Content-Type": delivery.Header["Content-Type"]},
			URL: delivery.URL, Body: []byte(garbage), ReceivedAt: delivery.ReceivedAt,
		}
		t.rejects(stranger, sent.keys)
		stranger.Header = nil
		t.rejects(stranger, sent.keys)
	}
}

func checkDeep(ctx context.Context, t *trial) {
	sent := t.post(ctx)
	for _, opening := range []string{"[", `{"a":`} {
		deep := clone(sent.deliveries[0])
		deep.Body = []byte(strings.Repeat(opening, deepBody/len(opening)))
		for _, keys := range slices.Insert([]credentials.Values{t.foreignKeys(sent)}, 0, sent.keys) {
			began := time.Now()
			t.rejects(deep, keys)
			t.Expect(time.Since(began)).To(gomega.BeNumerically("<", quickly))
		}
	}
}
