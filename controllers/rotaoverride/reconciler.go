// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rotaoverride keeps a RotaOverride's status: whether it waits, is in
// force, is outranked, is over, or cannot work at all.
package rotaoverride

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/status"
)

// +kubebuilder:rbac:groups=social.rostra.dev,resources=responderrotas;rotaoverrides;teams,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=rotaoverrides/status,verbs=patch

// Reconciler keeps overrides' statuses.
type Reconciler struct {
	// Client reads from the cache.
	Client client.Client
	// Duty prepares rotas.
	Duty *duty.Book
	// Clock tells which overrides are in force now.
	Clock clock.PassiveClock
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	object := &v1alpha1.RotaOverride{}
	if err := r.Client.Get(ctx, request.NamespacedName, object); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	page, err := r.Duty.Find(ctx, types.NamespacedName{Namespace: object.Namespace, Name: object.Spec.ResponderRotaRef.Name})
	if err != nil {
		return reconcile.Result{}, err
	}
	before, now := object.DeepCopy(), r.Clock.Now()
	writer := status.Writer{Conditions: &object.Status.Conditions, Generation: object.Generation, Now: now}
	object.Status.ObservedGeneration = object.Generation
	state, reason, message := judge(object, page, now)
	writer.Verdict(state, reason, message)
	if err := status.Write(ctx, r.Client, before, object); err != nil {
		return status.Quietly(err)
	}
	return status.LookAgain(nextLook(object, page, now), r.Clock.Now()), nil
}

// judge says what an override does now. One that only waits, or is over, is in
// order.
func judge(object *v1alpha1.RotaOverride, page *duty.Page, now time.Time) (state metav1.ConditionStatus, reason, message string) {
	spec := object.Spec
	if !now.Before(spec.Until.Time) {
		return metav1.ConditionTrue, v1alpha1.ReasonExpired, fmt.Sprintf("it ended at %s: it can be removed", written(spec.Until))
	}
	if page == nil {
		return metav1.ConditionFalse, v1alpha1.ReasonRotaNotFound, fmt.Sprintf(
			"ResponderRota %s does not exist in namespace %s: correct spec.responderRotaRef", spec.ResponderRotaRef.Name, object.Namespace)
	}
	team := page.Teams[spec.TeamRef.Name]
	if team == nil {
		return metav1.ConditionFalse, v1alpha1.ReasonTeamNotFound, fmt.Sprintf("Team %s does not exist: correct spec.teamRef", spec.TeamRef.Name)
	}
	if at := later(now, spec.From.Time); !slices.Contains(ownership.ActiveMembers(team, at), spec.Member) {
		when := "now"
		if at.After(now) {
			when = "at " + written(spec.From)
		}
		return metav1.ConditionFalse, v1alpha1.ReasonMemberNotFound, fmt.Sprintf(
			"%s is not a member of team %s %s, so the rota answers as if this override were not there: name a member", spec.Member, team.Name, when)
	}
	if now.Before(spec.From.Time) {
		return metav1.ConditionTrue, v1alpha1.ReasonPending, fmt.Sprintf("%s takes over at %s", spec.Member, written(spec.From))
	}
	if inForce := page.Schedule.InForce(now); len(inForce) > 0 && inForce[0] != object.Name {
		return metav1.ConditionTrue, v1alpha1.ReasonOutranked, fmt.Sprintf("RotaOverride %s is in force at the same time and answers first", inForce[0])
	}
	return metav1.ConditionTrue, v1alpha1.ReasonInForce, fmt.Sprintf("%s is on duty until %s", spec.Member, written(spec.Until))
}

func written(at metav1.Time) string { return at.UTC().Format(time.RFC3339) }

func later(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

// nextLook is when the state changes by itself; zero for never.
func nextLook(object *v1alpha1.RotaOverride, page *duty.Page, now time.Time) time.Time {
	if !now.Before(object.Spec.Until.Time) {
		return time.Time{}
	}
	if page == nil {
		return object.Spec.Until.Time
	}
	return page.NextEvent(now)
}

// SetupWithManager starts the reconciler with a manager.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return builder.ControllerManagedBy(mgr).
		For(&v1alpha1.RotaOverride{}, changed).
		Watches(&v1alpha1.RotaOverride{}, handler.EnqueueRequestsFromMapFunc(r.rivals), changed).
		Watches(&v1alpha1.ResponderRota{}, handler.EnqueueRequestsFromMapFunc(r.ofRota), changed).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofTeam), changed).
		WithOptions(options).
		Complete(r)
}

// rivals are the overrides that an override may outrank, or be outranked by.
func (r *Reconciler) rivals(ctx context.Context, override client.Object) []reconcile.Request {
	return r.ofRotas(ctx, duty.OfOverride(override))
}

func (r *Reconciler) ofRota(ctx context.Context, rota client.Object) []reconcile.Request {
	return r.ofRotas(ctx, []types.NamespacedName{client.ObjectKeyFromObject(rota)})
}

func (r *Reconciler) ofTeam(ctx context.Context, team client.Object) []reconcile.Request {
	return r.ofRotas(ctx, duty.OfTeam(ctx, r.Client, team.GetName()))
}

func (r *Reconciler) ofRotas(ctx context.Context, rotas []types.NamespacedName) []reconcile.Request {
	var requests []reconcile.Request
	for _, rota := range rotas {
		for _, name := range duty.Overrides(ctx, r.Client, rota) {
			requests = append(requests, reconcile.Request{NamespacedName: name})
		}
	}
	return requests
}
