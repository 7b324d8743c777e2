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
	s.channel.Status.OnCall = page.OnCall(s.now)
	s.wakeAt(page.Schedule.NextChange(s.now))
	if !s.promises() {
		s.status.True(v1alpha1.ConditionCovered, v1alpha1.ReasonNothingPromised, "the channel promises no hours (spec.coverage)")
		return nil
	}
	verdict, err := page.Assess(*spec.Coverage, s.now)
	if err != nil {
		return err
	}
	s.channel.Status.Coverage = duty.Coverage(verdict.Assessment)
	s.wakeForCoverage(verdict.Assessment)
	s.judgeCoverage(page, verdict)
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
func (s *scope) wakeForCoverage(assessment rota.Assessment) {
	if len(assessment.Gaps) > 0 {
		first := assessment.Gaps[0]
		s.wakeAt(first.Until)
		if first.From.After(s.now) {
			s.wakeAt(first.From)
		}
		if assessment.Until.Equal(first.Until) {
			return
		}
	}
	s.wakeAt(assessment.Until.Add(rand.N(dayJitter)))
}

// judgeCoverage says whether the promise is kept over the next 14 days.
func (s *scope) judgeCoverage(page *duty.Page, verdict duty.Verdict) {
	name := s.channel.Spec.ResponderRotaRef.Name
	switch {
	case len(verdict.Problems) > 0:
		s.status.False(v1alpha1.ConditionCovered, v1alpha1.ReasonInvalidPromise, "spec.coverage: "+verdict.Problems[0].Message)
	case len(verdict.Gaps) == 0:
		s.status.True(v1alpha1.ConditionCovered, v1alpha1.ReasonCovered, fmt.Sprintf(
			"somebody of rota %s is on duty at every promised hour of the next 14 days", name))
	default:
		s.status.False(v1alpha1.ConditionCovered, v1alpha1.ReasonCoverageGap, gapMessage(name, s.now, page, verdict))
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

// hours writes a length of time in hours and minutes.
func hours(length time.Duration) string {
	whole := length.Truncate(time.Hour)
	if minutes := (length - whole).Minutes(); minutes >= 1 {
		return fmt.Sprintf("%.0fh %.0fm", whole.Hours(), minutes)
	}
	return fmt.Sprintf("%.0fh", whole.Hours())
}
