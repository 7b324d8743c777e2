// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/mastodon/webpush"
)

// What a push service answers decides what becomes of the subscription.
// Mastodon destroys it on any 4xx but 408 and 429, on which it tries five times
// more; GoToSocial does the same, and keeps it on 413 too. So:
//
//   - What the server cannot have sent, because it has another form or names
//     another key, gets the plain status. A stranger may have it: what a
//     stranger is answered, the server does not see. If the server itself
//     has come by another key, the subscription goes, is found missing, and is
//     made anew with that key.
//   - What is signed with the server's key gets statusLater, whatever is wrong
//     with it: clocks that differ, or keys that were changed a moment ago. It
//     may pass, and the subscription must not be lost over it.
const statusLater = http.StatusTooManyRequests

var _ platform.Receiver = (*Adapter)(nil)

// Handshake implements platform.Receiver. The server does not check a callback.
func (a *Adapter) Handshake(platform.Delivery, []credentials.Values) (answer platform.Answer, asked bool, err error) {
	return platform.Answer{}, false, nil
}

// Accepted is what a push service answers (RFC 8030, section 5).
func (a *Adapter) Accepted() platform.Answer { return platform.Answer{Status: http.StatusCreated} }

// Receive takes a push as the push service and the browser do between them:
// the server's signature (RFC 8292), then the content (RFC 8291, or its draft).
func (a *Adapter) Receive(delivery platform.Delivery, keys []credentials.Values) ([]event.Event, error) {
	if delivery.Method != http.MethodPost {
		return nil, rejection(platform.RejectedForm, http.StatusMethodNotAllowed, "the server pushes with POST alone")
	}
	message, err := webpush.ReadMessage(delivery.Header, delivery.Body)
	if err != nil {
		return nil, rejection(platform.RejectedForm, statusOfForm(err), err.Error())
	}
	signers, err := signedBy(delivery, keys)
	if err != nil {
		return nil, err
	}
	text, ok := decrypt(message, signers)
	if !ok {
		return nil, rejection(platform.RejectedSignature, statusLater, "the push is signed by the server, and was encrypted for other keys or altered since")
	}
	received, ok := readPush(text)
	if !ok {
		return nil, rejection(platform.RejectedContent, statusLater, "the push is signed by the server, and its content is not a notification as Mastodon documents")
	}
	received.ReceivedAt = delivery.ReceivedAt
	return []event.Event{received.Bounded()}, nil
}

func rejection(reason platform.RejectionReason, status int, message string) *platform.Rejection {
	return &platform.Rejection{Reason: reason, Status: status, Message: message}
}

func statusOfForm(err error) int {
	switch {
	case errors.Is(err, webpush.ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, webpush.ErrEncoding):
		return http.StatusUnsupportedMediaType
	}
	return http.StatusBadRequest
}

// signedBy gives the key sets whose server signed the delivery. A set without
// the server's key verifies nothing.
func signedBy(delivery platform.Delivery, keys []credentials.Values) ([]credentials.Values, error) {
	signature, err := webpush.ReadVapid(delivery.Header)
	if err != nil {
		return nil, rejection(platform.RejectedUnsigned, http.StatusUnauthorized, err.Error())
	}
	var known bool
	var signers []credentials.Values
	for _, set := range keys {
		key, err := webpush.ParsePublicKey(set.Get(keyServer))
		if err != nil {
			continue
		}
		known = true
		if signature.Names(key) {
			signers = append(signers, set)
		}
	}
	switch {
	case !known:
		// It is learnt when the subscription is made, and is on record a moment
		// later. Any other refusal would end the subscription at once.
		return nil, rejection(platform.RejectedUnsigned, statusLater, "the key that the server signs with is not on record yet, so that no push can be believed")
	case len(signers) == 0:
		return nil, rejection(platform.RejectedSignature, http.StatusForbidden, "the push names another key than the server's")
	}
	switch err := signature.Verify(delivery.URL, delivery.ReceivedAt); {
	case errors.Is(err, webpush.ErrStale):
		return nil, rejection(platform.RejectedStale, statusLater, err.Error())
	case err != nil:
		return nil, rejection(platform.RejectedSignature, http.StatusForbidden, err.Error())
	}
	return signers, nil
}

// decrypt tries each key set.
func decrypt(message webpush.Message, keys []credentials.Values) ([]byte, bool) {
	for _, set := range keys {
		parsed, err := webpush.ParseKeys(set.Get(keyPrivate), set.Get(keyAuth))
		if err != nil {
			continue
		}
		if text, err := message.Decrypt(parsed); err == nil {
			return text, true
		}
	}
	return nil, false
}

// typeMention is the one type of notification that has a name here.
const typeMention = "mention"

// readPush reads what a push says. Beside this it holds an access token, which
// must not be kept, and a title, which is a sentence in the account's language.
func readPush(text []byte) (event.Event, bool) {
	var push struct {
		ID   identifier `json:"notification_id"`
		Type string     `json:"notification_type"`
		Body string     `json:"body"`
	}
	if err := json.Unmarshal(text, &push); err != nil || push.ID == "" || push.Type == "" {
		return event.Event{}, false
	}
	read := event.Event{ID: string(push.ID), Kind: event.Other, Type: push.Type, Text: strings.TrimSpace(push.Body)}
	if push.Type == typeMention {
		// It does not say which post it is about, so that the notification itself
		// stands for the thread until that is known; see Complete and answered.
		read.Kind, read.ThreadID = event.Mention, read.ID
	}
	return read, true
}
