// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/rostra-dev/rostra/internal/credentials"
)

const (
	secretPrefix = "whsec_"
	// Bounds of a key in bytes, from the specification ("Signature scheme").
	minKey, maxKey = 24, 64

	// Headers of Standard Webhooks, as Go writes their names.
	headerID        = "Webhook-Id"
	headerTime      = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

var errSecret = errors.New("the signing secret is not one of Standard Webhooks: " +
	`write "whsec_" followed by 24 to 64 random bytes in base64`)

func readKeys(secrets []credentials.Value) ([][]byte, error) {
	keys := make([][]byte, 0, len(secrets))
	for _, secret := range secrets {
		encoded, found := strings.CutPrefix(strings.TrimSpace(secret.Reveal()), secretPrefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !found || err != nil || len(key) < minKey || len(key) > maxKey {
			return nil, errSecret
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// sign gives the value of webhook-signature: one signature for each key.
func sign(keys [][]byte, id string, at time.Time, body []byte) (string, error) {
	signatures := make([]string, 0, len(keys))
	for _, key := range keys {
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return "", errSecret
		}
		signature, err := signer.Sign(id, at, body)
		if err != nil {
			return "", errors.New("the event could not be signed")
		}
		signatures = append(signatures, signature)
	}
	return strings.Join(signatures, " "), nil
}

// account tells targets apart in the limits of httpx without telling what they
// are: two teams behind one help desk do not share a rate.
func (t Target) account() string {
	sum := sha256.Sum256([]byte(t.URL.Reveal()))
	return hex.EncodeToString(sum[:8])
}
