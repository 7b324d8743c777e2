// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Weekday is a day of the week.
// +kubebuilder:validation:Enum=Mon;Tue;Wed;Thu;Fri;Sat;Sun
type Weekday string

// Days of the week, as manifests write them.
const (
	Monday    Weekday = "Mon"
	Tuesday   Weekday = "Tue"
	Wednesday Weekday = "Wed"
	Thursday  Weekday = "Thu"
	Friday    Weekday = "Fri"
	Saturday  Weekday = "Sat"
	Sunday    Weekday = "Sun"
)

// WeeklyWindow is a range of hours on some days of each week, by the clock on
// the wall. A range that ends before its beginning goes on over midnight and belongs
// to the day on which it begins.
//
// +kubebuilder:validation:XValidation:rule="self.from != self.to",message="from and to are the same, so the window is empty: for a whole day write from 00:00 to 24:00",fieldPath=".to"
type WeeklyWindow struct {
	// days on which the window begins, for example [Mon, Tue]. Default: every
	// day.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`

	// from is when the window begins, hours and minutes, for example "09:00".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",message="from must be a time of day from 00:00 to 23:59, for example 09:00"
	From string `json:"from,omitempty"`

	// to is when the window ends, hours and minutes, for example "18:00"; that
	// minute is no longer in it. "24:00" is the end of the day.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$')",message="to must be a time of day from 00:00 to 24:00, for example 18:00"
	To string `json:"to,omitempty"`
}

// OnCall is who answers now, and until when.
type OnCall struct {
	// member who is on duty.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Member string `json:"member,omitempty"`

	// team in which the member is on duty.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Team string `json:"team,omitempty"`

	// layer of the rota that answers; "override" where a RotaOverride does.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Layer string `json:"layer,omitempty"`

	// since is when this duty began. Unset: more than a year ago.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// until is when it ends: the next hand-off. Unset: not within a year.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`

	// next is the member who takes over at that time. Unset: nobody does, or
	// the duty does not end.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Next string `json:"next,omitempty"`
}

// Coverage is how far a rota fills the hours that it should, over 14 days from
// today's midnight.
type Coverage struct {
	// percent of the promised time in which somebody is on duty, rounded down.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`

	// uncoveredPerWeek is the promised time in which nobody is on duty, in a
	// week, for example "112h0m0s".
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	UncoveredPerWeek *metav1.Duration `json:"uncoveredPerWeek,omitempty"`

	// nextGap is the gap at hand, or else the next one.
	// +optional
	NextGap *CoverageGap `json:"nextGap,omitempty"`

	// gaps that are not over yet, the first sixteen of them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Gaps []CoverageGap `json:"gaps,omitempty"`
}

// CoverageGap is a time that is promised and in which nobody is on duty.
type CoverageGap struct {
	// start of the gap; one that began more than 14 days before today's midnight
	// is cut there.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// end of the gap: that instant is covered again, or no longer promised. One
	// that goes on for more than 28 days from today's midnight is cut there.
	// +required
	End metav1.Time `json:"end,omitzero"`
}
