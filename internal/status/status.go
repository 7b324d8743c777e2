// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package status turns what a reconcile found into conditions: one summary,
// kstatus's Reconciling and Stalled, and one patch where anything changed.
package status

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// maxMessage bounds a condition's message, in bytes; the API server refuses
// one longer than 32768.
const maxMessage = 2048

// Writer sets the conditions of one object at one instant.
type Writer struct {
	// Conditions of the object, changed in place.
	Conditions *[]metav1.Condition
	// Generation of the object.
	Generation int64
	// Now is the instant.
	Now time.Time
}

// Set sets a condition. Its transition time moves only if its status does.
func (w Writer) Set(kind string, state metav1.ConditionStatus, reason, message string) {
	message = cut(message, maxMessage)
	meta.SetStatusCondition(w.Conditions, metav1.Condition{
		Type: kind, Status: state, Reason: reason, Message: message,
		ObservedGeneration: w.Generation, LastTransitionTime: metav1.NewTime(w.Now),
	})
}

// maxNote bounds an Event's note, in bytes; the API server refuses one longer
// than 1024.
const maxNote = 1003

// Note cuts a text so that an Event, or a field of as much room, takes it.
func Note(text string) string { return cut(text, maxNote) }

// cut bounds a text, in bytes and at a whole character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}

// True sets a condition that holds.
func (w Writer) True(kind, reason, message string) {
	w.Set(kind, metav1.ConditionTrue, reason, message)
}

// False sets a condition that was looked at and does not hold.
func (w Writer) False(kind, reason, message string) {
	w.Set(kind, metav1.ConditionFalse, reason, message)
}

// Unknown sets a condition that could not be looked at.
func (w Writer) Unknown(kind, reason, message string) {
	w.Set(kind, metav1.ConditionUnknown, reason, message)
}

// Keep says again what a condition said before, for the generation at hand.
func (w Writer) Keep(kind string) {
	if condition := meta.FindStatusCondition(*w.Conditions, kind); condition != nil {
		condition.ObservedGeneration = w.Generation
	}
}

// Get gives a condition, or an empty one.
func (w Writer) Get(kind string) metav1.Condition {
	if condition := meta.FindStatusCondition(*w.Conditions, kind); condition != nil {
		return *condition
	}
	return metav1.Condition{Type: kind, Status: metav1.ConditionUnknown}
}

// Summarise sets Ready from the conditions named, in that order: the first
// that is False, else the first that is Unknown, else all is in order. An
// object that is not ready is either Stalled, where a person must act, or
// Reconciling (kstatus).
func (w Writer) Summarise(order ...string) {
	failing := w.firstFailing(order)
	if failing == nil {
		w.Verdict(metav1.ConditionTrue, v1alpha1.ReasonInOrder, "everything declared is in order")
		return
	}
	w.Verdict(failing.Status, failing.Reason, failing.Message)
}

// Verdict sets Ready of an object that has no other condition, and kstatus's
// two with it.
func (w Writer) Verdict(state metav1.ConditionStatus, reason, message string) {
	w.Set(v1alpha1.ConditionReady, state, reason, message)
	switch {
	case state == metav1.ConditionTrue:
		w.clear(v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled)
	case state == metav1.ConditionFalse && NeedsPerson(reason):
		w.clear(v1alpha1.ConditionReconciling)
		w.True(v1alpha1.ConditionStalled, reason, message)
	default:
		w.clear(v1alpha1.ConditionStalled)
		w.True(v1alpha1.ConditionReconciling, reason, message)
	}
}

func (w Writer) firstFailing(order []string) *metav1.Condition {
	var unknown *metav1.Condition
	for _, kind := range order {
		condition := w.Get(kind)
		switch condition.Status {
		case metav1.ConditionTrue:
		case metav1.ConditionFalse:
			return &condition
		default:
			if condition.Reason == "" {
				condition.Reason, condition.Message = v1alpha1.ReasonProgressing, kind+" was not looked at yet"
			}
			if unknown == nil {
				unknown = &condition
			}
		}
	}
	return unknown
}

func (w Writer) clear(kinds ...string) {
	for _, kind := range kinds {
		meta.RemoveStatusCondition(w.Conditions, kind)
	}
}

// Pause says that nothing is looked at, on purpose: Ready is Unknown, and
// nothing is stalled or under way.
func (w Writer) Pause(message string) {
	w.Unknown(v1alpha1.ConditionReady, v1alpha1.ReasonSuspended, message)
	w.clear(v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled)
}

// NeedsPerson tells whether a condition of this reason stays as it is until a
// person changes something.
func NeedsPerson(reason string) bool {
	switch reason {
	case v1alpha1.ReasonOwnerNotFound, v1alpha1.ReasonNotAccepted, v1alpha1.ReasonNoManager, v1alpha1.ReasonHandoverGivenUp,
		v1alpha1.ReasonHeldByOther, v1alpha1.ReasonRemovalHalted,
		v1alpha1.ReasonHandleDrift, v1alpha1.ReasonWrongAccount, v1alpha1.ReasonInvalidHandle, v1alpha1.ReasonInvalidAccountID,
		v1alpha1.ReasonPlatformNotFound, v1alpha1.ReasonNamespaceNotAllowed, v1alpha1.ReasonPlatformRefused,
		v1alpha1.ReasonInvalidServer, v1alpha1.ReasonInvalidSelector, v1alpha1.ReasonUnsupportedType,
		v1alpha1.ReasonTooManyAccounts, v1alpha1.ReasonCannotList,
		v1alpha1.ReasonSourceSecretMissing, v1alpha1.ReasonSourceSecretInvalid, v1alpha1.ReasonSourceSecretForbidden, v1alpha1.ReasonSecretNameTaken,
		v1alpha1.ReasonNamespaceNotFound, v1alpha1.ReasonRevoked, v1alpha1.ReasonSeenByLeaver,
		v1alpha1.ReasonDueForRenewal, v1alpha1.ReasonExpired, v1alpha1.ReasonInsufficientScope,
		v1alpha1.ReasonNotRevoked, v1alpha1.ReasonInvalidRotateAt, v1alpha1.ReasonDeliveryFailed,
		v1alpha1.ReasonApplicationSecretMissing, v1alpha1.ReasonApplicationSecretInvalid,
		v1alpha1.ReasonEventsUnsupported, v1alpha1.ReasonGatewayNotConfigured, v1alpha1.ReasonSubscriptionDrifted,
		v1alpha1.ReasonFrozen, v1alpha1.ReasonNotCutOff, v1alpha1.ReasonNotEnforced, v1alpha1.ReasonIncomplete, v1alpha1.ReasonSelectsNothing,
		v1alpha1.ReasonCoverageGap, v1alpha1.ReasonNoRota, v1alpha1.ReasonRotaNotFound, v1alpha1.ReasonInvalidPromise,
		v1alpha1.ReasonRouteNotFound, v1alpha1.ReasonRouteInvalid, v1alpha1.ReasonRuleInvalid, v1alpha1.ReasonRuleNeverApplies,
		v1alpha1.ReasonNobodyReachable,
		v1alpha1.ReasonUnknownTimeZone, v1alpha1.ReasonInvalidStart, v1alpha1.ReasonWindowsOverlap,
		v1alpha1.ReasonTeamNotFound, v1alpha1.ReasonMemberNotFound, v1alpha1.ReasonMemberUnreachable,
		v1alpha1.ReasonManagerNotMember, v1alpha1.ReasonChainCycle, v1alpha1.ReasonChainBroken, v1alpha1.ReasonChainTooLong:
		return true
	}
	return false
}
