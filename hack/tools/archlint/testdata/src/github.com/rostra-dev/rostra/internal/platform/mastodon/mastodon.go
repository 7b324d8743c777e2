// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	_ "github.com/rostra-dev/rostra/internal/platform/bluesky"         // want `platform mastodon imports its sibling bluesky`
	_ "github.com/rostra-dev/rostra/internal/platform/bluesky/lexicon" // want `platform mastodon imports its sibling bluesky`
	_ "github.com/rostra-dev/rostra/internal/platform/conformance"     // want `is for tests`
)
