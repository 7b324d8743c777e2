// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// maxPages is how many pages of a list one poll reads; what is left is for
	// the next.
	maxPages = 10
	// maxRemembered is how many entries of a list a trail knows one by one.
	maxRemembered = 48
	// maxKey bounds what is kept of an entry's place in its list, in bytes.
	maxKey = 64
	// maxNext bounds a cursor of the server that is kept, in bytes.
	maxNext = 600
	// hashSize is what is kept of an entry's ID, in bytes: enough to tell
	// those remembered from any other.
	hashSize = 8
)

// entry is one thing in a list of the server that is newest first.
type entry struct {
	// key is its place: the list is in descending order of it, but for what was
	// given an earlier place than its time of arrival.
	key   string
	event event.Event
}

// leaf is one page of such a list.
type leaf struct {
	entries []entry
	// next is the server's cursor of the page after it; empty after the last.
	next string
}

// trail is how far a list was read.
type trail struct {
	mark
	// Rest is what a poll had no room for.
	Rest *rest `json:"rest,omitempty"`
}

// mark tells entries that were read from new ones. Some clocks are behind: an
// entry may come in below others that were read before, and several may have
// one place. So the newest are known one by one, and only what is below all of
// them is taken for old by its place.
type mark struct {
	// Floor is the place up to which all is old; empty for none.
	Floor string `json:"floor,omitempty"`
	// Seen are the hashes of the entries above the floor that were read.
	Seen hashes `json:"seen,omitempty"`
}

// rest is a part of the list that begins at a cursor of the server and ends at
// an older mark.
type rest struct {
	mark
	Next string `json:"next"`
}

// hashes of entries, one after the other, in base64.
type hashes string

func hashOf(e entry) string {
	sum := sha256.Sum256([]byte(e.event.ID))
	return string(sum[:hashSize])
}

// set gives the hashes; nil where they are malformed.
func (h hashes) set() map[string]bool {
	content, err := base64.RawURLEncoding.DecodeString(string(h))
	if err != nil || len(content)%hashSize != 0 || len(content) > maxRemembered*hashSize {
		return nil
	}
	set := map[string]bool{}
	for part := range slices.Chunk(content, hashSize) {
		set[string(part)] = true
	}
	return set
}

func (m mark) valid() bool { return len(m.Floor) <= maxKey && m.Seen.set() != nil }

func (t *trail) valid() bool {
	return t == nil || t.mark.valid() && (t.Rest == nil || t.Rest.valid() && t.Rest.Next != "" && len(t.Rest.Next) <= maxNext)
}

// after is the mark once the entries were read, of which some may be known.
// more tells that the list goes on below them.
func (m mark) after(read []entry, more bool) mark {
	if len(read) == 0 {
		return m
	}
	read = slices.Clone(read)
	slices.SortStableFunc(read, func(a, b entry) int { return strings.Compare(b.key, a.key) })
	next := mark{Floor: m.Floor}
	switch {
	case len(read) > maxRemembered:
		next.Floor = max(next.Floor, read[maxRemembered].key)
		read = read[:maxRemembered]
	case more:
		next.Floor = max(next.Floor, read[len(read)-1].key)
	}
	var content []byte
	for _, e := range read {
		content = append(content, hashOf(e)...)
	}
	next.Seen = hashes(base64.RawURLEncoding.EncodeToString(content))
	return next
}

// reader reads the page of a list that begins at a cursor of the server.
type reader func(cursor string) (leaf, error)

// begin marks all that is in the list now as read.
func begin(read reader) (*trail, error) {
	var found []entry
	cursor := ""
	for range maxPages {
		page, err := read(cursor)
		if err != nil {
			return nil, err
		}
		found = append(found, page.entries...)
		if page.next == "" || !atOnce(found) {
			return &trail{mark: mark{}.after(found, page.next != "")}, nil
		}
		cursor = page.next
	}
	return &trail{mark: mark{}.after(found, true)}, nil
}

// atOnce tells whether all entries have one place, or there are none. A floor
// put there would take what comes next for old, if a clock counts in seconds:
// the list must be read on. Servers also leave out what the account may not
// see, so that a page can be empty although the list goes on.
func atOnce(read []entry) bool {
	return len(read) == 0 || !slices.ContainsFunc(read, func(e entry) bool { return e.key != read[0].key })
}

// follow reads what is new since the trail, newest first, and gives the trail
// after it. What a poll had no room for comes before what is newer than that.
func (t *trail) follow(read reader) ([]entry, *trail, error) {
	if t.Rest == nil {
		return t.followFrom(t.mark, read)
	}
	walked, err := t.Rest.walk(t.Rest.Next, read)
	switch {
	case isRefused(err):
		return t.followFrom(t.Rest.mark, read)
	case err != nil:
		return nil, nil, err
	}
	return walked.fresh, &trail{mark: t.mark, Rest: walked.left}, nil
}

// followFrom reads what is new since a mark, newest first.
func (t *trail) followFrom(known mark, read reader) ([]entry, *trail, error) {
	walked, err := known.walk("", read)
	if err != nil {
		return nil, nil, err
	}
	return walked.fresh, &trail{mark: t.after(walked.read, walked.more), Rest: walked.left}, nil
}

// isRefused tells whether the server has refused a page for good: its cursors
// do not hold for ever. What was told of the list's beginning is then told
// again, and nothing is lost.
func isRefused(err error) bool {
	class := platform.ClassOf(err)
	return err != nil && (class == platform.Permanent || class == platform.NotFound)
}

// walked is what was read of a list.
type walked struct {
	read  []entry // known ones among them
	fresh []entry
	more  bool  // the list goes on
	left  *rest // what was not read, and may be new
}

// walk reads from a cursor of the server back to what is known.
func (m mark) walk(cursor string, read reader) (walked, error) {
	var found walked
	known := m.Seen.set()
	for range maxPages {
		page, err := read(cursor)
		if err != nil {
			return walked{}, err
		}
		found.more = page.next != ""
		news, floor := 0, false
		for _, e := range page.entries {
			found.read = append(found.read, e)
			switch hash := hashOf(e); {
			case e.key <= m.Floor:
				floor = true
			case !known[hash]:
				known[hash] = true // also where two pages overlap
				found.fresh = append(found.fresh, e)
				news++
			}
		}
		if !found.more || floor || news == 0 && !atOnce(found.read) {
			return found, nil
		}
		cursor = page.next
	}
	found.left = &rest{mark: m, Next: cursor}
	return found, nil
}
