// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. A condition that could not be observed is Unknown: an
// unreachable platform is not a revoked credential, and a condition that
// nobody checked is never left True.
const (
	// ConditionReady sums up the others and names the first that fails.
	ConditionReady = "Ready"
	// ConditionReconciling is present, and True, while Rostra still works or
	// waits to try again (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present, and True, when nothing moves until a
	// person changes something (kstatus).
	ConditionStalled = "Stalled"

	// ConditionOwnerResolved is True when the declared owner exists, has a
	// manager, accepts the channel, and is the effective owner.
	ConditionOwnerResolved = "OwnerResolved"
	// ConditionClaimed is True when this channel, and no other, holds the
	// account at the platform.
	ConditionClaimed = "Claimed"
	// ConditionIdentityVerified is True when the platform said, with this
	// credential and within the probe interval, whose account it is, and
	// handle and account ID match.
	ConditionIdentityVerified = "IdentityVerified"
	// ConditionCredentialReady is True when the delivered credential works,
	// is not due, and nobody who left has seen it.
	ConditionCredentialReady = "CredentialReady"

	// ConditionReachable is True when the platform's server answers as one.
	ConditionReachable = "Reachable"

	// ConditionManagerResolved is True when the team's manager is a member
	// now.
	ConditionManagerResolved = "ManagerResolved"
	// ConditionChainResolved is True when the reports-to chain ends at a team
	// that reports to nobody.
	ConditionChainResolved = "ChainResolved"
)

// Reasons of the summary.
const (
	// ReasonInOrder: every condition holds.
	ReasonInOrder = "InOrder"
	// ReasonSuspended: spec.suspend is true and nothing is checked.
	ReasonSuspended = "Suspended"
	// ReasonProgressing: work is under way.
	ReasonProgressing = "Progressing"
	// ReasonDeleting: the object is being deleted and still has work to do.
	ReasonDeleting = "Deleting"
	// ReasonWaiting: an earlier condition must hold first.
	ReasonWaiting = "Waiting"
)

// Reasons of OwnerResolved.
const (
	// ReasonOwnerAccepted: the declared owner accepts and holds the channel.
	ReasonOwnerAccepted = "Accepted"
	// ReasonOwnerNotFound: no Team of that name exists.
	ReasonOwnerNotFound = "OwnerNotFound"
	// ReasonOwnerDeleting: the Team is being deleted.
	ReasonOwnerDeleting = "OwnerDeleting"
	// ReasonNotAccepted: the Team does not accept channels of this namespace
	// and name.
	ReasonNotAccepted = "NotAccepted"
	// ReasonNoManager: the Team's manager is not one of its members now.
	ReasonNoManager = "NoManager"
	// ReasonHandoverPending: the declared owner accepts, but does not hold
	// the channel yet.
	ReasonHandoverPending = "HandoverPending"
)

// Reasons of Claimed.
const (
	// ReasonClaimHeld: this channel holds the account.
	ReasonClaimHeld = "Held"
	// ReasonHeldByOther: another channel holds the account.
	ReasonHeldByOther = "HeldByOther"
)

// Reasons of IdentityVerified.
const (
	// ReasonVerified: the platform confirmed handle and account ID.
	ReasonVerified = "Verified"
	// ReasonHandleDrift: the account is the right one, its handle changed.
	ReasonHandleDrift = "HandleDrift"
	// ReasonWrongAccount: the source credential is for another account.
	ReasonWrongAccount = "WrongAccount"
	// ReasonInvalidHandle: the handle cannot be one on this platform.
	ReasonInvalidHandle = "InvalidHandle"
	// ReasonInvalidAccountID: the account ID cannot be one on this platform.
	ReasonInvalidAccountID = "InvalidAccountID"
	// ReasonPlatformNotFound: no SocialPlatform of that name exists.
	ReasonPlatformNotFound = "PlatformNotFound"
	// ReasonNamespaceNotAllowed: the SocialPlatform does not allow channels
	// in this namespace.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
	// ReasonPlatformUnavailable: the platform gave no usable answer.
	ReasonPlatformUnavailable = "PlatformUnavailable"
	// ReasonPlatformRefused: the platform refused for a reason that says
	// nothing about the credential.
	ReasonPlatformRefused = "PlatformRefused"
	// ReasonRateLimited: the platform asked to come back later.
	ReasonRateLimited = "RateLimited"
	// ReasonNoCredential: there is no usable source credential to ask with.
	ReasonNoCredential = "NoCredential"
)

// Reasons of CredentialReady.
const (
	// ReasonDelivered: the owner holds a working credential.
	ReasonDelivered = "Delivered"
	// ReasonObserveOnly: the management policy is Observe, so nothing is
	// delivered.
	ReasonObserveOnly = "ObserveOnly"
	// ReasonSourceSecretMissing: the source Secret does not exist.
	ReasonSourceSecretMissing = "SourceSecretMissing"
	// ReasonSourceSecretInvalid: the source Secret lacks a key, or a key is
	// empty.
	ReasonSourceSecretInvalid = "SourceSecretInvalid"
	// ReasonSourceSecretForbidden: Rostra may not read the source Secret.
	ReasonSourceSecretForbidden = "SourceSecretForbidden"
	// ReasonSecretNameTaken: a Secret of the delivery name exists and is not
	// this channel's.
	ReasonSecretNameTaken = "SecretNameTaken"
	// ReasonNamespaceNotFound: the owner's namespace does not exist or is
	// being deleted.
	ReasonNamespaceNotFound = "NamespaceNotFound"
	// ReasonRevoked: the platform no longer accepts the credential.
	ReasonRevoked = "Revoked"
	// ReasonSeenByLeaver: somebody who is no longer in the owning team has
	// seen the credential, and it cannot be replaced without a person.
	ReasonSeenByLeaver = "SeenByLeaver"
	// ReasonDueForRenewal: the credential must be renewed by a person.
	ReasonDueForRenewal = "DueForRenewal"
	// ReasonExpired: the credential is past its expiry.
	ReasonExpired = "Expired"
	// ReasonInsufficientScope: the credential lacks a permission.
	ReasonInsufficientScope = "InsufficientScope"
	// ReasonNotRevoked: a replaced credential could not be revoked.
	ReasonNotRevoked = "NotRevoked"
	// ReasonInvalidRotateAt: the rotate-at annotation is not a time.
	ReasonInvalidRotateAt = "InvalidRotateAt"
	// ReasonDeliveryFailed: the Secret could not be written.
	ReasonDeliveryFailed = "DeliveryFailed"
)

// Reasons of Team and SocialPlatform conditions.
const (
	// ReasonManagerFound: the manager is an active member.
	ReasonManagerFound = "ManagerFound"
	// ReasonManagerNotMember: the manager is not an active member now.
	ReasonManagerNotMember = "ManagerNotMember"
	// ReasonChainComplete: the chain ends at a team that reports to nobody.
	ReasonChainComplete = "ChainComplete"
	// ReasonChainCycle: the reports-to chain comes back to a team in it.
	ReasonChainCycle = "ChainCycle"
	// ReasonChainBroken: a team in the reports-to chain does not exist.
	ReasonChainBroken = "ChainBroken"
	// ReasonChainTooLong: the chain has more teams than Rostra follows.
	ReasonChainTooLong = "ChainTooLong"
	// ReasonAnswered: the platform's server answered as one.
	ReasonAnswered = "Answered"
	// ReasonInvalidServer: the server URL cannot be used.
	ReasonInvalidServer = "InvalidServer"
	// ReasonInvalidSelector: the selector of allowed namespaces cannot be read.
	ReasonInvalidSelector = "InvalidSelector"
	// ReasonUnsupportedType: this build of Rostra has no adapter for the
	// platform type.
	ReasonUnsupportedType = "UnsupportedType"
)

// Labels, annotations and finalizers.
const (
	// FinalizerChannel lets Rostra revoke and withdraw before a SocialChannel
	// goes. It is also the durable record that credentials of this channel
	// may exist at the platform: it is set before the first is minted.
	FinalizerChannel = "social.rostra.dev/channel"

	// AnnotationRotateAt asks for a new credential: an RFC 3339 time. A
	// delivered credential issued before that time is replaced once the time
	// has come. Setting it to now rotates now, and setting it again to the
	// same value does nothing.
	AnnotationRotateAt = "social.rostra.dev/rotate-at"

	// LabelManagedBy and ManagedByRostra mark the Secrets that Rostra made.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedByRostra is the value of LabelManagedBy.
	ManagedByRostra = "rostra"
	// LabelChannelUID names, on a Secret that Rostra made, the channel's UID.
	LabelChannelUID = "social.rostra.dev/channel-uid"
	// AnnotationChannel names, on a delivered Secret, the channel as
	// namespace/name.
	AnnotationChannel = "social.rostra.dev/channel"
	// AnnotationCredentialID names, on a delivered Secret, the credential in
	// it.
	AnnotationCredentialID = "social.rostra.dev/credential-id"
	// AnnotationContentDigest is, on a delivered Secret, a digest of its data
	// by which Rostra notices that somebody changed it.
	AnnotationContentDigest = "social.rostra.dev/content-digest"
	// AnnotationExposedTo names, on a delivered Secret, the people who were in
	// the team when it was written, as team/member, parted by commas.
	AnnotationExposedTo = "social.rostra.dev/exposed-to"
	// AnnotationIssuedAt is, on a delivered Secret, when Rostra issued the
	// credential (RFC 3339).
	AnnotationIssuedAt = "social.rostra.dev/issued-at"
)
