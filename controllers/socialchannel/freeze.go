// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/freeze"
	"github.com/rostra-dev/rostra/internal/platform"
)

// findHold finds out what holds the channel. While nothing does, that is all
// there is to a freeze.
func (r *Reconciler) findHold(ctx context.Context, s *scope) error {
	freezes := &v1alpha1.PublishingFreezeList{}
	if err := r.Client.List(ctx, freezes, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	inForce := func(f v1alpha1.PublishingFreeze) bool { return freeze.InForce(&f, s.now) }
	if !slices.ContainsFunc(freezes.Items, inForce) {
		s.thaw()
		return nil
	}
	namespace, err := r.namespace(ctx, s.channel.Namespace)
	if err != nil {
		return err
	}
	var labels map[string]string
	if namespace != nil {
		labels = namespace.Labels
	}
	s.hold = freeze.Held(freezes.Items, s.channel.Labels, labels, s.now)
	s.wakeAt(s.hold.ChangesAt)
	if !s.hold.Frozen() {
		s.thaw()
		return nil
	}
	s.freeze()
	return nil
}

// thaw says that nothing holds the channel. What a freeze withdrew is made up
// for by the credential's binding.
func (s *scope) thaw() {
	if s.channel.Status.Freeze != nil {
		note := "no freeze holds the channel any more"
		if s.isOwed() {
			note += ": its owner gets another credential"
		}
		s.event("FreezeLifted", "Freeze", note)
		s.channel.Status.Freeze = nil
	}
	s.status.True(v1alpha1.ConditionPublishingAllowed, v1alpha1.ReasonNotFrozen, "no freeze holds the channel")
	if s.status.Get(v1alpha1.ConditionCredentialReady).Reason == v1alpha1.ReasonFrozen {
		s.status.Unknown(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonWaiting, "the freeze is lifted, and the owner has no credential yet")
	}
}

// isOwed tells whether a lifted freeze has taken from the owner what it gets
// back now.
func (s *scope) isOwed() bool {
	recorded := s.channel.Status.Credential
	return recorded != nil && (recorded.WithdrawnAt != nil || recorded.RevokedAt != nil) &&
		!s.observes() && !s.suspended() && s.channel.DeletionTimestamp.IsZero()
}

// freeze puts on record what holds the channel. Access that was opened with a
// credential revoked shortly before counts too.
func (s *scope) freeze() {
	status := &s.channel.Status
	if status.Freeze == nil {
		status.Freeze = &v1alpha1.ChannelFreeze{StartedAt: metav1.NewTime(s.now.Truncate(time.Second))}
		if last := status.LastRevoked; last != nil && last.EffectiveBy.After(s.now) {
			s.accessEnds(last.EffectiveBy.Time)
		}
	}
	status.Freeze.Names = s.hold.Names
}

// accessEnds puts on record when the last access ends.
func (s *scope) accessEnds(at time.Time) {
	held := s.channel.Status.Freeze
	if held != nil && !at.IsZero() && (held.EffectiveBy == nil || at.After(held.EffectiveBy.Time)) {
		held.EffectiveBy = timeOrNil(at)
	}
}

// holdBack takes back what was delivered, if a freeze holds the channel; then
// nothing else is done about its credential. Revocation comes first, and
// neither waits for the other: what cannot be done now is said, and tried
// again.
func (r *Reconciler) holdBack(ctx context.Context, s *scope) (held bool, err error) {
	if !s.hold.Frozen() {
		return false, nil
	}
	if s.observes() {
		s.status.False(v1alpha1.ConditionPublishingAllowed, v1alpha1.ReasonNotEnforced,
			"take back at the platform what was handed out: the management policy is Observe, so nothing is withdrawn or revoked, and whoever has a credential can still publish; "+s.heldBy())
		return false, nil
	}
	w := &withdrawal{Reconciler: r, scope: s}
	facts, err := w.gather(ctx)
	if err != nil {
		return true, err
	}
	decision := credentials.Decide(facts, s.idPrefix())
	if decision.Cut {
		w.cut(ctx)
	}
	for _, retiring := range decision.Revoke {
		w.retire(ctx, retiring)
	}
	w.sweep(ctx, facts)
	w.empty(ctx, facts)
	s.sayFrozen(w)
	s.status.False(v1alpha1.ConditionCredentialReady, decision.Verdict.Reason, decision.Verdict.Message)
	return true, nil
}

// maxNamedFreezes bounds the freezes that a message names.
const maxNamedFreezes = 5

// heldBy says what holds the channel, why, since when, and until when. It comes
// last in a message, since it may be long, and is nothing to act on.
func (s *scope) heldBy() string {
	until := "until a person lifts it"
	if !s.hold.Until.IsZero() {
		until = "until " + s.hold.Until.UTC().Format(time.RFC3339)
	}
	names := strings.Join(s.hold.Names[:min(len(s.hold.Names), maxNamedFreezes)], ", ")
	if len(s.hold.Names) > maxNamedFreezes {
		names += " and others"
	}
	return fmt.Sprintf("frozen by PublishingFreeze %s (%s) since %s, %s", names, s.hold.Reason,
		s.channel.Status.Freeze.StartedAt.UTC().Format(time.RFC3339), until)
}

// sayFrozen says how far the withdrawal has come.
func (s *scope) sayFrozen(w *withdrawal) {
	held := s.channel.Status.Freeze
	say := func(reason string, parts ...string) {
		s.status.False(v1alpha1.ConditionPublishingAllowed, reason, strings.Join(append(parts, s.heldBy()), "; "))
	}
	if len(w.pending) > 0 {
		say(v1alpha1.ReasonFreezing, slices.Concat(w.refused, []string{"not everything is taken back yet, it is tried again: " + strings.Join(w.pending, "; ")})...)
		return
	}
	if held.CompletedAt == nil {
		held.CompletedAt = timeOrNil(s.now)
	}
	ends := "nothing was revoked"
	if held.EffectiveBy != nil {
		ends = "the last access that was opened with a revoked credential ends by " + held.EffectiveBy.UTC().Format(time.RFC3339)
	}
	recorded := s.channel.Status.Credential
	if recorded != nil && !credentials.Minted(recorded.ID) && !s.renewsWhatItRevokes() {
		w.refused = append(w.refused, fmt.Sprintf("the Secret is emptied, but the credential is the company's own and was not revoked, since that would take "+
			"a person to connect the account again: whoever has a copy can still publish; to cut it off, revoke it at the platform and put a new one into Secret %s/%s",
			s.channel.Namespace, s.channel.Spec.Credentials.SourceSecretRef.Name))
	}
	switch {
	case len(w.refused) > 0:
		say(v1alpha1.ReasonNotCutOff, append(w.refused, ends)...)
	case recorded == nil:
		say(v1alpha1.ReasonFrozen, "nothing was delivered")
	default:
		say(v1alpha1.ReasonFrozen, fmt.Sprintf("credential %s is revoked and taken out of Secret %s/%s", recorded.ID, recorded.Secret.Namespace, recorded.Secret.Name), ends)
	}
}

// pauseMessage says what it means that the channel is suspended.
func (s *scope) pauseMessage() string {
	if recorded := s.channel.Status.Credential; recorded != nil && (recorded.WithdrawnAt != nil || recorded.RevokedAt != nil) {
		return "spec.suspend is true: nothing is looked at; a freeze has withdrawn the credential, and the owner gets another when suspend is false again"
	}
	return "spec.suspend is true: nothing is looked at, and what was delivered stays"
}

// cutsAtRelease tells whether a freeze takes the credential on record back
// although the channel is deleted with Orphan: removing a manifest is no way
// around a freeze.
func (s *scope) cutsAtRelease() bool {
	recorded := s.channel.Status.Credential
	return s.hold.Frozen() && recorded != nil && recorded.RevokedAt == nil && (credentials.Minted(recorded.ID) || s.renewsWhatItRevokes())
}

// renewsWhatItRevokes tells whether what was delivered can be revoked without a
// person having to connect the account again.
func (s *scope) renewsWhatItRevokes() bool {
	_, ok := s.adapter.(platform.Revoker)
	return ok && s.renews()
}

func (s *scope) renews() bool {
	account := s.channel.Status.Account
	return account != nil && account.Source != nil && account.Source.Use == v1alpha1.SourceRenew
}

func (s *scope) mints() bool {
	account := s.channel.Status.Account
	return account != nil && account.Source != nil && account.Source.Use == v1alpha1.SourceMint
}

// marked tells whether the Secret bears the mark at hand. What the cache shows
// counts only where that is as Rostra wrote it; else the Secret was looked at.
func (r *Reconciler) marked(ctx context.Context, s *scope, place v1alpha1.DeliveredSecret) (bool, error) {
	cached, err := r.secret(ctx, place.Namespace, place.Name)
	if err != nil || cached == nil {
		return true, err
	}
	written := cached.ResourceVersion == place.ResourceVersion || s.delivered != nil && s.delivered.Emptied()
	return written && cached.Annotations[v1alpha1.AnnotationFrozen] == s.hold.Mark(), nil
}
