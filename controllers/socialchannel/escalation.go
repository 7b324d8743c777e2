// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/internal/status"
)

// bindEscalation says who would be told of an event on the channel now, and in
// which order.
func (r *Reconciler) bindEscalation(ctx context.Context, s *scope) error {
	s.channel.Status.Escalation = nil
	ref := s.channel.Spec.EscalationRouteRef
	if ref == nil {
		s.status.True(v1alpha1.ConditionEscalationRouted, v1alpha1.ReasonNoRoute,
			"nobody is told of what happens on the channel, since it names no route (spec.escalationRouteRef)")
		return nil
	}
	page, err := r.Routes.Find(ctx, types.NamespacedName{Namespace: s.channel.Namespace, Name: ref.Name})
	if err != nil {
		return err
	}
	if page == nil {
		s.status.False(v1alpha1.ConditionEscalationRouted, v1alpha1.ReasonRouteNotFound, fmt.Sprintf(
			"nobody would be told: EscalationRoute %s does not exist in namespace %s: create it, or name another in spec.escalationRouteRef",
			ref.Name, s.channel.Namespace))
		return nil
	}
	// The platform may have taken its time since this reconcile began.
	now := r.Clock.Now()
	look, err := r.Routes.Look(ctx, page, now)
	if err != nil {
		return err
	}
	s.channel.Status.Escalation = &v1alpha1.ChannelEscalation{
		Route: ref.Name, Summary: status.Note(look.Round.Words()), Steps: routes.Steps(look.Round),
	}
	s.wakeAt(page.NextChange(now))
	s.judgeEscalation(ref.Name, look)
	return nil
}

// judgeEscalation says whether somebody other than the fallback hears of every
// event now, and what is not in order with the route.
func (s *scope) judgeEscalation(route string, look *routes.Look) {
	problems := look.Problems()
	switch {
	case len(problems) == 0:
		s.status.True(v1alpha1.ConditionEscalationRouted, v1alpha1.ReasonRouted, fmt.Sprintf("every step of route %s is somebody who can be told now", route))
		return
	case len(problems) == len(look.Warnings):
		s.status.True(v1alpha1.ConditionEscalationRouted, v1alpha1.ReasonRouted, fmt.Sprintf(
			"by route %s somebody who can be told hears of every event now; but %s", route, routes.Brief(problems)))
		return
	}
	reason := problems[0].Reason
	if len(look.Mistakes) > 0 {
		reason = v1alpha1.ReasonRouteInvalid
	}
	s.status.False(v1alpha1.ConditionEscalationRouted, reason, fmt.Sprintf("EscalationRoute %s: %s", route, routes.Brief(problems)))
}
