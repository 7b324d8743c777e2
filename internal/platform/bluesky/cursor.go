// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"encoding/json"

	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// placeVersion changes with the form of a place.
	placeVersion = 1
	// maxPlace bounds a cursor of Rostra's own, in bytes.
	maxPlace = 4096
)

// place is where the last poll stopped: the cursor of [platform.Poller]. What
// was not asked for so far has no trail.
type place struct {
	Version int `json:"v"`
	// DID of the account whose lists these are.
	DID           string `json:"did"`
	Notifications *trail `json:"notifications,omitempty"`
	Posts         *trail `json:"posts,omitempty"`
}

// readPlace reads a cursor. One that is empty or damaged, of another version or
// of another account begins now: to guess would raise what was told before.
func readPlace(cursor, did string) place {
	begins := place{Version: placeVersion, DID: did}
	if len(cursor) > maxPlace {
		return begins
	}
	var read place
	if err := json.Unmarshal([]byte(cursor), &read); err != nil || read.Version != placeVersion || read.DID != did {
		return begins
	}
	if !read.Notifications.valid() || !read.Posts.valid() {
		return begins
	}
	return read
}

func (p place) cursor() (string, error) {
	content, err := json.Marshal(p)
	if err != nil {
		return "", &platform.Failure{Class: platform.Permanent, Message: "the place in the account's events cannot be written as JSON", Cause: err}
	}
	return string(content), nil
}

// more tells that something was left to read.
func (p place) more() bool {
	return p.Notifications != nil && p.Notifications.Rest != nil || p.Posts != nil && p.Posts.Rest != nil
}
