// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	toyKey    = "secret"
	toyHeader = "Toy-Signature"
	toyTime   = "Toy-Time"
)

// toy is a platform that signs its deliveries with HMAC-SHA256 in hex, may say
// when it did so, and checks a callback by a challenge.
type toy struct {
	// before is called for each delivery that is read.
	before func(platform.Delivery) error
}

var _ platform.Receiver = &toy{}

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func refuse(reason platform.RejectionReason, status int) error {
	return &platform.Rejection{Reason: reason, Status: status, Message: "the toy refuses it"}
}

func (t *toy) Handshake(delivery platform.Delivery, keys []credentials.Values) (platform.Answer, bool, error) {
	if delivery.Method != http.MethodGet {
		return platform.Answer{}, false, nil
	}
	challenge := delivery.Query.Get("challenge")
	if challenge == "" {
		return platform.Answer{}, false, refuse(platform.RejectedForm, http.StatusBadRequest)
	}
	return platform.Answer{ContentType: "application/json", Body: []byte(sign(keys[0].Get(toyKey), "crc:"+challenge))}, true, nil
}

func (t *toy) Receive(delivery platform.Delivery, keys []credentials.Values) ([]event.Event, error) {
	if delivery.Header.Get("Content-Type") != "application/json" {
		return nil, refuse(platform.RejectedForm, http.StatusUnsupportedMediaType)
	}
	signatures := delivery.Header.Values(toyHeader)
	if len(signatures) != 1 {
		return nil, refuse(platform.RejectedUnsigned, http.StatusUnauthorized)
	}
	signature, err := hex.DecodeString(signatures[0])
	if err != nil || !verified(signature, delivery.Body, keys) {
		return nil, refuse(platform.RejectedSignature, http.StatusUnauthorized)
	}
	if at := delivery.Header.Get(toyTime); at != "" {
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil || delivery.ReceivedAt.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
			return nil, refuse(platform.RejectedStale, http.StatusUnauthorized)
		}
	}
	if t.before != nil {
		if err := t.before(delivery); err != nil {
			return nil, err
		}
	}
	return toyEvents(delivery.Body)
}

func verified(signature, body []byte, keys []credentials.Values) bool {
	good := false
	for _, key := range keys {
		mac := hmac.New(sha256.New, []byte(key.Get(toyKey)))
		_, _ = mac.Write(body)
		good = hmac.Equal(signature, mac.Sum(nil)) || good
	}
	return good
}

// toyEvents reads events, and refuses what is nested deeper than they are.
func toyEvents(body []byte) ([]event.Event, error) {
	depth := 0
	for _, c := range body {
		switch c {
		case '[', '{':
			depth++
			if depth > 8 {
				return nil, refuse(platform.RejectedContent, http.StatusBadRequest)
			}
		case ']', '}':
			depth--
		}
	}
	var content struct {
		Events []struct{ ID, Kind, Account, Text string }
	}
	if err := json.Unmarshal(body, &content); err != nil {
		return nil, refuse(platform.RejectedContent, http.StatusBadRequest)
	}
	events := make([]event.Event, 0, len(content.Events))
	for _, one := range content.Events {
		events = append(events, event.Event{ID: one.ID, Kind: event.Kind(one.Kind), Type: strings.ToLower(one.Kind), AccountID: one.Account, Text: one.Text})
	}
	return events, nil
}

func (t *toy) Accepted() platform.Answer {
	return platform.Answer{Status: http.StatusAccepted, ContentType: "application/json", Body: []byte("{}")}
}

// eventsOf writes a delivery with one event for each account; empty for a
// platform that does not repeat it.
func eventsOf(accounts ...string) string {
	type one struct{ ID, Kind, Account, Text string }
	var list []one
	for i, account := range accounts {
		list = append(list, one{ID: "event-" + strconv.Itoa(i), Kind: string(event.Mention), Account: account, Text: "Dear customer care, where is my parcel?"})
	}
	body, err := json.Marshal(map[string]any{"Events": list})
	if err != nil {
		return err.Error()
	}
	return string(body)
}
