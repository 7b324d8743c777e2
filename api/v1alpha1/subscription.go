// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SubscribedEvent is a kind of event that a channel may subscribe to. Events
// that concern ownership, such as a permission that was taken away, come along
// where the platform sends them with a subscription.
// +kubebuilder:validation:Enum=Mention;Reply;DirectMessage;OwnPost
type SubscribedEvent string

const (
	// SubscribedMention: somebody names the account.
	SubscribedMention SubscribedEvent = "Mention"
	// SubscribedReply: somebody answers a post of the account.
	SubscribedReply SubscribedEvent = "Reply"
	// SubscribedDirectMessage: somebody writes to the account in private.
	SubscribedDirectMessage SubscribedEvent = "DirectMessage"
	// SubscribedOwnPost: the account itself posts.
	SubscribedOwnPost SubscribedEvent = "OwnPost"
)

// SubscriptionDelivery says in which way events come.
// +kubebuilder:validation:Enum=Auto;Push;Poll
type SubscriptionDelivery string

const (
	// DeliverAuto: pushed where the platform pushes every event that is asked
	// for, else polled.
	DeliverAuto SubscriptionDelivery = "Auto"
	// DeliverPush: pushed by the platform to Rostra's gateway.
	DeliverPush SubscriptionDelivery = "Push"
	// DeliverPoll: asked for by Rostra, again and again.
	DeliverPoll SubscriptionDelivery = "Poll"
)

// ChannelSubscription says which events of a channel must reach Rostra.
//
// +kubebuilder:validation:XValidation:rule="!has(self.keyRotation) || !has(self.delivery) || self.delivery != 'Poll'",message="keyRotation is for pushed events, and delivery is Poll: remove one of them",fieldPath=".keyRotation"
type ChannelSubscription struct {
	// events that must reach Rostra, for example [Mention, Reply]. What a
	// platform has is in the table of capabilities.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Events []SubscribedEvent `json:"events,omitempty"`

	// delivery of events: Auto, Push or Poll. Default: Auto.
	// +optional
	// +kubebuilder:default=Auto
	Delivery SubscriptionDelivery `json:"delivery,omitempty"`

	// pollInterval is how often a platform is asked where it does not push; it
	// is stretched up to tenfold while nothing happens. Default: 1m. From 15s to
	// 1h.
	// +optional
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('15s') && duration(self) <= duration('1h')",message="pollInterval must be a duration in hours, minutes and seconds such as 1m, from 15s to 1h"
	PollInterval *metav1.Duration `json:"pollInterval,omitempty"`

	// keyRotation replaces, on a schedule, the keys that Rostra shares with the
	// platform for this subscription. It is of use where they are Rostra's own,
	// as for Web Push; keys of an application are replaced in its Secret.
	// Default: they are replaced when somebody deletes them.
	// +optional
	KeyRotation *SubscriptionKeyRotation `json:"keyRotation,omitempty"`
}

// SubscriptionKeyRotation replaces the keys of a subscription on a schedule.
//
// +kubebuilder:validation:MinProperties=1
type SubscriptionKeyRotation struct {
	// interval at which they are replaced, for example "720h". From 1h to
	// 8760h.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('1h') && duration(self) <= duration('8760h')",message="interval must be a duration in hours, minutes and seconds such as 720h, from 1h to 8760h"
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// ChannelSubscriptionStatus is how a channel's events reach Rostra.
type ChannelSubscriptionStatus struct {
	// delivery in use: Push or Poll.
	// +required
	Delivery SubscriptionDelivery `json:"delivery,omitempty"`

	// id of the subscription at the platform.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ID string `json:"id,omitempty"`

	// callback that is registered, without its token.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Callback string `json:"callback,omitempty"`

	// events that come. OwnPost is among them, also undeclared, where it is
	// pushed so that answers given at the platform are noticed.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Events []SubscribedEvent `json:"events,omitempty"`

	// registration stands for what was registered last: callback, events and
	// keys. Keys cannot be read back from a platform, so that a change of them
	// shows here alone.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Registration string `json:"registration,omitempty"`

	// registeredAt is when it was registered last.
	// +optional
	RegisteredAt *metav1.Time `json:"registeredAt,omitempty"`

	// keysSince is when the keys in use were made, or first seen.
	// +optional
	KeysSince *metav1.Time `json:"keysSince,omitempty"`

	// leaseUntil is when the platform's promise ends unless it is renewed, which
	// Rostra does ahead of time. Unset: it does not end by itself.
	// +optional
	LeaseUntil *metav1.Time `json:"leaseUntil,omitempty"`

	// lastVerified is when the subscription was seen at the platform, or the
	// last poll succeeded, to the nearest of the times at which that is noted.
	// +optional
	LastVerified *metav1.Time `json:"lastVerified,omitempty"`

	// lastEvent is when the last event came, noted at most once a minute.
	// +optional
	LastEvent *metav1.Time `json:"lastEvent,omitempty"`

	// driftCount is how often the subscription was not as declared.
	// +optional
	// +kubebuilder:validation:Minimum=1
	DriftCount int32 `json:"driftCount,omitempty"`

	// lastDrift is when it was found so last, and driftMessage what was found.
	// +optional
	LastDrift *metav1.Time `json:"lastDrift,omitempty"`

	// driftMessage says what was not as declared.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	DriftMessage string `json:"driftMessage,omitempty"`

	// cursor from which the next poll goes on. It stays beside a subscription
	// that is being made, until what happened before it is fetched.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Cursor string `json:"cursor,omitempty"`

	// ownPosts is how far the account's own posts were asked for on their own,
	// beside the events: a channel with an escalation route notices by them that
	// somebody answered. Unset where they come with the events, or in no way.
	// +optional
	OwnPosts *ChannelOwnPosts `json:"ownPosts,omitempty"`
}

// ChannelOwnPosts is how far the account's own posts were asked for on their
// own.
type ChannelOwnPosts struct {
	// cursor from which the next poll of them goes on.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Cursor string `json:"cursor,omitempty"`

	// lastPolled is when such a poll succeeded last, to the nearest of the times
	// at which that is noted.
	// +optional
	LastPolled *metav1.Time `json:"lastPolled,omitempty"`
}

// ChannelAuthorization is where a person gives Rostra the source credential by
// consent.
type ChannelAuthorization struct {
	// url to be opened in a browser by somebody who can sign in to the account.
	// It gives nothing to anybody who cannot.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`

	// expires is when the url stops to work; another stands here before.
	// +required
	Expires *metav1.Time `json:"expires,omitempty"`
}
