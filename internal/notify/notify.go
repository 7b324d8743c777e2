// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
)

// Address is what a Secret holds of the way to one person or team. All of it is
// secret.
type Address struct {
	// URL says the way, and where to; the package comment lists the forms.
	URL credentials.Value
	// Extra are the Secret's other keys: KeySigningSecret, KeyUsername and
	// KeyPassword. Others are ignored.
	Extra credentials.Values
}

// Keys that may stand in a Secret beside the address.
const (
	// KeySigningSecret signs what a generic webhook is sent: "whsec_…". Several,
	// separated by spaces, sign side by side while one replaces another.
	KeySigningSecret = "signingSecret"
	// KeyUsername and KeyPassword are those of Alertmanager or of the mail server.
	KeyUsername = "username"
	KeyPassword = "password"
)

// Urgency says whether somebody may be woken.
type Urgency string

const (
	// High wakes somebody.
	High Urgency = "High"
	// Low waits until somebody looks.
	Low Urgency = "Low"
)

// Fact is one line of a message.
type Fact struct{ Name, Value string }

// Message is one telling.
type Message struct {
	// ID is the same for the same telling however often it is tried: receivers
	// fold by it where they can.
	ID string
	// Incident is what the telling opens, and a Closing closes. What has the same
	// is folded by receivers, which wake nobody again: each turn has its own.
	Incident string
	// Ticket is what a tool that calls back is to call it instead, at most 255
	// bytes; may be empty. Whoever has it can say "I have it" in the person's name,
	// as with Acknowledge.
	Ticket string
	// Kind is what happened, in camel case, bounded: it names the alert
	// ("Rostra" + Kind). Default "Unanswered".
	Kind string
	// Urgency; empty is Low.
	Urgency Urgency
	// Title is one line that says it all.
	Title string
	// Facts are where, since when, whose it is, and which step.
	Facts []Fact
	// Excerpt of what the customer wrote; may be empty.
	Excerpt string
	// Link to the post; may be empty.
	Link string
	// Acknowledge is the URL at which the person says "I have it"; may be empty.
	// Whoever has it can say so: it goes to the person and to no log.
	Acknowledge string
	// At is when it was told. An alert that nobody ends, ends by itself at Until.
	At, Until time.Time
	// Labels are a small bounded set by which Alertmanager routes: namespace,
	// channel, platform, owner, step; and the conversation, which groups. Team and
	// member are added from below.
	Labels map[string]string
	// Team and Member are the person, and Email is their address.
	Team, Member, Email string
}

// Closing ends what a Message opened.
type Closing struct {
	// Incident, Ticket, Kind, Urgency, Labels, Team and Member are as in the
	// Message: Alertmanager knows an alert by nothing else.
	Incident     string
	Ticket       string
	Kind         string
	Urgency      Urgency
	Labels       map[string]string
	Team, Member string
	// By is who answered or acknowledged; may be empty.
	By string
	// Acknowledged tells that somebody has it; else it was answered.
	Acknowledged bool
	// Started is the At of the Message, and At is when it ended.
	Started, At time.Time
}

// Notifier tells one person.
type Notifier interface {
	// Tell tells once. Nil means that the other side has taken it. Every error is
	// a *Failure and means that the person counts as not told.
	Tell(ctx context.Context, m Message) error
	// Way names how: "alertmanager", "slack", … The set is bounded: it is also a
	// metric label.
	Way() string
}

// Closer is a Notifier that keeps something open which is to be closed: an
// alert, an incident. Errors are as of Tell.
type Closer interface {
	Close(ctx context.Context, c Closing) error
}
