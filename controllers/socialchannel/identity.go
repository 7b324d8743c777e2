// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
)

// defaultProbeInterval stands where a SocialPlatform was made without its
// default, as by a client that skips the API server's defaulting.
const defaultProbeInterval = time.Hour

// refusedInterval is how long a refused source credential is let be, at least.
// Another one in its Secret is tried at once; the same one again and again
// would run into the platform's limit of logins, or send a code by e-mail each
// time.
const refusedInterval = 6 * time.Hour

// bindIdentity asks the platform whose account the source credential is for,
// once a probe interval or when something that the answer depends on changed.
func (r *Reconciler) bindIdentity(ctx context.Context, s *scope) error {
	if s.adapter == nil {
		s.status.Unknown(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonWaiting, "waits for IdentityVerified")
		return nil
	}
	if !s.claimed {
		s.status.Unknown(v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonWaiting, "waits for Claimed")
		return nil
	}
	inputs, err := r.probeInputs(ctx, s)
	if err != nil {
		return err
	}
	name := client.ObjectKeyFromObject(s.channel)
	if s.wasKeptFromAsking() {
		r.pace.Expire(name)
	}
	if s.settledBefore(inputs) {
		r.pace.Resume(name, inputs, s.now, s.probeInterval())
	}
	due, next := r.pace.Due(name, inputs, s.now)
	if !due {
		s.status.Keep(v1alpha1.ConditionIdentityVerified)
		s.wakeAt(next)
	} else if err := r.observe(ctx, s, inputs); err != nil {
		return err
	}
	if !s.verified() {
		return nil
	}
	// Also where the policy was Observe when the platform was asked.
	return r.ensureFinalizer(ctx, s)
}

// wasKeptFromAsking tells whether the condition still says what was wrong
// before the platform could be asked, which it no longer is.
func (s *scope) wasKeptFromAsking() bool {
	switch s.status.Get(v1alpha1.ConditionIdentityVerified).Reason {
	case v1alpha1.ReasonPlatformNotFound, v1alpha1.ReasonNamespaceNotAllowed, v1alpha1.ReasonUnsupportedType,
		v1alpha1.ReasonInvalidServer, v1alpha1.ReasonInvalidHandle, v1alpha1.ReasonInvalidAccountID, v1alpha1.ReasonWaiting:
		return true
	}
	return false
}

// settledBefore tells whether the status holds an observation of the same
// inputs that an earlier process made.
func (s *scope) settledBefore(inputs probeInputs) bool {
	identity := s.status.Get(v1alpha1.ConditionIdentityVerified)
	account := s.channel.Status.Account
	return identity.Status == metav1.ConditionTrue && identity.ObservedGeneration == s.channel.Generation &&
		account != nil && account.Source != nil && account.Source.ResourceVersion == inputs.sourceSeen &&
		(account.Source.ExpiresAt == nil || account.Source.ExpiresAt.After(s.now))
}

func (r *Reconciler) probeInputs(ctx context.Context, s *scope) (probeInputs, error) {
	inputs := probeInputs{uid: s.channel.UID, generation: s.channel.Generation, server: s.social.Spec.ServerURL(), exposed: s.exposed()}
	if name := s.social.Spec.ApplicationSecretName(); name != "" && r.Namespace != "" {
		application, err := r.secret(ctx, r.Namespace, name)
		if err != nil {
			return inputs, err
		}
		if application != nil {
			inputs.applicationSeen = application.ResourceVersion
		}
	}
	source, err := r.secret(ctx, s.channel.Namespace, s.channel.Spec.Credentials.SourceSecretRef.Name)
	if source != nil {
		inputs.sourceSeen = source.ResourceVersion
	}
	return inputs, err
}

func (s *scope) probeInterval() time.Duration {
	if s.social.Spec.ProbeInterval == nil {
		return defaultProbeInterval
	}
	return s.social.Spec.ProbeInterval.Duration
}

// observe asks the platform, and records what it says.
func (r *Reconciler) observe(ctx context.Context, s *scope, inputs probeInputs) error {
	if err := r.loadSource(ctx, s); err != nil {
		return r.sourceFails(s, inputs, err)
	}
	if err := r.ensureFinalizer(ctx, s); err != nil {
		return err
	}
	s.asked = true
	account := r.account(s)
	account.Renew = s.exposed() != ""
	identity, err := s.adapter.Verify(ctx, account)
	if err != nil {
		return r.verifyFails(s, inputs, err)
	}
	s.wakeAt(r.pace.Answered(client.ObjectKeyFromObject(s.channel), inputs, s.now, s.untilNextProbe(identity)))
	if !s.isDeclared(identity) {
		return nil
	}
	if held, err := r.holdAccount(ctx, s, identity.AccountID); err != nil || !held {
		return err
	}
	s.observed = true
	s.record(identity)
	return nil
}

// minProbeInterval keeps a platform that gives very short-lived credentials
// from being asked all the time.
const minProbeInterval = time.Minute

// untilNextProbe is the probe interval, or less where the credential must be
// renewed before. The pacer adds up to a tenth.
func (s *scope) untilNextProbe(identity platform.Identity) time.Duration {
	interval := s.probeInterval()
	if identity.Renews && identity.RenewAt.After(s.now) {
		interval = min(interval, max(identity.RenewAt.Sub(s.now)*9/10, minProbeInterval))
	}
	return interval
}

// isDeclared tells whether the account is the one declared, and says so where
// it is not. Nothing is minted or delivered for another.
func (s *scope) isDeclared(identity platform.Identity) bool {
	pinned := s.pinned()
	switch {
	case pinned != "" && pinned != identity.AccountID:
		s.identityFails(v1alpha1.ReasonWrongAccount, fmt.Sprintf(
			"the source credential is for account %s (%s), the channel is for %s: put the credential of the right account into Secret %s",
			identity.AccountID, identity.Handle, pinned, s.channel.Spec.Credentials.SourceSecretRef.Name))
		return false
	case pinned == "" && identity.Handle != s.handle:
		s.identityFails(v1alpha1.ReasonWrongAccount, fmt.Sprintf(
			"the source credential is for %s (account %s), the channel is for %s: put the credential of the right account into Secret %s, or correct spec.handle",
			identity.Handle, identity.AccountID, s.handle, s.channel.Spec.Credentials.SourceSecretRef.Name))
		return false
	}
	return true
}

// holdAccount makes sure, now that the account ID is certain, that no other
// channel holds it under another handle.
func (r *Reconciler) holdAccount(ctx context.Context, s *scope, id string) (bool, error) {
	holder, err := r.contend(ctx, s, id)
	if err != nil {
		return false, err
	}
	self := client.ObjectKeyFromObject(s.channel)
	if holder == self {
		holder = r.claims.take(accountKey{string(s.social.Spec.Type), s.adapter.ClaimScope(), id}, self)
	}
	s.settleClaim(holder)
	if !s.claimed {
		s.status.Unknown(v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonWaiting, "waits for Claimed")
	}
	return s.claimed, nil
}

func (s *scope) record(identity platform.Identity) {
	account := &v1alpha1.ChannelAccount{
		ID: identity.AccountID, Handle: identity.Handle, DisplayName: identity.DisplayName,
		Source: &v1alpha1.SourceCredential{ResourceVersion: s.source.ResourceVersion, Use: v1alpha1.SourceDeliver},
	}
	switch {
	case identity.CanMint:
		account.Source.Use = v1alpha1.SourceMint
	case identity.Renews && !identity.ExpiresAt.IsZero():
		account.Source.Use = v1alpha1.SourceRenew
	}
	if before := s.channel.Status.Account; before != nil && account.DisplayName == "" {
		account.DisplayName = before.DisplayName
	}
	account.Source.ExpiresAt = timeOrNil(identity.ExpiresAt)
	s.channel.Status.Account = account
	if identity.Handle != s.handle {
		s.identityFails(v1alpha1.ReasonHandleDrift, fmt.Sprintf(
			"account %s is called %s at the platform now, the channel says %s: correct spec.handle", identity.AccountID, identity.Handle, s.handle))
		return
	}
	s.status.True(v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonVerified,
		fmt.Sprintf("the platform confirms account %s for %s", identity.AccountID, identity.Handle))
}

// sourceFails says what is wrong with the source Secret. The Secret's watch
// brings the channel back when it changes; the probe is for a watch missed.
func (r *Reconciler) sourceFails(s *scope, inputs probeInputs, err error) error {
	reason := sourceReason(err)
	if reason == "" {
		return err
	}
	s.status.Unknown(v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonNoCredential, "there is no source credential to ask the platform with")
	s.status.False(v1alpha1.ConditionCredentialReady, reason, err.Error())
	s.wakeAt(r.pace.Answered(client.ObjectKeyFromObject(s.channel), inputs, s.now, s.probeInterval()))
	return nil
}

// sourceReason is the reason for which the source Secret cannot be used, or
// empty if that is the API server's trouble.
func sourceReason(err error) string {
	switch {
	case errors.Is(err, secretstore.ErrApplicationNotFound):
		return v1alpha1.ReasonApplicationSecretMissing
	case errors.Is(err, secretstore.ErrApplicationInvalid):
		return v1alpha1.ReasonApplicationSecretInvalid
	case errors.Is(err, secretstore.ErrNotFound):
		return v1alpha1.ReasonSourceSecretMissing
	case errors.Is(err, secretstore.ErrInvalid):
		return v1alpha1.ReasonSourceSecretInvalid
	case errors.Is(err, secretstore.ErrSourceForbidden):
		return v1alpha1.ReasonSourceSecretForbidden
	}
	return ""
}

// verifyFails says what came of asking the platform in vain. What it refused
// is known; anything else is unknown, and never called dead.
func (r *Reconciler) verifyFails(s *scope, inputs probeInputs, err error) error {
	s.failed = true
	class := platform.ClassOf(err)
	name := client.ObjectKeyFromObject(s.channel)
	if platform.HeldBack(err) {
		s.status.Keep(v1alpha1.ConditionIdentityVerified)
		s.wakeAt(r.pace.Failed(name, inputs, s.now, platform.RetryAt(err)))
		return nil
	}
	r.count(s, class)
	if class.Passing() {
		s.doubt(v1alpha1.ConditionIdentityVerified, err)
		s.doubt(v1alpha1.ConditionCredentialReady, err)
		s.wakeAt(r.pace.Failed(name, inputs, s.now, platform.RetryAt(err)))
		return nil
	}
	interval := s.probeInterval()
	if refusalReason(class) != v1alpha1.ReasonPlatformRefused {
		interval = max(interval, refusedInterval)
	}
	s.wakeAt(r.pace.Answered(name, inputs, s.now, interval))
	s.refuse(class, err)
	return nil
}

// refusalReason is the reason of a condition that a refusal makes False.
func refusalReason(class platform.Class) string {
	switch class {
	case platform.Unauthorized, platform.Revoked:
		return v1alpha1.ReasonRevoked
	case platform.InsufficientScope:
		return v1alpha1.ReasonInsufficientScope
	case platform.PolicyBlocked, platform.NotFound, platform.Permanent,
		platform.RateLimited, platform.Conflict, platform.Transient, platform.Unknown:
	}
	return v1alpha1.ReasonPlatformRefused
}

// refuse says what the platform refused: a credential, or more than that.
func (s *scope) refuse(class platform.Class, err error) {
	message := err.Error()
	secret := s.channel.Spec.Credentials.SourceSecretRef.Name
	switch refusalReason(class) {
	case v1alpha1.ReasonRevoked:
		s.status.Unknown(v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonNoCredential, "the platform does not accept the source credential")
		s.status.False(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRevoked,
			fmt.Sprintf("the platform does not accept the source credential: %s; put a working one into Secret %s", message, secret))
	case v1alpha1.ReasonInsufficientScope:
		s.status.Unknown(v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonNoCredential, "the source credential may not ask whose account it is")
		s.status.False(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonInsufficientScope,
			fmt.Sprintf("the source credential lacks a permission: %s; put one that has it into Secret %s", message, secret))
	default:
		s.identityFails(v1alpha1.ReasonPlatformRefused, message)
		s.status.Unknown(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonWaiting, "waits for IdentityVerified")
	}
}

// doubt says that a condition could not be looked at. While the doubt is the
// same its words stay too, so that an outage costs one write a channel.
func (s *scope) doubt(kind string, err error) {
	reason := v1alpha1.ReasonPlatformUnavailable
	if platform.ClassOf(err) == platform.RateLimited {
		reason = v1alpha1.ReasonRateLimited
	}
	if condition := s.status.Get(kind); condition.Status == metav1.ConditionUnknown && condition.Reason == reason {
		s.status.Keep(kind)
		return
	}
	s.status.Unknown(kind, reason, "the platform could not be asked: "+err.Error())
}

func (r *Reconciler) count(s *scope, class platform.Class) {
	if r.Failures != nil {
		r.Failures.Count(string(s.social.Spec.Type), class)
	}
}

// ensureFinalizer puts on record, before anything is made at the platform,
// that something may be there to clean up.
func (r *Reconciler) ensureFinalizer(ctx context.Context, s *scope) error {
	if controllerutil.ContainsFinalizer(s.channel, v1alpha1.FinalizerChannel) || s.observes() {
		return nil
	}
	patched := s.channel.DeepCopy()
	controllerutil.AddFinalizer(patched, v1alpha1.FinalizerChannel)
	if err := r.Client.Patch(ctx, patched, client.MergeFromWithOptions(s.channel, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	// The answer holds the status as stored: the status patch is made against
	// it, while what was found so far is kept.
	s.channel.ObjectMeta = *patched.ObjectMeta.DeepCopy()
	s.before = patched
	return nil
}
