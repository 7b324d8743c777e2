// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package policy holds the rules of content policies: which channels one
// selects, and what those that select a channel ask of it together. It knows no
// client and no clock.
package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// ErrSelector is in the chain of the error for a selector that cannot be read.
var ErrSelector = errors.New("the selector cannot be read")

// Selector tells which channels a policy selects. The zero value selects none.
type Selector struct{ channels, namespaces labels.Selector }

// Parse reads a policy's selectors. The error, with ErrSelector in its chain,
// says which of them cannot be read, and why.
func Parse(policy *v1alpha1.ContentPolicy) (Selector, error) {
	var selector Selector
	for _, part := range []struct {
		field string
		from  *metav1.LabelSelector
		into  *labels.Selector
	}{
		{"spec.channelSelector", policy.Spec.ChannelSelector, &selector.channels},
		{"spec.namespaceSelector", orEverything(policy.Spec.NamespaceSelector), &selector.namespaces},
	} {
		read, err := metav1.LabelSelectorAsSelector(part.from)
		if err != nil {
			return Selector{}, fmt.Errorf("%w: %s: %w", ErrSelector, part.field, err)
		}
		*part.into = read
	}
	return selector, nil
}

// orEverything is a selector, or that of everything where there is none.
func orEverything(selector *metav1.LabelSelector) *metav1.LabelSelector {
	if selector == nil {
		return &metav1.LabelSelector{}
	}
	return selector
}

// Selects tells whether a channel of these labels, in a namespace of those, is
// selected.
func (s Selector) Selects(channel, namespace map[string]string) bool {
	return s.channels != nil && s.channels.Matches(labels.Set(channel)) && s.namespaces.Matches(labels.Set(namespace))
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
		if selector, err := Parse(policy); err != nil || !selector.Selects(channel, namespace) {
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
