// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Brake bounds how many channels may lose their owner or their credential at
// once: a mistake in a repository, such as a folder that is gone, is stopped
// before it has taken every account from everybody. The zero value never
// stops anything.
type Brake struct {
	// Percent of all channels, rounded down; 0 or at least 100 for no bound.
	Percent int
	// Floor is the number that may always lose theirs, however few there are.
	Floor int
}

// Limit is how many of a number of channels may lose theirs at once; -1 for
// any number.
func (b Brake) Limit(total int) int {
	if b.Percent <= 0 || b.Percent >= 100 {
		return -1
	}
	return max(b.Floor, total*b.Percent/100)
}

// Removals is what is known, at one instant, of channels that lose their owner
// or their credential. Nothing in it was confirmed by a person.
type Removals struct {
	// Total number of channels.
	Total int
	// Pending are about to lose theirs; Recent have just lost theirs, or do so
	// now. No channel is both.
	Pending, Recent int
	// Halted are those of the pending that were stopped before. Once one was,
	// all wait for a person.
	Halted int
}

// Halts tells whether what is pending must wait for a person.
func (b Brake) Halts(r Removals) bool {
	limit := b.Limit(r.Total)
	if limit < 0 || r.Pending == 0 {
		return false
	}
	return r.Halted > 0 || r.Pending+r.Recent > limit
}

// Loss is what a channel is about to take from those who hold it.
type Loss int

const (
	// LosesNothing: all stays where it is.
	LosesNothing Loss = iota
	// LosesOwner: another team is to get the channel and its credential.
	LosesOwner
	// LosesPlace: the credential is to lie elsewhere, for the same team.
	LosesPlace
	// LosesCredential: the channel is being deleted with Revoke.
	LosesCredential
)

// PendingLoss is what a channel is about to lose, by what is declared and
// recorded alone, if no person has confirmed it. What cannot happen as things
// are (suspended, observed, nothing delivered, stuck for another reason) and
// what has begun already is no pending loss: it would hold up all others for
// as long as it lasts. A team is nil if there is none of that name.
func PendingLoss(channel *v1alpha1.SocialChannel, team func(name string) *v1alpha1.Team, now time.Time) Loss {
	recorded := channel.Status.Credential
	if recorded == nil || channel.Spec.ManagementPolicy == v1alpha1.ManagementObserve || confirmed(channel, now) {
		return LosesNothing
	}
	if !channel.DeletionTimestamp.IsZero() {
		if channel.Spec.DeletionPolicy == v1alpha1.DeletionRevoke && slices.Contains(channel.Finalizers, v1alpha1.FinalizerChannel) && !ReleaseBegun(channel) {
			return LosesCredential
		}
		return LosesNothing
	}
	if suspend := channel.Spec.Suspend; suspend != nil && *suspend {
		return LosesNothing
	}
	held, declared := channel.Status.Owner, channel.Spec.OwnerRef.Name
	if held != "" && held != declared {
		if Begun(channel.Status.Handover, held, declared) {
			return LosesNothing
		}
		if moves(channel, team(declared), now) {
			return LosesOwner
		}
	}
	if recorded.Team == held && placeMoves(channel, team(held)) {
		return LosesPlace
	}
	return LosesNothing
}

// moves tells whether the declared team is to get the channel now.
func moves(channel *v1alpha1.SocialChannel, declared *v1alpha1.Team, now time.Time) bool {
	stage, _ := Judge(Claimants{
		Now: now, Held: channel.Status.Owner, Declared: channel.Spec.OwnerRef.Name,
		Objected: Object(channel, declared, now) != nil,
		Terms:    channel.Spec.Handover, Handover: channel.Status.Handover,
	})
	return stage == Moving
}

// placeMoves tells whether a delivered credential is to lie elsewhere. One that
// is not in order for another reason moves once that is settled.
func placeMoves(channel *v1alpha1.SocialChannel, holder *v1alpha1.Team) bool {
	place := channel.Status.Credential.Secret
	if holder == nil || place.Namespace == holder.Spec.Namespace && place.Name == channel.Spec.Credentials.Delivery.SecretName {
		return false
	}
	switch reasonOf(channel, v1alpha1.ConditionCredentialReady) {
	case v1alpha1.ReasonDelivered, v1alpha1.ReasonRemovalHalted:
		return true
	}
	return false
}

// ReleaseBegun tells whether the deletion of a channel was let through, and
// waits only to be carried out.
func ReleaseBegun(channel *v1alpha1.SocialChannel) bool {
	return !channel.DeletionTimestamp.IsZero() && reasonOf(channel, v1alpha1.ConditionReady) == v1alpha1.ReasonDeleting
}

// Halted tells whether a loss of a channel was stopped before.
func Halted(channel *v1alpha1.SocialChannel, loss Loss) bool {
	switch loss {
	case LosesOwner:
		return reasonOf(channel, v1alpha1.ConditionOwnerResolved) == v1alpha1.ReasonRemovalHalted
	case LosesPlace:
		return reasonOf(channel, v1alpha1.ConditionCredentialReady) == v1alpha1.ReasonRemovalHalted
	case LosesCredential:
		return reasonOf(channel, v1alpha1.ConditionReady) == v1alpha1.ReasonRemovalHalted
	case LosesNothing:
	}
	return false
}

func reasonOf(channel *v1alpha1.SocialChannel, kind string) string {
	if condition := meta.FindStatusCondition(channel.Status.Conditions, kind); condition != nil {
		return condition.Reason
	}
	return ""
}

// RemovalWindow is the time within which losses count as happening at once.
const RemovalWindow = 10 * time.Minute

// RecentLoss tells, by its record alone, whether a channel with a credential
// has begun to move to another team, or has moved, within the window, and no
// person had confirmed it when it began.
func RecentLoss(channel *v1alpha1.SocialChannel, now time.Time) bool {
	handover := channel.Status.Handover
	if handover == nil || confirmed(channel, now) || confirmed(channel, handover.StartedAt.Time) {
		return false
	}
	step := func(name v1alpha1.HandoverStepName) int {
		return slices.IndexFunc(handover.Steps, func(s v1alpha1.HandoverStep) bool { return s.Name == name })
	}
	at, took := handover.StartedAt.Time, channel.Status.Credential != nil
	if switched := step(v1alpha1.HandoverSwitched); switched >= 0 {
		// What is delivered after the switch is the channel's first.
		delivered := step(v1alpha1.HandoverDelivered)
		at, took = handover.Steps[switched].Time.Time, delivered >= 0 && delivered < switched
	}
	return took && WithinWindow(at, now)
}

// WithinWindow tells whether a loss at an instant still counts. One in the
// future, after the clock was set back, counts no longer than one in the past.
func WithinWindow(at, now time.Time) bool { return now.Sub(at).Abs() < RemovalWindow }

// confirmationLife is how long a confirmation counts.
const confirmationLife = time.Hour

// Confirmed tells whether a person has confirmed a loss: the annotation holds
// the time at which that was done (RFC 3339), and counts for an hour. A stale
// one, left in a repository, confirms nothing.
func Confirmed(annotation string, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, annotation)
	return err == nil && !at.After(now.Add(time.Minute)) && now.Before(at.Add(confirmationLife))
}

func confirmed(channel *v1alpha1.SocialChannel, at time.Time) bool {
	return Confirmed(channel.Annotations[v1alpha1.AnnotationConfirmRemoval], at)
}
