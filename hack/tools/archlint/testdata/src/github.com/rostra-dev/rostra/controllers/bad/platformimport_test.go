// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bad

import _ "github.com/rostra-dev/rostra/internal/platform/bluesky" // want `controllers/bad imports the concrete platform bluesky`
