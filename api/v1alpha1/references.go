// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// ClusterReference names a cluster-scoped object of this API group.
type ClusterReference struct {
	// name of the object, for example "customer-care".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be a lower-case DNS name such as customer-care"
	Name string `json:"name,omitempty"`
}

// SecretReference names a Secret in the same namespace as the object that
// refers to it. There is no namespace field on purpose: an object can never
// reach into another namespace.
type SecretReference struct {
	// name of the Secret, for example "acme-help-source".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be a Secret's name in the same namespace: lower-case letters, digits, - and ., without a slash"
	Name string `json:"name,omitempty"`
}

// LocalReference names an object of this API group in the same namespace as the
// object that refers to it.
type LocalReference struct {
	// name of the object, for example "care".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be that of an object in the same namespace: lower-case letters, digits, - and ., without a slash"
	Name string `json:"name,omitempty"`
}

// SecretKeyReference names a key of a Secret. In which namespace the Secret is
// follows from the object that refers to it; none can be given.
type SecretKeyReference struct {
	// name of the Secret, for example "maria-pager".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be a Secret's name: lower-case letters, digits, - and ., without a slash"
	Name string `json:"name,omitempty"`

	// key in the Secret's data, for example "url".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="key must be a key of a Secret: letters, digits, - _ and ."
	Key string `json:"key,omitempty"`
}

// ManagementPolicy says whether Rostra may change anything at the platform.
// +kubebuilder:validation:Enum=Manage;Observe
type ManagementPolicy string

const (
	// ManagementManage lets Rostra mint, deliver, rotate and revoke.
	ManagementManage ManagementPolicy = "Manage"
	// ManagementObserve lets Rostra look and report, and never change
	// anything at the platform.
	ManagementObserve ManagementPolicy = "Observe"
)
