// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package selection tells which channels are meant by the selectors of a freeze
// or of a policy. It knows no client.
package selection

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Selector tells which channels are selected. The zero value selects none.
type Selector struct {
	channels labels.Selector
	// namespaces is nil where their labels do not matter.
	namespaces labels.Selector
}

// Parse reads spec.channelSelector, where nil selects nothing, and
// spec.namespaceSelector, where nil leaves every namespace in. The error says
// which of them cannot be read, and why.
func Parse(channelSelector, namespaceSelector *metav1.LabelSelector) (Selector, error) {
	channels, err := metav1.LabelSelectorAsSelector(channelSelector)
	if err != nil {
		return Selector{}, unreadable("spec.channelSelector", err)
	}
	if namespaceSelector == nil {
		return Selector{channels: channels}, nil
	}
	namespaces, err := metav1.LabelSelectorAsSelector(namespaceSelector)
	if err != nil {
		return Selector{}, unreadable("spec.namespaceSelector", err)
	}
	return Selector{channels: channels, namespaces: namespaces}, nil
}

func unreadable(field string, err error) error {
	return fmt.Errorf("the selector cannot be read: %s: %w", field, err)
}

// Selects tells whether a channel of these labels, in a namespace of those, is
// selected.
func (s Selector) Selects(channel, namespace map[string]string) bool {
	if s.channels == nil || !s.channels.Matches(labels.Set(channel)) {
		return false
	}
	return !s.LooksAtNamespaces() || s.namespaces.Matches(labels.Set(namespace))
}

// LooksAtNamespaces tells whether it matters which labels a namespace has.
func (s Selector) LooksAtNamespaces() bool { return s.namespaces != nil }
