// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/internal/platform"
)

// bindPlatform finds the port to the platform, and checks that the channel may
// be on it and is written as its accounts are. What is wrong shows in
// IdentityVerified, which cannot hold without.
func (r *Reconciler) bindPlatform(ctx context.Context, s *scope) error {
	name := s.channel.Spec.PlatformRef.Name
	social := &v1alpha1.SocialPlatform{}
	if err := r.Client.Get(ctx, types.NamespacedName{Name: name}, social); err != nil {
		if !apierrors.IsNotFound(err) {
			return err
		}
		s.identityFails(v1alpha1.ReasonPlatformNotFound, fmt.Sprintf("SocialPlatform %s does not exist: create it", name))
		return nil
	}
	s.social = social
	allowed, err := r.admits(ctx, social, s.channel.Namespace)
	if err != nil {
		return err
	}
	if !allowed {
		s.identityFails(v1alpha1.ReasonNamespaceNotAllowed, fmt.Sprintf(
			"SocialPlatform %s does not allow channels in namespace %s: label the namespace so that spec.allowedNamespaces selects it", name, s.channel.Namespace))
		return nil
	}
	adapter, err := r.Platforms.Get(string(social.Spec.Type), social.Spec.ServerURL())
	switch {
	case errors.Is(err, platform.ErrUnsupportedType):
		s.identityFails(v1alpha1.ReasonUnsupportedType, fmt.Sprintf("SocialPlatform %s: %s", name, err))
		return nil
	case err != nil:
		s.identityFails(v1alpha1.ReasonInvalidServer, fmt.Sprintf("SocialPlatform %s: %s", name, err))
		return nil
	}
	handle, err := adapter.NormaliseHandle(s.channel.Spec.Handle)
	if err != nil {
		s.identityFails(v1alpha1.ReasonInvalidHandle, fmt.Sprintf("spec.handle %q: %s", s.channel.Spec.Handle, err))
		return nil
	}
	if id := s.channel.Spec.AccountID; id != "" {
		if err := adapter.CheckAccountID(id); err != nil {
			s.identityFails(v1alpha1.ReasonInvalidAccountID, fmt.Sprintf("spec.accountID %q: %s", id, err))
			return nil
		}
	}
	s.adapter, s.handle = adapter, handle
	return nil
}

func (s *scope) identityFails(reason, message string) {
	s.status.False(v1alpha1.ConditionIdentityVerified, reason, message)
}

// admits tells whether a platform allows channels in a namespace.
func (r *Reconciler) admits(ctx context.Context, social *v1alpha1.SocialPlatform, namespace string) (bool, error) {
	selector, err := metav1.LabelSelectorAsSelector(social.Spec.AllowedNamespaces)
	if err != nil {
		return false, nil //nolint:nilerr // a selector that cannot be read selects nothing; the SocialPlatform's own status says so
	}
	object, err := r.namespace(ctx, namespace)
	if object == nil || err != nil {
		return false, err
	}
	return selector.Matches(labels.Set(object.Labels)), nil
}

// namespace gives a Namespace's metadata, or nil if there is none.
func (r *Reconciler) namespace(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	object := metadata.Namespace()
	err := r.Metadata.Get(ctx, types.NamespacedName{Name: name}, object)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return object, nil
}

// secret gives a Secret's metadata from the cache, or nil if there is none.
func (r *Reconciler) secret(ctx context.Context, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	object := metadata.Secret()
	err := r.Metadata.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, object)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return object, nil
}
