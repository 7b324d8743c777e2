// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LayerOverride is the name under which a RotaOverride answers in place of the
// rota's layers.
const LayerOverride = "override"

// ResponderRotaSpec says who is on duty when.
type ResponderRotaSpec struct {
	// timeZone in which hand-offs and windows are read: a name of the IANA
	// database, for example "Europe/London".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$') && self != 'Local'",message="timeZone must be a name of the IANA database such as Europe/London, or UTC"
	TimeZone string `json:"timeZone,omitempty"`

	// layers in their order: the first one with somebody on duty answers.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Layers []RotaLayer `json:"layers,omitempty"`

	// unavailability is when somebody takes no turns: whoever comes next in the
	// layer stands in. A RotaOverride stands above it. Default: none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	Unavailability []Unavailability `json:"unavailability,omitempty"`
}

// RotaLayer is a row of people who take turns, at some hours.
type RotaLayer struct {
	// name of the layer, unique in the rota, for example "weekdays".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="name must be lower-case letters, digits and -, for example weekdays"
	// +kubebuilder:validation:XValidation:rule="self != 'override'",message="override is what Rostra calls the answer of a RotaOverride: give the layer another name"
	Name string `json:"name,omitempty"`

	// teamRef names the Team whose members take turns.
	// +required
	TeamRef ClusterReference `json:"teamRef,omitzero"`

	// members in the order of their turns, by name. Default: all of the team's,
	// as listed there.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="member must be a member's name: lower-case letters, digits and -, for example maria"
	// +kubebuilder:validation:XValidation:rule="self.all(m, self.exists_one(n, n == m))",message="a member is listed twice: each takes one turn in a round"
	Members []string `json:"members,omitempty"`

	// handoff says when a turn ends and the next begins. Default: there are no
	// turns; the first member who is there answers, the others stand in.
	// +optional
	Handoff *Handoff `json:"handoff,omitempty"`

	// windows are the hours at which the layer answers. Default: all hours.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Windows []WeeklyWindow `json:"windows,omitempty"`
}

// HandoffUnit is what the length of a turn is counted in.
// +kubebuilder:validation:Enum=Hour;Day;Week
type HandoffUnit string

// Units of a turn's length, by the clock on the wall: a day may have 23 or 25
// hours.
const (
	HandoffHour HandoffUnit = "Hour"
	HandoffDay  HandoffUnit = "Day"
	HandoffWeek HandoffUnit = "Week"
)

// Handoff says when turns change.
type Handoff struct {
	// start of the first turn, by the clock on the wall in the rota's zone, for
	// example "2026-11-02T09:00:00". Before it, nobody of the layer is on duty.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$')",message="start must be a date and time without a zone such as 2026-11-02T09:00:00: it is read in the rota's timeZone"
	Start string `json:"start,omitempty"`

	// every is how many units a turn lasts. From 1 to 1000.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Every int32 `json:"every,omitempty"`

	// unit that every counts: Hour, Day or Week.
	// +required
	Unit HandoffUnit `json:"unit,omitempty"`
}

// Unavailability is a time at which somebody takes no turns.
//
// +kubebuilder:validation:XValidation:rule="self.from < self.until",message="until must be later than from",fieldPath=".until"
type Unavailability struct {
	// member who takes no turns, by name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="member must be a member's name: lower-case letters, digits and -, for example maria"
	Member string `json:"member,omitempty"`

	// teamRef names the member's team, where two layers know different people
	// by one name. Default: whoever has the name in any layer.
	// +optional
	TeamRef *ClusterReference `json:"teamRef,omitempty"`

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
}

// ResponderRotaStatus is what Rostra found out about a rota.
type ResponderRotaStatus struct {
	// conditions of the rota: Ready, ScheduleValid, MembersResolved,
	// MembersReachable.
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

	// onCall is who answers now. Unset: nobody does.
	// +optional
	OnCall *OnCall `json:"onCall,omitempty"`

	// nextHandoff is when somebody else answers than now, or nobody. Unset: not
	// within a year.
	// +optional
	NextHandoff *metav1.Time `json:"nextHandoff,omitempty"`

	// coverage is how far the rota fills all hours, day and night.
	// +optional
	Coverage *Coverage `json:"coverage,omitempty"`

	// unreachable are those who take turns and have no usable way to be told,
	// as team/member: nothing in the team's notify, or a Secret there that does
	// not exist.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=317
	Unreachable []string `json:"unreachable,omitempty"`

	// left are those whom the rota still lists although their membership has
	// ended, as team/member.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=317
	Left []string `json:"left,omitempty"`

	// overrides in force now, by name; the one that answers comes first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	Overrides []string `json:"overrides,omitempty"`
}

// ResponderRota is who is on duty when.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,path=responderrotas,shortName=rota,categories=social
// +kubebuilder:printcolumn:name="On-Call",type=string,JSONPath=`.status.onCall.member`
// +kubebuilder:printcolumn:name="Layer",type=string,JSONPath=`.status.onCall.layer`
// +kubebuilder:printcolumn:name="Next-Handoff",type=string,JSONPath=`.status.nextHandoff`
// +kubebuilder:printcolumn:name="Next",type=string,JSONPath=`.status.onCall.next`
// +kubebuilder:printcolumn:name="Coverage",type=integer,JSONPath=`.status.coverage.percent`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Time-Zone",type=string,priority=1,JSONPath=`.spec.timeZone`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ResponderRota struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says who is on duty when.
	// +required
	Spec ResponderRotaSpec `json:"spec,omitzero"`

	// status is who is on duty now, and what is not in order.
	// +optional
	Status ResponderRotaStatus `json:"status,omitzero"`
}

// ResponderRotaList is a list of rotas.
//
// +kubebuilder:object:root=true
type ResponderRotaList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ResponderRota `json:"items"`
}
