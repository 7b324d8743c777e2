// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package freeze holds the rules of a PublishingFreeze: whether it is in force,
// and which channels it holds. It knows no client and no clock.
package freeze

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// ErrSelector is in the chain of the error for a selector that cannot be read.
var ErrSelector = errors.New("the selector cannot be read")

// InForce tells whether a freeze freezes anything at an instant: it is active,
// and its end has not come.
func InForce(freeze *v1alpha1.PublishingFreeze, now time.Time) bool {
	active := freeze.Spec.Active
	return active != nil && *active && !Expired(freeze, now)
}

// Expired tells whether a freeze is past its end.
func Expired(freeze *v1alpha1.PublishingFreeze, now time.Time) bool {
	return freeze.Spec.ExpiresAt != nil && !now.Before(freeze.Spec.ExpiresAt.Time)
}

// Selector tells which channels a freeze selects.
type Selector struct{ channels, namespaces labels.Selector }

// Parse reads a freeze's selectors. The error, with ErrSelector in its chain,
// says which of them cannot be read, and why.
func Parse(freeze *v1alpha1.PublishingFreeze) (Selector, error) {
	channels, err := metav1.LabelSelectorAsSelector(freeze.Spec.ChannelSelector)
	if err != nil {
		return Selector{}, fmt.Errorf("%w: spec.channelSelector: %w", ErrSelector, err)
	}
	selector := Selector{channels: channels, namespaces: labels.Everything()}
	if freeze.Spec.NamespaceSelector == nil {
		return selector, nil
	}
	if selector.namespaces, err = metav1.LabelSelectorAsSelector(freeze.Spec.NamespaceSelector); err != nil {
		return Selector{}, fmt.Errorf("%w: spec.namespaceSelector: %w", ErrSelector, err)
	}
	return selector, nil
}

// Selects tells whether a channel of these labels, in a namespace of those, is
// selected. The zero Selector selects nothing.
func (s Selector) Selects(channel, namespace map[string]string) bool {
	return s.channels != nil && s.channels.Matches(labels.Set(channel)) && s.namespaces.Matches(labels.Set(namespace))
}

// Hold is what holds one channel at an instant.
type Hold struct {
	// Names of the freezes that hold it, in their order, as many as a status can
	// name; none if it is not frozen.
	Names []string
	// Reason of the first.
	Reason string
	// Until is when the last of them lifts by itself, as far as that is known;
	// zero where one holds until a person lifts it.
	Until time.Time
	// ChangesAt is when the next of them lifts by itself, or zero.
	ChangesAt time.Time
}

// maxNames bounds the freezes that a channel's status names; see the schema.
const maxNames = 64

// maxMark bounds what is written on an emptied Secret.
const maxMark = 1024

// Held tells what holds a channel of these labels, in a namespace of those. A
// freeze whose selectors cannot be read holds nothing.
func Held(freezes []v1alpha1.PublishingFreeze, channel, namespace map[string]string, now time.Time) Hold {
	var hold Hold
	endless := false
	reasons := map[string]string{}
	for i := range freezes {
		freeze := &freezes[i]
		if !InForce(freeze, now) {
			continue
		}
		if selector, err := Parse(freeze); err != nil || !selector.Selects(channel, namespace) {
			continue
		}
		hold.Names = append(hold.Names, freeze.Name)
		reasons[freeze.Name] = freeze.Spec.Reason
		if freeze.Spec.ExpiresAt == nil {
			endless = true
			continue
		}
		end := freeze.Spec.ExpiresAt.Time
		if hold.ChangesAt.IsZero() || end.Before(hold.ChangesAt) {
			hold.ChangesAt = end
		}
		if end.After(hold.Until) {
			hold.Until = end
		}
	}
	if len(hold.Names) == 0 {
		return Hold{}
	}
	if endless {
		hold.Until = time.Time{}
	}
	slices.Sort(hold.Names)
	hold.Names = hold.Names[:min(len(hold.Names), maxNames)]
	hold.Reason = reasons[hold.Names[0]]
	return hold
}

// Frozen tells whether anything holds the channel.
func (h Hold) Frozen() bool { return len(h.Names) > 0 }

// Mark is what is written on an emptied Secret: which freeze, and why. It stays
// the same while the first of the freezes does.
func (h Hold) Mark() string {
	if !h.Frozen() {
		return ""
	}
	mark := h.Names[0] + ": " + h.Reason
	if len(mark) > maxMark {
		mark = strings.ToValidUTF8(mark[:maxMark], "")
	}
	return mark
}
