// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DeletionPolicy says what deleting a SocialChannel does at the platform.
// +kubebuilder:validation:Enum=Orphan;Revoke
type DeletionPolicy string

const (
	// DeletionOrphan leaves the account and the delivered credential as they
	// are.
	DeletionOrphan DeletionPolicy = "Orphan"
	// DeletionRevoke revokes the delivered credential and removes its Secret.
	// The account itself is never deleted.
	DeletionRevoke DeletionPolicy = "Revoke"
)

// SocialChannelSpec says which account a channel is and who owns it.
//
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.accountID) || (has(self.accountID) && self.accountID == oldSelf.accountID)",message="accountID cannot change once it is set: another account is another SocialChannel",fieldPath=".accountID"
type SocialChannelSpec struct {
	// platformRef names the SocialPlatform that the account is on. It cannot
	// change.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="platformRef cannot change: an account on another platform is another SocialChannel"
	PlatformRef ClusterReference `json:"platformRef,omitzero"`

	// handle of the account, in lower case, as people see it: on Bluesky
	// "help.acme.example", on Mastodon "news" or "@news".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="handle must not hold spaces, control or invisible characters, nor others beyond ASCII: write it as people see it, for example help.acme.example, and an international name in its xn-- form"
	// +kubebuilder:validation:XValidation:rule="self == self.lowerAscii()",message="handle must be in lower case: handles are compared without regard to case, and two spellings would be two claims"
	// +kubebuilder:validation:XValidation:rule="!self.endsWith('.')",message="handle must not end with a dot"
	// +kubebuilder:validation:XValidation:rule="self != '@' && !self.startsWith('@@')",message="handle may begin with one @, followed by the name"
	Handle string `json:"handle,omitempty"`

	// accountID pins the account: a source credential for any other account is
	// refused. On Bluesky the DID, for example
	// "did:plc:ewvi7nxzyoun6zhxrhs64oiz"; on Mastodon the account's id. It
	// cannot change. Default: the first account that the platform confirms for
	// the handle is pinned in status.account.id.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9._:%-]+$')",message="accountID must be the platform's own identifier, such as did:plc:ewvi7nxzyoun6zhxrhs64oiz: letters, digits and . _ : % - only"
	AccountID string `json:"accountID,omitempty"`

	// purpose of the account in one word, for people and for policies, for
	// example "customer-care".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="purpose must be lower-case letters, digits and -, for example customer-care"
	Purpose string `json:"purpose,omitempty"`

	// ownerRef names the Team that is to be accountable for the account. A
	// change takes effect when that team accepts the channel; until then
	// status.owner stays.
	// +required
	OwnerRef ClusterReference `json:"ownerRef,omitzero"`

	// handover bounds when a change of ownerRef takes effect. Default: as soon
	// as the receiving team accepts.
	// +optional
	Handover *HandoverTerms `json:"handover,omitempty"`

	// credentials says what Rostra is given and what it delivers.
	// +required
	Credentials ChannelCredentials `json:"credentials,omitzero"`

	// subscription says which events of the channel must reach Rostra. Default:
	// none.
	// +optional
	Subscription *ChannelSubscription `json:"subscription,omitempty"`

	// coverage is the promise of the hours at which somebody watches the
	// channel. Default: none is made.
	// +optional
	Coverage *ChannelCoverage `json:"coverage,omitempty"`

	// responderRotaRef names the ResponderRota, in the same namespace, that
	// says who answers for the channel. Default: nobody does.
	// +optional
	ResponderRotaRef *LocalReference `json:"responderRotaRef,omitempty"`

	// escalationRouteRef names the EscalationRoute, in the same namespace, that
	// says who is told of the channel's events, in which order, while nobody has
	// answered. Default: none.
	// +optional
	EscalationRouteRef *LocalReference `json:"escalationRouteRef,omitempty"`

	// managementPolicy says whether anything may be changed at the platform
	// for this channel. Observe verifies and reports only. Default: Manage.
	// +optional
	// +kubebuilder:default=Manage
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`

	// deletionPolicy says what deleting this object does at the platform.
	// Default: Orphan.
	// +optional
	// +kubebuilder:default=Orphan
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// suspend stops all work on this channel while it is true; what was
	// delivered stays. A PublishingFreeze outranks it: a stop that a channel
	// could opt out of would be none. Default: false.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`
}

// HandoverTerms bound when a change of owner takes effect.
//
// +kubebuilder:validation:XValidation:rule="!has(self.effectiveTime) || !has(self.acceptBy) || self.effectiveTime < self.acceptBy",message="acceptBy must be later than effectiveTime: a hand-over begins at the one and is given up at the other",fieldPath=".acceptBy"
// +kubebuilder:validation:MinProperties=1
type HandoverTerms struct {
	// effectiveTime is when the hand-over begins, and not before (RFC 3339).
	// Default: at once.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z') && self <= timestamp('9999-12-31T23:59:59Z')",message="effectiveTime must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
	EffectiveTime *metav1.Time `json:"effectiveTime,omitempty"`

	// acceptBy is when the hand-over is given up if it has not begun, because
	// the receiving team does not accept (RFC 3339). The owner that was stays;
	// a later time, or another owner, is another try. Default: it is not given
	// up.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z') && self <= timestamp('9999-12-31T23:59:59Z')",message="acceptBy must be a time with its zone such as 2026-11-28T09:00:00Z, from year 1 to 9999"
	AcceptBy *metav1.Time `json:"acceptBy,omitempty"`
}

// CoverageMode says how coverage is promised.
// +kubebuilder:validation:Enum=Always;Windows;None
type CoverageMode string

const (
	// CoverageAlways: at every hour of every day.
	CoverageAlways CoverageMode = "Always"
	// CoverageWindows: at the hours of the windows.
	CoverageWindows CoverageMode = "Windows"
	// CoverageNone: at no hour.
	CoverageNone CoverageMode = "None"
)

// ChannelCoverage is the promise of the hours at which somebody watches a
// channel.
//
// +kubebuilder:validation:XValidation:rule="self.mode == 'Windows' ? has(self.windows) : !has(self.windows)",message="windows belong to the mode Windows, and it needs at least one: [{days: [Mon, Tue, Wed, Thu, Fri], from: 09:00, to: 18:00}]",fieldPath=".windows"
type ChannelCoverage struct {
	// mode of the promise: Always, Windows or None.
	// +required
	Mode CoverageMode `json:"mode,omitempty"`

	// timeZone in which windows are read and gaps are told: a name of the IANA
	// database, for example "Europe/London". Default: the rota's.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$') && self != 'Local'",message="timeZone must be a name of the IANA database such as Europe/London, or UTC"
	TimeZone string `json:"timeZone,omitempty"`

	// windows are the promised hours, with the mode Windows.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Windows []WeeklyWindow `json:"windows,omitempty"`
}

// ChannelCredentials says what Rostra is given and what it delivers.
type ChannelCredentials struct {
	// sourceSecretRef names the Secret, in the channel's namespace, that the
	// company gives Rostra. Its keys depend on the platform: on Bluesky
	// "password" (and "identifier", and for an app password
	// "app-password-name"), on Mastodon "access-token" (and "client-id",
	// "client-secret", needed to revoke), on Meta "access-token", on X
	// "refresh-token". Where the platform gives it to a person who consents,
	// it may be missing: see status.authorization.
	// +required
	SourceSecretRef SecretReference `json:"sourceSecretRef,omitzero"`

	// delivery says where the owner gets its credential.
	// +required
	Delivery CredentialDelivery `json:"delivery,omitzero"`

	// rotation replaces the delivered credential on a schedule. Default: it is
	// replaced only when there is a reason, such as a new owner or a leaver.
	// +optional
	Rotation *CredentialRotation `json:"rotation,omitempty"`

	// renewBefore is how long before its expiry a credential that a person
	// must renew is reported as due. It must be shorter than the credential's
	// life. Default: 336h. From 1h to 8760h.
	// +optional
	// +kubebuilder:default="336h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('1h') && duration(self) <= duration('8760h')",message="renewBefore must be a duration in hours, minutes and seconds such as 720h, from 1h to 8760h"
	RenewBefore *metav1.Duration `json:"renewBefore,omitempty"`
}

// CredentialDelivery says where the owner gets its credential.
type CredentialDelivery struct {
	// secretName of the Secret that Rostra writes in the owner's namespace.
	// A Secret of that name that Rostra did not make for this channel is never
	// touched.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="secretName must be a Secret's name: lower-case letters, digits, - and ., without a slash"
	SecretName string `json:"secretName,omitempty"`
}

// CredentialRotation replaces the delivered credential on a schedule.
//
// +kubebuilder:validation:XValidation:rule="!has(self.overlap) || !self.overlap.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') || !self.interval.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') || self.overlap.size() == 0 || self.interval.size() == 0 || duration(self.overlap) < duration(self.interval)",message="overlap must be shorter than interval",fieldPath=".overlap"
type CredentialRotation struct {
	// interval at which the credential is replaced, for example "720h".
	// From 1h to 8760h.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('1h') && duration(self) <= duration('8760h')",message="interval must be a duration in hours, minutes and seconds such as 720h, from 1h to 8760h"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// overlap is how long the replaced credential still works, so that tools
	// have time to load the new one. It is granted to the same owner's tools
	// only: on a hand-over, or when somebody has left, the old credential is
	// revoked as soon as the new one is delivered. Default: 1h. From 0s to
	// 168h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$') && self.size() > 0 && duration(self) >= duration('0s') && duration(self) <= duration('168h')",message="overlap must be a duration in hours, minutes and seconds such as 1h, from 0s to 168h"
	Overlap *metav1.Duration `json:"overlap,omitempty"`
}

// SocialChannelStatus is what Rostra found out about a channel and did for it.
type SocialChannelStatus struct {
	// conditions of the channel; Ready sums up the others.
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

	// owner is the effective owner: the team whose hold is in force now. It
	// differs from spec.ownerRef until a hand-over completes.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Owner string `json:"owner,omitempty"`

	// handover is the last change of owner that began, as far as it has come.
	// +optional
	Handover *ChannelHandover `json:"handover,omitempty"`

	// history of effective owners, the last sixteen changes, newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	History []OwnershipChange `json:"history,omitempty"`

	// account is what the platform said of the account.
	// +optional
	Account *ChannelAccount `json:"account,omitempty"`

	// credential that the owner holds.
	// +optional
	Credential *DeliveredCredential `json:"credential,omitempty"`

	// subscription is how the channel's events reach Rostra. Unset: they do not.
	// +optional
	Subscription *ChannelSubscriptionStatus `json:"subscription,omitempty"`

	// authorization is where a person connects the account, where the source
	// credential is missing or works no more and the platform gives another to a
	// person who consents. `rostra connect` leads there too.
	// +optional
	Authorization *ChannelAuthorization `json:"authorization,omitempty"`

	// freeze is what holds the channel's publishing, and how far that has come.
	// Unset: nothing does.
	// +optional
	Freeze *ChannelFreeze `json:"freeze,omitempty"`

	// onCall is who answers for the channel now, by its rota. Unset: nobody
	// does.
	// +optional
	OnCall *OnCall `json:"onCall,omitempty"`

	// coverage is how far the rota keeps the channel's promise. Unset: none is
	// made, or it cannot be told.
	// +optional
	Coverage *Coverage `json:"coverage,omitempty"`

	// escalation is who would be told of an event on the channel now. Unset: no
	// route is named, or it cannot be told.
	// +optional
	Escalation *ChannelEscalation `json:"escalation,omitempty"`

	// inbox is how the channel's messages are answered. It is written at most
	// once a minute. Unset: none came in the last seven days.
	// +optional
	Inbox *ChannelInbox `json:"inbox,omitempty"`

	// retiring are credentials that were replaced and are not revoked yet.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=16
	Retiring []RetiringCredential `json:"retiring,omitempty"`

	// lastRevoked is the credential that was revoked last.
	// +optional
	LastRevoked *RevokedCredential `json:"lastRevoked,omitempty"`
}

// ChannelHandover is a change of owner, as far as it has come. Until the step
// Switched it can be taken back by naming the owner that was.
type ChannelHandover struct {
	// from is the team that holds, or held, the channel.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	From string `json:"from,omitempty"`

	// to is the team that gets it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	To string `json:"to,omitempty"`

	// requestedBy is the field manager that set ownerRef: the tool, not the
	// person; the person is in Git, or in the API server's audit log.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	RequestedBy string `json:"requestedBy,omitempty"`

	// credentialID is the old owner's credential, which is revoked in the end.
	// Unset: it has none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	CredentialID string `json:"credentialID,omitempty"`

	// startedAt is when the receiving team had accepted and the time had come.
	// +required
	StartedAt metav1.Time `json:"startedAt,omitzero"`

	// steps that are done, in their order.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Steps []HandoverStep `json:"steps,omitempty"`

	// effectiveBy is when the last access that was opened with the old
	// credential ends.
	// +optional
	EffectiveBy *metav1.Time `json:"effectiveBy,omitempty"`

	// completedAt is when the old owner's credential was withdrawn and revoked.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`
}

// HandoverStepName is a step of a hand-over.
// +kubebuilder:validation:Enum=Accepted;Minted;Delivered;Switched;Revoked;Withdrawn
type HandoverStepName string

const (
	// HandoverAccepted: the receiving team accepts, and the time has come.
	HandoverAccepted HandoverStepName = "Accepted"
	// HandoverMinted: a credential for the new owner was minted, and proved to
	// open the account.
	HandoverMinted HandoverStepName = "Minted"
	// HandoverDelivered: it lies in the new owner's namespace.
	HandoverDelivered HandoverStepName = "Delivered"
	// HandoverSwitched: the new owner is the effective one, with everything
	// that follows from it. From here on there is no way back but another
	// hand-over.
	HandoverSwitched HandoverStepName = "Switched"
	// HandoverRevoked: the old owner's credential is revoked.
	HandoverRevoked HandoverStepName = "Revoked"
	// HandoverWithdrawn: the old owner's Secret is gone.
	HandoverWithdrawn HandoverStepName = "Withdrawn"
)

// HandoverStep is a step that was done.
type HandoverStep struct {
	// name of the step.
	// +required
	Name HandoverStepName `json:"name,omitempty"`

	// time at which it was done.
	// +required
	Time metav1.Time `json:"time,omitzero"`
}

// OwnershipChange is one change of the effective owner.
type OwnershipChange struct {
	// from is the team that held the channel. Unset: it was the first.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	From string `json:"from,omitempty"`

	// to is the team that got it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	To string `json:"to,omitempty"`

	// at is when it became the effective owner.
	// +required
	At metav1.Time `json:"at,omitzero"`

	// requestedBy is the field manager that set ownerRef.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	RequestedBy string `json:"requestedBy,omitempty"`
}

// ChannelFreeze is what holds a channel's publishing.
type ChannelFreeze struct {
	// names of the PublishingFreezes that hold the channel, in their order.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Names []string `json:"names,omitempty"`

	// startedAt is when Rostra found the channel frozen.
	// +required
	StartedAt metav1.Time `json:"startedAt,omitzero"`

	// completedAt is when everything was withdrawn that Rostra can withdraw.
	// Unset: it is under way.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`

	// effectiveBy is when the last access ends that was opened with a credential
	// revoked so far: revoked is not dead on every platform. Unset: none was
	// revoked.
	// +optional
	EffectiveBy *metav1.Time `json:"effectiveBy,omitempty"`

	// refused is what the platform said when it would not take the credential
	// back, for good. It is asked again at each probe.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Refused string `json:"refused,omitempty"`
}

// ChannelAccount is what the platform said of an account.
type ChannelAccount struct {
	// id is the platform's identifier of the account. Once recorded, a source
	// credential for any other account is refused.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ID string `json:"id,omitempty"`

	// handle that the account has at the platform.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Handle string `json:"handle,omitempty"`

	// displayName that the account shows at the platform.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	DisplayName string `json:"displayName,omitempty"`

	// source tells which content of the source Secret the platform confirmed.
	// +optional
	Source *SourceCredential `json:"source,omitempty"`
}

// SourceCredential tells which content of the source Secret was confirmed.
type SourceCredential struct {
	// resourceVersion of the source Secret when it was read.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ResourceVersion string `json:"resourceVersion,omitempty"`

	// use says what Rostra can do with it.
	// +required
	Use SourceUse `json:"use,omitempty"`

	// expiresAt is when the source credential itself expires. Unset: never, or
	// the platform does not say.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
}

// SourceUse says what Rostra can do with a source credential.
// +kubebuilder:validation:Enum=Mint;Deliver;Renew
type SourceUse string

const (
	// SourceMint: the owner's credentials are minted with it.
	SourceMint SourceUse = "Mint"
	// SourceDeliver: none can be minted with it, so it is delivered itself.
	SourceDeliver SourceUse = "Deliver"
	// SourceRenew: what is delivered comes from it, and Rostra renews that by
	// itself before it expires.
	SourceRenew SourceUse = "Renew"
)

// DeliveredCredential is the credential that the owner holds.
type DeliveredCredential struct {
	// id of the credential, by which the platform lists it where it can.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`

	// serial counts the credentials that were delivered for this channel.
	// +required
	// +kubebuilder:validation:Minimum=1
	Serial int64 `json:"serial,omitempty"`

	// team that it was delivered to.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Team string `json:"team,omitempty"`

	// secret that holds it.
	// +required
	Secret DeliveredSecret `json:"secret,omitzero"`

	// sourceVersion is the resourceVersion of the source Secret that it was taken
	// from, where it was not minted.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	SourceVersion string `json:"sourceVersion,omitempty"`

	// issuedAt is when it was minted, or first delivered where the platform
	// cannot mint.
	// +required
	IssuedAt metav1.Time `json:"issuedAt,omitzero"`

	// dueAt is when it is replaced, or must be renewed by a person. Unset:
	// only when there is a reason.
	// +optional
	DueAt *metav1.Time `json:"dueAt,omitempty"`

	// expiresAt is when it stops to work. Unset: never, or the platform does
	// not say.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// expires is the time left until it is due, for people, for example
	// "27d".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Expires string `json:"expires,omitempty"`

	// withdrawnAt is when a freeze took it out of its Secret. Unset: the owner
	// has it.
	// +optional
	WithdrawnAt *metav1.Time `json:"withdrawnAt,omitempty"`

	// revokedAt is when a freeze revoked it at the platform. Unset: none did.
	// +optional
	RevokedAt *metav1.Time `json:"revokedAt,omitempty"`

	// exposedTo are the people who can have seen it, as team/member.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=512
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=317
	ExposedTo []string `json:"exposedTo,omitempty"`
}

// DeliveredSecret names a Secret that Rostra wrote.
type DeliveredSecret struct {
	// namespace of the Secret: the owner's.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// resourceVersion that Rostra wrote; another one means that somebody
	// changed the Secret, and it is looked at.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

// RetirementCause says why a credential was replaced.
// +kubebuilder:validation:Enum=Rotation;Requested;Handover;Leaver;Drift;SourceReplaced;Freeze;Renewed
type RetirementCause string

const (
	// CauseRotation: the rotation interval passed.
	CauseRotation RetirementCause = "Rotation"
	// CauseRequested: the rotate-at annotation asked for it.
	CauseRequested RetirementCause = "Requested"
	// CauseHandover: the channel moved to another team or namespace.
	CauseHandover RetirementCause = "Handover"
	// CauseLeaver: somebody who left had seen it.
	CauseLeaver RetirementCause = "Leaver"
	// CauseDrift: it, or its Secret, was changed behind Rostra's back.
	CauseDrift RetirementCause = "Drift"
	// CauseSourceReplaced: the company gave Rostra another source credential.
	CauseSourceReplaced RetirementCause = "SourceReplaced"
	// CauseFreeze: a freeze withdrew it.
	CauseFreeze RetirementCause = "Freeze"
	// CauseRenewed: Rostra renewed it before it expires. The one before is left
	// to end by itself: some platforms would end the whole consent with it.
	CauseRenewed RetirementCause = "Renewed"
)

// RetiringCredential was replaced and is not revoked yet.
type RetiringCredential struct {
	// id of the credential.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`

	// cause says why it was replaced.
	// +required
	Cause RetirementCause `json:"cause,omitempty"`

	// secret that held it, where that is not the Secret of its successor. It is
	// withdrawn before the credential is revoked.
	// +optional
	Secret *DeliveredSecret `json:"secret,omitempty"`

	// revokeAt is when it is revoked.
	// +required
	RevokeAt metav1.Time `json:"revokeAt,omitzero"`

	// expiresAt is when it ends by itself, after which nothing is revoked. Unset:
	// it does not, or the platform does not say.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// revokedAt is when the platform took it back, where its Secret is still to
	// be withdrawn.
	// +optional
	RevokedAt *metav1.Time `json:"revokedAt,omitempty"`

	// exposedTo are the people who can have seen it, as team/member, where it is
	// a source credential: it can come back, and was seen all the same.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=512
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=317
	ExposedTo []string `json:"exposedTo,omitempty"`

	// message says why it could not be revoked, where that was tried in vain.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// RevokedCredential is a credential that was revoked.
type RevokedCredential struct {
	// id of the credential.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`

	// cause says why it was revoked.
	// +required
	Cause RetirementCause `json:"cause,omitempty"`

	// revokedAt is when the platform took it back.
	// +required
	RevokedAt metav1.Time `json:"revokedAt,omitzero"`

	// effectiveBy is when the last access that was opened with it ends:
	// revoked is not dead on every platform.
	// +required
	EffectiveBy metav1.Time `json:"effectiveBy,omitzero"`
}

// SocialChannel is one account on one social platform, and who owns it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=sch,categories=social
// +kubebuilder:printcolumn:name="Platform",type=string,JSONPath=`.spec.platformRef.name`
// +kubebuilder:printcolumn:name="Handle",type=string,JSONPath=`.spec.handle`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.status.owner`
// +kubebuilder:printcolumn:name="On-Call",type=string,JSONPath=`.status.onCall.member`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.status.credential.expires`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Until",type=string,priority=1,JSONPath=`.status.onCall.until`
// +kubebuilder:printcolumn:name="Coverage",type=integer,priority=1,JSONPath=`.status.coverage.percent`
// +kubebuilder:printcolumn:name="Escalation",type=string,priority=1,JSONPath=`.status.escalation.summary`
// +kubebuilder:printcolumn:name="Last-Event",type=date,priority=1,JSONPath=`.status.subscription.lastEvent`
// +kubebuilder:printcolumn:name="Declared-Owner",type=string,priority=1,JSONPath=`.spec.ownerRef.name`
// +kubebuilder:printcolumn:name="Account",type=string,priority=1,JSONPath=`.status.account.id`
// +kubebuilder:printcolumn:name="Secret-Namespace",type=string,priority=1,JSONPath=`.status.credential.secret.namespace`
// +kubebuilder:printcolumn:name="Secret",type=string,priority=1,JSONPath=`.status.credential.secret.name`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type SocialChannel struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which account it is and who owns it.
	// +required
	Spec SocialChannelSpec `json:"spec,omitzero"`

	// status is what Rostra found out and did.
	// +optional
	Status SocialChannelStatus `json:"status,omitzero"`
}

// SocialChannelList is a list of channels.
//
// +kubebuilder:object:root=true
type SocialChannelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SocialChannel `json:"items"`
}
