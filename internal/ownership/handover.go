// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Stage says how far the declared owner is from being the effective one.
type Stage int

const (
	// InForce: the declared owner holds the channel, or may take it at once
	// because nobody holds it.
	InForce Stage = iota
	// Refused: the declared owner cannot own the channel as things are.
	Refused
	// Scheduled: it can, and the time has not come.
	Scheduled
	// GivenUp: it could not in time, and nobody tries any more.
	GivenUp
	// Moving: the hand-over is to begin, or goes on.
	Moving
)

// Claimants is what is known, at one instant, of who is to hold a channel.
type Claimants struct {
	// Now is that instant.
	Now time.Time
	// Held is the team whose hold is in force, or empty; Declared the one that
	// the manifest names.
	Held, Declared string
	// Objected tells whether something speaks against the declared team: it
	// does not exist, does not accept, or is not led.
	Objected bool
	// Terms of the hand-over, or nil.
	Terms *v1alpha1.HandoverTerms
	// Handover on record, or nil.
	Handover *v1alpha1.ChannelHandover
}

// Judge says how far the declared owner has come, and when that changes by
// itself; zero for never. A hand-over that has begun goes on past its acceptBy
// time: that bounds the wait for consent, not the work.
func Judge(c Claimants) (stage Stage, wakeAt time.Time) {
	if c.Held == "" || c.Held == c.Declared {
		if c.Objected {
			return Refused, time.Time{}
		}
		return InForce, time.Time{}
	}
	begun := Begun(c.Handover, c.Held, c.Declared)
	acceptBy, effective := deadline(c.Terms)
	late := !acceptBy.IsZero() && !c.Now.Before(acceptBy)
	switch {
	case late && (c.Objected || !begun):
		return GivenUp, time.Time{}
	case c.Objected:
		return Refused, acceptBy
	case c.Now.Before(effective) && !begun:
		return Scheduled, effective
	}
	return Moving, time.Time{}
}

func deadline(terms *v1alpha1.HandoverTerms) (acceptBy, effective time.Time) {
	if terms == nil {
		return acceptBy, effective
	}
	if terms.AcceptBy != nil {
		acceptBy = terms.AcceptBy.Time
	}
	if terms.EffectiveTime != nil {
		effective = terms.EffectiveTime.Time
	}
	return acceptBy, effective
}

// Begun tells whether a hand-over between two teams is on record and not yet
// switched.
func Begun(handover *v1alpha1.ChannelHandover, from, to string) bool {
	return handover != nil && handover.CompletedAt == nil && handover.From == from && handover.To == to && !Done(handover, v1alpha1.HandoverSwitched)
}

// Done tells whether a step of a hand-over is on record.
func Done(handover *v1alpha1.ChannelHandover, name v1alpha1.HandoverStepName) bool {
	for _, step := range handover.Steps {
		if step.Name == name {
			return true
		}
	}
	return false
}

// Step puts a step on record, once.
func Step(handover *v1alpha1.ChannelHandover, name v1alpha1.HandoverStepName, now time.Time) {
	if !Done(handover, name) {
		step := v1alpha1.HandoverStep{Name: name}
		step.Time.Time = now.Truncate(time.Second)
		handover.Steps = append(handover.Steps, step)
	}
}

// maxHistory bounds the record of owners; see the schema.
const maxHistory = 16

// Record adds a change of owner to a history, newest first, and drops what it
// has no room for.
func Record(history []v1alpha1.OwnershipChange, change v1alpha1.OwnershipChange) []v1alpha1.OwnershipChange {
	longer := append([]v1alpha1.OwnershipChange{change}, history...)
	return longer[:min(len(longer), maxHistory)]
}
