// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Verify asks whether the Page's kept token is good, what it may do, and whose
// it is: two requests. Without a kept token that works, one is derived.
func (a *Adapter) Verify(ctx context.Context, account platform.Account) (platform.Identity, error) {
	identity, _, err := a.verify(ctx, account)
	return identity, err
}

// verify is Verify, and gives the session that it went by.
func (a *Adapter) verify(ctx context.Context, account platform.Account) (platform.Identity, session, error) {
	source, err := readToken(account.Source, "the source Secret")
	if err != nil {
		return platform.Identity{}, session{}, err
	}
	app, err := readApplication(account.Application)
	if err != nil {
		return platform.Identity{}, session{}, err
	}
	kept, err := load(ctx, account.Sessions)
	if err != nil {
		return platform.Identity{}, session{}, err
	}
	opening := &opening{adapter: a, app: app, account: account, source: source}
	if kept.isOf(account) {
		identity, current, err := opening.probe(ctx, kept)
		switch {
		case err == nil && (account.ID != "" || identity.Handle == account.Handle):
			return identity, current, nil
		case err != nil && !isRefused(err):
			return platform.Identity{}, session{}, err
		}
		kept = current
	}
	return opening.open(ctx, kept)
}

// opening is the way to a verified session of one account.
type opening struct {
	adapter *Adapter
	app     application
	account platform.Account
	source  credentials.Value
}

func (o *opening) key() string { return limiterKey(o.account) }

// probe verifies with the kept token of the Page. A user token that is due is
// exchanged first; where that is not to be had, the Page's token does without.
func (o *opening) probe(ctx context.Context, kept session) (platform.Identity, session, error) {
	if kept.due(o.adapter.clock.Now()) {
		fresh, page, err := o.renew(ctx, kept)
		switch {
		case err == nil:
			return o.settle(ctx, fresh, page)
		case isRefused(err):
			if kept, err = o.withoutUser(ctx, kept); err != nil {
				return platform.Identity{}, kept, err
			}
		}
	}
	info, err := o.adapter.inspect(ctx, o.app, o.key(), kept.pageToken)
	if err != nil {
		return platform.Identity{}, kept, err
	}
	page, err := o.adapter.page(ctx, o.app, o.key(), kept)
	if err != nil {
		return platform.Identity{}, kept, err
	}
	identity, err := o.identify(info, page, kept)
	return identity, kept, err
}

// withoutUser forgets a user token that works no more.
func (o *opening) withoutUser(ctx context.Context, kept session) (session, error) {
	kept.userToken = credentials.Value{}
	return keep(ctx, o.account, kept)
}

// renew exchanges the kept user token, and derives the Page's token anew.
func (o *opening) renew(ctx context.Context, kept session) (session, pageAnswer, error) {
	fresh, err := o.extend(ctx, kept, kept.userToken)
	if err != nil {
		return session{}, pageAnswer{}, err
	}
	page, err := o.adapter.derive(ctx, o.app, o.account, fresh.userToken)
	return fresh, page, err
}

// extend exchanges a user token and stores what came of it, before it is used.
func (o *opening) extend(ctx context.Context, kept session, token credentials.Value) (session, error) {
	fresh, info, err := o.adapter.exchange(ctx, o.app, o.key(), token)
	if err != nil {
		return session{}, err
	}
	kept.userToken, kept.userExpires, kept.exchanged = fresh, timeOf(info.ExpiresAt), o.adapter.clock.Now()
	return keep(ctx, o.account, kept)
}

// open derives a token of the Page: with the kept user token while that is good,
// else with the source credential.
func (o *opening) open(ctx context.Context, kept session) (platform.Identity, session, error) {
	var refused error
	if !kept.userToken.IsEmpty() {
		page, err := o.adapter.derive(ctx, o.app, o.account, kept.userToken)
		if err == nil {
			return o.settle(ctx, kept, page)
		}
		if !isRefused(err) {
			return platform.Identity{}, session{}, err
		}
		refused = err
	}
	info, err := o.adapter.inspect(ctx, o.app, o.key(), o.source)
	switch {
	case isRefused(err) && refused != nil:
		return platform.Identity{}, session{}, refused // says more than that an old source has lapsed
	case err != nil:
		return platform.Identity{}, session{}, err
	case info.Type == typePage:
		return o.openWithPage(ctx, info)
	case info.Type != typeUser && info.Type != typeSystemUser:
		return platform.Identity{}, session{}, permanent("the access token is neither a person's, nor a system user's, nor a Page's")
	}
	return o.openWithUser(ctx, info)
}

// openWithPage takes a Page's token as it is: there is nothing to derive.
func (o *opening) openWithPage(ctx context.Context, info tokenInfo) (platform.Identity, session, error) {
	if !accountID.MatchString(info.ProfileID) {
		return platform.Identity{}, session{}, strange("it does not say of which Page the access token is")
	}
	kept, err := keep(ctx, o.account, session{pageToken: o.source, pageID: info.ProfileID})
	if err != nil {
		return platform.Identity{}, session{}, err
	}
	page, err := o.adapter.page(ctx, o.app, o.key(), kept)
	if err != nil {
		return platform.Identity{}, kept, err
	}
	identity, err := o.identify(info, page, kept)
	return identity, kept, err
}

// openWithUser exchanges a person's token for a long-lived one, unless it has no
// end, and derives the Page's.
func (o *opening) openWithUser(ctx context.Context, info tokenInfo) (platform.Identity, session, error) {
	kept := session{userToken: o.source, userExpires: timeOf(info.ExpiresAt)}
	if info.Type == typeUser && !kept.userExpires.IsZero() {
		extended, err := o.extend(ctx, kept, o.source)
		if err != nil {
			return platform.Identity{}, session{}, err
		}
		kept = extended
	}
	page, err := o.adapter.derive(ctx, o.app, o.account, kept.userToken)
	if err != nil {
		return platform.Identity{}, session{}, err
	}
	return o.settle(ctx, kept, page)
}

// settle stores a token of the Page that was just derived, and looks at it.
func (o *opening) settle(ctx context.Context, kept session, page pageAnswer) (platform.Identity, session, error) {
	kept.pageToken, kept.pageID = credentials.NewValue(page.AccessToken), page.ID
	kept, err := keep(ctx, o.account, kept)
	if err != nil {
		return platform.Identity{}, session{}, err
	}
	info, err := o.adapter.inspect(ctx, o.app, o.key(), kept.pageToken)
	if err != nil {
		return platform.Identity{}, kept, err
	}
	identity, err := o.identify(info, page, kept)
	return identity, kept, err
}

// identify reads whose the Page is, if its token may do what a channel needs.
func (o *opening) identify(info tokenInfo, page pageAnswer, kept session) (platform.Identity, error) {
	if missing := info.missing(neededPermissions(), kept.pageID); len(missing) > 0 {
		return platform.Identity{}, lacks(missing)
	}
	identity, err := o.adapter.identityOf(o.account, page)
	if err != nil {
		return platform.Identity{}, err
	}
	return kept.lapses(identity, info, o.adapter.clock.Now()), nil
}

// withPage runs use with a token of the Page: the kept one, else one that is
// derived now. Where Meta no longer takes the kept one, use runs once more with
// another. It never acts for another Page than the account's, of which a Page's
// own token may turn out to be.
func (a *Adapter) withPage(ctx context.Context, account platform.Account, use func(application, session) error) error {
	app, err := readApplication(account.Application)
	if err != nil {
		return err
	}
	kept, err := load(ctx, account.Sessions)
	if err != nil {
		return err
	}
	if kept.isOf(account) {
		if err := use(app, kept); !isRefused(err) {
			return err
		}
	}
	if _, kept, err = a.verify(ctx, account); err != nil {
		return err
	}
	if account.ID != "" && kept.pageID != account.ID {
		return permanent("the access token is of another Page than the channel's: connect the account again and choose the right Page, or put a token of that Page into the source Secret")
	}
	return use(app, kept)
}
