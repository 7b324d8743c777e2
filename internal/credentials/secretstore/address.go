// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package secretstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
)

// ErrAddress means that a Secret gives no address at which somebody, or a team's
// own tool, can be told.
var ErrAddress = errors.New("the Secret gives no address")

// addressExtras are the keys that may stand beside an address.
func addressExtras() []string { return []string{"signingSecret", "username", "password"} }

// Address reads where somebody is told: the content of a key of a Secret in the
// team's namespace, and what stands beside it. What Rostra itself wrote is no
// address. An error says what to do, and nothing of the content.
func (s *Store) Address(ctx context.Context, namespace string, reference v1alpha1.SecretKeyReference) (url credentials.Value, extra credentials.Values, err error) {
	name := types.NamespacedName{Namespace: namespace, Name: reference.Name}
	secret := &corev1.Secret{}
	switch err := s.Client.Get(ctx, name, secret); {
	case apierrors.IsNotFound(err):
		return url, nil, fmt.Errorf("%w: create Secret %s with the address under key %q", ErrAddress, name, reference.Key)
	case apierrors.IsForbidden(err):
		return url, nil, fmt.Errorf("%w: Rostra may not read Secret %s: bind the role that reads Secrets to it in that namespace", ErrAddress, name)
	case err != nil:
		return url, nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	if secret.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedByRostra {
		return url, nil, fmt.Errorf("%w: Secret %s is a credential that Rostra keeps: put the address into a Secret of its own", ErrAddress, name)
	}
	extra = credentials.Values{}
	for _, key := range append(addressExtras(), reference.Key) {
		content := strings.TrimSpace(string(secret.Data[key]))
		switch {
		case len(content) > maxValue:
			return url, nil, fmt.Errorf("%w: key %q of Secret %s holds more than %d bytes, which no address does", ErrAddress, key, name, maxValue)
		case key == reference.Key && content == "":
			return url, nil, fmt.Errorf("%w: key %q of Secret %s is missing or empty: put the address there", ErrAddress, key, name)
		case key == reference.Key:
			url = credentials.NewValue(content)
		case content != "":
			extra[key] = credentials.NewValue(content)
		}
	}
	return url, extra, nil
}
