// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bad

import (
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func setup(indexer client.FieldIndexer) error {
	builder.NewControllerManagedBy().
		For(&corev1.ConfigMap{}).
		Owns(&corev1.Secret{}) // want `Owns keeps every Secret of the cluster in memory`
	builder.NewControllerManagedBy().Watches(&corev1.Secret{}, nil) // want `Watches keeps every Secret of the cluster in memory`
	return indexer.IndexField(&corev1.Secret{}, "name")             // want `IndexField keeps every Secret of the cluster in memory`
}
