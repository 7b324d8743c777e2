// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package coalesce is an event handler for objects that count others: a burst
// of changes among the counted costs one reconcile of the counter, not one
// each.
package coalesce

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Delay is how long changes are gathered before the counter is reconciled.
const Delay = 5 * time.Second

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Handler brings back the cluster-scoped objects in whose count a channel is,
// after Delay, when the channel appears, goes, moves between them, or becomes
// or ceases to be ready, and when what another of the aspects says of it
// changes.
func Handler(counters func(client.Object) []string, aspects ...func(client.Object) string) handler.EventHandler {
	enqueue := func(q queue, names ...string) {
		for _, name := range names {
			q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}, Delay)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { enqueue(q, counters(e.Object)...) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { enqueue(q, counters(e.Object)...) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			before, after := counters(e.ObjectOld), counters(e.ObjectNew)
			differs := func(aspect func(client.Object) string) bool { return aspect(e.ObjectOld) != aspect(e.ObjectNew) }
			if slices.Equal(before, after) && ready(e.ObjectOld) == ready(e.ObjectNew) && !slices.ContainsFunc(aspects, differs) {
				return
			}
			enqueue(q, slices.Concat(before, after)...)
		},
	}
}

func ready(object client.Object) bool {
	channel, ok := object.(*v1alpha1.SocialChannel)
	return ok && meta.IsStatusConditionTrue(channel.Status.Conditions, v1alpha1.ConditionReady)
}
