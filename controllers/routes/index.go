// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/internal/escalation"
)

const (
	// rotaIndex finds routes by the rotas that they name.
	rotaIndex = "rota"
	// teamIndex finds routes by the teams that they name.
	teamIndex = "team"
)

// Index adds the indexes that routes are looked up by.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	by := func(names func(*v1alpha1.EscalationRoute) []string) client.IndexerFunc {
		return func(object client.Object) []string {
			route, ok := object.(*v1alpha1.EscalationRoute)
			if !ok {
				return nil
			}
			return names(route)
		}
	}
	return errors.Join(
		indexer.IndexField(ctx, &v1alpha1.EscalationRoute{}, rotaIndex, by(escalation.Rotas)),
		indexer.IndexField(ctx, &v1alpha1.EscalationRoute{}, teamIndex, by(escalation.Teams)),
	)
}

// OfRota are the routes that name a rota.
func OfRota(ctx context.Context, reader client.Reader, rota types.NamespacedName) []types.NamespacedName {
	return find(ctx, reader, client.InNamespace(rota.Namespace), client.MatchingFields{rotaIndex: rota.Name})
}

// OfTeam are the routes that a team matters to: those that name it, and those
// that name a rota in which its members take turns.
func OfTeam(ctx context.Context, reader client.Reader, team string) []types.NamespacedName {
	found := sets.New(find(ctx, reader, client.MatchingFields{teamIndex: team})...)
	for _, rota := range duty.OfTeam(ctx, reader, team) {
		found.Insert(OfRota(ctx, reader, rota)...)
	}
	return found.UnsortedList()
}

// OfOverride are the routes that name the rota of an override.
func OfOverride(ctx context.Context, reader client.Reader, override client.Object) []types.NamespacedName {
	var found []types.NamespacedName
	for _, rota := range duty.OfOverride(override) {
		found = append(found, OfRota(ctx, reader, rota)...)
	}
	return found
}

// OfSecret are the routes that somebody is on who is told by a Secret.
func OfSecret(ctx context.Context, reader client.Reader, secret client.Object) []types.NamespacedName {
	found := sets.New[types.NamespacedName]()
	for _, team := range duty.ToldBy(ctx, reader, secret) {
		found.Insert(OfTeam(ctx, reader, team)...)
	}
	return found.UnsortedList()
}

func find(ctx context.Context, reader client.Reader, options ...client.ListOption) []types.NamespacedName {
	routes := &v1alpha1.EscalationRouteList{}
	options = append(options, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err := reader.List(ctx, routes, options...); err != nil {
		return nil
	}
	found := make([]types.NamespacedName, 0, len(routes.Items))
	for i := range routes.Items {
		found = append(found, client.ObjectKeyFromObject(&routes.Items[i]))
	}
	return found
}
