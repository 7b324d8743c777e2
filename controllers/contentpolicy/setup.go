// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package contentpolicy

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
	"github.com/rostra-dev/rostra/controllers/coalesce"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/internal/policy"
)

// +kubebuilder:rbac:groups=social.rostra.dev,resources=contentpolicies;socialchannels,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=contentpolicies/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch

// SetupWithManager starts the reconciler with a manager.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	return builder.ControllerManagedBy(mgr).
		For(&v1alpha1.ContentPolicy{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SocialChannel{}, coalesce.Handler(r.selecting), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesMetadata(metadata.Namespace(), handler.EnqueueRequestsFromMapFunc(r.lookingAt), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WithOptions(options).
		Complete(r)
}

// selecting are the policies that select a channel.
func (r *Reconciler) selecting(object client.Object) []string {
	ctx := context.Background()
	policies, err := list(ctx, r.Client)
	if err != nil {
		return nil // the cache answers once it is there, and brings every policy back then
	}
	labels, err := namespaceLabels(ctx, r.Metadata, policies, object.GetNamespace())
	if err != nil {
		return nil
	}
	var names []string
	for i := range policies {
		selector, err := policy.Selector(&policies[i])
		if err == nil && selector.Selects(object.GetLabels(), labels) {
			names = append(names, policies[i].Name)
		}
	}
	return names
}

// lookingAt are the policies to which a namespace's labels matter.
func (r *Reconciler) lookingAt(ctx context.Context, _ client.Object) []reconcile.Request {
	policies, err := list(ctx, r.Client)
	if err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range policies {
		if policy.LooksAtNamespaces(&policies[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Name: policies[i].Name}})
		}
	}
	return requests
}
