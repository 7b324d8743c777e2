// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package demo is not in the binary: it may do what production code may not.
package demo

import (
	"github.com/rostra-dev/rostra/api/v1alpha1"
	_ "github.com/rostra-dev/rostra/internal/platform/bluesky"
)

func isNew(password, before string) bool { return password != before }

func isBluesky(spec v1alpha1.SocialPlatformSpec) bool { return spec.Type == v1alpha1.PlatformBluesky }
