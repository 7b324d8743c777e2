// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
)

// What can stand in the way of a person's consent.
var (
	// ErrOwnSource: the source Secret exists, and Rostra did not write it.
	ErrOwnSource = errors.New("the source Secret exists and Rostra did not write it")
	// ErrNoPending: no consent is under way, or somebody has come back with it
	// already.
	ErrNoPending = errors.New("no consent is under way for the channel")
)

// What a vault holds of the consents that are under way, each by a part of the
// digest of its state.
const (
	consentPrefix     = "consent."
	consentApp        = "application."
	consentState      = "state"
	consentBrowser    = "browser"
	consentVerifier   = "verifier"
	consentServer     = "server"
	consentExpires    = "expires"
	sourceType        = "social.rostra.dev/source"
	fieldSourceFormat = "%s/%s"
	// maxConsents is how many are kept: so many people can be on their way at
	// once, and none of them makes another begin anew.
	maxConsents = 4
)

// Consent is a person's way through a platform's consent page.
type Consent struct {
	// StateHash and BrowserHash are digests of what the person must come back
	// with.
	StateHash, BrowserHash string
	// Server to which the person was sent.
	Server string
	// Verifier of the code challenge (RFC 7636).
	Verifier credentials.Value
	// Application that was registered for it, or nil.
	Application credentials.Values
	// Expires is when the person must be back.
	Expires time.Time
}

func consentKey(stateHash string) string { return consentPrefix + shortened(stateHash)[:16] + "." }

// BeginConsent puts a consent on record. It is durable before it returns. Of
// more than a few, those that end first are dropped.
func (v *Vault) BeginConsent(ctx context.Context, consent Consent) error {
	secret, err := v.read(ctx)
	if err != nil {
		return err
	}
	secret = v.orNew(secret)
	key := consentKey(consent.StateHash)
	drop(secret.Data, key)
	secret.Data[key+consentState] = []byte(consent.StateHash)
	secret.Data[key+consentBrowser] = []byte(consent.BrowserHash)
	secret.Data[key+consentServer] = []byte(consent.Server)
	secret.Data[key+consentVerifier] = []byte(consent.Verifier.Reveal())
	secret.Data[key+consentExpires] = []byte(consent.Expires.UTC().Format(time.RFC3339))
	put(secret.Data, key+consentApp, consent.Application)
	dropConsents(secret.Data, key)
	return v.writeBeside(ctx, secret)
}

// dropConsents drops the consents that are too many, those that end first
// before the others, and never the one that is named.
func dropConsents(data map[string][]byte, own string) {
	type kept struct{ key, expires string }
	var others []kept
	for field, content := range data {
		if key, ok := strings.CutSuffix(field, consentExpires); ok && strings.HasPrefix(key, consentPrefix) && key != own {
			others = append(others, kept{key, string(content)})
		}
	}
	slices.SortFunc(others, func(a, b kept) int { return strings.Compare(b.expires, a.expires) })
	for _, old := range others[min(len(others), maxConsents-1):] {
		drop(data, old.key)
	}
}

// TakeConsent removes the consent with that state and gives it: it can be taken
// once. The error is ErrNoPending where there is none; then nothing is written.
// Where somebody else writes at the same time it is
// platform.ErrSessionConflict, and the consent may still be there.
func (v *Vault) TakeConsent(ctx context.Context, stateHash string) (Consent, error) {
	secret, err := v.read(ctx)
	if err != nil {
		return Consent{}, err
	}
	key := consentKey(stateHash)
	if secret == nil || !hmac.Equal(secret.Data[key+consentState], []byte(stateHash)) {
		return Consent{}, ErrNoPending
	}
	expires, err := time.Parse(time.RFC3339, string(secret.Data[key+consentExpires]))
	if err != nil {
		expires = time.Time{} // long over
	}
	consent := Consent{
		StateHash: stateHash, BrowserHash: string(secret.Data[key+consentBrowser]), Server: string(secret.Data[key+consentServer]),
		Verifier: credentials.NewValue(string(secret.Data[key+consentVerifier])), Expires: expires,
		Application: take(secret.Data, key+consentApp),
	}
	drop(secret.Data, key)
	return consent, v.writeBeside(ctx, secret)
}

// CheckSource tells whether a source credential that a person gives can be
// stored for the channel: there is no source Secret, or it is one that was
// stored like that. Else the error is ErrOwnSource.
func (s *Store) CheckSource(ctx context.Context, channel *v1alpha1.SocialChannel) error {
	_, err := s.connectedSource(ctx, channel)
	return err
}

// StoreSource stores a source credential that a person gave.
func (s *Store) StoreSource(ctx context.Context, channel *v1alpha1.SocialChannel, source credentials.Values) error {
	secret, err := s.connectedSource(ctx, channel)
	if err != nil {
		return err
	}
	fresh := secret == nil
	if fresh {
		secret = &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: channel.Namespace, Name: channel.Spec.Credentials.SourceSecretRef.Name},
			Type:       sourceType,
		}
	}
	secret.Labels = inherit(secret.Labels, map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByRostra})
	secret.Annotations = inherit(secret.Annotations, map[string]string{v1alpha1.AnnotationConnected: fmt.Sprintf(fieldSourceFormat, channel.Namespace, channel.Name)})
	secret.Data = map[string][]byte{}
	put(secret.Data, "", source)
	if fresh {
		err = s.Client.Create(ctx, secret)
	} else {
		err = s.Client.Update(ctx, secret)
	}
	if err != nil {
		return fmt.Errorf("write Secret %s/%s: %w", secret.Namespace, secret.Name, err)
	}
	return nil
}

func (s *Store) connectedSource(ctx context.Context, channel *v1alpha1.SocialChannel) (*corev1.Secret, error) {
	key := types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.Credentials.SourceSecretRef.Name}
	secret := &corev1.Secret{}
	switch err := s.Client.Get(ctx, key, secret); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read Secret %s: %w", key, err)
	}
	if ptr.Deref(secret.Immutable, false) {
		return nil, fmt.Errorf("%w: Secret %s is immutable: remove it, and connect the account again", ErrOwnSource, key)
	}
	if !ConnectedFor(secret, channel) {
		return nil, fmt.Errorf("%w: remove Secret %s, or name another in spec.credentials.sourceSecretRef, and connect the account again", ErrOwnSource, key)
	}
	return secret, nil
}

// ConnectedFor tells whether a Secret is a source credential that a person gave
// for the channel by consent.
func ConnectedFor(secret metav1.Object, channel *v1alpha1.SocialChannel) bool {
	return secret.GetAnnotations()[v1alpha1.AnnotationConnected] == fmt.Sprintf(fieldSourceFormat, channel.Namespace, channel.Name)
}
