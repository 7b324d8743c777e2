// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	headerConsumer = "X-Twitter-Webhooks-Signature"
	headerClient   = "X-Twitter-Webhooks-Signature-Oauth2"

	signaturePrefix = "sha256="

	parameterCRC = "crc_token"
)

// crcToken is what a challenge may be made of. X's are base64. What matters is
// that none can be read as JSON: the answer to a challenge is the signature
// that a delivery with the challenge for its body would have, and anybody may
// ask for it.
var crcToken = regexp.MustCompile(`^[0-9A-Za-z._~+/=-]{1,256}$`)

// signer is one of the ways in which X signs.
type signer struct {
	header string
	key    string // of the hook keys
}

// signers, the newer first: where X sends both signatures, both must be good.
func signers() []signer {
	return []signer{
		{header: headerClient, key: platform.ApplicationSecret},
		{header: headerConsumer, key: applicationConsumerSecret},
	}
}

// Handshake answers X's challenge-response check
// (https://docs.x.com/x-api/webhooks/quickstart). X knows one secret at a time.
// Right after it was replaced in X's console and in the application's Secret
// that is the newest, so that one answers. The consumer secret goes before the
// client secret, because X takes it from every application that has one.
//
// A signature on the challenge itself is not looked at: a challenge without one
// is answered, so that to check it would keep nobody out.
func (a *Adapter) Handshake(delivery platform.Delivery, keys []credentials.Values) (answer platform.Answer, asked bool, err error) {
	tokens, asked := delivery.Query[parameterCRC]
	if delivery.Method != http.MethodGet || !asked {
		return platform.Answer{}, false, nil
	}
	if len(tokens) != 1 || !crcToken.MatchString(tokens[0]) {
		return platform.Answer{}, true, reject(platform.RejectedForm, http.StatusBadRequest, "the challenge is not one that X sends")
	}
	secret := challengeSecret(keys)
	if secret == "" {
		return platform.Answer{}, true, reject(platform.RejectedSignature, http.StatusForbidden, "there is no secret to answer X's challenge with")
	}
	body, marshalErr := json.Marshal(map[string]string{"response_token": sign(secret, []byte(tokens[0]))})
	if marshalErr != nil {
		return platform.Answer{}, true, reject(platform.RejectedForm, http.StatusBadRequest, "the challenge cannot be answered")
	}
	return platform.Answer{Status: http.StatusOK, ContentType: "application/json", Body: body}, true, nil
}

// challengeSecret gives the newest secret.
func challengeSecret(keys []credentials.Values) string {
	for _, set := range keys {
		for _, name := range []string{applicationConsumerSecret, platform.ApplicationSecret} {
			if secret := set.Get(name); secret != "" {
				return secret
			}
		}
	}
	return ""
}

// Accepted is an empty 200.
func (a *Adapter) Accepted() platform.Answer { return platform.Answer{Status: http.StatusOK} }

// Receive verifies a delivery and reads it.
func (a *Adapter) Receive(delivery platform.Delivery, keys []credentials.Values) ([]event.Event, error) {
	if delivery.Method != http.MethodPost {
		return nil, reject(platform.RejectedForm, http.StatusMethodNotAllowed, "X sends events by POST")
	}
	if mediaType, _, err := mime.ParseMediaType(delivery.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return nil, reject(platform.RejectedForm, http.StatusUnsupportedMediaType, "X sends events as JSON")
	}
	if rejection := verify(delivery, keys); rejection != nil {
		return nil, rejection
	}
	events, err := decode(delivery.Body)
	if err != nil {
		return nil, reject(platform.RejectedContent, http.StatusBadRequest, err.Error())
	}
	for i := range events {
		events[i].ReceivedAt = delivery.ReceivedAt
		events[i] = events[i].Bounded()
	}
	return events, nil
}

// verify checks each signature for which there is a key. One at least there
// must be.
func verify(delivery platform.Delivery, keys []credentials.Values) *platform.Rejection {
	signed, verified := false, false
	for _, s := range signers() {
		values := delivery.Header.Values(s.header)
		switch {
		case len(values) == 0:
			continue
		case len(values) > 1:
			return reject(platform.RejectedUnsigned, http.StatusUnauthorized, "the delivery is signed more than once")
		}
		signed = true
		good, held := matches(values[0], delivery.Body, keys, s.key)
		if held && !good {
			return reject(platform.RejectedSignature, http.StatusUnauthorized, "the signature is not of the application's secret")
		}
		verified = verified || good
	}
	switch {
	case !signed:
		return reject(platform.RejectedUnsigned, http.StatusUnauthorized, "the delivery is not signed")
	case !verified:
		return reject(platform.RejectedSignature, http.StatusUnauthorized, "the delivery is signed with a secret that is not at hand: the application's Secret needs the other one of "+applicationConsumerSecret+" and "+platform.ApplicationSecret)
	}
	return nil
}

// matches tells whether the signature is of one of the keys, and whether there
// are keys of that name at all. All are tried, in constant time.
func matches(signature string, body []byte, keys []credentials.Values, name string) (good, held bool) {
	given, err := decodeSignature(signature)
	for _, set := range keys {
		secret := set.Get(name)
		if secret == "" {
			continue
		}
		held = true
		if err == nil && hmac.Equal(given, digest(secret, body)) {
			good = true
		}
	}
	return good, held
}

// decodeSignature reads a signature as X writes it, and nothing that is only
// like it.
func decodeSignature(signature string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(signature, signaturePrefix)
	if !ok || len(encoded) != base64.StdEncoding.EncodedLen(sha256.Size) {
		return nil, errNotSigned
	}
	given, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(given) != sha256.Size {
		return nil, errNotSigned
	}
	return given, nil
}

func sign(secret string, message []byte) string {
	return signaturePrefix + base64.StdEncoding.EncodeToString(digest(secret, message))
}

func digest(secret string, message []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(message)
	return mac.Sum(nil)
}

func reject(reason platform.RejectionReason, status int, message string) *platform.Rejection {
	return &platform.Rejection{Reason: reason, Status: status, Message: message}
}
