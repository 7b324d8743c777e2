// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/ledger"
	"github.com/rostra-dev/rostra/internal/throttle"
	"github.com/rostra-dev/rostra/internal/webpage"
)

const (
	// workLimit bounds what is done for one request. It goes on when the person
	// closes the browser.
	workLimit = 10 * time.Second
	// maxForm is how much of a form is read, in bytes. Ours has no fields.
	maxForm = 4 << 10
)

// Acknowledger holds the conversations; *ledger.Ledger is one. It is safe for
// concurrent use. An error that is neither ledger.ErrUnknown nor ledger.ErrOver
// says that it is out of order for now.
type Acknowledger interface {
	// Get gives a conversation, or ledger.ErrUnknown.
	Get(ctx context.Context, id string) (*conversation.Conversation, error)
	// Acknowledge notes, durably before it returns, that somebody has an episode
	// of a conversation: of several callers one succeeds. Where it waits for
	// nobody, or in another episode, the conversation is given beside
	// ledger.ErrOver.
	Acknowledge(ctx context.Context, id string, episode int, by string) (*conversation.Conversation, error)
}

// Options of the handler. All but Logger are required.
type Options struct {
	// Key of the gateway, at least hook.KeySize bytes.
	Key []byte
	// BaseURL under which people reach the gateway.
	BaseURL string
	// Ledger of the conversations.
	Ledger Acknowledger
	// Clock to go by.
	Clock clock.PassiveClock
	// Logger of what was acknowledged.
	Logger logr.Logger
}

// handler serves the links.
type handler struct {
	options Options
	base    *url.URL
	// looks and presses are told apart, so that a scanner that opens a link many
	// times does not keep anybody from pressing its button.
	looks, presses *throttle.Throttle
	pages          *webpage.Writer
}

// New makes the handler for everything below PathPrefix. Where BaseURL has a
// path, requests may come with or without it.
func New(options Options) (http.Handler, error) {
	if len(options.Key) < hook.KeySize {
		return nil, fmt.Errorf("the gateway's key has %d bytes and needs %d", len(options.Key), hook.KeySize)
	}
	if options.Ledger == nil || options.Clock == nil {
		return nil, errors.New("acknowledging needs the ledger of conversations and a clock")
	}
	base, err := hook.ParseBase(options.BaseURL)
	if err != nil {
		return nil, err
	}
	pages, err := webpage.NewWriter()
	if err != nil {
		return nil, err
	}
	return &handler{
		options: options, base: base, pages: pages,
		looks: throttle.New(options.Clock, paces()), presses: throttle.New(options.Clock, paces()),
	}, nil
}

// paces say how often links may be opened, and buttons pressed: one costs a
// look into the ledger. After a flood many people have many links, often behind
// one proxy.
func paces() throttle.Paces {
	return throttle.Paces{
		Overall: throttle.Pace{Every: 20 * time.Millisecond, Burst: 300},
		Source:  throttle.Pace{Every: 100 * time.Millisecond, Burst: 100},
		Subject: throttle.Pace{Every: 3 * time.Second, Burst: 20},
	}
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, below := strings.CutPrefix(strings.TrimPrefix(r.URL.Path, h.base.Path), PathPrefix)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), workLimit)
	defer cancel()
	claim, ok := parse(h.options.Key, token)
	switch {
	case below && token == pagerDutyPath:
		h.answer(w, r, h.pagerDuty(ctx, r))
	case !below || !ok:
		h.answer(w, r, forged())
	case r.Method == http.MethodPost:
		h.answer(w, r, h.press(ctx, r, claim))
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		h.answer(w, r, h.look(ctx, r, claim))
	default:
		h.answer(w, r, wrongMethod())
	}
}

// look shows what a link is for. It acknowledges nothing.
func (h *handler) look(ctx context.Context, r *http.Request, claim Claim) outcome {
	now := h.options.Clock.Now()
	if !now.Before(claim.Expires) {
		return linkOver(claim)
	}
	if !h.looks.Allow(r, claim.ID) {
		return tooOften()
	}
	found, err := h.options.Ledger.Get(ctx, claim.ID)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return gone()
	case err != nil:
		return h.outOfOrder(err, claim)
	case found.State.Waits() && found.Episode == claim.Episode:
		return offer(found, claim, now)
	}
	return over(found, claim)
}

// press acknowledges.
func (h *handler) press(ctx context.Context, r *http.Request, claim Claim) outcome {
	switch {
	case !h.options.Clock.Now().Before(claim.Expires):
		return linkOver(claim)
	case !webpage.SameOrigin(r, h.base):
		return crossSite()
	}
	if form, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1)); err != nil || len(form) > maxForm {
		return unreadable()
	}
	if !h.presses.Allow(r, claim.ID) {
		return tooOften()
	}
	return h.acknowledge(ctx, claim, "the link that they were sent")
}

// acknowledge notes that somebody has it; way is how they say so.
func (h *handler) acknowledge(ctx context.Context, claim Claim, way string) outcome {
	found, err := h.options.Ledger.Acknowledge(ctx, claim.ID, claim.Episode, claim.By)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return gone()
	case errors.Is(err, ledger.ErrOver) && found != nil:
		return over(found, claim)
	case err != nil:
		return h.outOfOrder(err, claim)
	}
	h.options.Logger.Info("Somebody has a conversation",
		"conversation", found.ID, "channel", found.Channel, "episode", found.Episode, "by", claim.By, "way", way)
	return done(found, claim)
}
