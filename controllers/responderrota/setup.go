// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package responderrota

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/metadata"
)

// notifyIndex finds teams by the Secrets, as namespace/name, in which their
// members' addresses are.
const notifyIndex = "notify"

// +kubebuilder:rbac:groups=social.rostra.dev,resources=responderrotas;rotaoverrides;teams,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=responderrotas/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch

// Index adds the index that the reconciler looks teams up by.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, &v1alpha1.Team{}, notifyIndex, func(object client.Object) []string {
		team, ok := object.(*v1alpha1.Team)
		if !ok {
			return nil
		}
		names := sets.New[string]()
		for _, member := range team.Spec.Members {
			for _, target := range member.Notify {
				names.Insert(team.Spec.Namespace + "/" + target.SecretRef.Name)
			}
		}
		return names.UnsortedList()
	})
}

// SetupWithManager starts the reconciler with a manager. The indexes must have
// been added.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return builder.ControllerManagedBy(mgr).
		For(&v1alpha1.ResponderRota{}, changed).
		Watches(&v1alpha1.RotaOverride{}, handler.EnqueueRequestsFromMapFunc(ofOverride), changed).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofTeam), changed).
		WatchesMetadata(metadata.Secret(), handler.EnqueueRequestsFromMapFunc(r.ofSecret), builder.WithPredicates(appears())).
		WithOptions(options).
		Complete(r)
}

// appears passes Secrets that come or go: their content is nobody's business
// here.
func appears() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

func ofOverride(_ context.Context, override client.Object) []reconcile.Request {
	return requests(duty.OfOverride(override))
}

func (r *Reconciler) ofTeam(ctx context.Context, team client.Object) []reconcile.Request {
	return requests(duty.OfTeam(ctx, r.Client, team.GetName()))
}

// ofSecret finds the rotas in which somebody takes turns who is told by it.
func (r *Reconciler) ofSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	teams := &v1alpha1.TeamList{}
	err := r.Client.List(ctx, teams, client.MatchingFields{notifyIndex: secret.GetNamespace() + "/" + secret.GetName()},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return nil
	}
	var found []reconcile.Request
	for i := range teams.Items {
		found = append(found, r.ofTeam(ctx, &teams.Items[i])...)
	}
	return found
}

func requests(names []types.NamespacedName) []reconcile.Request {
	found := make([]reconcile.Request, 0, len(names))
	for _, name := range names {
		found = append(found, reconcile.Request{NamespacedName: name})
	}
	return found
}
