// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/credentials"
)

// minSecret is the length in bytes from which a value is looked for; shorter
// ones would be found everywhere.
const minSecret = 6

// Leaks tells in which renderings of a thing a secret shows: the verbs of
// package fmt, JSON, and for an error also those of every error in its chain.
// The secrets are looked for as they are, URL-encoded and in base64. It names
// the rendering and never repeats it.
func Leaks(thing any, secrets ...string) []string {
	var found []string
	for name, text := range renderings(thing) {
		if slices.ContainsFunc(secrets, func(secret string) bool { return shows(text, secret) }) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	if err, ok := thing.(error); ok {
		for _, cause := range unwrap(err) {
			for _, name := range Leaks(cause, secrets...) {
				found = append(found, fmt.Sprintf("%s of the cause %T", name, cause))
			}
		}
	}
	return found
}

func renderings(thing any) map[string]string {
	texts := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		texts[verb] = fmt.Sprintf(verb, thing)
	}
	if err, ok := thing.(error); ok {
		texts["Error()"] = err.Error()
	}
	if encoded, err := json.Marshal(thing); err == nil {
		texts["JSON"] = string(encoded)
	}
	return texts
}

func unwrap(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if cause := errors.Unwrap(err); cause != nil {
		return []error{cause}
	}
	return nil
}

func shows(text, secret string) bool {
	if len(secret) < minSecret {
		return false
	}
	return strings.Contains(text, secret) ||
		strings.Contains(text, url.QueryEscape(secret)) ||
		strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret)))
}

// secretsOf gives the values of a set that are secret. The public ones, such as
// a handle kept beside a password, and URLs are not.
func secretsOf(values credentials.Values, public ...string) []string {
	var secrets []string
	for _, value := range values {
		content := value.Reveal()
		if !slices.Contains(public, content) && !strings.Contains(content, "://") {
			secrets = append(secrets, content)
		}
	}
	return secrets
}
