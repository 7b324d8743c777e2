// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// pollPage is how many of a list are asked for at once, and pollBody how
	// many bytes they may be. Mastodon before 4.1 gives no more.
	pollPage = 30
	pollBody = 4 << 20
	// singleBody is how many bytes one alone may be.
	singleBody = 32 << 20
)

const (
	messageNoList   = "the server's answer is not a list as the Mastodon API documents"
	messageTooLarge = "one mention or post of the account alone is larger than 32 MiB, and the API knows no way past it: somebody must delete it, or dismiss the notification, at the server; nothing after it is read until then"
)

// listed is an element of a list.
type listed interface {
	identified() identifier
	created() time.Time
}

// list reads a page of what came right after a mark, oldest first, without
// what was told already. Without a mark it gives that of the newest, and
// nothing else.
func list[T listed](ctx context.Context, p *poll, path string, query url.Values, from mark) ([]T, mark, *platform.Failure) {
	limit := pollPage
	if from.after == "" {
		limit = 1
	} else {
		query.Set("min_id", string(from.after))
	}
	answer, failure := p.ask(ctx, path, query, limit)
	if failure != nil {
		return nil, mark{}, failure
	}
	found := usable[T](answer.elements)
	switch {
	case answer.full && len(found) == 0: // no place to go on from
		return nil, mark{}, unexpected(messageNoList)
	case from.after == "":
		return nil, beginning(found), nil
	}
	// What is not newer than the mark was seen. A server that does not know
	// min_id would give it again and again.
	found = slices.DeleteFunc(found, func(one T) bool { return !one.identified().newer(from.after) })
	if len(found) == 0 {
		return nil, from, nil
	}
	slices.SortFunc(found, func(one, other T) int { return one.identified().compare(other.identified()) })
	next := following(from, found, answer.full, p.adapter.clock.Now().Add(-settled))
	p.more = p.more || answer.full
	return slices.DeleteFunc(found, func(one T) bool { return slices.Contains(from.told, one.identified()) }), next, nil
}

// usable reads the elements of a page. A stranger's server, or another
// software, has a hand in each: what is malformed in one is left out of it, and
// one without an identifier of its own is left out itself.
func usable[T listed](elements []json.RawMessage) []T {
	found := make([]T, 0, len(elements))
	for _, element := range elements {
		var one T
		// A field of another type is skipped, and the rest is read.
		if _ = json.Unmarshal(element, &one); one.identified() != "" {
			found = append(found, one)
		}
	}
	return found
}

// page is an answer with a part of a list.
type page struct {
	elements []json.RawMessage
	full     bool // as many as were asked for
}

// ask asks for a part of a list, and for a smaller one where that is too large:
// everybody can write to an account, and much.
func (p *poll) ask(ctx context.Context, path string, query url.Values, limit int) (page, *platform.Failure) {
	for {
		query.Set("limit", strconv.Itoa(limit))
		request := httpx.Request{Account: p.from.account, URL: p.adapter.server.URL(path, query), Header: p.from.header(), MaxBody: pollBody}
		if limit == 1 {
			request.MaxBody = singleBody
		}
		var elements []json.RawMessage
		failure := p.adapter.do(ctx, request, &elements)
		switch {
		case failure == nil && elements == nil:
			return page{}, unexpected(messageNoList)
		case failure == nil:
			return page{elements: elements, full: len(elements) >= limit}, nil
		case httpx.KindOf(failure) != httpx.KindBodyTooLarge:
			return page{}, failure
		case limit == 1:
			return page{}, &platform.Failure{Class: platform.Unknown, Message: messageTooLarge, Cause: failure.Cause}
		}
		limit /= 2
	}
}
