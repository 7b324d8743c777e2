// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package good

import (
	"errors"
	"fmt"

	"github.com/go-logr/logr"
)

var errStopped = errors.New("stopped")

func logged(log logr.Logger, work func() error) {
	if err := work(); err != nil {
		log.Error(err, "work failed; it is tried again in an hour")
		return
	}
}

func replaced(log logr.Logger, work func() error) error {
	if err := work(); err != nil {
		log.Error(err, "work failed, and the caller must not know why")
		return errStopped
	}
	return nil
}

func returnedElsewhere(log logr.Logger, first, second func() error) error {
	if err := first(); err != nil {
		log.Error(err, "the first is optional")
	}
	if err := second(); err != nil {
		return fmt.Errorf("second: %w", err)
	}
	return nil
}
