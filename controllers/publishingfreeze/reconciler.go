// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package publishingfreeze keeps a PublishingFreeze's status: which channels it
// holds, and how far their credentials are withdrawn. What it does to each
// channel is in the package socialchannel.
package publishingfreeze

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/selected"
	"github.com/rostra-dev/rostra/internal/freeze"
	"github.com/rostra-dev/rostra/internal/status"
)

// maxFailures bounds the channels that a status names; see the schema.
const maxFailures = 100

// maxNamed bounds the channels that a message names.
const maxNamed = 5

// Reconciler keeps freezes' statuses.
type Reconciler struct {
	// Client reads from the cache.
	Client client.Client
	// Metadata reads the metadata of Namespaces from the cache.
	Metadata client.Reader
	// Recorder of Events.
	Recorder events.EventRecorder
	// Clock tells which freezes are in force now.
	Clock clock.PassiveClock
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	object := &v1alpha1.PublishingFreeze{}
	if err := r.Client.Get(ctx, request.NamespacedName, object); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before, now := object.DeepCopy(), r.Clock.Now()
	writer := status.Writer{Conditions: &object.Status.Conditions, Generation: object.Generation, Now: now}
	object.Status = v1alpha1.PublishingFreezeStatus{Conditions: object.Status.Conditions, ObservedGeneration: object.Generation}
	if err := r.judge(ctx, object, writer); err != nil {
		return reconcile.Result{}, err
	}
	if err := status.Write(ctx, r.Client, before, object); err != nil {
		return status.Quietly(err)
	}
	r.tell(before, object)
	return status.LookAgain(next(object, now), r.Clock.Now()), nil
}

// recount is how often channels that are under way are counted, for those that
// do not name this freeze among the many that hold them.
const recount = time.Minute

// next is how soon the freeze is to be looked at again, or zero.
func next(object *v1alpha1.PublishingFreeze, now time.Time) time.Time {
	var at time.Time
	if !freeze.InForce(object, now) {
		return at
	}
	if object.Spec.ExpiresAt != nil {
		at = object.Spec.ExpiresAt.Time
	}
	ready := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	if soon := now.Add(recount); ready != nil && ready.Reason == v1alpha1.ReasonFreezing && (at.IsZero() || at.After(soon)) {
		return soon
	}
	return at
}

// judge says how far the freeze has come. Selectors are read also while it is
// inactive, since the time to find a mistake in them is before it is needed.
func (r *Reconciler) judge(ctx context.Context, object *v1alpha1.PublishingFreeze, writer status.Writer) error {
	selector, err := freeze.Selector(object)
	if err != nil {
		writer.Verdict(metav1.ConditionFalse, v1alpha1.ReasonInvalidSelector, fmt.Sprintf("THIS FREEZES NOTHING: %s: correct it", err))
		return nil
	}
	switch {
	case !freeze.InForce(object, writer.Now) && freeze.Expired(object, writer.Now):
		writer.Verdict(metav1.ConditionTrue, v1alpha1.ReasonExpired, fmt.Sprintf(
			"it freezes nothing since %s: to freeze, set active: true and expiresAt to a time to come", object.Spec.ExpiresAt.UTC().Format(time.RFC3339)))
		return nil
	case !freeze.InForce(object, writer.Now):
		writer.Verdict(metav1.ConditionTrue, v1alpha1.ReasonPrepared, "it freezes nothing until spec.active is true")
		return nil
	}
	channels, err := selected.Channels(ctx, r.Client, r.Metadata, selector)
	if err != nil {
		return err
	}
	count(channels, object).verdict(writer)
	return nil
}

// tally is how far the channels of a freeze have come.
type tally struct {
	affected, withdrawn int
	failures            []string
}

// count looks at each channel, and puts the figures into the status. It does
// not matter whether the channel names this freeze among those that hold it:
// what one took back is taken back, and a channel names only so many.
func count(channels []*v1alpha1.SocialChannel, object *v1alpha1.PublishingFreeze) tally {
	t := tally{affected: len(channels)}
	for _, channel := range channels {
		held := channel.Status.Freeze
		if held == nil {
			continue // it has not noticed yet
		}
		if ends := held.EffectiveBy; ends != nil && (object.Status.LastAccessEndsAt == nil || object.Status.LastAccessEndsAt.Before(ends)) {
			object.Status.LastAccessEndsAt = ends.DeepCopy()
		}
		allowed := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionPublishingAllowed)
		if allowed == nil {
			continue
		}
		switch allowed.Reason {
		case v1alpha1.ReasonFrozen:
			t.withdrawn++
		case v1alpha1.ReasonNotCutOff, v1alpha1.ReasonNotEnforced:
			t.failures = append(t.failures, channel.Namespace+"/"+channel.Name)
		}
	}
	slices.Sort(t.failures)
	//nolint:gosec // the number of channels is bounded by the size of a cluster, far below 2^31
	object.Status.Affected, object.Status.Withdrawn, object.Status.Failed = new(int32(t.affected)), new(int32(t.withdrawn)), new(int32(len(t.failures)))
	object.Status.Failures = slices.Clone(t.failures[:min(len(t.failures), maxFailures)])
	return t
}

// verdict says it in the Ready condition.
func (t tally) verdict(writer status.Writer) {
	figures := fmt.Sprintf("%d of %d channels are frozen", t.withdrawn, t.affected)
	failed := ""
	if len(t.failures) > 0 {
		failed = fmt.Sprintf("; at %d a person must do something, see their PublishingAllowed: %s", len(t.failures),
			strings.Join(t.failures[:min(len(t.failures), maxNamed)], ", "))
		if more := len(t.failures) - maxNamed; more > 0 {
			failed += fmt.Sprintf(" and %d more", more)
		}
	}
	switch {
	case t.affected == 0:
		writer.Verdict(metav1.ConditionFalse, v1alpha1.ReasonSelectsNothing,
			"THIS FREEZES NOTHING: no channel has such labels, or is in such a namespace: correct the selectors ({} selects every channel)")
	case t.withdrawn+len(t.failures) < t.affected:
		writer.Verdict(metav1.ConditionFalse, v1alpha1.ReasonFreezing, figures+", the others are under way"+failed)
	case len(t.failures) > 0:
		writer.Verdict(metav1.ConditionFalse, v1alpha1.ReasonIncomplete, figures+failed)
	default:
		writer.Verdict(metav1.ConditionTrue, v1alpha1.ReasonInForce, figures)
	}
}

// tell emits an Event when the freeze begins to say something else.
func (r *Reconciler) tell(before, after *v1alpha1.PublishingFreeze) {
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionReady)
	if is == nil || was != nil && was.Reason == is.Reason || was == nil && is.Reason == v1alpha1.ReasonPrepared {
		return
	}
	kind := corev1.EventTypeNormal
	if is.Status == metav1.ConditionFalse && is.Reason != v1alpha1.ReasonFreezing {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(after, nil, kind, is.Reason, "Freeze", "%s", status.Note(is.Message))
}
