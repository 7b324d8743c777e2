// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TeamSpec says who is in a team, whom it answers to, where its credentials
// land and which channels it consents to own.
//
// +kubebuilder:validation:XValidation:rule="self.members.exists(m, m.name == self.manager)",message="manager must be the name of one of the members",fieldPath=".manager"
type TeamSpec struct {
	// displayName is the name people use, for example "Customer Care".
	// Default: the object's name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`

	// namespace in which credentials of the channels that the team owns are
	// delivered, for example "customer-care". Rostra writes Secrets for a team
	// in this namespace and in no other.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="namespace must be the name of a namespace: lower-case letters, digits and -"
	Namespace string `json:"namespace,omitempty"`

	// manager is the name of the member who answers for the team.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Manager string `json:"manager,omitempty"`

	// reportsToRef names the team that this one reports to. Unset at the top.
	// +optional
	ReportsToRef *ClusterReference `json:"reportsToRef,omitempty"`

	// members of the team. A member counts from its from time until its until
	// time.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Members []TeamMember `json:"members,omitempty"`

	// accepts is the team's consent: the channels it is willing to own. A
	// channel that names the team as owner but is not accepted here stays with
	// the owner it had. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Accepts []AcceptedChannels `json:"accepts,omitempty"`

	// eventSink is where the events of the channels that the team effectively
	// owns are forwarded: a help desk, or a queue of the team's own. They are
	// CloudEvents over HTTP, signed after Standard Webhooks, each channel's in
	// their order. Default: nowhere.
	// +optional
	EventSink *EventSink `json:"eventSink,omitempty"`
}

// EventSink is a team's own tool that hears of events.
type EventSink struct {
	// secretRef names the Secret, in the team's namespace, whose key holds the
	// URL to which events are sent. Beside it, the key signingSecret may hold
	// the secret with which they are signed, as whsec_ and base64.
	// +required
	SecretRef SecretKeyReference `json:"secretRef,omitzero"`
}

// TeamMember is a person in a team.
//
// +kubebuilder:validation:XValidation:rule="!has(self.from) || !has(self.until) || self.from < self.until",message="until must be later than from",fieldPath=".until"
type TeamMember struct {
	// name of the member, unique in the team, for example "maria".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="name must be lower-case letters, digits and -, for example maria"
	Name string `json:"name,omitempty"`

	// email address of the member, for example "maria@acme.example".
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^@\\\\s\\\\p{C}\\\\p{Z}]+@[^@\\\\s\\\\p{C}\\\\p{Z}]+$')",message="email must be an address such as maria@acme.example"
	Email string `json:"email,omitempty"`

	// notify are the ways in which the member is told, in their order. A member
	// without one takes turns in a rota and hears of nothing, which the rota
	// says. Default: none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Notify []NotifyTarget `json:"notify,omitempty"`

	// from is when the membership begins (RFC 3339). Default: it always was.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z') && self <= timestamp('9999-12-31T23:59:59Z')",message="from must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
	From *metav1.Time `json:"from,omitempty"`

	// until is when the membership ends (RFC 3339); at that instant the member
	// has left. Default: it does not end.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z') && self <= timestamp('9999-12-31T23:59:59Z')",message="until must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
	Until *metav1.Time `json:"until,omitempty"`
}

// NotifyTarget is a way in which somebody is told.
type NotifyTarget struct {
	// secretRef names the Secret, in the team's namespace, whose key holds the
	// address to tell. It is a secret because such an address lets whoever has
	// it send.
	// +required
	SecretRef SecretKeyReference `json:"secretRef,omitzero"`
}

// AcceptedChannels are channels of one namespace that a team consents to own.
type AcceptedChannels struct {
	// namespace of the channels.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="namespace must be the name of a namespace: lower-case letters, digits and -"
	Namespace string `json:"namespace,omitempty"`

	// channels are names of channels; * stands for any run of characters, so
	// "*" accepts every channel of the namespace and "help-*" those whose name
	// begins so.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z0-9*]([a-z0-9.*-]*[a-z0-9*])?$')",message="a channel is named as it is, such as acme-help, with * for any run of characters"
	Channels []string `json:"channels,omitempty"`
}

// TeamStatus is what Rostra found out about a team.
type TeamStatus struct {
	// conditions of the team: Ready, ManagerResolved, ChainResolved.
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

	// chain is the reports-to chain above this team, nearest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=253
	Chain []string `json:"chain,omitempty"`

	// activeMembers are the names of those who are members now, as listed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=63
	ActiveMembers []string `json:"activeMembers,omitempty"`

	// channels that the team holds.
	// +optional
	Channels *OwnedChannels `json:"channels,omitempty"`
}

// OwnedChannels counts the channels that a team effectively owns.
type OwnedChannels struct {
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

// Team is a group of people who can own channels.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=tm,categories=social
// +kubebuilder:printcolumn:name="Manager",type=string,JSONPath=`.spec.manager`
// +kubebuilder:printcolumn:name="Namespace",type=string,JSONPath=`.spec.namespace`
// +kubebuilder:printcolumn:name="Reports-To",type=string,JSONPath=`.spec.reportsToRef.name`
// +kubebuilder:printcolumn:name="Channels",type=integer,JSONPath=`.status.channels.count`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Chain",type=string,priority=1,JSONPath=`.status.chain`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.spec.reportsToRef) || self.spec.reportsToRef.name != self.metadata.name",message="a team cannot report to itself: name another team in spec.reportsToRef, or leave it out at the top",fieldPath=".spec.reportsToRef"
type Team struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says who is in the team and what it consents to own.
	// +required
	Spec TeamSpec `json:"spec,omitzero"`

	// status is what Rostra found out.
	// +optional
	Status TeamStatus `json:"status,omitzero"`
}

// TeamList is a list of teams.
//
// +kubebuilder:object:root=true
type TeamList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Team `json:"items"`
}
