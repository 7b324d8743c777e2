// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package consent stores what comes of a person's consent in a browser: the way
// under way in the channel's vault, and the credential in its source Secret.
package consent

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
)

// uidIndex finds a channel by its UID.
const uidIndex = "uid"

// Index adds the index that channels are looked up by.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, &v1alpha1.SocialChannel{}, uidIndex, func(object client.Object) []string {
		return []string{string(object.GetUID())}
	})
}

// Store implements connect.Store. It lives in the process that reconciles: a
// credential has one writer.
type Store struct {
	// Client reads this group's kinds from the cache.
	Client client.Client
	// Secrets reads and writes Secrets live.
	Secrets *secretstore.Store
	// Platforms gives the adapter for a server.
	Platforms *platform.Directory
	// Namespace is Rostra's own, where the Secrets of applications are.
	Namespace string
}

// Subject implements connect.Store.
func (s *Store) Subject(ctx context.Context, uid string) (*connect.Subject, error) {
	channel, err := s.channel(ctx, uid)
	if err != nil {
		return nil, err
	}
	social := &v1alpha1.SocialPlatform{}
	if err := s.Client.Get(ctx, types.NamespacedName{Name: channel.Spec.PlatformRef.Name}, social); err != nil {
		return nil, notOffered(client.IgnoreNotFound(err), "SocialPlatform "+channel.Spec.PlatformRef.Name+" does not exist")
	}
	adapter, err := s.Platforms.Get(string(social.Spec.Type), social.Spec.ServerURL())
	if err != nil {
		return nil, notOffered(nil, err.Error())
	}
	authorizer, ok := adapter.(platform.Authorizer)
	if !ok {
		return nil, notOffered(nil, fmt.Sprintf("a platform of type %s gives no credential by consent", social.Spec.Type))
	}
	if !meta.IsStatusConditionTrue(channel.Status.Conditions, v1alpha1.ConditionClaimed) {
		return nil, notOffered(nil, "the channel does not hold the account: see its condition Claimed")
	}
	handle, err := adapter.NormaliseHandle(channel.Spec.Handle)
	if err != nil {
		return nil, notOffered(nil, fmt.Sprintf("spec.handle %q: %s", channel.Spec.Handle, err))
	}
	if err := s.Secrets.CheckSource(ctx, channel); err != nil {
		if errors.Is(err, secretstore.ErrOwnSource) {
			err = notOffered(nil, err.Error())
		}
		return nil, err
	}
	application, err := s.application(ctx, adapter, social)
	if err != nil {
		return nil, err
	}
	return &connect.Subject{
		Channel: channel.Namespace + "/" + channel.Name, UID: uid,
		Handle: handle, AccountID: pinned(channel), Owner: owner(channel),
		Offered: channel.Status.Authorization != nil, PlatformName: social.Name,
		Platform: string(social.Spec.Type), Server: social.Spec.ServerURL(),
		Application: application, Authorizer: authorizer, Adapter: adapter,
	}, nil
}

func (s *Store) application(ctx context.Context, adapter platform.Platform, social *v1alpha1.SocialPlatform) (credentials.Values, error) {
	user, ok := adapter.(platform.ApplicationUser)
	if !ok {
		return nil, nil
	}
	application, err := s.Secrets.Application(ctx, s.Namespace, social.Spec.ApplicationSecretName(), user.ApplicationKeys())
	switch {
	case errors.Is(err, secretstore.ErrApplicationNotFound), errors.Is(err, secretstore.ErrApplicationInvalid):
		return nil, notOffered(nil, err.Error())
	case err != nil:
		return nil, err
	}
	return application.Values, nil
}

// notOffered says why a person cannot connect the account, where err is nil.
func notOffered(err error, why string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", connect.ErrNotOffered, why)
}

func (s *Store) channel(ctx context.Context, uid string) (*v1alpha1.SocialChannel, error) {
	channels := &v1alpha1.SocialChannelList{}
	if err := s.Client.List(ctx, channels, client.MatchingFields{uidIndex: uid}); err != nil {
		return nil, err
	}
	if len(channels.Items) == 0 || !channels.Items[0].DeletionTimestamp.IsZero() {
		return nil, connect.ErrUnknown
	}
	return &channels.Items[0], nil
}

func pinned(channel *v1alpha1.SocialChannel) string {
	if channel.Spec.AccountID != "" {
		return channel.Spec.AccountID
	}
	if channel.Status.Account != nil {
		return channel.Status.Account.ID
	}
	return ""
}

func owner(channel *v1alpha1.SocialChannel) string {
	if channel.Status.Owner != "" {
		return channel.Status.Owner
	}
	return channel.Spec.OwnerRef.Name
}

// Begin implements connect.Store.
func (s *Store) Begin(ctx context.Context, uid string, pending connect.Pending) error {
	channel, err := s.channel(ctx, uid)
	if err != nil {
		return err
	}
	return undisturbed(func() error { return s.Secrets.Vault(channel, nil).BeginConsent(ctx, secretstore.Consent(pending)) })
}

// Take implements connect.Store.
func (s *Store) Take(ctx context.Context, uid, stateHash string) (connect.Pending, error) {
	channel, err := s.channel(ctx, uid)
	if err != nil {
		return connect.Pending{}, err
	}
	var taken secretstore.Consent
	err = undisturbed(func() (err error) {
		taken, err = s.Secrets.Vault(channel, nil).TakeConsent(ctx, stateHash)
		return err
	})
	switch {
	case errors.Is(err, secretstore.ErrNoPending):
		return connect.Pending{}, connect.ErrNoPending
	case err != nil:
		return connect.Pending{}, err
	}
	return connect.Pending(taken), nil
}

// disturbances is how many writers may be in between before a write is given
// up: a consent can be had but once, so it is worth a few tries.
const disturbances = 5

// undisturbed does something that somebody else's write may be in the way of,
// until none is.
func undisturbed(do func() error) error {
	var err error
	for range disturbances {
		if err = do(); !errors.Is(err, platform.ErrSessionConflict) && !apierrors.IsConflict(err) {
			return err
		}
	}
	return err
}

// Connected implements connect.Store. The session is stored before the source
// credential: else the reconciler could begin with one that the session has
// used up already. The session of the credential that works until now stays
// beside it.
func (s *Store) Connected(ctx context.Context, uid string, source, session credentials.Values, _ platform.Identity) error {
	channel, err := s.channel(ctx, uid)
	if err != nil {
		return err
	}
	if err := s.Secrets.CheckSource(ctx, channel); err != nil {
		return notStored(err)
	}
	err = undisturbed(func() error {
		vault := s.Secrets.Vault(channel, source)
		if _, err := vault.Load(ctx); err != nil {
			return err
		}
		return vault.Save(ctx, session)
	})
	if err != nil {
		return err
	}
	return notStored(undisturbed(func() error { return s.Secrets.StoreSource(ctx, channel, source) }))
}

// notStored says to the person what is in the way of a source credential.
func notStored(err error) error {
	if errors.Is(err, secretstore.ErrOwnSource) {
		return notOffered(nil, err.Error())
	}
	return err
}
