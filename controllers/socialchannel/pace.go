// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/controllers/pace"
)

// pacer decides when a platform is asked again about a channel.
type pacer = pace.Pacer[probeInputs]

func newPacer() *pacer { return pace.New[probeInputs]() }

// probeInputs are what an observation depends on. Another value of any is a
// reason to ask again.
type probeInputs struct {
	uid        types.UID
	generation int64
	server     string
	sourceSeen string
}
