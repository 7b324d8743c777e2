// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/notice"
)

// gatherFor is how long what happens at once is gathered, so that a manager
// with many channels is told once.
const gatherFor = 10 * time.Second

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// SetupWithManager starts the reconciler with a manager. The indexes of
// socialchannel and duty must have been added.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	return builder.ControllerManagedBy(mgr).
		Named("notices").
		Watches(&v1alpha1.SocialChannel{}, gathered(ofChannel)).
		Watches(&v1alpha1.SocialPlatform{}, gathered(func(object client.Object) []notice.Notice {
			if social, ok := object.(*v1alpha1.SocialPlatform); ok {
				return notice.OfPlatform(social)
			}
			return nil
		})).
		Watches(&v1alpha1.Team{}, &handler.EnqueueRequestForObject{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(options).
		Complete(r)
}

func ofChannel(object client.Object) []notice.Notice {
	if channel, ok := object.(*v1alpha1.SocialChannel); ok {
		return notice.OfChannel(channel)
	}
	return nil
}

// gathered brings back the teams that have something to hear that they had not
// before, or of which something is over, or is not known, or is known again.
func gathered(of func(client.Object) []notice.Notice) handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { enqueue(q, of(e.Object), nil) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			now, before := of(e.ObjectNew), of(e.ObjectOld)
			enqueue(q, now, before)
			enqueue(q, before, now)
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { enqueue(q, of(e.Object), nil) },
	}
}

// enqueue brings back the teams of those notices that are not among the others.
func enqueue(q queue, notices, others []notice.Notice) {
	for i := range notices {
		known := slices.ContainsFunc(others, func(other notice.Notice) bool { return other.Same(&notices[i]) })
		if !known {
			q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Name: notices[i].Team}}, gatherFor)
		}
	}
}
