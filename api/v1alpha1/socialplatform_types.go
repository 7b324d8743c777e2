// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SocialPlatformType tells platforms apart.
// +kubebuilder:validation:Enum=Bluesky;Mastodon;Meta;X
type SocialPlatformType string

const (
	// PlatformBluesky is a server that speaks the AT Protocol: bsky.social or
	// a self-hosted Personal Data Server.
	PlatformBluesky SocialPlatformType = "Bluesky"
	// PlatformMastodon is a server with the Mastodon API: Mastodon 4.3 and
	// later, GoToSocial, and others compatible with it.
	PlatformMastodon SocialPlatformType = "Mastodon"
	// PlatformMeta is Facebook, for Pages.
	PlatformMeta SocialPlatformType = "Meta"
	// PlatformX is X, once Twitter.
	PlatformX SocialPlatformType = "X"
)

// SocialPlatformSpec says where a platform is and who may use it.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'Bluesky' ? has(self.bluesky) : !has(self.bluesky)",message="set the block bluesky exactly when type is Bluesky",fieldPath=".bluesky"
// +kubebuilder:validation:XValidation:rule="self.type == 'Mastodon' ? has(self.mastodon) : !has(self.mastodon)",message="set the block mastodon exactly when type is Mastodon",fieldPath=".mastodon"
// +kubebuilder:validation:XValidation:rule="self.type == 'Meta' ? has(self.meta) : !has(self.meta)",message="set the block meta exactly when type is Meta",fieldPath=".meta"
// +kubebuilder:validation:XValidation:rule="self.type == 'X' ? has(self.x) : !has(self.x)",message="set the block x exactly when type is X",fieldPath=".x"
// +union
type SocialPlatformSpec struct {
	// type of the platform; the block of the same name must be set, and no
	// other. It cannot change: make another SocialPlatform instead.
	// +required
	// +unionDiscriminator
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="type cannot change: create another SocialPlatform and move the channels"
	Type SocialPlatformType `json:"type,omitempty"`

	// bluesky settings, for type Bluesky.
	// +optional
	// +unionMember
	Bluesky *BlueskyPlatform `json:"bluesky,omitempty"`

	// mastodon settings, for type Mastodon.
	// +optional
	// +unionMember
	Mastodon *MastodonPlatform `json:"mastodon,omitempty"`

	// meta settings, for type Meta.
	// +optional
	// +unionMember
	Meta *MetaPlatform `json:"meta,omitempty"`

	// x settings, for type X.
	// +optional
	// +unionMember
	X *XPlatform `json:"x,omitempty"`

	// allowedNamespaces selects, by their labels, the namespaces whose channels
	// may use this platform. An empty selector ({}) allows every namespace.
	// +required
	AllowedNamespaces *metav1.LabelSelector `json:"allowedNamespaces,omitempty"`

	// managementPolicy of every channel on this platform. With Observe nothing
	// is ever changed at the platform, whatever a channel says. Default:
	// Manage.
	// +optional
	// +kubebuilder:default=Manage
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`

	// probeInterval is how often the server, and each account on it, is asked
	// whether all is still as declared; up to a tenth is added at random so
	// that accounts do not come at once. Default: 1h. From 1m to 24h.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="probeInterval must be a duration in hours, minutes and seconds such as 1h, from 1m to 24h"
	ProbeInterval *metav1.Duration `json:"probeInterval,omitempty"`

	// discovery reports the accounts at the server that no channel claims. It
	// is for a server that is the company's own: on a shared one every account
	// of everybody would be reported, and one with more than 10,000 accounts is
	// not listed at all. It takes no credential but, with type Meta, the
	// application's. Default: nothing is listed.
	// +optional
	Discovery *AccountDiscovery `json:"discovery,omitempty"`
}

// AccountDiscovery says how the accounts at a server are looked for. It may be
// written empty ({}), which takes the default.
//
// +kubebuilder:validation:MinProperties=1
type AccountDiscovery struct {
	// interval at which the server is asked for its accounts; up to a tenth is
	// added at random. A channel that appears or goes is taken into account at
	// once, without asking. Default: 1h. From 5m to 720h.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('5m') && duration(self) <= duration('720h')",message="interval must be a duration in hours, minutes and seconds such as 1h, from 5m to 720h"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// contactTeamRef names the Team whose manager is told, once and in working
	// hours, of accounts that no channel claims. Default: nobody is told; the
	// status lists them.
	// +optional
	ContactTeamRef *ClusterReference `json:"contactTeamRef,omitempty"`
}

// BlueskyPlatform is a server that speaks the AT Protocol.
type BlueskyPlatform struct {
	// service is the root URL of the Personal Data Server that holds the
	// accounts, for example "https://bsky.social".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != '' && url(self).getEscapedPath() in ['', '/'] && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="service must be the root URL of a server, such as https://social.example: https (http only for an address that the administrator allows), without user, path, query or fragment"
	Service string `json:"service,omitempty"`
}

// MastodonPlatform is a server with the Mastodon API.
type MastodonPlatform struct {
	// server is the root URL of the instance, for example
	// "https://mastodon.social".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != '' && url(self).getEscapedPath() in ['', '/'] && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="server must be the root URL of a server, such as https://social.example: https (http only for an address that the administrator allows), without user, path, query or fragment"
	Server string `json:"server,omitempty"`
}

// MetaPlatform is Facebook's Graph API.
type MetaPlatform struct {
	// graph is the root URL of the Graph API. Default:
	// "https://graph.facebook.com".
	// +optional
	// +kubebuilder:default="https://graph.facebook.com"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != '' && url(self).getEscapedPath() in ['', '/'] && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="graph must be the root URL of a server, such as https://graph.facebook.com: https (http only for an address that the administrator allows), without user, path, query or fragment"
	Graph string `json:"graph,omitempty"`

	// applicationSecretRef names the Secret that says which Meta app Rostra is:
	// "client-id" (the app's ID), "client-secret" (the app's secret), for
	// discovery "access-token", and "verify-token" where the app's callback was
	// set up with one.
	// +required
	ApplicationSecretRef ApplicationSecretReference `json:"applicationSecretRef,omitzero"`
}

// XPlatform is X's API.
type XPlatform struct {
	// api is the root URL of the API. Default: "https://api.x.com".
	// +optional
	// +kubebuilder:default="https://api.x.com"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != '' && url(self).getEscapedPath() in ['', '/'] && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="api must be the root URL of a server, such as https://api.x.com: https (http only for an address that the administrator allows), without user, path, query or fragment"
	API string `json:"api,omitempty"`

	// applicationSecretRef names the Secret that says which X app Rostra is:
	// "client-id", "client-secret" where the app is a confidential client, and
	// for pushed events "consumer-secret" and "bearer-token".
	// +required
	ApplicationSecretRef ApplicationSecretReference `json:"applicationSecretRef,omitzero"`
}

// ApplicationSecretReference names a Secret in Rostra's own namespace: what
// Rostra is at a platform concerns every channel there, and no namespace of a
// channel may read it.
type ApplicationSecretReference struct {
	// name of the Secret, for example "meta-app".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be a Secret's name in Rostra's own namespace: lower-case letters, digits, - and ., without a slash"
	Name string `json:"name,omitempty"`
}

// ApplicationSecretName is the name of the Secret, in Rostra's own namespace, that
// says what Rostra is at the platform; empty where the platform needs none.
func (s *SocialPlatformSpec) ApplicationSecretName() string {
	switch {
	case s.Meta != nil:
		return s.Meta.ApplicationSecretRef.Name
	case s.X != nil:
		return s.X.ApplicationSecretRef.Name
	}
	return ""
}

// ServerURL is the root URL of the platform's server, as written in the block
// that is set; empty where none is.
func (s *SocialPlatformSpec) ServerURL() string {
	switch {
	case s.Bluesky != nil:
		return s.Bluesky.Service
	case s.Mastodon != nil:
		return s.Mastodon.Server
	case s.Meta != nil:
		return s.Meta.Graph
	case s.X != nil:
		return s.X.API
	}
	return ""
}

// SocialPlatformStatus is what Rostra found out about a platform.
type SocialPlatformStatus struct {
	// conditions of the platform: Ready, Reachable, and with spec.discovery
	// AccountsDiscovered.
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

	// software that the server says it runs, with its version, for example
	// "mastodon 4.5.1".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Software string `json:"software,omitempty"`

	// capabilities that Rostra found at the server, in order, for example
	// "Mint".
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=63
	Capabilities []string `json:"capabilities,omitempty"`

	// channels that refer to this platform.
	// +optional
	Channels *PlatformChannels `json:"channels,omitempty"`

	// unclaimed are the accounts at the server that no channel claims, by the
	// last list that the server gave; AccountsDiscovered tells whether that is
	// current. Unset: the server was not listed.
	// +optional
	Unclaimed *UnclaimedAccounts `json:"unclaimed,omitempty"`
}

// UnclaimedAccounts are accounts that no channel claims.
type UnclaimedAccounts struct {
	// count of all of them.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Count *int32 `json:"count,omitempty"`

	// accounts are up to 100 of them, those that can be used first.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Accounts []UnclaimedAccount `json:"accounts,omitempty"`
}

// UnclaimedAccountState tells how an account stands with its server.
// +kubebuilder:validation:Enum=Active;Inactive;Blocked
type UnclaimedAccountState string

const (
	// UnclaimedActive: the account can be seen and used.
	UnclaimedActive UnclaimedAccountState = "Active"
	// UnclaimedInactive: its holder has deactivated it, and can have it back.
	UnclaimedInactive UnclaimedAccountState = "Inactive"
	// UnclaimedBlocked: the server has taken it down or suspended it.
	UnclaimedBlocked UnclaimedAccountState = "Blocked"
)

// UnclaimedAccount is an account that no channel claims.
type UnclaimedAccount struct {
	// id is the platform's identifier of the account: what a channel's
	// spec.accountID pins.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ID string `json:"id,omitempty"`

	// handle that the account has at the platform. Unset: the server does not
	// tell, as of accounts that are deactivated.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Handle string `json:"handle,omitempty"`

	// displayName that the account shows, where the list tells it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	DisplayName string `json:"displayName,omitempty"`

	// state of the account: Active, Inactive or Blocked.
	// +required
	State UnclaimedAccountState `json:"state,omitempty"`

	// since is when the account first stood in this list.
	// +required
	Since *metav1.Time `json:"since,omitempty"`
}

// PlatformChannels counts the channels on a platform.
type PlatformChannels struct {
	// count of channels that refer to the platform.
	// +required
	// +kubebuilder:validation:Minimum=0
	Count *int32 `json:"count,omitempty"`

	// ready counts those whose Ready condition is True.
	// +required
	// +kubebuilder:validation:Minimum=0
	Ready *int32 `json:"ready,omitempty"`
}

// SocialPlatform is a social network's server on which the company has
// accounts.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=sp,categories=social
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Policy",type=string,JSONPath=`.spec.managementPolicy`
// +kubebuilder:printcolumn:name="Channels",type=integer,JSONPath=`.status.channels.count`
// +kubebuilder:printcolumn:name="In-Order",type=integer,JSONPath=`.status.channels.ready`
// +kubebuilder:printcolumn:name="Unclaimed",type=integer,JSONPath=`.status.unclaimed.count`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Software",type=string,priority=1,JSONPath=`.status.software`
// +kubebuilder:printcolumn:name="Capabilities",type=string,priority=1,JSONPath=`.status.capabilities`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type SocialPlatform struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says where the platform is and who may use it.
	// +required
	Spec SocialPlatformSpec `json:"spec,omitzero"`

	// status is what Rostra found out.
	// +optional
	Status SocialPlatformStatus `json:"status,omitzero"`
}

// SocialPlatformList is a list of platforms.
//
// +kubebuilder:object:root=true
type SocialPlatformList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SocialPlatform `json:"items"`
}
