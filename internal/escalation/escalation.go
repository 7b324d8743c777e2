// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package escalation reads an EscalationRoute: which rule an event matches, and
// who is told, in which order, while nobody has answered. Everything here is
// pure: the time is a parameter, and who is there is asked of Sources.
package escalation

// Problem is something about a route that a person should look at.
type Problem struct {
	// Reason for a condition: one of v1alpha1's reasons.
	Reason string
	// Message says where it is and what to do.
	Message string
	// Warning: every event is heard by somebody all the same, before it comes to
	// the fallback.
	Warning bool
}

// short bounds what a message quotes.
func short(text string) string {
	const limit = 80
	letters := []rune(text)
	if len(letters) <= limit {
		return text
	}
	return string(letters[:limit]) + "…"
}
