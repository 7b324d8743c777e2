// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package good

import (
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func setup(reader client.Reader, indexer client.FieldIndexer) error {
	builder.NewControllerManagedBy().
		For(&corev1.ConfigMap{}).
		Owns(&corev1.Secret{}, builder.OnlyMetadata).
		WatchesMetadata(&corev1.Secret{}, nil)
	if err := indexer.IndexField(&corev1.ConfigMap{}, "name"); err != nil {
		return err
	}
	return reader.Get("one", &corev1.Secret{})
}
