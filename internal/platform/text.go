// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"strings"
	"unicode"
)

// MaxDisplayName bounds a display name, in characters. Platforms' own limits
// are lower.
const MaxDisplayName = 100

// OneLine makes a name that strangers wrote fit for a status: no control or
// format characters, and not too long.
func OneLine(name string) string {
	kept := []rune(strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return -1
	}, name))
	return strings.TrimSpace(string(kept[:min(len(kept), MaxDisplayName)]))
}
