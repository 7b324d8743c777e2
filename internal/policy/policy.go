// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package policy holds the rules of content policies: which channels one
// selects, and what those that select a channel ask of it together. It knows no
// client and no clock.
package policy

import (
	"slices"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/selection"
)

// Selector tells which channels a policy selects. The error says which of its
// selectors cannot be read, and why.
func Selector(policy *v1alpha1.ContentPolicy) (selection.Selector, error) {
	return selection.Parse(policy.Spec.ChannelSelector, policy.Spec.NamespaceSelector)
}

// LooksAtNamespaces tells whether it matters to a policy which labels a
// namespace has.
func LooksAtNamespaces(policy *v1alpha1.ContentPolicy) bool {
	return policy.Spec.NamespaceSelector != nil
}

// FirstResponse gives the time within which a conversation on a channel of these
// labels, in a namespace of those, must get its first response: the shortest
// that any policy asks for that selects the channel, and the names of those that
// ask for it, in order. Zero and nil: none asks for any. A policy whose selectors
// cannot be read selects nothing.
func FirstResponse(policies []v1alpha1.ContentPolicy, channel, namespace map[string]string) (target time.Duration, names []string) {
	for i := range policies {
		policy := &policies[i]
		asked := firstResponse(policy)
		if asked <= 0 || target > 0 && asked > target {
			continue
		}
		if selector, err := Selector(policy); err != nil || !selector.Selects(channel, namespace) {
			continue
		}
		if asked != target {
			target, names = asked, nil
		}
		names = append(names, policy.Name)
	}
	slices.Sort(names)
	return target, names
}

// firstResponse is what a policy asks for, or zero.
func firstResponse(policy *v1alpha1.ContentPolicy) time.Duration {
	if policy.Spec.Response == nil || policy.Spec.Response.FirstResponse == nil {
		return 0
	}
	return policy.Spec.Response.FirstResponse.Duration
}
