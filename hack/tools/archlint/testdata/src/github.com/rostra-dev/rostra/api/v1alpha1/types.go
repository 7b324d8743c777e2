// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 has the shape of the API. A kind may look at its own blocks.
package v1alpha1

type SocialPlatformType string

const (
	PlatformBluesky  SocialPlatformType = "Bluesky"
	PlatformMastodon SocialPlatformType = "Mastodon"
)

type BlueskyPlatform struct{ Service string }

type Discovery struct{ Interval string }

type SocialPlatformSpec struct {
	Type      SocialPlatformType
	Bluesky   *BlueskyPlatform
	Discovery *Discovery
}

func (s SocialPlatformSpec) ServerURL() string {
	if s.Type == PlatformBluesky && s.Bluesky != nil {
		return s.Bluesky.Service
	}
	return ""
}
