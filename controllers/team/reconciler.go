// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package team keeps a Team's status: who is a member now, whether its manager
// is, to whom it reports, and which channels it holds.
package team

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/status"
)

// maxNames bounds the channels that a status names; see the schema.
const maxNames = 100

// Reconciler keeps teams' statuses.
type Reconciler struct {
	// Client reads from the cache.
	Client client.Client
	// Clock tells who is a member now.
	Clock clock.PassiveClock
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	team := &v1alpha1.Team{}
	if err := r.Client.Get(ctx, request.NamespacedName, team); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := team.DeepCopy()
	now := r.Clock.Now()
	writer := status.Writer{Conditions: &team.Status.Conditions, Generation: team.Generation, Now: now}
	team.Status.ObservedGeneration = team.Generation
	team.Status.ActiveMembers = ownership.ActiveMembers(team, now)

	bindManager(team, writer)
	if err := r.bindChain(ctx, team, writer); err != nil {
		return reconcile.Result{}, err
	}
	if err := r.countChannels(ctx, team); err != nil {
		return reconcile.Result{}, err
	}
	writer.Summarise(v1alpha1.ConditionManagerResolved, v1alpha1.ConditionChainResolved)
	if err := status.Write(ctx, r.Client, before, team); err != nil {
		return status.Quietly(err)
	}
	return status.LookAgain(ownership.NextChange(team, now), r.Clock.Now()), nil
}

func bindManager(team *v1alpha1.Team, writer status.Writer) {
	if slices.Contains(team.Status.ActiveMembers, team.Spec.Manager) {
		writer.True(v1alpha1.ConditionManagerResolved, v1alpha1.ReasonManagerFound, team.Spec.Manager+" manages the team")
		return
	}
	writer.False(v1alpha1.ConditionManagerResolved, v1alpha1.ReasonManagerNotMember, fmt.Sprintf(
		"%s is not a member now (see from and until): name another manager, or the team can take no more channels", team.Spec.Manager))
}

func (r *Reconciler) bindChain(ctx context.Context, team *v1alpha1.Team, writer status.Writer) error {
	var failure error
	lookup := func(name string) *v1alpha1.Team {
		above := &v1alpha1.Team{}
		if err := r.Client.Get(ctx, types.NamespacedName{Name: name}, above, client.DisableReadYourWritesConsistency); err != nil {
			failure = client.IgnoreNotFound(err)
			return nil
		}
		return above
	}
	chain, outcome, at := ownership.Chain(team, lookup)
	if failure != nil {
		return failure
	}
	team.Status.Chain = chain
	path := strings.Join(append([]string{team.Name}, chain...), " → ")
	switch outcome {
	case ownership.ChainComplete:
		writer.True(v1alpha1.ConditionChainResolved, v1alpha1.ReasonChainComplete, path)
	case ownership.ChainCycle:
		writer.False(v1alpha1.ConditionChainResolved, v1alpha1.ReasonChainCycle,
			fmt.Sprintf("%s → %s comes back to itself: correct spec.reportsToRef of one of them", path, at))
	case ownership.ChainBroken:
		writer.False(v1alpha1.ConditionChainResolved, v1alpha1.ReasonChainBroken,
			fmt.Sprintf("%s → %s: Team %s does not exist: create it, or correct spec.reportsToRef", path, at, at))
	case ownership.ChainTooLong:
		writer.False(v1alpha1.ConditionChainResolved, v1alpha1.ReasonChainTooLong,
			fmt.Sprintf("more than %d teams stand above: shorten the chain of spec.reportsToRef", len(chain)))
	}
	return nil
}

// countChannels counts what the team effectively owns.
func (r *Reconciler) countChannels(ctx context.Context, team *v1alpha1.Team) error {
	channels := &v1alpha1.SocialChannelList{}
	err := r.Client.List(ctx, channels, client.MatchingFields{socialchannel.OwnerIndex: team.Name},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return err
	}
	var names []string
	for i := range channels.Items {
		if channels.Items[i].Status.Owner == team.Name {
			names = append(names, channels.Items[i].Namespace+"/"+channels.Items[i].Name)
		}
	}
	slices.Sort(names)
	//nolint:gosec // the number of channels is bounded by the size of a cluster, far below 2^31
	team.Status.Channels = &v1alpha1.OwnedChannels{Count: new(int32(len(names)))}
	team.Status.Channels.Names = names[:min(len(names), maxNames)]
	return nil
}
