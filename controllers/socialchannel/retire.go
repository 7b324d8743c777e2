// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

// retire revokes a replaced credential and withdraws it. Neither waits for the
// other: whoever keeps the Secret from being deleted must not keep the
// credential working. What the platform refuses for good is put on record and
// tried again at the next probe.
func (r *Reconciler) retire(ctx context.Context, s *scope, retiring v1alpha1.RetiringCredential) error {
	if retiring.Message != "" && !s.observed {
		return nil
	}
	var failed error
	if retiring.RevokedAt == nil && r.endedByItself(ctx, s, retiring) != nil {
		revocation, err := r.revoke(ctx, s, retiring.ID)
		switch {
		case err == nil:
			s.noteRevoked(retiring, revocation)
			s.markRevoked(retiring.ID)
		case platform.ClassOf(err).Passing():
			failed = err
		default:
			s.markUnrevoked(retiring.ID, err)
		}
	}
	if retiring.Secret != nil {
		err := r.secrets.Withdraw(ctx, s.channel, retiring.Secret.Namespace, retiring.Secret.Name, retiring.ID)
		failed = errors.Join(failed, err)
	}
	if failed == nil {
		s.dropRevoked(retiring.ID)
	}
	return failed
}

var errStillWorks = errors.New("it has not ended by itself")

// endedByItself forgets a replaced credential that has ended without being
// revoked. The error says that it has not, or what stood in the way.
func (r *Reconciler) endedByItself(ctx context.Context, s *scope, retiring v1alpha1.RetiringCredential) error {
	if !credentials.Ended(retiring, s.now) {
		return errStillWorks
	}
	if err := r.secrets.Vault(s.channel, nil).ForgetKept(ctx, retiring.ID, retiring.ExpiresAt.Time); err != nil {
		return err
	}
	s.markRevoked(retiring.ID)
	return nil
}

// markRevoked keeps on the list that a credential is revoked, until its Secret
// is gone too.
func (s *scope) markRevoked(id string) {
	for i := range s.channel.Status.Retiring {
		if s.channel.Status.Retiring[i].ID == id {
			s.channel.Status.Retiring[i].RevokedAt = timeOrNil(s.now)
			s.channel.Status.Retiring[i].Message = ""
		}
	}
}

// dropRevoked takes a credential that is revoked off the list.
func (s *scope) dropRevoked(id string) {
	s.channel.Status.Retiring = slices.DeleteFunc(s.channel.Status.Retiring, func(r v1alpha1.RetiringCredential) bool {
		return r.ID == id && r.RevokedAt != nil
	})
	if len(s.channel.Status.Retiring) == 0 {
		s.channel.Status.Retiring = nil
	}
}

// noteRevoked puts on record that a credential was revoked, and tells of it.
func (s *scope) noteRevoked(retiring v1alpha1.RetiringCredential, revocation platform.Revocation) {
	s.channel.Status.LastRevoked = &v1alpha1.RevokedCredential{
		ID: retiring.ID, Cause: retiring.Cause,
		RevokedAt:   metav1.NewTime(s.now.Truncate(time.Second)),
		EffectiveBy: metav1.NewTime(revocation.EffectiveBy.Truncate(time.Second)),
	}
	s.revokedOld(retiring.ID, revocation.EffectiveBy)
	s.event("CredentialRevoked", "Revoke", fmt.Sprintf("revoked credential %s; the last access opened with it ends by %s",
		retiring.ID, revocation.EffectiveBy.UTC().Format(time.RFC3339)))
}

func (s *scope) markUnrevoked(id string, err error) {
	for i := range s.channel.Status.Retiring {
		if s.channel.Status.Retiring[i].ID == id {
			s.channel.Status.Retiring[i].Message = status.Note(err.Error())
		}
	}
}

// revoke takes a credential of this channel back: by its name where it was
// minted, else with its value.
func (r *Reconciler) revoke(ctx context.Context, s *scope, id string) (platform.Revocation, error) {
	if err := r.loadSource(ctx, s); err != nil {
		return platform.Revocation{}, err
	}
	account := r.account(s)
	if issuer, ok := s.adapter.(platform.Issuer); ok && credentials.Minted(id) {
		revocation, err := issuer.RevokeIssued(ctx, account, id)
		if err != nil {
			return platform.Revocation{}, err
		}
		// A freeze may have kept its value.
		return revocation, r.secrets.Vault(s.channel, nil).ForgetKept(ctx, id, revocation.EffectiveBy)
	}
	revoker, ok := s.adapter.(platform.Revoker)
	if !ok {
		return platform.Revocation{}, &platform.Failure{Class: platform.Permanent, Message: "this platform has no way to revoke it: do it by hand at the platform"}
	}
	return r.revokeKept(ctx, s, revoker, id)
}

// revokeKept revokes a credential with the value that was kept for that.
func (r *Reconciler) revokeKept(ctx context.Context, s *scope, revoker platform.Revoker, id string) (platform.Revocation, error) {
	vault := r.secrets.Vault(s.channel, s.source.Values)
	values, err := vault.Kept(ctx, id)
	if err != nil {
		return platform.Revocation{}, err
	}
	if values == nil {
		effectiveBy, done, err := vault.Forgotten(ctx, id)
		if err == nil && !done {
			err = &platform.Failure{Class: platform.Permanent, Message: "its value is no longer known to Rostra: revoke it by hand at the platform"}
		}
		return platform.Revocation{EffectiveBy: effectiveBy}, err
	}
	revocation, err := revoker.Revoke(ctx, r.account(s), credentials.Credential{ID: id, Values: values})
	if err != nil {
		return platform.Revocation{}, err
	}
	return revocation, vault.Forget(ctx, id, revocation.EffectiveBy)
}

// revokeStrays revokes credentials of this channel that nobody holds: mints
// whose answer was lost. Before it does, it makes sure that the record at hand
// is the stored one, since a stray by an old record may be in use by a new.
func (r *Reconciler) revokeStrays(ctx context.Context, s *scope, strays []string) error {
	if len(strays) == 0 {
		return nil
	}
	if err := r.refuseStale(ctx, s); err != nil {
		return err
	}
	issuer, ok := s.adapter.(platform.Issuer)
	if !ok {
		return nil
	}
	if err := r.loadSource(ctx, s); err != nil {
		return err
	}
	for _, id := range strays {
		if _, err := issuer.RevokeIssued(ctx, r.account(s), id); err != nil {
			return err
		}
		s.event("StrayRevoked", "Revoke", fmt.Sprintf("revoked credential %s, which nobody held", id))
	}
	return nil
}

// refuseStale gives a conflict if the channel at hand is not the stored one.
func (r *Reconciler) refuseStale(ctx context.Context, s *scope) error {
	stored, err := r.stored(ctx, s)
	if err != nil {
		return err
	}
	if stored.ResourceVersion != s.before.ResourceVersion {
		return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("socialchannels").GroupResource(), client.ObjectKeyFromObject(s.channel).String(), errStale)
	}
	return nil
}

// stored is the channel's metadata as the API server has it, whole: the cache
// can lag, and keeps no managed fields.
func (r *Reconciler) stored(ctx context.Context, s *scope) (*metav1.PartialObjectMetadata, error) {
	stored := metadata.SocialChannel()
	return stored, r.Live.Get(ctx, client.ObjectKeyFromObject(s.channel), stored)
}

// withdrawStrays deletes Secrets of this channel that are nowhere on record: a
// hand-over was given up after its delivery.
func (r *Reconciler) withdrawStrays(ctx context.Context, s *scope) error {
	secrets := metadata.Secrets()
	if err := r.Metadata.List(ctx, secrets, client.MatchingFields{deliveredIndex: string(s.channel.UID)}); err != nil {
		return err
	}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		if s.onRecord(secret.Namespace, secret.Name) || !secretstore.Ours(secret, s.channel) {
			continue
		}
		if err := r.withdrawStray(ctx, s, secret.Namespace, secret.Name); err != nil {
			return err
		}
	}
	return nil
}

// withdrawStray deletes one such Secret. If it holds the credential on record,
// those who could see it there have seen it: that is stored before the Secret,
// which is the only witness, goes.
func (r *Reconciler) withdrawStray(ctx context.Context, s *scope, namespace, name string) error {
	if err := r.refuseStale(ctx, s); err != nil {
		return err
	}
	delivered, err := r.secrets.Delivered(ctx, s.channel, namespace, name)
	if errors.Is(err, secretstore.ErrNotFound) || errors.Is(err, secretstore.ErrTaken) {
		return nil
	}
	if err != nil {
		return err
	}
	recorded := s.channel.Status.Credential
	if recorded != nil && recorded.ID == delivered.CredentialID {
		known := len(recorded.ExposedTo)
		credentials.Expose(recorded, delivered.ExposedTo)
		if len(recorded.ExposedTo) > known {
			s.unfinished = true
			s.wakeAt(s.now)
			return nil
		}
	}
	return r.secrets.Withdraw(ctx, s.channel, namespace, name, delivered.CredentialID)
}

func (s *scope) onRecord(namespace, name string) bool {
	if recorded := s.channel.Status.Credential; recorded != nil && recorded.Secret.Namespace == namespace && recorded.Secret.Name == name {
		return true
	}
	return slices.ContainsFunc(s.channel.Status.Retiring, func(r v1alpha1.RetiringCredential) bool {
		return r.Secret != nil && r.Secret.Namespace == namespace && r.Secret.Name == name
	})
}
