// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

type Platform interface{}
