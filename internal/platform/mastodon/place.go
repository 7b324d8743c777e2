// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// settled is the age at which nothing older can appear any more. A server
	// gives an identifier before it shows what has it, so that of two things
	// that happen together the later can be seen first.
	settled = 10 * time.Second

	// mostTold bounds what a mark knows by name.
	mostTold = pollPage / 2

	// beforeAll is older than every identifier.
	beforeAll = identifier("0")
)

// place is how far each of the two lists has been read. An empty mark means
// that the list is to be read from now on; so is one that nobody has asked for
// meanwhile, because its past is not wanted.
type place struct {
	Notifications mark `json:"n,omitzero"`
	Statuses      mark `json:"s,omitzero"`
}

func parsePlace(cursor string) (place, *platform.Failure) {
	var at place
	if cursor == "" {
		return at, nil
	}
	if err := json.Unmarshal([]byte(cursor), &at); err != nil {
		return place{}, &platform.Failure{
			Class: platform.Permanent, Message: "the place up to which events were read is damaged: remove it, and Rostra goes on from now",
		}
	}
	return at, nil
}

// mark is how far a list has been read: all up to an identifier, and of what is
// newer those that were told already, oldest first.
type mark struct {
	after identifier
	told  []identifier
}

// MarshalText implements encoding.TextMarshaler.
func (m mark) MarshalText() ([]byte, error) {
	text := []byte(m.after)
	for _, id := range m.told {
		text = append(append(text, ' '), id...)
	}
	return text, nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *mark) UnmarshalText(text []byte) error {
	names := strings.Split(string(text), " ")
	if len(names) > 1+mostTold || slices.ContainsFunc(names, func(name string) bool { return !objectID.MatchString(name) }) {
		return errNoIdentifier
	}
	*m = mark{after: identifier(names[0])}
	for _, name := range names[1:] {
		m.told = append(m.told, identifier(name))
	}
	return nil
}

// beginning is the mark of a list that is read from now on.
func beginning[T listed](newest []T) mark {
	begin := mark{after: beforeAll}
	for _, one := range newest {
		if one.identified().newer(begin.after) {
			begin.after = one.identified()
		}
	}
	return begin
}

// following is the mark after a page, which is sorted and not empty. It does
// not go past what happened since a moment, so that what appears late is found,
// but for all except mostTold of it. Where the list goes on it goes past the
// half of a page at least, or the next would be the same.
func following[T listed](from mark, page []T, more bool, since time.Time) mark {
	most := mostTold
	if more {
		most = min(most, len(page)/2)
	}
	young := slices.IndexFunc(page, func(one T) bool { return one.created().After(since) })
	if young < 0 {
		young = len(page)
	}
	young = max(young, len(page)-most)
	next := mark{after: from.after}
	if young > 0 {
		next.after = page[young-1].identified()
	}
	for _, one := range page[young:] {
		next.told = append(next.told, one.identified())
	}
	if more { // what was told may also be beyond this page
		next.told = append(next.told, slices.DeleteFunc(slices.Clone(from.told), func(id identifier) bool {
			return !id.newer(next.after) || slices.Contains(next.told, id)
		})...)
	}
	slices.SortFunc(next.told, identifier.compare)
	next.told = next.told[max(0, len(next.told)-mostTold):]
	return next
}
