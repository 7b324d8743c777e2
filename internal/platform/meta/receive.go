// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"crypto/hmac"
	"encoding/hex"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	headerSignature = "X-Hub-Signature-256"
	signaturePrefix = "sha256="
)

// challengeForm is what of a challenge is repeated: enough for the numbers that
// Meta sends, and nothing that could be a page of somebody's.
var challengeForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

// Handshake answers the request by which Meta checks a callback
// (https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests).
func (a *Adapter) Handshake(delivery platform.Delivery, keys []credentials.Values) (answer platform.Answer, asked bool, err error) {
	if delivery.Method != http.MethodGet || !delivery.Query.Has("hub.mode") {
		return platform.Answer{}, false, nil
	}
	mode, token, challenge := one(delivery.Query, "hub.mode"), one(delivery.Query, "hub.verify_token"), one(delivery.Query, "hub.challenge")
	switch {
	case mode != "subscribe":
		return platform.Answer{}, true, &platform.Rejection{Reason: platform.RejectedForm, Status: http.StatusBadRequest, Message: "the handshake is not one of a subscription"}
	case !isAnyToken(keys, token):
		return platform.Answer{}, true, &platform.Rejection{Reason: platform.RejectedSignature, Status: http.StatusForbidden, Message: "the handshake has another verify token"}
	case !challengeForm.MatchString(challenge):
		return platform.Answer{}, true, &platform.Rejection{Reason: platform.RejectedForm, Status: http.StatusBadRequest, Message: "the challenge is not one that Meta sends"}
	}
	return platform.Answer{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: []byte(challenge)}, true, nil
}

// one gives a parameter that is there exactly once, else nothing.
func one(query url.Values, name string) string {
	if values := query[name]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// isAnyToken compares with every key, whichever fits.
func isAnyToken(keys []credentials.Values, token string) bool {
	fits := false
	for _, key := range keys {
		want := key.Get(keyVerifyToken)
		// Of sums, so that not even the length shows.
		same := hmac.Equal(sum([]byte(verifyTokenLabel), []byte(want)), sum([]byte(verifyTokenLabel), []byte(token)))
		fits = fits || same && want != ""
	}
	return fits
}

// Receive verifies a delivery and reads the events in it
// (https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications).
func (a *Adapter) Receive(delivery platform.Delivery, keys []credentials.Values) ([]event.Event, error) {
	if delivery.Method != http.MethodPost {
		return nil, &platform.Rejection{Reason: platform.RejectedForm, Status: http.StatusMethodNotAllowed, Message: "a delivery is a POST"}
	}
	if err := verifySignature(delivery, keys); err != nil {
		return nil, err
	}
	if mediaType, _, err := mime.ParseMediaType(delivery.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return nil, &platform.Rejection{Reason: platform.RejectedForm, Status: http.StatusUnsupportedMediaType, Message: "a delivery is JSON"}
	}
	return readNotification(delivery)
}

// verifySignature compares the signature over the raw body with that of every
// key.
func verifySignature(delivery platform.Delivery, keys []credentials.Values) error {
	headers := delivery.Header.Values(headerSignature)
	if len(headers) != 1 {
		return &platform.Rejection{Reason: platform.RejectedUnsigned, Status: http.StatusUnauthorized, Message: "there is not exactly one " + headerSignature}
	}
	given, ok := decodeSignature(headers[0])
	fits := false
	for _, key := range keys {
		secret := key.Get(keyAppSecret)
		same := ok && hmac.Equal(given, sum([]byte(secret), delivery.Body))
		fits = fits || same && secret != ""
	}
	if !fits {
		return &platform.Rejection{Reason: platform.RejectedSignature, Status: http.StatusUnauthorized, Message: "the signature is not of the app's secret"}
	}
	return nil
}

// decodeSignature reads "sha256=" and 64 hexadecimal digits, and nothing else.
func decodeSignature(header string) ([]byte, bool) {
	digits, ok := strings.CutPrefix(header, signaturePrefix)
	const size = 64
	if !ok || len(digits) != size {
		return nil, false
	}
	decoded, err := hex.DecodeString(digits)
	return decoded, err == nil
}

// Accepted is a 200: Meta sends again, for some hours, what is answered
// otherwise.
func (a *Adapter) Accepted() platform.Answer {
	return platform.Answer{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: []byte("EVENT_RECEIVED")}
}
