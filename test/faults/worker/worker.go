// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/gateway"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/meta"
	"github.com/rostra-dev/rostra/test/faults/company"
)

// worker is a process under test.
type worker struct {
	settings settings
	log      logr.Logger
	inbox    *inbox.Inbox
	outbound *httpx.Client
	gateway  *gateway.Gateway
	answers  *answers
}

func newWorker(ctx context.Context, s settings, events *inbox.Inbox, log logr.Logger) (*worker, error) {
	w := &worker{settings: s, log: log, inbox: events}
	var err error
	// What is measured is Rostra, and not the patience with somebody's webhook.
	w.outbound, err = httpx.New(httpx.Options{
		UserAgent: "rostra-faults", AllowedPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AccountRate: 1e5, AccountBurst: 1e5, OriginLimit: 64,
	})
	if err != nil {
		return nil, err
	}
	if w.gateway, err = w.newGateway(); err != nil {
		return nil, err
	}
	if w.answers, err = newAnswers(ctx, s, events, w.outbound, log); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *worker) newGateway() (*gateway.Gateway, error) {
	adapter, err := meta.NewFactory(w.outbound, clock.RealClock{})(company.Server)
	if err != nil {
		return nil, err
	}
	receiver, ok := adapter.(platform.Receiver)
	if !ok {
		return nil, errors.New("the adapter of Meta receives nothing")
	}
	book := hook.NewBook()
	for page := range w.settings.pages {
		record := company.PageAt(page).Record()
		book.Put(record.ChannelUID, record)
	}
	return gateway.New(gateway.Options{
		Key: company.Key(), BaseURL: "http://" + w.settings.gateway, Hooks: book, Sink: w.inbox, Logger: w.log,
		Receiver: func(platformType, server string) (platform.Receiver, bool) {
			return receiver, platformType == company.Platform && server == company.Server
		},
		Limits: gateway.Limits{EventsPerSecond: 1e6, EventsBurst: 1e6},
	})
}

// run serves until the context ends.
func (w *worker) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	server := gateway.NewServer(w.settings.gateway, w.gateway.Handler(), w.log)
	group.Go(func() error { return server.Start(ctx) })
	group.Go(func() error { return w.answers.run(ctx) })
	group.Go(func() error { return w.serveStatus(ctx) })
	return group.Wait()
}

func (w *worker) serveStatus(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", w.settings.status)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(rw).Encode(company.Status{
			PID: os.Getpid(), Ready: words(w.inbox.Ready()), Stuck: words(w.inbox.Stuck()), Synced: w.answers.synced(),
		})
	})}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
