// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/platform"
)

// delivery is one request to a callback, as far as it is understood. Its steps
// go from the cheapest to the dearest, so that a bad one costs least.
type delivery struct {
	*Gateway

	w    http.ResponseWriter
	r    *http.Request
	path string
	now  time.Time
	// begun is now by the machine's clock.
	begun time.Time

	hookID   string
	callback *hook.Callback
	receiver platform.Receiver
	keys     []credentials.Values
	sender   sender
	limited  bool // the sender is
	release  func()
}

func (g *Gateway) serveHook(w http.ResponseWriter, r *http.Request, path string, begun time.Time) {
	d := &delivery{Gateway: g, w: w, r: r, path: path, now: g.clock.Now(), begun: begun}
	out := d.guarded(r.Context())
	if d.callback != nil {
		out.platform = d.callback.Platform
	}
	write(w, out.answer)
	g.metrics.observe(out, g.clock.Since(d.now))
}

// guarded keeps a panic of an adapter from being more than one bad answer.
func (d *delivery) guarded(ctx context.Context) (out outcome) {
	defer func() {
		if d.release != nil {
			d.release()
		}
		if cause := recover(); cause != nil {
			d.logPanic(cause)
			out = outcome{result: resultPanic, answer: fixed(http.StatusInternalServerError)}
		}
	}()
	if out, done := d.admit(); done {
		return out
	}
	return d.receive(ctx)
}

// admit refuses whatever can be refused without reading the body.
func (d *delivery) admit() (out outcome, done bool) {
	if d.r.Method != http.MethodGet && d.r.Method != http.MethodPost {
		d.w.Header().Set("Allow", "GET, POST")
		return outcome{result: resultMethod, answer: fixed(http.StatusMethodNotAllowed)}, true
	}
	segment, token, _ := strings.Cut(d.path[len(hook.PathPrefix):], "/")
	hookID, ours := hook.ParseToken(d.options.Key, token)
	if !ours {
		return unknown(), true
	}
	if d.options.Synced != nil && !d.options.Synced() {
		return unavailable(), true
	}
	callback := d.options.Hooks.Callback(hookID)
	if callback == nil {
		// Only who holds a token that Rostra made comes here, and learns what
		// it knew: that there was a callback. Platforms that clean up after
		// themselves take 410 for "do not send again"; those that check a
		// callback take it for failed, which is right too.
		return outcome{result: resultGone, answer: fixed(http.StatusGone)}, true
	}
	if segment != callback.Segment {
		return unknown(), true
	}
	d.hookID, d.callback = hookID, callback
	if asked := d.r.Header.Get(hook.ProbeHeader); asked != "" && d.r.Method == http.MethodGet {
		return d.prove(asked), true
	}
	return d.prepare()
}

func unknown() outcome {
	return outcome{result: resultUnknown, answer: fixed(http.StatusNotFound)}
}

// prepare gathers what a delivery is read with.
func (d *delivery) prepare() (out outcome, done bool) {
	if source, ok := d.proxies.source(d.r); ok {
		d.sender, d.limited = sender{hookID: d.hookID, source: source}, true
		if wait := d.unverified.wait(d.sender, d.now); wait > 0 {
			return limited(wait), true
		}
	}
	receiver, ok := d.options.Receiver(d.callback.Platform, d.callback.Server)
	if !ok {
		if d.lines.setup.AllowN(d.now, 1) {
			d.log.Info("A delivery was put off: this build has no adapter that reads them", "platform", d.callback.Platform)
		}
		return unavailable(), true
	}
	keys := d.callback.InForce(d.now)
	if len(keys) == 0 {
		// New ones are being made, or the clock is wrong. It is on us, so the
		// platform is to come again.
		if d.lines.setup.AllowN(d.now, 1) {
			d.log.Info("A delivery was put off: all keys of its callback have run out; is the operator at work, and the clock right?", "platform", d.callback.Platform)
		}
		return unavailable(), true
	}
	d.receiver, d.keys = receiver, keys
	return outcome{}, false
}

// prove answers the reconciler, which registers a callback only after it has
// answered as this channel's.
func (d *delivery) prove(asked string) outcome {
	channelUID, nonce, ok := strings.Cut(asked, ".")
	record, known := d.callback.OfChannel(channelUID)
	if !ok || !known || !isNonce(nonce) {
		return unknown()
	}
	proof := hook.Proof(d.options.Key, channelUID, nonce, record.Digest(d.options.Key))
	return outcome{result: resultProbe, answer: plain(http.StatusOK, proof)}
}

// isNonce tells whether a text is 16 to 64 characters of an alphabet that needs
// no escape.
func isNonce(text string) bool {
	if len(text) < 16 || len(text) > 64 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// receive reads the delivery, verifies it, and stores what is in it.
func (d *delivery) receive(ctx context.Context) outcome {
	body, refused := d.readBody()
	if refused != nil {
		return *refused
	}
	received := platform.Delivery{
		Method: d.r.Method, Query: d.query(), Header: d.r.Header, Body: body,
		URL: d.base + d.path, ReceivedAt: d.now,
	}
	answered, asked, err := d.receiver.Handshake(received, d.keys)
	if err != nil {
		return d.rejected(err)
	}
	if asked {
		d.charge()
		answered.Status = status(answered.Status, http.StatusOK)
		return outcome{result: resultHandshake, answer: answer{Answer: answered}}
	}
	found, err := d.receiver.Receive(received, d.keys)
	if err != nil {
		return d.rejected(err)
	}
	events, err := d.route(found, body)
	if err != nil {
		return d.rejected(err)
	}
	return d.store(ctx, events)
}

func (d *delivery) query() url.Values {
	if d.r.URL.RawQuery == "" {
		return nil
	}
	return d.r.URL.Query()
}

// charge counts against the sender what anybody who knows the URL can send.
func (d *delivery) charge() {
	if d.limited {
		d.unverified.take(d.sender, 1, d.now)
	}
}

// rejected answers with the status that the adapter chose, and no reason: a
// stranger is not helped to get it right.
func (d *delivery) rejected(err error) outcome {
	d.charge()
	var rejection *platform.Rejection
	if !errors.As(err, &rejection) {
		if d.lines.setup.AllowN(d.now, 1) {
			d.log.Error(nil, "A delivery was put off: its adapter gave an error that is no rejection. This is a bug: please report it", "platform", d.callback.Platform)
		}
		return unavailable()
	}
	d.log.V(1).Info("A delivery was refused", "platform", d.callback.Platform, "reason", rejection.Reason, "message", rejection.Message)
	return outcome{result: resultOf(rejection.Reason), answer: fixed(status(rejection.Status, http.StatusBadRequest))}
}

// store answers success once the events are durable.
func (d *delivery) store(ctx context.Context, events []event.Event) outcome {
	if len(events) > 0 {
		if wait := d.verified.take(d.hookID, len(events), d.now); wait > 0 {
			return limited(wait)
		}
		// It is stored even if the platform hangs up meanwhile: it may not send
		// it again, and if it does, the second folds into the first.
		ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), d.begun.Add(d.limits.Deadline))
		defer cancel()
		if err := d.options.Sink.Put(ctx, events...); err != nil {
			if d.lines.sink.AllowN(d.now, 1) {
				d.log.Error(err, "Events could not be stored; platforms are asked to send them again. Look at the inbox: its disk may be full or slow")
			}
			return unavailable()
		}
		for i := range events {
			d.metrics.events.WithLabelValues(d.callback.Platform, string(events[i].Kind)).Inc()
		}
	}
	accepted := d.receiver.Accepted()
	accepted.Status = status(accepted.Status, http.StatusOK)
	return outcome{result: resultAccepted, answer: answer{Answer: accepted}}
}
