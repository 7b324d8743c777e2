// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/hook"
)

var (
	errNoKeyring = errors.New("a keyring needs a client, the operator's namespace and a book")
	errNoSecret  = errors.New("the API server sent something that is no Secret")
)

// Keyring keeps a book in line with the Secrets that hold the records of
// callbacks: those of one namespace that have the label v1alpha1.LabelHook. It
// keeps nothing of a Secret but its record. When the API server is away, the
// book stays as it was.
type Keyring struct {
	// Client that may list and watch Secrets in Namespace, the operator's own.
	Client    kubernetes.Interface
	Namespace string
	// Book that is kept.
	Book *hook.Book
	// Logger for Secrets that cannot be read, by name.
	Logger logr.Logger

	synced atomic.Bool
}

// NeedLeaderElection tells a manager that every replica has its own.
func (*Keyring) NeedLeaderElection() bool { return false }

// Synced tells whether the book has held every record that there was at one
// time.
func (k *Keyring) Synced() bool { return k.synced.Load() }

// Start lists and watches until ctx is done.
func (k *Keyring) Start(ctx context.Context) error {
	if k.Client == nil || k.Namespace == "" || k.Book == nil {
		return errNoKeyring
	}
	secrets := k.Client.CoreV1().Secrets(k.Namespace)
	source := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = v1alpha1.LabelHook
			return secrets.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = v1alpha1.LabelHook
			return secrets.Watch(ctx, options)
		},
	}, k.Client)
	log := discreet(k.Logger)
	cache.NewReflectorWithOptions(source, &corev1.Secret{}, (*records)(k), cache.ReflectorOptions{
		Name: "rostra-gateway-keyring", Logger: &log,
	}).RunWithContext(logr.NewContext(ctx, log))
	return nil
}

// discreetLevel is the last at which client-go does not log what it is sent:
// here that would be Secrets.
const discreetLevel = 5

// discreet gives a logger that says no more than discreetLevel, whatever the
// other's level.
func discreet(log logr.Logger) logr.Logger {
	if log.GetSink() == nil {
		return log
	}
	return log.WithSink(discreetSink{log.GetSink()})
}

type discreetSink struct{ logr.LogSink }

func (s discreetSink) Enabled(level int) bool {
	return level <= discreetLevel && s.LogSink.Enabled(level)
}

func (s discreetSink) WithValues(pairs ...any) logr.LogSink {
	return discreetSink{s.LogSink.WithValues(pairs...)}
}

func (s discreetSink) WithName(name string) logr.LogSink {
	return discreetSink{s.LogSink.WithName(name)}
}

// records is the keyring as client-go fills it.
type records Keyring

// Add implements cache.ReflectorStore.
func (r *records) Add(object any) error { return r.put(object) }

// Update implements cache.ReflectorStore.
func (r *records) Update(object any) error { return r.put(object) }

// Delete implements cache.ReflectorStore.
func (r *records) Delete(object any) error {
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return errNoSecret
	}
	r.Book.Remove(secret.Name)
	return nil
}

// Replace implements cache.ReflectorStore.
func (r *records) Replace(objects []any, _ string) error {
	names := make(map[string]struct{}, len(objects))
	for _, object := range objects {
		if err := r.put(object); err != nil {
			return err
		}
		if secret, ok := object.(*corev1.Secret); ok {
			names[secret.Name] = struct{}{}
		}
	}
	r.Book.Retain(names)
	r.synced.Store(true)
	return nil
}

// Resync implements cache.ReflectorStore.
func (*records) Resync() error { return nil }

// put keeps the earlier record of a Secret that cannot be read, so that a
// callback that works goes on working.
func (r *records) put(object any) error {
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return errNoSecret
	}
	record, err := hook.Decode(secret.Data)
	if err != nil {
		r.Logger.Error(err, "The record of a callback cannot be read; an earlier one stays in force. Delete the Secret to have it made anew", "secret", secret.Name)
		return nil
	}
	r.Book.Put(secret.Name, record)
	return nil
}
