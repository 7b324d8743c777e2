// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// AuthorizationURL is Facebook's login dialog
// (https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow/).
// It asks again for permissions that the person once refused.
func (a *Adapter) AuthorizationURL(values credentials.Values, request platform.AuthorizationRequest) (string, error) {
	app, err := readApplication(values)
	if err != nil {
		return "", err
	}
	return a.dialogURL(url.Values{
		"client_id":             {app.id},
		"redirect_uri":          {request.RedirectURL},
		"state":                 {request.State},
		"scope":                 {strings.Join(askedPermissions(), ",")},
		"response_type":         {"code"},
		"auth_type":             {"rerequest"},
		"code_challenge":        {request.Challenge},
		"code_challenge_method": {"S256"},
	}), nil
}

// Redeem gets a person's token for the code, and a long-lived one for that at
// once: the first lasts an hour or two.
func (a *Adapter) Redeem(ctx context.Context, values credentials.Values, grant platform.Grant) (platform.Granted, error) {
	app, err := readApplication(values)
	if err != nil {
		return platform.Granted{}, err
	}
	short, err := a.redeem(ctx, app, grant)
	if err != nil {
		return platform.Granted{}, err
	}
	token, info, err := a.exchange(ctx, app, "", short)
	if err != nil {
		return platform.Granted{}, err
	}
	return platform.Granted{
		Source:    credentials.Values{keyAccessToken: token},
		Missing:   info.missing(neededPermissions(), ""),
		ExpiresAt: earliest(timeOf(info.ExpiresAt), timeOf(info.DataAccessExpiresAt)),
	}, nil
}

const wordsBadCode = "Facebook does not take the code: it was used before, or is too old; begin again"

func (a *Adapter) redeem(ctx context.Context, app application, grant platform.Grant) (credentials.Value, error) {
	if grant.Code == "" {
		return credentials.Value{}, permanent(wordsBadCode)
	}
	var answer grantAnswer
	err := a.ask(ctx, call{path: pathToken, params: url.Values{
		"client_id":     {app.id},
		"client_secret": {app.secret.Reveal()},
		"redirect_uri":  {grant.RedirectURL},
		"code":          {grant.Code},
		"code_verifier": {grant.Verifier},
	}}, &answer)
	if codeOf(err) == codeParameter {
		return credentials.Value{}, permanent(wordsBadCode)
	}
	if err != nil {
		return credentials.Value{}, ofApplication(ofTokenEndpoint(err))
	}
	return answer.read()
}

// earliest of the times that are there.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, at := range times {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
