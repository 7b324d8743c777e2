// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/consent"
	"github.com/rostra-dev/rostra/controllers/socialchannel"
	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/gateway"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/platform"
)

// GatewayOptions say how platforms and people reach Rostra.
type GatewayOptions struct {
	// Address that this process listens on; empty where another does.
	Address string
	// BaseURL at which the gateway is reached from outside.
	BaseURL string
	// Client with which the way from outside is tried.
	Client *httpx.Client
}

// gatewayKeySecret holds, in Rostra's own namespace, the key that callbacks and
// links are made with. Whoever replaces it makes every callback another one.
const (
	gatewayKeySecret = "rostra-gateway"
	gatewayKeyField  = "key"
)

// gatewayKey reads the key, and makes it where there is none yet.
func gatewayKey(ctx context.Context, secrets client.Client, namespace string) ([]byte, error) {
	key, err := readGatewayKey(ctx, secrets, namespace)
	if apierrors.IsNotFound(err) {
		key := make([]byte, hook.KeySize)
		_, _ = rand.Read(key) // never fails
		err = secrets.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: gatewayKeySecret,
				Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByRostra},
			},
			Data: map[string][]byte{gatewayKeyField: key},
		})
		if apierrors.IsAlreadyExists(err) {
			return readGatewayKey(ctx, secrets, namespace)
		}
		return key, err
	}
	return key, err
}

func readGatewayKey(ctx context.Context, secrets client.Reader, namespace string) ([]byte, error) {
	secret := &corev1.Secret{}
	name := client.ObjectKey{Namespace: namespace, Name: gatewayKeySecret}
	if err := secrets.Get(ctx, name, secret); err != nil {
		return nil, fmt.Errorf("read the gateway's key, Secret %s: %w", name, err)
	}
	if key := secret.Data[gatewayKeyField]; len(key) >= hook.KeySize {
		return key, nil
	}
	return nil, fmt.Errorf("the gateway's key, Secret %s, has fewer than %d bytes under %q: delete it to have another made, with which every callback is registered anew", name, hook.KeySize, gatewayKeyField)
}

// reach is how the reconcilers know of the gateway, or nil where there is none.
func reach(options Options, key []byte) *socialchannel.Gateway {
	if options.Gateway == nil {
		return nil
	}
	return &socialchannel.Gateway{
		BaseURL: options.Gateway.BaseURL, Key: key, Connects: options.Gateway.Address != "",
		Check: func(ctx context.Context, callback, channelUID, digest string) error {
			return checkCallback(ctx, options.Gateway.Client, key, callback, channelUID, digest)
		},
	}
}

var (
	errNotGateway = errors.New("something else than Rostra's gateway answers there: check the route from --gateway-url to the gateway")
	errNotSynced  = errors.New("the records of callbacks are not read yet")
	errNotKnown   = errors.New("the gateway answers there, and does not know the channel's keys yet")
)

// checkCallback asks the gateway, by the way that a platform takes.
func checkCallback(ctx context.Context, outbound *httpx.Client, key []byte, callback, channelUID, digest string) error {
	nonce := rand.Text()
	response, err := outbound.Do(ctx, httpx.Request{URL: callback, Header: http.Header{hook.ProbeHeader: {channelUID + "." + nonce}}})
	switch {
	case err != nil:
		return err
	case response.Status == http.StatusServiceUnavailable, response.Status == http.StatusGone, response.Status == http.StatusNotFound:
		return errNotKnown // another gateway may be a moment behind
	case response.Status != http.StatusOK:
		return errNotGateway
	}
	got := strings.TrimSpace(string(response.Body))
	if hmac.Equal([]byte(got), []byte(hook.Proof(key, channelUID, nonce, digest))) {
		return nil
	}
	if len(got) == len(hook.Proof(key, "", "", "")) {
		return errNotKnown
	}
	return errNotGateway
}

// pages are for people; nil where there are none.
type pages struct {
	// connect accounts, and acknowledge conversations.
	connect, acknowledge http.Handler
}

// addGateway lets a manager serve callbacks, and pages for people.
func addGateway(mgr manager.Manager, options Options, key []byte, people pages, directory *platform.Directory) error {
	clientset, err := kubernetes.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return err
	}
	log := mgr.GetLogger().WithName("gateway")
	keyring := &gateway.Keyring{Client: clientset, Namespace: options.Namespace, Book: hook.NewBook(), Logger: log}
	handler, err := gateway.New(gateway.Options{
		Key: key, BaseURL: options.Gateway.BaseURL, Hooks: keyring.Book, Synced: keyring.Synced,
		Receiver: func(platformType, server string) (platform.Receiver, bool) {
			adapter, err := directory.Get(platformType, server)
			if err != nil {
				return nil, false
			}
			receiver, ok := adapter.(platform.Receiver)
			return receiver, ok
		},
		Sink: options.Inbox, Clock: options.Clock, Logger: log, Metrics: metrics.Registry, Connect: people.connect, Acknowledge: people.acknowledge,
	})
	if err != nil {
		return err
	}
	known := func(*http.Request) error {
		if !keyring.Synced() {
			return errNotSynced
		}
		return nil
	}
	return errors.Join(mgr.AddReadyzCheck("callbacks", known), mgr.Add(keyring), mgr.Add(gateway.NewServer(options.Gateway.Address, handler.Handler(), log)))
}

// connectPages are the pages on which people connect accounts.
func connectPages(mgr manager.Manager, options Options, key []byte, secrets client.Client, directory *platform.Directory) (http.Handler, error) {
	return connect.New(connect.Options{
		Key: key, BaseURL: options.Gateway.BaseURL,
		Store: &consent.Store{
			Client: mgr.GetClient(), Secrets: &secretstore.Store{Client: secrets}, Platforms: directory, Namespace: options.Namespace,
		},
		Clock: options.Clock, Logger: mgr.GetLogger().WithName("connect"), Metrics: metrics.Registry,
	})
}

// NewGateway makes a manager that serves callbacks and nothing else. It needs
// the right to read Secrets in Rostra's own namespace alone.
func NewGateway(ctx context.Context, config *rest.Config, options Options) (manager.Manager, error) {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	mgr, err := manager.New(config, manager.Options{
		Metrics:                metricsserver.Options{BindAddress: options.MetricsAddress},
		HealthProbeBindAddress: options.ProbeAddress,
	})
	if err != nil {
		return nil, err
	}
	secrets, err := client.New(config, client.Options{HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return nil, err
	}
	key, err := readGatewayKey(ctx, secrets, options.Namespace)
	if apierrors.IsNotFound(err) {
		err = fmt.Errorf("%w: the operator makes it when it starts with --gateway-url", err)
	}
	if err != nil {
		return nil, err
	}
	// No index is needed to acknowledge: one conversation is read and written.
	conversations, err := openLedger(ctx, options, nil)
	if err != nil {
		return nil, err
	}
	acknowledge, err := acknowledgePages(options, key, conversations, mgr.GetLogger())
	if err != nil {
		return nil, err
	}
	return mgr, errors.Join(
		addGateway(mgr, options, key, pages{acknowledge: acknowledge}, platform.NewDirectory(options.Platforms)),
		mgr.AddHealthzCheck("alive", healthz.Ping),
		addInboxChecks(mgr, options.Inbox),
	)
}

// addInboxChecks lets a probe see an inbox that cannot store: no event is to be
// sent here then, and where a restart mends it, one is to be had.
func addInboxChecks(mgr manager.Manager, kept *inbox.Inbox) error {
	if kept == nil {
		return nil
	}
	return errors.Join(
		mgr.AddReadyzCheck("inbox", func(*http.Request) error { return kept.Ready() }),
		mgr.AddHealthzCheck("inbox", func(*http.Request) error { return kept.Stuck() }),
	)
}

// inboxOf gives the inbox as the reconcilers know it; nil where there is none,
// and no interface that holds nil.
func inboxOf(kept *inbox.Inbox) socialchannel.Inbox {
	if kept == nil {
		return nil
	}
	return kept
}
