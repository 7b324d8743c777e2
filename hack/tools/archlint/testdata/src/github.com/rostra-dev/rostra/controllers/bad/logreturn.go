// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bad

import (
	"fmt"
	"log/slog"

	"github.com/go-logr/logr"
)

func bare(log logr.Logger, work func() error) error {
	if err := work(); err != nil {
		log.Error(err, "work failed") // want `err is logged here and returned below`
		return err
	}
	return nil
}

func wrapped(work func() error) error {
	err := work()
	switch {
	case err != nil:
		slog.Warn("work failed", "error", err) // want `err is logged here and returned below`
		return fmt.Errorf("working: %w", err)
	}
	return nil
}
