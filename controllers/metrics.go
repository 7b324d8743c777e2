// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// registered registers a metric, and gives the one to be used: another manager
// in this process may have registered the same before.
func registered[C prometheus.Collector](registry prometheus.Registerer, made C) (C, error) {
	err := registry.Register(made)
	if already, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		existing, ok := already.ExistingCollector.(C)
		if !ok {
			return made, fmt.Errorf("the metric's name is taken: %w", err)
		}
		return existing, nil
	}
	return made, err
}
