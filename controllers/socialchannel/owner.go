// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

// bindOwner finds the team whose hold is to be kept up: the declared owner if
// it exists, is led and accepts the channel, else the one that holds it.
func (r *Reconciler) bindOwner(ctx context.Context, s *scope) error {
	name := s.channel.Spec.OwnerRef.Name
	declared, err := r.team(ctx, name)
	if err != nil {
		return err
	}
	held := s.channel.Status.Owner
	reason, problem := objection(s, name, declared)
	switch {
	case problem != "" && held != "" && held != name:
		s.status.False(v1alpha1.ConditionOwnerResolved, reason, fmt.Sprintf("%s; until then team %s stays the owner", problem, held))
		s.owner, err = r.team(ctx, held)
	case problem != "":
		s.status.False(v1alpha1.ConditionOwnerResolved, reason, problem)
		if held == name {
			s.owner = declared
		}
	case held == "" || held == name || s.channel.Status.Credential == nil:
		s.owner = declared
		s.takeOver()
	default:
		s.owner = declared
		s.status.Unknown(v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonHandoverPending,
			fmt.Sprintf("team %s accepts the channel; team %s holds it until the credential has moved", name, held))
	}
	if s.owner != nil {
		s.wakeAt(ownership.NextChange(s.owner, s.now))
	}
	return err
}

// takeOver makes the owner at hand the effective one.
func (s *scope) takeOver() {
	if from := s.channel.Status.Owner; from != "" && from != s.owner.Name {
		s.event("HandedOver", "HandOver", fmt.Sprintf("moved from team %s to team %s", from, s.owner.Name))
	}
	s.channel.Status.Owner = s.owner.Name
	if s.owner.Name == s.channel.Spec.OwnerRef.Name {
		s.status.True(v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonOwnerAccepted,
			fmt.Sprintf("team %s accepts the channel and holds it", s.owner.Name))
	}
}

// objection is why the declared team cannot own the channel, or empty.
func objection(s *scope, name string, team *v1alpha1.Team) (reason, problem string) {
	switch {
	case team == nil:
		return v1alpha1.ReasonOwnerNotFound, fmt.Sprintf("Team %s does not exist: create it, or name another in spec.ownerRef", name)
	case !team.DeletionTimestamp.IsZero():
		return v1alpha1.ReasonOwnerDeleting, fmt.Sprintf("Team %s is being deleted: name another in spec.ownerRef", name)
	case !ownership.Accepts(team, s.channel.Namespace, s.channel.Name):
		return v1alpha1.ReasonNotAccepted, fmt.Sprintf("Team %s does not accept the channel: add {namespace: %s, channels: [%s]} to its spec.accepts",
			name, s.channel.Namespace, s.channel.Name)
	case !ownership.HasManager(team, s.now):
		return v1alpha1.ReasonNoManager, fmt.Sprintf("Team %s has no manager: %s is not a member now", name, team.Spec.Manager)
	}
	return "", ""
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
