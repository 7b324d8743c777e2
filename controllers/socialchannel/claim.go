// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

// claimIndex indexes channels by what they may claim: see claimKeys.
const claimIndex = "claim"

// claimKeys are the keys under which rivals of a channel are found. They are
// wider than the claim itself, since the index knows no platform: a handle
// without its @ and server, and the account ID.
func claimKeys(object client.Object) []string {
	channel, ok := object.(*v1alpha1.SocialChannel)
	if !ok {
		return nil
	}
	handle, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(channel.Spec.Handle), "@"), "@")
	keys := []string{"handle:" + handle}
	if id := knownID(channel); id != "" {
		keys = append(keys, "id:"+id)
	}
	return keys
}

// knownID is the account ID that the platform confirmed for a channel, else the
// declared one.
func knownID(channel *v1alpha1.SocialChannel) string {
	if channel.Status.Account != nil {
		return channel.Status.Account.ID
	}
	return channel.Spec.AccountID
}

// bindClaim makes sure that no other channel holds the account, by what is
// known before the platform is asked.
func (r *Reconciler) bindClaim(ctx context.Context, s *scope) error {
	if s.adapter == nil {
		s.status.Unknown(v1alpha1.ConditionClaimed, v1alpha1.ReasonWaiting, "what the account is cannot be told before IdentityVerified is settled")
		return nil
	}
	holder, err := r.contend(ctx, s, knownID(s.channel))
	if err != nil {
		return err
	}
	s.settleClaim(holder)
	if !s.claimed {
		r.claims.drop(client.ObjectKeyFromObject(s.channel))
	}
	return nil
}

func (s *scope) settleClaim(holder types.NamespacedName) {
	self := client.ObjectKeyFromObject(s.channel)
	s.claimed = holder == self
	if !s.claimed {
		s.status.False(v1alpha1.ConditionClaimed, v1alpha1.ReasonHeldByOther, fmt.Sprintf(
			"the account is held by SocialChannel %s: one account has one channel, so remove this one, or the other", holder))
		return
	}
	s.status.True(v1alpha1.ConditionClaimed, v1alpha1.ReasonClaimHeld, "no other channel holds the account")
}

// contend gives the channel that holds the account of this handle and ID.
func (r *Reconciler) contend(ctx context.Context, s *scope, id string) (types.NamespacedName, error) {
	self := client.ObjectKeyFromObject(s.channel)
	claims := []ownership.Claim{claimOf(s.channel)}
	seen := map[types.NamespacedName]bool{self: true}
	keys := claimKeys(s.channel)
	if id != "" {
		keys = append(keys, "id:"+id)
	}
	for _, key := range keys {
		rivals := &v1alpha1.SocialChannelList{}
		err := r.Client.List(ctx, rivals, client.MatchingFields{claimIndex: key}, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
		if err != nil {
			return self, err
		}
		for i := range rivals.Items {
			rival := &rivals.Items[i]
			name := client.ObjectKeyFromObject(rival)
			if seen[name] {
				continue
			}
			seen[name] = true
			same, err := r.sameAccount(ctx, s, id, rival)
			if err != nil {
				return self, err
			}
			if same {
				claims = append(claims, claimOf(rival))
			}
		}
	}
	holder := ownership.Holder(claims)
	return types.NamespacedName{Namespace: holder.Namespace, Name: holder.Name}, nil
}

func claimOf(channel *v1alpha1.SocialChannel) ownership.Claim {
	return ownership.Claim{
		Namespace: channel.Namespace, Name: channel.Name, Since: channel.CreationTimestamp.Time,
		Incumbent: channel.Status.Account != nil && meta.IsStatusConditionTrue(channel.Status.Conditions, v1alpha1.ConditionClaimed),
	}
}

// sameAccount tells whether a rival declares the same account, on whatever
// SocialPlatform object, and is allowed to.
func (r *Reconciler) sameAccount(ctx context.Context, s *scope, id string, rival *v1alpha1.SocialChannel) (bool, error) {
	social := s.social
	if rival.Spec.PlatformRef != s.channel.Spec.PlatformRef {
		social = &v1alpha1.SocialPlatform{}
		if err := r.Client.Get(ctx, types.NamespacedName{Name: rival.Spec.PlatformRef.Name}, social); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
	adapter, err := r.Platforms.Get(string(social.Spec.Type), social.Spec.ServerURL())
	if err != nil || social.Spec.Type != s.social.Spec.Type || adapter.ClaimScope() != s.adapter.ClaimScope() {
		return false, nil //nolint:nilerr // a platform that cannot be used holds no account
	}
	if allowed, err := r.admits(ctx, social, rival.Namespace); err != nil || !allowed {
		return false, err
	}
	if theirs := knownID(rival); id != "" && theirs != "" {
		return theirs == id, nil
	}
	handle, err := adapter.NormaliseHandle(rival.Spec.Handle)
	return err == nil && handle == s.handle, nil
}

// reservations are the accounts whose identity was confirmed for a channel by
// this process. They close the gap between confirming an account and seeing
// that on record: two workers cannot both take one account.
type reservations struct {
	mu      sync.Mutex
	holders map[accountKey]types.NamespacedName
}

type accountKey struct{ platformType, scope, id string }

func newReservations() *reservations {
	return &reservations{holders: map[accountKey]types.NamespacedName{}}
}

// take reserves an account for a channel, or gives the channel that has it.
func (r *reservations) take(key accountKey, channel types.NamespacedName) types.NamespacedName {
	r.mu.Lock()
	defer r.mu.Unlock()
	if holder, taken := r.holders[key]; taken && holder != channel {
		return holder
	}
	r.holders[key] = channel
	return channel
}

// drop gives up what a channel reserved.
func (r *reservations) drop(channel types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, holder := range r.holders {
		if holder == channel {
			delete(r.holders, key)
		}
	}
}
