// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package socialplatform keeps a SocialPlatform's status: whether its server
// answers, what it can do, how many channels are on it, and which accounts at
// the server no channel claims.
package socialplatform

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/pace"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

// Gauge shows how many accounts of a platform are unclaimed.
type Gauge interface {
	// Set shows a count for the SocialPlatform of that name.
	Set(platform string, unclaimed int32)
	// Forget shows nothing for it any more.
	Forget(platform string)
}

// Config of a Reconciler. Every field is required.
type Config struct {
	// Client reads from the cache.
	Client client.Client
	// Metadata reads Namespaces' metadata from the cache.
	Metadata client.Reader
	// Platforms gives the adapter for a server.
	Platforms *platform.Directory
	// Secrets reads applications' Secrets, in Rostra's own Namespace.
	Secrets   *secretstore.Store
	Namespace string
	// Clock for probes and lists.
	Clock clock.PassiveClock
	// Gauge of unclaimed accounts.
	Gauge Gauge
}

// Reconciler keeps platforms' statuses.
type Reconciler struct {
	Config

	probes  *pace.Pacer[probeInputs]
	lists   *pace.Pacer[listInputs]
	surveys *surveys
}

// New makes a reconciler.
func New(config Config) *Reconciler {
	return &Reconciler{
		Config: config,
		probes: pace.New[probeInputs](), lists: pace.New[listInputs](), surveys: newSurveys(),
	}
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	social := &v1alpha1.SocialPlatform{}
	if err := r.Client.Get(ctx, request.NamespacedName, social); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(request)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := social.DeepCopy()
	now := r.Clock.Now()
	writer := status.Writer{Conditions: &social.Status.Conditions, Generation: social.Generation, Now: now}
	social.Status.ObservedGeneration = social.Generation

	next := r.bindServer(ctx, social, writer)
	list, err := r.bindDiscovery(ctx, social, writer)
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := r.countChannels(ctx, social); err != nil {
		return reconcile.Result{}, err
	}
	writer.Summarise(summarised(social)...)
	r.show(social)
	if err := status.Write(ctx, r.Client, before, social); err != nil {
		return status.Quietly(err)
	}
	if !list.IsZero() && list.Before(next) {
		next = list
	}
	return status.LookAgain(next, r.Clock.Now()), nil
}

// summarised are the conditions that Ready sums up. Accounts that nobody has
// claimed are no fault of the platform; a list that was asked for and cannot be
// had is.
func summarised(social *v1alpha1.SocialPlatform) []string {
	if social.Spec.Discovery == nil {
		return []string{v1alpha1.ConditionReachable}
	}
	return []string{v1alpha1.ConditionReachable, v1alpha1.ConditionAccountsDiscovered}
}

func (r *Reconciler) show(social *v1alpha1.SocialPlatform) {
	if social.Status.Unclaimed == nil || social.Status.Unclaimed.Count == nil {
		r.Gauge.Forget(social.Name)
		return
	}
	r.Gauge.Set(social.Name, *social.Status.Unclaimed.Count)
}

func (r *Reconciler) forget(request reconcile.Request) {
	r.probes.Forget(request.NamespacedName)
	r.lists.Forget(request.NamespacedName)
	r.surveys.forget(request.Name)
	r.Gauge.Forget(request.Name)
}

func (r *Reconciler) countChannels(ctx context.Context, social *v1alpha1.SocialPlatform) error {
	channels, err := r.channels(ctx, social)
	if err != nil {
		return err
	}
	var ready int32
	for i := range channels {
		if meta.IsStatusConditionTrue(channels[i].Status.Conditions, v1alpha1.ConditionReady) {
			ready++
		}
	}
	//nolint:gosec // the number of channels is bounded by the size of a cluster, far below 2^31
	social.Status.Channels = &v1alpha1.PlatformChannels{Count: new(int32(len(channels))), Ready: new(ready)}
	return nil
}

// channels are those that refer to the platform. They are the cache's own: not
// to be changed.
func (r *Reconciler) channels(ctx context.Context, social *v1alpha1.SocialPlatform) ([]v1alpha1.SocialChannel, error) {
	found := &v1alpha1.SocialChannelList{}
	err := r.Client.List(ctx, found, client.MatchingFields{socialchannel.PlatformIndex: social.Name},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	return found.Items, err
}
