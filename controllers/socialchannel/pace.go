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
	// applicationSeen is the version of the application's Secret.
	applicationSeen string
	// exposed is the delivered credential that somebody has seen who must not,
	// where the platform can renew it; empty for none.
	exposed string
}

// inputs are what this reconcile has asked the platform with, as far as it came.
func (s *scope) inputs() probeInputs {
	inputs := probeInputs{uid: s.channel.UID, generation: s.channel.Generation, exposed: s.exposed(), applicationSeen: s.applicationSeen}
	if s.social != nil {
		inputs.server = s.social.Spec.ServerURL()
	}
	if s.source != nil {
		inputs.sourceSeen = s.source.ResourceVersion
	}
	return inputs
}
