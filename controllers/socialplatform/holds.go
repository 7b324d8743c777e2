// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialplatform

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/internal/platform"
)

// holds are the accounts that channels claim: by ID, and those whose ID is not
// known yet by handle.
type holds struct {
	ids, handles sets.Set[string]
}

// has tells whether a channel claims an account. A channel whose account is
// known does not claim another that has taken its handle.
func (h holds) has(account platform.ListedAccount) bool {
	return h.ids.Has(account.ID) || account.Handle != "" && h.handles.Has(account.Handle)
}

// holds gathers what channels claim in the realm of a platform's account IDs,
// on whatever SocialPlatform object; by handle alone only those on an object
// for the same server. A channel in a namespace that its platform does not
// allow claims nothing, or it could hide an account.
func (r *Reconciler) holds(ctx context.Context, social *v1alpha1.SocialPlatform, adapter platform.Platform) (holds, error) {
	held := holds{ids: sets.New[string](), handles: sets.New[string]()}
	platforms := &v1alpha1.SocialPlatformList{}
	if err := r.Client.List(ctx, platforms, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return held, err
	}
	for i := range platforms.Items {
		other := &platforms.Items[i]
		if other.Spec.Type != social.Spec.Type {
			continue
		}
		theirs, err := r.Platforms.Get(string(other.Spec.Type), other.Spec.ServerURL())
		if err != nil || theirs.ClaimScope() != adapter.ClaimScope() {
			continue // a platform that cannot be used holds no account
		}
		found, err := r.holdsOn(ctx, other, theirs)
		if err != nil {
			return held, err
		}
		held.ids.Insert(found.ids.UnsortedList()...)
		if sameServer(social, other) {
			held.handles.Insert(found.handles.UnsortedList()...)
		}
	}
	return held, nil
}

func sameServer(a, b *v1alpha1.SocialPlatform) bool {
	plain := func(social *v1alpha1.SocialPlatform) string {
		return strings.TrimSuffix(strings.ToLower(social.Spec.ServerURL()), "/")
	}
	return plain(a) == plain(b)
}

// holdsOn gathers what the channels of one SocialPlatform object claim.
func (r *Reconciler) holdsOn(ctx context.Context, social *v1alpha1.SocialPlatform, adapter platform.Platform) (holds, error) {
	held := holds{ids: sets.New[string](), handles: sets.New[string]()}
	allowed, err := r.allowed(ctx, social)
	if err != nil {
		return held, err
	}
	channels, err := r.channels(ctx, social)
	if err != nil {
		return held, err
	}
	for i := range channels {
		channel := &channels[i]
		if !allowed.Has(channel.Namespace) {
			continue
		}
		if id := knownID(channel); id != "" {
			held.ids.Insert(id)
		} else if handle, err := adapter.NormaliseHandle(channel.Spec.Handle); err == nil {
			held.handles.Insert(handle)
		}
	}
	return held, nil
}

// knownID is the account ID that the platform confirmed for a channel, else the
// declared one.
func knownID(channel *v1alpha1.SocialChannel) string {
	if channel.Status.Account != nil {
		return channel.Status.Account.ID
	}
	return channel.Spec.AccountID
}

// allowed are the namespaces whose channels may use a platform.
func (r *Reconciler) allowed(ctx context.Context, social *v1alpha1.SocialPlatform) (sets.Set[string], error) {
	names := sets.New[string]()
	selector, err := metav1.LabelSelectorAsSelector(social.Spec.AllowedNamespaces)
	if err != nil {
		return names, nil //nolint:nilerr // a selector that cannot be read selects nothing; Reachable says so
	}
	namespaces := metadata.Namespaces()
	if err := r.Metadata.List(ctx, namespaces, client.MatchingLabelsSelector{Selector: selector}, client.UnsafeDisableDeepCopy); err != nil {
		return names, err
	}
	for i := range namespaces.Items {
		names.Insert(namespaces.Items[i].Name)
	}
	return names, nil
}
