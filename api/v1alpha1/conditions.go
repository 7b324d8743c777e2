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

	// ConditionSubscriptionReady is True when the channel's events reach Rostra:
	// the subscription was seen at the platform within the probe interval, or
	// the poll is current.
	ConditionSubscriptionReady = "SubscriptionReady"

	// ConditionCovered is True when the rota fills the hours that the channel
	// promises, over the next 14 days.
	ConditionCovered = "Covered"

	// ConditionEscalationRouted is True when every step of the channel's route
	// resolves to somebody reachable, or no route is named.
	ConditionEscalationRouted = "EscalationRouted"

	// ConditionPublishingAllowed is True when no freeze holds the channel.
	ConditionPublishingAllowed = "PublishingAllowed"

	// ConditionReachable is True when the platform's server answers as one; of an
	// EscalationRoute, when each of its steps is heard by somebody now.
	ConditionReachable = "Reachable"
	// ConditionAccountsDiscovered is True when the accounts at the platform's
	// server were listed within the interval of spec.discovery.
	ConditionAccountsDiscovered = "AccountsDiscovered"

	// ConditionManagerResolved is True when the team's manager is a member
	// now.
	ConditionManagerResolved = "ManagerResolved"
	// ConditionChainResolved is True when the reports-to chain ends at a team
	// that reports to nobody.
	ConditionChainResolved = "ChainResolved"

	// ConditionScheduleValid is True when the rota can be read: its zone is
	// known, its times exist, and no window overlaps another of its layer.
	ConditionScheduleValid = "ScheduleValid"
	// ConditionMembersResolved is True when the rota's teams exist and
	// everybody it lists is in them.
	ConditionMembersResolved = "MembersResolved"
	// ConditionMembersReachable is True when everybody who takes turns has a
	// way to be told.
	ConditionMembersReachable = "MembersReachable"

	// ConditionRulesValid is True when every rule of the route can be used, and
	// matches something that no earlier one takes.
	ConditionRulesValid = "RulesValid"
	// ConditionTargetsResolved is True when the rotas, teams and people that the
	// route names are there.
	ConditionTargetsResolved = "TargetsResolved"
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
	// ReasonRemovalHalted: so many channels would lose their owner or their
	// credential at once that a person must confirm it.
	ReasonRemovalHalted = "RemovalHalted"
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
	// ReasonHandoverScheduled: the declared owner accepts, and the time of the
	// hand-over has not come.
	ReasonHandoverScheduled = "HandoverScheduled"
	// ReasonHandoverGivenUp: the declared owner had not accepted in time.
	ReasonHandoverGivenUp = "HandoverGivenUp"
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
	// ReasonExpired: the credential, or the override, is past its end.
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

// Reasons that speak of the application that Rostra is at a platform.
const (
	// ReasonApplicationSecretMissing: the application's Secret does not exist
	// in Rostra's own namespace.
	ReasonApplicationSecretMissing = "ApplicationSecretMissing"
	// ReasonApplicationSecretInvalid: the application's Secret lacks a key.
	ReasonApplicationSecretInvalid = "ApplicationSecretInvalid"
)

// Reasons of SubscriptionReady.
const (
	// ReasonSubscribed: the platform has the subscription as declared.
	ReasonSubscribed = "Subscribed"
	// ReasonPolled: the platform was asked within three of its intervals.
	ReasonPolled = "Polled"
	// ReasonNothingSubscribed: the channel asks for no events.
	ReasonNothingSubscribed = "NothingSubscribed"
	// ReasonEventsUnsupported: the platform cannot send an event that is asked
	// for, in the way that is asked for.
	ReasonEventsUnsupported = "EventsUnsupported"
	// ReasonGatewayNotConfigured: the operator was not told at which URL its
	// gateway is reached.
	ReasonGatewayNotConfigured = "GatewayNotConfigured"
	// ReasonCallbackUnreachable: the callback does not answer as Rostra's
	// gateway yet, so nothing was registered.
	ReasonCallbackUnreachable = "CallbackUnreachable"
	// ReasonSubscriptionDrifted: the subscription is not as declared: the
	// management policy Observe lets Rostra change nothing, or the platform still
	// does not have it as it was asked for.
	ReasonSubscriptionDrifted = "SubscriptionDrifted"
	// ReasonInboxUnavailable: events cannot be stored, so none are fetched.
	ReasonInboxUnavailable = "InboxUnavailable"
)

// Reasons of PublishingAllowed, and of a PublishingFreeze.
const (
	// ReasonNotFrozen: no freeze holds the channel.
	ReasonNotFrozen = "NotFrozen"
	// ReasonFreezing: a freeze holds the channel, and its credentials are being
	// withdrawn.
	ReasonFreezing = "Freezing"
	// ReasonFrozen: a freeze holds the channel: its credentials are revoked, and
	// its owner's Secret is emptied.
	ReasonFrozen = "Frozen"
	// ReasonNotCutOff: a freeze holds the channel, and something of it is left
	// that Rostra cannot take back, such as a token of the company's own, which
	// still works for whoever has a copy: the message says what to do.
	ReasonNotCutOff = "NotCutOff"
	// ReasonNotEnforced: a freeze holds the channel, and the management policy
	// Observe lets Rostra withdraw nothing.
	ReasonNotEnforced = "NotEnforced"
	// ReasonPrepared: the freeze is inactive.
	ReasonPrepared = "Prepared"
	// ReasonIncomplete: at some of the channels a person must do something.
	ReasonIncomplete = "Incomplete"
	// ReasonSelectsNothing: the freeze is active, and there is no channel that
	// it selects.
	ReasonSelectsNothing = "SelectsNothing"
)

// Reasons of Covered.
const (
	// ReasonCovered: somebody is on duty at every promised hour.
	ReasonCovered = "PromiseKept"
	// ReasonNothingPromised: the channel promises no hours.
	ReasonNothingPromised = "NothingPromised"
	// ReasonCoverageGap: at some promised hour nobody is on duty.
	ReasonCoverageGap = "CoverageGap"
	// ReasonNoRota: hours are promised and no rota is named.
	ReasonNoRota = "NoRota"
	// ReasonRotaNotFound: no ResponderRota of that name exists in the
	// namespace.
	ReasonRotaNotFound = "RotaNotFound"
	// ReasonInvalidPromise: the promised hours cannot be read.
	ReasonInvalidPromise = "InvalidPromise"
)

// Reasons of ResponderRota and RotaOverride conditions.
const (
	// ReasonScheduleRead: the rota can be read.
	ReasonScheduleRead = "ScheduleRead"
	// ReasonUnknownTimeZone: no zone of that name is known.
	ReasonUnknownTimeZone = "UnknownTimeZone"
	// ReasonInvalidStart: a hand-off's start is a date that does not exist.
	ReasonInvalidStart = "InvalidStart"
	// ReasonWindowsOverlap: two windows of a layer share an hour.
	ReasonWindowsOverlap = "WindowsOverlap"
	// ReasonMembersFound: the teams exist and everybody listed is in them.
	ReasonMembersFound = "MembersFound"
	// ReasonTeamNotFound: a team that is named does not exist.
	ReasonTeamNotFound = "TeamNotFound"
	// ReasonMemberNotFound: somebody who is named is not in the team.
	ReasonMemberNotFound = "MemberNotFound"
	// ReasonMembersReachable: everybody who takes turns can be told.
	ReasonMembersReachable = "EverybodyReachable"
	// ReasonMemberUnreachable: somebody who takes turns cannot be told.
	ReasonMemberUnreachable = "MemberUnreachable"
	// ReasonInForce: the override answers now.
	ReasonInForce = "InForce"
	// ReasonPending: the override's time has not come.
	ReasonPending = "Pending"
	// ReasonOutranked: another override of the same time answers.
	ReasonOutranked = "Outranked"
)

// Reasons of EscalationRouted, and of EscalationRoute conditions.
const (
	// ReasonRouted: every step of the route is heard by somebody now.
	ReasonRouted = "Routed"
	// ReasonNoRoute: the channel names no route.
	ReasonNoRoute = "NoRoute"
	// ReasonRouteNotFound: no EscalationRoute of that name exists in the
	// namespace.
	ReasonRouteNotFound = "RouteNotFound"
	// ReasonRouteInvalid: a rule of the route cannot be used.
	ReasonRouteInvalid = "RouteInvalid"
	// ReasonRulesCompiled: every rule can be used.
	ReasonRulesCompiled = "RulesCompiled"
	// ReasonRuleInvalid: a rule cannot be read, is not true or false, or costs
	// too much.
	ReasonRuleInvalid = "RuleInvalid"
	// ReasonRuleNeverApplies: a rule comes after one that leaves it nothing, or
	// is false itself.
	ReasonRuleNeverApplies = "RuleNeverApplies"
	// ReasonTargetsFound: the rotas, teams and people of the route are there.
	ReasonTargetsFound = "TargetsFound"
	// ReasonTargetDeleting: a rota or team of the route is being deleted.
	ReasonTargetDeleting = "TargetDeleting"
	// ReasonStepEmpty: a step is nobody now, and is left out.
	ReasonStepEmpty = "StepEmpty"
	// ReasonNobodyReachable: nobody of a step can be told, and it is left out.
	ReasonNobodyReachable = "NobodyReachable"
	// ReasonStepsReachable: every step is heard by somebody now.
	ReasonStepsReachable = "StepsReachable"
	// ReasonOnePerson: nobody but one person, who may be asleep, hears any of
	// the steps and the fallback.
	ReasonOnePerson = "OnePerson"
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
	// ReasonAccountsListed: the server listed its accounts.
	ReasonAccountsListed = "AccountsListed"
	// ReasonTooManyAccounts: the server has more accounts than are listed, so
	// it is not the company's own.
	ReasonTooManyAccounts = "TooManyAccounts"
	// ReasonCannotList: accounts of this platform type cannot be listed.
	ReasonCannotList = "CannotList"
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

	// AnnotationConfirmRemoval confirms that a channel is to lose its owner or
	// its credential, where so many would at once that Rostra has stopped: the
	// time of the confirmation (RFC 3339), which counts for an hour.
	AnnotationConfirmRemoval = "social.rostra.dev/confirm-removal"

	// AnnotationConnectAt asks for status.authorization although the credential
	// works: an RFC 3339 time, which counts for an hour.
	AnnotationConnectAt = "social.rostra.dev/connect-at"

	// AnnotationConnected names, on a source Secret that Rostra wrote when a
	// person connected the account, the channel as namespace/name. One without
	// it is the company's own and is never overwritten.
	AnnotationConnected = "social.rostra.dev/connected"

	// LabelHook names, on the Secret by which the gateway verifies a channel's
	// events, whom the callback belongs to: the channel's UID, or what stands for
	// the application at the platform.
	LabelHook = "social.rostra.dev/hook"

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
	// AnnotationFrozen says, on a delivered Secret that a freeze has emptied,
	// which freeze, and why.
	AnnotationFrozen = "social.rostra.dev/frozen"
	// AnnotationIssuedAt is, on a delivered Secret, when Rostra issued the
	// credential (RFC 3339).
	AnnotationIssuedAt = "social.rostra.dev/issued-at"
)
