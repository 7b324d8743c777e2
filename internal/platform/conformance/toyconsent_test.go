// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance"
)

const (
	toyClient   = "toy-client"
	toySecret   = "application-53cr37-0001"
	toyRedirect = "https://gateway.example/connect/callback"
)

// toyCode is what a code is bound to.
type toyCode struct{ user, challenge, redirect string }

// redeem gives a new password for a code, once.
func (s *toyServer) redeem(w http.ResponseWriter, request toyRequest) {
	bound, ok := s.codes[request.Code]
	delete(s.codes, request.Code)
	sum := sha256.Sum256([]byte(request.Verifier))
	right := bound.challenge == "" || bound.challenge == base64.RawURLEncoding.EncodeToString(sum[:])
	if !ok || !right || bound.redirect != request.Redirect || request.Client != toyClient || request.Secret != toySecret {
		answer(w, http.StatusBadRequest, map[string]string{"error": "no such grant"})
		return
	}
	content := s.secret("granted")
	s.passwords[content] = password{user: bound.user}
	answer(w, http.StatusOK, map[string]string{"password": content})
}

func (s *toyServer) asConsent(user string) *conformance.Consent {
	return &conformance.Consent{
		RedirectURL: toyRedirect,
		Give: func(_ context.Context, authorizationURL string) (string, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			asked, err := url.Parse(authorizationURL)
			if err != nil || asked.Query().Get("client_id") != toyClient {
				return "", errors.New("the consent page cannot be shown")
			}
			code := s.secret("code")
			s.codes[code] = toyCode{user: user, challenge: asked.Query().Get("code_challenge"), redirect: asked.Query().Get("redirect_uri")}
			back := url.Values{"code": {code}, "state": {asked.Query().Get("state")}}
			return asked.Query().Get("redirect_uri") + "?" + back.Encode(), nil
		},
	}
}

var (
	_ platform.Authorizer      = (*toyAdapter)(nil)
	_ platform.ApplicationUser = (*toyAdapter)(nil)
)

func (a *toyAdapter) ApplicationKeys() []platform.SourceKey {
	return []platform.SourceKey{
		{Name: platform.ApplicationID, Required: true, Purpose: "the application's name"},
		{Name: platform.ApplicationSecret, Required: true, Purpose: "the application's secret"},
	}
}

func (a *toyAdapter) AuthorizationURL(application credentials.Values, request platform.AuthorizationRequest) (string, error) {
	for _, key := range a.ApplicationKeys() {
		if application.Get(key.Name) == "" && a.flaw != asksAnyway {
			return "", errors.New("the application's Secret has no key " + key.Name)
		}
	}
	query := url.Values{
		"response_type": {"code"}, "client_id": {application.Get(platform.ApplicationID)}, "redirect_uri": {request.RedirectURL},
		"state": {request.State}, "code_challenge": {request.Challenge}, "code_challenge_method": {"S256"},
	}
	switch a.flaw {
	case sendsSecret:
		query.Set("client_secret", application.Get(platform.ApplicationSecret))
	case forgetsState:
		query.Del("state")
	case noChallenge:
		query.Del("code_challenge")
	}
	return a.server.URL("/authorize", query), nil
}

func (a *toyAdapter) Redeem(ctx context.Context, application credentials.Values, grant platform.Grant) (platform.Granted, error) {
	var made struct{ Password string }
	err := a.ask(ctx, http.MethodPost, "/token", "", toyRequest{
		Client: application.Get(platform.ApplicationID), Secret: application.Get(platform.ApplicationSecret),
		Code: grant.Code, Verifier: grant.Verifier, Redirect: grant.RedirectURL,
	}, &made)
	if err == nil && made.Password == "" {
		err = &platform.Failure{Class: platform.Unknown, Message: "the answer holds no password"}
	}
	if failure, ok := errors.AsType[*platform.Failure](err); ok && a.flaw == triesAgain {
		failure.Class = platform.Transient
	}
	if err != nil {
		return platform.Granted{}, a.spoil(err, platform.Account{})
	}
	key := "password"
	if a.flaw == wrongKey {
		key = "token"
	}
	return platform.Granted{Source: credentials.Values{key: credentials.NewValue(made.Password)}}, nil
}
