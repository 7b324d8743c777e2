// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ContentPolicySpec says which channels a policy is for, and what it asks of
// them.
//
// +kubebuilder:validation:XValidation:rule="has(self.response)",message="the policy asks for nothing: write what it asks for, such as response: {firstResponse: 1h}",fieldPath=".response"
type ContentPolicySpec struct {
	// channelSelector selects channels by their labels. An empty selector ({})
	// selects every channel. A selector that cannot be read selects none, and
	// the object's Ready condition says so.
	// +required
	ChannelSelector *metav1.LabelSelector `json:"channelSelector,omitempty"`

	// namespaceSelector selects, by their labels, the namespaces of the
	// channels. Default: every namespace.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// response is how soon people who write to the channels hear from us.
	// +optional
	Response *ResponsePolicy `json:"response,omitempty"`
}

// ResponsePolicy is how soon people who write to a channel hear from us.
type ResponsePolicy struct {
	// firstResponse is the time within which a conversation gets its first
	// response: an answer, or somebody's acknowledgement. Of several policies
	// that select a channel the shortest time holds. For example "1h". From 1m
	// to 168h.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('1m') && duration(self) <= duration('168h')",message="firstResponse must be a duration in hours, minutes and seconds such as 1h, from 1m to 168h"
	FirstResponse *metav1.Duration `json:"firstResponse,omitempty"`
}

// ContentPolicyStatus is what Rostra found out about a policy.
type ContentPolicyStatus struct {
	// conditions of the policy: Ready is True when it selects a channel.
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

	// channels that the policy selects. While they change it is written at most
	// once a minute. Unset: the selectors cannot be read.
	// +optional
	Channels *SelectedChannels `json:"channels,omitempty"`
}

// SelectedChannels counts the channels that a policy selects.
type SelectedChannels struct {
	// count of channels, all of them.
	// +required
	// +kubebuilder:validation:Minimum=0
	Count *int32 `json:"count,omitempty"`

	// names of the first hundred, as namespace/name, in order.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=317
	Names []string `json:"names,omitempty"`
}

// ContentPolicy is what the company asks of the channels that it selects,
// whoever owns them. A channel cannot opt out.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,path=contentpolicies,shortName=cp,categories=social
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.response.firstResponse`
// +kubebuilder:printcolumn:name="Channels",type=integer,JSONPath=`.status.channels.count`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ContentPolicy struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which channels the policy is for, and what it asks of them.
	// +required
	Spec ContentPolicySpec `json:"spec,omitzero"`

	// status is which channels it selects.
	// +optional
	Status ContentPolicyStatus `json:"status,omitzero"`
}

// ContentPolicyList is a list of policies.
//
// +kubebuilder:object:root=true
type ContentPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ContentPolicy `json:"items"`
}
