// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package duty

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/metadata"
)

// notifyIndex finds teams by the Secrets, as namespace/name, in which their
// members' addresses are.
const notifyIndex = "notify"

// notifiedBy are the Secrets by which a team's members are told.
func notifiedBy(object client.Object) []string {
	team, ok := object.(*v1alpha1.Team)
	if !ok {
		return nil
	}
	names := sets.New[string]()
	for _, member := range team.Spec.Members {
		for _, target := range member.Notify {
			names.Insert(team.Spec.Namespace + "/" + target.SecretRef.Name)
		}
	}
	return names.UnsortedList()
}

// ToldBy names the teams of which somebody is told by a Secret.
func ToldBy(ctx context.Context, reader client.Reader, secret client.Object) []string {
	teams := &v1alpha1.TeamList{}
	err := reader.List(ctx, teams, client.MatchingFields{notifyIndex: secret.GetNamespace() + "/" + secret.GetName()},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(teams.Items))
	for i := range teams.Items {
		names = append(names, teams.Items[i].Name)
	}
	return names
}

// Appears passes Secrets that come or go: by whom they tell is nobody's
// business here.
func Appears() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

// Reachable tells whether a member of a team has a way to be told whose Secret
// exists. secrets reads the metadata of Secrets.
func Reachable(ctx context.Context, secrets client.Reader, team *v1alpha1.Team, member string) (bool, error) {
	if team == nil {
		return false, nil
	}
	for _, candidate := range team.Spec.Members {
		if candidate.Name != member {
			continue
		}
		for _, target := range candidate.Notify {
			err := secrets.Get(ctx, types.NamespacedName{Namespace: team.Spec.Namespace, Name: target.SecretRef.Name}, metadata.Secret())
			if err == nil {
				return true, nil
			}
			if !apierrors.IsNotFound(err) {
				return false, err
			}
		}
	}
	return false, nil
}
