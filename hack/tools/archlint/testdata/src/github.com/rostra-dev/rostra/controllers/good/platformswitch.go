// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package good

import "github.com/rostra-dev/rostra/api/v1alpha1"

func changed(before, after v1alpha1.SocialPlatformSpec) bool { return before.Type != after.Type }

func unset(spec v1alpha1.SocialPlatformSpec) bool { return spec.Type == "" }

func count(specs []v1alpha1.SocialPlatformSpec) map[v1alpha1.SocialPlatformType]int {
	byType := map[v1alpha1.SocialPlatformType]int{}
	for _, spec := range specs {
		byType[spec.Type]++
	}
	return byType
}

func interval(spec v1alpha1.SocialPlatformSpec) string { return spec.Discovery.Interval }

func server(spec v1alpha1.SocialPlatformSpec) string { return spec.ServerURL() }
