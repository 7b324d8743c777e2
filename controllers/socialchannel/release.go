// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

// release ends the hold of a channel that is being deleted. With Orphan, the
// account and the owner's credential stay, and only what was on its way out is
// finished; with Revoke the owner's credential goes too. What can no longer be
// reached never keeps the object from going: it is told in an Event.
func (r *Reconciler) release(ctx context.Context, s *scope) (reconcile.Result, error) {
	if !controllerutil.ContainsFinalizer(s.channel, v1alpha1.FinalizerChannel) {
		return reconcile.Result{}, nil
	}
	halted, err := r.haltRelease(ctx, s)
	if err != nil {
		return status.Quietly(err)
	}
	if halted != "" {
		return r.tend(ctx, s, halted)
	}
	left, err := r.letGo(ctx, s)
	if err != nil {
		if failure, ok := errors.AsType[*platform.Failure](err); ok {
			r.platformFails(s, "take the credentials back", failure)
			if err := r.holdBackOutgoing(ctx, s); err != nil {
				return status.Quietly(err)
			}
			s.status.Unknown(v1alpha1.ConditionReady, v1alpha1.ReasonDeleting, "waits to take the credentials back: "+failure.Error())
			return r.finish(ctx, s)
		}
		return status.Quietly(err)
	}
	if len(left) > 0 {
		s.warn("LeftBehind", "Release", "could not be taken back, do it by hand at the platform: "+strings.Join(left, "; "))
	}
	before := s.channel.DeepCopy()
	controllerutil.RemoveFinalizer(s.channel, v1alpha1.FinalizerChannel)
	if err := r.Client.Patch(ctx, s.channel, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil && !apierrors.IsNotFound(err) {
		return status.Quietly(err)
	}
	for _, e := range s.events {
		r.Recorder.Eventf(s.channel, nil, e.kind, e.reason, e.action, "%s", status.Note(e.note))
	}
	r.forget(client.ObjectKeyFromObject(s.channel))
	r.losses.gone(s.channel.UID)
	return reconcile.Result{}, nil
}

// tend keeps up a channel whose deletion is stopped: a freeze, a leaver and a
// gap are its as before.
func (r *Reconciler) tend(ctx context.Context, s *scope, halted string) (reconcile.Result, error) {
	if err := r.bind(ctx, s, r.bindings()); err != nil {
		return status.Quietly(err)
	}
	s.summarise()
	s.status.Verdict(metav1.ConditionFalse, v1alpha1.ReasonRemovalHalted, halted)
	return r.finish(ctx, s)
}

// holdBackOutgoing lets a freeze empty the Secret of a channel that waits for
// its platform in order to go.
func (r *Reconciler) holdBackOutgoing(ctx context.Context, s *scope) error {
	if !s.hold.Frozen() {
		return nil
	}
	return r.bind(ctx, s, []binding{r.bindClaim, r.bindIdentity, r.bindCredential})
}

// letGo takes back what is to be taken back, and says what could not be.
func (r *Reconciler) letGo(ctx context.Context, s *scope) (left []string, err error) {
	if err := r.bindPlatform(ctx, s); err != nil {
		return nil, err
	}
	if left, err = r.releaseSubscription(ctx, s); err != nil || s.observes() {
		return left, err
	}
	ids, err := r.outgoing(ctx, s)
	if err != nil {
		if !lastWord(err) {
			return nil, err
		}
		left = append(left, "credentials named "+s.idPrefix()+"…: "+err.Error())
	}
	for _, id := range ids {
		if _, err := r.takeBack(ctx, s, id); err != nil {
			if !lastWord(err) {
				return nil, err
			}
			left = append(left, "credential "+id+": "+err.Error())
		}
	}
	if err := r.withdrawOutgoing(ctx, s); err != nil {
		return nil, err
	}
	return left, r.endSession(ctx, s)
}

// outgoing are the credentials that must not outlive the channel.
func (r *Reconciler) outgoing(ctx context.Context, s *scope) ([]string, error) {
	var ids []string
	facts := credentials.Facts{Recorded: s.channel.Status.Credential, Retiring: s.channel.Status.Retiring}
	for _, retiring := range facts.Retiring {
		ids = append(ids, retiring.ID)
	}
	if facts.Recorded != nil && (s.channel.Spec.DeletionPolicy == v1alpha1.DeletionRevoke || s.cutsAtRelease()) {
		ids = append(ids, facts.Recorded.ID)
	}
	if s.adapter == nil {
		return ids, nil
	}
	issuer, ok := s.adapter.(platform.Issuer)
	if !ok {
		return ids, nil
	}
	if err := r.loadSource(ctx, s); err != nil {
		return ids, err
	}
	issued, err := issuer.Issued(ctx, r.account(s))
	if err != nil {
		return ids, err
	}
	facts.Issued = issued
	return append(ids, credentials.Strays(facts, s.idPrefix())...), nil
}

// takeBack revokes a credential, with its own value where the source
// credential is gone.
func (r *Reconciler) takeBack(ctx context.Context, s *scope, id string) (platform.Revocation, error) {
	if s.adapter == nil {
		return platform.Revocation{}, &platform.Failure{Class: platform.Permanent, Message: s.status.Get(v1alpha1.ConditionIdentityVerified).Message}
	}
	recorded := s.channel.Status.Credential
	revoker, ok := s.adapter.(platform.Revoker)
	if !ok || recorded == nil || recorded.ID != id {
		return r.revoke(ctx, s, id)
	}
	if credentials.Minted(id) {
		if revocation, err := r.revoke(ctx, s, id); err == nil || !lastWord(err) {
			return revocation, err
		}
	}
	delivered, err := r.secrets.Delivered(ctx, s.channel, recorded.Secret.Namespace, recorded.Secret.Name)
	if errors.Is(err, secretstore.ErrTaken) {
		err = fmt.Errorf("%w: %w", secretstore.ErrNotFound, err)
	}
	if err != nil {
		return platform.Revocation{}, err
	}
	values := delivered.Values
	if delivered.Frozen != "" {
		kept, err := r.secrets.Vault(s.channel, nil).Kept(ctx, id)
		if err != nil {
			return platform.Revocation{}, err
		}
		if kept != nil {
			values = kept
		}
	}
	if len(values) == 0 {
		return platform.Revocation{}, &platform.Failure{Class: platform.Permanent, Message: "its value is no longer known to Rostra: revoke it by hand at the platform"}
	}
	account := platform.Account{Handle: s.handle, ID: s.pinned()}
	if r.loadSource(ctx, s) == nil {
		account = r.account(s)
	}
	return revoker.Revoke(ctx, account, credentials.Credential{ID: id, Values: values})
}

// lastWord tells whether trying again will not help: what is missing is
// missing, and what the platform refuses it refuses.
func lastWord(err error) bool {
	if errors.Is(err, secretstore.ErrNotFound) || errors.Is(err, secretstore.ErrInvalid) {
		return true
	}
	failure, ok := errors.AsType[*platform.Failure](err)
	return ok && !failure.Class.Passing()
}

// withdrawOutgoing deletes the Secrets that must not outlive the channel.
func (r *Reconciler) withdrawOutgoing(ctx context.Context, s *scope) error {
	for _, retiring := range s.channel.Status.Retiring {
		if retiring.Secret == nil {
			continue
		}
		if err := r.secrets.Withdraw(ctx, s.channel, retiring.Secret.Namespace, retiring.Secret.Name, retiring.ID); err != nil {
			return err
		}
	}
	recorded := s.channel.Status.Credential
	if recorded == nil || s.channel.Spec.DeletionPolicy != v1alpha1.DeletionRevoke {
		return nil
	}
	if err := r.secrets.Withdraw(ctx, s.channel, recorded.Secret.Namespace, recorded.Secret.Name, recorded.ID); err != nil {
		return err
	}
	return r.withdrawStrays(ctx, s)
}

// endSession closes the session that Rostra itself kept. One that cannot be
// closed ends by itself.
func (r *Reconciler) endSession(ctx context.Context, s *scope) error {
	ender, ok := s.adapter.(platform.SessionEnder)
	if !ok {
		return nil
	}
	if err := r.loadSource(ctx, s); err != nil {
		return nil //nolint:nilerr // without the source credential the session cannot be reached; it ends by itself
	}
	if err := ender.EndSession(ctx, r.account(s)); err != nil && !lastWord(err) {
		return err
	}
	return nil
}
