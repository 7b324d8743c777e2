// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/freeze"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

// scope is one reconcile of one channel: what was gathered, what was found,
// and when to look again.
type scope struct {
	now     time.Time
	channel *v1alpha1.SocialChannel
	// before is the channel as it was read, against which the status patch is
	// made.
	before *v1alpha1.SocialChannel
	status status.Writer

	// hold is the freeze that holds the channel.
	hold freeze.Hold
	// owner is the team whose hold is to be kept up or brought about; nil if
	// there is none.
	owner *v1alpha1.Team
	// objection to the declared owner, or nil.
	objection *ownership.Objection
	// social and adapter are the platform's object and port; nil if the
	// channel cannot be on it.
	social  *v1alpha1.SocialPlatform
	adapter platform.Platform
	// handle is the declared handle in its normalised form.
	handle string
	// claimed tells whether this channel holds the account.
	claimed bool
	// source is the source credential, once it was read.
	source *secretstore.Source
	// application is what Rostra is at the platform, where it needs to be
	// something, once it was read; applicationSeen its Secret's version.
	application     credentials.Values
	applicationSeen string
	// asked tells whether the platform was asked whose account it is, whatever
	// came of it.
	asked bool
	// observed tells whether the platform answered in this reconcile.
	observed bool
	// unfinished tells that something of an earlier owner is left, which the
	// next reconcile takes back.
	unfinished bool
	// failed tells whether the platform gave no good answer to something.
	failed bool
	// delivered is what was found at the place of delivery, if it was looked at.
	delivered *secretstore.Delivered

	wake   time.Time
	events []transition
}

type transition struct {
	kind, reason, action, note string
}

func (r *Reconciler) newScope(channel *v1alpha1.SocialChannel) *scope {
	now := r.Clock.Now()
	return &scope{
		now:     now,
		channel: channel,
		before:  channel.DeepCopy(),
		status:  status.Writer{Conditions: &channel.Status.Conditions, Generation: channel.Generation, Now: now},
	}
}

// wakeAt asks for another reconcile at a time; the earliest of all counts.
func (s *scope) wakeAt(at time.Time) {
	if at.IsZero() {
		return
	}
	if s.wake.IsZero() || at.Before(s.wake) {
		s.wake = at
	}
}

func (s *scope) suspended() bool { return ptr.Deref(s.channel.Spec.Suspend, false) }

// observes tells whether nothing may be changed at the platform.
func (s *scope) observes() bool {
	return s.channel.Spec.ManagementPolicy == v1alpha1.ManagementObserve ||
		s.social != nil && s.social.Spec.ManagementPolicy == v1alpha1.ManagementObserve
}

// verified tells whether the platform has confirmed the account, now or within
// the probe interval. A changed handle is a fault to be told, not a doubt of
// who it is.
func (s *scope) verified() bool {
	identity := s.status.Get(v1alpha1.ConditionIdentityVerified)
	account := s.channel.Status.Account
	return account != nil && account.Source != nil &&
		(identity.Status == "True" || identity.Reason == v1alpha1.ReasonHandleDrift)
}

// pinned is the account ID that a credential must be for, or empty.
func (s *scope) pinned() string {
	if s.channel.Spec.AccountID != "" {
		return s.channel.Spec.AccountID
	}
	if s.channel.Status.Account != nil {
		return s.channel.Status.Account.ID
	}
	return ""
}

func (s *scope) event(reason, action, note string) {
	s.events = append(s.events, transition{corev1.EventTypeNormal, reason, action, note})
}

func (s *scope) warn(reason, action, note string) {
	s.events = append(s.events, transition{corev1.EventTypeWarning, reason, action, note})
}

// account is what the adapter needs in order to act. The source credential
// must have been read.
func (r *Reconciler) account(s *scope) platform.Account {
	return platform.Account{
		Handle:   s.handle,
		ID:       s.pinned(),
		Source:   s.source.Values,
		Sessions: r.secrets.Vault(s.channel, s.source.Values),

		Application: s.application,
	}
}

// loadSource reads the source credential, once a reconcile.
func (r *Reconciler) loadSource(ctx context.Context, s *scope) error {
	if s.source != nil {
		return nil
	}
	source, err := r.secrets.Source(ctx, s.channel, s.adapter.SourceKeys())
	if err != nil {
		return err
	}
	if err := r.loadApplication(ctx, s); err != nil {
		return err
	}
	s.source = source
	return nil
}

// loadApplication reads what Rostra is at the platform, where the platform asks
// for that.
func (r *Reconciler) loadApplication(ctx context.Context, s *scope) error {
	user, ok := s.adapter.(platform.ApplicationUser)
	if !ok {
		return nil
	}
	application, err := r.secrets.Application(ctx, r.Namespace, s.social.Spec.ApplicationSecretName(), user.ApplicationKeys())
	if err != nil {
		return err
	}
	s.application, s.applicationSeen = application.Values, application.ResourceVersion
	return nil
}

// exposed is the ID of the credential on record where Rostra can renew it and is
// to: somebody has seen it who is not in the owning team, it was revoked, or a
// rotation is asked for.
func (s *scope) exposed() string {
	recorded := s.channel.Status.Credential
	if recorded == nil || !s.renews() {
		return ""
	}
	asked, err := time.Parse(time.RFC3339, s.channel.Annotations[v1alpha1.AnnotationRotateAt])
	switch {
	case recorded.RevokedAt != nil,
		err == nil && !asked.After(s.now) && recorded.IssuedAt.Time.Before(asked),
		s.owner != nil && len(ownership.Leavers(recorded.ExposedTo, ownership.People(s.owner, s.now))) > 0:
		return recorded.ID
	}
	return ""
}
