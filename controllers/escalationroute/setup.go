// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalationroute

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/controllers/routes"
)

// +kubebuilder:rbac:groups=social.rostra.dev,resources=escalationroutes;responderrotas;rotaoverrides;teams,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=escalationroutes/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch

// SetupWithManager starts the reconciler with a manager. The indexes of the
// packages duty and routes must have been added.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return builder.ControllerManagedBy(mgr).
		For(&v1alpha1.EscalationRoute{}, changed).
		Watches(&v1alpha1.ResponderRota{}, handler.EnqueueRequestsFromMapFunc(r.ofRota), changed).
		Watches(&v1alpha1.RotaOverride{}, handler.EnqueueRequestsFromMapFunc(r.ofOverride), changed).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofTeam), changed).
		WatchesMetadata(metadata.Secret(), handler.EnqueueRequestsFromMapFunc(r.ofSecret), builder.WithPredicates(duty.Appears())).
		WithOptions(options).
		Complete(r)
}

func (r *Reconciler) ofRota(ctx context.Context, rota client.Object) []reconcile.Request {
	return requests(routes.OfRota(ctx, r.Client, client.ObjectKeyFromObject(rota)))
}

func (r *Reconciler) ofOverride(ctx context.Context, override client.Object) []reconcile.Request {
	return requests(routes.OfOverride(ctx, r.Client, override))
}

func (r *Reconciler) ofTeam(ctx context.Context, team client.Object) []reconcile.Request {
	return requests(routes.OfTeam(ctx, r.Client, team.GetName()))
}

func (r *Reconciler) ofSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	return requests(routes.OfSecret(ctx, r.Client, secret))
}

func requests(names []types.NamespacedName) []reconcile.Request {
	found := make([]reconcile.Request, 0, len(names))
	for _, name := range names {
		found = append(found, reconcile.Request{NamespacedName: name})
	}
	return found
}
