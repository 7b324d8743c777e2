// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/manifests"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/rota"
)

// portrait is all that is known of one channel.
type portrait struct {
	channel *v1alpha1.SocialChannel
	now, at time.Time
	// asOf is set where at is not now.
	asOf bool
	// declaredOnly: it comes from manifests, of which origin is the file.
	declaredOnly bool
	origin       string

	// holder is the effective owner; without one, and of manifests, the declared.
	// team is nil if it does not exist.
	holder string
	team   *v1alpha1.Team
	// objection says why the declared owner is not in force; nil if it is.
	objection *ownership.Objection
	// chain are the teams above the holder, nearest first; chainEnd says in words
	// how it fails.
	chain    []string
	chainEnd string
	duty     dutyFacts
	route    routeFacts
	exposed  []exposure
}

// exposure is somebody who can have seen the credential.
type exposure struct {
	// member as team/member.
	member string
	// left: is no active member of the holder.
	left bool
}

// dutyFacts are who answers and when nobody does.
type dutyFacts struct {
	rota string
	zone *time.Location
	// remark says why nobody is on duty, or with unreadable, why that cannot be
	// told.
	remark     string
	unreadable bool
	segment    rota.Segment
	next       rota.Duty
	// promised tells whether there is a promise that can be read; gap is the one
	// at hand or the next, or nil.
	promised bool
	gap      *rota.Range
}

// portray gathers what is known of a channel.
func (w *whois) portray(found *inventory, channel *v1alpha1.SocialChannel, set *manifests.Set, warnings io.Writer) (*portrait, error) {
	p := &portrait{channel: channel, now: w.now, asOf: w.at != "now"}
	if set != nil {
		p.declaredOnly, p.origin = true, set.Origin(channel)
	}
	var err error
	if p.duty, p.at, err = w.dutyOf(found, channel, warnings); err != nil {
		return nil, err
	}
	p.holder = holder(channel)
	p.route = routeOf(found, channel, p.at)
	p.team = found.teams[p.holder]
	p.objection = p.judge(found.teams[channel.Spec.OwnerRef.Name])
	if p.team != nil {
		p.follow(found)
	}
	if credential := channel.Status.Credential; credential != nil {
		p.exposed = exposures(credential.ExposedTo, p.team, p.at)
	}
	return p, nil
}

// dutyOf finds out who is on duty, and when that is asked for.
func (w *whois) dutyOf(found *inventory, channel *v1alpha1.SocialChannel, warnings io.Writer) (dutyFacts, time.Time, error) {
	facts := dutyFacts{zone: time.UTC}
	schedule := facts.scheduleOf(found, channel, warnings)
	at, err := parseTime(w.at, "at", facts.zone, w.now)
	if err != nil {
		return facts, at, err
	}
	if facts.remark == "" {
		facts.segment = schedule.Current(at)
		if !facts.segment.Until.IsZero() {
			facts.next = schedule.At(facts.segment.Until)
		}
	}
	facts.findGap(schedule, channel, at, warnings)
	return facts, at, nil
}

// scheduleOf prepares the channel's rota. Without one nobody answers, which is
// a schedule too.
func (f *dutyFacts) scheduleOf(found *inventory, channel *v1alpha1.SocialChannel, warnings io.Writer) *rota.Schedule {
	nobody, _ := rota.Prepare(&v1alpha1.ResponderRota{Spec: v1alpha1.ResponderRotaSpec{TimeZone: "UTC"}}, nil, func(string) *v1alpha1.Team { return nil })
	if channel.Spec.ResponderRotaRef == nil {
		f.remark = "nobody: the channel names no rota (spec.responderRotaRef)"
		return nobody
	}
	f.rota = channel.Spec.ResponderRotaRef.Name
	name := objectName{channel.Namespace, f.rota}
	declared := found.rotas[name]
	if declared == nil {
		f.remark = fmt.Sprintf("nobody: the channel names ResponderRota %s, which does not exist", name)
		return nobody
	}
	schedule, problems := found.schedule(declared)
	if err := unknownZone(problems); err != nil {
		f.remark, f.unreadable = fmt.Sprintf("cannot be told from ResponderRota %s: %v", name, err), true
		return nobody
	}
	warn(warnings, "ResponderRota "+name.String(), problems)
	f.zone = schedule.Location()
	return schedule
}

// findGap finds the promised hours, at hand or next, at which nobody is on
// duty.
func (f *dutyFacts) findGap(schedule *rota.Schedule, channel *v1alpha1.SocialChannel, at time.Time, warnings io.Writer) {
	coverage := channel.Spec.Coverage
	if f.unreadable || coverage == nil || coverage.Mode == v1alpha1.CoverageNone {
		return
	}
	promise, problems := rota.NewPromise(*coverage, schedule.Location())
	warn(warnings, "SocialChannel "+objectName{channel.Namespace, channel.Name}.String(), problems)
	if unknownZone(problems) != nil || promise.Empty() {
		return
	}
	f.promised = true
	if gaps := rota.Assess(schedule, promise, at).Gaps; len(gaps) > 0 {
		gap := rota.Range{From: gaps[0].From.In(promise.Location()), Until: gaps[0].Until.In(promise.Location())}
		f.gap = &gap
	}
}

// judge says why the declared owner is not in force: what the cluster says, or
// of manifests, what it would say for want of consent.
func (p *portrait) judge(declared *v1alpha1.Team) *ownership.Objection {
	if p.declaredOnly {
		return ownership.Object(p.channel, declared, p.at)
	}
	condition := meta.FindStatusCondition(p.channel.Status.Conditions, v1alpha1.ConditionOwnerResolved)
	switch {
	case condition == nil:
		return &ownership.Objection{Reason: v1alpha1.ReasonProgressing, Message: "Rostra has not looked at the channel yet"}
	case condition.Status != metav1.ConditionTrue:
		return &ownership.Objection{Reason: condition.Reason, Message: condition.Message}
	case p.channel.Status.Owner != p.channel.Spec.OwnerRef.Name:
		return &ownership.Objection{Reason: v1alpha1.ReasonProgressing, Message: "Rostra has not looked at the change yet"}
	}
	return nil
}

// unseen tells whether Rostra has not looked at the channel yet; stale, whether
// not since its manifest was changed.
func (p *portrait) unseen() bool { return len(p.channel.Status.Conditions) == 0 }

func (p *portrait) stale() bool {
	return !p.unseen() && p.channel.Status.ObservedGeneration < p.channel.Generation
}

// manager gives the member who answers for the team, and whether that is one
// now; nil if the team lists nobody of that name.
func (p *portrait) manager() (member *v1alpha1.TeamMember, active bool) {
	if p.team == nil {
		return nil, false
	}
	for i := range p.team.Spec.Members {
		listed := &p.team.Spec.Members[i]
		if listed.Name == p.team.Spec.Manager && (member == nil || !active) {
			member, active = listed, ownership.Active(*listed, p.at)
		}
	}
	return member, active
}

// follow gathers the teams above the holder.
func (p *portrait) follow(found *inventory) {
	above, outcome, at := ownership.Chain(p.team, func(name string) *v1alpha1.Team { return found.teams[name] })
	p.chain = above
	switch outcome {
	case ownership.ChainComplete:
	case ownership.ChainCycle:
		p.chainEnd = fmt.Sprintf("and back to %s: the teams report in a circle", at)
	case ownership.ChainBroken:
		p.chainEnd = fmt.Sprintf("and Team %s, which does not exist", at)
	case ownership.ChainTooLong:
		p.chainEnd = "and more teams than Rostra follows"
	}
}

// exposures tells of each person whether it is still in the team that holds the
// channel; those who are not come first.
func exposures(people []string, team *v1alpha1.Team, at time.Time) []exposure {
	var present []string
	if team != nil {
		present = ownership.People(team, at)
	}
	left := ownership.Leavers(people, present)
	exposed := make([]exposure, 0, len(people))
	for _, person := range left {
		exposed = append(exposed, exposure{person, true})
	}
	for _, person := range ownership.Leavers(people, left) {
		exposed = append(exposed, exposure{person, false})
	}
	return exposed
}
