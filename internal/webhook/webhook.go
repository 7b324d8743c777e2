// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package webhook sends events to a URL that a team named: one CloudEvents 1.0
// document in structured mode (https://github.com/cloudevents/spec, "HTTP
// Protocol Binding", section 3.2), signed as Standard Webhooks says
// (https://www.standardwebhooks.com).
//
// The webhook-id of a request is the event's ID, which is the same however often
// it is tried, so a receiver that keeps IDs for a while acts once. The timestamp
// is that of the try, and a receiver should refuse one that is minutes old.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
)

const (
	// ContentType of every request.
	ContentType = "application/cloudevents+json"

	specVersion = "1.0"
	// maxAnswer is how much of an answer is read, in bytes: nothing of it is
	// used.
	maxAnswer = 64 << 10
	// maxID keeps the webhook-id within what servers take as a header.
	maxID = 1024
)

// Event is one CloudEvent. Its data is JSON.
type Event struct {
	// ID is unique to the event, and the same for every try. Printable ASCII
	// without spaces, at most 1,024 bytes.
	ID string
	// Source is a URI reference that names who speaks: "/rostra".
	Source string
	// Type is what happened, in reverse DNS: "dev.rostra.notification.v1".
	Type string
	// Subject is what it happened to; may be empty.
	Subject string
	// PartitionKey is what events have in common that keep their order (CloudEvents
	// extension "Partitioning"); may be empty.
	PartitionKey string
	// Time is when it happened.
	Time time.Time
	// Data is marshalled as JSON.
	Data any
}

// Target is where events go.
type Target struct {
	// URL is absolute, http or https. It is secret: many receivers know their
	// callers by nothing but the URL.
	URL credentials.Value
	// Secrets sign the event, each on its own, so that one can be replaced by
	// another without a gap: "whsec_" and 24 to 64 bytes in base64. None means
	// that it is not signed.
	Secrets []credentials.Value
}

// Sender sends events. It is safe for use by many goroutines.
type Sender struct {
	// HTTP is the way out.
	HTTP *httpx.Client
	// Clock gives the time of a try.
	Clock clock.PassiveClock
}

// envelope is an Event as it travels.
type envelope struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	PartitionKey    string          `json:"partitionkey,omitempty"`
	Time            string          `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

// Send posts the event. Any 2xx is success; every error is a *Failure. It tries
// once: its caller owns the queue.
func (s *Sender) Send(ctx context.Context, target Target, e Event) error {
	body, err := document(e)
	if err != nil {
		return &Failure{Permanent: true, reason: err.Error()}
	}
	keys, err := readKeys(target.Secrets)
	if err != nil {
		return &Failure{Permanent: true, reason: err.Error()}
	}
	now := s.Clock.Now()
	header := http.Header{
		"Content-Type": {ContentType},
		headerID:       {e.ID},
		headerTime:     {strconv.FormatInt(now.Unix(), 10)},
	}
	if len(keys) > 0 {
		signature, err := sign(keys, e.ID, now, body)
		if err != nil {
			return &Failure{Permanent: true, reason: err.Error()}
		}
		header[headerSignature] = []string{signature}
	}
	resp, err := s.HTTP.Do(ctx, httpx.Request{
		Account: target.account(),
		Method:  http.MethodPost,
		URL:     target.URL.Reveal(),
		Header:  header,
		Body:    body,
		MaxBody: maxAnswer, DiscardBody: true,
	})
	if err != nil {
		return Unanswered(err, now)
	}
	if resp.Status < http.StatusOK || resp.Status >= http.StatusMultipleChoices {
		return Refused(target.host(), resp, explain(resp.Status), now)
	}
	return nil
}

// Check tells what is wrong with the target, as far as that can be told without
// a call. The error is for the person who wrote the Secret, and shows nothing of
// it.
func (t Target) Check() error {
	u, err := url.Parse(t.URL.Reveal())
	switch {
	case err != nil:
		return errors.New("the URL cannot be parsed")
	case u.Scheme != "https" && u.Scheme != "http", u.Opaque != "":
		return errors.New("the URL must begin with https:// (or http:// within an allowed private range)")
	case u.User != nil:
		return errors.New("the URL holds a user name or password; take it out")
	case u.Fragment != "":
		return errors.New("the URL has a fragment, the part after #; take it out")
	}
	if _, err := httpx.ParseServerURL(u.Scheme + "://" + u.Host); err != nil {
		return fmt.Errorf("the URL: %w", err)
	}
	_, err = readKeys(t.Secrets)
	return err
}

// host is the part of the URL that may be shown.
func (t Target) host() string {
	u, err := url.Parse(t.URL.Reveal())
	if err != nil {
		return "the server"
	}
	return u.Host
}

// document checks an event and writes it in the JSON Event Format.
func document(e Event) ([]byte, error) {
	switch {
	case !isID(e.ID):
		return nil, errors.New("the event's ID must be printable ASCII without spaces, 1 to 1,024 bytes")
	case e.Source == "" || e.Type == "":
		return nil, errors.New("the event has no source or no type")
	case e.Time.IsZero():
		return nil, errors.New("the event has no time")
	}
	if _, err := url.Parse(e.Source); err != nil {
		return nil, errors.New("the event's source is not a URI reference")
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		return nil, errors.New("the event's data cannot be written as JSON") // the cause may quote it
	}
	body, err := json.Marshal(envelope{
		SpecVersion: specVersion, ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, PartitionKey: e.PartitionKey,
		Time: e.Time.UTC().Format(time.RFC3339Nano), DataContentType: "application/json", Data: data,
	})
	if err != nil {
		return nil, errors.New("the event cannot be written as JSON")
	}
	return body, nil
}

func isID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}
