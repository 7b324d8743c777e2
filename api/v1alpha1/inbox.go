// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ChannelInbox is how a channel's messages are answered. The conversations
// themselves are in Rostra's inbox; `rostra inbox` lists them.
type ChannelInbox struct {
	// open is how many conversations wait for somebody to answer or to
	// acknowledge them.
	// +required
	// +kubebuilder:validation:Minimum=0
	Open *int32 `json:"open,omitempty"`

	// oldestOpen is since when the oldest of them waits. Unset: none does.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z') && self <= timestamp('9999-12-31T23:59:59Z')",message="oldestOpen must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
	OldestOpen *metav1.Time `json:"oldestOpen,omitempty"`

	// firstResponseP50 is the time within which half of the conversations of
	// the last seven days got their first response: an answer, or somebody's
	// acknowledgement. Unset: none did.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	FirstResponseP50 *metav1.Duration `json:"firstResponseP50,omitempty"`

	// firstResponseP90 is the time within which nine of ten did.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	FirstResponseP90 *metav1.Duration `json:"firstResponseP90,omitempty"`

	// withinTarget is the share, in percent, of the conversations of the last
	// seven days that got their first response within the time that the content
	// policies promise; those that wait for longer than that count as late.
	// Unset: no policy promises one, or there were none.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	WithinTarget *int32 `json:"withinTarget,omitempty"`
}
