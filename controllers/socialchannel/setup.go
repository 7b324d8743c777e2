// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"errors"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/controllers/selected"
	"github.com/rostra-dev/rostra/internal/freeze"
)

// Indexes of SocialChannels and of Secrets' metadata.
const (
	// OwnerIndex finds channels by their declared and their effective owner.
	OwnerIndex = "owner"
	// PlatformIndex finds channels by their SocialPlatform.
	PlatformIndex = "platform"

	rotaIndex      = "rota"
	routeIndex     = "route"
	sourceIndex    = "source"
	deliveredIndex = "delivered"
)

// +kubebuilder:rbac:groups=social.rostra.dev,resources=socialchannels,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=socialchannels/status,verbs=patch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=teams;socialplatforms;responderrotas;rotaoverrides;escalationroutes,verbs=get;list;watch
// +kubebuilder:rbac:groups=social.rostra.dev,resources=publishingfreezes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Index adds the indexes that the reconcilers look channels up by.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	secret := metadata.Secret()
	return errors.Join(
		indexer.IndexField(ctx, &v1alpha1.SocialChannel{}, OwnerIndex, ofChannel(func(c *v1alpha1.SocialChannel) []string {
			owners := sets.New(c.Spec.OwnerRef.Name)
			if c.Status.Owner != "" {
				owners.Insert(c.Status.Owner)
			}
			return owners.UnsortedList()
		})),
		indexer.IndexField(ctx, &v1alpha1.SocialChannel{}, PlatformIndex, ofChannel(func(c *v1alpha1.SocialChannel) []string {
			return []string{c.Spec.PlatformRef.Name}
		})),
		indexer.IndexField(ctx, &v1alpha1.SocialChannel{}, rotaIndex, ofChannel(func(c *v1alpha1.SocialChannel) []string {
			if c.Spec.ResponderRotaRef == nil {
				return nil
			}
			return []string{c.Spec.ResponderRotaRef.Name}
		})),
		indexer.IndexField(ctx, &v1alpha1.SocialChannel{}, routeIndex, ofChannel(func(c *v1alpha1.SocialChannel) []string {
			if c.Spec.EscalationRouteRef == nil {
				return nil
			}
			return []string{c.Spec.EscalationRouteRef.Name}
		})),
		indexer.IndexField(ctx, &v1alpha1.SocialChannel{}, sourceIndex, ofChannel(func(c *v1alpha1.SocialChannel) []string {
			return []string{c.Spec.Credentials.SourceSecretRef.Name}
		})),
		indexer.IndexField(ctx, &v1alpha1.SocialChannel{}, claimIndex, claimKeys),
		indexer.IndexField(ctx, secret, deliveredIndex, func(object client.Object) []string {
			if uid := object.GetLabels()[v1alpha1.LabelChannelUID]; uid != "" && object.GetLabels()[v1alpha1.LabelHook] == "" {
				return []string{uid}
			}
			return nil
		}),
	)
}

func ofChannel(keys func(*v1alpha1.SocialChannel) []string) client.IndexerFunc {
	return func(object client.Object) []string {
		channel, ok := object.(*v1alpha1.SocialChannel)
		if !ok {
			return nil
		}
		return keys(channel)
	}
}

// SetupWithManager starts the reconciler with a manager. The indexes must have
// been added.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, options controller.Options) error {
	building := builder.ControllerManagedBy(mgr).
		For(&v1alpha1.SocialChannel{}, builder.WithPredicates(declared())).
		Watches(&v1alpha1.SocialChannel{}, handler.EnqueueRequestsFromMapFunc(r.rivals), builder.WithPredicates(claimMoved())).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofTeam), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SocialPlatform{}, handler.EnqueueRequestsFromMapFunc(r.onPlatform), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ResponderRota{}, handler.EnqueueRequestsFromMapFunc(r.onRota), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.RotaOverride{}, handler.EnqueueRequestsFromMapFunc(r.onRotaOf), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.EscalationRoute{}, handler.EnqueueRequestsFromMapFunc(r.onRoute), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.PublishingFreeze{}, handler.EnqueueRequestsFromMapFunc(r.heldByFreeze), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(metadata.Secret(), handler.EnqueueRequestsFromMapFunc(r.ofSecret), builder.WithPredicates(foreignWrite())).
		WatchesMetadata(metadata.Secret(), handler.EnqueueRequestsFromMapFunc(r.toldBySecret), builder.WithPredicates(duty.Appears())).
		WatchesMetadata(metadata.Namespace(), handler.EnqueueRequestsFromMapFunc(r.inNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WithOptions(options)
	if r.Answers != nil {
		building = building.WatchesRawSource(r.Answers.Source())
	}
	if r.Arrivals == nil {
		return building.Complete(r)
	}
	return building.WatchesRawSource(r.Arrivals.Source()).Complete(r.Arrivals.Around(r))
}

// declared passes what people change: the spec, the labels, by which a freeze
// selects, the annotations that ask for something, and deletion. Rostra's own status writes do not bring a channel back.
func declared() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()
			return !maps.Equal(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) ||
				before[v1alpha1.AnnotationRotateAt] != after[v1alpha1.AnnotationRotateAt] ||
				before[v1alpha1.AnnotationConfirmRemoval] != after[v1alpha1.AnnotationConfirmRemoval] ||
				before[v1alpha1.AnnotationConnectAt] != after[v1alpha1.AnnotationConnectAt] ||
				e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
		},
	})
}

// claimMoved passes what may let a rival in: a channel that goes, or that
// claims something else than before.
func claimMoved() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !sets.New(claimKeys(e.ObjectOld)...).Equal(sets.New(claimKeys(e.ObjectNew)...))
		},
	}
}

// foreignWrite leaves out the creation of the Secrets that Rostra itself makes,
// but for those in which a person's consent ended.
func foreignWrite() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			return e.Object.GetLabels()[v1alpha1.LabelManagedBy] != v1alpha1.ManagedByRostra ||
				e.Object.GetAnnotations()[v1alpha1.AnnotationConnected] != ""
		},
	}
}

func (r *Reconciler) rivals(ctx context.Context, object client.Object) []reconcile.Request {
	requests := sets.New[reconcile.Request]()
	for _, key := range claimKeys(object) {
		requests.Insert(r.find(ctx, client.MatchingFields{claimIndex: key})...)
	}
	requests.Delete(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
	return requests.UnsortedList()
}

// ofTeam finds the channels that a team matters to: as their owner, or because
// its members answer for them or would be told.
func (r *Reconciler) ofTeam(ctx context.Context, team client.Object) []reconcile.Request {
	requests := sets.New(r.find(ctx, client.MatchingFields{OwnerIndex: team.GetName()})...)
	for _, rota := range duty.OfTeam(ctx, r.Client, team.GetName()) {
		requests.Insert(r.answeredBy(ctx, rota)...)
	}
	requests.Insert(r.routedBy(ctx, routes.OfTeam(ctx, r.Client, team.GetName()))...)
	return requests.UnsortedList()
}

func (r *Reconciler) onRota(ctx context.Context, rota client.Object) []reconcile.Request {
	name := client.ObjectKeyFromObject(rota)
	return append(r.answeredBy(ctx, name), r.routedBy(ctx, routes.OfRota(ctx, r.Client, name))...)
}

func (r *Reconciler) onRotaOf(ctx context.Context, override client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, rota := range duty.OfOverride(override) {
		requests = append(requests, r.answeredBy(ctx, rota)...)
	}
	return append(requests, r.routedBy(ctx, routes.OfOverride(ctx, r.Client, override))...)
}

// answeredBy finds the channels on a rota.
func (r *Reconciler) answeredBy(ctx context.Context, rota client.ObjectKey) []reconcile.Request {
	return r.find(ctx, client.InNamespace(rota.Namespace), client.MatchingFields{rotaIndex: rota.Name})
}

func (r *Reconciler) onRoute(ctx context.Context, route client.Object) []reconcile.Request {
	return r.routedBy(ctx, []client.ObjectKey{client.ObjectKeyFromObject(route)})
}

// toldBySecret finds the channels of whose events somebody would be told by a
// Secret.
func (r *Reconciler) toldBySecret(ctx context.Context, secret client.Object) []reconcile.Request {
	return r.routedBy(ctx, routes.OfSecret(ctx, r.Client, secret))
}

// routedBy finds the channels that take one of some routes.
func (r *Reconciler) routedBy(ctx context.Context, taken []client.ObjectKey) []reconcile.Request {
	var requests []reconcile.Request
	for _, route := range taken {
		requests = append(requests, r.find(ctx, client.InNamespace(route.Namespace), client.MatchingFields{routeIndex: route.Name})...)
	}
	return requests
}

func (r *Reconciler) onPlatform(ctx context.Context, social client.Object) []reconcile.Request {
	return r.find(ctx, client.MatchingFields{PlatformIndex: social.GetName()})
}

// inNamespace finds the channels that a namespace matters to: those in it, and
// those whose owner gets its credentials there.
func (r *Reconciler) inNamespace(ctx context.Context, namespace client.Object) []reconcile.Request {
	requests := r.find(ctx, client.InNamespace(namespace.GetName()))
	teams := &v1alpha1.TeamList{}
	if err := r.Client.List(ctx, teams, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return requests
	}
	for i := range teams.Items {
		if teams.Items[i].Spec.Namespace == namespace.GetName() {
			requests = append(requests, r.find(ctx, client.MatchingFields{OwnerIndex: teams.Items[i].Name})...)
		}
	}
	return requests
}

// heldByFreeze finds the channels that a freeze in force selects. It is asked
// for the freeze as it was, too, so that those are found that it lets go; an
// inactive one costs nothing.
func (r *Reconciler) heldByFreeze(ctx context.Context, object client.Object) []reconcile.Request {
	held, ok := object.(*v1alpha1.PublishingFreeze)
	if !ok || !freeze.InForce(held, r.Clock.Now()) {
		return nil
	}
	selector, err := freeze.Selector(held)
	if err != nil {
		return nil
	}
	channels, err := selected.Channels(ctx, r.Client, r.Metadata, selector)
	if err != nil {
		return nil
	}
	requests := make([]reconcile.Request, 0, len(channels))
	for _, channel := range channels {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(channel)})
	}
	return requests
}

// ofSecret finds the channels that a Secret matters to: as their source, or as
// what was delivered for them.
func (r *Reconciler) ofSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	requests := r.find(ctx, client.InNamespace(secret.GetNamespace()), client.MatchingFields{sourceIndex: secret.GetName()})
	if secret.GetNamespace() == r.Namespace {
		requests = append(requests, r.ofApplication(ctx, secret.GetName())...)
	}
	if namespace, name, ok := strings.Cut(secret.GetAnnotations()[v1alpha1.AnnotationChannel], "/"); ok {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: name}})
	}
	return requests
}

// ofApplication finds the channels on the platforms at which the application's
// Secret says what Rostra is.
func (r *Reconciler) ofApplication(ctx context.Context, name string) []reconcile.Request {
	platforms := &v1alpha1.SocialPlatformList{}
	if err := r.Client.List(ctx, platforms, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range platforms.Items {
		if platforms.Items[i].Spec.ApplicationSecretName() == name {
			requests = append(requests, r.onPlatform(ctx, &platforms.Items[i])...)
		}
	}
	return requests
}

func (r *Reconciler) find(ctx context.Context, options ...client.ListOption) []reconcile.Request {
	channels := &v1alpha1.SocialChannelList{}
	options = append(options, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err := r.Client.List(ctx, channels, options...); err != nil {
		return nil
	}
	requests := make([]reconcile.Request, 0, len(channels.Items))
	for i := range channels.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&channels.Items[i])})
	}
	return requests
}
