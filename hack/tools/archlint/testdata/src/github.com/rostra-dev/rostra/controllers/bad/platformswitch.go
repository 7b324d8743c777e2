// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bad

import "github.com/rostra-dev/rostra/api/v1alpha1"

func tag(spec v1alpha1.SocialPlatformSpec) int {
	switch spec.Type { // want `switch on the platform's type outside the registry`
	case v1alpha1.PlatformBluesky:
		return 1
	}
	return 0
}

func converted(spec v1alpha1.SocialPlatformSpec) int {
	switch string(spec.Type) { // want `switch on the platform's type outside the registry`
	case "Bluesky":
		return 1
	}
	return 0
}

func compared(spec v1alpha1.SocialPlatformSpec) bool {
	return spec.Type != v1alpha1.PlatformMastodon // want `compared with a constant outside the registry`
}

func comparedAsText(spec v1alpha1.SocialPlatformSpec) bool {
	return "Bluesky" == string(spec.Type) // want `compared with a constant outside the registry`
}

func tagless(spec v1alpha1.SocialPlatformSpec) bool {
	switch {
	case spec.Type == v1alpha1.PlatformBluesky: // want `compared with a constant outside the registry`
		return true
	}
	return false
}

func table() map[v1alpha1.SocialPlatformType]int {
	return map[v1alpha1.SocialPlatformType]int{v1alpha1.PlatformBluesky: 300} // want `a switch in disguise`
}

func block(spec *v1alpha1.SocialPlatformSpec) bool {
	return spec.Bluesky != nil // want `the block Bluesky of one platform is read outside the registry`
}
