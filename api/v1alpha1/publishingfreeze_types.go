// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PublishingFreezeSpec says which channels are frozen, why, and until when.
type PublishingFreezeSpec struct {
	// channelSelector selects channels by their labels. An empty selector ({})
	// selects every channel. A selector that cannot be read freezes nothing, and
	// the object's Ready condition says so, also while it is inactive.
	// +required
	ChannelSelector *metav1.LabelSelector `json:"channelSelector,omitempty"`

	// namespaceSelector selects, by their labels, the namespaces of the
	// channels. Default: every namespace.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// active says whether the channels are frozen now. An inactive freeze does
	// nothing: it can be prepared and reviewed beforehand, and then takes one
	// word. Default: false.
	// +optional
	// +kubebuilder:default=false
	Active *bool `json:"active,omitempty"`

	// reason is for the people who find their tools without a credential, for
	// example "account takeover". It is shown in the channels' conditions and
	// on the emptied Secrets.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^([^\\\\p{C}\\\\p{Zl}\\\\p{Zp}]|[\\\\x{200c}\\\\x{200d}])+$')",message="reason must be one line, without control or invisible characters"
	Reason string `json:"reason,omitempty"`

	// expiresAt is when an active freeze lifts by itself (RFC 3339). Default:
	// it holds until a person lifts it.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z') && self <= timestamp('9999-12-31T23:59:59Z')",message="expiresAt must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
}

// PublishingFreezeStatus is how far a freeze has come.
type PublishingFreezeStatus struct {
	// conditions of the freeze: Ready is True while it is inactive, when every
	// channel it selects is frozen, and when it has expired.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(c, has(c.observedGeneration))",message="every condition says which generation it observed: set observedGeneration"
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation that this status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// affected counts the channels that an active freeze selects. Unset while
	// it is not in force.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Affected *int32 `json:"affected,omitempty"`

	// withdrawn counts those of them whose credentials are withdrawn and
	// revoked.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Withdrawn *int32 `json:"withdrawn,omitempty"`

	// failed counts those of them at which a person must do something, because
	// Rostra cannot: their PublishingAllowed condition says what.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Failed *int32 `json:"failed,omitempty"`

	// failures names those channels as namespace/name, the first hundred.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=317
	Failures []string `json:"failures,omitempty"`

	// lastAccessEndsAt is when the last access ends that was opened with any of
	// the revoked credentials, as far as they are revoked.
	// +optional
	LastAccessEndsAt *metav1.Time `json:"lastAccessEndsAt,omitempty"`
}

// PublishingFreeze takes the delivered credentials of the channels that it
// selects away, for a time: they are revoked at the platform and removed from
// the owners' Secrets. Lifting it mints others and delivers them.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=pf,categories=social
// +kubebuilder:printcolumn:name="Active",type=boolean,JSONPath=`.spec.active`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.spec.reason`
// +kubebuilder:printcolumn:name="Affected",type=integer,JSONPath=`.status.affected`
// +kubebuilder:printcolumn:name="Withdrawn",type=integer,JSONPath=`.status.withdrawn`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.failed`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expiresAt`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Last-Access",type=string,priority=1,JSONPath=`.status.lastAccessEndsAt`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type PublishingFreeze struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which channels are frozen, why, and until when.
	// +required
	Spec PublishingFreezeSpec `json:"spec,omitzero"`

	// status is how far it has come.
	// +optional
	Status PublishingFreezeStatus `json:"status,omitzero"`
}

// PublishingFreezeList is a list of freezes.
//
// +kubebuilder:object:root=true
type PublishingFreezeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PublishingFreeze `json:"items"`
}
