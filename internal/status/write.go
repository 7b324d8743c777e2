// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// conflictRetry is how soon a reconcile is done again that worked on a stale
// copy.
const conflictRetry = 100 * time.Millisecond

// Write stores the status of an object in one patch, if it differs from what
// was read; if not, it writes nothing. An object that is gone needs no status.
func Write(ctx context.Context, writer client.Client, before, after client.Object) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	written, ok := after.DeepCopyObject().(client.Object)
	if !ok {
		written = after
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	return client.IgnoreNotFound(writer.Status().Patch(ctx, written, patch))
}

// soonest is the shortest wait before another reconcile: none at all would mean
// never.
const soonest = time.Millisecond

// LookAgain asks for another reconcile at a time; a time that has passed
// meanwhile is now, and zero is never.
func LookAgain(at, now time.Time) reconcile.Result {
	if at.IsZero() {
		return reconcile.Result{}
	}
	return reconcile.Result{RequeueAfter: max(at.Sub(now), soonest)}
}

// Quietly turns a conflict into another try: somebody was faster, which is no
// fault of anybody's.
func Quietly(err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: conflictRetry}, nil
	}
	return reconcile.Result{}, err
}
