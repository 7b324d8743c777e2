// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward

import (
	"fmt"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// maxSecrets bounds the secrets with which one event is signed.
const maxSecrets = 4

// Target makes a sink of what is in its Secret: the URL, and what the key
// signingSecret holds, if anything. That may be several secrets with white space
// between them, while one is replaced by another. An error wraps ErrUnusable.
func Target(url, signingSecret string) (*webhook.Target, error) {
	target := &webhook.Target{URL: credentials.NewValue(strings.TrimSpace(url))}
	secrets := strings.Fields(signingSecret)
	if len(secrets) > maxSecrets {
		return nil, fmt.Errorf("%w: signingSecret holds %d secrets, and may hold %d", ErrUnusable, len(secrets), maxSecrets)
	}
	for _, secret := range secrets {
		target.Secrets = append(target.Secrets, credentials.NewValue(secret))
	}
	if err := target.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return target, nil
}
