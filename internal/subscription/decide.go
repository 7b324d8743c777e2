// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package subscription

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
)

// Keys is what became of the keys that the platform and the gateway share.
type Keys struct {
	// Missing tells that there are none that can be used.
	Missing bool
	// Replaced tells that those of the application are others now.
	Replaced bool
	// Digest stands for the keys.
	Digest string
	// Since is when they were made.
	Since time.Time
}

// Found is a subscription as the platform has it.
type Found struct {
	// Missing tells that there is none.
	Missing bool
	// Callback as registered; empty where the platform does not tell.
	Callback string
	// Events that are sent.
	Events []event.Kind
	// Problem that the platform has with it; empty for none.
	Problem string
}

// Facts is what is known, at one instant, about a channel's pushed events.
type Facts struct {
	// Now is that instant.
	Now time.Time
	// Observes tells that nothing may be changed at the platform.
	Observes bool
	// Callback and Events that are to be registered.
	Callback string
	Events   []event.Kind
	// Beyond are those of Events that nobody declared. That one is not sent is no
	// drift unless it was before.
	Beyond []event.Kind
	// Keys that are to be registered.
	Keys Keys
	// RotateEvery is how often the keys are replaced; zero for never.
	RotateEvery time.Duration
	// Recorded is what is on record, or nil.
	Recorded *v1alpha1.ChannelSubscriptionStatus
	// Reported is the drift that is told already; empty for none.
	Reported string
	// Found is the subscription at the platform, or nil if it was not asked.
	Found *Found
}

// Step is what is to be done about a subscription. To register one takes two:
// what is to come goes on record first, so that a crash in the middle is
// followed by another try, and what was made is known and can be ended.
type Step int

const (
	// Rest: nothing is to be done.
	Rest Step = iota
	// Intend: it is to go on record that the subscription is to be registered.
	Intend
	// Register: it is to be registered.
	Register
)

// Decision says what is to be done about a subscription now.
type Decision struct {
	// Step to be done.
	Step Step
	// NewKeys tells that, with Intend, other keys are to be taken.
	NewKeys bool
	// Why says what the step is for.
	Why string
	// Drift says what is not at the platform as it was registered; empty for
	// nothing, and where nobody looked.
	Drift string
	// Count tells that the drift is a new one.
	Count bool
	// WakeAt is the next instant at which the decision may change by itself, or
	// zero.
	WakeAt time.Time
}

// Decide says what is to be done.
func Decide(facts Facts) Decision {
	if facts.Observes {
		drift := drifted(facts)
		return Decision{Drift: drift, Count: drift != "" && drift != facts.Reported}
	}
	recorded := facts.Recorded
	switch {
	case recorded == nil || recorded.Delivery != v1alpha1.DeliverPush:
		return Decision{Step: Intend, NewKeys: facts.Keys.Missing || facts.Keys.Replaced, Why: "nothing is registered yet"}
	case facts.Keys.Missing:
		return Decision{Step: Intend, NewKeys: true, Why: "the keys are gone"}
	case facts.Keys.Replaced:
		return Decision{Step: Intend, NewKeys: true, Why: "the application's keys are others"}
	case recorded.Registration == "":
		return Decision{Step: Register, Why: "it is on record that it is to be"}
	case recorded.Registration != Digest(facts.Callback, facts.Events, facts.Keys.Digest):
		return Decision{Step: Intend, Why: "the callback, the events or the keys are others than those that were registered"}
	}
	if drift := drifted(facts); drift != "" {
		return Decision{Step: Intend, Why: drift, Drift: drift, Count: drift != facts.Reported}
	}
	return routine(facts)
}

// routine is what is done on a schedule.
func routine(facts Facts) Decision {
	rotation, renewal := rotateAt(facts), RenewAt(facts.Recorded)
	switch {
	case !rotation.IsZero() && !facts.Now.Before(rotation):
		return Decision{Step: Intend, NewKeys: true, Why: "the keys are due"}
	case !renewal.IsZero() && !facts.Now.Before(renewal):
		return Decision{Step: Intend, Why: "the lease is due"}
	}
	return Decision{WakeAt: earliest(rotation, renewal)}
}

func rotateAt(facts Facts) time.Time {
	if facts.RotateEvery == 0 {
		return time.Time{}
	}
	return facts.Keys.Since.Add(facts.RotateEvery)
}

// minLease is how long a lease is left alone, however short it is.
const minLease = time.Minute

// RenewAt is when the lease on record is to be renewed: when a third of it is
// left. Zero where it does not end.
func RenewAt(recorded *v1alpha1.ChannelSubscriptionStatus) time.Time {
	if recorded == nil || recorded.LeaseUntil == nil {
		return time.Time{}
	}
	if recorded.RegisteredAt == nil {
		return recorded.LeaseUntil.Time
	}
	lease := recorded.LeaseUntil.Sub(recorded.RegisteredAt.Time)
	return recorded.RegisteredAt.Add(max(lease*2/3, minLease))
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// drifted says what is not at the platform as it should be. It shows no
// callback: there is a token in it.
func drifted(facts Facts) string {
	found := facts.Found
	switch {
	case found == nil:
		return ""
	case found.Missing:
		return "the platform has no subscription"
	case found.Callback != "" && found.Callback != facts.Callback:
		return "the subscription at the platform has another callback"
	}
	if missing := lacking(lacking(facts.Events, excused(facts)), found.Events); len(missing) > 0 {
		return "the subscription at the platform lacks " + words(missing)
	}
	if found.Problem != "" {
		return "the platform has a problem with the subscription: " + found.Problem
	}
	return ""
}

// excused are the events that need not be sent.
func excused(facts Facts) []event.Kind {
	if facts.Observes || facts.Recorded == nil {
		return facts.Beyond
	}
	return lacking(facts.Beyond, Kinds(facts.Recorded.Events))
}

// Digest stands for a registration: the callback, the events, and the digest
// of the keys.
func Digest(callback string, events []event.Kind, keys string) string {
	hash := sha256.New()
	for _, part := range []string{callback, words(events), keys} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Says is what there is to say of a subscription that is in order.
func Says(events []event.Kind, callback string) string {
	return fmt.Sprintf("the platform sends %s to %s", words(events), callback)
}

// SaysPolled is what there is to say of a poll that is current.
func SaysPolled(events []event.Kind) string {
	return "the platform is asked for " + words(events)
}
