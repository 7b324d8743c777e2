// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RotaOverrideSpec puts one person on duty for a time, whatever the rota says.
// Where two are in force at once, the one that begins later answers; of two
// that begin together the one that ends sooner; of two that are alike the one
// whose name comes first.
//
// +kubebuilder:validation:XValidation:rule="self.from < self.until",message="until must be later than from",fieldPath=".until"
type RotaOverrideSpec struct {
	// responderRotaRef names the rota, in the same namespace.
	// +required
	ResponderRotaRef LocalReference `json:"responderRotaRef,omitzero"`

	// teamRef names the member's Team. It need not be one of the rota's.
	// +required
	TeamRef ClusterReference `json:"teamRef,omitzero"`

	// member who is on duty, by name. While the member is not in the team, the
	// override does nothing.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="member must be a member's name: lower-case letters, digits and -, for example maria"
	Member string `json:"member,omitempty"`

	// from is when it begins (RFC 3339).
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z') && self <= timestamp('9999-12-31T23:59:59Z')",message="from must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
	From metav1.Time `json:"from,omitzero"`

	// until is when it ends (RFC 3339).
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z') && self <= timestamp('9999-12-31T23:59:59Z')",message="until must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
	Until metav1.Time `json:"until,omitzero"`

	// reason is for people, for example "swap with maria".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^([^\\\\p{C}\\\\p{Zl}\\\\p{Zp}]|[\\\\x{200c}\\\\x{200d}])+$')",message="reason must be one line, without control or invisible characters"
	Reason string `json:"reason,omitempty"`
}

// RotaOverrideStatus is what Rostra found out about an override.
type RotaOverrideStatus struct {
	// conditions of the override: Ready says whether it is in force, waits for
	// its time, is over, or cannot work.
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
}

// RotaOverride puts one person on duty for a time, whatever the rota says. Of
// several in force at once, the one that begins later answers.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=rotaov,categories=social
// +kubebuilder:printcolumn:name="Rota",type=string,JSONPath=`.spec.responderRotaRef.name`
// +kubebuilder:printcolumn:name="Member",type=string,JSONPath=`.spec.member`
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.spec.from`
// +kubebuilder:printcolumn:name="Until",type=string,JSONPath=`.spec.until`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Why",type=string,priority=1,JSONPath=`.spec.reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type RotaOverride struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says who is on duty, and when.
	// +required
	Spec RotaOverrideSpec `json:"spec,omitzero"`

	// status says whether it is in force.
	// +optional
	Status RotaOverrideStatus `json:"status,omitzero"`
}

// RotaOverrideList is a list of overrides.
//
// +kubebuilder:object:root=true
type RotaOverrideList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RotaOverride `json:"items"`
}
