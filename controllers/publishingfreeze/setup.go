// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package publishingfreeze

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/coalesce"
)

// +kubebuilder:rbac:groups=social.rostra.dev,resources=publishingfreezes;socialchannels,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=publishingfreezes/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch

// SetupWithManager starts the reconciler with a manager.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	return builder.ControllerManagedBy(mgr).
		For(&v1alpha1.PublishingFreeze{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SocialChannel{}, coalesce.Handler(holders, progress)).
		WithOptions(options).
		Complete(r)
}

// holders are the freezes that hold a channel.
func holders(object client.Object) []string {
	channel, ok := object.(*v1alpha1.SocialChannel)
	if !ok || channel.Status.Freeze == nil {
		return nil
	}
	return channel.Status.Freeze.Names
}

// progress is what of a channel a freeze tells.
func progress(object client.Object) string {
	channel, ok := object.(*v1alpha1.SocialChannel)
	if !ok || channel.Status.Freeze == nil {
		return ""
	}
	told := []string{""}
	if allowed := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionPublishingAllowed); allowed != nil {
		told[0] = allowed.Reason
	}
	if ends := channel.Status.Freeze.EffectiveBy; ends != nil {
		told = append(told, ends.String())
	}
	return strings.Join(told, " ")
}
