// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	_ "github.com/rostra-dev/rostra/internal/platform/bluesky"
	_ "github.com/rostra-dev/rostra/internal/platform/conformance"
)
