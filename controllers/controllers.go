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
	"github.com/rostra-dev/rostra/controllers/contentpolicy"
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
	// Answering says how people are told of what is in the inbox; nil for not at
	// all.
	Answering *AnsweringOptions
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

// house is what the parts of one manager share.
type house struct {
	mgr     manager.Manager
	options Options
	// directory gives the adapter for a server.
	directory *platform.Directory
	// secrets reads and writes Secrets live.
	secrets client.Client
	// key of callbacks and links; nil where there is no gateway.
	key []byte
	// duty tells who is on duty, and routes who hears of an event.
	duty   *duty.Book
	routes *routes.Book
	// answering is nil where nobody is told.
	answering *answering
}

func setup(ctx context.Context, mgr manager.Manager, options Options) error {
	indexer := mgr.GetFieldIndexer()
	if err := errors.Join(socialchannel.Index(ctx, indexer), duty.Index(ctx, indexer), routes.Index(ctx, indexer), consent.Index(ctx, indexer)); err != nil {
		return err
	}
	h := &house{mgr: mgr, options: options, directory: platform.NewDirectory(options.Platforms), duty: duty.NewBook(mgr.GetClient())}
	h.routes = routes.NewBook(mgr.GetClient(), mgr.GetCache(), h.duty)
	var err error
	h.secrets, err = client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return err
	}
	if options.Gateway != nil {
		if h.key, err = gatewayKey(ctx, h.secrets, options.Namespace); err != nil {
			return err
		}
	}
	if h.answering, err = openAnswering(ctx, options); err != nil {
		return err
	}
	return errors.Join(h.addGateway(), h.addAnswering(ctx), h.addChannels(), h.addOthers())
}

// settings are those of a controller that works on so many objects at once.
func (h *house) settings(workers int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		ReconciliationTimeout:   reconcileTimeout,
		SkipNameValidation:      new(h.options.SkipNameValidation),
	}
}

// addGateway serves callbacks, and the pages for people.
func (h *house) addGateway() error {
	if h.options.Gateway == nil || h.options.Gateway.Address == "" {
		return nil
	}
	people, err := connectPages(h.mgr, h.options, h.key, h.secrets, h.directory)
	if err != nil {
		return err
	}
	acknowledge, err := h.answering.pages(h)
	if err != nil {
		return err
	}
	return addGateway(h.mgr, h.options, h.key, pages{connect: people, acknowledge: acknowledge}, h.directory)
}

// addChannels reconciles channels.
func (h *house) addChannels() error {
	counter, err := newFailureCounter(metrics.Registry)
	if err != nil {
		return err
	}
	drifts, err := newDriftCounter(metrics.Registry)
	if err != nil {
		return err
	}
	var board *arrivals.Board
	if h.options.Inbox != nil {
		board = arrivals.NewBoard()
		if err := h.mgr.Add(board.Runnable(h.options.Inbox)); err != nil {
			return err
		}
	}
	return socialchannel.New(socialchannel.Config{
		Client: h.mgr.GetClient(), Secrets: h.secrets, Live: h.mgr.GetAPIReader(), Metadata: h.mgr.GetCache(), Platforms: h.directory,
		Duty: h.duty, Routes: h.routes, Brake: h.options.Brake,
		Recorder: h.mgr.GetEventRecorder("rostra"), Clock: h.options.Clock, Failures: counter, Namespace: h.options.Namespace,
		Gateway: reach(h.options, h.key), Inbox: inboxOf(h.options.Inbox), Arrivals: board, Answers: h.answering.answers(), Drifts: drifts,
	}).SetupWithManager(h.mgr, h.settings(h.options.Workers))
}

// addOthers reconciles all other kinds.
func (h *house) addOthers() error {
	unclaimed, err := newUnclaimedGauge(metrics.Registry)
	if err != nil {
		return err
	}
	cached, live, now := h.mgr.GetClient(), h.mgr.GetCache(), h.options.Clock
	platforms := socialplatform.New(socialplatform.Config{
		Client: cached, Metadata: live, Platforms: h.directory, Clock: now, Gauge: unclaimed,
		Secrets: &secretstore.Store{Client: h.secrets}, Namespace: h.options.Namespace,
	})
	return errors.Join(
		platforms.SetupWithManager(h.mgr, h.settings(2)),
		(&team.Reconciler{Client: cached, Clock: now}).SetupWithManager(h.mgr, h.settings(2)),
		(&publishingfreeze.Reconciler{Client: cached, Metadata: live, Recorder: h.mgr.GetEventRecorder("rostra"), Clock: now}).SetupWithManager(h.mgr, h.settings(1)),
		(&escalationroute.Reconciler{Client: cached, Routes: h.routes, Clock: now}).SetupWithManager(h.mgr, h.settings(1)),
		contentpolicy.New(contentpolicy.Config{Client: cached, Metadata: live, Clock: now}).SetupWithManager(h.mgr, h.settings(1)),
		(&responderrota.Reconciler{Client: cached, Metadata: live, Duty: h.duty, Clock: now}).SetupWithManager(h.mgr, h.settings(2)),
		(&rotaoverride.Reconciler{Client: cached, Duty: h.duty, Clock: now}).SetupWithManager(h.mgr, h.settings(1)),
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
