// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialplatform

import (
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/coalesce"
)

// +kubebuilder:rbac:groups=social.rostra.dev,resources=socialplatforms,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=socialplatforms/status,verbs=patch

// SetupWithManager starts the reconciler with a manager.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	return builder.ControllerManagedBy(mgr).
		For(&v1alpha1.SocialPlatform{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SocialChannel{}, coalesce.Handler(platforms)).
		WithOptions(options).
		Complete(r)
}

// platforms is the platform in whose count a channel is.
func platforms(object client.Object) []string {
	channel, ok := object.(*v1alpha1.SocialChannel)
	if !ok {
		return nil
	}
	return []string{channel.Spec.PlatformRef.Name}
}
