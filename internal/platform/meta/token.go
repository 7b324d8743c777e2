// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Types of access tokens, as debug_token names them.
const (
	typeUser       = "USER"
	typeSystemUser = "SYSTEM_USER"
	typePage       = "PAGE"
)

// permissionMessaging is needed for private messages alone.
const permissionMessaging = "pages_messaging"

// neededPermissions are those without which a channel is not in order
// (https://developers.facebook.com/docs/permissions/).
func neededPermissions() []string {
	return []string{
		"pages_show_list", "pages_read_engagement", "pages_manage_posts", "pages_manage_metadata", "pages_read_user_content",
	}
}

// askedPermissions are those that a person is asked for.
func askedPermissions() []string { return append(neededPermissions(), permissionMessaging) }

// tokenInfo is what debug_token says of a token
// (https://developers.facebook.com/docs/graph-api/reference/debug_token/).
type tokenInfo struct {
	AppID               string         `json:"app_id"`
	Type                string         `json:"type"`
	IsValid             *bool          `json:"is_valid"`
	ExpiresAt           int64          `json:"expires_at"`
	DataAccessExpiresAt int64          `json:"data_access_expires_at"`
	ProfileID           string         `json:"profile_id"`
	Scopes              []string       `json:"scopes"`
	GranularScopes      []granular     `json:"granular_scopes"`
	Error               *tokenInfoFail `json:"error"`
}

// granular is a permission that was granted for some Pages alone; for all where
// it names none.
type granular struct {
	Scope     string   `json:"scope"`
	TargetIDs []string `json:"target_ids"`
}

// tokenInfoFail is why a token is not valid. It has another name for the subcode
// than errors elsewhere.
type tokenInfoFail struct {
	Code    int `json:"code"`
	Subcode int `json:"subcode"`
}

// inspect asks what a token is. It gives a Failure for one that is not valid, or
// of another app.
func (a *Adapter) inspect(ctx context.Context, app application, account string, token credentials.Value) (tokenInfo, error) {
	var answer struct {
		Data *tokenInfo `json:"data"`
	}
	request := call{account: account, path: "debug_token", params: url.Values{"input_token": {token.Reveal()}}}
	if err := a.ask(ctx, request.asApp(app), &answer); err != nil {
		return tokenInfo{}, ofInspection(err)
	}
	if answer.Data == nil || answer.Data.IsValid == nil {
		return tokenInfo{}, strange("it does not say whether the access token is valid")
	}
	info := *answer.Data
	if !*info.IsValid {
		return tokenInfo{}, info.invalid(a.clock.Now())
	}
	if info.AppID != app.id {
		return tokenInfo{}, permanent(wordsOtherApp)
	}
	return info, nil
}

const wordsOtherApp = "the access token was issued to another Meta app than the platform's: connect the account again, or put a token of that app into the source Secret"

// ofInspection tells a token of another app from a fault of the application.
func ofInspection(err error) error {
	if codeOf(err) == codeParameter {
		return permanent(wordsOtherApp)
	}
	return ofApplication(err)
}

// invalid says why a token is not valid. Where Meta names no reason, a time that
// has passed is one.
func (i tokenInfo) invalid(now time.Time) *platform.Failure {
	reason := graphError{Code: codeToken}
	if i.Error != nil {
		reason.Subcode = i.Error.Subcode
	}
	if end := timeOf(i.ExpiresAt); reason.Subcode == 0 && !end.IsZero() && !now.Before(end) {
		reason.Subcode = subcodeExpired
	}
	return reason.failure(time.Time{})
}

// grants tells whether the token has a permission for a Page; for an empty ID,
// for any.
func (i tokenInfo) grants(permission, pageID string) bool {
	if !slices.Contains(i.Scopes, permission) {
		return false
	}
	for _, some := range i.GranularScopes {
		if some.Scope == permission && pageID != "" && len(some.TargetIDs) > 0 {
			return slices.Contains(some.TargetIDs, pageID)
		}
	}
	return true
}

// missing gives the permissions that the token does not have.
func (i tokenInfo) missing(permissions []string, pageID string) []string {
	return slices.DeleteFunc(slices.Clone(permissions), func(permission string) bool { return i.grants(permission, pageID) })
}

// lacks is the Failure for a token without some permissions.
func lacks(permissions []string) *platform.Failure {
	return &platform.Failure{
		Class: platform.InsufficientScope,
		Message: "the access token lacks the permissions " + strings.Join(permissions, ", ") +
			" for this Page: connect the account again, choose the Page, and grant them",
	}
}

// grantAnswer is what the token endpoint answers (RFC 6749, section 5.1). When
// the token ends is asked of debug_token, which says it to the second.
type grantAnswer struct {
	AccessToken string `json:"access_token"`
}

func (g grantAnswer) read() (credentials.Value, error) {
	if !isToken(g.AccessToken) {
		return credentials.Value{}, strange("it holds no access token")
	}
	return credentials.NewValue(g.AccessToken), nil
}

const pathToken = "oauth/access_token"

// exchange gets a long-lived user token for one that is still good, and what
// Meta says of it
// (https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived).
func (a *Adapter) exchange(ctx context.Context, app application, account string, token credentials.Value) (credentials.Value, tokenInfo, error) {
	var answer grantAnswer
	request := call{account: account, path: pathToken, params: url.Values{
		"grant_type":        {"fb_exchange_token"},
		"client_id":         {app.id},
		"client_secret":     {app.secret.Reveal()},
		"fb_exchange_token": {token.Reveal()},
	}}
	if err := a.ask(ctx, request, &answer); err != nil {
		return credentials.Value{}, tokenInfo{}, ofTokenEndpoint(err)
	}
	fresh, err := answer.read()
	if err != nil {
		return credentials.Value{}, tokenInfo{}, err
	}
	info, err := a.inspect(ctx, app, account, fresh)
	return fresh, info, err
}

// fieldsIdentity are those that say whose account a Page is.
const fieldsIdentity = "id,name,username"

// page asks for a Page with a token of its own.
func (a *Adapter) page(ctx context.Context, app application, account string, kept session) (pageAnswer, error) {
	var answer pageAnswer
	request := call{account: account, path: kept.pageID, params: url.Values{"fields": {fieldsIdentity}}}
	if err := a.ask(ctx, request.as(app, kept.pageToken), &answer); err != nil {
		return pageAnswer{}, err
	}
	if answer.ID != kept.pageID {
		return pageAnswer{}, strange("it is of another Page than was asked for")
	}
	return answer, nil
}

// derive gets the Page's own token with that of a person or a system user.
func (a *Adapter) derive(ctx context.Context, app application, account platform.Account, token credentials.Value) (pageAnswer, error) {
	name := account.ID
	if name == "" {
		name = account.Handle
	}
	if !username.MatchString(name) {
		return pageAnswer{}, permanent("the channel names no Page: declare its handle or its accountID")
	}
	var answer pageAnswer
	request := call{account: limiterKey(account), path: name, params: url.Values{"fields": {fieldsIdentity + ",access_token"}}}
	if err := a.ask(ctx, request.as(app, token), &answer); err != nil {
		return pageAnswer{}, err
	}
	switch {
	case !accountID.MatchString(answer.ID), account.ID != "" && answer.ID != account.ID:
		return pageAnswer{}, strange("it is not of the Page that was asked for")
	case answer.AccessToken == "":
		return pageAnswer{}, &platform.Failure{
			Class:   platform.InsufficientScope,
			Message: "the person behind the access token has no task on the Page, or did not choose it when they consented: let somebody who manages it connect the account, and choose the Page",
		}
	case !isToken(answer.AccessToken):
		return pageAnswer{}, strange("the Page's access token is malformed")
	}
	return answer, nil
}
