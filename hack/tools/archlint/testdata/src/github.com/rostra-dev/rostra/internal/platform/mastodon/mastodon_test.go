// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon_test

import _ "github.com/rostra-dev/rostra/internal/platform/bluesky" // want `platform mastodon imports its sibling bluesky`
