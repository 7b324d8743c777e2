// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/internal/rota"
)

// dayJitter spreads the look at a new day's fortnight: at midnight nobody waits
// for it, and all channels of a zone would come at once.
const dayJitter = 10 * time.Minute

// bindCoverage says who answers for the channel now, and at which of the hours
// that it promises nobody will.
func (r *Reconciler) bindCoverage(ctx context.Context, s *scope) error {
	spec := s.channel.Spec
	s.channel.Status.OnCall, s.channel.Status.Coverage = nil, nil
	if spec.ResponderRotaRef == nil {
		s.coveredWithoutRota()
		return nil
	}
	name := spec.ResponderRotaRef.Name
	page, err := r.Duty.Find(ctx, types.NamespacedName{Namespace: s.channel.Namespace, Name: name})
	if err != nil {
		return err
	}
	if page == nil {
		s.status.False(v1alpha1.ConditionCovered, v1alpha1.ReasonRotaNotFound, fmt.Sprintf(
			"nobody answers: ResponderRota %s does not exist in namespace %s: create it, or name another in spec.responderRotaRef", name, s.channel.Namespace))
		return nil
	}
	// The platform may have taken its time since this reconcile began.
	now := r.Clock.Now()
	s.channel.Status.OnCall = page.OnCall(now)
	s.wakeAt(page.NextChange(now))
	if !s.promises() {
		s.status.True(v1alpha1.ConditionCovered, v1alpha1.ReasonNothingPromised, "the channel promises no hours (spec.coverage)")
		return nil
	}
	verdict, err := page.Assess(*spec.Coverage, now)
	if err != nil {
		return err
	}
	s.channel.Status.Coverage = duty.Coverage(verdict.Assessment)
	s.wakeForCoverage(verdict.Assessment, now)
	s.judgeCoverage(page, verdict, now)
	return nil
}

// promises tells whether somebody is to watch the channel at any hour.
func (s *scope) promises() bool {
	coverage := s.channel.Spec.Coverage
	return coverage != nil && coverage.Mode != v1alpha1.CoverageNone
}

func (s *scope) coveredWithoutRota() {
	if s.promises() {
		s.status.False(v1alpha1.ConditionCovered, v1alpha1.ReasonNoRota,
			"hours are promised and nobody answers: name a ResponderRota in spec.responderRotaRef")
		return
	}
	s.status.True(v1alpha1.ConditionCovered, v1alpha1.ReasonNothingPromised, "the channel promises no hours (spec.coverage)")
}

// wakeForCoverage comes back when a gap begins or ends, and on the next day,
// whose fortnight reaches further.
func (s *scope) wakeForCoverage(assessment rota.Assessment, now time.Time) {
	if len(assessment.Gaps) > 0 {
		first := assessment.Gaps[0]
		s.wakeAt(first.Until)
		if first.From.After(now) {
			s.wakeAt(first.From)
		}
		if assessment.Until.Equal(first.Until) {
			return
		}
	}
	s.wakeAt(assessment.Until.Add(rand.N(dayJitter)))
}

// judgeCoverage says whether the promise is kept over the next 14 days.
func (s *scope) judgeCoverage(page *duty.Page, verdict duty.Verdict, now time.Time) {
	name := s.channel.Spec.ResponderRotaRef.Name
	switch {
	case len(verdict.Problems) > 0:
		s.status.False(v1alpha1.ConditionCovered, v1alpha1.ReasonInvalidPromise, verdict.Problems[0].Message)
	case len(verdict.Gaps) == 0:
		s.status.True(v1alpha1.ConditionCovered, v1alpha1.ReasonCovered, fmt.Sprintf(
			"somebody of rota %s is on duty at every promised hour of the next 14 days", name))
	default:
		s.status.False(v1alpha1.ConditionCovered, v1alpha1.ReasonCoverageGap, gapMessage(name, now, page, verdict))
	}
}

func gapMessage(name string, now time.Time, page *duty.Page, verdict duty.Verdict) string {
	first := verdict.Gaps[0]
	when := "next: "
	if !first.From.After(now) {
		when = "now: "
	}
	message := fmt.Sprintf("nobody of rota %s is on duty for %s a week of the promised hours; %s%s",
		name, hours(verdict.UncoveredPerWeek), when, rota.Words(first, verdict.Zone, now))
	if more := len(verdict.Gaps) - 1; more > 0 {
		message += fmt.Sprintf(", and %d more within 14 days", more)
	}
	if len(page.Problems) > 0 {
		message += "; the rota has a problem of its own: " + page.Problems[0].Message
	}
	return message
}

// hours writes a length of time in hours and minutes; what is less than a
// minute is said to be so.
func hours(length time.Duration) string {
	whole, minutes := int(length/time.Hour), int(length%time.Hour/time.Minute)
	switch {
	case whole == 0 && minutes == 0:
		return "less than a minute"
	case minutes == 0:
		return fmt.Sprintf("%dh", whole)
	}
	return fmt.Sprintf("%dh %dm", whole, minutes)
}
