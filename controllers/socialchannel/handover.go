// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/ownership"
)

// A hand-over is on record in status.handover as far as it has come. The steps
// up to the switch are made in one reconcile and stored in one write, with the
// credential that they are about; those after it in another, once that record
// is stored. A crash between any two of them repeats what is not on record.

// beginHandover puts a hand-over on record. Where nothing is delivered, the
// channel has moved with that; else the credential moves first.
func (r *Reconciler) beginHandover(ctx context.Context, s *scope) error {
	if halted, err := r.haltMove(ctx, s); halted || err != nil {
		return err
	}
	status := &s.channel.Status
	if !ownership.Begun(status.Handover, status.Owner, s.owner.Name) {
		requester, err := r.requester(ctx, s)
		if err != nil {
			return err
		}
		status.Handover = &v1alpha1.ChannelHandover{
			From: status.Owner, To: s.owner.Name, RequestedBy: requester,
			StartedAt: metav1.NewTime(s.now.Truncate(time.Second)),
		}
		ownership.Step(status.Handover, v1alpha1.HandoverAccepted, s.now)
	}
	if status.Credential == nil || s.observes() {
		s.takeOver()
		s.concludeHandover()
		return nil
	}
	status.Handover.CredentialID = status.Credential.ID
	if blocked, err := r.blocked(ctx, s); blocked || err != nil {
		return err
	}
	s.status.Unknown(v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonHandoverPending, fmt.Sprintf(
		"team %s accepts the channel; team %s holds it until the credential has moved", s.owner.Name, status.Owner))
	return nil
}

// blocked tells whether the new owner's credential could not be delivered as
// things are. Then the old owner is kept up like any other.
func (r *Reconciler) blocked(ctx context.Context, s *scope) (bool, error) {
	want := s.holder()
	err := r.checkDestination(ctx, s, want)
	s.delivered = nil
	reason := destinationReason(err)
	if reason == "" {
		return false, err
	}
	s.status.False(v1alpha1.ConditionOwnerResolved, reason, fmt.Sprintf("team %s accepts the channel and cannot get its credential: %s; until then team %s stays the owner",
		want.Team, err, s.channel.Status.Owner))
	s.wakeAt(s.now.Add(s.probeInterval()))
	s.owner, err = r.team(ctx, s.channel.Status.Owner)
	return true, err
}

// requester is who set the owner, by the API server's record, which the cache
// does not keep.
func (r *Reconciler) requester(ctx context.Context, s *scope) (string, error) {
	stored, err := r.stored(ctx, s)
	if err != nil {
		return "", err
	}
	return ownership.Requester(stored.ManagedFields), nil
}

// takeOver makes the owner at hand the effective one, and puts that on record.
func (s *scope) takeOver() {
	status := &s.channel.Status
	if from := status.Owner; from != s.owner.Name {
		change := v1alpha1.OwnershipChange{From: from, To: s.owner.Name, At: metav1.NewTime(s.now.Truncate(time.Second))}
		if from != "" {
			s.event("HandedOver", "HandOver", fmt.Sprintf("moved from team %s to team %s", from, s.owner.Name))
		}
		if handover := status.Handover; handover != nil && handover.To == s.owner.Name {
			change.RequestedBy = handover.RequestedBy
			ownership.Step(handover, v1alpha1.HandoverSwitched, s.now)
		}
		status.History = ownership.Record(status.History, change)
		status.Owner = s.owner.Name
	}
	if s.owner.Name == s.channel.Spec.OwnerRef.Name {
		s.status.True(v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonOwnerAccepted,
			fmt.Sprintf("team %s accepts the channel and holds it", s.owner.Name))
	}
}

// movedCredential puts on record that the new owner has a credential.
func (s *scope) movedCredential(id string) {
	handover := s.channel.Status.Handover
	if handover == nil || handover.CompletedAt != nil || handover.To != s.owner.Name {
		return
	}
	if credentials.Minted(id) {
		ownership.Step(handover, v1alpha1.HandoverMinted, s.now)
	}
	ownership.Step(handover, v1alpha1.HandoverDelivered, s.now)
}

// revokedOld puts on record that the old owner's credential was taken back.
func (s *scope) revokedOld(id string, effectiveBy time.Time) {
	handover := s.channel.Status.Handover
	if handover == nil || handover.CredentialID != id || !ownership.Done(handover, v1alpha1.HandoverSwitched) {
		return
	}
	ownership.Step(handover, v1alpha1.HandoverRevoked, s.now)
	handover.EffectiveBy = timeOrNil(effectiveBy)
}

// concludeHandover ends a hand-over of which nothing is left to do: the old
// owner holds neither a Secret nor a credential that works.
func (s *scope) concludeHandover() {
	handover := s.channel.Status.Handover
	if handover == nil || handover.CompletedAt != nil || !ownership.Done(handover, v1alpha1.HandoverSwitched) {
		return
	}
	moved := func(retiring v1alpha1.RetiringCredential) bool { return retiring.ID == handover.CredentialID }
	if s.unfinished || slices.ContainsFunc(s.channel.Status.Retiring, moved) {
		return
	}
	if ownership.Done(handover, v1alpha1.HandoverDelivered) {
		ownership.Step(handover, v1alpha1.HandoverWithdrawn, s.now)
	}
	handover.CompletedAt = timeOrNil(s.now)
}

// dropHandover forgets a hand-over that was called off before its switch.
func (s *scope) dropHandover() {
	handover := s.channel.Status.Handover
	if handover == nil || ownership.Done(handover, v1alpha1.HandoverSwitched) {
		return
	}
	s.event("HandoverCalledOff", "HandOver", fmt.Sprintf("team %s keeps the channel: the hand-over to team %s was called off before the switch", handover.From, handover.To))
	s.channel.Status.Handover = nil
}

// givenUp says why nobody tries any more, and how to try again.
func givenUp(channel *v1alpha1.SocialChannel, objection *ownership.Objection) string {
	name := channel.Spec.OwnerRef.Name
	message := fmt.Sprintf("the hand-over to team %s was given up at %s (spec.handover.acceptBy): team %s stays the owner. ",
		name, channel.Spec.Handover.AcceptBy.UTC().Format(time.RFC3339), channel.Status.Owner)
	if objection != nil {
		message += objection.Message + "; "
	}
	return message + fmt.Sprintf("set a later acceptBy to try again, or name team %s in spec.ownerRef", channel.Status.Owner)
}
