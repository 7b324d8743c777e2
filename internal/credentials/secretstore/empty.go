// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore

import (
	"context"
	"errors"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Emptied tells whether the credential was taken out of the Secret by Empty,
// and nothing was put into it since. It goes by what is in the Secret: its
// owner can write on it whatever a freeze writes.
func (d *Delivered) Emptied() bool {
	_, named := d.secret.Data[keyCredentialID]
	return d.Intact && d.Frozen != "" && len(d.Values) == 0 && !named
}

// Empty takes the credential out of a delivered Secret and marks it with what
// holds the channel. The Secret stays, with what describes the account: a tool
// that mounts it finds no credential, and why. It gives the Secret's resource
// version, or nothing where there is no Secret of this channel's. Doing it
// again changes nothing.
func (s *Store) Empty(ctx context.Context, channel *v1alpha1.SocialChannel, namespace, name, mark string) (string, error) {
	delivered, err := s.Delivered(ctx, channel, namespace, name)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrTaken) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if delivered.Emptied() && delivered.Frozen == mark && delivered.secret.Annotations[v1alpha1.AnnotationFrozen] == mark {
		return delivered.ResourceVersion, nil
	}
	emptied := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, ResourceVersion: delivered.ResourceVersion,
			Labels: maps.Clone(delivered.secret.Labels), Annotations: maps.Clone(delivered.secret.Annotations),
			OwnerReferences: delivered.secret.OwnerReferences, Finalizers: delivered.secret.Finalizers,
		},
		Type: delivered.secret.Type,
		Data: map[string][]byte{keyFrozen: []byte(mark)},
	}
	for _, key := range []string{keyPlatform, keyServer, keyHandle, keyAccountID} {
		if value, ok := delivered.secret.Data[key]; ok {
			emptied.Data[key] = value
		}
	}
	metav1.SetMetaDataAnnotation(&emptied.ObjectMeta, v1alpha1.AnnotationFrozen, mark)
	metav1.SetMetaDataAnnotation(&emptied.ObjectMeta, v1alpha1.AnnotationContentDigest, digest(channel, emptied.Data))
	if ptr.Deref(delivered.secret.Immutable, false) {
		return s.redeliver(ctx, channel, delivered, emptied)
	}
	if err := s.Client.Update(ctx, emptied); err != nil {
		if apierrors.IsNotFound(err) {
			return "", nil
		}
		return "", deliveryError("update", client.ObjectKeyFromObject(emptied), err)
	}
	return emptied.ResourceVersion, nil
}
