// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"bytes"
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
// subscription, depending on the software, as a number. Null is none.
type identifier string

// UnmarshalJSON implements json.Unmarshaler.
func (i *identifier) UnmarshalJSON(data []byte) error {
	var text string
	switch {
	case bytes.Equal(data, []byte("null")):
	case bytes.HasPrefix(data, []byte(`"`)):
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		if text != "" && !objectID.MatchString(text) {
			return errNoIdentifier
		}
	default:
		number, err := strconv.ParseUint(string(data), 10, 64)
		if err != nil {
			return errNoIdentifier
		}
		text = strconv.FormatUint(number, 10)
	}
	*i = identifier(text)
	return nil
}

// compare orders identifiers of one kind by when they were given. Numbers grow
// longer; ULIDs and Flake IDs keep their length and sort as text.
func (i identifier) compare(with identifier) int {
	return cmp.Or(cmp.Compare(len(i), len(with)), cmp.Compare(i, with))
}

// newer tells whether an identifier was given later than another of its kind.
func (i identifier) newer(than identifier) bool { return i.compare(than) > 0 }
