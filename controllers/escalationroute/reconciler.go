// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package escalationroute keeps an EscalationRoute's status: which of its rules
// can be used, who would be told now, when that changes, and which steps nobody
// would hear.
package escalationroute

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/status"
)

// maxProblems bounds what a status names; see the schema.
const maxProblems = 16

// Reconciler keeps routes' statuses.
type Reconciler struct {
	// Client reads from the cache.
	Client client.Client
	// Routes compiles routes.
	Routes *routes.Book
	// Clock tells who would be told now.
	Clock clock.PassiveClock
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	page, err := r.Routes.Find(ctx, request.NamespacedName)
	if err != nil || page == nil {
		return reconcile.Result{}, err
	}
	object, now := page.Object, r.Clock.Now()
	before := object.DeepCopy()
	look, err := r.Routes.Look(ctx, page, now)
	if err != nil {
		return reconcile.Result{}, err
	}
	object.Status.ObservedGeneration = object.Generation
	describe(object, page, look)
	next := page.NextChange(now)
	object.Status.NextChange = nil
	if !next.IsZero() {
		object.Status.NextChange = new(metav1.NewTime(next))
	}
	judge(status.Writer{Conditions: &object.Status.Conditions, Generation: object.Generation, Now: now}, look)
	if err := status.Write(ctx, r.Client, before, object); err != nil {
		return status.Quietly(err)
	}
	return status.LookAgain(next, r.Clock.Now()), nil
}

// describe says who would be told now.
func describe(object *v1alpha1.EscalationRoute, page *routes.Page, look *routes.Look) {
	object.Status.CompiledRules = new(int32(page.Route.Usable())) //nolint:gosec // G115: the schema allows 32 rules
	object.Status.Summary = status.Note(look.Round.Words())
	object.Status.Steps = routes.Steps(look.Round)
	object.Status.First = status.Note(first(look.Round))
	object.Status.Problems = nil
	for _, problem := range look.Problems() {
		if len(object.Status.Problems) == maxProblems {
			break
		}
		object.Status.Problems = append(object.Status.Problems, status.Note(problem.Message))
	}
}

// first names those who hear first; empty for nobody.
func first(round escalation.Round) string {
	for _, step := range round.Steps {
		if !step.Skipped {
			return step.Heard()
		}
	}
	return round.Fallback.Heard()
}

func judge(writer status.Writer, look *routes.Look) {
	found, heard, ready := "the rotas, teams and people that the route names are there", "every step is somebody who can be told now", "everything declared is in order"
	if len(look.Warnings) > 0 {
		but := "; but " + routes.Brief(look.Warnings)
		heard, ready = "somebody who can be told hears of every event now"+but, ready+but
	}
	if slices.ContainsFunc(look.Warnings, joins) {
		found += ", or are to join their teams"
	}
	say(writer, v1alpha1.ConditionRulesValid, look.Mistakes, v1alpha1.ReasonRulesCompiled, "every rule can be used")
	say(writer, v1alpha1.ConditionTargetsResolved, look.Missing, v1alpha1.ReasonTargetsFound, found)
	say(writer, v1alpha1.ConditionReachable, look.Silent, v1alpha1.ReasonStepsReachable, heard)
	writer.Summarise(v1alpha1.ConditionRulesValid, v1alpha1.ConditionTargetsResolved, v1alpha1.ConditionReachable)
	if writer.Get(v1alpha1.ConditionReady).Status == metav1.ConditionTrue {
		writer.Verdict(metav1.ConditionTrue, v1alpha1.ReasonInOrder, ready)
	}
}

// joins tells whether a warning is of somebody who is no member yet.
func joins(warning escalation.Problem) bool {
	return warning.Reason == v1alpha1.ReasonMemberNotFound || warning.Reason == v1alpha1.ReasonManagerNotMember
}

// say sets a condition that holds unless there are problems.
func say(writer status.Writer, condition string, problems []escalation.Problem, reason, message string) {
	if len(problems) == 0 {
		writer.True(condition, reason, message)
		return
	}
	messages := make([]string, len(problems))
	for i, problem := range problems {
		messages[i] = problem.Message
	}
	writer.False(condition, problems[0].Reason, strings.Join(messages, "; "))
}
