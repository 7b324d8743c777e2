// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// A channel's vault is a Secret beside the channel, owned by it, for what
// Rostra itself must remember and nobody else needs: the session it keeps, and
// replaced credentials that wait for their revocation.
const (
	vaultPrefix = "rostra-"
	keySalt     = "salt"
	// keySessions names the sessions that are kept, the one that was saved last
	// at the end.
	keySessions = "sessions"
	// maxSessions is how many source credentials' sessions are kept: that of the
	// one in use, that of one which is about to take its place, and one more.
	maxSessions = 3
	// Dots cannot be in a session's or credential's own key, so they part them.
	sessionPrefix = "session."
	retiredPrefix = "retired."
	revokedPrefix = "revoked."
)

// VaultName is the name of a channel's vault.
func VaultName(channel *v1alpha1.SocialChannel) string { return vaultPrefix + string(channel.UID) }

// Vault is one channel's vault.
type Vault struct {
	store   *Store
	channel *v1alpha1.SocialChannel
	source  credentials.Values
	// version is the resource version that was loaded; empty before a load or
	// where there was no vault.
	version string
}

// Vault opens the vault of a channel. A session in it belongs to the source
// credential that opened it: with another one, Load gives none, and Save keeps
// its own beside it. So a person can connect the account anew without touching
// what still works, and whoever is late saves into what nobody uses any more.
func (s *Store) Vault(channel *v1alpha1.SocialChannel, source credentials.Values) *Vault {
	return &Vault{store: s, channel: channel, source: source}
}

func (v *Vault) read(ctx context.Context) (*corev1.Secret, error) {
	key := types.NamespacedName{Namespace: v.channel.Namespace, Name: VaultName(v.channel)}
	secret := &corev1.Secret{}
	if err := v.store.Client.Get(ctx, key, secret); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read Secret %s: %w", key, err)
	}
	if !metav1.IsControlledBy(secret, v.channel) {
		return nil, fmt.Errorf("%w: Secret %s bears the name that Rostra keeps for its own: remove it", ErrTaken, key)
	}
	if secret.Data == nil {
		// Somebody emptied it.
		secret.Data = map[string][]byte{}
	}
	return secret, nil
}

// Load implements platform.SessionStore.
func (v *Vault) Load(ctx context.Context) (credentials.Values, error) {
	secret, err := v.read(ctx)
	if err != nil || secret == nil {
		v.version = ""
		return nil, err
	}
	v.version = secret.ResourceVersion
	return take(secret.Data, v.sessionKey(secret)), nil
}

// sessionKey begins the keys of the session that was opened with the source
// credential.
func (v *Vault) sessionKey(secret *corev1.Secret) string {
	return sessionPrefix + fingerprint(secret.Data[keySalt], v.source) + "."
}

// Save implements platform.SessionStore.
func (v *Vault) Save(ctx context.Context, session credentials.Values) error {
	secret, err := v.read(ctx)
	if err != nil {
		return err
	}
	if secret != nil && secret.ResourceVersion != v.version || secret == nil && v.version != "" {
		return platform.ErrSessionConflict
	}
	if secret == nil && len(session) == 0 {
		return nil
	}
	secret = v.orNew(secret)
	drop(secret.Data, v.sessionKey(secret))
	put(secret.Data, v.sessionKey(secret), session)
	keepSessions(secret.Data, fingerprint(secret.Data[keySalt], v.source), len(session) > 0)
	return v.write(ctx, secret)
}

// keepSessions puts the session of that fingerprint last, or takes it off the
// list, and drops those that are too many, and what is on no list.
func keepSessions(data map[string][]byte, own string, kept bool) {
	names := slices.DeleteFunc(strings.Fields(string(data[keySessions])), func(name string) bool { return name == own })
	if kept {
		names = append(names, own)
	}
	names = names[max(0, len(names)-maxSessions):]
	maps.DeleteFunc(data, func(key string, _ []byte) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(key, sessionPrefix), ".")
		return strings.HasPrefix(key, sessionPrefix) && !slices.Contains(names, name)
	})
	if len(names) == 0 {
		delete(data, keySessions)
		return
	}
	data[keySessions] = []byte(strings.Join(names, " "))
}

// Keep remembers a credential until it is revoked. It is durable before it
// returns.
func (v *Vault) Keep(ctx context.Context, id string, values credentials.Values) error {
	secret, err := v.read(ctx)
	if err != nil {
		return err
	}
	secret = v.orNew(secret)
	delete(secret.Data, revokedKey(id))
	put(secret.Data, retiredKey(id), values)
	return v.writeBeside(ctx, secret)
}

// Kept gives the values of a credential that was kept, or nil.
func (v *Vault) Kept(ctx context.Context, id string) (credentials.Values, error) {
	secret, err := v.read(ctx)
	if err != nil || secret == nil {
		return nil, err
	}
	return take(secret.Data, retiredKey(id)), nil
}

// Forget removes a credential that was kept, and remembers instead until when
// access opened with it lives: a crash before that is on record elsewhere must
// not make it look like a credential whose value was lost.
func (v *Vault) Forget(ctx context.Context, id string, effectiveBy time.Time) error {
	secret, err := v.read(ctx)
	if err != nil || secret == nil {
		return err
	}
	return v.forget(ctx, secret, id, effectiveBy)
}

// ForgetKept is Forget for a credential that may have been kept. It writes
// nothing where it was not.
func (v *Vault) ForgetKept(ctx context.Context, id string, effectiveBy time.Time) error {
	secret, err := v.read(ctx)
	if errors.Is(err, ErrTaken) {
		return nil // nothing can have been kept in it
	}
	if err != nil || secret == nil || take(secret.Data, retiredKey(id)) == nil {
		return err
	}
	return v.forget(ctx, secret, id, effectiveBy)
}

func (v *Vault) forget(ctx context.Context, secret *corev1.Secret, id string, effectiveBy time.Time) error {
	drop(secret.Data, retiredKey(id))
	prune(secret.Data, effectiveBy.Add(-rememberRevoked))
	secret.Data[revokedKey(id)] = []byte(effectiveBy.UTC().Format(time.RFC3339))
	return v.writeBeside(ctx, secret)
}

// rememberRevoked is how much longer than the next one a revocation is
// remembered: far longer than it takes until it is on record elsewhere.
const rememberRevoked = 30 * 24 * time.Hour

// prune drops the revocations that took effect before an instant, so that a
// vault does not grow for ever.
func prune(data map[string][]byte, before time.Time) {
	maps.DeleteFunc(data, func(key string, content []byte) bool {
		at, err := time.Parse(time.RFC3339, string(content))
		return strings.HasPrefix(key, revokedPrefix) && (err != nil || at.Before(before))
	})
}

// Forgotten tells whether a credential was kept and forgotten, and until when
// access opened with it lives.
func (v *Vault) Forgotten(ctx context.Context, id string) (effectiveBy time.Time, ok bool, err error) {
	secret, err := v.read(ctx)
	if err != nil || secret == nil {
		return time.Time{}, false, err
	}
	effectiveBy, err = time.Parse(time.RFC3339, string(secret.Data[revokedKey(id)]))
	return effectiveBy, err == nil, nil
}

// retiredKey begins the keys under which a credential is kept. The ID is
// digested, since a platform's own name may be longer than a key, and hold what
// a key may not.
func retiredKey(id string) string { return retiredPrefix + shortened(id) + "." }

func revokedKey(id string) string { return revokedPrefix + shortened(id) }

func shortened(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// writeBeside writes something other than the session. It leaves the version
// that Save checks as it was if somebody else wrote since Load: their session
// must not be overwritten unseen.
func (v *Vault) writeBeside(ctx context.Context, secret *corev1.Secret) error {
	loaded, current := v.version, secret.ResourceVersion
	if err := v.write(ctx, secret); err != nil {
		return err
	}
	if loaded != current {
		v.version = loaded
	}
	return nil
}

func (v *Vault) orNew(secret *corev1.Secret) *corev1.Secret {
	if secret == nil {
		secret = &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace:       v.channel.Namespace,
				Name:            VaultName(v.channel),
				Labels:          map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByRostra},
				OwnerReferences: []metav1.OwnerReference{ownerReference(v.channel)},
			},
			Type: "social.rostra.dev/vault",
			Data: map[string][]byte{},
		}
	}
	if len(secret.Data[keySalt]) == 0 {
		secret.Data[keySalt] = []byte(rand.Text())
	}
	return secret
}

func (v *Vault) write(ctx context.Context, secret *corev1.Secret) error {
	var err error
	if secret.ResourceVersion == "" {
		err = v.store.Client.Create(ctx, secret)
	} else {
		err = v.store.Client.Update(ctx, secret)
	}
	switch {
	case err == nil:
		v.version = secret.ResourceVersion
		return nil
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return platform.ErrSessionConflict
	default:
		return fmt.Errorf("write Secret %s/%s: %w", secret.Namespace, secret.Name, err)
	}
}

// ownerReference ties the vault to its channel. It does not block the channel's
// deletion, which would take a right on finalizers that nothing else needs.
func ownerReference(channel *v1alpha1.SocialChannel) metav1.OwnerReference {
	reference := *metav1.NewControllerRef(channel, v1alpha1.GroupVersion.WithKind("SocialChannel"))
	reference.BlockOwnerDeletion = nil
	return reference
}

// fingerprint tells whether a session was opened with this source credential,
// without keeping the credential.
func fingerprint(salt []byte, source credentials.Values) string {
	mac := hmac.New(sha256.New, salt)
	for _, key := range slices.Sorted(maps.Keys(source)) {
		fmt.Fprintf(mac, "%s=%d:%s\n", key, len(source.Get(key)), source.Get(key))
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

func put(data map[string][]byte, prefix string, values credentials.Values) {
	for key, value := range values {
		data[prefix+key] = []byte(value.Reveal())
	}
}

func take(data map[string][]byte, prefix string) credentials.Values {
	var values credentials.Values
	for key, content := range data {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			if values == nil {
				values = credentials.Values{}
			}
			values[name] = credentials.NewValue(string(content))
		}
	}
	return values
}

func drop(data map[string][]byte, prefix string) {
	maps.DeleteFunc(data, func(key string, _ []byte) bool { return strings.HasPrefix(key, prefix) })
}
