// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package responderrota keeps a ResponderRota's status: who is on duty now,
// when that changes, which hours nobody fills, and who is listed that cannot
// serve.
package responderrota

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/internal/rota"
	"github.com/rostra-dev/rostra/internal/status"
)

const (
	// maxPeople and maxOverrides bound what a status names; see the schema.
	maxPeople    = 128
	maxOverrides = 64
)

// Reconciler keeps rotas' statuses.
type Reconciler struct {
	// Client reads from the cache.
	Client client.Client
	// Metadata reads the metadata of Secrets from the cache.
	Metadata client.Reader
	// Duty prepares rotas.
	Duty *duty.Book
	// Clock tells who is on duty now.
	Clock clock.PassiveClock
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	page, err := r.Duty.Find(ctx, request.NamespacedName)
	if err != nil || page == nil {
		return reconcile.Result{}, err
	}
	object := &v1alpha1.ResponderRota{}
	if err := r.Client.Get(ctx, request.NamespacedName, object); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before, now := object.DeepCopy(), r.Clock.Now()
	writer := status.Writer{Conditions: &object.Status.Conditions, Generation: object.Generation, Now: now}
	object.Status.ObservedGeneration = object.Generation
	object.Status.OnCall = page.OnCall(now)
	object.Status.NextHandoff = nil
	if next := page.NextChange(now); !next.IsZero() {
		object.Status.NextHandoff = new(metav1.NewTime(next))
	}
	object.Status.Overrides = page.Schedule.InForce(now)
	object.Status.Overrides = object.Status.Overrides[:min(len(object.Status.Overrides), maxOverrides)]

	verdict, err := page.Assess(v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageAlways}, now)
	if err != nil {
		return reconcile.Result{}, err
	}
	object.Status.Coverage = duty.Coverage(verdict.Assessment)
	people := page.Schedule.People(now)
	judge(page, object, writer, people)
	if err := r.bindReachable(ctx, page, object, writer, people); err != nil {
		return reconcile.Result{}, err
	}
	writer.Summarise(v1alpha1.ConditionScheduleValid, v1alpha1.ConditionMembersResolved, v1alpha1.ConditionMembersReachable)
	if err := status.Write(ctx, r.Client, before, object); err != nil {
		return status.Quietly(err)
	}
	return status.LookAgain(nextLook(page, verdict.Until, now), r.Clock.Now()), nil
}

// nextLook is when something in the status changes by itself.
func nextLook(page *duty.Page, next, now time.Time) time.Time {
	for _, at := range []time.Time{page.NextChange(now), page.NextEvent(now)} {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

// judge says whether the rota can be read, and whether everybody it names is
// there.
func judge(page *duty.Page, object *v1alpha1.ResponderRota, writer status.Writer, people []rota.Person) {
	var schedule, members []rota.Problem
	for _, problem := range page.Problems {
		if problem.Reason == v1alpha1.ReasonTeamNotFound || problem.Reason == v1alpha1.ReasonMemberNotFound {
			members = append(members, problem)
		} else {
			schedule = append(schedule, problem)
		}
	}
	say(writer, v1alpha1.ConditionScheduleValid, schedule, v1alpha1.ReasonScheduleRead, "zone, hand-offs and windows can be read")
	say(writer, v1alpha1.ConditionMembersResolved, members, v1alpha1.ReasonMembersFound, "the teams exist and everybody listed is in them")
	object.Status.Left = nil
	for _, person := range people {
		if person.Left && len(object.Status.Left) < maxPeople {
			object.Status.Left = append(object.Status.Left, person.Team+"/"+person.Name)
		}
	}
}

// say sets a condition that holds unless there are problems.
func say(writer status.Writer, condition string, problems []rota.Problem, reason, message string) {
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

// bindReachable finds those who take turns and cannot be told.
func (r *Reconciler) bindReachable(ctx context.Context, page *duty.Page, object *v1alpha1.ResponderRota, writer status.Writer, people []rota.Person) error {
	object.Status.Unreachable = nil
	for _, person := range people {
		if person.Left {
			continue
		}
		reachable, err := duty.Reachable(ctx, r.Metadata, page.Teams[person.Team], person.Name)
		if err != nil {
			return err
		}
		if !reachable && len(object.Status.Unreachable) < maxPeople {
			object.Status.Unreachable = append(object.Status.Unreachable, person.Team+"/"+person.Name)
		}
	}
	if len(object.Status.Unreachable) == 0 {
		writer.True(v1alpha1.ConditionMembersReachable, v1alpha1.ReasonMembersReachable, "everybody who takes turns has a way to be told")
		return nil
	}
	writer.False(v1alpha1.ConditionMembersReachable, v1alpha1.ReasonMemberUnreachable, fmt.Sprintf(
		"on duty and told of nothing: %s: give each a spec.members[].notify in the Team, whose Secret exists in the team's namespace",
		strings.Join(object.Status.Unreachable, ", ")))
	return nil
}
