// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package contentpolicy keeps a ContentPolicy's status, which says which
// channels it selects, and answers which target holds for a channel.
package contentpolicy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/pace"
	"github.com/rostra-dev/rostra/controllers/selected"
	"github.com/rostra-dev/rostra/internal/policy"
	"github.com/rostra-dev/rostra/internal/status"
)

const (
	// maxNames bounds the channels that a status names; see the schema.
	maxNames = 100
	// recount is how often the selected channels are written while nothing but
	// they change.
	recount = time.Minute
)

// Config of a Reconciler. Every field is required.
type Config struct {
	// Client reads from the cache.
	Client client.Client
	// Metadata reads the metadata of Namespaces from the cache.
	Metadata client.Reader
	// Clock tells when a count may be written again.
	Clock clock.PassiveClock
}

// Reconciler keeps policies' statuses.
type Reconciler struct {
	Config

	counts *pace.Pacer[countInputs]
}

// countInputs are what a count is written for at once.
type countInputs struct {
	generation int64
	// some tells whether any channel is selected.
	some bool
}

// New makes a reconciler.
func New(config Config) *Reconciler {
	return &Reconciler{Config: config, counts: pace.New[countInputs]()}
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	object := &v1alpha1.ContentPolicy{}
	if err := r.Client.Get(ctx, request.NamespacedName, object); err != nil {
		if apierrors.IsNotFound(err) {
			r.counts.Forget(request.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before, now := object.DeepCopy(), r.Clock.Now()
	writer := status.Writer{Conditions: &object.Status.Conditions, Generation: object.Generation, Now: now}
	object.Status.ObservedGeneration = object.Generation
	again, err := r.judge(ctx, object, writer)
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := status.Write(ctx, r.Client, before, object); err != nil {
		r.counts.Forget(request.NamespacedName)
		return status.Quietly(err)
	}
	return status.LookAgain(again, now), nil
}

// judge says which channels the policy selects, and gives when it is to be
// looked at again, or zero.
func (r *Reconciler) judge(ctx context.Context, object *v1alpha1.ContentPolicy, writer status.Writer) (time.Time, error) {
	selector, err := policy.Selector(object)
	if err != nil {
		object.Status.Channels = nil
		writer.Verdict(metav1.ConditionFalse, v1alpha1.ReasonInvalidSelector, fmt.Sprintf("this is asked of no channel: %s: correct it", err))
		return time.Time{}, nil
	}
	channels, err := selected.Channels(ctx, r.Client, r.Metadata, selector)
	if err != nil {
		return time.Time{}, err
	}
	if len(channels) == 0 {
		writer.Verdict(metav1.ConditionFalse, v1alpha1.ReasonSelectsNothing,
			"this is asked of no channel: none has such labels, or is in such a namespace: correct the selectors ({} selects every channel)")
	} else {
		writer.Verdict(metav1.ConditionTrue, v1alpha1.ReasonInForce, "it holds for the channels that it selects, see status.channels")
	}
	return r.count(object, channels, writer.Now), nil
}

// count puts the selected channels into the status, or gives when that may be
// done next.
func (r *Reconciler) count(object *v1alpha1.ContentPolicy, channels []*v1alpha1.SocialChannel, now time.Time) time.Time {
	names := make([]string, 0, len(channels))
	for _, channel := range channels {
		names = append(names, channel.Namespace+"/"+channel.Name)
	}
	slices.Sort(names)
	//nolint:gosec // the number of channels is bounded by the size of a cluster, far below 2^31
	counted := &v1alpha1.SelectedChannels{Count: new(int32(len(names))), Names: names[:min(len(names), maxNames)]}
	if equality.Semantic.DeepEqual(object.Status.Channels, counted) {
		return time.Time{}
	}
	name, inputs := client.ObjectKeyFromObject(object), countInputs{generation: object.Generation, some: len(names) > 0}
	if due, next := r.counts.Due(name, inputs, now); !due {
		return next
	}
	r.counts.Answered(name, inputs, now, recount)
	object.Status.Channels = counted
	return time.Time{}
}
