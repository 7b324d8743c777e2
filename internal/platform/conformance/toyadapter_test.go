// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// flaw is something that the toy adapter does wrong on purpose.
type flaw string

const (
	none             flaw = ""
	blamesCredential flaw = "calls every failure Unauthorized"
	believesHTML     flaw = "takes a page with status 401 for a refusal"
	hidesRefusal     flaw = "calls a refusal Transient"
	tellsSecret      flaw = "puts the password into its messages"
	tellsAnswer      flaw = "puts the server's words into its messages"
	showsSecret      flaw = "delivers a credential that prints its secret"
	neverTheSame     flaw = "counts in its messages"
	forgetsRetry     flaw = "drops the time to come back"
	plainErrors      flaw = "returns errors of its own kind"
	deafToCancel     flaw = "does not hear that it is cancelled"
	asksAnyway       flaw = "asks the server without a password"
	wrongIdentity    flaw = "says any account is the same"
	upperHandles     flaw = "keeps the case of handles"
	anyAccountID     flaw = "takes anything for an account ID"
	mintsOver        flaw = "mints over a name that is taken"
	revokesNothing   flaw = "says that it has revoked"
	missesAbsent     flaw = "fails to revoke what is not there"
	newSessions      flaw = "opens a session each time"
	keepsNothing     flaw = "keeps no session"
	trustsSession    flaw = "takes a damaged session for a refused credential"
	neverEnds        flaw = "leaves the session where it is when it ends it"
	asksTooMuch      flaw = "asks three times whose account it is"
	overPromises     flaw = "names a capability twice"
	listsAnything    flaw = "takes any answer for a list"
	listsForever     flaw = "asks for the same page again"
	listsOthers      flaw = "lists what cannot be an account"
	hidesNames       flaw = "gives another account's handle"
	blamesNobody     flaw = "calls a list that is not public a wrong credential"

	sharesKeys     flaw = "gives everybody the same hook keys"
	missesInOutage flaw = "calls an outage a missing subscription"
	forgetsKinds   flaw = "subscribes to one kind of event alone"
	hooksBeside    flaw = "subscribes beside the subscription that is there"
	endsOthers     flaw = "ends everybody's subscriptions"
	endsAny        flaw = "ends a subscription to any callback"
	trustsAnyone   flaw = "reads what nobody has signed"
	takesFirst     flaw = "takes the first of two signatures"
	newestKey      flaw = "knows the newest hook key alone"
	newIDs         flaw = "gives an event another ID each time"
	anyMethod      flaw = "reads what comes by any method"
	namesNoAccount flaw = "does not say on which account it happened"
	repeatsHeader  flaw = "puts a stranger's signature into its messages"
	blamesItself   flaw = "answers a stranger with status 500"
	refusesThanks  flaw = "answers a delivery with status 404"

	raisesPast    flaw = "begins with all that ever happened"
	keepsCursor   flaw = "gives the same cursor again"
	quietInOutage flaw = "takes an outage for quiet"
	quietOnBlank  flaw = "takes an answer without a list for quiet"
	newestFirst   flaw = "gives the newest event first"
	findsAllKinds flaw = "finds what nobody asked for"

	sendsSecret  flaw = "sends the application's secret with the person"
	forgetsState flaw = "sends the person without the state"
	noChallenge  flaw = "sends the person without a challenge"
	wrongKey     flaw = "puts the token under a key of its own"
	triesAgain   flaw = "calls a used code Transient"
)

type toyAdapter struct {
	http   *httpx.Client
	server httpx.ServerURL
	flaw   flaw
	scope  platform.HookScope
	count  *atomic.Int32
}

var (
	_ platform.Issuer       = (*toyAdapter)(nil)
	_ platform.Revoker      = (*toyAdapter)(nil)
	_ platform.SessionEnder = (*toyAdapter)(nil)
	_ platform.AccountNamer = (*toyAdapter)(nil)

	toyHandle = regexp.MustCompile(`^[a-z0-9]{1,32}$`)
	toyID     = regexp.MustCompile(`^id-[a-z0-9]{1,32}$`)
)

func (a *toyAdapter) NormaliseHandle(handle string) (string, error) {
	lower := strings.ToLower(handle)
	if !toyHandle.MatchString(lower) {
		return "", errors.New("a handle is letters and digits")
	}
	if a.flaw == upperHandles {
		return handle, nil
	}
	return lower, nil
}

func (a *toyAdapter) CheckAccountID(id string) error {
	if a.flaw == anyAccountID || toyID.MatchString(id) {
		return nil
	}
	return errors.New("an account ID begins with id-")
}

func (a *toyAdapter) ClaimScope() string { return "" }

func (a *toyAdapter) SourceKeys() []platform.SourceKey {
	return []platform.SourceKey{{Name: "password", Required: true, Purpose: "the account's password"}}
}

func (a *toyAdapter) Detect(ctx context.Context) (platform.Server, error) {
	var about struct{ Software string }
	if err := a.ask(ctx, http.MethodGet, "/about", "", toyRequest{}, &about); err != nil {
		return platform.Server{}, err
	}
	server := platform.Server{Software: about.Software, Capabilities: []platform.Capability{platform.CapabilityMint}}
	if a.flaw == overPromises {
		server.Capabilities = append(server.Capabilities, platform.CapabilityMint)
	}
	return server, nil
}

func (a *toyAdapter) Deliverable(_ context.Context, account platform.Account) (credentials.Credential, error) {
	credential := credentials.Credential{Values: credentials.Values{"TOY_PASSWORD": account.Source["password"]}}
	if a.flaw == showsSecret {
		credential.ID = account.Source.Get("password")
	}
	return credential, nil
}

func (a *toyAdapter) Verify(ctx context.Context, account platform.Account) (platform.Identity, error) {
	if a.flaw == deafToCancel {
		ctx = context.WithoutCancel(ctx)
	}
	if account.Source.Get("password") == "" && a.flaw != asksAnyway {
		return platform.Identity{}, &platform.Failure{Class: platform.Permanent, Message: "the source Secret has no key password"}
	}
	var identity platform.Identity
	err := a.inSession(ctx, account, func(token string) error {
		var who struct{ ID, Handle string }
		times := 1
		if a.flaw == asksTooMuch {
			times = 3
		}
		for range times {
			if err := a.ask(ctx, http.MethodGet, "/whoami", token, toyRequest{}, &who); err != nil {
				return err
			}
		}
		if who.ID == "" {
			return &platform.Failure{Class: platform.Unknown, Message: "the answer names no account"}
		}
		identity = platform.Identity{AccountID: who.ID, Handle: who.Handle, CanMint: true}
		return nil
	})
	if a.flaw == wrongIdentity && err == nil {
		identity.AccountID = "id-same"
	}
	return identity, a.spoil(err, account)
}

// inSession runs do with the kept session, or with a new one where none is
// kept or the server knows it no more.
func (a *toyAdapter) inSession(ctx context.Context, account platform.Account, do func(token string) error) error {
	kept, err := account.Sessions.Load(ctx)
	if err != nil {
		return failed(err)
	}
	if kept.Get("token") != "" && a.flaw != newSessions {
		err := do(kept.Get("token"))
		if platform.ClassOf(err) != platform.Unauthorized || a.flaw == trustsSession {
			return err
		}
	}
	token, err := a.login(ctx, account, account.Source.Get("password"))
	if err != nil {
		return err
	}
	if a.flaw != keepsNothing {
		if err := account.Sessions.Save(ctx, credentials.Values{"token": credentials.NewValue(token)}); err != nil {
			return failed(err)
		}
	}
	return do(token)
}

func failed(err error) error {
	return &platform.Failure{Class: platform.Conflict, Message: "the session could not be kept", Cause: err}
}

func (a *toyAdapter) login(ctx context.Context, account platform.Account, password string) (string, error) {
	var session struct{ Token string }
	err := a.ask(ctx, http.MethodPost, "/login", "", toyRequest{User: account.Handle, Password: password}, &session)
	if err == nil && session.Token == "" {
		return "", &platform.Failure{Class: platform.Unknown, Message: "the answer holds no session"}
	}
	return session.Token, err
}

func (a *toyAdapter) EndSession(ctx context.Context, account platform.Account) error {
	kept, err := account.Sessions.Load(ctx)
	if err != nil || kept == nil {
		return err
	}
	if err := a.ask(ctx, http.MethodPost, "/logout", kept.Get("token"), toyRequest{}, &struct{}{}); err != nil {
		return err
	}
	if a.flaw == neverEnds {
		return nil
	}
	return account.Sessions.Save(ctx, nil)
}

func (a *toyAdapter) Mint(ctx context.Context, account platform.Account, id string) (credentials.Credential, error) {
	var minted struct{ Password string }
	err := a.inSession(ctx, account, func(token string) error {
		err := a.ask(ctx, http.MethodPost, "/mint", token, toyRequest{Name: id}, &minted)
		if platform.ClassOf(err) != platform.Conflict || a.flaw != mintsOver {
			return err
		}
		if err := a.ask(ctx, http.MethodPost, "/revoke", token, toyRequest{Name: id}, &struct{}{}); err != nil {
			return err
		}
		return a.ask(ctx, http.MethodPost, "/mint", token, toyRequest{Name: id}, &minted)
	})
	if err != nil {
		return credentials.Credential{}, a.spoil(err, account)
	}
	return credentials.Credential{ID: id, Values: credentials.Values{"TOY_PASSWORD": credentials.NewValue(minted.Password)}}, nil
}

func (a *toyAdapter) Prove(ctx context.Context, account platform.Account, credential credentials.Credential) (platform.Identity, error) {
	token, err := a.login(ctx, account, credential.Values.Get("TOY_PASSWORD"))
	if err != nil {
		return platform.Identity{}, a.spoil(err, account)
	}
	var who struct{ ID, Handle string }
	if err := a.ask(ctx, http.MethodGet, "/whoami", token, toyRequest{}, &who); err != nil {
		return platform.Identity{}, a.spoil(err, account)
	}
	return platform.Identity{AccountID: who.ID, Handle: who.Handle}, a.ask(ctx, http.MethodPost, "/logout", token, toyRequest{}, &struct{}{})
}

func (a *toyAdapter) Issued(ctx context.Context, account platform.Account) ([]string, error) {
	var listed struct{ Names []string }
	err := a.inSession(ctx, account, func(token string) error {
		return a.ask(ctx, http.MethodGet, "/list", token, toyRequest{}, &listed)
	})
	return listed.Names, a.spoil(err, account)
}

func (a *toyAdapter) RevokeIssued(ctx context.Context, account platform.Account, id string) (platform.Revocation, error) {
	if a.flaw == missesAbsent {
		ids, err := a.Issued(ctx, account)
		if err != nil {
			return platform.Revocation{}, err
		}
		if !strings.Contains(strings.Join(ids, " "), id) {
			return platform.Revocation{}, &platform.Failure{Class: platform.NotFound, Message: "no such credential"}
		}
	}
	err := a.inSession(ctx, account, func(token string) error {
		if a.flaw == revokesNothing {
			return nil
		}
		return a.ask(ctx, http.MethodPost, "/revoke", token, toyRequest{Name: id}, &struct{}{})
	})
	return platform.Revocation{EffectiveBy: time.Now()}, a.spoil(err, account)
}

func (a *toyAdapter) Revoke(ctx context.Context, account platform.Account, credential credentials.Credential) (platform.Revocation, error) {
	revocation := platform.Revocation{EffectiveBy: time.Now()}
	if a.flaw == revokesNothing {
		return revocation, nil
	}
	err := a.ask(ctx, http.MethodPost, "/withdraw", "", toyRequest{Password: credential.Values.Get("TOY_PASSWORD")}, &struct{}{})
	return revocation, a.spoil(err, account)
}

func (a *toyAdapter) ListAccounts(ctx context.Context, cursor string) (platform.AccountPage, error) {
	if a.flaw == deafToCancel {
		ctx = context.WithoutCancel(ctx)
	}
	if a.flaw == listsForever {
		cursor = ""
	}
	var list struct {
		IDs  []string
		Next string
	}
	if err := a.ask(ctx, http.MethodGet, "/accounts?after="+cursor, "", toyRequest{}, &list); err != nil {
		if a.flaw == listsAnything {
			return platform.AccountPage{}, nil
		}
		return platform.AccountPage{}, a.public(err)
	}
	if list.IDs == nil {
		return platform.AccountPage{}, &platform.Failure{Class: platform.Unknown, Message: "the answer holds no list"}
	}
	page := platform.AccountPage{Next: list.Next}
	for _, id := range list.IDs {
		if a.flaw == listsOthers {
			id = "@" + id
		}
		page.Accounts = append(page.Accounts, platform.ListedAccount{ID: id, State: platform.AccountActive})
	}
	return page, nil
}

func (a *toyAdapter) Unlisted() string { return "" }

func (a *toyAdapter) HandleOf(ctx context.Context, id string) (string, error) {
	var who struct{ Handle string }
	if err := a.ask(ctx, http.MethodGet, "/handle?id="+id, "", toyRequest{}, &who); err != nil {
		return "", a.public(err)
	}
	if who.Handle == "" {
		return "", &platform.Failure{Class: platform.Unknown, Message: "the answer names no account"}
	}
	if a.flaw == hidesNames {
		return "somebody", nil
	}
	return who.Handle, nil
}

// public is the failure of a call without a credential.
func (a *toyAdapter) public(err error) error {
	failure, ok := errors.AsType[*platform.Failure](a.spoil(err, platform.Account{}))
	if !ok {
		return a.spoil(err, platform.Account{})
	}
	if a.flaw != blamesNobody && a.flaw != blamesCredential && (failure.Class == platform.Unauthorized || failure.Class == platform.InsufficientScope) {
		failure.Class = platform.Permanent
	}
	return failure
}

func (a *toyAdapter) ask(ctx context.Context, method, path, token string, request toyRequest, into any) error {
	call := httpx.Request{Method: method, URL: a.server.URL(path, nil), Header: http.Header{"Authorization": {"Bearer " + token}}}
	if method == http.MethodPost {
		body, err := json.Marshal(request)
		if err != nil {
			return err
		}
		call.Body = body
	}
	response, err := a.http.Do(ctx, call)
	if err != nil {
		return platform.FromTransport(err)
	}
	var refusal struct{ Error string }
	if response.Status != http.StatusOK {
		failure := platform.FromStatus(response.Status, response.RetryAt)
		if err := httpx.DecodeJSON(response, &refusal); err != nil && response.Status < 500 && a.flaw != believesHTML {
			failure = platform.FromTransport(err)
		}
		if a.flaw == tellsAnswer {
			failure.Message += ": " + refusal.Error
		}
		return failure
	}
	if err := httpx.DecodeJSON(response, into); err != nil {
		return platform.FromTransport(err)
	}
	return nil
}

// spoil makes of a right failure the one that the flaw asks for.
func (a *toyAdapter) spoil(err error, account platform.Account) error {
	failure, ok := errors.AsType[*platform.Failure](err)
	if !ok {
		return err
	}
	spoilt := *failure
	switch a.flaw {
	case blamesCredential:
		spoilt.Class = platform.Unauthorized
	case hidesRefusal:
		if failure.Class == platform.Unauthorized {
			spoilt.Class = platform.Transient
		}
	case tellsSecret:
		spoilt.Message += ": " + account.Source.Get("password")
	case neverTheSame:
		spoilt.Message += fmt.Sprintf(" (failure %d)", a.count.Add(1))
	case forgetsRetry:
		spoilt.RetryAt = time.Time{}
	case plainErrors:
		return errors.New(failure.Message)
	}
	return &spoilt
}
