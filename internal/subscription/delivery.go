// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package subscription decides in which way a channel's events come, when a
// subscription is registered, looked at and renewed, and how often a platform
// is polled. It is pure: what is known goes in, and what is to be done comes
// out.
package subscription

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/event"
)

// Offer is what can be had of a platform.
type Offer struct {
	// Pushes are the kinds of events that it pushes, and Polls those that it can
	// be asked for; none where it cannot do either.
	Pushes, Polls []event.Kind
	// Gateway tells whether platforms can reach Rostra's gateway.
	Gateway bool
}

// Choice is the way in which events come, or why they do not.
type Choice struct {
	// Delivery is Push or Poll; empty where neither will do.
	Delivery v1alpha1.SubscriptionDelivery
	// Reason and Message of the condition where neither will do.
	Reason, Message string
}

// Kinds are the kinds of the events that a channel subscribes to, in the order
// of their names.
func Kinds(events []v1alpha1.SubscribedEvent) []event.Kind {
	kinds := make([]event.Kind, 0, len(events))
	for _, e := range events {
		kinds = append(kinds, event.Kind(e))
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// Events are the events that a channel subscribes to, of those kinds.
func Events(kinds []event.Kind) []v1alpha1.SubscribedEvent {
	events := make([]v1alpha1.SubscribedEvent, 0, len(kinds))
	for _, kind := range kinds {
		events = append(events, v1alpha1.SubscribedEvent(kind))
	}
	return events
}

// Choose picks the way in which all events that are wanted come: as it was
// asked for, or pushed rather than polled.
func Choose(offer Offer, want []event.Kind, asked v1alpha1.SubscriptionDelivery) Choice {
	pushed, polled := len(lacking(want, offer.Pushes)) == 0, len(lacking(want, offer.Polls)) == 0
	switch {
	case asked != v1alpha1.DeliverPoll && pushed && offer.Gateway:
		return Choice{Delivery: v1alpha1.DeliverPush}
	case asked != v1alpha1.DeliverPush && polled:
		return Choice{Delivery: v1alpha1.DeliverPoll}
	case asked != v1alpha1.DeliverPoll && pushed:
		return Choice{Reason: v1alpha1.ReasonGatewayNotConfigured, Message: withoutGateway(polled)}
	}
	return Choice{Reason: v1alpha1.ReasonEventsUnsupported, Message: unsupported(offer, want, asked)}
}

func withoutGateway(polled bool) string {
	message := "the platform pushes these events, and this Rostra was not told at which URL platforms reach its gateway: start it with --gateway-url"
	if polled {
		message += ", or set spec.subscription.delivery to Auto or Poll"
	}
	return message
}

// unsupported says which events cannot come, and what would do.
func unsupported(offer Offer, want []event.Kind, asked v1alpha1.SubscriptionDelivery) string {
	unpushed, unpolled := lacking(want, offer.Pushes), lacking(want, offer.Polls)
	never := intersection(unpushed, unpolled)
	switch {
	case len(offer.Pushes) == 0 && len(offer.Polls) == 0:
		return "this platform neither pushes events nor can be asked for them: remove spec.subscription"
	case len(never) > 0:
		return fmt.Sprintf("this platform has no %s: take %s out of spec.subscription.events", words(never), it(never))
	case asked == v1alpha1.DeliverPush && len(unpolled) == 0:
		return fmt.Sprintf("this platform does not push %s: set spec.subscription.delivery to Auto or Poll", words(unpushed))
	case asked == v1alpha1.DeliverPoll && len(unpushed) == 0:
		return fmt.Sprintf("this platform cannot be asked for %s: set spec.subscription.delivery to Auto or Push", words(unpolled))
	case asked == v1alpha1.DeliverPush:
		return fmt.Sprintf("this platform does not push %s: take %s out of spec.subscription.events", words(unpushed), it(unpushed))
	case asked == v1alpha1.DeliverPoll:
		return fmt.Sprintf("this platform cannot be asked for %s: take %s out of spec.subscription.events", words(unpolled), it(unpolled))
	}
	return fmt.Sprintf("no one way gives all these events: this platform does not push %s, and cannot be asked for %s: take one or the other out of spec.subscription.events",
		words(unpushed), words(unpolled))
}

// lacking are the kinds wanted that are not there.
func lacking(want, have []event.Kind) []event.Kind {
	return slices.DeleteFunc(slices.Clone(want), func(kind event.Kind) bool { return slices.Contains(have, kind) })
}

func intersection(a, b []event.Kind) []event.Kind {
	return slices.DeleteFunc(slices.Clone(a), func(kind event.Kind) bool { return !slices.Contains(b, kind) })
}

func words(kinds []event.Kind) string {
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

func it(kinds []event.Kind) string {
	if len(kinds) == 1 {
		return "it"
	}
	return "them"
}
