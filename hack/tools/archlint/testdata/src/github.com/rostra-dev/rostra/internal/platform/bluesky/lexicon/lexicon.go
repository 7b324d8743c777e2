// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package lexicon

const Version = 1
