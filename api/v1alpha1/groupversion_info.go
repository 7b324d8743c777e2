// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the kinds of the API group social.rostra.dev: who
// owns each social-media account of a company, and what must be true of it.
//
// +kubebuilder:object:generate=true
// +groupName=social.rostra.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is the API group and version of every kind in this package.
	GroupVersion = schema.GroupVersion{Group: "social.rostra.dev", Version: "v1alpha1"}

	// SchemeBuilder collects the functions that register the kinds.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the kinds with a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&ContentPolicy{}, &ContentPolicyList{},
		&EscalationRoute{}, &EscalationRouteList{},
		&PublishingFreeze{}, &PublishingFreezeList{},
		&ResponderRota{}, &ResponderRotaList{},
		&RotaOverride{}, &RotaOverrideList{},
		&SocialChannel{}, &SocialChannelList{},
		&SocialPlatform{}, &SocialPlatformList{},
		&Team{}, &TeamList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
