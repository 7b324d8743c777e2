// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky_test

import (
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
)

var _ = bluesky.New

var _ = conformance.Run
