// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package team

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/coalesce"
)

// +kubebuilder:rbac:groups=social.rostra.dev,resources=teams,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=teams/status,verbs=patch

// SetupWithManager starts the reconciler with a manager.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	return builder.ControllerManagedBy(mgr).
		For(&v1alpha1.Team{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.below), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SocialChannel{}, coalesce.Handler(owners)).
		WithOptions(options).
		Complete(r)
}

// owners are the teams in whose count a channel is.
func owners(object client.Object) []string {
	channel, ok := object.(*v1alpha1.SocialChannel)
	if !ok || channel.Status.Owner == "" {
		return nil
	}
	return []string{channel.Status.Owner}
}

// below finds the teams in whose chain a team is, or was missing.
func (r *Reconciler) below(ctx context.Context, changed client.Object) []reconcile.Request {
	teams := &v1alpha1.TeamList{}
	if err := r.Client.List(ctx, teams, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range teams.Items {
		team := &teams.Items[i]
		if reports(team, changed.GetName()) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(team)})
		}
	}
	return requests
}

func reports(team *v1alpha1.Team, name string) bool {
	return team.Name != name && (slices.Contains(team.Status.Chain, name) ||
		team.Spec.ReportsToRef != nil && team.Spec.ReportsToRef.Name == name ||
		!meta.IsStatusConditionTrue(team.Status.Conditions, v1alpha1.ConditionChainResolved))
}
