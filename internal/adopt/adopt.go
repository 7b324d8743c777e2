// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package adopt writes manifests for accounts that no channel claims, for a
// person to review. It is pure: it reads and writes nothing, and invents no
// owner.
package adopt

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	// maxName is the longest name given, in characters: with a suffix that a
	// Secret's name gets, it is still a DNS label's length at most.
	maxName = 48
	// digestLength is how much of an account's digest tells two names apart, in
	// characters; more is taken where that is not enough.
	digestLength = 8
	maxDigest    = 32
)

// Errors for what a person must say.
var (
	ErrNoPlatform  = errors.New("say on which SocialPlatform the accounts are")
	ErrNoNamespace = errors.New("say in which namespace the channels are to be")
	ErrNoOwner     = errors.New("say which Team is to own the channels: none is assumed")
	ErrNoSecrets   = errors.New("say how the Secrets are to be named")
)

// Plan is what the manifests have in common. Every field but Taken is required.
type Plan struct {
	// Platform is the name of the SocialPlatform that the accounts are on.
	Platform string
	// Namespace of the channels.
	Namespace string
	// Owner is the name of the Team.
	Owner string
	// SourceSecret and DeliverySecret name the Secrets of a channel, given the
	// channel's name.
	SourceSecret, DeliverySecret func(channel string) string
	// Taken tells whether a channel of that name is in the namespace already;
	// nil for none.
	Taken func(channel string) bool
}

func (p Plan) check() error {
	switch {
	case p.Platform == "":
		return ErrNoPlatform
	case p.Namespace == "":
		return ErrNoNamespace
	case p.Owner == "":
		return ErrNoOwner
	case p.SourceSecret == nil || p.DeliverySecret == nil:
		return ErrNoSecrets
	}
	return nil
}

// Channels gives a manifest for each account, in their order, pinned to the
// account's ID. The same accounts get the same names in any order. Accounts
// without a handle cannot be declared yet: they are left, in their order.
func Channels(accounts []v1alpha1.UnclaimedAccount, plan Plan) (channels []*v1alpha1.SocialChannel, left []v1alpha1.UnclaimedAccount, err error) {
	if err := plan.check(); err != nil {
		return nil, nil, err
	}
	wanted := map[string]int{}
	for i := range accounts {
		wanted[Name(accounts[i])]++
	}
	for i := range accounts {
		account := accounts[i]
		if account.Handle == "" {
			left = append(left, account)
			continue
		}
		plain := Name(account)
		name, free := plain, wanted[plain] == 1
		for length := digestLength; length <= maxDigest && (!free || plan.taken(name)); length += digestLength {
			name = distinct(plain, account.ID, length)
			free = wanted[name] == 0
		}
		channels = append(channels, plan.channel(name, account))
	}
	return channels, left, nil
}

func (p Plan) taken(channel string) bool { return p.Taken != nil && p.Taken(channel) }

func (p Plan) channel(name string, account v1alpha1.UnclaimedAccount) *v1alpha1.SocialChannel {
	return &v1alpha1.SocialChannel{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "SocialChannel"},
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: name},
		Spec: v1alpha1.SocialChannelSpec{
			PlatformRef: v1alpha1.ClusterReference{Name: p.Platform},
			Handle:      account.Handle,
			AccountID:   account.ID,
			OwnerRef:    v1alpha1.ClusterReference{Name: p.Owner},
			Credentials: v1alpha1.ChannelCredentials{
				SourceSecretRef: v1alpha1.SecretReference{Name: p.SourceSecret(name)},
				Delivery:        v1alpha1.CredentialDelivery{SecretName: p.DeliverySecret(name)},
			},
		},
	}
}

// Name is the name that an account's channel gets where no other wants the
// same: its handle, or for want of one its ID, with a hyphen for everything
// that a DNS label does not have (RFC 1123). One that had to be cut gets a
// digest of the account's ID.
func Name(account v1alpha1.UnclaimedAccount) string {
	var name strings.Builder
	for _, r := range strings.ToLower(strings.TrimPrefix(cmp.Or(account.Handle, account.ID), "@")) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			name.WriteRune(r)
		default:
			name.WriteByte('-')
		}
	}
	plain := strings.Trim(squeeze(name.String()), "-")
	if plain == "" || len(plain) > maxName {
		return distinct(plain, account.ID, digestLength)
	}
	return plain
}

// distinct is a name that no other account gets, but for a digest of the length
// that is the same by chance.
func distinct(name, id string, length int) string {
	digest := sha256.Sum256([]byte(id))
	suffix := hex.EncodeToString(digest[:])[:length]
	name = strings.TrimRight(name[:min(len(name), maxName-length-1)], "-")
	if name == "" {
		return "account-" + suffix
	}
	return name + "-" + suffix
}

// squeeze makes one hyphen of several.
func squeeze(name string) string {
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	return name
}
