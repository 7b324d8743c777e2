// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/ownership"
)

// bindOwner finds the team whose hold is to be kept up or brought about: the
// declared owner if it exists, is led and accepts the channel, and its time
// has come; else the one that holds it.
func (r *Reconciler) bindOwner(ctx context.Context, s *scope) error {
	stage, err := r.judgeOwner(ctx, s)
	if err != nil {
		return err
	}
	switch stage {
	case ownership.InForce:
		s.dropHandover()
		s.takeOver()
	case ownership.Refused:
		s.dropHandover()
		s.refuseOwner()
	case ownership.Scheduled:
		s.status.Unknown(v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonHandoverScheduled, fmt.Sprintf(
			"team %s accepts the channel and gets it at %s; until then team %s stays the owner",
			s.channel.Spec.OwnerRef.Name, s.channel.Spec.Handover.EffectiveTime.UTC().Format(time.RFC3339), s.channel.Status.Owner))
	case ownership.GivenUp:
		s.dropHandover()
		s.status.False(v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonHandoverGivenUp, givenUp(s.channel, s.objection))
	case ownership.Moving:
		err = r.beginHandover(ctx, s)
	}
	if s.owner != nil {
		s.wakeAt(ownership.NextChange(s.owner, s.now))
		s.exposeTo(s.owner)
	}
	return err
}

// exposeTo puts on record that who is in the holding team can see what was
// delivered to it, whatever else can be done about it now.
func (s *scope) exposeTo(team *v1alpha1.Team) {
	recorded := s.channel.Status.Credential
	if recorded != nil && recorded.Team == team.Name && recorded.WithdrawnAt == nil {
		credentials.Expose(recorded, ownership.People(team, s.now))
	}
}

// exposeSuspended does the same for a channel that is suspended: its credential
// is where it was.
func (r *Reconciler) exposeSuspended(ctx context.Context, s *scope) error {
	if s.channel.Status.Credential == nil {
		return nil
	}
	team, err := r.team(ctx, s.channel.Status.Credential.Team)
	if team == nil || err != nil {
		return err
	}
	s.wakeAt(ownership.NextChange(team, s.now))
	s.exposeTo(team)
	return nil
}

// judgeOwner finds the team that is to hold the channel, and how far the
// declared one has come.
func (r *Reconciler) judgeOwner(ctx context.Context, s *scope) (ownership.Stage, error) {
	name, held := s.channel.Spec.OwnerRef.Name, s.channel.Status.Owner
	declared, err := r.team(ctx, name)
	if err != nil {
		return ownership.Refused, err
	}
	s.objection = ownership.Object(s.channel, declared, s.now)
	stage, wakeAt := ownership.Judge(ownership.Claimants{
		Now: s.now, Held: held, Declared: name, Objected: s.objection != nil,
		Terms: s.channel.Spec.Handover, Handover: s.channel.Status.Handover,
	})
	s.wakeAt(wakeAt)
	s.owner = declared
	if stage != ownership.InForce && stage != ownership.Moving && held != name {
		s.owner, err = r.team(ctx, held)
	}
	return stage, err
}

// refuseOwner says why the declared team does not get the channel, and who
// keeps it meanwhile.
func (s *scope) refuseOwner() {
	held, problem := s.channel.Status.Owner, s.objection.Message
	if held != "" && held != s.channel.Spec.OwnerRef.Name {
		problem += fmt.Sprintf("; until then team %s stays the owner", held)
	}
	s.status.False(v1alpha1.ConditionOwnerResolved, s.objection.Reason, problem)
	if held == "" {
		s.owner = nil
	}
}

// team gives a Team, or nil if there is none of that name.
func (r *Reconciler) team(ctx context.Context, name string) (*v1alpha1.Team, error) {
	team := &v1alpha1.Team{}
	err := r.Client.Get(ctx, types.NamespacedName{Name: name}, team)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return team, nil
}
