// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/ledger"
)

// answers is what finds somebody who answers.
type answers struct {
	ledger     *ledger.Ledger
	dispatcher *dispatch.Dispatcher
}

func newAnswers(ctx context.Context, s settings, events *inbox.Inbox, outbound *httpx.Client, log logr.Logger) (*answers, error) {
	table, err := events.Table(ctx, inbox.TableOptions{Name: "conversations", MaxValue: 128 << 10})
	if err != nil {
		return nil, err
	}
	a := &answers{}
	if a.ledger, err = ledger.New(ledger.Options{Table: table, Logger: log}); err != nil {
		return nil, err
	}
	known, err := newDirectory(s, outbound)
	if err != nil {
		return nil, err
	}
	a.dispatcher, err = dispatch.New(dispatch.Options{Events: events, Ledger: a.ledger, Directory: known, Name: s.name, Logger: log})
	return a, err
}

// synced tells whether turns are taken.
func (a *answers) synced() bool { return a.ledger.Synced() }

func (a *answers) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.ledger.Start(ctx) })
	group.Go(func() error { return a.dispatcher.Start(ctx) })
	return group.Wait()
}
