// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	_ "github.com/rostra-dev/rostra/internal/platform"
	_ "github.com/rostra-dev/rostra/internal/platform/bluesky/lexicon"
)

func New() string { return "" }
