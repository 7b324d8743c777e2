// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package credentials holds what Rostra knows of credentials without touching
// anything: values that print as redacted, and the pure decisions of a
// credential's life (when to replace, what to retire, what is in order).
// Reading and writing Secrets is in the package secretstore below it.
package credentials

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

const redacted = "[redacted]"

// Value is a secret string. However it is printed, logged or marshalled, it
// shows as "[redacted]", or as an address where package fmt cannot reach its
// methods; Reveal is the one way to its content. Compare what Reveal gives: ==
// compares nothing useful.
//
// The content is behind a pointer because fmt calls no methods on unexported
// fields and prints what it finds there, but never follows a pointer below the
// top.
type Value struct{ content *string }

// NewValue wraps a secret.
func NewValue(content string) Value { return Value{content: &content} }

// Reveal gives the secret itself: for a request to the platform it belongs to,
// or for a Secret.
func (v Value) Reveal() string {
	if v.content == nil {
		return ""
	}
	return *v.content
}

// IsEmpty tells whether there is nothing in it.
func (v Value) IsEmpty() bool { return v.Reveal() == "" }

// String hides the secret.
func (v Value) String() string { return redacted }

// GoString hides the secret from %#v.
func (v Value) GoString() string { return redacted }

// Format hides the secret from every verb of package fmt.
func (v Value) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// MarshalText hides the secret from encoders of text, JSON and YAML.
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the secret from log/slog.
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// Values are secrets by their key. They print as redacted one by one.
type Values map[string]Value

// Get gives the content under a key, or the empty string.
func (v Values) Get(key string) string { return v[key].Reveal() }

// Credential is what an owner's tool needs in order to publish.
type Credential struct {
	// ID names the credential; where the platform can list credentials, it
	// lists this one by that name.
	ID string
	// Values are the secret parts, by the upper-case name of the environment
	// variable under which a publishing tool finds them.
	Values Values
	// ExpiresAt is when it stops to work; zero where it does not, or where the
	// platform does not say.
	ExpiresAt time.Time
}
