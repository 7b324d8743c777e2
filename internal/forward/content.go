// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// Types of the CloudEvents.
const (
	typePrefix = "dev.rostra.event."
	typeSuffix = ".v1"
)

// maxIdentity bounds the readable form of an identity, in bytes.
const maxIdentity = 512

// Channel is what a sink is told of an event's channel, as it was when the event
// was forwarded.
type Channel struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	// Platform is the platform's type, for example "Mastodon", and Handle what
	// the account is called there.
	Platform string `json:"platform"`
	Handle   string `json:"handle,omitempty"`
	// Owner is the team that effectively owns it.
	Owner string `json:"owner"`
}

// Content is the data of a CloudEvent.
type Content struct {
	Event   event.Event `json:"event"`
	Channel Channel     `json:"channel"`
	// Conversation is the same for all events of a channel in one thread. Events
	// with the same are sent in their order.
	Conversation string `json:"conversation"`
}

func newContent(owner *Owner, e *event.Event) *Content {
	c := &Content{Event: *e, Channel: owner.Channel}
	c.Channel.Owner, c.Channel.UID = owner.Team, e.ChannelUID
	c.Conversation = e.ChannelUID + "/" + conversation.ThreadOf(e)
	return c
}

func (c *Content) encode() ([]byte, error) { return json.Marshal(c) }

// partition is what letters have in common that keep their order.
func (c *Content) partition() string { return c.Conversation }

// identity of the event: the same for every delivery of it, another for every
// other event. It is printable ASCII without spaces.
func (c *Content) identity() string {
	id := escape(c.Event.ChannelUID) + "/" + escape(c.Event.ID)
	if len(id) <= maxIdentity {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "%sha256-" + hex.EncodeToString(sum[:]) // nothing that is escaped begins so
}

// escape writes what is no printable ASCII, and the percent sign, as URLs do.
func escape(text string) string {
	const digits = "0123456789ABCDEF"
	var escaped strings.Builder
	for _, b := range []byte(text) {
		if b <= ' ' || b > '~' || b == '%' {
			escaped.Write([]byte{'%', digits[b>>4], digits[b&15]})
			continue
		}
		escaped.WriteByte(b)
	}
	return escaped.String()
}

var errContent = errors.New("it is not what was put there; it was written by another program, or the store is damaged")

// open makes the CloudEvent of a letter. The data is passed on as it was stored,
// so that every try says the same.
func open(letter Letter) (webhook.Event, error) {
	content := &Content{}
	if err := json.Unmarshal(letter.Data, content); err != nil || content.Event.ID == "" || content.Channel.Name == "" {
		return webhook.Event{}, errContent // that of encoding/json may quote the text
	}
	at := content.Event.OccurredAt
	if at.IsZero() {
		at = content.Event.ReceivedAt
	}
	if at.IsZero() {
		at = letter.Added
	}
	return webhook.Event{
		ID:      content.identity(),
		Source:  content.Channel.source(),
		Type:    TypeOf(content.Event.Kind),
		Subject: conversation.ThreadOf(&content.Event),

		PartitionKey: content.partition(),
		Time:         at.UTC().Truncate(time.Microsecond),
		Data:         json.RawMessage(letter.Data),
	}, nil
}

// source is the path of the channel in the API.
func (c *Channel) source() string {
	return "/apis/social.rostra.dev/v1alpha1/namespaces/" + url.PathEscape(c.Namespace) + "/socialchannels/" + url.PathEscape(c.Name)
}

// TypeOf gives the CloudEvents type of a kind of event:
// "dev.rostra.event.mention.v1".
func TypeOf(kind event.Kind) string {
	return typePrefix + strings.ToLower(string(kind)) + typeSuffix
}
