// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package duty

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	// rotaIndex finds overrides by the name of their rota.
	rotaIndex = "rota"
	// teamIndex finds rotas and overrides by the teams that they name.
	teamIndex = "team"
)

// Index adds the indexes that rotas and overrides are looked up by, and teams
// by how they are told.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	return errors.Join(
		indexer.IndexField(ctx, &v1alpha1.ResponderRota{}, teamIndex, func(object client.Object) []string {
			rota, ok := object.(*v1alpha1.ResponderRota)
			if !ok {
				return nil
			}
			return teamsOf(rota, nil)
		}),
		indexer.IndexField(ctx, &v1alpha1.RotaOverride{}, teamIndex, func(object client.Object) []string {
			override, ok := object.(*v1alpha1.RotaOverride)
			if !ok {
				return nil
			}
			return []string{override.Spec.TeamRef.Name}
		}),
		indexer.IndexField(ctx, &v1alpha1.RotaOverride{}, rotaIndex, func(object client.Object) []string {
			override, ok := object.(*v1alpha1.RotaOverride)
			if !ok {
				return nil
			}
			return []string{override.Spec.ResponderRotaRef.Name}
		}),
		indexer.IndexField(ctx, &v1alpha1.Team{}, notifyIndex, notifiedBy),
	)
}

// OfOverride is the rota that an override belongs to.
func OfOverride(object client.Object) []types.NamespacedName {
	override, ok := object.(*v1alpha1.RotaOverride)
	if !ok {
		return nil
	}
	return []types.NamespacedName{{Namespace: override.Namespace, Name: override.Spec.ResponderRotaRef.Name}}
}

// OfTeam are the rotas in which a team's members take turns, or stand in by an
// override.
func OfTeam(ctx context.Context, reader client.Reader, team string) []types.NamespacedName {
	options := []client.ListOption{client.MatchingFields{teamIndex: team}, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency}
	found := sets.New[types.NamespacedName]()
	rotas := &v1alpha1.ResponderRotaList{}
	if err := reader.List(ctx, rotas, options...); err != nil {
		return nil
	}
	for i := range rotas.Items {
		found.Insert(client.ObjectKeyFromObject(&rotas.Items[i]))
	}
	overrides := &v1alpha1.RotaOverrideList{}
	if err := reader.List(ctx, overrides, options...); err != nil {
		return found.UnsortedList()
	}
	for i := range overrides.Items {
		found.Insert(OfOverride(&overrides.Items[i])...)
	}
	return found.UnsortedList()
}

// Overrides are the overrides of a rota.
func Overrides(ctx context.Context, reader client.Reader, name types.NamespacedName) []types.NamespacedName {
	overrides := &v1alpha1.RotaOverrideList{}
	err := reader.List(ctx, overrides, client.InNamespace(name.Namespace), client.MatchingFields{rotaIndex: name.Name},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return nil
	}
	found := make([]types.NamespacedName, 0, len(overrides.Items))
	for i := range overrides.Items {
		found = append(found, client.ObjectKeyFromObject(&overrides.Items[i]))
	}
	return found
}
