// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialplatform

import (
	"context"

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
)

// +kubebuilder:rbac:groups=social.rostra.dev,resources=socialplatforms,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=socialplatforms/status,verbs=patch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=socialchannels,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch

// SetupWithManager starts the reconciler with a manager.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	return builder.ControllerManagedBy(mgr).
		For(&v1alpha1.SocialPlatform{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SocialChannel{}, coalesce.Handler(r.counting, claimed)).
		WatchesMetadata(metadata.Namespace(), handler.EnqueueRequestsFromMapFunc(r.discovering), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesMetadata(metadata.Secret(), handler.EnqueueRequestsFromMapFunc(r.ofApplication)).
		WithOptions(options).
		Complete(r)
}

// counting are the platforms that a channel matters to: its own, which counts
// it, and those that look for unclaimed accounts of the same type, which may be
// at the same server.
func (r *Reconciler) counting(object client.Object) []string {
	channel, ok := object.(*v1alpha1.SocialChannel)
	if !ok {
		return nil
	}
	own := channel.Spec.PlatformRef.Name
	names := []string{own}
	platforms := r.platforms(context.Background())
	var kind v1alpha1.SocialPlatformType
	for i := range platforms {
		if platforms[i].Name == own {
			kind = platforms[i].Spec.Type
		}
	}
	for i := range platforms {
		if other := &platforms[i]; other.Name != own && other.Spec.Type == kind && other.Spec.Discovery != nil {
			names = append(names, other.Name)
		}
	}
	return names
}

// claimed is what a channel claims.
func claimed(object client.Object) string {
	channel, ok := object.(*v1alpha1.SocialChannel)
	if !ok {
		return ""
	}
	return knownID(channel) + " " + channel.Spec.Handle
}

// discovering are the platforms that look for unclaimed accounts: which
// channels claim any depends on the labels of their namespaces.
func (r *Reconciler) discovering(ctx context.Context, _ client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, social := range r.platforms(ctx) {
		if social.Spec.Discovery != nil {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&social)})
		}
	}
	return requests
}

// ofApplication are the platforms at which a Secret says what Rostra is.
func (r *Reconciler) ofApplication(ctx context.Context, secret client.Object) []reconcile.Request {
	if secret.GetNamespace() != r.Namespace {
		return nil
	}
	var requests []reconcile.Request
	for _, social := range r.platforms(ctx) {
		if social.Spec.ApplicationSecretName() == secret.GetName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&social)})
		}
	}
	return requests
}

// platforms are all of them, from the cache: not to be changed.
func (r *Reconciler) platforms(ctx context.Context) []v1alpha1.SocialPlatform {
	found := &v1alpha1.SocialPlatformList{}
	if err := r.Client.List(ctx, found, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil // the cache answers once it is there, and brings every platform back then
	}
	return found.Items
}
