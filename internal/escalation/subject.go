// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"slices"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/rostra-dev/rostra/internal/event"
)

// Channel is what a rule knows of the channel on which something happened.
type Channel struct {
	Namespace, Name string
	// Purpose and Handle as declared.
	Purpose, Handle string
	// Owner is the effective owner; empty where there is none yet.
	Owner string
}

// Subject is what a rule looks at: an event, and the channel that it happened
// on.
type Subject struct {
	Event   *event.Event
	Channel Channel
}

// variable is one name that a rule may use.
type variable struct {
	name string
	kind *cel.Type
	// size is how long its text can be, in characters.
	size uint64
	read func(*Subject) any
}

// variables are all the names that a rule may use. Each is declared by its whole
// name, so that one that does not exist is found when the rule is compiled.
func variables() []variable {
	text := func(name string, size uint64, read func(*Subject) string) variable {
		return variable{name: name, kind: cel.StringType, size: size, read: func(s *Subject) any { return read(s) }}
	}
	return []variable{
		text("event.kind", event.MaxName, func(s *Subject) string { return string(s.Event.Kind) }),
		text("event.text", event.MaxText, func(s *Subject) string { return s.Event.Text }),
		text("event.author.handle", event.MaxName, func(s *Subject) string { return s.Event.Actor.Handle }),
		text("event.author.displayName", event.MaxName, func(s *Subject) string { return s.Event.Actor.DisplayName }),
		text("event.author.id", event.MaxName, func(s *Subject) string { return s.Event.Actor.ID }),
		text("event.url", event.MaxURL, func(s *Subject) string { return s.Event.URL }),
		text("event.platform", event.MaxName, func(s *Subject) string { return s.Event.Platform }),
		text("event.type", event.MaxName, func(s *Subject) string { return s.Event.Type }),
		text("event.id", event.MaxName, func(s *Subject) string { return s.Event.ID }),
		text("event.postID", event.MaxName, func(s *Subject) string { return s.Event.PostID }),
		text("event.threadID", event.MaxName, func(s *Subject) string { return s.Event.ThreadID }),
		text("event.inReplyTo", event.MaxName, func(s *Subject) string { return s.Event.InReplyTo }),
		{name: "event.occurredAt", kind: cel.TimestampType, read: func(s *Subject) any { return s.Event.OccurredAt }},
		{name: "event.receivedAt", kind: cel.TimestampType, read: func(s *Subject) any { return s.Event.ReceivedAt }},
		text("channel.namespace", event.MaxName, func(s *Subject) string { return s.Channel.Namespace }),
		text("channel.name", event.MaxName, func(s *Subject) string { return s.Channel.Name }),
		text("channel.purpose", event.MaxName, func(s *Subject) string { return s.Channel.Purpose }),
		text("channel.handle", event.MaxName, func(s *Subject) string { return s.Channel.Handle }),
		text("channel.owner", event.MaxName, func(s *Subject) string { return s.Channel.Owner }),
	}
}

// Names are all the names that a rule may use, in the order in which the
// documentation lists them.
func Names() []string {
	var names []string
	for _, v := range variables() {
		names = append(names, v.name)
	}
	return names
}

// environment is what rules are compiled in.
type environment struct {
	*cel.Env
	known map[string]variable
}

func newEnvironment() (*environment, error) {
	e := &environment{known: map[string]variable{}}
	var options []cel.EnvOption
	for _, v := range variables() {
		e.known[v.name] = v
		options = append(options, cel.Variable(v.name, v.kind))
	}
	var err error
	// Nothing beyond the language's own library: what replaces and joins text can
	// make a text that fills the memory.
	e.Env, err = cel.NewEnv(options...)
	return e, err
}

// looking is a subject as a rule reads it.
type looking struct {
	subject *Subject
	known   map[string]variable
}

// ResolveName implements cel.Activation.
func (l looking) ResolveName(name string) (any, bool) {
	v, ok := l.known[name]
	if !ok {
		return nil, false
	}
	return v.read(l.subject), true
}

// Parent implements cel.Activation.
func (looking) Parent() cel.Activation { return nil }

// similar gives the names that are known of the same thing as one that is not,
// such as those of an event; all where there are none.
func similar(written string) []string {
	thing, _, _ := strings.Cut(written, ".")
	below := slices.DeleteFunc(Names(), func(name string) bool { return !strings.HasPrefix(name, thing+".") })
	if len(below) == 0 {
		return Names()
	}
	return below
}
