// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package freeze holds the rules of a PublishingFreeze: whether it is in force,
// and which channels it holds. It knows no client and no clock.
package freeze

import (
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/selection"
)

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

// Selector tells which channels a freeze selects, in force or not. The error says
// which of its selectors cannot be read, and why.
func Selector(freeze *v1alpha1.PublishingFreeze) (selection.Selector, error) {
	return selection.Parse(freeze.Spec.ChannelSelector, freeze.Spec.NamespaceSelector)
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
		if selector, err := Selector(freeze); err != nil || !selector.Selects(channel, namespace) {
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
