// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/status"
)

// summarise sums up the conditions in Ready. The order is that in which they
// build on each other.
func (s *scope) summarise() {
	s.status.Summarise(
		// First, since it is why the rest does not matter for now.
		v1alpha1.ConditionPublishingAllowed,
		v1alpha1.ConditionOwnerResolved,
		v1alpha1.ConditionClaimed,
		v1alpha1.ConditionIdentityVerified,
		v1alpha1.ConditionCredentialReady,
		v1alpha1.ConditionSubscriptionReady,
		v1alpha1.ConditionCovered,
		v1alpha1.ConditionEscalationRouted,
	)
	if credential := s.channel.Status.Credential; credential != nil {
		credential.Expires = ""
		if credential.DueAt != nil {
			credential.Expires = credentials.Remaining(s.now, credential.DueAt.Time)
		}
	}
}

// finish writes the status, once, if anything in it changed, and tells of the
// transitions.
func (r *Reconciler) finish(ctx context.Context, s *scope) (reconcile.Result, error) {
	s.channel.Status.ObservedGeneration = s.channel.Generation
	if err := status.Write(ctx, r.Client, s.before, s.channel); err != nil {
		r.unstored(s)
		return status.Quietly(err)
	}
	r.losses.note(s.channel, s.now)
	r.tell(s)
	if s.observed && !s.failed {
		r.pace.Recovered(client.ObjectKeyFromObject(s.channel))
	}
	// From now, not from the beginning: a hand-off does not wait for a slow
	// platform.
	return status.LookAgain(s.wake, r.Clock.Now()), nil
}

// tell emits an Event for what was done and for a change of the summary. A
// channel that comes up in order at the first try is no transition.
func (r *Reconciler) tell(s *scope) {
	for _, e := range s.events {
		r.Recorder.Eventf(s.channel, nil, e.kind, e.reason, e.action, "%s", status.Note(e.note))
	}
	before := meta.FindStatusCondition(s.before.Status.Conditions, v1alpha1.ConditionReady)
	after := s.status.Get(v1alpha1.ConditionReady)
	if before != nil && before.Reason == after.Reason || before == nil && after.Status == metav1.ConditionTrue {
		return
	}
	kind := corev1.EventTypeNormal
	if after.Status == metav1.ConditionFalse {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(s.channel, nil, kind, after.Reason, "Summarise", "%s", status.Note(after.Message))
}

// forget drops what is kept in memory of a channel that is gone.
func (r *Reconciler) forget(channel types.NamespacedName) {
	r.pace.Forget(channel)
	r.claims.drop(channel)
	if r.Answers != nil {
		r.Answers.Forget(channel)
	}
	r.forgetEvents(channel)
}
