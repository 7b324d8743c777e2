// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Keys of a delivered credential.
const (
	// KeyIdentifier is what to log in as: the account's DID.
	KeyIdentifier = "BLUESKY_IDENTIFIER"
	// KeyAppPassword is the app password to log in with.
	KeyAppPassword = "BLUESKY_APP_PASSWORD"
	// KeyAppPasswordName is the app password's name at Bluesky, in a source
	// credential that says it.
	KeyAppPasswordName = "BLUESKY_APP_PASSWORD_NAME"
)

const wordsCannotMint = "an app password cannot make app passwords: give Rostra the account's main password, or let it deliver this app password as it is"

// Mint implements [platform.Issuer] with com.atproto.server.createAppPassword.
// The app password cannot read direct messages and cannot make others.
func (a *adapter) Mint(ctx context.Context, account platform.Account, id string) (credentials.Credential, error) {
	var minted credentials.Credential
	err := a.withSession(ctx, account, func(s session) error {
		if !readClaims(s.access.Reveal()).canMint() {
			return &platform.Failure{Class: platform.InsufficientScope, Message: wordsCannotMint}
		}
		password, err := a.createAppPassword(ctx, account, s, id)
		if err != nil {
			return a.explainFailedMint(ctx, account, s, id, err)
		}
		minted = credentials.Credential{ID: id, Values: deliveredValues(s.did, password)}
		return nil
	})
	return minted, err
}

func deliveredValues(identifier string, password credentials.Value) credentials.Values {
	return credentials.Values{
		KeyIdentifier:  credentials.NewValue(identifier),
		KeyAppPassword: password,
	}
}

func (a *adapter) createAppPassword(ctx context.Context, account platform.Account, s session, name string) (credentials.Value, error) {
	input := struct {
		Name       string `json:"name"`
		Privileged bool   `json:"privileged"`
	}{Name: name}
	var answer struct {
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	request := call{account: limiterKey(account), method: methodCreateAppPassword, procedure: true, token: s.access, input: input}
	if err := a.ask(ctx, request, &answer); err != nil {
		return credentials.Value{}, err
	}
	if answer.Password == "" || answer.Name != name {
		return credentials.Value{}, strange("the app password that was asked for is missing or has another name")
	}
	return credentials.NewValue(answer.Password), nil
}

// explainFailedMint finds out whether the name is there although minting
// failed. A taken name gets the same answer as any fault of the server's own,
// and an answer that was lost may have been a good one.
func (a *adapter) explainFailedMint(ctx context.Context, account platform.Account, s session, id string, failed error) error {
	if !mayHaveMinted(failed) {
		return failed
	}
	names, err := a.listAppPasswords(ctx, limiterKey(account), s.access)
	if err != nil || !slices.Contains(names, id) {
		return failed
	}
	return &platform.Failure{
		Class:   platform.Conflict,
		Message: "the account has an app password of this name already",
		Cause:   failed,
	}
}

// mayHaveMinted tells whether the name can be at the server after this error.
func mayHaveMinted(err error) bool {
	if transport, ok := errors.AsType[*httpx.Error](err); ok {
		return transport.MaybeSent
	}
	switch platform.ClassOf(err) {
	case platform.Transient, platform.Permanent, platform.Conflict, platform.Unknown:
		return true
	case platform.Unauthorized, platform.Revoked, platform.InsufficientScope, platform.RateLimited,
		platform.PolicyBlocked, platform.NotFound:
		return false
	}
	return true
}

// Issued implements [platform.Issuer] with
// com.atproto.server.listAppPasswords.
func (a *adapter) Issued(ctx context.Context, account platform.Account) ([]string, error) {
	var names []string
	err := a.withSession(ctx, account, func(s session) error {
		var err error
		names, err = a.listAppPasswords(ctx, limiterKey(account), s.access)
		return err
	})
	return names, err
}

func (a *adapter) listAppPasswords(ctx context.Context, key string, access credentials.Value) ([]string, error) {
	var answer struct {
		Passwords *[]struct {
			Name string `json:"name"`
		} `json:"passwords"`
	}
	if err := a.ask(ctx, call{account: key, method: methodListAppPasswords, token: access}, &answer); err != nil {
		return nil, err
	}
	if answer.Passwords == nil {
		return nil, strange("the list of app passwords is missing")
	}
	names := make([]string, 0, len(*answer.Passwords))
	for _, password := range *answer.Passwords {
		names = append(names, password.Name)
	}
	return names, nil
}

// RevokeIssued implements [platform.Issuer] with
// com.atproto.server.revokeAppPassword, which answers the same for a name that
// is not there. Access tokens that were opened with the app password live on
// until they expire, and that is when the revocation takes effect. On an
// account that is no longer at the server nothing is left to revoke.
func (a *adapter) RevokeIssued(ctx context.Context, account platform.Account, id string) (platform.Revocation, error) {
	life := accessLife
	err := a.withSession(ctx, account, func(s session) error {
		life = readClaims(s.access.Reveal()).life
		return a.revokeAppPassword(ctx, limiterKey(account), s.access, id)
	})
	if err != nil && platform.ClassOf(err) != platform.NotFound {
		return platform.Revocation{}, err
	}
	return a.revokedNow(life), nil
}

func (a *adapter) revokeAppPassword(ctx context.Context, key string, access credentials.Value, name string) error {
	input := struct {
		Name string `json:"name"`
	}{name}
	return a.ask(ctx, call{account: key, method: methodRevokeAppPassword, procedure: true, token: access, input: input}, nil)
}

func (a *adapter) revokedNow(life time.Duration) platform.Revocation {
	return platform.Revocation{EffectiveBy: a.clock.Now().Add(life)}
}

// Prove implements [platform.Issuer]: it logs in with the app password and
// ends that login again. Where the ending fails the proof stands: nobody keeps
// the login's tokens, and it ends with the app password.
func (a *adapter) Prove(ctx context.Context, account platform.Account, credential credentials.Credential) (platform.Identity, error) {
	answer, err := a.openWith(ctx, account, credential)
	if err != nil {
		return platform.Identity{}, err
	}
	_ = a.deleteSession(ctx, account, credentials.NewValue(answer.RefreshJWT)) // see above
	if err := sameAccount(account, answer.DID); err != nil {
		return platform.Identity{}, err
	}
	return answer.identity(credentials.NewValue(answer.AccessJWT))
}

// openWith logs in with a delivered credential.
func (a *adapter) openWith(ctx context.Context, account platform.Account, credential credentials.Credential) (sessionAnswer, error) {
	identifier, password := credential.Values.Get(KeyIdentifier), credential.Values[KeyAppPassword]
	if identifier == "" || password.IsEmpty() {
		return sessionAnswer{}, &platform.Failure{
			Class:   platform.Permanent,
			Message: "the delivered credential lacks " + KeyIdentifier + " or " + KeyAppPassword,
		}
	}
	return a.createSession(ctx, limiterKey(account), identifier, password)
}

// Revoke implements [platform.Revoker]: an app password at hand takes itself
// back in a session of its own. That session does not tell the app password's
// name, so it must come with the credential, be its ID, or be the only one
// there is.
func (a *adapter) Revoke(ctx context.Context, account platform.Account, credential credentials.Credential) (platform.Revocation, error) {
	answer, err := a.openWith(ctx, account, credential)
	switch class := platform.ClassOf(err); {
	case err == nil:
	case class == platform.Unauthorized, class == platform.NotFound:
		return a.revokedNow(accessLife), nil
	default:
		return platform.Revocation{}, err
	}
	read := readClaims(answer.AccessJWT)
	if err := a.revokeItself(ctx, account, answer, credential); err != nil {
		// The revocation would have ended this login, too.
		_ = a.deleteSession(ctx, account, credentials.NewValue(answer.RefreshJWT))
		return platform.Revocation{}, afterRenewal(err)
	}
	return a.revokedNow(read.life), nil
}

func (a *adapter) revokeItself(ctx context.Context, account platform.Account, answer sessionAnswer, credential credentials.Credential) error {
	if err := sameAccount(account, answer.DID); err != nil {
		return err
	}
	if readClaims(answer.AccessJWT).canMint() {
		return &platform.Failure{Class: platform.Permanent, Message: "this is the account's main password, which cannot be revoked: change it at the account"}
	}
	access := credentials.NewValue(answer.AccessJWT)
	names, err := a.listAppPasswords(ctx, limiterKey(account), access)
	if err != nil {
		return err
	}
	name, known := ownName(names, credential)
	if !known {
		return &platform.Failure{Class: platform.Permanent, Message: "the server does not tell which of the account's app passwords this one is: revoke it by hand in the account's settings, under App passwords (Rostra can where the source Secret names it under " + sourceName + ")"}
	}
	return a.revokeAppPassword(ctx, limiterKey(account), access, name)
}

// ownName gives the name under which the credential is listed.
func ownName(names []string, credential credentials.Credential) (string, bool) {
	for _, name := range []string{credential.Values.Get(KeyAppPasswordName), credential.ID} {
		if slices.Contains(names, name) {
			return name, true
		}
	}
	if len(names) == 1 {
		return names[0], true
	}
	return "", false
}
