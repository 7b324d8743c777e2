// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers puts the reconcilers, one package a kind, into one
// manager: what is cached, what is read live, and how many work at once.
package controllers

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/arrivals"
	"github.com/rostra-dev/rostra/controllers/consent"
	"github.com/rostra-dev/rostra/controllers/duty"
	"github.com/rostra-dev/rostra/controllers/escalationroute"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/controllers/publishingfreeze"
	"github.com/rostra-dev/rostra/controllers/responderrota"
	"github.com/rostra-dev/rostra/controllers/rotaoverride"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/controllers/socialplatform"
	"github.com/rostra-dev/rostra/controllers/team"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Options of a manager.
type Options struct {
	// Platforms that this process can speak to.
	Platforms platform.Registry
	// Namespace is Rostra's own, where applications' Secrets and the records of
	// callbacks are. It is needed for a Gateway.
	Namespace string
	// Gateway says how platforms and people reach Rostra; nil for not at all.
	Gateway *GatewayOptions
	// Inbox keeps events. It is needed for a Gateway, and for events that are
	// polled. Whoever opened it closes it.
	Inbox *inbox.Inbox
	// Workers is how many channels are reconciled at once. Default: 16.
	Workers int
	// MetricsAddress and ProbeAddress to listen on; "0" for not at all.
	MetricsAddress, ProbeAddress string
	// LeaderElection lets one of several processes work at a time, by a Lease
	// in LeaderElectionNamespace.
	LeaderElection          bool
	LeaderElectionNamespace string
	// Brake bounds how many channels may lose their owner or their credential
	// at once; the zero value does not.
	Brake ownership.Brake
	// Clock for everything but deadlines. Default: the real one.
	Clock clock.PassiveClock
	// NewClient wraps the client that the reconcilers write with. Optional.
	NewClient client.NewClientFunc
	// SkipNameValidation lets one process hold several managers.
	SkipNameValidation bool
}

const (
	defaultWorkers = 16
	leaderLease    = "rostra.social.rostra.dev"
	// reconcileTimeout bounds one reconcile: a handful of calls to a platform,
	// each with a deadline of its own.
	reconcileTimeout = 2 * time.Minute
)

// NewScheme knows the kinds that Rostra works with.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return scheme, v1alpha1.AddToScheme(scheme)
}

// NewManager makes a manager with every reconciler in it.
func NewManager(ctx context.Context, config *rest.Config, options Options) (manager.Manager, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Workers == 0 {
		options.Workers = defaultWorkers
	}
	mgr, err := manager.New(config, manager.Options{
		Scheme:                        scheme,
		Cache:                         CacheOptions(),
		Client:                        ClientOptions(),
		NewClient:                     options.NewClient,
		Metrics:                       metricsserver.Options{BindAddress: options.MetricsAddress},
		HealthProbeBindAddress:        options.ProbeAddress,
		LeaderElection:                options.LeaderElection,
		LeaderElectionID:              leaderLease,
		LeaderElectionNamespace:       options.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, err
	}
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return nil, err
	}
	if err := mgr.AddReadyzCheck("started", healthz.Ping); err != nil {
		return nil, err
	}
	if err := addInboxChecks(mgr, options.Inbox); err != nil {
		return nil, err
	}
	return mgr, setup(ctx, mgr, options)
}

// CacheOptions keep of each object only what is looked at. Secrets and
// Namespaces are watched by their metadata, and of that a part: their content
// never is in memory.
func CacheOptions() cache.Options {
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			metadata.Secret():    {Transform: trimMetadata},
			metadata.Namespace(): {Transform: trimMetadata},
		},
	}
}

// ClientOptions make reads wait for the process's own writes.
func ClientOptions() client.Options {
	return client.Options{Cache: &client.CacheOptions{
		EnableReadYourWritesConsistency: new(true),
	}}
}

// trimMetadata drops what Rostra never looks at, which is most of what there is
// in a cluster's Secrets that are not Rostra's.
func trimMetadata(object any) (any, error) {
	trimmed, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return object, nil
	}
	trimmed.ManagedFields = nil
	trimmed.OwnerReferences = nil
	trimmed.Finalizers = nil
	kept := map[string]string{}
	for _, name := range []string{v1alpha1.AnnotationChannel, v1alpha1.AnnotationCredentialID, v1alpha1.AnnotationFrozen, v1alpha1.AnnotationConnected} {
		if value, ok := trimmed.Annotations[name]; ok {
			kept[name] = value
		}
	}
	trimmed.Annotations = kept
	return trimmed, nil
}

func setup(ctx context.Context, mgr manager.Manager, options Options) error {
	indexer := mgr.GetFieldIndexer()
	if err := errors.Join(socialchannel.Index(ctx, indexer), duty.Index(ctx, indexer), routes.Index(ctx, indexer), consent.Index(ctx, indexer)); err != nil {
		return err
	}
	directory := platform.NewDirectory(options.Platforms)
	counter, err := newFailureCounter(metrics.Registry)
	if err != nil {
		return err
	}
	drifts, err := newDriftCounter(metrics.Registry)
	if err != nil {
		return err
	}
	settings := func(workers int) controller.Options {
		return controller.Options{
			MaxConcurrentReconciles: workers,
			ReconciliationTimeout:   reconcileTimeout,
			SkipNameValidation:      new(options.SkipNameValidation),
		}
	}
	secrets, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return err
	}
	var key []byte
	if options.Gateway != nil {
		if key, err = gatewayKey(ctx, secrets, options.Namespace); err != nil {
			return err
		}
	}
	people, err := connectPages(mgr, options, key, secrets, directory)
	if err != nil {
		return err
	}
	if err := addGateway(mgr, options, key, people, directory); err != nil {
		return err
	}
	var board *arrivals.Board
	if options.Inbox != nil {
		board = arrivals.NewBoard()
		if err := mgr.Add(board.Runnable(options.Inbox)); err != nil {
			return err
		}
	}
	book := duty.NewBook(mgr.GetClient())
	escalations := routes.NewBook(mgr.GetClient(), mgr.GetCache(), book)
	channels := socialchannel.New(socialchannel.Config{
		Client: mgr.GetClient(), Secrets: secrets, Live: mgr.GetAPIReader(), Metadata: mgr.GetCache(), Platforms: directory, Duty: book, Routes: escalations, Brake: options.Brake,
		Recorder: mgr.GetEventRecorder("rostra"), Clock: options.Clock, Failures: counter,
		Namespace: options.Namespace, Gateway: reach(options, key), Inbox: inboxOf(options.Inbox), Arrivals: board, Drifts: drifts,
	})
	if err := channels.SetupWithManager(mgr, settings(options.Workers)); err != nil {
		return err
	}
	unclaimed, err := newUnclaimedGauge(metrics.Registry)
	if err != nil {
		return err
	}
	platforms := socialplatform.New(socialplatform.Config{
		Client: mgr.GetClient(), Metadata: mgr.GetCache(), Platforms: directory, Clock: options.Clock, Gauge: unclaimed,
		Secrets: &secretstore.Store{Client: secrets}, Namespace: options.Namespace,
	})
	if err := platforms.SetupWithManager(mgr, settings(2)); err != nil {
		return err
	}
	return errors.Join(
		(&team.Reconciler{Client: mgr.GetClient(), Clock: options.Clock}).SetupWithManager(mgr, settings(2)),
		(&publishingfreeze.Reconciler{Client: mgr.GetClient(), Metadata: mgr.GetCache(), Recorder: mgr.GetEventRecorder("rostra"), Clock: options.Clock}).SetupWithManager(mgr, settings(1)),
		(&escalationroute.Reconciler{Client: mgr.GetClient(), Routes: escalations, Clock: options.Clock}).SetupWithManager(mgr, settings(1)),
		(&responderrota.Reconciler{Client: mgr.GetClient(), Metadata: mgr.GetCache(), Duty: book, Clock: options.Clock}).SetupWithManager(mgr, settings(2)),
		(&rotaoverride.Reconciler{Client: mgr.GetClient(), Duty: book, Clock: options.Clock}).SetupWithManager(mgr, settings(1)),
	)
}

// failureCounter is the metric of failed calls to platforms.
type failureCounter struct{ failures *prometheus.CounterVec }

func newFailureCounter(registry prometheus.Registerer) (failureCounter, error) {
	failures, err := registered(registry, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rostra_platform_failures_total",
		Help: "Calls to social platforms that failed, by platform type and failure class.",
	}, []string{"platform", "class"}))
	return failureCounter{failures}, err
}

// Count implements socialchannel.FailureCounter.
func (c failureCounter) Count(platformType string, class platform.Class) {
	c.failures.WithLabelValues(platformType, string(class)).Inc()
}
