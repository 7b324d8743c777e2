// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

// completeTimeout bounds all that completing an event takes: somebody waits to
// be told of it, and so do those behind it, of other teams.
const completeTimeout = 2 * time.Second

// What came of completing an event that its delivery did not tell whole; values
// of a metric's label.
const (
	// outcomeCompleted: the platform told the rest.
	outcomeCompleted = "completed"
	// outcomeUnchanged: the platform has it no longer, or tells no more.
	outcomeUnchanged = "unchanged"
	// outcomeFailed: it could not be asked, or did not answer well.
	outcomeFailed = "failed"
	// outcomeHeld: the channel is frozen, suspended or not verified, so that its
	// credential is let be.
	outcomeHeld = "held"
	// outcomeSpared: the account was asked for much, or refused, a moment ago, or
	// the platform was too slow.
	outcomeSpared = "spared"
)

// completion is one event that is to be completed, and what is needed for that.
type completion struct {
	event     event.Event
	channel   *v1alpha1.SocialChannel
	social    *v1alpha1.SocialPlatform
	adapter   platform.Platform
	completer platform.Completer
}

// Complete asks the platform, once and for a few seconds at most, for what the
// delivery of an event did not tell: who did it, and where it can be seen. An
// event that needs nothing, and one for which that fails, is given back as it
// was. Nothing is changed at the platform, and no credential is renewed.
func (d *Directory) Complete(ctx context.Context, e event.Event) event.Event {
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	c, err := d.incomplete(ctx, e)
	if c == nil && err == nil {
		return e
	}
	outcome := outcomeFailed
	completed := e
	if err == nil {
		completed, outcome, err = d.ask(ctx, c)
	}
	if d.Completed != nil {
		d.Completed.WithLabelValues(outcome).Inc()
	}
	if err != nil {
		d.Logger.V(1).Info("An event stays as it was delivered", "channel", e.Channel, "event", e.ID, "class", platform.ClassOf(err), "problem", err.Error())
	}
	return completed
}

// incomplete gathers, out of the cache, what an event needs to be completed;
// nil where it needs nothing.
func (d *Directory) incomplete(ctx context.Context, e event.Event) (*completion, error) {
	namespace, name, ok := strings.Cut(e.Channel, "/")
	if !ok || e.ChannelUID == "" || d.Platforms == nil {
		return nil, nil
	}
	channel, err := d.channel(ctx, types.NamespacedName{Namespace: namespace, Name: name}, e.ChannelUID)
	if channel == nil || err != nil {
		return nil, err
	}
	social, err := d.social(ctx, channel)
	if social == nil || err != nil {
		return nil, err
	}
	adapter, err := d.Platforms.Get(string(social.Spec.Type), social.Spec.ServerURL())
	if err != nil {
		return nil, err
	}
	completer, ok := adapter.(platform.Completer)
	if !ok || !completer.Incomplete(e) {
		return nil, nil
	}
	return &completion{event: e, channel: channel, social: social, adapter: adapter, completer: completer}, nil
}

// ask asks the platform, where it may be asked now.
func (d *Directory) ask(ctx context.Context, c *completion) (completed event.Event, outcome string, err error) {
	switch {
	case !usable(c.channel):
		return c.event, outcomeHeld, nil
	case !d.budgets.take(c.channel.UID, c.social.Name, d.Clock.Now()):
		return c.event, outcomeSpared, nil
	}
	account, err := d.account(ctx, c)
	if err != nil {
		return c.event, outcomeFailed, err
	}
	completed, err = c.completer.Complete(ctx, account, c.event)
	switch {
	case err != nil:
		d.budgets.rest(c.channel.UID, d.Clock.Now(), err)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			d.budgets.restAll(c.social.Name, d.Clock.Now())
		}
		return c.event, outcomeFailed, err
	case completed == c.event:
		return completed, outcomeUnchanged, nil
	}
	return completed, outcomeCompleted, nil
}

// usable tells whether the channel's credential may be used to read: nothing
// holds the channel, and the platform said whose account it is. That it could
// not be asked again since, and a changed handle, are no doubt of that.
func usable(channel *v1alpha1.SocialChannel) bool {
	if channel.Status.Account == nil || channel.Status.Freeze != nil || ptr.Deref(channel.Spec.Suspend, false) {
		return false
	}
	identity := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionIdentityVerified)
	return identity != nil && (identity.Status != metav1.ConditionFalse || identity.Reason == v1alpha1.ReasonHandleDrift)
}

// account reads what the adapter needs in order to ask.
func (d *Directory) account(ctx context.Context, c *completion) (platform.Account, error) {
	handle, err := c.adapter.NormaliseHandle(c.channel.Spec.Handle)
	if err != nil {
		return platform.Account{}, err
	}
	source, err := d.Secrets.Source(ctx, c.channel, c.adapter.SourceKeys())
	if err != nil {
		return platform.Account{}, err
	}
	account := platform.Account{
		Handle: handle, ID: cmp.Or(c.channel.Spec.AccountID, c.channel.Status.Account.ID),
		Source: source.Values, Sessions: d.Secrets.Vault(c.channel, source.Values),
	}
	if user, ok := c.adapter.(platform.ApplicationUser); ok {
		application, err := d.Secrets.Application(ctx, d.Namespace, c.social.Spec.ApplicationSecretName(), user.ApplicationKeys())
		if err != nil {
			return platform.Account{}, err
		}
		account.Application = application.Values
	}
	return account, nil
}
