// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
)

// objectID is what the identifiers of statuses, notifications and
// subscriptions are made of: numbers, ULIDs and Flake IDs.
var objectID = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)

var errNoIdentifier = errors.New("no identifier of the Mastodon API")

// identifier is an identifier that the API gives as text, and in a push or a
// subscription, depending on the software, as a number. Null is none, and so is
// what cannot be one: whoever needs it sees that it is not there, and nothing
// else is lost over it.
type identifier string

// UnmarshalJSON implements json.Unmarshaler.
func (i *identifier) UnmarshalJSON(data []byte) error {
	*i = ""
	if number, err := strconv.ParseUint(string(data), 10, 64); err == nil {
		*i = identifier(strconv.FormatUint(number, 10))
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err == nil && objectID.MatchString(text) {
		*i = identifier(text)
	}
	return nil
}

// compare orders identifiers of one kind by when they were given. Numbers grow
// longer; ULIDs and Flake IDs keep their length and sort as text.
func (i identifier) compare(with identifier) int {
	return cmp.Or(cmp.Compare(len(i), len(with)), cmp.Compare(i, with))
}

// newer tells whether an identifier was given later than another of its kind.
func (i identifier) newer(than identifier) bool { return i.compare(than) > 0 }
