// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
)

// ErrOwnSource: the source Secret exists, and Rostra did not write it.
var ErrOwnSource = errors.New("the source Secret exists and Rostra did not write it")

// ErrNoPending: no consent is under way, or somebody has come back with it
// already.
var ErrNoPending = errors.New("no consent is under way for the channel")

// What a vault holds of a consent that is under way. Only one is at a time.
const (
	consentPrefix     = "consent."
	consentApp        = consentPrefix + "application."
	consentState      = consentPrefix + "state"
	consentBrowser    = consentPrefix + "browser"
	consentVerifier   = consentPrefix + "verifier"
	consentExpires    = consentPrefix + "expires"
	sourceType        = "social.rostra.dev/source"
	fieldSourceFormat = "%s/%s"
)

// Consent is a person's way through a platform's consent page.
type Consent struct {
	// StateHash and BrowserHash are digests of what the person must come back
	// with.
	StateHash, BrowserHash string
	// Verifier of the code challenge (RFC 7636).
	Verifier credentials.Value
	// Application that was registered for it, or nil.
	Application credentials.Values
	// Expires is when the person must be back.
	Expires time.Time
}

// BeginConsent puts a consent on record, in the place of an earlier one. It is
// durable before it returns.
func (v *Vault) BeginConsent(ctx context.Context, consent Consent) error {
	secret, err := v.read(ctx)
	if err != nil {
		return err
	}
	secret = v.orNew(secret)
	drop(secret.Data, consentPrefix)
	secret.Data[consentState] = []byte(consent.StateHash)
	secret.Data[consentBrowser] = []byte(consent.BrowserHash)
	secret.Data[consentVerifier] = []byte(consent.Verifier.Reveal())
	secret.Data[consentExpires] = []byte(consent.Expires.UTC().Format(time.RFC3339))
	put(secret.Data, consentApp, consent.Application)
	return v.writeBeside(ctx, secret)
}

// TakeConsent removes the consent that is on record and gives it: it can be
// taken once. The error is ErrNoPending where there is none, or where somebody
// else took it at the same time.
func (v *Vault) TakeConsent(ctx context.Context) (Consent, error) {
	secret, err := v.read(ctx)
	if err != nil {
		return Consent{}, err
	}
	if secret == nil || len(secret.Data[consentState]) == 0 {
		return Consent{}, ErrNoPending
	}
	expires, err := time.Parse(time.RFC3339, string(secret.Data[consentExpires]))
	if err != nil {
		expires = time.Time{} // long over
	}
	consent := Consent{
		StateHash: string(secret.Data[consentState]), BrowserHash: string(secret.Data[consentBrowser]),
		Verifier: credentials.NewValue(string(secret.Data[consentVerifier])), Expires: expires,
		Application: take(secret.Data, consentApp),
	}
	drop(secret.Data, consentPrefix)
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
