// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metadata makes the empty objects by which the metadata of a kind is
// watched and read, without its content.
package metadata

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Secret is the metadata of a Secret.
func Secret() *metav1.PartialObjectMetadata { return of(corev1.SchemeGroupVersion, "Secret") }

// Namespace is the metadata of a Namespace.
func Namespace() *metav1.PartialObjectMetadata { return of(corev1.SchemeGroupVersion, "Namespace") }

// SocialChannel is the metadata of a channel.
func SocialChannel() *metav1.PartialObjectMetadata {
	return of(v1alpha1.GroupVersion, "SocialChannel")
}

// Secrets is a list of the metadata of Secrets.
func Secrets() *metav1.PartialObjectMetadataList { return listOf("SecretList") }

// Namespaces is a list of the metadata of Namespaces.
func Namespaces() *metav1.PartialObjectMetadataList { return listOf("NamespaceList") }

func of(version schema.GroupVersion, kind string) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(version.WithKind(kind))
	return object
}

func listOf(kind string) *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return list
}
