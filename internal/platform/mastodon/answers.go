// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"net/url"
	"slices"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

// answered finds the notifications of the posts that own posts answer, by the
// post. A push names a mention by its notification alone, and an own post names
// it by the post alone: this is what ties them together. Where mentions are
// polled as well, they name their posts, and nobody is asked.
func (p *poll) answered(ctx context.Context, own []status) (map[identifier]identifier, *platform.Failure) {
	found := map[identifier]identifier{}
	if slices.ContainsFunc(p.wanted, func(kind event.Kind) bool { return alertOf(kind) == alertMention }) {
		return found, nil
	}
	var asked []identifier
	for _, post := range own {
		whom := post.InReplyToAccount
		if post.InReplyTo == "" || whom == "" || whom == identifier(p.account) || slices.Contains(asked, whom) {
			continue
		}
		asked = append(asked, whom)
		failure := p.mentionsOf(ctx, whom, found)
		if failure != nil && failure.Class.Passing() {
			return nil, failure // the page is read again, with nothing lost
		}
	}
	return found, nil
}

// mentionsOf notes the newest mentions that somebody made of the account. A
// server that cannot choose whose gives the newest of all.
func (p *poll) mentionsOf(ctx context.Context, whom identifier, found map[identifier]identifier) *platform.Failure {
	answer, failure := p.ask(ctx, pathNotifications, url.Values{"types[]": {typeMention}, "account_id": {string(whom)}}, pollPage)
	if failure != nil {
		return failure
	}
	for _, told := range usable[notification](answer.elements) {
		if told.Type == typeMention && told.Status.ID != "" {
			found[told.Status.ID] = told.ID
		}
	}
	return nil
}
