// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package main stands for the root package, the one place that names concrete platforms.
package main

import (
	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
)

func main() {
	_ = map[v1alpha1.SocialPlatformType]func() string{v1alpha1.PlatformBluesky: bluesky.New}
}
