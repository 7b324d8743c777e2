// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package socialplatform keeps a SocialPlatform's status: whether its server
// answers, what it can do, and how many channels are on it.
package socialplatform

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

const (
	defaultProbeInterval = time.Hour
	probeJitter          = 0.1
	firstRetry           = time.Second
	lastRetry            = 5 * time.Minute
	retryJitter          = 0.5
	// maxCapabilities bounds what a status names; see the schema.
	maxCapabilities = 32
	// maxSoftware bounds the server's own words, in bytes; see the schema.
	maxSoftware = 128
)

// Reconciler keeps platforms' statuses.
type Reconciler struct {
	// Client reads from the cache.
	Client client.Client
	// Platforms gives the adapter for a server.
	Platforms *platform.Directory
	// Clock for the probes.
	Clock clock.PassiveClock

	mu      sync.Mutex
	probes  map[string]probe
	backoff *flowcontrol.Backoff
}

// probe is the last time that a server was asked, and what for.
type probe struct {
	uid        types.UID
	generation int64
	next       time.Time
}

// New makes a reconciler.
func New(reader client.Client, platforms *platform.Directory, now clock.PassiveClock) *Reconciler {
	return &Reconciler{
		Client: reader, Platforms: platforms, Clock: now,
		probes:  map[string]probe{},
		backoff: flowcontrol.NewBackOffWithJitter(firstRetry, lastRetry, retryJitter),
	}
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	social := &v1alpha1.SocialPlatform{}
	if err := r.Client.Get(ctx, request.NamespacedName, social); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(request.Name)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := social.DeepCopy()
	now := r.Clock.Now()
	writer := status.Writer{Conditions: &social.Status.Conditions, Generation: social.Generation, Now: now}
	social.Status.ObservedGeneration = social.Generation

	next := r.bindServer(ctx, social, writer)
	if err := r.countChannels(ctx, social); err != nil {
		return reconcile.Result{}, err
	}
	writer.Summarise(v1alpha1.ConditionReachable)
	if !equality.Semantic.DeepEqual(before.Status, social.Status) {
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		if err := r.Client.Status().Patch(ctx, social, patch); err != nil {
			if apierrors.IsConflict(err) {
				return reconcile.Result{RequeueAfter: time.Second}, nil
			}
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
	}
	return reconcile.Result{RequeueAfter: max(next.Sub(now), time.Millisecond)}, nil
}

// bindServer asks the server what it is, once a probe interval, and gives the
// time of the next probe.
func (r *Reconciler) bindServer(ctx context.Context, social *v1alpha1.SocialPlatform, writer status.Writer) time.Time {
	interval := ptr.Deref(social.Spec.ProbeInterval, metav1.Duration{Duration: defaultProbeInterval}).Duration
	if last, ok := r.lastProbe(social); ok && writer.Now.Before(last) {
		writer.Keep(v1alpha1.ConditionReachable)
		return last
	}
	if _, err := metav1.LabelSelectorAsSelector(social.Spec.AllowedNamespaces); err != nil {
		writer.False(v1alpha1.ConditionReachable, v1alpha1.ReasonInvalidSelector, "spec.allowedNamespaces cannot be read, so no namespace is allowed: "+err.Error())
		return r.plan(social, writer.Now.Add(interval))
	}
	adapter, err := r.Platforms.Get(string(social.Spec.Type), social.Spec.ServerURL())
	if err != nil {
		reason := v1alpha1.ReasonInvalidServer
		if errors.Is(err, platform.ErrUnsupportedType) {
			reason = v1alpha1.ReasonUnsupportedType
		}
		writer.False(v1alpha1.ConditionReachable, reason, err.Error())
		return r.plan(social, writer.Now.Add(interval))
	}
	server, err := adapter.Detect(ctx)
	if err != nil {
		return r.plan(social, r.detectFails(social, writer, interval, err))
	}
	r.backoff.DeleteEntry(social.Name)
	social.Status.Software = server.Software[:min(len(server.Software), maxSoftware)]
	social.Status.Capabilities = nil
	for _, capability := range server.Capabilities[:min(len(server.Capabilities), maxCapabilities)] {
		social.Status.Capabilities = append(social.Status.Capabilities, string(capability))
	}
	slices.Sort(social.Status.Capabilities)
	writer.True(v1alpha1.ConditionReachable, v1alpha1.ReasonAnswered, "the server answers as "+string(social.Spec.Type))
	return r.plan(social, writer.Now.Add(interval+time.Duration(rand.Float64()*probeJitter*float64(interval))))
}

// detectFails says why the server could not be asked, and gives the time of the
// next try.
func (r *Reconciler) detectFails(social *v1alpha1.SocialPlatform, writer status.Writer, interval time.Duration, err error) time.Time {
	class := platform.ClassOf(err)
	if !class.Passing() {
		writer.False(v1alpha1.ConditionReachable, v1alpha1.ReasonPlatformRefused, err.Error())
		return writer.Now.Add(interval)
	}
	if !platform.HeldBack(err) {
		reason := v1alpha1.ReasonPlatformUnavailable
		if class == platform.RateLimited {
			reason = v1alpha1.ReasonRateLimited
		}
		if known := writer.Get(v1alpha1.ConditionReachable); known.Reason != reason {
			writer.Unknown(v1alpha1.ConditionReachable, reason, fmt.Sprintf("the server could not be asked: %s", err))
		}
	}
	id := social.Name
	r.backoff.Next(id, writer.Now)
	next := writer.Now.Add(r.backoff.Get(id))
	if at := platform.RetryAt(err); at.After(next) {
		return at
	}
	return next
}

func (r *Reconciler) lastProbe(social *v1alpha1.SocialPlatform) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, ok := r.probes[social.Name]
	return last.next, ok && last.uid == social.UID && last.generation == social.Generation
}

func (r *Reconciler) forget(name string) {
	r.backoff.DeleteEntry(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.probes, name)
}

func (r *Reconciler) plan(social *v1alpha1.SocialPlatform, next time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probes[social.Name] = probe{uid: social.UID, generation: social.Generation, next: next}
	return next
}

func (r *Reconciler) countChannels(ctx context.Context, social *v1alpha1.SocialPlatform) error {
	channels := &v1alpha1.SocialChannelList{}
	err := r.Client.List(ctx, channels, client.MatchingFields{socialchannel.PlatformIndex: social.Name},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return err
	}
	var ready int32
	for i := range channels.Items {
		if meta.IsStatusConditionTrue(channels.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
			ready++
		}
	}
	//nolint:gosec // the number of channels is bounded by the size of a cluster, far below 2^31
	social.Status.Channels = &v1alpha1.PlatformChannels{Count: new(int32(len(channels.Items))), Ready: new(ready)}
	return nil
}
