// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EscalationRouteSpec says who is told of an event, in which order, while
// nobody has answered. The first rule that matches gives the steps; where none
// does, the route's own steps are taken.
type EscalationRouteSpec struct {
	// rules in their order: the first one that matches an event gives the steps
	// for it, so that an expert hears it first. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Rules []EscalationRule `json:"rules,omitempty"`

	// steps for every event that no rule matches, and after those of the rule
	// that does, in their order.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Steps []EscalationStep `json:"steps,omitempty"`

	// repeat is how often the steps are gone through again, of a rule too,
	// before the fallback is told. Default: 0. From 0 to 10.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	Repeat *int32 `json:"repeat,omitempty"`

	// fallback is who is told when all else was in vain, so that somebody always
	// hears, for example {teamRef: {name: chief-executive}, role: Manager}.
	// +required
	// +kubebuilder:validation:XValidation:rule="!has(self.responderRotaRef)",message="fallback must be a person, since a rota may have nobody on duty: name a teamRef with role Manager or with a member"
	Fallback EscalationTarget `json:"fallback,omitzero"`

	// excerpt says whether those who are told read the beginning of what was
	// written: PublicPosts for that of public posts, None for nothing. Of a
	// direct message nobody ever does. Default: PublicPosts.
	// +optional
	// +kubebuilder:default=PublicPosts
	Excerpt Excerpt `json:"excerpt,omitempty"`

	// notices says when the owner's manager is told of what concerns the account
	// itself, such as a credential that is due: WorkingHours for Monday to
	// Friday from 09:00 to 17:00 in the time zone of the channel's rota, Anytime
	// for at once. Default: WorkingHours.
	// +optional
	// +kubebuilder:default=WorkingHours
	Notices NoticeHours `json:"notices,omitempty"`
}

// Excerpt says what of a stranger's words is sent along.
// +kubebuilder:validation:Enum=PublicPosts;None
type Excerpt string

// What of a stranger's words is sent along.
const (
	ExcerptPublicPosts Excerpt = "PublicPosts"
	ExcerptNone        Excerpt = "None"
)

// NoticeHours says when people are told of what can wait.
// +kubebuilder:validation:Enum=WorkingHours;Anytime
type NoticeHours string

// When people are told of what can wait.
const (
	NoticesWorkingHours NoticeHours = "WorkingHours"
	NoticesAnytime      NoticeHours = "Anytime"
)

// EscalationRule gives some events steps of their own.
type EscalationRule struct {
	// name of the rule, unique in the route, for example "refunds-to-billing".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="name must be lower-case letters, digits and -, for example refunds-to-billing"
	Name string `json:"name,omitempty"`

	// when is a CEL expression that says, true or false, whether the rule is for
	// an event, for example "event.text.matches('(?i)refund|chargeback')". It
	// knows event.kind, event.text, event.author.handle, channel.name and others
	// that docs/escalation.md lists. The status says what is wrong with it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	When string `json:"when,omitempty"`

	// steps for the events that the rule matches, in their order. They come
	// first: where they are used up, or nobody hears them, the route's own steps
	// follow.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Steps []EscalationStep `json:"steps,omitempty"`
}

// EscalationStep is who is told at once, and for how long they have time to
// answer.
type EscalationStep struct {
	// targets are told together.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Targets []EscalationTarget `json:"targets,omitempty"`

	// wait is how long they have to answer before the next step, for example
	// "15m". A step that nobody hears takes no time. From 1m to 24h.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="wait must be a duration in hours, minutes and seconds such as 15m, from 1m to 24h"
	Wait *metav1.Duration `json:"wait,omitempty"`
}

// EscalationRole is a person of a team by what the team has them for.
// +kubebuilder:validation:Enum=Manager
type EscalationRole string

// RoleManager is the one member who answers for the team.
const RoleManager EscalationRole = "Manager"

// EscalationTarget is whoever is on duty by a rota, the manager of a team, or
// one of its members.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:ExactlyOneOf=responderRotaRef;teamRef
// +kubebuilder:validation:XValidation:rule="!has(self.teamRef) || has(self.role) != has(self.member)",message="who of the team? write exactly one of role: Manager and member"
// +kubebuilder:validation:XValidation:rule="!has(self.responderRotaRef) || !has(self.role) && !has(self.member)",message="role and member belong to a teamRef: a rota says itself who is on duty"
type EscalationTarget struct {
	// responderRotaRef names the ResponderRota, in the same namespace, whose
	// person on duty is told.
	// +optional
	ResponderRotaRef *LocalReference `json:"responderRotaRef,omitempty"`

	// teamRef names the Team of which somebody is told.
	// +optional
	TeamRef *ClusterReference `json:"teamRef,omitempty"`

	// role of the person in the team: Manager.
	// +optional
	Role EscalationRole `json:"role,omitempty"`

	// member of the team, by name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="member must be a member's name: lower-case letters, digits and -, for example maria"
	Member string `json:"member,omitempty"`
}

// EscalationRouteStatus is what Rostra found out about a route.
type EscalationRouteStatus struct {
	// conditions of the route: Ready, RulesValid, TargetsResolved, Reachable.
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

	// compiledRules is how many of the rules can be used.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=32
	CompiledRules *int32 `json:"compiledRules,omitempty"`

	// first is who would hear first of an event now that no rule matches before
	// one that takes everything, by
	// name, parted by commas. Unset: nobody would.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	First string `json:"first,omitempty"`

	// summary is the route for such an event, as people read
	// it: "now: maria → (15m) manager maria → (30m) at last manager ines".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Summary string `json:"summary,omitempty"`

	// steps are those for such an event, and the fallback.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=17
	Steps []ResolvedStep `json:"steps,omitempty"`

	// nextChange is when somebody else may be told than now, without anybody
	// changing anything: a hand-off, an override, a membership. Unset: not
	// within a year.
	// +optional
	NextChange *metav1.Time `json:"nextChange,omitempty"`

	// problems that were found now, of all rules and steps, the first sixteen of
	// them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=1024
	Problems []string `json:"problems,omitempty"`
}

// ResolvedStep is a step of a route, and who it is now.
type ResolvedStep struct {
	// targets as they are declared, for example "rota care" or "manager of
	// customer-care"; that of the fallback begins with "fallback: ".
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	Targets []string `json:"targets,omitempty"`

	// after is how long after the event the step comes, the first time. Unset:
	// it is left out, since nobody would hear.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	After *metav1.Duration `json:"after,omitempty"`

	// people who are told, as team/member. Unset: nobody is.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=3
	// +kubebuilder:validation:items:MaxLength=317
	People []string `json:"people,omitempty"`

	// unreachable are those whom the step means and who cannot be told, as
	// team/member.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=3
	// +kubebuilder:validation:items:MaxLength=317
	Unreachable []string `json:"unreachable,omitempty"`
}

// ChannelEscalation is who would be told of an event on a channel now that no
// rule of its route matches.
type ChannelEscalation struct {
	// route that is taken, by name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Route string `json:"route,omitempty"`

	// summary as people read it: "now: maria → (15m) manager maria → (30m) at
	// last manager ines".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Summary string `json:"summary,omitempty"`

	// steps of the route, and the fallback.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=17
	Steps []ResolvedStep `json:"steps,omitempty"`
}

// EscalationRoute is who is told of an event, in which order, while nobody has
// answered.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,path=escalationroutes,shortName=er,categories=social
// +kubebuilder:printcolumn:name="First",type=string,JSONPath=`.status.first`
// +kubebuilder:printcolumn:name="Rules",type=integer,JSONPath=`.status.compiledRules`
// +kubebuilder:printcolumn:name="Next-Change",type=string,JSONPath=`.status.nextChange`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Route",type=string,priority=1,JSONPath=`.status.summary`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type EscalationRoute struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says who is told, and in which order.
	// +required
	Spec EscalationRouteSpec `json:"spec,omitzero"`

	// status is who would be told now, and what is not in order.
	// +optional
	Status EscalationRouteStatus `json:"status,omitzero"`
}

// EscalationRouteList is a list of routes.
//
// +kubebuilder:object:root=true
type EscalationRouteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []EscalationRoute `json:"items"`
}
