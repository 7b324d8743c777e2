// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"maps"
	"strconv"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// eventsAtOnce is how many notifications or posts are asked for in one
	// request; both methods give 100 at most.
	eventsAtOnce = 50
	// maxEventsBody bounds one such answer, in bytes: posts carry what their
	// authors put into them.
	maxEventsBody = 8 << 20
	// maxEventBody bounds an answer with one notification or post, in bytes.
	maxEventBody = 32 << 20
	// maxParts is in how many requests one page is read.
	maxParts = 16
)

const wordsTooLarge = "one notification or post alone is larger than 32 MiB, and the protocol knows no way past it: somebody must delete it, or block its author; no older event is read until then"

// part is a part of a list to be asked for.
type part struct {
	cursor string // where it begins; empty for the newest
	limit  int
}

// of completes a call for a list.
func (p part) of(list call) call {
	list.query = maps.Clone(list.query)
	list.query.Set("limit", strconv.Itoa(p.limit))
	if p.cursor != "" {
		list.query.Set("cursor", p.cursor)
	}
	list.foreign, list.maxBody = true, maxEventsBody
	if p.limit == 1 {
		list.maxBody = maxEventBody
	}
	return list
}

// partReader asks for a part of a list.
type partReader func(asked part) (leaf, error)

// inParts reads pages of eventsAtOnce in as many requests as it takes: everybody
// can write to an account, and much. Pages become smaller only where that would
// take more than maxParts.
func inParts(read partReader) reader {
	limit := eventsAtOnce
	return func(cursor string) (leaf, error) {
		page := leaf{next: cursor}
		asked := 0
		for range maxParts {
			found, err := read(part{cursor: page.next, limit: limit})
			switch {
			case isTooLarge(err) && limit > 1:
				limit /= 2
				continue
			case isTooLarge(err):
				return leaf{}, &platform.Failure{Class: platform.Unknown, Message: wordsTooLarge, Cause: err}
			case err != nil:
				return leaf{}, err
			}
			page.entries, page.next = append(page.entries, found.entries...), found.next
			if asked += limit; asked >= eventsAtOnce || page.next == "" {
				break
			}
		}
		return page, nil
	}
}

func isTooLarge(err error) bool { return err != nil && httpx.KindOf(err) == httpx.KindBodyTooLarge }
